//! The basic types that many operations share.

use bytes::Bytes;

use crate::xdr::{xdr_enum, xdr_newtype, xdr_struct, xdr_union};

/// The largest filehandle, in bytes (`NFS4_FHSIZE`).
pub const NFS4_FHSIZE: usize = 128;
/// The largest owner or client identification, in bytes (`NFS4_OPAQUE_LIMIT`).
pub const NFS4_OPAQUE_LIMIT: usize = 1024;
/// The longest name of a directory entry that is decoded, in bytes.
///
/// More than any server allows, so that the server can answer NFS4ERR_NAMETOOLONG in place of
/// NFS4ERR_BADXDR.
pub const COMPONENT_MAX: usize = 8192;
/// The longest target of a symbolic link that is decoded, in bytes.
pub const LINKTEXT_MAX: usize = 65_536;
/// The most components of a path (`pathname4`).
pub const PATHNAME_MAX: usize = 1024;
/// The longest owner, group or other principal (`utf8str_mixed`), in bytes.
pub const PRINCIPAL_MAX: usize = 4096;
/// The longest network identifier or universal address, in bytes.
pub const NETADDR_MAX: usize = 1024;

/// `changeid4`: the value of the change attribute.
pub type Changeid4 = u64;
/// `clientid4`.
pub type Clientid4 = u64;
/// `count4`: a number of bytes.
pub type Count4 = u32;
/// `length4`: a number of bytes; all ones means "to the end".
pub type Length4 = u64;
/// `mode4`: the permission bits, see `MODE4_*`.
pub type Mode4 = u32;
/// `nfs_cookie4`: a position in a directory.
pub type NfsCookie4 = u64;
/// `offset4`: a position in a file, in bytes.
pub type Offset4 = u64;
/// `qop4`: the quality of protection of RPCSEC_GSS.
pub type Qop4 = u32;
/// `seqid4`.
pub type Seqid4 = u32;
/// `sequenceid4`.
pub type Sequenceid4 = u32;
/// `slotid4`.
pub type Slotid4 = u32;
/// `component4`: one name, at most [`COMPONENT_MAX`] bytes. The server checks UTF-8, not the decoder.
pub type Component4 = Bytes;

xdr_newtype! {
    /// `nfs_fh4`: a filehandle, opaque to the client.
    #[derive(Default)]
    pub struct NfsFh4(Bytes [NFS4_FHSIZE]);

    /// `verifier4`: tells one instance (of a client, of a server) from the next.
    #[derive(Copy, Default, PartialOrd, Ord)]
    pub struct Verifier4([u8; 8]);

    /// `sessionid4`.
    #[derive(Copy, Default, PartialOrd, Ord)]
    pub struct Sessionid4([u8; 16]);

    /// `pathname4`: the components of a path, at most [`PATHNAME_MAX`].
    #[derive(Default)]
    pub struct Pathname4(Vec<Name4> [PATHNAME_MAX]);

    /// A name as an element of a list.
    #[derive(Default)]
    pub struct Name4(Bytes [COMPONENT_MAX]);
}

