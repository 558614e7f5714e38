//! RFC 7530 §9.9 and §9.11, RFC 8881 §9.7 to §9.10: share reservations, upgrade and downgrade.

use nfs4_protocol::nfs4::NfsStat4;
use pretty_assertions::{assert_eq, assert_ne};

use super::*;
use crate::state::share::Share;

/// The rule of RFC 7530 §9.9 in its own words.
fn may_stand_together(first: (u32, u32), second: (u32, u32)) -> bool {
    second.0 & first.1 == 0 && second.1 & first.0 == 0
}

fn reservations() -> impl Iterator<Item = (u32, u32)> {
    (1..=3).flat_map(|access| (0..=3).map(move |deny| (access, deny)))
}

#[test]
fn every_pair_of_reservations_is_granted_or_denied_by_the_rule() {
    for first in reservations() {
        for second in reservations() {
            let mut world = World::new();
            let (one, two) = (world.client41("one"), world.client40("two"));
            world.opened(one, "o", first.0, first.1);
            let result = world.open(two, "o", second.0, second.1).map(|_| ());
            let expected = if may_stand_together(first, second) { Ok(()) } else { Err(NfsStat4::ShareDenied) };
            assert_eq!(result, expected, "{first:?} then {second:?}");
            assert_eq!(world.state.take_freed().len(), usize::from(expected.is_err()));
        }
    }
}

#[test]
fn the_same_owner_is_no_exception() {
    let mut world = World::new();
    let client = world.client41("a");
    world.opened(client, "o", BOTH, BOTH);
    assert_eq!(world.open(client, "o", READ, NONE).unwrap_err(), NfsStat4::ShareDenied);
}

#[test]
fn reservations_are_per_file() {
    let mut world = World::new();
    let client = world.client41("a");
    world.opened(client, "o", BOTH, BOTH);
    assert!(world.open_file(client, "o", OTHER_FILE, BOTH, BOTH).is_ok());
}

#[test]
fn a_second_open_by_the_owner_widens_the_first() {
    let mut world = World::new();
    let client = world.client41("a");
    let first = world.opened(client, "o", READ, NONE);
    let second = world.open(client, "o", WRITE, NONE).unwrap();
    assert_eq!(second.stateid.other, first.other);
    assert_eq!(second.stateid.seqid, first.seqid + 1);
    assert_eq!(world.check_io(client, &second.stateid, Want::Write), Ok(()));
    assert_eq!(world.check_io(client, &first, Want::Write), Err(NfsStat4::OldStateid));
    assert_eq!(world.state.take_freed(), ["payload"], "the payload of the first OPEN");
    assert_eq!(world.state.counts().opens, 1);
}

#[test]
fn another_owner_has_an_open_of_its_own() {
    let mut world = World::new();
    let client = world.client41("a");
    let first = world.opened(client, "o", READ, NONE);
    let second = world.opened(client, "p", READ, NONE);
    assert_ne!(first.other, second.other);
}

#[test]
fn access_must_be_something_and_no_other_bits_are_taken() {
    let mut world = World::new();
    let client = world.client41("a");
    for (access, deny) in [(0, 0), (4, 0), (1, 4), (0x101, 0)] {
        assert_eq!(world.open(client, "o", access, deny).unwrap_err(), NfsStat4::Inval);
    }
}

/// RFC 7530 §16.19.4: the target must be the union of some of the OPENs. The model tries all of them.
#[test]
fn a_downgrade_is_granted_exactly_to_unions_of_earlier_opens() {
    let opens = [(READ, NONE), (WRITE, NONE), (BOTH, NONE), (READ, READ), (WRITE, WRITE)];
    for chosen in 1..1_u32 << opens.len() {
        let done: Vec<_> = (0..opens.len()).filter(|bit| chosen & 1 << bit != 0).map(|bit| opens[bit]).collect();
        for target in reservations() {
            let subsets = 1..1_u32 << done.len();
            let expected = subsets.into_iter().any(|subset| {
                let members = (0..done.len()).filter(|bit| subset & 1 << bit != 0).map(|bit| done[bit]);
                members.fold((0, 0), |sum, open| (sum.0 | open.0, sum.1 | open.1)) == target
            });
            let share = done.iter().map(|open| Share::new(open.0, open.1).unwrap());
            let share = share.reduce(Share::union).unwrap();
            let result = share.downgrade(Share::new(target.0, target.1).unwrap());
            assert_eq!(result.is_ok(), expected, "{done:?} to {target:?}");
        }
    }
}

#[test]
fn after_a_downgrade_others_may_have_what_was_given_up() {
    let mut world = World::new();
    let (one, two) = (world.client41("one"), world.client41("two"));
    world.opened(one, "o", READ, NONE);
    let open = world.open(one, "o", WRITE, NONE).unwrap().stateid;
    assert_eq!(world.open(two, "o", READ, WRITE).unwrap_err(), NfsStat4::ShareDenied);
    let down = world.state.open_downgrade(Caller::V41(one), &open, FILE, READ, NONE, world.now).unwrap();
    assert_eq!((down.other, down.seqid), (open.other, open.seqid + 1));
    assert!(world.open(two, "o", READ, WRITE).is_ok());
    let up = world.state.open_downgrade(Caller::V41(one), &down, FILE, BOTH, NONE, world.now);
    assert_eq!(up, Err(NfsStat4::Inval), "the open for writing is over");
}
