//! Multipart uploads in memory.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};

use super::{Behaviour, Bucket, hex};
use crate::store::dialect::{Dialect, Payload};
use crate::store::{ETag, ObjectMeta, PendingUpload, StoreError, StoreResult, UploadedPart};
use crate::timestamp::Timestamp;

/// The highest number of a part.
const PART_NUMBER_MAX: u16 = 10_000;

/// Stands for the checksum of a part whose upload has declared checksums.
const DECLARED: &str = "declared";

/// An upload under way.
pub(super) struct Upload {
    key: String,
    meta: ObjectMeta,
    initiated: Timestamp,
    declares_checksums: bool,
    parts: BTreeMap<u16, (Bytes, ETag)>,
}

impl Bucket {
    /// The upload of that id and key.
    pub(super) fn upload(&mut self, key: &str, upload_id: &str) -> StoreResult<&mut Upload> {
        self.uploads.get_mut(upload_id).filter(|upload| upload.key == key).ok_or(StoreError::NoSuchUpload)
    }

    /// Uploads of keys that begin with `prefix`.
    pub(super) fn pending_uploads(&self, prefix: &str) -> Vec<PendingUpload> {
        let below = self.uploads.iter().filter(|(_, upload)| upload.key.starts_with(prefix));
        let pending = |(upload_id, upload): (&String, &Upload)| PendingUpload {
            key: upload.key.clone(),
            upload_id: upload_id.clone(),
            initiated: upload.initiated,
        };
        let mut uploads: Vec<_> = below.map(pending).collect();
        uploads.sort_by(|a, b| a.key.cmp(&b.key));
        uploads
    }
}

impl Upload {
    pub(super) fn new(key: &str, meta: &ObjectMeta, initiated: Timestamp, dialect: Dialect) -> Self {
        let declares_checksums = dialect.declare_part_checksums && dialect.parts != Payload::Signed;
        Self { key: key.to_owned(), meta: meta.clone(), initiated, declares_checksums, parts: BTreeMap::new() }
    }

    pub(super) fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    /// Whether the server takes a part that is sent in `dialect`.
    pub(super) fn check_part(&self, dialect: Dialect, behaviour: Behaviour) -> StoreResult<()> {
        match (self.declares_checksums, dialect.parts) {
            (true, Payload::Signed) => Err(StoreError::Refused("the part has no checksum".to_owned())),
            (false, Payload::Crc32c | Payload::WrongCrc32c) if !behaviour.undeclared_checksums => {
                Err(StoreError::Refused("the upload has declared no checksums".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether the server copies parts into this upload.
    pub(super) fn check_copy(&self, behaviour: Behaviour) -> StoreResult<()> {
        if self.declares_checksums && !behaviour.copy_into_declared_upload {
            return Err(StoreError::Refused("the part has no checksum".to_owned()));
        }
        Ok(())
    }

    /// Takes a part, in place of an earlier one of that number.
    pub(super) fn add(&mut self, number: u16, body: Bytes, etag: ETag) -> StoreResult<UploadedPart> {
        if !(1..=PART_NUMBER_MAX).contains(&number) {
            return Err(StoreError::Refused(format!("part number {number}")));
        }
        self.parts.insert(number, (body, etag.clone()));
        Ok(UploadedPart { number, etag, checksum: self.declares_checksums.then(|| DECLARED.to_owned()) })
    }

    /// The whole object and its tag.
    pub(super) fn assemble(&self, parts: &[UploadedPart], part_size_min: usize) -> StoreResult<(Bytes, ETag)> {
        if parts.is_empty() || !parts.is_sorted_by(|a, b| a.number < b.number) {
            return Err(StoreError::Refused("the parts are not in ascending order".to_owned()));
        }
        let mut whole = BytesMut::new();
        let mut digest = Md5::new();
        for (index, part) in parts.iter().enumerate() {
            let taken = self.parts.get(&part.number).filter(|(_, etag)| *etag == part.etag);
            let (body, _) =
                taken.ok_or_else(|| StoreError::Refused(format!("there is no such part {}", part.number)))?;
            if part.checksum.is_some() != self.declares_checksums {
                return Err(StoreError::Refused(format!("part {} comes without its checksum", part.number)));
            }
            if index + 1 < parts.len() && body.len() < part_size_min {
                return Err(StoreError::Refused(format!("part {} is too small", part.number)));
            }
            digest.update(Md5::digest(body));
            whole.extend_from_slice(body);
        }
        let etag = ETag::new(&format!("{}-{}", hex(&digest.finalize()), parts.len()));
        Ok((whole.freeze(), etag))
    }
}
