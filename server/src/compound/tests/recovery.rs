//! Restart: grace, reclaim, and the client records that make both possible.

use std::sync::Arc;

use nfs4_protocol::nfs4::*;

use super::harness::*;
use super::open40::setclientid;
use crate::compound::test_fs::MemoryFs;
use crate::compound::{Answer, DEPLOYMENT_ID_BYTES_MAX, Service, Settings};
use crate::state::StateConfig;

fn reclaim(clientid: Clientid4) -> Open4Args {
    Open4Args {
        seqid: 1,
        claim: OpenClaim4::Previous(OpenDelegationType4::None),
        ..open(clientid, "", Openflag4::Nocreate)
    }
}

#[tokio::test]
async fn after_a_restart_opens_are_reclaimed_and_others_wait() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    let ops = [open_op(open(0, "f", unchecked())), write(Stateid4::CURRENT, b"kept"), NfsArgop4::Getfh];
    let object = filehandle(&client.run(&server, at(&["demo"], ops)).await);

    let server = server.restart().await;
    assert_eq!(last(&client.run(&server, vec![]).await), NfsStat4::Badsession);
    let mut client = Client41::connect(&server, 1, "c", 1, channel()).await;
    let new_open = || at(&["demo"], [open_op(open(0, "g", unchecked()))]);
    assert_eq!(last(&client.run(&server, new_open()).await), NfsStat4::Grace);
    assert_eq!(server.fs.contents("demo/g"), None);
    let results = client.run(&server, vec![putfh(&object), open_op(reclaim(0)), read(Stateid4::CURRENT, 4)]).await;
    assert_eq!(last(&results), NfsStat4::Ok, "{results:?}");
    assert_eq!(last(&client.run(&server, vec![reclaim_complete()]).await), NfsStat4::Ok);
    // Everybody is back, so the grace period is over.
    assert_eq!(last(&client.run(&server, new_open()).await), NfsStat4::Ok);
    let late = client.run(&server, vec![putfh(&object), open_op(reclaim(0))]).await;
    assert_eq!(last(&late), NfsStat4::NoGrace);
}

#[tokio::test]
async fn without_state_there_is_no_grace() {
    let server = Server::start().await;
    setclientid(&server, "c").await;
    let server = server.restart().await;
    let clientid = setclientid(&server, "c").await;
    let args = Open4Args { seqid: 1, ..open(clientid, "f", unchecked()) };
    assert_eq!(last(&server.v40(at(&["demo"], [open_op(args)])).await), NfsStat4::Ok);
    let results = server.v40(at(&["demo", "f"], [open_op(Open4Args { seqid: 2, ..reclaim(clientid) })])).await;
    assert_eq!(last(&results), NfsStat4::NoGrace);
}

#[tokio::test]
async fn a_reply_waits_for_the_client_record() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    *server.records.broken.lock() = true;
    let request = client.args(true, at(&["demo"], [open_op(open(0, "f", unchecked()))]));
    assert_eq!(server.send(request.clone()).await, Answer::Withheld);
    *server.records.broken.lock() = false;
    assert_eq!(decode(server.send(request).await).status, NfsStat4::Ok);
    assert_eq!(server.records.len(), 1);
}

#[tokio::test]
async fn a_silent_client_loses_what_others_want_and_no_more() {
    let server = Server::start().await;
    let mut silent = Client41::mount(&server, 1, "silent").await;
    let deny = Open4Args { share_deny: OPEN4_SHARE_DENY_BOTH, ..open(0, "f", unchecked()) };
    assert_eq!(last(&silent.run(&server, at(&["demo"], [open_op(deny)])).await), NfsStat4::Ok);
    let mut other = Client41::mount(&server, 1, "other").await;
    let wanting = || at(&["demo"], [open_op(open(0, "f", unchecked()))]);
    assert_eq!(last(&other.run(&server, wanting()).await), NfsStat4::ShareDenied);

    server.clock.advance(LEASE_MS + 1);
    server.service.housekeep().await.unwrap();
    assert_eq!(server.fs.opens(), 1);
    let mut other = Client41::mount(&server, 1, "later").await;
    assert_eq!(last(&other.run(&server, wanting()).await), NfsStat4::Ok);
    assert_eq!(server.fs.opens(), 1);
}

#[tokio::test]
async fn a_deployment_needs_a_name_of_a_sensible_length() {
    for id in [String::new(), "x".repeat(DEPLOYMENT_ID_BYTES_MAX + 1)] {
        let (fs, records, clock) = (MemoryFs::new(), Arc::<Records>::default(), Arc::<ManualClock>::default());
        let started = Service::start(fs, Settings::new(id), StateConfig::new(1, [0; 16]), records, clock).await;
        assert!(started.is_err());
    }
}
