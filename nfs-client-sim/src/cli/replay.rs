//! `replay`: sends the calls of traces to a server once more.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use nfs_client_sim::Error;
use nfs_client_sim::replay::{self, Expectations, Order, ReplayError, ReplayOptions, Report};
use nfs_client_sim::trace::Trace;
use serde::Serialize;

use super::connect::addresses;
use super::{CliError, NfsUrl, Output};

/// Sends the calls of recorded clients to a server once more, and compares the replies
///
/// The directory of the URL takes the place of the one that was mounted, and should be empty. Exit status 1 when a reply
/// differs.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The traces, one after the other
    #[arg(required = true)]
    traces: Vec<PathBuf>,
    /// The server, and the directory to replay in
    url: NfsUrl,
    /// One call at a time, in the order of the recorded replies, so that each run does the same
    #[arg(long)]
    in_turn: bool,
    /// Only statuses count: what else servers say of themselves and of files differs more often than not
    #[arg(long)]
    only_status: bool,
    /// Differences that have a reason, one per line: part of the trace's name, call or *, operation or *, reason
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Prints all calls with their normalised replies, not only the differences
    #[arg(long)]
    all: bool,
    /// Seconds to go on trying while the server answers NFS4ERR_DELAY or NFS4ERR_GRACE
    #[arg(long, default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=86400))]
    patience: u64,
}

/// One trace and what its replay found.
#[derive(Debug, Serialize)]
struct Replayed {
    trace: String,
    #[serde(flatten)]
    report: Report,
    #[serde(skip)]
    all: bool,
}

pub(crate) async fn run(args: ReplayArgs, output: &Output) -> Result<ExitCode, CliError> {
    let expectations = match &args.expect {
        Some(path) => {
            Expectations::read(&text(path)?).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))?
        }
        None => Expectations::default(),
    };
    let mut good = true;
    for path in &args.traces {
        let trace =
            Trace::read(&text(path)?).map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))?;
        let mut report = replay(&args, &trace).await?;
        let name = path.display().to_string();
        report.explain(&name, &expectations);
        good &= report.unexplained(args.only_status).next().is_none();
        output.print(&Replayed { trace: name, report, all: args.all })?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::local(path.display(), error))
}

async fn replay(args: &ReplayArgs, trace: &Trace) -> Result<Report, CliError> {
    let order = if args.in_turn { Order::InTurn } else { Order::Recorded };
    let options = ReplayOptions { order, patience: Duration::from_secs(args.patience), ..ReplayOptions::default() };
    let mut failure = CliError::Failed(format!("{}: the name has no address", args.url));
    for addr in addresses(&args.url).await? {
        match replay::run(trace, addr, &args.url.path(), options, None).await {
            // The next address may do.
            Err(ReplayError::Server(error @ Error::Connect { .. })) => failure = CliError::server(&args.url, error),
            Err(ReplayError::Server(error)) => return Err(CliError::server(&args.url, error)),
            result => return result.map_err(|error| CliError::Failed(error.to_string())),
        }
    }
    Err(failure)
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all {
            f.write_str(&self.report.normalised())?;
        }
        write!(f, "{}: {}", self.trace, self.report)
    }
}
