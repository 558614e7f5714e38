//! `ln`: makes links.

use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use nfs_client_sim::Client;

use super::place::{LastLink, destination, resolve};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Makes hard and symbolic links
#[derive(Debug, Args)]
pub(crate) struct LnArgs {
    /// What the link leads to: a URL; for a symbolic link the text that it holds, any path
    target: String,
    /// The link; in a directory it has the name of the target
    link: NfsUrl,
    /// A symbolic link
    #[arg(short)]
    symbolic: bool,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: LnArgs, _output: &Output) -> Result<ExitCode, CliError> {
    let LnArgs { target, link, symbolic, client } = &args;
    if *symbolic {
        client.with_client(link, async |client: &Client| make_symbolic(client, target, link).await).await?;
    } else {
        let target: NfsUrl = target.parse().map_err(|error| CliError::Usage(format!("{target}: {error}")))?;
        target.require_same_server(link)?;
        client.with_client(link, async |client: &Client| make_hard(client, &target, link).await).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn make_symbolic(client: &Client, target: &str, link: &NfsUrl) -> Result<(), CliError> {
    let last = target.rsplit('/').find(|name| !name.is_empty()).unwrap_or(target);
    let (directory, name, url) = destination(client, link, &Bytes::copy_from_slice(last.as_bytes())).await?;
    client.symlink(&directory, name, target).await.at(url).map(drop)
}

async fn make_hard(client: &Client, target: &NfsUrl, link: &NfsUrl) -> Result<(), CliError> {
    let node = resolve(client, target, LastLink::Keep).await?;
    let last = target.names().last().cloned().unwrap_or_default();
    let (directory, name, url) = destination(client, link, &last).await?;
    client.link(&node.handle, &directory, name).await.at(url)
}
