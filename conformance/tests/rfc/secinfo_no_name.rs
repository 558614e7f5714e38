//! Operations: SECINFO_NO_NAME

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, Reply};
use nfs4_protocol::nfs4::{NfsArgop4, NfsResop4, NfsStat4, OpNum, Secinfo4, SecinfoStyle4};
use nfs4_protocol::rpc::AUTH_SYS;
use nfs4_protocol::xdr::{Encoder, to_bytes};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{OTHER_USER, done};

fn secinfo(style: SecinfoStyle4) -> NfsArgop4 {
    NfsArgop4::SecinfoNoName(style)
}

fn has_auth_sys(reply: &Reply) -> bool {
    match reply.results().back() {
        Some(NfsResop4::SecinfoNoName(Ok(body))) => body.flavors.contains(&Secinfo4::Flavor(AUTH_SYS)),
        other => panic!("{other:?}"),
    }
}

/// RFC 8881 §18.45.3: the flavours of the object, and of the directory above it.
#[rstest]
fn the_flavour_in_use_is_among_them(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (file, dir) = (scene.file("file", "").await, scene.dir("dir").await);
        for object in [&file, &dir] {
            let here = CompoundBuilder::new().putfh(object).op(secinfo(SecinfoStyle4::CurrentFh));
            assert!(has_auth_sys(&scene.ok(here).await));
        }
        let above = CompoundBuilder::new().putfh(&dir).op(secinfo(SecinfoStyle4::Parent));
        assert!(has_auth_sys(&scene.ok(above).await));
        let root = CompoundBuilder::new().putrootfh().op(secinfo(SecinfoStyle4::CurrentFh));
        assert!(has_auth_sys(&scene.ok(root).await));
    });
}

/// RFC 8881 §18.45.3, §2.6.3.1.1.8: it uses the current filehandle up, but not the saved one, and not when it fails.
#[rstest]
fn the_current_filehandle_is_used_up(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for style in [SecinfoStyle4::CurrentFh, SecinfoStyle4::Parent] {
            scene.fails(scene.here().op(secinfo(style)).getfh(), NfsStat4::Nofilehandle).await;
            scene.ok(scene.here().savefh().op(secinfo(style)).restorefh().getfh()).await;
        }
    });
}

/// RFC 8881 §18.45.3: it stands for LOOKUPP, and fails as that does.
#[rstest]
fn where_there_is_no_directory_above(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "").await;
        let above = secinfo(SecinfoStyle4::Parent);
        scene.fails(CompoundBuilder::new().putrootfh().op(above.clone()), NfsStat4::Noent).await;
        scene.fails(CompoundBuilder::new().putfh(&file).op(above), NfsStat4::Notdir).await;
        for style in [SecinfoStyle4::CurrentFh, SecinfoStyle4::Parent] {
            scene.fails(CompoundBuilder::new().op(secinfo(style)), NfsStat4::Nofilehandle).await;
        }
    });
}

/// RFC 8881 §18.45.3: who may not search the directory may not ask for what is above it.
#[rstest]
fn above_a_closed_directory_is_access(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let dir = scene.client.mkdir(&scene.root, "closed", 0o700).await.unwrap();
        let user = scene.user(OTHER_USER, OTHER_USER).await;
        let above = CompoundBuilder::new().putfh(&dir).op(secinfo(SecinfoStyle4::Parent));
        scene.answers(&user, above, NfsStat4::Access).await;
    });
}

/// RFC 8881 §15.1.1.1: a style that there is not.
#[rstest]
fn an_unknown_style_is_badxdr(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let mut e = Encoder::new();
        e.u32(OpNum::SecinfoNoName.as_u32());
        e.u32(2);
        let reply = scene.call_encoded(&[to_bytes(&NfsArgop4::Putrootfh), e.finish_contiguous()]).await.unwrap();
        assert_eq!(done(&reply)[1..], [(OpNum::SecinfoNoName, NfsStat4::Badxdr)]);
    });
}
