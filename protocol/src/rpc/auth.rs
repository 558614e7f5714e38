//! Credentials and verifiers.

use bytes::Bytes;

use crate::xdr::{XdrError, from_bytes, to_bytes, xdr_struct};

/// The largest body of a credential or verifier, in bytes (RFC 5531 §8.2).
pub const AUTH_BODY_MAX: usize = 400;
/// The longest machine name in AUTH_SYS, in bytes.
pub const MACHINE_NAME_MAX: usize = 255;
/// The most supplementary groups in AUTH_SYS.
pub const AUTH_SYS_GIDS_MAX: usize = 16;

/// No authentication.
pub const AUTH_NONE: u32 = 0;
/// User and group numbers, unproven.
pub const AUTH_SYS: u32 = 1;
/// A short hand for AUTH_SYS given by the server.
pub const AUTH_SHORT: u32 = 2;
/// The probe for RPC-with-TLS (RFC 9289).
pub const AUTH_TLS: u32 = 7;

/// The verifier body with which a server agrees to AUTH_TLS (RFC 9289 §4.1).
pub const STARTTLS: &[u8] = b"STARTTLS";

xdr_struct! {
    /// `opaque_auth`: a credential or verifier, not yet looked into.
    pub struct OpaqueAuth {
        /// `AUTH_NONE`, `AUTH_SYS`, ...
        flavor: u32,
        body: Bytes [AUTH_BODY_MAX],
    }

    /// `authsys_parms`: the body of AUTH_SYS.
    pub struct AuthSysParms {
        stamp: u32,
        machinename: Bytes [MACHINE_NAME_MAX],
        uid: u32,
        gid: u32,
        /// The supplementary groups.
        gids: Vec<u32> [AUTH_SYS_GIDS_MAX],
    }
}

/// A credential or verifier, looked into where the flavour is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// AUTH_NONE.
    None,
    /// AUTH_SYS.
    Sys(AuthSysParms),
    /// AUTH_TLS.
    Tls,
    /// Any other flavour, as it came.
    Other(OpaqueAuth),
}

impl OpaqueAuth {
    /// AUTH_NONE.
    pub const NONE: Self = Self { flavor: AUTH_NONE, body: Bytes::new() };

    /// Looks into the body. The bodies of AUTH_NONE and AUTH_TLS are ignored.
    ///
    /// # Errors
    /// [`XdrError`] when the body is not what its flavour says; a server answers AUTH_BADCRED.
    pub fn parse(&self) -> Result<Auth, XdrError> {
        match self.flavor {
            AUTH_NONE => Ok(Auth::None),
            AUTH_SYS => from_bytes(self.body.clone()).map(Auth::Sys),
            AUTH_TLS => Ok(Auth::Tls),
            _ => Ok(Auth::Other(self.clone())),
        }
    }
}

impl From<&AuthSysParms> for OpaqueAuth {
    fn from(parms: &AuthSysParms) -> Self {
        Self { flavor: AUTH_SYS, body: to_bytes(parms) }
    }
}
