//! Share reservations (RFC 8881 §9.7).
//!
//! Operations: OPEN

use conformance::{Target, World, status};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::{
    NfsStat4, OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_DENY_BOTH, OPEN4_SHARE_DENY_NONE, OPEN4_SHARE_DENY_READ,
    OPEN4_SHARE_DENY_WRITE, StableHow4, Stateid4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_open_denies_no_other_gets(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let other = world.other_client().await;
    let cases = [
        (OPEN4_SHARE_DENY_WRITE, OpenHow::read(), OpenHow::write()),
        (OPEN4_SHARE_DENY_READ, OpenHow::write(), OpenHow::read()),
    ];
    for (deny, allowed, refused) in cases {
        let holder = world.client.open(&world.root, "file", OpenHow::both().deny(deny)).await.unwrap();
        assert_eq!(status(other.open(&world.root, "file", refused.clone()).await), NfsStat4::ShareDenied);
        other.open(&world.root, "file", allowed).await.unwrap().close().await.unwrap();
        holder.close().await.unwrap();
        other.open(&world.root, "file", refused).await.unwrap().close().await.unwrap();
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_denied_that_another_open_has(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let other = world.other_client().await;
    let reader = other.open(&world.root, "file", OpenHow::read()).await.unwrap();
    let deny = |deny| world.client.open(&world.root, "file", OpenHow::both().deny(deny));
    assert_eq!(status(deny(OPEN4_SHARE_DENY_BOTH).await), NfsStat4::ShareDenied);
    deny(OPEN4_SHARE_DENY_WRITE).await.unwrap().close().await.unwrap();
    reader.close().await.unwrap();
    deny(OPEN4_SHARE_DENY_BOTH).await.unwrap().close().await.unwrap();
}

/// RFC 8881 §18.18: OPEN_DOWNGRADE gives rights back that others then get.
///
/// Operations: OPEN_DOWNGRADE
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_downgrade_lets_others_in(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let other = world.other_client().await;
    let owner = std::sync::Arc::new(nfs_client_sim::OpenOwner::new("upgrader"));
    // A right can be given back that was got on its own: first an open for reading, then one for all.
    let open = |how: OpenHow| world.client.open(&world.root, "file", how.owner(&owner));
    open(OpenHow::read()).await.unwrap();
    let file = open(OpenHow::both().deny(OPEN4_SHARE_DENY_WRITE)).await.unwrap();
    assert_eq!(status(other.open(&world.root, "file", OpenHow::write()).await), NfsStat4::ShareDenied);
    file.downgrade(OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_DENY_NONE).await.unwrap();
    other.open(&world.root, "file", OpenHow::write()).await.unwrap().close().await.unwrap();
    assert_eq!(status(file.write_at(0, "y", StableHow4::Unstable).await), NfsStat4::Openmode);
    file.close().await.unwrap();
}

/// RFC 8881 §9.1.2: a special stateid respects share reservations.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anonymous_write_respects_a_reservation(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let other = world.other_client().await;
    let holder = world.client.open(&world.root, "file", OpenHow::both().deny(OPEN4_SHARE_DENY_WRITE)).await.unwrap();
    let write = || {
        let compound = CompoundBuilder::new().putfh(holder.handle());
        other.call(compound.write(Stateid4::ANONYMOUS, 0, StableHow4::FileSync, "y".into()))
    };
    assert_eq!(status(write().await.unwrap().write()), NfsStat4::Locked);
    let handle = holder.handle().clone();
    holder.close().await.unwrap();
    let compound = CompoundBuilder::new().putfh(&handle);
    let compound = compound.write(Stateid4::ANONYMOUS, 0, StableHow4::FileSync, "y".into());
    other.call(compound).await.unwrap().write().unwrap();
    world.expect("file", "y").await;
}
