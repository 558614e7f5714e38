//! READDIR: the pages of the bucket's listing, laid over with what is on its way, and with attributes where asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::filesystem::{DirEntry, DirPage, DirWant, FsError, FsResult, Located, NodeKey, NodeKind};
use super::handle::HandleParts;
use super::identity::Place;
use super::inode::Inode;
use super::listing::{Directory, Listed, Page};
use super::lookup::found;
use super::names;
use super::object_fs::ObjectFs;
use super::slots::{Overlay, SlotKey};
use crate::local::Change;
use crate::store::{ListRequest, ObjectInfo};

/// HEADs under way for one READDIR.
const HEADS_IN_FLIGHT: usize = 32;
/// Cookies below are reserved (RFC 7530 §16.24.4).
const COOKIE_MIN: u64 = 3;

/// What stands under a key of the directory.
pub(super) enum Item {
    /// An object of the bucket.
    Object(ObjectInfo),
    /// Keys below, or a marker.
    Prefix,
    /// A node on its way.
    Node(Arc<Inode>),
}

/// A stretch of a directory as clients see it.
pub(super) struct Window {
    /// By key; those of directories end with `/`.
    pub(super) items: BTreeMap<String, Item>,
    /// Whether nothing follows.
    pub(super) last: bool,
}

impl ObjectFs {
    /// Entries after `cookie`, at most `limit`.
    pub(super) async fn list_entries(
        &self,
        dir: &Arc<Inode>,
        cookie: u64,
        limit: usize,
        want: DirWant,
    ) -> FsResult<DirPage> {
        if dir.is_root() {
            return self.list_buckets(cookie, limit).await;
        }
        let prefix = self.prefix(dir)?;
        let mut after = self.key_after(dir, &prefix, cookie).await?;
        let mut page = DirPage::default();
        while page.entries.len() < limit && !page.eof {
            let window = self.window(dir, &prefix, &after).await?;
            let room = limit - page.entries.len();
            page.eof = window.last && window.items.len() <= room;
            let items: Vec<_> = self.settle_names(dir, &prefix, window, room).await?;
            match items.last() {
                Some((key, _, _)) => after = key.clone(),
                None if page.eof => break,
                None => {}
            }
            let made = stream::iter(items).map(|(key, name, item)| self.entry(dir, key, name, item, want));
            let made: Vec<Option<DirEntry>> = made.buffered(HEADS_IN_FLIGHT).try_collect().await?;
            page.entries.extend(made.into_iter().flatten());
        }
        if want.handles {
            self.write_places(dir, &page).await?;
        }
        if let Some(last) = page.entries.last().filter(|_| !page.eof) {
            self.cookies.lock().put((dir.key, last.cookie), after.clone());
            self.identity.keep_cookie(dir.key, last.cookie, &after)?;
        }
        Ok(page)
    }

    async fn list_buckets(&self, cookie: u64, limit: usize) -> FsResult<DirPage> {
        let (buckets, changed) = self.buckets.list(&*self.store).await?;
        if changed {
            self.root.entry_changed(crate::timestamp::Timestamp::now());
        }
        let cookie_of = |name: &str| self.identity.key().cookie(self.root.key, name);
        let after = match cookie {
            0 => String::new(),
            _ => match buckets.iter().find(|bucket| cookie_of(&bucket.name) == cookie) {
                Some(bucket) => bucket.name.clone(),
                None => self.identity.kept_cookie(self.root.key, cookie)?.ok_or(FsError::BadCookie)?,
            },
        };
        let rest: Vec<_> = buckets.iter().filter(|bucket| bucket.name > after).collect();
        let entries: Vec<_> = rest
            .iter()
            .take(limit)
            .map(|bucket| {
                let root = self.bucket_root(bucket);
                let (name, cookie) = (bucket.name.clone(), cookie_of(&bucket.name));
                DirEntry { name, cookie, node: self.locate(&root), attributes: Some(root.attributes()) }
            })
            .collect();
        if let Some(last) = entries.last() {
            self.identity.keep_cookie(self.root.key, last.cookie, &last.name)?;
        }
        Ok(DirPage { eof: rest.len() <= limit, entries })
    }

