//! Operations: LOCK, LOCKU, RELEASE_LOCKOWNER

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::opened::{Opened, Range, next_seqid};

fn release(clientid: u64, name: &'static str) -> CompoundBuilder {
    let lock_owner = StateOwner4 { clientid, owner: name.into() };
    CompoundBuilder::new().op(NfsArgop4::ReleaseLockowner(ReleaseLockowner4Args { lock_owner }))
}

async fn opened(scene: &Scene, name: &str) -> Opened {
    scene.file(name, "x").await;
    Opened::new(scene, name, OpenHow::both()).await
}

/// RFC 7530 §9.1.7 and §9.1.9: what is sent again is answered again, and not done again.
#[rstest]
fn what_is_sent_again_is_answered_again(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open = opened(scene, "file").await;
        let first = open.at().op(open.first_lock(open.seqid(), "locker", Range::write(0, 1)));
        let answers = [scene.ok(first.clone()).await, scene.ok(first).await];
        assert_eq!(answers[0].results(), answers[1].results());
        let [mut answer, _] = answers;
        let Lock4Res::Ok(Lock4Resok { lock_stateid }) = answer.lock().unwrap() else { panic!("{answer:?}") };
        let more = open.at().op(Range::write(1, 1).lock_more(1, lock_stateid));
        let mut answers = [scene.ok(more.clone()).await, scene.ok(more).await];
        assert_eq!(answers[0].results(), answers[1].results());
        let Lock4Res::Ok(Lock4Resok { lock_stateid }) = answers[0].lock().unwrap() else { panic!("{answers:?}") };
        let unlock = open.at().op(Range::write(0, 2).unlock(2, lock_stateid));
        let answers = [scene.ok(unlock.clone()).await, scene.ok(unlock).await];
        assert_eq!(answers[0].results(), answers[1].results());
    });
}

/// RFC 7530 §9.1.7: any other seqid than the next is refused, and does not count.
#[rstest]
fn seqids_out_of_order(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open = opened(scene, "file").await;
        for seqid in [open.seqid() + 1, open.seqid() - 2, 0, u32::MAX] {
            let compound = open.at().op(open.first_lock(seqid, "locker", Range::write(0, 1)));
            scene.fails(compound, NfsStat4::BadSeqid).await;
        }
        let lock = open.locked(scene, "locker", Range::write(0, 1)).await;
        for seqid in [0, 2, 3, u32::MAX] {
            scene.fails(open.at().op(Range::write(1, 1).lock_more(seqid, lock)), NfsStat4::BadSeqid).await;
            scene.fails(open.at().op(Range::write(0, 1).unlock(seqid, lock)), NfsStat4::BadSeqid).await;
        }
        scene.ok(open.at().op(Range::write(0, 1).unlock(1, lock))).await;
    });
}

/// RFC 7530 §9.1.7: failures count as well; a denial is repeated until the next seqid asks anew.
#[rstest]
fn failures_count(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open = opened(scene, "file").await;
        let lock = open.locked(scene, "locker", Range::write(0, 1)).await;
        let holder = open.locked(scene, "holder", Range::write(10, 1)).await;
        let asks = |seqid| open.at().op(Range::write(10, 1).lock_more(seqid, lock));
        scene.fails(asks(1), NfsStat4::Denied).await;
        scene.ok(open.at().op(Range::write(10, 1).unlock(1, holder))).await;
        scene.fails(asks(1), NfsStat4::Denied).await;
        scene.ok(asks(2)).await;
    });
}

/// RFC 7530 §16.10.5: a lock-owner that locks in another file goes on with its seqids.
#[rstest]
fn one_sequence_for_all_files(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (open, other) = (opened(scene, "file").await, opened(scene, "other").await);
        let lock = open.locked(scene, "locker", Range::write(0, 1)).await;
        let locker = |open_seqid, lock_seqid| {
            let lock_owner = StateOwner4 { clientid: scene.client.clientid(), owner: "locker".into() };
            let open_stateid = other.stateid;
            let args = OpenToLockOwner4 { open_seqid, open_stateid, lock_seqid, lock_owner };
            other.at().op(Range::write(0, 1).lock(Locker4::OpenOwner(args)))
        };
        other.answers(scene, |seqid| locker(seqid, 5), NfsStat4::BadSeqid).await;
        let seqid = other.seqid();
        let reply = scene.call(locker(seqid, 1)).await;
        let reply =
            if reply.status() == NfsStat4::BadSeqid { scene.call(locker(next_seqid(seqid), 1)).await } else { reply };
        assert_eq!(reply.status(), NfsStat4::Ok);
        scene.ok(open.at().op(Range::write(0, 1).unlock(2, lock))).await;
    });
}

/// RFC 7530 §16.37: a lock-owner is forgotten when it holds nothing, with its stateids.
#[rstest]
fn a_lock_owner_is_forgotten(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open = opened(scene, "file").await;
        let clientid = scene.client.clientid();
        let lock = open.locked(scene, "locker", Range::write(0, 1)).await;
        scene.fails(release(clientid, "locker"), NfsStat4::LocksHeld).await;
        let unlocked = scene.ok(open.at().op(Range::write(0, 1).unlock(1, lock))).await.locku().unwrap();
        scene.ok(release(clientid, "locker")).await;
        let again = open.at().op(Range::write(0, 1).lock_more(2, unlocked));
        scene.fails(again, NfsStat4::BadStateid).await;
        // Its name is free, and its seqids begin anew.
        open.locked(scene, "locker", Range::write(0, 1)).await;
    });
}

/// RFC 7530 §16.37: a lock-owner that nobody knows, and a client.
#[rstest]
fn nobody_is_forgotten(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let clientid = scene.client.clientid();
        scene.ok(release(clientid, "never seen")).await;
        scene.fails(release(clientid ^ 0x5a5a_0000_0000_0000, "never seen"), NfsStat4::StaleClientid).await;
    });
}

/// RFC 8881 §15.2 and §18.38: 4.1 has FREE_STATEID in its place.
#[rstest]
fn release_lockowner_is_gone(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.fails(release(scene.client.clientid(), "locker"), NfsStat4::Notsupp).await;
    });
}
