//! `truncate`: sets the size of files.

use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::{Client, OpenHow};
use nfs4_protocol::nfs4::{Attrs, NfsStat4};

use super::amount::Amount;
use super::download::closing;
use super::place::{self, parent};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Sets the size of files; what is added reads as zeros
#[derive(Debug, Args)]
pub(crate) struct TruncateArgs {
    /// The size in bytes, or with K, M, G, T or P
    #[arg(short)]
    size: Amount,
    /// The files; they are created where they are not there
    #[arg(required = true, value_name = "URL")]
    urls: Vec<NfsUrl>,
    /// Does not create files
    #[arg(short = 'c')]
    no_create: bool,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: TruncateArgs, output: &Output) -> Result<ExitCode, CliError> {
    let work = async |client: &Client, url: &NfsUrl| {
        let file = match place::open(client, url, OpenHow::write()).await {
            Err(error) if error.status() == Some(NfsStat4::Noent) && !args.no_create => {
                let (directory, name) = parent(client, url).await?;
                let attrs = Attrs { mode: Some(0o644), ..Attrs::default() };
                client.open(&directory.handle, name, OpenHow::write().unchecked(attrs)).await.at(url)?
            }
            opened => opened?.0,
        };
        let set = file.set_size(args.size.0).await.at(url);
        closing(set, file.close().await.at(url))
    };
    args.client.each(&args.urls, output, work).await
}
