//! `import`: makes a trace of a packet capture.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::import::{self, LoadError};
use nfs_client_sim::trace::{Header, Origin, Trace};
use serde::Serialize;

use super::header::HeaderArgs;
use super::{CliError, NfsContext, Output};

/// Makes a trace of a packet capture
///
/// All connections with NFS or its callbacks are taken, whatever their ports are. Of the header, client and server are
/// by default what they call themselves in EXCHANGE_ID; what was mounted, and what for, a capture does not tell.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A capture in the format pcap or pcapng
    capture: PathBuf,
    /// The trace to write
    trace: PathBuf,
    #[command(flatten)]
    header: HeaderArgs,
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
    let mut trace = imported.trace;
    let said = args.header.into_header(Origin::Imported, imported.started);
    trace.header = merged(said, trace.header);
    std::fs::write(&args.trace, trace.to_string()).at(args.trace.display())?;
    output.print(&summary(&args.trace, trace))?;
    Ok(ExitCode::SUCCESS)
}

/// What the user said, and beneath it what the capture tells.
fn merged(said: Header, found: Header) -> Header {
    let or = |said: String, found: String| if said.is_empty() { found } else { said };
    Header {
        client: or(said.client, found.client),
        server: or(said.server, found.server),
        minor: found.minor,
        notes: [said.notes, found.notes].concat(),
        ..said
    }
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
