//! RFC 7530 §9.1.4 and §9.1.6, RFC 8881 §8.2 and §9.1: stateids, special ones, and what they allow.

use nfs4_protocol::nfs4::{NfsStat4, Stateid4};
use pretty_assertions::assert_eq;

use super::*;

fn with_seqid(stateid: Stateid4, seqid: u32) -> Stateid4 {
    Stateid4 { seqid, ..stateid }
}

#[test]
fn seqids_of_stateids_are_old_current_or_bad() {
    let mut world = World::new();
    for client in [world.client40("a"), world.client41("b")] {
        world.opened(client, "o", READ, NONE);
        let open = world.open(client, "o", WRITE, NONE).unwrap().stateid;
        let mut io = |stateid| world.check_io(client, &stateid, Want::Read);
        assert_eq!(io(open), Ok(()));
        assert_eq!(io(with_seqid(open, open.seqid - 1)), Err(NfsStat4::OldStateid));
        assert_eq!(io(with_seqid(open, open.seqid + 1)), Err(NfsStat4::BadStateid));
    }
}

#[test]
fn seqid_0_means_the_latest_in_4_1_and_an_old_one_in_4_0() {
    let mut world = World::new();
    let (v40, v41) = (world.client40("a"), world.client41("b"));
    let open = world.opened(v41, "o", READ, NONE);
    assert_eq!(world.check_io(v41, &with_seqid(open, 0), Want::Read), Ok(()));
    let open = world.opened(v40, "o", READ, NONE);
    assert_eq!(world.check_io(v40, &with_seqid(open, 0), Want::Read), Err(NfsStat4::OldStateid));
}

#[test]
fn a_stateid_of_an_earlier_start_is_stale_in_4_0_and_bad_in_4_1() {
    let mut before = World::restarted(1, Vec::new());
    let client = before.client40("a");
    let open = before.opened(client, "o", READ, NONE);
    let mut world = World::restarted(2, Vec::new());
    world.client40("a");
    let session_client = world.client41("b");
    assert_eq!(world.check_io(client, &open, Want::Read), Err(NfsStat4::StaleStateid));
    assert_eq!(world.check_io(session_client, &open, Want::Read), Err(NfsStat4::BadStateid));
    assert_eq!(world.state.renew(client, world.now), Err(NfsStat4::StaleClientid));
}

#[test]
fn a_made_up_stateid_is_bad() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.opened(client, "o", READ, NONE);
    for index in 4..12 {
        let mut made_up = open;
        made_up.other[index] ^= 0x40;
        assert_eq!(world.check_io(client, &made_up, Want::Read), Err(NfsStat4::BadStateid), "byte {index}");
    }
    for special in [Stateid4::INVALID, Stateid4 { seqid: 5, other: [0xff; 12] }, Stateid4 { seqid: 7, other: [0; 12] }]
    {
        assert_eq!(world.check_io(client, &special, Want::Read), Err(NfsStat4::BadStateid), "{special:?}");
    }
}

#[test]
fn special_stateids_stand_for_no_open() {
    let mut world = World::new();
    let client = world.client41("a");
    for special in [Stateid4::ANONYMOUS, Stateid4::READ_BYPASS] {
        assert_eq!(world.close(client, &special).unwrap_err(), NfsStat4::BadStateid);
        let lock = world.lock_new(client, &special, "l", (0, 1), LockKind::Read);
        assert_eq!(lock, Err(LockRefusal::Status(NfsStat4::BadStateid)));
        assert_eq!(world.state.test_stateid(client, &special), NfsStat4::BadStateid);
    }
}

#[test]
fn a_stateid_works_only_for_the_client_that_got_it() {
    let mut world = World::new();
    let (v40, one, two) = (world.client40("a"), world.client41("b"), world.client41("c"));
    let open = world.opened(one, "o", READ, NONE);
    assert_eq!(world.check_io(two, &open, Want::Read), Err(NfsStat4::BadStateid));
    assert_eq!(world.check_io(v40, &open, Want::Read), Err(NfsStat4::BadStateid), "through 4.0");
    assert_eq!(world.state.test_stateid(two, &open), NfsStat4::BadStateid);
    let open = world.opened(v40, "o", READ, NONE);
    assert_eq!(world.check_io(one, &open, Want::Read), Err(NfsStat4::BadStateid), "through 4.1");
}

#[test]
fn each_kind_of_stateid_has_its_operations() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
    assert_eq!(world.close(client, &lock).unwrap_err(), NfsStat4::BadStateid);
    assert_eq!(world.unlock(client, &open, (0, 10)), Err(NfsStat4::BadStateid));
    let through_lock = world.lock_new(client, &lock, "m", (20, 1), LockKind::Read);
    assert_eq!(through_lock, Err(LockRefusal::Status(NfsStat4::BadStateid)));
    let existing = world.lock_again(client, &open, (20, 1), LockKind::Read);
    assert_eq!(existing, Err(LockRefusal::Status(NfsStat4::BadStateid)));
    assert_eq!(world.check_io(client, &lock, Want::Write), Ok(()), "a lock stateid carries the open's access");
}

