//! Counts and traces every request: what an operation costs in requests is part of what is promised.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use tracing::Instrument;

use super::verb::Verb;
use super::{
    BucketInfo, Condition, CopySource, ETag, ListPage, ListRequest, ObjectHead, ObjectMeta, ObjectStore, PendingUpload,
    StoreResult, UploadedPart, Written,
};

/// What one verb has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerbCount {
    /// Requests that were begun.
    pub requests: u64,
    /// Requests that ended in an error of any kind.
    pub failures: u64,
    /// Bytes of bodies that were sent, or received by GETs that succeeded.
    pub bytes: u64,
}

/// What all verbs have done up to one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestCounts([VerbCount; Verb::COUNT]);

impl RequestCounts {
    /// The counts of one verb.
    pub fn of(&self, verb: Verb) -> VerbCount {
        self.0.get(verb as usize).copied().unwrap_or_default()
    }

    /// Requests of all verbs.
    pub fn requests(&self) -> u64 {
        self.0.iter().map(|count| count.requests).sum()
    }

    /// What was added since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut added = *self;
        for (count, before) in added.0.iter_mut().zip(&earlier.0) {
            count.requests = count.requests.saturating_sub(before.requests);
            count.failures = count.failures.saturating_sub(before.failures);
            count.bytes = count.bytes.saturating_sub(before.bytes);
        }
        added
    }
}

#[derive(Default)]
struct Counters {
    requests: AtomicU64,
    failures: AtomicU64,
    bytes: AtomicU64,
}

/// A store around another one that counts its requests and gives each a span.
pub struct TracedStore {
    inner: Arc<dyn ObjectStore>,
    counters: [Counters; Verb::COUNT],
}

impl TracedStore {
    /// Counts from zero. To count retries too, this goes inside the retrying store.
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, counters: Default::default() }
    }

    /// The counts now. Requests of one moment may be seen in part.
    pub fn counts(&self) -> RequestCounts {
        let mut counts = RequestCounts::default();
        for (count, counters) in counts.0.iter_mut().zip(&self.counters) {
            count.requests = counters.requests.load(Ordering::Relaxed);
            count.failures = counters.failures.load(Ordering::Relaxed);
            count.bytes = counters.bytes.load(Ordering::Relaxed);
        }
        counts
    }

    fn add(&self, verb: Verb, field: impl Fn(&Counters) -> &AtomicU64, amount: u64) {
        if let Some(counters) = self.counters.get(verb as usize) {
            field(counters).fetch_add(amount, Ordering::Relaxed);
        }
    }

    async fn observe<T: Send>(
        &self,
        verb: Verb,
        bucket: &str,
        key: &str,
        request: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        self.add(verb, |counters| &counters.requests, 1);
        let span = tracing::debug_span!("s3", verb = verb.as_str(), bucket, key);
        let answer = request.instrument(span.clone()).await;
        if let Err(error) = &answer {
            self.add(verb, |counters| &counters.failures, 1);
            span.in_scope(|| tracing::debug!(%error, "request failed"));
        }
        answer
    }
}

#[async_trait]
impl ObjectStore for TracedStore {
    async fn list_buckets(&self) -> StoreResult<Vec<BucketInfo>> {
        self.observe(Verb::ListBuckets, "", "", self.inner.list_buckets()).await
    }

    async fn head_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.observe(Verb::HeadBucket, bucket, "", self.inner.head_bucket(bucket)).await
    }

    async fn create_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.observe(Verb::CreateBucket, bucket, "", self.inner.create_bucket(bucket)).await
    }

    async fn delete_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.observe(Verb::DeleteBucket, bucket, "", self.inner.delete_bucket(bucket)).await
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<ListPage> {
        self.observe(Verb::List, &request.bucket, &request.prefix, self.inner.list(request)).await
    }

    async fn head(&self, bucket: &str, key: &str) -> StoreResult<ObjectHead> {
        self.observe(Verb::Head, bucket, key, self.inner.head(bucket, key)).await
    }

    async fn get(&self, bucket: &str, key: &str, range: Range<u64>, etag: &ETag) -> StoreResult<Bytes> {
        let body = self.observe(Verb::Get, bucket, key, self.inner.get(bucket, key, range, etag)).await?;
        self.add(Verb::Get, |counters| &counters.bytes, body.len() as u64);
        Ok(body)
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        self.add(Verb::Put, |counters| &counters.bytes, body.len() as u64);
        self.observe(Verb::Put, bucket, key, self.inner.put(bucket, key, body, meta, condition)).await
    }

    async fn copy(
        &self,
        source: &CopySource,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        self.observe(Verb::Copy, bucket, key, self.inner.copy(source, bucket, key, meta, condition)).await
    }

    async fn delete(&self, bucket: &str, key: &str, condition: &Condition) -> StoreResult<()> {
        self.observe(Verb::Delete, bucket, key, self.inner.delete(bucket, key, condition)).await
    }

    async fn create_upload(&self, bucket: &str, key: &str, meta: &ObjectMeta) -> StoreResult<String> {
        self.observe(Verb::CreateUpload, bucket, key, self.inner.create_upload(bucket, key, meta)).await
    }

    async fn upload_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        body: Bytes,
    ) -> StoreResult<UploadedPart> {
        self.add(Verb::UploadPart, |counters| &counters.bytes, body.len() as u64);
        let request = self.inner.upload_part(bucket, key, upload_id, number, body);
        self.observe(Verb::UploadPart, bucket, key, request).await
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
        let request = self.inner.upload_part_copy(bucket, key, upload_id, number, source, range);
        self.observe(Verb::UploadPartCopy, bucket, key, request).await
    }

    async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        parts: &[UploadedPart],
        condition: &Condition,
    ) -> StoreResult<Written> {
        let request = self.inner.complete_upload(bucket, key, upload_id, parts, condition);
        self.observe(Verb::CompleteUpload, bucket, key, request).await
    }

    async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> StoreResult<()> {
        self.observe(Verb::AbortUpload, bucket, key, self.inner.abort_upload(bucket, key, upload_id)).await
    }

    async fn list_uploads(&self, bucket: &str, prefix: &str) -> StoreResult<Vec<PendingUpload>> {
        self.observe(Verb::ListUploads, bucket, prefix, self.inner.list_uploads(bucket, prefix)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn every_request_is_counted_with_its_bytes() {
        let store = TracedStore::new(Arc::new(MemoryStore::default()));
        store.create_bucket("b").await.unwrap();
        let before = store.counts();
        let body = Bytes::from_static(b"12345");
        let written = store.put("b", "k", body, &ObjectMeta::default(), &Condition::Always).await.unwrap();
        store.get("b", "k", 1..3, &written.etag).await.unwrap();
        assert_eq!(store.head("b", "absent").await, Err(StoreError::NotFound));
        let counts = store.counts().since(&before);
        assert_eq!(counts.of(Verb::Put), VerbCount { requests: 1, failures: 0, bytes: 5 });
        assert_eq!(counts.of(Verb::Get), VerbCount { requests: 1, failures: 0, bytes: 2 });
        assert_eq!(counts.of(Verb::Head), VerbCount { requests: 1, failures: 1, bytes: 0 });
        assert_eq!(counts.of(Verb::CreateBucket), VerbCount::default());
        assert_eq!(counts.requests(), 3);
    }
}
