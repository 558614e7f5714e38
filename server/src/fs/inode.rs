//! Nodes in memory: what the gateway knows of a file, link or directory now, and the table of them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::bucket::Bucket;
use super::filesystem::{Attributes, DirChange, NodeKey, NodeKind};
use super::identity::{Origin, Place};
use super::posix::Posix;
use crate::data::Content;
use crate::store::{ETag, ObjectHead, ObjectMeta};
use crate::timestamp::Timestamp;

/// Nodes kept in memory, at some 2 KiB each; beyond it the longest unused go, save those that are open or on their way
/// to the bucket.
pub(super) const INODES_MAX: usize = 20_000;
/// Tries to find a node that may go, before the table grows.
const EVICTION_TRIES: usize = 16;
/// Bytes a directory seems to take.
const DIRECTORY_BYTES: u64 = 4096;
/// The unit in which space is taken.
const BLOCK_BYTES: u64 = 512;

/// A version of an object as it was last seen in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// Its tag.
    pub etag: ETag,
    /// When the store wrote it.
    pub modified: Timestamp,
}

/// A file, link or directory.
#[derive(Debug)]
pub(super) struct Inode {
    /// What identifies it.
    pub key: NodeKey,
    /// What it is.
    pub kind: NodeKind,
    /// Where it lies.
    pub bucket: Arc<Bucket>,
    /// Held while names in this directory change, one after the other.
    pub names: tokio::sync::Mutex<()>,
    /// Held while its rows are written, so that they reach the journal in order.
    pub journal_order: tokio::sync::Mutex<()>,
    /// Held for reading while a client changes bytes or attributes, for writing while other bytes take their place.
    pub bytes: tokio::sync::RwLock<()>,
    /// Held while its object is written: one upload at a time.
    pub uploading: tokio::sync::Mutex<()>,
    /// Held while this directory's whole listing is read over.
    pub reading_over: tokio::sync::Mutex<()>,
    state: Mutex<InodeState>,
}

/// What may change about a node.
#[derive(Debug)]
pub(super) struct InodeState {
    /// The directory it is in; 0 for a bucket's root.
    pub parent: u64,
    /// Its name there, as clients see it.
    pub name: String,
    /// The component of its key.
    pub component: String,
    /// The place its handle names, if it was moved since.
    pub origin: Option<Origin>,
    /// Whether its name is gone.
    pub removed: bool,
    /// Mode, owner, times.
    pub posix: Posix,
    /// Last change of anything.
    pub ctime: Timestamp,
    /// The change attribute.
    pub change: u64,
    /// Headers of the object, others' metadata among them.
    pub meta: ObjectMeta,
    /// The version in the bucket that it was last equal to; `None` for what was never there, and for directories
    /// without a marker.
    pub version: Option<Version>,
    /// When it was last compared with the bucket.
    pub checked: Option<Instant>,
    /// Moves when attributes change that the object has to carry.
    pub attributes_generation: u64,
    /// The last such change that the bucket has.
    pub attributes_stored: u64,
    /// How often it is open.
    pub opens: u32,
    /// Whether a slot stands for it: the bucket has yet to follow.
    pub queued: bool,
    /// Whether a row in the local state stands for it.
    pub journaled: bool,
    /// The bytes of a file or link.
    pub content: Arc<Content>,
    /// Of directories: what the last full listing showed; none since the gateway itself changed a name.
    pub listing: Option<ListingSeen>,
    /// Whether its place is written in the local state, so that handles below it can be resolved.
    pub place_written: bool,
}

/// What the last full listing of a directory showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListingSeen {
    /// Combines the hashes of all names.
    pub digest: u64,
    /// Pages it took.
    pub pages: u32,
    /// When.
    pub at: Instant,
}

impl Inode {
    /// A node at its place, with state from elsewhere.
    pub(super) fn new(key: NodeKey, kind: NodeKind, bucket: Arc<Bucket>, state: InodeState) -> Self {
        Self {
            key,
            kind,
            bucket,
            names: tokio::sync::Mutex::new(()),
            journal_order: tokio::sync::Mutex::new(()),
            bytes: tokio::sync::RwLock::new(()),
            uploading: tokio::sync::Mutex::new(()),
            reading_over: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
        }
    }

