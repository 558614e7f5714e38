//! The file system's own state, and the trait that the COMPOUND room calls.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::bucket::{Bucket, Buckets, ROOT};
use super::filesystem::{
    Attributes, Caller, CreateHow, Created, DirChange, DirPage, DirWant, Filesystem, FsError, FsResult, Handle,
    Located, NodeKey, NodeKind, OpenGuard, ReadOutcome, SetAttributes, Space, Stability, WriteOutcome,
};
use super::identity::{Identity, IdentityKey, Place};
use super::inode::{INODES_MAX, Inode, InodeState, InodeTable};
use super::listing::Listings;
use super::posix::{Defaults, Posix};
use super::slots::{Pins, SlotKey, Slots};
use crate::data::{Content, Data};
use crate::local::Local;
use crate::store::ObjectStore;
use crate::store::dialect::Capabilities;
use crate::timestamp::Timestamp;

/// Counters of changed keys; keys share them by hash, which costs at most a second look.
const TOUCHED: usize = 1024;
/// Names remembered as absent.
const ABSENT_MAX: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// READDIR cookies remembered with their keys; others are found in the listing.
const COOKIES_MAX: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// How the file system behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsConfig {
    /// How long what the bucket said is believed before it is asked again.
    pub freshness: Duration,
    /// The buckets to show; empty: all that the credentials can see.
    pub buckets: Vec<String>,
    /// Whether mkdir and rmdir in the root make and remove buckets.
    pub allow_bucket_create: bool,
    /// Owner and mode of what others put into the bucket.
    pub defaults: Defaults,
    /// How long after the last close an upload waits, so that attributes set right after go along.
    pub linger: Duration,
    /// How long a file that stays open may be dirty before it is uploaded all the same.
    pub dirty_age_max: Duration,
    /// Keys worked on at the same time.
    pub uploads_max: usize,
}

impl Default for FsConfig {
    fn default() -> Self {
        Self {
            freshness: Duration::from_secs(1),
            buckets: Vec::new(),
            allow_bucket_create: false,
            defaults: Defaults::default(),
            linger: Duration::from_millis(100),
            dirty_age_max: Duration::from_secs(30),
            uploads_max: 16,
        }
    }
}

/// What is on its way to the buckets.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) slots: Slots,
    pub(super) pins: Pins,
}

/// The file system over the buckets of one store.
pub struct ObjectFs {
    pub(super) me: Weak<ObjectFs>,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) capabilities: Capabilities,
    pub(super) data: Data,
    pub(super) local: Local,
    pub(super) config: FsConfig,
    pub(super) buckets: Buckets,
    pub(super) identity: Identity,
    pub(super) inodes: InodeTable,
    pub(super) listings: Listings,
    pub(super) root: Arc<Inode>,
    pub(super) work: Mutex<Work>,
    /// Woken when slots appear, hasten or end.
    pub(super) wake: Notify,
    /// Woken when a slot is gone.
    pub(super) settled: Notify,
    /// Work that outlives the call that began it.
    pub(super) tasks: TaskTracker,
    /// Changes when uncommitted data may have been lost: at every start.
    pub(super) verifier: [u8; 8],
    pub(super) cookies: Mutex<LruCache<(NodeKey, u64), String>>,
    absent: Mutex<LruCache<SlotKey, Instant>>,
    touched: Vec<AtomicU64>,
    hasher: RandomState,
}

impl ObjectFs {
    /// A file system over a store. What the last run left undone is found and shown from now on ([`recovery`]);
    /// [`ObjectFs::run`] carries it out.
    ///
    /// [`recovery`]: super::recovery
    pub async fn open(
        store: Arc<dyn ObjectStore>,
        capabilities: Capabilities,
        data: Data,
        local: Local,
        key: IdentityKey,
        config: FsConfig,
    ) -> FsResult<Arc<Self>> {
        let started = Timestamp::now();
        let start = started.seconds.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(u64::from(started.nanos));
        let buckets = Buckets::new(config.buckets.clone(), key, config.freshness);
        let root = Arc::new(root_inode(&buckets.root(), &config.defaults, started, start));
        let fs = Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            store,
            capabilities,
            data,
            identity: Identity::new(key, local.clone(), start),
            local,
            config,
            buckets,
            inodes: InodeTable::new(INODES_MAX),
            listings: Listings::default(),
            root,
            work: Mutex::default(),
            wake: Notify::new(),
            settled: Notify::new(),
            tasks: TaskTracker::new(),
            verifier: start.to_be_bytes(),
            cookies: Mutex::new(LruCache::new(COOKIES_MAX)),
            absent: Mutex::new(LruCache::new(ABSENT_MAX)),
            touched: (0..TOUCHED).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        });
        fs.recover().await?;
        Ok(fs)
    }

    fn counter(&self, key: &SlotKey) -> Option<&AtomicU64> {
        let hash = self.hasher.hash_one(key);
        self.touched.get(usize::try_from(hash).unwrap_or_default() % TOUCHED)
    }

    /// Moves whenever the gateway changed the key.
    pub(super) fn touched(&self, key: &SlotKey) -> u64 {
        self.counter(key).map_or(0, |counter| counter.load(Ordering::SeqCst))
    }

    /// Notes that the gateway changed the key: looks under way are void, and what was remembered of its absence.
    pub(super) fn touch(&self, key: &SlotKey) {
        if let Some(counter) = self.counter(key) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        let file = SlotKey { fsid: key.fsid, key: key.key.trim_end_matches('/').to_owned() };
        self.absent.lock().pop(&file);
    }

    /// Remembers that nothing stands under a key, neither object nor directory.
    pub(super) fn note_absent(&self, key: SlotKey) {
        self.absent.lock().put(key, Instant::now());
    }

    /// Whether nothing stood under a key a moment ago.
    pub(super) fn is_absent(&self, key: &SlotKey) -> bool {
        self.absent.lock().get(key).is_some_and(|seen| seen.elapsed() < self.config.freshness)
    }

    /// Refuses what would change the store when its keys may only read: `ReadOnly`.
    fn writable(&self) -> FsResult<()> {
        if self.capabilities.writable { Ok(()) } else { Err(FsError::ReadOnly) }
    }

    /// The directory behind a handle: `NotDirectory`.
    pub(super) async fn directory_node(&self, handle: &Handle) -> FsResult<Arc<Inode>> {
        let inode = self.node(handle).await?;
        if inode.kind == NodeKind::Directory { Ok(inode) } else { Err(FsError::NotDirectory) }
    }

    /// The regular file behind a handle: `IsDirectory`, `IsSymlink`.
    pub(super) async fn file_node(&self, handle: &Handle) -> FsResult<Arc<Inode>> {
        let inode = self.node(handle).await?;
        match inode.kind {
            NodeKind::File => Ok(inode),
            NodeKind::Directory => Err(FsError::IsDirectory),
            NodeKind::Symlink => Err(FsError::IsSymlink),
        }
    }
}

