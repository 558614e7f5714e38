//! Short traces against a scripted server.

use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Close4Args, Compound4Args, Compound4Res, NfsArgop4, NfsResop4, NfsStat4, OPEN4_RESULT_CONFIRM, OpNum, Open4Args,
    OpenClaim4, OpenConfirm4Args, OpenConfirm4Resok, OpenDelegation4, OpenOwner4, Openflag4, Remove4Args,
    Sequence4Args, Sessionid4, Stateid4,
};
use nfs4_protocol::rpc::{AcceptedBody, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, OpaqueAuth, RpcMsg};
use nfs4_protocol::xdr::{Encode, Encoder};
use pretty_assertions::assert_eq;

use super::*;
use crate::scripted_server::{Act, Script, ScriptedServer, Seen, opened, sequence, stateid};
use crate::trace::{Event, Header};

/// A trace under construction: calls on connection 1 unless it says otherwise.
struct Builder {
    trace: Trace,
    minor: u32,
}

fn message(header: &RpcMsg, body: &dyn Encode) -> Bytes {
    let mut e = Encoder::new();
    header.encode(&mut e);
    body.encode(&mut e);
    e.finish_contiguous()
}

impl Builder {
    fn new(minor: u32) -> Self {
        let header = Header { directory: "/".to_owned(), ..Header::default() };
        Self { trace: Trace { header, events: Vec::new() }, minor }
    }

    fn event(mut self, what: What) -> Self {
        self.trace.events.push(Event { at: Duration::ZERO, connection: 1, what });
        self
    }

    fn call(self, ops: &[NfsArgop4]) -> Self {
        self.call_with(OpaqueAuth::NONE, ops)
    }

    fn call_with(self, cred: OpaqueAuth, ops: &[NfsArgop4]) -> Self {
        let xid = self.trace.events.len() as u32;
        let args = Compound4Args { tag: Bytes::new(), minorversion: self.minor, argarray: ops.to_vec() };
        let header = RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, cred);
        self.event(What::Message { from: Side::Client, message: message(&header, &args) })
    }

    /// The reply to the call before.
    fn reply(self, results: &[NfsResop4]) -> Self {
        let xid = self.trace.events.len() as u32 - 1;
        let status = results.last().map_or(NfsStat4::Ok, NfsResop4::status);
        let res = Compound4Res { status, tag: Bytes::new(), resarray: results.to_vec() };
        let header = RpcMsg::accepted(xid, AcceptedBody::Success);
        self.event(What::Message { from: Side::Server, message: message(&header, &res) })
    }
}

fn remove(name: &'static str) -> NfsArgop4 {
    NfsArgop4::Remove(Remove4Args { target: name.into() })
}

fn removed() -> NfsResop4 {
    NfsResop4::Remove(Ok(nfs4_protocol::nfs4::Remove4Resok { cinfo: Default::default() }))
}

fn failed(op: OpNum, status: NfsStat4) -> NfsResop4 {
    NfsResop4::failed(op, status)
}

fn in_slot(sequenceid: u32) -> Sequence4Args {
    let sessionid = Sessionid4([1; 16]);
    Sequence4Args { sessionid, sequenceid, slotid: 0, highest_slotid: 0, cachethis: false }
}

/// Answers REMOVE with these statuses, then with success, and all else as usual.
fn removes(statuses: &[NfsStat4]) -> impl FnMut(&NfsArgop4) -> Option<NfsResop4> + Send + 'static {
    let statuses: Vec<_> = statuses.to_vec();
    let mut statuses = statuses.into_iter();
    move |op| match op {
        NfsArgop4::Remove(_) => statuses.next().map(|status| failed(OpNum::Remove, status)),
        _ => None,
    }
}

async fn replay(server: &ScriptedServer, trace: &Trace, order: Order) -> Report {
    let options = ReplayOptions { order, ..ReplayOptions::default() };
    run(trace, server.addr, "/", options, None).await.unwrap()
}

/// The compounds that the replay sent, without those that looked the directory up.
fn replayed(server: &mut ScriptedServer, op: OpNum) -> Vec<Seen> {
    server.seen().into_iter().filter(|seen| seen.has(op)).collect()
}

