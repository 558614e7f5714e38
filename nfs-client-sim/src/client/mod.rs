//! A client: its identity at the server, its lease, and how its compounds are sent.

mod call;
mod establish;
mod keeper;
mod lanes;
mod options;
mod owner;
mod recovery;
mod session;
mod shape;
mod trouble;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use nfs4_protocol::nfs4::{Attrs, FATTR4_LEASE_TIME, FATTR4_MAXREAD, FATTR4_MAXWRITE};
use nfs4_protocol::rpc::OpaqueAuth;
use parking_lot::Mutex;
use tokio::sync::{Notify, RwLock, mpsc};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

pub use options::{ClientOptions, Recovery};
pub use owner::OpenOwner;
pub(crate) use owner::moves_seqid;
pub use session::{Session, Slot};
pub use shape::{Shape, Tag, TagOf};

pub(crate) use self::call::Request;
use self::establish::Greeting;
pub(crate) use self::establish::Link;
use self::lanes::Lanes;
use self::recovery::Owed;
pub(crate) use self::trouble::is_forgetting;
use crate::callback::{Listener, Service, universal_address};
use crate::files::{OpenState, Opens};
use crate::net::Dialling;
use crate::{CompoundBuilder, Connection, Error, Result};

/// The first pause before a request is sent again; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// A client of one server. Clones share everything; the connections close when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    minor: u32,
    options: ClientOptions,
    credential: OpaqueAuth,
    lanes: Lanes,
    link: Mutex<Arc<Link>>,
    facts: OnceLock<Facts>,
    owners: AtomicU64,
    opens: Arc<Opens>,
    callbacks: Option<Callbacks>,
    /// Shared by requests, exclusive for recoveries: none of them sees the state half mended.
    gate: RwLock<()>,
    /// What the last recovery did not get done.
    owed: Mutex<Option<Owed>>,
    /// The server wants something, as the flags of SEQUENCE say.
    attention: Arc<Notify>,
    keeper: OnceLock<AbortOnDropHandle<()>>,
}

