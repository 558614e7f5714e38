//! PUT, GET, HEAD and DELETE of objects.

use std::collections::BTreeMap;

use s3s::S3ErrorCode;
use s3s::dto::{Range, StreamingBlob};

use super::body::Body;
use super::checksum::Announced;
use super::conditions::{ReadCondition, Unchanged, WriteCondition};
use super::fault::Fault;
use super::ingest::ingest;
use super::record::{ContentHeaders, Detail, ObjectRecord, Summary, hex, now_ms};
use super::store::Store;

/// User metadata of one object, names and values, bytes (S3's own limit).
const METADATA_MAX: usize = 2048;
/// Bytes of a key (S3's own limit).
const KEY_MAX: usize = 1024;

/// An object's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// The bucket.
    pub(super) bucket: String,
    /// The key, any UTF-8.
    pub(super) key: String,
}

/// What an object carries besides its bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    /// Stored headers.
    pub(super) headers: ContentHeaders,
    /// User metadata.
    pub(super) metadata: BTreeMap<String, String>,
}

/// Which bytes of an object a GET or HEAD is about.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    /// A byte range.
    pub(super) range: Option<Range>,
    /// A part of a multipart object, from 1.
    pub(super) part: Option<u64>,
}

/// The answer to a GET or HEAD.
#[derive(Debug)]
pub(super) struct Found<B> {
    /// The object.
    pub(super) object: ObjectRecord,
    /// First byte meant.
    pub(super) start: u64,
    /// One past the last byte meant.
    pub(super) end: u64,
    /// The bytes meant.
    pub(super) body: B,
}

impl Name {
    /// Checks the length of the key.
    ///
    /// # Errors
    /// `KeyTooLongError` beyond 1024 bytes.
    pub(super) fn new(bucket: String, key: String) -> Result<Self, Fault> {
        if key.len() > KEY_MAX {
            return Err(Fault::refused(S3ErrorCode::KeyTooLongError, "a key is at most 1024 bytes"));
        }
        Ok(Self { bucket, key })
    }
}

impl Labels {
    /// Checks the length of the metadata.
    ///
    /// # Errors
    /// `MetadataTooLarge` beyond 2 KiB.
    pub(super) fn new(
        headers: ContentHeaders,
        metadata: Option<impl IntoIterator<Item = (String, String)>>,
    ) -> Result<Self, Fault> {
        let metadata: BTreeMap<String, String> = metadata.into_iter().flatten().collect();
        let len = metadata.iter().fold(0_usize, |sum, (k, v)| sum.saturating_add(k.len()).saturating_add(v.len()));
        if len > METADATA_MAX {
            return Err(Fault::refused(S3ErrorCode::MetadataTooLarge, "user metadata is at most 2048 bytes"));
        }
        Ok(Self { headers, metadata })
    }
}

impl Store {
    /// Stores a body under a name, atomically and durably.
    pub(super) async fn put_object(
        &self,
        name: Name,
        labels: Labels,
        condition: WriteCondition,
        body: Option<StreamingBlob>,
        announced: &Announced,
    ) -> Result<ObjectRecord, Fault> {
        let condition = self.obeyed(condition);
        let ingested = ingest(&self.blobs, body, announced).await?;
        self.index
            .change(move |tables| {
                tables.require_bucket(&name.bucket)?;
                condition.check(tables.summary(&name.bucket, &name.key)?.as_ref())?;
                let etag = hex(&ingested.digests.md5);
                let object = ObjectRecord {
                    summary: Summary { size: ingested.size, etag, modified_ms: now_ms() },
                    detail: Detail {
                        headers: labels.headers,
                        metadata: labels.metadata,
                        checksums: ingested.digests.checksums.clone(),
                        pieces: ingested.store(tables)?,
                        part_sizes: Vec::new(),
                    },
                };
                tables.put_object(&name.bucket, &name.key, &object)?;
                Ok(object)
            })
            .await
    }

    /// The object and the wanted bytes of it, as of now; an overwrite does not disturb the reading.
    pub(super) fn get_object(
        &self,
        name: &Name,
        condition: &ReadCondition,
        wanted: Wanted,
    ) -> Result<Found<Body>, Fault> {
        let choose = |object: &ObjectRecord| {
            condition.check(&object.summary, Unchanged::NotModified)?;
            wanted.of(object)
        };
        let (object, _, body) = self.open_object(&name.bucket, &name.key, &choose)?;
        let (start, end) = wanted.of(&object)?;
        Ok(Found { object, start, end, body })
    }

