//! Operations: DESTROY_CLIENTID

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{DestroyClientid4Args, NfsArgop4, NfsStat4, OpNum, OpenClaim4};
use pretty_assertions::{assert_eq, assert_ne};
use rstest::rstest;

use crate::newcomer::{Newcomer, done, wish};

fn destroy(clientid: u64) -> CompoundBuilder {
    CompoundBuilder::new().op(NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid }))
}

/// RFC 8881 §18.50.3: without sessions and state a client ID goes, and is then unknown.
#[rstest]
fn an_idle_client_id_is_forgotten(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let client = &session.client;
        assert_eq!(client.destroy_session(session.made.sessionid).await, NfsStat4::Ok);
        assert_eq!(client.destroy_clientid(session.clientid).await, NfsStat4::Ok);
        assert_eq!(client.destroy_clientid(session.clientid).await, NfsStat4::StaleClientid);
        let again = client.introduce().await;
        assert_ne!(again.clientid, session.clientid);
    });
}

/// RFC 8881 §18.50.3: so does one that was never confirmed.
#[rstest]
fn an_unconfirmed_client_id_is_forgotten(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let known = newcomer.introduce().await;
        assert_eq!(newcomer.destroy_clientid(known.clientid).await, NfsStat4::Ok);
        assert_eq!(newcomer.create_session(wish(&known)).await.unwrap_err(), NfsStat4::StaleClientid);
    });
}

/// RFC 8881 §18.50.3: a session, also without state, or an open, also without a session, keeps the client ID.
#[rstest]
fn a_client_id_with_sessions_or_opens_is_busy(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await.ready().await;
        let client = &session.client;
        assert_eq!(client.destroy_clientid(session.clientid).await, NfsStat4::ClientidBusy);
        let owner = OpenOwner::new("owner");
        let open = scene.client.open_args(OpenClaim4::Null("file".into()), &owner, &OpenHow::create());
        assert_eq!(session.run(&scene.here().open(open)).await.status(), NfsStat4::Ok);
        assert_eq!(client.destroy_session(session.made.sessionid).await, NfsStat4::Ok);
        assert_eq!(client.destroy_clientid(session.clientid).await, NfsStat4::ClientidBusy);
    });
}

/// RFC 8881 §18.50.3: behind SEQUENCE for another client only; the session's own one is busy.
#[rstest]
fn behind_sequence_it_is_for_other_clients(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let other = Newcomer::new(scene).await.introduce().await;
        scene.ok(destroy(other.clientid).putrootfh()).await;
        scene.fails(destroy(scene.client.clientid()), NfsStat4::ClientidBusy).await;
    });
}

/// RFC 8881 §18.50.3: without SEQUENCE it stands alone.
#[rstest]
fn without_a_session_it_is_the_only_operation(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let known = newcomer.introduce().await;
        let beside = newcomer.call(destroy(known.clientid).putrootfh()).await;
        assert_eq!(done(&beside), [(OpNum::DestroyClientid, NfsStat4::NotOnlyOp)]);
        newcomer.create_session(wish(&known)).await.unwrap();
    });
}

/// RFC 8881 §15.1.10.10: client IDs that were never given out.
#[rstest]
fn an_unknown_client_id_is_stale(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        for clientid in [0, u64::MAX] {
            assert_eq!(newcomer.destroy_clientid(clientid).await, NfsStat4::StaleClientid);
        }
    });
}
