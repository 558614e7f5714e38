//! Operations: FREE_STATEID

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::{FreeStateid4Args, NfsArgop4, NfsStat4, Stateid4};
use rstest::rstest;

use crate::held::{lock, locked, on, unlock};

fn free(stateid: Stateid4) -> NfsArgop4 {
    NfsArgop4::FreeStateid(FreeStateid4Args { stateid })
}

fn only(stateid: Stateid4) -> CompoundBuilder {
    CompoundBuilder::new().op(free(stateid))
}

/// RFC 8881 §18.38.3: a stateid under which something is open or locked is not freed.
#[rstest]
fn a_stateid_in_use_holds_locks(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let stateid = locked(scene.ok(on(file.handle(), lock(file.stateid()))).await);
        scene.fails(only(file.stateid()), NfsStat4::LocksHeld).await;
        scene.fails(only(stateid), NfsStat4::LocksHeld).await;
        scene.ok(on(file.handle(), unlock(stateid))).await;
        file.close().await.unwrap();
    });
}

/// RFC 8881 §18.38.3: without a locked range a lock's stateid is freed, and is bad from then on; the open stays.
#[rstest]
fn a_freed_stateid_is_bad(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let stateid = locked(scene.ok(on(file.handle(), lock(file.stateid()))).await);
        let stateid = scene.ok(on(file.handle(), unlock(stateid))).await.locku().unwrap();
        scene.ok(only(stateid)).await;
        scene.fails(only(stateid), NfsStat4::BadStateid).await;
        scene.fails(on(file.handle(), unlock(stateid)), NfsStat4::BadStateid).await;
        scene.fails(CompoundBuilder::new().putfh(file.handle()).read(stateid, 0, 1), NfsStat4::BadStateid).await;
        // The lock-owner begins anew.
        let stateid = locked(scene.ok(on(file.handle(), lock(file.stateid()))).await);
        scene.ok(on(file.handle(), unlock(stateid))).await;
        file.close().await.unwrap();
    });
}

/// RFC 8881 §8.2.2, §16.2.3.1.2: seqid 0 is the newest one, and the current stateid may be freed.
#[rstest]
fn the_newest_and_the_current_stateid(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let stateid = locked(scene.ok(on(file.handle(), lock(file.stateid()))).await);
        scene.ok(on(file.handle(), unlock(stateid))).await;
        scene.ok(only(Stateid4 { seqid: 0, ..stateid })).await;
        let stateid = locked(scene.ok(on(file.handle(), lock(file.stateid()))).await);
        scene.ok(on(file.handle(), unlock(stateid)).op(free(Stateid4::CURRENT))).await;
        scene.fails(on(file.handle(), unlock(Stateid4 { seqid: 0, ..stateid })), NfsStat4::BadStateid).await;
        file.close().await.unwrap();
    });
}

/// RFC 8881 §8.2.2, §8.2.3, §8.2.4: old and future ones, special ones, and those of other clients.
#[rstest]
fn other_stateids_are_refused(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let old = locked(scene.ok(on(file.handle(), lock(file.stateid()))).await);
        let newest = scene.ok(on(file.handle(), unlock(old))).await.locku().unwrap();
        scene.fails(only(old), NfsStat4::OldStateid).await;
        scene.fails(only(Stateid4 { seqid: newest.seqid + 1, ..newest }), NfsStat4::BadStateid).await;
        for special in [Stateid4::ANONYMOUS, Stateid4::READ_BYPASS, Stateid4::INVALID, Stateid4::CURRENT] {
            scene.fails(only(special), NfsStat4::BadStateid).await;
        }
        let mut forged = newest;
        forged.other[11] ^= 0x40;
        scene.fails(only(forged), NfsStat4::BadStateid).await;
        let other = scene.other_client().await;
        scene.answers(&other, only(newest), NfsStat4::BadStateid).await;
        scene.ok(only(newest)).await;
        file.close().await.unwrap();
    });
}
