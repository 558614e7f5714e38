//! `ls`: lists directories.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use futures::stream::TryStreamExt;
use nfs_client_sim::Client;
use nfs4_protocol::nfs4::{
    Attrs, FATTR4_FILEID, FATTR4_MODE, FATTR4_NUMLINKS, FATTR4_OWNER, FATTR4_OWNER_GROUP, FATTR4_RDATTR_ERROR,
    FATTR4_SIZE, FATTR4_TIME_MODIFY, FATTR4_TYPE, NfsFh4, NfsFtype4, NfsStat4,
};
use serde::Serialize;

use super::place::{self, LastLink, entries, is};
use super::text::{Permissions, Shown, Time, type_word};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// What a line shows.
const ATTRIBUTES: &[u32] = &[
    FATTR4_TYPE,
    FATTR4_SIZE,
    FATTR4_RDATTR_ERROR,
    FATTR4_FILEID,
    FATTR4_MODE,
    FATTR4_NUMLINKS,
    FATTR4_OWNER,
    FATTR4_OWNER_GROUP,
    FATTR4_TIME_MODIFY,
];

/// Lists directories, in the server's order and as the entries come
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// The directory, or something else, which is then listed alone
    url: NfsUrl,
    /// Permissions, links, owner, group, size and time as well; times are UTC
    #[arg(short)]
    long: bool,
    /// Directories below as well
    #[arg(short = 'R')]
    recursive: bool,
    #[command(flatten)]
    client: ClientArgs,
}

/// A line of the listing.
#[derive(Debug, Serialize)]
struct Line {
    url: String,
    name: String,
    #[serde(rename = "type")]
    ftype: Option<&'static str>,
    size: Option<u64>,
    mode: Option<String>,
    links: Option<u32>,
    owner: Option<String>,
    group: Option<String>,
    modified: Option<String>,
    fileid: Option<u64>,
    target: Option<String>,
    error: Option<&'static str>,
    #[serde(skip)]
    long: Option<String>,
}

pub(crate) async fn run(args: LsArgs, output: &Output) -> Result<ExitCode, CliError> {
    let work = async |client: &Client| list(client, &args, output).await;
    args.client.with_client(&args.url, work).await?;
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client, args: &LsArgs, output: &Output) -> Result<(), CliError> {
    // As ls(1): only a long line is about a link itself.
    let last = if args.long { LastLink::Keep } else { LastLink::Follow };
    let node = place::resolve(client, &args.url, last).await?;
    if !is(&node.attrs, NfsFtype4::Dir) {
        let name = args.url.names().last().cloned().unwrap_or_default();
        let attrs = client.getattr(&node.handle, ATTRIBUTES).await.at(&args.url)?;
        let target = target(client, &args.url, &node.handle, &attrs).await?;
        return output.print(&Line::new(&args.url, &name, &attrs, target, args.long));
    }
    // What is still to be listed: the subdirectories of the directories on the way down, the next one last.
    let mut waiting = vec![(args.url.clone(), node.handle)];
    let mut first = true;
    while let Some((url, handle)) = waiting.pop() {
        if args.recursive && !output.json() {
            output.bytes(format!("{}{url}:\n", if first { "" } else { "\n" }).as_bytes())?;
        }
        first = false;
        let subdirectories = one(client, args, output, &url, &handle).await?;
        let mut found = Vec::new();
        for url in subdirectories {
            let name = url.names().last().cloned().unwrap_or_default();
            found.push((client.lookup(&handle, &name).await.at(&url)?.handle, url));
        }
        waiting.extend(found.into_iter().rev().map(|(handle, url)| (url, handle)));
    }
    Ok(())
}

/// Lists one directory. Returns its subdirectories if they are to be listed as well.
async fn one(
    client: &Client,
    args: &LsArgs,
    output: &Output,
    url: &NfsUrl,
    handle: &NfsFh4,
) -> Result<Vec<NfsUrl>, CliError> {
    let mut subdirectories = Vec::new();
    let mut entries = std::pin::pin!(entries(client, url, handle, ATTRIBUTES));
    while let Some(entry) = entries.try_next().await? {
        let place = url.join(&entry.name);
        let mut link = None;
        if (args.long || output.json()) && is(&entry.attrs, NfsFtype4::Lnk) {
            let node = client.lookup(handle, &entry.name).await.at(&place)?;
            link = target(client, &place, &node.handle, &node.attrs).await?;
        }
        output.print(&Line::new(&place, &entry.name, &entry.attrs, link, args.long))?;
        if args.recursive && is(&entry.attrs, NfsFtype4::Dir) {
            subdirectories.push(place);
        }
    }
    Ok(subdirectories)
}

async fn target(client: &Client, url: &NfsUrl, handle: &NfsFh4, attrs: &Attrs) -> Result<Option<String>, CliError> {
    Ok(place::target(client, url, handle, attrs).await?.map(|target| Shown(&target).to_string()))
}

impl Line {
    fn new(url: &NfsUrl, name: &[u8], attrs: &Attrs, target: Option<String>, long: bool) -> Self {
        let text = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map(|bytes| Shown(bytes).to_string());
        let mut line = Self {
            url: url.to_string(),
            name: Shown(name).to_string(),
            ftype: attrs.ftype.map(type_word),
            size: attrs.size,
            mode: attrs.mode.map(|mode| format!("{mode:04o}")),
            links: attrs.numlinks,
            owner: text(&attrs.owner),
            group: text(&attrs.owner_group),
            modified: attrs.time_modify.map(|time| Time(time).to_string()),
            fileid: attrs.fileid,
            target,
            error: attrs.rdattr_error.filter(|status| *status != NfsStat4::Ok).map(NfsStat4::rfc_name),
            long: None,
        };
        if long {
            line.long = Some(line.columns(attrs));
        }
        line
    }

    fn columns(&self, attrs: &Attrs) -> String {
        let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
        format!(
            "{} {:>3} {:<8} {:<8} {:>12} {}",
            Permissions(attrs),
            number(self.links.map(u64::from)),
            text(&self.owner),
            text(&self.group),
            number(self.size),
            text(&self.modified),
        )
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(long) = &self.long else { return f.write_str(&self.name) };
        write!(f, "{long} {}", self.name)?;
        if let Some(target) = &self.target {
            write!(f, " -> {target}")?;
        }
        self.error.map_or(Ok(()), |error| write!(f, " ({error})"))
    }
}
