//! What a message says.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    CB_COMPOUND, CB_NULL, CbCompound4Args, CbCompound4Res, Compound4Args, Compound4Res, NFS_CB, RPCSEC_GSS,
};
use nfs4_protocol::rpc::{
    AcceptedBody, CallBody, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, NFSPROC4_NULL, OpaqueAuth, RPC_VERSION, ReplyBody,
    RpcBody, RpcMsg,
};
use nfs4_protocol::xdr::{Decode, Decoder, XdrError, from_bytes};

use super::{Event, Side};

/// A call, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Names the call on its connection.
    pub xid: u32,
    /// Program, procedure and credential.
    pub header: CallBody,
    /// What is asked for.
    pub arguments: Arguments,
}

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// Nothing: the procedure NULL or CB_NULL.
    Null,
    /// COMPOUND.
    Compound(Compound4Args),
    /// CB_COMPOUND.
    CbCompound(CbCompound4Args),
    /// Something that is left as it came.
    Opaque(Bytes, Undecoded),
}

/// A reply, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// That of the call.
    pub xid: u32,
    /// Whether the call was carried out.
    pub header: ReplyBody,
    /// What came out of it.
    pub results: Results,
}

/// What came out of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Results {
    /// Nothing: the call was NULL, or it was not carried out.
    Null,
    /// Of COMPOUND.
    Compound(Compound4Res),
    /// Of CB_COMPOUND.
    CbCompound(CbCompound4Res),
    /// Something that is left as it came.
    Opaque(Bytes, Undecoded),
}

/// Why a body is left as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecoded {
    /// RPCSEC_GSS with privacy.
    #[error("encrypted by RPCSEC_GSS")]
    Encrypted,
    /// RPCSEC_GSS sets up or ends a context.
    #[error("an RPCSEC_GSS context")]
    GssContext,
    /// Another program, version or procedure.
    #[error("program {program} version {version} procedure {procedure}")]
    Foreign {
        /// The program.
        program: u32,
        /// Its version.
        version: u32,
        /// The procedure.
        procedure: u32,
    },
    /// It is not what XDR says.
    #[error("not decodable: {0}")]
    Malformed(#[from] XdrError),
}

/// How RPCSEC_GSS wraps a body (RFC 2203 §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    None,
    /// A sequence number before it, a checksum behind it.
    Integrity,
    Privacy,
    /// No NFS in it.
    Context,
}

const RPCSEC_GSS_DATA: u32 = 0;
const RPC_GSS_SVC_INTEGRITY: u32 = 2;
const RPC_GSS_SVC_PRIVACY: u32 = 3;

impl Event {
    /// The call in this event.
    #[must_use]
    pub fn call(&self) -> Option<Call> {
        let (from, message) = self.message()?;
        Call::decode(from, message)
    }

    /// The reply in this event. What it answers is guessed from who sent it; [`Trace::exchanges`] knows.
    ///
    /// [`Trace::exchanges`]: super::Trace::exchanges
    #[must_use]
    pub fn reply(&self) -> Option<Reply> {
        let (from, message) = self.message()?;
        Reply::decode(from, message, None)
    }
}

impl Call {
    /// Reads a message from `from`; `None` when it is not a call.
    #[must_use]
    pub fn decode(from: Side, message: &Bytes) -> Option<Self> {
        let mut d = Decoder::new(message.clone());
        let RpcMsg { xid, body: RpcBody::Call(header) } = RpcMsg::decode(&mut d).ok()? else { return None };
        let arguments = match decode_arguments(from, &header, d.take_rest()) {
            Ok(arguments) => arguments,
            Err((bytes, why)) => Arguments::Opaque(bytes, why),
        };
        Some(Self { xid, header, arguments })
    }

    /// Whether it is the procedure NULL, which every program has.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.header.procedure == NFSPROC4_NULL
    }
}

type Refusal = (Bytes, Undecoded);

fn decode_arguments(from: Side, header: &CallBody, body: Bytes) -> Result<Arguments, Refusal> {
    let foreign = Undecoded::Foreign { program: header.prog, version: header.vers, procedure: header.procedure };
    if header.rpcvers != RPC_VERSION {
        return Err((body, foreign));
    }
    let body = protection_of(&header.cred).unwrap_body(body)?;
    match (from, header.prog, header.vers, header.procedure) {
        (_, _, _, CB_NULL) if body.is_empty() => Ok(Arguments::Null),
        (_, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND) => whole(body).map(Arguments::Compound),
        // Clients choose the number of their callback program.
        (Side::Server, _, NFS_CB, CB_COMPOUND) => whole(body).map(Arguments::CbCompound),
        _ => Err((body, foreign)),
    }
}

