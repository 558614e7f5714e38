//! Removal: the name is gone at once, the object soon after, the bytes of an open file at its last close.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::filesystem::{DirChange, DirWant, FsError, FsResult, NodeKind};
use super::inode::Inode;
use super::names;
use super::object_fs::{ObjectFs, Work};
use super::records::{DeleteRecord, drop_delete, drop_node, put_delete};
use super::slots::{Desired, Remote, SlotKey};
use crate::data::ContentRecord;
use crate::local::Change;
use crate::timestamp::Timestamp;

impl ObjectFs {
    /// REMOVE of a file, a link, an empty directory or, in the root, an empty bucket.
    pub(super) async fn remove_entry(&self, dir: &Arc<Inode>, name: &str) -> FsResult<DirChange> {
        names::check(name)?;
        if dir.is_root() {
            return self.remove_bucket(dir, name).await;
        }
        if self.find(dir, name).await?.kind == NodeKind::Directory {
            return self.remove_directory(dir, name).await;
        }
        let _here = dir.bucket.moving.read().await;
        let _names = dir.names.lock().await;
        let inode = self.find(dir, name).await?;
        if inode.kind == NodeKind::Directory {
            return Err(FsError::IsDirectory);
        }
        // Nobody writes the file's row again between its deletion and the end of its name.
        let _order = inode.journal_order.lock().await;
        let key = self.key_of(&inode)?;
        let mut changes = self.leave(&inode, &key)?;
        changes.extend(self.keep_directory(dir)?);
        self.local.commit(changes).await?;
        self.gone(&inode, key);
        Ok(dir.entry_changed(Timestamp::now()))
    }

    async fn remove_bucket(&self, root: &Arc<Inode>, name: &str) -> FsResult<DirChange> {
        let bucket = self.buckets.by_name(&*self.store, name).await?;
        if !self.config.allow_bucket_create {
            return Err(FsError::NotPermitted);
        }
        let _alone = bucket.moving.write().await;
        self.drain(bucket.root.fsid, "").await;
        self.store.delete_bucket(name).await?;
        self.buckets.forget();
        self.inodes.remove(bucket.root);
        Ok(root.entry_changed(Timestamp::now()))
    }

    /// Nothing in the bucket changes while the directory is found empty and taken away.
    async fn remove_directory(&self, dir: &Arc<Inode>, name: &str) -> FsResult<DirChange> {
        let _alone = dir.bucket.moving.write().await;
        let inode = self.find(dir, name).await?;
        if inode.kind != NodeKind::Directory {
            return Err(FsError::NotDirectory);
        }
        let page = self.list_entries(&inode, 0, 1, DirWant::default()).await?;
        if !page.entries.is_empty() {
            return Err(FsError::NotEmpty);
        }
        let _order = inode.journal_order.lock().await;
        let key = self.key_of(&inode)?;
        let mut changes = self.leave(&inode, &key)?;
        changes.extend(self.keep_directory(dir)?);
        self.local.commit(changes).await?;
        self.gone(&inode, key);
        Ok(dir.entry_changed(Timestamp::now()))
    }

    /// What the journal has to know of a node that leaves its key: the object has to go, the rows of the node too.
    pub(super) fn leave(&self, inode: &Inode, key: &SlotKey) -> FsResult<Vec<Change>> {
        let place = inode.state().place(inode.kind);
        let mut changes = self.identity.removed(inode.key, &place);
        changes.push(drop_node(inode.key));
        changes.extend(self.note_delete(inode, key)?);
        Ok(changes)
    }

    /// The row that notes that the object under a key has to go, unless there is none. A slot may be worked on before
    /// the row is written, and then nobody knows which version a crash would leave.
    pub(super) fn note_delete(&self, inode: &Inode, key: &SlotKey) -> FsResult<Option<Change>> {
        let on_its_way = self.work.lock().slots.get(key).is_some();
        let remote = if on_its_way { Remote::Unknown } else { remote_of(inode) };
        if remote == Remote::Absent {
            return Ok(None);
        }
        put_delete(key, &DeleteRecord { bucket: inode.bucket.name.clone(), remote }).map(Some)
    }

