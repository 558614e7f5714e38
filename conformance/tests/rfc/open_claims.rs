//! Operations: OPEN

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// OPEN with this claim where the compound stands, by an owner that nobody knows.
fn claim(scene: &Scene, at: &NfsFh4, claim: OpenClaim4, how: &OpenHow) -> CompoundBuilder {
    CompoundBuilder::new().putfh(at).open(scene.client.open_args(claim, &OpenOwner::new("claimant"), how))
}

const PREVIOUS: OpenClaim4 = OpenClaim4::Previous(OpenDelegationType4::None);
const MADE_UP: Stateid4 = Stateid4 { seqid: 1, other: [7; 12] };

/// RFC 7530 §9.6.2, RFC 8881 §8.4.2.1: nothing is reclaimed but in a grace period, by who had something before.
#[rstest]
fn nothing_is_reclaimed_without_a_restart(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        let status = scene.call(claim(scene, &file, PREVIOUS, &OpenHow::read())).await.status();
        assert!(matches!(status, NfsStat4::NoGrace | NfsStat4::ReclaimBad), "{status}");
    });
}

/// RFC 8881 §18.16.3: CLAIM_FH opens the current file.
#[rstest]
fn by_filehandle(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        let mut reply = scene.ok(claim(scene, &file, OpenClaim4::Fh, &OpenHow::read()).getfh()).await;
        let stateid = reply.open().unwrap().stateid;
        assert_eq!(reply.getfh().unwrap(), file);
        scene.ok(CompoundBuilder::new().putfh(&file).read(stateid, 0, 1)).await;
        scene.fails(claim(scene, &scene.dir("dir").await, OpenClaim4::Fh, &OpenHow::read()), NfsStat4::Isdir).await;
        let link = scene.link("link", "file").await;
        scene.fails(claim(scene, &link, OpenClaim4::Fh, &OpenHow::read()), NfsStat4::Symlink).await;
        let user = scene.user(1000, 1000).await;
        let error = user.open_handle(&file, OpenHow::write()).await.unwrap_err();
        assert_eq!(error.status(), Some(NfsStat4::Access));
    });
}

/// RFC 7530 §16.16.2, RFC 8881 §18.16.3: the claims of 4.1 are no claims of 4.0.
#[rstest]
fn claims_by_filehandle_came_later(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        for later in [OpenClaim4::Fh, OpenClaim4::DelegCurFh(MADE_UP), OpenClaim4::DelegPrevFh] {
            scene.fails(claim(scene, &file, later, &OpenHow::read()), NfsStat4::Badxdr).await;
        }
    });
}

/// RFC 8881 §18.16.3: what is claimed by its filehandle is there already, so it cannot be created.
#[rstest]
fn what_is_claimed_is_not_created(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        scene.fails(claim(scene, &file, PREVIOUS, &OpenHow::create()), NfsStat4::Inval).await;
        if minor > 0 {
            scene.fails(claim(scene, &file, OpenClaim4::Fh, &OpenHow::create()), NfsStat4::Inval).await;
        }
    });
}

/// RFC 7530 §16.16.5, RFC 8881 §18.16.3: nothing is a delegation of a server that never gave one.
#[rstest]
fn claims_of_delegations(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        let cur = OpenClaim4::DelegateCur(OpenClaimDelegateCur4 { delegate_stateid: MADE_UP, file: "file".into() });
        scene.fails(claim(scene, &scene.root, cur, &OpenHow::read()), NfsStat4::BadStateid).await;
        let prev = OpenClaim4::DelegatePrev("file".into());
        scene.fails(claim(scene, &scene.root, prev, &OpenHow::read()), NfsStat4::Notsupp).await;
        if minor > 0 {
            let cur = OpenClaim4::DelegCurFh(MADE_UP);
            scene.fails(claim(scene, &file, cur, &OpenHow::read()), NfsStat4::BadStateid).await;
            scene.fails(claim(scene, &file, OpenClaim4::DelegPrevFh, &OpenHow::read()), NfsStat4::Notsupp).await;
        }
    });
}
