//! Where S3 servers differ: how to speak to one, and what it can be relied on for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ObjectStore;

/// How the bytes of a request are protected on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Payload {
    /// The signature covers the SHA-256 of the bytes: understood everywhere, and slow.
    #[default]
    Signed,
    /// The bytes are not signed; a CRC32C in the (signed) headers covers them.
    Crc32c,
    /// As [`Self::Crc32c`], but the checksum is wrong on purpose: the probe asks whether the store looks at it.
    WrongCrc32c,
}

/// How to put requests to one store. The default is what every known server understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dialect {
    /// Protection of single PUTs.
    pub put: Payload,
    /// Protection of the parts of multipart uploads.
    pub parts: Payload,
    /// Whether an upload announces the checksums of its parts when it begins. AWS wants it so; MinIO then refuses
    /// to copy parts.
    pub declare_part_checksums: bool,
    /// Whether `If-Match` on writes names the tag without quotes (Ceph RGW 16).
    pub unquoted_if_match: bool,
    /// Whether a `+` in a listing is a plus sign; otherwise it is a space, as on AWS.
    pub literal_plus: bool,
}

/// A store that can be spoken to in several ways.
pub trait Polyglot: ObjectStore {
    /// The same store, addressed in `dialect`.
    fn speaking(&self, dialect: Dialect) -> Arc<dyn ObjectStore>;
}

/// What a store was seen to do. A server that answers 200 and ignores a condition counts as not having it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capabilities {
    /// Whether the bucket could be written at all; without it nothing else was tried and all is `false`.
    pub writable: bool,
    /// PUT with `If-None-Match: *`.
    pub conditional_create: bool,
    /// PUT with `If-Match`.
    pub conditional_overwrite: bool,
    /// DELETE with `If-Match`.
    pub conditional_delete: bool,
    /// CopyObject with both conditions on its destination.
    pub conditional_copy: bool,
    /// CompleteMultipartUpload with both conditions.
    pub conditional_complete: bool,
    /// CopyObject at all.
    pub copy: bool,
    /// CopyObject with a condition on its source.
    pub copy_source_condition: bool,
    /// Multipart uploads at all.
    pub multipart: bool,
    /// UploadPartCopy with a range.
    pub upload_part_copy: bool,
    /// How to speak to this store.
    pub dialect: Dialect,
}

impl Capabilities {
    /// Whether single PUTs go unsigned under a checksum that the store verifies.
    pub fn unsigned_payload_checksum(&self) -> bool {
        self.dialect.put == Payload::Crc32c
    }
}
