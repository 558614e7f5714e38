//! Listings of objects in byte order, with prefix and delimiter.
//!
//! A common prefix is passed by one seek, however many keys lie below it.

use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use redb::ReadableTable;
use s3s::S3ErrorCode;

use super::fault::Fault;
use super::index::OBJECTS;
use super::record::Summary;
use super::store::Store;

/// Entries of one page (S3's own limit).
pub(super) const PAGE_MAX: usize = 1000;

/// What `encoding-type=url` leaves as it is, besides letters and digits.
const URL_ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// What a listing asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    /// The bucket.
    pub(super) bucket: String,
    /// Only keys that begin so.
    pub(super) prefix: String,
    /// Keys that agree up to the first occurrence of this after the prefix are one entry; empty for none.
    pub(super) delimiter: String,
    /// Only what comes after this key, or after this common prefix and everything below it.
    pub(super) after: Option<String>,
    /// Entries at most.
    pub(super) max: usize,
}

/// A page of a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Objects in byte order.
    pub(super) objects: Vec<(String, Summary)>,
    /// Common prefixes in byte order.
    pub(super) prefixes: Vec<String>,
    /// Where the next page goes on ([`Query::after`]); `None` on the last page.
    pub(super) next: Option<String>,
}

impl Store {
    /// One page of a listing; `NoSuchBucket` where the bucket does not exist. Blocks for as long as the disk takes.
    pub(super) fn list(&self, query: &Query) -> Result<Page, Fault> {
        self.require_bucket(&query.bucket)?;
        let objects = self.index.snapshot()?.open_table(OBJECTS)?;
        page(&objects, query)
    }
}

/// Rows of the table of objects.
type Rows<'t> = redb::Range<'t, (&'static str, &'static [u8]), &'static [u8]>;

/// Where in the listing the next look begins.
enum Seek {
    /// At the first key not below this one.
    From(Vec<u8>),
    /// Behind this key.
    Behind(Vec<u8>),
    /// There is nothing more.
    Done,
}

fn page(
    objects: &impl ReadableTable<(&'static str, &'static [u8]), &'static [u8]>,
    query: &Query,
) -> Result<Page, Fault> {
    let mut filling = Filling { page: Page::default(), last: None };
    let mut seek = if query.max == 0 { Seek::Done } else { query.start() };
    while let Some(from) = seek.bound(&query.bucket) {
        seek = filling.fill(objects.range::<(&str, &[u8])>((from, Bound::Unbounded))?, query)?;
    }
    Ok(filling.page)
}

/// A page being filled.
struct Filling {
    page: Page,
    /// The last entry.
    last: Option<String>,
}

impl Filling {
    /// Takes in rows up to the next common prefix, the end of the page or of the listing; says where to go on.
    fn fill(&mut self, rows: Rows<'_>, query: &Query) -> Result<Seek, Fault> {
        for row in rows {
            let (name, value) = row?;
            let (bucket, key) = name.value();
            if bucket != query.bucket || !key.starts_with(query.prefix.as_bytes()) {
                break;
            }
            if self.page.objects.len().saturating_add(self.page.prefixes.len()) >= query.max {
                self.page.next = self.last.take();
                break;
            }
            let key = std::str::from_utf8(key).map_err(Fault::storage)?;
            if let Some(common) = query.common_prefix(key) {
                self.last = Some(common.to_owned());
                self.page.prefixes.push(common.to_owned());
                return Ok(Seek::past(common.as_bytes()));
            }
            self.last = Some(key.to_owned());
            self.page.objects.push((key.to_owned(), Summary::decode(value.value())?));
        }
        Ok(Seek::Done)
    }
}

impl Query {
    fn start(&self) -> Seek {
        match &self.after {
            Some(after) if after.as_bytes() >= self.prefix.as_bytes() => match self.common_prefix(after) {
                // A page that ended with a common prefix goes on behind all of it.
                Some(common) if common == after => Seek::past(after.as_bytes()),
                _ => Seek::Behind(after.clone().into_bytes()),
            },
            _ => Seek::From(self.prefix.clone().into_bytes()),
        }
    }

    /// The part of a key up to and with the first delimiter after the prefix.
    pub(super) fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = key.strip_prefix(self.prefix.as_str())?;
        let end = rest.find(self.delimiter.as_str())?.checked_add(self.delimiter.len())?;
        key.get(..self.prefix.len().checked_add(end)?)
    }
}

impl Seek {
    /// The place as a bound in the table of objects; `None` where there is nothing more.
    fn bound<'s>(&'s self, bucket: &'s str) -> Option<Bound<(&'s str, &'s [u8])>> {
        match self {
            Self::From(key) => Some(Bound::Included((bucket, key))),
            Self::Behind(key) => Some(Bound::Excluded((bucket, key))),
            Self::Done => None,
        }
    }

    /// Behind every key that begins with `prefix`: at the least byte string above them all.
    fn past(prefix: &[u8]) -> Self {
        let mut bound = prefix.to_vec();
        while let Some(last) = bound.pop() {
            if let Some(next) = last.checked_add(1) {
                bound.push(next);
                return Self::From(bound);
            }
        }
        Self::Done
    }
}

/// The number of entries for a page, out of `max-keys`.
///
/// # Errors
/// `InvalidArgument` for a negative number.
pub(super) fn page_size(sent: Option<i32>) -> Result<usize, Fault> {
    let sent = sent.map_or(Ok(PAGE_MAX), usize::try_from);
    let sent = sent.map_err(|_| Fault::refused(S3ErrorCode::InvalidArgument, "the number of entries is negative"))?;
    Ok(sent.min(PAGE_MAX))
}

/// A continuation token for a place in a listing.
pub(super) fn token(after: &str) -> String {
    URL_SAFE_NO_PAD.encode(after)
}

/// The place of a continuation token.
///
/// # Errors
/// `InvalidArgument` for what is no token.
pub(super) fn parse_token(token: &str) -> Result<String, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Fault::refused(S3ErrorCode::InvalidArgument, "the continuation token is not one of this server"))
}

/// A key as `encoding-type=url` shows it, or as it is.
pub(super) fn shown(key: &str, url: bool) -> String {
    if url { utf8_percent_encode(key, URL_ENCODED).to_string() } else { key.to_owned() }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
