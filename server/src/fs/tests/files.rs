use pretty_assertions::assert_eq;

use super::*;
use crate::timestamp::Timestamp;

#[tokio::test]
async fn a_closed_file_is_an_object_with_its_bytes_and_attributes() {
    let world = World::new().await;
    world.mkdir("dir").await;
    world.write("dir/file", "hello").await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("dir/", ""), ("dir/file", "hello")]));
    let head = world.store.head(BUCKET, "dir/file").await.unwrap();
    assert_eq!(head.meta.user["file-permissions"], "0100644");
}

#[tokio::test]
async fn staged_bytes_and_size_are_seen_before_the_upload() {
    let world = World::with(FsConfig { linger: Duration::from_secs(3600), ..impatient() }).await;
    let file = world.write("file", "hello").await;
    assert_eq!(world.read(&file).await.unwrap(), "hello");
    assert_eq!(world.stat("file").await.unwrap().size, 5);
    assert_eq!(world.list("", 10).await, ["file"]);
    assert_eq!(world.objects().await, expected(&[]));
}

#[tokio::test]
async fn the_change_attribute_moves_with_changes_and_not_with_uploads() {
    let world = World::new().await;
    let file = world.write("file", "one").await;
    let before = world.fs.getattr(&file).await.unwrap();
    world.settle().await;
    let after = world.fs.getattr(&file).await.unwrap();
    assert_eq!(before, after);
    world.put(&file, 3, "two").await;
    let changed = world.fs.getattr(&file).await.unwrap();
    assert!(changed.change > after.change && changed.size == 6);
}

#[tokio::test]
async fn writes_into_the_middle_of_an_object_keep_the_rest() {
    let world = World::new().await;
    world.foreign_put("object", "0123456789").await;
    let file = world.walk("object").await.unwrap();
    world.put(&file, 3, "abc").await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("object", "012abc6789")]));
}

#[tokio::test]
async fn truncation_down_and_up_shows_zeros() {
    let world = World::new().await;
    world.foreign_put("object", "0123456789").await;
    let file = world.walk("object").await.unwrap();
    for size in [4, 6] {
        world.fs.setattr(&file, &SetAttributes { size: Some(size), ..ANYTHING }).await.unwrap();
    }
    assert_eq!(world.read(&file).await.unwrap(), "0123\0\0");
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("object", "0123\0\0")]));
}

#[tokio::test]
async fn a_removed_file_lives_while_it_is_open() {
    let world = World::new().await;
    world.foreign_put("clean", "clean bytes").await;
    let dirty = world.write("dirty", "dirty bytes").await;
    let clean = world.walk("clean").await.unwrap();
    let guards = [world.fs.open(&clean).await.unwrap(), world.fs.open(&dirty).await.unwrap()];
    world.remove("clean").await.unwrap();
    world.remove("dirty").await.unwrap();
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[]));
    assert_eq!(world.read(&clean).await.unwrap(), "clean bytes");
    assert_eq!(world.read(&dirty).await.unwrap(), "dirty bytes");
    assert_eq!(world.fs.getattr(&clean).await.unwrap().nlink, 0);
    drop(guards);
    assert_eq!(world.fs.getattr(&clean).await, Err(FsError::Stale));
    assert_eq!(world.fs.getattr(&dirty).await, Err(FsError::Stale));
}

#[tokio::test]
async fn a_name_made_anew_is_another_file() {
    let world = World::new().await;
    let old = world.write("file", "old").await;
    world.remove("file").await.unwrap();
    let new = world.write("file", "new").await;
    assert_ne!(old, new);
    assert_eq!(world.read(&old).await, Err(FsError::Stale));
    assert_eq!(world.read(&new).await.unwrap(), "new");
}

#[tokio::test]
async fn exclusive_create_knows_its_own_retry() {
    let world = World::new().await;
    let root = world.root().await;
    let create = async |verifier| {
        let how = CreateHow::Exclusive(verifier);
        world.fs.create(&root, "file", how, &ANYTHING, &Caller::default()).await
    };
    let made = create(*b"verifier").await.unwrap();
    assert_eq!(create(*b"verifier").await.unwrap().node, made.node);
    assert_eq!(create(*b"another!").await, Err(FsError::Exists));
    assert_eq!(world.create("file").await, Err(FsError::Exists));
}

#[tokio::test]
async fn links_are_objects_that_hold_their_target() {
    let world = World::new().await;
    let root = world.root().await;
    world.fs.symlink(&root, "link", "to/somewhere", &ANYTHING, &Caller::default()).await.unwrap();
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("link", "to/somewhere")]));
    let world = world.restart().await;
    let link = world.walk("link").await.unwrap();
    assert_eq!(&world.fs.readlink(&link).await.unwrap()[..], b"to/somewhere");
    assert_eq!(world.stat("link").await.unwrap().kind, NodeKind::Symlink);
}

