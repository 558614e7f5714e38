//! Symbolic links, and hard links that are not offered.
//!
//! Operations: CREATE, READLINK

use bytes::Bytes;
use conformance::{Target, World, status};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::{FATTR4_LINK_SUPPORT, Link4Args, NfsArgop4, NfsFtype4, NfsStat4};
use pretty_assertions::assert_eq;
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_symbolic_link_keeps_its_target(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let text = "../some where/else/ü";
    let link = world.client.symlink(&world.root, "link", text).await.unwrap();
    assert_eq!(world.client.readlink(&link).await.unwrap(), Bytes::from_static(text.as_bytes()));
    let node = world.client.lookup(&world.root, "link").await.unwrap();
    assert_eq!((node.attrs.ftype, node.attrs.size), (Some(NfsFtype4::Lnk), Some(text.len() as u64)));
    if let Some(objects) = world.objects() {
        objects.expect("link", text.as_bytes()).await;
    }
    assert_eq!(status(world.client.symlink(&world.root, "link", "x").await), NfsStat4::Exist);
    // RFC 8881 §18.16.4: OPEN does not follow links; §18.24.4: READLINK reads nothing else.
    assert_eq!(status(world.client.open(&world.root, "link", OpenHow::read()).await), NfsStat4::Symlink);
    let refused = status(world.client.readlink(&world.root).await);
    assert!(matches!(refused, NfsStat4::Inval | NfsStat4::WrongType), "{refused}");
    world.client.rename(&world.root, "link", &world.root, "renamed").await.unwrap();
    assert_eq!(world.client.readlink(&link).await.unwrap(), Bytes::from_static(text.as_bytes()));
    world.client.remove(&world.root, "renamed").await.unwrap();
    world.expect_absent("renamed").await;
}

/// A server either offers hard links or says NFS4ERR_NOTSUPP, as its attribute announces.
///
/// Operations: LINK
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hard_links_are_what_link_support_says(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let node = world.client.lookup(&world.root, "file").await.unwrap();
    let offered = world.client.getattr(&node.handle, &[FATTR4_LINK_SUPPORT]).await.unwrap().link_support;
    let link = NfsArgop4::Link(Link4Args { newname: Bytes::from_static(b"second") });
    let compound = CompoundBuilder::new().putfh(&node.handle).savefh().putfh(&world.root).op(link);
    let expected = if offered == Some(true) { NfsStat4::Ok } else { NfsStat4::Notsupp };
    assert_eq!(world.client.call(compound).await.unwrap().status(), expected);
}
