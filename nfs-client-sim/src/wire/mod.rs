//! A connection whose every byte is the caller's, and a client on top of it that keeps nothing for itself.
//!
//! [`Connection`](crate::Connection) and [`Client`](crate::Client) send what a server may expect, and hide what a client
//! need not see. Here a request may be malformed, out of order or half sent; callbacks and whole replies are seen; and
//! an end of the connection is an answer like any other.

mod callbacks;
mod talk;

pub(crate) use callbacks::{Callbacks, Listener};
pub(crate) use talk::{Introduction, Talk};

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::Compound4Args;
use nfs4_protocol::rpc::{NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, OpaqueAuth, RecordReader, RpcMsg, frame};
use nfs4_protocol::xdr::{Encode, Encoder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{Error, Result};

/// The largest record that is taken, in bytes.
const RECORD_BYTES_MAX: usize = 8 << 20;
/// How long to wait for a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long the peer may leave what is sent untaken.
const SEND_WAIT: Duration = Duration::from_secs(5);

/// A TCP connection, byte by byte.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    records: RecordReader,
    next_xid: u32,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A record.
    Record(Bytes),
    /// The end of the connection, in order or not.
    Closed,
    /// Nothing in the time that was given.
    Silence,
}

/// What became of bytes that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The system took them all.
    All,
    /// The connection has ended.
    Closed,
    /// The peer does not read on.
    Stuck,
}

impl Wire {
    /// Connects.
    pub(crate) async fn open(addr: SocketAddr) -> Result<Self> {
        let connecting = tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(addr));
        let stream = connecting.await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        stream.and_then(Self::over).map_err(|error| Error::connect(addr, &error))
    }

    /// A connection that is there already.
    pub(crate) fn over(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, records: RecordReader::new(RECORD_BYTES_MAX), next_xid: 1 })
    }

    /// This side's address.
    pub(crate) fn local_addr(&self) -> Result<SocketAddr> {
        self.stream.local_addr().map_err(|error| Error::Lost(error.to_string()))
    }

    /// A transaction ID that was not used on this connection.
    pub(crate) fn new_xid(&mut self) -> u32 {
        let xid = self.next_xid;
        self.next_xid = xid.wrapping_add(1);
        xid
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Sent {
        match tokio::time::timeout(SEND_WAIT, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Sent::All,
            Ok(Err(_)) => Sent::Closed,
            Err(_) => Sent::Stuck,
        }
    }

    /// Sends a message as one record of one fragment.
    pub(crate) async fn send_message(&mut self, message: Vec<Bytes>) -> Sent {
        self.send(&frame(message).concat()).await
    }

    /// Sends no more; the peer sees the end after what was sent.
    pub(crate) async fn end(&mut self) {
        // A connection that is closed already has ended too.
        let _ = self.stream.shutdown().await;
    }

    /// Waits for the next record.
    pub(crate) async fn receive(&mut self, wait: Duration) -> Incoming {
        let until = Instant::now() + wait;
        loop {
            match self.records.next_record() {
                Ok(Some(record)) => return Incoming::Record(record),
                Ok(None) => {}
                Err(_) => return Incoming::Closed,
            }
            match tokio::time::timeout_at(until, self.stream.read_buf(self.records.buffer())).await {
                Ok(Ok(0) | Err(_)) => return Incoming::Closed,
                Ok(Ok(_)) => {}
                Err(_) => return Incoming::Silence,
            }
        }
    }
}

/// The message of a call of the COMPOUND procedure.
pub(crate) fn compound_call(xid: u32, credential: OpaqueAuth, args: &Compound4Args) -> Vec<Bytes> {
    let mut e = call(xid, credential);
    args.encode(&mut e);
    e.finish()
}

/// The header of a call of the COMPOUND procedure, for arguments that are written by hand.
pub(crate) fn call(xid: u32, credential: OpaqueAuth) -> Encoder {
    let mut e = Encoder::new();
    RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, credential).encode(&mut e);
    e
}