fn whole<T: Decode>(body: Bytes) -> Result<T, Refusal> {
    from_bytes(body.clone()).map_err(|error| (body, error.into()))
}

impl Reply {
    /// Reads a message from `from`, the answer to `call` where that was seen; `None` when it is not a reply.
    #[must_use]
    pub fn decode(from: Side, message: &Bytes, call: Option<&Call>) -> Option<Self> {
        let mut d = Decoder::new(message.clone());
        let RpcMsg { xid, body: RpcBody::Reply(header) } = RpcMsg::decode(&mut d).ok()? else { return None };
        let results = match decode_results(from, &header, d.take_rest(), call) {
            Ok(results) => results,
            Err((bytes, why)) => Results::Opaque(bytes, why),
        };
        Some(Self { xid, header, results })
    }
}

fn decode_results(from: Side, header: &ReplyBody, body: Bytes, call: Option<&Call>) -> Result<Results, Refusal> {
    let ReplyBody::Accepted(accepted) = header else { return Ok(Results::Null) };
    if accepted.reply != AcceptedBody::Success || body.is_empty() {
        return Ok(Results::Null);
    }
    let protection = match call {
        Some(call) => protection_of(&call.header.cred),
        None => protection_by_shape(&accepted.verf, &body),
    };
    let body = protection.unwrap_body(body)?;
    match call.map(|call| &call.arguments) {
        Some(Arguments::Null) => {
            let trailing = XdrError::Trailing(body.len());
            Err((body, trailing.into()))
        }
        Some(Arguments::Opaque(_, why @ Undecoded::Foreign { .. })) => Err((body, *why)),
        _ if from == Side::Server => whole(body).map(Results::Compound),
        _ => whole(body).map(Results::CbCompound),
    }
}

/// What the credential of a call says about the call and its reply.
fn protection_of(cred: &OpaqueAuth) -> Protection {
    if cred.flavor != RPCSEC_GSS {
        return Protection::None;
    }
    let read = || -> Result<(u32, u32), XdrError> {
        let mut d = Decoder::new(cred.body.clone());
        let _version = d.u32()?;
        let procedure = d.u32()?;
        let _sequence = d.u32()?;
        Ok((procedure, d.u32()?))
    };
    match read() {
        Ok((RPCSEC_GSS_DATA, RPC_GSS_SVC_INTEGRITY)) => Protection::Integrity,
        Ok((RPCSEC_GSS_DATA, RPC_GSS_SVC_PRIVACY)) => Protection::Privacy,
        Ok((RPCSEC_GSS_DATA, _)) => Protection::None,
        _ => Protection::Context,
    }
}

/// A guess for a reply whose call was not seen: with integrity it is two opaque fields, with privacy one.
fn protection_by_shape(verf: &OpaqueAuth, body: &Bytes) -> Protection {
    let mut d = Decoder::new(body.clone());
    if verf.flavor != RPCSEC_GSS || d.opaque(body.len()).is_err() {
        return Protection::None;
    }
    let second = d.remaining() > 0;
    match (second, second && d.opaque(body.len()).is_err(), d.remaining()) {
        (false, ..) => Protection::Privacy,
        (true, false, 0) => Protection::Integrity,
        _ => Protection::None,
    }
}

impl Protection {
    /// The arguments or results inside. Checksums are not verified: the keys are not in a trace.
    fn unwrap_body(self, body: Bytes) -> Result<Bytes, Refusal> {
        match self {
            Self::None => Ok(body),
            Self::Privacy => Err((body, Undecoded::Encrypted)),
            Self::Context => Err((body, Undecoded::GssContext)),
            Self::Integrity => match Decoder::new(body.clone()).opaque(body.len()) {
                Ok(inner) if inner.len() >= 4 => Ok(inner.slice(4..)),
                Ok(inner) => Err((body, XdrError::Truncated { missing: 4 - inner.len() }.into())),
                Err(error) => Err((body, error.into())),
            },
        }
    }
}
