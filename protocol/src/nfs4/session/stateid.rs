//! Operations on stateids, and SECINFO_NO_NAME.

use crate::nfs4::{NfsStat4, OpResult, Secinfo4Res, Stateid4};
use crate::xdr::{xdr_enum, xdr_struct};

/// The most stateids in one TEST_STATEID.
pub const TEST_STATEIDS_MAX: usize = 16_384;

xdr_enum! {
    /// `secinfo_style4`: what SECINFO_NO_NAME asks about (RFC 8881 §18.45).
    pub enum SecinfoStyle4 {
        CurrentFh = 0 => SECINFO_STYLE4_CURRENT_FH,
        /// The directory above the current filehandle.
        Parent = 1 => SECINFO_STYLE4_PARENT,
    }
}

xdr_struct! {
    /// FREE_STATEID: gives up a stateid without locks, or acknowledges a revoked one (RFC 8881 §18.38).
    #[derive(Copy)]
    pub struct FreeStateid4Args {
        stateid: Stateid4,
    }

    /// TEST_STATEID: asks which stateids are still good (RFC 8881 §18.48).
    pub struct TestStateid4Args {
        stateids: Vec<Stateid4> [TEST_STATEIDS_MAX],
    }

    /// One status for each stateid, in the same order.
    pub struct TestStateid4Resok {
        status_codes: Vec<NfsStat4> [TEST_STATEIDS_MAX],
    }
}

/// The arguments of SECINFO_NO_NAME.
pub type SecinfoNoName4Args = SecinfoStyle4;
/// The result of SECINFO_NO_NAME: that of SECINFO.
pub type SecinfoNoName4Res = Secinfo4Res;
/// The result of FREE_STATEID.
pub type FreeStateid4Res = OpResult<()>;
/// The result of TEST_STATEID.
pub type TestStateid4Res = OpResult<TestStateid4Resok>;
