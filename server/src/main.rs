//! The program `hafiz-nfs-gateway`.

mod cli;
mod demo;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use hafiz_nfs_gateway::gateway::Gateway;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command};

/// What is logged unless `HAFIZ_LOG` says otherwise: s3s reports every 404 as an error.
const LOG: &str = "info,s3s=off,aws=warn,aws_config=error,hyper=warn";

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
    start()
}

#[tokio::main]
async fn start() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("HAFIZ_LOG").unwrap_or_else(|_| EnvFilter::new(LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "hafiz-nfs-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (store, gateway) = match cli.command {
        Some(Command::Demo(demo)) => {
            let (store, gateway) = demo::start(&demo).await?;
            (Some(store), gateway)
        }
        None => (None, Gateway::start(cli.serve.config()).await?),
    };
    for address in gateway.addresses() {
        tracing::info!(%address, "serving NFSv4.0, 4.1 and 4.2");
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
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
