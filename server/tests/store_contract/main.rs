//! One table of what every [`ObjectStore`] does, run against the store in memory and against the embedded S3 server
//! through the AWS client: what rooms above are tested with and what they run on is the same.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod buckets;
mod conditions;
mod failures;
mod listings;
mod multipart;
mod objects;

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use hafiz_nfs_gateway::embedded::{self, EmbeddedConfig, EmbeddedServer};
use hafiz_nfs_gateway::store::aws::{AwsStore, S3Config, StaticKeys};
use hafiz_nfs_gateway::store::dialect::{Capabilities, Polyglot};
use hafiz_nfs_gateway::store::memory::MemoryStore;
use hafiz_nfs_gateway::store::probe::probe;
use hafiz_nfs_gateway::store::{Condition, CopySource, ETag, ObjectMeta, ObjectStore, StoreResult};
use tempfile::TempDir;

/// The bucket that every bench has.
const BUCKET: &str = "bucket";

/// What to run a case on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The store in memory.
    Memory,
    /// The embedded server, spoken to in the default dialect.
    Embedded,
    /// The embedded server, spoken to as the probe says.
    Probed,
}

/// A store with an empty [`BUCKET`]; what it needs lives as long as the bench.
struct Bench {
    store: Arc<dyn ObjectStore>,
    /// What the probe found, where it was asked.
    found: Option<Capabilities>,
    _server: Option<(EmbeddedServer, TempDir)>,
}

impl Bench {
    async fn new(kind: Kind) -> Self {
        if kind == Kind::Memory {
            let store = MemoryStore::default();
            store.create_bucket(BUCKET).await.unwrap();
            return Self { store: Arc::new(store), found: None, _server: None };
        }
        let (server, root) = server(true).await;
        let aws = AwsStore::connect(config(&server.endpoint(), "secret")).await.unwrap();
        aws.create_bucket(BUCKET).await.unwrap();
        let found = if kind == Kind::Probed { Some(probe(&aws, BUCKET).await.unwrap()) } else { None };
        let store = aws.speaking(found.unwrap_or_default().dialect);
        Self { store, found, _server: Some((server, root)) }
    }

    async fn put(&self, key: &str, body: &'static [u8]) -> ETag {
        let body = Bytes::from_static(body);
        self.store.put(BUCKET, key, body, &ObjectMeta::default(), &Condition::Always).await.unwrap().etag
    }

    async fn put_if(&self, key: &str, body: &'static [u8], condition: Condition) -> StoreResult<ETag> {
        let body = Bytes::from_static(body);
        let written = self.store.put(BUCKET, key, body, &ObjectMeta::default(), &condition).await?;
        Ok(written.etag)
    }

    async fn body(&self, key: &str) -> StoreResult<Bytes> {
        let info = self.store.head(BUCKET, key).await?.info;
        self.store.get(BUCKET, key, 0..info.size, &info.etag).await
    }
}

/// An embedded server with the keys `access` and `secret`.
async fn server(conditional_writes: bool) -> (EmbeddedServer, TempDir) {
    let root = TempDir::new().unwrap();
    let config = EmbeddedConfig {
        root: root.path().to_owned(),
        bind: (Ipv4Addr::LOCALHOST, 0).into(),
        access_key: "access".to_owned(),
        secret_key: "secret".to_owned(),
        conditional_writes,
    };
    (embedded::start(config).await.unwrap(), root)
}

fn config(endpoint: &str, secret_key: &str) -> S3Config {
    let keys = StaticKeys { access_key: "access".into(), secret_key: secret_key.into(), session_token: None };
    S3Config { endpoint: Some(endpoint.to_owned()), keys: Some(keys), ..S3Config::default() }
}

/// Metadata in every place where an object can have some.
fn full_meta() -> ObjectMeta {
    ObjectMeta {
        content_type: Some("text/x-test".into()),
        content_encoding: Some("identity".into()),
        content_language: Some("de".into()),
        content_disposition: Some("inline".into()),
        cache_control: Some("no-cache".into()),
        storage_class: None,
        user: [("file-owner".into(), "1000".into()), ("note".into(), "two words = 2".into())].into(),
    }
}

fn source(key: &str, etag: &ETag) -> CopySource {
    CopySource { bucket: BUCKET.to_owned(), key: key.to_owned(), etag: etag.clone() }
}

/// A tag that no version has.
fn other_tag() -> ETag {
    ETag::new("ffffffffffffffffffffffffffffffff")
}
