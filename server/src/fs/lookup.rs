//! From names and handles to nodes: what the slots say, then what memory knows freshly, then the bucket.

use std::sync::Arc;

use tokio::time::Instant;

use super::bucket::{Bucket, ROOT};
use super::filesystem::{FsError, FsResult, Handle, Located, NodeKey, NodeKind};
use super::handle::{HandleParts, NAME_IN_HANDLE_MAX};
use super::identity::Place;
use super::inode::{Inode, InodeState, Version, change_of};
use super::listing;
use super::names::{self, Component};
use super::object_fs::ObjectFs;
use super::posix::Posix;
use super::slots::{Overlay, SlotKey};
use crate::data::{BaseObject, Content};
use crate::store::{ListRequest, ObjectHead, StoreError, StoreResult};
use crate::timestamp::Timestamp;

/// The deepest directory; a chain of places that is longer is damaged.
const DEPTH_MAX: usize = 1024;
/// Looks into the bucket that are thrown away because the gateway changed the key meanwhile, before the client is
/// asked to come again.
const LOOKS_MAX: usize = 8;

/// What the bucket has under a name.
struct InBucket {
    object: Option<ObjectHead>,
    directory: bool,
    marker: Option<ObjectHead>,
}

/// What memory knows of a name.
enum InMemory {
    Node(Arc<Inode>),
    Absent,
    /// The bucket must be asked, but an object, or a directory, is on its way out.
    Unknown {
        object_gone: bool,
        directory_gone: bool,
    },
}

impl ObjectFs {
    /// The node behind a handle: `BadHandle`, `Stale`.
    pub(super) async fn node(&self, handle: &Handle) -> FsResult<Arc<Inode>> {
        let parts = HandleParts::decode(handle)?;
        if let Some(inode) = self.in_memory(parts.key)? {
            return Ok(inode);
        }
        let bucket = self.buckets.by_fsid(&*self.store, parts.key.fsid).await?;
        if parts.key == bucket.root {
            return Ok(self.bucket_root(&bucket));
        }
        let place = self.place_of(&parts)?;
        let directory = self.directory(&bucket, place.parent)?;
        match self.find(&directory, &place.name).await {
            Ok(inode) if inode.key == parts.key => Ok(inode),
            Ok(_) | Err(FsError::NotFound) => Err(FsError::Stale),
            Err(error) => Err(error),
        }
    }

    fn in_memory(&self, key: NodeKey) -> FsResult<Option<Arc<Inode>>> {
        if key == ROOT {
            return Ok(Some(Arc::clone(&self.root)));
        }
        match self.inodes.get(key) {
            Some(inode) if inode.is_gone() => Err(FsError::Stale),
            found => Ok(found),
        }
    }

    /// Where the node of a handle is: its row, else what the handle proves.
    fn place_of(&self, parts: &HandleParts) -> FsResult<Place> {
        if let Some(place) = self.identity.place(parts.key)? {
            return Ok(place);
        }
        let name = parts.name.as_deref().ok_or(FsError::Stale)?;
        let place = Place::new(parts.parent, name, name, parts.kind == NodeKind::Directory);
        if self.identity.is_natural(parts.key, &place) { Ok(place) } else { Err(FsError::Stale) }
    }

    /// A directory by its fileid, without asking the bucket: `Stale` where nobody knows its place.
    pub(super) fn directory(&self, bucket: &Arc<Bucket>, fileid: u64) -> FsResult<Arc<Inode>> {
        let key = NodeKey { fsid: bucket.root.fsid, fileid };
        if key == bucket.root {
            return Ok(self.bucket_root(bucket));
        }
        if let Some(inode) = self.in_memory(key)? {
            return Ok(inode);
        }
        let place = self.identity.place(key)?.filter(|place| place.directory).ok_or(FsError::Stale)?;
        let inode = self.new_directory(bucket, key, place);
        inode.state().place_written = true;
        Ok(self.inodes.insert(inode))
    }

    /// A bucket's root directory.
    pub(super) fn bucket_root(&self, bucket: &Arc<Bucket>) -> Arc<Inode> {
        if bucket.is_root() {
            return Arc::clone(&self.root);
        }
        self.inodes.get(bucket.root).unwrap_or_else(|| {
            let place = Place::new(0, &bucket.name, &bucket.name, true);
            self.inodes.insert(self.new_directory(bucket, bucket.root, place))
        })
    }

    fn new_directory(&self, bucket: &Arc<Bucket>, key: NodeKey, place: Place) -> Inode {
        let (posix, _) = Posix::read(&Default::default(), true, bucket.created, &self.config.defaults);
        let state = InodeState::new(place, posix, self.fresh_change(), Content::empty());
        Inode::new(key, NodeKind::Directory, Arc::clone(bucket), state)
    }

