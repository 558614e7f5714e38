//! Operations: WRITE

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

const UNSTABLE: StableHow4 = StableHow4::Unstable;

fn write(handle: &NfsFh4, offset: u64, data: &'static str) -> CompoundBuilder {
    CompoundBuilder::new().putfh(handle).write(
        Stateid4::ANONYMOUS,
        offset,
        UNSTABLE,
        Bytes::from_static(data.as_bytes()),
    )
}

/// RFC 7530 §16.36.4, RFC 8881 §18.32.3: bytes go where they are to go, and what lies between is zeros.
#[rstest]
fn bytes_go_where_they_are_to_go(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "").await;
        let steps: [(u64, &str, &[u8]); 4] =
            [(2, "cd", b"\0\0cd"), (0, "a", b"a\0cd"), (1, "bCD", b"abCD"), (6, "g", b"abCD\0\0g")];
        for (offset, data, wanted) in steps {
            let written = scene.ok(write(&handle, offset, data)).await.write().unwrap();
            assert_eq!(written.count as usize, data.len());
            assert_eq!(scene.client.read_file(&scene.root, "file", 1).await.unwrap(), wanted);
        }
    });
}

/// RFC 7530 §16.36.4, RFC 8881 §18.32.3: what is answered is at least as durable as asked, under one verifier.
#[rstest]
fn as_durable_as_asked(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let mut verifiers = Vec::new();
        for stable in [StableHow4::Unstable, StableHow4::DataSync, StableHow4::FileSync] {
            let written = file.write_at(0, "x", stable).await.unwrap();
            assert!(written.committed.as_u32() >= stable.as_u32(), "{written:?}");
            verifiers.push(written.writeverf);
        }
        verifiers.push(file.commit().await.unwrap());
        verifiers.dedup();
        assert_eq!(verifiers.len(), 1);
        file.close().await.unwrap();
    });
}

/// RFC 7530 §16.36.4, RFC 8881 §18.32.3: to write nothing succeeds and changes nothing.
#[rstest]
fn writing_nothing_changes_nothing(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "content").await;
        let asked = [FATTR4_SIZE, FATTR4_CHANGE, FATTR4_TIME_MODIFY];
        let before = scene.client.getattr(&handle, &asked).await.unwrap();
        for offset in [0, 3, 7, 100] {
            assert_eq!(scene.ok(write(&handle, offset, "")).await.write().unwrap().count, 0);
        }
        assert_eq!(scene.client.getattr(&handle, &asked).await.unwrap(), before);
    });
}

/// RFC 7530 §16.36.4, RFC 8881 §18.32.3 and §15.2: what has no bytes.
#[rstest]
fn what_has_no_bytes(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (dir, link) = (scene.dir("dir").await, scene.link("link", "to").await);
        scene.fails(write(&dir, 0, "x"), NfsStat4::Isdir).await;
        scene.fails(write(&link, 0, "x"), if minor == 0 { NfsStat4::Inval } else { NfsStat4::Symlink }).await;
    });
}

/// RFC 7530 §13.1.4.4, RFC 8881 §15.1.4.4: beyond the largest size.
#[rstest]
fn beyond_the_largest_size(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let largest = scene.client.getattr(&handle, &[FATTR4_MAXFILESIZE]).await.unwrap().maxfilesize.unwrap();
        for offset in [largest, u64::MAX - 1, u64::MAX] {
            scene.fails(write(&handle, offset, "xy"), NfsStat4::Fbig).await;
        }
        assert_eq!(scene.client.read_file(&scene.root, "file", 1).await.unwrap(), b"x");
    });
}

/// RFC 7530 §9.1.6, RFC 8881 §9.1.2: without an open, the mode counts and what others deny.
#[rstest]
fn without_an_open(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let user = scene.user(1000, 1000).await;
        for (mode, status) in [(0o646, NfsStat4::Ok), (0o645, NfsStat4::Access)] {
            let attrs = Attrs { mode: Some(mode), ..Attrs::default() };
            scene.client.setattr(&handle, Stateid4::ANONYMOUS, &attrs).await.unwrap();
            scene.answers(&user, write(&handle, 0, "y"), status).await;
        }
        let denier =
            scene.client.open(&scene.root, "file", OpenHow::read().deny(OPEN4_SHARE_DENY_WRITE)).await.unwrap();
        let other = scene.other_client().await;
        scene.answers(&other, write(&handle, 0, "z"), NfsStat4::Locked).await;
        denier.close().await.unwrap();
        scene.answers(&other, write(&handle, 0, "z"), NfsStat4::Ok).await;
    });
}

/// RFC 7530 §16.36.4, RFC 8881 §18.32.3: an open for reading writes nothing, also through its locks.
#[rstest]
fn an_open_for_reading_writes_nothing(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let file = scene.client.open(&scene.root, "file", OpenHow::read()).await.unwrap();
        let compound = CompoundBuilder::new().putfh(file.handle());
        let compound = compound.write(file.stateid(), 0, UNSTABLE, Bytes::from_static(b"y"));
        scene.fails(compound, NfsStat4::Openmode).await;
        file.close().await.unwrap();
    });
}
