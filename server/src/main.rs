//! The program `hafiz-nfs-gateway`.

mod cli;
mod demo;

use std::env::VarError;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use hafiz_nfs_gateway::embedded::EmbeddedServer;
use hafiz_nfs_gateway::gateway::Gateway;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command};

/// The variable that selects what is logged.
const LOG_VARIABLE: &str = "HAFIZ_LOG";
/// What is logged unless the variable says otherwise: s3s reports every 404 as an error.
const LOG: &str = "info,s3s=off,aws=warn,aws_config=error,hyper=warn";
/// The exit status after a wrong command line or environment; any other failure is 1.
const USAGE_STATUS: u8 = 2;

/// Large buffers go back to the system as soon as they are free. glibc would raise this threshold by itself with the
/// first of them, and keep the heap at its highest level.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "mallopt only sets parameters of the allocator, before any thread runs")]
fn bound_heap() {
    const LARGE_BYTES: libc::c_int = 256 << 10;
    const ARENAS_MAX: libc::c_int = 2;
    // SAFETY: mallopt has no preconditions; a parameter it does not know is ignored.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, ARENAS_MAX);
    }
}

fn main() -> ExitCode {
    #[cfg(target_env = "gnu")]
    bound_heap();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return complain(cli::one_line(&error), ExitCode::from(USAGE_STATUS)),
        // --help or --version; nobody is left to tell when it cannot be printed.
        Err(help) => return help.print().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
    };
    match log_filter() {
        Ok(filter) => tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .init(),
        Err(error) => return complain(error, ExitCode::from(USAGE_STATUS)),
    }
    run(cli).map_or_else(|error| complain(error, ExitCode::FAILURE), |()| ExitCode::SUCCESS)
}

/// Says in one line, the last one, why the program ends.
fn complain(why: impl Display, status: ExitCode) -> ExitCode {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "hafiz-nfs-gateway: {why}");
    status
}

fn log_filter() -> Result<EnvFilter, String> {
    let directives = match std::env::var(LOG_VARIABLE) {
        Ok(directives) if !directives.is_empty() => directives,
        Ok(_) | Err(VarError::NotPresent) => LOG.to_owned(),
        Err(error) => return Err(format!("{LOG_VARIABLE}: {error}")),
    };
    EnvFilter::try_new(directives).map_err(|error| format!("{LOG_VARIABLE}: {error}"))
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn run(cli: Cli) -> Result<(), AnyError> {
    let mut stop = StopSignals::listen()?;
    let (store, gateway) = tokio::select! {
        started = start(cli) => started?,
        // Whatever it was about to do is done by the next start.
        () = stop.received() => {
            tracing::info!("stopped before it served");
            return Ok(());
        }
    };
    for address in gateway.addresses() {
        tracing::info!(%address, "serving NFSv4.0, 4.1 and 4.2");
    }
    stop.received().await;
    tracing::info!(pending = gateway.pending(), "stopping");
    let left = gateway.shutdown().await;
    if let Some(store) = store {
        store.shutdown().await;
    }
    if left > 0 {
        return Err(format!("{left} objects are not in the bucket yet; the next start goes on with them").into());
    }
    tracing::info!("stopped: everything is in the bucket");
    Ok(())
}

async fn start(cli: Cli) -> Result<(Option<EmbeddedServer>, Gateway), AnyError> {
    match cli.command {
        Some(Command::Demo(demo)) => {
            let (store, gateway) = demo::start(&demo).await?;
            Ok((Some(store), gateway))
        }
        None => Ok((None, Gateway::start(cli.serve.config()).await?)),
    }
}

/// SIGTERM and SIGINT, from the moment this is made.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
