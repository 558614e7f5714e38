//! Operations: SEQUENCE

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, Reply};
use nfs4_protocol::nfs4::{
    CreateSession4Args, Createtype4, Fattr4, NfsArgop4, NfsResop4, NfsStat4, OpNum, Renew4Args,
    SEQ4_STATUS_CB_PATH_DOWN, SEQ4_STATUS_CB_PATH_DOWN_SESSION, Sequence4Args, Sequence4Resok, Sessionid4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{HandSession, Newcomer, behind, done, wish};

async fn session(scene: &Scene) -> HandSession {
    Newcomer::new(scene).await.session().await
}

/// CREATE of a directory, which cannot be done twice.
fn create(scene: &Scene, name: &str) -> CompoundBuilder {
    scene.here().create(Createtype4::Dir, name, Fattr4::default()).getfh()
}

fn result(reply: &Reply) -> Sequence4Resok {
    match reply.results().front() {
        Some(NfsResop4::Sequence(Ok(result))) => *result,
        other => panic!("{other:?}"),
    }
}

/// Without SEQUENCE and its result.
fn rest(reply: &Reply) -> Vec<(OpNum, NfsStat4)> {
    done(reply).split_off(1)
}

/// RFC 8881 §18.46.3: the result repeats session, slot and sequence ID; no slot that is in use is taken away.
#[rstest]
fn the_result_tells_of_slot_and_session(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        let slots = session.made.fore_chan_attrs.maxrequests;
        for slotid in 0..slots {
            let sequence = Sequence4Args { highest_slotid: slots - 1, ..session.sequence(slotid, 1) };
            let result = result(&session.send(sequence, &CompoundBuilder::new()).await);
            let echo = (result.sessionid, result.sequenceid, result.slotid);
            assert_eq!(echo, (sequence.sessionid, sequence.sequenceid, sequence.slotid));
            assert!(result.highest_slotid >= sequence.highest_slotid, "{result:?}");
        }
    });
}

/// RFC 8881 §18.46.3: in ordinary life nothing is revoked, moved or to be reclaimed.
#[rstest]
fn no_flag_without_a_reason(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await.ready().await;
        let flags = result(&session.run(&CompoundBuilder::new()).await).status_flags;
        // The session has no back channel, of which a server may remind.
        assert_eq!(flags & !(SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_CB_PATH_DOWN_SESSION), 0, "{flags:#x}");
    });
}

/// RFC 8881 §2.10.6.1: the first sequence ID of a slot is 1, and each slot counts for itself.
#[rstest]
fn each_slot_counts_from_one(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        for slotid in [2, 0, 1] {
            for wrong in [0, 2, 3, u32::MAX] {
                let refused = session.send(session.sequence(slotid, wrong), &CompoundBuilder::new().putrootfh()).await;
                assert_eq!(done(&refused), [(OpNum::Sequence, NfsStat4::SeqMisordered)], "slot {slotid}: {wrong}");
            }
            for sequenceid in 1..4 {
                let reply =
                    session.send(session.sequence(slotid, sequenceid), &CompoundBuilder::new().putrootfh()).await;
                assert_eq!(reply.status(), NfsStat4::Ok);
            }
            for wrong in [1, 2, 5, 0x8000_0000] {
                let refused = session.send(session.sequence(slotid, wrong), &CompoundBuilder::new().putrootfh()).await;
                assert_eq!(done(&refused), [(OpNum::Sequence, NfsStat4::SeqMisordered)], "slot {slotid}: {wrong}");
            }
        }
    });
}

/// RFC 8881 §2.10.6.2: a retry gets the reply of the first time, over whatever connection, and nothing is done again.
#[rstest]
fn a_retry_gets_the_kept_reply(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        let sequence = session.sequence(0, 1);
        let first = session.send(sequence, &create(scene, "once")).await;
        assert_eq!(first.status(), NfsStat4::Ok);
        let elsewhere = session.client.over_another_connection().await;
        for client in [session.client.clone(), elsewhere] {
            let retry = client.call(behind(sequence, &create(scene, "once"))).await;
            assert_eq!(retry.results(), first.results());
        }
        let next = session.send(session.sequence(0, 2), &create(scene, "once")).await;
        assert_eq!(next.status(), NfsStat4::Exist, "the slot has moved on");
    });
}

/// RFC 8881 §2.10.6.1.2, §2.10.6.4: a compound that failed behind SEQUENCE is kept like any other.
#[rstest]
fn a_retry_of_a_failure_fails_again(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        let remove = scene.here().remove("later");
        let first = session.send(session.sequence(0, 1), &remove).await;
        assert_eq!(first.status(), NfsStat4::Noent);
        scene.file("later", "").await;
        assert_eq!(session.send(session.sequence(0, 1), &remove).await.results(), first.results());
        assert_eq!(session.send(session.sequence(0, 2), &remove).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §2.10.6.1.3: without `sa_cachethis` a retry gets the whole reply, or RETRY_UNCACHED_REP behind a SEQUENCE that
/// succeeds; it is not done again.
#[rstest]
fn a_retry_of_what_was_not_to_be_kept(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        let sequence = Sequence4Args { cachethis: false, ..session.sequence(0, 1) };
        let first = session.send(sequence, &create(scene, "once")).await;
        assert_eq!(first.status(), NfsStat4::Ok);
        let retry = session.send(sequence, &create(scene, "once")).await;
        if retry.results() != first.results() {
            assert_eq!(retry.status(), NfsStat4::RetryUncachedRep);
            assert_eq!(result(&retry), result(&first));
            assert_eq!(rest(&retry), [(OpNum::Putfh, NfsStat4::RetryUncachedRep)]);
        }
        assert_eq!(session.send(session.sequence(0, 2), &create(scene, "once")).await.status(), NfsStat4::Exist);
    });
}

