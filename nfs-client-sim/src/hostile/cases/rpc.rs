//! Calls that are no NFS calls, or by nobody that can be.

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::nfs4::{Compound4Args, NfsArgop4};
use nfs4_protocol::rpc::{
    AUTH_NONE, AUTH_SHORT, AUTH_SYS, CallBody, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, NFSPROC4_NULL, OpaqueAuth,
    RPC_VERSION, RpcBody, RpcMsg,
};
use nfs4_protocol::xdr::{Encode, Encoder};

use crate::Result;
use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::Stage;
use crate::hostile::{About, Case, Cases};

/// RPCSEC_GSS.
const GSS: u32 = 6;
/// A flavour that nobody registered.
const UNKNOWN_FLAVOR: u32 = 0x7fff_fff0;
/// The program of MOUNT.
const MOUNT_PROGRAM: u32 = 100_005;

const AUTH: &[Allowed] = &[Allowed::AuthError];

pub(super) const CASES: Cases = Cases {
    name: "RPC",
    cases: &[
        Case {
            name: "RPC version 3",
            section: "RFC 5531 §9",
            requires: "RPC_MISMATCH",
            about: About::All,
            allowed: &[Allowed::RpcMismatch],
            play: |stage| async { send(stage, CallBody { rpcvers: 3, ..null() }).await }.boxed(),
        },
        Case {
            name: "NFS version 3",
            section: "RFC 5531 §9",
            requires: "PROG_MISMATCH, unless version 3 is offered too",
            about: About::All,
            allowed: &[Allowed::ProgMismatch, Allowed::Success],
            play: |stage| async { send(stage, CallBody { vers: 3, ..null() }).await }.boxed(),
        },
        Case {
            name: "NFS version 5",
            section: "RFC 5531 §9",
            requires: "PROG_MISMATCH",
            about: About::All,
            allowed: &[Allowed::ProgMismatch],
            play: |stage| async { send(stage, CallBody { vers: 5, ..null() }).await }.boxed(),
        },
        Case {
            name: "NFS version 2^32-1",
            section: "RFC 5531 §9",
            requires: "PROG_MISMATCH",
            about: About::All,
            allowed: &[Allowed::ProgMismatch],
            play: |stage| async { send(stage, CallBody { vers: u32::MAX, ..null() }).await }.boxed(),
        },
        Case {
            name: "another program",
            section: "RFC 5531 §9",
            requires: "PROG_UNAVAIL",
            about: About::All,
            allowed: &[Allowed::ProgUnavail],
            play: |stage| async { send(stage, CallBody { prog: 0x2000_0000, ..null() }).await }.boxed(),
        },
        Case {
            name: "MOUNT version 99",
            section: "RFC 5531 §9",
            requires: "PROG_UNAVAIL, or PROG_MISMATCH where MOUNT is offered",
            about: About::All,
            allowed: &[Allowed::ProgUnavail, Allowed::ProgMismatch],
            play: |stage| async { send(stage, CallBody { prog: MOUNT_PROGRAM, vers: 99, ..null() }).await }.boxed(),
        },
        Case {
            name: "procedure 2",
            section: "RFC 5531 §9",
            requires: "PROC_UNAVAIL",
            about: About::All,
            allowed: &[Allowed::ProcUnavail],
            play: |stage| async { send(stage, CallBody { procedure: 2, ..null() }).await }.boxed(),
        },
        Case {
            name: "procedure 2^32-1",
            section: "RFC 5531 §9",
            requires: "PROC_UNAVAIL",
            about: About::All,
            allowed: &[Allowed::ProcUnavail],
            play: |stage| async { send(stage, CallBody { procedure: u32::MAX, ..null() }).await }.boxed(),
        },
        Case {
            name: "AUTH_SYS with 17 groups",
            section: "RFC 5531 §A",
            requires: "AUTH_ERROR",
            about: About::All,
            allowed: AUTH,
            play: |stage| async { compound_as(stage, auth_sys(b"machine", 17)).await }.boxed(),
        },
        Case {
            name: "AUTH_SYS with 16 groups",
            section: "RFC 5531 §A",
            requires: "the call is answered",
            about: About::Minor0,
            allowed: &[Allowed::Success],
            play: |stage| async { compound_as(stage, auth_sys(b"machine", 16)).await }.boxed(),
        },
        Case {
            name: "AUTH_SYS with a machine name of 256 bytes",
            section: "RFC 5531 §A",
            requires: "AUTH_ERROR",
            about: About::All,
            allowed: AUTH,
            play: |stage| async { compound_as(stage, auth_sys(&[b'm'; 256], 0)).await }.boxed(),
        },
        Case {
            name: "AUTH_SYS cut short",
            section: "RFC 5531 §A",
            requires: "AUTH_ERROR",
            about: About::All,
            allowed: AUTH,
            play: |stage| async { compound_as(stage, flavor(AUTH_SYS, &[0; 8])).await }.boxed(),
        },
        Case {
            name: "AUTH_SHORT that was never given",
            section: "RFC 5531 §A",
            requires: "AUTH_ERROR",
            about: About::All,
            allowed: AUTH,
            play: |stage| async { compound_as(stage, flavor(AUTH_SHORT, &[7; 16])).await }.boxed(),
        },
        Case {
            name: "RPCSEC_GSS with a body of garbage",
            section: "RFC 2203 §5.3.3.3",
            requires: "AUTH_ERROR",
            about: About::All,
            allowed: AUTH,
            play: |stage| async { compound_as(stage, flavor(GSS, &[0xff; 32])).await }.boxed(),
        },
        Case {
            name: "an unknown flavour",
            section: "RFC 5531 §9",
            requires: "AUTH_ERROR",
            about: About::All,
            allowed: AUTH,
            play: |stage| async { compound_as(stage, flavor(UNKNOWN_FLAVOR, &[])).await }.boxed(),
        },
        Case {
            name: "an unknown flavour in the verifier",
            section: "RFC 5531 §9",
            requires: "AUTH_ERROR, or it is ignored",
            about: About::All,
            allowed: &[Allowed::AuthError, Allowed::Success],
            play: |stage| async { send(stage, CallBody { verf: flavor(UNKNOWN_FLAVOR, &[]), ..null() }).await }.boxed(),
        },
        Case {
            name: "NULL with arguments",
            section: "RFC 8881 §16.1",
            requires: "they are ignored, or GARBAGE_ARGS",
            about: About::All,
            allowed: &[Allowed::Success, Allowed::GarbageArgs],
            play: |stage| null_with_arguments(stage).boxed(),
        },
    ],
};

