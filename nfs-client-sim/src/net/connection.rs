//! A TCP connection to a server: calls go out, replies come back in any order.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::{Compound4Args, Compound4Res};
use nfs4_protocol::rpc::{
    AcceptedBody, AcceptedReply, CallBody, NFS_PROGRAM, NFS_V4, NFSPROC4_NULL, OpaqueAuth, RecordReader, ReplyBody,
    RpcBody, RpcMsg, frame,
};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::outgoing::Outgoing;
use super::{Call, Dialling, Incoming};
use crate::{Error, Result};

/// The largest reply that is taken, in bytes.
const REPLY_BYTES_MAX: usize = 65 << 20;
/// Messages that wait to be written; further calls wait to be queued.
const OUTGOING_MAX: usize = 64;
/// How long to wait for a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// A connection. Clones share it; it is closed when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    calls: Arc<Calls>,
    outgoing: mpsc::Sender<Vec<Bytes>>,
    how: Dialling,
    local: SocketAddr,
    _reader: AbortOnDropHandle<()>,
    _writer: AbortOnDropHandle<()>,
}

/// The calls that wait for their replies.
#[derive(Debug, Default)]
struct Calls {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    by_xid: HashMap<u32, oneshot::Sender<Result<Bytes>>>,
    /// Why no reply will come any more.
    lost: Option<String>,
}

/// Forgets a call that nobody waits for any more.
struct Forget<'a> {
    calls: &'a Calls,
    xid: u32,
}

impl Connection {
    /// Connects. `reply_wait` bounds the wait for each reply.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn open(addr: SocketAddr, reply_wait: Duration) -> Result<Self> {
        Self::dial(&Dialling::new(addr, reply_wait)).await
    }

    /// Connects.
    pub(crate) async fn dial(how: &Dialling) -> Result<Self> {
        let addr = how.addr;
        let connecting = tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(addr));
        let stream = connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = stream.map_err(|error| Error::connect(addr, &error))?;
        stream.set_nodelay(true).map_err(|error| Error::connect(addr, &error))?;
        let local = stream.local_addr().map_err(|error| Error::connect(addr, &error))?;
        let (read_half, write_half) = stream.into_split();
        let calls = Arc::new(Calls::default());
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let arrival =
            Arrival { calls: Arc::clone(&calls), outgoing: outgoing.downgrade(), incoming: how.incoming.clone() };
        let reader = tokio::spawn(read(read_half, arrival));
        let writer = tokio::spawn(write(write_half, Arc::clone(&calls), queue));
        Ok(Self {
            shared: Arc::new(Shared {
                calls,
                outgoing,
                how: how.clone(),
                local,
                _reader: AbortOnDropHandle::new(reader),
                _writer: AbortOnDropHandle::new(writer),
            }),
        })
    }

    /// The server's address.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.shared.how.addr
    }

    /// This end's address.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.shared.local
    }

    /// Whether the connection has ended, so that no call will get a reply any more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.shared.calls.waiting.lock().lost.is_some()
    }

    /// Whether two values are the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Ends the connection for all who use it.
    pub(crate) fn give_up(&self, reason: &str) {
        self.shared.calls.lose(reason);
    }

    /// The procedure that does nothing.
    ///
    /// # Errors
    /// Those of the connection and of RPC.
    pub async fn null(&self) -> Result<()> {
        let mut results = self.call(NFS_PROGRAM, NFS_V4, NFSPROC4_NULL, OpaqueAuth::NONE, |_| {}).await?;
        Ok(results.take_rest()).and_then(|rest| Decoder::new(rest).finish().map_err(Error::from))
    }

    /// Sends a compound. An error status in it is a result like any other.
    ///
    /// # Errors
    /// Those of the connection and of RPC, and [`Error::Decode`].
    pub async fn compound(&self, credential: OpaqueAuth, args: &Compound4Args) -> Result<Compound4Res> {
        self.exchange_compound(&self.shared.how.compound(credential, args)).await
    }

    /// Sends a compound that may have been sent before.
    pub(crate) async fn exchange_compound(&self, call: &Call) -> Result<Compound4Res> {
        let mut results = self.exchange(call).await?;
        let result = Compound4Res::decode(&mut results)?;
        results.finish()?;
        Ok(result)
    }

    /// Calls any procedure of any program. `arguments` writes what follows the header.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::Timeout`], [`Error::Refused`], [`Error::Decode`].
    pub async fn call(
        &self,
        program: u32,
        version: u32,
        procedure: u32,
        credential: OpaqueAuth,
        arguments: impl FnOnce(&mut Encoder),
    ) -> Result<Decoder> {
        let xid = self.shared.how.xids.fetch_add(1, Ordering::Relaxed);
        let mut e = Encoder::new();
        RpcMsg::call(xid, program, version, procedure, credential).encode(&mut e);
        arguments(&mut e);
        self.exchange(&Call { xid, message: frame(e.finish()) }).await
    }

    async fn exchange(&self, call: &Call) -> Result<Decoder> {
        let reply = self.reply(call).await?;
        let mut results = Decoder::new(reply);
        match RpcMsg::decode(&mut results)?.body {
            RpcBody::Reply(ReplyBody::Accepted(AcceptedReply { reply: AcceptedBody::Success, .. })) => Ok(results),
            RpcBody::Reply(refusal) => Err(Error::Refused(Box::new(refusal))),
            RpcBody::Call(_) => Err(Error::Lost("a call came in the place of a reply".into())),
        }
    }

    async fn reply(&self, call: &Call) -> Result<Bytes> {
        let shared = &*self.shared;
        let reply = shared.calls.expect(call.xid)?;
        let _forget = Forget { calls: &shared.calls, xid: call.xid };
        let answered = async {
            // A failing send means that the writer has ended, and has told all waiting calls why.
            let _ = shared.outgoing.send(call.message.clone()).await;
            reply.await.unwrap_or_else(|_| Err(Error::Lost("closed".into())))
        };
        let wait = shared.how.reply_wait;
        tokio::time::timeout(wait, answered).await.map_err(|_| Error::Timeout(wait))?
    }
}

