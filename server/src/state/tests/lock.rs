//! RFC 7530 §9.2 to §9.4, §16.10 to §16.12, §16.37; RFC 8881 §9, §18.10 to §18.12: byte-range locks.

use nfs4_protocol::nfs4::NfsStat4;
use pretty_assertions::assert_eq;

use super::*;

const READ_LOCK: LockKind = LockKind::Read;
const WRITE_LOCK: LockKind = LockKind::Write;

fn denied(result: Result<Stateid4, LockRefusal>) -> Denied {
    match result {
        Err(LockRefusal::Denied(denied)) => denied,
        other => panic!("{other:?}"),
    }
}

fn refused<T>(status: NfsStat4) -> Result<T, LockRefusal> {
    Err(LockRefusal::Status(status))
}

impl World {
    fn blocking(&mut self, client: ClientId, open: &Stateid4, owner: &str) -> Result<Stateid4, LockRefusal> {
        let caller = self.caller(client);
        let locker = Locker::New { open_stateid: open, clientid: client, owner: owner.as_bytes(), lock_seqid: 1 };
        let request = LockRequest { blocking: true, ..lock_request((0, 10), WRITE_LOCK, locker) };
        self.state.lock(caller, request, self.now)
    }

    fn test(&mut self, client: ClientId, owner: &str, range: (u64, u64), kind: LockKind) -> Result<(), LockRefusal> {
        let owner = owner.as_bytes();
        let args = LockTest { client, owner, file: FILE, offset: range.0, length: range.1, kind };
        self.state.lockt(args, self.now)
    }
}

#[test]
fn a_write_lock_excludes_everybody_else_and_a_read_lock_writers() {
    for (first, second, granted) in [
        (READ_LOCK, READ_LOCK, true),
        (READ_LOCK, WRITE_LOCK, false),
        (WRITE_LOCK, READ_LOCK, false),
        (WRITE_LOCK, WRITE_LOCK, false),
    ] {
        let mut world = World::new();
        let (one, two) = (world.client40("one"), world.client41("two"));
        let open = world.opened(one, "o", BOTH, NONE);
        world.lock_new(one, &open, "l", (10, 10), first).unwrap();
        let open = world.opened(two, "o", BOTH, NONE);
        assert_eq!(world.test(two, "l", (15, 100), second).is_ok(), granted);
        let result = world.lock_new(two, &open, "l", (15, 100), second);
        if granted {
            assert!(result.is_ok());
        } else {
            let expected = Denied { offset: 10, length: 10, kind: first, clientid: one, owner: "l".into() };
            assert_eq!(denied(result), expected);
        }
        assert!(world.lock_new(two, &open, "m", (20, 5), second).is_ok(), "next to it is free");
    }
}

#[test]
fn lock_owners_of_one_client_exclude_each_other() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    world.lock_new(client, &open, "l", (0, u64::MAX), WRITE_LOCK).unwrap();
    let lock = denied(world.lock_new(client, &open, "m", (1 << 63, 1), READ_LOCK));
    assert_eq!((lock.offset, lock.length), (0, u64::MAX));
}

#[test]
fn an_owner_upgrades_downgrades_and_splits_its_own_lock() {
    let mut world = World::new();
    let (one, two) = (world.client41("one"), world.client41("two"));
    let open = world.opened(one, "o", BOTH, NONE);
    let other = world.opened(two, "o", BOTH, NONE);
    let lock = world.lock_new(one, &open, "l", (0, 30), READ_LOCK).unwrap();
    let lock = world.lock_again(one, &lock, (10, 10), WRITE_LOCK).unwrap();
    assert_eq!(world.state.counts().lock_ranges, 3);
    let theirs = world.lock_new(two, &other, "l", (0, 10), READ_LOCK).unwrap();
    denied(world.lock_again(two, &theirs, (10, 1), READ_LOCK));
    let lock = world.lock_again(one, &lock, (10, 10), READ_LOCK).unwrap();
    assert!(world.lock_again(two, &theirs, (10, 1), READ_LOCK).is_ok());
    denied(world.lock_again(one, &lock, (0, 1), WRITE_LOCK));
    assert_eq!(lock.seqid, 3, "each grant counts");
}

