//! Client identification of 4.0: SETCLIENTID and the lease.

use super::{Clientaddr4, Clientid4, Netaddr4, NfsClientId4, OpResult, Verifier4};
use crate::xdr::{xdr_result, xdr_struct};

xdr_struct! {
    /// `cb_client4`: where the client wants its callbacks.
    pub struct CbClient4 {
        program: u32,
        location: Netaddr4,
    }

    /// `SETCLIENTID4args`.
    pub struct Setclientid4Args {
        client: NfsClientId4,
        callback: CbClient4,
        callback_ident: u32,
    }

    /// `SETCLIENTID4resok`.
    #[derive(Copy)]
    pub struct Setclientid4Resok {
        clientid: Clientid4,
        setclientid_confirm: Verifier4,
    }

    /// `SETCLIENTID_CONFIRM4args`.
    #[derive(Copy)]
    pub struct SetclientidConfirm4Args {
        clientid: Clientid4,
        setclientid_confirm: Verifier4,
    }

    /// `RENEW4args`.
    #[derive(Copy)]
    pub struct Renew4Args {
        clientid: Clientid4,
    }
}

xdr_result! {
    /// `SETCLIENTID4res`.
    pub enum Setclientid4Res {
        Ok => Ok(Setclientid4Resok),
        /// The client that uses the identification.
        ClidInuse => ClidInuse(Clientaddr4),
    }
}

/// `SETCLIENTID_CONFIRM4res`.
pub type SetclientidConfirm4Res = OpResult<()>;
/// `RENEW4res`.
pub type Renew4Res = OpResult<()>;
