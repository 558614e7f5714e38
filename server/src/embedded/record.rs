//! What the index keeps for each object, upload, part and blob, and how it is written down.
//!
//! Rows are postcard. An object's row is its [`Summary`] followed by its [`Detail`], so that a listing decodes only the
//! first.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{ETag, Timestamp, TimestampFormat};
use serde::{Deserialize, Serialize};

use super::checksum::{Algorithm, Checksums};
use super::fault::Fault;

/// What a listing shows of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// Length in bytes.
    pub(super) size: u64,
    /// ETag without quotes.
    pub(super) etag: String,
    /// Time of the last write, milliseconds since 1970.
    pub(super) modified_ms: u64,
}

/// What only GET, HEAD and copies need of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Detail {
    /// The headers that are stored as they came.
    pub(super) headers: ContentHeaders,
    /// User metadata (`x-amz-meta-…`), names in lower case.
    pub(super) metadata: BTreeMap<String, String>,
    /// Checksums that were asked for when the object was written.
    pub(super) checksums: Checksums,
    /// Where the bytes are, in order.
    pub(super) pieces: Vec<Piece>,
    /// Sizes of the parts of a multipart upload; empty for other objects.
    pub(super) part_sizes: Vec<u64>,
}

/// An object as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObjectRecord {
    /// The half that listings read.
    pub(super) summary: Summary,
    /// The rest.
    pub(super) detail: Detail,
}

/// A run of bytes in one blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    /// The blob.
    pub(super) blob: u64,
    /// Whether the blob's bytes are in the index, not in a file.
    pub(super) inline: bool,
    /// First byte used.
    pub(super) offset: u64,
    /// Number of bytes used, never 0.
    pub(super) len: u64,
}

/// A blob: bytes that never change, shared by everything that refers to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BlobRow<'a> {
    /// How many pieces refer to the blob; at 0 the row and the file go.
    pub(super) refs: u64,
    /// The bytes of a small blob; `None` means they are in a file.
    #[serde(borrow)]
    pub(super) inline: Option<&'a [u8]>,
}

/// Headers an object carries besides its user metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ContentHeaders {
    /// `Content-Type`.
    pub(super) content_type: Option<String>,
    /// `Cache-Control`.
    pub(super) cache_control: Option<String>,
    /// `Content-Disposition`.
    pub(super) content_disposition: Option<String>,
    /// `Content-Encoding`, without the transfer's own `aws-chunked`.
    pub(super) content_encoding: Option<String>,
    /// `Content-Language`.
    pub(super) content_language: Option<String>,
    /// `Expires` as an HTTP date.
    pub(super) expires: Option<String>,
    /// `x-amz-storage-class`: kept and shown, without a meaning here.
    pub(super) storage_class: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub(super) redirect: Option<String>,
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UploadRecord {
    /// Time of creation, milliseconds since 1970.
    pub(super) initiated_ms: u64,
    /// Headers for the object to be.
    pub(super) headers: ContentHeaders,
    /// User metadata for the object to be.
    pub(super) metadata: BTreeMap<String, String>,
    /// The checksum every part gets, if any.
    pub(super) algorithm: Option<Algorithm>,
    /// Whether the object's checksum is one over its parts' checksums, not over its bytes.
    pub(super) composite: bool,
}

/// One uploaded part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartRecord {
    /// Length in bytes.
    pub(super) size: u64,
    /// MD5 of the bytes; in hexadecimal it is the part's ETag.
    pub(super) md5: [u8; 16],
    /// Time of the upload, milliseconds since 1970.
    pub(super) modified_ms: u64,
    /// Checksums over the part's bytes.
    pub(super) checksums: Checksums,
    /// Where the bytes are, in order.
    pub(super) pieces: Vec<Piece>,
}

impl ObjectRecord {
    /// The row for the index.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Fault> {
        let row = postcard::to_stdvec(&self.summary)?;
        Ok(postcard::to_extend(&self.detail, row)?)
    }

    /// The object of a row.
    pub(super) fn decode(row: &[u8]) -> Result<Self, Fault> {
        let (summary, rest) = postcard::take_from_bytes(row)?;
        Ok(Self { summary, detail: postcard::from_bytes(rest)? })
    }
}

impl Summary {
    /// The first half of an object's row.
    pub(super) fn decode(row: &[u8]) -> Result<Self, Fault> {
        Ok(postcard::take_from_bytes(row)?.0)
    }

    /// The ETag as S3 sends it.
    pub(super) fn e_tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }
}

