//! RFC 8881 §18.35: EXCHANGE_ID, by the numbers of its cases; §18.50: DESTROY_CLIENTID; §18.51: RECLAIM_COMPLETE.

use nfs4_protocol::nfs4::{NfsStat4, Verifier4};
use pretty_assertions::{assert_eq, assert_ne};

use super::*;

fn update(world: &mut World, name: &str, verifier: u8, who: &str) -> Result<ExchangeIdOk, NfsStat4> {
    let (verifier, principal) = (Verifier4([verifier; 8]), principal(who));
    let args = ExchangeId { verifier, owner: name.as_bytes(), update: true, principal: &principal };
    world.state.exchange_id(args, world.now)
}

#[test]
fn case_1_a_new_owner_gets_an_unconfirmed_client_id() {
    let mut world = World::new();
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    assert!(!made.confirmed);
    assert_eq!(world.state.may_open(made.clientid, Claim::New, world.now), Err(NfsStat4::StaleClientid));
}

#[test]
fn case_2_the_same_client_again_gets_its_client_id_back() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", READ, NONE);
    let again = world.exchange_id("a", 1, &principal("a")).unwrap();
    assert_eq!(again, ExchangeIdOk { clientid: client, sequence: 2, confirmed: true });
    assert_eq!(world.check_io(client, &open, Want::Read), Ok(()));
}

#[test]
fn case_2_takes_back_a_restart_that_was_never_confirmed() {
    let mut world = World::new();
    let client = world.client41("a");
    let restart = world.exchange_id("a", 2, &principal("a")).unwrap();
    assert_eq!(world.exchange_id("a", 1, &principal("a")).unwrap().clientid, client);
    let late = world.create_session(restart.clientid, restart.sequence, &principal("a"));
    assert_eq!(late, Err(NfsStat4::StaleClientid));
}

#[test]
fn case_3_another_principal_is_refused_while_the_owner_is_in_use() {
    let mut world = World::new();
    let client = world.client41("a");
    assert_eq!(world.exchange_id("a", 1, &principal("b")), Err(NfsStat4::ClidInuse));
    world.pass(LEASE + 1);
    let made = world.exchange_id("a", 1, &principal("b")).unwrap();
    assert_ne!(made.clientid, client);
    assert!(!made.confirmed);
    assert_eq!(world.state.counts().sessions, 0);
}

#[test]
fn case_4_an_unconfirmed_record_is_replaced() {
    let mut world = World::new();
    let first = world.exchange_id("a", 1, &principal("a")).unwrap();
    let second = world.exchange_id("a", 1, &principal("b")).unwrap();
    assert_ne!(first.clientid, second.clientid);
    let stale = world.create_session(first.clientid, first.sequence, &principal("a"));
    assert_eq!(stale, Err(NfsStat4::StaleClientid));
}

#[test]
fn case_5_a_restarted_client_loses_its_state_with_create_session_and_not_before() {
    let mut world = World::new();
    let old = world.client41("a");
    let open = world.opened(old, "o", READ, NONE);
    let new = world.exchange_id("a", 2, &principal("a")).unwrap();
    assert!(!new.confirmed);
    assert_eq!(world.check_io(old, &open, Want::Read), Ok(()));
    world.create_session(new.clientid, new.sequence, &principal("a")).unwrap();
    assert_eq!(world.state.take_freed(), ["payload"]);
    assert_eq!(world.state.counts(), StateCounts { clients: 1, sessions: 1, ..StateCounts::default() });
    assert_eq!(world.state.test_stateid(old, &open), NfsStat4::BadStateid);
}

#[test]
fn case_6_an_update_changes_nothing_else() {
    let mut world = World::new();
    let client = world.client41("a");
    assert_eq!(update(&mut world, "a", 1, "a").map(|made| made.clientid), Ok(client));
}

