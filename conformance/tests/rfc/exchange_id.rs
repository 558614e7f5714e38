//! Operations: EXCHANGE_ID

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{
    EXCHGID4_FLAG_BIND_PRINC_STATEID, EXCHGID4_FLAG_CONFIRMED_R, EXCHGID4_FLAG_MASK_PNFS, EXCHGID4_FLAG_SUPP_FENCE_OPS,
    EXCHGID4_FLAG_SUPP_MOVED_MIGR, EXCHGID4_FLAG_SUPP_MOVED_REFER, EXCHGID4_FLAG_UPD_CONFIRMED_REC_A,
    EXCHGID4_FLAG_USE_NON_PNFS, EXCHGID4_FLAG_USE_PNFS_DS, EXCHGID4_FLAG_USE_PNFS_MDS, ExchangeId4Args,
    NFS4_OPAQUE_LIMIT, NfsArgop4, NfsImplId4, NfsStat4, Nfstime4, OpNum, OpenClaim4, SecOid4, SsvSpParms4,
    StateProtect4A, StateProtect4R, StateProtectOps4,
};
use nfs4_protocol::xdr::{Encoder, to_bytes};
use pretty_assertions::{assert_eq, assert_ne};
use rstest::rstest;

use crate::newcomer::{Newcomer, done, wish};

/// id-sha256 and id-aes256-CBC, as DER (RFC 8881 §18.35.3).
const SHA256: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const AES256_CBC: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];

/// RFC 8881 §18.35.4 case 1, §13.1: a new owner is given a client ID that is still to be confirmed, and a legal role.
#[rstest]
fn a_new_owner_gets_an_unconfirmed_client_id(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (one, other) = (Newcomer::new(scene).await.introduce().await, Newcomer::new(scene).await.introduce().await);
        assert_ne!(one.clientid, other.clientid);
        assert_eq!(one.flags & (EXCHGID4_FLAG_CONFIRMED_R | EXCHGID4_FLAG_UPD_CONFIRMED_REC_A), 0, "{:#x}", one.flags);
        let roles = [
            EXCHGID4_FLAG_USE_NON_PNFS,
            EXCHGID4_FLAG_USE_PNFS_MDS,
            EXCHGID4_FLAG_USE_PNFS_DS,
            EXCHGID4_FLAG_USE_PNFS_MDS | EXCHGID4_FLAG_USE_PNFS_DS,
            EXCHGID4_FLAG_USE_NON_PNFS | EXCHGID4_FLAG_USE_PNFS_DS,
        ];
        assert!(roles.contains(&(one.flags & EXCHGID4_FLAG_MASK_PNFS)), "{:#x}", one.flags);
        assert_eq!(one.state_protect, StateProtect4R::None);
        assert!(!one.server_owner.major_id.is_empty());
        assert_eq!((&one.server_owner, &one.server_scope), (&other.server_owner, &other.server_scope));
    });
}

/// RFC 8881 §18.35.4 case 4: an unconfirmed record gives way to a new one, whoever asks and with whatever verifier.
#[rstest]
fn an_unconfirmed_client_id_is_replaced(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let mut before = newcomer.introduce().await;
        for again in [newcomer.clone(), newcomer.restarted(), newcomer.as_other_user(), newcomer.clone()] {
            let known = again.introduce().await;
            assert_ne!(known.clientid, before.clientid);
            assert_eq!(known.flags & EXCHGID4_FLAG_CONFIRMED_R, 0);
            assert_eq!(newcomer.create_session(wish(&before)).await.unwrap_err(), NfsStat4::StaleClientid);
            before = known;
        }
        newcomer.create_session(wish(&before)).await.unwrap();
    });
}

/// RFC 8881 §18.35.4 case 2, §2.10.5: a confirmed client that asks again, over another connection too, gets what it has.
#[rstest]
fn a_confirmed_client_gets_its_client_id_again(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let first = newcomer.introduce().await;
        let session = newcomer.create_session(wish(&first)).await.unwrap();
        for again in [newcomer.clone(), newcomer.over_another_connection().await] {
            let known = again.introduce().await;
            assert_eq!(known.clientid, first.clientid);
            assert_eq!(known.flags, first.flags | EXCHGID4_FLAG_CONFIRMED_R);
            assert_eq!(known.server_owner.major_id, first.server_owner.major_id);
            assert_eq!(known.server_scope, first.server_scope);
        }
        assert_eq!(newcomer.destroy_session(session.sessionid).await, NfsStat4::Ok, "the session is still there");
    });
}

