//! Buckets: each is a file system of its own, a directory under the root.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::time::Instant;

use super::filesystem::{FsError, FsResult, NodeKey};
use super::identity::IdentityKey;
use crate::store::{ObjectStore, StoreError};
use crate::timestamp::Timestamp;

/// The file system of the root directory, whose entries are the buckets.
pub(super) const ROOT: NodeKey = NodeKey { fsid: 1, fileid: 1 };

/// One bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Its name in the store; empty for the root's pseudo bucket.
    pub name: String,
    /// Its root directory: the file system's id and the fileid there.
    pub root: NodeKey,
    /// The fileid that the root directory shows for it (RFC 7530 §5.8.2.19).
    pub mounted_on: u64,
    /// When it was created, as far as the store says.
    pub created: Timestamp,
    /// Held for reading by whatever changes names or bytes in the bucket, for writing while a directory moves.
    pub moving: tokio::sync::RwLock<()>,
}

impl Bucket {
    fn new(name: &str, created: Timestamp, key: &IdentityKey) -> Self {
        let fsid = key.fsid(name);
        Self {
            name: name.to_owned(),
            root: NodeKey { fsid, fileid: key.natural(fsid, 0, name, true) },
            mounted_on: key.natural(ROOT.fsid, ROOT.fileid, name, true),
            created,
            moving: tokio::sync::RwLock::new(()),
        }
    }

    /// The pseudo bucket of the root directory.
    fn root_of_all() -> Self {
        Self {
            name: String::new(),
            root: ROOT,
            mounted_on: ROOT.fileid,
            created: Timestamp::default(),
            moving: tokio::sync::RwLock::new(()),
        }
    }

    /// Whether this is the root's pseudo bucket.
    pub(super) fn is_root(&self) -> bool {
        self.root == ROOT
    }
}

/// The buckets that clients see.
pub(super) struct Buckets {
    /// Names chosen by the operator; empty: all that the credentials can see.
    only: Vec<String>,
    key: IdentityKey,
    known: RwLock<Known>,
    root: Arc<Bucket>,
    lifetime: Duration,
}

#[derive(Default)]
struct Known {
    by_fsid: HashMap<u64, Arc<Bucket>>,
    /// When the store was last asked.
    checked: Option<Instant>,
}

impl Buckets {
    /// `only` limits what is shown, `lifetime` is how long a listing of buckets is believed.
    pub(super) fn new(only: Vec<String>, key: IdentityKey, lifetime: Duration) -> Self {
        let root = Arc::new(Bucket::root_of_all());
        Self { only, key, known: RwLock::default(), root, lifetime }
    }

    /// The root's pseudo bucket.
    pub(super) fn root(&self) -> Arc<Bucket> {
        Arc::clone(&self.root)
    }

    /// All buckets, by name; whether the set is another than at the last call.
    pub(super) async fn list(&self, store: &dyn ObjectStore) -> FsResult<(Vec<Arc<Bucket>>, bool)> {
        let fresh = self.known.read().checked.is_some_and(|checked| checked.elapsed() < self.lifetime);
        let changed = if fresh { false } else { self.refresh(store).await? };
        let mut buckets: Vec<_> = self.known.read().by_fsid.values().cloned().collect();
        buckets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((buckets, changed))
    }

    async fn refresh(&self, store: &dyn ObjectStore) -> FsResult<bool> {
        let mut found = Vec::new();
        if self.only.is_empty() {
            let listed = store.list_buckets().await.map_err(FsError::from)?;
            found.extend(listed.into_iter().map(|bucket| (bucket.name, bucket.created)));
        } else {
            for name in &self.only {
                match store.head_bucket(name).await {
                    Ok(()) => found.push((name.clone(), Timestamp::default())),
                    Err(StoreError::NoSuchBucket | StoreError::NotFound) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(self.adopt(found))
    }

    /// Takes the buckets over; those known already keep their identity and locks.
    fn adopt(&self, found: Vec<(String, Timestamp)>) -> bool {
        let mut known = self.known.write();
        let before = known.by_fsid.len();
        let mut new = HashMap::with_capacity(found.len());
        for (name, created) in found {
            let fsid = self.key.fsid(&name);
            let bucket = known.by_fsid.remove(&fsid);
            new.insert(fsid, bucket.unwrap_or_else(|| Arc::new(Bucket::new(&name, created, &self.key))));
        }
        let changed = !known.by_fsid.is_empty() || before != new.len();
        known.by_fsid = new;
        known.checked = Some(Instant::now());
        changed
    }

    /// The bucket of a name: `NotFound`.
    pub(super) async fn by_name(&self, store: &dyn ObjectStore, name: &str) -> FsResult<Arc<Bucket>> {
        self.by_fsid(store, self.key.fsid(name)).await.map_err(|error| match error {
            FsError::Stale => FsError::NotFound,
            other => other,
        })
    }

    /// The bucket of a handle: `Stale`.
    pub(super) async fn by_fsid(&self, store: &dyn ObjectStore, fsid: u64) -> FsResult<Arc<Bucket>> {
        if let Some(bucket) = self.known(fsid) {
            return Ok(bucket);
        }
        let (_, _) = self.list(store).await?;
        self.known(fsid).ok_or(FsError::Stale)
    }

    fn known(&self, fsid: u64) -> Option<Arc<Bucket>> {
        self.known.read().by_fsid.get(&fsid).cloned()
    }

    /// Makes the next look ask the store.
    pub(super) fn forget(&self) {
        self.known.write().checked = None;
    }
}
