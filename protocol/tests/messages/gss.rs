//! Bodies of messages under RPCSEC_GSS (RFC 2203 §5.3). Checksums are not verified.

use bytes::Bytes;
use nfs4_protocol::nfs4::RPCSEC_GSS;
use nfs4_protocol::rpc::OpaqueAuth;
use nfs4_protocol::xdr::{Decoder, XdrError};

/// How the body of a message is wrapped.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wrapping {
    /// As it is.
    Plain,
    /// A sequence number before it and a checksum behind it.
    Integrity,
    /// Not readable, for this reason.
    Opaque(&'static str),
}

const PROC_DATA: u32 = 0;
const SERVICE_NONE: u32 = 1;
const SERVICE_INTEGRITY: u32 = 2;
const BODY_MAX: usize = 1 << 20;

impl Wrapping {
    /// What the credential of a call says about the call and its reply.
    pub(crate) fn of(cred: &OpaqueAuth) -> Self {
        if cred.flavor != RPCSEC_GSS {
            return Self::Plain;
        }
        let read = || -> Result<(u32, u32), XdrError> {
            let mut d = Decoder::new(cred.body.clone());
            let _version = d.u32()?;
            let procedure = d.u32()?;
            let _sequence = d.u32()?;
            Ok((procedure, d.u32()?))
        };
        match read() {
            Ok((PROC_DATA, SERVICE_NONE)) => Self::Plain,
            Ok((PROC_DATA, SERVICE_INTEGRITY)) => Self::Integrity,
            Ok((PROC_DATA, _)) => Self::Opaque("encrypted"),
            _ => Self::Opaque("RPCSEC_GSS context"),
        }
    }

    /// The arguments or results inside.
    pub(crate) fn unwrap(self, body: Bytes) -> Result<Bytes, &'static str> {
        match self {
            Self::Plain => Ok(body),
            Self::Opaque(reason) => Err(reason),
            Self::Integrity => {
                let inner = Decoder::new(body).opaque(BODY_MAX).map_err(|_| "broken integrity body")?;
                (inner.len() >= 4).then(|| inner.slice(4..)).ok_or("broken integrity body")
            }
        }
    }
}
