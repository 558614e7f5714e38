//! Operations: LOCK, LOCKT, LOCKU

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::opened::{Opened, Range, at_seqid, forged};

/// LOCKT by somebody who has no locks must end with this status. Returns the lock that is in the way.
async fn tested(scene: &Scene, at: &NfsFh4, range: Range, status: NfsStat4) -> Option<Lock4Denied> {
    let test = range.test(scene.client.clientid(), "somebody else");
    match scene.fails(CompoundBuilder::new().putfh(at).op(test), status).await.lockt().unwrap() {
        Lockt4Res::Denied(denied) => Some(denied),
        _ => None,
    }
}

/// RFC 7530 §9.3 and §16.11, RFC 8881 §9.3 and §18.11: two ranges collide where they overlap and one of them is to
/// write.
#[rstest]
fn ranges_collide_where_they_overlap(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        let all = u64::MAX;
        type Make = fn(u64, u64) -> Range;
        let (read, write): (Make, Make) = (Range::read, Range::write);
        let cases = [
            ((10, 10), (0, 10), false),
            ((10, 10), (0, 11), true),
            ((10, 10), (19, 1), true),
            ((10, 10), (20, 1), false),
            ((10, 10), (0, all), true),
            ((10, 10), (12, 3), true),
            ((10, all), (0, 10), false),
            ((10, all), (all - 1, 1), true),
            ((10, all), (0, 11), true),
            ((0, all), (1 << 62, 1), true),
            ((all - 2, 1), (all - 2, 1), true),
            ((all - 2, 1), (all - 1, 1), false),
        ];
        for (number, ((offset, length), (other_offset, other_length), overlap)) in cases.into_iter().enumerate() {
            for (mine, theirs) in [(read, read), (read, write), (write, read)] {
                let (mine, theirs) = (mine(offset, length), theirs(other_offset, other_length));
                let name = format!("locker {number} {:?} {:?}", mine.locktype, theirs.locktype);
                let lock = open.locked(scene, &name, mine).await;
                let is_read = |range: Range| range.locktype == NfsLockType4::Read;
                let collides = overlap && !(is_read(mine) && is_read(theirs));
                let denied =
                    tested(scene, &open.handle, theirs, if collides { NfsStat4::Denied } else { NfsStat4::Ok });
                if let Some(denied) = denied.await {
                    assert_eq!((denied.offset, denied.length, denied.locktype), (offset, length, mine.locktype));
                    let owner = StateOwner4 { clientid: scene.client.clientid(), owner: name.into() };
                    assert_eq!(denied.owner.owner, owner.owner);
                }
                scene.ok(open.at().op(mine.unlock(1, lock))).await;
            }
        }
    });
}

/// RFC 7530 §16.10.4, RFC 8881 §18.10.3: what LOCKT would deny, LOCK denies, and names what is in the way.
#[rstest]
fn a_denial_names_what_is_in_the_way(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        open.locked(scene, "holder", Range::write(5, 5)).await;
        let other = scene.other_client().await;
        let theirs = Opened::by(scene, &other, "file", OpenHow::both()).await;
        for locktype in [NfsLockType4::Read, NfsLockType4::Write, NfsLockType4::Readw, NfsLockType4::Writew] {
            let range = Range { locktype, offset: 0, length: 100 };
            let build = |seqid| theirs.at().op(theirs.first_lock(seqid, "asker", range));
            let mut reply = theirs.answers(scene, build, NfsStat4::Denied).await;
            let Lock4Res::Denied(denied) = reply.lock().unwrap() else { panic!("{reply:?}") };
            assert_eq!((denied.offset, denied.length, denied.locktype), (5, 5, NfsLockType4::Write));
            assert_eq!(denied.owner.owner, "holder");
        }
        theirs.locked(scene, "asker", Range::write(10, 5)).await;
    });
}

