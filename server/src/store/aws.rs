//! The store behind the S3 API, spoken through aws-sdk-s3.
//!
//! One request per verb: retries are [`super::retry`]'s, so that they are counted and bounded in one place. Bodies are
//! in memory always: a stream would be sent with a signed trailer over plain http, which Garage and Ceph RGW refuse.

mod bodies;
mod buckets;
mod config;
mod errors;
mod listing;
mod multipart;
mod objects;

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

pub use config::{ConnectError, S3Config, StaticKeys, Timeouts};

use self::bodies::Bodies;
use super::dialect::{Dialect, Payload, Polyglot};
use super::{
    BucketInfo, Condition, CopySource, ETag, ListPage, ListRequest, ObjectHead, ObjectMeta, ObjectStore, PendingUpload,
    StoreError, StoreResult, UploadedPart, Written,
};
use crate::timestamp::Timestamp;

/// An S3-compatible store. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct AwsStore {
    client: Client,
    region: String,
    timeouts: Timeouts,
    dialect: Dialect,
    bodies: Arc<Bodies>,
}

impl AwsStore {
    /// Prepares a client in the default [`Dialect`]. The store itself is not asked anything yet.
    pub async fn connect(config: S3Config) -> Result<Self, ConnectError> {
        let (client, region) = config::client(&config).await?;
        Ok(Self { client, region, timeouts: config.timeouts, dialect: Dialect::default(), bodies: Arc::default() })
    }

    /// Gives `request` the time that `bytes` of body may take. A store that takes longer is not available.
    async fn within<T>(&self, bytes: u64, request: impl Future<Output = StoreResult<T>> + Send) -> StoreResult<T> {
        self.limited(self.timeouts.for_bytes(bytes), request).await
    }

    /// Gives `request` the time that the store may take to move bytes by itself.
    async fn within_copy<T>(&self, request: impl Future<Output = StoreResult<T>> + Send) -> StoreResult<T> {
        self.limited(self.timeouts.copy, request).await
    }

    async fn limited<T>(
        &self,
        limit: Duration,
        request: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        match tokio::time::timeout(limit, request).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Unavailable(format!("no answer within {} s", limit.as_secs()))),
        }
    }

    /// `If-None-Match` of a write.
    fn if_none_match(condition: &Condition) -> Option<String> {
        matches!(condition, Condition::IfAbsent).then(|| "*".to_owned())
    }

    /// `If-Match` of a write.
    fn if_match(&self, condition: &Condition) -> Option<String> {
        match condition {
            Condition::IfMatch(etag) if self.dialect.unquoted_if_match => Some(etag.as_str().to_owned()),
            Condition::IfMatch(etag) => Some(quoted(etag)),
            Condition::Always | Condition::IfAbsent => None,
        }
    }
}

/// An entity tag as HTTP writes it.
fn quoted(etag: &ETag) -> String {
    format!("\"{etag}\"")
}

/// The tag of a version that was written, or why its write cannot be relied on.
fn written(etag: Option<&str>) -> StoreResult<Written> {
    let missing = || StoreError::Unavailable(format!("the answer to a write has no ETag: {}", errors::ASK_ENDPOINT));
    let etag = etag.ok_or_else(missing)?;
    Ok(Written { etag: ETag::new(etag) })
}

/// The value of `x-amz-checksum-crc32c` that goes with `body`; `None` where the signature covers the body.
fn checksum(payload: Payload, body: &[u8]) -> Option<String> {
    let crc = || u32::try_from(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, body)).unwrap_or_default();
    let value = match payload {
        Payload::Signed => return None,
        Payload::Crc32c => crc(),
        Payload::WrongCrc32c => !crc(),
    };
    Some(BASE64.encode(value.to_be_bytes()))
}

/// A time as the SDK has it, cut to whole seconds; the epoch where there is none.
fn timestamp(time: Option<&aws_sdk_s3::primitives::DateTime>) -> Timestamp {
    time.map_or_else(Timestamp::default, |time| Timestamp { seconds: time.secs(), nanos: 0 })
}

impl Polyglot for AwsStore {
    fn speaking(&self, dialect: Dialect) -> Arc<dyn ObjectStore> {
        Arc::new(Self { dialect, ..self.clone() })
    }
}

#[async_trait]
impl ObjectStore for AwsStore {
    async fn list_buckets(&self) -> StoreResult<Vec<BucketInfo>> {
        self.within(0, self.all_buckets()).await
    }

    async fn head_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.within(0, self.see_bucket(bucket)).await
    }

    async fn create_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.within(0, self.make_bucket(bucket)).await
    }

    async fn delete_bucket(&self, bucket: &str) -> StoreResult<()> {
        self.within(0, self.drop_bucket(bucket)).await
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<ListPage> {
        self.within(0, self.list_page(request)).await
    }

    async fn head(&self, bucket: &str, key: &str) -> StoreResult<ObjectHead> {
        self.within(0, self.head_object(bucket, key)).await
    }

    async fn get(&self, bucket: &str, key: &str, range: Range<u64>, etag: &ETag) -> StoreResult<Bytes> {
        let bytes = range.end.saturating_sub(range.start);
        self.within(bytes, self.get_range(bucket, key, range, etag)).await
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        let bytes = body.len() as u64;
        self.within(bytes, self.put_object(bucket, key, body, meta, condition)).await
    }

    async fn copy(
        &self,
        source: &CopySource,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        self.within_copy(self.copy_object(source, bucket, key, meta, condition)).await
    }

    async fn delete(&self, bucket: &str, key: &str, condition: &Condition) -> StoreResult<()> {
        self.within(0, self.delete_object(bucket, key, condition)).await
    }

    async fn create_upload(&self, bucket: &str, key: &str, meta: &ObjectMeta) -> StoreResult<String> {
        self.within(0, self.begin_upload(bucket, key, meta)).await
    }

    async fn upload_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u16,
        body: Bytes,
    ) -> StoreResult<UploadedPart> {
        let bytes = body.len() as u64;
        self.within(bytes, self.put_part(bucket, key, upload_id, number, body)).await
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
        self.within_copy(self.copy_part(bucket, key, upload_id, number, source, range)).await
    }

    async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        parts: &[UploadedPart],
        condition: &Condition,
    ) -> StoreResult<Written> {
        self.within_copy(self.finish_upload(bucket, key, upload_id, parts, condition)).await
    }

    async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> StoreResult<()> {
        self.within(0, self.drop_upload(bucket, key, upload_id)).await
    }

    async fn list_uploads(&self, bucket: &str, prefix: &str) -> StoreResult<Vec<PendingUpload>> {
        self.within(0, self.pending_uploads(bucket, prefix)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_fields_crc32c() {
        // RFC 3720 §B.4: 32 bytes of zeroes have the CRC 8A9136AA.
        let zeroes = [0_u8; 32];
        assert_eq!(checksum(Payload::Crc32c, &zeroes).as_deref(), Some("ipE2qg=="));
        assert_eq!(checksum(Payload::Signed, &zeroes), None);
        assert_ne!(checksum(Payload::WrongCrc32c, &zeroes), checksum(Payload::Crc32c, &zeroes));
    }
}
