//! Record marking (RFC 5531 §11): messages on a byte stream, each cut into fragments.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The bit of a fragment's header that says the record ends with it.
const LAST_FRAGMENT: u32 = 1 << 31;
/// The size of a fragment's header, in bytes.
const HEADER_LEN: usize = 4;
/// The least room offered to the next read from the stream, in bytes.
const READ_ROOM_MIN: usize = 16 << 10;

/// What can be wrong with a stream of records. The stream cannot go on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A record exceeds the limit of the reader.
    #[error("a record of at least {len} bytes exceeds the limit of {max}")]
    TooLong {
        /// Bytes of the record, as far as announced.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
}

/// Cuts a byte stream into records.
///
/// A record of one fragment is handed out without a copy. The reader holds at most one record, and
/// what came behind it in the same read.
#[derive(Debug)]
pub struct RecordReader {
    record_len_max: usize,
    /// Bytes from the stream, beginning with a fragment's header.
    unread: BytesMut,
    /// The fragments of the present record that are complete, except in a record of one.
    assembled: BytesMut,
}

/// A fragment's header, taken apart.
struct FragmentHeader {
    len: usize,
    last: bool,
}

impl RecordReader {
    /// A reader that refuses records longer than `record_len_max` bytes.
    #[must_use]
    pub fn new(record_len_max: usize) -> Self {
        Self { record_len_max, unread: BytesMut::new(), assembled: BytesMut::new() }
    }

    /// Adds bytes from the stream.
    pub fn push(&mut self, data: Bytes) {
        if self.unread.is_empty() {
            self.unread = data.into();
        } else {
            self.unread.put_slice(&data);
        }
    }

    /// The buffer to read from the stream into, at its end; what is in it must not be changed.
    ///
    /// Its room grows with what has arrived of the present fragment, never by what a header merely
    /// announces, so that a peer cannot take memory without sending bytes.
    pub fn buffer(&mut self) -> &mut BytesMut {
        let arrived = self.unread.len();
        let rest = self.header().map_or(0, |header| (HEADER_LEN + header.len).saturating_sub(arrived));
        let room = rest.min(arrived.max(READ_ROOM_MIN)).min(self.record_len_max).max(READ_ROOM_MIN);
        self.unread.reserve(room);
        &mut self.unread
    }

    /// The next complete record, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`RecordError::TooLong`] as soon as a header announces too much.
    pub fn next_record(&mut self) -> Result<Option<Bytes>, RecordError> {
        while let Some(header) = self.header() {
            let len = self.assembled.len().saturating_add(header.len);
            if len > self.record_len_max {
                let max = self.record_len_max;
                return Err(RecordError::TooLong { len, max });
            }
            if self.unread.len() < HEADER_LEN + header.len {
                return Ok(None);
            }
            self.unread.advance(HEADER_LEN);
            let fragment = self.unread.split_to(header.len);
            if header.last && self.assembled.is_empty() {
                return Ok(Some(fragment.freeze()));
            }
            self.assembled.put_slice(&fragment);
            if header.last {
                return Ok(Some(self.assembled.split().freeze()));
            }
        }
        Ok(None)
    }

    /// Whether the stream stands between two records, so that its end is a clean one.
    #[must_use]
    pub fn is_between_records(&self) -> bool {
        self.unread.is_empty() && self.assembled.is_empty()
    }

    fn header(&self) -> Option<FragmentHeader> {
        let word = u32::from_be_bytes(*self.unread.first_chunk()?);
        Some(FragmentHeader {
            len: usize::try_from(word & !LAST_FRAGMENT).unwrap_or(usize::MAX - HEADER_LEN),
            last: word & LAST_FRAGMENT != 0,
        })
    }
}

/// Puts the header of a single fragment before a message, which must be shorter than 2 GiB.
#[must_use]
pub fn frame(message: Vec<Bytes>) -> Vec<Bytes> {
    let len: usize = message.iter().map(Bytes::len).sum();
    let len = u32::try_from(len).unwrap_or(u32::MAX) | LAST_FRAGMENT;
    let mut framed = Vec::with_capacity(message.len() + 1);
    framed.push(Bytes::copy_from_slice(&len.to_be_bytes()));
    framed.extend(message);
    framed
}