/// RFC 8881 §18.35.4 case 5: the client ID of a restarted client replaces the old one only when it is confirmed.
#[rstest]
fn a_restarted_client_loses_its_state_when_it_confirms(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let session = newcomer.session().await;
        let reborn = newcomer.restarted();
        let known = reborn.introduce().await;
        assert_ne!(known.clientid, session.clientid);
        assert_eq!(known.flags & EXCHGID4_FLAG_CONFIRMED_R, 0);
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Ok);
        reborn.create_session(wish(&known)).await.unwrap();
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Badsession);
        assert_eq!(newcomer.destroy_clientid(session.clientid).await, NfsStat4::StaleClientid);
    });
}

/// RFC 8881 §18.35.4 cases 2 and 5: until then the old instance is the client.
#[rstest]
fn the_old_instance_stays_the_client_until_the_new_one_confirms(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let session = newcomer.session().await;
        newcomer.restarted().introduce().await;
        let known = newcomer.introduce().await;
        assert_eq!(known.clientid, session.clientid);
        assert_ne!(known.flags & EXCHGID4_FLAG_CONFIRMED_R, 0);
    });
}

/// RFC 8881 §18.35.4 case 3: a name is not given to another principal while its owner has state.
#[rstest]
fn the_name_of_a_client_with_state_is_in_use(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await.ready().await;
        let owner = OpenOwner::new("owner");
        let open = scene.client.open_args(OpenClaim4::Null("file".into()), &owner, &OpenHow::create());
        assert_eq!(session.run(&scene.here().open(open)).await.status(), NfsStat4::Ok);
        let other = session.client.as_other_user();
        for collision in [other.clone(), other.restarted()] {
            assert_eq!(collision.exchange_id(collision.introduction(0)).await.unwrap_err(), NfsStat4::ClidInuse);
        }
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.35.4 case 3: without state, the name is free for another principal, and the old client ID ends.
#[rstest]
fn the_name_of_a_client_without_state_is_free(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let session = newcomer.session().await;
        assert_eq!(newcomer.destroy_session(session.made.sessionid).await, NfsStat4::Ok);
        let known = newcomer.as_other_user().introduce().await;
        assert_ne!(known.clientid, session.clientid);
        assert_eq!(known.flags & EXCHGID4_FLAG_CONFIRMED_R, 0);
        assert_eq!(newcomer.destroy_clientid(session.clientid).await, NfsStat4::StaleClientid);
    });
}

/// RFC 8881 §18.35.4 case 6: a confirmed client updates its record.
#[rstest]
fn an_update_of_a_confirmed_client_keeps_its_client_id(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let update = session.client.introduction(EXCHGID4_FLAG_UPD_CONFIRMED_REC_A);
        let known = session.client.exchange_id(update).await.unwrap();
        assert_eq!(known.clientid, session.clientid);
        assert_ne!(known.flags & EXCHGID4_FLAG_CONFIRMED_R, 0);
        assert_eq!(known.flags & EXCHGID4_FLAG_UPD_CONFIRMED_REC_A, 0);
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.35.4 case 7: there is nothing to update where nothing is confirmed; an unconfirmed record stays.
#[rstest]
fn an_update_without_a_confirmed_client_is_noent(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let update = newcomer.introduction(EXCHGID4_FLAG_UPD_CONFIRMED_REC_A);
        assert_eq!(newcomer.exchange_id(update.clone()).await.unwrap_err(), NfsStat4::Noent);
        let known = newcomer.introduce().await;
        assert_eq!(newcomer.exchange_id(update).await.unwrap_err(), NfsStat4::Noent);
        newcomer.create_session(wish(&known)).await.unwrap();
    });
}

/// RFC 8881 §18.35.4 cases 8 and 9: only the same instance and the same principal may update.
#[rstest]
fn an_update_by_another_instance_or_principal_is_refused(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let client = &session.client;
        for (who, status) in [
            (client.restarted(), NfsStat4::NotSame),
            (client.restarted().as_other_user(), NfsStat4::NotSame),
            (client.as_other_user(), NfsStat4::Perm),
        ] {
            let update = who.introduction(EXCHGID4_FLAG_UPD_CONFIRMED_REC_A);
            assert_eq!(who.exchange_id(update).await.unwrap_err(), status);
        }
        assert_eq!(session.run(&CompoundBuilder::new()).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.35.3: each flag that there is may be set, and no other; EXCHGID4_FLAG_CONFIRMED_R is for answers only.
#[rstest]
fn flags_that_do_not_exist_are_refused(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    let good = EXCHGID4_FLAG_SUPP_MOVED_REFER
        | EXCHGID4_FLAG_SUPP_MOVED_MIGR
        | EXCHGID4_FLAG_BIND_PRINC_STATEID
        | EXCHGID4_FLAG_MASK_PNFS;
    // For 4.2 alone, or with an answer of its own.
    let others = EXCHGID4_FLAG_SUPP_FENCE_OPS | EXCHGID4_FLAG_UPD_CONFIRMED_REC_A;
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        for flag in (0..32).map(|bit| 1 << bit).filter(|flag| flag & others == 0) {
            let args = ExchangeId4Args { flags: flag, ..newcomer.introduction(0) };
            let status = newcomer.exchange_id(args).await.map_or_else(|status| status, |_| NfsStat4::Ok);
            let expected = if flag & good == 0 { NfsStat4::Inval } else { NfsStat4::Ok };
            assert_eq!(status, expected, "{flag:#x}");
        }
    });
}

