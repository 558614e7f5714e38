use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn what_another_client_writes_is_seen() {
    let world = World::new().await;
    world.foreign_put("dir/file", "one").await;
    let file = world.walk("dir/file").await.unwrap();
    let (dir, before) = (world.stat("dir").await.unwrap(), world.stat("dir/file").await.unwrap());
    world.foreign_put("dir/file", "three").await;
    world.foreign_put("dir/more", "").await;
    let after = world.stat("dir/file").await.unwrap();
    assert!(after.change > before.change && after.size == 5);
    assert_eq!(world.read(&file).await.unwrap(), "three");
    assert!(world.stat("dir").await.unwrap().change > dir.change);
    assert_eq!(world.list("dir", 10).await, ["file", "more"]);
}

#[tokio::test]
async fn attributes_do_not_move_when_nothing_does() {
    let world = World::new().await;
    world.foreign_put("dir/file", "one").await;
    world.mkdir("new").await;
    world.settle().await;
    for path in ["", "dir", "dir/file", "new"] {
        let before = world.stat(path).await.unwrap();
        assert_eq!(before, world.stat(path).await.unwrap(), "{path}");
    }
}

#[tokio::test]
async fn what_another_client_deletes_is_gone() {
    let world = World::new().await;
    world.foreign_put("dir/file", "one").await;
    let (dir, file) = (world.walk("dir").await.unwrap(), world.walk("dir/file").await.unwrap());
    world.foreign_delete("dir/file").await;
    assert_eq!(world.fs.getattr(&file).await, Err(FsError::Stale));
    assert_eq!(world.fs.getattr(&dir).await, Err(FsError::Stale));
    assert_eq!(world.walk("dir").await, Err(FsError::NotFound));
}

#[tokio::test]
async fn a_conflict_leaves_both_versions() {
    let world = World::with(FsConfig { linger: Duration::from_secs(3600), ..impatient() }).await;
    world.foreign_put("file", "first").await;
    let file = world.walk("file").await.unwrap();
    let set = SetAttributes { size: Some(0), ..ANYTHING };
    world.fs.setattr(&file, &set).await.unwrap();
    world.put(&file, 0, "ours").await;
    world.foreign_put("file", "theirs").await;
    world.settle().await;
    let objects = world.objects().await;
    assert_eq!(objects["file"], "theirs");
    let saved: Vec<_> = objects.iter().filter(|(key, _)| key.starts_with("file.conflict-")).collect();
    assert!(matches!(saved[..], [(_, ours)] if ours == "ours"), "{objects:?}");
    assert_eq!(world.read(&file).await.unwrap(), "theirs");
    assert_eq!(world.list("", 10).await.len(), 2);
}

#[tokio::test]
async fn a_rename_onto_what_another_client_just_made_loses_nothing() {
    let world = World::with(FsConfig { linger: Duration::from_secs(3600), ..impatient() }).await;
    world.foreign_put("mine", "mine").await;
    world.rename("mine", "name").await.unwrap();
    world.foreign_put("name", "theirs").await;
    world.settle().await;
    let objects = world.objects().await;
    assert_eq!(objects["name"], "theirs");
    assert!(objects.iter().any(|(key, bytes)| key.starts_with("name.conflict-") && bytes == "mine"), "{objects:?}");
}

#[tokio::test]
async fn a_file_removed_here_and_replaced_there_stays() {
    let world = World::with(FsConfig { linger: Duration::from_secs(3600), ..impatient() }).await;
    world.foreign_put("file", "old").await;
    world.walk("file").await.unwrap();
    world.give_up.cancel();
    world.remove("file").await.unwrap();
    world.foreign_put("file", "new").await;
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("file", "new")]));
    assert_eq!(world.list("", 10).await, ["file"]);
}
