//! `import`: makes a trace of a packet capture.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::import::{self, LoadError};
use nfs_client_sim::trace::Trace;
use nfs4_protocol::nfs4::Nfstime4;
use serde::Serialize;

use super::text::Time;
use super::{CliError, NfsContext, Output};

/// Makes a trace of a packet capture
///
/// All connections with NFS or its callbacks are taken, whatever their ports are. What was mounted, with which options,
/// and for what, a capture does not tell: say it here.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A capture in the format pcap or pcapng
    capture: PathBuf,
    /// The trace to write
    trace: PathBuf,
    /// The client; by default what it calls itself in EXCHANGE_ID
    #[arg(long)]
    client: Option<String>,
    /// The server; by default what it calls itself in EXCHANGE_ID
    #[arg(long)]
    server: Option<String>,
    /// The options of the mount
    #[arg(long, default_value = "")]
    mount: String,
    /// What ran on the client
    #[arg(long, default_value = "")]
    command: String,
    /// The server's path that was mounted; a replay puts another in its place
    #[arg(long, default_value = "/")]
    directory: String,
}

/// What became of a capture.
#[derive(Debug, Serialize)]
struct Summary {
    trace: String,
    connections: u32,
    calls: usize,
    replies: usize,
    orphans: usize,
    notes: Vec<String>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, connections, calls, replies, orphans, notes } = self;
        write!(f, "{trace}: {connections} connections, {calls} calls, {replies} replies")?;
        if *orphans > 0 {
            write!(f, ", {orphans} replies without a call")?;
        }
        notes.iter().try_for_each(|note| write!(f, "\n  {note}"))
    }
}

pub(crate) async fn run(args: ImportArgs, output: &Output) -> Result<ExitCode, CliError> {
    let file = File::open(&args.capture).at(args.capture.display())?;
    let imported = import::import(file).map_err(|error| failed(&args.capture, &error))?;
    let started = Nfstime4 { seconds: imported.started.as_secs().cast_signed(), nseconds: 0 };
    let mut trace = imported.trace;
    let header = &mut trace.header;
    header.client = args.client.unwrap_or(std::mem::take(&mut header.client));
    header.server = args.server.unwrap_or(std::mem::take(&mut header.server));
    // Time and zone are of no use: traces say when by the second since their beginning.
    header.date = Time(started).to_string().split('T').next().unwrap_or_default().to_owned();
    header.mount = args.mount;
    header.command = args.command;
    header.directory = args.directory;
    std::fs::write(&args.trace, trace.to_string()).at(args.trace.display())?;
    output.print(&summary(&args.trace, trace))?;
    Ok(ExitCode::SUCCESS)
}

fn summary(path: &Path, trace: Trace) -> Summary {
    let exchanges = trace.exchanges();
    Summary {
        trace: path.display().to_string(),
        connections: trace.events.iter().map(|event| event.connection).max().unwrap_or_default(),
        calls: exchanges.len(),
        replies: exchanges.iter().filter(|exchange| exchange.reply.is_some()).count(),
        orphans: trace.orphans().len(),
        notes: trace.header.notes,
    }
}

/// Reads a trace or a capture.
///
/// # Errors
/// [`CliError::Local`], [`CliError::Failed`].
pub(crate) fn load(path: &Path) -> Result<Trace, CliError> {
    import::load(path).map_err(|error| match error {
        LoadError::Read(error) => CliError::local(path.display(), error),
        error => failed(path, &error),
    })
}

fn failed(path: &Path, error: &dyn std::error::Error) -> CliError {
    CliError::Failed(format!("{}: {error}", path.display()))
}
