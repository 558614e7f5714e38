//! A proxy between a client and a server that writes down what passes through it.
//!
//! Bytes go through unchanged, and never wait for the recording: what the disk cannot take in time is left out, and
//! the trace says so with a gap. Events are appended to the file as they come, so that it is good up to its last whole
//! event whatever happens; when the recording ends, the file is written once more, with what is only then known in its
//! header.
//!
//! Connections from the server to the client are not seen. In 4.0 these carry the callbacks; a note in the trace says
//! when a client asked for them.

mod connection;
mod file;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::trace::{Event, Header, What};

/// The most bytes of messages that wait to be written to the file.
const WAITING_BYTES_MAX: usize = 64 << 20;
/// What each message counts among them beside its own bytes.
const MESSAGE_OVERHEAD: usize = 128;
/// How long to wait for a connection to the server.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How often to look whether a server has gone away or come back.
const LOOK_WAIT: Duration = Duration::from_millis(20);
/// How many times to look before a server that closed a connection is believed to be still there.
const LOOKS: u32 = 50;
/// How long to wait after a failed `accept`, which mostly means too many open files.
const ACCEPT_WAIT: Duration = Duration::from_millis(100);

/// A proxy that is listening.
#[derive(Debug)]
pub struct Recorder {
    listener: TcpListener,
    upstream: String,
}

/// What a recording holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Connections that reached the server.
    pub connections: u32,
    /// Messages written, calls and replies.
    pub messages: u64,
    /// Bytes of these messages.
    pub bytes: u64,
    /// How often the server went away and came back.
    pub restarts: u32,
    /// Connections that were not written to their end: the disk was too slow, or it was not RPC.
    pub cut: u32,
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The address to listen on cannot be had.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What the connections of a recording share.
#[derive(Debug)]
struct Shared {
    upstream: String,
    /// The time of the first event.
    first: OnceLock<Instant>,
    events: mpsc::UnboundedSender<Waiting>,
    /// Room for bytes that wait to be written.
    room: Arc<Semaphore>,
    connections: AtomicU32,
    /// Connections cut short.
    cut: AtomicU32,
    /// Whether the server refused the last connection.
    away: AtomicBool,
    /// Told when the server closed or refused a connection.
    left: Notify,
}

/// An event on its way to the file, and the room that it takes until then.
struct Waiting {
    event: Event,
    _room: tokio::sync::OwnedSemaphorePermit,
}

impl Recorder {
    /// Listens on `listen`; port 0 chooses one. `upstream` is the server as `HOST:PORT`, looked up for each connection.
    ///
    /// # Errors
    /// [`RecordError::Listen`].
    pub async fn bind(listen: SocketAddr, upstream: impl Into<String>) -> Result<Self, RecordError> {
        let failed = |source| RecordError::Listen { addr: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        Ok(Self { listener, upstream: upstream.into() })
    }

    /// Where clients find the proxy.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Records into `path` until `stop` is ready; the connections that are still open are cut then. The minor version
    /// and a note about callbacks are added to `header` at the end.
    ///
    /// # Errors
    /// [`RecordError::File`].
    pub fn run<'a>(
        self,
        header: Header,
        path: &'a Path,
        stop: impl Future<Output = ()> + Send + 'a,
    ) -> BoxFuture<'a, Result<Summary, RecordError>> {
        self.run_inner(header, path, stop).boxed()
    }

    async fn run_inner(
        self,
        header: Header,
        path: &Path,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Summary, RecordError> {
        let failed = |source| RecordError::File { path: path.to_owned(), source };
        let file = file::TraceFile::create(path, &header).map_err(failed)?;
        let (events, queue) = mpsc::unbounded_channel();
        let writer = tokio::task::spawn_blocking(move || file.write_all(queue));
        let shared = Arc::new(Shared::new(self.upstream, events));
        let mut connections = JoinSet::new();
        // The connections go on when the file cannot be written any more: somebody works over them.
        tokio::select! {
            () = accept(&self.listener, &shared, &mut connections) => {}
            () = shared.watch() => {}
            () = stop => {}
        }
        connections.shutdown().await;
        let (connections, cut) = (shared.connections.load(Ordering::Relaxed), shared.cut.load(Ordering::Relaxed));
        // The file ends with its last sender.
        drop(shared);
        let written = writer.await.map_err(io::Error::other).and_then(|written| written).map_err(failed)?;
        Ok(Summary { connections, cut, ..written })
    }
}

/// Takes connections, each into a task of its own. Never ends.
async fn accept(listener: &TcpListener, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(connections.spawn(Arc::clone(shared).serve(client))),
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(ACCEPT_WAIT).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

impl Shared {
    fn new(upstream: String, events: mpsc::UnboundedSender<Waiting>) -> Self {
        Self {
            upstream,
            first: OnceLock::new(),
            events,
            room: Arc::new(Semaphore::new(WAITING_BYTES_MAX)),
            connections: AtomicU32::new(0),
            cut: AtomicU32::new(0),
            away: AtomicBool::new(false),
            left: Notify::new(),
        }
    }

    async fn serve(self: Arc<Self>, client: TcpStream) {
        // Dropping the client's connection is what it would see without the proxy, a moment later.
        let Some(server) = self.reach_server().await else { return };
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        self.note(number, What::Opened);
        connection::copy(&self, number, client, server).await;
    }

    /// Connects to the server, and notes when it went away or came back.
    async fn reach_server(&self) -> Option<TcpStream> {
        let connecting = tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(&self.upstream));
        match connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(server) => {
                // A server that nobody reached before was not restarted.
                if self.away.swap(false, Ordering::Relaxed) && self.connections.load(Ordering::Relaxed) > 0 {
                    self.note(0, What::Restarted);
                }
                Some(server)
            }
            Err(error) => {
                tracing::info!(upstream = self.upstream, %error, "the server is away");
                self.away.store(true, Ordering::Relaxed);
                self.left.notify_one();
                None
            }
        }
    }

    /// Looks, after the server closed or refused a connection, whether it goes away, and for its return: clients may
    /// come too late to notice a short absence. Never ends.
    async fn watch(&self) {
        loop {
            self.left.notified().await;
            let mut looks = 0;
            while looks < LOOKS {
                tokio::time::sleep(LOOK_WAIT).await;
                looks = if self.reach_server().await.is_some() { looks + 1 } else { 0 };
            }
        }
    }

    /// Hands an event to the file. Returns whether there was room for its message.
    fn note(&self, connection: u32, what: What) -> bool {
        let bytes = match &what {
            What::Message { message, .. } => MESSAGE_OVERHEAD + message.len(),
            _ => 0,
        };
        let room =
            u32::try_from(bytes).ok().and_then(|bytes| Arc::clone(&self.room).try_acquire_many_owned(bytes).ok());
        let Some(room) = room else { return false };
        let event = Event { at: self.first.get_or_init(Instant::now).elapsed(), connection, what };
        self.events.send(Waiting { event, _room: room }).is_ok()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, messages, bytes, restarts, cut } = self;
        write!(f, "{messages} messages of {bytes} bytes over {connections} connections, {restarts} restarts")?;
        if *cut > 0 {
            write!(f, ", {cut} connections not recorded to their end")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
