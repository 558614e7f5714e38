//! The way to the bucket: every key on its way is brought in line, one task a key, failures tried again for ever.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::conflict::Lost;
use super::filesystem::{FsResult, NodeKey, NodeKind};
use super::inode::{Inode, Version};
use super::listing::{Left, parent_prefix};
use super::lookup::found;
use super::object_fs::ObjectFs;
use super::posix;
use super::records::{DeleteRecord, drop_delete, drop_node, put_delete};
use super::slots::{Desired, Remote, Slot, SlotKey};
use crate::data::{DataError, Settled, UploadError};
use crate::store::{Condition, ETag, ObjectInfo, ObjectMeta, StoreError, Written};
use crate::timestamp::Timestamp;

/// The first wait after a failure; it doubles.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// The longest wait after a failure.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// The wait for another key that has to go first.
const BLOCKED: Duration = Duration::from_millis(20);
/// Waits for another key before its bytes are copied aside, lest two keys wait for each other.
const BLOCKED_MAX: u32 = 25;
/// The longest sleep when nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// How work on a key ended.
pub(super) enum Outcome {
    /// The bucket has what it should.
    Done(Remote),
    /// The bucket has this version, but more changes wait.
    More(Remote),
    /// Another key has to go first.
    Blocked,
    /// To be tried again.
    Failed(String),
}

impl ObjectFs {
    /// Works until `stop` is cancelled, then until nothing is on its way or `give_up` is cancelled; how many keys are
    /// left.
    pub async fn run(self: Arc<Self>, stop: CancellationToken, give_up: CancellationToken) -> usize {
        let mut tasks = JoinSet::new();
        loop {
            if stop.is_cancelled() {
                self.work.lock().slots.hasten_all(Instant::now());
            }
            let room = self.config.uploads_max.saturating_sub(tasks.len());
            for key in self.work.lock().slots.take_due(Instant::now(), room) {
                let fs = Arc::clone(&self);
                tasks.spawn(async move { fs.work_on(key).await });
            }
            let (left, wait) = {
                let work = self.work.lock();
                (work.slots.len(), work.slots.next_due(Instant::now()).unwrap_or(IDLE))
            };
            if give_up.is_cancelled() || (stop.is_cancelled() && left == 0 && tasks.is_empty()) {
                tasks.shutdown().await;
                self.tasks.close();
                self.tasks.wait().await;
                return left;
            }
            let full = tasks.len() >= self.config.uploads_max;
            tokio::select! {
                _ = tasks.join_next(), if !tasks.is_empty() => {}
                () = tokio::time::sleep(wait), if !full => {}
                () = self.wake.notified(), if !full => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                () = give_up.cancelled() => {}
            }
        }
    }

    /// Waits until nothing at or below a prefix is on its way. Nothing new may come meanwhile.
    pub(super) async fn drain(&self, fsid: u64, prefix: &str) {
        loop {
            let settled = self.settled.notified();
            {
                let mut work = self.work.lock();
                let keys = work.slots.below(fsid, prefix);
                if keys.is_empty() {
                    return;
                }
                keys.iter().for_each(|key| work.slots.hasten(key, Instant::now()));
            }
            self.wake.notify_one();
            tokio::select! {
                () = settled => {}
                () = tokio::time::sleep(BLOCKED) => {}
            }
        }
    }

    /// How many keys the buckets lack.
    pub fn pending(&self) -> usize {
        self.work.lock().slots.len()
    }

    async fn work_on(&self, key: SlotKey) {
        let Some(slot) = self.work.lock().slots.get(&key).cloned() else { return };
        let outcome = match &slot.desired {
            _ if self.is_blocked(&key, &slot).await => Outcome::Blocked,
            Desired::Nothing => self.clear(&key, &slot).await,
            Desired::Node(inode) if inode.kind == NodeKind::Directory => self.put_marker(&key, &slot, inode).await,
            Desired::Node(inode) => self.put_object(&key, &slot, inode).await,
        };
        self.finish(&key, &slot, outcome);
    }

