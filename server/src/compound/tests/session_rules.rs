//! Sessions: where SEQUENCE and the operations without it may stand, slots, sizes.

use nfs4_protocol::nfs4::*;

use super::harness::*;
use crate::compound::Answer;
use crate::compound::sequence::RPC_REPLY_HEADER_BYTES;

fn renew() -> NfsArgop4 {
    NfsArgop4::Renew(Renew4Args { clientid: 1 })
}

#[tokio::test]
async fn operations_stand_where_they_may() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    let outside = server.compound(1, vec![NfsArgop4::Putrootfh]).await;
    assert_eq!(outside.status, NfsStat4::OpNotInSession);
    let beside = server.compound(1, vec![exchange_id("x", 1), NfsArgop4::Putrootfh]).await;
    assert_eq!(statuses(&beside.resarray), [NfsStat4::NotOnlyOp]);
    let again = client.sequence_again(false);
    assert_eq!(last(&client.run(&server, vec![again]).await), NfsStat4::SequencePos);
    let bind = NfsArgop4::BindConnToSession(Box::new(BindConnToSession4Args {
        sessid: client.sessionid,
        dir: ChannelDirFromClient4::ForeOrBoth,
        use_conn_in_rdma_mode: false,
    }));
    assert_eq!(last(&client.run(&server, vec![bind.clone()]).await), NfsStat4::NotOnlyOp);
    let bound = server.compound(1, vec![bind]).await;
    let NfsResop4::BindConnToSession(Ok(bound)) = &bound.resarray[0] else { panic!("{bound:?}") };
    assert_eq!(bound.dir, ChannelDirFromServer4::Both);
}

#[tokio::test]
async fn operations_of_40_are_not_supported_in_a_session() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    assert_eq!(last(&client.run(&server, vec![renew()]).await), NfsStat4::Notsupp);
    let reply = client.run(&server, vec![NfsArgop4::Putrootfh, NfsArgop4::Seek(seek())]).await;
    assert_eq!(last(&reply), NfsStat4::OpIllegal);
    let mut client = Client41::mount(&server, 2, "d").await;
    let reply = client.run(&server, vec![NfsArgop4::Putrootfh, NfsArgop4::Seek(seek())]).await;
    assert_eq!(last(&reply), NfsStat4::Notsupp);
}

fn seek() -> Seek4Args {
    Seek4Args { stateid: Stateid4::ANONYMOUS, offset: 0, what: DataContent4::Data.into() }
}

#[tokio::test]
async fn a_retry_gets_the_same_bytes_and_runs_nothing() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    let request = client.args(true, at(&["demo"], [open_op(open(0, "f", guarded())), NfsArgop4::Getfh]));
    let first = server.send(request.clone()).await;
    assert_eq!(server.send(request).await, first);
    assert_eq!(decode(first).status, NfsStat4::Ok);
}

#[tokio::test]
async fn a_retry_without_a_kept_reply_is_told_so() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    let request = client.args(false, path(&["demo"]));
    assert_eq!(decode(server.send(request.clone()).await).status, NfsStat4::Ok);
    let retry = decode(server.send(request).await);
    assert_eq!(statuses(&retry.resarray), [NfsStat4::Ok, NfsStat4::RetryUncachedRep]);
    assert_eq!(retry.resarray[1].opnum(), OpNum::Putrootfh);
}

#[tokio::test]
async fn a_lone_sequence_is_always_replayed() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    let request = client.args(false, vec![]);
    let first = server.send(request.clone()).await;
    assert_eq!(server.send(request).await, first);
}

#[tokio::test]
async fn another_request_with_the_number_of_the_last_is_no_retry() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    client.run(&server, path(&["demo"])).await;
    let other = args(1, vec![client.sequence_again(true), NfsArgop4::Putrootfh, NfsArgop4::Getfh]);
    assert_eq!(decode(server.send(other).await).status, NfsStat4::SeqFalseRetry);
    client.sequenceid += 7;
    let skipped = args(1, vec![client.sequence_again(true)]);
    assert_eq!(decode(server.send(skipped).await).status, NfsStat4::SeqMisordered);
}