    /// The object without its bytes.
    pub(super) fn head_object(
        &self,
        name: &Name,
        condition: &ReadCondition,
        wanted: Wanted,
    ) -> Result<Found<()>, Fault> {
        let object = self.object(&name.bucket, &name.key)?;
        condition.check(&object.summary, Unchanged::NotModified)?;
        let (start, end) = wanted.of(&object)?;
        Ok(Found { object, start, end, body: () })
    }

    /// Removes the object; it is no error if there is none, unless a condition wants one.
    pub(super) async fn delete_object(&self, name: Name, condition: WriteCondition) -> Result<(), Fault> {
        let condition = self.obeyed(condition);
        self.index
            .change(move |tables| {
                tables.require_bucket(&name.bucket)?;
                condition.check(tables.summary(&name.bucket, &name.key)?.as_ref())?;
                tables.remove_object(&name.bucket, &name.key)
            })
            .await
    }

    /// Removes many objects in one transaction; one result for each, in order.
    pub(super) async fn delete_objects(
        &self,
        bucket: String,
        keys: Vec<(String, WriteCondition)>,
    ) -> Result<Vec<Result<(), Fault>>, Fault> {
        let keys: Vec<_> = keys.into_iter().map(|(key, condition)| (key, self.obeyed(condition))).collect();
        self.index
            .change(move |tables| {
                tables.require_bucket(&bucket)?;
                let mut results = Vec::with_capacity(keys.len());
                for (key, condition) in &keys {
                    match condition.check(tables.summary(&bucket, key)?.as_ref()) {
                        Ok(()) => results.push(Ok(tables.remove_object(&bucket, key)?)),
                        Err(fault) => results.push(Err(fault)),
                    }
                }
                Ok(results)
            })
            .await
    }
}

impl Wanted {
    /// Whether this is about less than the whole object, so that the answer is a 206.
    pub(super) fn is_partial(self) -> bool {
        self.range.is_some() || self.part.is_some()
    }

    /// The first byte meant, and one past the last.
    fn of(self, object: &ObjectRecord) -> Result<(u64, u64), Fault> {
        let size = object.summary.size;
        if let Some(part) = self.part {
            return part_range(object, part);
        }
        let Some(range) = self.range else { return Ok((0, size)) };
        let range = range
            .check(size)
            .map_err(|_| Fault::refused(S3ErrorCode::InvalidRange, "the range lies outside the object"))?;
        Ok((range.start, range.end))
    }
}

fn part_range(object: &ObjectRecord, part: u64) -> Result<(u64, u64), Fault> {
    let sizes = &object.detail.part_sizes;
    let index = usize::try_from(part).ok().and_then(|part| part.checked_sub(1));
    match index {
        Some(0) if sizes.is_empty() => Ok((0, object.summary.size)),
        Some(index) if index < sizes.len() => {
            let start = sizes.iter().take(index).fold(0_u64, |sum, size| sum.saturating_add(*size));
            Ok((start, start.saturating_add(sizes.get(index).copied().unwrap_or_default())))
        }
        _ => Err(Fault::refused(S3ErrorCode::InvalidRange, "the object has no such part")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(size: u64, part_sizes: Vec<u64>) -> ObjectRecord {
        ObjectRecord {
            summary: Summary { size, etag: String::new(), modified_ms: 0 },
            detail: Detail { part_sizes, ..Detail::default() },
        }
    }

    #[test]
    fn a_part_is_a_range_of_the_object() {
        let multipart = object(7, vec![4, 3]);
        let part = |number| Wanted { part: Some(number), range: None };
        assert_eq!(part(1).of(&multipart).unwrap(), (0, 4));
        assert_eq!(part(2).of(&multipart).unwrap(), (4, 7));
        assert!(part(0).of(&multipart).is_err());
        assert!(part(3).of(&multipart).is_err());
        assert_eq!(part(1).of(&object(5, Vec::new())).unwrap(), (0, 5));
        assert!(part(2).of(&object(5, Vec::new())).is_err());
    }

    #[test]
    fn limits_are_those_of_s3() {
        assert!(Name::new("b".into(), "k".repeat(KEY_MAX)).is_ok());
        assert!(Name::new("b".into(), "k".repeat(KEY_MAX + 1)).is_err());
        let labels = |len: usize| Labels::new(ContentHeaders::default(), Some([("k".to_owned(), "v".repeat(len))]));
        assert!(labels(METADATA_MAX - 1).is_ok());
        assert!(labels(METADATA_MAX).is_err());
    }
}