    fn finish(&self, key: &SlotKey, worked: &Slot, outcome: Outcome) {
        let mut work = self.work.lock();
        let Some(slot) = work.slots.get_mut(key) else { return };
        let changed = slot.epoch != worked.epoch;
        match outcome {
            Outcome::Done(remote) if !changed && at_rest(&slot.desired) => {
                tracing::debug!(key = key.key, ?remote, "in line");
                work.slots.remove(key);
            }
            Outcome::Done(remote) | Outcome::More(remote) => {
                let open = matches!(&slot.desired, Desired::Node(inode) if inode.state().opens > 0);
                slot.remote = remote;
                slot.attempts = 0;
                let wait = if open && !changed { self.config.dirty_age_max } else { self.config.linger };
                work.slots.requeue(key, Instant::now() + wait, false);
            }
            Outcome::Blocked => work.slots.requeue(key, Instant::now() + BLOCKED, true),
            Outcome::Failed(reason) => {
                let wait = RETRY_FIRST.saturating_mul(1 << slot.attempts.min(8)).min(RETRY_MAX);
                tracing::warn!(key = key.key, reason, attempts = slot.attempts, ?wait, "not in the bucket yet");
                work.slots.requeue(key, Instant::now() + wait, true);
            }
        }
        drop(work);
        self.touch(key);
        self.settled.notify_waiters();
    }

    /// Whether the object under a key is still needed as it is. Open files without a name get their bytes copied
    /// aside; renamed ones go first, unless that takes too long.
    async fn is_blocked(&self, key: &SlotKey, slot: &Slot) -> bool {
        let desired = match &slot.desired {
            Desired::Node(inode) => Some(inode.key),
            Desired::Nothing if key.key.ends_with('/') => {
                return self.work.lock().slots.any_below(key.fsid, &key.key);
            }
            Desired::Nothing => None,
        };
        let holders = self.work.lock().pins.holders(key, desired);
        let mut blocked = false;
        for holder in holders {
            if !holder.state().removed && slot.attempts < BLOCKED_MAX {
                blocked = true;
                continue;
            }
            match holder.content().materialise(&self.data).await {
                Ok(()) => self.work.lock().pins.unpin(holder.key),
                // What it needed is gone from the bucket: there is nothing left to wait for.
                Err(DataError::BaseChanged | DataError::BaseGone) => self.work.lock().pins.unpin(holder.key),
                Err(error) => {
                    tracing::warn!(key = key.key, %error, "an open file's bytes cannot be copied aside yet");
                    blocked = true;
                }
            }
        }
        blocked
    }

    async fn clear(&self, key: &SlotKey, slot: &Slot) -> Outcome {
        let Some(bucket) = self.bucket_name(key).await else { return Outcome::Failed("no such bucket".to_owned()) };
        let condition = match &slot.remote {
            Remote::Absent => None,
            Remote::Version(etag) if self.capabilities.conditional_delete => Some(Condition::IfMatch(etag.clone())),
            Remote::Version(etag) => match found(self.store.head(&bucket, &key.key).await) {
                Ok(Some(head)) if head.info.etag == *etag => Some(Condition::Always),
                Ok(_) => None,
                Err(error) => return Outcome::Failed(error.to_string()),
            },
            Remote::Unknown => Some(Condition::Always),
        };
        if let Some(condition) = condition {
            match self.store.delete(&bucket, &key.key, &condition).await {
                Ok(()) | Err(StoreError::NotFound) => {}
                Err(StoreError::PreconditionFailed) => {
                    tracing::warn!(key = key.key, "removed over NFS, but replaced in the bucket: it stays");
                    self.listings.forget(&bucket, parent_prefix(&key.key));
                    return self.cleared(key);
                }
                Err(error) => return Outcome::Failed(error.to_string()),
            }
        }
        self.listings.apply(&bucket, &key.key, &Left::Nothing);
        self.cleared(key)
    }

