//! Copies inside the store: they share blobs and count references, so their cost does not depend on the size.

use s3s::S3ErrorCode;
use s3s::dto::StreamingBlob;

use super::checksum::{Algorithm, Announced, Digests, Hashes};
use super::conditions::{ReadCondition, Unchanged, WriteCondition};
use super::fault::Fault;
use super::ingest::{BODY_MAX, ingest};
use super::objects::{Labels, Name};
use super::record::{ObjectRecord, PartRecord, Piece, now_ms};
use super::store::Store;

/// Pieces a copied part may share. A part in more pieces is written anew, so that copies of copies stay in few pieces.
const SHARED_PIECES_MAX: usize = 16;
/// How often a part copy starts again because its source went while it was read.
const ATTEMPTS_MAX: usize = 8;

/// Where a copy comes from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The object.
    pub(super) name: Name,
    /// What must be true of it.
    pub(super) condition: ReadCondition,
}

impl Store {
    /// Copies an object, whole. `labels` replace those of the source (metadata directive REPLACE).
    ///
    /// # Errors
    /// `InvalidRequest` for a copy onto itself that changes nothing; those of the conditions.
    pub(super) async fn copy_object(
        &self,
        source: Source,
        target: Name,
        condition: WriteCondition,
        labels: Option<Labels>,
    ) -> Result<ObjectRecord, Fault> {
        let condition = self.obeyed(condition);
        self.index
            .change(move |tables| {
                tables.require_bucket(&target.bucket)?;
                tables.require_bucket(&source.name.bucket)?;
                let object = tables.object(&source.name.bucket, &source.name.key)?;
                let mut object = object.ok_or_else(Fault::no_such_key)?;
                source.condition.check(&object.summary, Unchanged::PreconditionFailed)?;
                if labels.is_none() && source.name == target {
                    let message = "a copy of an object onto itself must change its metadata";
                    return Err(Fault::refused(S3ErrorCode::InvalidRequest, message));
                }
                condition.check(tables.summary(&target.bucket, &target.key)?.as_ref())?;
                object.summary.modified_ms = now_ms();
                if let Some(labels) = labels {
                    object.detail.headers = labels.headers;
                    object.detail.metadata = labels.metadata;
                }
                tables.share(&object.detail.pieces)?;
                tables.put_object(&target.bucket, &target.key, &object)?;
                Ok(object)
            })
            .await
    }

    /// Makes a part of an upload out of bytes `first..=last` of an object, or of all of it.
    ///
    /// # Errors
    /// `InvalidRange` for a range that does not lie within the source, `EntityTooLarge` beyond 5 GiB, `SlowDown` where
    /// the source was overwritten again and again while it was read.
    pub(super) async fn copy_part(
        &self,
        source: Source,
        range: Option<(u64, u64)>,
        target: Name,
        upload: u64,
        number: u16,
    ) -> Result<PartRecord, Fault> {
        let algorithm = self.upload(&target, upload)?.algorithm;
        for _ in 0..ATTEMPTS_MAX {
            let (digests, bytes) = self.read_source(&source, range, algorithm).await?;
            let target = target.clone();
            let put = self.index.change(move |tables| {
                tables.upload(&target.bucket, &target.key, upload)?;
                let (size, pieces) = match bytes {
                    Copied::Shared(size, pieces) if tables.holds(&pieces)? => {
                        tables.share(&pieces)?;
                        (size, pieces)
                    }
                    Copied::Shared(..) => return Ok(None),
                    Copied::Anew(ingested) => (ingested.size, ingested.store(tables)?),
                };
                let (md5, checksums) = (digests.md5, digests.checksums);
                let part = PartRecord { size, md5, modified_ms: now_ms(), checksums, pieces };
                tables.put_part(upload, number, &part)?;
                Ok(Some(part))
            });
            if let Some(part) = put.await? {
                return Ok(part);
            }
        }
        Err(Fault::refused(S3ErrorCode::SlowDown, "the source of the copy changes too often"))
    }

    /// Reads the source of a part: its hashes, and either its pieces or a blob of its own.
    async fn read_source(
        &self,
        source: &Source,
        range: Option<(u64, u64)>,
        algorithm: Option<Algorithm>,
    ) -> Result<(Digests, Copied), Fault> {
        let choose = |object: &ObjectRecord| {
            source.condition.check(&object.summary, Unchanged::PreconditionFailed)?;
            source_range(object.summary.size, range)
        };
        let (_, pieces, body) = self.open_object(&source.name.bucket, &source.name.key, &choose)?;
        if pieces.len() > SHARED_PIECES_MAX {
            let announced = Announced { wanted: algorithm.into_iter().collect(), ..Announced::default() };
            let body = StreamingBlob::wrap(body.into_stream());
            let ingested = ingest(&self.blobs, Some(body), &announced).await?;
            return Ok((ingested.digests.clone(), Copied::Anew(ingested)));
        }
        let size = pieces.iter().fold(0_u64, |sum, piece| sum.saturating_add(piece.len));
        let hashing = tokio::task::spawn_blocking(move || {
            let mut hashes = Hashes::new(algorithm);
            body.for_each_blocking(|chunk| hashes.update(chunk)).map(|()| hashes.finish())
        });
        Ok((hashing.await??, Copied::Shared(size, pieces)))
    }
}

/// How a copied part holds its bytes.
enum Copied {
    /// Together with its source: size, pieces.
    Shared(u64, Vec<Piece>),
    /// In a blob of its own.
    Anew(super::ingest::Ingested),
}

/// The bytes of a source of `size` that a part copy is about: start and end.
fn source_range(size: u64, range: Option<(u64, u64)>) -> Result<(u64, u64), Fault> {
    let (start, end) = match range {
        None => (0, size),
        Some((first, last)) if first <= last && last < size => (first, last.saturating_add(1)),
        Some(_) => return Err(Fault::refused(S3ErrorCode::InvalidRange, "the range lies outside the source")),
    };
    if end.saturating_sub(start) > BODY_MAX {
        return Err(Fault::refused(S3ErrorCode::EntityTooLarge, "a part is at most 5 GiB"));
    }
    Ok((start, end))
}

/// The first and last byte of `x-amz-copy-source-range`, `bytes=first-last`.
///
/// # Errors
/// `InvalidArgument` for anything else.
pub(super) fn parse_source_range(text: &str) -> Result<(u64, u64), Fault> {
    let number = |digits: &str| -> Option<u64> {
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    text.strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .and_then(|(first, last)| number(first).zip(number(last)))
        .ok_or_else(|| Fault::refused(S3ErrorCode::InvalidArgument, "the source range is not bytes=first-last"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_range_has_both_ends_inside_the_source() {
        assert_eq!(parse_source_range("bytes=0-9").unwrap(), (0, 9));
        for wrong in ["bytes=0-", "bytes=-1", "0-1", "bytes=+1-2", "bytes=1-2-3", "bytes=99999999999999999999-1"] {
            assert!(parse_source_range(wrong).is_err(), "{wrong}");
        }
        assert_eq!(source_range(10, Some((0, 9))).unwrap(), (0, 10));
        assert_eq!(source_range(10, None).unwrap(), (0, 10));
        assert!(source_range(10, Some((0, 10))).is_err());
        assert!(source_range(10, Some((5, 4))).is_err());
        assert!(source_range(BODY_MAX + 1, None).is_err());
    }
}
