//! RPC around CB_NULL and CB_COMPOUND.

use bytes::Bytes;
use nfs4_protocol::nfs4::{CB_COMPOUND, CB_NULL, CbCompound4Args, NFS_CB};
use nfs4_protocol::rpc::{AcceptedBody, CallBody, MismatchInfo, RPC_VERSION, RejectedReply, RpcMsg};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};

use super::Service;
use crate::net::{Incoming, bare_reply};

impl Incoming for Service {
    fn answer(&self, xid: u32, call: &CallBody, mut arguments: Decoder) -> Vec<Bytes> {
        if call.rpcvers != RPC_VERSION {
            let versions = MismatchInfo { low: RPC_VERSION, high: RPC_VERSION };
            let mut e = Encoder::new();
            RpcMsg::rejected(xid, RejectedReply::RpcMismatch(versions)).encode(&mut e);
            return e.finish();
        }
        if call.prog != self.program() {
            return bare_reply(xid, AcceptedBody::ProgUnavail);
        }
        if call.vers != NFS_CB {
            return bare_reply(xid, AcceptedBody::ProgMismatch(MismatchInfo { low: NFS_CB, high: NFS_CB }));
        }
        match call.procedure {
            CB_NULL => bare_reply(xid, AcceptedBody::Success),
            CB_COMPOUND => match CbCompound4Args::decode(&mut arguments) {
                Ok(args) => {
                    let mut e = Encoder::new();
                    RpcMsg::accepted(xid, AcceptedBody::Success).encode(&mut e);
                    self.compound(args).encode(&mut e);
                    e.finish()
                }
                Err(_) => bare_reply(xid, AcceptedBody::GarbageArgs),
            },
            _ => bare_reply(xid, AcceptedBody::ProcUnavail),
        }
    }
}
