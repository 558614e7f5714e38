//! Verbs on single objects.

use std::ops::Range;
use std::sync::Arc;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{MetadataDirective, StorageClass};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::bodies::{Bodies, Body};
use super::errors::{Subject, causes, store_error};
use super::{AwsStore, checksum, quoted, timestamp, written};
use crate::store::dialect::Payload;
use crate::store::headers::check_user_metadata;
use crate::store::{Condition, CopySource, ETag, ObjectHead, ObjectInfo, ObjectMeta, StoreError, StoreResult, Written};

/// What a copy's source must not contain as it is.
const COPY_SOURCE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Sets the headers of `meta` on a request builder of the SDK: three types with the same methods and no common trait.
macro_rules! with_headers {
    ($request:expr, $meta:expr) => {
        $request
            .set_content_type($meta.content_type.clone())
            .set_content_encoding($meta.content_encoding.clone())
            .set_content_language($meta.content_language.clone())
            .set_content_disposition($meta.content_disposition.clone())
            .set_cache_control($meta.cache_control.clone())
            .set_storage_class($meta.storage_class.as_deref().map(StorageClass::from))
            .set_metadata(Some($meta.user.clone().into_iter().collect()))
    };
}
pub(super) use with_headers;

/// `x-amz-copy-source`.
pub(super) fn copy_source(source: &CopySource) -> String {
    format!("{}/{}", source.bucket, utf8_percent_encode(&source.key, COPY_SOURCE))
}

impl AwsStore {
    pub(super) async fn head_object(&self, bucket: &str, key: &str) -> StoreResult<ObjectHead> {
        let request = self.client.head_object().bucket(bucket).key(key);
        let head = request.send().await.map_err(|error| store_error(Subject::Object, error))?;
        let (Some(size), Some(etag)) = (head.content_length(), head.e_tag()) else {
            return Err(StoreError::Unavailable("the answer to a HEAD has no length or no ETag".to_owned()));
        };
        let info = ObjectInfo {
            key: key.to_owned(),
            size: u64::try_from(size).unwrap_or_default(),
            etag: ETag::new(etag),
            last_modified: timestamp(head.last_modified()),
        };
        Ok(ObjectHead { info, meta: object_meta(&head) })
    }

