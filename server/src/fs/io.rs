//! Bytes of files: open, read, write, commit, close.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::filesystem::{
    FsError, FsResult, LINK_BYTES_MAX, NodeKind, OpenGuard, ReadOutcome, Space, Stability, WriteOutcome,
};
use super::inode::Inode;
use super::object_fs::ObjectFs;
use crate::data::DataError;
use crate::timestamp::Timestamp;

/// What `df` shows of a bucket, which has no size of its own: 1 PiB, all of it free.
const SPACE: Space = Space { bytes_total: 1 << 50, bytes_free: 1 << 50, files_total: 1 << 40, files_free: 1 << 40 };

/// Held while a client has a file open.
struct Open {
    fs: Arc<ObjectFs>,
    inode: Arc<Inode>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.fs.closed(&self.inode);
    }
}

impl ObjectFs {
    /// OPEN: the file as it is in the bucket now, kept until the guard is dropped.
    pub(super) async fn open_file(&self, inode: &Arc<Inode>) -> FsResult<OpenGuard> {
        if !inode.state().removed {
            self.revalidate(inode).await?;
        }
        let fs = self.me.upgrade().ok_or_else(|| FsError::Io("the file system stops".to_owned()))?;
        inode.state().opens += 1;
        Ok(OpenGuard::new(Open { fs, inode: Arc::clone(inode) }))
    }

    fn closed(&self, inode: &Arc<Inode>) {
        let (last, removed, queued) = {
            let mut state = inode.state();
            state.opens = state.opens.saturating_sub(1);
            (state.opens == 0, state.removed, state.queued)
        };
        if !last {
            return;
        }
        if removed {
            self.discard(inode);
        } else if queued {
            self.hasten(inode);
        }
    }

    fn hasten(&self, inode: &Inode) {
        match self.key_of(inode) {
            Ok(key) => {
                self.work.lock().slots.hasten(&key, Instant::now() + self.config.linger);
                self.wake.notify_one();
            }
            Err(error) => tracing::warn!(%error, "a closed file waits for its turn"),
        }
    }

    /// READ.
    pub(super) async fn read_file(&self, inode: &Arc<Inode>, offset: u64, count: u32) -> FsResult<ReadOutcome> {
        match inode.content().read(&self.data, offset, count).await {
            Ok((chunks, eof)) => Ok(ReadOutcome { chunks, eof }),
            Err(DataError::BaseChanged | DataError::BaseGone) => self.read_changed(inode, offset, count).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody else replaced the object. The new version may be read by whoever opens the file from now on; an open
    /// that may have read the old one gets an error rather than a mixture.
    async fn read_changed(&self, inode: &Arc<Inode>, offset: u64, count: u32) -> FsResult<ReadOutcome> {
        let (shared, queued) = {
            let mut state = inode.state();
            state.checked = None;
            (state.opens > 0, state.queued)
        };
        if queued {
            // Perhaps by an upload of our own, before a crash: the next one finds out, and what the file shows then.
            self.hasten(inode);
            return Err(FsError::Delay("the object was replaced".to_owned()));
        }
        self.revalidate(inode).await?;
        if shared {
            return Err(FsError::Io("the object was replaced while the file was open".to_owned()));
        }
        let (chunks, eof) = inode.content().read(&self.data, offset, count).await?;
        Ok(ReadOutcome { chunks, eof })
    }

    /// WRITE.
    pub(super) async fn write_file(
        &self,
        inode: &Arc<Inode>,
        offset: u64,
        data: Bytes,
        stability: Stability,
    ) -> FsResult<WriteOutcome> {
        let _here = inode.bucket.moving.read().await;
        let _bytes = inode.bytes.read().await;
        let count = u32::try_from(data.len()).map_err(|_| FsError::Invalid)?;
        if count > 0 {
            inode.content().write(&self.data, offset, data).await?;
            let now = Timestamp::now();
            let follow = {
                let mut state = inode.state();
                state.posix.mtime = now;
                state.attributes_generation += 1;
                state.touch(now);
                !state.queued && !state.removed
            };
            if follow {
                self.queue(inode)?;
            }
        }
        if stability > Stability::Unstable {
            self.make_durable(inode).await?;
        }
        Ok(WriteOutcome { count, committed: stability, verifier: self.verifier })
    }

    /// COMMIT.
    pub(super) async fn commit_file(&self, inode: &Arc<Inode>) -> FsResult<[u8; 8]> {
        self.make_durable(inode).await?;
        Ok(self.verifier)
    }

    /// Bytes to the disk, and what is needed to find them again to the journal.
    async fn make_durable(&self, inode: &Arc<Inode>) -> FsResult<()> {
        let _order = inode.journal_order.lock().await;
        let content = inode.content();
        let synced = content.sync(&self.data).await?;
        let (removed, queued, journaled) = {
            let state = inode.state();
            (state.removed, state.queued, state.journaled)
        };
        if removed || !queued || (journaled && !synced.must_journal) {
            return Ok(());
        }
        let key = self.key_of(inode)?;
        let slot = self.work.lock().slots.get(&key).map(|slot| slot.remote_for(inode.key));
        let remote = slot.unwrap_or_else(|| super::remove::remote_of(inode));
        let mut changes = vec![self.put_node(inode, remote, synced.record.clone())?];
        changes.extend(synced.changes.iter().cloned());
        inode.state().journaled = true;
        self.local.commit(changes).await?;
        content.mark_journaled(&self.data, &synced);
        Ok(())
    }

    /// READLINK: `Invalid` for what is no link.
    pub(super) async fn read_link(&self, inode: &Arc<Inode>) -> FsResult<Bytes> {
        if inode.kind != NodeKind::Symlink {
            return Err(FsError::Invalid);
        }
        let content = inode.content();
        let count = u32::try_from(LINK_BYTES_MAX).unwrap_or(u32::MAX);
        let (chunks, _) = content.read(&self.data, 0, count).await?;
        Ok(chunks.concat().into())
    }

    /// Room in a bucket.
    pub(super) fn room(&self) -> Space {
        SPACE
    }
}
