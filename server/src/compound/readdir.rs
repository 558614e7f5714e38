//! READDIR (RFC 7530 §16.24, RFC 8881 §18.23).

use bytes::Bytes;
use nfs4_protocol::nfs4::{Dirlist4, Entry4, NfsStat4, Readdir4Args, Readdir4Resok, Verifier4};

use super::attributes::{Facts, Query};
use super::context::Failure;
use super::{CompoundContext, Outcome, permission};
use crate::fs::filesystem::{DirEntry, DirPage, DirWant, FsError, FsResult, Located, Space};

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod tests;

/// Cookies that a client never gets (RFC 8881 §18.23.3).
const RESERVED_COOKIES: std::ops::RangeInclusive<u64> = 1..=2;
/// READDIR4resok without entries: verifier, the end of the list, eof.
const EMPTY_BYTES: usize = 8 + 4 + 4;
/// Operation and status, which come before READDIR4resok.
const HEADER_BYTES: usize = 8;
/// Roughly what an entry takes besides its attributes.
const ENTRY_BYTES_ESTIMATE: usize = 48;
/// The most entries to ask the file system for at once.
const CHUNK_ENTRIES_MAX: usize = 1000;

/// READDIR. Cookies stay good for ever, so the verifier says nothing: it is always the same, and any is taken.
pub(super) async fn readdir(cx: &mut CompoundContext, args: Readdir4Args) -> Outcome<Readdir4Resok> {
    let dir = cx.current_dir()?;
    if RESERVED_COOKIES.contains(&args.cookie) {
        return Err(NfsStat4::BadCookie.into());
    }
    let query = Query::new(cx, &args.attr_request)?;
    permission::require_in_directory(cx, &dir, permission::READ).await?;
    let mut list = Listing::new(cx, &args)?;
    let mut reader = Reader { cx, dir: &dir, query: &query, space: None };
    let filled = reader.fill(&mut list, args.cookie).await;
    if list.reply.entries.is_empty() {
        // Entries that came before an error are good: the client meets the error when it goes on after them.
        filled?;
        if !list.reply.eof {
            return Err(list.too_small.into());
        }
    }
    Ok(Readdir4Resok { cookieverf: Verifier4::default(), reply: list.reply })
}

/// The entries so far, and the room for more.
struct Listing {
    reply: Dirlist4,
    /// Bytes left of `maxcount` and of the reply.
    bytes_left: usize,
    /// Bytes left for names and cookies; `None` when the client does not care.
    dir_bytes_left: Option<usize>,
    /// The status when not even one entry fits.
    too_small: NfsStat4,
}

impl Listing {
    fn new(cx: &CompoundContext, args: &Readdir4Args) -> Result<Self, NfsStat4> {
        let maxcount = usize::try_from(args.maxcount).unwrap_or(usize::MAX);
        let room = cx.reply_room().saturating_sub(HEADER_BYTES);
        let too_small = if maxcount <= room { NfsStat4::Toosmall } else { cx.budget().status };
        let bytes_left = maxcount.min(room).checked_sub(EMPTY_BYTES).ok_or(too_small)?;
        let dir_bytes_left = Some(args.dircount).filter(|dircount| *dircount > 0);
        Ok(Self {
            reply: Dirlist4::default(),
            bytes_left,
            dir_bytes_left: dir_bytes_left.map(|dircount| usize::try_from(dircount).unwrap_or(usize::MAX)),
            too_small,
        })
    }

    /// Adds an entry if it fits. `dircount` is only a hint, so it does not keep the first entry out.
    fn push(&mut self, entry: Entry4) -> bool {
        let dir_bytes = 8 + 4 + entry.name.len().next_multiple_of(4);
        let Some(bytes_left) = self.bytes_left.checked_sub(entry.wire_len()) else { return false };
        let dir_bytes_left = match self.dir_bytes_left {
            Some(left) if left < dir_bytes && !self.reply.entries.is_empty() => return false,
            left => left.map(|left| left.saturating_sub(dir_bytes)),
        };
        self.bytes_left = bytes_left;
        self.dir_bytes_left = dir_bytes_left;
        self.reply.entries.push(entry);
        true
    }

    /// How many entries to ask for, each of about `entry_bytes`.
    fn entries_wanted(&self, entry_bytes: usize) -> usize {
        let by_names = self.dir_bytes_left.map_or(usize::MAX, |left| left / 16);
        (self.bytes_left / entry_bytes).min(by_names).clamp(1, CHUNK_ENTRIES_MAX)
    }
}

/// Reads a directory for one request.
struct Reader<'a> {
    cx: &'a CompoundContext,
    dir: &'a Located,
    query: &'a Query,
    /// The room in the file system of this fsid, asked for once.
    space: Option<(u64, Space)>,
}

impl Reader<'_> {
    /// Fills the listing as far as it goes.
    async fn fill(&mut self, list: &mut Listing, mut cookie: u64) -> Outcome<()> {
        let entry_bytes = ENTRY_BYTES_ESTIMATE + self.query.answer_bytes_estimate();
        loop {
            let page = self.page(cookie, list.entries_wanted(entry_bytes)).await?;
            let is_last = page.eof || page.entries.is_empty();
            for found in page.entries {
                cookie = found.cookie;
                let Some(entry) = self.entry(found).await? else { continue };
                if !list.push(entry) {
                    return Ok(());
                }
            }
            if is_last {
                list.reply.eof = true;
                return Ok(());
            }
        }
    }

    async fn page(&self, cookie: u64, limit: usize) -> FsResult<DirPage> {
        let want = DirWant { attributes: self.query.wants_attributes(), handles: self.query.wants_handle() };
        self.cx.fs().readdir(&self.dir.handle, cookie, limit, want).await
    }

    /// One entry for the wire; `None` when it went while the directory was read.
    async fn entry(&mut self, mut found: DirEntry) -> Outcome<Option<Entry4>> {
        let attrs = match self.complete(&mut found).await {
            Ok(space) => self.query.answer(Facts { node: &found.node, attributes: found.attributes.as_ref(), space }),
            Err(FsError::NotFound | FsError::Stale) => return Ok(None),
            Err(error) if self.query.takes_errors() => self.query.error(self.cx.status(Failure::Fs(error))),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(Entry4 { cookie: found.cookie, name: Bytes::from(found.name), attrs }))
    }

    /// Gets what the listing did not tell: attributes that are asked for, also those at the root of another file system,
    /// where a listing does not know what is underneath; and the room.
    async fn complete(&mut self, found: &mut DirEntry) -> FsResult<Option<Space>> {
        let crosses = found.node.key.fsid != self.dir.key.fsid;
        let wanted = self.query.wants_attributes() || (crosses && self.query.wants_mounted_on_fileid());
        if wanted && found.attributes.is_none() {
            found.attributes = Some(self.cx.fs().getattr(&found.node.handle).await?);
        }
        if !self.query.wants_space() {
            return Ok(None);
        }
        if let Some((fsid, space)) = self.space
            && fsid == found.node.key.fsid
        {
            return Ok(Some(space));
        }
        let space = self.cx.fs().space(&found.node.handle).await?;
        self.space = Some((found.node.key.fsid, space));
        Ok(Some(space))
    }
}
