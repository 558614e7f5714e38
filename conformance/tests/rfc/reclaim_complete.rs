//! Operations: RECLAIM_COMPLETE

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{
    CreateSession4Args, FATTR4_SIZE, NfsArgop4, NfsFh4, NfsStat4, OpNum, OpenClaim4, OpenDelegationType4,
    ReclaimComplete4Args, Sequence4Args,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{Newcomer, done, wish};

fn one_fs() -> NfsArgop4 {
    NfsArgop4::ReclaimComplete(ReclaimComplete4Args { one_fs: true })
}

/// OPEN of a new file.
fn open(scene: &Scene) -> CompoundBuilder {
    let args = scene.client.open_args(OpenClaim4::Null("file".into()), &OpenOwner::new("owner"), &OpenHow::create());
    scene.here().open(args)
}

/// OPEN of a file as if it had been open before a restart.
fn reclaim(scene: &Scene, file: &NfsFh4) -> CompoundBuilder {
    let claim = OpenClaim4::Previous(OpenDelegationType4::None);
    CompoundBuilder::new().putfh(file).open(scene.client.open_args(claim, &OpenOwner::new("owner"), &OpenHow::read()))
}

/// RFC 8881 §18.51.3: a new client ID gets no new state before it said that it has nothing to reclaim.
#[rstest]
fn nothing_is_opened_before_it(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        assert_eq!(session.run(&open(scene)).await.status(), NfsStat4::Grace);
        let session = session.ready().await;
        assert_eq!(session.run(&open(scene)).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.51.3: what needs no state goes on meanwhile.
#[rstest]
fn what_needs_no_state_goes_before_it(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "text").await;
        let session = Newcomer::new(scene).await.session().await;
        let looks = scene.here().lookup("file").getfh().getattr(&[FATTR4_SIZE]);
        assert_eq!(session.run(&looks).await.getfh().unwrap(), file);
    });
}

/// RFC 8881 §15.1.9.1: once for each client ID, in whatever session.
#[rstest]
fn a_second_one_is_complete_already(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await.ready().await;
        let complete = CompoundBuilder::new().reclaim_complete();
        assert_eq!(session.run(&complete).await.status(), NfsStat4::CompleteAlready);
        let wish = wish(&session.client.introduce().await);
        let wish = CreateSession4Args { sequence: session.made.sequence + 1, ..wish };
        let sessionid = session.client.create_session(wish).await.unwrap().sessionid;
        let other = Sequence4Args { sessionid, ..session.sequence(0, 1) };
        assert_eq!(session.send(other, &complete).await.status(), NfsStat4::CompleteAlready);
    });
}

/// RFC 8881 §18.51.3: for one file system it needs a filehandle; where nothing migrates it is ignored, however often.
#[rstest]
fn for_one_file_system_it_is_ignored(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        assert_eq!(done(&session.run_op(one_fs()).await)[1], (OpNum::ReclaimComplete, NfsStat4::Nofilehandle));
        for _ in 0..2 {
            assert_eq!(session.run(&scene.here().op(one_fs())).await.status(), NfsStat4::Ok);
        }
        assert_eq!(session.run(&open(scene)).await.status(), NfsStat4::Grace, "that was not for all file systems");
        let session = session.ready().await;
        assert_eq!(session.run(&scene.here().op(one_fs())).await.status(), NfsStat4::Ok);
        assert_eq!(session.run(&open(scene)).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.51.3, §8.4.2.1: nothing is reclaimed after it, nor where no restart was.
#[rstest]
fn a_reclaim_out_of_time_is_no_grace(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "").await;
        let session = Newcomer::new(scene).await.session().await;
        assert_eq!(session.run(&reclaim(scene, &file)).await.status(), NfsStat4::NoGrace);
        let session = session.ready().await;
        assert_eq!(session.run(&reclaim(scene, &file)).await.status(), NfsStat4::NoGrace);
    });
}
