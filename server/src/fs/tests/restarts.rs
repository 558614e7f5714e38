use pretty_assertions::assert_eq;

use super::*;

fn patient() -> FsConfig {
    let long = Duration::from_secs(3600);
    FsConfig { linger: long, dirty_age_max: long, ..impatient() }
}

#[tokio::test]
async fn synced_bytes_are_there_after_a_crash_and_reach_the_bucket() {
    let world = World::with(patient()).await;
    world.mkdir("dir").await;
    let file = world.write("dir/file", "synced").await;
    let world = world.restart().await;
    assert_eq!(world.objects().await, expected(&[]));
    assert_eq!(world.walk("dir/file").await.unwrap(), file);
    assert_eq!(world.read(&file).await.unwrap(), "synced");
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("dir/", ""), ("dir/file", "synced")]));
}

#[tokio::test]
async fn removals_and_renames_hold_after_a_crash() {
    let world = World::with(patient()).await;
    for key in ["gone", "moved", "dir/file"] {
        world.foreign_put(key, key).await;
    }
    let moved = world.walk("moved").await.unwrap();
    world.remove("gone").await.unwrap();
    world.rename("moved", "dir/here").await.unwrap();
    let world = world.restart().await;
    assert_eq!(world.list("", 10).await, ["dir"]);
    assert_eq!(world.list("dir", 10).await, ["file", "here"]);
    assert_eq!(world.walk("dir/here").await.unwrap(), moved);
    assert_eq!(world.read(&moved).await.unwrap(), "moved");
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("dir/file", "dir/file"), ("dir/here", "moved")]));
}

#[tokio::test]
async fn handles_of_directories_are_good_after_a_restart() {
    let world = World::new().await;
    world.foreign_put("a/b/c/file", "x").await;
    let dir = world.walk("a/b/c").await.unwrap();
    let file = world.walk("a/b/c/file").await.unwrap();
    let world = world.restart().await;
    assert_eq!(world.fs.lookup(&dir, "file").await.unwrap().handle, file);
    assert_eq!(world.read(&file).await.unwrap(), "x");
    let up = world.fs.parent(&dir).await.unwrap().handle;
    assert_eq!(world.walk("a/b").await.unwrap(), up);
}

#[tokio::test]
async fn the_write_verifier_moves_with_a_restart() {
    let world = World::new().await;
    let file = world.write("file", "x").await;
    let before = world.fs.commit(&file).await.unwrap();
    assert_eq!(before, world.fs.commit(&file).await.unwrap());
    let world = world.restart().await;
    assert_ne!(before, world.fs.commit(&file).await.unwrap());
}

#[tokio::test]
async fn a_stop_uploads_what_is_dirty() {
    let world = World::with(patient()).await;
    let file = world.write("file", "bytes").await;
    let _guard = world.fs.open(&file).await.unwrap();
    world.stop.cancel();
    assert_eq!(world.syncing.await.unwrap(), 0);
    assert_eq!(world.store.head(BUCKET, "file").await.unwrap().info.size, 5);
}
