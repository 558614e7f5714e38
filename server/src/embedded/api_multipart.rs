//! Multipart uploads: from the requests of S3 to the store, and back.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part, StorageClass, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Result};

use super::api_listings::{common_prefixes, wants_url};
use super::api_objects::{algorithm, checksum_type, source_condition, source_name, trailing_checksums};
use super::checksum::{Algorithm, Announced, checksums_from, checksums_into};
use super::conditions::WriteCondition;
use super::copy::{Source, parse_source_range};
use super::fault::Fault;
use super::listing::{Query, page_size, shown};
use super::multipart::{Completion, NamedPart, part_number};
use super::objects::{Labels, Name};
use super::record::{PartRecord, content_headers, hex, signed, timestamp};
use super::s3::{Service, refuse};
use super::upload_ids::{format_upload_id, parse_upload_id};

impl Service {
    /// CreateMultipartUpload.
    pub(super) async fn begin_upload(
        &self,
        mut input: CreateMultipartUploadInput,
    ) -> S3Result<CreateMultipartUploadOutput> {
        refuse(input.tagging.is_some(), "this server keeps no tags")?;
        refuse(
            input.sse_customer_algorithm.is_some() || input.server_side_encryption.is_some(),
            "this server does not encrypt",
        )?;
        let labels = Labels::new(content_headers!(input), input.metadata.take())?;
        let algorithm = algorithm(input.checksum_algorithm.as_ref())?;
        let composite = is_composite(algorithm, input.checksum_type.as_ref())?;
        let name = Name::new(input.bucket, input.key)?;
        let upload = self.store.create_upload(name.clone(), labels, algorithm, composite).await?;
        Ok(CreateMultipartUploadOutput {
            bucket: Some(name.bucket),
            key: Some(name.key),
            upload_id: Some(format_upload_id(upload)),
            checksum_algorithm: algorithm.map(|a| ChecksumAlgorithm::from_static(a.name())),
            checksum_type: algorithm.map(|_| upload_checksum_type(composite)),
            ..CreateMultipartUploadOutput::default()
        })
    }

    /// UploadPart.
    pub(super) async fn put_part(&self, mut req: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
        let trailing = trailing_checksums(&req);
        let input = req.input;
        let announced = Announced {
            length: input.content_length.and_then(|length| u64::try_from(length).ok()),
            values: checksums_from!(input),
            wanted: algorithm(input.checksum_algorithm.as_ref())?.into_iter().collect(),
            content_md5: input.content_md5,
            trailing,
            trailers: req.trailing_headers.take(),
        };
        let name = Name::new(input.bucket, input.key)?;
        let number = part_number(input.part_number)?;
        let upload = parse_upload_id(&input.upload_id)?;
        let part = self.store.put_part(name, upload, number, input.body, announced).await?;
        let mut output = UploadPartOutput { e_tag: Some(part_e_tag(&part)), ..UploadPartOutput::default() };
        checksums_into!(output, part.checksums);
        Ok(output)
    }

    /// UploadPartCopy.
    pub(super) async fn copy_part(&self, mut input: UploadPartCopyInput) -> S3Result<UploadPartCopyOutput> {
        let source = Source { name: source_name(&input.copy_source)?, condition: source_condition!(input) };
        let range = input.copy_source_range.as_deref().map(parse_source_range).transpose()?;
        let name = Name::new(input.bucket, input.key)?;
        let number = part_number(input.part_number)?;
        let upload = parse_upload_id(&input.upload_id)?;
        let part = self.store.copy_part(source, range, name, upload, number).await?;
        let mut result = CopyPartResult {
            e_tag: Some(part_e_tag(&part)),
            last_modified: Some(timestamp(part.modified_ms)),
            ..CopyPartResult::default()
        };
        checksums_into!(result, part.checksums);
        Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
    }