/// RFC 7530 §16.10.4 and §16.12.4, RFC 8881 §18.10.3 and §18.12.3: no bytes, or more than there are.
#[rstest]
fn ranges_that_are_none(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        let held = Range::write(0, 1);
        let lock = open.locked(scene, "locker", held).await;
        let mut seqid = 1;
        for (offset, length) in
            [(0, 0), (7, 0), (u64::MAX, 0), (2, u64::MAX - 1), (u64::MAX, 2), (1 << 63, 1 << 63 | 1)]
        {
            let range = Range::write(offset, length);
            let build = |seqid| open.at().op(open.first_lock(seqid, "another", range));
            open.answers(scene, build, NfsStat4::Inval).await;
            tested(scene, &open.handle, range, NfsStat4::Inval).await;
            scene.fails(open.at().op(range.lock_more(seqid, lock)), NfsStat4::Inval).await;
            scene.fails(open.at().op(range.unlock(seqid + 1, lock)), NfsStat4::Inval).await;
            seqid += 2;
        }
        scene.ok(open.at().op(held.unlock(seqid, lock))).await;
    });
}

/// RFC 7530 §9.3 and §16.12.4, RFC 8881 §18.12.3: parts of a range are given back, joined, and changed in kind.
#[rstest]
fn parts_of_a_range(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        let first = open.locked(scene, "locker", Range::write(0, 30)).await;
        let mut seqid = 0;
        let mut next = || {
            seqid += 1;
            seqid
        };
        let stateid = |number| at_seqid(first, first.seqid + number);
        // A hole: two ranges are left.
        scene.ok(open.at().op(Range::write(10, 10).unlock(next(), stateid(0)))).await;
        tested(scene, &open.handle, Range::write(10, 10), NfsStat4::Ok).await;
        assert_eq!(tested(scene, &open.handle, Range::read(9, 1), NfsStat4::Denied).await.unwrap().length, 10);
        assert_eq!(tested(scene, &open.handle, Range::read(20, 1), NfsStat4::Denied).await.unwrap().offset, 20);
        // A bridge to read: three ranges, of which two only let nobody in.
        scene.ok(open.at().op(Range::read(5, 20).lock_more(next(), stateid(1)))).await;
        tested(scene, &open.handle, Range::read(5, 20), NfsStat4::Ok).await;
        tested(scene, &open.handle, Range::read(4, 1), NfsStat4::Denied).await;
        tested(scene, &open.handle, Range::write(5, 20), NfsStat4::Denied).await;
        // And all of it to write again, which is one range.
        scene.ok(open.at().op(Range::write(0, 30).lock_more(next(), stateid(2)))).await;
        let denied = tested(scene, &open.handle, Range::read(29, 1), NfsStat4::Denied).await.unwrap();
        assert_eq!((denied.offset, denied.length), (0, 30));
        // What was never locked can be unlocked, and everything at once.
        scene.ok(open.at().op(Range::write(100, 5).unlock(next(), stateid(3)))).await;
        scene.ok(open.at().op(Range::write(0, u64::MAX).unlock(next(), stateid(4)))).await;
        tested(scene, &open.handle, Range::write(0, u64::MAX), NfsStat4::Ok).await;
    });
}

/// RFC 7530 §16.10.4, RFC 8881 §18.10.3: to lock for writing takes an open for writing, to lock for reading one for
/// reading.
#[rstest]
fn the_open_must_allow_the_lock(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let cases = [
            (OpenHow::read(), Range::read(0, 1), NfsStat4::Ok),
            (OpenHow::read(), Range::write(0, 1), NfsStat4::Openmode),
            (OpenHow::write(), Range::write(10, 1), NfsStat4::Ok),
            (OpenHow::write(), Range::read(10, 1), NfsStat4::Openmode),
        ];
        for (how, range, status) in cases {
            let open = Opened::new(scene, "file", how).await;
            let build = |seqid| open.at().op(open.first_lock(seqid, "locker", range));
            open.answers(scene, build, status).await;
            open.close(scene, open.stateid, NfsStat4::Ok).await;
        }
    });
}

/// RFC 7530 §16.11.5, RFC 8881 §18.11.3 and §15.2: only files have locks.
#[rstest]
fn only_files_have_locks(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (dir, link) = (scene.dir("dir").await, scene.link("link", "to").await);
        tested(scene, &dir, Range::read(0, 1), NfsStat4::Isdir).await;
        let status = if minor == 0 { NfsStat4::Inval } else { NfsStat4::Symlink };
        tested(scene, &link, Range::read(0, 1), status).await;
    });
}

