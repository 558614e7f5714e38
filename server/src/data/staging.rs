//! Staging files: where bytes wait that the bucket does not have yet. One sparse file per dirty file, named by a number that is
//! never used again. The calls that touch the disk block; `content` makes them off the async threads.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use lru::LruCache;
use parking_lot::Mutex;

use super::DataError;
use super::disk::{Disk, DiskFile};

/// The most staging files that are kept open.
const OPEN_FILES_MAX: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// So many empty files are made at a time, so that one sync of the directory serves them all.
const FILES_MADE_AT_ONCE: u64 = 16;

/// How much room staging may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StagingLimits {
    /// Bytes of all staging files together.
    pub bytes_max: u64,
    /// Bytes that stay free on the disk.
    pub disk_reserve_bytes: u64,
}

/// The directory of staging files.
pub struct StagingArea {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    limits: StagingLimits,
    used_bytes: AtomicU64,
    /// Empty files, durable in the directory, ready to be used.
    ready: Mutex<Numbers>,
    /// Files that were there at the start and that nobody claimed.
    orphans: Mutex<BTreeSet<u64>>,
    open: Mutex<LruCache<u64, Weak<StagedFile>>>,
}

#[derive(Debug)]
struct Numbers {
    ready: Vec<u64>,
    next: u64,
}

impl fmt::Debug for StagingArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StagingArea").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl StagingArea {
    /// Opens the directory, which is created where it is missing. What lies there already waits to be claimed or swept. Blocks.
    ///
    /// # Errors
    /// `Io` when the directory cannot be used.
    pub fn open(dir: PathBuf, disk: Arc<dyn Disk>, limits: StagingLimits) -> Result<Self, DataError> {
        disk.create_dir(&dir).map_err(|error| at(&dir, &error))?;
        let names = disk.names(&dir).map_err(|error| at(&dir, &error))?;
        let orphans: BTreeSet<u64> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let next = orphans.last().map_or(1, |last| last.saturating_add(1));
        Ok(Self {
            dir,
            disk,
            limits,
            used_bytes: AtomicU64::new(0),
            ready: Mutex::new(Numbers { ready: Vec::new(), next }),
            orphans: Mutex::new(orphans),
            open: Mutex::new(LruCache::new(OPEN_FILES_MAX)),
        })
    }

    /// Bytes that staging files take up; those cut off or replaced by newer ones may still count.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// Files that were there at the start and that no recovered content has claimed.
    pub fn orphans(&self) -> Vec<u64> {
        self.orphans.lock().iter().copied().collect()
    }

    /// Removes the orphans; how many there were. To be called when everything is recovered. Blocks.
    pub fn sweep(&self) -> usize {
        let orphans = std::mem::take(&mut *self.orphans.lock());
        orphans.iter().for_each(|&id| self.remove(id));
        orphans.len()
    }

    /// Takes an empty file. Its name is durable. Blocks.
    pub(super) fn create(self: &Arc<Self>) -> Result<Arc<StagedFile>, DataError> {
        let mut numbers = self.ready.lock();
        if numbers.ready.is_empty() {
            for _ in 0..FILES_MADE_AT_ONCE {
                let id = numbers.next;
                numbers.next = id.saturating_add(1);
                self.disk.open(&self.path(id), true).map_err(|error| at(&self.dir, &error))?;
                numbers.ready.push(id);
            }
            numbers.ready.reverse();
            if let Err(error) = self.disk.sync_dir(&self.dir) {
                // Names that may not outlive a crash are not used; the next start sweeps them.
                numbers.ready.clear();
                return Err(at(&self.dir, &error));
            }
        }
        let id = numbers.ready.pop().ok_or_else(|| DataError::Io("no staging file".to_owned()))?;
        drop(numbers);
        Ok(Arc::new(StagedFile::new(id, Arc::clone(self))))
    }

    /// Takes the file of a recovered content, `bytes` of which count as used. Blocks.
    pub(super) fn claim(self: &Arc<Self>, id: u64, bytes: u64) -> Result<Arc<StagedFile>, DataError> {
        if !self.orphans.lock().remove(&id) {
            return Err(DataError::Io(format!("staging file {id} is missing")));
        }
        let file = StagedFile::new(id, Arc::clone(self));
        file.charged_bytes.store(bytes, Ordering::Relaxed);
        self.used_bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(Arc::new(file))
    }

    fn path(&self, id: u64) -> PathBuf {
        self.dir.join(id.to_string())
    }

    fn remove(&self, id: u64) {
        match self.disk.remove(&self.path(id)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(id, %error, "a staging file could not be removed; the next start will"),
        }
    }

    /// Sees that there is room for `bytes` more, and counts them as used.
    fn charge(&self, bytes: u64) -> Result<(), DataError> {
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limits.bytes_max);
        self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map_err(|_| DataError::NoSpace)?;
        let free = self.disk.free_bytes(&self.dir).map_err(|error| at(&self.dir, &error));
        match free {
            Ok(free) if free >= self.limits.disk_reserve_bytes.saturating_add(bytes) => Ok(()),
            Ok(_) => Err(DataError::NoSpace),
            Err(error) => Err(error),
        }
        .inspect_err(|_| self.refund(bytes))
    }

    fn refund(&self, bytes: u64) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Notes that `file` is open and in use, and closes the one that was not used for longest where there are too many.
    fn note_open(&self, file: &Arc<StagedFile>) {
        let evicted = self.open.lock().push(file.id, Arc::downgrade(file));
        if let Some((id, evicted)) = evicted
            && id != file.id
            && let Some(evicted) = evicted.upgrade()
        {
            evicted.close();
        }
    }
}

