//! What the store does with the parts of multipart uploads.

use bytes::Bytes;

use super::{Probe, accepted, no_version, refused};
use crate::store::dialect::{Dialect, Payload};
use crate::store::{Condition, CopySource, ObjectMeta, StoreError, StoreResult, UploadedPart, Written};

/// A body for one part; the last part of an upload may be this short.
const BODY: Bytes = Bytes::from_static(b"part");

/// What was found out about parts.
pub(super) struct Parts {
    /// How to send them.
    pub(super) dialect: Dialect,
    /// Whether uploads work.
    pub(super) upload: bool,
    /// Whether parts can be copied.
    pub(super) copy: bool,
}

impl Probe<'_> {
    /// The fastest way of sending parts that leaves UploadPartCopy usable; without such a one, the fastest that works.
    pub(super) async fn parts(&self, base: &Written) -> StoreResult<Parts> {
        let checked =
            |declare_part_checksums| Dialect { parts: Payload::Crc32c, declare_part_checksums, ..self.dialect };
        let mut best = Parts { dialect: self.dialect, upload: false, copy: false };
        for dialect in [checked(true), checked(false), self.dialect] {
            if !self.part_works(dialect).await? {
                continue;
            }
            let copy = self.part_copy_works(dialect, base).await?;
            if copy || !best.upload {
                best = Parts { dialect, upload: true, copy };
            }
            if copy {
                break;
            }
        }
        Ok(best)
    }

    /// Whether one part goes through in `dialect`, and a damaged one is refused where a checksum is to say so.
    async fn part_works(&self, dialect: Dialect) -> StoreResult<bool> {
        let key = self.key("parts");
        let store = self.store.speaking(dialect);
        let upload = match store.create_upload(self.bucket, &key, &ObjectMeta::default()).await {
            Ok(upload) => upload,
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(_) => return Ok(false),
        };
        if dialect.parts == Payload::Crc32c {
            let wrong = self.store.speaking(Dialect { parts: Payload::WrongCrc32c, ..dialect });
            if wrong.upload_part(self.bucket, &key, &upload, 1, BODY).await.is_ok() {
                store.abort_upload(self.bucket, &key, &upload).await?;
                return Ok(false);
            }
        }
        let part = store.upload_part(self.bucket, &key, &upload, 1, BODY).await;
        self.complete(dialect, "parts", &upload, part, &Condition::Always).await
    }

    /// Whether a range of an object becomes a part in `dialect`.
    async fn part_copy_works(&self, dialect: Dialect, base: &Written) -> StoreResult<bool> {
        let key = self.key("parts-copied");
        let store = self.store.speaking(dialect);
        let upload = store.create_upload(self.bucket, &key, &ObjectMeta::default()).await?;
        let (bucket, etag) = (self.bucket.to_owned(), base.etag.clone());
        let source = CopySource { bucket, key: self.key("base"), etag };
        let part = store.upload_part_copy(self.bucket, &key, &upload, 1, &source, 1..3).await;
        if !self.complete(dialect, "parts-copied", &upload, part, &Condition::Always).await? {
            return Ok(false);
        }
        let head = store.head(self.bucket, &key).await?;
        let bytes = store.get(self.bucket, &key, 0..head.info.size, &head.info.etag).await?;
        Ok(bytes.as_ref() == b"as")
    }

    /// Completes an upload of one part. What does not get so far is aborted.
    async fn complete(
        &self,
        dialect: Dialect,
        name: &str,
        upload: &str,
        part: StoreResult<UploadedPart>,
        condition: &Condition,
    ) -> StoreResult<bool> {
        let (store, key) = (self.store.speaking(dialect), self.key(name));
        let answer = match part {
            Ok(part) => store.complete_upload(self.bucket, &key, upload, &[part], condition).await,
            Err(error) => Err(error),
        };
        if answer.is_err() {
            store.abort_upload(self.bucket, &key, upload).await?;
        }
        accepted(answer)
    }

    /// Both conditions on a completion, each where it holds and where it does not.
    pub(super) async fn conditional_complete(&self) -> StoreResult<bool> {
        let there = self.put("completed", "there", &Condition::Always).await?;
        for condition in [Condition::IfAbsent, Condition::IfMatch(no_version())] {
            let kept = refused(self.completed("completed", &condition).await)?;
            if !kept || self.tag("completed").await?.as_ref() != Some(&there.etag) {
                return Ok(false);
            }
        }
        Ok(accepted(self.completed("completed", &Condition::IfMatch(there.etag)).await)?
            && accepted(self.completed("completed-new", &Condition::IfAbsent).await)?)
    }

    async fn completed(&self, name: &str, condition: &Condition) -> StoreResult<Written> {
        let (store, key) = (self.speaking(), self.key(name));
        let upload = store.create_upload(self.bucket, &key, &ObjectMeta::default()).await?;
        let part = store.upload_part(self.bucket, &key, &upload, 1, BODY).await?;
        let answer = store.complete_upload(self.bucket, &key, &upload, &[part], condition).await;
        if answer.is_err() {
            store.abort_upload(self.bucket, &key, &upload).await?;
        }
        answer
    }
}
