//! The loop over the operations of a COMPOUND.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{CompoundRequest, MINOR_VERSION_MAX, NfsArgop4, NfsStat4, OpFault, OpNum};
use nfs4_protocol::xdr::{Decode, Decoder};

use super::context::{CompoundContext, ReplyBudget};
use super::reply::{OpReply, ReplyWriter, refused};
use super::sequence::{Entry, SlotGuard};
use super::table::Row;
use super::{Credentials, Service, dispatch, owner_seqid, table};
use crate::state::{ConnectionId, Principal};

/// The most operations in a request of 4.0; sessions of 4.1 agree on a number of their own.
const OPERATIONS_MAX_40: u32 = 256;
/// The most bytes of a reply of 4.0: the largest READ and room for what goes with it.
const REPLY_BYTES_MAX_40: usize = (1 << 20) + (128 << 10);
/// How much of a request is compared to tell a retry from another request in the same slot. Requests that a client
/// confuses differ in their first operations; to hash the megabytes of a WRITE as well would cost more than it finds.
const HASHED_BYTES_MAX: usize = 1024;

/// A call of the COMPOUND procedure.
#[derive(Debug)]
pub struct Call {
    /// The connection it came over.
    pub connection: ConnectionId,
    /// Who sent it.
    pub credentials: Credentials,
    /// COMPOUND4args.
    pub args: Bytes,
    /// The size of the whole request with its RPC header, as sessions count it (RFC 8881 §18.36.3).
    pub request_bytes: usize,
}

/// What to do about a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Send this COMPOUND4res.
    Reply(Vec<Bytes>),
    /// Answer that the arguments are garbage.
    Garbage,
    /// Answer nothing and drop the connection: what the reply would promise could not be made durable.
    Withheld,
}

impl Service {
    /// Runs a COMPOUND to its end. The caller must not cancel it: a slot or an owner would not get its reply.
    pub async fn compound(self: &Arc<Self>, call: Call) -> Answer {
        let request_hash = hash(&call.credentials.principal, &call.args);
        let Ok(request) = CompoundRequest::decode(&mut Decoder::new(call.args.clone())) else {
            return Answer::Garbage;
        };
        let reply = self.run(call, request, request_hash).await;
        match self.stable.settle().await {
            Ok(()) => Answer::Reply(reply),
            Err(error) => {
                tracing::error!(%error, "a reply is withheld: the client records cannot be written");
                Answer::Withheld
            }
        }
    }

    async fn run(self: &Arc<Self>, call: Call, request: CompoundRequest, request_hash: u64) -> Vec<Bytes> {
        if request.minorversion > MINOR_VERSION_MAX {
            return refused(&request.tag, NfsStat4::MinorVersMismatch);
        }
        if std::str::from_utf8(&request.tag).is_err() {
            return refused(&request.tag, NfsStat4::Inval); // RFC 8881 §16.2.4
        }
        let mut run = Run::new(self, &call, &request, request_hash);
        let mut ops = request.ops.into_iter().peekable();
        while let Some(op) = ops.next() {
            let follower = ops.peek().map(NfsArgop4::opnum);
            match run.step(op, follower).await {
                Step::Next => {}
                Step::Stop => return run.finish(),
                Step::Replay(reply) => return reply,
            }
        }
        if let Some(fault) = request.fault {
            run.fault(fault);
        }
        run.finish()
    }
}

/// What follows an operation.
enum Step {
    Next,
    Stop,
    /// The whole reply is one that was sent before.
    Replay(Vec<Bytes>),
}

/// A COMPOUND that runs.
struct Run {
    cx: CompoundContext,
    reply: ReplyWriter,
    slot: Option<SlotGuard>,
    /// Operations done.
    done: u32,
    numops: u32,
    request_bytes: usize,
    request_hash: u64,
    /// What the next operation answers, whatever it is.
    verdict: Option<NfsStat4>,
}

impl Run {
    fn new(service: &Arc<Service>, call: &Call, request: &CompoundRequest, request_hash: u64) -> Self {
        let minor = request.minorversion;
        let budget = ReplyBudget { bytes_max: REPLY_BYTES_MAX_40, status: NfsStat4::Resource };
        let too_many = minor == 0 && request.numops > OPERATIONS_MAX_40;
        Self {
            cx: CompoundContext::new(Arc::clone(service), minor, call.connection, call.credentials.clone(), budget),
            reply: ReplyWriter::new(&request.tag),
            slot: None,
            done: 0,
            numops: request.numops,
            request_bytes: call.request_bytes,
            request_hash,
            verdict: too_many.then_some(NfsStat4::Resource),
        }
    }