    /// Its state, for a moment; never across an await.
    pub(super) fn state(&self) -> MutexGuard<'_, InodeState> {
        self.state.lock()
    }

    /// Its bytes.
    pub(super) fn content(&self) -> Arc<Content> {
        Arc::clone(&self.state().content)
    }

    /// Whether it is a bucket's root directory, or the root of all.
    pub(super) fn is_bucket_root(&self) -> bool {
        self.key == self.bucket.root
    }

    /// Whether it is the root of all.
    pub(super) fn is_root(&self) -> bool {
        self.bucket.is_root()
    }

    /// Its attributes.
    pub(super) fn attributes(&self) -> Attributes {
        let state = self.state();
        let size = if self.kind == NodeKind::Directory { DIRECTORY_BYTES } else { state.content.size() };
        Attributes {
            key: self.key,
            kind: self.kind,
            size,
            space_used: size.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES),
            change: state.change,
            mode: state.posix.mode,
            nlink: match self.kind {
                NodeKind::Directory => 2,
                _ => u32::from(!state.removed),
            },
            uid: state.posix.uid,
            gid: state.posix.gid,
            atime: state.posix.atime,
            mtime: state.posix.mtime,
            ctime: state.ctime,
            mounted_on_fileid: if self.is_bucket_root() { self.bucket.mounted_on } else { self.key.fileid },
        }
    }

    /// Notes that an entry of this directory changed.
    pub(super) fn entry_changed(&self, now: Timestamp) -> DirChange {
        let mut state = self.state();
        let before = state.change;
        state.touch(now);
        state.posix.mtime = now;
        state.listing = None;
        DirChange { before, after: state.change }
    }

    /// Whether its name is gone and nobody has it open: handles are stale.
    pub(super) fn is_gone(&self) -> bool {
        let state = self.state();
        state.removed && state.opens == 0
    }

    fn is_busy(&self) -> bool {
        let state = self.state();
        state.opens > 0 || state.journaled || state.queued
    }
}

impl InodeState {
    /// What a fresh node at a place has, before anything is known of an object.
    pub(super) fn new(place: Place, posix: Posix, change: u64, content: Content) -> Self {
        Self {
            parent: place.parent,
            name: place.name,
            component: place.component,
            origin: place.origin,
            removed: false,
            ctime: posix.mtime,
            posix,
            change,
            meta: ObjectMeta::default(),
            version: None,
            checked: None,
            attributes_generation: 0,
            attributes_stored: 0,
            opens: 0,
            queued: false,
            journaled: false,
            content: Arc::new(content),
            listing: None,
            place_written: false,
        }
    }

    /// Moves the change attribute and the time of the last change.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.change = self.change.wrapping_add(1);
        self.ctime = now;
    }

    /// Where it is.
    pub(super) fn place(&self, kind: NodeKind) -> Place {
        let place = Place::new(self.parent, &self.name, &self.component, kind == NodeKind::Directory);
        Place { origin: self.origin.clone(), ..place }
    }

    /// Puts it elsewhere.
    pub(super) fn set_place(&mut self, place: Place) {
        self.parent = place.parent;
        self.name = place.name;
        self.component = place.component;
        self.origin = place.origin;
    }

    /// Whether the bucket lacks some of its attributes.
    pub(super) fn is_attributes_dirty(&self) -> bool {
        self.attributes_generation != self.attributes_stored
    }

    /// Whether the bucket lacks something of a file or link: bytes or attributes.
    pub(super) fn is_dirty(&self) -> bool {
        self.content.is_dirty() || self.is_attributes_dirty()
    }
}

/// The change attribute of an object nothing else is known of: grows with the time it was written, and differs where
/// size or tag do.
pub(super) fn change_of(head: &ObjectHead) -> u64 {
    let tag =
        head.info.etag.as_str().bytes().fold(head.info.size, |hash, byte| {
            hash.rotate_left(5).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(byte)
        });
    (head.info.last_modified.as_millis().cast_unsigned() << 20) | (tag & 0xF_FFFF)
}

/// The nodes in memory.
pub(super) struct InodeTable {
    nodes: Mutex<LruCache<NodeKey, Arc<Inode>>>,
    limit: usize,
}

impl InodeTable {
    /// A table of at most `limit` nodes, where not more than that are busy.
    pub(super) fn new(limit: usize) -> Self {
        Self { nodes: Mutex::new(LruCache::unbounded()), limit: NonZeroUsize::new(limit).map_or(1, NonZeroUsize::get) }
    }

    /// The node, if it is in memory.
    pub(super) fn get(&self, key: NodeKey) -> Option<Arc<Inode>> {
        self.nodes.lock().get(&key).cloned()
    }

    /// Puts a node in, or gives the one that is there already.
    pub(super) fn insert(&self, inode: Inode) -> Arc<Inode> {
        let mut nodes = self.nodes.lock();
        if let Some(there) = nodes.get(&inode.key) {
            return Arc::clone(there);
        }
        let inode = Arc::new(inode);
        nodes.put(inode.key, Arc::clone(&inode));
        for _ in 0..EVICTION_TRIES {
            if nodes.len() <= self.limit {
                break;
            }
            match nodes.pop_lru() {
                Some((key, old)) if Arc::strong_count(&old) > 1 || old.is_busy() => {
                    nodes.put(key, old);
                }
                _ => {}
            }
        }
        inode
    }

    /// Forgets a node.
    pub(super) fn remove(&self, key: NodeKey) {
        self.nodes.lock().pop(&key);
    }

    /// Every node in memory.
    pub(super) fn all(&self) -> Vec<Arc<Inode>> {
        self.nodes.lock().iter().map(|(_, inode)| Arc::clone(inode)).collect()
    }
}