fn null() -> CallBody {
    CallBody {
        rpcvers: RPC_VERSION,
        prog: NFS_PROGRAM,
        vers: NFS_V4,
        procedure: NFSPROC4_NULL,
        cred: OpaqueAuth::NONE,
        verf: OpaqueAuth::NONE,
    }
}

fn flavor(flavor: u32, body: &'static [u8]) -> OpaqueAuth {
    OpaqueAuth { flavor, body: Bytes::from_static(body) }
}

/// AUTH_SYS of root on this machine, in so many groups.
fn auth_sys(machine: &[u8], gids: u32) -> OpaqueAuth {
    let mut e = Encoder::new();
    e.u32(0);
    e.opaque_slice(machine);
    e.u32(0);
    e.u32(0);
    e.list(&(0..gids).collect::<Vec<u32>>());
    OpaqueAuth { flavor: AUTH_SYS, body: e.finish_contiguous() }
}

async fn send(stage: &Stage, call: CallBody) -> Result<Answer> {
    let mut e = Encoder::new();
    RpcMsg { xid: 1, body: RpcBody::Call(call) }.encode(&mut e);
    stage.message(1, e.finish()).await
}

/// PUTROOTFH with this credential.
async fn compound_as(stage: &Stage, cred: OpaqueAuth) -> Result<Answer> {
    let args = Compound4Args { tag: Bytes::new(), minorversion: stage.lowest(), argarray: vec![NfsArgop4::Putrootfh] };
    let mut e = Encoder::new();
    RpcMsg::call(1, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, cred).encode(&mut e);
    args.encode(&mut e);
    stage.message(1, e.finish()).await
}

async fn null_with_arguments(stage: &Stage) -> Result<Answer> {
    let mut e = Encoder::new();
    let call = CallBody { verf: OpaqueAuth { flavor: AUTH_NONE, body: Bytes::new() }, ..null() };
    RpcMsg { xid: 1, body: RpcBody::Call(call) }.encode(&mut e);
    e.opaque_fixed(&[0xff; 64]);
    stage.message(1, e.finish()).await
}