    /// Takes the name away, and the bytes unless the file is open.
    pub(super) fn gone(&self, inode: &Arc<Inode>, key: SlotKey) {
        self.unlink(inode, key.clone());
        let nothing_there = self.vacate_slot(&mut self.work.lock(), inode, &key);
        self.vacated(inode, &key, nothing_there);
    }

    /// From now on nothing should be under the key; whether the bucket never had it, so that it needs no work.
    pub(super) fn vacate_slot(&self, work: &mut Work, inode: &Inode, key: &SlotKey) -> bool {
        let nothing_there = match work.slots.get(key) {
            Some(slot) => slot.remote == Remote::Absent && !slot.running,
            None => false,
        };
        if nothing_there && inode.kind != NodeKind::Directory {
            work.slots.remove(key);
        } else {
            work.slots.set(key.clone(), remote_of(inode), Desired::Nothing, Instant::now());
        }
        nothing_there
    }

    /// Voids what was seen of a key that is vacant now.
    pub(super) fn vacated(&self, inode: &Inode, key: &SlotKey, nothing_there: bool) {
        self.touch(key);
        if inode.kind != NodeKind::Directory && nothing_there {
            self.note_absent(key.clone());
            if let Err(error) = self.local.commit_later(vec![drop_delete(key)]) {
                tracing::warn!(%error, "the row of a deletion that needs no work stays behind");
            }
        }
        self.wake.notify_one();
    }

    /// The node has no name any more: it lives on while it is open.
    pub(super) fn unlink(&self, inode: &Arc<Inode>, key: SlotKey) {
        let now = Timestamp::now();
        let open = {
            let mut state = inode.state();
            state.removed = true;
            state.queued = false;
            state.journaled = false;
            state.touch(now);
            state.opens > 0
        };
        if !open {
            self.discard(inode);
        } else if inode.content().base().is_some_and(|base| base.key == key.key) {
            self.work.lock().pins.pin(key, inode);
        }
    }

    /// Gives up the bytes of a node without name that nobody has open. Where no task can do it any more, the next start
    /// sweeps the staging file away.
    pub(super) fn discard(&self, inode: &Arc<Inode>) {
        self.inodes.remove(inode.key);
        self.work.lock().pins.unpin(inode.key);
        self.wake.notify_one();
        let (Some(fs), Ok(runtime)) = (self.me.upgrade(), Handle::try_current()) else { return };
        let inode = Arc::clone(inode);
        let discarding = async move {
            let _order = inode.journal_order.lock().await;
            let settled = inode.content().discard().await;
            let mut changes = settled.changes;
            changes.push(drop_node(inode.key));
            if let Err(error) = fs.local.commit(changes).await {
                tracing::warn!(%error, "rows of a removed file stay behind");
            } else if let Some(released) = settled.released {
                released.remove();
            }
        };
        self.tasks.spawn_on(discarding, &runtime);
    }

    /// A directory stays though its last entry goes: one that has no marker in the bucket gets one. Empty where it
    /// needs none.
    pub(super) fn keep_directory(&self, dir: &Arc<Inode>) -> FsResult<Vec<Change>> {
        if dir.is_bucket_root() || dir.state().version.is_some() {
            return Ok(Vec::new());
        }
        let remote = self.queue(dir)?;
        if dir.state().journaled {
            return Ok(Vec::new());
        }
        dir.state().journaled = true;
        Ok(vec![self.put_node(dir, remote, ContentRecord { base: None, base_len: 0, staging: None, size: 0 })?])
    }
}

/// What a clean node says of its key.
pub(super) fn remote_of(inode: &Inode) -> Remote {
    match &inode.state().version {
        Some(version) => Remote::Version(version.etag.clone()),
        None if inode.kind == NodeKind::Directory => Remote::Unknown,
        None => Remote::Absent,
    }
}
