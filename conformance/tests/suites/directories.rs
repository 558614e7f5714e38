//! Making, listing and walking directories.
//!
//! Operations: CREATE, READDIR, LOOKUP, LOOKUPP

use std::collections::BTreeSet;

use conformance::{Target, World, status};
use futures::TryStreamExt;
use nfs_client_sim::{ListingSize, OpenHow};
use nfs4_protocol::nfs4::{Entry4, FATTR4_RDATTR_ERROR, FATTR4_SIZE, FATTR4_TYPE, NfsFtype4, NfsStat4, Verifier4};
use pretty_assertions::assert_eq;
use rstest::rstest;

/// Small READDIRs: some twenty entries each.
const SMALL: ListingSize = ListingSize { dircount: 512, maxcount: 1024 };

fn names(entries: &[Entry4]) -> Vec<String> {
    entries.iter().map(|entry| String::from_utf8(entry.name.to_vec()).unwrap()).collect()
}

/// A world with `count` files in the directory `full`.
async fn full(target: Target, minor: u32, count: usize) -> Option<(World, nfs4_protocol::nfs4::NfsFh4, Vec<String>)> {
    let world = World::new(target, minor).await?;
    let files: Vec<String> = (0..count).map(|number| format!("file {number:05}")).collect();
    let full = world.client.mkdir(&world.root, "full", 0o755).await.unwrap();
    match world.objects() {
        Some(objects) => objects.put_all(files.iter().map(|name| format!("full/{name}")).collect()).await,
        None => {
            for name in &files {
                world.client.open(&full, name, OpenHow::create()).await.unwrap().close().await.unwrap();
            }
        }
    }
    let complete = || async {
        let listed = world.client.names(&full).await.unwrap().len();
        (listed != count).then(|| format!("{listed} names"))
    };
    world.eventually("the listing", complete).await;
    Some((world, full, files))
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_entries_are_listed_once_each(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some((world, full, files)) = full(target, minor, 2_500).await else { return };
    let entries = world.client.readdir(&full, SMALL, &[FATTR4_TYPE, FATTR4_SIZE, FATTR4_RDATTR_ERROR]);
    let entries: Vec<Entry4> = entries.try_collect().await.unwrap();
    let mut listed = names(&entries);
    listed.sort();
    assert_eq!(listed, files);
    for entry in &entries {
        let attrs = entry.attrs.parse().unwrap();
        assert_eq!((attrs.ftype, attrs.rdattr_error), (Some(NfsFtype4::Reg), Some(NfsStat4::Ok)));
    }
    // RFC 8881 §18.23.3: cookies 1 and 2 are not used.
    let cookies: BTreeSet<u64> = entries.iter().map(|entry| entry.cookie).collect();
    assert!(cookies.len() == files.len() && cookies.first() > Some(&2));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_goes_on_while_its_entries_are_deleted(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some((world, full, files)) = full(target, minor, 300).await else { return };
    let mut seen = Vec::new();
    let mut entries = std::pin::pin!(world.client.readdir(&full, SMALL, &[]));
    while let Some(entry) = entries.try_next().await.unwrap() {
        world.client.remove(&full, &entry.name).await.unwrap();
        seen.extend(names(&[entry]));
    }
    seen.sort();
    assert_eq!(seen, files);
    assert_eq!(world.client.names(&full).await.unwrap(), [""; 0]);
    world.client.remove(&world.root, "full").await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_resumes_after_a_name_that_is_gone(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some((world, full, files)) = full(target, minor, 100).await else { return };
    let page = |cookie, verifier| world.client.readdir_page(&full, cookie, verifier, SMALL, &[]);
    let first = page(0, Verifier4::default()).await.unwrap();
    assert!(!first.reply.eof && !first.reply.entries.is_empty());
    let last = first.reply.entries.last().unwrap();
    world.client.remove(&full, &last.name).await.unwrap();
    // The client's verifier and an empty one are both good: nothing makes cookies invalid.
    let verifiers =
        if world.objects().is_some() { vec![first.cookieverf, Verifier4::default()] } else { vec![first.cookieverf] };
    for verifier in verifiers {
        let mut listed = names(&first.reply.entries);
        let mut at = last.cookie;
        loop {
            let next = page(at, verifier).await.unwrap();
            listed.extend(names(&next.reply.entries));
            at = next.reply.entries.last().map_or(at, |entry| entry.cookie);
            if next.reply.eof {
                break;
            }
        }
        listed.sort();
        assert_eq!(listed, files);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn directories_are_made_and_removed(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let client = &world.client;
    let mut at = world.root.clone();
    for depth in 0..20 {
        at = client.mkdir(&at, format!("d{depth}"), 0o755).await.unwrap();
    }
    client.write_file(&at, "leaf", "x", 1).await.unwrap();
    assert_eq!(status(client.mkdir(&world.root, "d0", 0o755).await), NfsStat4::Exist);
    let path: String = (0..20).map(|depth| format!("d{depth}/")).collect();
    if let Some(objects) = world.objects() {
        objects.expect(&format!("{path}leaf"), b"x").await;
        let found = client.resolve(&format!("{}/{path}leaf", world.bed.directory())).await.unwrap();
        assert_eq!(found.attrs.size, Some(1));
    }
    client.remove(&at, "leaf").await.unwrap();
    for depth in (0..20).rev() {
        let parent = (0..depth).map(|depth| format!("d{depth}"));
        let mut at = world.root.clone();
        for name in parent {
            at = client.lookup(&at, name).await.unwrap().handle;
        }
        client.remove(&at, format!("d{depth}")).await.unwrap();
    }
    assert_eq!(world.names().await, [""; 0]);
    if let Some(objects) = world.objects() {
        objects.expect_keys("", &[]).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_directory_is_a_marker(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let objects = world.objects().unwrap();
    world.client.mkdir(&world.root, "empty", 0o755).await.unwrap();
    objects.expect("empty/", b"").await;
    world.client.remove(&world.root, "empty").await.unwrap();
    objects.expect_absent("empty/").await;
}

/// RFC 8881 §18.14: LOOKUPP goes to the parent, also across the root of a bucket; the root of the server has none.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_parent_of_a_bucket_is_the_root(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let up = |at| {
        let compound = nfs_client_sim::CompoundBuilder::new().putfh(at).lookupp().getfh();
        world.client.call(compound)
    };
    let root = world.client.root().await.unwrap();
    let directory = world.client.mkdir(&world.root, "d", 0o755).await.unwrap();
    assert_eq!(up(&directory).await.unwrap().getfh().unwrap(), world.root);
    assert_eq!(up(&world.root).await.unwrap().getfh().unwrap(), root.handle);
    assert_eq!(status(up(&root.handle).await.unwrap().getfh()), NfsStat4::Noent);
    let bucket = world.bed.directory().trim_start_matches('/');
    assert!(world.client.names(&root.handle).await.unwrap().iter().any(|name| name == bucket));
    let inside = world.client.resolve(world.bed.directory()).await.unwrap();
    assert_ne!(inside.attrs.fsid, root.attrs.fsid);
}
