//! A store in memory, with the whole semantics of the trait: for tests of the rooms above, and to play servers that do
//! less.

mod listing;
mod uploads;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, Range};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use md5::{Digest, Md5};
use parking_lot::Mutex;

use self::uploads::Upload;
use super::dialect::{Dialect, Payload, Polyglot};
use super::headers::check_user_metadata;
use super::{
    BucketInfo, Condition, CopySource, ETag, ListPage, ListRequest, ObjectHead, ObjectInfo, ObjectMeta, ObjectStore,
    PendingUpload, StoreError, StoreResult, UploadedPart, Written,
};
use crate::timestamp::Timestamp;

/// Bytes of a key at most, as on AWS.
const KEY_MAX: usize = 1024;

/// Bytes of user metadata at most, names and values, as on AWS.
const USER_METADATA_MAX: usize = 2048;

/// What the server that is played does. The default does everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// Whether anything may be written.
    pub writable: bool,
    /// Whether conditions on PUT are looked at; where not, the write succeeds whatever was there.
    pub conditional_put: bool,
    /// Whether conditions on DELETE are looked at.
    pub conditional_delete: bool,
    /// Whether conditions on the destination of a copy are looked at.
    pub conditional_copy: bool,
    /// Whether conditions on the completion of an upload are looked at.
    pub conditional_complete: bool,
    /// Whether a copy looks at the tag of its source.
    pub copy_source_condition: bool,
    /// Whether parts can be copied.
    pub upload_part_copy: bool,
    /// Whether parts can be copied into uploads that declared checksums.
    pub copy_into_declared_upload: bool,
    /// Whether parts may carry checksums that their upload has not declared.
    pub undeclared_checksums: bool,
    /// Whether a wrong checksum is refused.
    pub checksums_verified: bool,
    /// Whether `If-Match` on writes holds only for tags without quotes.
    pub only_unquoted_if_match: bool,
    /// Whether listings write a plus sign as itself.
    pub literal_plus: bool,
    /// Bytes that every part but the last must have.
    pub part_size_min: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            writable: true,
            conditional_put: true,
            conditional_delete: true,
            conditional_copy: true,
            conditional_complete: true,
            copy_source_condition: true,
            upload_part_copy: true,
            copy_into_declared_upload: true,
            undeclared_checksums: true,
            checksums_verified: true,
            only_unquoted_if_match: false,
            literal_plus: false,
            part_size_min: 5 * 1024 * 1024,
        }
    }
}

/// Where a [`MemoryStore`] takes the time from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// An object store in memory. Clones share their content.
#[derive(Clone)]
pub struct MemoryStore {
    buckets: Arc<Mutex<BTreeMap<String, Bucket>>>,
    clock: Clock,
    behaviour: Behaviour,
    dialect: Dialect,
}

#[derive(Default)]
struct Bucket {
    created: Timestamp,
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    uploads_begun: u64,
}

#[derive(Clone)]
struct Object {
    body: Bytes,
    etag: ETag,
    last_modified: Timestamp,
    meta: ObjectMeta,
}

impl Object {
    fn info(&self, key: &str) -> ObjectInfo {
        let size = self.body.len() as u64;
        ObjectInfo { key: key.to_owned(), size, etag: self.etag.clone(), last_modified: self.last_modified }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Behaviour::default(), Arc::new(Timestamp::now))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("behaviour", &self.behaviour).finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store that behaves as told and takes the times of its versions from `clock`.
    pub fn new(behaviour: Behaviour, clock: Clock) -> Self {
        Self { buckets: Arc::default(), clock, behaviour, dialect: Dialect::default() }
    }

    /// Runs `work` on a bucket, in one piece with regard to all other requests.
    fn with_bucket<T>(&self, bucket: &str, work: impl FnOnce(&mut Bucket) -> StoreResult<T>) -> StoreResult<T> {
        work(self.buckets.lock().get_mut(bucket).ok_or(StoreError::NoSuchBucket)?)
    }

    /// As [`Self::with_bucket`], for requests that a read-only server refuses.
    fn changing<T>(&self, bucket: &str, work: impl FnOnce(&mut Bucket) -> StoreResult<T>) -> StoreResult<T> {
        self.check_writable()?;
        self.with_bucket(bucket, work)
    }

    fn check_writable(&self) -> StoreResult<()> {
        if self.behaviour.writable { Ok(()) } else { Err(StoreError::AccessDenied("read-only".to_owned())) }
    }

