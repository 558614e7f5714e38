//! Renaming a directory: nothing else changes in the bucket while its objects are copied to the new prefix; then the
//! name changes and the old objects go. The intent is journaled, and a start after a crash carries it to its end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::future;
use futures::stream::{self, StreamExt};
use tokio::time::Instant;

use super::bucket::Bucket;
use super::filesystem::{DirChange, DirWant, FsError, FsResult, NodeKey, NodeKind};
use super::inode::Inode;
use super::listing::Left;
use super::names;
use super::object_fs::ObjectFs;
use super::records::{DeleteRecord, RenameRecord, drop_delete, drop_rename, put_delete, put_rename};
use super::rename::Names;
use super::slots::{Desired, Remote, SlotKey};
use crate::data::BaseObject;
use crate::local::Change;
use crate::store::{Condition, CopySource, ListRequest, ObjectInfo, StoreError};

/// Objects copied or deleted at the same time.
const IN_FLIGHT: usize = 32;
/// Keys asked for at once.
const LIST_ENTRIES: u16 = 1000;

/// One object on its way.
struct Moved {
    from: BaseObject,
    to: BaseObject,
}

impl ObjectFs {
    /// RENAME of a directory within its bucket.
    pub(super) async fn rename_directory(&self, names: &Names<'_>) -> FsResult<(DirChange, DirChange)> {
        let bucket = &names.from_dir.bucket;
        let _alone = bucket.moving.write().await;
        let inode = self.find(names.from_dir, names.from).await?;
        if inode.kind != NodeKind::Directory {
            return Err(FsError::Delay("the name became a file".to_owned()));
        }
        let from_prefix = self.prefix(&inode)?;
        let to_dir_prefix = self.prefix(names.to_dir)?;
        if to_dir_prefix.starts_with(&from_prefix) {
            return Err(FsError::Invalid);
        }
        let component = match self.make_way(names, &inode).await? {
            Some(component) => component,
            None => return Ok(names.unchanged()),
        };
        let to_prefix = names::join_dir(&to_dir_prefix, &component)?;
        let from = inode.state().place(NodeKind::Directory);
        let to = from.moved_to(names.to_dir.key.fileid, names.to, &component);
        let bucket_name = bucket.name.clone();
        let record = RenameRecord { bucket: bucket_name, fileid: inode.key.fileid, from, from_prefix, to, to_prefix };
        self.drain(inode.key.fsid, &record.from_prefix).await;
        self.drain(inode.key.fsid, &record.to_prefix).await;
        let changes = self.keep_directory(names.from_dir)?;
        self.local.commit(changes).await?;
        self.local.commit(vec![put_rename(inode.key, &record)?]).await?;
        let mut moved = Vec::new();
        if let Err(error) = self.copy_all(bucket, &record, &mut moved).await {
            return self.undo(bucket, inode.key, &record, moved).await.and(Err(error));
        }
        self.switch(bucket, inode.key, &record, moved).await?;
        Ok(names.changed())
    }

    /// The component of the new name, once nothing stands in its way but an empty directory, which goes; `None` when
    /// old and new name are the same.
    async fn make_way(&self, names: &Names<'_>, inode: &Inode) -> FsResult<Option<String>> {
        let target = match self.find(names.to_dir, names.to).await {
            Err(FsError::NotFound) => return names::of_new(names.to).map(Some),
            found => found?,
        };
        if target.key == inode.key {
            return Ok(None);
        }
        if target.kind != NodeKind::Directory {
            return Err(FsError::Exists);
        }
        if !self.list_entries(&target, 0, 1, DirWant::default()).await?.entries.is_empty() {
            return Err(FsError::Exists);
        }
        let _order = target.journal_order.lock().await;
        let key = self.key_of(&target)?;
        let changes = self.leave(&target, &key)?;
        self.local.commit(changes).await?;
        self.gone(&target, key);
        let component = target.state().component.clone();
        Ok(Some(component))
    }

