//! `mkdir`: makes directories.

use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::Client;
use nfs4_protocol::nfs4::{Mode4, NfsFtype4, NfsStat4};

use super::chmod::octal;
use super::place::{LastLink, is, parent, resolve};
use super::upload::make_directory;
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Makes directories
#[derive(Debug, Args)]
pub(crate) struct MkdirArgs {
    /// The directories
    #[arg(required = true, value_name = "URL")]
    urls: Vec<NfsUrl>,
    /// Those above as well, where they are not there; a directory that is there is no failure
    #[arg(short)]
    parents: bool,
    /// The permissions, in octal
    #[arg(short, default_value = "755", value_parser = octal)]
    mode: Mode4,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: MkdirArgs, output: &Output) -> Result<ExitCode, CliError> {
    let work = async |client: &Client, url: &NfsUrl| {
        if args.parents {
            return with_parents(client, url, args.mode).await;
        }
        let (directory, name) = parent(client, url).await?;
        client.mkdir(&directory.handle, name, args.mode).await.at(url).map(drop)
    };
    args.client.each(&args.urls, output, work).await
}

async fn with_parents(client: &Client, url: &NfsUrl, mode: Mode4) -> Result<(), CliError> {
    // From the place upwards to what is there, then downwards.
    let mut missing = Vec::new();
    let mut at = url.clone();
    let mut handle = loop {
        match resolve(client, &at, LastLink::Follow).await {
            Ok(node) if is(&node.attrs, NfsFtype4::Dir) => break node.handle,
            Ok(_) => return Err(CliError::Failed(format!("{at}: not a directory"))),
            Err(error) if error.status() == Some(NfsStat4::Noent) => {
                let Some((above, name)) = at.split() else { return Err(error) };
                missing.push((at.clone(), name.clone()));
                at = above;
            }
            Err(error) => return Err(error),
        }
    };
    while let Some((url, name)) = missing.pop() {
        handle = make_directory(client, &handle, &name, mode, &url).await?;
    }
    Ok(())
}
