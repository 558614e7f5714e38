//! A store that fails as scripted: tests of everything above see the failures that real stores have.

use std::collections::VecDeque;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::verb::Verb;
use super::{
    BucketInfo, Condition, CopySource, ETag, ListPage, ListRequest, ObjectHead, ObjectMeta, ObjectStore, PendingUpload,
    StoreError, StoreResult, UploadedPart, Written,
};

/// What happens to one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails and has had no effect.
    Before(StoreError),
    /// It has had its effect, and the answer is an error.
    After(StoreError),
    /// It is answered later.
    Delay(Duration),
    /// It waits, without an effect yet, until the gate is opened.
    Hold(Gate),
    /// A GET brings only so many bytes, and nobody says that some are missing.
    Truncate(usize),
}

/// Holds requests back until a test lets them go.
#[derive(Debug, Clone)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    opened: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), opened: Arc::new(Semaphore::new(0)) }
    }
}

impl Gate {
    /// Waits until one more request stands at the gate.
    pub async fn arrival(&self) {
        if let Ok(permit) = self.arrived.acquire().await {
            permit.forget();
        }
    }

    /// Lets one request pass, now or when it comes.
    pub fn open(&self) {
        self.opened.add_permits(1);
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        if let Ok(permit) = self.opened.acquire().await {
            permit.forget();
        }
    }
}

#[derive(Debug)]
struct Scripted {
    verb: Verb,
    key: Option<String>,
    skip: usize,
    fault: Fault,
}

/// A store around another one that fails as scripted, and otherwise only passes on.
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    script: Mutex<VecDeque<Scripted>>,
}

impl FaultyStore {
    /// A store without faults yet.
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, script: Mutex::default() }
    }

    /// The request of `verb` after the next `skip` ones of it meets `fault`, once.
    ///
    /// Each request meets at most one fault: of those that are due the one scripted first.
    pub fn script(&self, verb: Verb, skip: usize, fault: Fault) {
        self.script.lock().push_back(Scripted { verb, key: None, skip, fault });
    }

    /// As [`Self::script`], counting only requests on `key`.
    pub fn script_key(&self, verb: Verb, key: &str, skip: usize, fault: Fault) {
        self.script.lock().push_back(Scripted { verb, key: Some(key.to_owned()), skip, fault });
    }

    /// Faults that no request has met yet.
    pub fn pending(&self) -> usize {
        self.script.lock().len()
    }

    fn due(&self, verb: Verb, key: &str) -> Option<Fault> {
        let mut script = self.script.lock();
        let mut due = None;
        for (index, scripted) in script.iter_mut().enumerate() {
            if scripted.verb != verb || scripted.key.as_deref().is_some_and(|wanted| wanted != key) {
                continue;
            }
            if scripted.skip > 0 {
                scripted.skip -= 1;
            } else if due.is_none() {
                due = Some(index);
            }
        }
        script.remove(due?).map(|scripted| scripted.fault)
    }

    async fn meet<T: Send>(
        &self,
        verb: Verb,
        key: &str,
        request: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        suffer(self.due(verb, key), request).await
    }
}

async fn suffer<T: Send>(fault: Option<Fault>, request: impl Future<Output = StoreResult<T>> + Send) -> StoreResult<T> {
    match fault {
        None | Some(Fault::Truncate(_)) => request.await,
        Some(Fault::Before(error)) => Err(error),
        Some(Fault::After(error)) => request.await.and(Err(error)),
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            request.await
        }
        Some(Fault::Hold(gate)) => {
            gate.pass().await;
            request.await
        }
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn list_buckets(&self) -> StoreResult<Vec<BucketInfo>> {
        self.meet(Verb::ListBuckets, "", self.inner.list_buckets()).await
    }

    async fn head_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.meet(Verb::HeadBucket, "", self.inner.head_bucket(bucket)).await
    }

    async fn create_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.meet(Verb::CreateBucket, "", self.inner.create_bucket(bucket)).await
    }

    async fn delete_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.meet(Verb::DeleteBucket, "", self.inner.delete_bucket(bucket)).await
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<ListPage> {
        self.meet(Verb::List, &request.prefix, self.inner.list(request)).await
    }

    async fn head(&self, bucket: &str, key: &str) -> StoreResult<ObjectHead> {
        self.meet(Verb::Head, key, self.inner.head(bucket, key)).await
    }

    async fn get(&self, bucket: &str, key: &str, range: Range<u64>, etag: &ETag) -> StoreResult<Bytes> {
        let fault = self.due(Verb::Get, key);
        let mut body = suffer(fault.clone(), self.inner.get(bucket, key, range, etag)).await?;
        if let Some(Fault::Truncate(length)) = fault {
            body.truncate(length);
        }
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
        self.meet(Verb::Put, key, self.inner.put(bucket, key, body, meta, condition)).await
    }

    async fn copy(
        &self,
        source: &CopySource,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        self.meet(Verb::Copy, key, self.inner.copy(source, bucket, key, meta, condition)).await
    }

    async fn delete(&self, bucket: &str, key: &str, condition: &Condition) -> StoreResult<()> {
        self.meet(Verb::Delete, key, self.inner.delete(bucket, key, condition)).await
    }

    async fn create_upload(&self, bucket: &str, key: &str, meta: &ObjectMeta) -> StoreResult<String> {
        self.meet(Verb::CreateUpload, key, self.inner.create_upload(bucket, key, meta)).await
    }

    async fn upload_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        body: Bytes,
    ) -> StoreResult<UploadedPart> {
        self.meet(Verb::UploadPart, key, self.inner.upload_part(bucket, key, upload_id, number, body)).await
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
        self.meet(Verb::UploadPartCopy, key, request).await
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
        self.meet(Verb::CompleteUpload, key, request).await
    }

    async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> StoreResult<()> {
        self.meet(Verb::AbortUpload, key, self.inner.abort_upload(bucket, key, upload_id)).await
    }

    async fn list_uploads(&self, bucket: &str, prefix: &str) -> StoreResult<Vec<PendingUpload>> {
        self.meet(Verb::ListUploads, prefix, self.inner.list_uploads(bucket, prefix)).await
    }
}

#[cfg(test)]
mod tests;