/// RFC 7530 §16.11.4, RFC 8881 §18.11.3: one's own locks are in nobody's way but others', also those of one's other
/// owners.
#[rstest]
fn own_locks_are_not_in_the_way(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        open.locked(scene, "mine", Range::write(0, 10)).await;
        scene.ok(open.at().op(Range::write(0, 10).test(scene.client.clientid(), "mine"))).await;
        tested(scene, &open.handle, Range::write(0, 10), NfsStat4::Denied).await;
        // An owner of the same name of another client is somebody else.
        let other = scene.other_client().await;
        let test = open.at().op(Range::write(0, 10).test(other.clientid(), "mine"));
        scene.answers(&other, test, NfsStat4::Denied).await;
    });
}

/// RFC 7530 §9.1.4.4, RFC 8881 §8.2.4: stateids that are not, or not any more, those of the lock or its open.
#[rstest]
fn stateids_that_are_wrong(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        let first = open.locked(scene, "locker", Range::write(0, 1)).await;
        let mut reply = scene.ok(open.at().op(Range::write(1, 1).lock_more(1, first))).await;
        let Lock4Res::Ok(Lock4Resok { lock_stateid }) = reply.lock().unwrap() else { panic!("{reply:?}") };
        assert_eq!(lock_stateid, at_seqid(first, first.seqid + 1));
        let cases = [
            ("forged", forged(lock_stateid), NfsStat4::BadStateid),
            ("anonymous", Stateid4::ANONYMOUS, NfsStat4::BadStateid),
            ("of the open", open.stateid, NfsStat4::BadStateid),
            ("future", at_seqid(first, lock_stateid.seqid + 1), NfsStat4::BadStateid),
            ("old", first, NfsStat4::OldStateid),
        ];
        let mut seqid = 2;
        for (what, stateid, status) in cases {
            for op in [Range::write(2, 1).lock_more(seqid, stateid), Range::write(0, 1).unlock(seqid, stateid)] {
                let is_lock = op.opnum() == OpNum::Lock;
                // The first of the two that names a lock counts, so that the second is out of sequence in 4.0.
                let named = matches!(what, "old" | "future") && minor == 0;
                if named && !is_lock {
                    continue;
                }
                assert_eq!(scene.call(open.at().op(op)).await.status(), status, "{what}");
                seqid += u32::from(named && status == NfsStat4::OldStateid);
            }
        }
        let wrong_open = |stateid| {
            let lock_owner = StateOwner4 { clientid: scene.client.clientid(), owner: "another".into() };
            let args = OpenToLockOwner4 { open_seqid: open.seqid(), open_stateid: stateid, lock_seqid: 0, lock_owner };
            open.at().op(Range::read(50, 1).lock(Locker4::OpenOwner(args)))
        };
        for stateid in [forged(open.stateid), Stateid4::ANONYMOUS, lock_stateid] {
            scene.fails(wrong_open(stateid), NfsStat4::BadStateid).await;
        }
        let other = scene.file("other", "x").await;
        let elsewhere = CompoundBuilder::new().putfh(&other).op(Range::write(0, 1).unlock(seqid, lock_stateid));
        scene.fails(elsewhere, NfsStat4::BadStateid).await;
    });
}

/// RFC 7530 §9.6.2, RFC 8881 §8.4.2.1: nothing is reclaimed but in a grace period.
#[rstest]
fn nothing_is_reclaimed_without_a_restart(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        let NfsArgop4::Lock(mut args) = open.first_lock(open.seqid(), "locker", Range::read(0, 1)) else {
            unreachable!()
        };
        args.reclaim = true;
        let status = scene.call(open.at().op(NfsArgop4::Lock(args))).await.status();
        assert!(matches!(status, NfsStat4::NoGrace | NfsStat4::ReclaimBad), "{status}");
    });
}

/// RFC 7530 §16.11.5 and §13.1.10.2: a client ID that the server did not give.
#[rstest]
fn a_client_that_nobody_knows(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        let test = Range::read(0, 1).test(scene.client.clientid() ^ 0x5a5a_0000_0000_0000, "stranger");
        scene.fails(CompoundBuilder::new().putfh(&file).op(test), NfsStat4::StaleClientid).await;
    });
}
