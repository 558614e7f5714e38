//! `xattr`: extended attributes (RFC 8276).

use std::fmt;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use nfs_client_sim::Client;
use nfs4_protocol::nfs4::{NfsFh4, SetxattrOption4};
use serde::Serialize;

use super::place::{LastLink, resolve};
use super::text::Shown;
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Shows and changes extended attributes (4.2)
///
/// On the wire the names have no namespace: what Linux calls user.comment is called comment here.
#[derive(Debug, Args)]
pub(crate) struct XattrArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Shows the names
    Ls {
        /// The object
        url: NfsUrl,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Writes the value of one to standard output, as it is
    Get {
        /// The object
        url: NfsUrl,
        /// The name of the attribute
        name: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Sets the value of one
    Set {
        /// The object
        url: NfsUrl,
        /// The name of the attribute
        name: String,
        /// The value
        value: String,
        /// It must not be there yet
        #[arg(long, conflicts_with = "replace")]
        create: bool,
        /// It must be there already
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Removes one
    Rm {
        /// The object
        url: NfsUrl,
        /// The name of the attribute
        name: String,
        #[command(flatten)]
        client: ClientArgs,
    },
}

/// The names of an object's extended attributes.
#[derive(Debug, Serialize)]
struct Names {
    url: String,
    names: Vec<String>,
}

/// The value of an extended attribute; bytes that are not UTF-8 and control characters are escaped.
#[derive(Debug, Serialize)]
struct Attribute {
    url: String,
    name: String,
    value: String,
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join("\n"))
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.value)
    }
}

impl Action {
    const fn target(&self) -> (&NfsUrl, &ClientArgs) {
        let (Self::Ls { url, client }
        | Self::Get { url, client, .. }
        | Self::Set { url, client, .. }
        | Self::Rm { url, client, .. }) = self;
        (url, client)
    }
}

pub(crate) async fn run(args: XattrArgs, output: &Output) -> Result<ExitCode, CliError> {
    let (url, client_args) = args.action.target();
    let work = async |client: &Client| {
        let node = resolve(client, url, LastLink::Follow).await?;
        act(client, &args.action, &node.handle, url, output).await
    };
    client_args.with_client(url, work).await?;
    Ok(ExitCode::SUCCESS)
}

async fn act(client: &Client, action: &Action, handle: &NfsFh4, url: &NfsUrl, output: &Output) -> Result<(), CliError> {
    match action {
        Action::Ls { .. } => {
            let names = client.listxattrs(handle).await.at(url)?;
            if names.is_empty() && !output.json() {
                return Ok(());
            }
            let names = names.iter().map(|name| Shown(name).to_string()).collect();
            output.print(&Names { url: url.to_string(), names })
        }
        Action::Get { name, .. } => {
            let value = client.getxattr(handle, name).await.at(url)?;
            if !output.json() {
                return output.bytes(&value);
            }
            let value = Shown(&value).to_string();
            output.print(&Attribute { url: url.to_string(), name: name.clone(), value })
        }
        Action::Set { name, value, create, replace, .. } => {
            let option = match (create, replace) {
                (true, _) => SetxattrOption4::Create,
                (_, true) => SetxattrOption4::Replace,
                _ => SetxattrOption4::Either,
            };
            client.setxattr(handle, name, value.clone(), option).await.at(url)
        }
        Action::Rm { name, .. } => client.removexattr(handle, name).await.at(url),
    }
}
