//! Lists of buckets and objects: from the requests of S3 to the store, and back.

use std::sync::Arc;

use s3s::S3Result;
use s3s::dto::{
    Bucket, CommonPrefix, EncodingType, ListBucketsInput, ListBucketsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
};

use super::fault::Fault;
use super::listing::{Page, Query, page_size, parse_token, shown, token};
use super::record::{Summary, signed, timestamp};
use super::s3::Service;

impl Service {
    /// ListBuckets.
    pub(super) fn all_buckets(&self, input: &ListBucketsInput) -> S3Result<ListBucketsOutput> {
        let after = input.continuation_token.as_deref().map(parse_token).transpose()?.unwrap_or_default();
        let prefix = input.prefix.clone().unwrap_or_default();
        let max = input.max_buckets.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or_default());
        let mut buckets = self.store.buckets()?;
        buckets.retain(|(name, _)| name.starts_with(&prefix) && (after.is_empty() || *name > after));
        let more = buckets.len() > max;
        buckets.truncate(max);
        Ok(ListBucketsOutput {
            continuation_token: buckets.last().filter(|_| more).map(|(last, _)| token(last)),
            buckets: Some(
                buckets
                    .into_iter()
                    .map(|(name, created_ms)| Bucket {
                        name: Some(name),
                        creation_date: Some(timestamp(created_ms)),
                        ..Bucket::default()
                    })
                    .collect(),
            ),
            prefix: input.prefix.clone(),
            ..ListBucketsOutput::default()
        })
    }

    /// ListObjectsV2.
    pub(super) async fn list_v2(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let url = wants_url(input.encoding_type.as_ref());
        let resumed = input.continuation_token.as_deref().map(parse_token).transpose()?;
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: resumed.or_else(|| input.start_after.clone()),
            max: page_size(input.max_keys)?,
        };
        let max = query.max;
        let page = self.page(query).await?;
        let count = page.objects.len().saturating_add(page.prefixes.len());
        Ok(ListObjectsV2Output {
            name: Some(input.bucket),
            max_keys: i32::try_from(max).ok(),
            key_count: i32::try_from(count).ok(),
            is_truncated: Some(page.next.is_some()),
            continuation_token: input.continuation_token,
            next_continuation_token: page.next.as_deref().map(token),
            prefix: Some(shown(&input.prefix.unwrap_or_default(), url)),
            delimiter: input.delimiter.map(|delimiter| shown(&delimiter, url)),
            start_after: input.start_after.map(|key| shown(&key, url)),
            contents: Some(page.objects.into_iter().map(|object| listed(object, url)).collect()),
            common_prefixes: Some(common_prefixes(&page.prefixes, url)),
            encoding_type: input.encoding_type,
            ..ListObjectsV2Output::default()
        })
    }

    /// ListObjects, the first version.
    pub(super) async fn list_v1(&self, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
        let url = wants_url(input.encoding_type.as_ref());
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: input.marker.clone().filter(|marker| !marker.is_empty()),
            max: page_size(input.max_keys)?,
        };
        let max = query.max;
        let page = self.page(query).await?;
        Ok(ListObjectsOutput {
            name: Some(input.bucket),
            max_keys: i32::try_from(max).ok(),
            is_truncated: Some(page.next.is_some()),
            marker: Some(shown(&input.marker.unwrap_or_default(), url)),
            next_marker: page.next.as_deref().map(|next| shown(next, url)),
            prefix: Some(shown(&input.prefix.unwrap_or_default(), url)),
            delimiter: input.delimiter.map(|delimiter| shown(&delimiter, url)),
            contents: Some(page.objects.into_iter().map(|object| listed(object, url)).collect()),
            common_prefixes: Some(common_prefixes(&page.prefixes, url)),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        })
    }

    async fn page(&self, query: Query) -> Result<Page, Fault> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || store.list(&query)).await?
    }
}

/// Whether keys are to be shown percent-encoded.
pub(super) fn wants_url(encoding: Option<&EncodingType>) -> bool {
    encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL)
}

/// Common prefixes as S3 shows them.
pub(super) fn common_prefixes(prefixes: &[String], url: bool) -> Vec<CommonPrefix> {
    prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(shown(prefix, url)) }).collect()
}

fn listed((key, summary): (String, Summary), url: bool) -> Object {
    Object {
        key: Some(shown(&key, url)),
        e_tag: Some(summary.e_tag()),
        last_modified: Some(timestamp(summary.modified_ms)),
        size: Some(signed(summary.size)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    }
}
