//! File attributes: raw as on the wire ([`Fattr4`]) and as a typed set ([`Attrs`]).

mod acl;
mod table;
mod types;

pub use acl::*;
pub use table::*;
pub use types::*;

use bytes::Bytes;

use crate::nfs4::{Bitmap4, NfsStat4};
use crate::xdr::{XdrError, xdr_struct};

/// The most bytes of attribute values of one object that are decoded.
pub const ATTR_VALS_MAX: usize = 1 << 20;

xdr_struct! {
    /// `fattr4`: a bitmap of attributes and their values, not yet looked into.
    #[derive(Default)]
    pub struct Fattr4 {
        /// The attributes that are there.
        attrmask: Bitmap4,
        /// Their values, by ascending number.
        attr_vals: Bytes [ATTR_VALS_MAX],
    }
}

impl Fattr4 {
    /// Reads the values.
    ///
    /// # Errors
    /// As [`Attrs::from_fattr4`].
    pub fn parse(&self) -> Result<Attrs, AttrError> {
        Attrs::from_fattr4(self)
    }
}

impl From<&Attrs> for Fattr4 {
    fn from(attrs: &Attrs) -> Self {
        attrs.to_fattr4()
    }
}

/// Why a `fattr4` could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttrError {
    /// The values do not match the mask.
    #[error("attribute values: {0}")]
    Xdr(#[from] XdrError),
    /// The mask names an attribute that this crate does not know, so that the rest is unreadable.
    #[error("attribute {0} is unknown")]
    Unknown(u32),
}

impl AttrError {
    /// The status a server answers with.
    #[must_use]
    pub const fn status(&self) -> NfsStat4 {
        match self {
            Self::Xdr(_) => NfsStat4::Badxdr,
            Self::Unknown(_) => NfsStat4::Attrnotsupp,
        }
    }
}

/// What a client can do with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttrAccess {
    /// GETATTR only.
    Read,
    /// SETATTR and creation only.
    Write,
    /// Both.
    ReadWrite,
}

/// One row of [`ATTRIBUTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttrInfo {
    /// The number of its bit.
    pub number: u32,
    /// The RFC's name of the number: `FATTR4_SIZE`.
    pub rfc_name: &'static str,
    /// What a client can do with it.
    pub access: AttrAccess,
    /// The lowest minor version that has it.
    pub since_minor: u32,
}

impl AttrInfo {
    /// Whether GETATTR, READDIR, VERIFY and NVERIFY may name it.
    #[must_use]
    pub const fn readable(&self) -> bool {
        !matches!(self.access, AttrAccess::Write)
    }

    /// Whether SETATTR, CREATE and OPEN may set it.
    #[must_use]
    pub const fn settable(&self) -> bool {
        !matches!(self.access, AttrAccess::Read)
    }
}

/// The row of an attribute, if this crate knows it.
#[must_use]
pub fn attribute(number: u32) -> Option<&'static AttrInfo> {
    // The table has no gaps, which a test checks.
    ATTRIBUTES.get(usize::try_from(number).ok()?)
}

#[cfg(test)]
mod tests;