#[tokio::test]
async fn what_comes_back_later_now_is_tried_again_with_new_numbers() {
    for order in [Order::Recorded, Order::InTurn] {
        let mut server = ScriptedServer::start(removes(&[NfsStat4::Delay, NfsStat4::Grace])).await;
        let ops = |number| [NfsArgop4::Sequence(in_slot(number)), NfsArgop4::Putrootfh, remove("file")];
        let results = |number| [sequence(&in_slot(number), 0), NfsResop4::Putrootfh(Ok(())), removed()];
        let trace = Builder::new(1).call(&ops(1)).reply(&results(1)).call(&ops(2)).reply(&results(2)).trace;
        let report = replay(&server, &trace, order).await;
        let slots: Vec<_> = replayed(&mut server, OpNum::Remove).iter().map(|seen| seen.slot().unwrap().1).collect();
        assert_eq!(slots, [1, 2, 3, 4]);
        assert_eq!(report.exchanges.iter().map(|one| one.tries).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(report.different(false).count(), 0, "{report}");
    }
}

#[tokio::test]
async fn patience_ends_with_a_difference() {
    let server = ScriptedServer::start(removes(&[NfsStat4::Delay; 2])).await;
    let trace = Builder::new(0).call(&[remove("a")]).reply(&[removed()]).trace;
    let options = ReplayOptions { patience: Duration::ZERO, ..ReplayOptions::default() };
    let report = run(&trace, server.addr, "/", options, None).await.unwrap();
    let (_, difference) = report.different(true).next().unwrap();
    assert_eq!((difference.operation.as_str(), difference.now.as_str()), ("REMOVE", "REMOVE NFS4ERR_DELAY"));
}

#[tokio::test]
async fn what_came_back_later_then_and_what_was_never_answered_is_not_sent() {
    let mut server = ScriptedServer::start(removes(&[])).await;
    let trace = Builder::new(0)
        .call(&[remove("delayed")])
        .reply(&[failed(OpNum::Remove, NfsStat4::Delay)])
        .call(&[remove("delayed")])
        .reply(&[removed()])
        .call(&[remove("never answered")])
        .event(What::Closed { by: Side::Server })
        .trace;
    let report = replay(&server, &trace, Order::Recorded).await;
    assert_eq!(replayed(&mut server, OpNum::Remove).len(), 1);
    let outcomes: Vec<_> = report.exchanges.iter().map(|one| one.outcome).collect();
    let left_out = Outcome::LeftOut;
    assert_eq!(outcomes, [left_out(LeftOut::ComeBackLater), Outcome::Compared, left_out(LeftOut::Unanswered)]);
}

#[tokio::test]
async fn a_reply_that_is_missing_from_the_trace_is_not_compared() {
    let mut server = ScriptedServer::start(removes(&[])).await;
    let trace = Builder::new(0).call(&[remove("a")]).event(What::Gap { bytes: 100 }).trace;
    let report = replay(&server, &trace, Order::Recorded).await;
    assert_eq!(replayed(&mut server, OpNum::Remove).len(), 1);
    assert_eq!(report.exchanges[0].outcome, Outcome::NotCompared);
}

#[tokio::test]
async fn differences_are_found_and_explained() {
    let server = ScriptedServer::start(removes(&[NfsStat4::Noent])).await;
    let trace = Builder::new(0).call(&[remove("a")]).reply(&[removed()]).call(&[remove("b")]).reply(&[removed()]).trace;
    let mut report = replay(&server, &trace, Order::Recorded).await;
    let found: Vec<_> = report.different(false).map(|(exchange, one)| (exchange.number, one.kind)).collect();
    assert_eq!(found, [(1, DifferenceKind::Status)]);
    assert!(report.to_string().contains("#1 on connection 1: COMPOUND minor=0 none (the first difference)"));
    report.explain("any", &Expectations::read("* 1 REMOVE it was not there").unwrap());
    assert_eq!(report.unexplained(false).count(), 0);
    assert_eq!(report.different(false).count(), 1);
}

/// Closes the connection at the first REMOVE.
struct ClosesOnce(bool);

impl Script for ClosesOnce {
    fn act(&mut self, seen: &Seen) -> Act {
        if seen.has(OpNum::Remove) && std::mem::take(&mut self.0) { Act::Close } else { Act::Run }
    }

    fn answer(&mut self, _: &NfsArgop4) -> Option<NfsResop4> {
        None
    }
}

#[tokio::test]
async fn a_lost_connection_is_opened_again() {
    let mut server = ScriptedServer::start(ClosesOnce(true)).await;
    let trace = Builder::new(0).call(&[remove("a")]).reply(&[removed()]).trace;
    let report = replay(&server, &trace, Order::Recorded).await;
    let connections: Vec<_> = replayed(&mut server, OpNum::Remove).iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [1, 2], "0 looked the directory up");
    assert_eq!((report.exchanges[0].tries, report.different(false).count()), (2, 0));
}

fn open(seqid: u32) -> NfsArgop4 {
    NfsArgop4::Open(Box::new(Open4Args {
        seqid,
        share_access: 1,
        share_deny: 0,
        owner: OpenOwner4 { clientid: 1, owner: "owner".into() },
        openhow: Openflag4::Nocreate,
        claim: OpenClaim4::Null("file".into()),
    }))
}

fn to_be_confirmed(stateid: Stateid4) -> NfsResop4 {
    let mut result = opened(stateid, OpenDelegation4::None);
    if let NfsResop4::Open(result) = &mut result
        && let Ok(body) = result.as_mut()
    {
        body.rflags |= OPEN4_RESULT_CONFIRM;
    }
    result
}