#[test]
fn lengths_and_ends_of_ranges() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    for range in [(0, 0), (u64::MAX, 0), (u64::MAX, 1), (2, u64::MAX - 1)] {
        assert_eq!(world.lock_new(client, &open, "l", range, WRITE_LOCK), refused(NfsStat4::Inval), "{range:?}");
        assert_eq!(world.test(client, "l", range, WRITE_LOCK), refused(NfsStat4::Inval), "{range:?}");
    }
    let lock = world.lock_new(client, &open, "l", (1, u64::MAX - 1), WRITE_LOCK).unwrap();
    let lock = world.lock_again(client, &lock, (u64::MAX, u64::MAX), WRITE_LOCK).unwrap();
    assert_eq!(world.state.counts().lock_ranges, 1, "up to the last byte");
    assert_eq!(world.unlock(client, &lock, (0, 0)), Err(NfsStat4::Inval));
    world.unlock(client, &lock, (0, u64::MAX)).unwrap();
    assert_eq!(world.state.counts().lock_ranges, 0);
}

#[test]
fn a_lock_needs_an_open_for_what_it_guards() {
    let mut world = World::new();
    let client = world.client41("a");
    let reading = world.opened(client, "o", READ, NONE);
    let writing = world.opened(client, "p", WRITE, NONE);
    assert_eq!(world.lock_new(client, &reading, "l", (0, 1), WRITE_LOCK), refused(NfsStat4::Openmode));
    assert_eq!(world.lock_new(client, &writing, "l", (0, 1), READ_LOCK), refused(NfsStat4::Openmode));
}

#[test]
fn unlocking_what_is_not_locked_is_fine() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 1), WRITE_LOCK).unwrap();
    let lock = world.unlock(client, &lock, (100, 100)).unwrap();
    assert_eq!(lock.seqid, 2);
    assert_eq!(world.state.counts().lock_ranges, 1);
}

#[test]
fn lockt_does_not_see_the_owners_own_locks() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.opened(client, "o", BOTH, NONE);
    world.lock_new(client, &open, "l", (0, 10), WRITE_LOCK).unwrap();
    assert_eq!(world.test(client, "l", (0, 10), WRITE_LOCK), Ok(()));
    assert!(matches!(world.test(client, "m", (0, 10), READ_LOCK), Err(LockRefusal::Denied(_))));
    assert_eq!(world.test(ClientId(1), "m", (0, 10), READ_LOCK), refused(NfsStat4::StaleClientid));
}

#[test]
fn a_lock_owner_of_another_client_or_of_none_is_refused() {
    let mut world = World::new();
    let (one, two) = (world.client40("a"), world.client40("b"));
    let open = world.opened(one, "o", BOTH, NONE);
    let locker = |clientid| Locker::New { open_stateid: &open, clientid, owner: b"l", lock_seqid: 1 };
    let mut lock =
        |clientid| world.state.lock(Caller::V40, lock_request((0, 1), WRITE_LOCK, locker(clientid)), world.now);
    assert_eq!(lock(two), refused(NfsStat4::BadStateid));
    assert_eq!(lock(ClientId(1)), refused(NfsStat4::StaleClientid));
}

/// RFC 8881 §18.10.3: a client that lost the lock stateid may come with the open stateid.
#[test]
fn a_4_1_lock_owner_may_come_as_new_again() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let first = world.lock_new(client, &open, "l", (0, 10), WRITE_LOCK).unwrap();
    let second = world.lock_new(client, &open, "l", (10, 10), WRITE_LOCK).unwrap();
    assert_eq!((second.other, second.seqid), (first.other, 2));
    assert_eq!(world.state.counts().lock_ranges, 1, "neighbours are one");
}

#[test]
fn release_lockowner_frees_what_holds_no_locks() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.lock_new(client, &open, "l", (0, 10), WRITE_LOCK).unwrap();
    let mut release = |owner: &[u8]| world.state.release_lockowner(client, owner, world.now);
    assert_eq!(release(b"l"), Err(NfsStat4::LocksHeld));
    assert_eq!(release(b"unknown"), Ok(()));
    let lock = world.unlock(client, &lock, (0, 10)).unwrap();
    assert_eq!(world.state.release_lockowner(client, b"l", world.now), Ok(()));
    assert_eq!(world.check_io(client, &lock, Want::Read), Err(NfsStat4::BadStateid));
    assert!(world.lock_new(client, &open, "l", (0, 10), WRITE_LOCK).is_ok(), "the owner may start anew");
    let stale = world.state.release_lockowner(ClientId(1), b"l", world.now);
    assert_eq!(stale, Err(NfsStat4::StaleClientid));
}

