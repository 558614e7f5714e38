//! What is below NFSv4: other versions and programs, and RPC-with-TLS.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nfs4_protocol::nfs4::{MINOR_VERSION_MAX, NfsStat4};
use nfs4_protocol::rpc::{
    AUTH_NONE, AUTH_TLS, AcceptedBody, AcceptedReply, NFS_PROGRAM, NFS_V4, NFSPROC4_NULL, OpaqueAuth, RejectedReply,
    ReplyBody, RpcBody, RpcMsg, STARTTLS,
};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};

use super::features::Feature;
use super::report::Notes;
use crate::wire::{Incoming, Wire};
use crate::{Connection, Error, Result};

/// How long a server may take to answer a call that does nothing.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// The first port that needs no privilege.
const FREE_PORTS: u16 = 1024;

/// Programs that a server of NFSv3 has beside NFS, or in the place of it, and the version that is asked for.
const PROGRAMS: &[(&str, u32, u32)] = &[
    ("NFSv2", NFS_PROGRAM, 2),
    ("NFSv3", NFS_PROGRAM, 3),
    ("NFSv4", NFS_PROGRAM, NFS_V4),
    ("NFSv5", NFS_PROGRAM, 5),
    ("MOUNTv3", 100_005, 3),
    ("NLMv4", 100_021, 4),
    ("NFS_ACLv3", 100_227, 3),
    ("portmap", 100_000, 2),
];

/// Looks at RPC.
pub(super) async fn look(addr: SocketAddr) -> Result<Notes> {
    let mut notes = Notes::default();
    for (name, program, version) in PROGRAMS {
        let began = Instant::now();
        let answer = null(addr, *program, *version, OpaqueAuth::NONE).await?;
        notes.fact("RPC", name, describe(&answer));
        match (*name, &answer) {
            ("NFSv4", _) => {
                notes.fact(
                    "RPC",
                    "round trip with connecting",
                    format!("{:.1} ms", began.elapsed().as_secs_f64() * 1e3),
                );
            }
            ("NFSv5", answer) => {
                let right = matches!(
                    answer,
                    Some(ReplyBody::Accepted(AcceptedReply { reply: AcceptedBody::ProgMismatch(_), .. }))
                );
                notes.found(Feature::ProgMismatch, right, describe(answer));
            }
            _ => {}
        }
    }
    let port = Wire::open(addr).await?.local_addr()?.port();
    if port < FREE_PORTS {
        notes.unknown(Feature::OtherPorts, format!("this client came from port {port}"));
    } else {
        notes.found(Feature::OtherPorts, true, format!("calls from port {port} are answered"));
    }
    tls(addr, &mut notes).await?;
    minor_mismatch(addr, &mut notes).await?;
    Ok(notes)
}

/// RFC 9289 §4.1: AUTH_TLS on NULL is answered with a verifier that says STARTTLS, or refused.
async fn tls(addr: SocketAddr, notes: &mut Notes) -> Result<()> {
    let credential = OpaqueAuth { flavor: AUTH_TLS, ..OpaqueAuth::NONE };
    let answer = null(addr, NFS_PROGRAM, NFS_V4, credential).await?;
    let (offered, answered) = match &answer {
        Some(ReplyBody::Accepted(AcceptedReply { verf, reply: AcceptedBody::Success })) => {
            let offered = verf.flavor == AUTH_NONE && verf.body == STARTTLS;
            (offered, offered)
        }
        Some(ReplyBody::Denied(RejectedReply::AuthError(_))) => (false, true),
        _ => (false, false),
    };
    let words = if offered { "STARTTLS".to_owned() } else { describe(&answer) };
    notes.found(Feature::TlsAnswered, answered, words.clone());
    notes.found(Feature::Tls, offered, words);
    Ok(())
}

async fn minor_mismatch(addr: SocketAddr, notes: &mut Notes) -> Result<()> {
    let status = first_status(addr, MINOR_VERSION_MAX + 1).await;
    let result = status.map(|status| (status == NfsStat4::MinorVersMismatch, format!("4.3: {status}")));
    notes.tried(Feature::MinorMismatch, result);
    Ok(())
}

/// With what a minor version answers PUTROOTFH alone.
pub(super) async fn first_status(addr: SocketAddr, minor: u32) -> Result<NfsStat4> {
    let connection = Connection::open(addr, ANSWER_WAIT).await?;
    let args = crate::CompoundBuilder::new().putrootfh().build(minor);
    let credential = crate::ClientOptions::default().credential();
    Ok(connection.compound(credential, &args).await?.status)
}

/// Calls the procedure that does nothing; `None` when the server closes the connection or does not answer.
async fn null(addr: SocketAddr, program: u32, version: u32, credential: OpaqueAuth) -> Result<Option<ReplyBody>> {
    let mut wire = Wire::open(addr).await?;
    let mut e = Encoder::new();
    RpcMsg::call(wire.new_xid(), program, version, NFSPROC4_NULL, credential).encode(&mut e);
    wire.send_message(e.finish()).await;
    let Incoming::Record(record) = wire.receive(ANSWER_WAIT).await else { return Ok(None) };
    match RpcMsg::decode(&mut Decoder::new(record))?.body {
        RpcBody::Reply(reply) => Ok(Some(reply)),
        RpcBody::Call(_) => Err(Error::Lost("a call came in the place of a reply".into())),
    }
}

fn describe(answer: &Option<ReplyBody>) -> String {
    answer.as_ref().map_or_else(|| "no answer".into(), words)
}

/// A reply's header in words.
pub(super) fn words(reply: &ReplyBody) -> String {
    match reply {
        ReplyBody::Accepted(accepted) => match accepted.reply {
            AcceptedBody::Success => "answers".into(),
            AcceptedBody::ProgUnavail => "PROG_UNAVAIL".into(),
            AcceptedBody::ProgMismatch(range) => format!("PROG_MISMATCH: {} to {}", range.low, range.high),
            AcceptedBody::ProcUnavail => "PROC_UNAVAIL".into(),
            AcceptedBody::GarbageArgs => "GARBAGE_ARGS".into(),
            AcceptedBody::SystemErr => "SYSTEM_ERR".into(),
        },
        ReplyBody::Denied(RejectedReply::RpcMismatch(range)) => {
            format!("RPC_MISMATCH: {} to {}", range.low, range.high)
        }
        ReplyBody::Denied(RejectedReply::AuthError(why)) => format!("AUTH_ERROR: {why}"),
    }
}
