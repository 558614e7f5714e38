//! Taking in a body: hashing, verifying, and keeping the bytes, small ones for the index and others in a blob file.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use s3s::S3ErrorCode;
use s3s::dto::StreamingBlob;
use tokio::task::{JoinHandle, spawn_blocking};

use super::blobs::{BlobFolder, NewBlob};
use super::checksum::{Announced, Digests, Hashes};
use super::fault::Fault;
use super::record::Piece;
use super::tables::Tables;

/// Bodies up to this length live in the index, bytes: one commit stores them whole.
const INLINE_MAX: u64 = 4096;
/// Bytes gathered before they are hashed and written, so that this happens beside the network and in few steps.
const GATHERED_MAX: usize = 256 << 10;
/// Longest body of one PUT or one part, bytes (S3's own limit: 5 GiB).
pub(super) const BODY_MAX: u64 = 5 << 30;

/// A body that was taken in and verified, but is not in the index yet.
#[derive(Debug)]
pub(super) struct Ingested {
    /// Length in bytes.
    pub(super) size: u64,
    /// MD5 and checksums.
    pub(super) digests: Digests,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Empty,
    Inline(u64, Vec<u8>),
    File(NewBlob),
}

impl Ingested {
    /// Adds the blob to the index and gives the pieces that refer to it.
    pub(super) fn store(self, tables: &mut Tables<'_>) -> Result<Vec<Piece>, Fault> {
        let (blob, inline) = match self.content {
            Content::Empty => return Ok(Vec::new()),
            Content::Inline(id, bytes) => {
                tables.add_blob(id, Some(&bytes))?;
                (id, true)
            }
            Content::File(new) => {
                let id = new.id();
                tables.add_blob(id, None)?;
                new.keep();
                (id, false)
            }
        };
        Ok(vec![Piece { blob, inline, offset: 0, len: self.size }])
    }
}

/// Reads `body` to its end, keeps it and verifies it against what was `announced`. A file is on disk when this returns.
///
/// # Errors
/// Those of [`Announced::verify`], `EntityTooLarge` beyond [`BODY_MAX`], `IncompleteBody` for a body that breaks off or
/// does not fit its signature.
pub(super) async fn ingest(
    blobs: &Arc<BlobFolder>,
    body: Option<StreamingBlob>,
    announced: &Announced,
) -> Result<Ingested, Fault> {
    let mut gathered = Gathered::default();
    gathered.check(announced.length.unwrap_or_default())?;
    let mut hand = Hand::Free(Box::new(Sink { blobs: Arc::clone(blobs), hashes: announced.hashes(), file: None }));
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| Fault::refused(S3ErrorCode::IncompleteBody, error.to_string()))?;
            gathered.push(chunk)?;
            if gathered.len >= GATHERED_MAX {
                let mut sink = hand.free().await?;
                let chunks = gathered.take();
                hand = Hand::Busy(spawn_blocking(move || sink.absorb(&chunks).map(|()| sink)));
            }
        }
    }
    let sink = hand.free().await?;
    let (size, rest) = (gathered.size, gathered.take());
    let (digests, content) = if size <= INLINE_MAX {
        sink.finish_small(&rest)
    } else {
        spawn_blocking(move || sink.finish_file(&rest)).await??
    };
    announced.verify(size, &digests)?;
    Ok(Ingested { size, digests, content })
}

/// Chunks that came and are not written yet.
#[derive(Default)]
struct Gathered {
    chunks: Vec<Bytes>,
    len: usize,
    /// Everything that came so far, bytes.
    size: u64,
}

impl Gathered {
    fn push(&mut self, chunk: Bytes) -> Result<(), Fault> {
        self.size = self.size.saturating_add(chunk.len() as u64);
        self.check(self.size)?;
        self.len = self.len.saturating_add(chunk.len());
        self.chunks.push(chunk);
        Ok(())
    }

    fn check(&self, size: u64) -> Result<(), Fault> {
        if size <= BODY_MAX {
            return Ok(());
        }
        Err(Fault::refused(S3ErrorCode::EntityTooLarge, "one body is at most 5 GiB; use a multipart upload"))
    }

    fn take(&mut self) -> Vec<Bytes> {
        self.len = 0;
        std::mem::take(&mut self.chunks)
    }
}

/// The sink, at hand or away writing on a blocking thread.
enum Hand {
    Free(Box<Sink>),
    Busy(JoinHandle<Result<Box<Sink>, Fault>>),
}

impl Hand {
    async fn free(self) -> Result<Box<Sink>, Fault> {
        match self {
            Self::Free(sink) => Ok(sink),
            Self::Busy(writing) => writing.await?,
        }
    }
}

/// Where the bytes of one body go.
struct Sink {
    blobs: Arc<BlobFolder>,
    hashes: Hashes,
    file: Option<(NewBlob, File)>,
}

impl Sink {
    /// Hashes and writes; blocks.
    fn absorb(&mut self, chunks: &[Bytes]) -> Result<(), Fault> {
        let (_, file) = match &mut self.file {
            Some(open) => open,
            none => none.insert(self.blobs.create()?),
        };
        for chunk in chunks {
            self.hashes.update(chunk);
            file.write_all(chunk)?;
        }
        Ok(())
    }

    fn finish_file(mut self, rest: &[Bytes]) -> Result<(Digests, Content), Fault> {
        self.absorb(rest)?;
        let digests = self.hashes.finish();
        let Some((blob, file)) = self.file else { return Ok((digests, Content::Empty)) };
        file.sync_data()?;
        Ok((digests, Content::File(blob)))
    }

    fn finish_small(mut self, chunks: &[Bytes]) -> (Digests, Content) {
        let bytes = chunks.concat();
        self.hashes.update(&bytes);
        let content = if bytes.is_empty() { Content::Empty } else { Content::Inline(self.blobs.next_id(), bytes) };
        (self.hashes.finish(), content)
    }
}
