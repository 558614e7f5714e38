//! Operations: OPEN_CONFIRM, RELEASE_LOCKOWNER, RENEW, SETCLIENTID, SETCLIENTID_CONFIRM

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::{
    CbClient4, Netaddr4, NfsArgop4, NfsClientId4, NfsStat4, OpNum, OpenConfirm4Args, ReleaseLockowner4Args, Renew4Args,
    Setclientid4Args, SetclientidConfirm4Args, StateOwner4, Verifier4,
};
use nfs4_protocol::xdr::Encoder;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::held::on;
use crate::newcomer::done;

/// RFC 8881 §17, RFC 7862 §13: what 4.0 alone has is NOTSUPP later, with arguments that 4.0 would take, too.
#[rstest]
fn they_are_not_supported_later(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let clientid = scene.client.clientid();
        let location = Netaddr4 { netid: "tcp".into(), addr: "127.0.0.1.8.1".into() };
        for op in [
            NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid: file.stateid(), seqid: 1 }),
            NfsArgop4::ReleaseLockowner(ReleaseLockowner4Args {
                lock_owner: StateOwner4 { clientid, owner: "owner".into() },
            }),
            NfsArgop4::Renew(Renew4Args { clientid }),
            NfsArgop4::Setclientid(Box::new(Setclientid4Args {
                client: NfsClientId4 { verifier: Verifier4([1; 8]), id: "a client of 4.0".into() },
                callback: CbClient4 { program: 0x4000_0000, location },
                callback_ident: 1,
            })),
            NfsArgop4::SetclientidConfirm(SetclientidConfirm4Args { clientid, setclientid_confirm: Verifier4([1; 8]) }),
        ] {
            let expected = [(OpNum::Putfh, NfsStat4::Ok), (op.opnum(), NfsStat4::Notsupp)];
            assert_eq!(done(&scene.call(on(file.handle(), op)).await), expected);
        }
        file.close().await.unwrap();
    });
}

/// RFC 8881 §15.2: that comes before a look at the arguments.
#[rstest]
fn their_arguments_are_not_looked_at(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for op in [OpNum::OpenConfirm, OpNum::ReleaseLockowner, OpNum::Renew, OpNum::Setclientid] {
            let mut e = Encoder::new();
            e.u32(op.as_u32());
            let reply = scene.call_encoded(&[e.finish_contiguous()]).await.unwrap();
            assert_eq!(done(&reply), [(op, NfsStat4::Notsupp)]);
        }
    });
}