impl Calls {
    fn expect(&self, xid: u32) -> Result<oneshot::Receiver<Result<Bytes>>> {
        let mut waiting = self.waiting.lock();
        if let Some(reason) = &waiting.lost {
            return Err(Error::Lost(reason.clone()));
        }
        let (answer, reply) = oneshot::channel();
        waiting.by_xid.insert(xid, answer);
        Ok(reply)
    }

    fn answer(&self, xid: u32, reply: Bytes) {
        match self.waiting.lock().by_xid.remove(&xid) {
            // The caller may have given up at this moment.
            Some(answer) => drop(answer.send(Ok(reply))),
            None => tracing::debug!(xid, "a reply that nobody waits for"),
        }
    }

    fn lose(&self, reason: &str) {
        let mut waiting = self.waiting.lock();
        waiting.lost.get_or_insert_with(|| reason.to_owned());
        for (_, answer) in waiting.by_xid.drain() {
            drop(answer.send(Err(Error::Lost(reason.to_owned()))));
        }
    }
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.calls.waiting.lock().by_xid.remove(&self.xid);
    }
}

async fn write(mut stream: OwnedWriteHalf, calls: Arc<Calls>, mut queue: mpsc::Receiver<Vec<Bytes>>) {
    while let Some(message) = queue.recv().await {
        if let Err(error) = stream.write_all_buf(&mut Outgoing::new(message)).await {
            calls.lose(&error.to_string());
            return;
        }
    }
}

/// Where that which comes in goes.
struct Arrival {
    calls: Arc<Calls>,
    outgoing: mpsc::WeakSender<Vec<Bytes>>,
    incoming: Option<Arc<dyn Incoming>>,
}

async fn read(mut stream: OwnedReadHalf, arrival: Arrival) {
    let mut records = RecordReader::new(REPLY_BYTES_MAX);
    let reason = loop {
        match stream.read_buf(records.buffer()).await {
            Ok(0) => break "closed by the server".to_owned(),
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
        if let Err(reason) = arrival.deliver(&mut records).await {
            break reason;
        }
    };
    arrival.calls.lose(&reason);
}

impl Arrival {
    /// Hands out the replies that are complete, and answers callbacks.
    async fn deliver(&self, records: &mut RecordReader) -> std::result::Result<(), String> {
        while let Some(record) = records.next_record().map_err(|error| error.to_string())? {
            let mut d = Decoder::new(record.clone());
            let message = RpcMsg::decode(&mut d).map_err(|error| error.to_string())?;
            match message.body {
                RpcBody::Reply(_) => self.calls.answer(message.xid, record),
                RpcBody::Call(call) => self.answer(message.xid, &call, d).await,
            }
        }
        Ok(())
    }

    async fn answer(&self, xid: u32, call: &CallBody, arguments: Decoder) {
        let message = match &self.incoming {
            Some(incoming) => incoming.answer(xid, call, arguments),
            None => super::bare_reply(xid, AcceptedBody::ProgUnavail),
        };
        if let Some(outgoing) = self.outgoing.upgrade() {
            // The connection is being closed when this fails.
            let _ = outgoing.send(frame(message)).await;
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
