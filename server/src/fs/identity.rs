//! Who is who: fileids computed from directory and name, and the exceptions that renames make.
//!
//! A fileid is a keyed hash of the directory's fileid and the name, so it needs no row. What a rename moved keeps its
//! fileid by a row name → fileid, and a row fileid → place. A name whose computed fileid lives on elsewhere, or was
//! removed lately, gets a fresh one. Directories that clients hold have a row fileid → place too, so that handles
//! below them can be resolved after a restart.

use std::hash::Hasher;
use std::num::NonZeroUsize;

use lru::LruCache;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::filesystem::{FsError, FsResult, NodeKey};
use crate::local::{Change, Key, Local, Table};

/// Removed fileids remembered, so that a name made anew is not taken for the old one.
const RETIRED_MAX: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();
/// Fileids are 63 bits: some clients take them as signed.
const FILEID_MASK: u64 = u64::MAX >> 1;
/// Fileids below are kept for the root.
const FILEID_MIN: u64 = 16;

/// The key of the deployment: gateways that share it give the same ids.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdentityKey([u8; 16]);

impl std::fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityKey")
    }
}

impl IdentityKey {
    /// Takes 16 secret bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    fn hash(&self, purpose: u8, fields: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write_u8(purpose);
        for field in fields {
            hasher.write_usize(field.len());
            hasher.write(field);
        }
        let hash = hasher.finish() & FILEID_MASK;
        if hash < FILEID_MIN { hash + FILEID_MIN } else { hash }
    }

    /// The file system of a bucket.
    pub fn fsid(&self, bucket: &str) -> u64 {
        self.hash(0, &[bucket.as_bytes()])
    }

    /// The fileid that a name has by nature.
    pub fn natural(&self, fsid: u64, parent: u64, name: &str, directory: bool) -> u64 {
        let place = [&fsid.to_be_bytes()[..], &parent.to_be_bytes()[..], name.as_bytes()];
        self.hash(if directory { 1 } else { 2 }, &place)
    }

    /// The READDIR cookie of a key in a directory (design §7).
    pub fn cookie(&self, directory: NodeKey, key: &str) -> u64 {
        self.hash(3, &[&directory.fsid.to_be_bytes(), &directory.fileid.to_be_bytes(), key.as_bytes()])
    }

    /// A hash of a name for digests of listings.
    pub fn digest(&self, name: &str) -> u64 {
        self.hash(4, &[name.as_bytes()])
    }
}

/// Where a node is: the row behind a fileid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The directory's fileid.
    pub parent: u64,
    /// The name there, as clients see it.
    pub name: String,
    /// The key's component behind the name.
    pub component: String,
    /// Whether it is a directory.
    pub directory: bool,
    /// Where it was when its handle was first made, if it was moved since: handles never change.
    pub origin: Option<Origin>,
}

/// The place that a handle names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The directory's fileid.
    pub parent: u64,
    /// The name there.
    pub name: String,
}

impl Place {
    /// A place whose name is its key's component, of a node that was never moved.
    pub(super) fn new(parent: u64, name: &str, component: &str, directory: bool) -> Self {
        Self { parent, name: name.to_owned(), component: component.to_owned(), directory, origin: None }
    }

    /// Where the node is after a rename.
    pub(super) fn moved_to(&self, parent: u64, name: &str, component: &str) -> Self {
        let origin = self.origin.clone().unwrap_or_else(|| Origin { parent: self.parent, name: self.name.clone() });
        let origin = Some(origin).filter(|origin| origin.parent != parent || origin.name != name);
        Self { origin, ..Self::new(parent, name, component, self.directory) }
    }
}

/// The identities of all buckets.
pub(super) struct Identity {
    key: IdentityKey,
    local: Local,
    retired: Mutex<LruCache<NodeKey, ()>>,
    nonce: std::sync::atomic::AtomicU64,
}

fn name_row(fsid: u64, parent: u64, name: &str, directory: bool) -> Vec<u8> {
    Key::new().u64(fsid).u64(parent).u64(u64::from(directory)).text(name).done()
}

fn id_row(key: NodeKey) -> Vec<u8> {
    Key::new().u64(key.fsid).u64(key.fileid).done()
}

fn damaged(what: &str) -> FsError {
    FsError::Io(format!("the local state is damaged: {what}"))
}

impl Identity {
    /// Identities under a key, with their exceptions in `local`.
    pub(super) fn new(key: IdentityKey, local: Local, seed: u64) -> Self {
        Self { key, local, retired: Mutex::new(LruCache::new(RETIRED_MAX)), nonce: seed.into() }
    }

    /// The deployment's key.
    pub(super) fn key(&self) -> IdentityKey {
        self.key
    }

