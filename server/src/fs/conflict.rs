//! When the bucket changed underneath: its version keeps the name, ours is saved beside it, and both are told of.

use std::sync::Arc;

use super::filesystem::FsResult;
use super::inode::Inode;
use super::listing::Left;
use super::lookup::found;
use super::names;
use super::object_fs::ObjectFs;
use super::records::drop_node;
use super::slots::SlotKey;
use super::sync::Outcome;
use crate::data::{BaseObject, Content, UploadError};
use crate::store::{Condition, ObjectHead, ObjectInfo, ObjectMeta};
use crate::timestamp::Timestamp;

impl ObjectFs {
    /// Saves a node's bytes as `name.conflict-<time>`, then gives the name to what the bucket has. A change of
    /// attributes alone has nothing to save.
    pub(super) async fn conflict(&self, key: &SlotKey, inode: &Arc<Inode>, meta: &ObjectMeta) -> Outcome {
        match self.settle_conflict(key, inode, meta).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(format!("saving our version beside the bucket's: {error}")),
        }
    }

    async fn settle_conflict(&self, key: &SlotKey, inode: &Arc<Inode>, meta: &ObjectMeta) -> FsResult<Outcome> {
        let bucket = &inode.bucket.name;
        let content = inode.content();
        let theirs = found(self.store.head(bucket, &key.key).await)?;
        let moved = content.base().is_some_and(|base| base.key != key.key);
        if content.is_dirty() || moved {
            let beside = conflict_key(&key.key)?;
            let size = content.size();
            let uploaded = match content.upload(&self.data, bucket, &beside, meta, &Condition::Always).await {
                Ok(uploaded) => uploaded,
                Err(UploadError::BaseChanged) => return self.fill_from(inode, theirs).await,
                Err(error) => return Ok(Outcome::Failed(error.to_string())),
            };
            let etag = uploaded.written.etag.clone();
            drop(uploaded);
            let object = ObjectInfo { key: beside.clone(), size, etag, last_modified: Timestamp::now() };
            self.listings.apply(bucket, &beside, &Left::Object(object));
            tracing::warn!(
                bucket,
                key = key.key,
                saved = beside,
                "changed in the bucket and over NFS: the bucket's version keeps the name"
            );
        }
        self.give_way(inode, theirs).await
    }

    /// Part of the bytes lay only in a version that is gone from the bucket. What the client wrote is kept; the rest
    /// is taken from what the bucket has now, as far as it reaches.
    async fn fill_from(&self, inode: &Arc<Inode>, theirs: Option<ObjectHead>) -> FsResult<Outcome> {
        let base = theirs.map(|head| base_of(inode, &head));
        tracing::error!(
            bucket = inode.bucket.name,
            name = inode.state().name,
            "the version under a half-written file is gone from the bucket: unwritten parts come from the new one"
        );
        inode.content().replace_base(base);
        Ok(Outcome::Failed("trying again over the new version".to_owned()))
    }

    /// The node becomes what the bucket has; a node the bucket does not have is gone.
    async fn give_way(&self, inode: &Arc<Inode>, theirs: Option<ObjectHead>) -> FsResult<Outcome> {
        let _order = inode.journal_order.lock().await;
        let settled = inode.content().discard().await;
        let mut changes = settled.changes;
        changes.push(drop_node(inode.key));
        self.local.commit(changes).await?;
        self.work.lock().pins.unpin(inode.key);
        if let Some(released) = settled.released {
            released.remove();
        }
        let Some(head) = theirs else {
            self.forget(inode);
            return Ok(Outcome::Done(super::slots::Remote::Absent));
        };
        {
            let mut state = inode.state();
            state.content = Arc::new(Content::of(base_of(inode, &head)));
            state.queued = false;
            state.journaled = false;
            state.attributes_stored = state.attributes_generation;
            state.version = None;
            state.touch(Timestamp::now());
        }
        self.refresh(inode, &head);
        Ok(Outcome::Done(super::slots::Remote::Version(head.info.etag)))
    }
}

fn base_of(inode: &Inode, head: &ObjectHead) -> BaseObject {
    let (bucket, key) = (inode.bucket.name.clone(), head.info.key.clone());
    BaseObject { bucket, key, etag: head.info.etag.clone(), size: head.info.size }
}

/// Where our version goes: beside the name, told apart by the time.
fn conflict_key(key: &str) -> FsResult<String> {
    let suffix = format!(".conflict-{}", Timestamp::now().as_millis());
    let mut end = key.len().min(names::KEY_BYTES_MAX - suffix.len());
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    names::join(key.get(..end).unwrap_or_default(), &suffix)
}
