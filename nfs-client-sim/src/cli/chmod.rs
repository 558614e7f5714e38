//! `chmod`: sets permissions.

use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::Client;
use nfs4_protocol::nfs4::Mode4;

use super::place::{LastLink, resolve};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Sets permissions
#[derive(Debug, Args)]
pub(crate) struct ChmodArgs {
    /// The permissions, in octal
    #[arg(value_parser = octal)]
    mode: Mode4,
    /// The files and directories
    #[arg(required = true, value_name = "URL")]
    urls: Vec<NfsUrl>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: ChmodArgs, output: &Output) -> Result<ExitCode, CliError> {
    let work = async |client: &Client, url: &NfsUrl| {
        let node = resolve(client, url, LastLink::Follow).await?;
        client.chmod(&node.handle, args.mode).await.at(url)
    };
    args.client.each(&args.urls, output, work).await
}

/// Reads permissions in octal.
pub(crate) fn octal(text: &str) -> Result<Mode4, String> {
    let mode = Mode4::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    mode.ok_or_else(|| "not an octal number of at most 7777".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_octal() {
        assert_eq!((octal("755"), octal("0640"), octal("7777")), (Ok(0o755), Ok(0o640), Ok(0o7777)));
        assert!(octal("8").is_err() && octal("10000").is_err() && octal("u+x").is_err() && octal("").is_err());
    }
}
