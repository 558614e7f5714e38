//! The numbers that count requests: of slots, of CREATE_SESSION, and in 4.0 of open-owners and lock-owners.
//!
//! A replay may send a request more often than it was recorded, or leave it out. So the recorded numbers are not sent
//! as they are, but the steps between them are kept: a recorded retry is a retry now, and a gap stays a gap.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use nfs4_protocol::nfs4::{Lock4Res, Locker4, NfsArgop4, NfsResop4, NfsStat4, Sessionid4, StateOwner4, Stateid4};

/// What counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counting {
    /// A slot of a session.
    Slot(Sessionid4, u32),
    /// The sessions of a client.
    Sessions(u64),
    /// An open-owner of a client.
    OpenOwner(u64, Bytes),
    /// A lock-owner of a client.
    LockOwner(u64, Bytes),
}

/// The last number that the server took, then and now.
#[derive(Debug, Default)]
struct Counter {
    then: u32,
    now: u32,
    /// Numbers taken then that were not sent now.
    left_out: BTreeSet<u32>,
}

/// All numbers, by the identities of the recording.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    counters: HashMap<Counting, Counter>,
    /// Whose the stateids of opens and locks are.
    owners: HashMap<[u8; 12], Counting>,
}

/// Operations and the results that they had; fewer when one failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) ops: &'a [NfsArgop4],
    pub(super) results: &'a [NfsResop4],
}

/// Errors that do not move the seqid of an owner (RFC 7530 §9.1.7).
const NOT_COUNTED: &[NfsStat4] = &[
    NfsStat4::StaleClientid,
    NfsStat4::StaleStateid,
    NfsStat4::BadStateid,
    NfsStat4::BadSeqid,
    NfsStat4::Badxdr,
    NfsStat4::Resource,
    NfsStat4::Nofilehandle,
    NfsStat4::Moved,
];

impl Counter {
    /// The number of now for a recorded one.
    fn number(&self, then: u32) -> u32 {
        let step = then.wrapping_sub(self.then);
        // Half of the numbers lie behind, as retries.
        let left_out = self.left_out.iter().filter(|left| {
            let behind = left.wrapping_sub(self.then);
            step < 1 << 31 && behind > 0 && behind < step
        });
        self.now.wrapping_add(step).wrapping_sub(u32::try_from(left_out.count()).unwrap_or(u32::MAX))
    }
}

impl Numbers {
    /// Writes the numbers of now into the operations of a recorded compound.
    pub(super) fn to_now(&self, ops: &mut [NfsArgop4], minor: u32) {
        for op in ops {
            for (counting, number) in self.places(op, minor) {
                let counter = counting.and_then(|counting| self.counters.get(&counting));
                *number = counter.map_or(*number, |counter| counter.number(*number));
            }
        }
    }

    /// Learns what became of a compound: its operations with the recorded numbers and with those that were sent, and
    /// the results of both.
    pub(super) fn settle(&mut self, minor: u32, then: Counted<'_>, now: Counted<'_>) {
        for ((op, result), (sent_op, sent_result)) in then.pairs().zip(now.pairs()) {
            // What is sent has the identities of now, so only the recorded operation tells what counts.
            let sent = self.numbers(sent_op, minor);
            for ((counting, recorded), (_, sent)) in self.numbers(op, minor).into_iter().zip(sent) {
                let Some(counting) = counting else { continue };
                let (taken_then, taken_now) = (counting.is_taken(result), counting.is_taken(sent_result));
                let counter = self.counter(counting, recorded, sent);
                if taken_then {
                    counter.then = recorded;
                    counter.left_out.clear();
                }
                if taken_now {
                    counter.now = sent;
                }
            }
            self.learn_owner(op, result);
            self.learn_sessions(result, sent_result);
        }
    }

    /// Learns from a try that was not recorded: the results of now.
    pub(super) fn settle_extra(&mut self, minor: u32, tried: Counted<'_>) {
        for (op, result) in tried.pairs() {
            for (counting, number) in self.taken(op, result, minor) {
                let counter = self.counter(counting, number, number);
                counter.now = counter.now.wrapping_add(1);
            }
        }
    }

    /// Learns that a recorded compound is not sent: the results of then.
    pub(super) fn leave_out(&mut self, minor: u32, left: Counted<'_>) {
        for (op, result) in left.pairs() {
            for (counting, number) in self.taken(op, result, minor) {
                self.counter(counting, number, number).left_out.insert(number);
            }
            self.learn_owner(op, result);
        }
    }

    /// Whose open it is, and the seqid that the owner sends next, in 4.0.
    pub(super) fn next_of_open(&self, stateid: &Stateid4) -> Option<u32> {
        let counter = self.counters.get(self.owners.get(&stateid.other)?)?;
        Some(counter.now.wrapping_add(1))
    }

    /// The owner of the open sent one request more than it did then.
    pub(super) fn one_more_of_open(&mut self, stateid: &Stateid4) {
        if let Some(counter) = self.owners.get(&stateid.other).and_then(|owner| self.counters.get_mut(owner)) {
            counter.now = counter.now.wrapping_add(1);
        }
    }

