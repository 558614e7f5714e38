//! The operations that 4.1 added, but for pNFS: sessions here, client identities and delegations in
//! the modules below.
//!
//! The fields have the RFC's names without the prefix of their structure: `sa_slotid` of
//! `SEQUENCE4args` is `slotid` of [`Sequence4Args`].

mod clientid;
mod delegation;
mod stateid;

pub use clientid::*;
pub use delegation::*;
pub use stateid::*;

use bytes::Bytes;

use super::{Clientid4, Count4, OpResult, RPCSEC_GSS, RpcGssSvc, Sequenceid4, Sessionid4, Slotid4};
use crate::rpc::{AUTH_NONE, AUTH_SYS, AuthSysParms};
use crate::xdr::{xdr_enum, xdr_struct, xdr_union};

/// The most security flavours a client may offer for the back channel.
pub const CALLBACK_SEC_PARMS_MAX: usize = 64;
/// The longest RPCSEC_GSS context handle (`gsshandle4_t`), in bytes.
pub const GSS_HANDLE_MAX: usize = 1024;
/// The longest secret state verifier and the longest digest of SET_SSV, in bytes.
pub const SSV_MAX: usize = 1024;

/// CREATE_SESSION: the reply cache of the session shall survive a restart of the server.
pub const CREATE_SESSION4_FLAG_PERSIST: u32 = 0x0000_0001;
/// CREATE_SESSION: this connection shall carry the back channel too.
pub const CREATE_SESSION4_FLAG_CONN_BACK_CHAN: u32 = 0x0000_0002;
/// CREATE_SESSION: this connection shall switch to RDMA mode.
pub const CREATE_SESSION4_FLAG_CONN_RDMA: u32 = 0x0000_0004;

/// SEQUENCE: no session of the client has a back channel.
pub const SEQ4_STATUS_CB_PATH_DOWN: u32 = 0x0000_0001;
/// SEQUENCE: the GSS contexts of the back channel expire within a lease time.
pub const SEQ4_STATUS_CB_GSS_CONTEXTS_EXPIRING: u32 = 0x0000_0002;
/// SEQUENCE: the GSS contexts of the back channel have expired.
pub const SEQ4_STATUS_CB_GSS_CONTEXTS_EXPIRED: u32 = 0x0000_0004;
/// SEQUENCE: the lease ran out and all locking state is gone.
pub const SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED: u32 = 0x0000_0008;
/// SEQUENCE: the lease ran out and some locking state was taken by others.
pub const SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED: u32 = 0x0000_0010;
/// SEQUENCE: an administrator revoked some locking state.
pub const SEQ4_STATUS_ADMIN_STATE_REVOKED: u32 = 0x0000_0020;
/// SEQUENCE: a delegation or layout was not returned in time and was revoked.
pub const SEQ4_STATUS_RECALLABLE_STATE_REVOKED: u32 = 0x0000_0040;
/// SEQUENCE: another server is now in charge of some of the client's leases.
pub const SEQ4_STATUS_LEASE_MOVED: u32 = 0x0000_0080;
/// SEQUENCE: the server restarted and the client must reclaim its state.
pub const SEQ4_STATUS_RESTART_RECLAIM_NEEDED: u32 = 0x0000_0100;
/// SEQUENCE: this session has no back channel.
pub const SEQ4_STATUS_CB_PATH_DOWN_SESSION: u32 = 0x0000_0200;
/// SEQUENCE: the back channel is broken for good; the session must be destroyed.
pub const SEQ4_STATUS_BACKCHANNEL_FAULT: u32 = 0x0000_0400;
/// SEQUENCE: the address of a pNFS device changed.
pub const SEQ4_STATUS_DEVID_CHANGED: u32 = 0x0000_0800;
/// SEQUENCE: a pNFS device is gone.
pub const SEQ4_STATUS_DEVID_DELETED: u32 = 0x0000_1000;

xdr_enum! {
    /// `channel_dir_from_client4`: the channels a client wants to bind a connection to.
    pub enum ChannelDirFromClient4 {
        Fore = 1 => CDFC4_FORE,
        Back = 2 => CDFC4_BACK,
        /// The fore channel, and the back channel if the server likes.
        ForeOrBoth = 3 => CDFC4_FORE_OR_BOTH,
        /// The back channel, and the fore channel if the server likes.
        BackOrBoth = 7 => CDFC4_BACK_OR_BOTH,
    }

    /// `channel_dir_from_server4`: the channels a server bound a connection to.
    pub enum ChannelDirFromServer4 {
        Fore = 1 => CDFS4_FORE,
        Back = 2 => CDFS4_BACK,
        Both = 3 => CDFS4_BOTH,
    }
}

xdr_struct! {
    /// `gss_cb_handles4`: the RPCSEC_GSS contexts of a back channel.
    pub struct GssCbHandles4 {
        service: RpcGssSvc,
        handle_from_server: Bytes [GSS_HANDLE_MAX],
        handle_from_client: Bytes [GSS_HANDLE_MAX],
    }
}

