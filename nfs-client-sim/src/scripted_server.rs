//! A server in the same process, for tests: it does what a client needs to get going, and a test's script decides the
//! rest.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::{AcceptedBody, OpaqueAuth, RecordReader, RpcBody, RpcMsg, frame};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp::OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

/// A COMPOUND as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// From 0, in the order of accepting.
    pub(crate) connection: usize,
    pub(crate) xid: u32,
    pub(crate) ops: Vec<NfsArgop4>,
}

/// What becomes of a COMPOUND.
pub(crate) enum Act {
    /// The operations run one after the other.
    Run,
    /// The connection is closed without a reply.
    Close,
    /// Nothing comes back.
    Ignore,
}

/// What a test decides.
pub(crate) trait Script: Send + 'static {
    /// What becomes of a compound.
    fn act(&mut self, _seen: &Seen) -> Act {
        Act::Run
    }

    /// The result of an operation, or `None` for the usual one.
    fn answer(&mut self, op: &NfsArgop4) -> Option<NfsResop4>;
}

impl<F: FnMut(&NfsArgop4) -> Option<NfsResop4> + Send + 'static> Script for F {
    fn answer(&mut self, op: &NfsArgop4) -> Option<NfsResop4> {
        self(op)
    }
}

/// The server. It ends when it is dropped.
pub(crate) struct ScriptedServer {
    pub(crate) addr: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
    shared: Arc<Shared>,
    _accepting: AbortOnDropHandle<()>,
}

struct Shared {
    script: Mutex<Box<dyn Script>>,
    seen: mpsc::UnboundedSender<Seen>,
    writers: tokio::sync::Mutex<Vec<OwnedWriteHalf>>,
    callbacks: Mutex<HashMap<u32, oneshot::Sender<Decoder>>>,
}

impl ScriptedServer {
    pub(crate) async fn start(script: impl Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (sender, seen) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            seen: sender,
            writers: tokio::sync::Mutex::default(),
            callbacks: Mutex::default(),
        });
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, Arc::clone(&shared))));
        Self { addr, seen, shared, _accepting: accepting }
    }

    /// The compounds that came since the last time.
    pub(crate) fn seen(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }

    /// Waits for a compound with this operation.
    pub(crate) async fn wait_for(&mut self, op: OpNum) -> Seen {
        loop {
            let seen = self.seen.recv().await.unwrap();
            if seen.has(op) {
                return seen;
            }
        }
    }

    /// Sends a callback over a connection.
    pub(crate) async fn call_back(&self, connection: usize, args: &CbCompound4Args) -> CbCompound4Res {
        let xid = 0xcb00_0000 + fastrand::u32(..0x00ff_ffff);
        let (answer, reply) = oneshot::channel();
        self.shared.callbacks.lock().insert(xid, answer);
        let mut e = Encoder::new();
        RpcMsg::call(xid, NFS4_CALLBACK, NFS_CB, CB_COMPOUND, OpaqueAuth::NONE).encode(&mut e);
        args.encode(&mut e);
        self.shared.send(connection, e).await;
        CbCompound4Res::decode(&mut reply.await.unwrap()).unwrap()
    }
}

impl Seen {
    pub(crate) fn has(&self, op: OpNum) -> bool {
        self.ops.iter().any(|seen| seen.opnum() == op)
    }

    pub(crate) fn opnums(&self) -> Vec<OpNum> {
        self.ops.iter().map(NfsArgop4::opnum).collect()
    }

    /// The slot and the sequence ID.
    pub(crate) fn slot(&self) -> Option<(u32, u32)> {
        match self.ops.first() {
            Some(NfsArgop4::Sequence(args)) => Some((args.slotid, args.sequenceid)),
            _ => None,
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    for connection in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        let reader = shared.welcome(stream).await;
        connections.spawn(async move { shared.serve(connection, reader).await });
    }
}

impl Shared {
    async fn welcome(&self, stream: TcpStream) -> tokio::net::tcp::OwnedReadHalf {
        stream.set_nodelay(true).unwrap();
        let (reader, writer) = stream.into_split();
        self.writers.lock().await.push(writer);
        reader
    }

    async fn serve(&self, connection: usize, mut reader: tokio::net::tcp::OwnedReadHalf) {
        let mut records = RecordReader::new(1 << 20);
        while reader.read_buf(records.buffer()).await.is_ok_and(|read| read > 0) {
            while let Some(record) = records.next_record().unwrap() {
                let mut d = Decoder::new(record);
                let message = RpcMsg::decode(&mut d).unwrap();
                let is_open = match message.body {
                    RpcBody::Call(_) => self.compound(connection, message.xid, &mut d).await,
                    RpcBody::Reply(_) => {
                        let answer = self.callbacks.lock().remove(&message.xid).unwrap();
                        answer.send(d).is_ok()
                    }
                };
                if !is_open {
                    self.writers.lock().await[connection].shutdown().await.unwrap();
                    return;
                }
            }
        }
    }

    /// Returns whether the connection stays open.
    async fn compound(&self, connection: usize, xid: u32, d: &mut Decoder) -> bool {
        let request = CompoundRequest::decode(d).unwrap();
        let seen = Seen { connection, xid, ops: request.ops };
        let act = self.script.lock().act(&seen);
        let _ = self.seen.send(seen.clone());
        match act {
            Act::Run => {}
            Act::Close => return false,
            Act::Ignore => return true,
        }
        let mut resarray: Vec<NfsResop4> = Vec::new();
        for op in &seen.ops {
            resarray.push(self.script.lock().answer(op).unwrap_or_else(|| usual(op)));
            if resarray.last().unwrap().status() != NfsStat4::Ok {
                break;
            }
        }
        let status = resarray.last().map_or(NfsStat4::Ok, NfsResop4::status);
        let mut e = Encoder::new();
        RpcMsg::accepted(xid, AcceptedBody::Success).encode(&mut e);
        Compound4Res { status, tag: request.tag, resarray }.encode(&mut e);
        self.send(connection, e).await;
        true
    }

