//! Multipart uploads: parts are blobs, and completing only strings their pieces together.

use std::collections::BTreeMap;
use std::ops::Bound;

use s3s::S3ErrorCode;
use s3s::dto::StreamingBlob;

use super::checksum::{Algorithm, Announced, Checksums, combine, multipart_etag};
use super::conditions::WriteCondition;
use super::fault::Fault;
use super::index::{PARTS, UPLOADS};
use super::ingest::ingest;
use super::listing::Query;
use super::objects::{Labels, Name};
use super::record::{Detail, ObjectRecord, PartRecord, Summary, UploadRecord, hex, now_ms};
use super::store::Store;

/// Highest part number (S3's own limit).
const PARTS_MAX: u16 = 10_000;
/// Least size of every part but the last, bytes (S3's own limit).
const PART_MIN: u64 = 5 << 20;

/// A part as the client names it on completion.
#[derive(Debug, Clone)]
pub(super) struct NamedPart {
    /// Part number.
    pub(super) number: i32,
    /// ETag, without quotes.
    pub(super) etag: String,
    /// Checksums, where the client names them.
    pub(super) checksums: BTreeMap<Algorithm, String>,
}

/// What a client wants completed.
#[derive(Debug, Clone, Default)]
pub(super) struct Completion {
    /// The parts of the object, in order.
    pub(super) parts: Vec<NamedPart>,
    /// The size the object must have.
    pub(super) size: Option<u64>,
    /// Checksums the object must have.
    pub(super) checksums: BTreeMap<Algorithm, String>,
}

/// A page of unfinished uploads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UploadPage {
    /// Key, number and record, in the order of keys and numbers.
    pub(super) uploads: Vec<(String, u64, UploadRecord)>,
    /// Common prefixes.
    pub(super) prefixes: Vec<String>,
    /// Key (or prefix) and number after which the next page begins.
    pub(super) next: Option<(String, u64)>,
}

impl Store {
    /// Begins an upload and returns its number. `composite` says how the object's checksum comes about.
    pub(super) async fn create_upload(
        &self,
        name: Name,
        labels: Labels,
        algorithm: Option<Algorithm>,
        composite: bool,
    ) -> Result<u64, Fault> {
        let id = self.upload_ids.next();
        let Labels { headers, metadata } = labels;
        let upload = UploadRecord { initiated_ms: now_ms(), headers, metadata, algorithm, composite };
        self.index
            .change(move |tables| {
                tables.require_bucket(&name.bucket)?;
                tables.add_upload(&name.bucket, &name.key, id, &upload)
            })
            .await?;
        Ok(id)
    }

    /// An unfinished upload.
    pub(super) fn upload(&self, name: &Name, upload: u64) -> Result<UploadRecord, Fault> {
        let uploads = self.index.snapshot()?.open_table(UPLOADS)?;
        let row = uploads.get((name.bucket.as_str(), name.key.as_bytes(), upload))?;
        Ok(postcard::from_bytes(row.ok_or_else(Fault::no_such_upload)?.value())?)
    }

    /// Stores a part, in place of an earlier one of the same number.
    pub(super) async fn put_part(
        &self,
        name: Name,
        upload: u64,
        number: u16,
        body: Option<StreamingBlob>,
        mut announced: Announced,
    ) -> Result<PartRecord, Fault> {
        announced.wanted.extend(self.upload(&name, upload)?.algorithm);
        let ingested = ingest(&self.blobs, body, &announced).await?;
        self.index
            .change(move |tables| {
                tables.upload(&name.bucket, &name.key, upload)?;
                let (size, md5, checksums) = (ingested.size, ingested.digests.md5, ingested.digests.checksums.clone());
                let pieces = ingested.store(tables)?;
                let part = PartRecord { size, md5, modified_ms: now_ms(), checksums, pieces };
                tables.put_part(upload, number, &part)?;
                Ok(part)
            })
            .await
    }

    /// Makes the object out of the named parts, and ends the upload.
    pub(super) async fn complete_upload(
        &self,
        name: Name,
        upload: u64,
        condition: WriteCondition,
        completion: Completion,
    ) -> Result<ObjectRecord, Fault> {
        let condition = self.obeyed(condition);
        self.index
            .change(move |tables| {
                let record = tables.upload(&name.bucket, &name.key, upload)?;
                let parts = chosen_parts(tables.parts(upload)?, &completion.parts)?;
                let object = assemble(record, &parts, &completion)?;
                condition.check(tables.summary(&name.bucket, &name.key)?.as_ref())?;
                let kept: Vec<u16> = parts.iter().map(|(number, _)| *number).collect();
                tables.remove_upload(&name.bucket, name.key.as_bytes(), upload, &kept)?;
                tables.put_object(&name.bucket, &name.key, &object)?;
                Ok(object)
            })
            .await
    }

