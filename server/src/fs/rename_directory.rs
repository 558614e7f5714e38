//! Renaming a directory: nothing else changes in the bucket while its objects are copied to the new prefix; then the
//! name changes and the old objects go. The intent is journaled, and a start after a crash carries it to its end.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::bucket::Bucket;
use super::filesystem::{DirChange, DirWant, FsError, FsResult, NodeKey, NodeKind};
use super::inode::Inode;
use super::listing::Left;
use super::names;
use super::object_fs::ObjectFs;
use super::records::{RenameRecord, drop_delete, drop_rename, put_rename};
use super::rename::Names;
use super::slots::SlotKey;
use crate::data::BaseObject;
use crate::store::{Condition, CopySource, ListRequest, ObjectInfo, StoreError};

/// Objects copied or deleted at the same time.
const IN_FLIGHT: usize = 32;
/// Keys asked for at once.
const LIST_ENTRIES: u16 = 1000;

/// One object on its way.
struct Moved {
    from: String,
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
        let component = match self.make_way(names, &inode).await? {
            Some(component) => component,
            None => return Ok(names.unchanged()),
        };
        let from_prefix = self.prefix(&inode)?;
        let to_prefix = names::join_dir(&self.prefix(names.to_dir)?, &component)?;
        if to_prefix.starts_with(&from_prefix) {
            return Err(FsError::Invalid);
        }
        let from = inode.state().place(NodeKind::Directory);
        let to = from.moved_to(names.to_dir.key.fileid, names.to, &component);
        let bucket_name = bucket.name.clone();
        let record = RenameRecord { bucket: bucket_name, fileid: inode.key.fileid, from, from_prefix, to, to_prefix };
        self.drain(inode.key.fsid, &record.from_prefix).await;
        self.drain(inode.key.fsid, &record.to_prefix).await;
        let changes = self.keep_directory(names.from_dir)?;
        self.local.commit(changes).await?;
        self.local.commit(vec![put_rename(inode.key, &record)?]).await?;
        self.carry_out(bucket, inode.key, &record).await?;
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
        let key = self.key_of(&target)?;
        let changes = self.leave(&target, &key)?;
        self.local.commit(changes).await?;
        self.gone(&target, key);
        let component = target.state().component.clone();
        Ok(Some(component))
    }

    /// Copies, switches, deletes; may be repeated from any point. The caller sees that nothing else changes the bucket.
    pub(super) async fn carry_out(&self, bucket: &Arc<Bucket>, key: NodeKey, record: &RenameRecord) -> FsResult<()> {
        let moved = self.copy_all(bucket, record).await?;
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
        let old: Vec<String> = moved.into_iter().map(|moved| moved.from).collect();
        let deleted =
            stream::iter(old).map(|key| async move { self.store.delete(&bucket.name, &key, &Condition::Always).await });
        deleted.buffer_unordered(IN_FLIGHT).try_collect::<Vec<()>>().await?;
        self.listings.forget(&bucket.name, &record.from_prefix);
        self.listings.forget(&bucket.name, &record.to_prefix);
        self.listings.apply(&bucket.name, &record.from_prefix, &Left::Nothing);
        self.listings.apply(&bucket.name, &record.to_prefix, &Left::Prefix);
        self.touch(&SlotKey { fsid: key.fsid, key: record.from_prefix.clone() });
        self.touch(&SlotKey { fsid: key.fsid, key: record.to_prefix.clone() });
        self.local.commit(vec![drop_rename(key)]).await?;
        Ok(())
    }

    async fn copy_all(&self, bucket: &Bucket, record: &RenameRecord) -> FsResult<Vec<Moved>> {
        let mut all = Vec::new();
        let mut continuation = None;
        loop {
            let request = ListRequest {
                bucket: bucket.name.clone(),
                prefix: record.from_prefix.clone(),
                continuation: continuation.take(),
                max_keys: LIST_ENTRIES,
                ..ListRequest::default()
            };
            let page = self.store.list(&request).await?;
            let copies = stream::iter(page.objects).map(|object| self.copy_one(bucket, record, object));
            let copied: Vec<Option<Moved>> = copies.buffer_unordered(IN_FLIGHT).try_collect().await?;
            all.extend(copied.into_iter().flatten());
            tracing::info!(from = record.from_prefix, to = record.to_prefix, copied = all.len(), "directory rename");
            continuation = page.next;
            if continuation.is_none() {
                return Ok(all);
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
        let content = crate::data::Content::of(base);
        let uploaded = content.upload(&self.data, &bucket.name, &to, &head.meta, &Condition::Always).await;
        let uploaded = uploaded.map_err(|error| FsError::Delay(format!("copying {}: {error}", object.key)))?;
        let to = BaseObject { bucket: bucket.name.clone(), key: to, etag: uploaded.written.etag, size: head.info.size };
        Ok(Some(Moved { from: object.key, to }))
    }

    /// Nodes in memory whose bytes came from the old keys take them from the new ones.
    fn rebase_below(&self, bucket: &Bucket, moved: &[Moved]) {
        let by_old: HashMap<_, _> = moved.iter().map(|moved| (moved.from.as_str(), &moved.to)).collect();
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
