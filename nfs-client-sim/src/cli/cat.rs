//! `cat`: files on standard output.

use std::process::ExitCode;

use clap::Args;
use futures::stream::TryStreamExt;
use nfs_client_sim::{Client, OpenHow};

use super::download::{InFlight, closing};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output, place};

/// Writes files to standard output
#[derive(Debug, Args)]
pub(crate) struct CatArgs {
    /// The files
    #[arg(required = true, value_name = "URL")]
    urls: Vec<NfsUrl>,
    #[command(flatten)]
    in_flight: InFlight,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: CatArgs, output: &Output) -> Result<ExitCode, CliError> {
    let work = async |client: &Client, url: &NfsUrl| {
        let (file, node) = place::open(client, url, OpenHow::read()).await?;
        let copied = async {
            let mut pieces = std::pin::pin!(file.read_range(0..node.attrs.size.unwrap_or(0), args.in_flight.count()));
            while let Some(piece) = pieces.try_next().await.at(url)? {
                // Whoever reads the other end may take their time, in which the lease is to be kept.
                tokio::task::block_in_place(|| output.bytes(&piece))?;
            }
            Ok(())
        };
        let copied = copied.await;
        closing(copied, file.close().await.at(url))
    };
    args.client.each(&args.urls, output, work).await
}
