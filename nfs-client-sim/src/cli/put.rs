//! `put`: from this machine to the server.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use nfs_client_sim::Client;
use tokio::fs;

use super::download::InFlight;
use super::progress::Progress;
use super::upload::{Upload, mode};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output, place};

/// What stands for standard input, and where it is.
const STANDARD_INPUT: (&str, &str) = ("-", "/dev/stdin");
/// The permissions of a file whose content comes from a pipe.
const USUAL_MODE: u32 = 0o644;

/// Copies a file or a directory from this machine to the server
///
/// When it ends, the data is stable at the server (COMMIT).
#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    /// What to copy; `-` is standard input
    path: PathBuf,
    /// Where to; in a directory the copy has the same name
    url: NfsUrl,
    /// A directory with all that is below it
    #[arg(short)]
    recursive: bool,
    #[command(flatten)]
    in_flight: InFlight,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: PutArgs, output: &Output) -> Result<ExitCode, CliError> {
    args.client.with_client(&args.url, async |client: &Client| copy(client, &args, output).await).await?;
    Ok(ExitCode::SUCCESS)
}

async fn copy(client: &Client, args: &PutArgs, output: &Output) -> Result<(), CliError> {
    let pipe = args.path.as_os_str() == STANDARD_INPUT.0;
    let path = if pipe { Path::new(STANDARD_INPUT.1) } else { &args.path };
    let found = fs::metadata(path).await.at(path.display())?;
    let progress = Progress::new(Some(found.len()).filter(|_| found.is_file()));
    let upload = Upload { client, in_flight: args.in_flight.count(), progress: &progress, output };
    let name = Bytes::copy_from_slice(name(path).await?.as_bytes());
    let (directory, name, url) = place::destination(client, &args.url, &name).await?;
    if found.is_dir() {
        if !args.recursive {
            return Err(CliError::Failed(format!("{}: a directory; -r copies it", path.display())));
        }
        upload.tree(path.to_owned(), directory, name, url).await?;
    } else {
        let source = fs::File::open(path).await.at(path.display())?;
        let mode = if found.is_file() { mode(&found) } else { USUAL_MODE };
        upload.file(source, path, mode, (&directory, &name, &url)).await?;
    }
    output.print(&progress.finish())
}

/// The last name of a path, also of `.` and `..`.
async fn name(path: &Path) -> Result<std::ffi::OsString, CliError> {
    if let Some(name) = path.file_name() {
        return Ok(name.to_owned());
    }
    let path = fs::canonicalize(path).await.at(path.display())?;
    path.file_name().map(ToOwned::to_owned).ok_or_else(|| CliError::Usage(format!("{} has no name", path.display())))
}