    /// Whole seconds, as S3 tells them.
    fn now(&self) -> Timestamp {
        Timestamp { nanos: 0, ..(self.clock)() }
    }

    /// Whether `condition` lets a write of `key` happen; `heeded` tells whether this server looks at all.
    fn check(&self, bucket: &Bucket, key: &str, condition: &Condition, heeded: bool) -> StoreResult<()> {
        let there = bucket.objects.get(key);
        let holds = match condition {
            _ if !heeded => true,
            Condition::Always => true,
            Condition::IfAbsent => there.is_none(),
            Condition::IfMatch(_) if self.behaviour.only_unquoted_if_match && !self.dialect.unquoted_if_match => false,
            Condition::IfMatch(etag) => there.is_some_and(|object| object.etag == *etag),
        };
        if holds { Ok(()) } else { Err(StoreError::PreconditionFailed) }
    }

    fn check_payload(&self, payload: Payload) -> StoreResult<()> {
        if payload == Payload::WrongCrc32c && self.behaviour.checksums_verified {
            return Err(StoreError::Unavailable("the bytes do not have this checksum".to_owned()));
        }
        Ok(())
    }

    /// The object a copy reads: `NotFound`, `PreconditionFailed`.
    fn source(&self, source: &CopySource) -> StoreResult<Object> {
        self.with_bucket(&source.bucket, |bucket| {
            let object = bucket.objects.get(&source.key).ok_or(StoreError::NotFound)?;
            if self.behaviour.copy_source_condition && object.etag != source.etag {
                return Err(StoreError::PreconditionFailed);
            }
            Ok(object.clone())
        })
    }

    fn write(&self, bucket: &mut Bucket, key: &str, body: Bytes, etag: ETag, meta: &ObjectMeta) -> Written {
        let written = Written { etag: etag.clone() };
        let object = Object { body, etag, last_modified: self.now(), meta: meta.clone() };
        bucket.objects.insert(key.to_owned(), object);
        written
    }
}