    /// Ends an upload and gives up its parts.
    pub(super) async fn abort_upload(&self, name: Name, upload: u64) -> Result<(), Fault> {
        self.index
            .change(move |tables| {
                tables.upload(&name.bucket, &name.key, upload)?;
                tables.remove_upload(&name.bucket, name.key.as_bytes(), upload, &[])
            })
            .await
    }

    /// Parts of an upload numbered above `after`, at most `max`, and whether there are more.
    pub(super) fn list_parts(
        &self,
        upload: u64,
        after: u16,
        max: usize,
    ) -> Result<(Vec<(u16, PartRecord)>, bool), Fault> {
        let rows = self.index.snapshot()?.open_table(PARTS)?;
        let mut parts = Vec::new();
        for row in rows.range((upload, after.saturating_add(1))..=(upload, u16::MAX))? {
            if parts.len() == max {
                return Ok((parts, true));
            }
            let (id, part) = row?;
            parts.push((id.value().1, postcard::from_bytes(part.value())?));
        }
        Ok((parts, false))
    }

    /// A page of unfinished uploads. `query.after` is the key to go on behind, or to go on with, behind `upload`.
    pub(super) fn list_uploads(&self, query: &Query, upload: Option<u64>) -> Result<UploadPage, Fault> {
        self.require_bucket(&query.bucket)?;
        let uploads = self.index.snapshot()?.open_table(UPLOADS)?;
        let (bucket, prefix) = (query.bucket.as_str(), query.prefix.as_bytes());
        let from = match &query.after {
            Some(after) if after.as_bytes() >= prefix => {
                Bound::Excluded((bucket, after.as_bytes(), upload.unwrap_or(u64::MAX)))
            }
            _ => Bound::Included((bucket, prefix, 0)),
        };
        let mut page = UploadPage::default();
        let mut last = None;
        for row in uploads.range::<(&str, &[u8], u64)>((from, Bound::Unbounded))? {
            let (id, record) = row?;
            let (owner, key, id) = id.value();
            if owner != bucket || !key.starts_with(prefix) || query.max == 0 {
                break;
            }
            let key = std::str::from_utf8(key).map_err(Fault::storage)?;
            let common = query.common_prefix(key);
            if common.is_some()
                && (common == query.after.as_deref() || common == page.prefixes.last().map(String::as_str))
            {
                continue;
            }
            if page.uploads.len().saturating_add(page.prefixes.len()) >= query.max {
                page.next = last;
                break;
            }
            match common {
                Some(common) => page.prefixes.push(common.to_owned()),
                None => page.uploads.push((key.to_owned(), id, postcard::from_bytes(record.value())?)),
            }
            last = Some((common.unwrap_or(key).to_owned(), id));
        }
        Ok(page)
    }
}

/// A part number as S3 allows it.
///
/// # Errors
/// `InvalidArgument` outside 1 to 10,000.
pub(super) fn part_number(sent: i32) -> Result<u16, Fault> {
    let number = u16::try_from(sent).ok().filter(|number| (1..=PARTS_MAX).contains(number));
    number.ok_or_else(|| Fault::refused(S3ErrorCode::InvalidArgument, "a part number is between 1 and 10000"))
}

/// The uploaded parts that the client names, checked for order, ETag, checksum and size.
fn chosen_parts(uploaded: Vec<(u16, PartRecord)>, named: &[NamedPart]) -> Result<Vec<(u16, PartRecord)>, Fault> {
    if named.is_empty() {
        return Err(Fault::refused(S3ErrorCode::MalformedXML, "an object needs at least one part"));
    }
    if !named.is_sorted_by(|one, two| one.number < two.number) {
        return Err(Fault::refused(S3ErrorCode::InvalidPartOrder, "part numbers must rise"));
    }
    let mut uploaded: BTreeMap<i32, (u16, PartRecord)> =
        uploaded.into_iter().map(|(number, part)| (i32::from(number), (number, part))).collect();
    let mut chosen = Vec::with_capacity(named.len());
    for named in named {
        let found = uploaded.remove(&named.number).filter(|(_, part)| {
            let same = |(algorithm, sum): (&Algorithm, &String)| part.checksums.values.get(algorithm) == Some(sum);
            hex(&part.md5) == named.etag && named.checksums.iter().all(same)
        });
        let message = "a named part was not uploaded, or is another one now";
        chosen.push(found.ok_or_else(|| Fault::refused(S3ErrorCode::InvalidPart, message))?);
    }
    let but_last = chosen.iter().rev().skip(1);
    if but_last.into_iter().any(|(_, part)| part.size < PART_MIN) {
        return Err(Fault::refused(S3ErrorCode::EntityTooSmall, "every part but the last has at least 5 MiB"));
    }
    Ok(chosen)
}

