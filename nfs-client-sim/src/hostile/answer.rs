//! What a server did about a request, and what it may do.

use std::fmt;

use bytes::Bytes;
use nfs4_protocol::nfs4::{Compound4Res, NfsStat4, OpNum};
use nfs4_protocol::rpc::{AcceptedBody, RejectedReply, ReplyBody, RpcBody, RpcMsg};
use nfs4_protocol::xdr::{Decode, Decoder};

use crate::wire::Incoming;

/// What a server did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It ended the connection.
    Closed,
    /// It did nothing for as long as was waited, and the connection stayed.
    Silence,
    /// It sent something that is no reply, or contradicts itself.
    Unreadable(String),
    /// It accepted the RPC call, with this outcome.
    Accepted(AcceptedBody),
    /// It did not accept the RPC call.
    Denied(RejectedReply),
    /// It ran the compound: its status, and the operations that have a result.
    Compound(NfsStat4, Vec<OpNum>),
    /// What a case found that is more than one reply, and whether that is right.
    Found(bool, String),
}

/// What a server may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// End the connection.
    Closed,
    /// Wait for more, or ignore what came.
    Silence,
    /// Answer the call with success.
    Success,
    /// GARBAGE_ARGS.
    GarbageArgs,
    /// PROG_UNAVAIL.
    ProgUnavail,
    /// PROG_MISMATCH.
    ProgMismatch,
    /// PROC_UNAVAIL.
    ProcUnavail,
    /// RPC_MISMATCH.
    RpcMismatch,
    /// AUTH_ERROR, of whichever kind.
    AuthError,
    /// A compound that ends with this status.
    Status(NfsStat4),
    /// A compound that ends with an error, of whichever kind.
    AnyError,
    /// What the case found.
    Found,
}

impl Answer {
    /// What `incoming` says about the call `xid`.
    pub(super) fn of(incoming: Incoming, xid: u32) -> Self {
        match incoming {
            Incoming::Closed => Self::Closed,
            Incoming::Silence => Self::Silence,
            Incoming::Record(record) => Self::of_record(record, xid).unwrap_or_else(Self::Unreadable),
        }
    }

    fn of_record(record: Bytes, xid: u32) -> Result<Self, String> {
        let mut d = Decoder::new(record);
        let message = RpcMsg::decode(&mut d).map_err(|error| format!("no RPC reply: {error}"))?;
        if message.xid != xid {
            return Err(format!("the reply to call {}, not to {xid}", message.xid));
        }
        match message.body {
            RpcBody::Call(_) => Err("a call".into()),
            RpcBody::Reply(ReplyBody::Denied(rejected)) => Ok(Self::Denied(rejected)),
            RpcBody::Reply(ReplyBody::Accepted(accepted)) => match accepted.reply {
                AcceptedBody::Success if d.remaining() > 0 => Self::of_compound(&mut d),
                outcome => Ok(Self::Accepted(outcome)),
            },
        }
    }

    fn of_compound(d: &mut Decoder) -> Result<Self, String> {
        let result = Compound4Res::decode(d).map_err(|error| format!("no COMPOUND4res: {error}"))?;
        d.finish().map_err(|error| format!("COMPOUND4res: {error}"))?;
        let last = result.resarray.last().map_or(result.status, nfs4_protocol::nfs4::NfsResop4::status);
        if last != result.status {
            return Err(format!("the compound says {}, its last operation {last}", result.status));
        }
        let ops = result.resarray.iter().map(nfs4_protocol::nfs4::NfsResop4::opnum).collect();
        Ok(Self::Compound(result.status, ops))
    }
}

