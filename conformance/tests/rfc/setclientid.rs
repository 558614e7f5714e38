//! Operations: SETCLIENTID, SETCLIENTID_CONFIRM

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{Client, ClientOptions, CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

fn setclientid(id: &Bytes, verifier: u8) -> CompoundBuilder {
    let location = Netaddr4 { netid: "tcp".into(), addr: "127.0.0.1.0.0".into() };
    CompoundBuilder::new().op(NfsArgop4::Setclientid(Box::new(Setclientid4Args {
        client: NfsClientId4 { verifier: Verifier4([verifier; 8]), id: id.clone() },
        callback: CbClient4 { program: 0x4000_0000, location },
        callback_ident: 1,
    })))
}

async fn set(scene: &Scene, id: &Bytes, verifier: u8) -> Setclientid4Resok {
    match scene.ok(setclientid(id, verifier)).await.setclientid().unwrap() {
        Setclientid4Res::Ok(known) => known,
        other => panic!("{other:?}"),
    }
}

fn confirm(known: &Setclientid4Resok) -> CompoundBuilder {
    let Setclientid4Resok { clientid, setclientid_confirm } = *known;
    CompoundBuilder::new().op(NfsArgop4::SetclientidConfirm(SetclientidConfirm4Args { clientid, setclientid_confirm }))
}

fn renew(clientid: u64) -> CompoundBuilder {
    CompoundBuilder::new().renew(clientid)
}

/// A name that no other test uses.
fn new_id() -> Bytes {
    ClientOptions::default().name.into()
}

/// RFC 7530 §16.33 and §16.34: a client is known once it has confirmed itself, which it may say twice.
#[rstest]
fn a_client_is_known_once_confirmed(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let known = set(scene, &new_id(), 1).await;
        scene.fails(renew(known.clientid), NfsStat4::StaleClientid).await;
        scene.ok(confirm(&known)).await;
        scene.ok(renew(known.clientid)).await;
        scene.ok(confirm(&known)).await;
        let other = set(scene, &new_id(), 1).await;
        assert!(other.clientid != known.clientid && other.setclientid_confirm != known.setclientid_confirm);
    });
}

/// RFC 7530 §16.34.5: a confirmation that nobody asked for.
#[rstest]
fn confirmations_that_nobody_asked_for(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let known = set(scene, &new_id(), 1).await;
        let mut wrong = known;
        wrong.setclientid_confirm.0[0] ^= 1;
        scene.fails(confirm(&wrong), NfsStat4::StaleClientid).await;
        wrong = Setclientid4Resok { clientid: known.clientid ^ 0x5a5a_0000_0000_0000, ..known };
        scene.fails(confirm(&wrong), NfsStat4::StaleClientid).await;
        scene.ok(confirm(&known)).await;
    });
}

/// RFC 7530 §16.33.5: the last one of several that were not confirmed counts.
#[rstest]
fn the_last_unconfirmed_one_counts(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let id = new_id();
        let first = set(scene, &id, 1).await;
        let second = set(scene, &id, 2).await;
        scene.fails(confirm(&first), NfsStat4::StaleClientid).await;
        scene.ok(confirm(&second)).await;
    });
}

/// RFC 7530 §16.33.5: the same client with the same verifier changes its callback, and keeps its ID and state.
#[rstest]
fn the_same_life_keeps_its_state(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let client = scene.other_client().await;
        let file = client.open(&scene.root, "file", OpenHow::read()).await.unwrap();
        let id = Bytes::from(client.options().name.clone());
        let update = CompoundBuilder::new().op(NfsArgop4::Setclientid(Box::new(Setclientid4Args {
            client: NfsClientId4 { verifier: client.options().verifier, id },
            callback: CbClient4 {
                program: 0x4000_0001,
                location: Netaddr4 { netid: "tcp".into(), addr: "127.0.0.1.0.1".into() },
            },
            callback_ident: 2,
        })));
        let Setclientid4Res::Ok(known) = scene.ok(update).await.setclientid().unwrap() else { panic!("refused") };
        assert_eq!(known.clientid, client.clientid());
        scene.ok(confirm(&known)).await;
        file.read_at(0, 1).await.unwrap();
        file.close().await.unwrap();
    });
}

/// RFC 7530 §16.33.5 and §16.34.5: a client that restarted loses the state of its earlier life, when it confirms
/// itself and not before.
#[rstest]
fn a_new_life_ends_the_old_one(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let client = scene.other_client().await;
        let file = client.open(&scene.root, "file", OpenHow::read().deny(OPEN4_SHARE_DENY_BOTH)).await.unwrap();
        let known = set(scene, &Bytes::from(client.options().name.clone()), 77).await;
        file.read_at(0, 1).await.unwrap();
        scene.ok(renew(client.clientid())).await;
        scene.ok(confirm(&known)).await;
        let status = file.read_at(0, 1).await.unwrap_err().status();
        assert!(
            matches!(status, Some(NfsStat4::BadStateid | NfsStat4::StaleStateid | NfsStat4::Expired)),
            "{status:?}"
        );
        let status = scene.call(renew(client.clientid())).await.status();
        assert!(matches!(status, NfsStat4::StaleClientid | NfsStat4::Expired), "{status}");
        scene.client.open(&scene.root, "file", OpenHow::both()).await.unwrap().close().await.unwrap();
    });
}

/// RFC 7530 §16.33.5: another user does not take the name of a client that has state; the user of the state is told
/// where it is.
#[rstest]
fn a_name_in_use_is_not_taken(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let client = scene.other_client().await;
        let file = client.open(&scene.root, "file", OpenHow::read()).await.unwrap();
        let user: Client = scene.user(1000, 1000).await;
        let id = Bytes::from(client.options().name.clone());
        let mut reply = scene.answers(&user, setclientid(&id, 5), NfsStat4::ClidInuse).await;
        let Setclientid4Res::ClidInuse(address) = reply.setclientid().unwrap() else { panic!("{reply:?}") };
        assert_eq!(address.netid, "tcp");
        file.read_at(0, 1).await.unwrap();
        file.close().await.unwrap();
    });
}

/// RFC 7530 §16.34.5: who asked confirms.
#[rstest]
fn another_user_does_not_confirm(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let known = set(scene, &new_id(), 1).await;
        let user = scene.user(1000, 1000).await;
        let status = user.call(confirm(&known)).await.unwrap().status();
        assert!(matches!(status, NfsStat4::ClidInuse | NfsStat4::StaleClientid), "{status}");
    });
}

/// RFC 7530 §2.2.12 and §16.33.2: names up to the limit of the type.
#[rstest]
fn names_of_any_length(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let name = new_id();
        let long = [&name[..], &[0xff; NFS4_OPAQUE_LIMIT]].concat();
        let known = set(scene, &Bytes::from(long[..NFS4_OPAQUE_LIMIT].to_vec()), 1).await;
        scene.ok(confirm(&known)).await;
        let too_long = setclientid(&Bytes::from(long[..NFS4_OPAQUE_LIMIT + 1].to_vec()), 1);
        scene.fails(too_long, NfsStat4::Badxdr).await;
    });
}

/// RFC 8881 §15.2: 4.1 has EXCHANGE_ID and CREATE_SESSION in their place.
#[rstest]
fn they_are_gone(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.fails(setclientid(&new_id(), 1), NfsStat4::Notsupp).await;
        let known = Setclientid4Resok { clientid: scene.client.clientid(), setclientid_confirm: Verifier4::default() };
        scene.fails(confirm(&known), NfsStat4::Notsupp).await;
    });
}
