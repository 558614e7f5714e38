//! MinIO in a container that the tests of this process share.

use std::sync::{Arc, OnceLock, Weak};

use testcontainers_modules::minio::MinIO;
use testcontainers_modules::testcontainers::ContainerAsync;
use testcontainers_modules::testcontainers::runners::AsyncRunner;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

/// The port of the S3 API in the container.
const API_PORT: u16 = 9000;

/// A running container. It is removed when the last test that uses it ends.
pub(crate) struct Minio {
    pub(crate) endpoint: String,
    container: Option<ContainerAsync<MinIO>>,
}

/// What the tests of this process know of the container.
enum Shared {
    Container(Weak<Minio>),
    /// Why there is none; it is not tried again.
    Unavailable(String),
}

static SHARED: Mutex<Shared> = Mutex::const_new(Shared::Container(Weak::new()));

/// The runtime of the container: it lives longer than those of the tests.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap())
}

/// The container, started if it does not run; or why it cannot be had.
pub(crate) async fn shared() -> Result<Arc<Minio>, String> {
    let mut shared = SHARED.lock().await;
    match &*shared {
        Shared::Unavailable(why) => return Err(why.clone()),
        Shared::Container(running) => {
            if let Some(minio) = running.upgrade() {
                return Ok(minio);
            }
        }
    }
    match runtime().spawn(start()).await.unwrap() {
        Ok(minio) => {
            let minio = Arc::new(minio);
            *shared = Shared::Container(Arc::downgrade(&minio));
            Ok(minio)
        }
        Err(why) => {
            *shared = Shared::Unavailable(why.clone());
            Err(why)
        }
    }
}

async fn start() -> Result<Minio, String> {
    let failed = |error| format!("no MinIO container: {error}");
    let container = MinIO::default().start().await.map_err(failed)?;
    // The published port, on loopback: the host that testcontainers names is the bridge on some machines.
    let port = container.get_host_port_ipv4(API_PORT).await.map_err(failed)?;
    Ok(Minio { endpoint: format!("http://127.0.0.1:{port}"), container: Some(container) })
}

impl Drop for Minio {
    fn drop(&mut self) {
        let Some(container) = self.container.take() else { return };
        let (removed, wait) = std::sync::mpsc::channel();
        runtime().spawn(async move {
            let result = container.rm().await;
            removed.send(result)
        });
        if let Ok(Err(error)) = wait.recv() {
            crate::skip(&format!("the removal of the MinIO container: {error}"));
        }
    }
}
