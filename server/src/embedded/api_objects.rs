//! Operations on objects: from the requests of S3 to the store, and back.

use s3s::dto::{
    Checksum, ChecksumAlgorithm, ChecksumMode, ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult,
    CopySource, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, Error, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, MetadataDirective, PutObjectInput, PutObjectOutput, Range, StorageClass,
    StreamingBlob,
};
use s3s::{S3ErrorCode, S3Request, S3Result};

use super::checksum::{Algorithm, Announced, Checksums, checksums_from, checksums_into};
use super::conditions::{ReadCondition, WriteCondition};
use super::copy::Source;
use super::fault::Fault;
use super::listing::PAGE_MAX;
use super::objects::{Found, Labels, Name, Wanted};
use super::record::{content_headers, signed, timestamp};
use super::s3::{Service, refuse};

/// Content type of an object that was given none.
const CONTENT_TYPE_DEFAULT: &str = "binary/octet-stream";

/// The four conditions of a GET or HEAD.
macro_rules! read_condition {
    ($input:expr) => {
        ReadCondition {
            if_match: $input.if_match.take(),
            if_none_match: $input.if_none_match.take(),
            if_modified_since: $input.if_modified_since.take(),
            if_unmodified_since: $input.if_unmodified_since.take(),
        }
    };
}

