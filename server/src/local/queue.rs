//! What waits to be written, and who waits for it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::ops::Bound;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::{Condvar, Mutex};
use redb::Database;
use tokio::sync::oneshot;

use super::{Change, LocalError, Table};

/// While so many bytes wait for the disk, [`super::Local::commit_later`] blocks.
pub const QUEUE_BYTES_MAX: usize = 16 << 20;
/// What a waiting row costs besides its bytes.
const ROW_OVERHEAD_BYTES: usize = 96;

/// Rows to write, the newest value of each; `None` deletes.
pub(super) type Rows = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;

/// Resolves when the changes of a [`super::Local::commit`] are on the disk.
#[derive(Debug)]
#[must_use = "nothing is durable before this resolves"]
pub struct Commit(oneshot::Receiver<Result<(), LocalError>>);

impl Future for Commit {
    type Output = Result<(), LocalError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|answer| answer.unwrap_or_else(|_| Err(LocalError::Failed("the writer ended".to_owned()))))
    }
}

/// What is written in one transaction.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) rows: Rows,
    pub(super) waiters: Vec<oneshot::Sender<Result<(), LocalError>>>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, changes: Vec<Change>) {
        for change in changes {
            let (place, value) = match change {
                Change::Put { table, key, value } => ((table, key), Some(value)),
                Change::Delete { table, key } => ((table, key), None),
            };
            // A row that is replaced before it was written still counts: bytes only ever overstates.
            self.bytes += ROW_OVERHEAD_BYTES + place.1.len() + value.as_ref().map_or(0, Vec::len);
            self.rows.insert(place, value);
        }
    }
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Batch,
    /// What the writer is writing now: readers must see it until redb shows it.
    writing: Option<Arc<Rows>>,
    failed: Option<LocalError>,
    closing: bool,
}

/// Shared by callers and the writer.
pub(super) struct Shared {
    pub(super) database: Database,
    queue: Mutex<Queue>,
    work: Condvar,
    room: Condvar,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(database: Database) -> Self {
        Self { database, queue: Mutex::default(), work: Condvar::new(), room: Condvar::new() }
    }

    pub(super) fn commit(&self, changes: Vec<Change>) -> Commit {
        let (done, answer) = oneshot::channel();
        let mut queue = self.queue.lock();
        if let Some(error) = &queue.failed {
            // The receiver is in our hands, so that this cannot fail.
            let _ = done.send(Err(error.clone()));
        } else {
            queue.waiting.add(changes);
            queue.waiting.waiters.push(done);
            self.work.notify_one();
        }
        Commit(answer)
    }

    pub(super) fn commit_later(&self, changes: Vec<Change>) -> Result<(), LocalError> {
        let mut queue = self.queue.lock();
        while queue.failed.is_none() && queue.waiting.bytes >= QUEUE_BYTES_MAX {
            self.room.wait(&mut queue);
        }
        if let Some(error) = &queue.failed {
            return Err(error.clone());
        }
        queue.waiting.add(changes);
        self.work.notify_one();
        Ok(())
    }

    /// The value the queue will give the row, if it changes it: `Some(None)` is a deletion.
    pub(super) fn queued(&self, table: Table, key: &[u8]) -> Option<Option<Vec<u8>>> {
        let place = (table, key.to_vec());
        let queue = self.queue.lock();
        let value = queue.waiting.rows.get(&place);
        value.or_else(|| queue.writing.as_ref().and_then(|rows| rows.get(&place))).cloned()
    }

    /// What the queue will do to the rows below `prefix` after `after`.
    pub(super) fn queued_below(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded((table, after.to_vec())),
            _ => Bound::Included((table, prefix.to_vec())),
        };
        let queue = self.queue.lock();
        let mut found = BTreeMap::new();
        for rows in queue.writing.as_deref().into_iter().chain([&queue.waiting.rows]) {
            let below = rows
                .range((from.clone(), Bound::Unbounded))
                .take_while(|((of, key), _)| *of == table && key.starts_with(prefix));
            found.extend(below.map(|((_, key), value)| (key.clone(), value.clone())));
        }
        found
    }

    /// Waits for something to write; `None` when all is written and the journal closes.
    pub(super) fn take(&self) -> Option<(Arc<Rows>, Batch)> {
        let mut queue = self.queue.lock();
        while queue.waiting.rows.is_empty() && queue.waiting.waiters.is_empty() {
            if queue.closing {
                return None;
            }
            self.work.wait(&mut queue);
        }
        let mut batch = std::mem::take(&mut queue.waiting);
        let rows = Arc::new(std::mem::take(&mut batch.rows));
        queue.writing = Some(Arc::clone(&rows));
        self.room.notify_all();
        Some((rows, batch))
    }

    /// Tells everybody how the batch went. After a failure whoever queued since then fails too, and so does all that comes.
    pub(super) fn finish(&self, batch: Batch, result: Result<(), LocalError>) {
        let mut waiters = batch.waiters;
        let mut queue = self.queue.lock();
        match &result {
            Ok(()) => queue.writing = None,
            Err(error) => {
                queue.failed = Some(error.clone());
                waiters.append(&mut queue.waiting.waiters);
                queue.waiting = Batch::default();
                self.room.notify_all();
            }
        }
        drop(queue);
        for waiter in waiters {
            // Whoever stopped waiting does not need the answer.
            let _ = waiter.send(result.clone());
        }
    }

    pub(super) fn close(&self) {
        self.queue.lock().closing = true;
        self.work.notify_all();
    }
}