#[tokio::test]
async fn a_retry_of_a_request_that_runs_waits() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked()))])).await;
    let stall = server.fs.stall_opens().await;
    let request = client.args(true, at(&["demo"], [open_op(open(0, "f", unchecked()))]));
    let (first, retry) = tokio::join!(server.send(request.clone()), async {
        server.fs.until_stalled(1).await;
        let retry = server.send(request.clone()).await;
        drop(stall);
        retry
    });
    assert_eq!(decode(retry).status, NfsStat4::Delay);
    assert_eq!(server.send(request).await, first);
}

#[tokio::test]
async fn a_request_that_is_too_big_changes_nothing() {
    let server = Server::start().await;
    let fore = ChannelAttrs4 { maxrequestsize: 400, maxoperations: 8, ..channel() };
    let mut client = Client41::connect(&server, 1, "c", 1, fore).await;
    client.run(&server, vec![reclaim_complete()]).await;
    let name = "n".repeat(250).leak();
    let results = client.run(&server, at(&["demo"], [open_op(open(0, name, unchecked()))])).await;
    assert_eq!(statuses(&results), [NfsStat4::ReqTooBig]);
    let results = client.run(&server, vec![NfsArgop4::Putrootfh; 8]).await;
    assert_eq!(statuses(&results), [NfsStat4::TooManyOps]);
}

#[tokio::test]
async fn a_reply_that_would_not_fit_changes_nothing() {
    let server = Server::start().await;
    // Room for SEQUENCE, PUTROOTFH and LOOKUP, but not for the result of OPEN as well.
    let fore = ChannelAttrs4 { maxresponsesize: 170, maxresponsesize_cached: 170, ..channel() };
    let mut client = Client41::connect(&server, 1, "c", 1, fore).await;
    client.run(&server, vec![reclaim_complete()]).await;
    let results = client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked()))])).await;
    assert_eq!(last(&results), NfsStat4::RepTooBig);
    assert_eq!(server.fs.contents("demo/f"), None);
}

#[tokio::test]
async fn a_filehandle_that_would_not_fit_keeps_its_file_from_being_made() {
    let server = Server::start().await;
    // Room for the result of OPEN, but not for that of the GETFH behind it (RFC 8881 §2.10.6.4).
    let fore = ChannelAttrs4 { maxresponsesize: 200, maxresponsesize_cached: 200, ..channel() };
    let mut client = Client41::connect(&server, 1, "c", 1, fore).await;
    client.run(&server, vec![reclaim_complete()]).await;
    let create = || open_op(open(0, "f", unchecked()));
    let results = client.run(&server, at(&["demo"], [create(), NfsArgop4::Getfh])).await;
    assert_eq!(statuses(&results), [NfsStat4::Ok, NfsStat4::Ok, NfsStat4::RepTooBig]);
    assert_eq!(server.fs.contents("demo/f"), None);
    assert_eq!(last(&client.run(&server, at(&["demo"], [create()])).await), NfsStat4::Ok);
}

#[tokio::test]
async fn a_reply_that_does_not_fit_the_slot_is_refused_only_where_it_is_kept() {
    let server = Server::start().await;
    let fore = ChannelAttrs4 { maxresponsesize_cached: 400, ..channel() };
    let mut client = Client41::connect(&server, 1, "c", 1, fore).await;
    client.run(&server, vec![reclaim_complete()]).await;
    let data: &'static [u8] = &[b'x'; 1000];
    let create = at(&["demo"], [open_op(open(0, "f", unchecked())), write(Stateid4::CURRENT, data)]);
    assert_eq!(last(&client.run(&server, create).await), NfsStat4::Ok);
    // A READ is cut to what fits; nothing is left for another one.
    let reading = || at(&["demo", "f"], [read(Stateid4::ANONYMOUS, 1000), read(Stateid4::ANONYMOUS, 1000)]);
    assert_eq!(last(&client.run(&server, reading()).await), NfsStat4::RepTooBigToCache);
    let uncached = client.args(false, reading());
    assert_eq!(decode(server.send(uncached).await).status, NfsStat4::Ok);
}

