//! Operations: LOOKUP, LOOKUPP

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// RFC 7530 §16.13, RFC 8881 §18.13: a name leads to its object, also several in one COMPOUND.
#[rstest]
fn names_lead_to_objects(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let outer = scene.dir("outer").await;
        let inner = scene.client.mkdir(&outer, "inner", 0o755).await.unwrap();
        let link = scene.client.symlink(&inner, "link", "to").await.unwrap();
        let compound = scene.here().lookup("outer").getfh().lookup("inner").getfh().lookup("link").getfh();
        let mut reply = scene.ok(compound).await;
        let mut next = || reply.getfh().unwrap();
        assert_eq!([next(), next(), next()], [outer, inner, link]);
    });
}

/// RFC 7530 §16.13.5, RFC 8881 §18.13.4: the name of something that is not there.
#[rstest]
fn a_missing_name_is_noent(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "").await;
        for name in ["missing", "File", "fil", "file2", "file ", &"x".repeat(255)] {
            scene.fails(scene.here().lookup(name), NfsStat4::Noent).await;
        }
    });
}

/// RFC 7530 §16.13.5, RFC 8881 §18.13.4: only directories have names in them; a link is told apart, so that it is
/// followed.
#[rstest]
fn only_directories_have_names(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.link("link", ".").await;
        scene.fails(scene.here().lookup("file").lookup("name"), NfsStat4::Notdir).await;
        scene.fails(scene.here().lookup("link").lookup("name"), NfsStat4::Symlink).await;
    });
}

/// RFC 7530 §16.14, RFC 8881 §18.14: the parent of a directory; nothing else has one.
#[rstest]
fn the_parent_of_a_directory(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let outer = scene.dir("outer").await;
        scene.client.mkdir(&outer, "inner", 0o755).await.unwrap();
        scene.file("file", "x").await;
        let compound = scene.here().lookup("outer").lookup("inner").lookupp().getfh().lookupp().getfh();
        let mut reply = scene.ok(compound).await;
        assert_eq!([reply.getfh().unwrap(), reply.getfh().unwrap()], [outer, scene.root.clone()]);
        scene.fails(scene.here().lookup("file").lookupp(), NfsStat4::Notdir).await;
        scene.fails(CompoundBuilder::new().putrootfh().lookupp(), NfsStat4::Noent).await;
    });
}

/// RFC 8881 §15.2, RFC 7530 §13.2: a link has no parent; its own words for that are allowed too.
#[rstest]
fn a_link_has_no_parent(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.link("link", ".").await;
        let status = scene.call(scene.here().lookup("link").lookupp()).await.status();
        assert!(matches!(status, NfsStat4::Notdir | NfsStat4::Symlink), "{status}");
    });
}

/// RFC 7530 §16.14.4, RFC 8881 §18.14.3: from the top of every file system up to the root, also where one is mounted.
#[rstest]
fn parents_lead_to_the_root(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let top = scene.client.root().await.unwrap().handle;
        let mut at = scene.root.clone();
        for _ in 0..64 {
            if at == top {
                return;
            }
            at = scene.ok(CompoundBuilder::new().putfh(&at).lookupp().getfh()).await.getfh().unwrap();
        }
        panic!("the root was not reached");
    });
}

/// RFC 7530 §13.1.6.1, RFC 8881 §15.1.6.1: names are looked up only in directories that may be searched, and reading
/// them is something else.
#[rstest]
fn a_directory_must_be_searchable(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let user = scene.user(1000, 1000).await;
        for (name, mode, status) in
            [("x", 0o711, NfsStat4::Ok), ("r", 0o744, NfsStat4::Access), ("none", 0o700, NfsStat4::Access)]
        {
            let dir = scene.client.mkdir(&scene.root, name, mode).await.unwrap();
            scene.client.mkdir(&dir, "inner", 0o755).await.unwrap();
            scene.answers(&user, CompoundBuilder::new().putfh(&dir).lookup("inner"), status).await;
            scene.answers(&user, CompoundBuilder::new().putfh(&dir).lookupp(), status).await;
        }
        // That nothing is there is not told either.
        scene.answers(&user, scene.here().lookup("none").lookup("missing"), NfsStat4::Access).await;
    });
}
