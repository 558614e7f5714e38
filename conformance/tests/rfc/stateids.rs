//! Operations: READ, WRITE, SETATTR

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::opened::{Opened, Range, at_seqid, forged};

/// READ, WRITE and SETATTR of the size with this stateid must all end with this status.
async fn io(scene: &Scene, at: &NfsFh4, stateid: Stateid4, status: NfsStat4, what: &str) {
    let at = || CompoundBuilder::new().putfh(at);
    let size = Attrs { size: Some(5), ..Attrs::default() };
    let compounds = [
        ("READ", at().read(stateid, 0, 1)),
        ("WRITE", at().write(stateid, 0, StableHow4::Unstable, "y".into())),
        ("SETATTR", at().setattr(stateid, size.to_fattr4())),
    ];
    for (op, compound) in compounds {
        assert_eq!(scene.call(compound).await.status(), status, "{op} with a stateid {what}");
    }
}

/// RFC 7530 §9.1.4.4, RFC 8881 §8.2.4: each thing that can be wrong with a stateid, and what is right.
#[rstest]
fn each_thing_that_can_be_wrong(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let other = scene.file("other", "x").await;
        let mut open = Opened::new(scene, "file", OpenHow::read()).await;
        open.again(scene, "file", &OpenHow::both()).await;
        let (file, good) = (&open.handle, open.stateid);
        io(scene, file, good, NfsStat4::Ok, "that is good").await;
        io(scene, file, forged(good), NfsStat4::BadStateid, "that is forged").await;
        io(scene, &other, good, NfsStat4::BadStateid, "of another file").await;
        io(scene, file, at_seqid(good, good.seqid - 1), NfsStat4::OldStateid, "that is old").await;
        io(scene, file, at_seqid(good, good.seqid + 1), NfsStat4::BadStateid, "of the future").await;
        io(scene, file, at_seqid(good, good.seqid + (1 << 31) - 1), NfsStat4::BadStateid, "of the far future").await;
        if minor > 0 {
            io(scene, file, at_seqid(good, 0), NfsStat4::Ok, "without seqid").await;
        }
    });
}

/// RFC 7530 §9.1.4.3, RFC 8881 §8.2.3: special stateids stand for no open; others of their kind are not defined.
#[rstest]
fn special_stateids(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        io(scene, &file, Stateid4::ANONYMOUS, NfsStat4::Ok, "of all zeros").await;
        io(scene, &file, Stateid4::READ_BYPASS, NfsStat4::Ok, "of all ones").await;
        for seqid in [1, 7, u32::MAX] {
            io(scene, &file, at_seqid(Stateid4::ANONYMOUS, seqid), NfsStat4::BadStateid, "of zeros with a seqid").await;
        }
        for seqid in [0, 1, 7] {
            io(scene, &file, at_seqid(Stateid4::READ_BYPASS, seqid), NfsStat4::BadStateid, "of ones with a seqid")
                .await;
        }
    });
}

/// RFC 8881 §8.2.4: a stateid of another client's.
#[rstest]
fn of_another_client(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let other = scene.other_client().await;
        let open = Opened::by(scene, &other, "file", OpenHow::both()).await;
        io(scene, &open.handle, open.stateid, NfsStat4::BadStateid, "of another client").await;
    });
}

/// RFC 7530 §9.1.4.2 and §16.23.4, RFC 8881 §8.2.2: the stateid of a lock does what its open may do.
#[rstest]
fn of_a_lock(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        let lock = open.locked(scene, "locker", Range::write(0, 1)).await;
        io(scene, &open.handle, lock, NfsStat4::Ok, "of a lock").await;
        io(scene, &open.handle, forged(lock), NfsStat4::BadStateid, "of a lock, forged").await;
        let unlocked = scene.ok(open.at().op(Range::write(0, 1).unlock(1, lock))).await.locku().unwrap();
        io(scene, &open.handle, lock, NfsStat4::OldStateid, "of a lock, old").await;
        io(scene, &open.handle, unlocked, NfsStat4::Ok, "of a lock that was released").await;
        open.close(scene, open.stateid, NfsStat4::Ok).await;
        io(scene, &open.handle, unlocked, NfsStat4::BadStateid, "of a lock of a closed file").await;
    });
}

/// RFC 7530 §9.1.6, RFC 8881 §9.1.2: an open for one thing; those who write part of a page may read it first.
#[rstest]
fn of_an_open_for_one_thing(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let reader = Opened::new(scene, "file", OpenHow::read()).await;
        scene.ok(reader.at().read(reader.stateid, 0, 1)).await;
        let write = reader.at().write(reader.stateid, 0, StableHow4::Unstable, "y".into());
        scene.fails(write, NfsStat4::Openmode).await;
        let writer = Opened::new(scene, "file", OpenHow::write()).await;
        let status = scene.call(writer.at().read(writer.stateid, 0, 1)).await.status();
        assert!(matches!(status, NfsStat4::Ok | NfsStat4::Openmode), "{status}");
    });
}