/// Also that an operation did not fit has to fit.
#[tokio::test]
async fn no_reply_is_longer_than_its_session_allows() {
    let server = Server::start().await;
    let getattr = NfsArgop4::Getattr(Getattr4Args { attr_request: [FATTR4_SUPPORTED_ATTRS].into_iter().collect() });
    let setattr = NfsArgop4::Setattr(Box::new(Setattr4Args {
        stateid: Stateid4::ANONYMOUS,
        obj_attributes: Attrs { mode: Some(0o755), ..Attrs::default() }.to_fattr4(),
    }));
    let mut seen = std::collections::HashSet::new();
    for size in 128..320 {
        let fore = ChannelAttrs4 { maxresponsesize: size, ..channel() };
        // Each time the client starts anew, which ends its session of before.
        let verifier = u8::try_from(size % 256).unwrap();
        let mut client = Client41::connect(&server, 1, "c", verifier, fore).await;
        for ops in [[NfsArgop4::Getfh, setattr.clone()], [getattr.clone(), getattr.clone()]] {
            let request = client.args(false, at(&["demo"], ops));
            let Answer::Reply(reply) = server.send(request).await else { panic!("no reply") };
            let bytes = reply.concat().len() + RPC_REPLY_HEADER_BYTES;
            assert!(bytes <= size as usize, "{bytes} bytes of {size}");
            let reply = decode(Answer::Reply(reply));
            seen.insert((reply.status, reply.resarray.len()));
        }
    }
    assert!(seen.contains(&(NfsStat4::Ok, 5)) && seen.contains(&(NfsStat4::RepTooBig, 5)), "{seen:?}");
}

#[tokio::test]
async fn a_session_that_is_destroyed_is_gone() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    let busy = NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid: client.clientid });
    assert_eq!(last(&client.run(&server, vec![busy.clone()]).await), NfsStat4::ClientidBusy);
    let destroy = NfsArgop4::DestroySession(DestroySession4Args { sessionid: client.sessionid });
    let not_last = vec![destroy.clone(), NfsArgop4::Putrootfh];
    assert_eq!(last(&client.run(&server, not_last).await), NfsStat4::NotOnlyOp);
    assert_eq!(server.compound(1, vec![destroy]).await.status, NfsStat4::Ok);
    assert_eq!(last(&client.run(&server, vec![]).await), NfsStat4::Badsession);
    assert_eq!(server.compound(1, vec![busy]).await.status, NfsStat4::Ok);
}

#[tokio::test]
async fn a_session_can_end_with_its_own_request() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    let destroy = NfsArgop4::DestroySession(DestroySession4Args { sessionid: client.sessionid });
    assert_eq!(last(&client.run(&server, vec![destroy]).await), NfsStat4::Ok);
    assert_eq!(last(&client.run(&server, vec![]).await), NfsStat4::Badsession);
}

#[tokio::test]
async fn flags_and_guards_of_exchange_id() {
    let server = Server::start().await;
    let with = |change: fn(&mut ExchangeId4Args)| {
        let NfsArgop4::ExchangeId(mut args) = exchange_id("c", 1) else { panic!("not EXCHANGE_ID") };
        change(&mut args);
        vec![NfsArgop4::ExchangeId(args)]
    };
    assert_eq!(server.compound(1, with(|args| args.flags = 0x0800_0000)).await.status, NfsStat4::Inval);
    let mach_cred = with(|args| args.state_protect = StateProtect4A::MachCred(StateProtectOps4::default()));
    let reply = server.compound(1, mach_cred).await;
    let NfsResop4::ExchangeId(known) = &reply.resarray[0] else { panic!("{reply:?}") };
    let known = known.as_ref().as_ref().unwrap();
    assert_eq!(known.state_protect, StateProtect4R::None);
    assert_eq!(known.flags, EXCHGID4_FLAG_USE_NON_PNFS);
    assert_eq!(
        (known.server_owner.major_id.as_ref(), known.server_scope.as_ref()),
        (&b"deployment"[..], &b"deployment"[..])
    );
}

#[tokio::test]
async fn stateids_are_tested_and_freed() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    let results = client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked()))])).await;
    let stateid = opened(&results).stateid;
    let test = NfsArgop4::TestStateid(TestStateid4Args { stateids: vec![stateid, Stateid4::ANONYMOUS] });
    let results = client.run(&server, vec![test]).await;
    let NfsResop4::TestStateid(Ok(tested)) = &results[0] else { panic!("{results:?}") };
    assert_eq!(tested.status_codes, [NfsStat4::Ok, NfsStat4::BadStateid]);
    let free = NfsArgop4::FreeStateid(FreeStateid4Args { stateid });
    assert_eq!(last(&client.run(&server, vec![free]).await), NfsStat4::LocksHeld);
}
