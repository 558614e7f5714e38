//! REMOVE.
//!
//! Operations: REMOVE

use conformance::{Target, World, data, status};
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::{FATTR4_SIZE, NfsStat4, StableHow4};
use pretty_assertions::assert_eq;
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_file_is_gone_and_its_handle_stale(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let node = world.client.lookup(&world.root, "file").await.unwrap();
    world.client.remove(&world.root, "file").await.unwrap();
    world.expect_absent("file").await;
    assert_eq!(status(world.client.remove(&world.root, "file").await), NfsStat4::Noent);
    assert_eq!(status(world.client.getattr(&node.handle, &[FATTR4_SIZE]).await), NfsStat4::Stale);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_file_lives_on_while_it_is_open(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let mut body = data::bytes(400_000, 31);
    world.put("file", &body).await;
    let file = world.client.open(&world.root, "file", OpenHow::both()).await.unwrap();
    world.client.remove(&world.root, "file").await.unwrap();
    world.expect_absent("file").await;
    file.write_at(100_000, "still writable", StableHow4::FileSync).await.unwrap();
    body[100_000..100_014].copy_from_slice(b"still writable");
    data::assert_same("the removed file", &file.read_to_end(4).await.unwrap(), &body);
    // A new file of the same name is another file.
    world.write("file", "another").await;
    data::assert_same("the removed file, later", &file.read_to_end(4).await.unwrap(), &body);
    file.close().await.unwrap();
    world.expect("file", "another").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_removed_before_it_is_closed_never_becomes_an_object(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let file = world.client.open(&world.root, "temporary", OpenHow::create()).await.unwrap();
    file.write_at(0, "scratch", StableHow4::FileSync).await.unwrap();
    world.client.remove(&world.root, "temporary").await.unwrap();
    assert_eq!(file.read_to_end(1).await.unwrap(), b"scratch");
    file.close().await.unwrap();
    // Whatever was on its way went before this.
    world.write("marker", "x").await;
    world.expect("marker", "x").await;
    world.expect_absent("temporary").await;
    assert_eq!(world.names().await, ["marker"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_with_something_in_it_stays(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let directory = world.client.mkdir(&world.root, "directory", 0o755).await.unwrap();
    world.client.write_file(&directory, "child", "x", 1).await.unwrap();
    assert_eq!(status(world.client.remove(&world.root, "directory").await), NfsStat4::Notempty);
    assert_eq!(world.client.read_file(&directory, "child", 1).await.unwrap(), b"x");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_child_leaves_its_directory_behind(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let objects = world.objects().unwrap();
    // A directory that is there by its child's key alone.
    objects.put("prefix/child", "x").await;
    let directory = world.client.lookup(&world.root, "prefix").await.unwrap().handle;
    world.client.remove(&directory, "child").await.unwrap();
    assert_eq!(world.client.names(&directory).await.unwrap(), [""; 0]);
    objects.expect_keys("prefix/", &["prefix/"]).await;
    assert_eq!(world.names().await, ["prefix"]);
    world.client.remove(&world.root, "prefix").await.unwrap();
    objects.expect_keys("", &[]).await;
    assert_eq!(world.names().await, [""; 0]);
}
