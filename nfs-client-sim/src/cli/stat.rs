//! `stat`: all attributes of an object.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::Client;
use nfs4_protocol::nfs4::FATTR4_SUPPORTED_ATTRS;
use serde::Serialize;
use serde_json::{Map, Value};

use super::place::{self, LastLink};
use super::text::Shown;
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output, attributes};

/// Shows all attributes that the server has of an object
#[derive(Debug, Args)]
pub(crate) struct StatArgs {
    /// The objects
    #[arg(required = true, value_name = "URL")]
    urls: Vec<NfsUrl>,
    /// Of a symbolic link shows what it points to
    #[arg(short = 'L')]
    follow: bool,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Serialize)]
struct Object {
    url: String,
    minor: u32,
    target: Option<String>,
    attributes: Map<String, Value>,
}

pub(crate) async fn run(args: StatArgs, output: &Output) -> Result<ExitCode, CliError> {
    let last = if args.follow { LastLink::Follow } else { LastLink::Keep };
    let work = async |client: &Client, url: &NfsUrl| output.print(&object(client, url, last).await?);
    args.client.each(&args.urls, output, work).await
}

async fn object(client: &Client, url: &NfsUrl, last: LastLink) -> Result<Object, CliError> {
    let node = place::resolve(client, url, last).await?;
    let supported = client.getattr(&node.handle, &[FATTR4_SUPPORTED_ATTRS]).await.at(url)?;
    let supported = supported.supported_attrs.unwrap_or_default();
    let wanted: Vec<u32> = supported.and(&attributes::readable(client.minor())).iter().collect();
    let attrs = client.getattr(&node.handle, &wanted).await.at(url)?;
    let target = place::target(client, url, &node.handle, &attrs).await?;
    let target = target.map(|target| Shown(&target).to_string());
    Ok(Object { url: url.to_string(), minor: client.minor(), target, attributes: attributes::show(&attrs) })
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (4.{})", self.url, self.minor)?;
        if let Some(target) = &self.target {
            write!(f, " -> {target}")?;
        }
        let width = self.attributes.keys().map(String::len).max().unwrap_or_default();
        for (name, value) in &self.attributes {
            write!(f, "\n  {name:width$}  ")?;
            match value {
                Value::String(text) => f.write_str(text)?,
                Value::Array(items) => {
                    let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
                    f.write_str(&items.join(" "))?;
                }
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}
