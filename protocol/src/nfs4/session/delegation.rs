//! Delegations that are asked for without an OPEN: GET_DIR_DELEGATION, WANT_DELEGATION.

use crate::nfs4::{
    Bitmap4, Nfstime4, OpResult, OpenClaimType4, OpenDelegation4, OpenDelegationType4, Stateid4, Verifier4,
};
use crate::xdr::{xdr_enum, xdr_struct, xdr_union};

xdr_enum! {
    /// `gddrnf4_status`.
    pub enum GddrnfStatus4 {
        Ok = 0 => GDD4_OK,
        Unavail = 1 => GDD4_UNAVAIL,
    }
}

xdr_struct! {
    /// GET_DIR_DELEGATION: asks for a delegation of the current directory (RFC 8881 §18.39).
    pub struct GetDirDelegation4Args {
        /// Whether the client wants to be told when a delegation can be had.
        signal_deleg_avail: bool,
        /// The notifications wanted, a bitmap of [`NotifyType4`](crate::nfs4::NotifyType4).
        notification_types: Bitmap4,
        /// How long the server may put off notifications about the entries' attributes.
        child_attr_delay: Nfstime4,
        /// How long the server may put off notifications about the directory's attributes.
        dir_attr_delay: Nfstime4,
        child_attributes: Bitmap4,
        dir_attributes: Bitmap4,
    }

    /// The delegation, and which of the notifications will come.
    pub struct GetDirDelegation4Resok {
        cookieverf: Verifier4,
        stateid: Stateid4,
        notification: Bitmap4,
        child_attributes: Bitmap4,
        dir_attributes: Bitmap4,
    }
}

xdr_union! {
    /// `GET_DIR_DELEGATION4res_non_fatal`: the delegation, or none for now.
    pub enum GetDirDelegation4ResNonFatal switch GddrnfStatus4 {
        case GddrnfStatus4::Ok => Ok(GetDirDelegation4Resok),
        /// Whether the client will be told when a delegation can be had.
        case GddrnfStatus4::Unavail => Unavail(bool),
    }

    /// `deleg_claim4`: what the object of WANT_DELEGATION is to the client.
    #[derive(Copy)]
    pub enum DelegClaim4 switch OpenClaimType4 {
        /// The current filehandle, without any claim.
        case OpenClaimType4::Fh => Fh,
        /// A delegation held before the client restarted.
        case OpenClaimType4::DelegPrevFh => DelegPrevFh,
        /// A delegation held before the server restarted.
        case OpenClaimType4::Previous => Previous(OpenDelegationType4),
    }
}

xdr_struct! {
    /// WANT_DELEGATION: asks for a delegation of the current file (RFC 8881 §18.49).
    #[derive(Copy)]
    pub struct WantDelegation4Args {
        /// `OPEN4_SHARE_ACCESS_WANT_*`.
        want: u32,
        claim: DelegClaim4,
    }
}

/// The result of GET_DIR_DELEGATION.
pub type GetDirDelegation4Res = OpResult<GetDirDelegation4ResNonFatal>;
/// The result of WANT_DELEGATION.
pub type WantDelegation4Res = OpResult<OpenDelegation4>;
