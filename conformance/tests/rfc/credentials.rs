//! Operations: COMPOUND

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{ClientOptions, CompoundBuilder, Error};
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::{AuthStat, AuthSysParms, OpaqueAuth, RejectedReply, ReplyBody};
use nfs4_protocol::xdr::Encoder;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// Calls a compound of 4.0 with this credential.
async fn call_as(scene: &Scene, credential: OpaqueAuth, compound: CompoundBuilder) -> Result<NfsStat4, Error> {
    let connection = scene.client.connection();
    connection.compound(credential, &compound.build(0)).await.map(|result| result.status)
}

fn auth_sys(gids: Vec<u32>) -> AuthSysParms {
    AuthSysParms { stamp: 7, machinename: Bytes::from_static(b"machine"), uid: 1000, gid: 1000, gids }
}

/// RFC 5531 §8.2 and appendix A, RFC 7530 §3.2.1: all groups of a credential count.
#[rstest]
fn all_groups_count(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let dir = scene.client.mkdir(&scene.root, "dir", 0o750).await.unwrap();
        let group = Attrs { owner_group: Some("2000".into()), ..Attrs::default() };
        scene.client.setattr(&dir, Stateid4::ANONYMOUS, &group).await.unwrap();
        let look = || CompoundBuilder::new().putfh(&dir).lookup("missing");
        for (gids, status) in [
            (vec![], NfsStat4::Access),
            ((1..=16).collect(), NfsStat4::Access),
            (vec![2000], NfsStat4::Noent),
            ((1985..=2000).collect(), NfsStat4::Noent),
        ] {
            let options = ClientOptions { gids, ..ClientOptions::for_user(1000, 1000) };
            let user = scene.client_with(options).await;
            scene.answers(&user, look(), status).await;
        }
    });
}

/// RFC 5531 appendix A: at most 16 groups, and a name of at most 255 bytes.
#[rstest]
fn credentials_that_are_none(#[values(Embedded)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let long_name = AuthSysParms { machinename: vec![b'm'; 256].into(), ..auth_sys(vec![]) };
        let cut = OpaqueAuth { body: Bytes::from_static(&[0; 8]), ..OpaqueAuth::from(&auth_sys(vec![])) };
        let credentials = [OpaqueAuth::from(&auth_sys((0..17).collect())), OpaqueAuth::from(&long_name), cut];
        for credential in credentials {
            let answer = call_as(scene, credential, CompoundBuilder::new()).await;
            let Err(Error::Refused(refusal)) = &answer else { panic!("{answer:?}") };
            let is_bad = matches!(**refusal, ReplyBody::Denied(RejectedReply::AuthError(AuthStat::Badcred)));
            assert!(is_bad, "{answer:?}");
        }
    });
}

/// RFC 7530 §3.2.1.1, RFC 5531 §8.1: who says nothing of himself is nobody.
#[rstest]
fn without_credentials(#[values(Embedded)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open = scene.client.mkdir(&scene.root, "open", 0o705).await.unwrap();
        let closed = scene.client.mkdir(&scene.root, "closed", 0o770).await.unwrap();
        for (dir, status) in [(open, NfsStat4::Noent), (closed, NfsStat4::Access)] {
            let compound = CompoundBuilder::new().putfh(&dir).lookup("missing");
            assert_eq!(call_as(scene, OpaqueAuth::NONE, compound).await.unwrap(), status);
        }
    });
}

/// RFC 5531 §9: flavours that the server does not know.
#[rstest]
fn flavours_that_are_not_known(#[values(Embedded)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let mut e = Encoder::new();
        e.u32(1);
        let body = e.finish_contiguous();
        for flavor in [3, 6, 99, 390_003] {
            let answer = call_as(scene, OpaqueAuth { flavor, body: body.clone() }, CompoundBuilder::new()).await;
            let Err(Error::Refused(refusal)) = &answer else { panic!("{answer:?}") };
            assert!(matches!(**refusal, ReplyBody::Denied(RejectedReply::AuthError(_))), "{answer:?}");
        }
    });
}
