//! Messages out of the bytes of a stream: record marks and fragments (RFC 5531 §11), and the way back after a gap.

use std::collections::BTreeSet;

use bytes::{Buf, Bytes, BytesMut};
use nfs4_protocol::nfs4::{CB_COMPOUND, NFS_CB, NfsArgop4};
use nfs4_protocol::rpc::{
    AUTH_BODY_MAX, CallBody, MsgType, NFS_PROGRAM, OpaqueAuth, RPC_VERSION, ReplyBody, RpcBody, RpcMsg,
};
use nfs4_protocol::xdr::{Decode, Decoder, XdrError};

use super::stream::Next;
use super::{Budget, ImportError, Stamp};
use crate::trace::{Arguments, Call, MESSAGE_LEN_MAX};

/// The bit of a record mark that says that the record ends with this fragment.
const LAST_FRAGMENT: u32 = 1 << 31;
const MARK_LEN: usize = 4;
/// The shortest RPC message: a denied call, in bytes.
const MESSAGE_LEN_MIN: usize = 20;
/// What must be seen at most to judge a message: the mark, six words, a credential and a verifier, in bytes.
const HEAD_LEN_MAX: usize = MARK_LEN + 24 + 2 * (8 + AUTH_BODY_MAX);
/// The numbers that are free for callback programs (RFC 5531 §8.4.2).
const TRANSIENT_PROGRAMS: std::ops::RangeInclusive<u32> = 0x4000_0000..=0x5fff_ffff;
/// The most callback programs outside of that range.
const PROGRAMS_MAX: usize = 1024;
/// The highest authentication flavour with a small number; RPCSEC_GSS pseudo flavours are not on the wire.
const FLAVOR_MAX: u32 = 7;

/// The callback programs that clients named.
#[derive(Debug, Default)]
pub(super) struct Programs {
    named: BTreeSet<u32>,
}

impl Programs {
    /// Whether a call is one of NFS or of its callbacks.
    pub(super) fn know(&self, call: &CallBody) -> bool {
        let is_callback = self.is_callback(call.prog) && call.vers == NFS_CB && call.procedure <= CB_COMPOUND;
        call.rpcvers == RPC_VERSION && (call.prog == NFS_PROGRAM || is_callback)
    }

    fn is_callback(&self, program: u32) -> bool {
        TRANSIENT_PROGRAMS.contains(&program) || self.named.contains(&program)
    }

    /// Takes notice of the callback program that a client names.
    pub(super) fn learn(&mut self, call: &Call) {
        let Arguments::Compound(args) = &call.arguments else { return };
        for op in &args.argarray {
            let program = match op {
                NfsArgop4::Setclientid(args) => args.callback.program,
                NfsArgop4::CreateSession(args) => args.cb_program,
                NfsArgop4::BackchannelCtl(args) => args.cb_program,
                _ => continue,
            };
            if self.named.len() < PROGRAMS_MAX {
                self.named.insert(program);
            }
        }
    }
}

/// What a stream holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A whole message, and the packet that completed it.
    Message(Bytes, Stamp),
    /// So many bytes are not in the capture.
    Gap(u64, Stamp),
}

/// Where in a record the stream stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Anywhere: at the beginning of a capture or behind a gap.
    #[default]
    Lost,
    /// Before a record mark.
    Mark,
    /// Inside of a fragment.
    Fragment {
        /// The bytes that are still to come.
        rest: usize,
        /// Whether the record ends with it.
        last: bool,
    },
}

/// Cuts a stream into messages.
#[derive(Debug, Default)]
pub(super) struct Records {
    state: State,
    /// Bytes not looked at yet: less than a record mark, or than the head of a message.
    unread: BytesMut,
    /// The present record, as far as it came.
    record: BytesMut,
    /// Whether some of the present record is not in the capture.
    damaged: bool,
    /// The latest packet of the present record.
    stamp: Stamp,
}

impl Records {
    /// At the beginning of a stream, where a record mark comes first.
    pub(super) fn begin(&mut self) {
        self.state = State::Mark;
    }

    /// Goes on; what is found goes to `out`.
    ///
    /// # Errors
    /// [`ImportError::TooLarge`].
    pub(super) fn add(
        &mut self,
        next: Next,
        programs: &Programs,
        budget: &mut Budget,
        out: &mut Vec<Found>,
    ) -> Result<(), ImportError> {
        match next {
            Next::Data(data, stamp) => {
                self.stamp = self.stamp.max(stamp);
                self.unread.extend_from_slice(&data);
                while self.step(programs, budget, out)? {}
            }
            Next::Lost(bytes, stamp) => {
                out.push(Found::Gap(bytes, stamp));
                self.skip(bytes, budget);
            }
        }
        Ok(())
    }

    /// Steps over bytes that are not in the capture.
    fn skip(&mut self, bytes: u64, budget: &mut Budget) {
        self.drop_record(budget);
        let lost = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.state = match self.state {
            // The gap ends within the fragment: the next record mark is where it was to be.
            State::Fragment { rest, last } if lost <= rest => State::Fragment { rest: rest - lost, last },
            _ => State::Lost,
        };
        self.damaged = self.state != State::Lost;
        self.unread.clear();
    }

    fn drop_record(&mut self, budget: &mut Budget) {
        budget.give_back(self.record.len());
        self.record.clear();
    }

    /// Does the next thing; `false` when more bytes are needed for it.
    fn step(&mut self, programs: &Programs, budget: &mut Budget, out: &mut Vec<Found>) -> Result<bool, ImportError> {
        match self.state {
            State::Lost => Ok(self.search(programs)),
            State::Mark => Ok(self.mark(programs, budget)),
            State::Fragment { rest, last } => self.fragment(rest, last, budget, out),
        }
    }

