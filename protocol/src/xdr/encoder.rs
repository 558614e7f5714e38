//! The writer: headers are collected in one buffer, bulk data is chained beside it.

use bytes::{BufMut, Bytes, BytesMut};

use super::{DecodeBounded, Decoder, Encode, XdrError, padding};

/// Opaque data of at least this many bytes is chained, shorter data is copied.
///
/// Below it a copy is cheaper than one more element of the vectored write.
pub const CHAIN_MIN: usize = 256;

/// Writes XDR items into a chain of buffers.
#[derive(Debug, Default)]
pub struct Encoder {
    /// Everything that is not chained, in order.
    inline: BytesMut,
    /// Chained data: it stands before the byte of `inline` with this index.
    chained: Vec<(usize, Bytes)>,
    chained_len: usize,
}

/// A place in the output to return to with [`Encoder::truncate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    inline: usize,
    chained: usize,
}

/// An integer that was written as zero and is filled in with [`Encoder::patch`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a placeholder stays zero until it is patched"]
pub struct Placeholder {
    at: usize,
}

impl Encoder {
    /// An empty encoder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty encoder with room for `capacity` bytes that are not chained.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { inline: BytesMut::with_capacity(capacity), ..Self::default() }
    }

    /// Bytes written so far, chained ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inline.len() + self.chained_len
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes an unsigned integer.
    pub fn u32(&mut self, value: u32) {
        self.inline.put_u32(value);
    }

    /// Writes an unsigned hyper integer.
    pub fn u64(&mut self, value: u64) {
        self.inline.put_u64(value);
    }

    /// Writes an integer.
    pub fn i32(&mut self, value: i32) {
        self.inline.put_i32(value);
    }

    /// Writes a hyper integer.
    pub fn i64(&mut self, value: i64) {
        self.inline.put_i64(value);
    }

    /// Writes a boolean.
    pub fn bool(&mut self, value: bool) {
        self.u32(u32::from(value));
    }

    /// Writes the length of a variable-length item.
    ///
    /// Lengths of 4 GiB and more cannot be expressed in XDR; they are written as the largest length,
    /// which every peer refuses. All lists and payloads of this crate are far smaller.
    pub fn length(&mut self, len: usize) {
        self.u32(u32::try_from(len).unwrap_or(u32::MAX));
    }

    /// Writes variable-length opaque data, chaining it when it is large.
    pub fn opaque(&mut self, data: &Bytes) {
        self.length(data.len());
        self.chain(data);
        self.pad(data.len());
    }

    /// Writes variable-length opaque data by copying it.
    pub fn opaque_slice(&mut self, data: &[u8]) {
        self.length(data.len());
        self.opaque_fixed(data);
    }

    /// Writes fixed-length opaque data by copying it.
    pub fn opaque_fixed(&mut self, data: &[u8]) {
        self.inline.put_slice(data);
        self.pad(data.len());
    }

    /// Writes a counted array.
    pub fn list<T: Encode>(&mut self, items: &[T]) {
        self.length(items.len());
        for item in items {
            item.encode(self);
        }
    }

    /// Writes a linked list, see [`Decoder::linked_list`].
    pub fn linked_list<T: Encode>(&mut self, items: &[T]) {
        for item in items {
            self.bool(true);
            item.encode(self);
        }
        self.bool(false);
    }

    /// Writes bytes as they are, without length and padding, chaining them when they are many.
    pub fn chain(&mut self, data: &Bytes) {
        if data.len() >= CHAIN_MIN {
            self.chained_len += data.len();
            self.chained.push((self.inline.len(), data.clone()));
        } else {
            self.inline.put_slice(data);
        }
    }

    /// Writes the zero bytes that follow `len` bytes of opaque data.
    pub fn pad(&mut self, len: usize) {
        self.inline.put_bytes(0, padding(len));
    }

    /// Writes an unsigned integer that is known only later.
    pub fn placeholder(&mut self) -> Placeholder {
        let at = self.inline.len();
        self.u32(0);
        Placeholder { at }
    }

    /// Fills in a placeholder of this encoder. One that was truncated away is ignored.
    pub fn patch(&mut self, placeholder: Placeholder, value: u32) {
        if let Some(slot) = self.inline.get_mut(placeholder.at..).and_then(|rest| rest.first_chunk_mut()) {
            *slot = value.to_be_bytes();
        }
    }

    /// The present end of the output.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { inline: self.inline.len(), chained: self.chained.len() }
    }

    /// Drops everything written after `mark`.
    pub fn truncate(&mut self, mark: Mark) {
        self.inline.truncate(mark.inline);
        self.chained.truncate(mark.chained);
        self.chained_len = self.chained.iter().map(|(_, data)| data.len()).sum();
    }

    /// Appends all that another encoder wrote.
    pub fn append(&mut self, other: Self) {
        let base = self.inline.len();
        self.inline.put_slice(&other.inline);
        self.chained_len += other.chained_len;
        self.chained.extend(other.chained.into_iter().map(|(at, data)| (base + at, data)));
    }

    /// The output as a chain of buffers, none of them empty.
    #[must_use]
    pub fn finish(mut self) -> Vec<Bytes> {
        let mut out = Vec::with_capacity(2 * self.chained.len() + 1);
        let mut taken = 0;
        for (at, data) in self.chained {
            let piece = self.inline.split_to(at - taken);
            taken = at;
            if !piece.is_empty() {
                out.push(piece.freeze());
            }
            out.push(data);
        }
        if !self.inline.is_empty() {
            out.push(self.inline.freeze());
        }
        out
    }

    /// The output as one buffer; chained data is copied.
    #[must_use]
    pub fn finish_contiguous(self) -> Bytes {
        if self.chained.is_empty() {
            return self.inline.freeze();
        }
        let mut whole = BytesMut::with_capacity(self.len());
        for piece in self.finish() {
            whole.put_slice(&piece);
        }
        whole.freeze()
    }
}

/// Opaque data in several pieces, as READ collects it from cached blocks.
///
/// Encoded, the pieces are one `opaque<>` and are chained, not copied; decoded, it is one slice of
/// the record. Two payloads are equal when their bytes are, however they are cut.
#[derive(Debug, Clone, Default)]
pub struct Payload(pub Vec<Bytes>);

impl Payload {
    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes in one buffer; copies only when there is more than one piece.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        match self.0.len() {
            0 | 1 => self.0.pop().unwrap_or_default(),
            _ => self.0.concat().into(),
        }
    }

    /// Reads opaque data of at most `max` bytes as a payload of one piece.
    ///
    /// # Errors
    /// As [`Decoder::opaque`].
    pub fn decode(d: &mut Decoder, max: usize) -> Result<Self, XdrError> {
        Ok(Self(vec![d.opaque(max)?]))
    }
}

impl From<Bytes> for Payload {
    fn from(data: Bytes) -> Self {
        Self(vec![data])
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |payload: &Self| payload.0.clone().into_iter().flatten();
        self.len() == other.len() && bytes(self).eq(bytes(other))
    }
}

impl Eq for Payload {}

impl Encode for Payload {
    fn encode(&self, e: &mut Encoder) {
        let len = self.len();
        e.length(len);
        for piece in &self.0 {
            e.chain(piece);
        }
        e.pad(len);
    }
}

impl DecodeBounded for Payload {
    fn decode_bounded(d: &mut Decoder, max: usize) -> Result<Self, XdrError> {
        Self::decode(d, max)
    }
}
