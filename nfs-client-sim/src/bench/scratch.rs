//! The directory that a benchmark works in.

use std::time::{SystemTime, UNIX_EPOCH};

use nfs4_protocol::nfs4::NfsFh4;

use crate::files::TreeError;
use crate::{Client, Result};

/// A directory of a benchmark's own. It stays until [`Scratch::remove`].
#[derive(Debug)]
pub struct Scratch {
    parent: NfsFh4,
    name: String,
    directory: NfsFh4,
}

impl Scratch {
    /// Makes one in the directory `parent`, with a name that nothing else has.
    ///
    /// # Errors
    /// Those of CREATE.
    pub async fn make(client: &Client, parent: &NfsFh4) -> Result<Self> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let name = format!("nfs-client-sim.bench.{}.{nanos}", std::process::id());
        let directory = client.mkdir(parent, &name, 0o700).await?;
        Ok(Self { parent: parent.clone(), name, directory })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn directory(&self) -> &NfsFh4 {
        &self.directory
    }

    /// Removes it with all that is in it.
    ///
    /// # Errors
    /// [`TreeError`].
    pub async fn remove(self, client: &Client) -> std::result::Result<(), TreeError> {
        client.remove_tree(&self.parent, &self.name).await.map(drop)
    }
}