#[tokio::test]
async fn attributes_set_on_an_object_reach_the_bucket_and_leave_its_own_headers() {
    let world = World::new().await;
    let mut meta = ObjectMeta { content_type: Some("text/x".to_owned()), ..ObjectMeta::default() };
    meta.user.insert("custom".to_owned(), "kept".to_owned());
    world.store.put(BUCKET, "object", "bytes".into(), &meta, &Condition::Always).await.unwrap();
    let file = world.walk("object").await.unwrap();
    let mtime = Timestamp::new(1_000_000_000, 5).unwrap();
    let set = SetAttributes { mode: Some(0o640), uid: Some(12), mtime: Some(SetTime::To(mtime)), ..ANYTHING };
    world.fs.setattr(&file, &set).await.unwrap();
    world.settle().await;
    let head = world.store.head(BUCKET, "object").await.unwrap();
    assert_eq!(head.meta.content_type.as_deref(), Some("text/x"));
    assert_eq!(head.meta.user["custom"], "kept");
    let world = world.restart().await;
    let seen = world.stat("object").await.unwrap();
    assert_eq!((seen.mode, seen.uid, seen.mtime, seen.size), (0o640, 12, mtime, 5));
}

#[tokio::test]
async fn an_open_file_reaches_the_bucket_after_its_dirty_age() {
    let world = World::with(FsConfig { dirty_age_max: Duration::from_millis(20), ..impatient() }).await;
    let file = world.create("log").await.unwrap();
    let guard = world.fs.open(&file).await.unwrap();
    world.put(&file, 0, "line 1\n").await;
    while world.objects().await != expected(&[("log", "line 1\n")]) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.put(&file, 7, "line 2\n").await;
    drop(guard);
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("log", "line 1\nline 2\n")]));
}

#[tokio::test]
async fn what_is_made_in_a_set_gid_directory_has_its_group() {
    let world = World::new().await;
    let set = SetAttributes { mode: Some(0o2775), gid: Some(77), ..ANYTHING };
    let dir = world.mkdir("dir").await;
    world.fs.setattr(&dir, &set).await.unwrap();
    let caller = Caller { uid: 1, gid: 2, groups: Vec::new() };
    world.fs.mkdir(&dir, "sub", &SetAttributes { mode: Some(0o755), ..ANYTHING }, &caller).await.unwrap();
    world.fs.create(&dir, "file", CreateHow::Guarded, &ANYTHING, &caller).await.unwrap();
    world
        .fs
        .create(&dir, "own", CreateHow::Guarded, &SetAttributes { gid: Some(9), ..ANYTHING }, &caller)
        .await
        .unwrap();
    for (path, gid, mode) in [("dir/sub", 77, 0o2755), ("dir/file", 77, 0o644), ("dir/own", 9, 0o644)] {
        let seen = world.stat(path).await.unwrap();
        assert_eq!((seen.gid, seen.mode), (gid, mode), "{path}");
    }
}

/// NFS4ERR_ROFS is better than bytes that stay on this machine for ever.
#[tokio::test]
async fn a_store_that_may_only_be_read_refuses_every_change() {
    let world = World::with_capabilities(impatient(), Capabilities::default()).await;
    world.foreign_put("dir/file", "content").await;
    let (dir, file) = (world.walk("dir").await.unwrap(), world.walk("dir/file").await.unwrap());
    let (fs, caller) = (&world.fs, Caller::default());
    let changes = [
        fs.create(&dir, "new", CreateHow::Guarded, &ANYTHING, &caller).await.map(drop),
        fs.mkdir(&dir, "new", &ANYTHING, &caller).await.map(drop),
        fs.symlink(&dir, "new", "target", &ANYTHING, &caller).await.map(drop),
        fs.write(&file, 0, "new".into(), Stability::Unstable).await.map(drop),
        fs.setattr(&file, &SetAttributes { mode: Some(0o600), ..ANYTHING }).await,
        fs.remove(&dir, "file").await.map(drop),
        fs.rename(&dir, "file", &dir, "new").await.map(drop),
    ];
    assert_eq!(changes, [const { Err(FsError::ReadOnly) }; 7]);
    assert_eq!(world.read(&file).await.unwrap(), "content");
    assert_eq!(world.list("dir", 10).await, ["file"]);
    assert_eq!(fs.pending(), 0);
    assert_eq!(std::fs::read_dir(world.state.path().join("staging")).unwrap().count(), 0);
}
