//! New files, directories and links: journaled and shown at once, in the bucket soon after.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::filesystem::{
    Caller, CreateHow, Created, DirChange, FsError, FsResult, LINK_BYTES_MAX, NodeKind, SetAttributes,
};
use super::identity::Place;
use super::inode::{Inode, InodeState};
use super::names;
use super::object_fs::ObjectFs;
use super::posix::Posix;
use super::records::drop_delete;
use super::slots::{Desired, Remote, SlotKey};
use crate::data::Content;
use crate::store::StoreError;
use crate::timestamp::Timestamp;

/// The bit of a mode that makes a directory give its group to what is made in it.
const SET_GID: u32 = 0o2000;

/// What a new node is to be.
struct New<'a> {
    kind: NodeKind,
    name: &'a str,
    posix: Posix,
}

impl ObjectFs {
    /// OPEN with create: a regular file.
    pub(super) async fn create_file(
        &self,
        dir: &Arc<Inode>,
        name: &str,
        how: CreateHow,
        set: &SetAttributes,
        caller: &Caller,
    ) -> FsResult<Created> {
        let _here = dir.bucket.moving.read().await;
        let _names = dir.names.lock().await;
        if let Some(existing) = self.existing(dir, name).await? {
            return self.created_before(dir, &existing, how).await;
        }
        let mut posix = new_in(dir, NodeKind::File, set, caller);
        if let CreateHow::Exclusive(verifier) = how {
            posix.verifier = Some(verifier);
        }
        let content = Content::empty();
        if let Some(size) = set.size.filter(|size| *size > 0) {
            content.truncate(&self.data, size).await?;
        }
        self.make(dir, New { kind: NodeKind::File, name, posix }, content).await
    }

    async fn existing(&self, dir: &Arc<Inode>, name: &str) -> FsResult<Option<Arc<Inode>>> {
        match self.find(dir, name).await {
            Ok(inode) => Ok(Some(inode)),
            Err(FsError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn created_before(&self, dir: &Inode, existing: &Arc<Inode>, how: CreateHow) -> FsResult<Created> {
        let verifier = existing.state().posix.verifier;
        match how {
            CreateHow::Unchecked => {}
            CreateHow::Exclusive(asked) if verifier == Some(asked) => {}
            CreateHow::Guarded | CreateHow::Exclusive(_) => return Err(FsError::Exists),
        }
        let change = dir.state().change;
        let node = self.located(existing).await?;
        Ok(Created { node, new: false, change: DirChange { before: change, after: change } })
    }

    /// CREATE of a directory; in the root, of a bucket.
    pub(super) async fn create_directory(
        &self,
        dir: &Arc<Inode>,
        name: &str,
        set: &SetAttributes,
        caller: &Caller,
    ) -> FsResult<Created> {
        if dir.is_root() {
            return self.create_bucket(dir, name).await;
        }
        let _here = dir.bucket.moving.read().await;
        let _names = dir.names.lock().await;
        if self.existing(dir, name).await?.is_some() {
            return Err(FsError::Exists);
        }
        let posix = new_in(dir, NodeKind::Directory, set, caller);
        self.make(dir, New { kind: NodeKind::Directory, name, posix }, Content::empty()).await
    }

    async fn create_bucket(&self, root: &Arc<Inode>, name: &str) -> FsResult<Created> {
        names::check(name)?;
        if !self.config.allow_bucket_create {
            return Err(FsError::NotPermitted);
        }
        let _names = root.names.lock().await;
        match self.store.create_bucket(name).await {
            Ok(()) => {}
            Err(StoreError::Refused(_)) => return Err(FsError::Invalid),
            Err(error) => return Err(error.into()),
        }
        self.buckets.forget();
        let bucket = self.buckets.by_name(&*self.store, name).await?;
        let change = root.entry_changed(Timestamp::now());
        Ok(Created { node: self.locate(&self.bucket_root(&bucket)), new: true, change })
    }

    /// CREATE of a symbolic link.
    pub(super) async fn create_symlink(
        &self,
        dir: &Arc<Inode>,
        name: &str,
        target: &str,
        set: &SetAttributes,
        caller: &Caller,
    ) -> FsResult<Created> {
        if target.is_empty() {
            return Err(FsError::Invalid);
        }
        if target.len() > LINK_BYTES_MAX {
            return Err(FsError::NameTooLong);
        }
        let _here = dir.bucket.moving.read().await;
        let _names = dir.names.lock().await;
        if self.existing(dir, name).await?.is_some() {
            return Err(FsError::Exists);
        }
        let posix = new_in(dir, NodeKind::Symlink, set, caller);
        let content = Content::empty();
        content.write(&self.data, 0, Bytes::copy_from_slice(target.as_bytes())).await?;
        self.make(dir, New { kind: NodeKind::Symlink, name, posix }, content).await
    }

    /// Makes a node where nothing is; the directory's names are locked.
    async fn make(&self, dir: &Arc<Inode>, new: New<'_>, content: Content) -> FsResult<Created> {
        if dir.is_root() {
            return Err(FsError::NotPermitted);
        }
        let directory = new.kind == NodeKind::Directory;
        let component = names::of_new(new.name)?;
        let prefix = self.prefix(dir)?;
        let key = if directory { names::join_dir(&prefix, &component)? } else { names::join(&prefix, &component)? };
        let key = SlotKey { fsid: dir.key.fsid, key };
        let mut place = Place::new(dir.key.fileid, new.name, &component, directory);
        let id = self.identity.of_place(dir.key.fsid, &mut place)?;
        self.inodes.remove(id);
        let mut state = InodeState::new(place, new.posix, self.fresh_change(), content);
        state.attributes_generation = 1;
        state.queued = true;
        let inode = self.inodes.insert(Inode::new(id, new.kind, Arc::clone(&dir.bucket), state));
        let remote = self.work.lock().slots.get(&key).map_or(Remote::Absent, |slot| slot.remote_for(id));
        let mut changes = vec![drop_delete(&key)];
        changes.extend(self.place_to_write(&inode)?);
        self.journal(&inode, remote.clone(), changes).await?;
        inode.state().place_written = true;
        let wait = if new.kind == NodeKind::File { self.config.dirty_age_max } else { self.config.linger };
        self.work.lock().slots.set(key.clone(), remote, Desired::Node(Arc::clone(&inode)), Instant::now() + wait);
        self.touch(&key);
        self.wake.notify_one();
        let change = dir.entry_changed(Timestamp::now());
        Ok(Created { node: self.locate(&inode), new: true, change })
    }
}

/// Attributes of a new node. A set-gid directory gives its group to what is made in it, and the bit to directories.
fn new_in(dir: &Inode, kind: NodeKind, set: &SetAttributes, caller: &Caller) -> Posix {
    let (dir_mode, dir_gid) = {
        let state = dir.state();
        (state.posix.mode, state.posix.gid)
    };
    let inherits = dir_mode & SET_GID != 0;
    let gid = if inherits { dir_gid } else { caller.gid };
    let mut posix = Posix::new(kind, set, caller.uid, gid, Timestamp::now());
    if inherits && kind == NodeKind::Directory {
        posix.mode |= SET_GID;
    }
    posix
}