impl Allowed {
    /// Whether this is what the server did.
    pub(super) fn is(self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Closed, Answer::Closed)
            | (Self::Silence, Answer::Silence)
            | (Self::Success, Answer::Accepted(AcceptedBody::Success))
            | (Self::GarbageArgs, Answer::Accepted(AcceptedBody::GarbageArgs))
            | (Self::ProgUnavail, Answer::Accepted(AcceptedBody::ProgUnavail))
            | (Self::ProgMismatch, Answer::Accepted(AcceptedBody::ProgMismatch(_)))
            | (Self::ProcUnavail, Answer::Accepted(AcceptedBody::ProcUnavail))
            | (Self::RpcMismatch, Answer::Denied(RejectedReply::RpcMismatch(_)))
            | (Self::AuthError, Answer::Denied(RejectedReply::AuthError(_)))
            | (Self::Found, Answer::Found(true, _)) => true,
            (Self::Success, Answer::Compound(status, _)) => *status == NfsStat4::Ok,
            (Self::Status(allowed), Answer::Compound(status, _)) => allowed == *status,
            (Self::AnyError, Answer::Compound(status, _)) => *status != NfsStat4::Ok,
            _ => false,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("connection closed"),
            Self::Silence => f.write_str("no reply, connection open"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
            Self::Accepted(body) => match body {
                AcceptedBody::Success => f.write_str("SUCCESS"),
                AcceptedBody::ProgUnavail => f.write_str("PROG_UNAVAIL"),
                AcceptedBody::ProgMismatch(versions) => {
                    write!(f, "PROG_MISMATCH ({} to {})", versions.low, versions.high)
                }
                AcceptedBody::ProcUnavail => f.write_str("PROC_UNAVAIL"),
                AcceptedBody::GarbageArgs => f.write_str("GARBAGE_ARGS"),
                AcceptedBody::SystemErr => f.write_str("SYSTEM_ERR"),
            },
            Self::Denied(RejectedReply::RpcMismatch(versions)) => {
                write!(f, "RPC_MISMATCH ({} to {})", versions.low, versions.high)
            }
            Self::Denied(RejectedReply::AuthError(why)) => write!(f, "AUTH_ERROR ({why})"),
            Self::Compound(status, ops) => match ops.last() {
                Some(op) => write!(f, "{status} at {}", op.name()),
                None => write!(f, "{status} without results"),
            },
            Self::Found(_, what) => f.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use nfs4_protocol::nfs4::NfsResop4;
    use nfs4_protocol::rpc::{AuthStat, MismatchInfo};
    use nfs4_protocol::xdr::{Encode, Encoder};

    use super::*;

    fn compound_reply(status: NfsStat4, resarray: Vec<NfsResop4>) -> Incoming {
        let mut e = Encoder::new();
        RpcMsg::accepted(7, AcceptedBody::Success).encode(&mut e);
        Compound4Res { status, tag: Bytes::new(), resarray }.encode(&mut e);
        Incoming::Record(e.finish_contiguous())
    }

    #[test]
    fn a_compound_must_have_the_status_of_its_last_operation() {
        let failed = || vec![NfsResop4::failed(OpNum::Getattr, NfsStat4::Io)];
        let honest = Answer::of(compound_reply(NfsStat4::Io, failed()), 7);
        assert!(Allowed::Status(NfsStat4::Io).is(&honest) && Allowed::AnyError.is(&honest));
        assert!(!Allowed::Success.is(&honest));
        let contradiction = Answer::of(compound_reply(NfsStat4::Ok, failed()), 7);
        assert!(matches!(contradiction, Answer::Unreadable(_)), "{contradiction}");
    }

    #[test]
    fn the_reply_to_another_call_is_no_answer() {
        let answer = Answer::of(compound_reply(NfsStat4::Ok, vec![]), 8);
        assert!(matches!(answer, Answer::Unreadable(_)), "{answer}");
    }

    #[test]
    fn refusals_are_told_apart() {
        let versions = MismatchInfo { low: 4, high: 4 };
        let answer = Answer::Accepted(AcceptedBody::ProgMismatch(versions));
        assert!(Allowed::ProgMismatch.is(&answer) && !Allowed::ProgUnavail.is(&answer));
        let answer = Answer::Denied(RejectedReply::AuthError(AuthStat::Badcred));
        assert!(Allowed::AuthError.is(&answer) && !Allowed::RpcMismatch.is(&answer));
    }
}
