//! The tables of the index inside one write transaction, and the rules that keep them consistent.

use redb::{ReadableTable, Table, WriteTransaction};

use super::fault::Fault;
use super::index::{BLOBS, BUCKETS, OBJECTS, PARTS, UPLOADS};
use super::record::{BlobRow, ObjectRecord, PartRecord, Piece, Summary, UploadRecord};

/// The open tables of one batch of changes.
pub(super) struct Tables<'txn> {
    buckets: Table<'txn, &'static str, u64>,
    objects: Table<'txn, (&'static str, &'static [u8]), &'static [u8]>,
    blobs: Table<'txn, u64, &'static [u8]>,
    uploads: Table<'txn, (&'static str, &'static [u8], u64), &'static [u8]>,
    parts: Table<'txn, (u64, u16), &'static [u8]>,
    effects: Effects,
}

/// What a batch of changes means for the blob files.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Whether anything was written at all.
    pub(super) changed: bool,
    /// Blob files whose names must be durable before the commit.
    pub(super) fresh: Vec<u64>,
    /// Blob files to remove after the commit.
    pub(super) freed: Vec<u64>,
}

impl<'txn> Tables<'txn> {
    /// Opens all tables, making those that are missing.
    pub(super) fn open(transaction: &'txn WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            buckets: transaction.open_table(BUCKETS)?,
            objects: transaction.open_table(OBJECTS)?,
            blobs: transaction.open_table(BLOBS)?,
            uploads: transaction.open_table(UPLOADS)?,
            parts: transaction.open_table(PARTS)?,
            effects: Effects::default(),
        })
    }

    /// Closes the tables and says what the batch did.
    pub(super) fn into_effects(self) -> Effects {
        self.effects
    }

    /// Fails with `NoSuchBucket` unless the bucket exists.
    pub(super) fn require_bucket(&self, bucket: &str) -> Result<(), Fault> {
        self.buckets.get(bucket)?.map(drop).ok_or_else(Fault::no_such_bucket)
    }

    /// Whether the bucket exists.
    pub(super) fn has_bucket(&self, bucket: &str) -> Result<bool, Fault> {
        Ok(self.buckets.get(bucket)?.is_some())
    }

    /// Whether the bucket holds at least one object.
    pub(super) fn has_objects(&self, bucket: &str) -> Result<bool, Fault> {
        let mut range = self.objects.range((bucket, [].as_slice())..)?;
        let Some(first) = range.next() else { return Ok(false) };
        Ok(first?.0.value().0 == bucket)
    }

    /// Adds a bucket.
    pub(super) fn add_bucket(&mut self, bucket: &str, created_ms: u64) -> Result<(), Fault> {
        self.effects.changed = true;
        self.buckets.insert(bucket, created_ms)?;
        Ok(())
    }

    /// Removes a bucket that holds no object, with its unfinished uploads.
    pub(super) fn remove_bucket(&mut self, bucket: &str) -> Result<(), Fault> {
        self.effects.changed = true;
        self.buckets.remove(bucket)?;
        let mut uploads = Vec::new();
        for row in self.uploads.range((bucket, [].as_slice(), 0)..)? {
            let (row, _) = row?;
            let (owner, key, upload) = row.value();
            if owner != bucket {
                break;
            }
            uploads.push((key.to_vec(), upload));
        }
        uploads.into_iter().try_for_each(|(key, upload)| self.remove_upload(bucket, &key, upload, &[]))
    }

    /// The object under a key.
    pub(super) fn object(&self, bucket: &str, key: &str) -> Result<Option<ObjectRecord>, Fault> {
        let row = self.objects.get((bucket, key.as_bytes()))?;
        row.map(|row| ObjectRecord::decode(row.value())).transpose()
    }

    /// What a listing shows of the object under a key.
    pub(super) fn summary(&self, bucket: &str, key: &str) -> Result<Option<Summary>, Fault> {
        let row = self.objects.get((bucket, key.as_bytes()))?;
        row.map(|row| Summary::decode(row.value())).transpose()
    }

    /// Puts an object under a key, in place of what was there. Its pieces are already counted.
    pub(super) fn put_object(&mut self, bucket: &str, key: &str, object: &ObjectRecord) -> Result<(), Fault> {
        self.effects.changed = true;
        let row = object.encode()?;
        let old = self.objects.insert((bucket, key.as_bytes()), row.as_slice())?;
        let old = old.map(|row| ObjectRecord::decode(row.value())).transpose()?;
        old.map_or(Ok(()), |old| self.release(&old.detail.pieces))
    }

    /// Removes the object under a key, if there is one.
    pub(super) fn remove_object(&mut self, bucket: &str, key: &str) -> Result<(), Fault> {
        let old = self.objects.remove((bucket, key.as_bytes()))?;
        let Some(old) = old.map(|row| ObjectRecord::decode(row.value())).transpose()? else { return Ok(()) };
        self.effects.changed = true;
        self.release(&old.detail.pieces)
    }

    /// Adds a blob with one reference. `inline` holds the bytes of a small one; else they are in a file by now.
    pub(super) fn add_blob(&mut self, id: u64, inline: Option<&[u8]>) -> Result<(), Fault> {
        self.effects.changed = true;
        if inline.is_none() {
            self.effects.fresh.push(id);
        }
        self.write_blob(id, &BlobRow { refs: 1, inline })
    }

    /// Whether every blob of these pieces is still there.
    pub(super) fn holds(&self, pieces: &[Piece]) -> Result<bool, Fault> {
        for piece in pieces {
            if self.blobs.get(piece.blob)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Counts one more reference for each piece.
    pub(super) fn share(&mut self, pieces: &[Piece]) -> Result<(), Fault> {
        self.effects.changed = true;
        pieces.iter().try_for_each(|piece| self.count(piece, 1).map(drop))
    }

    /// Counts one reference less for each piece; a blob without any goes.
    pub(super) fn release(&mut self, pieces: &[Piece]) -> Result<(), Fault> {
        for piece in pieces {
            if self.count(piece, -1)? > 0 {
                continue;
            }
            self.blobs.remove(piece.blob)?;
            if !piece.inline {
                self.effects.freed.push(piece.blob);
            }
        }
        Ok(())
    }

    fn count(&mut self, piece: &Piece, difference: i64) -> Result<u64, Fault> {
        let missing = || Fault::storage(format!("blob {} has no row", piece.blob));
        let row = self.blobs.get(piece.blob)?.ok_or_else(missing)?.value().to_vec();
        let mut blob: BlobRow<'_> = postcard::from_bytes(&row)?;
        blob.refs = blob.refs.checked_add_signed(difference).ok_or_else(missing)?;
        if blob.refs > 0 {
            self.write_blob(piece.blob, &blob)?;
        }
        Ok(blob.refs)
    }

    fn write_blob(&mut self, id: u64, blob: &BlobRow<'_>) -> Result<(), Fault> {
        self.blobs.insert(id, postcard::to_stdvec(blob)?.as_slice())?;
        Ok(())
    }

    /// An unfinished upload; `NoSuchUpload` where there is none.
    pub(super) fn upload(&self, bucket: &str, key: &str, upload: u64) -> Result<UploadRecord, Fault> {
        let row = self.uploads.get((bucket, key.as_bytes(), upload))?.ok_or_else(Fault::no_such_upload)?;
        Ok(postcard::from_bytes(row.value())?)
    }

    /// Adds an upload.
    pub(super) fn add_upload(&mut self, bucket: &str, key: &str, id: u64, upload: &UploadRecord) -> Result<(), Fault> {
        self.effects.changed = true;
        self.uploads.insert((bucket, key.as_bytes(), id), postcard::to_stdvec(upload)?.as_slice())?;
        Ok(())
    }

    /// Removes an upload with its parts. The bytes of the parts numbered in `kept` (in rising order) are not released.
    pub(super) fn remove_upload(&mut self, bucket: &str, key: &[u8], upload: u64, kept: &[u16]) -> Result<(), Fault> {
        self.effects.changed = true;
        self.uploads.remove((bucket, key, upload))?;
        for (number, part) in self.parts(upload)? {
            self.parts.remove((upload, number))?;
            if kept.binary_search(&number).is_err() {
                self.release(&part.pieces)?;
            }
        }
        Ok(())
    }

    /// All parts of an upload, in the order of their numbers.
    pub(super) fn parts(&self, upload: u64) -> Result<Vec<(u16, PartRecord)>, Fault> {
        let mut parts = Vec::new();
        for row in self.parts.range((upload, 0)..=(upload, u16::MAX))? {
            let (number, part) = row?;
            parts.push((number.value().1, postcard::from_bytes(part.value())?));
        }
        Ok(parts)
    }

    /// Puts a part, in place of an earlier one of the same number. Its pieces are already counted.
    pub(super) fn put_part(&mut self, upload: u64, number: u16, part: &PartRecord) -> Result<(), Fault> {
        self.effects.changed = true;
        let old = self.parts.insert((upload, number), postcard::to_stdvec(part)?.as_slice())?;
        let old: Option<PartRecord> = old.map(|row| postcard::from_bytes(row.value())).transpose()?;
        old.map_or(Ok(()), |old| self.release(&old.pieces))
    }
}
