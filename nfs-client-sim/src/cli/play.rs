//! `play`: does what a client of another system would, in that system's words.

use std::process::{ExitCode, Stdio};

use clap::{Args, ValueEnum};
use futures::FutureExt;
use nfs_client_sim::profile::{Profile, Scenario, Stage};
use tokio::process::Command;

use super::connect::addresses;
use super::{CliError, ClientArgs, NfsContext as _, NfsUrl, Output};

/// Does what a client of another system would, with the compounds of that system
///
/// Each scenario is a handful of commands (cp, rm, mv, …) in a directory that must be empty, and is left as they leave
/// it. With `record` in between, it gives a trace of a client that is not at hand.
#[derive(Debug, Args)]
pub(crate) struct PlayArgs {
    /// What to do: mount, list, cat, echo, cp, dd, rm, mv, mkdir, truncate, attributes, overwrite, exclusive, append,
    /// symlink, locks, restart
    #[arg(value_parser = scenario)]
    scenario: Scenario,
    /// The empty directory
    url: NfsUrl,
    /// The client system
    #[arg(long, value_enum)]
    profile: System,
    /// For the scenario `restart`: the shell command that restarts the server
    #[arg(long, value_name = "COMMAND", required_if_eq("scenario", "restart"))]
    restart: Option<String>,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum System {
    /// Linux 6.1
    Linux,
    /// macOS 15 for NFSv4.0, macOS 26 for 4.1
    Macos,
}

fn scenario(name: &str) -> Result<Scenario, String> {
    let known = Scenario::ALL.iter().find(|scenario| scenario.name() == name);
    known.copied().ok_or_else(|| "no such scenario".to_owned())
}

pub(crate) async fn run(args: PlayArgs, output: &Output) -> Result<ExitCode, CliError> {
    let profile = match args.profile {
        System::Linux => Profile::Linux,
        System::Macos => Profile::Macos,
    };
    let unnamed = || CliError::Usage("--minor: name one, as each is played in other words".to_owned());
    let minor = args.client.only_minor().ok_or_else(unnamed)?;
    if !profile.has_minor(minor) {
        return Err(CliError::Usage(format!("--minor: {} has no NFSv4.{minor}", profile.title(minor))));
    }
    let server = addresses(&args.url).await?.into_iter().next();
    let server = server.ok_or_else(|| CliError::Usage(format!("{} has no address", args.url.host())))?;
    let directory = args.url.path().to_owned();
    let stage = Stage { server, directory, minor, profile, options: args.client.options()? };
    let command = args.restart.unwrap_or_default();
    let restart = move || shell(command.clone()).boxed();
    args.scenario.play(&stage, &restart).await.at(&args.url)?;
    output.note(format!("played {} as {}", args.scenario.name(), profile.title(minor)));
    Ok(ExitCode::SUCCESS)
}

async fn shell(command: String) -> std::io::Result<()> {
    let status = Command::new("sh").arg("-c").arg(&command).stdin(Stdio::null()).status().await?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other(format!("{command}: {status}"))) }
}
