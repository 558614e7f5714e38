//! The object store as the gateway needs it: a few verbs, whoever's S3 stands behind them.
//!
//! Nothing here knows of files or of NFS. Keys and names are those of the store.

pub mod aws;
pub mod dialect;
pub mod faults;
pub mod memory;
pub mod probe;
pub mod retry;
pub mod traced;
pub mod verb;

mod headers;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// The entity tag of one version of an object, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ETag(String);

impl ETag {
    /// Takes a tag as S3 sent it; quotes around it are dropped.
    pub fn new(tag: &str) -> Self {
        Self(tag.trim_matches('"').to_owned())
    }

    /// The bare tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One bucket of [`ObjectStore::list_buckets`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// The bucket's name.
    pub name: String,
    /// When it was created; the epoch where the store does not say.
    pub created: Timestamp,
}

/// What a listing tells of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// The whole key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Tag of this version.
    pub etag: ETag,
    /// When this version was written, by the store's clock, in whole seconds: a HEAD tells no more, and both must
    /// agree.
    pub last_modified: Timestamp,
}

/// The headers an object carries besides its bytes. All of them survive a rewrite by the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectMeta {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `x-amz-storage-class`; `None` is the store's default.
    pub storage_class: Option<String>,
    /// User metadata: names in lower case, without `x-amz-meta-`.
    pub user: BTreeMap<String, String>,
}

/// What a HEAD tells: the listing's facts and the headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectHead {
    /// Size, tag and time.
    pub info: ObjectInfo,
    /// Headers and user metadata.
    pub meta: ObjectMeta,
}

/// What must hold of the key for a write or a delete to happen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Whatever is there.
    #[default]
    Always,
    /// Nothing is there (`If-None-Match: *`).
    IfAbsent,
    /// Exactly this version is there (`If-Match`).
    IfMatch(ETag),
}

/// One page of a listing to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRequest {
    /// The bucket.
    pub bucket: String,
    /// Only keys that begin so.
    pub prefix: String,
    /// Whether keys with a further `/` after the prefix are rolled up in [`ListPage::prefixes`].
    pub delimited: bool,
    /// Only keys after this one, in byte order.
    pub start_after: Option<String>,
    /// [`ListPage::next`] of the page before.
    pub continuation: Option<String>,
    /// At most so many keys and prefixes, 1 to 1000.
    pub max_keys: u16,
}

/// One page of a listing, in byte order of the decoded keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// Objects.
    pub objects: Vec<ObjectInfo>,
    /// Rolled-up prefixes, each with its closing `/`.
    pub prefixes: Vec<String>,
    /// How to ask for the next page; `None` at the end.
    pub next: Option<String>,
}

/// Where a copy takes its bytes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// Bucket of the source.
    pub bucket: String,
    /// Key of the source.
    pub key: String,
    /// The version that must still be there.
    pub etag: ETag,
}

/// A part of a multipart upload that the store has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedPart {
    /// 1 to 10,000.
    pub number: u16,
    /// The part's tag, as the completion must name it.
    pub etag: ETag,
    /// Checksum the store confirmed, in the form the completion must repeat it (base64 CRC32C); `None` where the
    /// upload has declared none.
    pub checksum: Option<String>,
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingUpload {
    /// The key it will write.
    pub key: String,
    /// Its id.
    pub upload_id: String,
    /// When it was begun.
    pub initiated: Timestamp,
}

/// A version that was written: what to expect in later conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Tag of the new version.
    pub etag: ETag,
}

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No object under that key (404 NoSuchKey, or a HEAD's 404). The only error that means "gone".
    #[error("no such object")]
    NotFound,
    /// No such bucket.
    #[error("no such bucket")]
    NoSuchBucket,
    /// No such multipart upload (completed or aborted meanwhile).
    #[error("no such multipart upload")]
    NoSuchUpload,
    /// A condition did not hold (412, or 409 ConditionalRequestConflict).
    #[error("the object is not the version that was expected")]
    PreconditionFailed,
    /// The bucket to delete has objects.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// The bucket to create is there already.
    #[error("the bucket exists")]
    BucketExists,
    /// The credentials do not allow it (401, 403).
    #[error("access denied: {0}")]
    AccessDenied(String),
    /// The store refused the request for good: asking again will not help (other 4xx).
    #[error("the store refused the request: {0}")]
    Refused(String),
    /// The store could not be reached, timed out, throttled or failed (5xx): asking again may help.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The store does not offer this verb (501).
    #[error("the store does not support this request: {0}")]
    NotSupported(String),
}

impl StoreError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// Result of every verb.
pub type StoreResult<T> = Result<T, StoreError>;

/// An S3-compatible object store. Implementations are shared by all tasks.
///
/// A verb that returns [`StoreError::Unavailable`] may nevertheless have had its effect.
#[async_trait]
pub trait ObjectStore: Send + Sync + 'static {
    /// The buckets that the credentials can see, by name.
    async fn list_buckets(&self) -> StoreResult<Vec<BucketInfo>>;
    /// Whether the bucket is there and may be used: `NoSuchBucket`, `AccessDenied`.
    async fn head_bucket(&self, bucket: &str) -> StoreResult<()>;
    /// Creates a bucket: `BucketExists`.
    async fn create_bucket(&self, bucket: &str) -> StoreResult<()>;
    /// Deletes an empty bucket: `BucketNotEmpty`, `NoSuchBucket`.
    async fn delete_bucket(&self, bucket: &str) -> StoreResult<()>;
    /// One page of a listing.
    async fn list(&self, request: &ListRequest) -> StoreResult<ListPage>;
    /// An object's facts and headers: `NotFound`.
    async fn head(&self, bucket: &str, key: &str) -> StoreResult<ObjectHead>;
    /// Bytes `range` of the version `etag`: `NotFound`, `PreconditionFailed` when another version is there.
    /// Fewer bytes than asked for only where the object ends.
    async fn get(&self, bucket: &str, key: &str, range: Range<u64>, etag: &ETag) -> StoreResult<Bytes>;
    /// Writes a whole object in one request.
    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written>;
    /// Writes a whole object with the bytes of another (at most 5 GB) and the headers `meta`, in the store.
    async fn copy(
        &self,
        source: &CopySource,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written>;
    /// Deletes an object; one that is not there is no error (save under `IfMatch`, where stores differ).
    async fn delete(&self, bucket: &str, key: &str, condition: &Condition) -> StoreResult<()>;
    /// Begins a multipart upload; its id.
    async fn create_upload(&self, bucket: &str, key: &str, meta: &ObjectMeta) -> StoreResult<String>;
    /// Uploads one part (5 MiB to 5 GiB, the last may be shorter).
    async fn upload_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        body: Bytes,
    ) -> StoreResult<UploadedPart>;
    /// Takes one part from a range of another object, in the store.
    async fn upload_part_copy(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        source: &CopySource,
        range: Range<u64>,
    ) -> StoreResult<UploadedPart>;
    /// Puts the parts together, in ascending order: the object appears at once and whole.
    async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        parts: &[UploadedPart],
        condition: &Condition,
    ) -> StoreResult<Written>;
    /// Gives a multipart upload up and frees its parts; one that is not there is no error.
    async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> StoreResult<()>;
    /// Multipart uploads under way below `prefix`.
    async fn list_uploads(&self, bucket: &str, prefix: &str) -> StoreResult<Vec<PendingUpload>>;
}
