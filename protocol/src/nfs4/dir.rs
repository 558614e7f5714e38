//! Operations on directories and names.

use bytes::Bytes;

use super::{
    Bitmap4, COMPONENT_MAX, ChangeInfo4, Component4, Count4, Fattr4, LINKTEXT_MAX, NfsCookie4, NfsFtype4, OpResult,
    Qop4, Specdata4, Verifier4,
};
use crate::xdr::{Decode, Decoder, Encode, Encoder, XdrError, xdr_enum, xdr_struct, xdr_union};

/// The most entries of one READDIR result that are decoded.
pub const READDIR_ENTRIES_MAX: usize = 1 << 17;
/// The most security flavours of one SECINFO result that are decoded.
pub const SECINFO_MAX: usize = 64;
/// The longest object identifier of a security mechanism, in bytes.
pub const SEC_OID_MAX: usize = 256;
/// The RPC flavour of RPCSEC_GSS (RFC 2203).
pub const RPCSEC_GSS: u32 = 6;

xdr_union! {
    /// `createtype4`: what CREATE makes.
    pub enum Createtype4 switch NfsFtype4, default Other {
        case NfsFtype4::Lnk => Lnk(Bytes [LINKTEXT_MAX]),
        case NfsFtype4::Blk => Blk(Specdata4),
        case NfsFtype4::Chr => Chr(Specdata4),
        case NfsFtype4::Sock => Sock,
        case NfsFtype4::Fifo => Fifo,
        case NfsFtype4::Dir => Dir,
    }

    /// `secinfo4`: one security flavour that a name can be reached with.
    pub enum Secinfo4 switch u32, default Flavor {
        case RPCSEC_GSS => RpcsecGss(RpcsecGssInfo),
    }
}

xdr_enum! {
    /// `rpc_gss_svc_t`.
    pub enum RpcGssSvc {
        None = 1 => RPC_GSS_SVC_NONE,
        Integrity = 2 => RPC_GSS_SVC_INTEGRITY,
        Privacy = 3 => RPC_GSS_SVC_PRIVACY,
    }
}

xdr_struct! {
    /// `CREATE4args`.
    pub struct Create4Args {
        objtype: Createtype4,
        objname: Component4 [COMPONENT_MAX],
        createattrs: Fattr4,
    }

    /// `CREATE4resok`.
    pub struct Create4Resok {
        cinfo: ChangeInfo4,
        /// The attributes that were set.
        attrset: Bitmap4,
    }

    /// `LINK4args`.
    pub struct Link4Args {
        newname: Component4 [COMPONENT_MAX],
    }

    /// `LINK4resok`.
    #[derive(Copy)]
    pub struct Link4Resok {
        cinfo: ChangeInfo4,
    }

    /// `LOOKUP4args`.
    pub struct Lookup4Args {
        objname: Component4 [COMPONENT_MAX],
    }

    /// `OPENATTR4args`.
    #[derive(Copy)]
    pub struct Openattr4Args {
        /// Whether to make the named attribute directory when there is none.
        createdir: bool,
    }

    /// `READDIR4args`.
    pub struct Readdir4Args {
        /// Where to go on; 0 at the start.
        cookie: NfsCookie4,
        cookieverf: Verifier4,
        /// A hint: bytes of names and cookies.
        dircount: Count4,
        /// The most bytes of the result.
        maxcount: Count4,
        attr_request: Bitmap4,
    }

    /// `entry4`: one name. The list of entries is a vector in [`Dirlist4`].
    pub struct Entry4 {
        /// The position after this entry.
        cookie: NfsCookie4,
        name: Component4 [COMPONENT_MAX],
        attrs: Fattr4,
    }

    /// `READDIR4resok`.
    pub struct Readdir4Resok {
        cookieverf: Verifier4,
        reply: Dirlist4,
    }

    /// `REMOVE4args`.
    pub struct Remove4Args {
        target: Component4 [COMPONENT_MAX],
    }

    /// `REMOVE4resok`.
    #[derive(Copy)]
    pub struct Remove4Resok {
        cinfo: ChangeInfo4,
    }

    /// `RENAME4args`.
    pub struct Rename4Args {
        /// The name in the saved filehandle's directory.
        oldname: Component4 [COMPONENT_MAX],
        /// The name in the current filehandle's directory.
        newname: Component4 [COMPONENT_MAX],
    }

    /// `RENAME4resok`.
    #[derive(Copy)]
    pub struct Rename4Resok {
        source_cinfo: ChangeInfo4,
        target_cinfo: ChangeInfo4,
    }

    /// `SECINFO4args`.
    pub struct Secinfo4Args {
        name: Component4 [COMPONENT_MAX],
    }

    /// `rpcsec_gss_info`.
    pub struct RpcsecGssInfo {
        oid: Bytes [SEC_OID_MAX],
        qop: Qop4,
        service: RpcGssSvc,
    }

    /// `SECINFO4resok`: the flavours in the server's order of preference.
    pub struct Secinfo4Resok {
        flavors: Vec<Secinfo4> [SECINFO_MAX],
    }
}

/// `dirlist4`: entries and whether they are the last ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dirlist4 {
    /// The entries, a linked list on the wire; at most [`READDIR_ENTRIES_MAX`] are decoded.
    pub entries: Vec<Entry4>,
    /// Whether the directory ends here.
    pub eof: bool,
}

impl Encode for Dirlist4 {
    fn encode(&self, e: &mut Encoder) {
        e.linked_list(&self.entries);
        e.bool(self.eof);
    }
}

impl Decode for Dirlist4 {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        Ok(Self { entries: d.linked_list(READDIR_ENTRIES_MAX)?, eof: d.bool()? })
    }
}

impl Entry4 {
    /// The bytes the entry takes in a READDIR result, its place in the list included; what a server
    /// counts against `maxcount`.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        let opaque = |len: usize| 4 + len.next_multiple_of(4);
        let mask = 4 + 4 * self.attrs.attrmask.words().len();
        4 + 8 + opaque(self.name.len()) + mask + opaque(self.attrs.attr_vals.len())
    }
}

/// `CREATE4res`.
pub type Create4Res = OpResult<Create4Resok>;
/// `LINK4res`.
pub type Link4Res = OpResult<Link4Resok>;
/// `LOOKUP4res`.
pub type Lookup4Res = OpResult<()>;
/// `LOOKUPP4res`.
pub type Lookupp4Res = OpResult<()>;
/// `OPENATTR4res`.
pub type Openattr4Res = OpResult<()>;
/// `READDIR4res`.
pub type Readdir4Res = OpResult<Readdir4Resok>;
/// `REMOVE4res`.
pub type Remove4Res = OpResult<Remove4Resok>;
/// `RENAME4res`.
pub type Rename4Res = OpResult<Rename4Resok>;
/// `SECINFO4res`.
pub type Secinfo4Res = OpResult<Secinfo4Resok>;
