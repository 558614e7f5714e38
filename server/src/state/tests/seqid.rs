//! RFC 7530 §9.1.7 to §9.1.11 and §16.18: the seqids of 4.0's state-owners.

use bytes::Bytes;
use nfs4_protocol::nfs4::{NfsStat4, Stateid4};
use pretty_assertions::assert_eq;

use super::*;

impl World {
    fn begin(&mut self, owner: SeqidOwner<'_>, seqid: u32, hash: u64) -> Result<SeqidOutcome, NfsStat4> {
        self.state.begin_seqid(owner, seqid, hash, self.now)
    }

    fn proceed(&mut self, owner: SeqidOwner<'_>, seqid: u32, hash: u64) -> SeqidToken {
        match self.begin(owner, seqid, hash) {
            Ok(SeqidOutcome::Proceed(token)) => token,
            other => panic!("{other:?}"),
        }
    }

    fn replayed(&mut self, owner: SeqidOwner<'_>, seqid: u32, hash: u64) -> CachedReply {
        match self.begin(owner, seqid, hash) {
            Ok(SeqidOutcome::Replay(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }

    /// A whole OPEN with the seqid as its hash.
    fn open40(&mut self, clientid: ClientId, owner: &str, seqid: u32) -> Opened {
        let token = self.proceed(open_owner(clientid, owner), seqid, seqid.into());
        let opened = self.open(clientid, owner, BOTH, NONE).unwrap();
        self.state.end_seqid(token, NfsStat4::Ok, reply("open"), self.now);
        opened
    }

    /// OPEN with seqid 1 and OPEN_CONFIRM with seqid 2.
    fn confirmed40(&mut self, clientid: ClientId, owner: &str) -> Stateid4 {
        let opened = self.open40(clientid, owner, 1);
        let token = self.proceed(SeqidOwner::OfOpen(&opened.stateid), 2, 2);
        let stateid = self.state.open_confirm(&opened.stateid, FILE, self.now).unwrap();
        self.state.end_seqid(token, NfsStat4::Ok, reply("confirm"), self.now);
        stateid
    }
}

fn open_owner(clientid: ClientId, owner: &str) -> SeqidOwner<'_> {
    SeqidOwner::OpenOwner { clientid, owner: owner.as_bytes() }
}

#[test]
fn a_new_open_owner_must_confirm_and_a_known_one_need_not() {
    let mut world = World::new();
    let client = world.client40("a");
    world.confirmed40(client, "o");
    assert!(!world.open40(client, "o", 3).needs_confirm);
}

#[test]
fn a_retransmission_gets_the_kept_answer_with_its_filehandle() {
    let mut world = World::new();
    let client = world.client40("a");
    let token = world.proceed(open_owner(client, "o"), 9, 77);
    let answer = CachedReply { reply: Bytes::from_static(b"r"), filehandle: Some(Bytes::from_static(b"fh")) };
    world.state.end_seqid(token, NfsStat4::Noent, answer.clone(), world.now);
    assert_eq!(world.replayed(open_owner(client, "o"), 9, 77), answer);
}

#[test]
fn any_other_seqid_is_bad() {
    let mut world = World::new();
    let client = world.client40("a");
    world.confirmed40(client, "o");
    for seqid in [0, 1, 4, u32::MAX] {
        assert_eq!(world.begin(open_owner(client, "o"), seqid, 5).unwrap_err(), NfsStat4::BadSeqid, "{seqid}");
    }
}

#[test]
fn the_last_seqid_with_another_request_is_bad() {
    let mut world = World::new();
    let client = world.client40("a");
    world.confirmed40(client, "o");
    assert_eq!(world.begin(open_owner(client, "o"), 2, 99).unwrap_err(), NfsStat4::BadSeqid);
}

#[test]
fn the_seqid_wraps_to_one() {
    let mut world = World::new();
    let client = world.client40("a");
    let opened = world.open40(client, "o", u32::MAX);
    let token = world.proceed(SeqidOwner::OfOpen(&opened.stateid), 1, 1);
    world.state.abandon_seqid(token);
}

#[test]
fn only_one_request_of_an_owner_runs_at_a_time() {
    let mut world = World::new();
    let client = world.client40("a");
    world.confirmed40(client, "o");
    let token = world.proceed(open_owner(client, "o"), 3, 3);
    for seqid in [3, 4] {
        assert!(matches!(world.begin(open_owner(client, "o"), seqid, 3), Ok(SeqidOutcome::Busy)));
    }
    let other = world.proceed(open_owner(client, "p"), 1, 1);
    world.state.end_seqid(token, NfsStat4::Ok, reply("x"), world.now);
    world.state.abandon_seqid(other);
    assert_eq!(world.replayed(open_owner(client, "o"), 3, 3), reply("x"));
}

#[test]
fn an_error_counts_but_for_those_that_the_rfc_names() {
    let mut world = World::new();
    let client = world.client40("a");
    world.confirmed40(client, "o");
    let uncounted = [
        NfsStat4::StaleClientid,
        NfsStat4::StaleStateid,
        NfsStat4::BadStateid,
        NfsStat4::BadSeqid,
        NfsStat4::Badxdr,
        NfsStat4::Resource,
        NfsStat4::Nofilehandle,
        NfsStat4::Moved,
    ];
    for status in uncounted {
        let token = world.proceed(open_owner(client, "o"), 3, 3);
        world.state.end_seqid(token, status, reply("e"), world.now);
    }
    for (seqid, status) in (3..).zip([NfsStat4::Delay, NfsStat4::Noent, NfsStat4::Grace, NfsStat4::OldStateid]) {
        let token = world.proceed(open_owner(client, "o"), seqid, 3);
        world.state.end_seqid(token, status, reply("e"), world.now);
    }
}

#[test]
fn an_abandoned_request_frees_the_owner_and_does_not_count() {
    let mut world = World::new();
    let client = world.client40("a");
    world.confirmed40(client, "o");
    let token = world.proceed(open_owner(client, "o"), 3, 3);
    world.state.abandon_seqid(token);
    let token = world.proceed(open_owner(client, "o"), 3, 3);
    world.state.abandon_seqid(token);
}

#[test]
fn a_retransmitted_close_is_answered_though_the_open_is_gone() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.confirmed40(client, "o");
    let token = world.proceed(SeqidOwner::OfOpen(&open), 3, 3);
    world.close(client, &open).unwrap();
    world.state.end_seqid(token, NfsStat4::Ok, reply("closed"), world.now);
    assert_eq!(world.replayed(SeqidOwner::OfOpen(&open), 3, 3), reply("closed"));
    world.open40(client, "o", 4);
    assert_eq!(world.begin(SeqidOwner::OfOpen(&open), 3, 3).unwrap_err(), NfsStat4::BadStateid);
}

#[test]
fn an_unconfirmed_open_is_cancelled_by_an_open_out_of_sequence() {
    let mut world = World::new();
    let client = world.client40("a");
    let first = world.open40(client, "o", 5);
    assert_eq!(world.replayed(open_owner(client, "o"), 5, 5), reply("open"), "a retransmission cancels nothing");
    let second = world.open40(client, "o", 50);
    assert!(second.needs_confirm);
    assert_eq!(world.state.take_freed(), ["payload"]);
    let stale = world.state.open_confirm(&first.stateid, FILE, world.now);
    assert_eq!(stale, Err(NfsStat4::BadStateid));
}

#[test]
fn an_unconfirmed_open_is_good_for_nothing_but_its_confirmation() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.open40(client, "o", 1).stateid;
    assert_eq!(world.check_io(client, &open, Want::Read), Err(NfsStat4::BadStateid));
    assert_eq!(world.close(client, &open), Err(NfsStat4::BadStateid));
    let downgrade = world.state.open_downgrade(Caller::V40, &open, FILE, READ, NONE, world.now);
    assert_eq!(downgrade, Err(NfsStat4::BadStateid));
    let lock = world.lock_new(client, &open, "l", (0, 1), LockKind::Read);
    assert_eq!(lock, Err(LockRefusal::Status(NfsStat4::BadStateid)));
    let open = world.state.open_confirm(&open, FILE, world.now).unwrap();
    assert_eq!(world.state.open_confirm(&open, FILE, world.now), Err(NfsStat4::BadStateid), "confirmed already");
}