/// RFC 8881 §2.10.6.1.1: SEQUENCE itself is always kept.
#[rstest]
fn a_lone_sequence_is_kept(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        let sequence = Sequence4Args { cachethis: false, ..session.sequence(1, 1) };
        let first = session.send(sequence, &CompoundBuilder::new()).await;
        let retry = session.send(sequence, &CompoundBuilder::new()).await;
        assert_eq!((retry.status(), result(&retry)), (NfsStat4::Ok, result(&first)));
    });
}

/// RFC 8881 §2.10.6.1.3: what does not exist, or is forbidden in this minor version, says so also in a retry.
#[rstest]
fn a_retry_of_what_is_forbidden_is_told_so(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    let renew = NfsArgop4::Renew(Renew4Args { clientid: 1 });
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        for (slotid, op, status) in [(0, NfsArgop4::Illegal, NfsStat4::OpIllegal), (1, renew, NfsStat4::Notsupp)] {
            let expected = [(op.opnum(), status)];
            let sequence = Sequence4Args { cachethis: false, ..session.sequence(slotid, 1) };
            for time in ["first", "retry"] {
                let reply = session.send(sequence, &CompoundBuilder::new().op(op.clone())).await;
                assert_eq!(rest(&reply), expected, "{time}");
            }
        }
    });
}

/// RFC 8881 §2.10.6.1.3.1: another request in the place of the last is answered as the last was, or refused; in any case
/// it is not done.
#[rstest]
fn a_false_retry_is_not_done(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        let first = session.send(session.sequence(0, 1), &create(scene, "once")).await;
        let other = session.send(session.sequence(0, 1), &create(scene, "twice")).await;
        if other.results() != first.results() {
            let statuses = [NfsStat4::SeqFalseRetry, NfsStat4::RetryUncachedRep];
            assert!(statuses.contains(&other.status()), "{:?}", done(&other));
        }
        scene.fails(scene.here().lookup("twice"), NfsStat4::Noent).await;
        assert_eq!(session.send(session.sequence(0, 2), &create(scene, "twice")).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §2.10.6.1.3.1: the same request of another user must not get the first one's reply.
#[rstest]
fn a_retry_of_another_user_is_a_false_retry(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        for cachethis in [true, false] {
            let sequence = Sequence4Args { cachethis, ..session.sequence(u32::from(cachethis), 1) };
            let first = session.send(sequence, &scene.here().getfh()).await;
            assert_eq!(first.status(), NfsStat4::Ok);
            let other = session.client.as_other_user();
            let stolen = other.call(behind(sequence, &scene.here().getfh())).await;
            assert_eq!(done(&stolen), [(OpNum::Sequence, NfsStat4::SeqFalseRetry)]);
        }
    });
}

/// RFC 8881 §2.10.8: one session serves all users of its client.
#[rstest]
fn a_session_serves_all_users(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        assert_eq!(session.send(session.sequence(0, 1), &scene.here()).await.status(), NfsStat4::Ok);
        let other = session.client.as_other_user();
        let next = other.call(behind(session.sequence(0, 2), &scene.here())).await;
        assert_eq!(next.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §2.10.6.1.2: a SEQUENCE that fails leaves the slot and what it keeps as they were.
#[rstest]
fn a_failed_sequence_changes_no_slot(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        let good = session.sequence(0, 1);
        let first = session.send(good, &create(scene, "once")).await;
        let slots = session.made.fore_chan_attrs.maxrequests;
        let wrong = [
            (Sequence4Args { sequenceid: 3, ..good }, NfsStat4::SeqMisordered),
            (Sequence4Args { sequenceid: 2, slotid: slots, highest_slotid: slots, ..good }, NfsStat4::Badslot),
            (Sequence4Args { sequenceid: 2, slotid: u32::MAX, ..good }, NfsStat4::Badslot),
            (Sequence4Args { sequenceid: 2, highest_slotid: slots, ..good }, NfsStat4::BadHighSlot),
            (Sequence4Args { sequenceid: 2, sessionid: Sessionid4([7; 16]), ..good }, NfsStat4::Badsession),
        ];
        for (sequence, status) in wrong {
            let refused = session.send(sequence, &create(scene, "never")).await;
            assert_eq!(done(&refused), [(OpNum::Sequence, status)]);
            assert_eq!(session.send(good, &create(scene, "once")).await.results(), first.results(), "{status}");
        }
        scene.fails(scene.here().lookup("never"), NfsStat4::Noent).await;
        assert_eq!(session.send(session.sequence(0, 2), &scene.here()).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §2.10.6: the slots of two sessions of one client have nothing to do with each other.
#[rstest]
fn sessions_have_slots_of_their_own(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene).await;
        assert_eq!(session.send(session.sequence(0, 1), &create(scene, "one")).await.status(), NfsStat4::Ok);
        let wish = wish(&session.client.introduce().await);
        let wish = CreateSession4Args { sequence: session.made.sequence + 1, ..wish };
        let sessionid = session.client.create_session(wish).await.unwrap().sessionid;
        let sequence = Sequence4Args { sessionid, ..session.sequence(0, 1) };
        assert_eq!(session.send(sequence, &create(scene, "two")).await.status(), NfsStat4::Ok);
        assert_eq!(session.send(session.sequence(0, 2), &create(scene, "two")).await.status(), NfsStat4::Exist);
    });
}
