//! What stable storage learns, and what the server makes of it after a restart; the edge conditions of RFC 7530 §9.6.3.4
//! and RFC 8881 §8.4.3.

use nfs4_protocol::nfs4::NfsStat4;
use pretty_assertions::assert_eq;

use super::*;

fn names(records: &[ClientRecord]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8_lossy(&record.owner).into_owned()).collect()
}

#[test]
fn a_client_is_recorded_with_its_first_open_and_once() {
    let mut world = World::new();
    let client = world.client41("a");
    assert_eq!(world.state.take_effects(), []);
    world.opened(client, "o", READ, NONE);
    let expected = ClientRecord { family: Family::V41, owner: b"a".to_vec(), principal: principal("a") };
    assert_eq!(world.state.take_effects(), [Effect::Record(expected)]);
    world.opened(client, "p", READ, NONE);
    assert_eq!(world.state.take_effects(), []);
}

#[test]
fn a_client_without_opens_is_struck_off_after_a_while_and_not_at_once() {
    let mut world = World::with_config(StateConfig { lease_ms: 90_000, ..config(7) }, Vec::new());
    let client = world.client40("a");
    let open = world.opened(client, "o", READ, NONE);
    world.close(client, &open).unwrap();
    world.state.expire(world.now);
    let records = world.stored(Vec::new());
    assert_eq!(names(&records), ["a"]);
    world.pass(10_000);
    world.state.expire(world.now);
    assert_eq!(world.stored(records), []);
    world.opened(client, "o", READ, NONE);
    assert_eq!(names(&world.stored(Vec::new())), ["a"], "and recorded again with the next open");
}

#[test]
fn a_graceful_stop_strikes_off_who_has_no_opens() {
    let mut world = World::new();
    let (idle, busy) = (world.client40("idle"), world.client40("busy"));
    let open = world.opened(idle, "o", READ, NONE);
    world.close(idle, &open).unwrap();
    world.opened(busy, "o", READ, NONE);
    world.state.forget_idle();
    assert_eq!(names(&world.stored(Vec::new())), ["busy"]);
}

#[test]
fn a_destroyed_or_restarted_client_is_struck_off() {
    let mut world = World::new();
    let old = world.client40("a");
    world.opened(old, "o", READ, NONE);
    let new = world.setclientid("a", 2, &principal("a")).unwrap();
    world.state.setclientid_confirm(new.clientid, new.confirm, &principal("a"), world.now).unwrap();
    assert_eq!(world.stored(Vec::new()), []);
}

#[test]
fn who_does_not_come_back_in_time_is_struck_off() {
    let mut before = World::new();
    for name in ["back", "gone"] {
        let session = before.session41(name);
        let client = before.client_of(&session);
        before.state.reclaim_complete(client, false, before.now).unwrap();
        before.opened(client, "o", READ, NONE);
    }
    let records = before.stored(Vec::new());
    let mut world = World::restarted(8, records.clone());
    let back = world.session41("back");
    let back = world.client_of(&back);
    world.reclaim_open(back, "o", READ).unwrap();
    world.pass(GRACE);
    world.state.expire(world.now);
    assert_eq!(names(&world.stored(records)), ["back"]);
}

/// RFC 7530 §9.6.3.4.1: the partitioned client's lock went to somebody else and is free again when the server restarts.
#[test]
fn first_edge_condition_a_client_that_lost_its_lock_cannot_reclaim_it() {
    let mut world = World::new();
    let (partitioned, other) = (world.client40("a"), world.client40("b"));
    world.opened(partitioned, "o", BOTH, BOTH);
    world.pass(LEASE + 1);
    world.state.renew(other, world.now).unwrap();
    let open = world.opened(other, "o", BOTH, BOTH);
    world.close(other, &open).unwrap();
    let records = world.stored(Vec::new());
    assert_eq!(names(&records), ["b"]);
    let mut world = World::restarted(8, records);
    let back = world.client40("a");
    assert_eq!(world.reclaim_open(back, "o", BOTH).unwrap_err(), NfsStat4::ReclaimBad);
}

/// RFC 7530 §9.6.3.4.2: the client misses one grace period, somebody else has the lock, and the server restarts again.
#[test]
fn second_edge_condition_a_client_that_missed_a_grace_period_cannot_use_the_next() {
    let mut world = World::new();
    let partitioned = world.client40("a");
    world.opened(partitioned, "o", BOTH, BOTH);
    let records = world.stored(Vec::new());
    let mut world = World::restarted(8, records.clone());
    let other = world.client40("b");
    world.pass(GRACE);
    let open = world.opened(other, "o", BOTH, BOTH);
    world.close(other, &open).unwrap();
    let records = world.stored(records);
    assert_eq!(names(&records), ["b"]);
    let mut world = World::restarted(9, records);
    let back = world.client40("a");
    assert_eq!(world.reclaim_open(back, "o", BOTH).unwrap_err(), NfsStat4::ReclaimBad);
}

#[test]
fn a_second_restart_within_grace_keeps_the_right_to_reclaim() {
    let mut world = World::new();
    let client = world.client40("a");
    world.opened(client, "o", READ, NONE);
    let records = world.stored(Vec::new());
    let mut world = World::restarted(8, records.clone());
    let client = world.client40("a");
    world.reclaim_open(client, "o", READ).unwrap();
    let records = world.stored(records);
    assert_eq!(names(&records), ["a"]);
    let mut world = World::restarted(9, records);
    let client = world.client40("a");
    assert!(world.reclaim_open(client, "o", READ).is_ok());
}

#[test]
fn a_client_that_reclaims_nothing_is_struck_off_when_it_says_so() {
    let mut world = World::new();
    let client = world.client41("a");
    world.opened(client, "o", READ, NONE);
    let records = world.stored(Vec::new());
    let mut world = World::restarted(8, records.clone());
    world.client41("a");
    assert_eq!(world.stored(records), []);
}

#[test]
fn a_4_0_client_that_came_back_and_reclaimed_nothing_is_struck_off_when_grace_ends() {
    let mut world = World::new();
    let client = world.client40("a");
    world.opened(client, "o", READ, NONE);
    let records = world.stored(Vec::new());
    let mut world = World::restarted(8, records.clone());
    let client = world.client40("a");
    world.pass(GRACE);
    world.state.renew(client, world.now).unwrap();
    let new = world.client40("b");
    world.opened(new, "o", READ, NONE);
    assert_eq!(names(&world.stored(records)), ["b"]);
}

#[test]
fn a_client_that_came_back_has_all_of_the_grace_period_to_reclaim() {
    let mut world = World::new();
    let client = world.client40("a");
    world.opened(client, "o", READ, NONE);
    let records = world.stored(Vec::new());
    let config = StateConfig { lease_ms: 90_000, grace_ms: 90_000, ..config(8) };
    let mut world = World::with_config(config, records);
    let client = world.client40("a");
    world.pass(80_000);
    world.state.expire(world.now);
    assert!(world.reclaim_open(client, "o", READ).is_ok());
}
