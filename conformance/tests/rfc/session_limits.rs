//! Operations: SEQUENCE, CREATE_SESSION

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::{
    ChannelAttrs4, Createtype4, FATTR4_SUPPORTED_ATTRS, Fattr4, NfsArgop4, NfsStat4, OpNum, Sequence4Args, Stateid4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{HandSession, Newcomer, channel, done};

async fn session(scene: &Scene, fore: ChannelAttrs4) -> HandSession {
    Newcomer::new(scene).await.session_with(fore).await.ready().await
}

/// RFC 8881 §18.36.3: `ca_maxoperations` counts SEQUENCE too.
#[rstest]
fn one_operation_too_many(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene, channel()).await;
        let most = session.made.fore_chan_attrs.maxoperations as usize;
        let some = |count| CompoundBuilder::new().ops(vec![NfsArgop4::Putrootfh; count]);
        assert_eq!(session.run(&some(most - 1)).await.status(), NfsStat4::Ok);
        let slot = session.sequence(1, 1);
        assert_eq!(session.send(slot, &some(most)).await.status(), NfsStat4::TooManyOps);
    });
}

/// RFC 8881 §2.10.6.4: a request larger than `ca_maxrequestsize` is not done.
#[rstest]
fn a_request_that_is_too_big(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene, ChannelAttrs4 { maxrequestsize: 512, ..channel() }).await;
        let make = |name: &str| scene.here().create(Createtype4::Dir, name, Fattr4::default());
        let limit = session.made.fore_chan_attrs.maxrequestsize as usize;
        let big = make("big").lookup("n".repeat(limit));
        assert_eq!(session.send(session.sequence(1, 1), &big).await.status(), NfsStat4::ReqTooBig);
        scene.fails(scene.here().lookup("big"), NfsStat4::Noent).await;
        assert_eq!(session.run(&make("small")).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §2.10.6.4: the operation whose result does not fit is told so; those before it are done.
#[rstest]
fn a_reply_that_is_too_big(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene, ChannelAttrs4 { maxresponsesize: 400, ..channel() }).await;
        let many = CompoundBuilder::new().ops(getattrs(scene, 12));
        let sequence = Sequence4Args { cachethis: false, ..session.sequence(1, 1) };
        let reply = session.send(sequence, &many).await;
        assert_eq!(reply.status(), NfsStat4::RepTooBig, "{:?}", done(&reply));
        assert!(reply.results().len() < 14);
    });
}

fn getattrs(scene: &Scene, count: usize) -> Vec<NfsArgop4> {
    let one = CompoundBuilder::new().getattr(&[FATTR4_SUPPORTED_ATTRS]).build(1).argarray;
    scene.here().build(1).argarray.into_iter().chain(one.into_iter().cycle().take(count)).collect()
}

/// RFC 8881 §2.10.6.4: what is to be kept has to fit `ca_maxresponsesize_cached`; else it may be larger.
#[rstest]
fn a_reply_that_is_too_big_to_be_kept(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = session(scene, ChannelAttrs4 { maxresponsesize_cached: 300, ..channel() }).await;
        let many = CompoundBuilder::new().ops(getattrs(scene, 12));
        let kept = session.send(session.sequence(1, 1), &many).await;
        assert_eq!(kept.status(), NfsStat4::RepTooBigToCache, "{:?}", done(&kept));
        let sequence = Sequence4Args { cachethis: false, ..session.sequence(2, 1) };
        assert_eq!(session.send(sequence, &many).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §2.10.6.4: that something did not fit is kept as well, so that a retry does not do again what was done.
#[rstest]
fn a_refusal_for_size_is_kept(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
    #[values(0, 250, 300)] maxresponsesize_cached: u32,
) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await;
        let session = session.session_with(ChannelAttrs4 { maxresponsesize_cached, ..channel() }).await;
        let make = scene.here().create(Createtype4::Dir, "once", Fattr4::default());
        let many = make.ops(getattrs(scene, 10));
        let first = session.send(session.sequence(0, 1), &many).await;
        assert_eq!(first.status(), NfsStat4::RepTooBigToCache, "{:?}", done(&first));
        let retry = session.send(session.sequence(0, 1), &many).await;
        assert_eq!(retry.results(), first.results());
        let fits = done(&first).contains(&(OpNum::Create, NfsStat4::Ok));
        let found = scene.call(scene.here().lookup("once")).await.status();
        assert_eq!(found, if fits { NfsStat4::Ok } else { NfsStat4::Noent }, "it is done or not as the reply says");
    });
}

/// RFC 8881 §18.22.3: a READ is cut to what the reply can hold.
#[rstest]
fn a_read_is_cut_to_the_reply(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", vec![7; 8192]).await;
        let session = session(scene, ChannelAttrs4 { maxresponsesize: 1024, ..channel() }).await;
        let read = CompoundBuilder::new().putfh(&file).read(Stateid4::ANONYMOUS, 0, 8192);
        let sequence = Sequence4Args { cachethis: false, ..session.sequence(1, 1) };
        let mut reply = session.send(sequence, &read).await;
        match reply.status() {
            NfsStat4::Ok => {
                let read = reply.read().unwrap();
                assert!((1..1024).contains(&read.data.len()) && !read.eof, "{} bytes", read.data.len());
            }
            status => assert_eq!(status, NfsStat4::RepTooBig),
        }
    });
}

/// RFC 8881 §2.10.6.1: only the slots that were granted.
#[rstest]
fn no_slot_beyond_those_granted(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for maxrequests in [1, 7] {
            let session = session(scene, ChannelAttrs4 { maxrequests, ..channel() }).await;
            let granted = session.made.fore_chan_attrs.maxrequests;
            let beyond = session.send(session.sequence(granted, 1), &CompoundBuilder::new()).await;
            assert_eq!(done(&beyond), [(OpNum::Sequence, NfsStat4::Badslot)]);
            if granted > 1 {
                let last = session.send(session.sequence(granted - 1, 1), &CompoundBuilder::new()).await;
                assert_eq!(last.status(), NfsStat4::Ok);
            }
        }
    });
}
