//! An S3 server in this process, with its objects on the local disk: the store behind the two-command start, and the
//! store of tests.
//!
//! The library s3s speaks HTTP, XML and signatures. The back end is ours: an `index` in redb that maps
//! (bucket, key) to an object, and blob files under numbers. Keys are never paths, so every key S3 allows can
//! be stored. A write is acknowledged when its bytes and its index row are on disk; an overwrite replaces the row, so
//! readers see the old object or the new one, whole. Conditions are decided by the one thread that changes the index.
//!
//! Left out: versions, tags, encryption, access control beyond the one key pair.

mod api_listings;
mod api_multipart;
mod api_objects;
mod blobs;
mod body;
mod checksum;
mod conditions;
mod copy;
mod fault;
mod index;
mod ingest;
mod listing;
mod multipart;
mod objects;
mod record;
mod s3;
mod store;
mod tables;
mod upload_ids;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use self::index::OpenError;
use self::s3::Service;
use self::store::Store;

/// Connections served at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;
/// How long a graceful stop waits for requests under way.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// Pause after a failing `accept`, which is most often a lack of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How to run an embedded S3 server.
#[derive(Clone)]
pub struct EmbeddedConfig {
    /// The folder of index and blobs; made if missing. One server at a time uses it.
    pub root: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The access key that clients must use.
    pub access_key: String,
    /// The secret key that clients must sign with.
    pub secret_key: String,
    /// Whether `If-Match` and `If-None-Match` of writes are obeyed. `false` ignores them without a word, as some
    /// servers do, so that tests can meet such a server.
    pub conditional_writes: bool,
}

/// Why an embedded S3 server does not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The address cannot be listened on.
    #[error("cannot listen on {bind}: {source}")]
    Bind {
        /// The address asked for.
        bind: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The folder cannot be used.
    #[error("cannot open the S3 store in {}: {reason}", root.display())]
    Open {
        /// The folder asked for.
        root: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A running embedded S3 server. It stops when dropped; [`shutdown`](Self::shutdown) waits until it has.
#[derive(Debug)]
pub struct EmbeddedServer {
    local_addr: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    closed: oneshot::Receiver<()>,
}

impl fmt::Debug for EmbeddedConfig {
    /// Shows everything but the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedConfig")
            .field("root", &self.root)
            .field("bind", &self.bind)
            .field("conditional_writes", &self.conditional_writes)
            .finish_non_exhaustive()
    }
}

/// Starts an embedded S3 server; it answers when this returns.
///
/// # Errors
/// [`EmbeddedError::Bind`] where the address cannot be had, [`EmbeddedError::Open`] where the folder cannot be written,
/// is in use by another server, or holds an index of another version.
pub async fn start(config: EmbeddedConfig) -> Result<EmbeddedServer, EmbeddedError> {
    let EmbeddedConfig { root, bind, access_key, secret_key, conditional_writes } = config;
    let bind_error = |source| EmbeddedError::Bind { bind, source };
    let listener = TcpListener::bind(bind).await.map_err(bind_error)?;
    let local_addr = listener.local_addr().map_err(bind_error)?;
    let folder = root.clone();
    let opening = tokio::task::spawn_blocking(move || Store::open(&folder, conditional_writes));
    let opened = opening.await.unwrap_or_else(|error| Err(OpenError::from(error)));
    let (store, closed) = opened.map_err(|error| EmbeddedError::Open { root, reason: error.to_string() })?;
    let mut service = S3ServiceBuilder::new(Service { store: Arc::new(store) });
    service.set_auth(SimpleAuth::from_single(access_key, secret_key));
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(serve(listener, service.build(), stopped));
    tracing::debug!(%local_addr, "embedded S3 server answers");
    Ok(EmbeddedServer { local_addr, stop, serving, closed })
}

impl EmbeddedServer {
    /// The address the server listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The URL for clients of this machine.
    pub fn endpoint(&self) -> String {
        let ip = match self.local_addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.local_addr.port()))
    }

    /// Stops: accepts nothing more, lets requests under way end for a few seconds, and closes the store. Its folder is
    /// free when this returns.
    pub async fn shutdown(self) {
        drop(self.stop);
        if let Err(error) = self.serving.await {
            tracing::warn!(%error, "embedded S3 server ended badly");
        }
        // Nothing is ever sent: the channel ends with the store.
        let _ = self.closed.await;
    }
}

/// Accepts connections until `stopped`, then sees them off.
async fn serve(listener: TcpListener, service: S3Service, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let http = auto::Builder::new(TokioExecutor::new()).http1_only();
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, stream) = tokio::select! {
            _ = &mut stopped => break,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accepted => accepted,
        };
        match stream {
            Ok((stream, _)) => {
                prepare(&stream);
                let connection = http.serve_connection(TokioIo::new(stream), service.clone()).into_owned();
                let connection = graceful.watch(connection);
                connections.spawn(async move {
                    let _permit = permit;
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "embedded S3 server: a connection broke");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "embedded S3 server: accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(STOP_WAIT, graceful.shutdown()).await.is_err() {
        tracing::warn!("embedded S3 server: requests under way were cut off");
    }
    connections.shutdown().await;
}

/// Answers go out at once: without this, small ones wait for the client's acknowledgement.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "embedded S3 server: TCP_NODELAY refused");
    }
}
