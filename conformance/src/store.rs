//! The embedded S3 server as a store behind a gateway under test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use futures::future::{BoxFuture, FutureExt};
use hafiz_nfs_gateway::embedded::{self, EmbeddedConfig, EmbeddedServer};

use crate::Objects;

const ACCESS_KEY: &str = "conformance";
const SECRET_KEY: &str = "conformance-secret";

/// Where a store is and how to get in.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its URL.
    pub endpoint: String,
    /// The access key.
    pub access_key: &'static str,
    /// The secret key.
    pub secret_key: &'static str,
}

impl Access {
    /// A client of one of its buckets.
    #[must_use]
    pub fn objects(&self, bucket: &str) -> Objects {
        Objects::new(&self.endpoint, self.access_key, self.secret_key, bucket)
    }
}

/// An S3 server in this process, with its objects in a folder.
pub struct EmbeddedStore {
    /// How to get in.
    pub access: Access,
    server: EmbeddedServer,
    root: PathBuf,
}

impl EmbeddedStore {
    /// Starts it on a free port, with its objects below `folder`.
    pub fn start(folder: &Path) -> BoxFuture<'static, Self> {
        // Boxed: else each crate with tests compiles the server again.
        Self::serve(folder.join("s3"), "127.0.0.1:0".parse().unwrap()).boxed()
    }

    async fn serve(root: PathBuf, bind: SocketAddr) -> Self {
        let config = EmbeddedConfig {
            root: root.clone(),
            bind,
            access_key: ACCESS_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            conditional_writes: true,
        };
        let server = embedded::start(config).await.unwrap();
        let access = Access { endpoint: server.endpoint(), access_key: ACCESS_KEY, secret_key: SECRET_KEY };
        Self { access, server, root }
    }

    /// Stops it. What is returned starts it again, on the same port with the same objects.
    pub fn stop(self) -> BoxFuture<'static, StoppedStore> {
        let stop = async {
            let stopped = StoppedStore { root: self.root, bind: self.server.local_addr() };
            self.server.shutdown().await;
            stopped
        };
        stop.boxed()
    }
}

/// An S3 server that is away for a while.
#[derive(Debug)]
pub struct StoppedStore {
    root: PathBuf,
    bind: SocketAddr,
}

impl StoppedStore {
    /// Starts it again.
    pub fn start(self) -> BoxFuture<'static, EmbeddedStore> {
        EmbeddedStore::serve(self.root, self.bind).boxed()
    }
}
