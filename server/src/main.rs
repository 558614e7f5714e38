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

#[tokio::main]
async fn main() -> ExitCode {
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
