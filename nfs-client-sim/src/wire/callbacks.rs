//! Answering what a server asks of its client, and keeping account of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    CB_COMPOUND, CB_NULL, CbCompound4Args, CbCompound4Res, CbSequence4Resok, NfsCbArgop4, NfsCbOpnum4, NfsCbResop4,
    NfsStat4, Stateid4,
};
use nfs4_protocol::rpc::{AcceptedBody, CallBody, RpcBody, RpcMsg};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::{Incoming, Wire};
use crate::{Error, Result};

/// How long a server may leave its connection for callbacks unused.
const IDLE_MAX: Duration = Duration::from_secs(600);

/// The callbacks that came, and were answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callbacks {
    /// How many calls of CB_NULL.
    pub(crate) nulls: u32,
    /// The operations of all calls of CB_COMPOUND, in order.
    pub(crate) operations: Vec<NfsCbOpnum4>,
    /// The delegations that were recalled.
    pub(crate) recalled: Vec<Stateid4>,
}

impl Callbacks {
    /// Whether anything came.
    pub(crate) const fn any(&self) -> bool {
        self.nulls > 0 || !self.operations.is_empty()
    }

    /// Notes a call and makes the reply. `arguments` are what follows the header.
    pub(crate) fn answer(&mut self, xid: u32, call: &CallBody, mut arguments: Decoder) -> Vec<Bytes> {
        let mut e = Encoder::new();
        let results = match call.procedure {
            CB_NULL => {
                self.nulls += 1;
                Ok(None)
            }
            CB_COMPOUND => CbCompound4Args::decode(&mut arguments)
                .map(|args| Some(self.compound(args)))
                .map_err(|_| AcceptedBody::GarbageArgs),
            _ => Err(AcceptedBody::ProcUnavail),
        };
        match results {
            Ok(results) => {
                RpcMsg::accepted(xid, AcceptedBody::Success).encode(&mut e);
                if let Some(results) = results {
                    results.encode(&mut e);
                }
            }
            Err(refusal) => RpcMsg::accepted(xid, refusal).encode(&mut e),
        }
        e.finish()
    }

    fn compound(&mut self, args: CbCompound4Args) -> CbCompound4Res {
        let mut resarray = Vec::new();
        let mut status = NfsStat4::Ok;
        for op in args.argarray {
            self.operations.push(op.opnum());
            let result = self.result(&op);
            status = result.status();
            resarray.push(result);
            if status != NfsStat4::Ok {
                break;
            }
        }
        CbCompound4Res { status, tag: args.tag, resarray }
    }

    fn result(&mut self, op: &NfsCbArgop4) -> NfsCbResop4 {
        match op {
            NfsCbArgop4::Sequence(args) => NfsCbResop4::Sequence(Ok(CbSequence4Resok {
                sessionid: args.sessionid,
                sequenceid: args.sequenceid,
                slotid: args.slotid,
                highest_slotid: args.highest_slotid,
                target_highest_slotid: args.highest_slotid,
            })),
            NfsCbArgop4::Recall(args) => {
                self.recalled.push(args.stateid);
                NfsCbResop4::Recall(Ok(()))
            }
            NfsCbArgop4::NotifyLock(_) => NfsCbResop4::NotifyLock(Ok(())),
            NfsCbArgop4::RecallAny(_) => NfsCbResop4::RecallAny(Ok(())),
            NfsCbArgop4::Illegal(_) => NfsCbResop4::failed(NfsCbOpnum4::Illegal, NfsStat4::OpIllegal),
            other => NfsCbResop4::failed(other.opnum(), NfsStat4::Notsupp),
        }
    }
}

/// Where a server of 4.0 calls its client. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    addr: SocketAddr,
    callbacks: Arc<Mutex<Callbacks>>,
    _serving: AbortOnDropHandle<()>,
}

impl Listener {
    /// Listens on any port of an address of this machine.
    pub(crate) async fn start(local: SocketAddr) -> Result<Self> {
        let at = SocketAddr::new(local.ip(), 0);
        let listener = TcpListener::bind(at).await.map_err(|error| Error::connect(at, &error))?;
        let addr = listener.local_addr().map_err(|error| Error::connect(at, &error))?;
        let callbacks = Arc::new(Mutex::new(Callbacks::default()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&callbacks)));
        Ok(Self { addr, callbacks, _serving: AbortOnDropHandle::new(serving) })
    }

    /// Where it listens.
    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What came so far.
    pub(crate) fn seen(&self) -> Callbacks {
        self.callbacks.lock().clone()
    }
}

async fn serve(listener: TcpListener, callbacks: Arc<Mutex<Callbacks>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        if let Ok(wire) = Wire::over(stream) {
            connections.spawn(answer_all(wire, Arc::clone(&callbacks)));
        }
    }
}

async fn answer_all(mut wire: Wire, callbacks: Arc<Mutex<Callbacks>>) {
    while let Incoming::Record(record) = wire.receive(IDLE_MAX).await {
        let reply = answer_record(&mut callbacks.lock(), record);
        if let Some(reply) = reply {
            wire.send_message(reply).await;
        }
    }
}

/// The reply to a record that is a call.
fn answer_record(callbacks: &mut Callbacks, record: Bytes) -> Option<Vec<Bytes>> {
    let mut d = Decoder::new(record);
    let message = RpcMsg::decode(&mut d).ok()?;
    match message.body {
        RpcBody::Call(call) => Some(callbacks.answer(message.xid, &call, d)),
        RpcBody::Reply(_) => None,
    }
}

#[cfg(test)]
#[path = "callbacks_tests.rs"]
mod tests;
