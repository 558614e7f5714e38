//! From a URL to the object that it names, and through directories.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::stream::{Stream, StreamExt};
use nfs_client_sim::{Client, ListingSize, Node, OpenFile, OpenHow};
use nfs4_protocol::nfs4::{Attrs, NfsFh4, NfsFtype4, NfsStat4};

use super::{CliError, NfsContext, NfsUrl};

/// The most symbolic links in one path, as on Linux.
const LINKS_MAX: usize = 40;

/// One name of a directory.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Bytes,
    /// Those of the attributes asked for that the server gave; instead of them perhaps `rdattr_error`.
    pub(crate) attrs: Attrs,
}

/// What to do with a symbolic link at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastLink {
    /// Take what it points to.
    Follow,
    /// Take the link itself.
    Keep,
}

/// An object and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) node: Node,
    /// The directory and the name in it; the root has none.
    pub(crate) within: Option<(NfsFh4, Bytes)>,
}

/// The object at `url`. Symbolic links on the way are followed; absolute ones begin at the server's root.
///
/// # Errors
/// [`CliError::Nfs`]; [`CliError::Failed`] when there are more than [`LINKS_MAX`] links.
pub(crate) async fn resolve(client: &Client, url: &NfsUrl, last: LastLink) -> Result<Node, CliError> {
    let utf8 = url.names().iter().all(|name| std::str::from_utf8(name).is_ok());
    if utf8 {
        match client.resolve(&url.path()).await {
            Ok(node) if last == LastLink::Follow && is(&node.attrs, NfsFtype4::Lnk) => {}
            // A link on the way: which of the names it is, only the walk tells.
            Err(error) if matches!(error.status(), Some(NfsStat4::Symlink | NfsStat4::Notdir)) => {}
            result => return result.at(url),
        }
    }
    Ok(locate(client, url, last).await?.node)
}

/// As [`resolve`], name by name, and says where the object is when links were followed.
///
/// # Errors
/// As [`resolve`].
pub(crate) async fn locate(client: &Client, url: &NfsUrl, last: LastLink) -> Result<Located, CliError> {
    let root = Located { node: client.root().await.at(url)?, within: None };
    // From the root on, as a link may lead back.
    let mut above: Vec<Located> = Vec::new();
    let mut here = root.clone();
    let mut names: VecDeque<Bytes> = url.names().iter().cloned().collect();
    let mut links = 0;
    while let Some(name) = names.pop_front() {
        match name.as_ref() {
            b"" | b"." => continue,
            b".." => {
                here = above.pop().unwrap_or_else(|| root.clone());
                continue;
            }
            _ => {}
        }
        let directory = here.node.handle.clone();
        let node = client.lookup(&directory, &name).await.at(url)?;
        let follow = is(&node.attrs, NfsFtype4::Lnk) && (last == LastLink::Follow || !names.is_empty());
        if !follow {
            let next = Located { node, within: Some((directory, name)) };
            above.push(std::mem::replace(&mut here, next));
            continue;
        }
        links += 1;
        if links > LINKS_MAX {
            return Err(CliError::Failed(format!("{url}: more than {LINKS_MAX} symbolic links")));
        }
        let target = client.readlink(&node.handle).await.at(url)?;
        if target.starts_with(b"/") {
            above.clear();
            here = root.clone();
        }
        for part in target.split(|byte| *byte == b'/').rev() {
            names.push_front(target.slice_ref(part));
        }
    }
    Ok(here)
}

/// Opens the file at `url`, or where a link there leads. Returns it with what LOOKUP told of it.
///
/// # Errors
/// As [`resolve`], and [`CliError::Failed`] for what is no file.
pub(crate) async fn open(client: &Client, url: &NfsUrl, how: OpenHow) -> Result<(OpenFile, Node), CliError> {
    let Located { node, within } = locate(client, url, LastLink::Follow).await?;
    let regular = within.filter(|_| is(&node.attrs, NfsFtype4::Reg));
    let (directory, name) = regular.ok_or_else(|| CliError::Failed(format!("{url}: not a file")))?;
    Ok((client.open(&directory, name, how).await.at(url)?, node))
}

/// The directory that holds `url`, and the name in it.
///
/// # Errors
/// [`CliError::Usage`] for the root; as [`resolve`].
pub(crate) async fn parent<'u>(client: &Client, url: &'u NfsUrl) -> Result<(Node, &'u Bytes), CliError> {
    let (directory, name) = url.split().ok_or_else(|| CliError::Usage(format!("{url} is the root of the server")))?;
    Ok((resolve(client, &directory, LastLink::Follow).await?, name))
}

/// The names in a directory, in the server's order, with these attributes (`FATTR4_*`).
///
/// # Errors
/// The stream ends after the first error.
pub(crate) fn entries<'a>(
    client: &'a Client,
    url: &'a NfsUrl,
    handle: &'a NfsFh4,
    attributes: &'a [u32],
) -> impl Stream<Item = Result<Entry, CliError>> + 'a {
    client.readdir(handle, ListingSize::default(), attributes).map(move |entry| {
        let entry = entry.at(url)?;
        let attrs = entry.attrs.parse().map_err(nfs_client_sim::Error::from).at(url.join(&entry.name))?;
        Ok(Entry { name: entry.name, attrs })
    })
}

/// Where a symbolic link points to; `None` for what is no link.
///
/// # Errors
/// [`CliError::Nfs`].
pub(crate) async fn target(
    client: &Client,
    url: &NfsUrl,
    handle: &NfsFh4,
    attrs: &Attrs,
) -> Result<Option<Bytes>, CliError> {
    if !is(attrs, NfsFtype4::Lnk) {
        return Ok(None);
    }
    client.readlink(handle).await.at(url).map(Some)
}

/// The place for something that is to be called `name` if `url` is a directory, and otherwise is to be `url` itself:
/// the directory, the name in it and the place.
///
/// # Errors
/// As [`resolve`].
pub(crate) async fn destination(
    client: &Client,
    url: &NfsUrl,
    name: &Bytes,
) -> Result<(NfsFh4, Bytes, NfsUrl), CliError> {
    match resolve(client, url, LastLink::Follow).await {
        Ok(node) if is(&node.attrs, NfsFtype4::Dir) => Ok((node.handle, name.clone(), url.join(name))),
        Err(error) if error.status() != Some(NfsStat4::Noent) => Err(error),
        _ => {
            let (directory, name) = parent(client, url).await?;
            Ok((directory.handle, name.clone(), url.clone()))
        }
    }
}

/// Whether the attributes are those of an object of this type.
pub(crate) fn is(attrs: &Attrs, ftype: NfsFtype4) -> bool {
    attrs.ftype == Some(ftype)
}
