//! The gateway stops, as on SIGTERM, and starts again on the same state.
//!
//! Operations: OPEN, READDIR, READ

use conformance::{Target, World, data};
use nfs_client_sim::{CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::{NfsStat4, Open4Args, OpenClaim4, StableHow4};
use pretty_assertions::assert_eq;
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_and_listings_outlive_a_restart(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(mut world) = World::new(target, minor).await else { return };
    let client = world.client.clone();
    let directory = client.mkdir(&world.root, "directory", 0o755).await.unwrap();
    client.write_file(&directory, "file", "content", 1).await.unwrap();
    client.write_file(&directory, "renamed later", "second", 1).await.unwrap();
    client.rename(&directory, "renamed later", &directory, "renamed").await.unwrap();
    let before = client.lookup(&directory, "file").await.unwrap();
    let renamed = client.lookup(&directory, "renamed").await.unwrap();
    world.bed.stop().await;
    world.bed.start().await;
    client.recover().await.unwrap();
    client.reclaim_complete().await.unwrap();
    for (name, node) in [("file", &before), ("renamed", &renamed)] {
        let after = client.lookup(&directory, name).await.unwrap();
        assert_eq!((&after.handle, after.attrs.fileid), (&node.handle, node.attrs.fileid), "{name}");
    }
    assert_eq!(client.names(&directory).await.unwrap(), ["file", "renamed"]);
    assert_eq!(client.read_file(&directory, "file", 1).await.unwrap(), b"content");
    assert_eq!(client.read_file(&directory, "renamed", 1).await.unwrap(), b"second");
}

/// RFC 8881 §8.4.2: opens are reclaimed, and nobody gets in between.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_files_are_reclaimed(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(mut world) = World::new(target, minor).await else { return };
    let mut body = data::bytes(1_000_000, 61);
    world.put("file", &body).await;
    let file = world.client.open(&world.root, "file", OpenHow::both()).await.unwrap();
    file.write_stable(10, &"before".into(), 1).await.unwrap();
    body[10..16].copy_from_slice(b"before");
    world.bed.stop().await;
    world.bed.start().await;
    world.client.recover().await.unwrap();

    let other = world.other_client().await;
    let owner = nfs_client_sim::OpenOwner::new("newcomer");
    let args = other.open_args(OpenClaim4::Null("file".into()), &owner, &OpenHow::read());
    let open = CompoundBuilder::new().putfh(&world.root).open(Open4Args { seqid: 1, ..args });
    assert_eq!(other.call(open).await.unwrap().status(), NfsStat4::Grace);

    file.reclaim().await.unwrap();
    world.client.reclaim_complete().await.unwrap();
    data::assert_same("after the restart", &file.read_to_end(4).await.unwrap(), &body);
    file.write_stable(20, &"after".into(), 1).await.unwrap();
    body[20..25].copy_from_slice(b"after");
    file.close().await.unwrap();
    world.expect("file", &body).await;
    // Grace ends, and everybody gets in.
    other.open(&world.root, "file", OpenHow::read()).await.unwrap().close().await.unwrap();
}

/// RFC 8881 §18.32.3: what was not committed may be lost by a restart, and the verifier says so; what was is not lost.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stable_data_of_open_files_is_kept(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(mut world) = World::new(target, minor).await else { return };
    let file = world.client.open(&world.root, "file", OpenHow::create()).await.unwrap();
    let before = file.write_at(0, "stable", StableHow4::FileSync).await.unwrap().writeverf;
    world.bed.stop().await;
    world.bed.start().await;
    world.client.recover().await.unwrap();
    file.reclaim().await.unwrap();
    world.client.reclaim_complete().await.unwrap();
    assert_eq!(file.read_to_end(1).await.unwrap(), b"stable");
    let after = file.write_at(6, " and more", StableHow4::Unstable).await.unwrap().writeverf;
    assert_ne!(before, after);
    file.commit().await.unwrap();
    file.close().await.unwrap();
    world.expect("file", "stable and more").await;
}

/// RFC 8881 §8.4.2.1: state from before a restart is not taken for present state.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_reclaimed_is_gone(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(mut world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let file = world.client.open(&world.root, "file", OpenHow::both()).await.unwrap();
    world.bed.stop().await;
    world.bed.start().await;
    // The connection is gone, and the server of the new one does not know the client.
    assert!(world.client.renew().await.unwrap_err().is_lost());
    world.client.reconnect().await.unwrap();
    let refused = conformance::status(world.client.renew().await);
    assert_eq!(refused, if minor == 0 { NfsStat4::StaleClientid } else { NfsStat4::Badsession });
    world.client.recover().await.unwrap();
    let read = CompoundBuilder::new().putfh(file.handle()).read(file.stateid(), 0, 1);
    let refused = world.client.call(read).await.unwrap().status();
    assert!(matches!(refused, NfsStat4::StaleStateid | NfsStat4::BadStateid), "{refused}");
}