/// The conditions on the source of a copy.
macro_rules! source_condition {
    ($input:expr) => {
        $crate::embedded::conditions::ReadCondition {
            if_match: $input.copy_source_if_match.take(),
            if_none_match: $input.copy_source_if_none_match.take(),
            if_modified_since: $input.copy_source_if_modified_since.take(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.take(),
        }
    };
}
pub(super) use source_condition;

/// Fills what GET and HEAD have in common.
macro_rules! describe {
    ($output:expr, $found:expr, $partial:expr, $checksums:expr) => {{
        let (summary, detail) = (&$found.object.summary, &$found.object.detail);
        let headers = &detail.headers;
        $output.accept_ranges = Some("bytes".to_owned());
        $output.content_length = Some(signed($found.end.saturating_sub($found.start)));
        $output.content_range = $partial.then(|| content_range($found.start, $found.end, summary.size));
        $output.content_type = Some(headers.content_type.clone().unwrap_or_else(|| CONTENT_TYPE_DEFAULT.to_owned()));
        $output.cache_control = headers.cache_control.clone();
        $output.content_disposition = headers.content_disposition.clone();
        $output.content_encoding = headers.content_encoding.clone();
        $output.content_language = headers.content_language.clone();
        $output.expires = headers.sent_expires();
        $output.storage_class = headers.storage_class.clone().map(StorageClass::from);
        $output.website_redirect_location = headers.redirect.clone();
        $output.e_tag = Some(summary.e_tag());
        $output.last_modified = Some(timestamp(summary.modified_ms));
        $output.metadata = Some(detail.metadata.clone().into_iter().collect());
        $output.parts_count = i32::try_from(detail.part_sizes.len()).ok().filter(|count| *count > 0);
        if $checksums && !$partial {
            checksums_into!($output, detail.checksums);
            $output.checksum_type = checksum_type(&detail.checksums);
        }
    }};
}

impl Service {
    /// PutObject.
    pub(super) async fn put(&self, mut req: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
        let trailing = trailing_checksums(&req);
        let trailers = req.trailing_headers.take();
        let input = &mut req.input;
        refuse(input.tagging.is_some(), "this server keeps no tags")?;
        refuse(
            input.sse_customer_algorithm.is_some() || input.server_side_encryption.is_some(),
            "this server does not encrypt",
        )?;
        refuse(input.write_offset_bytes.is_some(), "this server does not append")?;
        let announced = Announced {
            content_md5: input.content_md5.take(),
            length: input.content_length.and_then(|length| u64::try_from(length).ok()),
            values: checksums_from!(input),
            wanted: algorithm(input.checksum_algorithm.as_ref())?.into_iter().collect(),
            trailing,
            trailers,
        };
        let labels = Labels::new(content_headers!(input), input.metadata.take())?;
        let condition = WriteCondition { if_match: input.if_match.take(), if_none_match: input.if_none_match.take() };
        let body = input.body.take();
        let name = Name::new(std::mem::take(&mut input.bucket), std::mem::take(&mut input.key))?;
        let object = self.store.put_object(name, labels, condition, body, &announced).await?;
        let checksums = &object.detail.checksums;
        let mut output = PutObjectOutput {
            e_tag: Some(object.summary.e_tag()),
            checksum_type: checksum_type(checksums),
            ..PutObjectOutput::default()
        };
        checksums_into!(output, checksums);
        Ok(output)
    }

    /// GetObject.
    pub(super) fn get(&self, mut input: GetObjectInput) -> S3Result<GetObjectOutput> {
        only_version(input.version_id.as_deref())?;
        let wanted = wanted(input.range, input.part_number)?;
        let condition = read_condition!(input);
        let name = Name::new(input.bucket, input.key)?;
        let Found { object, start, end, body } = self.store.get_object(&name, &condition, wanted)?;
        let found = Found { object, start, end, body: () };
        let mut output =
            GetObjectOutput { body: Some(StreamingBlob::wrap(body.into_stream())), ..GetObjectOutput::default() };
        describe!(output, found, wanted.is_partial(), checksums_wanted(input.checksum_mode.as_ref()));
        Ok(output)
    }

    /// HeadObject.
    pub(super) fn head(&self, mut input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
        only_version(input.version_id.as_deref())?;
        let wanted = wanted(input.range, input.part_number)?;
        let condition = read_condition!(input);
        let name = Name::new(input.bucket, input.key)?;
        let found = self.store.head_object(&name, &condition, wanted)?;
        let mut output = HeadObjectOutput::default();
        describe!(output, found, wanted.is_partial(), checksums_wanted(input.checksum_mode.as_ref()));
        Ok(output)
    }

    /// GetObjectAttributes.
    pub(super) fn attributes(&self, input: GetObjectAttributesInput) -> S3Result<GetObjectAttributesOutput> {
        only_version(input.version_id.as_deref())?;
        let object = self.store.object(&input.bucket, &input.key)?;
        // Clients send the names in one header as well as in several.
        let asked = input.object_attributes.iter().flat_map(|names| names.as_str().split(','));
        let asked: Vec<&str> = asked.map(str::trim).collect();
        let wants = |name: &str| asked.contains(&name);
        let mut checksum = Checksum { checksum_type: checksum_type(&object.detail.checksums), ..Checksum::default() };
        checksums_into!(checksum, object.detail.checksums);
        Ok(GetObjectAttributesOutput {
            last_modified: Some(timestamp(object.summary.modified_ms)),
            e_tag: wants("ETag").then(|| object.summary.e_tag()),
            object_size: wants("ObjectSize").then(|| signed(object.summary.size)),
            checksum: (wants("Checksum") && !object.detail.checksums.values.is_empty()).then_some(checksum),
            storage_class: wants("StorageClass").then(|| StorageClass::from_static(StorageClass::STANDARD)),
            ..GetObjectAttributesOutput::default()
        })
    }

    /// DeleteObject.
    pub(super) async fn delete(&self, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
        only_version(input.version_id.as_deref())?;
        let condition = WriteCondition { if_match: input.if_match, if_none_match: None };
        self.store.delete_object(Name::new(input.bucket, input.key)?, condition).await?;
        Ok(DeleteObjectOutput::default())
    }

    /// DeleteObjects.
    pub(super) async fn delete_many(&self, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
        if input.delete.objects.len() > PAGE_MAX {
            return Err(Fault::refused(S3ErrorCode::MalformedXML, "one request deletes at most 1000 objects").into());
        }
        let mut keys = Vec::with_capacity(input.delete.objects.len());
        for object in input.delete.objects {
            only_version(object.version_id.as_deref())?;
            let if_match = object.e_tag.map(ETagCondition::ETag);
            keys.push((object.key, WriteCondition { if_match, if_none_match: None }));
        }
        let names: Vec<String> = keys.iter().map(|(key, _)| key.clone()).collect();
        let results = self.store.delete_objects(input.bucket, keys).await?;
        let quiet = input.delete.quiet.unwrap_or_default();
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for (key, result) in names.into_iter().zip(results) {
            match result {
                Ok(()) if quiet => {}
                Ok(()) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
                Err(fault) => errors.push(delete_error(key, &fault)),
            }
        }
        Ok(DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: Some(errors),
            ..DeleteObjectsOutput::default()
        })
    }

    /// CopyObject.
    pub(super) async fn copy(&self, req: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
        // s3s reads the conditions on the source only; those on the target are plain headers.
        let condition = WriteCondition {
            if_match: etag_header(&req, "if-match")?,
            if_none_match: etag_header(&req, "if-none-match")?,
        };
        let mut input = req.input;
        refuse(
            input.sse_customer_algorithm.is_some() || input.server_side_encryption.is_some(),
            "this server does not encrypt",
        )?;
        refuse(input.tagging.is_some(), "this server keeps no tags")?;
        let replace = input.metadata_directive.as_ref().map(MetadataDirective::as_str);
        let labels = match replace {
            Some(MetadataDirective::REPLACE) => Some(Labels::new(content_headers!(input), input.metadata.take())?),
            Some(MetadataDirective::COPY) | None => None,
            Some(_) => {
                return Err(Fault::refused(S3ErrorCode::InvalidArgument, "the metadata directive is unknown").into());
            }
        };
        let source = Source { name: source_name(&input.copy_source)?, condition: source_condition!(input) };
        let target = Name::new(input.bucket, input.key)?;
        let object = self.store.copy_object(source, target, condition, labels).await?;
        let mut result = CopyObjectResult {
            e_tag: Some(object.summary.e_tag()),
            last_modified: Some(timestamp(object.summary.modified_ms)),
            checksum_type: checksum_type(&object.detail.checksums),
            ..CopyObjectResult::default()
        };
        checksums_into!(result, object.detail.checksums);
        Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
    }
}

