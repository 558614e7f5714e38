//! The commands: one file each, with its arguments and what it prints.

mod amount;
mod attributes;
mod bench;
mod cat;
mod chmod;
mod connect;
mod df;
mod download;
mod error;
mod find;
mod get;
mod glob;
mod header;
mod hostile;
mod import;
mod ln;
mod lock;
mod ls;
mod mkdir;
mod mv;
mod output;
mod place;
mod play;
mod probe;
mod progress;
mod put;
mod record;
mod replay;
mod rm;
mod show;
mod stat;
mod text;
mod truncate;
mod upload;
mod url;
mod xattr;

use std::ffi::OsString;
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
    Stat(stat::StatArgs),
    Find(find::FindArgs),
    Df(df::DfArgs),
    Cat(cat::CatArgs),
    Get(get::GetArgs),
    Put(put::PutArgs),
    Mkdir(mkdir::MkdirArgs),
    Rm(rm::RmArgs),
    Mv(mv::MvArgs),
    Ln(ln::LnArgs),
    Chmod(chmod::ChmodArgs),
    Truncate(truncate::TruncateArgs),
    Lock(lock::LockArgs),
    Xattr(xattr::XattrArgs),
    Bench(bench::BenchArgs),
    Record(record::RecordArgs),
    Import(import::ImportArgs),
    Show(show::ShowArgs),
    Replay(replay::ReplayArgs),
    Play(play::PlayArgs),
    Hostile(hostile::HostileArgs),
    Probe(probe::ProbeArgs),
}

impl Command {
    /// Runs the command. The futures are boxed, as one that can be any of them is as large as the largest.
    async fn run(self, output: &Output) -> Result<ExitCode, CliError> {
        match self {
            Self::Ls(args) => Box::pin(ls::run(args, output)).await,
            Self::Stat(args) => Box::pin(stat::run(args, output)).await,
            Self::Find(args) => Box::pin(find::run(args, output)).await,
            Self::Df(args) => Box::pin(df::run(args, output)).await,
            Self::Cat(args) => Box::pin(cat::run(args, output)).await,
            Self::Get(args) => Box::pin(get::run(args, output)).await,
            Self::Put(args) => Box::pin(put::run(args, output)).await,
            Self::Mkdir(args) => Box::pin(mkdir::run(args, output)).await,
            Self::Rm(args) => Box::pin(rm::run(args, output)).await,
            Self::Mv(args) => Box::pin(mv::run(args, output)).await,
            Self::Ln(args) => Box::pin(ln::run(args, output)).await,
            Self::Chmod(args) => Box::pin(chmod::run(args, output)).await,
            Self::Truncate(args) => Box::pin(truncate::run(args, output)).await,
            Self::Lock(args) => Box::pin(lock::run(args, output)).await,
            Self::Xattr(args) => Box::pin(xattr::run(args, output)).await,
            Self::Bench(args) => Box::pin(bench::run(args, output)).await,
            Self::Record(args) => Box::pin(record::run(args, output)).await,
            Self::Import(args) => Box::pin(import::run(args, output)).await,
            Self::Show(args) => Box::pin(show::run(args, output)).await,
            Self::Replay(args) => Box::pin(replay::run(args, output)).await,
            Self::Play(args) => Box::pin(play::run(args, output)).await,
            Self::Hostile(args) => Box::pin(hostile::run(args, output)).await,
            Self::Probe(args) => Box::pin(probe::run(args, output)).await,
        }
    }
}

/// Reads the command line, runs the command and says what went wrong.
pub(crate) fn main() -> ExitCode {
    let matches = Cli::command().get_matches_from(as_find_writes_them(std::env::args_os()));
    let verb = matches.subcommand_name().unwrap_or_default();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    log(cli.verbose);
    let output = Output::new(verb, cli.json);
    let result = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = result.map_err(|error| CliError::local("the runtime", error)).and_then(|runtime| {
        let result = runtime.block_on(cli.command.run(&output));
        // A thread that waits for standard input would otherwise keep the program.
        runtime.shutdown_background();
        result
    });
    result.unwrap_or_else(|error| ExitCode::from(output.failure(&error)))
}

/// Takes `-name` for `--name`, as find(1) writes the tests that it shares with `find`.
fn as_find_writes_them(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let tests = ["-name", "-type", "-size", "-maxdepth"];
    let mut args: Vec<OsString> = args.collect();
    if args.iter().skip(1).any(|arg| arg == "find") {
        for arg in args.iter_mut().skip(1).filter(|arg| tests.iter().any(|test| arg == test)) {
            let mut long = OsString::from("-");
            long.push(&arg);
            *arg = long;
        }
    }
    args
}

/// What a command does until Ctrl-C.
///
/// # Errors
/// [`CliError::Interrupted`]; those of `work`.
async fn until_interrupted<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => Err(CliError::Interrupted),
    }
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

    #[test]
    fn find_takes_its_tests_as_find_does() {
        let args = |words: &str| as_find_writes_them(words.split(' ').map(OsString::from));
        assert_eq!(args("x find nfs://s/ -name a -size +1"), args("x find nfs://s/ --name a --size +1"));
        assert_eq!(args("x ls -name"), ["x", "ls", "-name"]);
    }
}
