//! The gateway put together: from a configuration to a running server, and to a stop that leaves nothing undone.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::compound::{MonotonicClock, Service, Settings};
use crate::data::{Data, DataConfig, DataError};
use crate::fs::filesystem::{Filesystem, FsError};
use crate::fs::{FsConfig, IdentityKey, ObjectFs};
use crate::local::{Change, Local, LocalError, Table};
use crate::net::{self, NetLimits};
use crate::stable_clients::LocalClients;
use crate::state::StateConfig;
use crate::store::aws::{AwsStore, ConnectError, S3Config};
use crate::store::dialect::{Capabilities, Polyglot};
use crate::store::probe::probe;
use crate::store::retry::{RetryPolicy, RetryingStore};
use crate::store::traced::{RequestCounts, TracedStore};
use crate::store::{ListRequest, ObjectStore, StoreError};

/// Setting: the secret key of all identities.
const IDENTITY: &[u8] = b"identity";
/// Setting: how often the gateway started on this state.
const STARTS: &[u8] = b"starts";

/// All that a gateway needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub bind: Vec<SocketAddr>,
    /// The store.
    pub s3: S3Config,
    /// Where staged data and local state lie. One gateway at a time.
    pub state_dir: PathBuf,
    /// How long clients may be silent before their state may be taken; also the grace period after a restart.
    pub lease: Duration,
    /// How long a stop waits for uploads.
    pub drain: Duration,
    /// The file system.
    pub fs: FsConfig,
    /// The data path.
    pub data: DataConfig,
}

/// Why a gateway did not start. Each is one line an operator understands.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state directory cannot be used.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The staging area cannot be used.
    #[error("the staging area cannot be used: {0}")]
    Data(#[from] DataError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(io::Error),
    /// The S3 configuration makes no sense.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The store did not answer as it should.
    #[error("the store at {endpoint} cannot be used: {error}")]
    Store {
        /// Its endpoint.
        endpoint: String,
        /// What it said.
        error: StoreError,
    },
    /// A bucket to serve cannot be used.
    #[error("the bucket {bucket} at {endpoint} cannot be used: {error}")]
    Bucket {
        /// Its name.
        bucket: String,
        /// The store's endpoint.
        endpoint: String,
        /// What the store said.
        error: StoreError,
    },
    /// What the last run left undone cannot be taken up.
    #[error("unfinished work of the last run cannot be taken up: {0}")]
    Recovery(FsError),
    /// The system gave no random bytes, or the client records cannot be read.
    #[error(transparent)]
    System(io::Error),
}

/// A running gateway.
pub struct Gateway {
    addresses: Vec<SocketAddr>,
    fs: Arc<ObjectFs>,
    traced: Arc<TracedStore>,
    serving: JoinHandle<()>,
    housekeeping: JoinHandle<()>,
    syncing: JoinHandle<usize>,
    stop_serving: CancellationToken,
    stop_syncing: CancellationToken,
    give_up: CancellationToken,
    drain: Duration,
}

impl Gateway {
    /// Starts to serve. When it returns, clients can mount.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let local = Local::open(&config.state_dir)?;
        let listeners = net::bind(&config.bind).map_err(StartError::Listen)?;
        let addresses = listeners.iter().map(tokio::net::TcpListener::local_addr).collect::<io::Result<Vec<_>>>();
        let addresses = addresses.map_err(StartError::Listen)?;
        let Connected { store, traced, capabilities } = connect(&config).await?;
        let data = Data::open(Arc::clone(&store), &config.state_dir, config.data)?;
        let (identity, starts) = settings(&local).await?;
        let key = IdentityKey::new(identity);
        let fs = ObjectFs::open(store, capabilities, data, local.clone(), key, config.fs.clone()).await;
        let fs = fs.map_err(StartError::Recovery)?;

