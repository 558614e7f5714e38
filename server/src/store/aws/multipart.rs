//! Multipart uploads.

use std::ops::Range;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, StorageClass};
use bytes::Bytes;

use super::errors::{Subject, store_error};
use super::objects::{conditional_error, copy_source, with_headers};
use super::{AwsStore, checksum, quoted, written};
use crate::store::dialect::Payload;
use crate::store::headers::check_user_metadata;
use crate::store::{Condition, CopySource, ETag, ObjectMeta, StoreError, StoreResult, UploadedPart, Written};

impl AwsStore {
    /// Whether uploads announce the checksums of their parts.
    fn declares_checksums(&self) -> bool {
        self.dialect.declare_part_checksums && self.dialect.parts != Payload::Signed
    }

    pub(super) async fn begin_upload(&self, bucket: &str, key: &str, meta: &ObjectMeta) -> StoreResult<String> {
        check_user_metadata(meta)?;
        let request = with_headers!(self.client.create_multipart_upload().bucket(bucket).key(key), meta)
            .set_checksum_algorithm(self.declares_checksums().then_some(ChecksumAlgorithm::Crc32C));
        let answer = request.send().await.map_err(|error| store_error(Subject::Bucket, error))?;
        let missing = || StoreError::Unavailable("the new multipart upload has no id".to_owned());
        Ok(answer.upload_id().ok_or_else(missing)?.to_owned())
    }

    pub(super) async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        body: Bytes,
    ) -> StoreResult<UploadedPart> {
        let sum = checksum(self.dialect.parts, &body);
        let request = self.client.upload_part().bucket(bucket).key(key).upload_id(upload_id);
        let request =
            request.part_number(i32::from(number)).set_checksum_crc32_c(sum.clone()).body(ByteStream::from(body));
        let answer = match self.dialect.parts {
            Payload::Signed => request.send().await,
            Payload::Crc32c | Payload::WrongCrc32c => request.customize().disable_payload_signing().send().await,
        };
        let answer = answer.map_err(|error| store_error(Subject::Upload, error))?;
        let checksum = if self.declares_checksums() { sum } else { None };
        uploaded(number, answer.e_tag(), checksum)
    }

    pub(super) async fn copy_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        source: &CopySource,
        range: Range<u64>,
    ) -> StoreResult<UploadedPart> {
        let Some(last) = range.end.checked_sub(1).filter(|last| *last >= range.start) else {
            return Err(StoreError::Refused("no part can be copied from an empty range".to_owned()));
        };
        let request = self.client.upload_part_copy().bucket(bucket).key(key).upload_id(upload_id);
        let request = request
            .part_number(i32::from(number))
            .copy_source(copy_source(source))
            .copy_source_if_match(quoted(&source.etag))
            .copy_source_range(format!("bytes={}-{last}", range.start));
        let answer = request.send().await.map_err(|error| store_error(Subject::Upload, error))?;
        let result = answer.copy_part_result();
        let sum = result.and_then(|result| result.checksum_crc32_c()).map(str::to_owned);
        uploaded(number, result.and_then(|result| result.e_tag()), sum.filter(|_| self.declares_checksums()))
    }

    pub(super) async fn finish_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        parts: &[UploadedPart],
        condition: &Condition,
    ) -> StoreResult<Written> {
        let part = |part: &UploadedPart| {
            let named = CompletedPart::builder().part_number(i32::from(part.number)).e_tag(quoted(&part.etag));
            named.set_checksum_crc32_c(part.checksum.clone()).build()
        };
        let listed = CompletedMultipartUpload::builder().set_parts(Some(parts.iter().map(part).collect())).build();
        let request = self.client.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload_id);
        let request = request
            .multipart_upload(listed)
            .set_if_none_match(Self::if_none_match(condition))
            .set_if_match(self.if_match(condition));
        let answer =
            request.send().await.map_err(|error| conditional_error(condition, store_error(Subject::Upload, error)))?;
        written(answer.e_tag())
    }

    pub(super) async fn drop_upload(&self, bucket: &str, key: &str, upload_id: &str) -> StoreResult<()> {
        let request = self.client.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload_id);
        match request.send().await.map_err(|error| store_error(Subject::Upload, error)) {
            Err(StoreError::NoSuchUpload) => Ok(()),
            answer => answer.map(|_| ()),
        }
    }
}

/// What the store says of a part it has taken.
fn uploaded(number: u16, etag: Option<&str>, checksum: Option<String>) -> StoreResult<UploadedPart> {
    let etag = etag.ok_or_else(|| StoreError::Unavailable(format!("part {number} has no ETag")))?;
    Ok(UploadedPart { number, etag: ETag::new(etag), checksum })
}