/// The object that the parts make.
fn assemble(upload: UploadRecord, parts: &[(u16, PartRecord)], completion: &Completion) -> Result<ObjectRecord, Fault> {
    let size = parts.iter().fold(0_u64, |sum, (_, part)| sum.saturating_add(part.size));
    if completion.size.is_some_and(|wanted| wanted != size) {
        return Err(Fault::refused(S3ErrorCode::InvalidRequest, "the object would not have the announced size"));
    }
    let mut checksums = Checksums { values: BTreeMap::new(), composite: upload.composite };
    if let Some(algorithm) = upload.algorithm {
        let missing = || Fault::storage("a part lacks the checksum of its upload");
        let sum = |part: &PartRecord| Ok((part.checksums.get(algorithm).ok_or_else(missing)?, part.size));
        let sums = parts.iter().map(|(_, part)| sum(part)).collect::<Result<Vec<_>, Fault>>()?;
        checksums.values.insert(algorithm, combine(algorithm, upload.composite, &sums)?);
    }
    let differs =
        |(algorithm, sum): (&Algorithm, &String)| checksums.values.get(algorithm).is_some_and(|own| own != sum);
    if completion.checksums.iter().any(differs) {
        return Err(Fault::refused(S3ErrorCode::BadDigest, "the object would not have the announced checksum"));
    }
    let md5s: Vec<&[u8; 16]> = parts.iter().map(|(_, part)| &part.md5).collect();
    Ok(ObjectRecord {
        summary: Summary { size, etag: multipart_etag(md5s.into_iter()), modified_ms: now_ms() },
        detail: Detail {
            headers: upload.headers,
            metadata: upload.metadata,
            checksums,
            pieces: parts.iter().flat_map(|(_, part)| part.pieces.iter().copied()).collect(),
            part_sizes: parts.iter().map(|(_, part)| part.size).collect(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploaded(number: u16, size: u64) -> (u16, PartRecord) {
        let checksums = Checksums { values: [(Algorithm::Crc32, format!("sum{number}"))].into(), composite: false };
        (number, PartRecord { size, md5: [1; 16], modified_ms: 0, checksums, pieces: Vec::new() })
    }

    fn named(number: i32) -> NamedPart {
        NamedPart { number, etag: hex(&[1; 16]), checksums: BTreeMap::new() }
    }

    fn refusal(result: Result<Vec<(u16, PartRecord)>, Fault>) -> S3ErrorCode {
        match result {
            Err(Fault::Refused { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn completion_names_uploaded_parts_in_rising_order() {
        let all = vec![uploaded(3, PART_MIN), uploaded(7, 1)];
        let numbers: Vec<u16> =
            chosen_parts(all.clone(), &[named(3), named(7)]).unwrap().into_iter().map(|(n, _)| n).collect();
        assert_eq!(numbers, [3, 7]);
        assert_eq!(refusal(chosen_parts(all.clone(), &[named(7), named(3)])), S3ErrorCode::InvalidPartOrder);
        assert_eq!(refusal(chosen_parts(all.clone(), &[named(3), named(3)])), S3ErrorCode::InvalidPartOrder);
        assert_eq!(refusal(chosen_parts(all.clone(), &[named(4)])), S3ErrorCode::InvalidPart);
        assert_eq!(refusal(chosen_parts(all, &[])), S3ErrorCode::MalformedXML);
    }

    #[test]
    fn completion_refuses_another_etag_another_checksum_and_small_parts() {
        let other = NamedPart { etag: hex(&[2; 16]), ..named(1) };
        assert_eq!(refusal(chosen_parts(vec![uploaded(1, 1)], &[other])), S3ErrorCode::InvalidPart);
        let other = NamedPart { checksums: [(Algorithm::Crc32, "sum2".into())].into(), ..named(1) };
        assert_eq!(refusal(chosen_parts(vec![uploaded(1, 1)], &[other])), S3ErrorCode::InvalidPart);
        let small = vec![uploaded(1, PART_MIN - 1), uploaded(2, 1)];
        assert_eq!(refusal(chosen_parts(small, &[named(1), named(2)])), S3ErrorCode::EntityTooSmall);
    }

    #[test]
    fn part_numbers_are_those_of_s3() {
        assert_eq!(part_number(1).unwrap(), 1);
        assert_eq!(part_number(10_000).unwrap(), 10_000);
        assert!(part_number(0).is_err());
        assert!(part_number(10_001).is_err());
        assert!(part_number(-1).is_err());
    }
}
