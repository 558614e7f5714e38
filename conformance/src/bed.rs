//! A server under test, and what is behind it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::{BoxFuture, FutureExt};
use hafiz_nfs_gateway::data::DataConfig;
use hafiz_nfs_gateway::fs::FsConfig;
use hafiz_nfs_gateway::gateway::{Config, Gateway};
use hafiz_nfs_gateway::store::aws::{S3Config, StaticKeys, Timeouts};
use tracing_subscriber::EnvFilter;

use crate::folder::Folder;
use crate::minio::{self, Minio};
use crate::{Access, EmbeddedStore, Objects, Target, skip, unavailable};

/// The port of NFS where `NFS_TARGET` names none.
const NFS_PORT: &str = "2049";
/// How long a stopping gateway may upload.
const DRAIN: Duration = Duration::from_secs(60);

/// How to run a gateway under test.
#[derive(Debug, Clone)]
pub struct BedOptions {
    /// The lease, and the grace period after a restart.
    pub lease: Duration,
    /// How long what the bucket said is believed.
    pub freshness: Duration,
}

impl Default for BedOptions {
    fn default() -> Self {
        Self { lease: Duration::from_secs(20), freshness: Duration::from_millis(200) }
    }
}

/// A server under test. A gateway in this process ends with the test's runtime; with `RUST_LOG` set, it logs.
pub struct Bed {
    addr: SocketAddr,
    directory: String,
    inside: Option<Inside>,
}

/// A gateway in this process.
struct Inside {
    gateway: Option<Gateway>,
    config: Config,
    objects: Objects,
    /// Kept for as long as the gateway runs.
    _store: Store,
    folder: Folder,
}

/// The S3 server behind a gateway.
enum Store {
    Embedded { _server: EmbeddedStore },
    Minio { _server: Arc<Minio> },
}

impl Bed {
    /// A server of this kind, or `None` when there is none here, which is then said on the terminal.
    pub fn set_up(target: Target, options: &BedOptions) -> BoxFuture<'_, Option<Self>> {
        // Boxed here and below: else each crate with tests compiles the gateway again.
        Self::choose(target, options).boxed()
    }

    async fn choose(target: Target, options: &BedOptions) -> Option<Self> {
        if std::env::var_os("RUST_LOG").is_some() {
            // Only the first bed of a process can do this.
            let _ = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).try_init();
        }
        match target {
            Target::Embedded => {
                let folder = Folder::new();
                let server = EmbeddedStore::start(folder.path()).await;
                let access = server.access.clone();
                Some(Self::inside(folder, Store::Embedded { _server: server }, &access, options).await)
            }
            Target::Minio => match minio::shared().await {
                Ok(server) => {
                    let endpoint = server.endpoint.clone();
                    let access = Access { endpoint, access_key: "minioadmin", secret_key: "minioadmin" };
                    Some(Self::inside(Folder::new(), Store::Minio { _server: server }, &access, options).await)
                }
                Err(why) => {
                    unavailable(&why);
                    None
                }
            },
            Target::Remote => match std::env::var("NFS_TARGET") {
                Ok(url) => Some(Self::remote(&url).await),
                Err(_) => {
                    skip("NFS_TARGET names no server");
                    None
                }
            },
        }
    }

    async fn inside(folder: Folder, store: Store, access: &Access, options: &BedOptions) -> Self {
        let bucket = bucket_name();
        let objects = access.objects(&bucket);
        objects.create_bucket().await;
        let mut config = config(access, folder.path().join("state"), bucket.clone(), options);
        let gateway = Gateway::start(config.clone()).await.unwrap();
        let addr = *gateway.addresses().first().unwrap();
        // A restart must come up where clients look for it.
        config.bind = vec![addr];
        let inside = Inside { gateway: Some(gateway), config, objects, _store: store, folder };
        Self { addr, directory: format!("/{bucket}"), inside: Some(inside) }
    }

    async fn remote(url: &str) -> Self {
        let rest = url.strip_prefix("nfs://").unwrap_or_else(|| panic!("NFS_TARGET={url} does not begin with nfs://"));
        let (host, directory) = rest.split_once('/').unwrap_or((rest, ""));
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { host.to_owned() } else { format!("{host}:{NFS_PORT}") };
        let mut found = tokio::net::lookup_host(&host).await.unwrap_or_else(|error| panic!("{host}: {error}"));
        let addr = found.next().unwrap_or_else(|| panic!("{host} has no address"));
        Self { addr, directory: format!("/{directory}"), inside: None }
    }

    /// Where the server listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The path of the directory to work in: an empty bucket, or what `NFS_TARGET` names.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// The bucket behind a gateway in this process.
    #[must_use]
    pub fn objects(&self) -> Option<&Objects> {
        self.inside.as_ref().map(|inside| &inside.objects)
    }

    /// Where a gateway in this process keeps everything.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.inside.as_ref().map(|inside| inside.folder.path())
    }

    /// Stops a gateway in this process as SIGTERM does.
    pub fn stop(&mut self) -> BoxFuture<'_, ()> {
        let stop = async {
            let inside = self.inside.as_mut().unwrap();
            let left = inside.gateway.take().unwrap().shutdown().await;
            assert_eq!(left, 0, "objects that were not uploaded");
        };
        stop.boxed()
    }

    /// Starts it again: same address, same state.
    pub fn start(&mut self) -> BoxFuture<'_, ()> {
        let start = async {
            let inside = self.inside.as_mut().unwrap();
            inside.gateway = Some(Gateway::start(inside.config.clone()).await.unwrap());
        };
        start.boxed()
    }
}

fn config(access: &Access, state_dir: PathBuf, bucket: String, options: &BedOptions) -> Config {
    let keys = StaticKeys {
        access_key: access.access_key.to_owned(),
        secret_key: access.secret_key.to_owned(),
        session_token: None,
    };
    Config {
        bind: vec!["127.0.0.1:0".parse().unwrap()],
        s3: S3Config {
            endpoint: Some(access.endpoint.clone()),
            region: None,
            keys: Some(keys),
            virtual_host: false,
            timeouts: Timeouts::default(),
        },
        state_dir,
        lease: options.lease,
        drain: DRAIN,
        fs: FsConfig { buckets: vec![bucket], freshness: options.freshness, ..FsConfig::default() },
        data: DataConfig::default(),
    }
}

/// A name that no other test uses, also not in another process.
#[must_use]
pub fn bucket_name() -> String {
    static BUCKETS: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("conformance-{nanos}-{}", BUCKETS.fetch_add(1, Ordering::Relaxed))
}
