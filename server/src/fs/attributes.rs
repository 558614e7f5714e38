//! Attributes: kept current against the bucket, and set.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::filesystem::{FsError, FsResult, NodeKind, SetAttributes};
use super::inode::{Inode, ListingSeen};
use super::listing::Directory;
use super::lookup::found;
use super::object_fs::ObjectFs;
use super::slots::{Desired, Remote, SlotKey};
use crate::timestamp::Timestamp;

/// How much longer a listing is believed for each further page it took: the larger a directory, the more seldom it is read over to
/// see whether others changed it.
const FRESHNESS_PER_PAGE: Duration = Duration::from_millis(250);

impl ObjectFs {
    /// Compares a node with the bucket, if that is due: `Stale` when it is gone.
    pub(super) async fn revalidate(&self, inode: &Arc<Inode>) -> FsResult<()> {
        if inode.is_root() {
            if self.buckets.list(&*self.store).await?.1 {
                inode.entry_changed(Timestamp::now());
            }
            return Ok(());
        }
        if inode.kind == NodeKind::Directory {
            return self.revalidate_directory(inode).await;
        }
        let fresh = {
            let state = inode.state();
            let known = state.checked.is_some_and(|checked| checked.elapsed() < self.config.freshness);
            known || state.queued || state.removed || state.is_dirty()
        };
        if fresh { Ok(()) } else { self.revalidate_object(inode).await }
    }

    async fn revalidate_object(&self, inode: &Arc<Inode>) -> FsResult<()> {
        let key = self.key_of(inode)?;
        let before = self.touched(&key);
        let head = found(self.store.head(&inode.bucket.name, &key.key).await)?;
        if self.touched(&key) != before {
            return Ok(());
        }
        match head {
            Some(head) => {
                self.refresh(inode, &head);
                Ok(())
            }
            None => {
                self.forget(inode);
                Err(FsError::Stale)
            }
        }
    }

    async fn revalidate_directory(&self, inode: &Arc<Inode>) -> FsResult<()> {
        let asked = Instant::now();
        let is_fresh = || {
            let seen = inode.state().listing;
            seen.is_some_and(|seen| seen.at >= asked || asked - seen.at < self.lifetime(&seen))
        };
        if is_fresh() {
            return Ok(());
        }
        // One reads it over for all who ask meanwhile.
        let _alone = inode.reading_over.lock().await;
        if is_fresh() {
            return Ok(());
        }
        let prefix = self.prefix(inode)?;
        let (now_seen, empty) = self.read_over(inode, &prefix).await?;
        let directory = Directory { bucket: inode.bucket.name.clone(), prefix: prefix.clone() };
        let marker = self.listings.page(&*self.store, &directory, "", self.config.freshness).await?.marker;
        let kept = {
            let own = SlotKey { fsid: inode.key.fsid, key: prefix.clone() };
            let work = self.work.lock();
            work.slots.any_below(inode.key.fsid, &prefix) || work.slots.get(&own).is_some()
        };
        if empty && !marker && !kept && !inode.is_bucket_root() {
            self.forget(inode);
            return Err(FsError::Stale);
        }
        let unread = marker && inode.state().version.is_none();
        let head = if unread { found(self.store.head(&inode.bucket.name, &prefix).await)? } else { None };
        let mut state = inode.state();
        if let Some(head) = head {
            self.take_marker(&mut state, head);
        }
        if state.listing.is_some_and(|before| before.digest != now_seen.digest) {
            let now = Timestamp::now();
            state.touch(now);
            state.posix.mtime = now;
        }
        state.checked = Some(now_seen.at);
        state.listing = Some(now_seen);
        Ok(())
    }

    /// How long a listing is believed.
    fn lifetime(&self, seen: &ListingSeen) -> Duration {
        self.config.freshness.max(FRESHNESS_PER_PAGE.saturating_mul(seen.pages.saturating_sub(1)))
    }

    /// Reads a directory's whole listing, as clients see it: its digest, and whether it is empty.
    async fn read_over(&self, inode: &Inode, prefix: &str) -> FsResult<(ListingSeen, bool)> {
        let mut seen = ListingSeen { digest: 0, pages: 0, at: Instant::now() };
        let (mut after, mut empty) = (String::new(), true);
        loop {
            let window = self.window(inode, prefix, &after).await?;
            seen.pages += 1;
            let digests = window.items.keys().map(|key| self.identity.key().digest(key));
            seen.digest = digests.fold(seen.digest, |all, one| all ^ one);
            empty &= window.items.is_empty();
            match window.items.into_iter().next_back() {
                Some((last, _)) if !window.last => after = last,
                _ => return Ok((seen, empty)),
            }
        }
    }

    /// SETATTR: the size, then the rest; durable when it returns.
    pub(super) async fn set_attributes(&self, inode: &Arc<Inode>, set: &SetAttributes) -> FsResult<()> {
        let _here = inode.bucket.moving.read().await;
        let _bytes = inode.bytes.read().await;
        if let Some(size) = set.size {
            if inode.kind != NodeKind::File {
                return Err(if inode.kind == NodeKind::Directory { FsError::IsDirectory } else { FsError::Invalid });
            }
            self.change_size(inode, size).await?;
        }
        let now = Timestamp::now();
        {
            let mut state = inode.state();
            if state.posix.apply(set, now) {
                state.attributes_generation += 1;
            } else if set.size.is_none() {
                return Ok(());
            }
            state.touch(now);
        }
        self.keep(inode).await
    }

    async fn change_size(&self, inode: &Arc<Inode>, size: u64) -> FsResult<()> {
        let content = inode.content();
        if content.size() != size {
            content.truncate(&self.data, size).await?;
        }
        let now = Timestamp::now();
        let mut state = inode.state();
        state.posix.mtime = now;
        state.attributes_generation += 1;
        state.touch(now);
        Ok(())
    }

    /// Makes a changed node durable and sees that the bucket follows.
    pub(super) async fn keep(&self, inode: &Arc<Inode>) -> FsResult<()> {
        if inode.state().removed || (inode.kind == NodeKind::Directory && inode.is_bucket_root()) {
            return Ok(());
        }
        let remote = self.queue(inode)?;
        self.journal(inode, remote, Vec::new()).await
    }

    /// Puts a node on its way to the bucket, unless it is already; what is believed to be under its key.
    pub(super) fn queue(&self, inode: &Arc<Inode>) -> FsResult<Remote> {
        let key = self.key_of(inode)?;
        let mut work = self.work.lock();
        if let Some(slot) = work.slots.get(&key)
            && matches!(&slot.desired, Desired::Node(there) if there.key == inode.key)
        {
            inode.state().queued = true;
            return Ok(slot.remote_for(inode.key));
        }
        let (remote, wait) = {
            let mut state = inode.state();
            state.queued = true;
            let remote = state.version.as_ref().map(|version| Remote::Version(version.etag.clone()));
            let unknown = if inode.kind == NodeKind::Directory { Remote::Unknown } else { Remote::Absent };
            (remote.unwrap_or(unknown), if state.opens > 0 { self.config.dirty_age_max } else { self.config.linger })
        };
        work.slots.set(key.clone(), remote.clone(), Desired::Node(Arc::clone(inode)), Instant::now() + wait);
        let remote = work.slots.get(&key).map_or(remote, |slot| slot.remote_for(inode.key));
        drop(work);
        self.touch(&key);
        self.wake.notify_one();
        Ok(remote)
    }
}
