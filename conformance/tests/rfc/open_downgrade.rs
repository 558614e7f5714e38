//! Operations: OPEN_DOWNGRADE

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::opened::{Opened, Range, at_seqid, forged};

const READ: u32 = OPEN4_SHARE_ACCESS_READ;
const WRITE: u32 = OPEN4_SHARE_ACCESS_WRITE;
const BOTH: u32 = OPEN4_SHARE_ACCESS_BOTH;

/// OPEN_DOWNGRADE with this stateid, which must end with this status.
async fn downgrade(
    scene: &Scene,
    open: &Opened,
    stateid: Stateid4,
    share: (u32, u32),
    status: NfsStat4,
) -> Option<Stateid4> {
    let build = |seqid| {
        let (share_access, share_deny) = share;
        let args = OpenDowngrade4Args { open_stateid: stateid, seqid, share_access, share_deny };
        open.at().op(NfsArgop4::OpenDowngrade(args))
    };
    open.answers(scene, build, status).await.open_downgrade().ok().map(|done| done.open_stateid)
}

/// RFC 7530 §16.19.4, RFC 8881 §18.18.3: to what was opened before, under the next seqid; what was given up is gone.
#[rstest]
fn to_what_was_opened_before(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let mut open = Opened::new(scene, "file", OpenHow::read()).await;
        open.again(scene, "file", &OpenHow::both().deny(OPEN4_SHARE_DENY_WRITE)).await;
        let given = open.stateid;
        let less = downgrade(scene, &open, given, (BOTH, OPEN4_SHARE_DENY_NONE), NfsStat4::Inval).await;
        assert_eq!(less, None);
        let left = downgrade(scene, &open, given, (READ, OPEN4_SHARE_DENY_NONE), NfsStat4::Ok).await.unwrap();
        assert_eq!(left, at_seqid(given, given.seqid + 1));
        let write = open.at().write(left, 0, StableHow4::Unstable, "y".into());
        scene.fails(write, NfsStat4::Openmode).await;
        scene.ok(open.at().read(left, 0, 1)).await;
        open.close(scene, left, NfsStat4::Ok).await;
    });
}

/// RFC 7530 §16.19.4, RFC 8881 §18.18.3: to nothing that is more than there is, or that no OPEN asked for.
#[rstest]
fn to_nothing_that_was_not_opened(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let reader = Opened::new(scene, "file", OpenHow::read()).await;
        for share in [(WRITE, 0), (BOTH, 0), (READ, OPEN4_SHARE_DENY_WRITE), (0, 0), (8, 0), (READ, 4)] {
            downgrade(scene, &reader, reader.stateid, share, NfsStat4::Inval).await;
        }
        downgrade(scene, &reader, reader.stateid, (READ, 0), NfsStat4::Ok).await;
        // One OPEN for both is not two OPENs.
        let both = Opened::new(scene, "file", OpenHow::both()).await;
        for share in [(READ, 0), (WRITE, 0)] {
            downgrade(scene, &both, both.stateid, share, NfsStat4::Inval).await;
        }
    });
}

/// RFC 7530 §9.1.4.4, RFC 8881 §8.2.4: stateids that are not, or not any more, the one of the open.
#[rstest]
fn stateids_that_are_not_the_opens(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let mut open = Opened::new(scene, "file", OpenHow::read()).await;
        open.again(scene, "file", &OpenHow::both()).await;
        let good = open.stateid;
        let lock = open.locked(scene, "locker", Range::read(0, 1)).await;
        for (stateid, status) in [
            (forged(good), NfsStat4::BadStateid),
            (Stateid4::ANONYMOUS, NfsStat4::BadStateid),
            (Stateid4::READ_BYPASS, NfsStat4::BadStateid),
            (at_seqid(good, good.seqid - 1), NfsStat4::OldStateid),
            (at_seqid(good, good.seqid + 1), NfsStat4::BadStateid),
            (lock, NfsStat4::BadStateid),
        ] {
            downgrade(scene, &open, stateid, (READ, 0), status).await;
        }
        downgrade(scene, &open, good, (READ, 0), NfsStat4::Ok).await;
    });
}
