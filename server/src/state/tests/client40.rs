//! RFC 7530 §16.33 and §16.34: SETCLIENTID and SETCLIENTID_CONFIRM; §16.28: RENEW.

use nfs4_protocol::nfs4::{NfsStat4, Verifier4};
use pretty_assertions::{assert_eq, assert_ne};

use super::*;

#[test]
fn a_client_id_counts_only_after_its_confirmation() {
    let mut world = World::new();
    let made = world.setclientid("a", 1, &principal("a")).unwrap();
    assert_eq!(world.state.renew(made.clientid, world.now), Err(NfsStat4::StaleClientid));
    assert_eq!(world.open(made.clientid, "o", READ, NONE).unwrap_err(), NfsStat4::StaleClientid);
    world.state.setclientid_confirm(made.clientid, made.confirm, &principal("a"), world.now).unwrap();
    assert_eq!(world.state.renew(made.clientid, world.now), Ok(()));
}

#[test]
fn the_same_instance_updates_its_callback_and_keeps_its_state() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.opened(client, "o", READ, NONE);
    let update = world.setclientid("a", 1, &principal("a")).unwrap();
    assert_eq!(update.clientid, client);
    world.state.setclientid_confirm(client, update.confirm, &principal("a"), world.now).unwrap();
    assert_eq!(world.check_io(client, &open, Want::Read), Ok(()));
}

#[test]
fn each_setclientid_has_a_verifier_of_its_own() {
    let mut world = World::new();
    let client = world.client40("a");
    let first = world.setclientid("a", 1, &principal("a")).unwrap();
    let second = world.setclientid("a", 1, &principal("a")).unwrap();
    assert_ne!(first.confirm, second.confirm);
    let confirm =
        |world: &mut World, verifier| world.state.setclientid_confirm(client, verifier, &principal("a"), world.now);
    assert_eq!(confirm(&mut world, first.confirm), Err(NfsStat4::StaleClientid));
    assert_eq!(confirm(&mut world, second.confirm), Ok(()));
}

#[test]
fn a_restarted_client_loses_its_state_when_it_confirms_and_not_before() {
    let mut world = World::new();
    let old = world.client40("a");
    let open = world.opened(old, "o", READ, NONE);
    let new = world.setclientid("a", 2, &principal("a")).unwrap();
    assert_ne!(new.clientid, old);
    assert_eq!(world.check_io(old, &open, Want::Read), Ok(()));
    world.state.setclientid_confirm(new.clientid, new.confirm, &principal("a"), world.now).unwrap();
    assert_eq!(world.check_io(old, &open, Want::Read), Err(NfsStat4::BadStateid));
    assert_eq!(world.state.renew(old, world.now), Err(NfsStat4::StaleClientid));
    assert_eq!(world.state.take_freed(), ["payload"]);
}

#[test]
fn an_unconfirmed_record_is_replaced() {
    let mut world = World::new();
    let first = world.setclientid("a", 1, &principal("a")).unwrap();
    let second = world.setclientid("a", 1, &principal("a")).unwrap();
    assert_ne!(first.clientid, second.clientid);
    let stale = world.state.setclientid_confirm(first.clientid, first.confirm, &principal("a"), world.now);
    assert_eq!(stale, Err(NfsStat4::StaleClientid));
}

#[test]
fn a_second_restart_replaces_the_unconfirmed_record_of_the_first() {
    let mut world = World::new();
    let old = world.client40("a");
    let first = world.setclientid("a", 2, &principal("a")).unwrap();
    let second = world.setclientid("a", 3, &principal("a")).unwrap();
    assert!(first.clientid != second.clientid && second.clientid != old);
    let stale = world.state.setclientid_confirm(first.clientid, first.confirm, &principal("a"), world.now);
    assert_eq!(stale, Err(NfsStat4::StaleClientid));
    assert_eq!(world.state.renew(old, world.now), Ok(()));
}

#[test]
fn another_principal_cannot_take_a_name_with_opens() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.opened(client, "o", READ, NONE);
    let refused = world.setclientid("a", 9, &principal("b")).unwrap_err();
    assert_eq!(refused, SetClientIdError::InUse { netid: "tcp".into(), addr: "10.0.0.1.0.1".into() });
    assert_eq!(world.check_io(client, &open, Want::Read), Ok(()));
}

#[test]
fn another_principal_may_take_a_name_without_opens_or_with_an_expired_lease() {
    let mut world = World::new();
    world.client40("a");
    assert!(world.setclientid("a", 9, &principal("b")).is_ok());
    let client = world.client40("c");
    world.opened(client, "o", READ, NONE);
    world.pass(LEASE + 1);
    assert!(world.setclientid("c", 9, &principal("b")).is_ok());
    assert_eq!(world.state.take_freed(), ["payload"]);
}

#[test]
fn only_the_principal_that_asked_may_confirm() {
    let mut world = World::new();
    let made = world.setclientid("a", 1, &principal("a")).unwrap();
    let confirm = |world: &mut World, who: &str| {
        world.state.setclientid_confirm(made.clientid, made.confirm, &principal(who), world.now)
    };
    assert_eq!(confirm(&mut world, "b"), Err(NfsStat4::ClidInuse));
    assert_eq!(confirm(&mut world, "a"), Ok(()));
    assert_eq!(confirm(&mut world, "b"), Err(NfsStat4::ClidInuse), "also when it is confirmed already");
    assert_eq!(confirm(&mut world, "a"), Ok(()), "a retransmission");
}

#[test]
fn a_wrong_verifier_or_an_unknown_client_id_is_stale() {
    let mut world = World::new();
    let made = world.setclientid("a", 1, &principal("a")).unwrap();
    let confirm =
        |world: &mut World, id, verifier| world.state.setclientid_confirm(id, verifier, &principal("a"), world.now);
    assert_eq!(confirm(&mut world, made.clientid, Verifier4([0; 8])), Err(NfsStat4::StaleClientid));
    assert_eq!(confirm(&mut world, ClientId(1), made.confirm), Err(NfsStat4::StaleClientid));
    assert_eq!(world.state.renew(ClientId(1), world.now), Err(NfsStat4::StaleClientid));
}

#[test]
fn an_unconfirmed_record_is_dropped_after_a_lease_time() {
    let mut world = World::new();
    let made = world.setclientid("a", 1, &principal("a")).unwrap();
    world.pass(LEASE + 1);
    world.state.expire(world.now);
    let stale = world.state.setclientid_confirm(made.clientid, made.confirm, &principal("a"), world.now);
    assert_eq!(stale, Err(NfsStat4::StaleClientid));
}

#[test]
fn a_client_id_of_4_1_is_unknown_to_4_0() {
    let mut world = World::new();
    let client = world.client41("a");
    assert_eq!(world.state.renew(client, world.now), Err(NfsStat4::StaleClientid));
    let confirm = world.state.setclientid_confirm(client, Verifier4([0; 8]), &principal("a"), world.now);
    assert_eq!(confirm, Err(NfsStat4::StaleClientid));
}
