//! The calls of a trace, sent to a server once more, and the replies compared.
//!
//! A replay walks through the events in their order. What named something to the recorded server only, filehandles,
//! stateids and the like, is replaced by what the server of now calls it (`pairs`), requests are numbered anew
//! (`numbers`), and the mounted directory is another one (`mount`). The clients of the trace get names and verifiers
//! of their own in each run, so that runs do not meet. Callbacks cannot be replayed: they are the server's to send.

mod compare;
mod expected;
mod handles;
pub mod identity;
mod mount;
mod normal;
mod numbers;
mod pairs;
mod report;
mod substitution;
mod walk;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use nfs4_protocol::nfs4::RPCSEC_GSS;

use crate::trace::{Arguments, Side, Trace, What};
use crate::{Client, ClientOptions, Error};
use mount::{Mount, Target};
use pairs::Pairs;
use substitution::Substitution;
use walk::Walk;

pub use expected::{ExpectationError, Expectations};
pub use report::{Difference, DifferenceKind, Exchange, LeftOut, Outcome, Report};

/// How to replay.
#[derive(Debug, Clone, Copy)]
pub struct ReplayOptions {
    /// When calls are sent.
    pub order: Order,
    /// How long NFS4ERR_DELAY and NFS4ERR_GRACE are answered by trying again, each time.
    pub patience: Duration,
    /// How long to wait for a reply.
    pub reply_wait: Duration,
}

/// When calls are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Where they stand in the trace: calls that were in flight together are again.
    Recorded,
    /// One at a time, in the order of the recorded replies. The replies are then the same in each run.
    InTurn,
}

/// Restarts the server where the trace says so.
pub trait Restart: Send {
    /// Stops the server, and returns when it is there again.
    ///
    /// # Errors
    /// In words. The replay ends with them.
    fn restart(&mut self) -> BoxFuture<'_, Result<(), String>>;
}

/// Why a trace could not be replayed to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The server does not take connections, or does not take a client.
    #[error(transparent)]
    Server(#[from] Error),
    /// The directory to replay in cannot be had.
    #[error("{directory}: {source}")]
    Directory {
        /// Its path.
        directory: String,
        /// Why.
        source: Error,
    },
    /// The trace uses RPCSEC_GSS.
    #[error("the trace uses RPCSEC_GSS, whose keys are not in it; record with sec=sys")]
    Gss,
    /// The trace mounts a directory that its header does not tell.
    #[error("the header of the trace tells no directory; write the path that was mounted behind `directory:`")]
    NoDirectory,
    /// The server could not be restarted.
    #[error("the restart of the server: {0}")]
    Restart(String),
}

impl Default for ReplayOptions {
    fn default() -> Self {
        let (patience, reply_wait) = (Duration::from_secs(120), Duration::from_secs(60));
        Self { order: Order::Recorded, patience, reply_wait }
    }
}

/// Replays a trace onto a server, with `directory` in the place of the mounted one. The directory should be empty, as
/// it was for the recording. Without `restart`, recorded restarts are passed over.
///
/// # Errors
/// [`ReplayError`]. Replies that differ from the recording are no errors.
pub fn run<'a>(
    trace: &'a Trace,
    server: SocketAddr,
    directory: &'a str,
    options: ReplayOptions,
    restart: Option<&'a mut dyn Restart>,
) -> BoxFuture<'a, Result<Report, ReplayError>> {
    async move {
        if trace.events.iter().any(uses_gss) {
            return Err(ReplayError::Gss);
        }
        if trace.header.directory.is_empty() {
            return Err(ReplayError::NoDirectory);
        }
        let target = target(server, minor(trace), directory).await?;
        let mount = Mount::new(&trace.header.directory, target);
        let substitution = Substitution::new(Pairs::new(fastrand::u64(1..)), mount);
        Walk::new(trace, server, options, substitution).run(restart).await
    }
    .boxed()
}

fn uses_gss(event: &crate::trace::Event) -> bool {
    let from_client = matches!(event.what, What::Message { from: Side::Client, .. });
    from_client && event.call().is_some_and(|call| call.header.cred.flavor == RPCSEC_GSS)
}

/// The minor version of the first compound.
fn minor(trace: &Trace) -> u32 {
    let of = |event: &crate::trace::Event| match event.call()?.arguments {
        Arguments::Compound(args) => Some(args.minorversion),
        _ => None,
    };
    trace.events.iter().find_map(of).unwrap_or_default()
}

/// Looks the directory up, as a client of its own.
async fn target(server: SocketAddr, minor: u32, directory: &str) -> Result<Target, ReplayError> {
    let client = Client::connect(server, minor, ClientOptions { renew: false, ..ClientOptions::default() }).await?;
    let failed = |source| ReplayError::Directory { directory: directory.to_owned(), source };
    let found = client.resolve(directory).await.map_err(failed)?.handle;
    let names = mount::names(directory);
    let place = match names.split_last() {
        None => None,
        Some((name, [])) => Some((None, name.clone())),
        Some((name, above)) => {
            let above: Vec<_> = above.iter().map(|name| String::from_utf8_lossy(name)).collect();
            let parent = client.resolve(&format!("/{}", above.join("/"))).await.map_err(failed)?.handle;
            Some((Some(parent), name.clone()))
        }
    };
    if let Err(error) = client.leave().await {
        tracing::debug!(%error, "the server keeps the client that looked the directory up until its lease ends");
    }
    Ok(Target { directory: found, place })
}

#[cfg(test)]
mod tests;
