//! External Data Representation (RFC 4506): a bounded decoder, a copy-avoiding encoder, and the
//! macros that turn a table of fields into a wire type.

mod decoder;
mod encoder;
mod error;
mod impls;
mod macros;

pub use decoder::Decoder;
pub use encoder::{CHAIN_MIN, Encoder, Mark, Payload, Placeholder};
pub use error::XdrError;

pub(crate) use macros::{xdr_arm, xdr_default, xdr_enum, xdr_field, xdr_newtype, xdr_result, xdr_struct, xdr_union};

use bytes::Bytes;

/// A type that can be written as XDR.
pub trait Encode {
    /// Appends the value to `e`.
    fn encode(&self, e: &mut Encoder);
}

/// A type whose size is bounded by its own definition and that can be read from XDR.
pub trait Decode: Sized {
    /// Reads one value.
    ///
    /// # Errors
    /// [`XdrError`] when the input ends early or holds a value the type does not have.
    fn decode(d: &mut Decoder) -> Result<Self, XdrError>;
}

/// A type of variable length: the caller must name the limit (`opaque x<MAX>` of the RFC).
///
/// [`Bytes`] counts bytes, `Vec<T>` counts elements. Neither implements [`Decode`], so that no
/// limit can be forgotten.
pub trait DecodeBounded: Sized {
    /// Reads one value of at most `max` bytes or elements.
    ///
    /// # Errors
    /// As [`Decode::decode`], and [`XdrError::TooLong`] when the length exceeds `max`.
    fn decode_bounded(d: &mut Decoder, max: usize) -> Result<Self, XdrError>;
}

/// Encodes one value into one contiguous buffer.
#[must_use]
pub fn to_bytes<T: Encode + ?Sized>(value: &T) -> Bytes {
    let mut e = Encoder::new();
    value.encode(&mut e);
    e.finish_contiguous()
}

/// Decodes one value that fills `input` exactly.
///
/// # Errors
/// As [`Decode::decode`], and [`XdrError::Trailing`] when bytes are left over.
pub fn from_bytes<T: Decode>(input: Bytes) -> Result<T, XdrError> {
    let mut d = Decoder::new(input);
    let value = T::decode(&mut d)?;
    d.finish()?;
    Ok(value)
}

/// The zero bytes that follow `len` bytes of opaque data, to a multiple of four.
const fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