    async fn send(&self, connection: usize, message: Encoder) {
        for piece in frame(message.finish()) {
            // The client may have closed the connection.
            let _ = self.writers.lock().await[connection].write_all(&piece).await;
        }
    }
}

pub(crate) const CLIENTID: u64 = 9;
pub(crate) const SESSION: Sessionid4 = Sessionid4([5; 16]);

pub(crate) fn handle() -> NfsFh4 {
    NfsFh4(Bytes::from_static(b"file"))
}

pub(crate) fn stateid(number: u8) -> Stateid4 {
    Stateid4 { seqid: 1, other: [number; 12] }
}

/// A good SEQUENCE, with these flags.
pub(crate) fn sequence(args: &Sequence4Args, status_flags: u32) -> NfsResop4 {
    let Sequence4Args { sessionid, sequenceid, slotid, .. } = *args;
    let (highest_slotid, target_highest_slotid) = (63, 63);
    let result = Sequence4Resok { sessionid, sequenceid, slotid, highest_slotid, target_highest_slotid, status_flags };
    NfsResop4::Sequence(Ok(result))
}

/// A good OPEN.
pub(crate) fn opened(stateid: Stateid4, delegation: OpenDelegation4) -> NfsResop4 {
    NfsResop4::Open(Box::new(Ok(Open4Resok {
        stateid,
        cinfo: ChangeInfo4::default(),
        rflags: 0,
        attrset: Bitmap4::new(),
        delegation,
    })))
}

pub(crate) fn created_session(args: &CreateSession4Args, sessionid: Sessionid4) -> NfsResop4 {
    NfsResop4::CreateSession(Box::new(Ok(CreateSession4Resok {
        sessionid,
        sequence: args.sequence,
        flags: args.flags,
        fore_chan_attrs: args.fore_chan_attrs.clone(),
        back_chan_attrs: args.back_chan_attrs.clone(),
    })))
}

pub(crate) fn known_client(clientid: u64) -> NfsResop4 {
    NfsResop4::ExchangeId(Box::new(Ok(ExchangeId4Resok {
        clientid,
        sequenceid: 1,
        flags: EXCHGID4_FLAG_USE_NON_PNFS,
        state_protect: StateProtect4R::None,
        server_owner: ServerOwner4 { minor_id: 0, major_id: Bytes::from_static(b"scripted") },
        server_scope: Bytes::from_static(b"scripted"),
        server_impl_id: None,
    })))
}

/// What a server without a care would answer.
fn usual(op: &NfsArgop4) -> NfsResop4 {
    match op {
        NfsArgop4::Setclientid(_) => NfsResop4::Setclientid(Box::new(Setclientid4Res::Ok(Setclientid4Resok {
            clientid: CLIENTID,
            setclientid_confirm: Verifier4::default(),
        }))),
        NfsArgop4::SetclientidConfirm(_) => NfsResop4::SetclientidConfirm(Ok(())),
        NfsArgop4::ExchangeId(_) => known_client(CLIENTID),
        NfsArgop4::CreateSession(args) => created_session(args, SESSION),
        NfsArgop4::DestroySession(_) => NfsResop4::DestroySession(Ok(())),
        NfsArgop4::BindConnToSession(args) => NfsResop4::BindConnToSession(Ok(BindConnToSession4Resok {
            sessid: args.sessid,
            dir: ChannelDirFromServer4::Both,
            use_conn_in_rdma_mode: false,
        })),
        NfsArgop4::Sequence(args) => sequence(args, 0),
        NfsArgop4::ReclaimComplete(_) => NfsResop4::ReclaimComplete(Ok(())),
        NfsArgop4::Getattr(_) => {
            let attrs = Attrs { lease_time: Some(60), maxread: Some(4096), ..Attrs::default() };
            NfsResop4::Getattr(Ok(Getattr4Resok { obj_attributes: attrs.to_fattr4() }))
        }
        NfsArgop4::Getfh => NfsResop4::Getfh(Ok(Getfh4Resok { object: handle() })),
        NfsArgop4::Putfh(_) => NfsResop4::Putfh(Ok(())),
        NfsArgop4::Putrootfh => NfsResop4::Putrootfh(Ok(())),
        NfsArgop4::Open(_) => opened(stateid(1), OpenDelegation4::None),
        NfsArgop4::Close(args) => NfsResop4::Close(Ok(args.open_stateid)),
        NfsArgop4::Delegreturn(_) => NfsResop4::Delegreturn(Ok(())),
        NfsArgop4::Lock(_) => NfsResop4::Lock(Box::new(Lock4Res::Ok(Lock4Resok { lock_stateid: stateid(2) }))),
        NfsArgop4::Renew(_) => NfsResop4::Renew(Ok(())),
        NfsArgop4::Remove(_) => NfsResop4::Remove(Ok(Remove4Resok { cinfo: ChangeInfo4::default() })),
        other => NfsResop4::failed(other.opnum(), NfsStat4::Notsupp),
    }
}