fn root_inode(bucket: &Arc<Bucket>, defaults: &Defaults, started: Timestamp, change: u64) -> Inode {
    let (posix, _) = Posix::read(&Default::default(), true, started, defaults);
    let state = InodeState::new(Place::new(0, "", "", true), posix, change, Content::empty());
    Inode::new(ROOT, NodeKind::Directory, Arc::clone(bucket), state)
}

#[async_trait]
impl Filesystem for ObjectFs {
    async fn root(&self) -> FsResult<Located> {
        Ok(self.locate(&self.root))
    }

    async fn resolve(&self, handle: &Handle) -> FsResult<Located> {
        Ok(self.locate(&*self.node(handle).await?))
    }

    async fn lookup(&self, dir: &Handle, name: &str) -> FsResult<Located> {
        let dir = self.node(dir).await?;
        let inode = self.find(&dir, name).await?;
        self.located(&inode).await
    }

    async fn parent(&self, dir: &Handle) -> FsResult<Located> {
        let dir = self.directory_node(dir).await?;
        if dir.is_root() {
            return Err(FsError::NotFound);
        }
        if dir.is_bucket_root() {
            return Ok(self.locate(&self.root));
        }
        let parent = dir.state().parent;
        self.located(&self.directory(&dir.bucket, parent)?).await
    }

    async fn getattr(&self, node: &Handle) -> FsResult<Attributes> {
        let inode = self.node(node).await?;
        self.revalidate(&inode).await?;
        Ok(inode.attributes())
    }

    async fn setattr(&self, node: &Handle, set: &SetAttributes) -> FsResult<()> {
        self.writable()?;
        let inode = self.node(node).await?;
        self.set_attributes(&inode, set).await
    }

    async fn readdir(&self, dir: &Handle, cookie: u64, limit: usize, want: DirWant) -> FsResult<DirPage> {
        let dir = self.directory_node(dir).await?;
        self.list_entries(&dir, cookie, limit, want).await
    }

    async fn create(
        &self,
        dir: &Handle,
        name: &str,
        how: CreateHow,
        set: &SetAttributes,
        caller: &Caller,
    ) -> FsResult<Created> {
        self.writable()?;
        let dir = self.directory_node(dir).await?;
        self.create_file(&dir, name, how, set, caller).await
    }

    async fn mkdir(&self, dir: &Handle, name: &str, set: &SetAttributes, caller: &Caller) -> FsResult<Created> {
        self.writable()?;
        let dir = self.directory_node(dir).await?;
        self.create_directory(&dir, name, set, caller).await
    }

    async fn symlink(
        &self,
        dir: &Handle,
        name: &str,
        target: &str,
        set: &SetAttributes,
        caller: &Caller,
    ) -> FsResult<Created> {
        self.writable()?;
        let dir = self.directory_node(dir).await?;
        self.create_symlink(&dir, name, target, set, caller).await
    }

    async fn readlink(&self, link: &Handle) -> FsResult<Bytes> {
        let inode = self.node(link).await?;
        self.read_link(&inode).await
    }

    async fn remove(&self, dir: &Handle, name: &str) -> FsResult<DirChange> {
        self.writable()?;
        let dir = self.directory_node(dir).await?;
        self.remove_entry(&dir, name).await
    }

    async fn rename(
        &self,
        from_dir: &Handle,
        from: &str,
        to_dir: &Handle,
        to: &str,
    ) -> FsResult<(DirChange, DirChange)> {
        self.writable()?;
        let from_dir = self.directory_node(from_dir).await?;
        let to_dir = self.directory_node(to_dir).await?;
        self.rename_entry(&from_dir, from, &to_dir, to).await
    }

    async fn open(&self, file: &Handle) -> FsResult<OpenGuard> {
        let inode = self.file_node(file).await?;
        self.open_file(&inode).await
    }

    async fn read(&self, file: &Handle, offset: u64, count: u32) -> FsResult<ReadOutcome> {
        let inode = self.file_node(file).await?;
        self.read_file(&inode, offset, count).await
    }

    async fn write(&self, file: &Handle, offset: u64, data: Bytes, stability: Stability) -> FsResult<WriteOutcome> {
        self.writable()?;
        let inode = self.file_node(file).await?;
        self.write_file(&inode, offset, data, stability).await
    }

    async fn commit(&self, file: &Handle) -> FsResult<[u8; 8]> {
        let inode = self.file_node(file).await?;
        self.commit_file(&inode).await
    }

    async fn space(&self, node: &Handle) -> FsResult<Space> {
        self.node(node).await?;
        Ok(self.room())
    }
}