/// The tag of an object that was written in one request.
fn md5_etag(body: &[u8]) -> ETag {
    ETag::new(&hex(&Md5::digest(body)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of `range` that there are.
fn slice(body: &Bytes, range: &Range<u64>) -> Bytes {
    let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(body.len());
    let (start, end) = (within(range.start), within(range.end));
    if start < end { body.slice(start..end) } else { Bytes::new() }
}

fn check_write(key: &str, meta: &ObjectMeta) -> StoreResult<()> {
    if key.is_empty() || key.len() > KEY_MAX {
        return Err(StoreError::Refused(format!("a key of {} bytes", key.len())));
    }
    let user: usize = meta.user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if user > USER_METADATA_MAX {
        return Err(StoreError::Refused(format!("{user} bytes of user metadata")));
    }
    check_user_metadata(meta)
}

impl Polyglot for MemoryStore {
    fn speaking(&self, dialect: Dialect) -> Arc<dyn ObjectStore> {
        Arc::new(Self { dialect, ..self.clone() })
    }
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn list_buckets(&self) -> StoreResult<Vec<BucketInfo>> {
        let buckets = self.buckets.lock();
        Ok(buckets.iter().map(|(name, bucket)| BucketInfo { name: name.clone(), created: bucket.created }).collect())
    }

    async fn head_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.with_bucket(bucket, |_| Ok(()))
    }

    async fn create_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.check_writable()?;
        let created = self.now();
        match self.buckets.lock().entry(bucket.to_owned()) {
            std::collections::btree_map::Entry::Occupied(_) => Err(StoreError::BucketExists),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Bucket { created, ..Bucket::default() });
                Ok(())
            }
        }
    }

    async fn delete_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.check_writable()?;
        let mut buckets = self.buckets.lock();
        if !buckets.get(bucket).ok_or(StoreError::NoSuchBucket)?.objects.is_empty() {
            return Err(StoreError::BucketNotEmpty);
        }
        buckets.remove(bucket);
        Ok(())
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<ListPage> {
        let spaced = self.behaviour.literal_plus && !self.dialect.literal_plus;
        let page = self.with_bucket(&request.bucket, |bucket| listing::page(&bucket.objects, request))?;
        Ok(if spaced { listing::with_spaces(page) } else { page })
    }

    async fn head(&self, bucket: &str, key: &str) -> StoreResult<ObjectHead> {
        self.with_bucket(bucket, |bucket| {
            let object = bucket.objects.get(key).ok_or(StoreError::NotFound)?;
            Ok(ObjectHead { info: object.info(key), meta: object.meta.clone() })
        })
    }

    async fn get(&self, bucket: &str, key: &str, range: Range<u64>, etag: &ETag) -> StoreResult<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.with_bucket(bucket, |bucket| {
            let object = bucket.objects.get(key).ok_or(StoreError::NotFound)?;
            if object.etag != *etag {
                return Err(StoreError::PreconditionFailed);
            }
            Ok(slice(&object.body, &range))
        })
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        check_write(key, meta)?;
        self.check_payload(self.dialect.put)?;
        let etag = md5_etag(&body);
        self.changing(bucket, |bucket| {
            self.check(bucket, key, condition, self.behaviour.conditional_put)?;
            Ok(self.write(bucket, key, body, etag, meta))
        })
    }

    async fn copy(
        &self,
        source: &CopySource,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        check_write(key, meta)?;
        let body = self.source(source)?.body;
        let etag = md5_etag(&body);
        self.changing(bucket, |bucket| {
            self.check(bucket, key, condition, self.behaviour.conditional_copy)?;
            Ok(self.write(bucket, key, body, etag, meta))
        })
    }

    async fn delete(&self, bucket: &str, key: &str, condition: &Condition) -> StoreResult<()> {
        if *condition == Condition::IfAbsent {
            return Err(StoreError::Refused("nothing can be deleted on condition that it is absent".to_owned()));
        }
        self.changing(bucket, |bucket| {
            if bucket.objects.contains_key(key) {
                self.check(bucket, key, condition, self.behaviour.conditional_delete)?;
                bucket.objects.remove(key);
            }
            Ok(())
        })
    }

    async fn create_upload(&self, bucket: &str, key: &str, meta: &ObjectMeta) -> StoreResult<String> {
        check_write(key, meta)?;
        let initiated = self.now();
        self.changing(bucket, |bucket| {
            bucket.uploads_begun += 1;
            let upload_id = format!("upload-{}", bucket.uploads_begun);
            bucket.uploads.insert(upload_id.clone(), Upload::new(key, meta, initiated, self.dialect));
            Ok(upload_id)
        })
    }

    async fn upload_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        body: Bytes,
    ) -> StoreResult<UploadedPart> {
        self.check_payload(self.dialect.parts)?;
        let etag = md5_etag(&body);
        self.changing(bucket, |bucket| {
            let upload = bucket.upload(key, upload_id)?;
            upload.check_part(self.dialect, self.behaviour)?;
            upload.add(number, body, etag)
        })
    }

    async fn upload_part_copy(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        source: &CopySource,
        range: Range<u64>,
    ) -> StoreResult<UploadedPart> {
        if !self.behaviour.upload_part_copy {
            return Err(StoreError::NotSupported("UploadPartCopy".to_owned()));
        }
        let body = self.source(source)?.body;
        if range.is_empty() || range.end > body.len() as u64 {
            return Err(StoreError::Refused("the range is not within the source".to_owned()));
        }
        let body = slice(&body, &range);
        let etag = md5_etag(&body);
        self.changing(bucket, |bucket| {
            let upload = bucket.upload(key, upload_id)?;
            upload.check_copy(self.behaviour)?;
            upload.add(number, body, etag)
        })
    }

    async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        parts: &[UploadedPart],
        condition: &Condition,
    ) -> StoreResult<Written> {
        self.changing(bucket, |bucket| {
            let (body, etag) = bucket.upload(key, upload_id)?.assemble(parts, self.behaviour.part_size_min)?;
            self.check(bucket, key, condition, self.behaviour.conditional_complete)?;
            let upload = bucket.uploads.remove(upload_id).ok_or(StoreError::NoSuchUpload)?;
            Ok(self.write(bucket, key, body, etag, upload.meta()))
        })
    }

    async fn abort_upload(&self, bucket: &str, _key: &str, upload_id: &str) -> StoreResult<()> {
        self.changing(bucket, |bucket| {
            bucket.uploads.remove(upload_id);
            Ok(())
        })
    }

    async fn list_uploads(&self, bucket: &str, prefix: &str) -> StoreResult<Vec<PendingUpload>> {
        self.with_bucket(bucket, |bucket| Ok(bucket.pending_uploads(prefix)))
    }
}

/// Where a walk through the keys goes on after everything that begins with `prefix`.
fn after_prefix(prefix: &str) -> Bound<String> {
    let mut next = prefix.to_owned();
    while let Some(last) = next.pop() {
        let successor = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(successor) = successor {
            next.push(successor);
            return Bound::Included(next);
        }
    }
    Bound::Unbounded
}
