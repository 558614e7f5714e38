//! COMPOUND: an array of operations, and the array of their results.

mod ops;
mod request;

pub use ops::*;
pub use request::*;

use bytes::Bytes;

use super::NfsStat4;
use crate::xdr::xdr_struct;

/// The longest tag of a compound that is decoded, in bytes.
pub const TAG_MAX: usize = 1024;
/// The most operations of a compound that are decoded.
pub const COMPOUND_OPS_MAX: usize = 512;

xdr_struct! {
    /// `COMPOUND4args`, as a client sends it. A server reads [`CompoundRequest`] instead.
    pub struct Compound4Args {
        /// Means nothing; the result repeats it.
        tag: Bytes [TAG_MAX],
        minorversion: u32,
        argarray: Vec<NfsArgop4> [COMPOUND_OPS_MAX],
    }

    /// `COMPOUND4res`.
    pub struct Compound4Res {
        /// The status of the last operation in `resarray`.
        status: NfsStat4,
        tag: Bytes [TAG_MAX],
        resarray: Vec<NfsResop4> [COMPOUND_OPS_MAX],
    }
}

#[cfg(test)]
mod tests;
