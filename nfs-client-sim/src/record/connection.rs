//! One connection through the proxy.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use nfs4_protocol::rpc::RecordReader;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::Shared;
use crate::trace::{MESSAGE_LEN_MAX, Side, What};

/// The most bytes that are read before they are passed on.
const CHUNK_BYTES: usize = 256 << 10;

/// What both directions of a connection know.
struct Watched<'a> {
    shared: &'a Shared,
    number: u32,
    closed: AtomicBool,
    /// Whether something is missing in the trace already. Nothing more of the connection is written then: a reply
    /// without its call would be misread.
    cut: AtomicBool,
}

/// Copies bytes both ways until both sides have closed.
pub(super) async fn copy(shared: &Shared, number: u32, client: TcpStream, server: TcpStream) {
    // Without this, small messages would wait for each other. A failure costs time only.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let watched = Watched { shared, number, closed: AtomicBool::new(false), cut: AtomicBool::new(false) };
    tokio::join!(
        watched.copy(Side::Client, from_client, to_server),
        watched.copy(Side::Server, from_server, to_client)
    );
}

impl Watched<'_> {
    /// Copies what `from` sends.
    async fn copy(&self, from: Side, mut source: OwnedReadHalf, mut sink: OwnedWriteHalf) {
        let mut records = RecordReader::new(MESSAGE_LEN_MAX);
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(CHUNK_BYTES);
            let read = source.read_buf(&mut buffer).await;
            if matches!(read, Ok(0) | Err(_)) {
                self.note_end(from);
                // The other side may have closed as well.
                let _ = sink.shutdown().await;
                return;
            }
            let chunk = buffer.split().freeze();
            // Before it is passed on, so that no reply comes into the trace before its call.
            self.note(from, &mut records, chunk.clone());
            if sink.write_all(&chunk).await.is_err() {
                self.note_end(from.other());
                return;
            }
        }
    }

    /// Writes the messages down that are complete now.
    fn note(&self, from: Side, records: &mut RecordReader, chunk: Bytes) {
        if self.cut.load(Ordering::Relaxed) {
            return;
        }
        let len = chunk.len();
        records.push(chunk);
        if let Err(why) = self.note_messages(from, records) {
            tracing::warn!(connection = self.number, %why, "the connection is not recorded any further");
            self.cut.store(true, Ordering::Relaxed);
            self.shared.cut.fetch_add(1, Ordering::Relaxed);
            self.shared.note(self.number, What::Gap { bytes: len as u64 });
        }
    }

    fn note_messages(&self, from: Side, records: &mut RecordReader) -> io::Result<()> {
        while let Some(message) = records.next_record().map_err(io::Error::other)? {
            if !self.shared.note(self.number, What::Message { from, message }) {
                return Err(io::Error::other("the file takes the messages too slowly"));
            }
        }
        Ok(())
    }

    fn note_end(&self, by: Side) {
        if !self.closed.swap(true, Ordering::Relaxed) {
            self.shared.note(self.number, What::Closed { by });
            if by == Side::Server {
                self.shared.left.notify_one();
            }
        }
    }
}
