//! What only people know about a trace: the flags that fill its header.

use std::time::Duration;

use clap::Args;
use nfs_client_sim::trace::{Header, Origin};
use nfs4_protocol::nfs4::Nfstime4;

use super::text::Time;

#[derive(Debug, Args)]
#[command(next_help_heading = "Header of the trace")]
pub(crate) struct HeaderArgs {
    /// The client and its version
    #[arg(long, default_value = "", value_name = "TEXT")]
    client: String,
    /// The server and its version
    #[arg(long, default_value = "", value_name = "TEXT")]
    server: String,
    /// The options of the mount
    #[arg(long, default_value = "", value_name = "TEXT")]
    mount: String,
    /// What runs on the client
    #[arg(long, default_value = "", value_name = "TEXT")]
    command: String,
    /// The server's path that is mounted; a replay puts another in its place
    #[arg(long, default_value = "/", value_name = "PATH")]
    directory: String,
    /// Anything else a reader should know; may be given several times
    #[arg(long = "note", value_name = "TEXT")]
    notes: Vec<String>,
}

impl HeaderArgs {
    /// The header of a trace that begins at this time since 1970-01-01 UTC.
    pub(crate) fn into_header(self, origin: Origin, began: Duration) -> Header {
        let Self { client, server, mount, command, directory, notes } = self;
        let seconds = i64::try_from(began.as_secs()).unwrap_or_default();
        let time = Time(Nfstime4 { seconds, nseconds: 0 }).to_string();
        let date = time.split('T').next().unwrap_or_default().to_owned();
        Header { origin, client, server, mount, command, date, directory, minor: None, notes }
    }
}
