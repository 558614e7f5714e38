//! Pages of bucket listings, cached, and kept true to what the gateway itself puts into the bucket.
//!
//! A page that was asked for before an upload ended may come back without the object; so every change of the bucket is
//! applied to the pages that are cached and to those under way.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use lru::LruCache;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::store::probe::PROBE_PREFIX;
use crate::store::{ListRequest, ObjectInfo, ObjectStore, StoreResult};

/// Entries of one page.
const PAGE_ENTRIES: u16 = 1000;
/// Pages kept: at some 200 bytes an entry about 25 MiB at the most.
const PAGES_MAX: NonZeroUsize = NonZeroUsize::new(128).unwrap();
/// How long a page may serve a listing that goes on.
const PAGE_LIFETIME: Duration = Duration::from_secs(30);

/// A directory in a bucket: the bucket and the key prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Directory {
    /// The bucket's name.
    pub bucket: String,
    /// Empty, or ending with `/`.
    pub prefix: String,
}

/// One entry: an object or a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// The whole key, or the prefix with its closing `/`.
    pub key: String,
    /// The object; `None` for a prefix.
    pub object: Option<ObjectInfo>,
}

/// A stretch of a directory in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Entries, without the directory's own marker.
    pub entries: Vec<Listed>,
    /// Whether the directory has a marker object; known only of its first page.
    pub marker: bool,
    /// Whether nothing follows.
    pub last: bool,
    /// When it was asked for.
    pub asked: Instant,
}

/// What the gateway left under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    /// This object.
    Object(ObjectInfo),
    /// A directory's marker, or keys below it.
    Prefix,
    /// Nothing.
    Nothing,
}

/// A change that the gateway made: the key, and what it left there.
type Applied = (String, Left);

#[derive(Default)]
struct UnderWay {
    next: u64,
    /// What the gateway changed since each request left.
    changes: Vec<(u64, Directory, Vec<Applied>)>,
}

/// The cache of pages.
pub(super) struct Listings {
    pages: Mutex<LruCache<(Directory, String), Arc<Page>>>,
    under_way: Mutex<UnderWay>,
}

impl Default for Listings {
    fn default() -> Self {
        Self { pages: Mutex::new(LruCache::new(PAGES_MAX)), under_way: Mutex::default() }
    }
}

impl Listings {
    /// A page that holds what comes after the key `after` (and may begin earlier). From the start (`after` empty) it is
    /// not older than `freshness`; further on it is as fresh as the page that the listing began with.
    pub(super) async fn page(
        &self,
        store: &dyn ObjectStore,
        directory: &Directory,
        after: &str,
        freshness: Duration,
    ) -> StoreResult<Arc<Page>> {
        match self.cached(directory, after, freshness) {
            Some(page) => Ok(page),
            None => self.fetch(store, (directory.clone(), after.to_owned())).await,
        }
    }

    fn cached(&self, directory: &Directory, after: &str, freshness: Duration) -> Option<Arc<Page>> {
        let mut pages = self.pages.lock();
        let lifetime = if after.is_empty() { freshness } else { PAGE_LIFETIME };
        let began = pages.peek(&(directory.clone(), String::new())).map(|first| first.asked);
        let covers = |begin: &str, page: &Page| {
            let holds =
                begin <= after && (page.last || page.entries.last().is_some_and(|last| last.key.as_str() > after));
            holds && page.asked.elapsed() < lifetime && began.is_none_or(|began| page.asked >= began)
        };
        let mut of_directory = pages.iter().filter(|((of, _), _)| of == directory);
        let at = of_directory.find(|((_, begin), page)| covers(begin, page)).map(|(at, _)| at.clone())?;
        pages.get(&at).cloned()
    }

