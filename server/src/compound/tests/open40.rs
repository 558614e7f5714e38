//! OPEN and its kin in 4.0: the sequence numbers of owners, replay, OPEN_CONFIRM, locks.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;

use super::harness::*;

/// A client of 4.0, confirmed.
pub(super) async fn setclientid(server: &Server, name: &'static str) -> Clientid4 {
    let args = Setclientid4Args {
        client: NfsClientId4 { verifier: Verifier4([1; 8]), id: Bytes::from_static(name.as_bytes()) },
        callback: CbClient4 {
            program: 0x4000_0000,
            location: Netaddr4 { netid: Bytes::from_static(b"tcp"), addr: Bytes::from_static(b"0.0.0.0.0.0") },
        },
        callback_ident: 1,
    };
    let results = server.v40(vec![NfsArgop4::Setclientid(Box::new(args))]).await;
    let NfsResop4::Setclientid(known) = &results[0] else { panic!("{results:?}") };
    let Setclientid4Res::Ok(known) = known.as_ref() else { panic!("{known:?}") };
    let confirm = SetclientidConfirm4Args { clientid: known.clientid, setclientid_confirm: known.setclientid_confirm };
    assert_eq!(last(&server.v40(vec![NfsArgop4::SetclientidConfirm(confirm)]).await), NfsStat4::Ok);
    known.clientid
}

fn open_seq(clientid: Clientid4, seqid: u32, name: &'static str, how: Openflag4) -> NfsArgop4 {
    open_op(Open4Args { seqid, ..open(clientid, name, how) })
}

fn confirm(seqid: u32, open_stateid: Stateid4) -> NfsArgop4 {
    NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid, seqid })
}

/// Opens and confirms `demo/f` with numbers 1 and 2: its handle and stateid.
async fn open_confirmed(server: &Server, clientid: Clientid4) -> (NfsFh4, Stateid4) {
    let ops = at(&["demo"], [open_seq(clientid, 1, "f", unchecked()), NfsArgop4::Getfh]);
    let results = server.v40(ops).await;
    let (object, first) = (filehandle(&results), opened(&results));
    assert_ne!(first.rflags & OPEN4_RESULT_CONFIRM, 0);
    let results = server.v40(vec![putfh(&object), confirm(2, first.stateid)]).await;
    let Some(NfsResop4::OpenConfirm(Ok(confirmed))) = results.last() else { panic!("{results:?}") };
    (object, confirmed.open_stateid)
}

#[tokio::test]
async fn a_file_is_opened_confirmed_written_and_closed() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    let (object, stateid) = open_confirmed(&server, clientid).await;
    assert_eq!(last(&server.v40(vec![putfh(&object), write(stateid, b"abc")]).await), NfsStat4::Ok);
    assert_eq!(last(&server.v40(vec![putfh(&object), close(3, stateid)]).await), NfsStat4::Ok);
    assert_eq!(server.fs.opens(), 0);
    // The owner is known now.
    let results = server.v40(at(&["demo"], [open_seq(clientid, 4, "f", Openflag4::Nocreate)])).await;
    assert_eq!(opened(&results).rflags & OPEN4_RESULT_CONFIRM, 0);
}

#[tokio::test]
async fn a_retransmitted_open_gets_the_first_answer_and_its_file() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    let request = || args(0, at(&["demo"], [open_seq(clientid, 1, "f", guarded()), NfsArgop4::Getfh]));
    let first = decode(server.send(request()).await);
    assert_eq!(first.status, NfsStat4::Ok);
    assert_eq!(decode(server.send(request()).await), first);
}

/// With the directory left as the current filehandle, the client would take it for the file.
#[tokio::test]
async fn a_replayed_open_whose_file_cannot_be_had_leaves_no_filehandle() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    let request = || at(&["demo"], [open_seq(clientid, 1, "f", guarded()), NfsArgop4::Getfh]);
    assert_eq!(last(&server.v40(request()).await), NfsStat4::Ok);
    server.fs.break_down();
    let replayed = server.v40(request()).await;
    assert_eq!(statuses(&replayed), [NfsStat4::Ok, NfsStat4::Ok, NfsStat4::Ok, NfsStat4::Nofilehandle]);
}

#[tokio::test]
async fn a_retransmitted_failure_stays_a_failure() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    open_confirmed(&server, clientid).await;
    let missing = || at(&["demo"], [open_seq(clientid, 3, "late", Openflag4::Nocreate)]);
    assert_eq!(last(&server.v40(missing()).await), NfsStat4::Noent);
    let other = setclientid(&server, "other").await;
    server.v40(at(&["demo"], [open_seq(other, 1, "late", unchecked())])).await;
    assert_eq!(last(&server.v40(missing()).await), NfsStat4::Noent);
    let again = at(&["demo"], [open_seq(clientid, 4, "late", Openflag4::Nocreate)]);
    assert_eq!(last(&server.v40(again).await), NfsStat4::Ok);
}