/// One staging file. It stays open while it is used; its space is given back when the last holder drops it.
#[derive(Debug)]
pub(super) struct StagedFile {
    id: u64,
    area: Arc<StagingArea>,
    file: Mutex<Option<Arc<dyn DiskFile>>>,
    charged_bytes: AtomicU64,
    /// Whether bytes were written that no sync has covered.
    unsynced: AtomicBool,
    /// Why a sync failed: from then on nobody knows what is on the disk, and every later sync fails as well.
    failed: Mutex<Option<String>>,
    doomed: AtomicBool,
}

impl StagedFile {
    fn new(id: u64, area: Arc<StagingArea>) -> Self {
        Self {
            id,
            area,
            file: Mutex::default(),
            charged_bytes: AtomicU64::new(0),
            unsynced: AtomicBool::new(false),
            failed: Mutex::default(),
            doomed: AtomicBool::new(false),
        }
    }

    /// Its number.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Writes at `offset`; `fresh` of the bytes go where nothing valid was, and take up room. Blocks.
    pub(super) fn write(self: &Arc<Self>, offset: u64, bytes: &[u8], fresh: u64) -> Result<(), DataError> {
        if fresh > 0 {
            self.area.charge(fresh)?;
            self.charged_bytes.fetch_add(fresh, Ordering::Relaxed);
        }
        let written = self.opened().and_then(|file| {
            let written = file.write_all_at(bytes, offset);
            self.unsynced.store(true, Ordering::Release);
            written.map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => DataError::NoSpace,
                io::ErrorKind::FileTooLarge => DataError::TooLarge,
                _ => self.error(&error),
            })
        });
        written.inspect_err(|_| self.refund(fresh))
    }

    /// Reads exactly `len` bytes. Blocks.
    pub(super) fn read(self: &Arc<Self>, offset: u64, len: usize) -> Result<Bytes, DataError> {
        let mut bytes = vec![0; len];
        self.read_into(offset, &mut bytes)?;
        Ok(bytes.into())
    }

    /// Fills `bytes`. Blocks.
    pub(super) fn read_into(self: &Arc<Self>, offset: u64, bytes: &mut [u8]) -> Result<(), DataError> {
        self.opened()?.read_exact_at(bytes, offset).map_err(|error| self.error(&error))
    }

    /// Makes everything written durable. Blocks.
    pub(super) fn sync(self: &Arc<Self>) -> Result<(), DataError> {
        let file = self.opened()?;
        self.sync_file(file.as_ref())
    }

    /// An error when a sync has failed: then the bytes cannot be trusted.
    pub(super) fn check(&self) -> Result<(), DataError> {
        self.failed.lock().clone().map_or(Ok(()), |reason| Err(DataError::Failed(reason)))
    }

    /// Cuts the file, and gives back the room beyond. Blocks.
    pub(super) fn trim(self: &Arc<Self>, size: u64) -> Result<(), DataError> {
        self.opened()?.set_len(size).map_err(|error| self.error(&error))?;
        self.refund(self.charged_bytes.load(Ordering::Relaxed).saturating_sub(size));
        Ok(())
    }

    fn refund(&self, bytes: u64) {
        self.charged_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.area.refund(bytes);
    }

    fn sync_file(&self, file: &dyn DiskFile) -> Result<(), DataError> {
        self.check()?;
        if !self.unsynced.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        file.sync_data().map_err(|error| {
            tracing::error!(id = self.id, %error, "a staging file could not be made durable");
            let reason = format!("staging file {}: {error}", self.id);
            self.failed.lock().get_or_insert_with(|| reason.clone());
            DataError::Failed(reason)
        })
    }

    fn opened(self: &Arc<Self>) -> Result<Arc<dyn DiskFile>, DataError> {
        let mut slot = self.file.lock();
        let file = match &*slot {
            Some(file) => Arc::clone(file),
            None => {
                let opened = self.area.disk.open(&self.area.path(self.id), false);
                Arc::clone(slot.insert(opened.map_err(|error| self.error(&error))?))
            }
        };
        drop(slot);
        self.area.note_open(self);
        Ok(file)
    }

    /// Closes the file unless it is in use this moment. It is synced first: the error of a failed write-back must not go with
    /// the descriptor that would have told it.
    fn close(&self) {
        let mut slot = self.file.lock();
        if slot.as_ref().is_some_and(|file| Arc::strong_count(file) == 1)
            && let Some(file) = slot.take()
        {
            // A failure is kept, and told to whoever syncs next.
            let _ = self.sync_file(file.as_ref());
        }
    }

    fn error(&self, error: &io::Error) -> DataError {
        DataError::Io(format!("staging file {}: {error}", self.id))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        self.area.refund(self.charged_bytes.load(Ordering::Relaxed));
        self.area.open.lock().pop(&self.id);
        if !self.doomed.load(Ordering::Acquire) {
            return;
        }
        let (area, id) = (Arc::clone(&self.area), self.id);
        // Giving gigabytes back takes the disk a while: not on a thread that serves clients.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || area.remove(id))),
            Err(_) => area.remove(id),
        }
    }
}

/// A staging file that its content no longer needs.
#[derive(Debug)]
#[must_use = "the file stays on the disk until it is removed"]
pub struct Released(Arc<StagedFile>);

impl Released {
    pub(super) fn new(file: Arc<StagedFile>) -> Self {
        Self(file)
    }

    /// Removes the file as soon as nobody reads it any more. To be called when no record in the journal names it.
    pub fn remove(self) {
        self.0.doomed.store(true, Ordering::Release);
    }
}

fn at(dir: &Path, error: &io::Error) -> DataError {
    DataError::Io(format!("{}: {error}", dir.display()))
}
