//! Operations: COMMIT

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// RFC 7530 §16.3.4, RFC 8881 §18.3.3: any range of a file, also one beyond its end, under the verifier of its writes.
#[rstest]
fn any_range_under_one_verifier(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let written = file.write_at(0, "content", StableHow4::Unstable).await.unwrap();
        for (offset, count) in [(0, 0), (0, 7), (3, 1), (0, u32::MAX), (7, 0), (1 << 40, 5)] {
            let compound = CompoundBuilder::new().putfh(file.handle()).commit(offset, count);
            assert_eq!(scene.ok(compound).await.commit().unwrap().writeverf, written.writeverf);
        }
        file.close().await.unwrap();
    });
}

/// RFC 7530 §16.3.4, RFC 8881 §18.3.3: no open is needed, and nothing to be written.
#[rstest]
fn without_an_open(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for handle in [scene.file("file", "x").await, scene.file("empty", "").await] {
            scene.ok(CompoundBuilder::new().putfh(&handle).commit(0, 0)).await;
        }
    });
}

/// RFC 7530 §16.3.5 and §13.2, RFC 8881 §15.2: what has no bytes.
#[rstest]
fn what_has_no_bytes(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (dir, link) = (scene.dir("dir").await, scene.link("link", "to").await);
        let commit = |handle| CompoundBuilder::new().putfh(handle).commit(0, 0);
        scene.fails(commit(&dir), NfsStat4::Isdir).await;
        scene.fails(commit(&link), if minor == 0 { NfsStat4::Inval } else { NfsStat4::Symlink }).await;
    });
}

/// RFC 7530 §16.3.4: a range that ends beyond all offsets.
#[rstest]
fn a_range_beyond_all_offsets(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        scene.fails(CompoundBuilder::new().putfh(&handle).commit(u64::MAX, 2), NfsStat4::Inval).await;
    });
}
