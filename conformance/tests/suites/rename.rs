//! RENAME.
//!
//! Operations: RENAME

use conformance::{Target, World, data, status};
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::NfsStat4;
use pretty_assertions::assert_eq;
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_keeps_its_identity_under_its_new_name(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let (client, root) = (&world.client, &world.root);
    let body = data::bytes(300_000, 21);
    world.put("old", &body).await;
    let before = client.lookup(root, "old").await.unwrap();
    client.rename(root, "old", root, "new").await.unwrap();
    let after = client.lookup(root, "new").await.unwrap();
    assert_eq!(after.attrs.fileid, before.attrs.fileid);
    // The filehandle from before goes on working.
    let by_handle = client.getattr(&before.handle, nfs_client_sim::USUAL_ATTRIBUTES).await.unwrap();
    assert_eq!(by_handle.fileid, before.attrs.fileid);
    assert_eq!(world.names().await, ["new"]);
    world.expect("new", &body).await;
    world.expect_absent("old").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_replaces_another(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("a", "content of a").await;
    world.put("b", "content of b").await;
    world.client.rename(&world.root, "a", &world.root, "b").await.unwrap();
    assert_eq!(world.names().await, ["b"]);
    world.expect("b", "content of a").await;
    world.expect_absent("a").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_is_renamed_before_it_is_in_the_bucket(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let body = data::bytes(2 << 20, 22);
    world.put("document", "old version").await;
    // As editors save: a new file, then renamed over the old one.
    world.write("document~", &body).await;
    world.client.rename(&world.root, "document~", &world.root, "document").await.unwrap();
    world.expect("document", &body).await;
    world.expect_absent("document~").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_file_lives_on_while_it_is_open(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let old = data::bytes(200_000, 23);
    world.put("a", "new content").await;
    world.put("b", &old).await;
    let open = world.client.open(&world.root, "b", OpenHow::read()).await.unwrap();
    world.client.rename(&world.root, "a", &world.root, "b").await.unwrap();
    data::assert_same("the open file", &open.read_to_end(4).await.unwrap(), &old);
    world.expect("b", "new content").await;
    data::assert_same("the open file, later", &open.read_to_end(4).await.unwrap(), &old);
    open.close().await.unwrap();
    world.expect("b", "new content").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_open_for_writing_is_renamed(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let body = data::bytes(1 << 20, 24);
    let open = world.client.open(&world.root, "a", OpenHow::create()).await.unwrap();
    open.write_range(0, &body[..500_000].to_vec().into(), 2).await.unwrap();
    world.client.rename(&world.root, "a", &world.root, "b").await.unwrap();
    open.write_range(500_000, &body[500_000..].to_vec().into(), 2).await.unwrap();
    open.close().await.unwrap();
    world.expect("b", &body).await;
    world.expect_absent("a").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_moves_with_all_that_is_in_it(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let (client, root) = (&world.client, &world.root);
    let from = client.mkdir(root, "from", 0o755).await.unwrap();
    let inner = client.mkdir(&from, "inner", 0o755).await.unwrap();
    let to = client.mkdir(root, "to", 0o755).await.unwrap();
    for number in 0..30 {
        client.write_file(&inner, format!("{number}"), format!("content {number}"), 1).await.unwrap();
    }
    let open = client.open(&inner, "open", OpenHow::create()).await.unwrap();
    open.write_range(0, &"first ".into(), 1).await.unwrap();

    client.rename(root, "from", &to, "moved").await.unwrap();
    assert_eq!(status(client.lookup(root, "from").await), NfsStat4::Noent);
    // Handles from before lead to the new place, and files in it stay open.
    assert_eq!(client.read_file(&inner, "7", 1).await.unwrap(), b"content 7");
    open.write_range(6, &"second".into(), 1).await.unwrap();
    open.close().await.unwrap();
    let moved = client.lookup(&to, "moved").await.unwrap().handle;
    assert_eq!(moved, from);
    let inner = client.lookup(&moved, "inner").await.unwrap().handle;
    assert_eq!(client.names(&inner).await.unwrap().len(), 31);
    for number in 0..30 {
        let content = client.read_file(&inner, format!("{number}"), 1).await.unwrap();
        assert_eq!(content, format!("content {number}").as_bytes());
    }
    if let Some(objects) = world.objects() {
        objects.expect("to/moved/inner/29", b"content 29").await;
        objects.expect("to/moved/inner/open", b"first second").await;
        objects.expect_keys("from", &[]).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_renamed_is_said_why(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let (client, root) = (&world.client, &world.root);
    world.put("file", "x").await;
    let full = client.mkdir(root, "full", 0o755).await.unwrap();
    client.write_file(&full, "child", "y", 1).await.unwrap();
    client.mkdir(root, "empty", 0o755).await.unwrap();
    assert_eq!(status(client.rename(root, "nothing", root, "new").await), NfsStat4::Noent);
    // RFC 8881 §18.26.3: a directory replaces an empty directory only, and types must agree.
    let not_empty = status(client.rename(root, "empty", root, "full").await);
    assert!(matches!(not_empty, NfsStat4::Exist | NfsStat4::Notempty), "{not_empty}");
    for (old, new) in [("file", "empty"), ("empty", "file")] {
        let refused = status(client.rename(root, old, root, new).await);
        assert!(matches!(refused, NfsStat4::Exist | NfsStat4::Notdir | NfsStat4::Isdir), "{old} {new}: {refused}");
    }
    assert_eq!(status(client.rename(root, "full", &full, "inside").await), NfsStat4::Inval);
    client.rename(root, "full", root, "empty").await.unwrap();
    client.rename(root, "file", root, "file").await.unwrap();
    assert_eq!(world.names().await, ["empty", "file"]);
}
