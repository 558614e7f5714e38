//! When the bucket changed underneath: its version keeps the name, ours is saved beside it, and both are told of.

use std::sync::Arc;

use super::filesystem::FsResult;
use super::inode::Inode;
use super::listing::Left;
use super::lookup::{base_of, found, version_of};
use super::names;
use super::object_fs::ObjectFs;
use super::posix::{self, Posix};
use super::records::drop_node;
use super::slots::{Remote, SlotKey};
use super::sync::Outcome;
use crate::data::{Content, UploadError};
use crate::store::{Condition, ObjectHead, ObjectInfo};
use crate::timestamp::Timestamp;

/// What another version in the bucket took from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// Its key has another version than expected.
    Name,
    /// The object that it takes bytes from is gone or replaced.
    Base,
}

impl ObjectFs {
    /// Finds out who changed the bucket, and sees that nothing that clients wrote is lost.
    pub(super) async fn conflict(&self, key: &SlotKey, inode: &Arc<Inode>, lost: Lost) -> Outcome {
        match self.settle_conflict(key, inode, lost).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(format!("saving our version beside the bucket's: {error}")),
        }
    }

    async fn settle_conflict(&self, key: &SlotKey, inode: &Arc<Inode>, lost: Lost) -> FsResult<Outcome> {
        if !self.is_desired(key, inode.key) {
            return Ok(Outcome::Blocked);
        }
        let theirs = found(self.store.head(&inode.bucket.name, &key.key).await)?;
        if let Some(head) = &theirs
            && is_own(inode, head)
        {
            return Ok(self.build_on_own(key, inode, head).await);
        }
        let content = inode.content();
        if let (Some(head), Some(base)) = (&theirs, content.base())
            && (lost, &base.key, &base.etag) == (Lost::Name, &key.key, &head.info.etag)
        {
            // Nobody else wrote: the bucket has the version that the client's changes build upon.
            return Ok(Outcome::More(Remote::Version(base.etag)));
        }
        match lost {
            Lost::Name => self.without_name(key, inode, theirs).await,
            Lost::Base => self.without_base(key, inode, theirs).await,
        }
    }

    /// An upload whose answer was lost, in a crash or on the way, is no conflict: it is written over, for the journal may
    /// have learnt of more since. Bytes that were to come from the version before come from it.
    async fn build_on_own(&self, key: &SlotKey, inode: &Arc<Inode>, head: &ObjectHead) -> Outcome {
        tracing::info!(bucket = inode.bucket.name, key = key.key, "an upload had come through");
        let _bytes = inode.bytes.write().await;
        let content = inode.content();
        let own = base_of(inode, head);
        if content.base().is_some_and(|base| base.key == key.key) {
            if content.is_dirty() {
                content.replace_base(Some(own));
            } else {
                inode.state().content = Arc::new(Content::of(own));
            }
        }
        Outcome::More(Remote::Version(head.info.etag.clone()))
    }

    /// Another version has the name: it keeps it, and ours is saved as `name.conflict-<time>`. A change of attributes
    /// alone has nothing to save. Where nothing has the name any more, ours takes it.
    async fn without_name(&self, key: &SlotKey, inode: &Arc<Inode>, theirs: Option<ObjectHead>) -> FsResult<Outcome> {
        let bucket = &inode.bucket.name;
        let content = inode.content();
        let of_its_own = content.is_dirty() || content.base().is_some_and(|base| base.key != key.key);
        let theirs = match theirs {
            None if of_its_own => return Ok(Outcome::More(Remote::Absent)),
            theirs => theirs,
        };
        if !of_its_own {
            let _bytes = inode.bytes.write().await;
            return if content.is_dirty() { Ok(Outcome::Blocked) } else { self.give_way(inode, theirs).await };
        }
        let beside = conflict_key(&key.key)?;
        loop {
            let (meta, _, _) = self.object_meta(inode);
            let uploaded = match content.upload(&self.data, bucket, &beside, &meta, &Condition::Always).await {
                Ok(uploaded) => uploaded,
                Err(UploadError::BaseChanged) => return self.without_base(key, inode, theirs).await,
                Err(error) => return Ok(Outcome::Failed(error.to_string())),
            };
            let (etag, size, generation) = (uploaded.written.etag.clone(), uploaded.size, uploaded.generation);
            drop(uploaded);
            let object = ObjectInfo { key: beside.clone(), size, etag, last_modified: Timestamp::now() };
            self.listings.apply(bucket, &beside, &Left::Object(object));
            let _bytes = inode.bytes.write().await;
            if !self.is_desired(key, inode.key) {
                return Ok(Outcome::Blocked);
            }
            if content.generation() == generation {
                tracing::warn!(
                    bucket,
                    key = key.key,
                    saved = beside,
                    "changed in the bucket and over NFS: the bucket's version keeps the name"
                );
                return self.give_way(inode, theirs).await;
            }
        }
    }

    /// Bytes lay only in a version that is gone from the bucket. A node that was not written is what the bucket has
    /// now. Of a written one, what clients wrote is kept, and the rest is taken from what the bucket has now, as far as it
    /// reaches.
    async fn without_base(&self, key: &SlotKey, inode: &Arc<Inode>, theirs: Option<ObjectHead>) -> FsResult<Outcome> {
        let content = inode.content();
        let Some(base) = content.base() else { return Ok(Outcome::Blocked) };
        let moved = base.key != key.key;
        let there = if moved { found(self.store.head(&base.bucket, &base.key).await)? } else { theirs };
        let _bytes = inode.bytes.write().await;
        if content.base().as_ref() != Some(&base) || there.as_ref().is_some_and(|head| head.info.etag == base.etag) {
            return Ok(Outcome::Blocked);
        }
        match there {
            Some(head) if !content.is_dirty() && moved => {
                inode.state().content = Arc::new(Content::of(base_of(inode, &head)));
                Ok(Outcome::Failed("trying again with the version that is there now".to_owned()))
            }
            there if !content.is_dirty() => self.give_way(inode, there).await,
            there => {
                tracing::error!(
                    bucket = inode.bucket.name,
                    key = base.key,
                    "the version under a half-written file is gone from the bucket: unwritten parts come from the new one"
                );
                content.replace_base(there.map(|head| base_of(inode, &head)));
                Ok(Outcome::Failed("trying again over the new version".to_owned()))
            }
        }
    }

    /// The node becomes what the bucket has; a node the bucket does not have is gone. The caller holds its `bytes`.
    async fn give_way(&self, inode: &Arc<Inode>, theirs: Option<ObjectHead>) -> FsResult<Outcome> {
        let _order = inode.journal_order.lock().await;
        self.drop_bytes(inode).await?;
        let Some(head) = theirs else {
            self.forget(inode);
            return Ok(Outcome::Done(Remote::Absent));
        };
        let (posix, _) = Posix::read(&head.meta.user, false, head.info.last_modified, &self.config.defaults);
        let mut state = inode.state();
        state.content = Arc::new(Content::of(base_of(inode, &head)));
        state.attributes_stored = state.attributes_generation;
        state.touch(Timestamp::now());
        state.posix = posix;
        state.version = Some(version_of(&head));
        let etag = head.info.etag;
        state.meta = head.meta;
        Ok(Outcome::Done(Remote::Version(etag)))
    }

    /// Gives up a node's staged bytes and its rows. The caller holds its `journal_order`.
    async fn drop_bytes(&self, inode: &Inode) -> FsResult<()> {
        let settled = inode.content().discard().await;
        let mut changes = settled.changes;
        changes.push(drop_node(inode.key));
        self.local.commit(changes).await?;
        inode.state().journaled = false;
        self.work.lock().pins.unpin(inode.key);
        if let Some(released) = settled.released {
            released.remove();
        }
        Ok(())
    }
}

/// Whether the bucket's version is an upload of this very node, later than the last one whose answer came.
fn is_own(inode: &Inode, head: &ObjectHead) -> bool {
    let known = posix::read_write_token(&inode.state().meta.user).map_or(0, |(_, change)| change);
    let theirs = posix::read_write_token(&head.meta.user);
    theirs.is_some_and(|(fileid, change)| fileid == inode.key.fileid && change > known)
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
