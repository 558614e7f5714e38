//! Slots, sessions and owners.

use nfs4_protocol::nfs4::{
    Close4Args, CreateSession4Args, Lock4Args, Lock4Resok, NfsLockType4, Open4Args, Open4Resok, OpenClaim4,
    OpenDelegation4, OpenToLockOwner4, Openflag4, Sequence4Args, Sequence4Resok,
};
use pretty_assertions::assert_eq;

use super::*;

fn sequence(sequenceid: u32) -> NfsArgop4 {
    NfsArgop4::Sequence(Sequence4Args {
        sessionid: Sessionid4([7; 16]),
        sequenceid,
        slotid: 0,
        highest_slotid: 0,
        cachethis: false,
    })
}

fn sequence_ok() -> NfsResop4 {
    NfsResop4::Sequence(Ok(Sequence4Resok {
        sessionid: Sessionid4([7; 16]),
        sequenceid: 0,
        slotid: 0,
        highest_slotid: 0,
        target_highest_slotid: 0,
        status_flags: 0,
    }))
}

fn stateid(name: u8) -> Stateid4 {
    Stateid4 { seqid: 1, other: [name; 12] }
}

fn owner(name: &'static str) -> StateOwner4 {
    StateOwner4 { clientid: 1, owner: name.into() }
}

fn open(seqid: u32) -> NfsArgop4 {
    NfsArgop4::Open(Box::new(Open4Args {
        seqid,
        share_access: 1,
        share_deny: 0,
        owner: owner("owner"),
        openhow: Openflag4::Nocreate,
        claim: OpenClaim4::Null("file".into()),
    }))
}

fn opened(name: u8) -> NfsResop4 {
    NfsResop4::Open(Box::new(Ok(Open4Resok {
        stateid: stateid(name),
        cinfo: Default::default(),
        rflags: 0,
        attrset: Default::default(),
        delegation: OpenDelegation4::None,
    })))
}

fn close(seqid: u32, name: u8) -> NfsArgop4 {
    NfsArgop4::Close(Close4Args { seqid, open_stateid: stateid(name) })
}

fn lock(open_seqid: u32, lock_seqid: u32, name: u8) -> NfsArgop4 {
    let open_stateid = stateid(name);
    let locker = OpenToLockOwner4 { open_seqid, open_stateid, lock_seqid, lock_owner: owner("locker") };
    NfsArgop4::Lock(Box::new(Lock4Args {
        locktype: NfsLockType4::Write,
        reclaim: false,
        offset: 0,
        length: 1,
        locker: Locker4::OpenOwner(locker),
    }))
}

fn locked(name: u8) -> NfsResop4 {
    NfsResop4::Lock(Box::new(Lock4Res::Ok(Lock4Resok { lock_stateid: stateid(name) })))
}

fn failed(op: &NfsArgop4, status: NfsStat4) -> NfsResop4 {
    NfsResop4::failed(op.opnum(), status)
}

/// The operation as it is sent now.
fn sent(numbers: &Numbers, minor: u32, op: &NfsArgop4) -> NfsArgop4 {
    let mut ops = [op.clone()];
    numbers.to_now(&mut ops, minor);
    let [op] = ops;
    op
}

/// Sends an operation with these results then and now, and returns it as it was sent.
fn run(numbers: &mut Numbers, minor: u32, op: &NfsArgop4, then: &NfsResop4, now: &NfsResop4) -> NfsArgop4 {
    let sent = sent(numbers, minor, op);
    let then = Counted { ops: std::slice::from_ref(op), results: std::slice::from_ref(then) };
    let now = Counted { ops: std::slice::from_ref(&sent), results: std::slice::from_ref(now) };
    numbers.settle(minor, then, now);
    sent
}

fn leave_out(numbers: &mut Numbers, minor: u32, op: &NfsArgop4, result: &NfsResop4) {
    let left = Counted { ops: std::slice::from_ref(op), results: std::slice::from_ref(result) };
    numbers.leave_out(minor, left);
}

fn try_again(numbers: &mut Numbers, minor: u32, op: &NfsArgop4, result: &NfsResop4) {
    let tried = Counted { ops: std::slice::from_ref(op), results: std::slice::from_ref(result) };
    numbers.settle_extra(minor, tried);
}

#[test]
fn a_slot_goes_on_after_tries_that_were_not_recorded() {
    let mut numbers = Numbers::default();
    assert_eq!(run(&mut numbers, 1, &sequence(1), &sequence_ok(), &sequence_ok()), sequence(1));
    try_again(&mut numbers, 1, &sequence(2), &sequence_ok());
    try_again(&mut numbers, 1, &sequence(2), &sequence_ok());
    assert_eq!(run(&mut numbers, 1, &sequence(2), &sequence_ok(), &sequence_ok()), sequence(4));
    assert_eq!(sent(&numbers, 1, &sequence(3)), sequence(5));
    // Refused as a whole, a try moves nothing.
    try_again(&mut numbers, 1, &sequence(3), &failed(&sequence(3), NfsStat4::Delay));
    assert_eq!(sent(&numbers, 1, &sequence(3)), sequence(5));
}

