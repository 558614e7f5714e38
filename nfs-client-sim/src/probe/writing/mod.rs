//! What shows only when something is written: in a folder that is made for it and removed.

mod extensions;
mod files;
mod names;
mod state;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::TryStreamExt;
use nfs4_protocol::nfs4::{Bitmap4, Entry4, NfsArgop4, NfsFh4, OpNum};

use super::delegations;
use super::features::Feature;
use super::scene::{Scene, at, result_of};
use crate::{Client, ClientOptions, Error, ListingSize, OpenFile, OpenHow, Reply, Result};

/// The themes' trials.
const TRIALS: &[&[Trial]] = &[files::TRIALS, names::TRIALS, state::TRIALS, extensions::TRIALS];

/// Something to find out by writing.
struct Trial {
    feature: Feature,
    /// The first minor version where it can be.
    since: u32,
    run: Run,
}

/// Finds it out: whether the server does it, and what was seen.
type Run = for<'a> fn(&'a Folder) -> BoxFuture<'a, Result<(bool, String)>>;

/// The folder, and a client of the minor version.
pub(super) struct Folder {
    pub(super) client: Client,
    pub(super) handle: NfsFh4,
    /// The attributes that the server has.
    supported: Bitmap4,
}

/// Makes the folder, tries everything in it and removes it.
pub(super) async fn look(scene: &mut Scene, supported: &Bitmap4) -> Result<()> {
    let client = Client::connect(scene.addr, scene.minor, ClientOptions::default()).await?;
    let name = format!("{}.probe", client.options().name.replace(' ', "-"));
    let handle = client.mkdir(&scene.directory, &name, 0o755).await?;
    let folder = Folder { client: client.clone(), handle, supported: supported.clone() };
    for theme in TRIALS {
        for trial in *theme {
            if trial.since <= scene.minor {
                tracing::debug!(feature = trial.feature.words(), "trying");
                scene.notes.tried(trial.feature, (trial.run)(&folder).await);
            }
        }
    }
    let delegations = delegations::look(scene, &folder).await;
    let cleared = folder.clear().await;
    client.remove(&scene.directory, &name).await?;
    // What is left of the client ends with its lease.
    let _ = client.leave().await;
    delegations.and(cleared)
}

impl Folder {
    /// Creates a file with this content, and leaves it open.
    pub(super) async fn file(&self, name: &str, content: &'static [u8]) -> Result<OpenFile> {
        let file = self.client.open(&self.handle, name, OpenHow::create()).await?;
        if !content.is_empty() {
            file.write_stable(0, &Bytes::from_static(content), 1).await?;
        }
        Ok(file)
    }

    /// Operations at an object of the folder. An error of an operation is an error.
    pub(super) async fn ask(&self, handle: &NfsFh4, ops: impl IntoIterator<Item = NfsArgop4>) -> Result<Reply> {
        let compound = crate::CompoundBuilder::new().op(at(handle)).ops(ops);
        let reply = self.client.call(compound).await?;
        reply.ok()?;
        Ok(reply)
    }

    /// Removes everything in the folder.
    async fn clear(&self) -> Result<()> {
        let entries: Vec<Entry4> = self.client.readdir(&self.handle, ListingSize::default(), &[]).try_collect().await?;
        for entry in entries {
            self.client.remove(&self.handle, entry.name).await?;
        }
        Ok(())
    }
}

/// The result of `op` in a reply without failures.
fn result(reply: &Reply, op: OpNum) -> Result<&nfs4_protocol::nfs4::NfsResop4> {
    result_of(reply, op).ok_or(Error::Missing(op))
}
