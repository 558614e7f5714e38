//! The numbers of the operations, and which minor version has which.

use crate::xdr::xdr_enum;

xdr_enum! {
    /// `nfs_opnum4`: the operations of RFC 7531, RFC 5662, RFC 7863 and RFC 8276.
    pub enum OpNum {
        Access = 3 => OP_ACCESS,
        Close = 4 => OP_CLOSE,
        Commit = 5 => OP_COMMIT,
        Create = 6 => OP_CREATE,
        Delegpurge = 7 => OP_DELEGPURGE,
        Delegreturn = 8 => OP_DELEGRETURN,
        Getattr = 9 => OP_GETATTR,
        Getfh = 10 => OP_GETFH,
        Link = 11 => OP_LINK,
        Lock = 12 => OP_LOCK,
        Lockt = 13 => OP_LOCKT,
        Locku = 14 => OP_LOCKU,
        Lookup = 15 => OP_LOOKUP,
        Lookupp = 16 => OP_LOOKUPP,
        Nverify = 17 => OP_NVERIFY,
        Open = 18 => OP_OPEN,
        Openattr = 19 => OP_OPENATTR,
        OpenConfirm = 20 => OP_OPEN_CONFIRM,
        OpenDowngrade = 21 => OP_OPEN_DOWNGRADE,
        Putfh = 22 => OP_PUTFH,
        Putpubfh = 23 => OP_PUTPUBFH,
        Putrootfh = 24 => OP_PUTROOTFH,
        Read = 25 => OP_READ,
        Readdir = 26 => OP_READDIR,
        Readlink = 27 => OP_READLINK,
        Remove = 28 => OP_REMOVE,
        Rename = 29 => OP_RENAME,
        Renew = 30 => OP_RENEW,
        Restorefh = 31 => OP_RESTOREFH,
        Savefh = 32 => OP_SAVEFH,
        Secinfo = 33 => OP_SECINFO,
        Setattr = 34 => OP_SETATTR,
        Setclientid = 35 => OP_SETCLIENTID,
        SetclientidConfirm = 36 => OP_SETCLIENTID_CONFIRM,
        Verify = 37 => OP_VERIFY,
        Write = 38 => OP_WRITE,
        ReleaseLockowner = 39 => OP_RELEASE_LOCKOWNER,
        BackchannelCtl = 40 => OP_BACKCHANNEL_CTL,
        BindConnToSession = 41 => OP_BIND_CONN_TO_SESSION,
        ExchangeId = 42 => OP_EXCHANGE_ID,
        CreateSession = 43 => OP_CREATE_SESSION,
        DestroySession = 44 => OP_DESTROY_SESSION,
        FreeStateid = 45 => OP_FREE_STATEID,
        GetDirDelegation = 46 => OP_GET_DIR_DELEGATION,
        Getdeviceinfo = 47 => OP_GETDEVICEINFO,
        Getdevicelist = 48 => OP_GETDEVICELIST,
        Layoutcommit = 49 => OP_LAYOUTCOMMIT,
        Layoutget = 50 => OP_LAYOUTGET,
        Layoutreturn = 51 => OP_LAYOUTRETURN,
        SecinfoNoName = 52 => OP_SECINFO_NO_NAME,
        Sequence = 53 => OP_SEQUENCE,
        SetSsv = 54 => OP_SET_SSV,
        TestStateid = 55 => OP_TEST_STATEID,
        WantDelegation = 56 => OP_WANT_DELEGATION,
        DestroyClientid = 57 => OP_DESTROY_CLIENTID,
        ReclaimComplete = 58 => OP_RECLAIM_COMPLETE,
        Allocate = 59 => OP_ALLOCATE,
        Copy = 60 => OP_COPY,
        CopyNotify = 61 => OP_COPY_NOTIFY,
        Deallocate = 62 => OP_DEALLOCATE,
        IoAdvise = 63 => OP_IO_ADVISE,
        Layouterror = 64 => OP_LAYOUTERROR,
        Layoutstats = 65 => OP_LAYOUTSTATS,
        OffloadCancel = 66 => OP_OFFLOAD_CANCEL,
        OffloadStatus = 67 => OP_OFFLOAD_STATUS,
        ReadPlus = 68 => OP_READ_PLUS,
        Seek = 69 => OP_SEEK,
        WriteSame = 70 => OP_WRITE_SAME,
        Clone = 71 => OP_CLONE,
        Getxattr = 72 => OP_GETXATTR,
        Setxattr = 73 => OP_SETXATTR,
        Listxattrs = 74 => OP_LISTXATTRS,
        Removexattr = 75 => OP_REMOVEXATTR,
        Illegal = 10044 => OP_ILLEGAL,
    }
}

/// The highest minor version this crate knows.
pub const MINOR_VERSION_MAX: u32 = 2;

impl OpNum {
    /// The lowest minor version that defines the operation.
    ///
    /// Operations that a later minor version forbids (SETCLIENTID in 4.1) still are defined there; the
    /// server answers them with NFS4ERR_NOTSUPP (RFC 8881 §2.7).
    #[must_use]
    pub const fn since_minor(self) -> u32 {
        match self.as_u32() {
            ..=39 => 0,
            40..=58 => 1,
            _ => 2,
        }
    }

    /// Whether minor version `minor` defines the operation. OP_ILLEGAL is defined nowhere.
    #[must_use]
    pub const fn defined_in(self, minor: u32) -> bool {
        !matches!(self, Self::Illegal) && self.since_minor() <= minor
    }

    /// The name without its prefix, as used in prose, logs and metrics: `GETATTR`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.rfc_name().trim_start_matches("OP_")
    }
}
