//! Client identities: EXCHANGE_ID, DESTROY_CLIENTID, RECLAIM_COMPLETE.

use bytes::Bytes;

use super::GSS_HANDLE_MAX;
use crate::nfs4::{Bitmap4, ClientOwner4, Clientid4, NFS4_OPAQUE_LIMIT, Nfstime4, OpResult, SEC_OID_MAX, Sequenceid4};
use crate::xdr::{xdr_enum, xdr_newtype, xdr_struct, xdr_union};

/// The longest domain and the longest name of an implementation, in bytes.
pub const IMPL_ID_MAX: usize = NFS4_OPAQUE_LIMIT;
/// The most algorithms a client may offer for a secret state verifier.
pub const SSV_ALGS_MAX: usize = 64;
/// The most RPCSEC_GSS handles a server hands out for a secret state verifier.
pub const SSV_HANDLES_MAX: usize = 256;

/// EXCHANGE_ID: referrals (NFS4ERR_MOVED on arrival) are understood.
pub const EXCHGID4_FLAG_SUPP_MOVED_REFER: u32 = 0x0000_0001;
/// EXCHANGE_ID: migration (NFS4ERR_MOVED in the midst of use) is understood.
pub const EXCHGID4_FLAG_SUPP_MOVED_MIGR: u32 = 0x0000_0002;
/// EXCHANGE_ID: fencing of operations is supported (RFC 7863).
pub const EXCHGID4_FLAG_SUPP_FENCE_OPS: u32 = 0x0000_0004;
/// EXCHANGE_ID: a stateid may only be used by the principal that got it.
pub const EXCHGID4_FLAG_BIND_PRINC_STATEID: u32 = 0x0000_0100;
/// EXCHANGE_ID: a server without pNFS.
pub const EXCHGID4_FLAG_USE_NON_PNFS: u32 = 0x0001_0000;
/// EXCHANGE_ID: a pNFS metadata server.
pub const EXCHGID4_FLAG_USE_PNFS_MDS: u32 = 0x0002_0000;
/// EXCHANGE_ID: a pNFS data server.
pub const EXCHGID4_FLAG_USE_PNFS_DS: u32 = 0x0004_0000;
/// EXCHANGE_ID: the three bits that say what part a server plays in pNFS.
pub const EXCHGID4_FLAG_MASK_PNFS: u32 = 0x0007_0000;
/// EXCHANGE_ID, arguments only: updates a confirmed client ID.
pub const EXCHGID4_FLAG_UPD_CONFIRMED_REC_A: u32 = 0x4000_0000;
/// EXCHANGE_ID, results only: the client ID is confirmed already.
pub const EXCHGID4_FLAG_CONFIRMED_R: u32 = 0x8000_0000;

xdr_enum! {
    /// `state_protect_how4`: how the state of a client is guarded against others (RFC 8881 §18.35.3).
    pub enum StateProtectHow4 {
        None = 0 => SP4_NONE,
        /// By the machine credential.
        MachCred = 1 => SP4_MACH_CRED,
        /// By a secret state verifier.
        Ssv = 2 => SP4_SSV,
    }
}

xdr_newtype! {
    /// `sec_oid4`: an object identifier in the encoding of RFC 2743.
    pub struct SecOid4(Bytes [SEC_OID_MAX]);

    /// `gsshandle4_t`: an RPCSEC_GSS context handle.
    pub struct GssHandle4(Bytes [GSS_HANDLE_MAX]);
}