    pub(super) async fn get_range(
        &self,
        bucket: &str,
        key: &str,
        range: Range<u64>,
        etag: &ETag,
    ) -> StoreResult<Bytes> {
        let Some(last) = range.end.checked_sub(1).filter(|last| *last >= range.start) else {
            return Ok(Bytes::new());
        };
        let request = self.client.get_object().bucket(bucket).key(key);
        let request = request.range(format!("bytes={}-{last}", range.start)).if_match(quoted(etag));
        let answer = match request.send().await {
            Ok(answer) => answer,
            // 416: the object ends before the range.
            Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 416) => {
                return Ok(Bytes::new());
            }
            Err(error) => return Err(store_error(Subject::Object, error)),
        };
        if answer.e_tag().is_some_and(|seen| ETag::new(seen) != *etag) {
            return Err(StoreError::PreconditionFailed);
        }
        let length = body_length(&answer, &range)?;
        read_body(answer.body, length, &self.bodies).await
    }

    pub(super) async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        check_user_metadata(meta)?;
        let request = with_headers!(self.client.put_object().bucket(bucket).key(key), meta)
            .set_if_none_match(Self::if_none_match(condition))
            .set_if_match(self.if_match(condition))
            .set_checksum_crc32_c(checksum(self.dialect.put, &body))
            .body(ByteStream::from(body));
        let answer = match self.dialect.put {
            Payload::Signed => request.send().await,
            Payload::Crc32c | Payload::WrongCrc32c => request.customize().disable_payload_signing().send().await,
        };
        written(answer.map_err(|error| conditional_error(condition, store_error(Subject::Object, error)))?.e_tag())
    }

    pub(super) async fn copy_object(
        &self,
        source: &CopySource,
        bucket: &str,
        key: &str,
        meta: &ObjectMeta,
        condition: &Condition,
    ) -> StoreResult<Written> {
        check_user_metadata(meta)?;
        let request = with_headers!(self.client.copy_object().bucket(bucket).key(key), meta)
            .copy_source(copy_source(source))
            .copy_source_if_match(quoted(&source.etag))
            .metadata_directive(MetadataDirective::Replace)
            .set_if_none_match(Self::if_none_match(condition))
            .set_if_match(self.if_match(condition));
        match request.send().await.map_err(|error| store_error(Subject::Object, error)) {
            Ok(answer) => written(answer.copy_object_result().and_then(|result| result.e_tag())),
            // Source or destination? `NotFound` is for a source that is gone, and must be sure.
            Err(StoreError::NotFound) if matches!(condition, Condition::IfMatch(_)) => {
                self.head_object(&source.bucket, &source.key).await?;
                Err(StoreError::PreconditionFailed)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn delete_object(&self, bucket: &str, key: &str, condition: &Condition) -> StoreResult<()> {
        if *condition == Condition::IfAbsent {
            return Err(StoreError::Refused("nothing can be deleted on condition that it is absent".to_owned()));
        }
        let request = self.client.delete_object().bucket(bucket).key(key).set_if_match(self.if_match(condition));
        match request.send().await.map_err(|error| store_error(Subject::Object, error)) {
            Err(StoreError::NotFound) if *condition == Condition::Always => Ok(()),
            answer => answer.map(|_| ()),
        }
    }
}

/// A write that expects a version and meets none: AWS says 404 where others say 412.
pub(super) fn conditional_error(condition: &Condition, error: StoreError) -> StoreError {
    match (condition, error) {
        (Condition::IfMatch(_), StoreError::NotFound) => StoreError::PreconditionFailed,
        (_, error) => error,
    }
}

fn object_meta(head: &HeadObjectOutput) -> ObjectMeta {
    let text = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
    let user = head.metadata().into_iter().flatten();
    ObjectMeta {
        content_type: text(head.content_type()),
        content_encoding: text(head.content_encoding()),
        content_language: text(head.content_language()),
        content_disposition: text(head.content_disposition()),
        cache_control: text(head.cache_control()),
        storage_class: head.storage_class().map(|class| class.as_str().to_owned()),
        user: user.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
    }
}

/// How many bytes the answer to a ranged GET must bring.
fn body_length(answer: &GetObjectOutput, range: &Range<u64>) -> StoreResult<usize> {
    let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
    let asked = range.end - range.start;
    match length {
        // Without a Content-Range this is the object from its first byte on.
        Some(_) if answer.content_range().is_none() && range.start > 0 => {
            Err(StoreError::NotSupported("the store ignores ranges".to_owned()))
        }
        Some(length) if length <= asked => {
            usize::try_from(length).map_err(|_| StoreError::Refused("the range does not fit in memory".to_owned()))
        }
        Some(_) => Err(StoreError::NotSupported("the store sends more than the range".to_owned())),
        None => Err(StoreError::Unavailable("the answer to a GET has no length".to_owned())),
    }
}

/// Reads exactly `length` bytes. A body that comes in one piece is passed on without a copy.
async fn read_body(mut body: ByteStream, length: usize, bodies: &Arc<Bodies>) -> StoreResult<Bytes> {
    let mut whole: Option<Body> = None;
    while let Some(piece) = body.next().await {
        let piece =
            piece.map_err(|error| StoreError::Unavailable(format!("the body was cut off: {}", causes(&error))))?;
        if whole.is_none() && piece.len() == length {
            return Ok(piece);
        }
        let whole = whole.get_or_insert_with(|| bodies.take(length));
        if piece.len() > length - whole.len() {
            return Err(StoreError::Unavailable("the body is longer than announced".to_owned()));
        }
        whole.extend(&piece);
    }
    let got = whole.as_ref().map_or(0, Body::len);
    if got < length {
        return Err(StoreError::Unavailable(format!("the body was cut off after {got} of {length} bytes")));
    }
    Ok(whole.map_or_else(Bytes::new, Body::freeze))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_sources_are_encoded_but_for_slashes() {
        let source = CopySource { bucket: "b".into(), key: "dir/a b+c%/é".into(), etag: ETag::new("e") };
        assert_eq!(copy_source(&source), "b/dir/a%20b%2Bc%25/%C3%A9");
    }

    #[tokio::test]
    async fn a_body_is_whole_or_an_error() {
        let body = || ByteStream::from_static(b"12345");
        let read_body = |body, length| async move { read_body(body, length, &Arc::default()).await };
        assert_eq!(read_body(body(), 5).await, Ok(Bytes::from_static(b"12345")));
        assert!(matches!(read_body(body(), 6).await, Err(StoreError::Unavailable(text)) if text.contains("cut off")));
        assert!(matches!(read_body(body(), 4).await, Err(StoreError::Unavailable(_))));
        assert_eq!(read_body(ByteStream::from_static(b""), 0).await, Ok(Bytes::new()));
    }

    #[test]
    fn a_store_that_ignores_ranges_is_noticed() {
        let answer = |length: i64, range: Option<&str>| {
            GetObjectOutput::builder().content_length(length).set_content_range(range.map(str::to_owned)).build()
        };
        assert_eq!(body_length(&answer(10, Some("bytes 5-14/100")), &(5..15)), Ok(10));
        assert_eq!(body_length(&answer(3, Some("bytes 5-7/8")), &(5..15)), Ok(3));
        assert_eq!(body_length(&answer(8, None), &(0..15)), Ok(8));
        assert!(matches!(body_length(&answer(8, None), &(5..15)), Err(StoreError::NotSupported(_))));
        assert!(matches!(body_length(&answer(16, None), &(0..15)), Err(StoreError::NotSupported(_))));
    }
}
