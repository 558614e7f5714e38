//! The traits for Rust's own types.

use bytes::Bytes;

use super::{Decode, DecodeBounded, Decoder, Encode, Encoder, XdrError};

macro_rules! scalar {
    ($($ty:ident),*) => {$(
        impl Encode for $ty {
            fn encode(&self, e: &mut Encoder) {
                e.$ty(*self);
            }
        }

        impl Decode for $ty {
            fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
                d.$ty()
            }
        }
    )*};
}

scalar!(u32, u64, i32, i64, bool);

/// The RFC's `void`.
impl Encode for () {
    fn encode(&self, _: &mut Encoder) {}
}

impl Decode for () {
    fn decode(_: &mut Decoder) -> Result<Self, XdrError> {
        Ok(())
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, e: &mut Encoder) {
        e.opaque_fixed(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        d.array()
    }
}

/// Optional data: `*x` of RFC 4506 §4.19.
impl<T: Encode> Encode for Option<T> {
    fn encode(&self, e: &mut Encoder) {
        e.bool(self.is_some());
        if let Some(value) = self {
            value.encode(e);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        d.bool()?.then(|| T::decode(d)).transpose()
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, e: &mut Encoder) {
        self.as_ref().encode(e);
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        T::decode(d).map(Self::new)
    }
}

/// Opaque data and strings of variable length.
impl Encode for Bytes {
    fn encode(&self, e: &mut Encoder) {
        e.opaque(self);
    }
}

impl DecodeBounded for Bytes {
    fn decode_bounded(d: &mut Decoder, max: usize) -> Result<Self, XdrError> {
        d.opaque(max)
    }
}

/// Counted arrays.
impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, e: &mut Encoder) {
        e.list(self);
    }
}

impl<T: Decode> DecodeBounded for Vec<T> {
    fn decode_bounded(d: &mut Decoder, max: usize) -> Result<Self, XdrError> {
        d.list(max)
    }
}
