//! Keys that other S3 clients made and that are no good as names.
//!
//! Operations: LOOKUP, READDIR

use std::collections::BTreeMap;

use conformance::{Target, World};
use futures::future::{BoxFuture, FutureExt};
use nfs_client_sim::{Client, Node};
use nfs4_protocol::nfs4::{NfsFh4, NfsFtype4};
use pretty_assertions::assert_eq;
use rstest::rstest;

/// All files below a directory: content and path.
fn files<'a>(client: &'a Client, directory: &'a NfsFh4, path: String) -> BoxFuture<'a, BTreeMap<String, String>> {
    async move {
        let mut found = BTreeMap::new();
        for name in client.names(directory).await.unwrap() {
            let path = format!("{path}/{name}");
            let node = client.lookup(directory, &name).await;
            let Node { handle, attrs } = node.unwrap_or_else(|error| panic!("{path}: {error}"));
            if attrs.ftype == Some(NfsFtype4::Dir) {
                found.extend(files(client, &handle, path).await);
            } else {
                let content = client.read_file(directory, &name, 1).await.unwrap();
                assert_eq!(attrs.size, Some(content.len() as u64), "{path}");
                found.insert(String::from_utf8(content).unwrap(), path);
            }
        }
        found
    }
    .boxed()
}

/// All files of the world, as soon as their contents are the expected ones, which are sorted.
async fn all_files(world: &World, expected: &[String]) -> BTreeMap<String, String> {
    let wrong = || async {
        let found = files(&world.client, &world.root, String::new()).await;
        let contents: Vec<&String> = found.keys().collect();
        (contents != expected.iter().collect::<Vec<_>>()).then(|| format!("are {found:?}, expected {expected:?}"))
    };
    world.eventually("all files", wrong).await;
    files(&world.client, &world.root, String::new()).await
}

/// Not with MinIO, which keeps objects in folders and refuses such a pair.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_beside_a_directory_of_its_name_stays_reachable(
    #[values(Target::Embedded)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let objects = world.objects().unwrap();
    objects.put("a", "the object").await;
    objects.put("a/b", "inside").await;
    let found = all_files(&world, &["inside".to_owned(), "the object".to_owned()]).await;
    assert_eq!(found["inside"], "/a/b");
    let escaped = found["the object"].trim_start_matches('/');
    world.write(escaped, "edited object").await;
    objects.expect("a", b"edited object").await;
    objects.expect("a/b", b"inside").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_has_a_name(
    #[values(Target::Embedded, Target::Minio)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let objects = world.objects().unwrap();
    let mut keys = vec!["plain".to_owned(), "with space & ü%2F+".to_owned(), "deep/er/file".to_owned()];
    // MinIO refuses these, as it keeps objects in folders.
    if target == Target::Embedded {
        let long = "x".repeat(300);
        keys.extend(
            ["x//y", "//lead", "./dot", "../dots", "dir/..", "\u{1}control", ".s3~x~looks-escaped"].map(str::to_owned),
        );
        keys.extend([format!("long/{long}"), format!("{long}/below")]);
    }
    objects.put_all(keys.clone()).await;
    keys.sort();
    let found = all_files(&world, &keys).await;
    // Each is removed under the name it is shown by.
    for (content, path) in &found {
        let path = format!("{}{path}", world.bed.directory());
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = world.client.resolve(parent).await.unwrap().handle;
        world.client.remove(&parent, name).await.unwrap();
        objects.expect_absent(content).await;
    }
}