#[test]
fn case_7_an_update_of_an_unconfirmed_record_finds_nothing() {
    let mut world = World::new();
    assert_eq!(update(&mut world, "a", 1, "a"), Err(NfsStat4::Noent));
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    assert_eq!(update(&mut world, "a", 1, "a"), Err(NfsStat4::Noent));
    assert!(world.create_session(made.clientid, made.sequence, &principal("a")).is_ok(), "the record is left intact");
}

#[test]
fn case_8_an_update_by_another_instance_is_not_the_same() {
    let mut world = World::new();
    world.client41("a");
    assert_eq!(update(&mut world, "a", 2, "a"), Err(NfsStat4::NotSame));
    assert_eq!(update(&mut world, "a", 2, "b"), Err(NfsStat4::NotSame));
}

#[test]
fn case_9_an_update_by_another_principal_is_not_permitted() {
    let mut world = World::new();
    world.client41("a");
    assert_eq!(update(&mut world, "a", 1, "b"), Err(NfsStat4::Perm));
}

#[test]
fn a_client_in_use_cannot_be_destroyed() {
    let mut world = World::new();
    let session = world.session41("a");
    let client = world.client_of(&session);
    assert_eq!(world.state.destroy_clientid(client, world.now), Err(NfsStat4::ClientidBusy));
    world.state.reclaim_complete(client, false, world.now).unwrap();
    let open = world.opened(client, "o", READ, NONE);
    world.state.destroy_session(&session.sessionid, CONNECTION).unwrap();
    assert_eq!(world.state.destroy_clientid(client, world.now), Err(NfsStat4::ClientidBusy));
    world.close(client, &open).unwrap();
    assert_eq!(world.state.destroy_clientid(client, world.now), Ok(()));
    assert_eq!(world.state.destroy_clientid(client, world.now), Err(NfsStat4::StaleClientid));
}

#[test]
fn an_expired_or_unconfirmed_client_can_be_destroyed() {
    let mut world = World::new();
    let client = world.client41("a");
    world.opened(client, "o", READ, NONE);
    world.pass(LEASE + 1);
    assert_eq!(world.state.destroy_clientid(client, world.now), Ok(()));
    let made = world.exchange_id("b", 1, &principal("b")).unwrap();
    assert_eq!(world.state.destroy_clientid(made.clientid, world.now), Ok(()));
    assert_eq!(world.state.destroy_clientid(made.clientid, world.now), Err(NfsStat4::StaleClientid));
}

#[test]
fn a_4_0_client_is_unknown_to_4_1() {
    let mut world = World::new();
    let client = world.client40("a");
    assert_eq!(world.state.destroy_clientid(client, world.now), Err(NfsStat4::StaleClientid));
    assert_eq!(world.create_session(client, 1, &principal("a")), Err(NfsStat4::StaleClientid));
    assert_eq!(world.state.reclaim_complete(client, false, world.now), Err(NfsStat4::StaleClientid));
}

#[test]
fn the_two_protocols_have_separate_owner_names() {
    let mut world = World::new();
    let v40 = world.client40("a");
    let v41 = world.client41("a");
    assert_eq!(world.state.renew(v40, world.now), Ok(()));
    assert_eq!(world.state.may_open(v41, Claim::New, world.now), Ok(()));
}

#[test]
fn reclaim_complete_comes_before_the_first_open_and_once() {
    let mut world = World::new();
    let session = world.session41("a");
    let client = world.client_of(&session);
    assert_eq!(world.open(client, "o", READ, NONE).unwrap_err(), NfsStat4::Grace);
    assert_eq!(world.state.reclaim_complete(client, true, world.now), Ok(()), "about one file system: ignored");
    assert_eq!(world.open(client, "o", READ, NONE).unwrap_err(), NfsStat4::Grace);
    assert_eq!(world.state.reclaim_complete(client, false, world.now), Ok(()));
    assert!(world.open(client, "o", READ, NONE).is_ok());
    assert_eq!(world.state.reclaim_complete(client, false, world.now), Err(NfsStat4::CompleteAlready));
    assert_eq!(world.state.reclaim_complete(client, true, world.now), Ok(()), "as VMware ESXi sends it");
}
