//! From this machine to the server, with several WRITEs in flight.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream, TryStreamExt};
use nfs_client_sim::{Client, OpenFile, OpenHow};
use nfs4_protocol::nfs4::{Attrs, FATTR4_SIZE, Mode4, NfsFh4, NfsFtype4, NfsStat4};
use tokio::fs;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::download::{FILES_AT_ONCE, closing};
use super::place::{self, is};
use super::progress::Progress;
use super::{CliError, NfsContext, NfsUrl, Output};

/// Data is written and made stable in windows of this many bytes, which are kept until then: a server that restarts may
/// lose what was not.
const WINDOW: usize = 16 << 20;
/// Windows on their way at the same time; one more is being read.
const WINDOWS: usize = 2;

/// Copies files and directories to a server.
pub(crate) struct Upload<'a> {
    pub(crate) client: &'a Client,
    pub(crate) in_flight: usize,
    pub(crate) progress: &'a Progress,
    pub(crate) output: &'a Output,
}

impl Upload<'_> {
    /// Copies what `source` gives to the file `name`, which is created or replaced, until it is stable.
    ///
    /// # Errors
    /// [`CliError::Failed`] when the server has another size in the end.
    pub(crate) async fn file(
        &self,
        source: impl AsyncRead + Unpin,
        from: &Path,
        mode: Mode4,
        to: (&NfsFh4, &Bytes, &NfsUrl),
    ) -> Result<(), CliError> {
        let (directory, name, url) = to;
        let attrs = Attrs { mode: Some(mode), size: Some(0), ..Attrs::default() };
        let file = self.client.open(directory, name, OpenHow::write().unchecked(attrs)).await.at(url)?;
        let copied = self.content(source, from, &file, url).await;
        closing(copied, file.close().await.at(url))?;
        self.progress.file();
        Ok(())
    }

    async fn content(
        &self,
        source: impl AsyncRead + Unpin,
        from: &Path,
        file: &OpenFile,
        url: &NfsUrl,
    ) -> Result<(), CliError> {
        let written = windows(source, from).map_ok(async |(offset, window): (u64, Bytes)| {
            file.write_stable(offset, &window, self.in_flight).await.at(url)?;
            self.progress.bytes(window.len() as u64);
            Ok(window.len() as u64)
        });
        let add = async |sum: u64, len: u64| Ok(sum + len);
        let sent = written.try_buffer_unordered(WINDOWS).try_fold(0, add).await?;
        let size = file.getattr(&[FATTR4_SIZE]).await.at(url)?.size;
        if size.is_some_and(|size| size != sent) {
            let size = size.unwrap_or_default();
            return Err(CliError::Failed(format!("{url}: {sent} bytes were written, but it has {size}")));
        }
        Ok(())
    }

    /// Copies what is below a local directory into one on the server, which is made unless it is there. Symbolic links
    /// are copied as such; what is neither file, directory nor link is left out, and that is said.
    ///
    /// # Errors
    /// The first failure ends it.
    pub(crate) async fn tree(&self, path: PathBuf, parent: NfsFh4, name: Bytes, url: NfsUrl) -> Result<(), CliError> {
        let mut waiting = vec![(path, parent, name, url)];
        while let Some((path, parent, name, url)) = waiting.pop() {
            let mode = mode(&fs::metadata(&path).await.at(path.display())?);
            let handle = make_directory(self.client, &parent, &name, mode, &url).await?;
            self.progress.directory();
            let subdirectories = parking_lot::Mutex::new(Vec::new());
            let copy = local_entries(&path).try_for_each_concurrent(FILES_AT_ONCE, async |entry| {
                let subdirectory = self.entry(&entry, &handle, &url).await?;
                subdirectories.lock().extend(subdirectory);
                Ok(())
            });
            copy.await?;
            let subdirectories = subdirectories.into_inner().into_iter();
            waiting.extend(subdirectories.map(|(path, name, url)| (path, handle.clone(), name, url)));
        }
        Ok(())
    }

    /// Copies one entry of a local directory, or returns it if it is a directory itself.
    async fn entry(
        &self,
        entry: &fs::DirEntry,
        directory: &NfsFh4,
        url: &NfsUrl,
    ) -> Result<Option<(PathBuf, Bytes, NfsUrl)>, CliError> {
        let path = entry.path();
        let name = Bytes::copy_from_slice(entry.file_name().as_bytes());
        let url = url.join(&name);
        let ftype = entry.file_type().await.at(path.display())?;
        if ftype.is_dir() {
            return Ok(Some((path, name, url)));
        }
        if ftype.is_file() {
            let source = fs::File::open(&path).await.at(path.display())?;
            let mode = mode(&source.metadata().await.at(path.display())?);
            self.file(source, &path, mode, (directory, &name, &url)).await?;
        } else if ftype.is_symlink() {
            let target = fs::read_link(&path).await.at(path.display())?;
            make_link(self.client, directory, &name, target.as_os_str().as_bytes(), &url).await?;
            self.progress.link();
        } else {
            self.output.note(format!("{}: left out, neither file, directory nor link", path.display()));
        }
        Ok(None)
    }
}