#[test]
fn an_unconfirmed_open_is_dropped_after_a_lease_time() {
    let mut world = World::new();
    let client = world.client40("a");
    world.open40(client, "o", 1);
    world.pass(LEASE + 1);
    world.state.renew(client, world.now).unwrap();
    world.state.expire(world.now);
    assert_eq!(world.state.counts().opens, 0);
}

#[test]
fn an_open_owner_without_opens_is_forgotten_after_a_while_and_must_confirm_again() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.confirmed40(client, "o");
    world.close(client, &open).unwrap();
    for _ in 0..5 {
        world.pass(LEASE / 2);
        world.state.renew(client, world.now).unwrap();
        world.state.expire(world.now);
    }
    assert!(world.open40(client, "o", 400).needs_confirm);
}

#[test]
fn seqids_of_unknown_stateids_and_clients_are_not_looked_at() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.confirmed40(client, "o");
    let unknown = Stateid4 {
        other: {
            let mut other = open.other;
            other[11] = 0x55;
            other
        },
        ..open
    };
    assert_eq!(world.begin(SeqidOwner::OfOpen(&unknown), 3, 3).unwrap_err(), NfsStat4::BadStateid);
    assert_eq!(world.begin(SeqidOwner::OfLock(&open), 3, 3).unwrap_err(), NfsStat4::BadStateid);
    assert_eq!(world.begin(open_owner(ClientId(3), "o"), 1, 1).unwrap_err(), NfsStat4::StaleClientid);
}

#[test]
fn a_lock_owner_has_a_sequence_of_its_own() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.confirmed40(client, "o");
    let lock = world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
    assert_eq!(world.begin(SeqidOwner::OfLock(&lock), 1, 1).unwrap_err(), NfsStat4::BadSeqid);
    let token = world.proceed(SeqidOwner::OfLock(&lock), 2, 2);
    world.unlock(client, &lock, (0, 10)).unwrap();
    world.state.end_seqid(token, NfsStat4::Ok, reply("unlocked"), world.now);
    assert_eq!(world.replayed(SeqidOwner::OfLock(&lock), 2, 2), reply("unlocked"));
}

#[test]
fn a_lock_owner_that_locked_the_file_is_not_new() {
    let mut world = World::new();
    let client = world.client40("a");
    let open = world.confirmed40(client, "o");
    world.lock_new(client, &open, "l", (0, 10), LockKind::Write).unwrap();
    for lock_seqid in [1, 2, 3] {
        let locker = Locker::New { open_stateid: &open, clientid: client, owner: b"l", lock_seqid };
        let again = world.state.lock(Caller::V40, lock_request((20, 1), LockKind::Write, locker), world.now);
        assert_eq!(again, Err(LockRefusal::Status(NfsStat4::BadSeqid)), "lock_seqid {lock_seqid}");
    }
}