    /// The key behind a cookie: remembered, or kept for a restart, or found by reading the directory over.
    async fn key_after(&self, dir: &Arc<Inode>, prefix: &str, cookie: u64) -> FsResult<String> {
        if cookie == 0 {
            return Ok(String::new());
        }
        if cookie < COOKIE_MIN {
            return Err(FsError::BadCookie);
        }
        if let Some(key) = self.cookies.lock().get(&(dir.key, cookie)) {
            return Ok(key.clone());
        }
        if let Some(key) = self.identity.kept_cookie(dir.key, cookie)? {
            return Ok(key);
        }
        let mut after = String::new();
        loop {
            let window = self.window(dir, prefix, &after).await?;
            let mut keys = window.items.keys();
            if let Some(key) = keys.find(|key| self.identity.key().cookie(dir.key, key) == cookie) {
                return Ok(key.clone());
            }
            match window.items.last_key_value() {
                Some((last, _)) if !window.last => after = last.clone(),
                _ => return Err(FsError::BadCookie),
            }
        }
    }

    /// What follows a key: one page of the bucket's listing with the slots laid over it.
    pub(super) async fn window(&self, dir: &Inode, prefix: &str, after: &str) -> FsResult<Window> {
        let directory = Directory { bucket: dir.bucket.name.clone(), prefix: prefix.to_owned() };
        let mut from = after.to_owned();
        loop {
            let ahead = self.listings.page(&*self.store, &directory, &from, self.config.freshness).await?;
            let overlay = self.overlay(dir, prefix, after, ahead.end());
            // The slots are read before the page that is used: what settles in between is on that page then.
            let page = self.listings.page(&*self.store, &directory, &from, self.config.freshness).await?;
            let window = lay_over(after, ahead.end(), &page, overlay);
            match page.entries.last() {
                Some(last) if window.items.is_empty() && !window.last => from = last.key.clone(),
                _ => return Ok(window),
            }
        }
    }

    /// What the slots say of the names after one key, up to another.
    fn overlay(&self, dir: &Inode, prefix: &str, after: &str, end: Option<&str>) -> Vec<(String, Overlay)> {
        let work = self.work.lock();
        let entries = work.slots.entries(dir.key.fsid, prefix, after);
        let entries = entries.take_while(|(key, _)| end.is_none_or(|end| *key <= end));
        entries.map(|(key, overlay)| (key.to_owned(), overlay)).collect()
    }

    /// The names of a window's first `room` items: an object beside a directory of its name is shown under an escape.
    /// Where the window ends before that directory could show, the item is left to the next one.
    async fn settle_names(
        &self,
        dir: &Inode,
        prefix: &str,
        window: Window,
        room: usize,
    ) -> FsResult<Vec<(String, String, Item)>> {
        let end = window.items.last_key_value().map(|(key, _)| key.clone()).filter(|_| !window.last);
        let prefixes: std::collections::BTreeSet<String> =
            window.items.keys().filter(|key| key.ends_with('/')).cloned().collect();
        let mut settled = Vec::new();
        for (key, item) in window.items {
            if settled.len() == room {
                break;
            }
            let component = key.get(prefix.len()..).unwrap_or_default();
            if let Some(component) = component.strip_suffix('/') {
                settled.push((key.clone(), names::show(component), item));
                continue;
            }
            let beside = format!("{key}/");
            let unseen = end.as_ref().is_some_and(|end| beside > *end);
            if unseen && !settled.is_empty() {
                break;
            }
            let has_directory = prefixes.contains(&beside) || (unseen && self.is_directory(dir, &beside).await?);
            let name = if has_directory { names::show_object_beside(component) } else { names::show(component) };
            settled.push((key.clone(), name, item));
        }
        Ok(settled)
    }

    async fn is_directory(&self, dir: &Inode, prefix: &str) -> FsResult<bool> {
        let key = SlotKey { fsid: dir.key.fsid, key: prefix.to_owned() };
        match self.work.lock().slots.overlay(&key) {
            Some(Overlay::Present(_)) => return Ok(true),
            Some(Overlay::Absent) => return Ok(false),
            None => {}
        }
        let bucket = dir.bucket.name.clone();
        let request = ListRequest { bucket, prefix: prefix.to_owned(), max_keys: 1, ..ListRequest::default() };
        Ok(!self.store.list(&request).await?.objects.is_empty())
    }

    /// `None` when the entry vanished meanwhile.
    async fn entry(
        &self,
        dir: &Arc<Inode>,
        key: String,
        name: String,
        item: Item,
        want: DirWant,
    ) -> FsResult<Option<DirEntry>> {
        let cookie = self.identity.key().cookie(dir.key, &key);
        let directory = key.ends_with('/');
        let prefix_bytes = self.prefix(dir)?.len();
        let component = key.get(prefix_bytes..).unwrap_or_default().trim_end_matches('/').to_owned();
        let mut place = Place::new(dir.key.fileid, &name, &component, directory);
        let inode = match item {
            Item::Node(inode) => Some(inode),
            Item::Object(object) if want.attributes => self.listed_object(dir, place.clone(), &object).await?,
            Item::Prefix if want.attributes => Some(self.listed_directory(dir, place.clone(), &key).await?),
            Item::Object(_) | Item::Prefix => {
                let id = self.identity.of_place(dir.key.fsid, &mut place)?;
                return Ok(Some(DirEntry { name, cookie, node: locate_unseen(id, &place), attributes: None }));
            }
        };
        Ok(inode.map(|inode| {
            let attributes = want.attributes.then(|| inode.attributes());
            DirEntry { name, cookie, node: self.locate(&inode), attributes }
        }))
    }

