//! Operations: IO_ADVISE

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::{Bitmap4, IoAdvise4Args, IoAdviseType4, NfsArgop4, NfsResop4, NfsStat4, Stateid4};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::optional::{offered, within};

fn advise(stateid: Stateid4, hints: &[u32]) -> NfsArgop4 {
    NfsArgop4::IoAdvise(IoAdvise4Args { stateid, offset: 0, count: 0, hints: hints.iter().copied().collect() })
}

/// RFC 7862 §15.5.3: no hint is an error, neither contradictory ones nor those that nobody knows.
#[rstest]
fn any_hints_are_taken(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let [sequential, random] = [IoAdviseType4::Sequential.as_u32(), IoAdviseType4::Random.as_u32()];
        for hints in [&[][..], &[0], &[sequential, random], &[4, 5, 6, 7, 8, 9, 10], &[31, 40, 95]] {
            let Some(reply) = offered(scene, file.handle(), advise(file.stateid(), hints)).await else { return };
            let Some(NfsResop4::IoAdvise(Ok(result))) = reply.results().back() else { panic!("{hints:?}: {reply:?}") };
            let known: Bitmap4 = (0..=IoAdviseType4::InitProximity.as_u32()).collect();
            assert!(result.hints.and_not(&known).is_empty(), "{:?}", result.hints);
        }
        file.close().await.unwrap();
    });
}

/// RFC 7862 §15.5.3: the range need not exist, and no length means the rest of the file.
#[rstest]
fn any_range_is_taken(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let hints: Bitmap4 = [IoAdviseType4::Willneed.as_u32()].into_iter().collect();
        for (offset, count) in [(0, 0), (0, u64::MAX), (1 << 40, 1), (5, 0)] {
            let args = IoAdvise4Args { stateid: file.stateid(), offset, count, hints: hints.clone() };
            let Some(reply) = offered(scene, file.handle(), NfsArgop4::IoAdvise(args)).await else { return };
            assert_eq!(reply.status(), NfsStat4::Ok, "{offset} and {count}");
        }
        file.close().await.unwrap();
    });
}

/// RFC 7862 §11.2: the stateid has to be good, and the object a file.
#[rstest]
fn stateids_and_objects_that_will_not_do(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let other = scene.file("other", "").await;
        let forged = Stateid4 { other: [0x5a; 12], ..file.stateid() };
        let future = Stateid4 { seqid: file.stateid().seqid + 1, ..file.stateid() };
        for (handle, stateid) in [(file.handle(), forged), (file.handle(), future), (&other, file.stateid())] {
            let Some(reply) = offered(scene, handle, advise(stateid, &[0])).await else { return };
            assert_eq!(reply.status(), NfsStat4::BadStateid);
        }
        let directory = offered(scene, &scene.root, advise(Stateid4::ANONYMOUS, &[0])).await.unwrap();
        assert_eq!(directory.status(), NfsStat4::Isdir);
        let link = scene.link("link", "target").await;
        let link = offered(scene, &link, advise(Stateid4::ANONYMOUS, &[0])).await.unwrap();
        assert!([NfsStat4::Symlink, NfsStat4::WrongType].contains(&link.status()), "{}", link.status());
        let nowhere = within(scene, CompoundBuilder::new().op(advise(file.stateid(), &[0]))).await.unwrap();
        assert_eq!(nowhere.status(), NfsStat4::Nofilehandle);
        file.close().await.unwrap();
    });
}
