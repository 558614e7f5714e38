//! A client: its identity at the server, its lease, and how its compounds are sent.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use nfs4_protocol::nfs4::{FATTR4_LEASE_TIME, FATTR4_MAXREAD, FATTR4_MAXWRITE, NfsArgop4, NfsStat4};
use nfs4_protocol::rpc::OpaqueAuth;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

mod establish;
mod options;
mod owner;
mod session;

pub use options::ClientOptions;
pub use owner::OpenOwner;
pub use session::{Session, Slot};

use self::establish::Link;
use crate::{CompoundBuilder, Connection, Error, Reply, Result};

/// The first pause before a request is sent again; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// The lease is renewed this many times in its length.
const RENEWALS_PER_LEASE: u32 = 3;

/// A client of one server. Clones share everything; the connection closes when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    addr: SocketAddr,
    minor: u32,
    options: ClientOptions,
    credential: OpaqueAuth,
    link: Mutex<Arc<Link>>,
    facts: OnceLock<Facts>,
    owners: AtomicU64,
    renewal: OnceLock<AbortOnDropHandle<()>>,
}

/// What the server says about itself.
#[derive(Debug, Clone, Copy)]
struct Facts {
    lease: Duration,
    read_bytes_max: u32,
    write_bytes_max: u32,
}

/// How long to go on trying.
#[derive(Debug)]
pub(crate) struct Patience {
    until: Instant,
    pause: Duration,
}

