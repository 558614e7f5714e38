//! Blob files: bytes of objects on disk, under numbers, never under keys.
//!
//! A file is written once under a fresh number and is not looked at before the index refers to it, so a crash leaves at
//! most files nobody refers to; those are collected at the next start. A file whose last reference went is removed when
//! the last reader that found it in the index is done ([`Pins`]).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

/// Blobs per folder. Numbers rise, so the blobs of one batch of writes share a folder and one `fsync` of it.
const BLOBS_PER_FOLDER: u64 = 4096;

/// The folder of blob files.
#[derive(Debug)]
pub(super) struct BlobFolder {
    root: PathBuf,
    next: AtomicU64,
    folders: Mutex<HashSet<u64>>,
    pins: Mutex<Pins>,
}

/// Which blobs are being read, and which of those are to go afterwards.
#[derive(Debug, Default)]
pub(super) struct Pins {
    readers: HashMap<u64, u32>,
    doomed: HashSet<u64>,
}

/// Keeps blob files in being while they are read.
#[derive(Debug)]
pub(super) struct PinGuard {
    folder: Arc<BlobFolder>,
    blobs: Vec<u64>,
}

/// A blob file that the index does not refer to yet: removed when dropped, unless [kept](Self::keep).
#[derive(Debug)]
pub(super) struct NewBlob {
    folder: Arc<BlobFolder>,
    id: u64,
    kept: bool,
}

impl BlobFolder {
    /// Opens the folder, makes it if missing, and removes every file for which `is_live` says no.
    ///
    /// `highest` is the highest number the index knows. Returns the folder and the count of removed files.
    pub(super) fn open(
        root: &Path,
        highest: u64,
        mut is_live: impl FnMut(u64) -> io::Result<bool>,
    ) -> io::Result<(Self, u64)> {
        fs::create_dir_all(root)?;
        let (mut highest, mut orphans) = (highest, 0_u64);
        let mut folders = HashSet::new();
        for folder in fs::read_dir(root)? {
            let folder = folder?;
            let Some(number) = parse_name(&folder.file_name()) else { continue };
            folders.insert(number);
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let Some(id) = parse_name(&file.file_name()) else { continue };
                highest = highest.max(id);
                if !is_live(id)? {
                    fs::remove_file(file.path())?;
                    orphans = orphans.saturating_add(1);
                }
            }
        }
        File::open(root)?.sync_all()?;
        let next = AtomicU64::new(highest.saturating_add(1));
        let pins = Mutex::default();
        Ok((Self { root: root.to_owned(), next, folders: Mutex::new(folders), pins }, orphans))
    }

    /// A number no blob has had.
    pub(super) fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes an empty file under a fresh number.
    pub(super) fn create(self: &Arc<Self>) -> io::Result<(NewBlob, File)> {
        let id = self.next_id();
        let folder = id / BLOBS_PER_FOLDER;
        {
            // Held while the folder is made: nobody may use it before its name is durable.
            let mut folders = self.folders.lock();
            if !folders.contains(&folder) {
                fs::create_dir_all(self.folder(folder))?;
                File::open(&self.root)?.sync_all()?;
                folders.insert(folder);
            }
        }
        let file = OpenOptions::new().write(true).create_new(true).open(self.path(id))?;
        Ok((NewBlob { folder: Arc::clone(self), id, kept: false }, file))
    }

    /// Makes the names of these blob files durable.
    pub(super) fn sync_names(&self, blobs: &[u64]) -> io::Result<()> {
        let folders: BTreeSet<u64> = blobs.iter().map(|id| id / BLOBS_PER_FOLDER).collect();
        folders.into_iter().try_for_each(|folder| File::open(self.folder(folder))?.sync_all())
    }

    /// Reads `len` bytes of a blob from `offset`. The caller bounds `len`.
    pub(super) fn read(&self, id: u64, offset: u64, len: usize) -> io::Result<Bytes> {
        let mut buffer = vec![0_u8; len];
        File::open(self.path(id))?.read_exact_at(&mut buffer, offset)?;
        Ok(buffer.into())
    }

    /// Locks the pins: a reader holds this from looking into the index until it has [pinned](Self::pin) what it found,
    /// so that no blob it found can go in between.
    pub(super) fn lock_pins(&self) -> MutexGuard<'_, Pins> {
        self.pins.lock()
    }

    /// Pins blobs that the index was seen to refer to under the same lock.
    pub(super) fn pin(self: &Arc<Self>, pins: &mut Pins, blobs: Vec<u64>) -> PinGuard {
        for id in &blobs {
            let readers = pins.readers.entry(*id).or_default();
            *readers = readers.saturating_add(1);
        }
        PinGuard { folder: Arc::clone(self), blobs }
    }

    /// Removes blob files to which the index, durably, no longer refers.
    pub(super) fn discard(&self, blobs: impl IntoIterator<Item = u64>) {
        for id in blobs {
            let mut pins = self.pins.lock();
            if pins.readers.contains_key(&id) {
                pins.doomed.insert(id);
            } else {
                drop(pins);
                self.remove(id);
            }
        }
    }

    fn remove(&self, id: u64) {
        if let Err(error) = fs::remove_file(self.path(id)) {
            tracing::warn!(blob = id, %error, "embedded store: a blob file stays until the next start");
        }
    }

    fn folder(&self, number: u64) -> PathBuf {
        self.root.join(format!("{number:x}"))
    }

    fn path(&self, id: u64) -> PathBuf {
        self.folder(id / BLOBS_PER_FOLDER).join(format!("{id:x}"))
    }
}

