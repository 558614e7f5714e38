//! The crate nfs-rs, a client in Rust (NFSv4.0, 4.1, 4.2).

use bytes::Bytes;
use conformance::{Target, World, data};
use futures::StreamExt;
use nfs_rs::{Mount, OPEN_READ};
use pretty_assertions::assert_eq;
use rstest::rstest;

const WRITE_LOCK: u32 = 2;

async fn mount(world: &World, minor: u32) -> Box<dyn Mount> {
    let addr = world.bed.addr();
    let directory = world.bed.directory();
    let url = format!("nfs://{addr}{directory}?version=4.{minor}&noresvport=true&uid=0&gid=0");
    nfs_rs::parse_url_and_mount(&url).await.unwrap()
}

async fn names(mount: &dyn Mount, directory: &str) -> Vec<String> {
    let stream = mount.readdir_path(directory).await.unwrap();
    let mut names: Vec<_> = stream.map(|entry| entry.unwrap().file_name).collect().await;
    names.sort();
    names
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_writes_is_the_object(#[values(0, 1, 2)] minor: u32) {
    let world = World::new(Target::Embedded, minor).await.unwrap();
    let mount = mount(&world, minor).await;
    let body = Bytes::from(data::bytes((5 << 20) + 77, 8));
    let created = mount.create_path("written", Some(0o640)).await.unwrap();
    nfs_rs::write_all(&*mount, created.fh.clone(), 0, body.clone()).await.unwrap();
    mount.close(created.fh).await.unwrap();
    world.expect("written", &body).await;
    let attributes = mount.getattr_path("written").await.unwrap();
    assert_eq!((attributes.filesize, attributes.file_mode & 0o7777), (body.len() as u64, 0o640));
    mount.umount().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_reads_is_the_object(#[values(0, 1, 2)] minor: u32) {
    let world = World::new(Target::Embedded, minor).await.unwrap();
    let body = data::bytes((3 << 20) + 5, 9);
    world.put("object", &body).await;
    let mount = mount(&world, minor).await;
    let opened = mount.open_path("object", OPEN_READ).await.unwrap();
    let mut got = Vec::new();
    while got.len() < body.len() {
        let part = mount.read(opened.fh.clone(), got.len() as u64, 1 << 20).await.unwrap();
        assert!(!part.is_empty(), "the end came at {}", got.len());
        got.extend_from_slice(&part);
    }
    mount.close(opened.fh).await.unwrap();
    data::assert_same("object", &got, &body);
    mount.umount().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tree_changes_as_it_says(#[values(0, 1, 2)] minor: u32) {
    let world = World::new(Target::Embedded, minor).await.unwrap();
    let keys = (0..700).map(|number| format!("many/object-{number:03}")).collect::<Vec<_>>();
    world.objects().unwrap().put_all(keys.clone()).await;
    let mount = mount(&world, minor).await;
    let expected: Vec<_> = keys.iter().map(|key| key.trim_start_matches("many/").to_owned()).collect();
    assert_eq!(names(&*mount, "many").await, expected);

    mount.mkdir_path("directory", 0o755).await.unwrap();
    mount.symlink_path("target", "directory/link").await.unwrap();
    assert_eq!(mount.readlink_path("directory/link").await.unwrap(), "target");
    mount.rename_path("many/object-000", "directory/moved").await.unwrap();
    mount.setattr_path("directory/moved", false, Some(0o600), None, None, Some(4), None, None).await.unwrap();
    mount.remove_path("many/object-001").await.unwrap();
    assert_eq!(names(&*mount, "directory").await, ["link", "moved"]);
    mount.umount().await.unwrap();

    let objects = world.objects().unwrap();
    objects.expect("directory/moved", b"many").await;
    objects.expect_absent("many/object-000").await;
    objects.expect_absent("many/object-001").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_locks_exclude_another_client(#[values(0, 1, 2)] minor: u32) {
    let world = World::new(Target::Embedded, minor).await.unwrap();
    world.write("file", "locked").await;
    let (first, second) = (mount(&world, minor).await, mount(&world, minor).await);
    let held = first.open_path_stateful("file", nfs_rs::OPEN_BOTH).await.unwrap();
    let wanted = second.open_path_stateful("file", nfs_rs::OPEN_BOTH).await.unwrap();
    let lock = first.lock_open_stateful(&held, WRITE_LOCK, 0, 10).await.unwrap();
    second.lock_open_stateful(&wanted, WRITE_LOCK, 5, 10).await.unwrap_err();
    first.unlock_stateful(lock).await.unwrap();
    let lock = second.lock_open_stateful(&wanted, WRITE_LOCK, 5, 10).await.unwrap();
    second.unlock_stateful(lock).await.unwrap();
    first.close_stateful(held).await.unwrap();
    second.close_stateful(wanted).await.unwrap();
    first.umount().await.unwrap();
    second.umount().await.unwrap();
}
