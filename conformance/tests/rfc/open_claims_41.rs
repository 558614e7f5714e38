//! Operations: OPEN

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{
    NfsFh4, NfsStat4, OPEN4_RESULT_CONFIRM, OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_ACCESS_WANT_ANY_DELEG,
    OPEN4_SHARE_ACCESS_WANT_CANCEL, OPEN4_SHARE_ACCESS_WANT_NO_DELEG, OPEN4_SHARE_ACCESS_WANT_READ_DELEG,
    OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL, OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG, OPEN4_SHARE_DENY_WRITE,
    Open4Args, OpenClaim4, OpenDelegation4, Stateid4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::OTHER_USER;

/// OPEN with this claim at this filehandle.
fn open(scene: &Scene, at: &NfsFh4, claim: OpenClaim4, how: &OpenHow) -> CompoundBuilder {
    CompoundBuilder::new().putfh(at).open(scene.client.open_args(claim, &OpenOwner::new("owner"), how))
}

/// RFC 8881 §9.8, §18.16.3: an owner has one open of a file, by whatever claims; nothing is to be confirmed.
#[rstest]
fn one_owner_has_one_open_by_all_claims(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "text").await;
        let compound = open(scene, &file, OpenClaim4::Fh, &OpenHow::both()).getfh().read(Stateid4::CURRENT, 0, 4);
        let mut reply = scene.ok(compound).await;
        let opened = reply.open().unwrap();
        assert_eq!(opened.rflags & OPEN4_RESULT_CONFIRM, 0);
        assert_eq!(reply.getfh().unwrap(), file);
        // The same owner opens the same file again: one open, whatever the claim.
        let again = scene.ok(open(scene, &scene.root, OpenClaim4::Null("file".into()), &OpenHow::read())).await;
        let again = again.clone().open().unwrap().stateid;
        assert_eq!((again.other, again.seqid), (opened.stateid.other, opened.stateid.seqid + 1));
        scene.ok(CompoundBuilder::new().putfh(&file).close(0, again)).await;
    });
}

/// RFC 8881 §18.16.3: the filehandle gives no rights, and share reservations bind as for a name.
#[rstest]
fn claim_fh_is_checked_like_a_name(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "text").await;
        let user = scene.user(OTHER_USER, OTHER_USER).await;
        scene.answers(&user, open(scene, &file, OpenClaim4::Fh, &OpenHow::both()), NfsStat4::Access).await;
        let denying = scene.client.open_handle(&file, OpenHow::read().deny(OPEN4_SHARE_DENY_WRITE)).await.unwrap();
        let other = scene.other_client().await;
        let writing = open(scene, &file, OpenClaim4::Fh, &OpenHow::write());
        scene.answers(&other, writing.clone(), NfsStat4::ShareDenied).await;
        denying.close().await.unwrap();
        scene.answers(&other, writing, NfsStat4::Ok).await;
    });
}

/// RFC 8881 §18.16.3: the client ID of the owner and the seqid are not looked at.
#[rstest]
fn client_id_and_seqid_are_ignored(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "").await;
        let owner = OpenOwner::new("owner");
        let args = scene.client.open_args(OpenClaim4::Fh, &owner, &OpenHow::read());
        let mut stateids = Vec::new();
        for (seqid, clientid) in [(0, 0), (7, u64::MAX), (3, 1)] {
            let mut args = Open4Args { seqid, ..args.clone() };
            args.owner.clientid = clientid;
            stateids.push(scene.ok(CompoundBuilder::new().putfh(&file).open(args)).await.open().unwrap().stateid);
        }
        assert!(stateids.iter().all(|stateid| stateid.other == stateids[0].other), "{stateids:?}");
        scene.ok(CompoundBuilder::new().putfh(&file).close(99, stateids[2])).await;
    });
}

/// RFC 8881 §18.16.3: whoever asks about a delegation and gets none is told why, and nobody else.
#[rstest]
fn why_there_is_no_delegation(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "").await;
        let args = scene.client.open_args(OpenClaim4::Fh, &OpenOwner::new("owner"), &OpenHow::read());
        for want in [
            0,
            OPEN4_SHARE_ACCESS_WANT_READ_DELEG,
            OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG,
            OPEN4_SHARE_ACCESS_WANT_ANY_DELEG,
            OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
            OPEN4_SHARE_ACCESS_WANT_CANCEL,
            OPEN4_SHARE_ACCESS_WANT_ANY_DELEG | OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL,
        ] {
            let share_access = OPEN4_SHARE_ACCESS_READ | want;
            let args = Open4Args { share_access, ..args.clone() };
            let opened = scene.ok(CompoundBuilder::new().putfh(&file).open(args)).await.open().unwrap();
            let fits = match opened.delegation {
                OpenDelegation4::None => want == 0,
                OpenDelegation4::NoneExt(_) => want != 0,
                _ => !matches!(want, OPEN4_SHARE_ACCESS_WANT_NO_DELEG | OPEN4_SHARE_ACCESS_WANT_CANCEL),
            };
            assert!(fits, "{want:#x}: {:?}", opened.delegation);
        }
    });
}