impl Drop for PinGuard {
    fn drop(&mut self) {
        let mut gone = Vec::new();
        let mut pins = self.folder.lock_pins();
        for id in &self.blobs {
            let left = pins.readers.get(id).copied().unwrap_or_default().saturating_sub(1);
            if left > 0 {
                pins.readers.insert(*id, left);
                continue;
            }
            pins.readers.remove(id);
            if pins.doomed.remove(id) {
                gone.push(*id);
            }
        }
        drop(pins);
        gone.into_iter().for_each(|id| self.folder.remove(id));
    }
}

impl NewBlob {
    /// The blob's number.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Leaves the file in place: the index is about to refer to it.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewBlob {
    fn drop(&mut self) {
        if !self.kept {
            self.folder.remove(self.id);
        }
    }
}

fn parse_name(name: &std::ffi::OsStr) -> Option<u64> {
    u64::from_str_radix(name.to_str()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn folder(root: &Path) -> Arc<BlobFolder> {
        Arc::new(BlobFolder::open(root, 0, |_| Ok(true)).unwrap().0)
    }

    fn blob(folder: &Arc<BlobFolder>, data: &[u8]) -> u64 {
        let (blob, mut file) = folder.create().unwrap();
        file.write_all(data).unwrap();
        let id = blob.id();
        blob.keep();
        id
    }

    #[test]
    fn a_blob_being_read_outlives_its_last_reference() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(root.path());
        let id = blob(&folder, b"bytes");
        let first = folder.pin(&mut folder.lock_pins(), vec![id]);
        let second = folder.pin(&mut folder.lock_pins(), vec![id, id]);
        folder.discard([id]);
        drop(first);
        assert_eq!(folder.read(id, 1, 3).unwrap(), "yte");
        drop(second);
        assert!(folder.read(id, 0, 1).is_err());
    }

    #[test]
    fn a_new_blob_that_is_not_kept_goes() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(root.path());
        let (new, _file) = folder.create().unwrap();
        let id = new.id();
        assert!(folder.path(id).exists());
        drop(new);
        assert!(!folder.path(id).exists());
    }

    #[test]
    fn opening_collects_orphans_and_goes_on_above_every_number_seen() {
        let root = tempfile::tempdir().unwrap();
        let first = folder(root.path());
        let (kept, orphan) = (blob(&first, b"kept"), blob(&first, b"orphan"));
        let (again, orphans) = BlobFolder::open(root.path(), 0, |id| Ok(id == kept)).unwrap();
        assert_eq!(orphans, 1);
        assert_eq!(again.read(kept, 0, 4).unwrap(), "kept");
        assert!(again.next_id() > orphan);
    }
}
