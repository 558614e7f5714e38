//! The slots of a 4.1 session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nfs4_protocol::nfs4::{Sequence4Args, Sessionid4};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// The sequence ID of the first request in a slot (RFC 8881 §18.36.4).
const FIRST_SEQUENCEID: u32 = 1;

/// A session, and which of its slots are free.
#[derive(Debug)]
pub struct Session {
    id: Sessionid4,
    slots: Mutex<Slots>,
    vacancies: Arc<Semaphore>,
}

#[derive(Debug)]
struct Slots {
    /// Free slots and the sequence IDs of their next requests.
    free: BTreeMap<u32, u32>,
    in_use: BTreeSet<u32>,
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
    permit: Option<OwnedSemaphorePermit>,
}

impl Session {
    pub(crate) fn new(id: Sessionid4, slots: u32) -> Self {
        let slots = slots.max(1);
        let free = (0..slots).map(|slot| (slot, FIRST_SEQUENCEID)).collect();
        let vacancies = Arc::new(Semaphore::new(slots as usize));
        Self { id, slots: Mutex::new(Slots { free, in_use: BTreeSet::new() }), vacancies }
    }

    /// The session's ID.
    #[must_use]
    pub const fn id(&self) -> Sessionid4 {
        self.id
    }

    /// Waits for a free slot and takes the lowest.
    ///
    /// # Errors
    /// [`Error::Lost`] when the slots are in disorder, which a bug would mean.
    pub async fn slot(self: &Arc<Self>) -> Result<Slot, Error> {
        let lost = || Error::Lost("no slot".into());
        let permit = Arc::clone(&self.vacancies).acquire_owned().await.map_err(|_| lost())?;
        let mut slots = self.slots.lock();
        let (id, sequenceid) = slots.free.pop_first().ok_or_else(lost)?;
        slots.in_use.insert(id);
        Ok(Slot { session: Arc::clone(self), id, sequenceid, permit: Some(permit) })
    }
}

impl Slot {
    /// The arguments of SEQUENCE for the request.
    #[must_use]
    pub fn sequence(&self, cachethis: bool) -> Sequence4Args {
        let highest_slotid = self.session.slots.lock().in_use.last().copied().unwrap_or(self.id);
        Sequence4Args {
            sessionid: self.session.id,
            sequenceid: self.sequenceid,
            slotid: self.id,
            highest_slotid,
            cachethis,
        }
    }

    /// Puts the slot back. `executed`: whether the server accepted SEQUENCE, and so expects the next sequence ID.
    pub fn done(mut self, executed: bool) {
        let sequenceid = if executed { self.sequenceid.wrapping_add(1) } else { self.sequenceid };
        let mut slots = self.session.slots.lock();
        slots.in_use.remove(&self.id);
        slots.free.insert(self.id, sequenceid);
        drop(slots);
        drop(self.permit.take());
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.forget();
            self.session.slots.lock().in_use.remove(&self.id);
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
    fn a_slot_without_an_answer_is_not_used_again() {
        let session = session(2);
        drop(take(&session).unwrap());
        let slot = take(&session).unwrap();
        assert_eq!(slot.sequence(false).slotid, 1);
        assert!(take(&session).is_none());
    }
}
