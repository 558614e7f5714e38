//! Removing directories with what is in them.

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt, TryStreamExt};
use nfs4_protocol::nfs4::{FATTR4_RDATTR_ERROR, FATTR4_TYPE, NfsFh4, NfsFtype4, NfsStat4};

use crate::{Client, Error, ListingSize};

/// Names of one directory that are read before they are removed.
const BATCH: usize = 1024;
/// REMOVEs on their way at the same time.
const IN_FLIGHT: usize = 8;

/// Why a tree is not removed, or not all of it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{source}")]
pub struct TreeError {
    /// The names from the top of the tree to the object that the failure is about; empty for the top itself.
    pub path: Vec<Bytes>,
    /// The failure.
    pub source: Error,
}

/// A directory that is to be empty before it is removed.
#[derive(Debug)]
struct Level {
    parent: NfsFh4,
    name: Bytes,
    handle: NfsFh4,
    path: Vec<Bytes>,
}

impl Level {
    fn error(&self, name: Option<&Bytes>) -> impl Fn(Error) -> TreeError {
        let path: Vec<Bytes> = self.path.iter().chain(name).cloned().collect();
        move |source| TreeError { path: path.clone(), source }
    }
}

impl Client {
    /// Removes the directory `name` of `directory` and everything below it. Symbolic links are not followed. Returns
    /// the number of objects that were removed. Other clients that go on creating objects there can keep it busy.
    ///
    /// # Errors
    /// [`TreeError`]; what was removed before stays removed.
    pub fn remove_tree<'a>(
        &'a self,
        directory: &'a NfsFh4,
        name: impl AsRef<[u8]>,
    ) -> BoxFuture<'a, Result<u64, TreeError>> {
        let name = Bytes::copy_from_slice(name.as_ref());
        self.remove_levels(directory.clone(), name).boxed()
    }

    async fn remove_levels(&self, parent: NfsFh4, name: Bytes) -> Result<u64, TreeError> {
        let top = |source| TreeError { path: Vec::new(), source };
        let handle = self.lookup(&parent, &name).await.map_err(top)?.handle;
        let mut levels = vec![Level { parent, name, handle, path: Vec::new() }];
        let mut removed = 0;
        while let Some(level) = levels.last() {
            // Always from the beginning: cookies need not outlive changes of the directory.
            let batch = self.batch(level).await?;
            if batch.is_empty() {
                self.remove(&level.parent, &level.name).await.map_err(level.error(None))?;
                removed += 1;
                levels.pop();
                continue;
            }
            let (directories, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|(_, directory)| *directory);
            removed += self.remove_all(level, others).await?;
            let below = self.levels_below(level, directories).await?;
            levels.extend(below);
        }
        Ok(removed)
    }

    /// Some names, and whether each is a directory.
    async fn batch(&self, level: &Level) -> Result<Vec<(Bytes, bool)>, TreeError> {
        let entries = self.readdir(&level.handle, ListingSize::default(), &[FATTR4_TYPE, FATTR4_RDATTR_ERROR]);
        let entries = entries.take(BATCH).map(|entry| {
            let entry = entry?;
            let ftype = entry.attrs.parse().map_err(Error::from)?.ftype;
            Ok((entry.name, ftype == Some(NfsFtype4::Dir)))
        });
        entries.try_collect().await.map_err(level.error(None))
    }

    async fn remove_all(&self, level: &Level, names: Vec<(Bytes, bool)>) -> Result<u64, TreeError> {
        let removals = stream::iter(names).map(async |(name, _)| match self.remove(&level.handle, &name).await {
            // Somebody else was faster.
            Err(error) if error.status() == Some(NfsStat4::Noent) => Ok(0),
            result => result.map(|()| 1).map_err(level.error(Some(&name))),
        });
        removals.buffer_unordered(IN_FLIGHT).try_fold(0, async |sum, one| Ok(sum + one)).await
    }

    async fn levels_below(&self, level: &Level, names: Vec<(Bytes, bool)>) -> Result<Vec<Level>, TreeError> {
        let lookups = stream::iter(names).map(async |(name, _)| {
            let path: Vec<Bytes> = level.path.iter().chain([&name]).cloned().collect();
            match self.lookup(&level.handle, &name).await {
                Err(error) if error.status() == Some(NfsStat4::Noent) => Ok(None),
                Err(source) => Err(TreeError { path, source }),
                Ok(node) => Ok(Some(Level { parent: level.handle.clone(), name, handle: node.handle, path })),
            }
        });
        lookups.buffered(IN_FLIGHT).try_filter_map(async |level| Ok(level)).try_collect().await
    }
}
