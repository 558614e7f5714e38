//! Operations: COPY, COPY_NOTIFY, OFFLOAD_CANCEL, OFFLOAD_STATUS, CLONE

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenFile, OpenHow};
use nfs4_protocol::nfs4::{
    Clone4Args, Copy4Args, Copy4Res, CopyNotify4Args, Netaddr4, Netloc4, NfsArgop4, NfsFh4, NfsResop4, NfsStat4,
    OffloadCancel4Args, OffloadStatus4Args, Stateid4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::optional::{offered, within};

const BODY: &[u8] = b"0123456789";

/// A source with ten bytes and an empty destination.
async fn pair(scene: &Scene) -> (OpenFile, OpenFile) {
    scene.file("source", BODY).await;
    let source = scene.client.open(&scene.root, "source", OpenHow::read()).await.unwrap();
    (source, scene.client.open(&scene.root, "copy", OpenHow::create()).await.unwrap())
}

/// A range, and where it goes.
#[derive(Clone, Copy)]
struct Range {
    from: u64,
    to: u64,
    count: u64,
}

fn copy(stateids: [Stateid4; 2], range: Range) -> NfsArgop4 {
    let [src_stateid, dst_stateid] = stateids;
    let Range { from: src_offset, to: dst_offset, count } = range;
    let source_server = Vec::new();
    NfsArgop4::Copy(Box::new(Copy4Args {
        src_stateid,
        dst_stateid,
        src_offset,
        dst_offset,
        count,
        consecutive: true,
        synchronous: true,
        source_server,
    }))
}

fn clone(stateids: [Stateid4; 2], range: Range) -> NfsArgop4 {
    let [src_stateid, dst_stateid] = stateids;
    let Range { from: src_offset, to: dst_offset, count } = range;
    NfsArgop4::Clone(Clone4Args { src_stateid, dst_stateid, src_offset, dst_offset, count })
}

fn from_to(source: &NfsFh4, destination: &NfsFh4, op: NfsArgop4) -> CompoundBuilder {
    CompoundBuilder::new().putfh(source).savefh().putfh(destination).op(op)
}

/// RFC 7862 §15.2.3: a range goes where it is wanted; no count means up to the end.
#[rstest]
fn copy_copies_a_range(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let (source, destination) = pair(scene).await;
        let stateids = [source.stateid(), destination.stateid()];
        let ranges = [
            (Range { from: 2, to: 0, count: 3 }, &b"234"[..]),
            (Range { from: 8, to: 1, count: 0 }, b"289"),
            (Range { from: 0, to: 4, count: 2 }, b"289\x0001"),
        ];
        for (range, expected) in ranges {
            let compound = from_to(source.handle(), destination.handle(), copy(stateids, range));
            let Some(reply) = within(scene, compound).await else { return };
            let Some(NfsResop4::Copy(result)) = reply.results().back() else { panic!("{reply:?}") };
            let Copy4Res::Ok(done) = &**result else { panic!("{result:?}") };
            assert!(done.response.callback_id.is_none() && done.requirements.synchronous, "{done:?}");
            assert_eq!(destination.read_at(0, 100).await.unwrap().data.into_bytes(), expected);
        }
        source.close().await.unwrap();
        destination.close().await.unwrap();
    });
}

/// RFC 7862 §15.13.3: a clone of the whole file is the same, whatever the size of blocks.
#[rstest]
fn clone_clones_a_file(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let (source, destination) = pair(scene).await;
        let op = clone([source.stateid(), destination.stateid()], Range { from: 0, to: 0, count: 0 });
        let Some(reply) = within(scene, from_to(source.handle(), destination.handle(), op)).await else { return };
        assert_eq!(reply.status(), NfsStat4::Ok);
        assert_eq!(destination.read_at(0, 100).await.unwrap().data.into_bytes(), BODY);
        source.close().await.unwrap();
        destination.close().await.unwrap();
    });
}

/// RFC 7862 §15.2.3, §15.13.3, §11.2: ranges, stateids, objects and filehandles that will not do.
#[rstest]
fn what_cannot_be_copied(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let (source, destination) = pair(scene).await;
        let good = [source.stateid(), destination.stateid()];
        let whole = Range { from: 0, to: 0, count: 0 };
        let forged = Stateid4 { seqid: 1, other: [0x5a; 12] };
        for make in [copy, clone] {
            let refused = async |from: &NfsFh4, to: &NfsFh4, stateids, range| {
                within(scene, from_to(from, to, make(stateids, range))).await.map(|reply| reply.status())
            };
            let (from, to) = (source.handle(), destination.handle());
            let Some(status) = refused(from, to, good, Range { from: 11, ..whole }).await else { continue };
            assert_eq!(status, NfsStat4::Inval, "it begins beyond the end");
            let beyond = refused(from, to, good, Range { count: 11, ..whole }).await;
            assert_eq!(beyond, Some(NfsStat4::Inval), "it ends beyond the end");
            assert_eq!(refused(from, to, [forged, good[1]], whole).await, Some(NfsStat4::BadStateid));
            assert_eq!(refused(from, to, [good[0], forged], whole).await, Some(NfsStat4::BadStateid));
            assert_eq!(refused(to, from, [good[1], good[0]], whole).await, Some(NfsStat4::Openmode));
            let directory = refused(&scene.root, to, [Stateid4::ANONYMOUS, good[1]], whole).await.unwrap();
            assert!([NfsStat4::Isdir, NfsStat4::WrongType].contains(&directory), "{directory}");
            let unsaved = offered(scene, to, make(good, whole)).await.unwrap();
            assert_eq!(unsaved.status(), NfsStat4::Nofilehandle);
        }
        source.close().await.unwrap();
        destination.close().await.unwrap();
    });
}

/// RFC 7862 §15.3.3: only with a stateid that is good for reading.
#[rstest]
fn copy_notify_needs_a_stateid(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.file("file", BODY).await;
        let there = || Netloc4::Netaddr(Netaddr4 { netid: "tcp".into(), addr: "127.0.0.1.8.1".into() });
        let src_stateid = Stateid4 { seqid: 1, other: [0x5a; 12] };
        let notify = CopyNotify4Args { src_stateid, destination_server: there() };
        if let Some(reply) = offered(scene, &file, NfsArgop4::CopyNotify(Box::new(notify))).await {
            assert_eq!(reply.status(), NfsStat4::BadStateid);
        }
    });
}

/// RFC 7862 §15.8.3, §15.9.3: of a copy that is not under way nothing is known.
#[rstest]
fn no_copy_is_under_way(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.file("file", BODY).await;
        let stateid = Stateid4 { seqid: 1, other: [0x5a; 12] };
        for op in [
            NfsArgop4::OffloadStatus(OffloadStatus4Args { stateid }),
            NfsArgop4::OffloadCancel(OffloadCancel4Args { stateid }),
        ] {
            if let Some(reply) = offered(scene, &file, op).await {
                assert_eq!(reply.status(), NfsStat4::BadStateid);
            }
        }
    });
}
