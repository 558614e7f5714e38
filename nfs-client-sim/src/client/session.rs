//! The slots of a 4.1 session.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nfs4_protocol::nfs4::{Sequence4Args, Sequence4Resok, Sessionid4};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Error;

/// The sequence ID of the first request in a slot (RFC 8881 §18.36.4).
const FIRST_SEQUENCEID: u32 = 1;

/// A session, and which of its slots are free.
#[derive(Debug)]
pub struct Session {
    id: Sessionid4,
    slots: Mutex<Slots>,
    /// Somebody may look for a slot again.
    vacancy: Notify,
    status_flags: AtomicU32,
}

#[derive(Debug)]
struct Slots {
    /// Free slots and the sequence IDs of their next requests.
    free: BTreeMap<u32, u32>,
    /// Slots in use and the sequence IDs of their requests.
    in_use: BTreeMap<u32, u32>,
    /// Slots from this one on are not used, as the server wishes.
    limit: u32,
}

/// A slot that carries one request.
///
/// [`Slot::done`] puts it back. A slot dropped without that is retired: nobody knows whether its request was executed,
/// and a next request with either sequence ID could be taken for another one.
#[derive(Debug)]
pub struct Slot {
    session: Arc<Session>,
    id: u32,
    sequenceid: u32,
}

impl Session {
    pub(crate) fn new(id: Sessionid4, slots: u32) -> Self {
        let slots = slots.max(1);
        let free = (0..slots).map(|slot| (slot, FIRST_SEQUENCEID)).collect();
        let slots = Mutex::new(Slots { free, in_use: BTreeMap::new(), limit: slots });
        Self { id, slots, vacancy: Notify::new(), status_flags: AtomicU32::new(0) }
    }

    /// The session's ID.
    #[must_use]
    pub const fn id(&self) -> Sessionid4 {
        self.id
    }

    /// The flags of the latest SEQUENCE (`SEQ4_STATUS_*`).
    #[must_use]
    pub fn status_flags(&self) -> u32 {
        self.status_flags.load(Ordering::Relaxed)
    }

    /// Waits for a free slot and takes the lowest.
    ///
    /// # Errors
    /// [`Error::NoSlot`] when all slots are retired.
    pub async fn slot(self: &Arc<Self>) -> Result<Slot, Error> {
        loop {
            let vacancy = self.vacancy.notified();
            if let Some(slot) = self.take()? {
                return Ok(slot);
            }
            vacancy.await;
        }
    }

    fn take(self: &Arc<Self>) -> Result<Option<Slot>, Error> {
        let mut slots = self.slots.lock();
        let Some((&id, &sequenceid)) = slots.free.first_key_value() else {
            return if slots.in_use.is_empty() { Err(Error::NoSlot) } else { Ok(None) };
        };
        // Retired slots may have left none below the limit: then one above it is better than none.
        if id >= slots.limit && !slots.in_use.is_empty() {
            return Ok(None);
        }
        slots.free.remove(&id);
        slots.in_use.insert(id, sequenceid);
        Ok(Some(Slot { session: Arc::clone(self), id, sequenceid }))
    }

    /// Whether a request with this sequence ID is on its way in a slot.
    pub(crate) fn is_outstanding(&self, slot: u32, sequenceid: u32) -> bool {
        self.slots.lock().in_use.get(&slot) == Some(&sequenceid)
    }

    /// Uses no slot above this one from now on (RFC 8881 §2.10.6.1).
    pub(crate) fn limit(&self, highest: u32) {
        self.slots.lock().limit = highest.saturating_add(1);
        self.vacancy.notify_waiters();
    }

    /// Learns what SEQUENCE says about the session. Returns whether the server wants attention.
    pub(crate) fn note(&self, result: &Sequence4Resok) -> bool {
        self.status_flags.store(result.status_flags, Ordering::Relaxed);
        if self.slots.lock().limit != result.target_highest_slotid.saturating_add(1) {
            self.limit(result.target_highest_slotid);
        }
        result.status_flags != 0
    }

    /// Forgets the flags, which were seen to.
    pub(crate) fn clear_status_flags(&self) {
        self.status_flags.store(0, Ordering::Relaxed);
    }
}

impl Slot {
    /// The arguments of SEQUENCE for the request.
    #[must_use]
    pub fn sequence(&self, cachethis: bool) -> Sequence4Args {
        let highest = self.session.slots.lock().in_use.last_key_value().map(|(slot, _)| *slot);
        Sequence4Args {
            sessionid: self.session.id,
            sequenceid: self.sequenceid,
            slotid: self.id,
            highest_slotid: highest.unwrap_or(self.id),
            cachethis,
        }
    }

    /// Puts the slot back. `executed`: whether the server accepted SEQUENCE, and so expects the next sequence ID.
    pub fn done(self, executed: bool) {
        let sequenceid = if executed { self.sequenceid.wrapping_add(1) } else { self.sequenceid };
        self.session.slots.lock().free.insert(self.id, sequenceid);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = self.session.slots.lock();
        slots.in_use.remove(&self.id);
        let retired_all = slots.in_use.is_empty() && slots.free.is_empty();
        drop(slots);
        if retired_all {
            self.session.vacancy.notify_waiters();
        } else {
            self.session.vacancy.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn session(slots: u32) -> Arc<Session> {
        Arc::new(Session::new(Sessionid4([7; 16]), slots))
    }

    fn take(session: &Arc<Session>) -> Option<Slot> {
        session.slot().now_or_never().map(Result::unwrap)
    }

    #[test]
    fn the_sequence_moves_only_with_executed_requests() {
        let session = session(1);
        for (expected, executed) in [(1, true), (2, false), (2, true), (3, true)] {
            let slot = take(&session).unwrap();
            let args = slot.sequence(true);
            assert_eq!((args.sequenceid, args.slotid, args.cachethis), (expected, 0, true));
            slot.done(executed);
        }
    }

    #[test]
    fn no_more_requests_than_slots() {
        let session = session(2);
        let slots = [take(&session).unwrap(), take(&session).unwrap()];
        assert!(take(&session).is_none());
        assert_eq!(slots.each_ref().map(|slot| slot.sequence(false).slotid), [0, 1]);
        assert_eq!(slots[0].sequence(false).highest_slotid, 1);
        let [first, _second] = slots;
        first.done(true);
        assert_eq!(take(&session).unwrap().sequence(false).slotid, 0);
    }

    #[test]
    fn the_server_bounds_the_slots_in_use() {
        let session = session(4);
        session.limit(0);
        let first = take(&session).unwrap();
        assert!(take(&session).is_none());
        assert!(session.is_outstanding(0, 1) && !session.is_outstanding(0, 2) && !session.is_outstanding(1, 1));
        session.limit(1);
        assert_eq!(take(&session).unwrap().sequence(false).slotid, 1);
        first.done(true);
        assert!(!session.is_outstanding(0, 1));
    }

    #[tokio::test]
    async fn who_waits_learns_that_no_slot_is_left() {
        let session = session(1);
        let slot = session.slot().await.unwrap();
        let mut waiting = std::pin::pin!(session.slot());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(slot);
        assert!(matches!(waiting.await, Err(Error::NoSlot)));
    }

    #[test]
    fn a_slot_without_an_answer_is_not_used_again() {
        let session = session(2);
        drop(take(&session).unwrap());
        let slot = take(&session).unwrap();
        assert_eq!(slot.sequence(false).slotid, 1);
        assert!(take(&session).is_none());
        slot.done(true);
        assert_eq!(take(&session).unwrap().sequence(false).slotid, 1);
    }
}
