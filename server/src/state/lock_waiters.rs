//! The queue of those who poll for a byte range (READW, WRITEW).
//!
//! The protocol leaves fairness to the server (RFC 7530 §9.4, RFC 8881 §9.6). Here a blocking request gives way to an
//! earlier one that is still being polled; a request that does not block takes what is free, as its user expects. A
//! waiter leaves the queue when it gets its lock, when its client asks without blocking or unlocks, with its open, and
//! when it has not polled for a while.

use bytes::Bytes;

use super::identity::{ClientId, StateKey};
use super::lock::LockKind;
use super::lock_ranges::ByteRange;
use super::moment::Moment;

/// How long a waiter that does not poll keeps its place: Linux polls at least every 30 seconds.
const PATIENCE_MS: u64 = 35_000;

/// Who asks for a lock. The owner need not be known to the server otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) client: ClientId,
    pub(super) owner: Bytes,
    /// The open through which the lock is wanted.
    pub(super) open: StateKey,
}

/// A request that was denied and is expected again.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) asker: Asker,
    pub(super) range: ByteRange,
    pub(super) kind: LockKind,
    polled: Moment,
}

/// The waiters of one file, in the order in which they first asked.
#[derive(Debug, Default)]
pub(super) struct LockWaiters {
    queue: Vec<Waiter>,
}

impl LockWaiters {
    /// The first waiter before this asker that wants what does not stand beside the asked range.
    pub(super) fn ahead_of(&mut self, asker: &Asker, range: ByteRange, kind: LockKind, now: Moment) -> Option<&Waiter> {
        self.queue.retain(|waiter| now.since(waiter.polled) <= PATIENCE_MS);
        self.queue
            .iter()
            .take_while(|waiter| !waiter.is(asker, range, kind))
            .filter(|waiter| waiter.asker.client != asker.client || waiter.asker.owner != asker.owner)
            .find(|waiter| waiter.range.overlaps(range) && (kind == LockKind::Write || waiter.kind == LockKind::Write))
    }

    /// Notes that a blocking request was denied. One that is queued already keeps its place.
    pub(super) fn enter(&mut self, asker: Asker, range: ByteRange, kind: LockKind, now: Moment, limit: usize) {
        if let Some(waiter) = self.queue.iter_mut().find(|waiter| waiter.is(&asker, range, kind)) {
            waiter.polled = now;
        } else if self.queue.len() < limit {
            self.queue.push(Waiter { asker, range, kind, polled: now });
        }
    }

    /// Takes the asker's waits for these bytes out.
    pub(super) fn leave(&mut self, asker: &Asker, range: ByteRange) {
        self.queue.retain(|waiter| waiter.asker != *asker || !waiter.range.overlaps(range));
    }

    /// Takes out everybody who waits through an open that ends.
    pub(super) fn end_open(&mut self, open: StateKey) {
        self.queue.retain(|waiter| waiter.asker.open != open);
    }
}

impl Waiter {
    fn is(&self, asker: &Asker, range: ByteRange, kind: LockKind) -> bool {
        self.asker == *asker && self.range == range && self.kind == kind
    }
}