    /// The key prefix of a directory: empty for a bucket's root, else ending with `/`.
    pub(super) fn prefix(&self, directory: &Inode) -> FsResult<String> {
        if directory.is_bucket_root() {
            return Ok(String::new());
        }
        let (parent, component) = {
            let state = directory.state();
            (state.parent, state.component.clone())
        };
        names::join_dir(&self.prefix_of(&directory.bucket, parent)?, &component)
    }

    fn prefix_of(&self, bucket: &Bucket, fileid: u64) -> FsResult<String> {
        let mut components = Vec::new();
        let mut at = NodeKey { fsid: bucket.root.fsid, fileid };
        while at != bucket.root {
            let inode = self.inodes.get(at).map(|inode| inode.state().place(inode.kind));
            let place = match inode {
                Some(place) => place,
                None => self.identity.place(at)?.ok_or(FsError::Stale)?,
            };
            components.push(place.component);
            at.fileid = place.parent;
            if components.len() > DEPTH_MAX {
                return Err(FsError::Io("the local state is damaged: places in a circle".to_owned()));
            }
        }
        components.iter().rev().try_fold(String::new(), |prefix, component| names::join_dir(&prefix, component))
    }

    /// The key under which a node's object belongs: its file, its link, or its directory's marker.
    pub(super) fn key_of(&self, inode: &Inode) -> FsResult<SlotKey> {
        let key = if inode.kind == NodeKind::Directory {
            self.prefix(inode)?
        } else {
            let (parent, component) = {
                let state = inode.state();
                (state.parent, state.component.clone())
            };
            names::join(&self.prefix_of(&inode.bucket, parent)?, &component)?
        };
        Ok(SlotKey { fsid: inode.bucket.root.fsid, key })
    }

    /// The entry `name` of a directory.
    pub(super) async fn find(&self, directory: &Arc<Inode>, name: &str) -> FsResult<Arc<Inode>> {
        names::check(name)?;
        if directory.kind != NodeKind::Directory {
            return Err(FsError::NotDirectory);
        }
        if directory.is_root() {
            let bucket = self.buckets.by_name(&*self.store, name).await?;
            return Ok(self.bucket_root(&bucket));
        }
        let prefix = self.prefix(directory)?;
        let beside = matches!(names::read(name)?, Component::ObjectBesideDirectory(_));
        let component = self.component(directory, &prefix, name).await?;
        for _ in 0..LOOKS_MAX {
            let key = SlotKey { fsid: directory.key.fsid, key: names::join(&prefix, &component)? };
            let (object_gone, directory_gone) = match self.find_in_memory(directory, name, &key, beside)? {
                InMemory::Node(inode) => return Ok(inode),
                InMemory::Absent => return Err(FsError::NotFound),
                InMemory::Unknown { object_gone, directory_gone } => (object_gone, directory_gone),
            };
            let before = self.touched(&key);
            let mut found = self.look(directory, &key.key).await?;
            if self.touched(&key) != before {
                continue;
            }
            found.object = found.object.filter(|_| !object_gone);
            found.directory = found.directory && !directory_gone && !beside;
            let place = |is_directory| Place::new(directory.key.fileid, name, &component, is_directory);
            return match found {
                InBucket { directory: true, marker, .. } => self.adopt_directory(directory, place(true), marker),
                InBucket { object: Some(head), .. } => self.adopt_object(directory, place(false), &head),
                _ => {
                    self.note_absent(key);
                    Err(FsError::NotFound)
                }
            };
        }
        Err(FsError::Delay("the name changes all the time".to_owned()))
    }

    /// The key's component behind a name; for one too long to be a name the listing tells.
    pub(super) async fn component(&self, directory: &Arc<Inode>, prefix: &str, name: &str) -> FsResult<String> {
        let begin = match names::read(name)? {
            Component::Plain(component) | Component::ObjectBesideDirectory(component) => return Ok(component),
            Component::Long { prefix } => prefix,
        };
        let place = listing::Directory { bucket: directory.bucket.name.clone(), prefix: prefix.to_owned() };
        let stem = format!("{prefix}{begin}");
        let mut after = String::new();
        loop {
            let page = self.listings.page(&*self.store, &place, &after, self.config.freshness).await?;
            let component = |key: &str| key.get(prefix.len()..).unwrap_or_default().trim_end_matches('/').to_owned();
            let mut candidates = page.entries.iter().filter(|entry| entry.key.starts_with(&stem));
            if let Some(entry) = candidates.find(|entry| names::show(&component(&entry.key)) == name) {
                return Ok(component(&entry.key));
            }
            match page.entries.last() {
                Some(last) if !page.last => after = last.key.clone(),
                _ => return Err(FsError::NotFound),
            }
        }
    }

