//! `probe`: shows what a server can do.

use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::probe::{self, Options};

use super::connect::reachable;
use super::{CliError, NfsUrl, Output};

/// Shows what a server can do, and what client systems would miss
///
/// Versions, operations, session limits, attributes, identity, security, callbacks. Nothing is changed on the server
/// without --write. Exit status 1 when a client system misses something.
#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The directory to look at
    url: NfsUrl,
    /// Tries as well what shows only by writing, in a directory that is made for it and removed
    #[arg(long)]
    write: bool,
}

pub(crate) async fn run(args: ProbeArgs, output: &Output) -> Result<ExitCode, CliError> {
    let addr = reachable(&args.url).await?;
    let options = Options { addr, names: args.url.names().to_vec(), write: args.write };
    let report = probe::run(options).await.map_err(|error| CliError::server(&args.url, error))?;
    output.print(&report)?;
    Ok(if report.complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
