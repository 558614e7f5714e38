//! Operations: REMOVE

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// RFC 7530 §16.26, RFC 8881 §18.25: files, links and empty directories go; the directory stays current and its change
/// is told.
#[rstest]
fn all_types_can_be_removed(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.dir("dir").await;
        scene.link("link", "to").await;
        for name in ["file", "dir", "link"] {
            let compound = scene.here().getattr(&[FATTR4_CHANGE]).remove(name).getfh().getattr(&[FATTR4_CHANGE]);
            let mut reply = scene.ok(compound).await;
            let before = reply.getattr().unwrap().change;
            let cinfo = reply.remove().unwrap().cinfo;
            assert_eq!(reply.getfh().unwrap(), scene.root);
            let after = reply.getattr().unwrap().change;
            assert!(before != after, "{name}");
            if cinfo.atomic {
                assert_eq!((Some(cinfo.before), Some(cinfo.after)), (before, after), "{name}");
            }
            scene.fails(scene.here().lookup(name), NfsStat4::Noent).await;
        }
    });
}

/// RFC 7530 §16.26.4, RFC 8881 §18.25.3: what cannot be removed.
#[rstest]
fn what_cannot_be_removed(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let dir = scene.dir("dir").await;
        scene.client.mkdir(&dir, "inner", 0o755).await.unwrap();
        let (file, link) = (scene.file("file", "x").await, scene.link("link", "dir").await);
        scene.fails(scene.here().remove("missing"), NfsStat4::Noent).await;
        scene.fails(scene.here().remove("dir"), NfsStat4::Notempty).await;
        for handle in [file, link] {
            scene.fails(CompoundBuilder::new().putfh(&handle).remove("inner"), NfsStat4::Notdir).await;
        }
        scene.client.remove(&dir, "inner").await.unwrap();
        scene.client.remove(&scene.root, "dir").await.unwrap();
    });
}

/// RFC 7530 §16.26.5, RFC 8881 §18.25.4: a link goes and not what it leads to.
#[rstest]
fn a_link_goes_alone(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.link("link", "file").await;
        scene.client.remove(&scene.root, "link").await.unwrap();
        assert_eq!(scene.client.names(&scene.root).await.unwrap(), ["file"]);
    });
}

/// RFC 7530 §13.1.6.1, RFC 8881 §15.1.6.1: removing is to write the directory; in a sticky one, it takes the owner.
#[rstest]
fn who_may_remove(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let user = scene.user(1000, 1000).await;
        let cases =
            [(0o755, NfsStat4::Access), (0o776, NfsStat4::Access), (0o1777, NfsStat4::Access), (0o777, NfsStat4::Ok)];
        for (mode, status) in cases {
            let dir = scene.client.mkdir(&scene.root, format!("{mode:o}"), mode).await.unwrap();
            scene.client.mkdir(&dir, "inner", 0o777).await.unwrap();
            scene.answers(&user, CompoundBuilder::new().putfh(&dir).remove("inner"), status).await;
        }
        let sticky = scene.client.lookup(&scene.root, "1777").await.unwrap().handle;
        user.mkdir(&sticky, "own", 0o700).await.unwrap();
        user.remove(&sticky, "own").await.unwrap();
    });
}

/// RFC 7530 §16.26.5, RFC 8881 §18.25.4 and §18.16.3: whoever has a file open goes on reading it when its name is gone.
#[rstest]
fn an_open_file_outlives_its_name(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "content").await;
        let file = scene.client.open(&scene.root, "file", OpenHow::both()).await.unwrap();
        scene.client.remove(&scene.root, "file").await.unwrap();
        let read = file.read_at(0, 100).await.unwrap();
        assert_eq!((read.data.into_bytes(), read.eof), ("content".into(), true));
        file.write_at(7, "!", StableHow4::FileSync).await.unwrap();
        assert_eq!(file.read_at(0, 100).await.unwrap().data.into_bytes(), "content!");
        file.close().await.unwrap();
        scene.fails(CompoundBuilder::new().putfh(&handle), NfsStat4::Stale).await;
    });
}