    /// Checks one operation against the table, runs it and writes its result. `follower` comes after it.
    async fn step(&mut self, op: NfsArgop4, follower: Option<OpNum>) -> Step {
        let opnum = op.opnum();
        self.cx.start(opnum, self.reply.len());
        if self.done + 1 == self.numops {
            self.cx.set_last();
        }
        let row = match self.admit(opnum) {
            Ok(row) => row,
            Err(status) => return self.fail(opnum, status),
        };
        if let NfsArgop4::Sequence(args) = &op {
            return match self.enter(args) {
                Ok(Some(replay)) => Step::Replay(replay),
                Ok(None) => Step::Next,
                Err(status) => self.fail(opnum, status),
            };
        }
        if row.needs_filehandle() && !self.cx.has_current() {
            return self.fail(opnum, NfsStat4::Nofilehandle);
        }
        let budget = self.cx.budget();
        if row.reply_bytes_needed(follower).is_some_and(|bytes| bytes > self.cx.reply_room()) {
            return self.fail(opnum, budget.status);
        }
        let reply = match self.cx.minor() {
            0 if owner_seqid::is_sequenced(opnum) => owner_seqid::run(&mut self.cx, op).await,
            _ => dispatch::run(&mut self.cx, op).await.into(),
        };
        if reply.encoded.len() > self.cx.reply_room() {
            return self.fail(opnum, budget.status);
        }
        self.push(reply)
    }

    /// Whether the operation may stand here at all.
    fn admit(&self, opnum: OpNum) -> Result<&'static Row, NfsStat4> {
        let row = table::row(opnum, self.cx.minor()).ok_or(NfsStat4::OpIllegal)?;
        match self.verdict {
            // RFC 8881 §2.10.6.1.3: what the minor version forbids never hears that a reply was not kept.
            Some(NfsStat4::RetryUncachedRep) if !row.is_offered_in(self.cx.minor()) => return Err(NfsStat4::Notsupp),
            Some(verdict) => return Err(verdict),
            None => {}
        }
        if self.cx.minor() > 0 {
            self.check_position(row)?;
        }
        if row.is_offered_in(self.cx.minor()) { Ok(row) } else { Err(NfsStat4::Notsupp) }
    }

    /// The rules of 4.1 on what may stand where (RFC 8881 §2.10.2.1, §15.1.3).
    fn check_position(&self, row: &Row) -> Result<(), NfsStat4> {
        let first = self.done == 0;
        let alone = self.numops == 1;
        match row.op {
            OpNum::Sequence if first => Ok(()),
            OpNum::Sequence => Err(NfsStat4::SequencePos),
            _ if row.is_alone() && !alone => Err(NfsStat4::NotOnlyOp),
            _ if !first => Ok(()),
            _ if !row.is_sessionless() => Err(NfsStat4::OpNotInSession),
            _ if !alone => Err(NfsStat4::NotOnlyOp),
            _ => Ok(()),
        }
    }

    /// SEQUENCE: enters the session, or hands out the reply of the first time.
    fn enter(&mut self, args: &nfs4_protocol::nfs4::Sequence4Args) -> Result<Option<Vec<Bytes>>, NfsStat4> {
        let entry = super::sequence::enter(&mut self.cx, args, self.request_hash)?;
        let reply = match entry {
            Entry::Replay(reply) => return Ok(Some(reply)),
            Entry::Uncached(result) => {
                self.verdict = Some(NfsStat4::RetryUncachedRep);
                result
            }
            Entry::Run { result, mut slot, operations_max, request_bytes_max } => {
                // The refusals stand on the operation after SEQUENCE: the slot has moved on (RFC 8881 §2.10.6.4).
                if self.request_bytes > request_bytes_max {
                    self.verdict = Some(NfsStat4::ReqTooBig);
                } else if self.numops > operations_max {
                    self.verdict = Some(NfsStat4::TooManyOps);
                }
                slot.cache |= self.numops == 1;
                self.slot = Some(slot);
                result
            }
        };
        self.push(reply.into());
        Ok(None)
    }

    /// The operation that could not be decoded; those before it have run (RFC 7530 §15.2.4).
    fn fault(&mut self, fault: OpFault) {
        let op = fault.result_op();
        let status = match self.verdict {
            Some(verdict) if verdict != NfsStat4::RetryUncachedRep => verdict,
            // An operation that exists but stands where it may not is told that before its arguments are looked at. One
            // whose number is missing is none that could stand anywhere.
            _ if fault.status == NfsStat4::Badxdr && op != OpNum::Illegal => {
                self.admit(op).err().unwrap_or(fault.status)
            }
            _ => fault.status,
        };
        self.fail(op, status);
    }

    fn push(&mut self, reply: OpReply) -> Step {
        self.done += 1;
        let status = reply.status;
        self.reply.push(reply);
        if status == NfsStat4::Ok { Step::Next } else { Step::Stop }
    }

    fn fail(&mut self, op: OpNum, status: NfsStat4) -> Step {
        self.push(OpReply::failed(op, status))
    }

    /// Ends the reply, and leaves it in the slot of its session.
    fn finish(self) -> Vec<Bytes> {
        let reply = self.reply.finish();
        if let Some(slot) = self.slot {
            slot.complete(&reply);
        }
        reply
    }
}

/// A hash by which a retry is told from another request. One of another user is another request, whatever it says: he
/// must not get the reply of the first one (RFC 8881 §2.10.6.1.3.1).
pub(super) fn hash(sender: &Principal, request: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    sender.hash(&mut hasher);
    hasher.write_usize(request.len());
    hasher.write(request.get(..HASHED_BYTES_MAX).unwrap_or(request));
    hasher.finish()
}