    fn cleared(&self, key: &SlotKey) -> Outcome {
        match self.local.commit_later(vec![drop_delete(key)]) {
            Ok(()) => Outcome::Done(Remote::Absent),
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }

    async fn put_marker(&self, key: &SlotKey, slot: &Slot, inode: &Arc<Inode>) -> Outcome {
        let bucket = &inode.bucket.name;
        let (meta, generation, dirty) = self.object_meta(inode);
        let remote = match slot.remote {
            Remote::Unknown => match found(self.store.head(bucket, &key.key).await) {
                Ok(Some(head)) => {
                    let etag = head.info.etag.clone();
                    self.take_marker(&mut inode.state(), head);
                    Remote::Version(etag)
                }
                Ok(None) => Remote::Absent,
                Err(error) => return Outcome::Failed(error.to_string()),
            },
            ref known => known.clone(),
        };
        if let (Remote::Version(etag), false) = (&remote, dirty) {
            return self.stored(key, inode, etag, generation).await;
        }
        match self.store.put(bucket, &key.key, bytes::Bytes::new(), &meta, &Condition::Always).await {
            Ok(Written { etag }) => self.stored(key, inode, &etag, generation).await,
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }

    async fn put_object(&self, key: &SlotKey, slot: &Slot, inode: &Arc<Inode>) -> Outcome {
        let _alone = inode.uploading.lock().await;
        if !self.is_desired(key, inode.key) {
            return Outcome::Blocked;
        }
        let bucket = &inode.bucket.name;
        let (meta, generation, _) = self.object_meta(inode);
        let condition = match self.write_condition(bucket, &key.key, &slot.remote).await {
            Ok(Some(condition)) => condition,
            Ok(None) => return self.conflict(key, inode, Lost::Name).await,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let content = inode.content();
        let uploaded = match content.upload(&self.data, bucket, &key.key, &meta, &condition).await {
            Ok(uploaded) => uploaded,
            Err(UploadError::Conflict) => return self.conflict(key, inode, Lost::Name).await,
            Err(UploadError::BaseChanged) => return self.conflict(key, inode, Lost::Base).await,
            Err(UploadError::Changed | UploadError::Busy) => return Outcome::Blocked,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let (etag, size) = (uploaded.written.etag.clone(), uploaded.size);
        let _order = inode.journal_order.lock().await;
        let settled = content.settle(&self.data, uploaded, bucket, &key.key).await;
        let object = ObjectInfo { key: key.key.clone(), size, etag: etag.clone(), last_modified: Timestamp::now() };
        self.listings.apply(bucket, &key.key, &Left::Object(object));
        let told = if self.stays_or_pins(key, inode, &etag) {
            let has_attributes = self.note_stored(inode, &etag, &meta, generation);
            self.tell_stored(key, inode, settled, has_attributes, &etag).await
        } else {
            self.tell_left(key, inode, settled, &etag).await
        };
        told.unwrap_or_else(|error| Outcome::Failed(error.to_string()))
    }

    /// Whether the node still belongs under the key where its object was just written. If so it needs no other object
    /// any more; if not, it needs this one, which may be the only one with all its bytes.
    fn stays_or_pins(&self, key: &SlotKey, inode: &Arc<Inode>, etag: &ETag) -> bool {
        let mut work = self.work.lock();
        let stays = work.slots.get(key).is_some_and(|slot| slot.is_for(inode.key));
        if let Some(slot) = work.slots.get_mut(key) {
            // Rows that are written before the work on the slot ends name this version already.
            slot.remote = Remote::Version(etag.clone());
        }
        if stays {
            work.pins.unpin(inode.key);
        } else if !inode.is_gone() {
            work.pins.pin(key.clone(), inode);
        }
        stays
    }

    /// Tells the journal that the bucket has a node, or what it lacks yet.
    async fn tell_stored(
        &self,
        key: &SlotKey,
        inode: &Inode,
        settled: Settled,
        has_attributes: bool,
        etag: &ETag,
    ) -> FsResult<Outcome> {
        let remote = Remote::Version(etag.clone());
        let mut changes = settled.changes;
        changes.push(drop_delete(key));
        let complete = settled.clean && has_attributes;
        if complete {
            changes.push(drop_node(inode.key));
            self.local.commit(changes).await?;
            inode.state().journaled = false;
        } else {
            self.journal_in_order(inode, remote.clone(), changes).await?;
        }
        if let Some(released) = settled.released {
            released.remove();
        }
        Ok(if complete { Outcome::Done(remote) } else { Outcome::More(remote) })
    }

    /// Tells the journal of an object that was written under a key that its node left meanwhile.
    async fn tell_left(&self, key: &SlotKey, inode: &Inode, settled: Settled, etag: &ETag) -> FsResult<Outcome> {
        let remote = Remote::Version(etag.clone());
        {
            let work = self.work.lock();
            if work.slots.get(key).is_some_and(|slot| matches!(slot.desired, Desired::Nothing)) {
                let record = DeleteRecord { bucket: inode.bucket.name.clone(), remote: remote.clone() };
                self.local.commit_later(vec![put_delete(key, &record)?])?;
            }
        }
        if inode.state().removed {
            self.local.commit(settled.changes).await?;
        } else {
            let now_at = self.key_of(inode)?;
            let there = self.work.lock().slots.get(&now_at).map_or(Remote::Unknown, |slot| slot.remote_for(inode.key));
            self.journal_in_order(inode, there, settled.changes).await?;
        }
        if let Some(released) = settled.released {
            released.remove();
        }
        Ok(Outcome::More(remote))
    }

    /// The condition of a write; `None` when another version is there already, as a look shows where the store does not
    /// honour conditions in every kind of write.
    async fn write_condition(&self, bucket: &str, key: &str, remote: &Remote) -> FsResult<Option<Condition>> {
        let offered = match remote {
            Remote::Unknown => true,
            Remote::Absent => self.capabilities.conditional_create,
            Remote::Version(_) => self.capabilities.conditional_overwrite,
        };
        let condition = if offered { remote.condition() } else { Condition::Always };
        let in_every_plan = self.capabilities.conditional_copy && self.capabilities.conditional_complete;
        if *remote == Remote::Unknown || (offered && in_every_plan) {
            return Ok(Some(condition));
        }
        let there = found(self.store.head(bucket, key).await)?.map(|head| head.info.etag);
        let expected = match remote {
            Remote::Version(etag) => Some(etag),
            _ => None,
        };
        Ok((there.as_ref() == expected).then_some(condition))
    }

    /// The headers of a node's object, the generation of attributes they hold, and whether the bucket lacks it.
    pub(super) fn object_meta(&self, inode: &Inode) -> (ObjectMeta, u64, bool) {
        let state = inode.state();
        let mut meta = state.meta.clone();
        if inode.kind != NodeKind::Directory || state.attributes_generation > 0 {
            state.posix.write(inode.kind, &mut meta.user);
        }
        if inode.kind != NodeKind::Directory {
            posix::put_write_token(&mut meta.user, inode.key.fileid, state.change);
        }
        (meta, state.attributes_generation, state.is_attributes_dirty())
    }

    /// Whether a node's object belongs under a key.
    pub(super) fn is_desired(&self, key: &SlotKey, node: NodeKey) -> bool {
        self.work.lock().slots.get(key).is_some_and(|slot| slot.is_for(node))
    }

    /// Notes what the bucket has of a node now; whether it has all attributes.
    fn note_stored(&self, inode: &Inode, etag: &ETag, meta: &ObjectMeta, generation: u64) -> bool {
        let mut state = inode.state();
        state.version = Some(Version { etag: etag.clone(), modified: Timestamp::now() });
        state.checked = Some(Instant::now());
        state.meta = meta.clone();
        state.attributes_stored = generation;
        !state.is_attributes_dirty()
    }

    async fn stored(&self, key: &SlotKey, inode: &Inode, etag: &ETag, generation: u64) -> Outcome {
        self.listings.apply(&inode.bucket.name, &key.key, &Left::Prefix);
        let _order = inode.journal_order.lock().await;
        let (meta, _, _) = self.object_meta(inode);
        let remote = Remote::Version(etag.clone());
        let clean = self.note_stored(inode, etag, &meta, generation);
        if !clean || !self.is_desired(key, inode.key) {
            return Outcome::More(remote);
        }
        match self.local.commit(vec![drop_node(inode.key), drop_delete(key)]).await {
            Ok(()) => {
                inode.state().journaled = false;
                Outcome::Done(remote)
            }
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }

    async fn bucket_name(&self, key: &SlotKey) -> Option<String> {
        self.buckets.by_fsid(&*self.store, key.fsid).await.ok().map(|bucket| bucket.name.clone())
    }
}

/// Whether the bucket has all of what should be under a key; its node then needs no slot any more. Asked while the slots
/// are locked, so that whoever changes the node from now on makes a new slot.
fn at_rest(desired: &Desired) -> bool {
    let Desired::Node(inode) = desired else { return true };
    let mut state = inode.state();
    let bytes_missing = inode.kind != NodeKind::Directory && state.content.is_dirty();
    if !state.removed && (bytes_missing || state.is_attributes_dirty()) {
        return false;
    }
    state.queued = false;
    true
}
