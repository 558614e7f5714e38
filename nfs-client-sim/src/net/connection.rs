//! A TCP connection to a server: calls go out, replies come back in any order.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::{Compound4Args, Compound4Res};
use nfs4_protocol::rpc::{
    AcceptedBody, AcceptedReply, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, NFSPROC4_NULL, OpaqueAuth, RecordReader,
    ReplyBody, RpcBody, RpcMsg, frame,
};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::outgoing::Outgoing;
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
    xid: AtomicU32,
    reply_wait: Duration,
    peer: SocketAddr,
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
        let connecting = tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(addr));
        let stream = connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = stream.map_err(|error| Error::connect(addr, &error))?;
        stream.set_nodelay(true).map_err(|error| Error::connect(addr, &error))?;
        let (read_half, write_half) = stream.into_split();
        let calls = Arc::new(Calls::default());
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let reader = tokio::spawn(read(read_half, Arc::clone(&calls), outgoing.downgrade()));
        let writer = tokio::spawn(write(write_half, Arc::clone(&calls), queue));
        Ok(Self {
            shared: Arc::new(Shared {
                calls,
                outgoing,
                xid: AtomicU32::new(1),
                reply_wait,
                peer: addr,
                _reader: AbortOnDropHandle::new(reader),
                _writer: AbortOnDropHandle::new(writer),
            }),
        })
    }

    /// The server's address.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.shared.peer
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
        let encode = |e: &mut Encoder| args.encode(e);
        let mut results = self.call(NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, credential, encode).await?;
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
        let xid = self.shared.xid.fetch_add(1, Ordering::Relaxed);
        let mut e = Encoder::new();
        RpcMsg::call(xid, program, version, procedure, credential).encode(&mut e);
        arguments(&mut e);
        let reply = self.exchange(xid, e.finish()).await?;
        let mut results = Decoder::new(reply);
        match RpcMsg::decode(&mut results)?.body {
            RpcBody::Reply(ReplyBody::Accepted(AcceptedReply { reply: AcceptedBody::Success, .. })) => Ok(results),
            RpcBody::Reply(refusal) => Err(Error::Refused(Box::new(refusal))),
            RpcBody::Call(_) => Err(Error::Lost("a call came in the place of a reply".into())),
        }
    }

    async fn exchange(&self, xid: u32, message: Vec<Bytes>) -> Result<Bytes> {
        let shared = &*self.shared;
        let reply = shared.calls.expect(xid)?;
        let _forget = Forget { calls: &shared.calls, xid };
        let answered = async {
            // A failing send means that the writer has ended, and has told all waiting calls why.
            let _ = shared.outgoing.send(frame(message)).await;
            reply.await.unwrap_or_else(|_| Err(Error::Lost("closed".into())))
        };
        tokio::time::timeout(shared.reply_wait, answered).await.map_err(|_| Error::Timeout(shared.reply_wait))?
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

async fn read(mut stream: OwnedReadHalf, calls: Arc<Calls>, outgoing: mpsc::WeakSender<Vec<Bytes>>) {
    let mut records = RecordReader::new(REPLY_BYTES_MAX);
    let reason = loop {
        match stream.read_buf(records.buffer()).await {
            Ok(0) => break "closed by the server".to_owned(),
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
        if let Err(reason) = deliver(&mut records, &calls, &outgoing).await {
            break reason;
        }
    };
    calls.lose(&reason);
}

/// Hands out the replies that are complete.
async fn deliver(
    records: &mut RecordReader,
    calls: &Calls,
    outgoing: &mpsc::WeakSender<Vec<Bytes>>,
) -> std::result::Result<(), String> {
    while let Some(record) = records.next_record().map_err(|error| error.to_string())? {
        let message = RpcMsg::decode(&mut Decoder::new(record.clone())).map_err(|error| error.to_string())?;
        match message.body {
            RpcBody::Reply(_) => calls.answer(message.xid, record),
            RpcBody::Call(_) => refuse(message.xid, outgoing).await,
        }
    }
    Ok(())
}

/// Answers a callback: there is no callback program here.
async fn refuse(xid: u32, outgoing: &mpsc::WeakSender<Vec<Bytes>>) {
    let mut e = Encoder::new();
    RpcMsg::accepted(xid, AcceptedBody::ProgUnavail).encode(&mut e);
    if let Some(outgoing) = outgoing.upgrade() {
        // The connection is being closed when this fails.
        let _ = outgoing.send(frame(e.finish())).await;
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