fn confirm(seqid: u32, open_stateid: Stateid4) -> NfsArgop4 {
    NfsArgop4::OpenConfirm(OpenConfirm4Args { seqid, open_stateid })
}

fn confirmed(open_stateid: Stateid4) -> NfsResop4 {
    NfsResop4::OpenConfirm(Ok(OpenConfirm4Resok { open_stateid }))
}

fn close(seqid: u32, open_stateid: Stateid4) -> NfsArgop4 {
    NfsArgop4::Close(Close4Args { seqid, open_stateid })
}

fn second(stateid: Stateid4) -> Stateid4 {
    Stateid4 { seqid: 2, ..stateid }
}

#[tokio::test]
async fn an_open_is_confirmed_where_only_the_server_of_now_asks() {
    let script = |op: &NfsArgop4| match op {
        NfsArgop4::Open(_) => Some(to_be_confirmed(stateid(9))),
        NfsArgop4::OpenConfirm(args) => Some(confirmed(second(args.open_stateid))),
        _ => None,
    };
    let mut server = ScriptedServer::start(script).await;
    let got = NfsResop4::Getfh(Ok(nfs4_protocol::nfs4::Getfh4Resok { object: crate::scripted_server::handle() }));
    let trace = Builder::new(0)
        .call(&[open(5), NfsArgop4::Getfh])
        .reply(&[opened(stateid(1), OpenDelegation4::None), got])
        .call(&[close(6, stateid(1))])
        .reply(&[NfsResop4::Close(Ok(stateid(1)))])
        .trace;
    replay(&server, &trace, Order::Recorded).await;
    let seen: Vec<_> = server.seen().into_iter().flat_map(|seen| seen.ops).collect();
    assert!(seen.contains(&confirm(6, stateid(9))), "{seen:?}");
    assert!(seen.contains(&close(7, second(stateid(9)))), "{seen:?}");
}

#[tokio::test]
async fn a_confirmation_is_left_out_where_only_the_server_of_then_asked() {
    let mut server = ScriptedServer::start(|_: &NfsArgop4| None).await;
    let trace = Builder::new(0)
        .call(&[open(5)])
        .reply(&[to_be_confirmed(stateid(7))])
        .call(&[confirm(6, stateid(7))])
        .reply(&[confirmed(second(stateid(7)))])
        .call(&[close(7, second(stateid(7)))])
        .reply(&[NfsResop4::Close(Ok(second(stateid(7))))])
        .trace;
    let report = replay(&server, &trace, Order::Recorded).await;
    let seen: Vec<_> = server.seen().into_iter().flat_map(|seen| seen.ops).collect();
    assert!(seen.contains(&close(6, stateid(1))), "{seen:?}");
    assert_eq!(report.exchanges[1].outcome, Outcome::LeftOut(LeftOut::NoConfirmation));
    assert_eq!(report.different(true).count(), 0, "{report}");
}

/// Counts restarts.
struct Counts(usize);

impl Restart for Counts {
    fn restart(&mut self) -> BoxFuture<'_, Result<(), String>> {
        self.0 += 1;
        let outcome = if self.0 > 1 { Err("it does not come back".to_owned()) } else { Ok(()) };
        std::future::ready(outcome).boxed()
    }
}

#[tokio::test]
async fn the_server_is_restarted_where_the_trace_says_so() {
    let server = ScriptedServer::start(removes(&[])).await;
    let trace = Builder::new(0).event(What::Restarted).call(&[remove("a")]).reply(&[removed()]).trace;
    let mut restarts = Counts(0);
    let options = ReplayOptions::default();
    let report = run(&trace, server.addr, "/", options, Some(&mut restarts)).await.unwrap();
    assert_eq!((report.restarts, report.restarts_passed_over), (1, 0));
    let error = run(&trace, server.addr, "/", options, Some(&mut restarts)).await.unwrap_err();
    assert_eq!(error.to_string(), "the restart of the server: it does not come back");
    let report = run(&trace, server.addr, "/", options, None).await.unwrap();
    assert_eq!((report.restarts, report.restarts_passed_over), (0, 1));
}

#[tokio::test]
async fn a_trace_that_cannot_be_replayed_is_refused() {
    let server = ScriptedServer::start(removes(&[])).await;
    let mut without = Builder::new(0).call(&[remove("a")]).trace;
    without.header.directory.clear();
    let gss = OpaqueAuth { flavor: RPCSEC_GSS, body: Bytes::new() };
    let with_gss = Builder::new(0).call_with(gss, &[remove("a")]).trace;
    let options = ReplayOptions::default();
    let refused = run(&without, server.addr, "/", options, None).await;
    assert!(matches!(refused, Err(ReplayError::NoDirectory)));
    assert!(matches!(run(&with_gss, server.addr, "/", options, None).await, Err(ReplayError::Gss)));
    let somewhere = run(&Builder::new(0).trace, server.addr, "/nowhere", options, None).await;
    assert!(matches!(somewhere, Err(ReplayError::Directory { .. })));
}
