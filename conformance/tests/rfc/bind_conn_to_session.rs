//! Operations: BIND_CONN_TO_SESSION

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, Reply};
use nfs4_protocol::nfs4::{
    BindConnToSession4Args, ChannelDirFromClient4, ChannelDirFromServer4, NfsArgop4, NfsResop4, NfsStat4, OpNum,
    Sessionid4,
};
use nfs4_protocol::xdr::Encoder;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{Newcomer, done};

fn bind(sessid: Sessionid4, dir: ChannelDirFromClient4) -> NfsArgop4 {
    NfsArgop4::BindConnToSession(Box::new(BindConnToSession4Args { sessid, dir, use_conn_in_rdma_mode: false }))
}

/// The channels that were bound.
fn bound(reply: &Reply) -> ChannelDirFromServer4 {
    match reply.results().front() {
        Some(NfsResop4::BindConnToSession(Ok(bound))) => bound.dir,
        other => panic!("{other:?}"),
    }
}

/// RFC 8881 §18.34.3: the channels are among those asked for, and asking again changes nothing.
#[rstest]
fn a_connection_gets_the_channels_it_asks_for(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    use ChannelDirFromClient4 as Ask;
    use ChannelDirFromServer4 as Got;
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let sessid = session.made.sessionid;
        let cases: [(Ask, &[Got]); 4] = [
            (Ask::Fore, &[Got::Fore]),
            (Ask::Back, &[Got::Back]),
            (Ask::ForeOrBoth, &[Got::Fore, Got::Both]),
            (Ask::BackOrBoth, &[Got::Back, Got::Both]),
        ];
        for (ask, allowed) in cases {
            let connection = session.client.over_another_connection().await;
            for _ in 0..2 {
                let reply = connection.send(bind(sessid, ask)).await;
                assert_eq!(reply.status(), NfsStat4::Ok, "{ask:?}");
                assert!(allowed.contains(&bound(&reply)), "{ask:?}: {:?}", bound(&reply));
                let Some(NfsResop4::BindConnToSession(Ok(body))) = reply.results().front() else { panic!("{reply:?}") };
                assert_eq!((body.sessid, body.use_conn_in_rdma_mode), (sessid, false));
            }
        }
    });
}

/// RFC 8881 §18.34.3: a bound connection cannot be told to carry other channels.
#[rstest]
fn a_bound_connection_keeps_its_channels(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    use ChannelDirFromClient4 as Ask;
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let sessid = session.made.sessionid;
        for (first, then) in [(Ask::Fore, Ask::Back), (Ask::Back, Ask::Fore)] {
            let connection = session.client.over_another_connection().await;
            assert_eq!(connection.send(bind(sessid, first)).await.status(), NfsStat4::Ok);
            assert_eq!(connection.send(bind(sessid, then)).await.status(), NfsStat4::Inval, "{first:?}, {then:?}");
            assert_eq!(connection.send(bind(sessid, first)).await.status(), NfsStat4::Ok);
        }
    });
}

/// RFC 8881 §18.34.3: the connection that made the session has its fore channel already.
#[rstest]
fn the_connection_of_create_session_is_bound(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let reply = session.client.send(bind(session.made.sessionid, ChannelDirFromClient4::Fore)).await;
        assert_eq!(bound(&reply), ChannelDirFromServer4::Fore);
    });
}

/// RFC 8881 §18.34.3: it is the only operation, without SEQUENCE as well as behind one.
#[rstest]
fn it_is_the_only_operation(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let bind = || bind(session.made.sessionid, ChannelDirFromClient4::Fore);
        let beside = session.client.call(CompoundBuilder::new().op(bind()).putrootfh()).await;
        assert_eq!(done(&beside), [(OpNum::BindConnToSession, NfsStat4::NotOnlyOp)]);
        let behind = session.run_op(bind()).await;
        assert_eq!(done(&behind)[1..], [(OpNum::BindConnToSession, NfsStat4::NotOnlyOp)]);
    });
}

/// RFC 8881 §18.34.3: with SP4_NONE any principal may.
#[rstest]
fn any_principal_may_bind(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let other = session.client.over_another_connection().await.as_other_user();
        let reply = other.send(bind(session.made.sessionid, ChannelDirFromClient4::Fore)).await;
        assert_eq!(bound(&reply), ChannelDirFromServer4::Fore);
        assert_eq!(other.destroy_session(session.made.sessionid).await, NfsStat4::Ok, "it is bound");
    });
}

/// RFC 8881 §15.1.11.1, §18.34.1: a session that there is not, and directions that there are not.
#[rstest]
fn an_unknown_session_is_badsession(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let reply = newcomer.send(bind(Sessionid4([0x5a; 16]), ChannelDirFromClient4::Fore)).await;
        assert_eq!(done(&reply), [(OpNum::BindConnToSession, NfsStat4::Badsession)]);
    });
}

/// RFC 8881 §15.1.1.1: a direction that there is not.
#[rstest]
fn an_unknown_direction_is_badxdr(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        for direction in [0, 4, 8] {
            let reply = session
                .client
                .send_encoded(&{
                    let mut e = Encoder::new();
                    e.u32(OpNum::BindConnToSession.as_u32());
                    e.opaque_fixed(&session.made.sessionid.0);
                    e.u32(direction);
                    e.bool(false);
                    e.finish_contiguous()
                })
                .await;
            assert_eq!(done(&reply), [(OpNum::BindConnToSession, NfsStat4::Badxdr)], "{direction}");
        }
    });
}