    /// The node of a listed object; a HEAD is needed unless memory has this very version.
    async fn listed_object(&self, dir: &Arc<Inode>, place: Place, listed: &ObjectInfo) -> FsResult<Option<Arc<Inode>>> {
        let known = self.identity.known(dir.key.fsid, place.parent, &place.name, false)?;
        if let Some(inode) = known.and_then(|known| self.inodes.get(known)) {
            let mut state = inode.state();
            let same = state.version.as_ref().is_some_and(|version| version.etag == listed.etag);
            if state.queued || (same && !state.removed) {
                state.checked = Some(tokio::time::Instant::now());
                drop(state);
                return Ok(Some(inode));
            }
        }
        match found(self.store.head(&dir.bucket.name, &listed.key).await)? {
            Some(head) => self.adopt_object(dir, place, &head).map(Some),
            None => Ok(None),
        }
    }

    async fn listed_directory(&self, dir: &Arc<Inode>, place: Place, prefix: &str) -> FsResult<Arc<Inode>> {
        let known = self.identity.known(dir.key.fsid, place.parent, &place.name, true)?;
        if let Some(inode) = known.and_then(|known| self.inodes.get(known)) {
            let fresh = inode.state().checked.is_some_and(|checked| checked.elapsed() < self.config.freshness);
            if fresh {
                return Ok(inode);
            }
        }
        let marker = found(self.store.head(&dir.bucket.name, prefix).await)?;
        self.adopt_directory(dir, place, marker)
    }

    /// Writes down where the directories of a page are, so that their handles outlive a restart.
    async fn write_places(&self, dir: &Inode, page: &DirPage) -> FsResult<()> {
        let mut changes: Vec<Change> = Vec::new();
        let mut written = Vec::new();
        for entry in &page.entries {
            let long = entry.name.len() > super::handle::NAME_IN_HANDLE_MAX;
            if entry.node.kind != NodeKind::Directory && !long {
                continue;
            }
            match self.inodes.get(entry.node.key) {
                Some(inode) => {
                    if let Some(change) = self.place_to_write(&inode)? {
                        changes.push(change);
                        written.push(inode);
                    }
                }
                None => {
                    let component = match names::read(&entry.name)? {
                        names::Component::Plain(component) => component,
                        _ => continue,
                    };
                    let directory = entry.node.kind == NodeKind::Directory;
                    let place = Place::new(dir.key.fileid, &entry.name, &component, directory);
                    if self.identity.place(entry.node.key)?.is_none() {
                        changes.push(self.identity.place_change(entry.node.key, &place)?);
                    }
                }
            }
        }
        if !changes.is_empty() {
            self.local.commit(changes).await?;
        }
        for inode in written {
            inode.state().place_written = true;
        }
        Ok(())
    }
}

/// The handle of an entry that only the listing is known of.
fn locate_unseen(key: NodeKey, place: &Place) -> Located {
    let kind = if place.directory { NodeKind::Directory } else { NodeKind::File };
    let (parent, name) = match &place.origin {
        Some(origin) => (origin.parent, origin.name.clone()),
        None => (place.parent, place.name.clone()),
    };
    Located { handle: HandleParts { key, kind, parent, name: Some(name) }.encode(), key, kind }
}

/// A page's entries after one key and up to another, with what the slots say laid over them.
fn lay_over(after: &str, end: Option<&str>, page: &Page, overlay: Vec<(String, Overlay)>) -> Window {
    let within = |key: &str| key > after && end.is_none_or(|end| key <= end);
    let entries = page.entries.iter().filter(|entry| within(&entry.key));
    let mut items: BTreeMap<String, Item> = entries
        .map(|Listed { key, object }| (key.clone(), object.clone().map_or(Item::Prefix, Item::Object)))
        .collect();
    for (key, overlay) in overlay.into_iter().filter(|(key, _)| page.end().is_none_or(|end| key.as_str() <= end)) {
        match overlay {
            Overlay::Present(inode) => items.insert(key, Item::Node(inode)),
            Overlay::Absent => items.remove(&key),
        };
    }
    Window { items, last: page.last && end.is_none() }
}
