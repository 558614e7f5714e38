//! Operations: GETDEVICEINFO, GETDEVICELIST, LAYOUTCOMMIT, LAYOUTGET, LAYOUTRETURN, LAYOUTERROR, LAYOUTSTATS

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{Newcomer, done};
use crate::optional::offered;

const NOBODYS: Stateid4 = Stateid4 { seqid: 1, other: [0x5a; 12] };

fn layoutget() -> NfsArgop4 {
    NfsArgop4::Layoutget(Box::new(Layoutget4Args {
        signal_layout_avail: false,
        layout_type: LAYOUT4_NFSV4_1_FILES,
        iomode: Layoutiomode4::Read,
        offset: 0,
        length: u64::MAX,
        minlength: 0,
        stateid: NOBODYS,
        maxcount: 4096,
    }))
}

/// The operations of pNFS that the minor version has.
fn operations(minor: u32) -> Vec<NfsArgop4> {
    let device_id = Deviceid4([1; 16]);
    let mut operations = vec![
        NfsArgop4::Getdeviceinfo(Getdeviceinfo4Args {
            device_id,
            layout_type: LAYOUT4_NFSV4_1_FILES,
            maxcount: 4096,
            notify_types: Bitmap4::new(),
        }),
        NfsArgop4::Layoutcommit(Box::new(Layoutcommit4Args {
            offset: 0,
            length: 1,
            reclaim: false,
            stateid: NOBODYS,
            last_write_offset: None,
            time_modify: None,
            layoutupdate: Layoutupdate4 { layout_type: LAYOUT4_NFSV4_1_FILES, body: bytes::Bytes::new() },
        })),
        layoutget(),
        NfsArgop4::Layoutreturn(Box::new(Layoutreturn4Args {
            reclaim: false,
            layout_type: LAYOUT4_NFSV4_1_FILES,
            iomode: Layoutiomode4::Any,
            layoutreturn: Layoutreturn4::All,
        })),
        NfsArgop4::Getdevicelist(Getdevicelist4Args {
            layout_type: LAYOUT4_NFSV4_1_FILES,
            maxdevices: 16,
            cookie: 0,
            cookieverf: Verifier4::default(),
        }),
    ];
    if minor > 1 {
        operations.push(NfsArgop4::Layouterror(Box::new(Layouterror4Args {
            offset: 0,
            length: 1,
            stateid: NOBODYS,
            errors: vec![DeviceError4 { deviceid: device_id, status: NfsStat4::Io, opnum: OpNum::Read }],
        })));
        let io = IoInfo4 { count: 1, bytes: 1 };
        operations.push(NfsArgop4::Layoutstats(Box::new(Layoutstats4Args {
            offset: 0,
            length: 1,
            stateid: NOBODYS,
            read: io,
            write: io,
            deviceid: device_id,
            layoutupdate: Layoutupdate4 { layout_type: LAYOUT4_NFSV4_1_FILES, body: bytes::Bytes::new() },
        })));
    }
    operations
}

async fn has_pnfs(scene: &Scene) -> bool {
    Newcomer::new(scene).await.introduce().await.flags & EXCHGID4_FLAG_USE_PNFS_MDS != 0
}

/// RFC 8881 §17, §13.1: who is not a metadata server has none of them, and offers no layout types.
#[rstest]
fn they_are_not_supported_without_pnfs(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        if has_pnfs(scene).await {
            return;
        }
        let file = scene.file("file", "").await;
        for op in operations(minor) {
            let expected = [(OpNum::Putfh, NfsStat4::Ok), (op.opnum(), NfsStat4::Notsupp)];
            assert_eq!(done(&scene.call(CompoundBuilder::new().putfh(&file).op(op)).await), expected);
        }
        let attrs = scene.client.getattr(&file, &[FATTR4_FS_LAYOUT_TYPES, FATTR4_LAYOUT_TYPES]).await.unwrap();
        for types in [attrs.fs_layout_types, attrs.layout_types].into_iter().flatten() {
            assert!(types.is_empty(), "layout types without pNFS: {types:?}");
        }
    });
}

/// RFC 7862 §13: GETDEVICELIST must not be implemented in 4.2.
#[rstest]
fn getdevicelist_is_gone_from_42(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let list = operations(2).into_iter().find(|op| op.opnum() == OpNum::Getdevicelist).unwrap();
        scene.fails(scene.here().op(list), NfsStat4::Notsupp).await;
    });
}

/// RFC 8881 §12.5.2: a layout is asked for with a stateid that the client has.
#[rstest]
fn no_layout_without_a_stateid(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "").await;
        if let Some(reply) = offered(scene, &file, layoutget()).await {
            let refusals = [NfsStat4::BadStateid, NfsStat4::Layoutunavailable, NfsStat4::UnknownLayouttype];
            assert!(refusals.contains(&reply.status()), "{}", reply.status());
        }
    });
}