        let mut state = StateConfig::new(starts, identity);
        state.lease_ms = u64::try_from(config.lease.as_millis()).unwrap_or(u64::MAX);
        state.grace_ms = state.lease_ms;
        let service = Service::start(
            Arc::clone(&fs) as Arc<dyn Filesystem>,
            Settings::new(format!("hafiz-{:016x}", key.fsid("deployment"))),
            state,
            Arc::new(LocalClients(local)),
            Arc::new(MonotonicClock::start()),
        );
        let service = service.await.map_err(StartError::System)?;
        let (stop_serving, stop_syncing, give_up) =
            (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let housekeeping = Arc::clone(&service);
        let until = stop_serving.clone();
        Ok(Self {
            addresses,
            traced,
            serving: tokio::spawn(net::serve(listeners, service, NetLimits::default(), stop_serving.clone())),
            housekeeping: tokio::spawn(async move { housekeeping.run_housekeeping(until).await }),
            syncing: tokio::spawn(Arc::clone(&fs).run(stop_syncing.clone(), give_up.clone())),
            fs,
            stop_serving,
            stop_syncing,
            give_up,
            drain: config.drain,
        })
    }

    /// The addresses it listens on, in the order they were asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Objects that the buckets do not have yet, or have still.
    pub fn pending(&self) -> usize {
        self.fs.pending()
    }

    /// S3 requests so far, by verb.
    pub fn requests(&self) -> RequestCounts {
        self.traced.counts()
    }

    /// Stops: takes no more requests, answers those that run, uploads what is dirty for as long as the drain time
    /// lasts. How many objects are left; they stay in the local state, and the next start goes on with them.
    pub async fn shutdown(self) -> usize {
        self.stop_serving.cancel();
        for task in [self.serving, self.housekeeping] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the gateway failed");
            }
        }
        self.stop_syncing.cancel();
        let give_up = self.give_up;
        let timer = tokio::spawn(async move {
            tokio::time::sleep(self.drain).await;
            give_up.cancel();
        });
        let left = self.syncing.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the uploader failed");
            self.fs.pending()
        });
        timer.abort();
        left
    }
}

/// The store as the rooms above use it.
struct Connected {
    store: Arc<dyn ObjectStore>,
    /// Counts every request, retries among them.
    traced: Arc<TracedStore>,
    capabilities: Capabilities,
}

/// Connects to the store, sees that it answers, and finds out what it can do.
async fn connect(config: &Config) -> Result<Connected, StartError> {
    let aws = AwsStore::connect(config.s3.clone()).await?;
    let endpoint = config.s3.endpoint.clone().unwrap_or_else(|| "AWS".to_owned());
    let refused = |error| StartError::Store { endpoint: endpoint.clone(), error };
    let buckets = match config.fs.buckets.as_slice() {
        [] => aws.list_buckets().await.map_err(refused)?.into_iter().map(|bucket| bucket.name).collect(),
        named => {
            for bucket in named {
                // Not HEAD, whose answer has no room for the reason of a refusal.
                let look = ListRequest { bucket: bucket.clone(), max_keys: 1, ..ListRequest::default() };
                aws.list(&look).await.map_err(|error| StartError::Bucket {
                    bucket: bucket.clone(),
                    endpoint: endpoint.clone(),
                    error,
                })?;
            }
            named.to_vec()
        }
    };
    let capabilities = match buckets.first() {
        Some(bucket) => probe(&aws, bucket).await.map_err(refused)?,
        None => {
            tracing::warn!("the store has no bucket to try: writes are checked by looking first");
            Capabilities { writable: true, ..Capabilities::default() }
        }
    };
    let traced = Arc::new(TracedStore::new(aws.speaking(capabilities.dialect)));
    let store = RetryingStore::new(Arc::clone(&traced) as Arc<dyn ObjectStore>, RetryPolicy::default());
    Ok(Connected { store: Arc::new(store), traced, capabilities })
}

/// The deployment's key, made at the first start, and the number of this start.
async fn settings(local: &Local) -> Result<([u8; 16], u32), StartError> {
    let stored: Option<[u8; 16]> = local.get(Table::Settings, IDENTITY)?.and_then(|bytes| bytes.try_into().ok());
    let identity = match stored {
        Some(identity) => identity,
        None => {
            let mut identity = [0; 16];
            getrandom::fill(&mut identity).map_err(|error| StartError::System(io::Error::other(error.to_string())))?;
            identity
        }
    };
    let starts: Option<[u8; 4]> = local.get(Table::Settings, STARTS)?.and_then(|bytes| bytes.try_into().ok());
    let starts = starts.map_or(1, |bytes| u32::from_be_bytes(bytes).wrapping_add(1));
    let changes = vec![
        Change::put(Table::Settings, IDENTITY, identity),
        Change::put(Table::Settings, STARTS, starts.to_be_bytes()),
    ];
    local.commit(changes).await?;
    Ok((identity, starts))
}
