//! Operations: RENAME

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// RFC 7530 §16.27, RFC 8881 §18.26: an object of any type moves with its handle, and both directories tell their
/// change.
#[rstest]
fn objects_move_with_their_handles(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (from, to) = (scene.dir("from").await, scene.dir("to").await);
        scene.client.mkdir(&from, "dir", 0o755).await.unwrap();
        scene.client.symlink(&from, "link", "target").await.unwrap();
        scene.client.write_file(&from, "file", bytes::Bytes::from("content"), 1).await.unwrap();
        for name in ["dir", "link", "file"] {
            let node = scene.client.lookup(&from, name).await.unwrap();
            let change = |compound: CompoundBuilder, dir| compound.putfh(dir).getattr(&[FATTR4_CHANGE]);
            let before = change(change(CompoundBuilder::new(), &to), &from).savefh().putfh(&to);
            let mut reply = scene.ok(change(change(before.rename(name, "new"), &to), &from)).await;
            let [to_before, from_before] = [reply.getattr().unwrap().change, reply.getattr().unwrap().change];
            let told = reply.rename().unwrap();
            let [to_after, from_after] = [reply.getattr().unwrap().change, reply.getattr().unwrap().change];
            assert!(to_before != to_after && from_before != from_after, "{name}");
            if told.source_cinfo.atomic {
                assert_eq!((Some(told.source_cinfo.before), Some(told.source_cinfo.after)), (from_before, from_after));
            }
            if told.target_cinfo.atomic {
                assert_eq!((Some(told.target_cinfo.before), Some(told.target_cinfo.after)), (to_before, to_after));
            }
            let moved = scene.client.lookup(&to, "new").await.unwrap();
            assert_eq!((moved.handle, moved.attrs.fileid), (node.handle, node.attrs.fileid), "{name}");
            scene.fails(CompoundBuilder::new().putfh(&from).lookup(name), NfsStat4::Noent).await;
            scene.client.remove(&to, "new").await.unwrap();
        }
    });
}

/// RFC 7530 §16.27.4, RFC 8881 §18.26.3: what is replaced goes: a file by a file or link, an empty directory by a
/// directory.
#[rstest]
fn what_is_replaced_goes(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let old = [scene.file("file", "old").await, scene.dir("dir").await];
        let new = [scene.file("new file", "new").await, scene.dir("new dir").await];
        scene.client.mkdir(&new[1], "inner", 0o755).await.unwrap();
        for (index, name) in ["file", "dir"].into_iter().enumerate() {
            scene.client.rename(&scene.root, format!("new {name}"), &scene.root, name).await.unwrap();
            assert_eq!(scene.client.lookup(&scene.root, name).await.unwrap().handle, new[index]);
            scene.fails(CompoundBuilder::new().putfh(&old[index]), NfsStat4::Stale).await;
        }
        scene.link("link", "to").await;
        scene.client.rename(&scene.root, "link", &scene.root, "file").await.unwrap();
        let node = scene.client.lookup(&scene.root, "file").await.unwrap();
        assert_eq!(node.attrs.ftype, Some(NfsFtype4::Lnk));
        let mut names = scene.client.names(&scene.root).await.unwrap();
        names.sort();
        assert_eq!(names, ["dir", "file"]);
    });
}

/// RFC 7530 §16.27.4, RFC 8881 §18.26.3: what cannot be replaced is EXIST.
#[rstest]
fn what_cannot_be_replaced_exists(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.link("link", "to").await;
        scene.dir("empty").await;
        let full = scene.dir("full").await;
        scene.client.mkdir(&full, "inner", 0o755).await.unwrap();
        for (from, to) in [
            ("file", "empty"),
            ("file", "full"),
            ("link", "empty"),
            ("empty", "file"),
            ("empty", "link"),
            ("empty", "full"),
        ] {
            let reply = scene.call(scene.here().savefh().rename(from, to)).await;
            let is_full_directory = (from, to) == ("empty", "full") && reply.status() == NfsStat4::Notempty;
            assert!(is_full_directory || reply.status() == NfsStat4::Exist, "{from} to {to}: {}", reply.status());
        }
    });
}

/// RFC 7530 §16.27.4, RFC 8881 §18.26.3: a name onto itself changes nothing.
#[rstest]
fn onto_itself_changes_nothing(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.dir("dir").await;
        for name in ["file", "dir"] {
            let before = scene.client.lookup(&scene.root, name).await.unwrap();
            let compound = scene.here().getattr(&[FATTR4_CHANGE]).savefh().rename(name, name).getattr(&[FATTR4_CHANGE]);
            let mut reply = scene.ok(compound).await;
            assert_eq!(reply.getattr().unwrap().change, reply.getattr().unwrap().change);
            assert_eq!(scene.client.lookup(&scene.root, name).await.unwrap().handle, before.handle);
        }
    });
}

/// RFC 7530 §16.27.4, RFC 8881 §18.26.3: what cannot be renamed.
#[rstest]
fn what_cannot_be_renamed(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (file, dir) = (scene.file("file", "x").await, scene.dir("dir").await);
        let inner = scene.client.mkdir(&dir, "inner", 0o755).await.unwrap();
        scene.fails(scene.here().savefh().rename("missing", "new"), NfsStat4::Noent).await;
        scene.fails(scene.here().savefh().rename("missing", "missing"), NfsStat4::Noent).await;
        // A directory cannot go into itself.
        scene.fails(scene.here().savefh().putfh(&dir).rename("dir", "new"), NfsStat4::Inval).await;
        scene.fails(scene.here().savefh().putfh(&inner).rename("dir", "new"), NfsStat4::Inval).await;
        scene.fails(scene.here().rename("file", "new"), NfsStat4::Nofilehandle).await;
        let from = |handle| CompoundBuilder::new().putfh(handle).savefh();
        scene.fails(from(&file).putfh(&dir).rename("file", "new"), NfsStat4::Notdir).await;
        scene.fails(from(&dir).putfh(&file).rename("inner", "new"), NfsStat4::Notdir).await;
        assert_eq!(scene.client.names(&dir).await.unwrap(), ["inner"]);
    });
}

/// RFC 7530 §16.27.4, RFC 8881 §18.26.3: from one file system into another.
#[rstest]
fn another_file_system_is_xdev(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.fails(scene.here().savefh().putrootfh().rename("file", "new"), NfsStat4::Xdev).await;
    });
}

/// RFC 7530 §13.1.6.1, RFC 8881 §15.1.6.1: both directories must be writable.
#[rstest]
fn both_directories_must_be_writable(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let user = scene.user(1000, 1000).await;
        let open = scene.client.mkdir(&scene.root, "open", 0o777).await.unwrap();
        let closed = scene.client.mkdir(&scene.root, "closed", 0o755).await.unwrap();
        for dir in [&open, &closed] {
            scene.client.symlink(dir, "link", "to").await.unwrap();
        }
        let rename = |from, to| CompoundBuilder::new().putfh(from).savefh().putfh(to).rename("link", "new");
        scene.answers(&user, rename(&open, &closed), NfsStat4::Access).await;
        scene.answers(&user, rename(&closed, &open), NfsStat4::Access).await;
        scene.answers(&user, rename(&open, &open), NfsStat4::Ok).await;
    });
}
