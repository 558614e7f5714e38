//! What all connections share: the file system, the protocol state, the stable client records and the clock.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nfs4_protocol::rpc::AUTH_NONE;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::identity::NOBODY;
use super::stable::{StableClients, StableQueue};
use crate::fs::filesystem::{Caller, Filesystem, OpenGuard};
use crate::state::{ConnectionId, Moment, Principal, State, StateConfig};

/// The most bytes of a [`Settings::deployment_id`].
pub const DEPLOYMENT_ID_BYTES_MAX: usize = 256;

/// How often the protocol state is looked over for leases that ran out.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(1);

/// What an operator decides, and what is stable for the life of the deployment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names the deployment towards clients (server owner and scope of EXCHANGE_ID): the same after a restart and on
    /// every address, else clients take it for another server. At most [`DEPLOYMENT_ID_BYTES_MAX`] bytes.
    pub deployment_id: String,
    /// The most bytes of one READ (the attribute `maxread`).
    pub read_bytes_max: u32,
    /// The most bytes of one WRITE (the attribute `maxwrite`).
    pub write_bytes_max: u32,
    /// The domain of owner strings (`user@domain`); without one, owners go out as decimal numbers.
    pub nfs4_domain: Option<String>,
}

impl Settings {
    /// The settings of a deployment, with READ and WRITE of 1 MiB and decimal owners.
    pub fn new(deployment_id: impl Into<String>) -> Self {
        Self {
            deployment_id: deployment_id.into(),
            read_bytes_max: 1 << 20,
            write_bytes_max: 1 << 20,
            nfs4_domain: None,
        }
    }
}

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// As the file system sees it.
    pub caller: Caller,
    /// As the protocol state compares it.
    pub principal: Principal,
}

impl Credentials {
    /// Those of a request that brings none (AUTH_NONE): nobody's.
    pub fn anonymous() -> Self {
        Self {
            caller: Caller { uid: NOBODY, gid: NOBODY, groups: Vec::new() },
            principal: Principal::new(AUTH_NONE, Vec::new()),
        }
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time since a fixed moment of this process. It never goes back.
    fn now(&self) -> Moment;
}

/// The clock of the machine, counted from when this was made.
#[derive(Debug)]
pub struct MonotonicClock(Instant);

impl MonotonicClock {
    /// A clock that starts at 0 now.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Moment {
        Moment(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

/// The NFS service of the gateway, shared by all connections.
pub struct Service {
    pub(super) fs: Arc<dyn Filesystem>,
    pub(super) settings: Settings,
    /// In seconds, as clients are told.
    pub(super) lease_seconds: u32,
    /// Told whenever a request of a 4.0 owner ended, for those that wait for the owner's turn.
    pub(super) owner_released: Notify,
    pub(super) stable: StableQueue,
    clock: Arc<dyn Clock>,
    state: Mutex<State<Arc<OpenGuard>>>,
}

impl Service {
    /// Loads the client records and starts the service; a grace period begins if there are any (RFC 8881 §8.4.2).
    ///
    /// # Errors
    /// When the records cannot be loaded, or the deployment id is empty or too long.
    pub async fn start(
        fs: Arc<dyn Filesystem>,
        settings: Settings,
        state: StateConfig,
        clients: Arc<dyn StableClients>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Arc<Self>> {
        if settings.deployment_id.is_empty() || settings.deployment_id.len() > DEPLOYMENT_ID_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the deployment id is empty or too long"));
        }
        let records = clients.load().await?;
        let lease_seconds = u32::try_from(state.lease_ms.div_ceil(1000)).unwrap_or(u32::MAX);
        let state = Mutex::new(State::new(state, records, clock.now()));
        let stable = StableQueue::new(clients);
        Ok(Arc::new(Self { fs, settings, lease_seconds, owner_released: Notify::new(), stable, clock, state }))
    }

    /// Calls the protocol state. What it wants durable is queued, to be written before any reply leaves; what it let go
    /// is dropped after the lock.
    pub(super) fn state<R>(&self, call: impl FnOnce(&mut State<Arc<OpenGuard>>, Moment) -> R) -> R {
        let (result, freed) = {
            let mut state = self.state.lock();
            let result = call(&mut state, self.clock.now());
            self.stable.queue(state.take_effects());
            (result, state.take_freed())
        };
        drop(freed);
        result
    }

    /// Tells the state that a connection is gone.
    pub fn connection_lost(&self, connection: ConnectionId) {
        self.state(|state, _| state.connection_lost(connection));
    }

    /// Looks over the state once: leases, grace, unconfirmed clients.
    ///
    /// # Errors
    /// When the client records cannot be written; they are tried again the next time.
    pub async fn housekeep(&self) -> io::Result<()> {
        self.state(|state, now| state.expire(now));
        self.stable.settle().await
    }

    /// Looks over the state once a second until `shutdown`; then strikes clients that hold nothing off the stable
    /// records, so that the next start has no grace period for nobody.
    pub async fn run_housekeeping(&self, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(HOUSEKEEPING_INTERVAL)).await.is_some() {
            self.report(self.housekeep().await);
        }
        self.state(|state, _| state.forget_idle());
        self.report(self.stable.settle().await);
    }

    fn report(&self, written: io::Result<()>) {
        if let Err(error) = written {
            tracing::error!(%error, "the client records cannot be written");
        }
    }
}
