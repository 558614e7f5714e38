//! `demo`: the gateway before an S3 server of its own, on one directory.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use hafiz_nfs_gateway::embedded::{self, EmbeddedConfig, EmbeddedServer};
use hafiz_nfs_gateway::gateway::Gateway;
use hafiz_nfs_gateway::store::aws::{AwsStore, S3Config, StaticKeys};
use hafiz_nfs_gateway::store::{Condition, ObjectMeta, ObjectStore, StoreError};

use crate::cli::Demo;

/// The bucket that the demo begins with.
const BUCKET: &str = "demo";
/// What is in it at first.
const FILES: &[(&str, &str)] = &[
    ("README.txt", "This file is an object in the bucket `demo`. Change it over NFS, and look at it over S3.\n"),
    ("hello/world.txt", "Hello, world.\n"),
    ("hello/numbers/one.txt", "1\n"),
    ("hello/numbers/two.txt", "2\n"),
];
/// Where the keys lie, so that the next start has the same.
const KEYS: &str = "keys";

type DemoResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Starts both servers and says how to use them.
pub(crate) async fn start(demo: &Demo) -> DemoResult<(EmbeddedServer, Gateway)> {
    fs::create_dir_all(&demo.dir).map_err(|error| format!("cannot make {}: {error}", demo.dir.display()))?;
    let keys = keys(&demo.dir)?;
    let server = embedded::start(EmbeddedConfig {
        root: demo.dir.join("s3"),
        bind: demo.s3_bind,
        access_key: keys.access_key.clone(),
        secret_key: keys.secret_key.clone(),
        conditional_writes: true,
    })
    .await?;
    let config = demo.config(server.endpoint(), keys.clone());
    fill(config.s3.clone()).await?;
    let gateway = Gateway::start(config).await?;
    announce(&server, &gateway, &keys)?;
    Ok((server, gateway))
}

/// The keys of the demo's store: made once, then read.
fn keys(dir: &Path) -> DemoResult<StaticKeys> {
    let path = dir.join(KEYS);
    let keys = |text: &str| {
        let (access_key, secret_key) = text.trim().split_once(' ')?;
        let (access_key, secret_key) = (access_key.to_owned(), secret_key.to_owned());
        Some(StaticKeys { access_key, secret_key, session_token: None })
    };
    match fs::read_to_string(&path) {
        Ok(text) => keys(&text).ok_or_else(|| format!("{} holds no keys", path.display()).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut secret = [0; 20];
            getrandom::fill(&mut secret).map_err(|error| error.to_string())?;
            let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            let text = format!("hafiz-demo {secret}\n");
            write_private(&path, &text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            keys(&text).ok_or_else(|| "no keys".into())
        }
        Err(error) => Err(format!("cannot read {}: {error}", path.display()).into()),
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes the bucket with its files, the first time.
async fn fill(s3: S3Config) -> DemoResult<()> {
    let store = Arc::new(AwsStore::connect(s3).await?);
    match store.create_bucket(BUCKET).await {
        Ok(()) => {}
        Err(StoreError::BucketExists) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let meta = ObjectMeta { content_type: Some("text/plain".to_owned()), ..ObjectMeta::default() };
    for (key, text) in FILES {
        store.put(BUCKET, key, Bytes::from_static(text.as_bytes()), &meta, &Condition::Always).await?;
    }
    Ok(())
}

fn announce(server: &EmbeddedServer, gateway: &Gateway, keys: &StaticKeys) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "endpoint: {}", server.endpoint())?;
    writeln!(out, "access-key: {}", keys.access_key)?;
    writeln!(out, "secret-key: {}", keys.secret_key)?;
    writeln!(out, "bucket: {BUCKET}")?;
    for address in gateway.addresses() {
        let (host, port) = (address.ip(), address.port());
        let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
        writeln!(out, "mount: mount -t nfs4 -o vers=4.2,proto=tcp,port={port} {host}:/ /mnt")?;
    }
    out.flush()
}
