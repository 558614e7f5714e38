//! Operations: SECINFO

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::AUTH_SYS;
use pretty_assertions::assert_eq;
use rstest::rstest;

fn secinfo(compound: CompoundBuilder, name: &'static str) -> CompoundBuilder {
    compound.op(NfsArgop4::Secinfo(Secinfo4Args { name: name.into() }))
}

/// RFC 7530 §16.31.4, RFC 8881 §18.29.3: the flavour that the caller uses is among those of every object.
#[rstest]
fn the_callers_flavour_is_named(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.dir("dir").await;
        scene.link("link", "to").await;
        for name in ["file", "dir", "link"] {
            let reply = scene.ok(secinfo(scene.here(), name)).await;
            let Some(NfsResop4::Secinfo(Ok(found))) = reply.results().back() else { panic!("{reply:?}") };
            assert!(found.flavors.contains(&Secinfo4::Flavor(AUTH_SYS)), "{found:?}");
        }
    });
}

/// RFC 7530 §16.31.5, RFC 8881 §18.29.4: as LOOKUP would answer.
#[rstest]
fn as_lookup_would_answer(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        let hidden = scene.client.mkdir(&scene.root, "hidden", 0o700).await.unwrap();
        scene.fails(secinfo(scene.here(), "missing"), NfsStat4::Noent).await;
        scene.fails(secinfo(CompoundBuilder::new().putfh(&file), "name"), NfsStat4::Notdir).await;
        let user = scene.user(1000, 1000).await;
        let compound = secinfo(CompoundBuilder::new().putfh(&hidden), "name");
        scene.answers(&user, compound, NfsStat4::Access).await;
    });
}

/// RFC 7530 §16.31.4: in 4.0 the directory stays current. RFC 8881 §2.6.3.1.1.8: later it is used up.
#[rstest]
fn the_filehandle_afterwards(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let compound = secinfo(scene.here(), "file").getfh();
        if minor == 0 {
            assert_eq!(scene.ok(compound).await.getfh().unwrap(), scene.root);
        } else {
            scene.fails(compound, NfsStat4::Nofilehandle).await;
        }
    });
}
