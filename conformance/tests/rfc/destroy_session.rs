//! Operations: DESTROY_SESSION

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{
    CreateSession4Args, DestroySession4Args, NfsArgop4, NfsStat4, OpNum, OpenClaim4, Sequence4Args, Sessionid4,
    Stateid4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{HandSession, Newcomer, behind, done, wish};

fn destroy(sessionid: Sessionid4) -> CompoundBuilder {
    CompoundBuilder::new().op(NfsArgop4::DestroySession(DestroySession4Args { sessionid }))
}

/// Another session of the same client.
async fn another(session: &HandSession) -> Sessionid4 {
    let known = session.client.introduce().await;
    let wish = CreateSession4Args { sequence: session.made.sequence + 1, ..wish(&known) };
    session.client.create_session(wish).await.unwrap().sessionid
}

/// RFC 8881 §18.37.3: alone, behind SEQUENCE of the same session, and behind that of another one.
#[rstest]
fn a_destroyed_session_is_gone(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let sessionid = session.made.sessionid;
        assert_eq!(session.client.destroy_session(sessionid).await, NfsStat4::Ok);
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Badsession);
        assert_eq!(session.client.destroy_session(sessionid).await, NfsStat4::Badsession);

        let session = Newcomer::new(scene).await.session().await;
        let other = another(&session).await;
        let within = session.run(&destroy(other).putrootfh()).await;
        let expected = [OpNum::Sequence, OpNum::DestroySession, OpNum::Putrootfh].map(|op| (op, NfsStat4::Ok));
        assert_eq!(done(&within), expected);
        assert_eq!(session.client.destroy_session(other).await, NfsStat4::Badsession);
        assert_eq!(session.run(&destroy(session.made.sessionid)).await.status(), NfsStat4::Ok);
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Badsession);
    });
}

/// RFC 8881 §18.37.3: in a request of its own session it is the last operation.
#[rstest]
fn in_its_own_session_it_comes_last(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let reply = session.run(&destroy(session.made.sessionid).putrootfh()).await;
        assert_eq!(done(&reply)[1], (OpNum::DestroySession, NfsStat4::NotOnlyOp));
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.37.3: without SEQUENCE it stands alone.
#[rstest]
fn without_a_session_it_is_the_only_operation(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let reply = session.client.call(destroy(session.made.sessionid).putrootfh()).await;
        assert_eq!(done(&reply), [(OpNum::DestroySession, NfsStat4::NotOnlyOp)]);
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.37.3: only over a connection of the session.
#[rstest]
fn another_connection_must_be_bound_first(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let elsewhere = session.client.over_another_connection().await;
        let sessionid = session.made.sessionid;
        assert_eq!(elsewhere.destroy_session(sessionid).await, NfsStat4::ConnNotBoundToSession);
        let bound = elsewhere.call(behind(session.next(), &CompoundBuilder::new())).await;
        assert_eq!(bound.status(), NfsStat4::Ok);
        assert_eq!(elsewhere.destroy_session(sessionid).await, NfsStat4::Ok);
    });
}

/// RFC 8881 §15.1.11.1: a session ID that was never given out.
#[rstest]
fn an_unknown_session_is_badsession(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let mut forged = session.made.sessionid;
        forged.0[15] ^= 1;
        for unknown in [Sessionid4([0; 16]), Sessionid4([0xff; 16]), forged] {
            assert_eq!(session.client.destroy_session(unknown).await, NfsStat4::Badsession);
        }
    });
}

/// RFC 8881 §18.37.3: opens and lease belong to the client ID, and stay.
#[rstest]
fn state_outlives_its_session(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await.ready().await;
        let owner = OpenOwner::new("owner");
        let open = scene.client.open_args(OpenClaim4::Null("file".into()), &owner, &OpenHow::create());
        let mut reply = session.run(&scene.here().open(open).getfh()).await;
        let (stateid, handle) = (reply.open().unwrap().stateid, reply.getfh().unwrap());
        let known = session.client.introduce().await;
        assert_eq!(session.client.destroy_session(session.made.sessionid).await, NfsStat4::Ok);
        assert_eq!(session.client.destroy_clientid(session.clientid).await, NfsStat4::ClientidBusy);

        let wish = CreateSession4Args { sequence: session.made.sequence + 1, ..wish(&known) };
        let sessionid = session.client.create_session(wish).await.unwrap().sessionid;
        let sequence = Sequence4Args { sessionid, ..session.sequence(0, 1) };
        let read = CompoundBuilder::new().putfh(&handle).read(stateid, 0, 10);
        assert_eq!(session.send(sequence, &read).await.status(), NfsStat4::Ok);
        let close = CompoundBuilder::new().putfh(&handle).close(0, Stateid4 { seqid: 0, ..stateid });
        let sequence = Sequence4Args { sequenceid: 2, ..sequence };
        assert_eq!(session.send(sequence, &close).await.status(), NfsStat4::Ok);
    });
}
