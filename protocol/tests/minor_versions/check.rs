//! What every type must hold: the RFC's encoding, a round trip, no partial input, limits.

use std::fmt::Debug;

use bytes::Bytes;
use nfs4_protocol::nfs4::{Bitmap4, NfsFh4, Nfstime4, Sessionid4, Stateid4, Verifier4};
use nfs4_protocol::xdr::{Decode, Encode, XdrError, from_bytes, to_bytes};

/// Bytes that a test expects, put together without the crate's encoder.
#[derive(Default, Clone)]
pub(crate) struct Wire(Vec<u8>);

impl Wire {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn fixed(mut self, data: &[u8]) -> Self {
        self.0.extend(data);
        while !self.0.len().is_multiple_of(4) {
            self.0.push(0);
        }
        self
    }

    pub(crate) fn opaque(self, data: &[u8]) -> Self {
        self.u32(data.len() as u32).fixed(data)
    }

    pub(crate) fn stateid(self, n: u8) -> Self {
        self.u32(n.into()).fixed(&[n; 12])
    }

    pub(crate) fn time(self, n: u8) -> Self {
        self.u64(n.into()).u32(u32::from(n) + 1)
    }

    pub(crate) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) fn bytes(self) -> Bytes {
        self.0.into()
    }
}

pub(crate) fn stateid(n: u8) -> Stateid4 {
    Stateid4 { seqid: n.into(), other: [n; 12] }
}

pub(crate) fn sessionid(n: u8) -> Sessionid4 {
    Sessionid4([n; 16])
}

pub(crate) fn verifier(n: u8) -> Verifier4 {
    Verifier4([n; 8])
}

pub(crate) fn time(n: u8) -> Nfstime4 {
    Nfstime4 { seconds: n.into(), nseconds: u32::from(n) + 1 }
}

pub(crate) fn fh(bytes: &'static [u8]) -> NfsFh4 {
    NfsFh4(Bytes::from_static(bytes))
}

pub(crate) fn bits(bits: &[u32]) -> Bitmap4 {
    bits.iter().copied().collect()
}

/// `value` and `wire` are the same; no part of `wire` decodes, and nothing may follow it.
#[track_caller]
pub(crate) fn same<T: Encode + Decode + PartialEq + Debug>(value: &T, wire: Wire) {
    let wire = wire.bytes();
    assert_eq!(to_bytes(value), wire, "encoding of {value:?}");
    assert_eq!(from_bytes::<T>(wire.clone()).as_ref(), Ok(value));
    for cut in 0..wire.len() {
        let partial = from_bytes::<T>(wire.slice(..cut));
        assert!(matches!(partial, Err(XdrError::Truncated { .. })), "{cut} of {} bytes: {partial:?}", wire.len());
    }
    let more = Wire(wire.to_vec()).u32(0).bytes();
    assert_eq!(from_bytes::<T>(more), Err(XdrError::Trailing(4)));
}

/// A length of `max` may stand after `head`, one of `max + 1` may not.
///
/// Nothing follows the length, so the allowed one is an end of input, not a success.
#[track_caller]
pub(crate) fn limited<T: Decode + PartialEq + Debug>(head: &Wire, max: usize) {
    let len = max as u32;
    let at_limit = from_bytes::<T>(head.clone().u32(len).bytes());
    assert!(matches!(at_limit, Err(XdrError::Truncated { .. })), "at the limit: {at_limit:?}");
    let beyond = from_bytes::<T>(head.clone().u32(len + 1).bytes());
    assert_eq!(beyond, Err(XdrError::TooLong { len: len + 1, max }));
}

/// `number` is not a value of `T`, which begins with an enumeration.
#[track_caller]
pub(crate) fn no_such<T: Decode + PartialEq + Debug>(number: u32) {
    let result = from_bytes::<T>(Wire::new().u32(number).fixed(&[0; 64]).bytes());
    assert!(matches!(result, Err(XdrError::BadEnum { value, .. }) if value == number), "{result:?}");
}
