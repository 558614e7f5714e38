//! Every limit at its edge.

use nfs4_protocol::nfs4::NfsStat4;
use pretty_assertions::assert_eq;

use super::*;

fn limited(change: fn(&mut Limits)) -> World {
    let mut config = config(7);
    change(&mut config.limits);
    World::with_config(config, Vec::new())
}

#[test]
fn too_many_clients() {
    let mut world = limited(|limits| limits.clients = 2);
    let first = world.client40("a");
    world.pass(1);
    world.client41("b");
    let made = world.setclientid("c", 1, &principal("c")).unwrap();
    let confirm =
        |world: &mut World| world.state.setclientid_confirm(made.clientid, made.confirm, &principal("c"), world.now);
    assert_eq!(confirm(&mut world), Err(NfsStat4::Resource));
    let exchanged = world.exchange_id("d", 1, &principal("d")).unwrap();
    let refused = world.create_session(exchanged.clientid, exchanged.sequence, &principal("d"));
    assert_eq!(refused, Err(NfsStat4::Nospc));
    world.pass(LEASE);
    assert_eq!(confirm(&mut world), Ok(()), "the client whose lease ran out makes room");
    assert_eq!(world.state.renew(first, world.now), Err(NfsStat4::Expired));
    assert_eq!(world.state.counts().clients, 2);
}

#[test]
fn a_restarted_client_needs_no_room() {
    let mut world = limited(|limits| limits.clients = 1);
    world.client40("a");
    let made = world.setclientid("a", 2, &principal("a")).unwrap();
    let confirm = world.state.setclientid_confirm(made.clientid, made.confirm, &principal("a"), world.now);
    assert_eq!(confirm, Ok(()));
}

#[test]
fn too_many_unconfirmed_clients() {
    let mut world = limited(|limits| limits.unconfirmed_clients = 2);
    let oldest = world.setclientid("a", 1, &principal("a")).unwrap();
    world.pass(1);
    let kept = world.setclientid("b", 1, &principal("b")).unwrap();
    world.exchange_id("c", 1, &principal("c")).unwrap();
    let confirm = |world: &mut World, made: SetClientIdOk, who: &str| {
        world.state.setclientid_confirm(made.clientid, made.confirm, &principal(who), world.now)
    };
    assert_eq!(confirm(&mut world, oldest, "a"), Err(NfsStat4::StaleClientid));
    assert_eq!(confirm(&mut world, kept, "b"), Ok(()));
}

#[test]
fn too_many_sessions() {
    let mut world = limited(|limits| limits.sessions_per_client = 2);
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    for sequence in [1, 2] {
        assert!(world.create_session(made.clientid, sequence, &principal("a")).is_ok());
    }
    assert_eq!(world.create_session(made.clientid, 3, &principal("a")), Err(NfsStat4::Nospc));
}

#[test]
fn too_many_connections_of_a_session() {
    let mut world = limited(|limits| limits.connections_per_session = 2);
    let session = world.session41("a").sessionid;
    for number in [2, 3] {
        world.state.bind_fore(&session, ConnectionId(number));
    }
    let bound: Vec<bool> = (1..=3).map(|number| world.state.is_bound(&session, ConnectionId(number))).collect();
    assert_eq!(bound, [false, true, true]);
    assert!(!format!("{:?}", world.state.connections).contains(&format!("{CONNECTION:?}")));
}

#[test]
fn too_many_opens() {
    for change in [|limits: &mut Limits| limits.opens = 2, |limits: &mut Limits| limits.opens_per_client = 2] {
        let mut world = limited(change);
        for (make, status) in [
            (World::client40 as fn(&mut World, &str) -> ClientId, NfsStat4::Resource),
            (World::client41, NfsStat4::Delay),
        ] {
            let client = make(&mut world, "a");
            let first = world.opened(client, "o", READ, NONE);
            let second = world.opened(client, "p", READ, NONE);
            assert_eq!(world.open(client, "q", READ, NONE).unwrap_err(), status);
            let upgraded = world.open(client, "p", WRITE, NONE).unwrap();
            assert_eq!(upgraded.stateid.other, second.other, "an upgrade needs no room");
            world.close(client, &first).unwrap();
            world.close(client, &upgraded.stateid).unwrap();
            assert!(world.state.clients.get(client).unwrap().owners.is_empty(), "the refused owner is gone");
        }
    }
}