    /// CompleteMultipartUpload.
    pub(super) async fn complete(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let mut parts = Vec::new();
        for part in input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default() {
            let named = part.part_number.zip(part.e_tag.as_ref());
            let message = "a part needs a number and an ETag";
            let (number, e_tag) = named.ok_or_else(|| Fault::refused(S3ErrorCode::MalformedXML, message))?;
            parts.push(NamedPart { number, etag: e_tag.value().to_owned(), checksums: checksums_from!(part) });
        }
        let size = input.mpu_object_size.and_then(|size| u64::try_from(size).ok());
        let completion = Completion { parts, size, checksums: checksums_from!(input) };
        let condition = WriteCondition { if_match: input.if_match, if_none_match: input.if_none_match };
        let name = Name::new(input.bucket, input.key)?;
        let upload = parse_upload_id(&input.upload_id)?;
        let object = self.store.complete_upload(name.clone(), upload, condition, completion).await?;
        let mut output = CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", name.bucket, shown(&name.key, true))),
            bucket: Some(name.bucket),
            key: Some(name.key),
            e_tag: Some(object.summary.e_tag()),
            checksum_type: checksum_type(&object.detail.checksums),
            ..CompleteMultipartUploadOutput::default()
        };
        checksums_into!(output, object.detail.checksums);
        Ok(output)
    }

    /// AbortMultipartUpload.
    pub(super) async fn abort(&self, input: AbortMultipartUploadInput) -> S3Result<AbortMultipartUploadOutput> {
        let upload = parse_upload_id(&input.upload_id)?;
        self.store.abort_upload(Name::new(input.bucket, input.key)?, upload).await?;
        Ok(AbortMultipartUploadOutput::default())
    }

    /// ListParts.
    pub(super) fn parts(&self, input: ListPartsInput) -> S3Result<ListPartsOutput> {
        let upload = parse_upload_id(&input.upload_id)?;
        let name = Name::new(input.bucket, input.key)?;
        let record = self.store.upload(&name, upload)?;
        let max = page_size(input.max_parts)?;
        let after = u16::try_from(input.part_number_marker.unwrap_or_default()).unwrap_or(u16::MAX);
        let (parts, more) = self.store.list_parts(upload, after, max)?;
        Ok(ListPartsOutput {
            bucket: Some(name.bucket),
            key: Some(name.key),
            upload_id: Some(input.upload_id),
            max_parts: i32::try_from(max).ok(),
            part_number_marker: input.part_number_marker,
            next_part_number_marker: parts.last().filter(|_| more).map(|(number, _)| i32::from(*number)),
            is_truncated: Some(more),
            checksum_algorithm: record.algorithm.map(|a| ChecksumAlgorithm::from_static(a.name())),
            checksum_type: record.algorithm.map(|_| upload_checksum_type(record.composite)),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            parts: Some(parts.iter().map(|(number, part)| listed_part(*number, part)).collect()),
            ..ListPartsOutput::default()
        })
    }

    /// ListMultipartUploads.
    pub(super) fn uploads(&self, input: ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
        let url = wants_url(input.encoding_type.as_ref());
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: input.key_marker.clone().filter(|marker| !marker.is_empty()),
            max: page_size(input.max_uploads)?,
        };
        let marker = input.upload_id_marker.as_deref().filter(|marker| !marker.is_empty());
        let page = self.store.list_uploads(&query, marker.map(parse_upload_id).transpose()?)?;
        let uploads = page.uploads.iter().map(|(key, id, record)| MultipartUpload {
            key: Some(shown(key, url)),
            upload_id: Some(format_upload_id(*id)),
            initiated: Some(timestamp(record.initiated_ms)),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            checksum_algorithm: record.algorithm.map(|a| ChecksumAlgorithm::from_static(a.name())),
            checksum_type: record.algorithm.map(|_| upload_checksum_type(record.composite)),
            ..MultipartUpload::default()
        });
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            max_uploads: i32::try_from(query.max).ok(),
            is_truncated: Some(page.next.is_some()),
            key_marker: input.key_marker.map(|marker| shown(&marker, url)),
            upload_id_marker: input.upload_id_marker,
            next_key_marker: page.next.as_ref().map(|(key, _)| shown(key, url)),
            next_upload_id_marker: page.next.as_ref().map(|(_, id)| format_upload_id(*id)),
            prefix: input.prefix.map(|prefix| shown(&prefix, url)),
            delimiter: input.delimiter.map(|delimiter| shown(&delimiter, url)),
            uploads: Some(uploads.collect()),
            common_prefixes: Some(common_prefixes(&page.prefixes, url)),
            encoding_type: input.encoding_type,
            ..ListMultipartUploadsOutput::default()
        })
    }
}

/// How the checksum of an upload's object comes about: CRC-64 only over the bytes, hashes only over the parts, the
/// other CRCs over the parts unless the client wants it otherwise.
fn is_composite(algorithm: Option<Algorithm>, sent: Option<&ChecksumType>) -> Result<bool, Fault> {
    let wants_full = sent.map(|kind| kind.as_str() == ChecksumType::FULL_OBJECT);
    match (algorithm, wants_full) {
        (None, _) | (Some(Algorithm::Crc64Nvme), None | Some(true)) => Ok(false),
        (Some(Algorithm::Crc32 | Algorithm::Crc32c), wants_full) => Ok(wants_full != Some(true)),
        (Some(Algorithm::Sha1 | Algorithm::Sha256), None | Some(false)) => Ok(true),
        (Some(_), Some(_)) => {
            Err(Fault::refused(S3ErrorCode::InvalidRequest, "the checksum type does not go with the algorithm"))
        }
    }
}

fn upload_checksum_type(composite: bool) -> ChecksumType {
    ChecksumType::from_static(if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
}

fn part_e_tag(part: &PartRecord) -> ETag {
    ETag::Strong(hex(&part.md5))
}

fn listed_part(number: u16, part: &PartRecord) -> Part {
    let mut listed = Part {
        part_number: Some(i32::from(number)),
        e_tag: Some(part_e_tag(part)),
        last_modified: Some(timestamp(part.modified_ms)),
        size: Some(signed(part.size)),
        ..Part::default()
    };
    checksums_into!(listed, part.checksums);
    listed
}