/// Makes a directory unless it is there. Returns its filehandle.
///
/// # Errors
/// [`CliError::Nfs`].
pub(crate) async fn make_directory(
    client: &Client,
    parent: &NfsFh4,
    name: &Bytes,
    mode: Mode4,
    url: &NfsUrl,
) -> Result<NfsFh4, CliError> {
    match client.mkdir(parent, name, mode).await {
        Err(error) if error.status() == Some(NfsStat4::Exist) => {
            let node = client.lookup(parent, name).await.at(url)?;
            if is(&node.attrs, NfsFtype4::Dir) { Ok(node.handle) } else { Err(error).at(url) }
        }
        made => made.at(url),
    }
}

/// Makes a symbolic link unless it is there and leads to the same place.
async fn make_link(
    client: &Client,
    directory: &NfsFh4,
    name: &Bytes,
    target: &[u8],
    url: &NfsUrl,
) -> Result<(), CliError> {
    let Err(error) = client.symlink(directory, name, target).await else { return Ok(()) };
    if error.status() == Some(NfsStat4::Exist) {
        let node = client.lookup(directory, name).await.at(url)?;
        if place::target(client, url, &node.handle, &node.attrs).await?.is_some_and(|there| there == target) {
            return Ok(());
        }
    }
    Err(error).at(url)
}

/// The permissions of a local file.
pub(crate) fn mode(metadata: &std::fs::Metadata) -> Mode4 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

fn local_entries(path: &Path) -> impl Stream<Item = Result<fs::DirEntry, CliError>> + '_ {
    stream::once(fs::read_dir(path))
        .map_ok(|listing| {
            stream::try_unfold(listing, async |mut listing| {
                Ok::<_, std::io::Error>(listing.next_entry().await?.map(|entry| (entry, listing)))
            })
        })
        .try_flatten()
        .map_err(|error| CliError::local(path.display(), error))
}

/// What `source` gives, as offsets and windows; all but the last are full.
fn windows(source: impl AsyncRead + Unpin, from: &Path) -> impl Stream<Item = Result<(u64, Bytes), CliError>> {
    stream::try_unfold((source, 0), async move |(mut source, offset)| {
        let mut window = BytesMut::with_capacity(WINDOW);
        let mut rest = (&mut source).take(WINDOW as u64);
        while rest.read_buf(&mut window).await.at(from.display())? > 0 {}
        let next = offset + window.len() as u64;
        Ok((!window.is_empty()).then(|| ((offset, window.freeze()), (source, next))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn windows_are_full_but_for_the_last() {
        let lengths = async |len: u64| {
            let source = tokio::io::repeat(7).take(len);
            let windows = windows(source, Path::new("source")).map_ok(|(offset, window)| (offset, window.len()));
            windows.try_collect::<Vec<_>>().await.unwrap()
        };
        assert_eq!(lengths(0).await, []);
        assert_eq!(lengths(5).await, [(0, 5)]);
        let full = WINDOW as u64;
        assert_eq!(lengths(full).await, [(0, WINDOW)]);
        assert_eq!(lengths(2 * full + 1).await, [(0, WINDOW), (full, WINDOW), (2 * full, 1)]);
    }
}
