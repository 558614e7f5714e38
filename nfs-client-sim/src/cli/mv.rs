//! `mv`: renames.

use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::Client;

use super::place::{destination, parent};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Renames a file, link or directory
#[derive(Debug, Args)]
pub(crate) struct MvArgs {
    /// What to rename
    from: NfsUrl,
    /// The new place, on the same server; in a directory it keeps its name
    to: NfsUrl,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: MvArgs, _output: &Output) -> Result<ExitCode, CliError> {
    let MvArgs { from, to, client } = &args;
    from.require_same_server(to)?;
    let work = async |client: &Client| {
        let (directory, name) = parent(client, from).await?;
        let (new_directory, new_name, url) = destination(client, to, name).await?;
        let renamed = client.rename(&directory.handle, name, &new_directory, new_name).await;
        renamed.at(format!("{from} to {url}"))
    };
    client.with_client(from, work).await?;
    Ok(ExitCode::SUCCESS)
}
