//! Whether a write has happened whose answer was lost.

use md5::{Digest, Md5};

use super::RetryingStore;
use crate::store::{
    CopySource, ETag, ObjectHead, ObjectMeta, ObjectStore, StoreError, StoreResult, UploadedPart, Written,
};

/// Bytes that are compared at a time.
const COMPARED_AT_ONCE: u64 = 8 * 1024 * 1024;

impl RetryingStore {
    /// The object that made a condition fail; one that is gone again is not what was written.
    async fn found(&self, bucket: &str, key: &str) -> StoreResult<ObjectHead> {
        match self.head(bucket, key).await {
            Err(StoreError::NotFound) => Err(StoreError::PreconditionFailed),
            answer => answer,
        }
    }

    /// Ours when headers and bytes are what was sent. Tags would not tell: not every store makes them with MD5.
    pub(super) async fn put_in_doubt(
        &self,
        bucket: &str,
        key: &str,
        body: &[u8],
        meta: &ObjectMeta,
    ) -> StoreResult<Written> {
        let head = self.found(bucket, key).await?;
        if head.info.size != body.len() as u64 || head.meta.user != meta.user {
            return Err(StoreError::PreconditionFailed);
        }
        let mut rest = body;
        let mut at = 0;
        while !rest.is_empty() {
            let end = head.info.size.min(at + COMPARED_AT_ONCE);
            let stored = self.get(bucket, key, at..end, &head.info.etag).await?;
            rest = match rest.strip_prefix(stored.as_ref()) {
                Some(rest) if !stored.is_empty() => rest,
                _ => return Err(StoreError::PreconditionFailed),
            };
            at += stored.len() as u64;
        }
        tracing::info!(bucket, key, "a write whose answer was lost has happened");
        Ok(Written { etag: head.info.etag })
    }

    /// Ours when the tag is the source's and the headers are what was sent. A copy of a multipart object has another
    /// tag than its source, and stays in doubt.
    pub(super) async fn copy_in_doubt(
        &self,
        source: &CopySource,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
    ) -> StoreResult<Written> {
        let head = self.found(bucket, key).await?;
        if head.info.etag == source.etag && head.meta.user == meta.user {
            return Ok(Written { etag: head.info.etag });
        }
        Err(StoreError::PreconditionFailed)
    }

    /// Ours when nothing is there any more.
    pub(super) async fn delete_in_doubt(&self, bucket: &str, key: &str) -> StoreResult<()> {
        match self.head(bucket, key).await {
            Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(StoreError::PreconditionFailed),
        }
    }

    /// Ours when the tag is the one that these parts make; else `error` stands.
    pub(super) async fn complete_in_doubt(
        &self,
        bucket: &str,
        key: &str,
        parts: &[UploadedPart],
        error: StoreError,
    ) -> StoreResult<Written> {
        match self.head(bucket, key).await {
            Ok(head) if assembled_etag(parts).is_some_and(|etag| etag == head.info.etag) => {
                tracing::info!(bucket, key, "a completion whose answer was lost has happened");
                Ok(Written { etag: head.info.etag })
            }
            Err(unavailable @ StoreError::Unavailable(_)) => Err(unavailable),
            _ => Err(error),
        }
    }
}

/// The tag that S3 gives an object made of `parts`: the MD5 of their MD5s, and their number. `None` where the tags of
/// the parts are no MD5s.
pub(super) fn assembled_etag(parts: &[UploadedPart]) -> Option<ETag> {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(unhex(part.etag.as_str())?);
    }
    let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(ETag::new(&format!("{hex}-{}", parts.len())))
}

/// The 16 bytes of an MD5 in hexadecimal.
fn unhex(text: &str) -> Option<[u8; 16]> {
    let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)).flatten()
}
