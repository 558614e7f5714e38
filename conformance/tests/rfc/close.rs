//! Operations: CLOSE

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::opened::{Opened, Range, at_seqid, forged};

/// RFC 7530 §16.2, RFC 8881 §18.2: the reservation ends, and the stateid with it.
#[rstest]
fn the_stateid_ends(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both().deny(OPEN4_SHARE_DENY_BOTH)).await;
        let mut reply = open.close(scene, open.stateid, NfsStat4::Ok).await;
        let closed = reply.close().unwrap();
        for stateid in [open.stateid, at_seqid(open.stateid, open.stateid.seqid + 1)] {
            scene.fails(open.at().read(stateid, 0, 1), NfsStat4::BadStateid).await;
            let write = open.at().write(stateid, 0, StableHow4::Unstable, "y".into());
            scene.fails(write, NfsStat4::BadStateid).await;
            open.close(scene, stateid, NfsStat4::BadStateid).await;
        }
        scene.fails(open.at().read(closed, 0, 1), NfsStat4::BadStateid).await;
        Opened::new(scene, "file", OpenHow::both().deny(OPEN4_SHARE_DENY_BOTH)).await;
    });
}

/// RFC 8881 §18.2.4: the stateid that comes back is none.
#[rstest]
fn what_comes_back_is_no_stateid(#[values(Embedded)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::read()).await;
        assert_eq!(open.close(scene, open.stateid, NfsStat4::Ok).await.close().unwrap(), Stateid4::INVALID);
    });
}

/// RFC 7530 §9.1.4.4, RFC 8881 §8.2.4: stateids that are not, or not any more, the one of the open.
#[rstest]
fn stateids_that_are_not_the_opens(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.file("other", "x").await;
        let other = Opened::new(scene, "other", OpenHow::both()).await;
        let mut open = Opened::new(scene, "file", OpenHow::read()).await;
        open.again(scene, "file", &OpenHow::both()).await;
        let good = open.stateid;
        let lock = open.locked(scene, "locker", Range::read(0, 1)).await;
        let cases = [
            ("forged", forged(good), NfsStat4::BadStateid),
            ("anonymous", Stateid4::ANONYMOUS, NfsStat4::BadStateid),
            ("bypass", Stateid4::READ_BYPASS, NfsStat4::BadStateid),
            ("old", at_seqid(good, good.seqid - 1), NfsStat4::OldStateid),
            ("future", at_seqid(good, good.seqid + 1), NfsStat4::BadStateid),
            ("of a lock", lock, NfsStat4::BadStateid),
        ];
        for (what, stateid, status) in cases {
            let reply = open.close(scene, stateid, status).await;
            assert_eq!(reply.status(), status, "{what}");
        }
        // The stateid of another file, with the seqids of its owner.
        let build = |seqid| CompoundBuilder::new().putfh(&open.handle).close(seqid, other.stateid);
        scene.fails(build(other.seqid()), NfsStat4::BadStateid).await;
        scene.ok(open.at().op(Range::read(0, 1).unlock(1, lock))).await;
        open.close(scene, good, NfsStat4::Ok).await;
    });
}

/// RFC 7530 §13.1.5.6: a stateid of an earlier life of the server.
#[rstest]
fn a_stateid_of_an_earlier_life(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::read()).await;
        let mut stale = open.stateid;
        stale.other[3] ^= 1;
        let status = if minor == 0 { NfsStat4::StaleStateid } else { NfsStat4::BadStateid };
        open.close(scene, stale, status).await;
        scene.fails(open.at().read(stale, 0, 1), status).await;
    });
}

/// RFC 8881 §8.2.2 and §18.2.3: seqid 0 means the latest.
#[rstest]
fn seqid_zero_means_the_latest(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let mut open = Opened::new(scene, "file", OpenHow::read()).await;
        open.again(scene, "file", &OpenHow::both()).await;
        open.close(scene, at_seqid(open.stateid, 0), NfsStat4::Ok).await;
    });
}

/// RFC 7530 §16.2.4, RFC 8881 §18.2.3: locks are released or in the way, and one's locks on other files stay.
#[rstest]
fn locks_end_with_the_open_or_keep_it(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::both()).await;
        open.locked(scene, "locker", Range::write(0, 10)).await;
        let reply = scene.call(open.at().close(open.seqid(), open.stateid)).await;
        let test = open.at().op(Range::write(0, 10).test(scene.client.clientid(), "another"));
        match reply.status() {
            NfsStat4::Ok => scene.ok(test).await,
            NfsStat4::LocksHeld => scene.fails(test, NfsStat4::Denied).await,
            status => panic!("{status}"),
        };
    });
}
