use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn a_renamed_object_keeps_its_handle_and_bytes() {
    let world = World::new().await;
    world.foreign_put("old", "bytes").await;
    let file = world.walk("old").await.unwrap();
    world.rename("old", "new").await.unwrap();
    assert_eq!(world.walk("new").await.unwrap(), file);
    assert_eq!(world.walk("old").await, Err(FsError::NotFound));
    assert_eq!(world.read(&file).await.unwrap(), "bytes");
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("new", "bytes")]));
    let world = world.restart().await;
    assert_eq!(world.walk("new").await.unwrap(), file);
    assert_eq!(world.read(&file).await.unwrap(), "bytes");
}

#[tokio::test]
async fn a_rename_replaces_a_file_that_lives_on_while_it_is_open() {
    let world = World::new().await;
    world.foreign_put("a", "old").await;
    let old = world.walk("a").await.unwrap();
    let guard = world.fs.open(&old).await.unwrap();
    world.write("a.tmp", "new").await;
    world.rename("a.tmp", "a").await.unwrap();
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("a", "new")]));
    assert_eq!(world.read(&old).await.unwrap(), "old");
    assert_eq!(world.read(&world.walk("a").await.unwrap()).await.unwrap(), "new");
    drop(guard);
    assert_eq!(world.read(&old).await, Err(FsError::Stale));
}

#[tokio::test]
async fn two_objects_can_change_places() {
    for rounds in 1..4 {
        let world = World::with(FsConfig { linger: Duration::from_millis(30), ..impatient() }).await;
        world.foreign_put("a", "a's bytes").await;
        world.foreign_put("b", "b's bytes").await;
        for _ in 0..rounds {
            world.rename("a", "t").await.unwrap();
            world.rename("b", "a").await.unwrap();
            world.rename("t", "b").await.unwrap();
        }
        world.settle().await;
        let swapped = rounds % 2 == 1;
        let (a, b) = if swapped { ("b's bytes", "a's bytes") } else { ("a's bytes", "b's bytes") };
        assert_eq!(world.objects().await, expected(&[("a", a), ("b", b)]));
    }
}

#[tokio::test]
async fn a_name_is_free_again_after_a_rename() {
    let world = World::new().await;
    world.foreign_put("log", "old").await;
    let old = world.walk("log").await.unwrap();
    world.rename("log", "log.1").await.unwrap();
    let new = world.write("log", "new").await;
    assert_ne!(old, new);
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("log", "new"), ("log.1", "old")]));
    assert_eq!(world.read(&old).await.unwrap(), "old");
}

#[tokio::test]
async fn a_directory_moves_with_all_below_and_handles_live_on() {
    let world = World::new().await;
    world.foreign_put("old/a", "a").await;
    world.foreign_put("old/deep/b", "b").await;
    world.mkdir("old/empty").await;
    let file = world.walk("old/deep/b").await.unwrap();
    let guard = world.fs.open(&file).await.unwrap();
    world.put(&file, 1, "+").await;
    world.mkdir("into").await;
    world.rename("old", "into/new").await.unwrap();
    assert_eq!(world.walk("old").await, Err(FsError::NotFound));
    assert_eq!(world.walk("into/new/deep/b").await.unwrap(), file);
    world.put(&file, 2, "+").await;
    assert_eq!(world.read(&file).await.unwrap(), "b++");
    drop(guard);
    world.settle().await;
    let objects = [("into/", ""), ("into/new/a", "a"), ("into/new/deep/b", "b++"), ("into/new/empty/", "")];
    assert_eq!(world.objects().await, expected(&objects));
    assert_eq!(world.list("into/new", 2).await, ["a", "deep", "empty"]);
    let world = world.restart().await;
    assert_eq!(world.walk("into/new/deep/b").await.unwrap(), file);
}

#[tokio::test]
async fn a_directory_replaces_an_empty_one_only() {
    let world = World::new().await;
    world.mkdir("from").await;
    world.create("from/file").await.unwrap();
    world.mkdir("full").await;
    world.create("full/file").await.unwrap();
    world.mkdir("empty").await;
    world.create("file").await.unwrap();
    assert_eq!(world.rename("from", "full").await, Err(FsError::Exists));
    assert_eq!(world.rename("from", "file").await, Err(FsError::Exists));
    assert_eq!(world.rename("file", "empty").await, Err(FsError::Exists));
    assert_eq!(world.rename("from", "from/below").await, Err(FsError::Invalid));
    world.rename("from", "empty").await.unwrap();
    assert_eq!(world.list("empty", 10).await, ["file"]);
    assert_eq!(world.rename("nothing", "x").await, Err(FsError::NotFound));
}

#[tokio::test]
async fn a_directory_cannot_replace_one_below_itself_and_that_one_stays() {
    let world = World::new().await;
    world.mkdir("a").await;
    world.mkdir("a/b").await;
    assert_eq!(world.rename("a", "a/b").await, Err(FsError::Invalid));
    assert_eq!(world.list("a", 10).await, ["b"]);
}