    /// The counter, made now for the numbers that come first when there is none.
    fn counter(&mut self, counting: Counting, then: u32, now: u32) -> &mut Counter {
        let before = |number: u32| number.wrapping_sub(1);
        let first = || Counter { then: before(then), now: before(now), left_out: BTreeSet::new() };
        self.counters.entry(counting).or_insert_with(first)
    }

    /// The numbers that a request with this result moved.
    fn taken(&self, op: &NfsArgop4, result: &NfsResop4, minor: u32) -> Vec<(Counting, u32)> {
        let numbers = self.numbers(op, minor).into_iter();
        let known = numbers.filter_map(|(counting, number)| Some((counting?, number)));
        known.filter(|(counting, _)| counting.is_taken(result)).collect()
    }

    fn numbers(&self, op: &NfsArgop4, minor: u32) -> Vec<(Option<Counting>, u32)> {
        let mut op = op.clone();
        self.places(&mut op, minor).into_iter().map(|(counting, number)| (counting, *number)).collect()
    }

    /// The numbers in an operation, where they stand, and what counts, if that is known.
    fn places<'o>(&self, op: &'o mut NfsArgop4, minor: u32) -> Vec<(Option<Counting>, &'o mut u32)> {
        let of = |stateid: &Stateid4| self.owners.get(&stateid.other).cloned();
        vec![match op {
            NfsArgop4::Sequence(args) => (Some(Counting::Slot(args.sessionid, args.slotid)), &mut args.sequenceid),
            NfsArgop4::CreateSession(args) => (Some(Counting::Sessions(args.clientid)), &mut args.sequence),
            // Later minor versions have these fields and do not look at them.
            _ if minor > 0 => return Vec::new(),
            NfsArgop4::Open(args) => (Some(Counting::open_owner(&args.owner)), &mut args.seqid),
            NfsArgop4::OpenConfirm(args) => (of(&args.open_stateid), &mut args.seqid),
            NfsArgop4::OpenDowngrade(args) => (of(&args.open_stateid), &mut args.seqid),
            NfsArgop4::Close(args) => (of(&args.open_stateid), &mut args.seqid),
            NfsArgop4::Locku(args) => (of(&args.lock_stateid), &mut args.seqid),
            NfsArgop4::Lock(args) => match &mut args.locker {
                Locker4::LockOwner(locker) => (of(&locker.lock_stateid), &mut locker.lock_seqid),
                Locker4::OpenOwner(locker) => {
                    let lock_owner = Counting::lock_owner(&locker.lock_owner);
                    return vec![
                        (of(&locker.open_stateid), &mut locker.open_seqid),
                        (Some(lock_owner), &mut locker.lock_seqid),
                    ];
                }
            },
            _ => return Vec::new(),
        }]
    }

    fn learn_owner(&mut self, op: &NfsArgop4, result: &NfsResop4) {
        match (op, result) {
            (NfsArgop4::Open(args), NfsResop4::Open(result)) => {
                if let Ok(opened) = result.as_ref() {
                    self.owners.insert(opened.stateid.other, Counting::open_owner(&args.owner));
                }
            }
            (NfsArgop4::Lock(args), NfsResop4::Lock(result)) => {
                if let (Locker4::OpenOwner(locker), Lock4Res::Ok(locked)) = (&args.locker, result.as_ref()) {
                    self.owners.insert(locked.lock_stateid.other, Counting::lock_owner(&locker.lock_owner));
                }
            }
            _ => {}
        }
    }

    /// EXCHANGE_ID says which number CREATE_SESSION begins with.
    fn learn_sessions(&mut self, then: &NfsResop4, now: &NfsResop4) {
        if let (NfsResop4::ExchangeId(then), NfsResop4::ExchangeId(now)) = (then, now)
            && let (Ok(then), Ok(now)) = (then.as_ref(), now.as_ref())
        {
            let before = |number: u32| number.wrapping_sub(1);
            let counter =
                Counter { then: before(then.sequenceid), now: before(now.sequenceid), left_out: BTreeSet::new() };
            self.counters.insert(Counting::Sessions(then.clientid), counter);
        }
    }
}

impl<'a> Counted<'a> {
    fn pairs(self) -> impl Iterator<Item = (&'a NfsArgop4, &'a NfsResop4)> {
        self.ops.iter().zip(self.results)
    }
}

impl Counting {
    fn open_owner(owner: &StateOwner4) -> Self {
        Self::OpenOwner(owner.clientid, owner.owner.clone())
    }

    fn lock_owner(owner: &StateOwner4) -> Self {
        Self::LockOwner(owner.clientid, owner.owner.clone())
    }

    /// Whether a request with this result moved the number.
    fn is_taken(&self, result: &NfsResop4) -> bool {
        match self {
            Self::Slot(..) | Self::Sessions(_) => result.status() == NfsStat4::Ok,
            Self::OpenOwner(..) | Self::LockOwner(..) => !NOT_COUNTED.contains(&result.status()),
        }
    }
}

#[cfg(test)]
#[path = "numbers_tests.rs"]
mod tests;