/// The callback service.
#[derive(Debug)]
struct Callbacks {
    service: Arc<Service>,
    /// In 4.0.
    listener: Option<Listener>,
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
    /// Those of the connection and of the operations; [`Error::Listen`].
    pub fn connect(addr: SocketAddr, minor: u32, options: ClientOptions) -> BoxFuture<'static, Result<Self>> {
        Self::introduce(addr, minor, options).boxed()
    }

    async fn introduce(addr: SocketAddr, minor: u32, options: ClientOptions) -> Result<Self> {
        let credential = options.credential();
        let (opens, returns) = Opens::new();
        let program = options.shape.cb_program;
        let service = options
            .callbacks
            .as_ref()
            .map(|callbacks| Arc::new(Service::new(minor, program, callbacks.hook.clone(), Arc::clone(&opens))));
        let mut how = Dialling::new(addr, options.reply_wait);
        if minor > 0 {
            how.incoming = service.clone().map(|service| service as _);
        }
        let lanes = Lanes::open(how, options.connections).await?;
        let callbacks = match service {
            None => None,
            Some(service) => Some(Callbacks::open(service, minor, &options, &lanes).await?),
        };
        let connection = lanes.first().connection();
        let link = greeting(connection, minor, &options, &credential, callbacks.as_ref()).establish(0).await?;
        let inner = Inner {
            minor,
            options,
            credential,
            lanes,
            link: Mutex::new(Arc::new(link)),
            facts: OnceLock::new(),
            owners: AtomicU64::new(0),
            opens,
            callbacks,
            gate: RwLock::new(()),
            owed: Mutex::new(None),
            attention: Arc::new(Notify::new()),
            keeper: OnceLock::new(),
        };
        let client = Self { inner: Arc::new(inner) };
        client.bind_others(&client.present_link()).await?;
        client.reclaim_complete().await?;
        client.learn_facts().await?;
        client.start_keeper(returns);
        Ok(client)
    }

    async fn learn_facts(&self) -> Result<()> {
        let compound =
            CompoundBuilder::new().putrootfh().getattr(&[FATTR4_LEASE_TIME, FATTR4_MAXREAD, FATTR4_MAXWRITE]);
        let attrs = match self.options().shape.asks_limits {
            true => self.run(compound).await?.getattr()?,
            false => Attrs::default(),
        };
        let limit = |max: Option<u64>| max.map_or(u32::MAX, |max| u32::try_from(max).unwrap_or(u32::MAX));
        let own = self.inner.options.io_bytes.min(self.present_link().io_bytes_max);
        self.inner.facts.get_or_init(|| Facts {
            lease: Duration::from_secs(attrs.lease_time.unwrap_or(90).max(1).into()),
            read_bytes_max: own.min(limit(attrs.maxread)).max(1),
            write_bytes_max: own.min(limit(attrs.maxwrite)).max(1),
        });
        Ok(())
    }

    fn start_keeper(&self, returns: mpsc::UnboundedReceiver<Arc<OpenState>>) {
        let options = self.options();
        if options.renew || options.recovery == Recovery::Full || options.callbacks.is_some() {
            let attention = Arc::clone(&self.inner.attention);
            let keeping = keeper::keep(Arc::downgrade(&self.inner), attention, returns, self.lease());
            self.inner.keeper.get_or_init(|| AbortOnDropHandle::new(tokio::spawn(keeping)));
        }
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
        self.present_link().clientid
    }

    /// The session, in 4.1 and later.
    #[must_use]
    pub fn session(&self) -> Option<Arc<Session>> {
        self.present_link().session.clone()
    }

    /// The first of the connections.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.inner.lanes.first().connection()
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

    /// Shows the server a sign of life: RENEW or a lone SEQUENCE.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn renew(&self) -> Result<()> {
        let build = || match self.minor() {
            0 => CompoundBuilder::new().renew(self.clientid()),
            _ => CompoundBuilder::new(),
        };
        self.settle(Request { build: &build, note: &|_| {}, files: &[] }).await?.reply.ok()
    }

    /// New connections for the same state, after the old ones were lost. Slots whose requests got no answer stay unused.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn reconnect(&self) -> Result<()> {
        self.inner.lanes.renew().await?;
        let link = self.present_link();
        if let Some(session) = &link.session
            && link.has_back_channel
        {
            // That the session is gone shows at the next request.
            drop(self.greeting(self.connection()).bind(session.id()).await);
        }
        self.bind_others(&link).await
    }

    /// Makes the client known again to a server that restarted. Waits for the server to come up. With
    /// [`Recovery::Full`] everything is reclaimed as well. Else opens are then reclaimed with
    /// [`OpenFile::reclaim`](crate::OpenFile::reclaim), until [`Client::reclaim_complete`].
    ///
    /// # Errors
    /// Those of the connection and of the operations, when the patience is over.
    pub async fn recover(&self) -> Result<()> {
        let _alone = self.inner.gate.write().await;
        if self.options().recovery == Recovery::Full {
            return self.start_over_owing(Owed::Reclaim).await;
        }
        let mut patience = self.patience();
        loop {
            match self.introduce_again().await {
                Err(error) if error.is_lost() && patience.wait().await => {}
                result => return result,
            }
        }
    }

    async fn introduce_again(&self) -> Result<()> {
        self.inner.lanes.renew().await?;
        let link = self.greeting(self.connection()).establish(self.present_link().epoch + 1).await?;
        self.bind_others(&self.set_link(link)).await
    }

    /// Says that there is nothing more to reclaim; nothing in 4.0.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn reclaim_complete(&self) -> Result<()> {
        self.complete_reclaim(&self.present_link()).await
    }

    /// Takes leave: in 4.1 and later DESTROY_SESSION and DESTROY_CLIENTID. All files must be closed.
    ///
    /// # Errors
    /// Those of the calls and of the operations.
    pub async fn leave(self) -> Result<()> {
        let link = self.present_link();
        let Some(session) = &link.session else { return Ok(()) };
        let greeting = self.greeting(self.connection());
        greeting.destroy_session(session.id()).await?;
        greeting.destroy_clientid(link.clientid).await
    }

    /// Refuses what this minor version has not.
    pub(crate) fn needs_minor(&self, minor: u32, what: &'static str) -> Result<()> {
        if self.minor() < minor { Err(Error::NotInMinor { minor: self.minor(), what }) } else { Ok(()) }
    }

    /// A name for an owner that this client has not used yet.
    pub(crate) fn owner_name(&self) -> String {
        format!("owner {}", self.inner.owners.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn ops_max(&self) -> usize {
        self.present_link().ops_max
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience { until: Instant::now() + self.inner.options.patience, pause: PAUSE_MIN }
    }

    pub(crate) fn opens(&self) -> &Opens {
        &self.inner.opens
    }

    pub(crate) fn present_link(&self) -> Arc<Link> {
        Arc::clone(&self.inner.link.lock())
    }

    fn set_link(&self, link: Link) -> Arc<Link> {
        let link = Arc::new(link);
        *self.inner.link.lock() = Arc::clone(&link);
        link
    }

    fn greeting(&self, connection: Connection) -> Greeting<'_> {
        let Inner { minor, options, credential, callbacks, .. } = &*self.inner;
        greeting(connection, *minor, options, credential, callbacks.as_ref())
    }
}

fn greeting<'a>(
    connection: Connection,
    minor: u32,
    options: &'a ClientOptions,
    credential: &'a OpaqueAuth,
    callbacks: Option<&'a Callbacks>,
) -> Greeting<'a> {
    let listener = callbacks.and_then(|callbacks| callbacks.listener.as_ref());
    Greeting {
        connection,
        minor,
        options,
        credential,
        service: callbacks.map(|callbacks| &*callbacks.service),
        location: listener.map(|listener| universal_address(listener.addr())),
    }
}

impl Callbacks {
    async fn open(service: Arc<Service>, minor: u32, options: &ClientOptions, lanes: &Lanes) -> Result<Self> {
        if minor > 0 {
            return Ok(Self { service, listener: None });
        }
        let own = SocketAddr::new(lanes.first().connection().local().ip(), 0);
        let addr = options.callbacks.as_ref().and_then(|callbacks| callbacks.listen).unwrap_or(own);
        let listener = Listener::open(addr, Arc::clone(&service)).await?;
        Ok(Self { service, listener: Some(listener) })
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

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;

#[cfg(test)]
mod recovery_tests;

#[cfg(test)]
mod reconnect_tests;
