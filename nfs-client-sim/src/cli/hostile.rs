//! `hostile`: attacks a server.

use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::hostile::{self, Options};

use super::connect::reachable;
use super::{CliError, NfsUrl, Output};

/// Attacks a server and checks that it stays well
///
/// Malformed records, lengths that lie, forged and repeated requests, connections that are slow or very many. After each
/// group an honest client must be served as before. Everything happens in a directory that is made for it and removed.
/// Exit status 1 when the server did what it must not.
#[derive(Debug, Args)]
pub(crate) struct HostileArgs {
    /// The directory to work in
    url: NfsUrl,
    /// How many connections to open at a time
    #[arg(long, default_value_t = 256, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// The server's process on this machine, to show what it holds afterwards
    #[arg(long)]
    pid: Option<u32>,
}

pub(crate) async fn run(args: HostileArgs, output: &Output) -> Result<ExitCode, CliError> {
    let options = Options {
        addr: reachable(&args.url).await?,
        directory: args.url.path(),
        connections: args.connections.into(),
        pid: args.pid,
    };
    let report = hostile::run(options).await.map_err(|error| CliError::server(&args.url, error))?;
    output.print(&report)?;
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
