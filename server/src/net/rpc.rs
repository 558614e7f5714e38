//! RPC (RFC 5531): from a record to a reply message.

use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::rpc::{
    AUTH_NONE, AUTH_SYS, AcceptedBody, Auth, AuthStat, CallBody, MismatchInfo, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND,
    NFSPROC4_NULL, RPC_VERSION, RejectedReply, RpcBody, RpcMsg,
};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};

use crate::compound::{Answer, Call, Credentials, Service};
use crate::fs::filesystem::Caller;
use crate::state::{ConnectionId, Principal};

/// Answers one record. `None` means that the connection is of no use any more: what came is no call, or its reply must
/// not be sent.
pub(super) async fn answer(service: &Arc<Service>, connection: ConnectionId, record: Bytes) -> Option<Vec<Bytes>> {
    let request_bytes = record.len();
    let mut decoder = Decoder::new(record);
    let message = RpcMsg::decode(&mut decoder).ok()?;
    let RpcBody::Call(call) = message.body else { return None };
    let xid = message.xid;
    let credentials = match admit(&call) {
        Ok(credentials) => credentials,
        Err(refusal) => return Some(refusal.encode(xid)),
    };
    if call.procedure == NFSPROC4_NULL {
        return Some(accepted(xid, AcceptedBody::Success, Vec::new()));
    }
    let call = Call { connection, credentials, args: decoder.take_rest(), request_bytes };
    match service.compound(call).await {
        Answer::Reply(results) => Some(accepted(xid, AcceptedBody::Success, results)),
        Answer::Garbage => Some(accepted(xid, AcceptedBody::GarbageArgs, Vec::new())),
        Answer::Withheld => None,
    }
}

/// Why a call does not reach NFS.
enum Refusal {
    Accepted(AcceptedBody),
    Rejected(RejectedReply),
}

impl Refusal {
    fn encode(self, xid: u32) -> Vec<Bytes> {
        match self {
            Self::Accepted(body) => accepted(xid, body, Vec::new()),
            Self::Rejected(reply) => {
                let mut encoder = Encoder::new();
                RpcMsg::rejected(xid, reply).encode(&mut encoder);
                encoder.finish()
            }
        }
    }
}

/// Whether the call is one for NFSv4, and who sent it.
fn admit(call: &CallBody) -> Result<Credentials, Refusal> {
    if call.rpcvers != RPC_VERSION {
        let versions = MismatchInfo { low: RPC_VERSION, high: RPC_VERSION };
        return Err(Refusal::Rejected(RejectedReply::RpcMismatch(versions)));
    }
    if call.prog != NFS_PROGRAM {
        return Err(Refusal::Accepted(AcceptedBody::ProgUnavail));
    }
    if call.vers != NFS_V4 {
        let versions = MismatchInfo { low: NFS_V4, high: NFS_V4 };
        return Err(Refusal::Accepted(AcceptedBody::ProgMismatch(versions)));
    }
    let credentials = authenticate(call).map_err(|status| Refusal::Rejected(RejectedReply::AuthError(status)))?;
    match call.procedure {
        NFSPROC4_NULL | NFSPROC4_COMPOUND => Ok(credentials),
        _ => Err(Refusal::Accepted(AcceptedBody::ProcUnavail)),
    }
}

/// The credentials of AUTH_NONE and AUTH_SYS. A flavour that is not known here is AUTH_BADCRED, which is also how a
/// probe for RPC-with-TLS learns that there is none (RFC 9289 §4.1).
fn authenticate(call: &CallBody) -> Result<Credentials, AuthStat> {
    let credentials = match call.cred.parse().map_err(|_| AuthStat::Badcred)? {
        Auth::None => Credentials::anonymous(),
        Auth::Sys(parms) => Credentials {
            // The machine's name is no part of it: it changes with the network a laptop is in.
            principal: Principal::new(AUTH_SYS, parms.uid.to_be_bytes()),
            caller: Caller { uid: parms.uid, gid: parms.gid, groups: parms.gids },
        },
        Auth::Tls | Auth::Other(_) => return Err(AuthStat::Badcred),
    };
    if call.verf.flavor == AUTH_NONE { Ok(credentials) } else { Err(AuthStat::Badverf) }
}

/// An accepted reply with its results.
fn accepted(xid: u32, body: AcceptedBody, results: Vec<Bytes>) -> Vec<Bytes> {
    let mut encoder = Encoder::new();
    RpcMsg::accepted(xid, body).encode(&mut encoder);
    let mut message = encoder.finish();
    message.extend(results);
    message
}