#[test]
fn writing_needs_an_open_for_writing() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", READ, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 10), LockKind::Read).unwrap();
    assert_eq!(world.check_io(client, &open, Want::Write), Err(NfsStat4::Openmode));
    assert_eq!(world.check_io(client, &lock, Want::Write), Err(NfsStat4::Openmode));
}

#[test]
fn an_open_for_writing_may_read_unless_another_open_denies_it() {
    let mut world = World::new();
    let (one, two) = (world.client41("a"), world.client41("b"));
    let open = world.opened(one, "o", WRITE, READ);
    assert_eq!(world.check_io(one, &open, Want::Read), Ok(()), "its own denial does not count");
    world.opened(two, "o", WRITE, READ);
    assert_eq!(world.check_io(one, &open, Want::Read), Err(NfsStat4::Locked));
}

/// Who may only write opens for writing, and must not come to read that way: the server has to look at the mode.
#[test]
fn an_open_vouches_only_for_the_access_that_it_has() {
    let mut world = World::new();
    for client in [world.client40("a"), world.client41("b")] {
        let caller = world.caller(client);
        let by_open = |world: &mut World, stateid: &Stateid4, want| {
            world.state.check_io(caller, stateid, FILE, want, world.now).unwrap().by_open
        };
        let open = world.opened(client, "o", WRITE, NONE);
        let lock = world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
        for stateid in [open, lock] {
            assert!(by_open(&mut world, &stateid, Want::Write));
            assert!(!by_open(&mut world, &stateid, Want::Read));
        }
        let wide = world.opened(client, "o", READ, NONE);
        for stateid in [wide, lock] {
            assert!(by_open(&mut world, &stateid, Want::Read), "the owner opened for reading as well");
        }
        for special in [Stateid4::ANONYMOUS, Stateid4::READ_BYPASS] {
            assert!(!by_open(&mut world, &special, Want::Read));
        }
        world.close(client, &wide).unwrap();
    }
}

#[test]
fn anonymous_access_respects_share_reservations() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", READ, WRITE);
    let mut io = |stateid: &Stateid4, want| world.check_io(client, stateid, want);
    assert_eq!(io(&Stateid4::ANONYMOUS, Want::Read), Ok(()));
    assert_eq!(io(&Stateid4::ANONYMOUS, Want::Write), Err(NfsStat4::Locked));
    assert_eq!(io(&Stateid4::READ_BYPASS, Want::Write), Err(NfsStat4::Locked), "bypass is for READ alone");
    world.close(client, &open).unwrap();
    world.opened(client, "o", READ, BOTH);
    assert_eq!(world.check_io(client, &Stateid4::ANONYMOUS, Want::Read), Err(NfsStat4::Locked));
    assert_eq!(world.check_io(client, &Stateid4::READ_BYPASS, Want::Read), Ok(()));
}

/// VMware ESXi opens with everything denied and goes on with its own stateid.
#[test]
fn an_open_that_denies_everything_does_not_deny_itself() {
    let mut world = World::new();
    let client = world.client41("esx");
    let open = world.opened(client, "o", BOTH, BOTH);
    assert_eq!(world.check_io(client, &open, Want::Write), Ok(()));
    assert_eq!(world.check_io(client, &open, Want::Read), Ok(()));
}

#[test]
fn the_payload_of_the_open_comes_with_the_check() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
    for stateid in [open, lock] {
        let io = world.state.check_io(Caller::V41(client), &stateid, FILE, Want::Read, world.now).unwrap();
        assert_eq!((io.payload, io.client), (Some(&"payload"), Some(client)));
    }
    let io = world.state.check_io(Caller::V41(client), &Stateid4::ANONYMOUS, FILE, Want::Read, world.now).unwrap();
    assert_eq!((io.payload, io.client), (None, None));
}

#[test]
fn test_stateid_tells_good_from_old_from_bad() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let wide = world.open(client, "o", READ, NONE).unwrap().stateid;
    let test = |stateid: &Stateid4| world.state.test_stateid(client, stateid);
    assert_eq!(test(&wide), NfsStat4::Ok);
    assert_eq!(test(&with_seqid(wide, 0)), NfsStat4::Ok);
    assert_eq!(test(&open), NfsStat4::OldStateid);
    assert_eq!(test(&with_seqid(wide, 9)), NfsStat4::BadStateid);
}

#[test]
fn free_stateid_frees_what_holds_no_locks() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
    assert_eq!(world.state.free_stateid(client, &open), Err(NfsStat4::LocksHeld));
    assert_eq!(world.state.free_stateid(client, &lock), Err(NfsStat4::LocksHeld));
    let lock = world.unlock(client, &lock, (0, 10)).unwrap();
    assert_eq!(world.check_io(client, &lock, Want::Read), Ok(()), "an empty lock stateid stays good");
    assert_eq!(world.state.free_stateid(client, &lock), Ok(()));
    assert_eq!(world.state.free_stateid(client, &lock), Err(NfsStat4::BadStateid));
    assert_eq!(world.state.test_stateid(client, &open), NfsStat4::Ok);
}