#[test]
fn too_many_owners() {
    let mut world = limited(|limits| limits.owners_per_client = 2);
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    world.lock_new(client, &open, "l", (0, 1), LockKind::Write).unwrap();
    assert_eq!(world.open(client, "p", READ, NONE).unwrap_err(), NfsStat4::Delay);
    let lock = world.lock_new(client, &open, "m", (5, 1), LockKind::Write);
    assert_eq!(lock, Err(LockRefusal::Status(NfsStat4::Delay)));
    assert_eq!(world.state.counts().lock_ranges, 1);
}

#[test]
fn too_many_locks() {
    let mut world = limited(|limits| limits.lock_ranges_per_client = 2);
    let client = world.client40("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 1), LockKind::Write).unwrap();
    let lock = world.lock_again(client, &lock, (10, 10), LockKind::Write).unwrap();
    let third = world.lock_again(client, &lock, (30, 1), LockKind::Write);
    assert_eq!(third, Err(LockRefusal::Status(NfsStat4::Resource)));
    let lock = world.unlock(client, &lock, (12, 2)).unwrap();
    assert_eq!(world.state.counts().lock_ranges, 3, "unlocking is never refused");
    world.unlock(client, &lock, (0, u64::MAX)).unwrap();
    assert_eq!(world.state.clients.get(client).unwrap().lock_ranges, 0);
}

#[test]
fn too_many_lock_states_of_an_open() {
    let mut world = limited(|limits| limits.lock_states_per_open = 1);
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 1), LockKind::Write).unwrap();
    let second = world.lock_new(client, &open, "m", (10, 1), LockKind::Write);
    assert_eq!(second, Err(LockRefusal::Status(NfsStat4::Delay)));
    assert!(world.lock_again(client, &lock, (10, 1), LockKind::Write).is_ok());
}

#[test]
fn too_many_waiters() {
    let mut world = limited(|limits| limits.waiters_per_file = 1);
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let mut ask = |owner: &'static [u8]| {
        let locker = Locker::New { open_stateid: &open, clientid: client, owner, lock_seqid: 1 };
        let request = LockRequest { blocking: true, ..lock_request((0, 1), LockKind::Write, locker) };
        world.state.lock(Caller::V41(client), request, world.now)
    };
    let lock = ask(b"holder").unwrap();
    assert!(ask(b"first").is_err() && ask(b"second").is_err());
    world.unlock(client, &lock, (0, 1)).unwrap();
    let mut ask = |owner: &'static [u8]| {
        let locker = Locker::New { open_stateid: &open, clientid: client, owner, lock_seqid: 1 };
        let request = LockRequest { blocking: true, ..lock_request((0, 1), LockKind::Write, locker) };
        world.state.lock(Caller::V41(client), request, world.now)
    };
    assert!(ask(b"second").is_err(), "the first has its place");
    assert!(ask(b"first").is_ok());
}

#[test]
fn evicted_clients_are_remembered_within_bounds() {
    let mut world = limited(|limits| limits.clients = 1);
    let mut ids = Vec::new();
    for number in 0..1_100 {
        ids.push(world.client40(&format!("client {number}")));
        world.pass(LEASE + 1);
    }
    assert_eq!(world.state.renew(ids[0], world.now), Err(NfsStat4::StaleClientid));
    assert_eq!(world.state.renew(ids[1_098], world.now), Err(NfsStat4::Expired));
}
