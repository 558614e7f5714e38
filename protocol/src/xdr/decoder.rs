//! The bounded reader.

use bytes::{Buf, Bytes};

use super::{Decode, XdrError, padding};

/// The most elements for which a vector is allocated ahead of reading them.
const PREALLOCATE_MAX: usize = 64;

/// The smallest size of any XDR item on the wire, in bytes.
const ITEM_SIZE_MIN: usize = 4;

/// Reads XDR items from one contiguous record.
///
/// Opaque data comes out as slices of the record, without a copy. No read allocates more than the
/// input could fill.
#[derive(Debug, Clone)]
pub struct Decoder {
    rest: Bytes,
}

impl Decoder {
    /// Starts at the beginning of `input`.
    #[must_use]
    pub fn new(input: Bytes) -> Self {
        Self { rest: input }
    }

    /// Bytes not read yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The bytes not read yet, leaving nothing behind.
    #[must_use]
    pub fn take_rest(&mut self) -> Bytes {
        std::mem::take(&mut self.rest)
    }

    /// Checks that everything was read.
    ///
    /// # Errors
    /// [`XdrError::Trailing`] when bytes are left.
    pub fn finish(&self) -> Result<(), XdrError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(XdrError::Trailing(left)),
        }
    }

    fn need(&self, len: usize) -> Result<(), XdrError> {
        match len.checked_sub(self.remaining()) {
            None | Some(0) => Ok(()),
            Some(missing) => Err(XdrError::Truncated { missing }),
        }
    }

    /// Reads an unsigned integer.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn u32(&mut self) -> Result<u32, XdrError> {
        self.need(4)?;
        Ok(self.rest.get_u32())
    }

    /// Reads an unsigned hyper integer.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn u64(&mut self) -> Result<u64, XdrError> {
        self.need(8)?;
        Ok(self.rest.get_u64())
    }

    /// Reads an integer.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn i32(&mut self) -> Result<i32, XdrError> {
        self.need(4)?;
        Ok(self.rest.get_i32())
    }

    /// Reads a hyper integer.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn i64(&mut self) -> Result<i64, XdrError> {
        self.need(8)?;
        Ok(self.rest.get_i64())
    }

    /// Reads a boolean.
    ///
    /// # Errors
    /// [`XdrError::BadBool`] for anything but 0 and 1, [`XdrError::Truncated`].
    pub fn bool(&mut self) -> Result<bool, XdrError> {
        match self.u32()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(XdrError::BadBool(other)),
        }
    }

    /// Reads the length of a variable-length item.
    ///
    /// # Errors
    /// [`XdrError::TooLong`] when it exceeds `max`, [`XdrError::Truncated`].
    fn length(&mut self, max: usize) -> Result<usize, XdrError> {
        let len = self.u32()?;
        match usize::try_from(len) {
            Ok(wanted) if wanted <= max => Ok(wanted),
            _ => Err(XdrError::TooLong { len, max }),
        }
    }

    /// Reads variable-length opaque data of at most `max` bytes, as a slice of the input.
    ///
    /// # Errors
    /// [`XdrError::TooLong`], [`XdrError::Truncated`].
    pub fn opaque(&mut self, max: usize) -> Result<Bytes, XdrError> {
        let len = self.length(max)?;
        self.opaque_fixed(len)
    }

    /// Reads `len` bytes of fixed-length opaque data, as a slice of the input.
    ///
    /// The padding is skipped whatever it holds, as other implementations do.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn opaque_fixed(&mut self, len: usize) -> Result<Bytes, XdrError> {
        self.need(len.saturating_add(padding(len)))?;
        let data = self.rest.split_to(len);
        self.rest.advance(padding(len));
        Ok(data)
    }

    /// Reads fixed-length opaque data into an array.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], XdrError> {
        self.need(N.saturating_add(padding(N)))?;
        let mut out = [0; N];
        self.rest.copy_to_slice(&mut out);
        self.rest.advance(padding(N));
        Ok(out)
    }

    /// Reads a counted array of at most `max` elements.
    ///
    /// # Errors
    /// [`XdrError::TooLong`], [`XdrError::Truncated`] when the rest of the input could not hold that
    /// many elements, and the errors of the elements.
    pub fn list<T: Decode>(&mut self, max: usize) -> Result<Vec<T>, XdrError> {
        let count = self.length(max)?;
        self.need(count.saturating_mul(ITEM_SIZE_MIN))?;
        let mut out = Vec::with_capacity(count.min(PREALLOCATE_MAX));
        for _ in 0..count {
            out.push(T::decode(self)?);
        }
        Ok(out)
    }

    /// Reads a linked list (`*next` of the RFC): each element is preceded by `true`, the end by `false`.
    ///
    /// # Errors
    /// [`XdrError::TooLong`] when more than `max` elements come, and the errors of the elements.
    pub fn linked_list<T: Decode>(&mut self, max: usize) -> Result<Vec<T>, XdrError> {
        let mut out = Vec::new();
        while self.bool()? {
            if out.len() >= max {
                let len = u32::try_from(max).unwrap_or(u32::MAX).saturating_add(1);
                return Err(XdrError::TooLong { len, max });
            }
            out.push(T::decode(self)?);
        }
        Ok(out)
    }
}