    async fn fetch(&self, store: &dyn ObjectStore, at: (Directory, String)) -> StoreResult<Arc<Page>> {
        let asked = Instant::now();
        let ticket = self.leave(&at.0);
        let request = ListRequest {
            bucket: at.0.bucket.clone(),
            prefix: at.0.prefix.clone(),
            delimited: true,
            start_after: start_after(&at.1),
            continuation: None,
            max_keys: PAGE_ENTRIES,
        };
        let found = store.list(&request).await;
        let changes = self.arrive(ticket);
        let mut found = found?;
        let marker = found.objects.first().is_some_and(|object| object.key == at.0.prefix);
        found.objects.retain(|object| object.key != at.0.prefix);
        let objects = found.objects.into_iter().map(|object| Listed { key: object.key.clone(), object: Some(object) });
        let prefixes = found.prefixes.into_iter().filter(|prefix| prefix != PROBE_PREFIX);
        let prefixes = prefixes.map(|key| Listed { key, object: None });
        let mut entries: Vec<_> = objects.chain(prefixes).filter(|entry| entry.key.as_str() > at.1.as_str()).collect();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        let mut page = Page { entries, marker, last: found.next.is_none(), asked };
        for (key, left) in changes {
            page.apply(&at.0, &at.1, &key, left);
        }
        let page = Arc::new(page);
        self.pages.lock().put(at, Arc::clone(&page));
        Ok(page)
    }

    fn leave(&self, directory: &Directory) -> u64 {
        let mut under_way = self.under_way.lock();
        under_way.next += 1;
        let ticket = under_way.next;
        under_way.changes.push((ticket, directory.clone(), Vec::new()));
        ticket
    }

    fn arrive(&self, ticket: u64) -> Vec<Applied> {
        let mut under_way = self.under_way.lock();
        match under_way.changes.iter().position(|(other, _, _)| *other == ticket) {
            Some(at) => under_way.changes.swap_remove(at).2,
            None => Vec::new(),
        }
    }

    /// Notes what the gateway left under a key (that of a directory ends with `/`).
    pub(super) fn apply(&self, bucket: &str, key: &str, left: &Left) {
        let of = |prefix: &str| Directory { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        self.apply_in(&of(parent_prefix(key)), key, left);
        if key.ends_with('/') {
            self.apply_in(&of(key), key, left);
        }
    }

    fn apply_in(&self, directory: &Directory, key: &str, left: &Left) {
        for (_, _, changes) in self.under_way.lock().changes.iter_mut().filter(|(_, of, _)| of == directory) {
            changes.push((key.to_owned(), left.clone()));
        }
        for ((of, after), page) in self.pages.lock().iter_mut() {
            if of == directory {
                Arc::make_mut(page).apply(directory, after, key, left.clone());
            }
        }
    }

    /// Forgets the pages of a directory and of all below it.
    pub(super) fn forget(&self, bucket: &str, prefix: &str) {
        let mut pages = self.pages.lock();
        let gone: Vec<_> = pages
            .iter()
            .filter(|((of, _), _)| of.bucket == bucket && of.prefix.starts_with(prefix))
            .map(|(at, _)| at.clone())
            .collect();
        for at in gone {
            pages.pop(&at);
        }
    }
}

impl Page {
    /// The last key that the page speaks of; `None` when it speaks of all that follow.
    pub(super) fn end(&self) -> Option<&str> {
        self.entries.last().filter(|_| !self.last).map(|last| last.key.as_str())
    }

    /// Takes a change over, if the key is the directory's marker, or lies on this page, which begins after `after`.
    fn apply(&mut self, directory: &Directory, after: &str, key: &str, left: Left) {
        if key == directory.prefix {
            self.marker = left == Left::Prefix;
            return;
        }
        let beyond = !self.last && self.entries.last().is_none_or(|last| last.key.as_str() < key);
        if key <= after || beyond {
            return;
        }
        let at = self.entries.binary_search_by(|entry| entry.key.as_str().cmp(key));
        let object = match left {
            Left::Object(object) => Some(object),
            Left::Prefix => None,
            Left::Nothing => {
                if let Ok(at) = at {
                    self.entries.remove(at);
                }
                return;
            }
        };
        let entry = Listed { key: key.to_owned(), object };
        match at {
            Ok(at) => self.entries.splice(at..=at, [entry]).for_each(drop),
            Err(at) => self.entries.insert(at, entry),
        }
    }
}

/// Where a page begins: after a prefix, that is after all keys below it.
fn start_after(after: &str) -> Option<String> {
    match after {
        "" => None,
        prefix if prefix.ends_with('/') => Some(format!("{prefix}\u{10FFFF}")),
        key => Some(key.to_owned()),
    }
}

/// The key prefix of the directory that a key is directly in.
pub(super) fn parent_prefix(key: &str) -> &str {
    let name_at = key.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
    key.get(..name_at).unwrap_or_default()
}
