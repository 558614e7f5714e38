//! Operations: OPEN, OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::opened::{Opened, at_seqid, forged};

fn confirm(at: &NfsFh4, open_stateid: Stateid4, seqid: u32) -> CompoundBuilder {
    CompoundBuilder::new().putfh(at).op(NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid, seqid }))
}

/// An open by a new owner that is not confirmed yet. Its OPEN had the seqid 7.
async fn unconfirmed(scene: &Scene, name: &str) -> Opened {
    scene.file(name, "x").await;
    let mut new = Opened::nothing(scene, &scene.client, 7);
    let opened = new.again(scene, name, &OpenHow::both()).await;
    assert!(opened.rflags & OPEN4_RESULT_CONFIRM != 0, "no confirmation is wanted");
    new
}

/// RFC 7530 §16.18: a new owner confirms itself before it uses its open.
#[rstest]
fn a_new_owner_confirms_itself(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open = unconfirmed(scene, "file").await;
        scene.fails(open.at().read(open.stateid, 0, 1), NfsStat4::BadStateid).await;
        let mut reply = scene.ok(confirm(&open.handle, open.stateid, 8)).await;
        let confirmed = reply.open_confirm().unwrap().open_stateid;
        assert_eq!(confirmed, at_seqid(open.stateid, open.stateid.seqid + 1));
        scene.ok(open.at().read(confirmed, 0, 1)).await;
        scene.fails(open.at().read(open.stateid, 0, 1), NfsStat4::OldStateid).await;
    });
}

/// RFC 7530 §16.18.5 and §9.1.7: a confirmation can be sent again, but only once be new.
#[rstest]
fn a_confirmation_comes_once(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open = unconfirmed(scene, "file").await;
        for seqid in [6, 9, 10] {
            scene.fails(confirm(&open.handle, open.stateid, seqid), NfsStat4::BadSeqid).await;
        }
        scene.fails(confirm(&open.handle, forged(open.stateid), 8), NfsStat4::BadStateid).await;
        let compound = || confirm(&open.handle, open.stateid, 8);
        let answers = [scene.ok(compound()).await, scene.ok(compound()).await];
        assert_eq!(answers[0].results(), answers[1].results());
        let stateid = at_seqid(open.stateid, open.stateid.seqid + 1);
        scene.fails(confirm(&open.handle, stateid, 9), NfsStat4::BadStateid).await;
    });
}

/// RFC 7530 §9.1.11: an owner that was not confirmed begins anew with whatever seqid.
#[rstest]
fn an_unconfirmed_owner_begins_anew(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open = unconfirmed(scene, "file").await;
        let compound = scene.here().open(open.args("file", &OpenHow::both(), 100)).getfh();
        let mut reply = scene.ok(compound).await;
        let again = reply.open().unwrap();
        assert!(again.rflags & OPEN4_RESULT_CONFIRM != 0);
        scene.fails(confirm(&open.handle, open.stateid, 8), NfsStat4::BadStateid).await;
        scene.ok(confirm(&open.handle, again.stateid, 101)).await;
    });
}

/// RFC 7530 §9.1.7 and §9.1.9: what is sent again is answered again, and not done again.
#[rstest]
fn what_is_sent_again_is_answered_again(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let mut open = Opened::new(scene, "file", OpenHow::read()).await;
        let both = scene.here().open(open.args("file", &OpenHow::both(), open.seqid())).getfh();
        open.again(scene, "file", &OpenHow::both()).await;
        let mut again = scene.ok(both).await;
        assert_eq!(again.open().unwrap().stateid, open.stateid);
        assert_eq!(again.getfh().unwrap(), open.handle);
        let downgrade = open.at().op(NfsArgop4::OpenDowngrade(OpenDowngrade4Args {
            open_stateid: open.stateid,
            seqid: open.seqid(),
            share_access: OPEN4_SHARE_ACCESS_READ,
            share_deny: OPEN4_SHARE_DENY_NONE,
        }));
        let answers = [scene.ok(downgrade.clone()).await, scene.ok(downgrade).await];
        assert_eq!(answers[0].results(), answers[1].results());
        let close = open.at().close(open.seqid() + 1, at_seqid(open.stateid, open.stateid.seqid + 1));
        let answers = [scene.ok(close.clone()).await, scene.ok(close).await];
        assert_eq!(answers[0].results(), answers[1].results());
    });
}

/// RFC 7530 §9.1.7: any other seqid than the next is refused, and does not count.
#[rstest]
fn seqids_out_of_order(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::read()).await;
        let next = open.seqid();
        for seqid in [next + 1, next - 2, 0, u32::MAX] {
            let compound = scene.here().open(open.args("file", &OpenHow::both(), seqid));
            scene.fails(compound, NfsStat4::BadSeqid).await;
            scene.fails(open.at().close(seqid, open.stateid), NfsStat4::BadSeqid).await;
        }
        // The last one, but another request.
        scene.fails(scene.here().open(open.args("file", &OpenHow::both(), next - 1)), NfsStat4::BadSeqid).await;
        open.close(scene, open.stateid, NfsStat4::Ok).await;
    });
}

/// RFC 7530 §9.1.7: failures count as well and are repeated; those that the RFC names do not.
#[rstest]
fn failures_count(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::read()).await;
        let missing = |seqid| scene.here().open(open.args("missing", &OpenHow::read(), seqid));
        let seqid = open.seqid();
        scene.fails(missing(seqid), NfsStat4::Noent).await;
        scene.file("missing", "there by now").await;
        scene.fails(missing(seqid), NfsStat4::Noent).await;
        // Without a filehandle, and with a stateid that is none, it does not count.
        let args = open.args("missing", &OpenHow::read(), seqid + 1);
        scene.fails(CompoundBuilder::new().open(args), NfsStat4::Nofilehandle).await;
        scene.fails(open.at().close(seqid + 1, forged(open.stateid)), NfsStat4::BadStateid).await;
        scene.ok(missing(seqid + 1)).await;
    });
}

/// RFC 7530 §9.1.3: after the largest seqid comes one.
#[rstest]
fn after_the_largest_seqid_comes_one(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let mut open = Opened::nothing(scene, &scene.client, u32::MAX);
        open.again(scene, "file", &OpenHow::read()).await;
        assert_eq!(open.seqid(), 1);
        scene.ok(confirm(&open.handle, open.stateid, 1)).await;
    });
}

/// RFC 8881 §15.2: sessions order requests, so there is nothing to confirm.
#[rstest]
fn open_confirm_is_gone(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let open = Opened::new(scene, "file", OpenHow::read()).await;
        scene.fails(confirm(&open.handle, open.stateid, 8), NfsStat4::Notsupp).await;
    });
}
