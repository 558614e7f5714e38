//! The back end: index and blob files together, and the operations on buckets.

use std::path::Path;
use std::sync::Arc;

use s3s::S3ErrorCode;
use tokio::sync::oneshot;

use super::blobs::BlobFolder;
use super::conditions::WriteCondition;
use super::fault::Fault;
use super::index::{BUCKETS, Index, OpenError};
use super::record::now_ms;
use super::upload_ids::UploadIds;

/// Buckets of one store.
const BUCKETS_MAX: usize = 10_000;

/// Buckets and objects in one folder of the local disk.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) index: Index,
    pub(super) blobs: Arc<BlobFolder>,
    pub(super) upload_ids: UploadIds,
    conditional_writes: bool,
}

impl Store {
    /// Opens or makes the store under `root`. The receiver ends once the store was dropped and its folder is free.
    pub(super) fn open(root: &Path, conditional_writes: bool) -> Result<(Self, oneshot::Receiver<()>), OpenError> {
        let opened = Index::open(root)?;
        let upload_ids = UploadIds::above_all_of(&opened.index)?;
        let store = Self { index: opened.index, blobs: opened.blobs, upload_ids, conditional_writes };
        Ok((store, opened.closed))
    }

    /// The condition to obey: none where this store plays one that ignores conditions of writes.
    pub(super) fn obeyed(&self, condition: WriteCondition) -> WriteCondition {
        if self.conditional_writes { condition } else { WriteCondition::default() }
    }

    /// All buckets in byte order, each with its time of creation in milliseconds since 1970.
    pub(super) fn buckets(&self) -> Result<Vec<(String, u64)>, Fault> {
        let buckets = self.index.snapshot()?.open_table(BUCKETS)?;
        let mut list = Vec::new();
        for row in buckets.range::<&str>(..)? {
            let (name, created_ms) = row?;
            list.push((name.value().to_owned(), created_ms.value()));
        }
        Ok(list)
    }

    /// Fails with `NoSuchBucket` unless the bucket exists.
    pub(super) fn require_bucket(&self, bucket: &str) -> Result<(), Fault> {
        let buckets = self.index.snapshot()?.open_table(BUCKETS)?;
        buckets.get(bucket)?.map(drop).ok_or_else(Fault::no_such_bucket)
    }

    /// Makes a bucket; `BucketAlreadyOwnedByYou` where it exists.
    pub(super) async fn create_bucket(&self, bucket: String) -> Result<(), Fault> {
        if self.buckets()?.len() >= BUCKETS_MAX {
            return Err(Fault::refused(
                S3ErrorCode::TooManyBuckets,
                format!("a store has at most {BUCKETS_MAX} buckets"),
            ));
        }
        self.index
            .change(move |tables| {
                if tables.has_bucket(&bucket)? {
                    return Err(Fault::refused(S3ErrorCode::BucketAlreadyOwnedByYou, "the bucket exists"));
                }
                tables.add_bucket(&bucket, now_ms())
            })
            .await
    }

    /// Removes an empty bucket and its unfinished uploads; `BucketNotEmpty` where it holds objects.
    pub(super) async fn delete_bucket(&self, bucket: String) -> Result<(), Fault> {
        self.index
            .change(move |tables| {
                tables.require_bucket(&bucket)?;
                if tables.has_objects(&bucket)? {
                    return Err(Fault::refused(S3ErrorCode::BucketNotEmpty, "the bucket still holds objects"));
                }
                tables.remove_bucket(&bucket)
            })
            .await
    }
}