    /// The node that a name stands for, if it needs no fresh fileid.
    pub(super) fn known(&self, fsid: u64, parent: u64, name: &str, directory: bool) -> FsResult<Option<NodeKey>> {
        let row = name_row(fsid, parent, name, directory);
        if let Some(bytes) = self.local.get(Table::Names, &row)? {
            let fileid = bytes.try_into().map(u64::from_be_bytes).map_err(|_| damaged("a name's row"))?;
            return Ok(Some(NodeKey { fsid, fileid }));
        }
        let natural = NodeKey { fsid, fileid: self.key.natural(fsid, parent, name, directory) };
        let elsewhere = self.place(natural)?.is_some_and(|place| place.parent != parent || place.name != name);
        Ok((!elsewhere && !self.retired.lock().contains(&natural)).then_some(natural))
    }

    /// The node that stands at a place, whose origin is filled in. A name whose own fileid lives elsewhere, or was
    /// removed lately, gets a fresh one, written in order with the journal.
    pub(super) fn of_place(&self, fsid: u64, place: &mut Place) -> FsResult<NodeKey> {
        if let Some(known) = self.known(fsid, place.parent, &place.name, place.directory)? {
            if !self.is_natural(known, place) {
                place.origin = self.place(known)?.and_then(|row| row.origin);
            }
            return Ok(known);
        }
        let nonce = self.nonce.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let fileid = self.key.natural(fsid, place.parent ^ nonce, &place.name, place.directory);
        let fresh = NodeKey { fsid, fileid };
        let row = name_row(fsid, place.parent, &place.name, place.directory);
        let name = Change::put(Table::Names, row, fileid.to_be_bytes());
        self.local.commit_later(vec![name, self.place_change(fresh, place)?])?;
        Ok(fresh)
    }

    /// The row of a node's place, for those that have one.
    pub(super) fn place(&self, key: NodeKey) -> FsResult<Option<Place>> {
        match self.local.get(Table::Ids, &id_row(key))? {
            Some(bytes) => postcard::from_bytes(&bytes).map(Some).map_err(|_| damaged("a place's row")),
            None => Ok(None),
        }
    }

    /// The change that writes a node's place.
    pub(super) fn place_change(&self, key: NodeKey, place: &Place) -> FsResult<Change> {
        let bytes = postcard::to_stdvec(place).map_err(|_| damaged("a place cannot be written"))?;
        Ok(Change::put(Table::Ids, id_row(key), bytes))
    }

    /// Whether `key` is what the place has by nature, so that a handle alone proves it.
    pub(super) fn is_natural(&self, key: NodeKey, place: &Place) -> bool {
        self.key.natural(key.fsid, place.parent, &place.name, place.directory) == key.fileid
    }

    /// What a rename writes: the node keeps its fileid at its new place.
    pub(super) fn moved(&self, key: NodeKey, from: &Place, to: &Place) -> FsResult<Vec<Change>> {
        let name_at = |place: &Place| name_row(key.fsid, place.parent, &place.name, place.directory);
        let mut changes = vec![Change::delete(Table::Names, name_at(from))];
        if self.is_natural(key, to) {
            changes.push(Change::delete(Table::Names, name_at(to)));
        } else {
            changes.push(Change::put(Table::Names, name_at(to), key.fileid.to_be_bytes()));
        }
        if self.is_natural(key, to) && !to.directory {
            changes.push(Change::delete(Table::Ids, id_row(key)));
        } else {
            changes.push(self.place_change(key, to)?);
        }
        Ok(changes)
    }

    /// What a removal writes: the node is no more, and its fileid is not given out again soon.
    pub(super) fn removed(&self, key: NodeKey, place: &Place) -> Vec<Change> {
        self.retired.lock().put(key, ());
        vec![
            Change::delete(Table::Names, name_row(key.fsid, place.parent, &place.name, place.directory)),
            Change::delete(Table::Ids, id_row(key)),
        ]
    }

    /// Keeps the key behind a cookie, so that a listing can go on after a restart though the name be gone.
    pub(super) fn keep_cookie(&self, directory: NodeKey, cookie: u64, key: &str) -> FsResult<()> {
        let row = Key::new().u64(directory.fsid).u64(directory.fileid).u64(cookie).done();
        Ok(self.local.commit_later(vec![Change::put(Table::Cookies, row, key.as_bytes())])?)
    }

    /// The key behind a kept cookie.
    pub(super) fn kept_cookie(&self, directory: NodeKey, cookie: u64) -> FsResult<Option<String>> {
        let row = Key::new().u64(directory.fsid).u64(directory.fileid).u64(cookie).done();
        let kept = self.local.get(Table::Cookies, &row)?;
        Ok(kept.and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}
