//! RFC 7530 §9.5 and §9.6.3, RFC 8881 §8.3: leases, and courtesy to clients whose lease ran out.

use nfs4_protocol::nfs4::NfsStat4;
use pretty_assertions::assert_eq;

use super::*;

#[test]
fn a_partition_longer_than_the_lease_loses_nothing_without_a_conflict() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
    world.pass(100 * LEASE);
    world.state.expire(world.now);
    assert_eq!(world.state.renew(client, world.now), Ok(()));
    assert_eq!(world.check_io(client, &lock, Want::Write), Ok(()));
}

#[test]
fn a_conflicting_open_takes_everything_from_an_expired_client() {
    let mut world = World::new();
    let (gone, other) = (world.client40("gone"), world.client40("other"));
    let open = world.opened(gone, "o", BOTH, BOTH);
    assert_eq!(world.open(other, "o", READ, NONE).unwrap_err(), NfsStat4::ShareDenied);
    world.state.take_freed();
    world.pass(LEASE + 1);
    assert!(world.open(other, "o", READ, NONE).is_ok());
    assert_eq!(world.state.take_freed(), ["payload"]);
    assert_eq!(world.check_io(gone, &open, Want::Read), Err(NfsStat4::Expired));
    assert_eq!(world.close(gone, &open).unwrap_err(), NfsStat4::Expired);
    assert_eq!(world.state.renew(gone, world.now), Err(NfsStat4::Expired));
    assert_eq!(world.open(gone, "o", READ, NONE).unwrap_err(), NfsStat4::Expired);
}

#[test]
fn a_conflicting_lock_takes_everything_from_expired_clients_and_not_before() {
    let mut world = World::new();
    let (one, two) = (world.client41("one"), world.client41("two"));
    let other = world.client41("other");
    for (client, offset) in [(one, 0), (two, 20)] {
        let open = world.opened(client, "o", BOTH, NONE);
        world.lock_new(client, &open, "l", (offset, 10), LockKind::Write).unwrap();
    }
    world.pass(LEASE);
    let open = world.opened(other, "o", BOTH, NONE);
    assert!(matches!(world.lock_new(other, &open, "l", (5, 20), LockKind::Read), Err(LockRefusal::Denied(_))));
    world.pass(1);
    assert!(world.lock_new(other, &open, "l", (5, 20), LockKind::Read).is_ok());
    assert_eq!(world.state.counts(), StateCounts { clients: 1, sessions: 1, opens: 1, lock_states: 1, lock_ranges: 1 });
}

#[test]
fn only_the_expired_ones_of_several_holders_are_not_enough() {
    let mut world = World::new();
    let (gone, alive, other) = (world.client40("gone"), world.client40("alive"), world.client40("other"));
    let open = world.opened(gone, "o", READ, NONE);
    world.opened(alive, "o", READ, NONE);
    world.pass(LEASE + 1);
    world.state.renew(alive, world.now).unwrap();
    assert_eq!(world.open(other, "o", READ, READ).unwrap_err(), NfsStat4::ShareDenied);
    assert_eq!(world.check_io(gone, &open, Want::Read), Ok(()), "taking from one would have helped nobody");
}

#[test]
fn a_test_for_a_lock_sees_no_locks_of_expired_clients() {
    let mut world = World::new();
    let (gone, other) = (world.client40("gone"), world.client40("other"));
    let open = world.opened(gone, "o", BOTH, NONE);
    world.lock_new(gone, &open, "l", (0, 10), LockKind::Write).unwrap();
    world.pass(LEASE + 1);
    let test = LockTest { client: other, owner: b"l", file: FILE, offset: 0, length: 1, kind: LockKind::Read };
    assert_eq!(world.state.lockt(test, world.now), Ok(()));
}

#[test]
fn every_use_of_the_clients_state_renews_the_lease() {
    let uses: [fn(&mut World, ClientId, &Stateid4); 5] = [
        |world, client, _| world.state.renew(client, world.now).unwrap(),
        |world, client, open| world.check_io(client, open, Want::Read).unwrap(),
        |world, client, _| assert!(world.open(client, "p", READ, NONE).is_ok()),
        |world, client, open| assert!(world.lock_new(client, open, "l", (0, 1), LockKind::Read).is_ok()),
        |world, client, _| world.state.release_lockowner(client, b"l", world.now).unwrap(),
    ];
    for step in uses {
        let mut world = World::new();
        let client = world.client40("a");
        let open = world.opened(client, "o", READ, NONE);
        world.pass(LEASE);
        step(&mut world, client, &open);
        world.pass(LEASE);
        assert!(!world.state.is_expired(client, world.now));
        world.pass(1);
        assert!(world.state.is_expired(client, world.now));
    }
}

#[test]
fn sequence_renews_the_lease_and_other_clients_requests_do_not() {
    let mut world = World::new();
    let session = world.session41("a");
    let (client, other) = (world.client_of(&session), world.client40("b"));
    world.pass(LEASE);
    let sequence = SequenceRequest {
        sessionid: session.sessionid,
        sequenceid: 1,
        slotid: 0,
        highest_slotid: 0,
        request_hash: 0,
        connection: CONNECTION,
    };
    let Ok(SequenceOutcome::Execute { token, .. }) = world.state.sequence(&sequence, world.now) else { panic!() };
    world.state.complete(token, Vec::new(), true);
    world.pass(LEASE);
    assert!(!world.state.is_expired(client, world.now));
    assert!(world.state.is_expired(other, world.now));
}

#[test]
fn an_expired_client_without_opens_goes_at_once_and_one_with_opens_after_a_day() {
    let mut world = World::new();
    let (idle, busy) = (world.client41("idle"), world.client41("busy"));
    world.opened(busy, "o", READ, NONE);
    world.pass(LEASE + 1);
    world.state.expire(world.now);
    assert!(world.state.clients.get(idle).is_none() && world.state.clients.get(busy).is_some());
    world.pass(COURTESY_MS);
    world.state.expire(world.now);
    assert_eq!(world.state.counts(), StateCounts::default());
    assert_eq!(world.state.take_freed(), ["payload"]);
}
