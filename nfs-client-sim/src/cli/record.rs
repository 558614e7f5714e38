//! `record`: writes down what passes between a client and a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use nfs_client_sim::record::{RecordError, Recorder};
use nfs_client_sim::trace::Origin;
use tokio::signal::unix::{SignalKind, signal};

use super::header::HeaderArgs;
use super::{CliError, Output};

/// Writes down what passes between a client and a server, as a proxy between them
///
/// Point the client at the address of --listen, and stop with Ctrl-C or SIGTERM. Nothing is changed on the way. The
/// callbacks of NFSv4.0 come over connections of their own and are not recorded.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Where the client finds the proxy; port 0 chooses one, which is then said
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// The server
    #[arg(long, value_name = "HOST:PORT")]
    upstream: String,
    /// The file to write; it is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The client is made up: what passes is no recording of a real one
    #[arg(long)]
    synthesised: bool,
    #[command(flatten)]
    header: HeaderArgs,
}

pub(crate) async fn run(args: RecordArgs, output: &Output) -> Result<ExitCode, CliError> {
    let failed = |error: RecordError| CliError::Failed(error.to_string());
    let stop = stop_signal().map_err(|error| CliError::local("signals", error))?;
    let recorder = Recorder::bind(args.listen, args.upstream.clone()).await.map_err(failed)?;
    let addr = recorder.addr().map_err(|error| CliError::local(args.listen, error))?;
    output.note(format!("recording {addr} -> {} into {}", args.upstream, args.out.display()));
    let origin = if args.synthesised { Origin::Synthesised } else { Origin::Recorded };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let header = args.header.into_header(origin, now);
    let summary = recorder.run(header, &args.out, stop).await.map_err(failed)?;
    output.print(&summary)?;
    Ok(ExitCode::SUCCESS)
}

/// Ready at SIGINT or SIGTERM.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
