//! Operations: TEST_STATEID

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, Reply};
use nfs4_protocol::nfs4::{NfsArgop4, NfsResop4, NfsStat4, Stateid4, TestStateid4Args};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::held::{lock, locked, on, unlock};

fn test(stateids: impl Into<Vec<Stateid4>>) -> CompoundBuilder {
    CompoundBuilder::new().op(NfsArgop4::TestStateid(TestStateid4Args { stateids: stateids.into() }))
}

fn statuses(reply: &Reply) -> Vec<NfsStat4> {
    let tested = reply.results().iter().find_map(|result| match result {
        NfsResop4::TestStateid(Ok(tested)) => Some(tested.status_codes.clone()),
        _ => None,
    });
    tested.unwrap_or_else(|| panic!("{reply:?}"))
}

/// RFC 8881 §18.48.3: each stateid has its status, in their order; bad ones are no failure. No filehandle is needed.
#[rstest]
fn each_stateid_is_judged_for_itself(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let closed = scene.client.open(&scene.root, "closed", OpenHow::create()).await.unwrap();
        let after_close = closed.stateid();
        closed.close().await.unwrap();
        let old = locked(scene.ok(on(file.handle(), lock(file.stateid()))).await);
        let newest = scene.ok(on(file.handle(), unlock(old))).await.locku().unwrap();
        let mut forged = newest;
        forged.other[3] ^= 0x10;
        let cases = [
            (Stateid4::ANONYMOUS, NfsStat4::BadStateid),
            (file.stateid(), NfsStat4::Ok),
            (Stateid4::READ_BYPASS, NfsStat4::BadStateid),
            (newest, NfsStat4::Ok),
            (Stateid4 { seqid: 0, ..newest }, NfsStat4::Ok),
            (Stateid4::CURRENT, NfsStat4::BadStateid),
            (old, NfsStat4::OldStateid),
            (Stateid4 { seqid: newest.seqid + 1, ..newest }, NfsStat4::BadStateid),
            (Stateid4::INVALID, NfsStat4::BadStateid),
            (after_close, NfsStat4::BadStateid),
            (forged, NfsStat4::BadStateid),
            (file.stateid(), NfsStat4::Ok),
        ];
        let reply = scene.ok(test(cases.map(|(stateid, _)| stateid))).await;
        assert_eq!(statuses(&reply), cases.map(|(_, status)| status));
        file.close().await.unwrap();
    });
}

/// RFC 8881 §18.48.3: the special stateids are bad also where there is a current stateid.
#[rstest]
fn the_current_stateid_is_a_special_one(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let locks = on(file.handle(), lock(file.stateid()));
        let tests = test([Stateid4::CURRENT]).op(unlock(Stateid4::CURRENT)).build(1).argarray;
        let reply = scene.ok(locks.ops(tests)).await;
        assert_eq!(statuses(&reply), [NfsStat4::BadStateid]);
        file.close().await.unwrap();
    });
}

/// RFC 8881 §18.48.3: a stateid belongs to the client of the session.
#[rstest]
fn the_stateid_of_another_client_is_bad(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let other = scene.other_client().await;
        let reply = scene.answers(&other, test([file.stateid()]), NfsStat4::Ok).await;
        assert_eq!(statuses(&reply), [NfsStat4::BadStateid]);
        file.close().await.unwrap();
    });
}

/// RFC 8881 §18.48.1: none, and many.
#[rstest]
fn any_number_of_stateids(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for count in [0, 1, 1000] {
            let reply = scene.ok(test(vec![Stateid4::ANONYMOUS; count])).await;
            assert_eq!(statuses(&reply), vec![NfsStat4::BadStateid; count]);
        }
    });
}
