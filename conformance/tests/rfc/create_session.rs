//! Operations: CREATE_SESSION

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{
    CREATE_SESSION4_FLAG_CONN_BACK_CHAN, CREATE_SESSION4_FLAG_CONN_RDMA, CREATE_SESSION4_FLAG_PERSIST,
    CallbackSecParms4, ChannelAttrs4, CreateSession4Args, GssCbHandles4, NfsArgop4, NfsStat4, OPEN4_SHARE_DENY_BOTH,
    OpNum, OpenClaim4, RpcGssSvc,
};
use nfs4_protocol::rpc::AuthSysParms;
use nfs4_protocol::xdr::to_bytes;
use pretty_assertions::{assert_eq, assert_ne};
use rstest::rstest;

use crate::newcomer::{Newcomer, channel, done, wish};

/// A client that EXCHANGE_ID made known, and the arguments of its first CREATE_SESSION.
async fn known(scene: &Scene) -> (Newcomer, CreateSession4Args) {
    let newcomer = Newcomer::new(scene).await;
    let wish = wish(&newcomer.introduce().await);
    (newcomer, wish)
}

/// RFC 8881 §18.36.3: the answer repeats the sequence, and grants no more than was asked for.
#[rstest]
fn a_session_has_no_more_than_was_asked_for(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (newcomer, mut wish) = known(scene).await;
        let no_more = |granted: &ChannelAttrs4, asked: &ChannelAttrs4| {
            let sizes = |channel: &ChannelAttrs4| {
                let ChannelAttrs4 { headerpadsize, maxrequestsize, maxresponsesize, maxresponsesize_cached, .. } =
                    channel;
                [*headerpadsize, *maxrequestsize, *maxresponsesize, *maxresponsesize_cached]
            };
            let pairs = sizes(granted).into_iter().zip(sizes(asked));
            assert!(pairs.into_iter().all(|(granted, asked)| granted <= asked), "{granted:?} of {asked:?}");
            assert!(granted.maxoperations > 0 && granted.maxrequests > 0, "{granted:?}");
        };
        let huge = ChannelAttrs4 {
            headerpadsize: u32::MAX,
            maxrequestsize: u32::MAX,
            maxresponsesize: u32::MAX,
            maxresponsesize_cached: u32::MAX,
            maxoperations: 1 << 16,
            maxrequests: 1 << 16,
            rdma_ird: Some(1),
        };
        for fore in [channel(), huge, ChannelAttrs4 { maxoperations: 8, maxrequests: 1, ..channel() }] {
            wish.fore_chan_attrs = fore;
            let made = newcomer.create_session(wish.clone()).await.unwrap();
            assert_eq!(made.sequence, wish.sequence);
            no_more(&made.fore_chan_attrs, &wish.fore_chan_attrs);
            no_more(&made.back_chan_attrs, &wish.back_chan_attrs);
            let back = |channel: &ChannelAttrs4| (channel.maxoperations, channel.maxrequests);
            assert_eq!(back(&made.back_chan_attrs), back(&wish.back_chan_attrs), "the server must not change these");
            wish.sequence += 1;
        }
    });
}

/// RFC 8881 §18.36.3: flags that were not set are not granted, and over TCP there is no RDMA.
#[rstest]
fn flags_are_granted_only_where_asked_for(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (newcomer, mut wish) = known(scene).await;
        for flags in [
            0,
            CREATE_SESSION4_FLAG_PERSIST,
            CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
            CREATE_SESSION4_FLAG_CONN_RDMA,
            CREATE_SESSION4_FLAG_PERSIST | CREATE_SESSION4_FLAG_CONN_BACK_CHAN | CREATE_SESSION4_FLAG_CONN_RDMA,
        ] {
            wish.flags = flags;
            let granted = newcomer.create_session(wish.clone()).await.unwrap().flags;
            assert_eq!(granted & !flags, 0, "{granted:#x} of {flags:#x}");
            assert_eq!(granted & CREATE_SESSION4_FLAG_CONN_RDMA, 0);
            wish.sequence += 1;
        }
    });
}

