//! `record`: writes down what passes between a client and a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use nfs_client_sim::record::{RecordError, Recorder};
use nfs_client_sim::trace::{Header, Origin};
use nfs4_protocol::nfs4::Nfstime4;
use tokio::signal::unix::{SignalKind, signal};

use super::text::Time;
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
    #[command(flatten)]
    texts: Texts,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Header of the trace")]
struct Texts {
    /// The client and its version
    #[arg(long, default_value = "", value_name = "TEXT")]
    client: String,
    /// The server and its version
    #[arg(long, default_value = "", value_name = "TEXT")]
    server: String,
    /// The options of the mount
    #[arg(long, default_value = "", value_name = "TEXT")]
    mount: String,
    /// What runs on the client
    #[arg(long, default_value = "", value_name = "TEXT")]
    command: String,
    /// The server's path that is mounted; a replay puts another in its place
    #[arg(long, default_value = "/", value_name = "PATH")]
    directory: String,
    /// The client is made up: what passes is no recording of a real one
    #[arg(long)]
    synthesised: bool,
    /// Anything else a reader should know; may be given several times
    #[arg(long = "note", value_name = "TEXT")]
    notes: Vec<String>,
}

pub(crate) async fn run(args: RecordArgs, output: &Output) -> Result<ExitCode, CliError> {
    let failed = |error: RecordError| CliError::Failed(error.to_string());
    let stop = stop_signal().map_err(|error| CliError::local("signals", error))?;
    let recorder = Recorder::bind(args.listen, args.upstream.clone()).await.map_err(failed)?;
    let addr = recorder.addr().map_err(|error| CliError::local(args.listen, error))?;
    output.note(&format!("recording {addr} -> {} into {}", args.upstream, args.out.display()));
    let summary = recorder.run(args.texts.into_header(), &args.out, stop).await.map_err(failed)?;
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

impl Texts {
    fn into_header(self) -> Header {
        let Self { client, server, mount, command, directory, synthesised, notes } = self;
        let origin = if synthesised { Origin::Synthesised } else { Origin::Recorded };
        let date = today();
        Header { origin, client, server, mount, command, date, directory, minor: None, notes }
    }
}

/// `2025-11-21`, in UTC.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = Time(Nfstime4 { seconds: i64::try_from(seconds).unwrap_or_default(), nseconds: 0 }).to_string();
    now.split('T').next().unwrap_or_default().to_owned()
}
