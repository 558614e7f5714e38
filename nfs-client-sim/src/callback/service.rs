//! CB_COMPOUND, and what the client answers.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Attrs, CbCompound4Args, CbCompound4Res, CbGetattr4Args, CbGetattr4Res, CbGetattr4Resok, CbRecall4Args,
    CbRecallAny4Args, CbSequence4Args, FATTR4_CHANGE, FATTR4_SIZE, NfsCbArgop4, NfsCbOpnum4, NfsCbResop4, NfsStat4,
    RCA4_TYPE_MASK_RDATA_DLG, RCA4_TYPE_MASK_WDATA_DLG, ReferringCallList4,
};
use parking_lot::Mutex;

use super::CallbackHook;
use super::slots::{BackChannel, Entered};
use crate::Session;
use crate::files::Opens;

/// Answers the callbacks of one client.
#[derive(Debug)]
pub(crate) struct Service {
    minor: u32,
    program: u32,
    hook: Option<Arc<dyn CallbackHook>>,
    opens: Arc<Opens>,
    channel: Mutex<Channel>,
}

/// The back channel of the present session.
#[derive(Debug, Default)]
enum Channel {
    #[default]
    None,
    /// CREATE_SESSION is on its way, and callbacks may come before its reply is seen.
    Expected,
    Open(BackChannel, Weak<Session>),
}

impl Service {
    pub(crate) fn new(minor: u32, program: u32, hook: Option<Arc<dyn CallbackHook>>, opens: Arc<Opens>) -> Self {
        Self { minor, program, hook, opens, channel: Mutex::default() }
    }

    pub(crate) const fn program(&self) -> u32 {
        self.program
    }

    pub(crate) fn expect_session(&self) {
        *self.channel.lock() = Channel::Expected;
    }

    pub(crate) fn open_channel(&self, session: &Arc<Session>, slots: u32, ops_max: u32) {
        let channel = BackChannel::new(session.id(), slots, ops_max);
        *self.channel.lock() = Channel::Open(channel, Arc::downgrade(session));
    }

    pub(crate) fn compound(&self, args: CbCompound4Args) -> CbCompound4Res {
        let CbCompound4Args { tag, minorversion, argarray, .. } = args;
        if minorversion != self.minor {
            return CbCompound4Res { status: NfsStat4::MinorVersMismatch, tag, resarray: vec![] };
        }
        match argarray.split_first() {
            _ if self.minor == 0 => self.run(tag, None, &argarray),
            None => result(tag, vec![]),
            Some((NfsCbArgop4::Sequence(sequence), rest)) => self.run_in_slot(tag, sequence, rest),
            Some((NfsCbArgop4::Illegal(_), _)) => result(tag, vec![illegal()]),
            Some((first, _)) => result(tag, vec![NfsCbResop4::failed(first.opnum(), NfsStat4::OpNotInSession)]),
        }
    }

    fn run_in_slot(&self, tag: Bytes, sequence: &CbSequence4Args, rest: &[NfsCbArgop4]) -> CbCompound4Res {
        match self.enter(sequence, rest.len() + 1) {
            Entered::New(entered) => {
                let reply = self.run(tag, Some(NfsCbResop4::Sequence(Ok(entered))), rest);
                if let Channel::Open(channel, _) = &mut *self.channel.lock()
                    && channel.sessionid() == sequence.sessionid
                {
                    channel.leave(sequence.slotid, reply.clone());
                }
                reply
            }
            Entered::Again(reply) => reply,
            Entered::Refused(status) => result(tag, vec![NfsCbResop4::failed(NfsCbOpnum4::Sequence, status)]),
        }
    }

    fn enter(&self, sequence: &CbSequence4Args, ops: usize) -> Entered {
        match &mut *self.channel.lock() {
            Channel::None => Entered::Refused(NfsStat4::Badsession),
            Channel::Expected => Entered::Refused(NfsStat4::Delay),
            Channel::Open(_, session) if is_early(session, &sequence.referring_call_lists) => {
                Entered::Refused(NfsStat4::Delay)
            }
            Channel::Open(channel, _) => channel.enter(sequence, ops),
        }
    }

    fn run(&self, tag: Bytes, sequence: Option<NfsCbResop4>, ops: &[NfsCbArgop4]) -> CbCompound4Res {
        let mut results: Vec<NfsCbResop4> = sequence.into_iter().collect();
        for op in ops {
            let result = self.answer(op);
            let failed = result.status() != NfsStat4::Ok;
            results.push(result);
            if failed {
                break;
            }
        }
        result(tag, results)
    }

