//! Renaming a file or link: a journaled intent makes it atomic and instant in the namespace; the objects follow.

use std::sync::Arc;

use tokio::time::Instant;

use super::filesystem::{DirChange, FsError, FsResult, NodeKey, NodeKind};
use super::identity::Place;
use super::inode::Inode;
use super::names;
use super::object_fs::ObjectFs;
use super::records::{drop_delete, drop_node};
use super::remove::remote_of;
use super::slots::{Desired, Remote, SlotKey};
use crate::timestamp::Timestamp;

/// One name to another, both in the same bucket.
pub(super) struct Names<'a> {
    pub(super) from_dir: &'a Arc<Inode>,
    pub(super) from: &'a str,
    pub(super) to_dir: &'a Arc<Inode>,
    pub(super) to: &'a str,
}

impl ObjectFs {
    /// RENAME: replaces a file by a file, and an empty directory by a directory.
    pub(super) async fn rename_entry(
        &self,
        from_dir: &Arc<Inode>,
        from: &str,
        to_dir: &Arc<Inode>,
        to: &str,
    ) -> FsResult<(DirChange, DirChange)> {
        names::check(from)?;
        names::check(to)?;
        if from_dir.is_root() || to_dir.is_root() {
            let same = from_dir.is_root() && to_dir.is_root();
            return Err(if same { FsError::NotPermitted } else { FsError::CrossDevice });
        }
        if from_dir.key.fsid != to_dir.key.fsid {
            return Err(FsError::CrossDevice);
        }
        let names = Names { from_dir, from, to_dir, to };
        if self.find(from_dir, from).await?.kind == NodeKind::Directory {
            return self.rename_directory(&names).await;
        }
        self.rename_file(&names).await
    }

    async fn rename_file(&self, names: &Names<'_>) -> FsResult<(DirChange, DirChange)> {
        let _here = names.from_dir.bucket.moving.read().await;
        let (first, second) = if names.from_dir.key <= names.to_dir.key {
            (names.from_dir, names.to_dir)
        } else {
            (names.to_dir, names.from_dir)
        };
        let _first = first.names.lock().await;
        let _second = if first.key == second.key { None } else { Some(second.names.lock().await) };
        let inode = self.find(names.from_dir, names.from).await?;
        if inode.kind == NodeKind::Directory {
            return Err(FsError::Delay("the name became a directory".to_owned()));
        }
        let target = match self.find(names.to_dir, names.to).await {
            Ok(target) if target.kind == NodeKind::Directory => return Err(FsError::Exists),
            Ok(target) if target.key == inode.key => return Ok(names.unchanged()),
            Ok(target) => Some(target),
            Err(FsError::NotFound) => None,
            Err(error) => return Err(error),
        };
        self.move_file(names, &inode, target.as_ref()).await?;
        Ok(names.changed())
    }

    /// The names are locked; `target` is what stands in the way.
    async fn move_file(&self, names: &Names<'_>, inode: &Arc<Inode>, target: Option<&Arc<Inode>>) -> FsResult<()> {
        let component = match target {
            Some(target) => target.state().component.clone(),
            None => names::of_new(names.to)?,
        };
        let to_key = names::join(&self.prefix(names.to_dir)?, &component)?;
        let to_key = SlotKey { fsid: inode.key.fsid, key: to_key };
        let from_key = self.key_of(inode)?;
        let from_place = inode.state().place(inode.kind);
        let to_place = from_place.moved_to(names.to_dir.key.fileid, names.to, &component);

        let mut changes = Vec::new();
        if let Some(target) = target {
            changes.extend(self.identity.removed(target.key, &target.state().place(target.kind)));
            changes.push(drop_node(target.key));
        }
        changes.extend(self.identity.moved(inode.key, &from_place, &to_place)?);
        changes.extend(self.note_delete(inode, &from_key)?);
        changes.push(drop_delete(&to_key));
        changes.extend(self.keep_directory(names.from_dir)?);
        let remote = self.remote_at(&to_key, inode.key, target.map(Arc::as_ref));
        // Nobody writes the replaced file's row again between its deletion and the end of its name.
        let _target_order = match target {
            Some(target) => Some(target.journal_order.lock().await),
            None => None,
        };
        self.put_at(inode, to_place);
        self.journal(inode, remote.clone(), changes).await?;

        if let Some(target) = target {
            self.unlink(target, to_key.clone());
        }
        self.follow(inode, &from_key, to_key, remote);
        Ok(())
    }

    /// What is believed to be under a key where `there` stands, and `node` will.
    fn remote_at(&self, key: &SlotKey, node: NodeKey, there: Option<&Inode>) -> Remote {
        let slot = self.work.lock().slots.get(key).map(|slot| slot.remote_for(node));
        slot.unwrap_or_else(|| there.map_or(Remote::Absent, remote_of))
    }

    fn put_at(&self, inode: &Inode, place: Place) {
        let now = Timestamp::now();
        let mut state = inode.state();
        state.set_place(place);
        state.touch(now);
        state.queued = true;
    }

    /// Sees that the object follows its node from one key to another, and that the old object stays as long as it is
    /// needed: it is pinned in the same moment in which it may go.
    fn follow(&self, inode: &Arc<Inode>, from: &SlotKey, key: SlotKey, remote: Remote) {
        let mut work = self.work.lock();
        let content = inode.content();
        let base = content.base().filter(|base| base.key != key.key);
        let open = inode.state().opens > 0 && content.is_dirty();
        let wait = if open { self.config.dirty_age_max } else { self.config.linger };
        if let Some(base) = base {
            work.pins.pin(SlotKey { fsid: key.fsid, key: base.key }, inode);
        }
        let nothing_there = self.vacate_slot(&mut work, inode, from);
        inode.state().queued = true;
        work.slots.set(key.clone(), remote, Desired::Node(Arc::clone(inode)), Instant::now() + wait);
        drop(work);
        self.vacated(inode, from, nothing_there);
        self.touch(&key);
        self.wake.notify_one();
    }
}

impl Names<'_> {
    /// Nothing happened.
    pub(super) fn unchanged(&self) -> (DirChange, DirChange) {
        let of = |dir: &Inode| {
            let change = dir.state().change;
            DirChange { before: change, after: change }
        };
        (of(self.from_dir), of(self.to_dir))
    }

    /// An entry went from one directory to the other.
    pub(super) fn changed(&self) -> (DirChange, DirChange) {
        let now = Timestamp::now();
        let from = self.from_dir.entry_changed(now);
        let to = if self.from_dir.key == self.to_dir.key { from } else { self.to_dir.entry_changed(now) };
        (from, to)
    }
}
