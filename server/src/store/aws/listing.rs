//! Listings, with keys encoded on the wire: XML cannot carry every character that a key may have.

use aws_sdk_s3::types::EncodingType;
use percent_encoding::percent_decode;

use super::errors::{Subject, store_error};
use super::{AwsStore, timestamp};
use crate::store::{ETag, ListPage, ListRequest, ObjectInfo, PendingUpload, StoreError, StoreResult};

/// Keys in one page of S3.
const PAGE_MAX: u16 = 1000;

/// Multipart uploads that are listed at most.
const UPLOADS_MAX: usize = 10_000;

/// How the names in one answer are written.
#[derive(Debug, Clone, Copy)]
struct Encoding {
    /// Whether they are percent-encoded: a server may ignore that it was asked to.
    url: bool,
    /// Whether a plus sign stands for itself.
    literal_plus: bool,
}

impl Encoding {
    /// The name as it is; `None` when it is not UTF-8.
    fn decode(self, name: &str) -> Option<String> {
        if !self.url {
            return Some(name.to_owned());
        }
        let spaced = if self.literal_plus { name.to_owned() } else { name.replace('+', " ") };
        let decoded = percent_decode(spaced.as_bytes()).decode_utf8().ok().map(|name| name.into_owned());
        if decoded.is_none() {
            tracing::warn!(name, "a key in the listing is not UTF-8 and is left out");
        }
        decoded
    }
}

impl AwsStore {
    fn encoding(&self, answer: Option<&EncodingType>) -> Encoding {
        Encoding { url: answer == Some(&EncodingType::Url), literal_plus: self.dialect.literal_plus }
    }

    pub(super) async fn list_page(&self, request: &ListRequest) -> StoreResult<ListPage> {
        // A token says where to go on all by itself.
        let start_after = if request.continuation.is_none() { request.start_after.clone() } else { None };
        let sent = self
            .client
            .list_objects_v2()
            .bucket(&request.bucket)
            .prefix(&request.prefix)
            .encoding_type(EncodingType::Url)
            .max_keys(i32::from(request.max_keys.clamp(1, PAGE_MAX)))
            .set_delimiter(request.delimited.then(|| "/".to_owned()))
            .set_start_after(start_after)
            .set_continuation_token(request.continuation.clone());
        let answer = sent.send().await.map_err(|error| store_error(Subject::Bucket, error))?;
        let encoding = self.encoding(answer.encoding_type());
        let mut page = ListPage::default();
        for object in answer.contents() {
            let (Some(key), Some(size)) = (object.key(), object.size()) else { continue };
            let Some(key) = encoding.decode(key) else { continue };
            page.objects.push(ObjectInfo {
                key,
                size: u64::try_from(size).unwrap_or_default(),
                etag: ETag::new(object.e_tag().unwrap_or_default()),
                last_modified: timestamp(object.last_modified()),
            });
        }
        let prefixes = answer.common_prefixes().iter().filter_map(|common| common.prefix());
        page.prefixes.extend(prefixes.filter_map(|prefix| encoding.decode(prefix)));
        if answer.is_truncated() == Some(true) {
            let token = answer.next_continuation_token().filter(|token| !token.is_empty());
            let missing =
                || StoreError::Refused("the store cut a listing short and does not say how to go on".to_owned());
            page.next = Some(token.ok_or_else(missing)?.to_owned());
        }
        Ok(page)
    }

    pub(super) async fn pending_uploads(&self, bucket: &str, prefix: &str) -> StoreResult<Vec<PendingUpload>> {
        let mut uploads = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let request = self
                .client
                .list_multipart_uploads()
                .bucket(bucket)
                .prefix(prefix)
                .encoding_type(EncodingType::Url)
                .set_key_marker(key_marker)
                .set_upload_id_marker(id_marker);
            let page = request.send().await.map_err(|error| store_error(Subject::Bucket, error))?;
            let encoding = self.encoding(page.encoding_type());
            for upload in page.uploads() {
                let (Some(key), Some(upload_id)) = (upload.key(), upload.upload_id()) else { continue };
                let Some(key) = encoding.decode(key) else { continue };
                let initiated = timestamp(upload.initiated());
                uploads.push(PendingUpload { key, upload_id: upload_id.to_owned(), initiated });
            }
            key_marker = page.next_key_marker().and_then(|marker| encoding.decode(marker));
            id_marker = page.next_upload_id_marker().map(str::to_owned);
            if page.is_truncated() != Some(true) || key_marker.is_none() || uploads.len() >= UPLOADS_MAX {
                return Ok(uploads);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_as_their_server_wrote_them() {
        let aws = Encoding { url: true, literal_plus: false };
        assert_eq!(aws.decode("a+b%2Bc/%01%E2%82%AC"), Some("a b+c/\u{1}€".to_owned()));
        let literal = Encoding { url: true, literal_plus: true };
        assert_eq!(literal.decode("a+b%20c"), Some("a+b c".to_owned()));
        let plain = Encoding { url: false, literal_plus: false };
        assert_eq!(plain.decode("a+b%20c"), Some("a+b%20c".to_owned()));
        assert_eq!(aws.decode("%FF"), None);
    }
}
