//! `df`: how much room there is.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use nfs_client_sim::{Client, Statfs};
use serde::Serialize;

use super::amount::Amount;
use super::place::{LastLink, resolve};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Shows how much room the file systems have
#[derive(Debug, Args)]
pub(crate) struct DfArgs {
    /// Places in the file systems
    #[arg(required = true, value_name = "URL")]
    urls: Vec<NfsUrl>,
    #[command(flatten)]
    client: ClientArgs,
}

/// The room of a file system; what the server does not tell is missing.
#[derive(Debug, Serialize)]
struct Room {
    url: String,
    space_total: Option<u64>,
    space_free: Option<u64>,
    space_avail: Option<u64>,
    files_total: Option<u64>,
    files_free: Option<u64>,
    files_avail: Option<u64>,
}

pub(crate) async fn run(args: DfArgs, output: &Output) -> Result<ExitCode, CliError> {
    if !output.json() {
        let head = ["Size", "Used", "Avail", "Use%", "Files", "Free"];
        output.bytes(format!("{} Place\n", columns(head.map(str::to_owned))).as_bytes())?;
    }
    let work = async |client: &Client, url: &NfsUrl| output.print(&room(client, url).await?);
    args.client.each(&args.urls, output, work).await
}

async fn room(client: &Client, url: &NfsUrl) -> Result<Room, CliError> {
    let node = resolve(client, url, LastLink::Follow).await?;
    let Statfs { space_total, space_free, space_avail, files_total, files_free, files_avail } =
        client.statfs(&node.handle).await.at(url)?;
    let url = url.to_string();
    Ok(Room { url, space_total, space_free, space_avail, files_total, files_free, files_avail })
}

fn columns([size, used, avail, percent, files, free]: [String; 6]) -> String {
    format!("{size:>11} {used:>11} {avail:>11} {percent:>5} {files:>12} {free:>12}")
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), |bytes| Amount(bytes).to_string());
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let used = self.space_total.zip(self.space_free).map(|(total, free)| total.saturating_sub(free));
        // As df(1) counts: of what the user can have, that is without reserves, and rounded up.
        let percent = used.zip(self.space_avail).map(|(used, avail)| {
            let all = u128::from(used) + u128::from(avail);
            (u128::from(used) * 100).div_ceil(all.max(1)).to_string() + "%"
        });
        let cells = [
            amount(self.space_total),
            amount(used),
            amount(self.space_avail),
            percent.unwrap_or_else(|| "-".to_owned()),
            number(self.files_total),
            number(self.files_free),
        ];
        write!(f, "{} {}", columns(cells), self.url)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_used_part_is_rounded_up_and_what_is_unknown_is_a_dash() {
        let room = |space_total, space_free, space_avail| Room {
            url: "nfs://s/".to_owned(),
            space_total,
            space_free,
            space_avail,
            files_total: Some(10),
            files_free: None,
            files_avail: None,
        };
        let words = |room: Room| room.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(room(Some(4096), Some(3072), Some(2048))), "4.0 KiB 1.0 KiB 2.0 KiB 34% 10 - nfs://s/");
        assert_eq!(words(room(Some(0), Some(0), Some(0))), "0 B 0 B 0 B 0% 10 - nfs://s/");
        assert_eq!(words(room(None, Some(1), None)), "- - - - 10 - nfs://s/");
        assert_eq!(words(room(Some(u64::MAX), Some(0), Some(0))).split(' ').nth(6), Some("100%"));
    }
}
