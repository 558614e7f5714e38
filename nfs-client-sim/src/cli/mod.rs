//! The commands: one file each, with its arguments and what it prints.

mod connect;
mod error;
mod ls;
mod output;
mod place;
mod text;
mod url;

use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

pub(crate) use connect::ClientArgs;
pub(crate) use error::{CliError, NfsContext};
pub(crate) use output::Output;
pub(crate) use url::NfsUrl;

/// An NFSv4.0, 4.1 and 4.2 client that needs no mount
///
/// Places on a server are named nfs://HOST[:PORT]/PATH; characters that a URL cannot hold are %XX.
///
/// Exit status: 0 all is well; 1 something was not there, was refused or differs; 2 wrong usage; 3 there is no
/// connection, or the server takes no calls of this client.
#[derive(Debug, Parser)]
#[command(name = "nfs-client-sim", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// One JSON document on standard output, or one per line where results come one by one
    #[arg(long, global = true)]
    json: bool,
    /// Says on standard error what happens; twice: all of it
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ls(ls::LsArgs),
}

impl Command {
    /// Runs the command. Its future is boxed, as are all of them together as large as the largest.
    async fn run(self, output: &Output) -> Result<ExitCode, CliError> {
        match self {
            Self::Ls(args) => Box::pin(ls::run(args, output)).await,
        }
    }
}

/// Reads the command line, runs the command and says what went wrong.
pub(crate) fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let verb = matches.subcommand_name().unwrap_or_default().to_owned();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    log(cli.verbose);
    let output = Output::new(cli.json);
    let result = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = result.map_err(|error| CliError::local("the runtime", error)).and_then(|runtime| {
        let result = runtime.block_on(cli.command.run(&output));
        // A thread that waits for standard input would otherwise keep the program.
        runtime.shutdown_background();
        result
    });
    result.unwrap_or_else(|error| {
        if !error.is_silent() {
            output.note(&format!("{verb} {error}"));
        }
        ExitCode::from(error.exit_status())
    })
}

fn log(verbose: u8) {
    let filter = match verbose {
        0 => "warn",
        1 => "nfs_client_sim=debug",
        _ => "trace",
    };
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_all_commands_fit_together() {
        Cli::command().debug_assert();
    }
}