    fn find_in_memory(&self, dir: &Inode, name: &str, key: &SlotKey, beside: bool) -> FsResult<InMemory> {
        let marker = SlotKey { fsid: key.fsid, key: format!("{}/", key.key) };
        let (as_object, as_directory) = {
            let work = self.work.lock();
            (work.slots.overlay(key), work.slots.overlay(&marker))
        };
        if let (Some(Overlay::Present(inode)), false) = (&as_directory, beside) {
            return Ok(InMemory::Node(Arc::clone(inode)));
        }
        if let Some(Overlay::Present(inode)) = as_object {
            return Ok(InMemory::Node(inode));
        }
        let (object_gone, directory_gone) = (as_object.is_some(), as_directory.is_some());
        if object_gone && directory_gone || self.is_absent(key) {
            return Ok(InMemory::Absent);
        }
        for (directory, gone) in [(true, directory_gone || beside), (false, object_gone)] {
            let known = self.identity.known(key.fsid, dir.key.fileid, name, directory)?;
            let inode = known.filter(|_| !gone).and_then(|known| self.inodes.get(known));
            if let Some(inode) = inode.filter(|inode| self.is_fresh_at(inode, dir.key.fileid, name)) {
                return Ok(InMemory::Node(inode));
            }
        }
        Ok(InMemory::Unknown { object_gone, directory_gone })
    }

    fn is_fresh_at(&self, inode: &Inode, parent: u64, name: &str) -> bool {
        let state = inode.state();
        !state.removed
            && state.parent == parent
            && state.name == name
            && state.checked.is_some_and(|checked| checked.elapsed() < self.config.freshness)
    }

    /// Asks the bucket for an object and for a directory under a key, at once.
    async fn look(&self, directory: &Inode, key: &str) -> FsResult<InBucket> {
        let bucket = &directory.bucket.name;
        let marker_key = format!("{key}/");
        let below =
            ListRequest { bucket: bucket.clone(), prefix: marker_key.clone(), max_keys: 1, ..ListRequest::default() };
        let object = async {
            // A key that begins with `/` has a directory without a name before it; an object has always one.
            if key.is_empty() { Ok(None) } else { found(self.store.head(bucket, key).await) }
        };
        let (object, below) = tokio::join!(object, self.store.list(&below));
        let object = object?;
        let below = below?;
        let has_marker = below.objects.first().is_some_and(|first| first.key == marker_key);
        let marker = if has_marker { found(self.store.head(bucket, &marker_key).await)? } else { None };
        Ok(InBucket { object, directory: !below.objects.is_empty(), marker })
    }

    /// Takes over what the bucket shows as a directory.
    pub(super) fn adopt_directory(
        &self,
        parent: &Inode,
        mut place: Place,
        marker: Option<ObjectHead>,
    ) -> FsResult<Arc<Inode>> {
        let key = self.identity.of_place(parent.key.fsid, &mut place)?;
        let inode = match self.inodes.get(key) {
            Some(inode) => inode,
            None => self.inodes.insert(self.new_directory(&parent.bucket, key, place)),
        };
        let mut state = inode.state();
        state.checked = Some(Instant::now());
        if let Some(head) = marker {
            self.take_marker(&mut state, head);
        }
        drop(state);
        Ok(inode)
    }

    /// Takes over a directory marker's attributes, unless newer ones are on their way.
    pub(super) fn take_marker(&self, state: &mut InodeState, head: ObjectHead) {
        let version = version_of(&head);
        if state.is_attributes_dirty() || state.version.as_ref() == Some(&version) {
            return;
        }
        let (posix, _) = Posix::read(&head.meta.user, true, version.modified, &self.config.defaults);
        if state.version.is_some() {
            state.change += 1;
        }
        state.posix = posix;
        state.ctime = version.modified;
        state.version = Some(version);
        state.meta = head.meta;
    }

