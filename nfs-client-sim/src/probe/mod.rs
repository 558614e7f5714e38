//! What a server can do, seen from outside: versions, operations, limits, attributes, and what clients need of it.
//!
//! Each theme is a file and adds to the [`Notes`] of a minor version: facts, which are what the server says of itself,
//! and findings, which tell whether it does a [`Feature`]. [`needs`] holds what client systems need, as a table over
//! operations and features. Nothing is changed on the server unless that is asked for, and then only in a folder that
//! is made and removed.

mod attributes;
mod delegations;
mod features;
mod needs;
mod objects;
mod operations;
mod render;
mod report;
mod rpc;
mod scene;
mod sessions;
mod writing;

pub use features::Feature;
pub use report::{AttributeSet, Fact, Finding, Minor, Need, Notes, Offer, Operation, Report, Seen, System, Verdict};

use std::net::SocketAddr;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use nfs4_protocol::nfs4::{MINOR_VERSION_MAX, NfsStat4};

use crate::{Error, Result};
use scene::Scene;

/// What to look at.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server.
    pub addr: SocketAddr,
    /// The names from the root to the directory.
    pub names: Vec<Bytes>,
    /// Whether to write as well, in a folder of the directory.
    pub write: bool,
}

/// Looks at a server in all its minor versions.
///
/// # Errors
/// When the server cannot be reached, or does not speak RPC. What goes wrong with one minor version is in its report.
pub fn run(options: Options) -> BoxFuture<'static, Result<Report>> {
    look(options).boxed()
}

async fn look(options: Options) -> Result<Report> {
    let rpc = rpc::look(options.addr).await?;
    let mut minors = Vec::new();
    for minor in 0..=MINOR_VERSION_MAX {
        tracing::info!(minor, "looking");
        minors.push(look_at(&options, minor).await?);
    }
    let directory: Vec<_> = options.names.iter().map(|name| String::from_utf8_lossy(name)).collect();
    let mut report = Report {
        server: options.addr.to_string(),
        directory: format!("/{}", directory.join("/")),
        wrote: options.write,
        rpc,
        minors,
        systems: Vec::new(),
    };
    report.systems = needs::judge(&report);
    Ok(report)
}

/// Looks at one minor version.
async fn look_at(options: &Options, minor: u32) -> Result<Minor> {
    let mut report = Minor {
        minor,
        offered: false,
        status: "",
        trouble: None,
        operations: Vec::new(),
        supported_attrs: AttributeSet::default(),
        suppattr_exclcreat: AttributeSet::default(),
        notes: Notes::default(),
    };
    match rpc::first_status(options.addr, minor).await {
        Ok(status) => {
            report.offered = status != NfsStat4::MinorVersMismatch;
            report.status = status.rfc_name();
        }
        Err(error @ Error::Connect { .. }) => return Err(error),
        Err(error) => report.trouble = Some(error.to_string()),
    }
    if report.offered {
        let mut scene = Scene::open(options.addr, minor, options.names.clone()).await?;
        if let Err(error) = look_closely(&mut scene, options.write, &mut report).await {
            report.trouble = Some(error.to_string());
        }
        report.notes = scene.notes;
        scene.talk.leave().await;
    }
    Ok(report)
}

async fn look_closely(scene: &mut Scene, write: bool, report: &mut Minor) -> Result<()> {
    sessions::introduce(scene).await?;
    scene.directory = scene::walk(&mut scene.talk, &scene.names).await?;
    delegations::first_call(scene).await;
    report.operations = operations::look(scene).await?;
    let sets = attributes::look(scene).await?;
    objects::look(scene).await?;
    sessions::same_handles(scene).await?;
    let supported = sets.supported.0.clone();
    (report.supported_attrs, report.suppattr_exclcreat) = (sets.supported, sets.exclcreat);
    if write {
        writing::look(scene, &supported).await?;
    }
    Ok(())
}
