//! The client records that survive a restart, and the queue that keeps replies from overtaking them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::state::{ClientRecord, Effect};

/// Where client records are kept: those clients, and no others, may reclaim after a restart.
#[async_trait]
pub trait StableClients: Send + Sync + 'static {
    /// All records.
    async fn load(&self) -> io::Result<Vec<ClientRecord>>;
    /// Applies `effects` in order and returns when they are durable. Applied twice they must do no harm.
    async fn persist(&self, effects: &[Effect]) -> io::Result<()>;
}

/// Effects on their way to stable storage, in the order in which the state produced them.
pub(super) struct StableQueue {
    clients: Arc<dyn StableClients>,
    queued: Mutex<Vec<Effect>>,
    /// Effects queued or being written: what a reply may have to wait for.
    unwritten: AtomicUsize,
    /// Held while a batch is written, so that the next one waits: it belongs to tasks, not to threads.
    writer: tokio::sync::Mutex<()>,
}

impl StableQueue {
    pub(super) fn new(clients: Arc<dyn StableClients>) -> Self {
        Self {
            clients,
            queued: Mutex::new(Vec::new()),
            unwritten: AtomicUsize::new(0),
            writer: tokio::sync::Mutex::new(()),
        }
    }

    /// Adds effects; called under the lock of the state, so that the order is the state's.
    pub(super) fn queue(&self, effects: Vec<Effect>) {
        if effects.is_empty() {
            return;
        }
        let mut queued = self.queued.lock();
        self.unwritten.fetch_add(effects.len(), Ordering::SeqCst);
        queued.extend(effects);
    }

    /// Returns once everything that was queued before is durable, also what other requests queued.
    ///
    /// # Errors
    /// When it cannot be written; it stays queued, and no reply may leave that follows from it.
    pub(super) async fn settle(&self) -> io::Result<()> {
        if self.unwritten.load(Ordering::SeqCst) == 0 {
            return Ok(());
        }
        let _writer = self.writer.lock().await;
        let batch = self.queued.lock().clone();
        if batch.is_empty() {
            return Ok(());
        }
        self.clients.persist(&batch).await?;
        self.queued.lock().drain(..batch.len());
        self.unwritten.fetch_sub(batch.len(), Ordering::SeqCst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Family;

    /// Keeps what was persisted, and fails as long as told.
    #[derive(Default)]
    struct Disk {
        broken: Mutex<bool>,
        written: Mutex<Vec<Effect>>,
    }

    #[async_trait]
    impl StableClients for Disk {
        async fn load(&self) -> io::Result<Vec<ClientRecord>> {
            Ok(Vec::new())
        }

        async fn persist(&self, effects: &[Effect]) -> io::Result<()> {
            if *self.broken.lock() {
                return Err(io::Error::other("no disk"));
            }
            self.written.lock().extend_from_slice(effects);
            Ok(())
        }
    }

    fn forget(owner: &[u8]) -> Effect {
        Effect::Forget { family: Family::V41, owner: owner.to_vec() }
    }

    #[tokio::test]
    async fn effects_are_written_once_and_in_order() {
        let disk = Arc::new(Disk::default());
        let queue = StableQueue::new(disk.clone());
        queue.queue(vec![forget(b"a"), forget(b"b")]);
        queue.settle().await.unwrap();
        queue.queue(vec![forget(b"c")]);
        queue.settle().await.unwrap();
        queue.settle().await.unwrap();
        assert_eq!(*disk.written.lock(), vec![forget(b"a"), forget(b"b"), forget(b"c")]);
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_tried_again() {
        let disk = Arc::new(Disk::default());
        let queue = StableQueue::new(disk.clone());
        *disk.broken.lock() = true;
        queue.queue(vec![forget(b"a")]);
        assert!(queue.settle().await.is_err());
        assert!(queue.settle().await.is_err());
        *disk.broken.lock() = false;
        queue.settle().await.unwrap();
        assert_eq!(*disk.written.lock(), vec![forget(b"a")]);
    }
}