impl ContentHeaders {
    /// Drops `aws-chunked` from a `Content-Encoding`: it describes the upload, not the object.
    pub(super) fn stored_encoding(sent: Option<String>) -> Option<String> {
        let kept: Vec<&str> = sent.as_deref()?.split(',').map(str::trim).filter(|c| *c != "aws-chunked").collect();
        if kept.iter().all(|c| c.is_empty()) { None } else { Some(kept.join(",")) }
    }

    /// `Expires` as it is stored.
    pub(super) fn stored_expires(sent: Option<Timestamp>) -> Option<String> {
        let mut text = Vec::new();
        sent?.format(TimestampFormat::HttpDate, &mut text).ok()?;
        String::from_utf8(text).ok()
    }

    /// `Expires` as it is sent.
    pub(super) fn sent_expires(&self) -> Option<Timestamp> {
        Timestamp::parse(TimestampFormat::HttpDate, self.expires.as_deref()?).ok()
    }
}

/// Collects the stored headers out of the input of PutObject, CopyObject or CreateMultipartUpload.
macro_rules! content_headers {
    ($input:expr) => {
        $crate::embedded::record::ContentHeaders {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $crate::embedded::record::ContentHeaders::stored_encoding($input.content_encoding.take()),
            content_language: $input.content_language.take(),
            expires: $crate::embedded::record::ContentHeaders::stored_expires($input.expires.take()),
            storage_class: $input.storage_class.take().map(|class| class.as_str().to_owned()),
            redirect: $input.website_redirect_location.take(),
        }
    };
}
pub(super) use content_headers;

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A stored time as S3 shows it: whole seconds, the same in listings and in headers.
pub(super) fn timestamp(ms: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH.checked_add(Duration::from_secs(ms / 1000)).unwrap_or(UNIX_EPOCH))
}

/// A length as the SDK's types want it. No object comes near the limit.
pub(super) fn signed(len: u64) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

/// The pieces that make up bytes `start..end` of `pieces` laid end to end.
pub(super) fn slice_pieces(pieces: &[Piece], start: u64, end: u64) -> Vec<Piece> {
    let mut at = 0_u64;
    let mut slice = Vec::new();
    for piece in pieces {
        let piece_end = at.saturating_add(piece.len);
        let (from, to) = (start.max(at), end.min(piece_end));
        if from < to {
            let offset = piece.offset.saturating_add(from.saturating_sub(at));
            slice.push(Piece { offset, len: to.saturating_sub(from), ..*piece });
        }
        at = piece_end;
    }
    slice
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(blob: u64, offset: u64, len: u64) -> Piece {
        Piece { blob, inline: false, offset, len }
    }

    #[test]
    fn slices_cut_the_first_and_last_piece() {
        let pieces = [piece(1, 0, 10), piece(2, 5, 10), piece(3, 0, 1)];
        assert_eq!(slice_pieces(&pieces, 0, 21), pieces);
        assert_eq!(slice_pieces(&pieces, 8, 12), [piece(1, 8, 2), piece(2, 5, 2)]);
        assert_eq!(slice_pieces(&pieces, 12, 14), [piece(2, 7, 2)]);
        assert_eq!(slice_pieces(&pieces, 21, 30), []);
    }

    #[test]
    fn a_row_gives_back_the_object_and_its_summary_alone() {
        let record = ObjectRecord {
            summary: Summary { size: 7, etag: "e".into(), modified_ms: 1 },
            detail: Detail { pieces: vec![piece(1, 2, 3)], part_sizes: vec![3, 4], ..Detail::default() },
        };
        let row = record.encode().unwrap();
        assert_eq!(ObjectRecord::decode(&row).unwrap(), record);
        assert_eq!(Summary::decode(&row).unwrap(), record.summary);
        assert!(ObjectRecord::decode(&row[..row.len() - 1]).is_err());
    }

    #[test]
    fn aws_chunked_is_not_an_encoding_of_the_object() {
        assert_eq!(ContentHeaders::stored_encoding(Some("aws-chunked".into())), None);
        assert_eq!(ContentHeaders::stored_encoding(Some("gzip, aws-chunked".into())), Some("gzip".into()));
        assert_eq!(ContentHeaders::stored_encoding(Some("gzip".into())), Some("gzip".into()));
    }

    #[test]
    fn hexadecimal_is_lower_case_and_padded() {
        assert_eq!(hex(&[0, 0x0f, 0xa5]), "000fa5");
    }
}
