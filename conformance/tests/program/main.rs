//! The program as an operator meets it: flags and variables, starts that fail, stops, and the demo over a crash.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that tests share may fail as tests do")]

mod demo;
mod flags;
mod impostor;
mod refused_starts;
mod stops;

use conformance::EmbeddedStore;
use tempfile::TempDir;

/// The bucket that the tests work in.
const BUCKET: &str = "program";

/// A store with one bucket, and a folder for everything.
struct Place {
    store: EmbeddedStore,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = EmbeddedStore::start(folder.path()).await;
        store.access.objects(BUCKET).create_bucket().await;
        Self { store, folder }
    }

    /// The state directory of the gateway under test.
    fn state_dir(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }
}
