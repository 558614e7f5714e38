//! The network: listeners, connections, record marking, RPC headers.
//!
//! One task reads a connection and starts a task for each request; another one writes the replies, in the order in which
//! they come. What a client can make the gateway hold is bounded ([`NetLimits`]): at a bound the connection is not read
//! any further, and TCP slows the client down. A request runs to its end even if its connection is gone, so that the
//! reply is there for a retry.

mod connection;
mod listener;
mod outgoing;
mod rpc;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::compound::Service;
use crate::state::ConnectionId;

pub use listener::bind;

/// The most bytes of a request: a WRITE of 1 MiB and room for what goes with it. Sessions are told the same.
pub const RECORD_BYTES_MAX: usize = (1 << 20) + (64 << 10);

/// The bounds of what clients can make the network side hold, and how long it waits for them.
#[derive(Debug, Clone)]
pub struct NetLimits {
    /// Connections of all clients together; at least one for each listener. At the limit no more are accepted until one
    /// ends.
    pub connections: usize,
    /// Requests of one connection that run at the same time. At the limit it is not read.
    pub requests_per_connection: usize,
    /// Bytes of requests of one connection that run at the same time; at least [`RECORD_BYTES_MAX`] has effect.
    pub request_bytes_per_connection: usize,
    /// How long a client may leave a reply unread, or a request half sent, until its connection is closed.
    pub stall: Duration,
    /// How long a graceful stop waits for requests that run.
    pub drain: Duration,
}

impl Default for NetLimits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            requests_per_connection: 64,
            request_bytes_per_connection: 32 << 20,
            stall: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

/// What the connections share.
struct Server {
    service: Arc<Service>,
    limits: NetLimits,
    shutdown: CancellationToken,
    /// One permit for each connection that may still come.
    vacancies: Arc<Semaphore>,
    /// Connections and requests that are still alive.
    tasks: TaskTracker,
    last_connection: AtomicU64,
}

impl Server {
    fn new_connection(&self) -> ConnectionId {
        ConnectionId(self.last_connection.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Serves until `shutdown`: then accepts and reads nothing more, finishes the requests that run (no longer than
/// [`NetLimits::drain`]), sends their replies and closes the connections.
pub async fn serve(listeners: Vec<TcpListener>, service: Arc<Service>, limits: NetLimits, shutdown: CancellationToken) {
    // Each listener holds one while it waits for a connection.
    let vacancies = limits.connections.min(Semaphore::MAX_PERMITS).max(listeners.len());
    let vacancies = Arc::new(Semaphore::new(vacancies));
    let tasks = TaskTracker::new();
    let server = Arc::new(Server { service, limits, shutdown, vacancies, tasks, last_connection: AtomicU64::new(0) });
    for listener in listeners {
        server.tasks.spawn(listener::accept(Arc::clone(&server), listener));
    }
    server.shutdown.cancelled().await;
    server.tasks.close();
    if tokio::time::timeout(server.limits.drain, server.tasks.wait()).await.is_err() {
        tracing::warn!(tasks = server.tasks.len(), "requests still run at the end of a graceful stop");
    }
}
