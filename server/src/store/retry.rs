//! Asks again where asking again may help, and finds out whether a write whose answer was lost has happened.
//!
//! A conditional write that times out may have had its effect; its retry then meets the new version and fails the
//! condition. So after a lost answer a failed condition is not believed: the object is looked at, and where it is
//! what was to be written the write has succeeded. Where that cannot be told, `PreconditionFailed` is reported: it then
//! means "another version is there, and it may be the one of this very request".

mod doubt;

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use super::verb::Verb;
use super::{
    BucketInfo, Condition, CopySource, ETag, ListPage, ListRequest, ObjectHead, ObjectMeta, ObjectStore, PendingUpload,
    StoreError, StoreResult, UploadedPart, Written,
};

/// How often, how long and at what distance to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries of one request at most, the first one included.
    pub attempts_max: u32,
    /// No try begins later than this after the first.
    pub total_max: Duration,
    /// The pause before the second try; each further one is twice as long.
    pub delay_first: Duration,
    /// The longest pause.
    pub delay_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            total_max: Duration::from_secs(60),
            delay_first: Duration::from_millis(100),
            delay_max: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// The pause after `tries` tries, before jitter.
    fn delay(&self, tries: u32) -> Duration {
        let doubled = 2_u32.checked_pow(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        self.delay_first.saturating_mul(doubled).min(self.delay_max)
    }
}

/// Between half of a pause and the whole: clients that failed together do not come back together.
fn with_jitter(delay: Duration) -> Duration {
    let half = delay / 2;
    let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
    half + Duration::from_micros(fastrand::u64(0..=spread))
}

/// The answer to the last try.
struct Outcome<T> {
    answer: StoreResult<T>,
    /// Whether an earlier try may have had its effect.
    doubtful: bool,
}

/// A store around another one that repeats requests which failed for a while only.
pub struct RetryingStore {
    inner: Arc<dyn ObjectStore>,
    policy: RetryPolicy,
}

impl RetryingStore {
    /// Repeats requests to `inner` as `policy` says.
    pub fn new(inner: Arc<dyn ObjectStore>, policy: RetryPolicy) -> Self {
        Self { inner, policy }
    }

    async fn attempts<T, F>(&self, verb: Verb, request: impl Fn() -> F + Send + Sync) -> Outcome<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        let started = Instant::now();
        let mut tries = 0;
        loop {
            let answer = request().await;
            tries += 1;
            let error = match &answer {
                Err(error) if error.is_transient() && tries < self.policy.attempts_max => error,
                _ => return Outcome { answer, doubtful: tries > 1 },
            };
            let delay = with_jitter(self.policy.delay(tries));
            if started.elapsed() + delay > self.policy.total_max {
                return Outcome { answer, doubtful: tries > 1 };
            }
            tracing::debug!(%verb, %error, tries, ?delay, "asking the store again");
            tokio::time::sleep(delay).await;
        }
    }

    /// For requests that may simply be repeated.
    async fn repeat<T, F>(&self, verb: Verb, request: impl Fn() -> F + Send + Sync) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.attempts(verb, request).await.answer
    }
}

#[async_trait]
impl ObjectStore for RetryingStore {
    async fn list_buckets(&self) -> StoreResult<Vec<BucketInfo>> {
        self.repeat(Verb::ListBuckets, || self.inner.list_buckets()).await
    }

    async fn head_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.repeat(Verb::HeadBucket, || self.inner.head_bucket(bucket)).await
    }

    async fn create_bucket(&self, bucket: &str) -> StoreResult<()> {
        let outcome = self.attempts(Verb::CreateBucket, || self.inner.create_bucket(bucket)).await;
        match outcome.answer {
            Err(StoreError::BucketExists) if outcome.doubtful && self.head_bucket(bucket).await.is_ok() => Ok(()),
            answer => answer,
        }
    }

    async fn delete_bucket(&self, bucket: &str) -> StoreResult<()> {
        let outcome = self.attempts(Verb::DeleteBucket, || self.inner.delete_bucket(bucket)).await;
        match outcome.answer {
            Err(StoreError::NoSuchBucket) if outcome.doubtful => Ok(()),
            answer => answer,
        }
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<ListPage> {
        self.repeat(Verb::List, || self.inner.list(request)).await
    }

    async fn head(&self, bucket: &str, key: &str) -> StoreResult<ObjectHead> {
        self.repeat(Verb::Head, || self.inner.head(bucket, key)).await
    }

    async fn get(&self, bucket: &str, key: &str, range: Range<u64>, etag: &ETag) -> StoreResult<Bytes> {
        self.repeat(Verb::Get, || self.inner.get(bucket, key, range.clone(), etag)).await
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        let outcome = self.attempts(Verb::Put, || self.inner.put(bucket, key, body.clone(), meta, condition)).await;
        match outcome.answer {
            Err(StoreError::PreconditionFailed) if outcome.doubtful => {
                self.put_in_doubt(bucket, key, &body, meta).await
            }
            answer => answer,
        }
    }

    async fn copy(
        &self,
        source: &CopySource,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        let outcome = self.attempts(Verb::Copy, || self.inner.copy(source, bucket, key, meta, condition)).await;
        match outcome.answer {
            Err(StoreError::PreconditionFailed) if outcome.doubtful => {
                self.copy_in_doubt(source, bucket, key, meta).await
            }
            answer => answer,
        }
    }

    async fn delete(&self, bucket: &str, key: &str, condition: &Condition) -> StoreResult<()> {
        let outcome = self.attempts(Verb::Delete, || self.inner.delete(bucket, key, condition)).await;
        match outcome.answer {
            Err(StoreError::PreconditionFailed | StoreError::NotFound) if outcome.doubtful => {
                self.delete_in_doubt(bucket, key).await
            }
            answer => answer,
        }
    }

    /// A lost answer leaves an upload behind that nobody knows: see [`ObjectStore::list_uploads`].
    async fn create_upload(&self, bucket: &str, key: &str, meta: &ObjectMeta) -> StoreResult<String> {
        self.repeat(Verb::CreateUpload, || self.inner.create_upload(bucket, key, meta)).await
    }

    async fn upload_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        body: Bytes,
    ) -> StoreResult<UploadedPart> {
        let request = || self.inner.upload_part(bucket, key, upload_id, number, body.clone());
        self.repeat(Verb::UploadPart, request).await
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
        let request = || self.inner.upload_part_copy(bucket, key, upload_id, number, source, range.clone());
        self.repeat(Verb::UploadPartCopy, request).await
    }

    async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        parts: &[UploadedPart],
        condition: &Condition,
    ) -> StoreResult<Written> {
        let request = || self.inner.complete_upload(bucket, key, upload_id, parts, condition);
        let outcome = self.attempts(Verb::CompleteUpload, request).await;
        match outcome.answer {
            Err(error @ (StoreError::PreconditionFailed | StoreError::NoSuchUpload)) if outcome.doubtful => {
                self.complete_in_doubt(bucket, key, parts, error).await
            }
            answer => answer,
        }
    }

    async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> StoreResult<()> {
        self.repeat(Verb::AbortUpload, || self.inner.abort_upload(bucket, key, upload_id)).await
    }

    async fn list_uploads(&self, bucket: &str, prefix: &str) -> StoreResult<Vec<PendingUpload>> {
        self.repeat(Verb::ListUploads, || self.inner.list_uploads(bucket, prefix)).await
    }
}

#[cfg(test)]
mod tests;
