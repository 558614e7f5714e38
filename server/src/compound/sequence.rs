//! SEQUENCE (RFC 8881 §18.46): entering a session, and the slot that gets the reply.

use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{NfsResop4, NfsStat4, Sequence4Args, Sequence4Resok};

use super::context::{CompoundContext, ReplyBudget};
use super::service::Service;
use crate::state::{SequenceOutcome, SequenceReply, SequenceRequest, SlotToken};

/// The RPC header of a reply with an empty verifier: sessions count it in the size of a reply (RFC 8881 §18.36.3).
pub(super) const RPC_REPLY_HEADER_BYTES: usize = 24;

/// What SEQUENCE leads to.
pub(super) enum Entry {
    /// The reply of the first time.
    Replay(Vec<Bytes>),
    /// A retry of a request whose reply was not kept.
    Uncached(NfsResop4),
    /// A new request.
    Run { result: NfsResop4, slot: SlotGuard, operations_max: u32, request_bytes_max: usize },
}

/// The slot of a request that runs. It gets the reply, or is set free when the request came to no end.
pub(super) struct SlotGuard {
    service: Arc<Service>,
    token: Option<SlotToken>,
    /// Whether the reply is kept for a retry.
    pub(super) cache: bool,
}

impl SlotGuard {
    /// Leaves the reply in the slot. What is kept is copied into one buffer: a piece of READ data would hold on to the
    /// whole block that it is a part of.
    pub(super) fn complete(mut self, reply: &[Bytes]) {
        if let Some(token) = self.token.take() {
            let kept = if self.cache { vec![Bytes::from(reply.concat())] } else { Vec::new() };
            self.service.state(|state, _| state.complete(token, kept, self.cache));
        }
    }
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            self.service.state(|state, _| state.abandon(token));
        }
    }
}

/// Enters the session of `args`; on success the context has it.
pub(super) fn enter(cx: &mut CompoundContext, args: &Sequence4Args, request_hash: u64) -> Result<Entry, NfsStat4> {
    let request = SequenceRequest {
        sessionid: args.sessionid,
        sequenceid: args.sequenceid,
        slotid: args.slotid,
        highest_slotid: args.highest_slotid,
        request_hash,
        connection: cx.connection(),
    };
    let outcome = cx.service().state(|state, now| state.sequence(&request, now))?;
    Ok(match outcome {
        SequenceOutcome::Replay(reply) => Entry::Replay(reply),
        SequenceOutcome::Uncached(reply) => Entry::Uncached(result(&reply)),
        SequenceOutcome::Execute { token, reply } => {
            let slot = SlotGuard { service: Arc::clone(cx.service()), token: Some(token), cache: args.cachethis };
            let entry = Entry::Run {
                result: result(&reply),
                slot,
                operations_max: reply.limits.maxoperations,
                request_bytes_max: bytes(reply.limits.maxrequestsize),
            };
            let budget = budget(&reply, args.cachethis);
            cx.enter_session(reply, budget);
            entry
        }
    })
}

/// How long the reply may get: what the session allows, and where it is to be kept, what its slot holds
/// (RFC 8881 §2.10.6.4).
fn budget(session: &SequenceReply, cache_this: bool) -> ReplyBudget {
    let whole = bytes(session.limits.maxresponsesize);
    let cached = bytes(session.limits.maxresponsesize_cached);
    let (bytes_max, status) =
        if cache_this && cached < whole { (cached, NfsStat4::RepTooBigToCache) } else { (whole, NfsStat4::RepTooBig) };
    ReplyBudget { bytes_max: bytes_max.saturating_sub(RPC_REPLY_HEADER_BYTES), status }
}

fn bytes(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn result(reply: &SequenceReply) -> NfsResop4 {
    NfsResop4::Sequence(Ok(Sequence4Resok {
        sessionid: reply.sessionid,
        sequenceid: reply.sequenceid,
        slotid: reply.slotid,
        highest_slotid: reply.highest_slotid,
        target_highest_slotid: reply.target_highest_slotid,
        status_flags: reply.status_flags,
    }))
}