#[tokio::test]
async fn a_number_out_of_order_is_refused() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    let (object, stateid) = open_confirmed(&server, clientid).await;
    assert_eq!(last(&server.v40(vec![putfh(&object), close(7, stateid)]).await), NfsStat4::BadSeqid);
    assert_eq!(last(&server.v40(vec![putfh(&object), close(3, stateid)]).await), NfsStat4::Ok);
}

#[tokio::test]
async fn requests_of_one_owner_wait_for_each_other() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    open_confirmed(&server, clientid).await;
    let stall = server.fs.stall_opens().await;
    let first = server.v40(at(&["demo"], [open_seq(clientid, 3, "f", Openflag4::Nocreate)]));
    let second = server.v40(at(&["demo"], [open_seq(clientid, 4, "f", Openflag4::Nocreate)]));
    let release = async {
        server.fs.until_stalled(1).await;
        drop(stall);
    };
    let (first, second, ()) = tokio::join!(first, second, release);
    assert_eq!((last(&first), last(&second)), (NfsStat4::Ok, NfsStat4::Ok));
}

fn lock(seqids: (u32, u32), open_stateid: Stateid4, clientid: Clientid4, name: &'static [u8]) -> NfsArgop4 {
    let lock_owner = StateOwner4 { clientid, owner: Bytes::from_static(name) };
    let locker = OpenToLockOwner4 { open_seqid: seqids.0, open_stateid, lock_seqid: seqids.1, lock_owner };
    NfsArgop4::Lock(Box::new(Lock4Args {
        locktype: NfsLockType4::Write,
        reclaim: false,
        offset: 0,
        length: u64::MAX,
        locker: Locker4::OpenOwner(locker),
    }))
}

#[tokio::test]
async fn locks_exclude_each_other_and_are_replayed() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    let (object, stateid) = open_confirmed(&server, clientid).await;
    let request = || args(0, vec![putfh(&object), lock((3, 1), stateid, clientid, b"l")]);
    let first = decode(server.send(request()).await);
    assert_eq!(first.status, NfsStat4::Ok, "{first:?}");
    assert_eq!(decode(server.send(request()).await), first);
    let Some(NfsResop4::Lock(taken)) = first.resarray.last() else { panic!("{first:?}") };
    let Lock4Res::Ok(taken) = taken.as_ref() else { panic!("{taken:?}") };

    let other = vec![putfh(&object), lock((4, 1), stateid, clientid, b"m")];
    assert_eq!(last(&server.v40(other).await), NfsStat4::Denied);
    let unlock = NfsArgop4::Locku(Locku4Args {
        locktype: NfsLockType4::Write,
        seqid: 2,
        lock_stateid: taken.lock_stateid,
        offset: 0,
        length: u64::MAX,
    });
    assert_eq!(last(&server.v40(vec![putfh(&object), unlock]).await), NfsStat4::Ok);
    let other = vec![putfh(&object), lock((5, 1), stateid, clientid, b"m")];
    assert_eq!(last(&server.v40(other).await), NfsStat4::Ok);
}

#[tokio::test]
async fn directories_cannot_be_locked() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    let test = NfsArgop4::Lockt(Box::new(Lockt4Args {
        locktype: NfsLockType4::Read,
        offset: 0,
        length: 1,
        owner: StateOwner4 { clientid, owner: Bytes::from_static(b"l") },
    }));
    assert_eq!(last(&server.v40(at(&["demo"], [test])).await), NfsStat4::Isdir);
}

#[tokio::test]
async fn claims_of_41_do_not_exist_in_40() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    let by_fh = Open4Args { seqid: 1, claim: OpenClaim4::Fh, ..open(clientid, "", Openflag4::Nocreate) };
    assert_eq!(last(&server.v40(at(&["demo"], [open_op(by_fh)])).await), NfsStat4::Badxdr);
}

#[tokio::test]
async fn an_unknown_client_has_nothing() {
    let server = Server::start().await;
    let renew = NfsArgop4::Renew(Renew4Args { clientid: 77 });
    assert_eq!(last(&server.v40(vec![renew]).await), NfsStat4::StaleClientid);
    let results = server.v40(at(&["demo"], [open_seq(77, 1, "f", unchecked())])).await;
    assert_eq!(last(&results), NfsStat4::StaleClientid);
    assert_eq!(server.fs.contents("demo/f"), None);
}

#[tokio::test]
async fn a_lock_owner_is_released() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "c").await;
    let lock_owner = StateOwner4 { clientid, owner: Bytes::from_static(b"nobody") };
    let release = NfsArgop4::ReleaseLockowner(ReleaseLockowner4Args { lock_owner });
    assert_eq!(last(&server.v40(vec![release]).await), NfsStat4::Ok);
}
