//! What is known of the locks of one lock-owner on one open file.

use bytes::Bytes;
use nfs4_protocol::nfs4::{NfsLockType4, OpNum, Stateid4};
use parking_lot::Mutex;
use tokio::sync::MutexGuard;

use crate::Reply;
use crate::client::moves_seqid;

/// A lock-owner of one open file.
#[derive(Debug)]
pub(crate) struct LockState {
    name: Bytes,
    /// In 4.0 the requests of a lock-owner go one after the other, so this is held for the whole exchange.
    turn: tokio::sync::Mutex<()>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// None until the first lock.
    stateid: Option<Stateid4>,
    seqid: u32,
    ranges: Ranges,
}

/// A range and how to lock it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) locktype: NfsLockType4,
    pub(crate) offset: u64,
    /// All ones means "to the end".
    pub(crate) length: u64,
}

/// Locked ranges that do not overlap.
#[derive(Debug, Default)]
struct Ranges(Vec<Range>);

impl LockState {
    pub(crate) fn new(name: Bytes) -> Self {
        Self { name, turn: tokio::sync::Mutex::default(), held: Mutex::default() }
    }

    pub(crate) const fn name(&self) -> &Bytes {
        &self.name
    }

    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(crate) fn stateid(&self) -> Option<Stateid4> {
        self.held.lock().stateid
    }

    pub(crate) fn seqid(&self) -> u32 {
        self.held.lock().seqid
    }

    /// Moves the lock-owner's sequence ID on, if the server did.
    pub(crate) fn advance(&self, reply: &Reply) {
        let status = [OpNum::Lock, OpNum::Locku].into_iter().find_map(|op| reply.status_of(op));
        if status.is_some_and(moves_seqid) {
            let mut held = self.held.lock();
            held.seqid = held.seqid.wrapping_add(1);
        }
    }

    pub(crate) fn granted(&self, range: Range, stateid: Stateid4) {
        let mut held = self.held.lock();
        if held.stateid.is_none() {
            // The request that made the lock-owner known had the lock sequence ID 0.
            held.seqid = 1;
        }
        held.stateid = Some(stateid);
        held.ranges.add(range);
    }

    pub(crate) fn unlocked(&self, range: Range, stateid: Stateid4) {
        let mut held = self.held.lock();
        held.stateid = Some(stateid);
        held.ranges.remove(range);
    }

    pub(crate) fn has_ranges(&self) -> bool {
        !self.held.lock().ranges.0.is_empty()
    }

    /// Forgets what the server forgot. Returns the ranges that were locked.
    pub(crate) fn start_over(&self) -> Vec<Range> {
        let mut held = self.held.lock();
        (held.stateid, held.seqid) = (None, 0);
        held.ranges.0.clone()
    }
}

impl Range {
    const fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }

    /// What is left of the range outside another: before it and behind it.
    fn without(self, other: &Self) -> impl Iterator<Item = Self> {
        let before = Self { length: other.offset.saturating_sub(self.offset).min(self.length), ..self };
        let start = self.offset.max(other.end());
        // A range to the end stays one.
        let length = if self.end() == u64::MAX { u64::MAX } else { self.end().saturating_sub(start) };
        let behind = (start < self.end()).then_some(Self { offset: start, length, ..self });
        (before.length > 0).then_some(before).into_iter().chain(behind)
    }
}

impl Ranges {
    fn add(&mut self, range: Range) {
        self.remove(range);
        self.0.push(range);
    }

    fn remove(&mut self, range: Range) {
        self.0 = self.0.iter().flat_map(|held| held.without(&range)).collect();
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const READ: NfsLockType4 = NfsLockType4::Read;
    const WRITE: NfsLockType4 = NfsLockType4::Write;

    fn range(locktype: NfsLockType4, offset: u64, length: u64) -> Range {
        Range { locktype, offset, length }
    }

    #[test]
    fn a_later_lock_takes_the_place_of_what_it_covers() {
        let mut ranges = Ranges::default();
        ranges.add(range(WRITE, 0, 10));
        ranges.add(range(READ, 4, 2));
        assert_eq!(ranges.0, [range(WRITE, 0, 4), range(WRITE, 6, 4), range(READ, 4, 2)]);
        ranges.add(range(WRITE, 0, u64::MAX));
        assert_eq!(ranges.0, [range(WRITE, 0, u64::MAX)]);
    }

    #[test]
    fn unlocking_leaves_what_is_outside() {
        let mut ranges = Ranges::default();
        ranges.add(range(READ, 10, u64::MAX));
        ranges.remove(range(READ, 0, 10));
        assert_eq!(ranges.0, [range(READ, 10, u64::MAX)]);
        ranges.remove(range(READ, 20, 5));
        assert_eq!(ranges.0, [range(READ, 10, 10), range(READ, 25, u64::MAX)]);
        ranges.remove(range(READ, 15, u64::MAX));
        assert_eq!(ranges.0, [range(READ, 10, 5)]);
        ranges.remove(range(READ, 10, 5));
        assert!(ranges.0.is_empty());
    }
}