/// The object a copy is made of.
pub(super) fn source_name(source: &CopySource) -> Result<Name, Fault> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            only_version(version_id.as_deref())?;
            Name::new(bucket.to_string(), key.to_string())
        }
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            Err(Fault::refused(S3ErrorCode::NotImplemented, "this server has no access points"))
        }
    }
}

/// The algorithms whose checksums `x-amz-trailer` announces.
pub(super) fn trailing_checksums<T>(req: &S3Request<T>) -> Vec<Algorithm> {
    let announced = req.headers.get("x-amz-trailer").and_then(|names| names.to_str().ok()).unwrap_or_default();
    let named = |name: &str| Algorithm::ALL.into_iter().find(|a| a.header().eq_ignore_ascii_case(name.trim()));
    announced.split(',').filter_map(named).collect()
}

/// The algorithm of a checksum header.
///
/// # Errors
/// `InvalidRequest` for one that S3 does not know.
pub(super) fn algorithm(sent: Option<&ChecksumAlgorithm>) -> Result<Option<Algorithm>, Fault> {
    let Some(sent) = sent else { return Ok(None) };
    let known = Algorithm::from_name(sent.as_str());
    known.map(Some).ok_or_else(|| Fault::refused(S3ErrorCode::InvalidRequest, "the checksum algorithm is unknown"))
}

/// Whether stored checksums are over the bytes or over the parts; `None` without checksums.
pub(super) fn checksum_type(checksums: &Checksums) -> Option<ChecksumType> {
    let name = if checksums.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    (!checksums.values.is_empty()).then(|| ChecksumType::from_static(name))
}

fn etag_header<T>(req: &S3Request<T>, name: &str) -> Result<Option<ETagCondition>, Fault> {
    let sent = req.headers.get(name).map(|value| ETagCondition::parse_http_header(value.as_bytes()));
    sent.transpose().map_err(|_| Fault::refused(S3ErrorCode::InvalidArgument, format!("{name} is not an ETag")))
}

/// There is one version of each object, and its id is `null`.
fn only_version(sent: Option<&str>) -> Result<(), Fault> {
    match sent {
        None | Some("null") => Ok(()),
        Some(_) => Err(Fault::refused(S3ErrorCode::NoSuchVersion, "this server keeps no versions")),
    }
}

fn wanted(range: Option<Range>, part: Option<i32>) -> Result<Wanted, Fault> {
    if range.is_some() && part.is_some() {
        let message = "a range and a part number do not go together";
        return Err(Fault::refused(S3ErrorCode::InvalidRequest, message));
    }
    Ok(Wanted { range, part: part.map(|part| u64::try_from(part).unwrap_or_default()) })
}

fn checksums_wanted(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

fn content_range(start: u64, end: u64, size: u64) -> String {
    format!("bytes {start}-{}/{size}", end.saturating_sub(1))
}

fn delete_error(key: String, fault: &Fault) -> Error {
    let code = match fault {
        Fault::Refused { code, .. } => code.as_str(),
        Fault::Storage(_) => "InternalError",
    };
    Error { key: Some(key), code: Some(code.to_owned()), message: Some(fault.to_string()), ..Error::default() }
}