    /// Looks for a place where a message could begin.
    fn search(&mut self, programs: &Programs) -> bool {
        let mut at = 0;
        while let Some(bytes) = self.unread.get(at..).filter(|bytes| !bytes.is_empty()) {
            match Verdict::of(bytes, true, programs) {
                Verdict::No => at += 1,
                Verdict::Unclear => {
                    self.unread.advance(at);
                    return false;
                }
                Verdict::Yes => {
                    self.unread.advance(at);
                    self.state = State::Mark;
                    return true;
                }
            }
        }
        self.unread.clear();
        false
    }

    /// Reads a record mark.
    fn mark(&mut self, programs: &Programs, budget: &mut Budget) -> bool {
        let first = self.record.is_empty() && !self.damaged;
        let verdict = if first { Verdict::of(&self.unread, false, programs) } else { Verdict::Yes };
        let Some(word) = self.unread.first_chunk().map(|word| u32::from_be_bytes(*word)) else { return false };
        let rest = usize::try_from(word & !LAST_FRAGMENT).unwrap_or(usize::MAX);
        match verdict {
            Verdict::Unclear => false,
            Verdict::Yes if self.record.len().saturating_add(rest) <= MESSAGE_LEN_MAX => {
                self.unread.advance(MARK_LEN);
                self.state = State::Fragment { rest, last: word & LAST_FRAGMENT != 0 };
                true
            }
            Verdict::Yes | Verdict::No => {
                self.drop_record(budget);
                self.damaged = false;
                self.state = State::Lost;
                true
            }
        }
    }

    /// Takes what has come of a fragment, and hands out the record when it is whole.
    fn fragment(
        &mut self,
        rest: usize,
        last: bool,
        budget: &mut Budget,
        out: &mut Vec<Found>,
    ) -> Result<bool, ImportError> {
        let taken = self.unread.split_to(rest.min(self.unread.len()));
        if !self.damaged {
            budget.take(taken.len())?;
            self.record.extend_from_slice(&taken);
        }
        let rest = rest - taken.len();
        if rest > 0 {
            self.state = State::Fragment { rest, last };
            return Ok(false);
        }
        self.state = State::Mark;
        if last {
            // A message that is handed out stays in the budget.
            let record = self.record.split().freeze();
            if !std::mem::take(&mut self.damaged) {
                out.push(Found::Message(record, self.stamp));
            }
        }
        Ok(!self.unread.is_empty())
    }
}

/// Whether a message could begin with some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Yes,
    No,
    /// There are too few of them.
    Unclear,
}

impl Verdict {
    /// Judges a record mark and the head behind it. `strict`, in the midst of other bytes, a reply must be in one
    /// fragment and have an authentication flavour that exists.
    fn of(bytes: &[u8], strict: bool, programs: &Programs) -> Self {
        let Some(mark) = bytes.first_chunk().map(|word| u32::from_be_bytes(*word)) else { return Self::Unclear };
        let len = usize::try_from(mark & !LAST_FRAGMENT).unwrap_or(usize::MAX);
        let one_fragment = mark & LAST_FRAGMENT != 0;
        let len_min = if one_fragment || strict { MESSAGE_LEN_MIN } else { 0 };
        if !(len_min..=MESSAGE_LEN_MAX).contains(&len) {
            return Self::No;
        }
        let head = bytes.get(MARK_LEN..HEAD_LEN_MAX.min(MARK_LEN + len).min(bytes.len())).unwrap_or_default();
        match plausible_head(head, strict, programs) {
            Ok(Head::Call) => Self::Yes,
            Ok(Head::Reply) if one_fragment || !strict => Self::Yes,
            // The head goes on behind what is there to see, or in the next fragment.
            Err(XdrError::Truncated { .. }) if bytes.len() < HEAD_LEN_MAX.min(MARK_LEN + len) => Self::Unclear,
            Err(XdrError::Truncated { .. }) if !one_fragment && !strict => Self::Yes,
            Ok(_) | Err(_) => Self::No,
        }
    }
}

/// What a message is.
enum Head {
    Call,
    Reply,
}

/// Reads the header of a message; the first words one by one, so that other bytes are refused early.
fn plausible_head(head: &[u8], strict: bool, programs: &Programs) -> Result<Head, XdrError> {
    let refuse = |value| XdrError::BadEnum { type_name: "rpc_msg", value };
    let bytes = Bytes::copy_from_slice(head);
    let mut words = Decoder::new(bytes.clone());
    let _xid = words.u32()?;
    if words.u32()? == MsgType::Call.as_u32() {
        let (version, program) = (words.u32()?, words.u32()?);
        if version != RPC_VERSION || program != NFS_PROGRAM && !programs.is_callback(program) {
            return Err(refuse(program));
        }
    }
    let exists = |auth: &OpaqueAuth| !strict || auth.flavor <= FLAVOR_MAX;
    match RpcMsg::decode(&mut Decoder::new(bytes))?.body {
        RpcBody::Call(call) if programs.know(&call) && exists(&call.cred) => Ok(Head::Call),
        RpcBody::Call(call) => Err(refuse(call.procedure)),
        RpcBody::Reply(ReplyBody::Accepted(reply)) if !exists(&reply.verf) => Err(refuse(reply.verf.flavor)),
        RpcBody::Reply(_) => Ok(Head::Reply),
    }
}