/// RFC 8881 §18.36.3: other flags do not exist.
#[rstest]
fn unknown_flags_are_inval(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for flags in [8, 1 << 31] {
            let (newcomer, wish) = known(scene).await;
            let refused = newcomer.create_session(CreateSession4Args { flags, ..wish }).await;
            assert_eq!(refused.unwrap_err(), NfsStat4::Inval);
        }
    });
}

/// RFC 8881 §18.36.4 phase 1: a client ID that nobody has.
#[rstest]
fn an_unknown_client_id_is_stale(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (newcomer, wish) = known(scene).await;
        for clientid in [0, u64::MAX, wish.clientid ^ (1 << 40)] {
            let refused = newcomer.create_session(CreateSession4Args { clientid, ..wish.clone() }).await;
            assert_eq!(refused.unwrap_err(), NfsStat4::StaleClientid);
        }
    });
}

/// RFC 8881 §18.36.4 phase 2: only the next sequence ID is a new request, and the first one is what EXCHANGE_ID said.
#[rstest]
fn a_sequence_id_that_is_not_due_is_misordered(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (newcomer, mut wish) = known(scene).await;
        let due = wish.sequence;
        for _ in 0..2 {
            let wrong =
                if wish.sequence == due { [due - 1, due + 1, due + 1000] } else { [due - 1, due + 2, due + 1000] };
            for sequence in wrong {
                let refused = newcomer.create_session(CreateSession4Args { sequence, ..wish.clone() }).await;
                assert_eq!(refused.unwrap_err(), NfsStat4::SeqMisordered, "{sequence} where {} is due", wish.sequence);
            }
            newcomer.create_session(wish.clone()).await.unwrap();
            wish.sequence += 1;
        }
    });
}

/// RFC 8881 §18.36.4 phase 2: a retry gets the answer of the first time, over whatever connection, in a session or not.
#[rstest]
fn a_retry_makes_no_second_session(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (newcomer, wish) = known(scene).await;
        let made = newcomer.create_session(wish.clone()).await.unwrap();
        assert_eq!(newcomer.create_session(wish.clone()).await.unwrap(), made);
        let elsewhere = newcomer.over_another_connection().await;
        assert_eq!(elsewhere.create_session(wish.clone()).await.unwrap(), made);
        let again = CompoundBuilder::new().op(NfsArgop4::CreateSession(Box::new(wish.clone())));
        assert_eq!(scene.ok(again).await.create_session().unwrap(), made);
        // There is one session, so that the client can go when that has gone.
        assert_eq!(newcomer.destroy_session(made.sessionid).await, NfsStat4::Ok);
        assert_eq!(newcomer.destroy_clientid(wish.clientid).await, NfsStat4::Ok);
    });
}

/// RFC 8881 §18.36.4 phase 2: a failure takes up its sequence ID as a success does.
#[rstest]
fn a_retry_of_a_failure_fails_again(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (newcomer, wish) = known(scene).await;
        let bad = CreateSession4Args { flags: 1 << 31, ..wish.clone() };
        for args in [bad, wish.clone()] {
            assert_eq!(newcomer.create_session(args).await.unwrap_err(), NfsStat4::Inval);
        }
        newcomer.create_session(CreateSession4Args { sequence: wish.sequence + 1, ..wish }).await.unwrap();
    });
}

/// RFC 8881 §18.36.4 phase 3: only the principal that made the client known may confirm it or add a session.
#[rstest]
fn another_principal_is_refused(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (newcomer, wish) = known(scene).await;
        let other = newcomer.as_other_user();
        assert_eq!(other.create_session(wish).await.unwrap_err(), NfsStat4::ClidInuse);
        let session = Newcomer::new(scene).await.session().await;
        let again =
            CreateSession4Args { sequence: session.made.sequence + 1, ..self::wish(&session.client.introduce().await) };
        assert_eq!(session.client.as_other_user().create_session(again).await.unwrap_err(), NfsStat4::ClidInuse);
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.36.3: channels through which not even SEQUENCE would go.
#[rstest]
fn channels_without_room_are_too_small(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for fore_chan_attrs in [
            ChannelAttrs4 { maxrequestsize: 20, ..channel() },
            ChannelAttrs4 { maxresponsesize: 0, ..channel() },
            ChannelAttrs4 { maxresponsesize: 20, ..channel() },
        ] {
            let (newcomer, wish) = known(scene).await;
            let refused = newcomer.create_session(CreateSession4Args { fore_chan_attrs, ..wish }).await;
            assert_eq!(refused.unwrap_err(), NfsStat4::Toosmall);
        }
    });
}

