//! `get`: from the server to this machine.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::{Client, OpenHow};
use nfs4_protocol::nfs4::NfsFtype4;

use super::download::{Download, InFlight, closing, last_name};
use super::place::{self, LastLink, Located, is};
use super::progress::Progress;
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output, until_interrupted};

/// Copies a file or a directory from the server to this machine
///
/// A file gets its name when all of it is there; until then, and if the copy fails, what was there before stays.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// What to copy
    url: NfsUrl,
    /// Where to; in a directory the copy has the same name
    #[arg(default_value = ".")]
    path: PathBuf,
    /// A directory with all that is below it
    #[arg(short)]
    recursive: bool,
    #[command(flatten)]
    in_flight: InFlight,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: GetArgs, output: &Output) -> Result<ExitCode, CliError> {
    let work = async |client: &Client| until_interrupted(copy(client, &args, output)).await;
    args.client.with_client(&args.url, work).await?;
    Ok(ExitCode::SUCCESS)
}

async fn copy(client: &Client, args: &GetArgs, output: &Output) -> Result<(), CliError> {
    let url = &args.url;
    let Located { node, within } = place::locate(client, url, LastLink::Follow).await?;
    let mut path = args.path.clone();
    if path.is_dir() {
        path.push(last_name(url)?);
    }
    let file = is(&node.attrs, NfsFtype4::Reg);
    let progress = Progress::new(node.attrs.size.filter(|_| file));
    let download = Download { client, in_flight: args.in_flight.count(), progress: &progress, output };
    match within {
        Some((directory, name)) if file => {
            let file = client.open(&directory, name, OpenHow::read()).await.at(url)?;
            let copied = download.file(&file, url, &path).await;
            closing(copied, file.close().await.at(url))?;
        }
        _ if !is(&node.attrs, NfsFtype4::Dir) => {
            return Err(CliError::Failed(format!("{url}: neither a file nor a directory")));
        }
        _ if !args.recursive => return Err(CliError::Failed(format!("{url}: a directory; -r copies it"))),
        _ => download.tree(node.handle, url.clone(), path).await?,
    }
    output.print(&progress.finish())
}
