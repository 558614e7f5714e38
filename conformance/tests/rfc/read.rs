//! Operations: READ

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// RFC 7530 §16.23.4, RFC 8881 §18.22.3: what the range has, and whether it reaches the end of the file.
#[rstest]
fn a_range_and_whether_it_is_the_last(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "0123456789").await;
        let cases: [(u64, u32, &str, bool); 9] = [
            (0, 10, "0123456789", true),
            (0, 100, "0123456789", true),
            (0, 9, "012345678", false),
            (3, 4, "3456", false),
            (9, 1, "9", true),
            (10, 1, "", true),
            (11, 5, "", true),
            (u64::MAX - 1, 1, "", true),
            (u64::MAX, u32::MAX, "", true),
        ];
        for stateid in [Stateid4::ANONYMOUS, Stateid4::READ_BYPASS] {
            for (offset, count, wanted, eof) in cases {
                let compound = CompoundBuilder::new().putfh(&handle).read(stateid, offset, count);
                let read = scene.ok(compound).await.read().unwrap();
                assert_eq!((read.data.into_bytes(), read.eof), (wanted.into(), eof), "{offset} {count}");
            }
        }
    });
}

/// RFC 7530 §16.23.4, RFC 8881 §18.22.3: to read nothing succeeds.
#[rstest]
fn reading_nothing_succeeds(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (handle, empty) = (scene.file("file", "x").await, scene.file("empty", "").await);
        let read = |handle, offset| CompoundBuilder::new().putfh(handle).read(Stateid4::ANONYMOUS, offset, 0);
        for (handle, offset) in [(&handle, 0), (&handle, 1), (&handle, 100), (&empty, 0)] {
            assert!(scene.ok(read(handle, offset)).await.read().unwrap().data.is_empty());
        }
        let compound = CompoundBuilder::new().putfh(&empty).read(Stateid4::ANONYMOUS, 0, 10);
        let read = scene.ok(compound).await.read().unwrap();
        assert_eq!((read.data.len(), read.eof), (0, true));
    });
}

/// RFC 7530 §16.23.4, RFC 8881 §18.22.3 and §15.2: what has no bytes.
#[rstest]
fn what_has_no_bytes(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (dir, link) = (scene.dir("dir").await, scene.link("link", "to").await);
        let read = |handle| CompoundBuilder::new().putfh(handle).read(Stateid4::ANONYMOUS, 0, 1);
        scene.fails(read(&dir), NfsStat4::Isdir).await;
        scene.fails(read(&link), if minor == 0 { NfsStat4::Inval } else { NfsStat4::Symlink }).await;
    });
}

/// RFC 7530 §9.1.6 and §16.23.5, RFC 8881 §9.1.2 and §18.22.4: without an open, the mode counts and what others deny.
#[rstest]
fn without_an_open(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let read = || CompoundBuilder::new().putfh(&handle).read(Stateid4::ANONYMOUS, 0, 1);
        let user = scene.user(1000, 1000).await;
        for (mode, status) in [(0o644, NfsStat4::Ok), (0o640, NfsStat4::Access), (0o641, NfsStat4::Ok)] {
            let attrs = Attrs { mode: Some(mode), ..Attrs::default() };
            scene.client.setattr(&handle, Stateid4::ANONYMOUS, &attrs).await.unwrap();
            scene.answers(&user, read(), status).await;
        }
        let denier =
            scene.client.open(&scene.root, "file", OpenHow::write().deny(OPEN4_SHARE_DENY_READ)).await.unwrap();
        scene.answers(&user, read(), NfsStat4::Locked).await;
        denier.close().await.unwrap();
        scene.answers(&user, read(), NfsStat4::Ok).await;
    });
}

/// RFC 7530 §9.1.6, RFC 8881 §18.22.3: who opened a file goes on reading it when its mode forbids that.
#[rstest]
fn permission_was_checked_by_the_open(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let user = scene.user(1000, 1000).await;
        let file = user.open(&scene.root, "file", OpenHow::read()).await.unwrap();
        let attrs = Attrs { mode: Some(0o600), ..Attrs::default() };
        scene.client.setattr(&handle, Stateid4::ANONYMOUS, &attrs).await.unwrap();
        assert_eq!(file.read_at(0, 1).await.unwrap().data.into_bytes(), "x");
        file.close().await.unwrap();
    });
}

/// RFC 7530 §5.8.2.16, RFC 8881 §5.8.2.20: one READ can have as much as `maxread`.
#[rstest]
fn as_much_as_announced(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let length = scene.client.read_bytes_max() as usize + 10;
        let content = bytes::Bytes::from(vec![7; length]);
        scene.client.write_file(&scene.root, "file", content, 2).await.unwrap();
        let file = scene.client.open(&scene.root, "file", OpenHow::read()).await.unwrap();
        let read = file.read_at(0, scene.client.read_bytes_max()).await.unwrap();
        assert_eq!((read.data.len(), read.eof), (scene.client.read_bytes_max() as usize, false));
        file.close().await.unwrap();
    });
}
