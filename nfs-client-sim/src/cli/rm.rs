//! `rm`: removes files, links and directories.

use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::{Client, TreeError};
use nfs4_protocol::nfs4::{NfsFtype4, NfsStat4};

use super::place::{is, parent};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Removes files, links and directories
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// What to remove
    #[arg(required = true, value_name = "URL")]
    urls: Vec<NfsUrl>,
    /// Directories with all that is below them
    #[arg(short)]
    recursive: bool,
    /// What is not there is no failure
    #[arg(short)]
    force: bool,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: RmArgs, output: &Output) -> Result<ExitCode, CliError> {
    let work = async |client: &Client, url: &NfsUrl| match remove(client, url, args.recursive).await {
        Err(error) if args.force && error.status() == Some(NfsStat4::Noent) => Ok(()),
        result => result,
    };
    args.client.each(&args.urls, output, work).await
}

async fn remove(client: &Client, url: &NfsUrl, recursive: bool) -> Result<(), CliError> {
    let (directory, name) = parent(client, url).await?;
    let node = client.lookup(&directory.handle, name).await.at(url)?;
    if !is(&node.attrs, NfsFtype4::Dir) {
        return client.remove(&directory.handle, name).await.at(url);
    }
    if !recursive {
        return Err(CliError::Failed(format!("{url}: a directory; -r removes it and all that is below it")));
    }
    let removed = client.remove_tree(&directory.handle, name).await;
    removed.map(drop).map_err(|TreeError { path, source }| {
        let subject = path.iter().fold(url.clone(), |url, name| url.join(name)).to_string();
        CliError::Nfs { subject, source }
    })
}
