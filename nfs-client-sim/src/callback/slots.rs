//! The slots of a back channel, where the client is the replier (RFC 8881 §2.10.6).

use nfs4_protocol::nfs4::{CbCompound4Res, CbSequence4Args, CbSequence4Resok, NfsStat4, Sessionid4};

/// The most slots of a back channel, whatever was agreed on.
const SLOTS_MAX: u32 = 64;

/// The back channel of a session.
#[derive(Debug)]
pub(crate) struct BackChannel {
    sessionid: Sessionid4,
    slots: Vec<BackSlot>,
    ops_max: usize,
}

#[derive(Debug, Clone, Default)]
struct BackSlot {
    /// The last request.
    sequenceid: u32,
    /// Its reply, once there is one. It is kept whether the server asks for that or not.
    reply: Option<CbCompound4Res>,
}

/// What a CB_SEQUENCE turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    New(CbSequence4Resok),
    /// The reply of the first time.
    Again(CbCompound4Res),
    Refused(NfsStat4),
}

impl BackChannel {
    pub(crate) fn new(sessionid: Sessionid4, slots: u32, ops_max: u32) -> Self {
        let slots = vec![BackSlot::default(); slots.clamp(1, SLOTS_MAX) as usize];
        Self { sessionid, slots, ops_max: ops_max as usize }
    }

    pub(crate) const fn sessionid(&self) -> Sessionid4 {
        self.sessionid
    }

    /// Takes a request of `ops` operations, CB_SEQUENCE included.
    pub(crate) fn enter(&mut self, args: &CbSequence4Args, ops: usize) -> Entered {
        if args.sessionid != self.sessionid {
            return Entered::Refused(NfsStat4::Badsession);
        }
        let highest = self.slots.len().saturating_sub(1) as u32;
        let Some(slot) = self.slots.get_mut(args.slotid as usize) else {
            return Entered::Refused(NfsStat4::Badslot);
        };
        if args.highest_slotid > highest || args.highest_slotid < args.slotid {
            return Entered::Refused(NfsStat4::BadHighSlot);
        }
        if args.sequenceid == slot.sequenceid && slot.sequenceid > 0 {
            return slot.reply.clone().map_or(Entered::Refused(NfsStat4::Delay), Entered::Again);
        }
        if args.sequenceid != slot.sequenceid.wrapping_add(1) {
            return Entered::Refused(NfsStat4::SeqMisordered);
        }
        if ops > self.ops_max {
            return Entered::Refused(NfsStat4::TooManyOps);
        }
        *slot = BackSlot { sequenceid: args.sequenceid, reply: None };
        let CbSequence4Args { sessionid, sequenceid, slotid, .. } = *args;
        let highest =
            CbSequence4Resok { sessionid, sequenceid, slotid, highest_slotid: highest, target_highest_slotid: highest };
        Entered::New(highest)
    }

    /// Keeps the reply of a new request.
    pub(crate) fn leave(&mut self, slotid: u32, reply: CbCompound4Res) {
        if let Some(slot) = self.slots.get_mut(slotid as usize) {
            slot.reply = Some(reply);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use pretty_assertions::assert_eq;

    use super::*;

    const SESSION: Sessionid4 = Sessionid4([1; 16]);

    fn sequence(slotid: u32, sequenceid: u32) -> CbSequence4Args {
        CbSequence4Args {
            sessionid: SESSION,
            sequenceid,
            slotid,
            highest_slotid: 1,
            cachethis: false,
            referring_call_lists: vec![],
        }
    }

    fn reply(tag: &'static str) -> CbCompound4Res {
        CbCompound4Res { status: NfsStat4::Ok, tag: Bytes::from_static(tag.as_bytes()), resarray: vec![] }
    }

    #[test]
    fn a_request_runs_once_and_its_retry_gets_the_reply() {
        let mut channel = BackChannel::new(SESSION, 2, 4);
        assert!(matches!(channel.enter(&sequence(0, 1), 2), Entered::New(_)));
        assert_eq!(channel.enter(&sequence(0, 1), 2), Entered::Refused(NfsStat4::Delay));
        channel.leave(0, reply("first"));
        assert_eq!(channel.enter(&sequence(0, 1), 2), Entered::Again(reply("first")));
        // Slots count each for itself.
        assert!(matches!(channel.enter(&sequence(1, 1), 2), Entered::New(_)));
        assert!(matches!(channel.enter(&sequence(0, 2), 2), Entered::New(_)));
    }

    #[test]
    fn what_is_out_of_order_is_refused_and_changes_nothing() {
        let mut channel = BackChannel::new(SESSION, 2, 4);
        let mut elsewhere = sequence(0, 1);
        elsewhere.sessionid = Sessionid4([2; 16]);
        let mut high = sequence(0, 1);
        high.highest_slotid = 2;
        let mut low = sequence(1, 1);
        low.highest_slotid = 0;
        for (args, ops, status) in [
            (elsewhere, 2, NfsStat4::Badsession),
            (sequence(2, 1), 2, NfsStat4::Badslot),
            (high, 2, NfsStat4::BadHighSlot),
            (low, 2, NfsStat4::BadHighSlot),
            (sequence(0, 0), 2, NfsStat4::SeqMisordered),
            (sequence(0, 2), 2, NfsStat4::SeqMisordered),
            (sequence(0, 1), 5, NfsStat4::TooManyOps),
        ] {
            assert_eq!(channel.enter(&args, ops), Entered::Refused(status));
        }
        assert!(matches!(channel.enter(&sequence(0, 1), 4), Entered::New(_)));
    }
}