    fn answer(&self, op: &NfsCbArgop4) -> NfsCbResop4 {
        let opnum = op.opnum();
        if matches!(op, NfsCbArgop4::Illegal(_)) || opnum.since_minor() > self.minor {
            return illegal();
        }
        if matches!(op, NfsCbArgop4::Sequence(_)) {
            return NfsCbResop4::failed(opnum, NfsStat4::SequencePos);
        }
        if let Some(answer) = self.hook.as_ref().and_then(|hook| hook.answer(op)) {
            return answer;
        }
        match op {
            NfsCbArgop4::Getattr(args) => NfsCbResop4::Getattr(self.getattr(args)),
            NfsCbArgop4::Recall(args) => NfsCbResop4::Recall(self.recall(args)),
            NfsCbArgop4::RecallAny(args) => NfsCbResop4::RecallAny(self.recall_any(args)),
            NfsCbArgop4::RecallSlot(args) => {
                self.limit_slots(args.target_highest_slotid);
                NfsCbResop4::RecallSlot(Ok(()))
            }
            NfsCbArgop4::NotifyLock(_) => NfsCbResop4::NotifyLock(Ok(())),
            NfsCbArgop4::Layoutrecall(_) => NfsCbResop4::Layoutrecall(Err(NfsStat4::NomatchingLayout)),
            _ => NfsCbResop4::failed(opnum, NfsStat4::Notsupp),
        }
    }

    /// What the holder of a write delegation knows (RFC 8881 §10.4.3). Nothing is cached here, so the change attribute
    /// is still the one that came with the delegation.
    fn getattr(&self, args: &CbGetattr4Args) -> CbGetattr4Res {
        let delegation = self.opens.write_delegation_of(&args.fh).ok_or(NfsStat4::Badhandle)?;
        let asked = |attribute| args.attr_request.contains(attribute);
        let attrs = Attrs {
            change: asked(FATTR4_CHANGE).then_some(delegation.change),
            size: asked(FATTR4_SIZE).then_some(delegation.size),
            ..Attrs::default()
        };
        Ok(CbGetattr4Resok { obj_attributes: attrs.to_fattr4() })
    }

    fn recall(&self, args: &CbRecall4Args) -> Result<(), NfsStat4> {
        match self.opens.holder_of(&args.stateid) {
            Some(file) if file.handle == args.fh => {
                self.opens.give_back(file);
                Ok(())
            }
            Some(_) => Err(NfsStat4::Badhandle),
            // The reply that grants the delegation may still be on its way.
            None if self.opens.is_opening() => Err(NfsStat4::Delay),
            None => Err(NfsStat4::BadStateid),
        }
    }

    fn recall_any(&self, args: &CbRecallAny4Args) -> Result<(), NfsStat4> {
        let wanted = |is_write| {
            let bit = if is_write { RCA4_TYPE_MASK_WDATA_DLG } else { RCA4_TYPE_MASK_RDATA_DLG };
            args.type_mask.contains(bit)
        };
        let holders = self.opens.holders().into_iter().filter(|(_, delegation)| wanted(delegation.is_write()));
        for (file, _) in holders.skip(args.objects_to_keep as usize) {
            self.opens.give_back(file);
        }
        Ok(())
    }

    fn limit_slots(&self, highest: u32) {
        if let Channel::Open(_, session) = &*self.channel.lock()
            && let Some(session) = session.upgrade()
        {
            session.limit(highest);
        }
    }
}

/// Whether a callback refers to requests whose replies have not come (RFC 8881 §2.10.6.3).
fn is_early(session: &Weak<Session>, lists: &[ReferringCallList4]) -> bool {
    let Some(session) = session.upgrade() else { return false };
    let ours = lists.iter().filter(|list| list.sessionid == session.id());
    ours.flat_map(|list| &list.referring_calls).any(|call| session.is_outstanding(call.slotid, call.sequenceid))
}

fn illegal() -> NfsCbResop4 {
    NfsCbResop4::Illegal(Err(NfsStat4::OpIllegal))
}

fn result(tag: Bytes, resarray: Vec<NfsCbResop4>) -> CbCompound4Res {
    let status = resarray.last().map_or(NfsStat4::Ok, NfsCbResop4::status);
    CbCompound4Res { status, tag, resarray }
}
