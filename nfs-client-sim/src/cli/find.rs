//! `find`: searches directories.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use futures::stream::TryStreamExt;
use nfs_client_sim::Client;
use nfs4_protocol::nfs4::{Attrs, FATTR4_RDATTR_ERROR, FATTR4_SIZE, FATTR4_TYPE, NfsFh4, NfsFtype4};
use serde::Serialize;

use super::amount::Amount;
use super::glob::Glob;
use super::place::{self, LastLink, entries, is};
use super::text::type_word;
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

const ATTRIBUTES: &[u32] = &[FATTR4_TYPE, FATTR4_SIZE, FATTR4_RDATTR_ERROR];

/// Shows what is below a directory and passes all tests; tests may be written with one dash, as for find(1)
#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    /// Where to begin
    url: NfsUrl,
    /// The name fits the pattern, with *, ? and [a-z]
    #[arg(long, value_name = "PATTERN")]
    name: Option<Glob>,
    /// It is of this type
    #[arg(long = "type", value_name = "TYPE")]
    ftype: Option<Type>,
    /// It has this size in bytes, or with K, M, G, T, P; +SIZE is more than that, -SIZE less
    #[arg(long, allow_hyphen_values = true)]
    size: Option<SizeTest>,
    /// It is at most so many directories below; 0 is the place itself
    #[arg(long, value_name = "DEPTH")]
    maxdepth: Option<usize>,
    #[command(flatten)]
    client: ClientArgs,
}

/// The letters of find(1).
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Type {
    #[value(name = "f")]
    File,
    #[value(name = "d")]
    Directory,
    #[value(name = "l")]
    Link,
    #[value(name = "b")]
    Block,
    #[value(name = "c")]
    Character,
    #[value(name = "p")]
    Fifo,
    #[value(name = "s")]
    Socket,
}

impl From<Type> for NfsFtype4 {
    fn from(ftype: Type) -> Self {
        match ftype {
            Type::File => Self::Reg,
            Type::Directory => Self::Dir,
            Type::Link => Self::Lnk,
            Type::Block => Self::Blk,
            Type::Character => Self::Chr,
            Type::Fifo => Self::Fifo,
            Type::Socket => Self::Sock,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SizeTest {
    Is(u64),
    More(u64),
    Less(u64),
}

impl FromStr for SizeTest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = |text: &str| text.parse::<Amount>().map(|amount| amount.0);
        match text.strip_prefix('+') {
            Some(more) => read(more).map(Self::More),
            None => match text.strip_prefix('-') {
                Some(less) => read(less).map(Self::Less),
                None => read(text).map(Self::Is),
            },
        }
    }
}

impl SizeTest {
    const fn passes(self, size: u64) -> bool {
        match self {
            Self::Is(is) => size == is,
            Self::More(bound) => size > bound,
            Self::Less(bound) => size < bound,
        }
    }
}

#[derive(Debug, Serialize)]
struct Found {
    url: String,
    #[serde(rename = "type")]
    ftype: Option<&'static str>,
    size: Option<u64>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

pub(crate) async fn run(args: FindArgs, output: &Output) -> Result<ExitCode, CliError> {
    args.client.with_client(&args.url, async |client: &Client| search(client, &args, output).await).await
}

async fn search(client: &Client, args: &FindArgs, output: &Output) -> Result<ExitCode, CliError> {
    let node = place::resolve(client, &args.url, LastLink::Keep).await?;
    args.show(&args.url, &node.attrs, output)?;
    let mut status = ExitCode::SUCCESS;
    let mut waiting = Vec::new();
    if is(&node.attrs, NfsFtype4::Dir) {
        waiting.push((args.url.clone(), node.handle, 0));
    }
    while let Some((url, handle, depth)) = waiting.pop() {
        if args.maxdepth.is_some_and(|max| depth >= max) {
            continue;
        }
        match one(client, args, output, &url, &handle).await {
            Ok(below) => waiting.extend(below.into_iter().rev().map(|(url, handle)| (url, handle, depth + 1))),
            // One directory that is closed or was removed is no reason to miss the others.
            Err(error @ CliError::Nfs { .. }) if error.exit_status() == 1 => {
                status = ExitCode::from(output.failure(&error));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(status)
}

/// Searches one directory. Returns those below it.
async fn one(
    client: &Client,
    args: &FindArgs,
    output: &Output,
    url: &NfsUrl,
    handle: &NfsFh4,
) -> Result<Vec<(NfsUrl, NfsFh4)>, CliError> {
    let mut below = Vec::new();
    let mut entries = std::pin::pin!(entries(client, url, handle, ATTRIBUTES));
    while let Some(entry) = entries.try_next().await? {
        let place = url.join(&entry.name);
        args.show(&place, &entry.attrs, output)?;
        if is(&entry.attrs, NfsFtype4::Dir) {
            let node = client.lookup(handle, &entry.name).await.at(&place)?;
            below.push((place, node.handle));
        }
    }
    Ok(below)
}

impl FindArgs {
    fn show(&self, url: &NfsUrl, attrs: &Attrs, output: &Output) -> Result<(), CliError> {
        if !self.passes(url, attrs) {
            return Ok(());
        }
        output.print(&Found { url: url.to_string(), ftype: attrs.ftype.map(type_word), size: attrs.size })
    }

    fn passes(&self, url: &NfsUrl, attrs: &Attrs) -> bool {
        let name = url.names().last().map(|name| String::from_utf8_lossy(name)).unwrap_or_default();
        self.name.as_ref().is_none_or(|glob| glob.matches(&name))
            && self.ftype.is_none_or(|ftype| is(attrs, ftype.into()))
            && self.size.is_none_or(|test| attrs.size.is_some_and(|size| test.passes(size)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_or_bounds() {
        let test = |text: &str, size| text.parse::<SizeTest>().unwrap().passes(size);
        assert!(test("4k", 4096) && !test("4k", 4097));
        assert!(test("+4k", 4097) && !test("+4k", 4096));
        assert!(test("-4k", 4095) && !test("-4k", 4096));
        assert!("+".parse::<SizeTest>().is_err() && "4x".parse::<SizeTest>().is_err());
    }
}
