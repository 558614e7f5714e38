//! RFC 7530 §9.10, RFC 8881 §18.2 and §18.16: opens and their ends.

use nfs4_protocol::nfs4::{NfsStat4, Stateid4};
use pretty_assertions::assert_eq;

use super::*;

#[test]
fn close_hands_the_payload_back_and_ends_the_stateid() {
    let mut world = World::new();
    for client in [world.client40("a"), world.client41("b")] {
        let open = world.opened(client, "o", READ, NONE);
        let closed = world.close(client, &open).unwrap();
        assert_eq!(closed.payload, "payload");
        assert_eq!(world.close(client, &open).unwrap_err(), NfsStat4::BadStateid);
        assert_eq!(world.check_io(client, &open, Want::Read), Err(NfsStat4::BadStateid));
        assert!(world.state.take_freed().is_empty());
    }
    assert_eq!(world.state.counts(), StateCounts { clients: 2, sessions: 1, ..StateCounts::default() });
}

#[test]
fn close_answers_with_the_next_stateid_in_4_0_and_an_invalid_one_in_4_1() {
    let mut world = World::new();
    let (v40, v41) = (world.client40("a"), world.client41("b"));
    let open = world.opened(v40, "o", READ, NONE);
    assert_eq!(world.close(v40, &open).unwrap().stateid, Stateid4 { seqid: open.seqid + 1, ..open });
    let open = world.opened(v41, "o", READ, NONE);
    assert_eq!(world.close(v41, &open).unwrap().stateid, Stateid4::INVALID);
}

#[test]
fn close_unlocks_what_was_locked_through_the_open() {
    let mut world = World::new();
    for client in [world.client40("a"), world.client41("b")] {
        let open = world.opened(client, "o", BOTH, NONE);
        world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
        world.close(client, &open).unwrap();
        assert_eq!((world.state.counts().lock_states, world.state.counts().lock_ranges), (0, 0));
    }
    let other = world.client41("c");
    let open = world.opened(other, "o", BOTH, NONE);
    assert!(world.lock_new(other, &open, "l", (0, 10), LockKind::Write).is_ok());
}

/// Its truncation failed. In 4.0 the owner may not even be confirmed, so that CLOSE could not end it.
#[test]
fn an_open_that_is_taken_back_leaves_nothing() {
    let mut world = World::new();
    for client in [world.client40("a"), world.client41("b")] {
        let opened = world.open(client, "o", BOTH, BOTH).unwrap();
        world.state.cancel_open(opened);
        assert_eq!(world.state.take_freed(), ["payload"]);
        assert_eq!(world.state.counts().opens, 0);
        assert_eq!(world.check_io(client, &opened.stateid, Want::Read), Err(NfsStat4::BadStateid));
        world.state.cancel_open(opened);
        assert!(world.state.take_freed().is_empty());
    }
}

#[test]
fn an_open_that_is_taken_back_leaves_what_it_widened() {
    let mut world = World::new();
    let client = world.client41("a");
    let first = world.open(client, "o", READ, NONE).unwrap();
    let second = world.open(client, "o", WRITE, NONE).unwrap();
    world.state.take_freed();
    world.state.cancel_open(second);
    assert!(world.state.take_freed().is_empty());
    assert_eq!(world.check_io(client, &first.stateid, Want::Read), Ok(()), "the stateid that the client has");
    assert_eq!(world.check_io(client, &first.stateid, Want::Write), Err(NfsStat4::Openmode));
}

#[test]
fn an_open_that_was_widened_meanwhile_is_not_taken_back() {
    let mut world = World::new();
    let client = world.client41("a");
    let first = world.open(client, "o", READ, NONE).unwrap();
    let second = world.open(client, "o", WRITE, NONE).unwrap();
    world.state.cancel_open(first);
    assert_eq!(world.check_io(client, &second.stateid, Want::Write), Ok(()));
}

#[test]
fn an_open_of_another_file_is_a_bad_stateid() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", READ, NONE);
    let close = world.state.close(Caller::V41(client), &open, OTHER_FILE, world.now);
    assert_eq!(close.unwrap_err(), NfsStat4::BadStateid);
    let io = world.state.check_io(Caller::V41(client), &open, OTHER_FILE, Want::Read, world.now);
    assert_eq!(io.unwrap_err(), NfsStat4::BadStateid);
}

#[test]
fn a_4_1_client_confirms_nothing() {
    let mut world = World::new();
    let client = world.client41("a");
    let opened = world.open(client, "o", READ, NONE).unwrap();
    assert!(!opened.needs_confirm);
    assert_eq!(world.state.open_confirm(&opened.stateid, FILE, world.now), Err(NfsStat4::BadStateid));
}

#[test]
fn nothing_is_left_of_a_client_that_closed_everything_and_went() {
    let mut world = World::new();
    let session = world.session41("a");
    let client = world.client_of(&session);
    world.state.reclaim_complete(client, false, world.now).unwrap();
    let open = world.opened(client, "o", BOTH, NONE);
    world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
    world.close(client, &open).unwrap();
    world.state.destroy_session(&session.sessionid, CONNECTION).unwrap();
    world.state.destroy_clientid(client, world.now).unwrap();
    assert_eq!(world.state.counts(), StateCounts::default());
    assert!(world.state.files.is_empty());
    assert_eq!(format!("{:?}", world.state.owners.find(client, owner::OwnerKind::Open, b"o")), "None");
    assert_eq!(world.stored(Vec::new()), []);
}