impl Client {
    /// Connects and makes the client known: SETCLIENTID and its confirmation, or EXCHANGE_ID, CREATE_SESSION and
    /// RECLAIM_COMPLETE. Any state of an earlier life of this client (same name, other verifier) ends.
    ///
    /// # Errors
    /// Those of the connection and of the operations.
    pub fn connect(addr: SocketAddr, minor: u32, options: ClientOptions) -> BoxFuture<'static, Result<Self>> {
        Self::introduce(addr, minor, options).boxed()
    }

    async fn introduce(addr: SocketAddr, minor: u32, options: ClientOptions) -> Result<Self> {
        let credential = options.credential();
        let link = establish::establish(addr, minor, &options, &credential).await?;
        let renew = options.renew;
        let inner = Inner {
            addr,
            minor,
            options,
            credential,
            link: Mutex::new(Arc::new(link)),
            facts: OnceLock::new(),
            owners: AtomicU64::new(0),
            renewal: OnceLock::new(),
        };
        let client = Self { inner: Arc::new(inner) };
        client.reclaim_complete().await?;
        client.learn_facts().await?;
        if renew {
            let renewal = tokio::spawn(keep_lease(Arc::downgrade(&client.inner), client.lease()));
            client.inner.renewal.get_or_init(|| AbortOnDropHandle::new(renewal));
        }
        Ok(client)
    }

    async fn learn_facts(&self) -> Result<()> {
        let compound =
            CompoundBuilder::new().putrootfh().getattr(&[FATTR4_LEASE_TIME, FATTR4_MAXREAD, FATTR4_MAXWRITE]);
        let attrs = self.run(compound).await?.getattr()?;
        let limit = |max: Option<u64>| max.map_or(u32::MAX, |max| u32::try_from(max).unwrap_or(u32::MAX));
        let own = self.inner.options.io_bytes.min(self.link().io_bytes_max);
        self.inner.facts.get_or_init(|| Facts {
            lease: Duration::from_secs(attrs.lease_time.unwrap_or(90).max(1).into()),
            read_bytes_max: own.min(limit(attrs.maxread)).max(1),
            write_bytes_max: own.min(limit(attrs.maxwrite)).max(1),
        });
        Ok(())
    }

    /// The minor version.
    #[must_use]
    pub fn minor(&self) -> u32 {
        self.inner.minor
    }

    /// Who the client is.
    #[must_use]
    pub fn options(&self) -> &ClientOptions {
        &self.inner.options
    }

    /// The client ID that the server gave.
    #[must_use]
    pub fn clientid(&self) -> u64 {
        self.link().clientid
    }

    /// The session, in 4.1 and later.
    #[must_use]
    pub fn session(&self) -> Option<Arc<Session>> {
        self.link().session.clone()
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.link().connection.clone()
    }

    /// The credential of all calls.
    #[must_use]
    pub fn credential(&self) -> OpaqueAuth {
        self.inner.credential.clone()
    }

    /// The server's lease time.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.inner.facts.get().map_or(Duration::from_secs(90), |facts| facts.lease)
    }

    /// The largest READ that the server, the session and the options allow, in bytes.
    #[must_use]
    pub fn read_bytes_max(&self) -> u32 {
        self.inner.facts.get().map_or(self.inner.options.io_bytes, |facts| facts.read_bytes_max)
    }

    /// The largest WRITE that the server, the session and the options allow, in bytes.
    #[must_use]
    pub fn write_bytes_max(&self) -> u32 {
        self.inner.facts.get().map_or(self.inner.options.io_bytes, |facts| facts.write_bytes_max)
    }

    /// Sends a compound as it is, without a SEQUENCE of its own. An error status is part of the reply.
    ///
    /// # Errors
    /// Those of the connection and of RPC.
    pub async fn call_bare(&self, compound: CompoundBuilder) -> Result<Reply> {
        self.send(&self.link(), compound).await
    }

    /// Sends a compound, in 4.1 and later in a slot of the session and with SEQUENCE in front, whose result is taken
    /// out of the reply unless it failed. An error status is part of the reply.
    ///
    /// # Errors
    /// Those of the connection and of RPC.
    pub fn call(&self, compound: CompoundBuilder) -> BoxFuture<'_, Result<Reply>> {
        // Boxed, as are the futures that all others are built on: else each crate that uses them compiles them again.
        let call = async move {
            let link = self.link();
            let Some(session) = &link.session else {
                return self.send(&link, compound).await;
            };
            let slot = session.slot().await?;
            let sequence = NfsArgop4::Sequence(slot.sequence(compound.is_kept()));
            let mut reply = self.send(&link, compound.first(sequence)).await?;
            slot.done(reply.take_sequence());
            Ok(reply)
        };
        call.boxed()
    }

    /// As [`Client::call`], and goes on trying while the server asks to come back later.
    pub(crate) fn run(&self, compound: CompoundBuilder) -> BoxFuture<'_, Result<Reply>> {
        let run = async move {
            let mut patience = self.patience();
            loop {
                let reply = self.call(compound.clone()).await?;
                if !(reply.asks_for_patience() && patience.wait().await) {
                    return Ok(reply);
                }
            }
        };
        run.boxed()
    }

    /// As [`Client::run`], for operations that carry an open-owner's sequence ID.
    pub(crate) async fn run_in_turn(&self, owner: &OpenOwner, build: impl Fn(u32) -> CompoundBuilder) -> Result<Reply> {
        if self.minor() > 0 {
            return self.run(build(0)).await;
        }
        let mut next = owner.turn().await;
        self.run_sequenced(&mut next, build).await
    }

    /// As [`Client::run`], for operations that carry the sequence ID `next`, which moves on.
    pub(crate) async fn run_sequenced(&self, next: &mut u32, build: impl Fn(u32) -> CompoundBuilder) -> Result<Reply> {
        let mut patience = self.patience();
        loop {
            let reply = self.call(build(*next)).await?;
            owner::advance(next, &reply);
            if !(reply.asks_for_patience() && patience.wait().await) {
                return Ok(reply);
            }
        }
    }

    async fn send(&self, link: &Link, compound: CompoundBuilder) -> Result<Reply> {
        let args = compound.build(self.minor());
        link.connection.compound(self.credential(), &args).await.map(Reply::new)
    }

    /// Shows the server a sign of life: RENEW or a lone SEQUENCE.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn renew(&self) -> Result<()> {
        let compound = match self.minor() {
            0 => CompoundBuilder::new().renew(self.clientid()),
            _ => CompoundBuilder::new(),
        };
        self.call(compound).await?.ok()
    }

    /// A new connection for the same state, after the old one was lost. Slots whose requests got no answer stay unused.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn reconnect(&self) -> Result<()> {
        let connection = Connection::open(self.inner.addr, self.inner.options.reply_wait).await?;
        let mut link = self.inner.link.lock();
        *link = Arc::new(Link { connection, ..Link::clone(&link) });
        Ok(())
    }

    /// Makes the client known again to a server that restarted. Opens are then reclaimed with
    /// [`OpenFile::reclaim`](crate::OpenFile::reclaim), until [`Client::reclaim_complete`]. Waits for the server to
    /// come up.
    ///
    /// # Errors
    /// Those of the connection and of the operations, when the patience is over.
    pub async fn recover(&self) -> Result<()> {
        let inner = &*self.inner;
        let mut patience = self.patience();
        loop {
            match establish::establish(inner.addr, inner.minor, &inner.options, &inner.credential).await {
                Ok(link) => {
                    *inner.link.lock() = Arc::new(link);
                    return Ok(());
                }
                Err(error) if error.is_lost() && patience.wait().await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Says that there is nothing more to reclaim; nothing in 4.0.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn reclaim_complete(&self) -> Result<()> {
        if self.minor() == 0 {
            return Ok(());
        }
        match self.run(CompoundBuilder::new().reclaim_complete()).await?.reclaim_complete() {
            Err(Error::Status { status: NfsStat4::CompleteAlready, .. }) => Ok(()),
            result => result,
        }
    }

    /// Takes leave: in 4.1 and later DESTROY_SESSION and DESTROY_CLIENTID. All files must be closed.
    ///
    /// # Errors
    /// Those of the calls and of the operations.
    pub async fn leave(self) -> Result<()> {
        let link = self.link();
        match &link.session {
            None => Ok(()),
            Some(session) => establish::destroy(self.inner.minor, &link, session.id(), &self.inner.credential).await,
        }
    }

    /// A name for an owner that this client has not used yet.
    pub(crate) fn owner_name(&self) -> String {
        format!("owner {}", self.inner.owners.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn ops_max(&self) -> usize {
        self.link().ops_max
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience { until: Instant::now() + self.inner.options.patience, pause: PAUSE_MIN }
    }

    fn link(&self) -> Arc<Link> {
        Arc::clone(&self.inner.link.lock())
    }
}

impl Patience {
    /// Waits a little; returns false, at once, when it is over.
    pub(crate) async fn wait(&mut self) -> bool {
        if Instant::now() + self.pause > self.until {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        true
    }
}

/// Renews the lease as long as the client lives.
async fn keep_lease(client: Weak<Inner>, lease: Duration) {
    loop {
        tokio::time::sleep(lease / RENEWALS_PER_LEASE).await;
        let Some(inner) = client.upgrade() else { return };
        if let Err(error) = (Client { inner }).renew().await {
            tracing::debug!(%error, "the lease was not renewed");
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
