//! The sequence numbers of the owners of 4.0 (RFC 7530 §9.1.7): requests of one owner run one after the other, and a
//! retransmission gets the answer of the first time.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{Locker4, NfsArgop4, NfsStat4, OpNum};
use nfs4_protocol::xdr::{Encoder, to_bytes};

use super::context::CompoundContext;
use super::reply::OpReply;
use super::service::Service;
use super::{dispatch, run};
use crate::fs::filesystem::Handle;
use crate::state::{CachedReply, ClientId, SeqidOutcome, SeqidOwner, SeqidToken};

/// Where the status stands in the result of an operation: behind its number.
const STATUS_AT: std::ops::Range<usize> = 4..8;

/// Whether 4.0 orders the operation by the sequence number of an owner.
pub(super) fn is_sequenced(op: OpNum) -> bool {
    matches!(op, OpNum::Open | OpNum::OpenConfirm | OpNum::OpenDowngrade | OpNum::Close | OpNum::Lock | OpNum::Locku)
}

/// What the state says to a request of an owner.
enum Admission {
    /// It is the owner's turn.
    Turn(SeqidToken),
    /// The request was answered before.
    Replay(CachedReply),
}

/// Waits for the owner's turn, runs the operation, and keeps the result for a retransmission.
pub(super) async fn run(cx: &mut CompoundContext, op: NfsArgop4) -> OpReply {
    let opnum = op.opnum();
    let turn = match admit(cx, &op).await {
        Ok(Admission::Turn(token)) => Turn { service: Arc::clone(cx.service()), token: Some(token) },
        Ok(Admission::Replay(cached)) => return replay(cx, opnum, cached).await,
        Err(status) => return OpReply::failed(opnum, status),
    };
    let result = dispatch::run(cx, op).await;
    let encoded = to_bytes(&result);
    let reply = OpReply::from(result);
    let filehandle = (opnum == OpNum::Open && reply.status == NfsStat4::Ok)
        .then(|| cx.current().ok().map(|node| node.handle.as_bytes().clone()))
        .flatten();
    turn.end(reply.status, CachedReply { reply: encoded, filehandle });
    reply
}

/// Asks the state until the owner is free.
async fn admit(cx: &CompoundContext, op: &NfsArgop4) -> Result<Admission, NfsStat4> {
    let request_hash = run::hash(cx.principal(), &to_bytes(op));
    loop {
        // Armed before the state is asked, so that a release in between is not missed.
        let mut released = pin!(cx.service().owner_released.notified());
        released.as_mut().enable();
        let (owner, seqid) = owner_of(op).ok_or(NfsStat4::Serverfault)?;
        match cx.service().state(|state, now| state.begin_seqid(owner, seqid, request_hash, now))? {
            SeqidOutcome::Proceed(token) => return Ok(Admission::Turn(token)),
            SeqidOutcome::Replay(cached) => return Ok(Admission::Replay(cached)),
            SeqidOutcome::Busy => released.await,
        }
    }
}

/// The owner whose number the operation carries, and the number.
fn owner_of(op: &NfsArgop4) -> Option<(SeqidOwner<'_>, u32)> {
    Some(match op {
        NfsArgop4::Open(args) => {
            let owner = SeqidOwner::OpenOwner { clientid: ClientId(args.owner.clientid), owner: &args.owner.owner };
            (owner, args.seqid)
        }
        NfsArgop4::OpenConfirm(args) => (SeqidOwner::OfOpen(&args.open_stateid), args.seqid),
        NfsArgop4::OpenDowngrade(args) => (SeqidOwner::OfOpen(&args.open_stateid), args.seqid),
        NfsArgop4::Close(args) => (SeqidOwner::OfOpen(&args.open_stateid), args.seqid),
        NfsArgop4::Lock(args) => match &args.locker {
            Locker4::OpenOwner(new) => (SeqidOwner::OfOpen(&new.open_stateid), new.open_seqid),
            Locker4::LockOwner(old) => (SeqidOwner::OfLock(&old.lock_stateid), old.lock_seqid),
        },
        NfsArgop4::Locku(args) => (SeqidOwner::OfLock(&args.lock_stateid), args.seqid),
        _ => return None,
    })
}

/// Puts out the result of the first time; an OPEN leaves the file as the current filehandle again. If that cannot be
/// had, there is none: what follows would take the directory for the file.
async fn replay(cx: &mut CompoundContext, op: OpNum, cached: CachedReply) -> OpReply {
    if let Some(handle) = cached.filehandle.and_then(Handle::new) {
        match cx.fs().resolve(&handle).await {
            Ok(node) => cx.set_current(node),
            Err(error) => {
                tracing::debug!(%error, "a replayed OPEN without its file");
                cx.consume_current();
            }
        }
    }
    let Some(status) = status_of(&cached.reply) else {
        return OpReply::failed(op, NfsStat4::Serverfault);
    };
    let mut encoded = Encoder::new();
    encoded.chain(&cached.reply);
    OpReply { status, encoded }
}

fn status_of(reply: &Bytes) -> Option<NfsStat4> {
    let word = reply.get(STATUS_AT)?.first_chunk()?;
    NfsStat4::from_u32(u32::from_be_bytes(*word))
}

/// An owner's turn. It ends with the result, or is given up when the operation came to no end.
struct Turn {
    service: Arc<Service>,
    token: Option<SeqidToken>,
}

impl Turn {
    fn end(mut self, status: NfsStat4, reply: CachedReply) {
        if let Some(token) = self.token.take() {
            self.service.state(|state, now| state.end_seqid(token, status, reply, now));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            self.service.state(|state, _| state.abandon_seqid(token));
        }
        self.service.owner_released.notify_waiters();
    }
}