#[test]
fn a_blocking_request_gives_way_to_an_earlier_one() {
    let mut world = World::new();
    let (one, two) = (world.client41("one"), world.client41("two"));
    let (mine, theirs) = (world.opened(one, "o", BOTH, NONE), world.opened(two, "o", BOTH, NONE));
    let lock = world.blocking(one, &mine, "l").unwrap();
    denied(world.blocking(two, &theirs, "l"));
    world.unlock(one, &lock, (0, 10)).unwrap();
    let ahead = denied(world.blocking(one, &mine, "l"));
    assert_eq!((ahead.clientid, &ahead.owner[..]), (two, &b"l"[..]));
    let lock = world.blocking(two, &theirs, "l").unwrap();
    denied(world.blocking(one, &mine, "l"));
    world.unlock(two, &lock, (0, 10)).unwrap();
    assert!(world.blocking(one, &mine, "l").is_ok());
}

#[test]
fn a_request_that_does_not_block_takes_what_is_free() {
    let mut world = World::new();
    let client = world.client41("a");
    let open = world.opened(client, "o", BOTH, NONE);
    let lock = world.blocking(client, &open, "l").unwrap();
    denied(world.blocking(client, &open, "m"));
    world.unlock(client, &lock, (0, 10)).unwrap();
    assert!(world.lock_new(client, &open, "n", (0, 10), WRITE_LOCK).is_ok());
}

#[test]
fn a_waiter_leaves_the_queue_when_it_asks_without_blocking_closes_or_stays_away() {
    let leave: [fn(&mut World, ClientId, &Stateid4); 3] = [
        |world, client, open| assert!(denied(world.lock_new(client, open, "l", (0, 10), WRITE_LOCK)).offset == 0),
        |world, client, open| assert!(world.close(client, open).is_ok()),
        |world, _, _| world.pass(35_001),
    ];
    for leave in leave {
        let mut world = World::with_config(StateConfig { lease_ms: 90_000, ..config(7) }, Vec::new());
        let (one, two) = (world.client41("one"), world.client41("two"));
        let (mine, theirs) = (world.opened(one, "o", BOTH, NONE), world.opened(two, "o", BOTH, NONE));
        let lock = world.blocking(one, &mine, "l").unwrap();
        denied(world.blocking(two, &theirs, "l"));
        leave(&mut world, two, &theirs);
        world.unlock(one, &lock, (0, 10)).unwrap();
        assert!(world.blocking(one, &mine, "l").is_ok());
    }
}

#[test]
fn who_got_its_lock_waits_no_more() {
    let mut world = World::new();
    let (one, two) = (world.client41("one"), world.client41("two"));
    let (mine, theirs) = (world.opened(one, "o", BOTH, NONE), world.opened(two, "o", BOTH, NONE));
    let lock = world.blocking(one, &mine, "l").unwrap();
    denied(world.blocking(two, &theirs, "l"));
    world.unlock(one, &lock, (0, 10)).unwrap();
    let lock = world.blocking(two, &theirs, "l").unwrap();
    world.lock_again(two, &lock, (0, 10), READ_LOCK).unwrap();
    let locker = Locker::New { open_stateid: &mine, clientid: one, owner: b"m", lock_seqid: 1 };
    let shared = LockRequest { blocking: true, ..lock_request((0, 10), READ_LOCK, locker) };
    assert!(world.state.lock(Caller::V41(one), shared, world.now).is_ok());
}

#[test]
fn nobody_gives_way_to_itself() {
    let mut world = World::new();
    let (one, two) = (world.client41("one"), world.client41("two"));
    let (mine, theirs) = (world.opened(one, "o", BOTH, NONE), world.opened(two, "o", BOTH, NONE));
    let lock = world.blocking(one, &mine, "l").unwrap();
    denied(world.blocking(two, &theirs, "l"));
    world.unlock(one, &lock, (0, 10)).unwrap();
    let locker = Locker::New { open_stateid: &theirs, clientid: two, owner: b"l", lock_seqid: 1 };
    let wider = LockRequest { blocking: true, ..lock_request((0, 20), WRITE_LOCK, locker) };
    assert!(world.state.lock(Caller::V41(two), wider, world.now).is_ok());
}

#[test]
fn a_lock_owner_starts_anew_after_the_close_of_what_it_locked() {
    let mut world = World::new();
    let client = world.client40("a");
    for _ in 0..2 {
        let open = world.opened(client, "o", BOTH, NONE);
        assert!(world.lock_new(client, &open, "l", (0, 10), WRITE_LOCK).is_ok(), "Linux uses its names again");
        world.close(client, &open).unwrap();
    }
}