xdr_struct! {
    /// `state_protect_ops4`: bitmaps of operation numbers.
    #[derive(Default, Hash)]
    pub struct StateProtectOps4 {
        /// The operations that must use the guarding credential.
        must_enforce: Bitmap4,
        /// The operations that may use it besides the one that owns the state.
        must_allow: Bitmap4,
    }

    /// `ssv_sp_parms4`: what a client asks for with SP4_SSV.
    pub struct SsvSpParms4 {
        ops: StateProtectOps4,
        hash_algs: Vec<SecOid4> [SSV_ALGS_MAX],
        encr_algs: Vec<SecOid4> [SSV_ALGS_MAX],
        /// How many versions of the verifier the server shall keep.
        window: u32,
        num_gss_handles: u32,
    }

    /// `ssv_prot_info4`: what a server grants with SP4_SSV.
    pub struct SsvProtInfo4 {
        ops: StateProtectOps4,
        /// The index of the chosen algorithm among those offered.
        hash_alg: u32,
        /// The index of the chosen algorithm among those offered.
        encr_alg: u32,
        /// The length of the verifier, in bytes.
        ssv_len: u32,
        window: u32,
        handles: Vec<GssHandle4> [SSV_HANDLES_MAX],
    }
}

xdr_union! {
    /// `state_protect4_a`: the guard a client asks for.
    pub enum StateProtect4A switch StateProtectHow4 {
        case StateProtectHow4::None => None,
        case StateProtectHow4::MachCred => MachCred(StateProtectOps4),
        case StateProtectHow4::Ssv => Ssv(SsvSpParms4),
    }

    /// `state_protect4_r`: the guard a server grants.
    pub enum StateProtect4R switch StateProtectHow4 {
        case StateProtectHow4::None => None,
        case StateProtectHow4::MachCred => MachCred(StateProtectOps4),
        case StateProtectHow4::Ssv => Ssv(SsvProtInfo4),
    }
}

xdr_struct! {
    /// `nfs_impl_id4`: who wrote a client or a server, for logs only.
    #[derive(Hash)]
    pub struct NfsImplId4 {
        domain: Bytes [IMPL_ID_MAX],
        name: Bytes [IMPL_ID_MAX],
        date: Nfstime4,
    }

    /// `server_owner4`: servers with the same owner may be trunked (RFC 8881 §2.10.5).
    #[derive(Hash)]
    pub struct ServerOwner4 {
        minor_id: u64,
        major_id: Bytes [NFS4_OPAQUE_LIMIT],
    }

    /// EXCHANGE_ID: makes a client known (RFC 8881 §18.35).
    pub struct ExchangeId4Args {
        clientowner: ClientOwner4,
        /// `EXCHGID4_FLAG_*`.
        flags: u32,
        state_protect: StateProtect4A,
        /// An array of at most one element, which is the same on the wire.
        client_impl_id: Option<NfsImplId4>,
    }

    /// The client ID, and who the server is.
    pub struct ExchangeId4Resok {
        clientid: Clientid4,
        /// The `csa_sequence` of the next CREATE_SESSION.
        sequenceid: Sequenceid4,
        /// `EXCHGID4_FLAG_*`.
        flags: u32,
        state_protect: StateProtect4R,
        server_owner: ServerOwner4,
        /// Client IDs are shared by servers with the same scope.
        server_scope: Bytes [NFS4_OPAQUE_LIMIT],
        /// An array of at most one element, which is the same on the wire.
        server_impl_id: Option<NfsImplId4>,
    }

    /// DESTROY_CLIENTID (RFC 8881 §18.50).
    #[derive(Copy)]
    pub struct DestroyClientid4Args {
        clientid: Clientid4,
    }

    /// RECLAIM_COMPLETE: no more reclaims will come (RFC 8881 §18.51).
    #[derive(Copy)]
    pub struct ReclaimComplete4Args {
        /// Only for the file system of the current filehandle, after a migration.
        one_fs: bool,
    }
}

/// The result of EXCHANGE_ID.
pub type ExchangeId4Res = OpResult<ExchangeId4Resok>;
/// The result of DESTROY_CLIENTID.
pub type DestroyClientid4Res = OpResult<()>;
/// The result of RECLAIM_COMPLETE.
pub type ReclaimComplete4Res = OpResult<()>;
