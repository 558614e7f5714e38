//! Putting a content's bytes into the bucket, by the cheapest plan that is right.
//!
//! Whatever the plan, the object that appears has the bytes of one moment. From that moment on the content notes what changes,
//! so that [`Content::settle`] knows exactly what the new object lacks.

mod multipart;
mod snapshot;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use self::multipart::Multipart;
use super::content::{Shared, Since, Uploading};
use super::{BaseObject, Content, Data, DataError};
use crate::store::{Condition, ObjectMeta, StoreError, Written};

/// The largest object that one copy request takes.
const COPY_BYTES_MAX: u64 = 5_000_000_000;
/// Bodies up to this size stay in the block cache after their upload: what was just written is often read back.
const KEEP_BYTES_MAX: usize = 4 << 20;
/// Numbers uploads.
static NEXT_UPLOAD: AtomicU64 = AtomicU64::new(1);

/// Why an upload did not happen. The bucket is as it was, save after a `Store` error that leaves it open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// The bytes changed faster than they could be uploaded: try again later.
    #[error("the file changed during its upload")]
    Changed,
    /// The object whose bytes are still needed was replaced or is gone.
    #[error("the object below the file was replaced in the store")]
    BaseChanged,
    /// The condition did not hold: somebody else wrote the key.
    #[error("the key has another version than expected")]
    Conflict,
    /// Another upload of this file runs or waits to be settled.
    #[error("the file is being uploaded")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The bytes cannot be had from this machine.
    #[error(transparent)]
    Local(DataError),
}

impl From<DataError> for UploadError {
    fn from(error: DataError) -> Self {
        match error {
            DataError::BaseChanged | DataError::BaseGone => Self::BaseChanged,
            DataError::Store(error) => Self::Store(error),
            other => Self::Local(other),
        }
    }
}

/// An object that was written, to be given to [`Content::settle`]. Dropped, the content goes on over its old base.
#[derive(Debug)]
#[must_use = "the content must be settled on it"]
pub struct Uploaded {
    /// The new version.
    pub written: Written,
    /// Its size.
    pub size: u64,
    /// Generation of the bytes that it has.
    pub generation: u64,
    pub(super) body: Option<Bytes>,
    _upload: Running,
}

/// An upload that has begun and is not settled. Dropping it ends it.
#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.uploading.take_if(|uploading| uploading.id == self.id);
        drop(state);
        self.shared.upload_over.notify_waiters();
    }
}

/// Where to.
#[derive(Debug, Clone)]
struct Target {
    bucket: String,
    key: String,
    meta: ObjectMeta,
    condition: Condition,
}

/// The moment whose bytes an object has.
#[derive(Debug, Clone, Copy)]
struct Moment {
    size: u64,
    generation: u64,
}

impl Content {
    /// Writes the bytes to `bucket` and `key`, with the headers `meta`, if `condition` holds there.
    ///
    /// Nothing changed but key or headers: a copy in the store. Small: one PUT. Larger: a multipart upload whose unchanged parts
    /// are copied in the store. Clients may go on writing meanwhile.
    ///
    /// # Errors
    /// See [`UploadError`].
    pub async fn upload(
        &self,
        data: &Data,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> Result<Uploaded, UploadError> {
        let upload = self.begin()?;
        let target =
            Target { bucket: bucket.to_owned(), key: key.to_owned(), meta: meta.clone(), condition: condition.clone() };
        if let Some((base, moment)) = self.unchanged()
            && base.size <= COPY_BYTES_MAX
            && data.may_copy()
            && let Some(written) = copy(data, &base, &target).await?
        {
            return Ok(done(upload, written, moment, None));
        }
        if self.size() <= data.config().put_bytes_max
            && let Some((written, moment, body)) = self.put(data, &target).await?
        {
            return Ok(done(upload, written, moment, Some(body)));
        }
        let (written, moment) = Multipart::begin(&self.shared, data, target).await?.run().await?;
        Ok(done(upload, written, moment, None))
    }

    fn begin(&self) -> Result<Running, UploadError> {
        let mut state = self.shared.state.lock();
        if state.uploading.is_some() {
            return Err(UploadError::Busy);
        }
        if let Some(file) = &state.staging {
            file.check()?;
        }
        let id = NEXT_UPLOAD.fetch_add(1, Ordering::Relaxed);
        state.uploading = Some(Uploading { id, since: Since::default() });
        Ok(Running { shared: Arc::clone(&self.shared), id })
    }

    /// The base, if it has all bytes. Then this is the upload's moment.
    fn unchanged(&self) -> Option<(Arc<BaseObject>, Moment)> {
        let mut state = self.shared.state.lock();
        let base = state.base.clone().filter(|_| !state.is_dirty())?;
        state.reset_since();
        Some((base, Moment { size: state.size, generation: state.generation }))
    }

    /// Writes a small file in one request; `None` when it has grown too large meanwhile.
    async fn put(&self, data: &Data, target: &Target) -> Result<Option<(Written, Moment, Bytes)>, UploadError> {
        let size_max = data.config().put_bytes_max;
        let _memory = data.upload_memory(self.size()).await?;
        let Some((body, moment)) = snapshot::whole(&self.shared, data, size_max).await? else { return Ok(None) };
        let Target { bucket, key, meta, condition } = target;
        let written = data.store().put(bucket, key, body.clone(), meta, condition).await;
        Ok(Some((written.map_err(|error| refused(error, condition))?, moment, body)))
    }
}

fn done(upload: Running, written: Written, moment: Moment, body: Option<Bytes>) -> Uploaded {
    let body = body.filter(|body| body.len() <= KEEP_BYTES_MAX);
    Uploaded { written, size: moment.size, generation: moment.generation, body, _upload: upload }
}

/// Copies the whole base in the store; `None` when the store does not do that.
async fn copy(data: &Data, base: &BaseObject, target: &Target) -> Result<Option<Written>, UploadError> {
    let Target { bucket, key, meta, condition } = target;
    match data.store().copy(&base.source(), bucket, key, meta, condition).await {
        Ok(written) => Ok(Some(written)),
        Err(StoreError::NotSupported(_)) => {
            data.note_copy_refused();
            Ok(None)
        }
        Err(StoreError::NotFound) => Err(UploadError::BaseChanged),
        Err(StoreError::PreconditionFailed) => Err(which_condition(data, base, condition).await),
        Err(error) => Err(UploadError::Store(error)),
    }
}

/// A copy has two conditions, and the store does not say which of them failed: looks at the source.
async fn which_condition(data: &Data, base: &BaseObject, condition: &Condition) -> UploadError {
    if *condition == Condition::Always {
        return UploadError::BaseChanged;
    }
    match data.store().head(&base.bucket, &base.key).await {
        Ok(head) if head.info.etag == base.etag => UploadError::Conflict,
        Ok(_) | Err(StoreError::NotFound) => UploadError::BaseChanged,
        Err(error) => UploadError::Store(error),
    }
}

/// What the refusal of a write means.
fn refused(error: StoreError, condition: &Condition) -> UploadError {
    match (error, condition) {
        (StoreError::PreconditionFailed, _) | (StoreError::NotFound, Condition::IfMatch(_)) => UploadError::Conflict,
        (error, _) => UploadError::Store(error),
    }
}
