//! The bytes of files: what is staged on this machine's disk, what the store holds, and what is cached of it.
//!
//! [`Content`] is one file's bytes; [`Data`] is what all files share: the store, the cache, the staging area, and the limits
//! that keep memory and disk bounded whatever clients do.

mod block_cache;
mod content;
mod disk;
mod extents;
mod read_ahead;
mod staging;
#[cfg(test)]
mod testing;
mod upload;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use block_cache::{BlockCache, CacheLimits};
pub use content::{Content, ContentRecord, Settled, Synced};
pub use disk::{Disk, DiskFile, LocalDisk};
pub use staging::{Released, StagingArea, StagingLimits};
pub use upload::{UploadError, Uploaded};

use crate::store::{CopySource, ETag, ObjectStore, StoreError};

/// The directory of the staging files below the state directory.
const STAGING_DIR: &str = "staging";
/// The largest file: S3's largest object.
pub const FILE_BYTES_MAX: u64 = 5 << 40;
/// The unit in which memory is shared out.
const PERMIT_BYTES: usize = 64 << 10;

/// Sizes and limits. The default keeps the whole process well below 300 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataConfig {
    /// Bytes of clean blocks kept in memory, those that are being fetched included.
    pub cache_bytes: usize,
    /// Bytes of GETs under way.
    pub fetch_bytes: usize,
    /// How far reads are made ahead of one stream at most, in bytes.
    pub window_bytes: u64,
    /// Bytes of bodies of PUTs and parts under way.
    pub upload_bytes: usize,
    /// Files up to this size go up in one PUT.
    pub put_bytes_max: u64,
    /// Size of the parts of a multipart upload, for files that need no larger ones.
    pub part_bytes: u64,
    /// The room that staging may take.
    pub staging: StagingLimits,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            cache_bytes: 96 << 20,
            fetch_bytes: 32 << 20,
            window_bytes: 32 << 20,
            upload_bytes: 32 << 20,
            put_bytes_max: 16 << 20,
            part_bytes: 8 << 20,
            staging: StagingLimits { bytes_max: u64::MAX, disk_reserve_bytes: 64 << 20 },
        }
    }
}

/// A version of an object that lies under a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BaseObject {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// The version.
    pub etag: ETag,
    /// Its bytes.
    pub size: u64,
}

impl BaseObject {
    fn source(&self) -> CopySource {
        CopySource { bucket: self.bucket.clone(), key: self.key.clone(), etag: self.etag.clone() }
    }
}

/// Why bytes cannot be had or kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The store has another version of the object than the one that this file shows.
    #[error("the object was replaced in the store")]
    BaseChanged,
    /// The object that this file shows is gone.
    #[error("the object is gone from the store")]
    BaseGone,
    /// Staging may take no more room, or the disk is full.
    #[error("no room left for staging")]
    NoSpace,
    /// Beyond [`FILE_BYTES_MAX`].
    #[error("the file would be too large")]
    TooLarge,
    /// The file has more separate pieces than are kept: it must be uploaded before it takes another.
    #[error("the file has too many pieces that are not uploaded yet")]
    Fragmented,
    /// A sync of the staging file failed: what was not durable by then is lost, and this file says so for good.
    #[error("staged bytes could not be made durable: {0}")]
    Failed(String),
    /// The disk failed.
    #[error("{0}")]
    Io(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for DataError {
    /// As an answer to a GET that names its version.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::PreconditionFailed => Self::BaseChanged,
            StoreError::NotFound | StoreError::NoSuchBucket => Self::BaseGone,
            other => Self::Store(other),
        }
    }
}

/// What all files share. Clones are the same.
#[derive(Clone)]
pub struct Data {
    services: Arc<Services>,
}

struct Services {
    store: Arc<dyn ObjectStore>,
    cache: Arc<BlockCache>,
    staging: Arc<StagingArea>,
    /// Memory for bodies of uploads, in units of [`PERMIT_BYTES`].
    upload_memory: Arc<Semaphore>,
    config: DataConfig,
    /// Whether the store refused to copy in place.
    copies_refused: AtomicBool,
}

impl Data {
    /// Opens the staging area below `state_dir`. Blocks on the disk.
    ///
    /// # Errors
    /// `Io` when the directory cannot be used.
    pub fn open(store: Arc<dyn ObjectStore>, state_dir: &Path, config: DataConfig) -> Result<Self, DataError> {
        Self::open_on(Arc::new(LocalDisk), store, state_dir, config)
    }

    /// [`Self::open`] with the staging files on a disk of the caller's.
    ///
    /// # Errors
    /// `Io` when the directory cannot be used.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        store: Arc<dyn ObjectStore>,
        state_dir: &Path,
        config: DataConfig,
    ) -> Result<Self, DataError> {
        let staging = Arc::new(StagingArea::open(state_dir.join(STAGING_DIR), disk, config.staging)?);
        let limits = CacheLimits { bytes_max: config.cache_bytes, fetch_bytes_max: config.fetch_bytes };
        let cache = Arc::new(BlockCache::new(Arc::clone(&store), limits));
        let upload_memory = Arc::new(Semaphore::new(permits(config.upload_bytes) as usize));
        let copies_refused = AtomicBool::new(false);
        Ok(Self { services: Arc::new(Services { store, cache, staging, upload_memory, config, copies_refused }) })
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.services.store
    }

    /// The staging area.
    pub fn staging(&self) -> &Arc<StagingArea> {
        &self.services.staging
    }

    /// The cache of clean blocks.
    pub fn cache(&self) -> &Arc<BlockCache> {
        &self.services.cache
    }

    /// The limits.
    pub fn config(&self) -> &DataConfig {
        &self.services.config
    }

    /// Whether the store copies in place, as far as is known.
    fn may_copy(&self) -> bool {
        !self.services.copies_refused.load(Ordering::Relaxed)
    }

    fn note_copy_refused(&self) {
        if !self.services.copies_refused.swap(true, Ordering::Relaxed) {
            tracing::warn!("the store does not copy objects in place; they are read and written instead");
        }
    }

    /// Waits until a body of `bytes` may be held for an upload. One that is larger than the limit goes alone.
    async fn upload_memory(&self, bytes: u64) -> Result<OwnedSemaphorePermit, UploadError> {
        let all = permits(self.services.config.upload_bytes);
        let wanted = permits(usize::try_from(bytes).unwrap_or(usize::MAX)).min(all);
        let permit = Arc::clone(&self.services.upload_memory).acquire_many_owned(wanted).await;
        permit.map_err(|_| UploadError::Local(DataError::Io("the gateway stops".to_owned())))
    }
}

/// Permits for so many bytes, at least one.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4)
}

/// Runs what blocks on the disk off the threads that serve clients.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DataError> + Send + 'static,
) -> Result<T, DataError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(DataError::Io(error.to_string())))
}