    /// Takes over what the bucket shows as an object.
    pub(super) fn adopt_object(&self, parent: &Inode, mut place: Place, head: &ObjectHead) -> FsResult<Arc<Inode>> {
        let (posix, kind) = Posix::read(&head.meta.user, false, head.info.last_modified, &self.config.defaults);
        let kind = kind.filter(|kind| *kind == NodeKind::Symlink).unwrap_or(NodeKind::File);
        let mut key = self.identity.of_place(parent.key.fsid, &mut place)?;
        if let Some(inode) = self.inodes.get(key) {
            if inode.kind == kind {
                self.refresh(&inode, head);
                return Ok(inode);
            }
            self.forget(&inode);
            key = self.identity.of_place(parent.key.fsid, &mut place)?;
        }
        let mut state = InodeState::new(place, posix, change_of(head), Content::of(base_of(parent, head)));
        state.ctime = state.ctime.max(head.info.last_modified);
        state.meta = head.meta.clone();
        state.version = Some(version_of(head));
        state.checked = Some(Instant::now());
        Ok(self.inodes.insert(Inode::new(key, kind, Arc::clone(&parent.bucket), state)))
    }

    /// Compares a node in memory with what the bucket has now.
    pub(super) fn refresh(&self, inode: &Inode, head: &ObjectHead) {
        let mut state = inode.state();
        let version = version_of(head);
        if state.is_dirty() || state.journaled || state.queued {
            return;
        }
        state.checked = Some(Instant::now());
        if state.version.as_ref().is_some_and(|known| known.etag == version.etag) {
            return;
        }
        if !state.content.rebase(base_of(inode, head)) {
            return;
        }
        let (posix, _) = Posix::read(&head.meta.user, false, version.modified, &self.config.defaults);
        state.change = change_of(head).max(state.change.wrapping_add(1));
        state.posix = posix;
        state.ctime = version.modified;
        state.meta = head.meta.clone();
        state.version = Some(version);
    }

    /// Forgets a node whose object is gone from the bucket, or became another kind: its handles are stale.
    pub(super) fn forget(&self, inode: &Inode) {
        let place = {
            let mut state = inode.state();
            state.removed = true;
            state.place(inode.kind)
        };
        let changes = self.identity.removed(inode.key, &place);
        if let Err(error) = self.local.commit_later(changes) {
            tracing::warn!(%error, "rows of a vanished file stay behind");
        }
        if inode.state().opens == 0 {
            self.inodes.remove(inode.key);
        }
    }

    /// What a client gets for a node, once what its handle needs is written down.
    pub(super) async fn located(&self, inode: &Arc<Inode>) -> FsResult<Located> {
        if let Some(change) = self.place_to_write(inode)? {
            self.local.commit(vec![change]).await?;
            inode.state().place_written = true;
        }
        Ok(self.locate(inode))
    }

    /// The row that a node's handle needs and that is not written yet: that of every directory below a bucket's root,
    /// and of names that do not fit in a handle.
    pub(super) fn place_to_write(&self, inode: &Inode) -> FsResult<Option<crate::local::Change>> {
        let place = {
            let state = inode.state();
            let needed = inode.kind == NodeKind::Directory || state.name.len() > NAME_IN_HANDLE_MAX;
            if !needed || state.place_written || inode.is_bucket_root() {
                return Ok(None);
            }
            state.place(inode.kind)
        };
        self.identity.place_change(inode.key, &place).map(Some)
    }

    /// A node's handle, key and kind.
    pub(super) fn locate(&self, inode: &Inode) -> Located {
        let state = inode.state();
        let kind = if inode.kind == NodeKind::Directory { NodeKind::Directory } else { NodeKind::File };
        let origin = state.origin.as_ref();
        let parent = origin.map_or(state.parent, |origin| origin.parent);
        let name = origin.map_or(&state.name, |origin| &origin.name);
        let name = (!inode.is_bucket_root()).then(|| name.clone());
        let handle = HandleParts { key: inode.key, kind, parent, name }.encode();
        Located { handle, key: inode.key, kind: inode.kind }
    }

    /// A change attribute for a directory that nothing is known of: later than all before.
    pub(super) fn fresh_change(&self) -> u64 {
        let now = Timestamp::now();
        now.seconds.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(u64::from(now.nanos))
    }
}

/// 404 is the only answer that means "not there".
pub(super) fn found(answer: StoreResult<ObjectHead>) -> FsResult<Option<ObjectHead>> {
    match answer {
        Ok(head) => Ok(Some(head)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The version that the bucket has.
pub(super) fn version_of(head: &ObjectHead) -> Version {
    Version { etag: head.info.etag.clone(), modified: head.info.last_modified }
}

/// The object that the bucket of `beside` has, as the one below a file's bytes.
pub(super) fn base_of(beside: &Inode, head: &ObjectHead) -> BaseObject {
    BaseObject {
        bucket: beside.bucket.name.clone(),
        key: head.info.key.clone(),
        etag: head.info.etag.clone(),
        size: head.info.size,
    }
}