#[test]
fn retries_and_gaps_stay_what_they_are() {
    let mut numbers = Numbers::default();
    run(&mut numbers, 1, &sequence(1), &sequence_ok(), &sequence_ok());
    try_again(&mut numbers, 1, &sequence(2), &sequence_ok());
    run(&mut numbers, 1, &sequence(2), &sequence_ok(), &sequence_ok());
    assert_eq!(run(&mut numbers, 1, &sequence(2), &sequence_ok(), &sequence_ok()), sequence(3), "a retry");
    let misordered = failed(&sequence(9), NfsStat4::SeqMisordered);
    assert_eq!(run(&mut numbers, 1, &sequence(9), &misordered, &misordered), sequence(10), "a gap");
    assert_eq!(sent(&numbers, 1, &sequence(3)), sequence(4));
}

#[test]
fn what_is_left_out_is_not_counted() {
    let mut numbers = Numbers::default();
    leave_out(&mut numbers, 1, &sequence(1), &sequence_ok());
    assert_eq!(run(&mut numbers, 1, &sequence(2), &sequence_ok(), &sequence_ok()), sequence(1));
    leave_out(&mut numbers, 1, &sequence(3), &sequence_ok());
    leave_out(&mut numbers, 1, &sequence(4), &failed(&sequence(4), NfsStat4::Delay));
    leave_out(&mut numbers, 1, &sequence(4), &sequence_ok());
    assert_eq!(sent(&numbers, 1, &sequence(5)), sequence(2));
}

#[test]
fn numbers_go_round() {
    let mut numbers = Numbers::default();
    run(&mut numbers, 0, &open(u32::MAX - 1), &opened(1), &opened(11));
    try_again(&mut numbers, 0, &open(u32::MAX), &failed(&open(0), NfsStat4::Delay));
    assert_eq!(run(&mut numbers, 0, &open(u32::MAX), &opened(1), &opened(11)), open(0));
    assert_eq!(sent(&numbers, 0, &open(0)), open(1));
}

/// The bug: the stateid of now named no owner, and the number of the lock-owner was taken for the open-owner's.
#[test]
fn a_first_lock_moves_both_owners() {
    let mut numbers = Numbers::default();
    run(&mut numbers, 0, &open(5), &opened(1), &opened(11));
    let lock_now = sent(&numbers, 0, &lock(6, 0, 1));
    assert_eq!(lock_now, lock(6, 0, 1));
    let then = Counted { ops: &[lock(6, 0, 1)], results: &[locked(2)] };
    numbers.settle(0, then, Counted { ops: &[lock(6, 0, 11)], results: &[locked(12)] });
    assert_eq!(sent(&numbers, 0, &open(7)), open(7));
    assert_eq!(sent(&numbers, 0, &close(7, 1)), close(7, 1));
}

#[test]
fn closes_count_for_the_owner_of_the_open() {
    let mut numbers = Numbers::default();
    run(&mut numbers, 0, &open(5), &opened(1), &opened(11));
    try_again(&mut numbers, 0, &close(6, 1), &failed(&close(6, 1), NfsStat4::Delay));
    assert_eq!(sent(&numbers, 0, &close(6, 1)), close(7, 1));
    assert_eq!(sent(&numbers, 0, &open(6)), open(7));
    // These do not move the number (RFC 7530 §9.1.7).
    try_again(&mut numbers, 0, &close(6, 1), &failed(&close(6, 1), NfsStat4::BadStateid));
    assert_eq!(sent(&numbers, 0, &close(6, 1)), close(7, 1));
    assert_eq!(numbers.next_of_open(&stateid(1)), Some(7));
    numbers.one_more_of_open(&stateid(1));
    assert_eq!(numbers.next_of_open(&stateid(1)), Some(8));
    assert_eq!(sent(&numbers, 1, &close(0, 1)), close(0, 1), "later minor versions do not count");
}

#[test]
fn create_session_begins_where_exchange_id_says() {
    use nfs4_protocol::nfs4::{ChannelAttrs4, ExchangeId4Resok, ServerOwner4, StateProtect4R};
    let exchanged = |sequenceid| {
        NfsResop4::ExchangeId(Box::new(Ok(ExchangeId4Resok {
            clientid: 3,
            sequenceid,
            flags: 0,
            state_protect: StateProtect4R::None,
            server_owner: ServerOwner4 { minor_id: 0, major_id: "server".into() },
            server_scope: "scope".into(),
            server_impl_id: None,
        })))
    };
    let channel = ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: 0,
        maxresponsesize: 0,
        maxresponsesize_cached: 0,
        maxoperations: 0,
        maxrequests: 0,
        rdma_ird: None,
    };
    let create = |sequence| {
        NfsArgop4::CreateSession(Box::new(CreateSession4Args {
            clientid: 3,
            sequence,
            flags: 0,
            fore_chan_attrs: channel.clone(),
            back_chan_attrs: channel.clone(),
            cb_program: 0,
            sec_parms: Vec::new(),
        }))
    };
    let mut numbers = Numbers::default();
    let ask = NfsArgop4::Getfh;
    run(&mut numbers, 1, &ask, &exchanged(1), &exchanged(40));
    assert_eq!(sent(&numbers, 1, &create(1)), create(40));
    assert_eq!(sent(&numbers, 1, &create(2)), create(41));
}
