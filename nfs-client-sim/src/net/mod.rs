//! TCP connections: record marking, and replies that find their calls.

mod connection;
mod outgoing;

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::Compound4Args;
use nfs4_protocol::rpc::{AcceptedBody, CallBody, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, OpaqueAuth, RpcMsg, frame};
use nfs4_protocol::xdr::{Decoder, Encode, Encoder};

pub use connection::Connection;
pub(crate) use outgoing::Outgoing;

/// Answers the calls that come in over a connection.
pub(crate) trait Incoming: Debug + Send + Sync {
    /// The reply, header included, record mark not.
    fn answer(&self, xid: u32, call: &CallBody, arguments: Decoder) -> Vec<Bytes>;
}

/// How to connect, and what all connections of a client share.
#[derive(Debug, Clone)]
pub(crate) struct Dialling {
    pub(crate) addr: SocketAddr,
    pub(crate) reply_wait: Duration,
    /// A call that is sent again over another connection must not meet another one of the same number there.
    pub(crate) xids: Arc<AtomicU32>,
    pub(crate) incoming: Option<Arc<dyn Incoming>>,
}

/// A call as it goes over the wire, so that the same can be sent again.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) xid: u32,
    /// Record mark included.
    pub(crate) message: Vec<Bytes>,
}

impl Dialling {
    /// Without callbacks. The xids begin anywhere, as servers may take a repeated one for a retry.
    pub(crate) fn new(addr: SocketAddr, reply_wait: Duration) -> Self {
        Self { addr, reply_wait, xids: Arc::new(AtomicU32::new(fastrand::u32(..))), incoming: None }
    }

    /// A call of COMPOUND, with an xid of its own.
    pub(crate) fn compound(&self, credential: OpaqueAuth, args: &Compound4Args) -> Call {
        let xid = self.xids.fetch_add(1, Ordering::Relaxed);
        let mut e = Encoder::new();
        RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, credential).encode(&mut e);
        args.encode(&mut e);
        Call { xid, message: frame(e.finish()) }
    }
}

/// A reply without results: a refusal, or the success of a procedure that has none.
pub(crate) fn bare_reply(xid: u32, what: AcceptedBody) -> Vec<Bytes> {
    let mut e = Encoder::new();
    RpcMsg::accepted(xid, what).encode(&mut e);
    e.finish()
}