xdr_union! {
    /// `callback_sec_parms4`: credentials the server may use in callbacks.
    pub enum CallbackSecParms4 switch u32 {
        case AUTH_NONE => None,
        case AUTH_SYS => Sys(AuthSysParms),
        case RPCSEC_GSS => Gss(GssCbHandles4),
    }
}

xdr_struct! {
    /// BACKCHANNEL_CTL: changes how callbacks are sent (RFC 8881 §18.33).
    pub struct BackchannelCtl4Args {
        /// The RPC program number to call.
        cb_program: u32,
        sec_parms: Vec<CallbackSecParms4> [CALLBACK_SEC_PARMS_MAX],
    }

    /// BIND_CONN_TO_SESSION: binds the connection it comes over (RFC 8881 §18.34).
    pub struct BindConnToSession4Args {
        sessid: Sessionid4,
        dir: ChannelDirFromClient4,
        use_conn_in_rdma_mode: bool,
    }

    /// What BIND_CONN_TO_SESSION bound.
    pub struct BindConnToSession4Resok {
        sessid: Sessionid4,
        dir: ChannelDirFromServer4,
        use_conn_in_rdma_mode: bool,
    }

    /// `channel_attrs4`: the limits of one channel of a session (RFC 8881 §18.36.3).
    #[derive(Hash)]
    pub struct ChannelAttrs4 {
        /// Padding in front of WRITE data, in bytes.
        headerpadsize: Count4,
        /// The largest request, RPC header included, in bytes.
        maxrequestsize: Count4,
        /// The largest reply, RPC header included, in bytes.
        maxresponsesize: Count4,
        /// The largest reply that the replier keeps for a retry, in bytes.
        maxresponsesize_cached: Count4,
        /// The most operations in one COMPOUND or CB_COMPOUND.
        maxoperations: Count4,
        /// The most requests at a time: the number of slots.
        maxrequests: Count4,
        /// RDMA reads in flight; an array of at most one element, which is the same on the wire.
        rdma_ird: Option<u32>,
    }

    /// CREATE_SESSION: also confirms the client ID (RFC 8881 §18.36).
    pub struct CreateSession4Args {
        clientid: Clientid4,
        /// Makes CREATE_SESSION idempotent: one more than in the one before.
        sequence: Sequenceid4,
        /// `CREATE_SESSION4_FLAG_*`.
        flags: u32,
        fore_chan_attrs: ChannelAttrs4,
        back_chan_attrs: ChannelAttrs4,
        /// The RPC program number of callbacks.
        cb_program: u32,
        sec_parms: Vec<CallbackSecParms4> [CALLBACK_SEC_PARMS_MAX],
    }

    /// The new session, and what the server granted of what was asked for.
    pub struct CreateSession4Resok {
        sessionid: Sessionid4,
        sequence: Sequenceid4,
        /// `CREATE_SESSION4_FLAG_*`, a part of those asked for.
        flags: u32,
        fore_chan_attrs: ChannelAttrs4,
        back_chan_attrs: ChannelAttrs4,
    }

    /// DESTROY_SESSION (RFC 8881 §18.37).
    #[derive(Copy)]
    pub struct DestroySession4Args {
        sessionid: Sessionid4,
    }

    /// SEQUENCE: the first operation of every COMPOUND of a session (RFC 8881 §18.46).
    #[derive(Copy)]
    pub struct Sequence4Args {
        sessionid: Sessionid4,
        /// One more than in the slot's last request; the same for a retry.
        sequenceid: Sequenceid4,
        slotid: Slotid4,
        /// The highest slot the client has a request in.
        highest_slotid: Slotid4,
        /// Whether the reply shall be kept for a retry.
        cachethis: bool,
    }

    /// The state of the slot, the session and the lease.
    #[derive(Copy)]
    pub struct Sequence4Resok {
        sessionid: Sessionid4,
        sequenceid: Sequenceid4,
        slotid: Slotid4,
        /// The highest slot the server has state for.
        highest_slotid: Slotid4,
        /// The highest slot the server would like the client to use.
        target_highest_slotid: Slotid4,
        /// `SEQ4_STATUS_*`.
        status_flags: u32,
    }

    /// SET_SSV: changes the secret state verifier of a client ID under SP4_SSV (RFC 8881 §18.47).
    pub struct SetSsv4Args {
        /// The new verifier, combined with the old one by exclusive or.
        ssv: Bytes [SSV_MAX],
        digest: Bytes [SSV_MAX],
    }

    /// The server's proof that it knows the new verifier.
    pub struct SetSsv4Resok {
        digest: Bytes [SSV_MAX],
    }
}

/// The result of BACKCHANNEL_CTL.
pub type BackchannelCtl4Res = OpResult<()>;
/// The result of BIND_CONN_TO_SESSION.
pub type BindConnToSession4Res = OpResult<BindConnToSession4Resok>;
/// The result of CREATE_SESSION.
pub type CreateSession4Res = OpResult<CreateSession4Resok>;
/// The result of DESTROY_SESSION.
pub type DestroySession4Res = OpResult<()>;
/// The result of SEQUENCE.
pub type Sequence4Res = OpResult<Sequence4Resok>;
/// The result of SET_SSV.
pub type SetSsv4Res = OpResult<SetSsv4Resok>;