/// RFC 8881 §18.35.3: without SEQUENCE it stands alone; behind SEQUENCE it may have others beside it.
#[rstest]
fn without_a_session_it_is_the_only_operation(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let introduction = || NfsArgop4::ExchangeId(Box::new(newcomer.introduction(0)));
        let beside = newcomer.call(CompoundBuilder::new().op(introduction()).putrootfh()).await;
        assert_eq!(done(&beside), [(OpNum::ExchangeId, NfsStat4::NotOnlyOp)]);
        scene.ok(CompoundBuilder::new().putrootfh().op(introduction()).getfh()).await;
    });
}

/// RFC 8881 §18.35.3: the implementation may be told or not; it changes nothing.
#[rstest]
fn the_implementation_of_the_client_is_of_no_consequence(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let told = NfsImplId4 { domain: "example.org".into(), name: "x".repeat(200).into(), date: Nfstime4::default() };
        for client_impl_id in [None, Some(told)] {
            let args = ExchangeId4Args { client_impl_id, ..session.client.introduction(0) };
            assert_eq!(session.client.exchange_id(args).await.unwrap().clientid, session.clientid);
        }
    });
}

/// RFC 8881 §18.35.1: the longest owner, and what is longer or has more elements than XDR allows.
#[rstest]
fn limits_of_the_arguments(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let mut newcomer = Newcomer::new(scene).await;
        let mut ownerid = newcomer.owner.ownerid.to_vec();
        ownerid.resize(NFS4_OPAQUE_LIMIT, b'x');
        newcomer.owner.ownerid = ownerid.clone().into();
        newcomer.introduce().await;
        ownerid.push(b'x');
        newcomer.owner.ownerid = ownerid.into();
        let too_long = NfsArgop4::ExchangeId(Box::new(newcomer.introduction(0)));
        let reply = scene.call_encoded(&[to_bytes(&too_long)]).await.unwrap();
        assert_eq!(done(&reply), [(OpNum::ExchangeId, NfsStat4::Badxdr)]);

        newcomer.owner.ownerid = "short".into();
        let one = to_bytes(&NfsArgop4::ExchangeId(Box::new(newcomer.introduction(0))));
        let mut e = Encoder::new();
        e.opaque_fixed(&one[..one.len() - 4]);
        e.u32(2);
        for _ in 0..2 {
            e.opaque_fixed(&to_bytes(&NfsImplId4 { domain: "d".into(), name: "n".into(), date: Nfstime4::default() }));
        }
        let reply = scene.call_encoded(&[e.finish_contiguous()]).await.unwrap();
        assert_eq!(done(&reply), [(OpNum::ExchangeId, NfsStat4::Badxdr)]);
    });
}

/// RFC 8881 §18.35.3: what SP4_SSV needs. The guards need RPCSEC_GSS, so that AUTH_SYS gets none of them.
#[rstest]
fn guards_are_not_granted_without_rpcsec_gss(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let newcomer = Newcomer::new(scene).await;
        let with = |state_protect| ExchangeId4Args { state_protect, ..newcomer.introduction(0) };
        let ssv = || SsvSpParms4 {
            ops: StateProtectOps4::default(),
            hash_algs: vec![SecOid4(SHA256.into())],
            encr_algs: vec![SecOid4(AES256_CBC.into())],
            window: 4,
            num_gss_handles: 0,
        };
        let wrong = [
            SsvSpParms4 { hash_algs: Vec::new(), ..ssv() },
            SsvSpParms4 { encr_algs: Vec::new(), ..ssv() },
            SsvSpParms4 { window: 0, ..ssv() },
        ];
        for parms in wrong {
            let refused = newcomer.exchange_id(with(StateProtect4A::Ssv(parms))).await;
            assert_eq!(refused.unwrap_err(), NfsStat4::Inval);
        }
        assert!(newcomer.exchange_id(with(StateProtect4A::Ssv(ssv()))).await.is_err());
        let machine = newcomer.exchange_id(with(StateProtect4A::MachCred(StateProtectOps4::default()))).await;
        assert!(machine.is_err() || machine.is_ok_and(|known| known.state_protect == StateProtect4R::None));
    });
}
