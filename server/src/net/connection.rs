//! One connection: a reader that starts a task for each request, and a writer for the replies.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::rpc::{RecordReader, frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::outgoing::{Outgoing, write_all};
use super::{NetLimits, RECORD_BYTES_MAX, Server, rpc};
use crate::state::ConnectionId;

/// Serves a connection until the client closes it, breaks the rules or stalls, or the server stops.
pub(super) async fn serve<R, W>(server: &Arc<Server>, id: ConnectionId, reader: R, writer: W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (replies, queue) = mpsc::channel(server.limits.requests_per_connection.max(1));
    // Cancelled when nothing more can be written, so that nothing more is read.
    let broken = CancellationToken::new();
    let requests = TaskTracker::new();
    let writing = server.tasks.spawn(write_all(writer, queue, server.limits.stall, broken.clone()));
    let connection = Connection { server, id, replies, broken, requests, room: Room::new(&server.limits) };
    if let Err(error) = connection.read(reader).await {
        tracing::debug!(connection = id.0, %error, "closed");
    }
    let Connection { replies, requests, .. } = connection;
    drop(replies);
    requests.close();
    requests.wait().await;
    if let Err(error) = writing.await {
        tracing::error!(connection = id.0, %error, "the writer of a connection failed");
    }
    server.service.connection_lost(id);
}

struct Connection<'a> {
    server: &'a Arc<Server>,
    id: ConnectionId,
    replies: mpsc::Sender<Outgoing>,
    broken: CancellationToken,
    requests: TaskTracker,
    room: Room,
}

impl Connection<'_> {
    /// Reads records and starts their requests.
    async fn read<R: AsyncRead + Unpin>(&self, mut reader: R) -> io::Result<()> {
        let mut records = RecordReader::new(RECORD_BYTES_MAX);
        loop {
            while let Some(record) = records.next_record().map_err(io::Error::other)? {
                let Some(room) = self.until_closed(self.room.take(record.len())).await else { return Ok(()) };
                self.start(record, room);
            }
            let between = records.is_between_records();
            let arrived = reader.read_buf(records.buffer());
            let arrived = async {
                if between {
                    return arrived.await;
                }
                let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "a request came only in part");
                tokio::time::timeout(self.server.limits.stall, arrived).await.map_err(stalled)?
            };
            match self.until_closed(arrived).await {
                None | Some(Ok(0)) => return Ok(()),
                Some(arrived) => arrived?,
            };
        }
    }

    /// Waits for `future`; `None` when the connection or the server is to end.
    async fn until_closed<F: Future>(&self, future: F) -> Option<F::Output> {
        let stopping = self.server.shutdown.run_until_cancelled(future);
        self.broken.run_until_cancelled(stopping).await.flatten()
    }

    /// Runs a request in a task of its own, which outlives the connection if need be.
    fn start(&self, record: Bytes, room: Vec<OwnedSemaphorePermit>) {
        let service = Arc::clone(&self.server.service);
        let (id, replies, broken) = (self.id, self.replies.clone(), self.broken.clone());
        // A request that panics leaves its client without a reply; a new connection makes it ask again.
        let on_panic = broken.drop_guard();
        let task = self.requests.track_future(async move {
            match rpc::answer(&service, id, record).await {
                Some(message) => {
                    on_panic.disarm();
                    // With the writer gone, so is the client; its retry finds the reply in the slot.
                    if replies.send(Outgoing::new(frame(message), room)).await.is_err() {
                        tracing::debug!(connection = id.0, "a reply has no connection left");
                    }
                }
                None => drop(on_panic),
            }
        });
        self.server.tasks.spawn(task);
    }
}

/// How much more a connection may have running. The room of a request is given back when its reply is written.
struct Room {
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    bytes_max: usize,
}

impl Room {
    fn new(limits: &NetLimits) -> Self {
        let requests = limits.requests_per_connection.clamp(1, Semaphore::MAX_PERMITS);
        let bytes_max = limits.request_bytes_per_connection.clamp(RECORD_BYTES_MAX, Semaphore::MAX_PERMITS);
        Self { requests: Arc::new(Semaphore::new(requests)), bytes: Arc::new(Semaphore::new(bytes_max)), bytes_max }
    }

    /// Waits until a request of `bytes` bytes may run. The semaphores are never closed, so none is missing.
    async fn take(&self, bytes: usize) -> Vec<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes.min(self.bytes_max)).unwrap_or(u32::MAX);
        let request = Arc::clone(&self.requests).acquire_owned().await;
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(bytes).await;
        request.into_iter().chain(bytes).collect()
    }
}
