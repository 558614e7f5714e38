//! `show`: lists what a trace or a capture holds.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::trace::show::{Entry, Filter, show};
use serde::Serialize;

use super::import::load;
use super::{CliError, Output};

/// Lists the calls and replies in a trace or a packet capture
///
/// Each line is an exchange: its number, seconds since the first event, the connection, the direction of the call
/// (`>` to the server), the operations, the status, and the time to the reply.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A trace, or a capture in the format pcap or pcapng
    file: PathBuf,
    /// All operations with their arguments and results, one to a line
    #[arg(short, long)]
    long: bool,
    /// Only exchanges with one of these operations: LOOKUP,CB_RECALL
    #[arg(long, value_delimiter = ',', value_name = "OPERATION")]
    op: Vec<String>,
    /// Only exchanges with one of these statuses: NFS4ERR_NOENT, or noent
    #[arg(long, value_delimiter = ',', value_name = "STATUS")]
    status: Vec<String>,
    /// Only this connection; they count from 1
    #[arg(long, value_name = "NUMBER")]
    connection: Option<u32>,
    /// Only exchanges that failed or had no reply
    #[arg(long)]
    errors: bool,
    /// The first exchange, by its number
    #[arg(long, value_name = "NUMBER")]
    from: Option<usize>,
    /// The last exchange, by its number
    #[arg(long, value_name = "NUMBER")]
    to: Option<usize>,
    /// The bytes of the messages as well
    #[arg(long)]
    hex: bool,
}

/// An entry as the user wants it.
#[derive(Serialize)]
#[serde(transparent)]
struct Line<'a> {
    entry: &'a Entry,
    #[serde(skip)]
    long: bool,
}

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entry = self.entry;
        if self.long { write!(f, "{entry:#}") } else { write!(f, "{entry}") }
    }
}

pub(crate) async fn run(args: ShowArgs, output: &Output) -> Result<ExitCode, CliError> {
    let trace = load(&args.file)?;
    trace.header.notes.iter().for_each(|note| output.note(note));
    let filter = Filter {
        operations: args.op,
        statuses: args.status,
        connection: args.connection,
        errors: args.errors,
        from: args.from,
        to: args.to,
        hex: args.hex,
    };
    for entry in &show(&trace, &filter) {
        output.print(&Line { entry, long: args.long })?;
    }
    Ok(ExitCode::SUCCESS)
}