    /// Carries a journaled intent to its end after a start; may be repeated from any point.
    pub(super) async fn carry_out(&self, bucket: &Arc<Bucket>, key: NodeKey, record: &RenameRecord) -> FsResult<()> {
        let mut moved = Vec::new();
        self.copy_all(bucket, record, &mut moved).await?;
        self.switch(bucket, key, record, moved).await
    }

    /// The copies could not all be made: those that were go again, in the background where need be, and the directory
    /// stays where it is.
    async fn undo(&self, bucket: &Arc<Bucket>, key: NodeKey, record: &RenameRecord, moved: Vec<Moved>) -> FsResult<()> {
        tracing::warn!(from = record.from_prefix, to = record.to_prefix, "directory rename given up");
        let copies = moved.into_iter().map(|moved| (moved.to.key, Remote::Version(moved.to.etag)));
        let mut copies: BTreeMap<_, _> = copies.collect();
        copies.entry(record.to_prefix.clone()).or_insert(Remote::Absent);
        self.listings.forget(&bucket.name, &record.to_prefix);
        self.clear_later(bucket, copies, vec![drop_rename(key)]).await
    }

    /// All is copied: the name changes, then the old objects go. What cannot be deleted now is deleted later.
    async fn switch(
        &self,
        bucket: &Arc<Bucket>,
        key: NodeKey,
        record: &RenameRecord,
        moved: Vec<Moved>,
    ) -> FsResult<()> {
        let mut changes = self.identity.moved(key, &record.from, &record.to)?;
        changes.push(drop_delete(&SlotKey { fsid: key.fsid, key: record.to_prefix.clone() }));
        self.local.commit(changes).await?;
        if let Some(inode) = self.inodes.get(key) {
            let mut state = inode.state();
            state.set_place(record.to.clone());
            state.place_written = true;
            state.touch(crate::timestamp::Timestamp::now());
        }
        self.rebase_below(bucket, &moved);
        let deletions = stream::iter(moved).map(|moved| self.delete_old(bucket, moved.from));
        let left: BTreeMap<_, _> = deletions.buffer_unordered(IN_FLIGHT).filter_map(future::ready).collect().await;
        self.listings.forget(&bucket.name, &record.from_prefix);
        self.listings.forget(&bucket.name, &record.to_prefix);
        self.listings.apply(&bucket.name, &record.to_prefix, &Left::Prefix);
        if left.is_empty() {
            self.listings.apply(&bucket.name, &record.from_prefix, &Left::Nothing);
        }
        self.touch(&SlotKey { fsid: key.fsid, key: record.from_prefix.clone() });
        self.touch(&SlotKey { fsid: key.fsid, key: record.to_prefix.clone() });
        let mut left = left;
        if !left.is_empty() {
            left.entry(record.from_prefix.clone()).or_insert(Remote::Absent);
        }
        self.clear_later(bucket, left, vec![drop_rename(key)]).await
    }

    /// Deletes an object that was copied, if it is the version that was; what has to be deleted later.
    async fn delete_old(&self, bucket: &Bucket, old: BaseObject) -> Option<(String, Remote)> {
        let conditional = self.capabilities.conditional_delete;
        let condition = if conditional { Condition::IfMatch(old.etag.clone()) } else { Condition::Always };
        match self.store.delete(&bucket.name, &old.key, &condition).await {
            Ok(()) | Err(StoreError::NotFound | StoreError::PreconditionFailed) => None,
            Err(error) => {
                tracing::warn!(key = old.key, %error, "the old object of a renamed directory is deleted later");
                Some((old.key, Remote::Version(old.etag)))
            }
        }
    }

