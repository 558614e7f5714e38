//! The headers of calls and replies.

use super::OpaqueAuth;
use crate::xdr::{xdr_enum, xdr_struct, xdr_union};

/// The version of RPC itself.
pub const RPC_VERSION: u32 = 2;
/// The program number of NFS.
pub const NFS_PROGRAM: u32 = 100_003;
/// The version of the NFS program that is spoken here.
pub const NFS_V4: u32 = 4;
/// The procedure that does nothing.
pub const NFSPROC4_NULL: u32 = 0;
/// The procedure that does everything else.
pub const NFSPROC4_COMPOUND: u32 = 1;

xdr_enum! {
    /// `msg_type`.
    pub enum MsgType {
        Call = 0 => CALL,
        Reply = 1 => REPLY,
    }

    /// `reply_stat`.
    pub enum ReplyStat {
        Accepted = 0 => MSG_ACCEPTED,
        Denied = 1 => MSG_DENIED,
    }

    /// `accept_stat`.
    pub enum AcceptStat {
        Success = 0 => SUCCESS,
        ProgUnavail = 1 => PROG_UNAVAIL,
        ProgMismatch = 2 => PROG_MISMATCH,
        ProcUnavail = 3 => PROC_UNAVAIL,
        GarbageArgs = 4 => GARBAGE_ARGS,
        SystemErr = 5 => SYSTEM_ERR,
    }

    /// `reject_stat`.
    pub enum RejectStat {
        RpcMismatch = 0 => RPC_MISMATCH,
        AuthError = 1 => AUTH_ERROR,
    }

    /// `auth_stat`: why authentication failed.
    pub enum AuthStat {
        Ok = 0 => AUTH_OK,
        Badcred = 1 => AUTH_BADCRED,
        Rejectedcred = 2 => AUTH_REJECTEDCRED,
        Badverf = 3 => AUTH_BADVERF,
        Rejectedverf = 4 => AUTH_REJECTEDVERF,
        Tooweak = 5 => AUTH_TOOWEAK,
        Invalidresp = 6 => AUTH_INVALIDRESP,
        Failed = 7 => AUTH_FAILED,
        KerbGeneric = 8 => AUTH_KERB_GENERIC,
        Timeexpire = 9 => AUTH_TIMEEXPIRE,
        TktFile = 10 => AUTH_TKT_FILE,
        Decode = 11 => AUTH_DECODE,
        NetAddr = 12 => AUTH_NET_ADDR,
        GssCredproblem = 13 => RPCSEC_GSS_CREDPROBLEM,
        GssCtxproblem = 14 => RPCSEC_GSS_CTXPROBLEM,
    }
}

xdr_struct! {
    /// `rpc_msg`: the header of a message. Arguments or results follow it.
    pub struct RpcMsg {
        /// Names the call; the reply repeats it.
        xid: u32,
        body: RpcBody,
    }

    /// `call_body`.
    pub struct CallBody {
        /// [`RPC_VERSION`]; any other is decoded as well, to be answered with RPC_MISMATCH.
        rpcvers: u32,
        prog: u32,
        vers: u32,
        /// (`proc`)
        procedure: u32,
        cred: OpaqueAuth,
        verf: OpaqueAuth,
    }

    /// `accepted_reply`.
    pub struct AcceptedReply {
        verf: OpaqueAuth,
        reply: AcceptedBody,
    }

    /// `mismatch_info`: the versions that are there.
    #[derive(Copy)]
    pub struct MismatchInfo {
        low: u32,
        high: u32,
    }
}

xdr_union! {
    /// What a message is.
    pub enum RpcBody switch MsgType {
        case MsgType::Call => Call(CallBody),
        case MsgType::Reply => Reply(ReplyBody),
    }

    /// `reply_body`.
    pub enum ReplyBody switch ReplyStat {
        case ReplyStat::Accepted => Accepted(AcceptedReply),
        case ReplyStat::Denied => Denied(RejectedReply),
    }

    /// `reply_data`: what became of an accepted call.
    #[derive(Copy)]
    pub enum AcceptedBody switch AcceptStat {
        /// The results follow.
        case AcceptStat::Success => Success,
        case AcceptStat::ProgUnavail => ProgUnavail,
        case AcceptStat::ProgMismatch => ProgMismatch(MismatchInfo),
        case AcceptStat::ProcUnavail => ProcUnavail,
        case AcceptStat::GarbageArgs => GarbageArgs,
        case AcceptStat::SystemErr => SystemErr,
    }

    /// `rejected_reply`.
    #[derive(Copy)]
    pub enum RejectedReply switch RejectStat {
        case RejectStat::RpcMismatch => RpcMismatch(MismatchInfo),
        case RejectStat::AuthError => AuthError(AuthStat),
    }
}

impl RpcMsg {
    /// A call with an empty verifier.
    #[must_use]
    pub const fn call(xid: u32, prog: u32, vers: u32, procedure: u32, cred: OpaqueAuth) -> Self {
        Self {
            xid,
            body: RpcBody::Call(CallBody { rpcvers: RPC_VERSION, prog, vers, procedure, cred, verf: OpaqueAuth::NONE }),
        }
    }

    /// A reply to an accepted call, with an empty verifier.
    #[must_use]
    pub const fn accepted(xid: u32, reply: AcceptedBody) -> Self {
        Self { xid, body: RpcBody::Reply(ReplyBody::Accepted(AcceptedReply { verf: OpaqueAuth::NONE, reply })) }
    }

    /// A reply to a call that was not accepted.
    #[must_use]
    pub const fn rejected(xid: u32, reply: RejectedReply) -> Self {
        Self { xid, body: RpcBody::Reply(ReplyBody::Denied(reply)) }
    }
}
