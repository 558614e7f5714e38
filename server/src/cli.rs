//! The command line. Every flag is also an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, NonEmptyStringValueParser};
use clap::{Args, Parser, Subcommand};
use hafiz_nfs_gateway::data::DataConfig;
use hafiz_nfs_gateway::fs::{Defaults, FsConfig};
use hafiz_nfs_gateway::gateway::Config;
use hafiz_nfs_gateway::store::aws::{S3Config, StaticKeys, Timeouts};

/// The longest drain and freshness, in seconds: a day.
const SECONDS_MAX: u64 = 86_400;

/// NFSv4 gateway that keeps what it is given as plain objects in any S3-compatible store.
#[derive(Debug, Parser)]
#[command(name = "hafiz-nfs-gateway", version, about, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts an S3 server of its own on a directory, and the gateway in front of it, in one process
    Demo(Demo),
}

/// What both ways of starting share.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Seconds that a client may be silent before its locks may be taken; also the grace period after a restart
    #[arg(long, env = "HAFIZ_LEASE_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    lease_seconds: u64,
    /// Seconds that a stop waits for uploads; what is left then goes on at the next start
    #[arg(long, env = "HAFIZ_DRAIN_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(..=SECONDS_MAX))]
    drain_seconds: u64,
    /// Milliseconds for which what the bucket said is believed before it is asked again
    #[arg(long, env = "HAFIZ_FRESHNESS_MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(..=SECONDS_MAX * 1000))]
    freshness_ms: u64,
    /// mkdir and rmdir in the root make and remove buckets
    #[arg(long, env = "HAFIZ_ALLOW_BUCKET_CREATE", value_parser = BoolishValueParser::new())]
    allow_bucket_create: bool,
    /// Owner of objects that carry none
    #[arg(long, env = "HAFIZ_UID", default_value_t = 0)]
    uid: u32,
    /// Group of objects that carry none
    #[arg(long, env = "HAFIZ_GID", default_value_t = 0)]
    gid: u32,
    /// Permission bits of objects that carry none, in octal
    #[arg(long, env = "HAFIZ_FILE_MODE", default_value = "666", value_parser = octal)]
    file_mode: u32,
    /// Permission bits of directories that carry none, in octal
    #[arg(long, env = "HAFIZ_DIR_MODE", default_value = "777", value_parser = octal)]
    dir_mode: u32,
    /// MiB of memory for the cache of clean data
    #[arg(long, env = "HAFIZ_CACHE_MIB", default_value_t = 96, value_parser = clap::value_parser!(u64).range(8..))]
    cache_mib: u64,
    /// MiB of disk that staged data may take; by default all but a reserve
    #[arg(long, env = "HAFIZ_STAGING_MIB")]
    staging_mib: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port to listen on; may be given several times
    #[arg(long, env = "HAFIZ_BIND", default_value = "[::]:2049", value_delimiter = ',')]
    bind: Vec<SocketAddr>,
    /// The S3 endpoint, such as http://s3.example:9000; without it AWS
    #[arg(long, env = "HAFIZ_ENDPOINT", value_parser = NonEmptyStringValueParser::new())]
    endpoint: Option<String>,
    /// The access key; without keys the AWS provider chain (environment, profile, role)
    #[arg(long, env = "HAFIZ_ACCESS_KEY", requires = "secret_key", value_parser = NonEmptyStringValueParser::new())]
    access_key: Option<String>,
    /// The secret key
    #[arg(long, env = "HAFIZ_SECRET_KEY", requires = "access_key", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    secret_key: Option<String>,
    /// The session token of temporary keys
    #[arg(long, env = "HAFIZ_SESSION_TOKEN", requires = "access_key", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    session_token: Option<String>,
    /// The region to sign for
    #[arg(long, env = "HAFIZ_REGION", value_parser = NonEmptyStringValueParser::new())]
    region: Option<String>,
    /// Address buckets as bucket.host instead of host/bucket
    #[arg(long, env = "HAFIZ_VIRTUAL_HOST", value_parser = BoolishValueParser::new())]
    virtual_host: bool,
    /// A bucket to serve; may be given several times; by default all that the keys can see
    #[arg(long = "bucket", env = "HAFIZ_BUCKET", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    buckets: Vec<String>,
    /// Directory for staged data and local state
    #[arg(long, env = "HAFIZ_STATE_DIR", default_value = "/var/lib/hafiz-nfs-gateway")]
    state_dir: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Directory for the objects (DIR/s3) and the gateway's local state (DIR/state)
    #[arg(long, env = "HAFIZ_DEMO_DIR", default_value = "hafiz-demo")]
    pub(crate) dir: PathBuf,
    /// Address and port to listen on
    #[arg(long, env = "HAFIZ_BIND", default_value = "127.0.0.1:2049")]
    pub(crate) bind: SocketAddr,
    /// Address and port of the S3 server
    #[arg(long, env = "HAFIZ_S3_BIND", default_value = "127.0.0.1:0")]
    pub(crate) s3_bind: SocketAddr,
    #[command(flatten)]
    common: Common,
}

/// What is wrong with the command line or the environment, in one line: clap's message without its usage text.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let said = text.trim_start_matches("error: ").split("\n\n");
    let said = said.take_while(|paragraph| !paragraph.starts_with("Usage:") && !paragraph.starts_with("For more"));
    let said: Vec<String> = said.map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    format!("{} (--help explains all flags)", said.join("; "))
}

fn octal(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(mode),
        _ => Err("not an octal mode of at most 7777".to_owned()),
    }
}

impl Serve {
    /// The gateway that the flags describe.
    pub(crate) fn config(self) -> Config {
        let keys = self.access_key.zip(self.secret_key);
        let session_token = self.session_token;
        let s3 = S3Config {
            endpoint: self.endpoint,
            region: self.region,
            keys: keys.map(|(access_key, secret_key)| StaticKeys { access_key, secret_key, session_token }),
            virtual_host: self.virtual_host,
            timeouts: Timeouts::default(),
        };
        self.common.config(self.bind, s3, self.state_dir, self.buckets)
    }
}

impl Demo {
    /// The gateway before the demo's own store.
    pub(crate) fn config(&self, endpoint: String, keys: StaticKeys) -> Config {
        let s3 = S3Config {
            endpoint: Some(endpoint),
            region: None,
            keys: Some(keys),
            virtual_host: false,
            timeouts: Timeouts::default(),
        };
        self.common.config(vec![self.bind], s3, self.dir.join("state"), Vec::new())
    }
}

impl Common {
    fn config(&self, bind: Vec<SocketAddr>, s3: S3Config, state_dir: PathBuf, buckets: Vec<String>) -> Config {
        let defaults = Defaults { uid: self.uid, gid: self.gid, file_mode: self.file_mode, dir_mode: self.dir_mode };
        let fs = FsConfig {
            freshness: Duration::from_millis(self.freshness_ms),
            buckets,
            allow_bucket_create: self.allow_bucket_create,
            defaults,
            ..FsConfig::default()
        };
        let cache_bytes = usize::try_from(self.cache_mib.saturating_mul(1 << 20)).unwrap_or(usize::MAX);
        let mut data = DataConfig { cache_bytes, ..DataConfig::default() };
        if let Some(mib) = self.staging_mib {
            data.staging.bytes_max = mib.saturating_mul(1 << 20);
        }
        Config {
            bind,
            s3,
            state_dir,
            lease: Duration::from_secs(self.lease_seconds),
            drain: Duration::from_secs(self.drain_seconds),
            fs,
            data,
        }
    }
}
