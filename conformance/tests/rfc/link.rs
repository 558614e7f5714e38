//! Operations: LINK, OPENATTR, DELEGPURGE, DELEGRETURN

use bytes::Bytes;
use conformance::Target::Embedded;
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

fn link(compound: CompoundBuilder, newname: &'static str) -> CompoundBuilder {
    compound.op(NfsArgop4::Link(Link4Args { newname: Bytes::from_static(newname.as_bytes()) }))
}

/// RFC 7530 §16.9 and §5.8.1.6, RFC 8881 §18.9 and §5.8.1.6: without `link_support` there are no links, and nothing is
/// made.
#[rstest]
fn there_are_no_hard_links(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let attrs = scene.client.getattr(&scene.root, &[FATTR4_LINK_SUPPORT, FATTR4_MAXLINK]).await.unwrap();
        assert_eq!((attrs.link_support, attrs.maxlink), (Some(false), Some(1)));
        let file = scene.file("file", "x").await;
        let compound = link(CompoundBuilder::new().putfh(&file).savefh().putfh(&scene.root), "second");
        scene.fails(compound, NfsStat4::Notsupp).await;
        assert_eq!(scene.client.names(&scene.root).await.unwrap(), ["file"]);
    });
}

/// RFC 7530 §16.17 and §5.3, RFC 8881 §18.17: without named attributes there is no directory of them.
#[rstest]
fn there_are_no_named_attributes(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        assert_eq!(scene.client.getattr(&file, &[FATTR4_NAMED_ATTR]).await.unwrap().named_attr, Some(false));
        for createdir in [false, true] {
            let op = NfsArgop4::Openattr(Openattr4Args { createdir });
            scene.fails(CompoundBuilder::new().putfh(&file).op(op), NfsStat4::Notsupp).await;
        }
    });
}

/// RFC 7530 §16.5 and §16.6, RFC 8881 §18.5 and §18.6: a server that gives no delegations takes none back.
#[rstest]
fn there_are_no_delegations(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "x").await;
        let clientid = scene.client.clientid();
        let purge = NfsArgop4::Delegpurge(Delegpurge4Args { clientid });
        scene.fails(CompoundBuilder::new().op(purge), NfsStat4::Notsupp).await;
        for deleg_stateid in [Stateid4::ANONYMOUS, Stateid4 { seqid: 1, other: [7; 12] }] {
            let op = NfsArgop4::Delegreturn(Delegreturn4Args { deleg_stateid });
            scene.fails(CompoundBuilder::new().putfh(&file).op(op), NfsStat4::Notsupp).await;
        }
    });
}