    /// Hides objects at once, and sees that they are deleted, together with other changes of the journal.
    async fn clear_later(
        &self,
        bucket: &Bucket,
        objects: BTreeMap<String, Remote>,
        mut changes: Vec<Change>,
    ) -> FsResult<()> {
        let fsid = bucket.root.fsid;
        for (key, remote) in &objects {
            let record = DeleteRecord { bucket: bucket.name.clone(), remote: remote.clone() };
            changes.push(put_delete(&SlotKey { fsid, key: key.clone() }, &record)?);
        }
        self.local.commit(changes).await?;
        for (key, remote) in objects {
            let key = SlotKey { fsid, key };
            self.work.lock().slots.set(key.clone(), remote, Desired::Nothing, Instant::now());
            self.touch(&key);
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Copies every object to its new key; `all` gets those that were copied, also when others failed.
    async fn copy_all(&self, bucket: &Bucket, record: &RenameRecord, all: &mut Vec<Moved>) -> FsResult<()> {
        let mut continuation = None;
        loop {
            let page = self.store.list(&below(bucket, &record.from_prefix, continuation)).await?;
            let copies = stream::iter(page.objects).map(|object| self.copy_one(bucket, record, object));
            let mut copies = copies.buffer_unordered(IN_FLIGHT);
            let mut failed = None;
            while let Some(copied) = copies.next().await {
                match copied {
                    Ok(moved) => all.extend(moved),
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
            tracing::info!(from = record.from_prefix, to = record.to_prefix, copied = all.len(), "directory rename");
            continuation = page.next;
            if continuation.is_none() {
                return Ok(());
            }
        }
    }

    /// `None` when the object vanished meanwhile.
    async fn copy_one(&self, bucket: &Bucket, record: &RenameRecord, object: ObjectInfo) -> FsResult<Option<Moved>> {
        let rest = object.key.get(record.from_prefix.len()..).unwrap_or_default();
        let to = names::join(&record.to_prefix, rest)?;
        let head = match self.store.head(&bucket.name, &object.key).await {
            Err(StoreError::NotFound) => return Ok(None),
            head => head?,
        };
        let source = CopySource { bucket: bucket.name.clone(), key: object.key.clone(), etag: head.info.etag.clone() };
        let base = BaseObject {
            bucket: bucket.name.clone(),
            key: object.key.clone(),
            etag: source.etag,
            size: head.info.size,
        };
        let content = crate::data::Content::of(base.clone());
        let uploaded = content.upload(&self.data, &bucket.name, &to, &head.meta, &Condition::Always).await;
        let uploaded = uploaded.map_err(|error| FsError::Delay(format!("copying {}: {error}", object.key)))?;
        let to = BaseObject { bucket: bucket.name.clone(), key: to, etag: uploaded.written.etag, size: head.info.size };
        Ok(Some(Moved { from: base, to }))
    }

    /// Nodes in memory whose bytes came from the old keys take them from the new ones.
    fn rebase_below(&self, bucket: &Bucket, moved: &[Moved]) {
        let by_old: HashMap<_, _> = moved.iter().map(|moved| (moved.from.key.as_str(), &moved.to)).collect();
        let by_new: HashMap<_, _> = moved.iter().map(|moved| (moved.to.key.as_str(), &moved.to)).collect();
        for inode in self.inodes.all().into_iter().filter(|inode| inode.key.fsid == bucket.root.fsid) {
            let content = inode.content();
            if let Some((base, to)) = content
                .base()
                .and_then(|base| Some((*by_old.get(base.key.as_str())?, base)))
                .map(|(to, base)| (base, to))
            {
                content.relocate(&base, to.clone());
            }
            let key = self.key_of(&inode).map(|key| key.key).unwrap_or_default();
            let mut state = inode.state();
            if let (Some(version), Some(to)) = (state.version.as_mut(), by_new.get(key.as_str())) {
                version.etag = to.etag.clone();
            }
        }
    }
}

/// A page of all keys below a prefix.
fn below(bucket: &Bucket, prefix: &str, continuation: Option<String>) -> ListRequest {
    ListRequest {
        bucket: bucket.name.clone(),
        prefix: prefix.to_owned(),
        continuation,
        max_keys: LIST_ENTRIES,
        ..ListRequest::default()
    }
}
