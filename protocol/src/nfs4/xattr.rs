//! Extended attributes (RFC 8276).

use bytes::Bytes;

use super::{COMPONENT_MAX, ChangeInfo4, Component4, Count4, Name4, NfsCookie4, OpResult};
use crate::xdr::{Payload, xdr_enum, xdr_struct};

/// The longest value of an extended attribute that is decoded, in bytes.
///
/// More than clients can store (Linux: 64 KiB), so that the server can answer NFS4ERR_XATTR2BIG in
/// place of NFS4ERR_BADXDR.
pub const XATTR_VALUE_MAX: usize = 1 << 20;
/// The most names in one result of LISTXATTRS.
pub const XATTR_NAMES_MAX: usize = 65_536;

xdr_enum! {
    /// `setxattr_option4`: whether SETXATTR may create or replace.
    pub enum SetxattrOption4 {
        Either = 0 => SETXATTR4_EITHER,
        Create = 1 => SETXATTR4_CREATE,
        Replace = 2 => SETXATTR4_REPLACE,
    }
}

xdr_struct! {
    /// GETXATTR (RFC 8276 §8.4.1).
    pub struct Getxattr4Args {
        name: Component4 [COMPONENT_MAX],
    }

    /// SETXATTR (RFC 8276 §8.4.2).
    pub struct Setxattr4Args {
        option: SetxattrOption4,
        key: Component4 [COMPONENT_MAX],
        /// A slice of the record, not a copy.
        value: Bytes [XATTR_VALUE_MAX],
    }

    /// LISTXATTRS (RFC 8276 §8.4.3).
    #[derive(Copy)]
    pub struct Listxattrs4Args {
        cookie: NfsCookie4,
        /// The largest [`Listxattrs4Resok`] the client takes, in bytes of XDR.
        maxcount: Count4,
    }

    /// A part of the names.
    pub struct Listxattrs4Resok {
        cookie: NfsCookie4,
        names: Vec<Name4> [XATTR_NAMES_MAX],
        eof: bool,
    }

    /// REMOVEXATTR (RFC 8276 §8.4.4).
    pub struct Removexattr4Args {
        name: Component4 [COMPONENT_MAX],
    }

    /// The value of an extended attribute (`xattrvalue4`), chained, not copied.
    pub struct Getxattr4Resok {
        value: Payload [XATTR_VALUE_MAX],
    }
}

/// The result of GETXATTR.
pub type Getxattr4Res = OpResult<Getxattr4Resok>;
/// The result of SETXATTR.
pub type Setxattr4Res = OpResult<ChangeInfo4>;
/// The result of LISTXATTRS.
pub type Listxattrs4Res = OpResult<Listxattrs4Resok>;
/// The result of REMOVEXATTR.
pub type Removexattr4Res = OpResult<ChangeInfo4>;
