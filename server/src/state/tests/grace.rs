//! RFC 7530 §9.6.2, RFC 8881 §8.4.2: who may reclaim, until when, and what others may do meanwhile.

use nfs4_protocol::nfs4::{NfsStat4, Stateid4};
use pretty_assertions::assert_eq;

use super::*;

fn record(family: Family, name: &str) -> ClientRecord {
    ClientRecord { family, owner: name.as_bytes().to_vec(), principal: principal(name) }
}

/// A server that restarted while these clients of 4.1 held state.
fn restarted(names: &[&str]) -> World {
    World::restarted(9, names.iter().map(|name| record(Family::V41, name)).collect())
}

#[test]
fn nobody_held_state_so_there_is_no_grace() {
    let mut world = World::new();
    assert!(!world.state.is_in_grace(world.now));
    let client = world.client40("a");
    assert!(world.open(client, "o", READ, NONE).is_ok());
    assert_eq!(world.reclaim_open(client, "o", READ).unwrap_err(), NfsStat4::NoGrace);
}

#[test]
fn during_grace_nobody_gets_new_state() {
    let mut world = restarted(&["old"]);
    let (v40, v41) = (world.client40("new40"), world.client41("new41"));
    for client in [v40, v41] {
        assert_eq!(world.state.may_open(client, Claim::New, world.now), Err(NfsStat4::Grace));
        assert_eq!(world.open(client, "o", READ, NONE).unwrap_err(), NfsStat4::Grace);
        assert_eq!(world.check_io(client, &Stateid4::ANONYMOUS, Want::Read), Err(NfsStat4::Grace));
        assert_eq!(world.check_io(client, &Stateid4::ANONYMOUS, Want::Write), Err(NfsStat4::Grace));
        let test = LockTest { client, owner: b"l", file: FILE, offset: 0, length: 1, kind: LockKind::Read };
        assert_eq!(world.state.lockt(test, world.now), Err(LockRefusal::Status(NfsStat4::Grace)));
    }
    world.pass(GRACE);
    assert!(world.open(v40, "o", READ, NONE).is_ok());
    assert_eq!(world.check_io(v40, &Stateid4::ANONYMOUS, Want::Read), Ok(()));
}

#[test]
fn a_recorded_client_reclaims_opens_and_locks() {
    let mut world = World::restarted(9, vec![record(Family::V40, "a"), record(Family::V41, "a")]);
    let session = world.session41("a");
    for client in [world.client40("a"), world.client_of(&session)] {
        let opened = world.reclaim_open(client, "o", BOTH).unwrap();
        assert!(!opened.needs_confirm, "RFC 7530 §9.1.11");
        let caller = world.caller(client);
        let locker = Locker::New { open_stateid: &opened.stateid, clientid: client, owner: b"l", lock_seqid: 1 };
        let range = (100 * client.0, 10);
        let new = world.state.lock(caller, lock_request(range, LockKind::Write, locker), world.now);
        assert_eq!(new, Err(LockRefusal::Status(NfsStat4::Grace)));
        let reclaim = LockRequest { reclaim: true, ..lock_request(range, LockKind::Write, locker) };
        assert!(world.state.lock(caller, reclaim, world.now).is_ok());
        assert_eq!(world.check_io(client, &opened.stateid, Want::Write), Ok(()));
    }
}

#[test]
fn who_held_nothing_reclaims_nothing() {
    let mut world = restarted(&["old"]);
    let stranger = world.client40("old");
    assert_eq!(world.reclaim_open(stranger, "o", READ).unwrap_err(), NfsStat4::ReclaimBad, "a 4.0 client of that name");
    let made = world.exchange_id("old", 1, &principal("thief")).unwrap();
    world.create_session(made.clientid, made.sequence, &principal("thief")).unwrap();
    assert_eq!(world.reclaim_open(made.clientid, "o", READ).unwrap_err(), NfsStat4::ReclaimBad, "another principal");
}

#[test]
fn a_reclaim_after_reclaim_complete_is_too_late() {
    let mut world = restarted(&["a", "b"]);
    let client = world.client41("a");
    assert!(world.state.is_in_grace(world.now));
    assert_eq!(world.reclaim_open(client, "o", READ).unwrap_err(), NfsStat4::NoGrace);
}

#[test]
fn a_reclaim_that_conflicts_with_another_is_told_so() {
    let mut world = restarted(&["a", "b"]);
    let one = world.session41("a");
    let two = world.session41("b");
    let (one, two) = (world.client_of(&one), world.client_of(&two));
    let args = OpenRequest { client: one, owner: b"o", file: FILE, access: BOTH, deny: BOTH, claim: Claim::Reclaim };
    world.state.open(args, "reclaimed", world.now).unwrap();
    assert_eq!(world.reclaim_open(two, "o", READ).unwrap_err(), NfsStat4::ReclaimConflict);
}

#[test]
fn a_reclaimed_lock_that_conflicts_with_another_is_told_so() {
    let mut world = restarted(&["a", "b"]);
    let mut results = Vec::new();
    for name in ["a", "b"] {
        let session = world.session41(name);
        let client = world.client_of(&session);
        let open = world.reclaim_open(client, "o", BOTH).unwrap().stateid;
        let locker = Locker::New { open_stateid: &open, clientid: client, owner: b"l", lock_seqid: 1 };
        let reclaim = LockRequest { reclaim: true, ..lock_request((0, 10), LockKind::Write, locker) };
        results.push(world.state.lock(Caller::V41(client), reclaim, world.now).map(|_| ()));
    }
    assert_eq!(results, [Ok(()), Err(LockRefusal::Status(NfsStat4::ReclaimConflict))]);
}

#[test]
fn grace_ends_when_the_last_recorded_client_is_done() {
    let mut world = restarted(&["a", "b"]);
    world.client41("a");
    assert!(world.state.is_in_grace(world.now));
    let client = world.client41("b");
    assert!(!world.state.is_in_grace(world.now));
    assert!(world.open(client, "o", READ, NONE).is_ok());
}

#[test]
fn grace_does_not_end_early_while_a_4_0_client_is_missing() {
    let mut world = World::restarted(9, vec![record(Family::V40, "old"), record(Family::V41, "a")]);
    world.client41("a");
    let old = world.client40("old");
    assert!(world.reclaim_open(old, "o", READ).is_ok());
    assert!(world.state.is_in_grace(world.now), "4.0 cannot say that it is done");
    world.pass(GRACE);
    assert!(!world.state.is_in_grace(world.now));
}

#[test]
fn a_recorded_client_that_destroys_itself_is_not_waited_for() {
    let mut world = restarted(&["a"]);
    let session = world.session41("a");
    let client = world.client_of(&session);
    world.state.destroy_session(&session.sessionid, CONNECTION).unwrap();
    world.state.destroy_clientid(client, world.now).unwrap();
    assert!(!world.state.is_in_grace(world.now));
}

#[test]
fn a_read_that_bypasses_locks_need_not_wait_for_the_end_of_grace() {
    let mut world = restarted(&["a"]);
    let client = world.client40("b");
    assert_eq!(world.check_io(client, &Stateid4::READ_BYPASS, Want::Read), Ok(()));
    assert_eq!(world.check_io(client, &Stateid4::READ_BYPASS, Want::Write), Err(NfsStat4::Grace));
}
