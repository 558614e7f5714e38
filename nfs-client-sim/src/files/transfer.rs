//! Whole files, with several requests in flight.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use nfs4_protocol::nfs4::{FATTR4_SIZE, NfsFh4, StableHow4, Verifier4};

use crate::{Client, Error, OpenFile, OpenHow, Result};

/// How often a file is written again because the server lost unstable data.
const REWRITES_MAX: u32 = 3;

impl OpenFile {
    /// Reads a range in pieces of the largest READ, in order, with up to `in_flight` READs at a time. The stream ends
    /// early at the end of the file.
    ///
    /// # Errors
    /// Those of the calls and of READ.
    pub fn read_range(&self, range: Range<u64>, in_flight: usize) -> impl Stream<Item = Result<Bytes>> + '_ {
        let pieces = pieces(range, self.client().read_bytes_max());
        stream::iter(pieces).map(|piece| self.read_piece(piece)).buffered(in_flight.max(1))
    }

    /// One piece, by more than one READ where the server gives less than it is asked for.
    async fn read_piece(&self, piece: Range<u64>) -> Result<Bytes> {
        let mut parts: Vec<Bytes> = Vec::new();
        let mut offset = piece.start;
        while offset < piece.end {
            let count = u32::try_from(piece.end - offset).unwrap_or(u32::MAX);
            let got = self.read_at(offset, count).await?;
            let data = got.data.into_bytes();
            offset = offset.saturating_add(data.len() as u64);
            let nothing = data.is_empty();
            parts.push(data);
            if got.eof || nothing {
                break;
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { parts.concat().into() })
    }

    /// Writes data unstably, with up to `in_flight` WRITEs at a time. Returns the write verifier, or `None` when it
    /// changed meanwhile.
    ///
    /// # Errors
    /// Those of the calls and of WRITE.
    pub async fn write_range(&self, offset: u64, data: &Bytes, in_flight: usize) -> Result<Option<Verifier4>> {
        let end = offset.saturating_add(data.len() as u64);
        let pieces = pieces(offset..end, self.client().write_bytes_max());
        let writes = stream::iter(pieces).map(|piece| {
            let (from, to) = ((piece.start - offset) as usize, (piece.end - offset) as usize);
            self.write_piece(piece.start, data.slice(from..to))
        });
        let verifiers: Vec<Option<Verifier4>> = writes.buffer_unordered(in_flight.max(1)).try_collect().await?;
        let first = verifiers.first().copied().flatten();
        Ok(first.filter(|_| verifiers.iter().all(|verifier| *verifier == first)))
    }

    /// One piece, by more than one WRITE where the server takes less than it is given. Returns the write verifier, or
    /// `None` when it changed meanwhile.
    async fn write_piece(&self, mut offset: u64, mut data: Bytes) -> Result<Option<Verifier4>> {
        let mut first = None;
        let mut is_steady = true;
        loop {
            let written = self.write_at(offset, data.clone(), StableHow4::Unstable).await?;
            is_steady &= *first.get_or_insert(written.writeverf) == written.writeverf;
            let count = (written.count as usize).min(data.len());
            data = data.slice(count..);
            offset = offset.saturating_add(count as u64);
            if data.is_empty() {
                return Ok(first.filter(|_| is_steady));
            }
            if count == 0 {
                return Err(Error::NothingWritten);
            }
        }
    }

    /// Writes data and makes it stable: WRITEs, then COMMIT, again if the server lost something in between.
    ///
    /// # Errors
    /// [`Error::Unsteady`]; those of the calls and of the operations.
    pub async fn write_stable(&self, offset: u64, data: &Bytes, in_flight: usize) -> Result<()> {
        for _ in 0..REWRITES_MAX {
            let verifier = self.write_range(offset, data, in_flight).await?;
            if Some(self.commit().await?) == verifier || data.is_empty() {
                return Ok(());
            }
        }
        Err(Error::Unsteady(REWRITES_MAX))
    }

    /// The whole file.
    ///
    /// # Errors
    /// Those of the calls and of the operations.
    pub async fn read_to_end(&self, in_flight: usize) -> Result<Vec<u8>> {
        let size = self.getattr(&[FATTR4_SIZE]).await?.size.unwrap_or(0);
        let mut whole = Vec::new();
        let mut pieces = std::pin::pin!(self.read_range(0..size, in_flight));
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

impl Client {
    /// Opens, reads and closes a file, with up to `in_flight` READs at a time.
    ///
    /// # Errors
    /// Those of the calls and of the operations.
    pub async fn read_file(&self, directory: &NfsFh4, name: impl AsRef<[u8]>, in_flight: usize) -> Result<Vec<u8>> {
        let file = self.open(directory, name, OpenHow::read()).await?;
        let data = file.read_to_end(in_flight).await;
        file.close().await?;
        data
    }

    /// Creates a file or replaces its content, makes it stable and closes it, with up to `in_flight` WRITEs at a time.
    ///
    /// # Errors
    /// Those of the calls and of the operations.
    pub async fn write_file(
        &self,
        directory: &NfsFh4,
        name: impl AsRef<[u8]>,
        data: impl Into<Bytes>,
        in_flight: usize,
    ) -> Result<()> {
        let mut attrs = super::open::mode(0o644);
        attrs.size = Some(0);
        let file = self.open(directory, name, OpenHow::write().unchecked(attrs)).await?;
        let written = file.write_stable(0, &data.into(), in_flight).await;
        file.close().await?;
        written
    }
}

/// Cuts a range into pieces of at most `size` bytes, lazily.
fn pieces(range: Range<u64>, size: u32) -> impl Iterator<Item = Range<u64>> {
    let size = u64::from(size.max(1));
    let mut at = range.start;
    std::iter::from_fn(move || {
        let piece = at..range.end.min(at.saturating_add(size));
        at = piece.end;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_range_once() {
        let cut = |range| pieces(range, 4).collect::<Vec<_>>();
        assert_eq!(cut(1..10), [1..5, 5..9, 9..10]);
        assert_eq!(cut(3..7), vec![3..7]);
        assert_eq!(cut(5..5), vec![]);
        assert_eq!(cut(u64::MAX - 1..u64::MAX), vec![u64::MAX - 1..u64::MAX]);
    }
}