/// RFC 8881 §18.36.3: all kinds of credentials for callbacks are taken, in any number; an unknown RPCSEC_GSS handle is not.
#[rstest]
fn credentials_for_callbacks(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let sys = CallbackSecParms4::Sys(AuthSysParms {
            stamp: 7,
            machinename: "machine".into(),
            uid: 0,
            gid: 0,
            gids: vec![1, 2],
        });
        let gss = CallbackSecParms4::Gss(GssCbHandles4 {
            service: RpcGssSvc::None,
            handle_from_server: "no such handle".into(),
            handle_from_client: "mine".into(),
        });
        for sec_parms in
            [vec![], vec![CallbackSecParms4::None], vec![sys.clone(), CallbackSecParms4::None, sys.clone()]]
        {
            let (newcomer, wish) = known(scene).await;
            newcomer.create_session(CreateSession4Args { sec_parms, ..wish }).await.unwrap();
        }
        let (newcomer, wish) = known(scene).await;
        let refused = newcomer.create_session(CreateSession4Args { sec_parms: vec![sys, gss], ..wish.clone() }).await;
        assert_eq!(refused.unwrap_err(), NfsStat4::Noent);
    });
}

/// RFC 8881 §18.36.3: without SEQUENCE it stands alone; the session it makes has nothing to do with that of SEQUENCE.
#[rstest]
fn without_a_session_it_is_the_only_operation(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (newcomer, wish) = known(scene).await;
        let create = || CompoundBuilder::new().op(NfsArgop4::CreateSession(Box::new(wish.clone())));
        let beside = newcomer.call(create().putrootfh()).await;
        assert_eq!(done(&beside), [(OpNum::CreateSession, NfsStat4::NotOnlyOp)]);
        let made = scene.ok(create().putrootfh()).await.create_session().unwrap();
        assert_ne!(Some(made.sessionid), scene.client.session().map(|session| session.id()));
        assert_eq!(newcomer.destroy_session(made.sessionid).await, NfsStat4::ConnNotBoundToSession);
        assert_eq!(scene.client.call_bare(CompoundBuilder::new()).await.unwrap().status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.36.1: `ca_rdma_ird` has at most one element.
#[rstest]
fn two_rdma_depths_are_badxdr(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (_, mut wish) = known(scene).await;
        wish.back_chan_attrs.rdma_ird = Some(0x7777_7777);
        let good = to_bytes(&NfsArgop4::CreateSession(Box::new(wish)));
        let depth = good.windows(8).position(|bytes| bytes == [0, 0, 0, 1, 0x77, 0x77, 0x77, 0x77]).unwrap();
        let mut two = good.to_vec();
        two[depth + 3] = 2;
        two.splice(depth + 8..depth + 8, [0; 4]);
        let reply = scene.call_encoded(&[two.into()]).await.unwrap();
        assert_eq!(done(&reply), [(OpNum::CreateSession, NfsStat4::Badxdr)]);
    });
}

/// RFC 8881 §18.35.4 case 5, §8.4.2: what a client had open before its restart is let go when it confirms.
#[rstest]
fn confirming_a_restarted_client_lets_its_opens_go(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await.ready().await;
        let alone = OpenHow::create().deny(OPEN4_SHARE_DENY_BOTH);
        let open = scene.client.open_args(OpenClaim4::Null("file".into()), &OpenOwner::new("owner"), &alone);
        assert_eq!(session.run(&scene.here().open(open)).await.status(), NfsStat4::Ok);
        let reborn = session.client.restarted();
        let known = reborn.introduce().await;
        let denied = scene.client.open(&scene.root, "file", OpenHow::read()).await.unwrap_err();
        assert_eq!(denied.status(), Some(NfsStat4::ShareDenied));
        reborn.create_session(wish(&known)).await.unwrap();
        scene.client.open(&scene.root, "file", OpenHow::read()).await.unwrap().close().await.unwrap();
    });
}