xdr_struct! {
    /// `stateid4` (RFC 7530 §9.1.4, RFC 8881 §8.2).
    #[derive(Copy, Default, Hash, PartialOrd, Ord)]
    pub struct Stateid4 {
        /// The instance; 0 in 4.1 and later means "the most recent one".
        seqid: u32,
        /// The identity.
        other: [u8; 12],
    }

    /// `fsid4`: identifies a file system within the server.
    #[derive(Copy, Default, Hash, PartialOrd, Ord)]
    pub struct Fsid4 {
        major: u64,
        minor: u64,
    }

    /// `nfstime4`: a time since 1970-01-01 00:00 UTC.
    #[derive(Copy, Default, Hash, PartialOrd, Ord)]
    pub struct Nfstime4 {
        /// Whole seconds; negative before 1970.
        seconds: i64,
        /// Nanoseconds to add, below 1,000,000,000 in a valid time (the decoder does not check).
        nseconds: u32,
    }

    /// `change_info4`: the change attribute of a directory around an operation.
    #[derive(Copy, Default, Hash)]
    pub struct ChangeInfo4 {
        /// Whether nothing else can have changed the directory in between.
        atomic: bool,
        before: Changeid4,
        after: Changeid4,
    }

    /// `client_owner4`: what EXCHANGE_ID identifies a client by.
    #[derive(Hash)]
    pub struct ClientOwner4 {
        verifier: Verifier4,
        ownerid: Bytes [NFS4_OPAQUE_LIMIT],
    }

    /// `nfs_client_id4`: what SETCLIENTID identifies a client by.
    #[derive(Hash)]
    pub struct NfsClientId4 {
        verifier: Verifier4,
        id: Bytes [NFS4_OPAQUE_LIMIT],
    }

    /// `state_owner4`, `open_owner4` and `lock_owner4`: whom opens or locks belong to.
    #[derive(Hash)]
    pub struct StateOwner4 {
        clientid: Clientid4,
        owner: Bytes [NFS4_OPAQUE_LIMIT],
    }

    /// `specdata4`: the numbers of a device special file.
    #[derive(Copy, Default, Hash)]
    pub struct Specdata4 {
        /// The major number.
        specdata1: u32,
        /// The minor number.
        specdata2: u32,
    }

    /// `netaddr4` (`clientaddr4` in RFC 7531): a network address (RFC 5665).
    #[derive(Hash)]
    pub struct Netaddr4 {
        /// The network identifier: `tcp`, `tcp6`.
        netid: Bytes [NETADDR_MAX],
        /// The universal address: `192.0.2.1.8.1`.
        addr: Bytes [NETADDR_MAX],
    }
}

/// `open_owner4`.
pub type OpenOwner4 = StateOwner4;
/// `lock_owner4`.
pub type LockOwner4 = StateOwner4;
/// `clientaddr4`.
pub type Clientaddr4 = Netaddr4;

xdr_enum! {
    /// `nfs_ftype4`: the type of an object.
    pub enum NfsFtype4 {
        Reg = 1 => NF4REG,
        Dir = 2 => NF4DIR,
        Blk = 3 => NF4BLK,
        Chr = 4 => NF4CHR,
        Lnk = 5 => NF4LNK,
        Sock = 6 => NF4SOCK,
        Fifo = 7 => NF4FIFO,
        Attrdir = 8 => NF4ATTRDIR,
        Namedattr = 9 => NF4NAMEDATTR,
    }

    /// `nfs_lock_type4`: the blocking types (`W`) say that the client will wait.
    pub enum NfsLockType4 {
        Read = 1 => READ_LT,
        Write = 2 => WRITE_LT,
        Readw = 3 => READW_LT,
        Writew = 4 => WRITEW_LT,
    }

    /// `time_how4`.
    pub enum TimeHow4 {
        SetToServerTime = 0 => SET_TO_SERVER_TIME4,
        SetToClientTime = 1 => SET_TO_CLIENT_TIME4,
    }
}

xdr_union! {
    /// `settime4`: how SETATTR sets a time.
    #[derive(Copy)]
    pub enum Settime4 switch TimeHow4 {
        case TimeHow4::SetToServerTime => ServerTime,
        case TimeHow4::SetToClientTime => ClientTime(Nfstime4),
    }
}

impl Stateid4 {
    /// All bits zero: an anonymous access, without an open (RFC 8881 §8.2.3).
    pub const ANONYMOUS: Self = Self { seqid: 0, other: [0; 12] };
    /// All bits one: a READ that may pass locks by (RFC 8881 §8.2.3).
    pub const READ_BYPASS: Self = Self { seqid: u32::MAX, other: [0xff; 12] };
    /// The current stateid of the compound (4.1 and later).
    pub const CURRENT: Self = Self { seqid: 1, other: [0; 12] };
    /// Never valid (4.1 and later).
    pub const INVALID: Self = Self { seqid: u32::MAX, other: [0; 12] };
}

impl NfsLockType4 {
    /// Whether the lock excludes readers as well.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::Writew)
    }

    /// Whether the client intends to wait for the lock.
    #[must_use]
    pub const fn is_blocking(self) -> bool {
        matches!(self, Self::Readw | Self::Writew)
    }
}
