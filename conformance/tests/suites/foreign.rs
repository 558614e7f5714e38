//! Other S3 clients work in the same bucket.
//!
//! Operations: READ, WRITE, GETATTR, LOOKUP

use conformance::{Target, World, data};
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::{NfsStat4, StableHow4};
use pretty_assertions::assert_eq;
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_do_to_the_bucket_is_seen(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let objects = world.objects().unwrap();
    world.put("file", "first").await;
    world.put("other", "x").await;
    world.expect("file", "first").await;
    assert_eq!(world.names().await, ["file", "other"]);

    objects.put("file", "a longer second version").await;
    let stale = || async {
        let read = world.read("file").await;
        (read != b"a longer second version").then(|| String::from_utf8_lossy(&read).into_owned())
    };
    world.eventually("a replaced object", stale).await;

    objects.put("added", "y").await;
    objects.put("new/directory/file", "z").await;
    objects.delete("other").await;
    let stale = || async {
        let names = world.names().await;
        (names != ["added", "file", "new"]).then(|| format!("{names:?}"))
    };
    world.eventually("the listing", stale).await;
    let gone = || async {
        let looked_up = world.client.lookup(&world.root, "other").await;
        (looked_up.err().and_then(|error| error.status()) != Some(NfsStat4::Noent)).then(|| "is there".to_owned())
    };
    world.eventually("a deleted object", gone).await;
    let path = format!("{}/new/directory/file", world.bed.directory());
    assert_eq!(world.client.resolve(&path).await.unwrap().attrs.size, Some(1));
}

/// Design §6: reads of one open never mix two versions of an object.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_file_is_one_version_of_the_object(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let objects = world.objects().unwrap();
    let (old, new) = (data::bytes(6 << 20, 51), data::bytes(6 << 20, 52));
    objects.put("file", old.clone()).await;
    let file = world.client.open(&world.root, "file", OpenHow::read()).await.unwrap();
    let head = file.read_at(0, 1000).await.unwrap().data.into_bytes();
    data::assert_same("the beginning", &head, &old[..1000]);
    objects.put("file", new.clone()).await;
    // An error is honest, a mixture is not.
    if let Ok(whole) = file.read_to_end(4).await {
        assert!(whole == old || whole == new, "{:?}", data::difference(&whole, &old));
    }
    // RFC 7530 §10.3.1: the next open sees the new version.
    let stale = || async { data::difference(&world.read("file").await, &new) };
    world.eventually("a new open", stale).await;
    // What became of the old open is no concern any more.
    let _ = file.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_keeps_what_is_written_on_an_object(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let objects = world.objects().unwrap();
    let metadata = [("colour", "green"), ("project", "gateway")];
    objects.put_described("page.html", b"<p>one</p>", "text/html", &metadata).await;
    let file = world.client.open(&world.root, "page.html", OpenHow::both()).await.unwrap();
    file.write_at(3, "two", StableHow4::FileSync).await.unwrap();
    file.close().await.unwrap();
    world.expect("page.html", "<p>two</p>").await;
    let head = objects.head("page.html").await;
    assert_eq!(head.content_type(), Some("text/html"));
    for (name, value) in metadata {
        assert_eq!(head.metadata().unwrap().get(name).map(String::as_str), Some(value));
    }
}
