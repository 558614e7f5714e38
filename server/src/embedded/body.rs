//! Giving out bytes: a run of pieces, pinned against removal, as a stream or chunk by chunk.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use redb::ReadTransaction;

use super::blobs::{BlobFolder, PinGuard};
use super::fault::Fault;
use super::index::{BLOBS, OBJECTS};
use super::record::{BlobRow, ObjectRecord, Piece, slice_pieces};
use super::store::Store;

/// Bytes read from a file at once.
const CHUNK: u64 = 512 << 10;
/// Chunks of one body read ahead of the client.
const AHEAD: usize = 2;

/// Bytes of an object as they were at one moment.
#[derive(Debug)]
pub(super) struct Body {
    steps: Vec<Step>,
    blobs: Arc<BlobFolder>,
    pins: PinGuard,
}

/// One chunk to give out.
#[derive(Debug, Clone)]
enum Step {
    Bytes(Bytes),
    File { blob: u64, offset: u64, len: usize },
}

/// Which bytes of which object are wanted: a start and an end, decided on seeing the object.
type Choice<'a> = &'a (dyn Fn(&ObjectRecord) -> Result<(u64, u64), Fault> + Sync);

impl Store {
    /// The object under a key, as of the last commit.
    pub(super) fn object(&self, bucket: &str, key: &str) -> Result<ObjectRecord, Fault> {
        find(&self.index.snapshot()?, bucket, key)?.map_or_else(|| self.missing(bucket), Ok)
    }

    /// The object under a key and those of its bytes that `choose` names (start, end), safe from removal.
    ///
    /// Point reads like this one run on the caller's thread: they are served from memory nearly always.
    pub(super) fn open_object(
        &self,
        bucket: &str,
        key: &str,
        choose: Choice<'_>,
    ) -> Result<(ObjectRecord, Vec<Piece>, Body), Fault> {
        let mut pins = self.blobs.lock_pins();
        let snapshot = self.index.snapshot()?;
        let Some(object) = find(&snapshot, bucket, key)? else {
            drop(pins);
            return self.missing(bucket);
        };
        let (start, end) = choose(&object)?;
        let pieces = slice_pieces(&object.detail.pieces, start, end);
        let steps = steps(&snapshot, &pieces)?;
        let files = pieces.iter().filter(|piece| !piece.inline).map(|piece| piece.blob).collect();
        let pins = self.blobs.pin(&mut pins, files);
        Ok((object, pieces, Body { steps, blobs: Arc::clone(&self.blobs), pins }))
    }

    fn missing<T>(&self, bucket: &str) -> Result<T, Fault> {
        self.require_bucket(bucket)?;
        Err(Fault::no_such_key())
    }
}

impl Body {
    /// The bytes as a stream that reads a little ahead.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
        let Self { steps, blobs, pins } = self;
        let reads = stream::iter(steps).map(move |step| {
            let blobs = Arc::clone(&blobs);
            async move {
                match step {
                    Step::Bytes(bytes) => Ok(bytes),
                    Step::File { blob, offset, len } => {
                        let read = tokio::task::spawn_blocking(move || blobs.read(blob, offset, len));
                        read.await.map_err(io::Error::other)?
                    }
                }
            }
        });
        // The pins live as long as the stream.
        reads.buffered(AHEAD).map(move |chunk| {
            let _pinned = &pins;
            chunk
        })
    }

    /// Hands every chunk to `take`, in order; blocks.
    pub(super) fn for_each_blocking(self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        for step in &self.steps {
            match step {
                Step::Bytes(bytes) => take(bytes),
                Step::File { blob, offset, len } => take(&self.blobs.read(*blob, *offset, *len)?),
            }
        }
        Ok(())
    }
}

fn find(snapshot: &ReadTransaction, bucket: &str, key: &str) -> Result<Option<ObjectRecord>, Fault> {
    let objects = snapshot.open_table(OBJECTS)?;
    let row = objects.get((bucket, key.as_bytes()))?;
    row.map(|row| ObjectRecord::decode(row.value())).transpose()
}

fn steps(snapshot: &ReadTransaction, pieces: &[Piece]) -> Result<Vec<Step>, Fault> {
    let blobs = snapshot.open_table(BLOBS)?;
    let mut steps = Vec::new();
    for piece in pieces {
        let end = piece.offset.saturating_add(piece.len);
        if piece.inline {
            let damaged = || Fault::storage(format!("blob {} is damaged", piece.blob));
            let row = blobs.get(piece.blob)?.ok_or_else(damaged)?;
            let blob: BlobRow<'_> = postcard::from_bytes(row.value())?;
            let range = usize::try_from(piece.offset).ok().zip(usize::try_from(end).ok());
            let bytes = range.zip(blob.inline).and_then(|((from, to), bytes)| bytes.get(from..to));
            steps.push(Step::Bytes(Bytes::copy_from_slice(bytes.ok_or_else(damaged)?)));
            continue;
        }
        let mut offset = piece.offset;
        while offset < end {
            let len = end.saturating_sub(offset).min(CHUNK);
            steps.push(Step::File { blob: piece.blob, offset, len: usize::try_from(len).unwrap_or(usize::MAX) });
            offset = offset.saturating_add(len);
        }
    }
    Ok(steps)
}
