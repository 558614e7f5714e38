//! The embedded S3 server as a client of S3 sees it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that tests share may fail as tests do")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective,
    ObjectIdentifier,
};
use hafiz_nfs_gateway::embedded::{EmbeddedConfig, EmbeddedError, EmbeddedServer, start};

const ACCESS_KEY: &str = "embedded-access";
const SECRET_KEY: &str = "embedded-secret";
const BUCKET: &str = "bucket";
const MIB: usize = 1 << 20;
/// Environment variable that tells the child of the kill test its folder.
const CHILD_ROOT: &str = "EMBEDDED_S3_CHILD_ROOT";

fn config(root: &Path) -> EmbeddedConfig {
    EmbeddedConfig {
        root: root.to_owned(),
        bind: "127.0.0.1:0".parse().unwrap(),
        access_key: ACCESS_KEY.into(),
        secret_key: SECRET_KEY.into(),
        conditional_writes: true,
    }
}

fn client_of(endpoint: &str, access_key: &str, secret_key: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

fn client(server: &EmbeddedServer) -> Client {
    client_of(&server.endpoint(), ACCESS_KEY, SECRET_KEY)
}

/// A server on a fresh folder with one bucket. The folder goes when the first value is dropped.
async fn fresh() -> (tempfile::TempDir, EmbeddedServer, Client) {
    let root = tempfile::tempdir().unwrap();
    let server = start(config(root.path())).await.unwrap();
    let client = client(&server);
    client.create_bucket().bucket(BUCKET).send().await.unwrap();
    (root, server, client)
}

async fn put(client: &Client, key: &str, body: impl Into<ByteStream>) -> String {
    let put = client.put_object().bucket(BUCKET).key(key).body(body.into()).send().await.unwrap();
    put.e_tag.unwrap()
}

async fn get(client: &Client, key: &str) -> Vec<u8> {
    let got = client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

async fn keys(client: &Client) -> Vec<String> {
    let page = client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    page.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
}

/// HTTP status and S3 code of a refused request.
fn refusal<T, E>(result: Result<T, SdkError<E>>) -> (u16, String)
where
    E: ProvideErrorMetadata,
{
    let Err(error) = result else { panic!("the request was not refused") };
    let status = error.raw_response().unwrap().status().as_u16();
    (status, error.code().unwrap_or_default().to_owned())
}

fn bytes(len: usize, seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

fn blob_files(root: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(root.join("blobs")).unwrap().map(|folder| folder.unwrap().path());
    folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path())).collect()
}

#[tokio::test]
async fn listings_are_in_byte_order_where_paths_would_not_be() {
    let (_root, server, client) = fresh().await;
    for key in ["a0", "a/b", "a", "a/", "a-b", "é", "/a", "a//b", "..", "\u{1}"] {
        put(&client, key, key.as_bytes().to_vec()).await;
    }
    let page = client.list_objects_v2().bucket(BUCKET).encoding_type("url".into()).send().await.unwrap();
    let listed: Vec<&str> = page.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(listed, ["%01", "..", "/a", "a", "a-b", "a/", "a//b", "a/b", "a0", "%C3%A9"]);
    let page = client.list_objects_v2().bucket(BUCKET).prefix("a").delimiter("/").send().await.unwrap();
    let listed: Vec<&str> = page.contents().iter().map(|object| object.key().unwrap()).collect();
    let prefixes: Vec<&str> = page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap()).collect();
    assert_eq!((listed, prefixes), (vec!["a", "a-b", "a0"], vec!["a/"]));
    for key in ["a", "a/", "a/b", "a//b", "..", "/a"] {
        assert_eq!(get(&client, key).await, key.as_bytes(), "{key:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let (_root, server, client) = fresh().await;
    let all: Vec<String> = (0..25).map(|n| format!("dir{}/{n:02}", n % 5)).collect();
    for key in &all {
        put(&client, key, Vec::new()).await;
    }
    let mut sorted = all.clone();
    sorted.sort();
    let (mut seen, mut token) = (Vec::new(), None);
    loop {
        let list = client.list_objects_v2().bucket(BUCKET).max_keys(4).set_continuation_token(token);
        let page = list.send().await.unwrap();
        seen.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        token = page.next_continuation_token.clone();
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, sorted);
    server.shutdown().await;
}

#[tokio::test]
async fn of_many_creations_of_one_key_exactly_one_wins() {
    let (_root, server, client) = fresh().await;
    for round in 0..5 {
        let key = format!("race-{round}");
        let racers = (0..24_u8).map(|racer| {
            let put = client.put_object().bucket(BUCKET).key(&key).if_none_match("*");
            // Some bodies live in the index, others in files.
            let body = bytes(if racer % 2 == 0 { 100 } else { 20_000 }, racer);
            tokio::spawn(async move { (racer, put.body(body.into()).send().await) })
        });
        let mut winners = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            match racer.await.unwrap() {
                (racer, Ok(_)) => winners.push(racer),
                (_, result) => assert_eq!(refusal(result), (412, "PreconditionFailed".into())),
            }
        }
        assert_eq!(winners.len(), 1);
        let winner = winners[0];
        assert_eq!(get(&client, &key).await, bytes(if winner % 2 == 0 { 100 } else { 20_000 }, winner));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn of_many_overwrites_of_one_version_exactly_one_wins() {
    let (_root, server, client) = fresh().await;
    let etag = put(&client, "key", b"base".to_vec()).await;
    let racers = (0..24_u8).map(|racer| {
        let put = client.put_object().bucket(BUCKET).key("key").if_match(&etag).body(vec![racer; 10].into());
        tokio::spawn(async move { put.send().await.is_ok() })
    });
    let mut won = 0;
    for racer in racers.collect::<Vec<_>>() {
        won += usize::from(racer.await.unwrap());
    }
    assert_eq!(won, 1);
    let missing = client.put_object().bucket(BUCKET).key("missing").if_match(&etag).send().await;
    assert_eq!(refusal(missing), (404, "NoSuchKey".into()));
    let stale = client.delete_object().bucket(BUCKET).key("key").if_match(&etag).send().await;
    assert_eq!(refusal(stale), (412, "PreconditionFailed".into()));
    server.shutdown().await;
}

#[tokio::test]
async fn without_conditional_writes_conditions_are_ignored() {
    let root = tempfile::tempdir().unwrap();
    let server = start(EmbeddedConfig { conditional_writes: false, ..config(root.path()) }).await.unwrap();
    let client = client(&server);
    client.create_bucket().bucket(BUCKET).send().await.unwrap();
    let etag = put(&client, "key", b"one".to_vec()).await;
    client.put_object().bucket(BUCKET).key("key").if_none_match("*").body(b"two".to_vec().into()).send().await.unwrap();
    assert_eq!(get(&client, "key").await, b"two");
    client.delete_object().bucket(BUCKET).key("key").if_match(etag).send().await.unwrap();
    assert_eq!(keys(&client).await, Vec::<String>::new());
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_one_version_whole_while_it_is_overwritten() {
    let (root, server, client) = fresh().await;
    let versions: Vec<Vec<u8>> = (0..3).map(|seed| bytes(3 * MIB + usize::from(seed), seed)).collect();
    put(&client, "key", versions[0].clone()).await;
    // A slow reader: opened before the overwrite, read after it.
    let slow = client.get_object().bucket(BUCKET).key("key").send().await.unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (client, versions) = (client.clone(), versions.clone());
            tokio::spawn(async move {
                for _ in 0..10 {
                    let read = get(&client, "key").await;
                    assert!(versions.contains(&read), "{} bytes of no version", read.len());
                }
            })
        })
        .collect();
    for round in 1..=9 {
        put(&client, "key", versions[round % 3].clone()).await;
    }
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(slow.body.collect().await.unwrap().to_vec() == versions[0]);
    server.shutdown().await;
    assert_eq!(blob_files(root.path()).len(), 1, "blobs of older versions stay behind");
}

#[tokio::test]
async fn a_multipart_object_is_its_parts_in_the_order_of_their_numbers() {
    let (root, server, client) = fresh().await;
    let parts = [bytes(5 * MIB, 1), bytes(100, 2)];
    put(&client, "key", b"before".to_vec()).await;
    let create = client.create_multipart_upload().bucket(BUCKET).key("key").metadata("kept", "yes");
    let upload = create.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap().upload_id.unwrap();
    let mut completed = Vec::new();
    // The second part first, and the first one twice.
    for (number, body) in [(2, &parts[1]), (1, &parts[1]), (1, &parts[0])] {
        let part = client.upload_part().bucket(BUCKET).key("key").upload_id(&upload).part_number(number);
        let sent = part.checksum_algorithm(ChecksumAlgorithm::Crc32).body(body.clone().into()).send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).e_tag(sent.e_tag.unwrap());
        completed.push(part.set_checksum_crc32(sent.checksum_crc32).build());
    }
    let complete = |parts: &[&CompletedPart]| {
        let parts = parts.iter().map(|part| (*part).clone()).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        client.complete_multipart_upload().bucket(BUCKET).key("key").upload_id(&upload).multipart_upload(parts)
    };
    let replaced = complete(&[&completed[1], &completed[0]]).send().await;
    assert_eq!(refusal(replaced), (400, "InvalidPart".into()));
    let right = [&completed[2], &completed[0]];
    let exists = complete(&right).if_none_match("*").send().await;
    assert_eq!(refusal(exists), (412, "PreconditionFailed".into()));
    assert_eq!(get(&client, "key").await, b"before");
    complete(&right).send().await.unwrap();
    assert!(get(&client, "key").await == parts.concat());
    let head =
        client.head_object().bucket(BUCKET).key("key").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["kept"], "yes");
    assert!(head.e_tag().unwrap().ends_with("-2\"") && head.checksum_crc32().unwrap().ends_with("-2"));
    let gone = complete(&right).send().await;
    assert_eq!(refusal(gone), (404, "NoSuchUpload".into()));
    server.shutdown().await;
    assert_eq!(blob_files(root.path()).len(), 1, "the replaced part stays behind");
}

#[tokio::test]
async fn checksums_are_verified_and_kept() {
    let (root, server, client) = fresh().await;
    // CRC-32 of "123456789" is cbf43926.
    let put = || client.put_object().bucket(BUCKET).key("key").body(b"123456789".to_vec().into());
    let wrong = put().checksum_crc32("AAAAAA==").send().await;
    assert_eq!(refusal(wrong), (400, "BadDigest".into()));
    let large = client.put_object().bucket(BUCKET).key("key").body(bytes(MIB, 1).into());
    let wrong = large.content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await;
    assert_eq!(refusal(wrong), (400, "BadDigest".into()));
    assert_eq!(keys(&client).await, Vec::<String>::new());
    put().checksum_crc32("y/Q5Jg==").send().await.unwrap();
    let head =
        client.head_object().bucket(BUCKET).key("key").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.checksum_crc32(), Some("y/Q5Jg=="));
    server.shutdown().await;
    assert_eq!(blob_files(root.path()), Vec::<PathBuf>::new(), "a refused body stays behind");
}

#[tokio::test]
async fn many_objects_go_in_one_request() {
    let (_root, server, client) = fresh().await;
    for key in ["a", "b", "c"] {
        put(&client, key, key.as_bytes().to_vec()).await;
    }
    let named = ["a", "c", "never was"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(named.to_vec())).build().unwrap();
    let done = client.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    assert_eq!((done.deleted().len(), done.errors().len()), (3, 0));
    assert_eq!(keys(&client).await, ["b"]);
    server.shutdown().await;
}

/// Begins an upload of `target`, copies each (source, range) into a part, and completes it.
async fn copy_parts(client: &Client, target: &str, sources: &[(&str, Option<(usize, usize)>)]) {
    let upload = client.create_multipart_upload().bucket(BUCKET).key(target).send().await.unwrap().upload_id.unwrap();
    let mut completed = CompletedMultipartUpload::builder();
    for (number, (source, range)) in (1..).zip(sources) {
        let copy = client.upload_part_copy().bucket(BUCKET).key(target).upload_id(&upload).part_number(number);
        let range = range.map(|(first, last)| format!("bytes={first}-{last}"));
        let copy = copy.copy_source(format!("{BUCKET}/{source}")).set_copy_source_range(range);
        let e_tag = copy.send().await.unwrap().copy_part_result.unwrap().e_tag.unwrap();
        completed = completed.parts(CompletedPart::builder().part_number(number).e_tag(e_tag).build());
    }
    let complete = client.complete_multipart_upload().bucket(BUCKET).key(target).upload_id(upload);
    complete.multipart_upload(completed.build()).send().await.unwrap();
}

#[tokio::test]
async fn copied_parts_share_bytes_and_outlive_their_source() {
    let (root, server, client) = fresh().await;
    let big = bytes(6 * MIB, 1);
    put(&client, "big", big.clone()).await;
    put(&client, "small", b"0123456789".to_vec()).await;
    copy_parts(&client, "mixed", &[("big", Some((7, 7 + 5 * MIB - 1))), ("big", None), ("small", Some((2, 5)))]).await;
    let expected = [&big[7..7 + 5 * MIB], &big, b"2345"].concat();
    assert_eq!(blob_files(root.path()).len(), 1, "the copy wrote bytes");
    for key in ["big", "small"] {
        client.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    }
    assert!(get(&client, "mixed").await == expected);
    let head = client.head_object().bucket(BUCKET).key("mixed").send().await.unwrap();
    assert!(head.e_tag().unwrap().ends_with("-3\""));
    let range = format!("bytes={}-{}", 5 * MIB - 1, 5 * MIB + 1);
    let got = client.get_object().bucket(BUCKET).key("mixed").range(range).send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), expected[5 * MIB - 1..5 * MIB + 2]);
    let part = client.get_object().bucket(BUCKET).key("mixed").part_number(3).send().await.unwrap();
    assert_eq!((part.parts_count(), part.body.collect().await.unwrap().to_vec()), (Some(3), b"2345".to_vec()));
    client.delete_object().bucket(BUCKET).key("mixed").send().await.unwrap();
    server.shutdown().await;
    assert_eq!(blob_files(root.path()), Vec::<PathBuf>::new(), "the bytes outlive their last reference");
}

#[tokio::test]
async fn a_part_of_very_many_pieces_is_written_anew() {
    let (_root, server, client) = fresh().await;
    let piece = bytes(5 * MIB, 3);
    put(&client, "piece", piece.clone()).await;
    copy_parts(&client, "many", &[("piece", None); 17]).await;
    copy_parts(&client, "again", &[("many", None), ("piece", Some((0, 9)))]).await;
    let again = get(&client, "again").await;
    assert_eq!(again.len(), 17 * piece.len() + 10);
    assert!(again.chunks(piece.len()).all(|chunk| piece.starts_with(chunk)));
    server.shutdown().await;
}

#[tokio::test]
async fn a_part_of_a_range_outside_its_source_is_refused() {
    let (_root, server, client) = fresh().await;
    put(&client, "source", b"0123456789".to_vec()).await;
    let upload = client.create_multipart_upload().bucket(BUCKET).key("t").send().await.unwrap().upload_id.unwrap();
    let copy = client.upload_part_copy().bucket(BUCKET).key("t").upload_id(&upload).part_number(1);
    let copy = copy.copy_source(format!("{BUCKET}/source"));
    let outside = copy.clone().copy_source_range("bytes=5-10").send().await;
    assert_eq!(refusal(outside), (416, "InvalidRange".into()));
    let stale = copy.copy_source_if_match("\"0\"").send().await;
    assert_eq!(refusal(stale), (412, "PreconditionFailed".into()));
    server.shutdown().await;
}

#[tokio::test]
async fn a_replacing_copy_onto_itself_changes_metadata_only() {
    let (_root, server, client) = fresh().await;
    let body = bytes(10_000, 5);
    let put = client.put_object().bucket(BUCKET).key("key").metadata("old", "1").content_type("text/old");
    let etag = put.body(body.clone().into()).send().await.unwrap().e_tag.unwrap();
    let copy = client.copy_object().bucket(BUCKET).key("key").copy_source(format!("{BUCKET}/key"));
    let idle = copy.clone().send().await;
    assert_eq!(refusal(idle), (400, "InvalidRequest".into()));
    let replace = copy.metadata_directive(MetadataDirective::Replace).metadata("new", "2").content_type("text/new");
    replace.clone().copy_source_if_match(&etag).send().await.unwrap();
    let got = client.get_object().bucket(BUCKET).key("key").send().await.unwrap();
    assert_eq!(got.metadata(), Some(&HashMap::from([("new".to_owned(), "2".to_owned())])));
    assert_eq!((got.content_type(), got.e_tag()), (Some("text/new"), Some(etag.as_str())));
    assert!(got.body.collect().await.unwrap().to_vec() == body);
    let stale = replace.copy_source_if_match("\"0\"").send().await;
    assert_eq!(refusal(stale), (412, "PreconditionFailed".into()));
    server.shutdown().await;
}

#[tokio::test]
async fn a_restart_on_the_same_folder_keeps_everything() {
    let (root, server, client) = fresh().await;
    let big = bytes(2 * MIB, 8);
    put(&client, "big", big.clone()).await;
    let put_small = client.put_object().bucket(BUCKET).key("small").metadata("mode", "0644");
    put_small.body(b"small".to_vec().into()).send().await.unwrap();
    let upload = client.create_multipart_upload().bucket(BUCKET).key("mp").send().await.unwrap().upload_id.unwrap();
    let part = client.upload_part().bucket(BUCKET).key("mp").upload_id(&upload).part_number(1);
    let e_tag = part.body(big.clone().into()).send().await.unwrap().e_tag.unwrap();
    assert!(matches!(start(config(root.path())).await, Err(EmbeddedError::Open { .. })), "two servers on one folder");
    server.shutdown().await;

    let server = start(config(root.path())).await.unwrap();
    let client = self::client(&server);
    assert_eq!(keys(&client).await, ["big", "small"]);
    assert!(get(&client, "big").await == big);
    let head = client.head_object().bucket(BUCKET).key("small").send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["mode"], "0644");
    let parts = CompletedPart::builder().part_number(1).e_tag(e_tag).build();
    let complete = client.complete_multipart_upload().bucket(BUCKET).key("mp").upload_id(upload);
    complete.multipart_upload(CompletedMultipartUpload::builder().parts(parts).build()).send().await.unwrap();
    assert!(get(&client, "mp").await == big);
    server.shutdown().await;
}

/// What the test below runs as another process, to kill it: a server that says where it answers in a file.
#[tokio::test]
#[ignore = "only of use as the child of acknowledged_writes_survive_a_kill"]
async fn child_that_serves_until_it_is_killed() {
    let Some(root) = std::env::var_os(CHILD_ROOT).map(PathBuf::from) else { return };
    let server = start(config(&root)).await.unwrap();
    std::fs::write(root.join("written"), server.endpoint()).unwrap();
    std::fs::rename(root.join("written"), root.join("endpoint")).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    let root = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child_that_serves_until_it_is_killed"])
        .env(CHILD_ROOT, root.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let endpoint = loop {
        match std::fs::read_to_string(root.path().join("endpoint")) {
            Ok(endpoint) => break endpoint,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
        assert!(child.try_wait().unwrap().is_none(), "the child ended");
    };
    let client = client_of(&endpoint, ACCESS_KEY, SECRET_KEY);
    client.create_bucket().bucket(BUCKET).send().await.unwrap();
    // Eight writers overwrite a key each, with small and large bodies, until the server is gone.
    let acknowledged = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let writers: Vec<_> = (0..8_u8)
        .map(|writer| {
            let (client, acknowledged) = (client.clone(), std::sync::Arc::clone(&acknowledged));
            tokio::spawn(async move {
                for version in 0_u32.. {
                    let put = client.put_object().bucket(BUCKET).key(format!("{writer}"));
                    if put.body(version_body(writer, version).into()).send().await.is_err() {
                        return version;
                    }
                    acknowledged.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
                unreachable!("the server was not killed")
            })
        })
        .collect();
    while acknowledged.load(std::sync::atomic::Ordering::Relaxed) < 200 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let server = start(config(root.path())).await.unwrap();
    let client = self::client(&server);
    for (writer, running) in (0_u8..).zip(writers) {
        let unanswered = running.await.unwrap();
        let found = get(&client, &format!("{writer}")).await;
        let allowed = [unanswered.saturating_sub(1), unanswered].map(|version| version_body(writer, version));
        assert!(allowed.contains(&found), "writer {writer} lost a version before {unanswered}");
    }
    server.shutdown().await;
    assert!(blob_files(root.path()).len() <= 8, "orphans were not collected");
}

/// The body of a version: every other one too large for the index.
fn version_body(writer: u8, version: u32) -> Vec<u8> {
    format!("{writer}:{version};").repeat(if version.is_multiple_of(2) { 30 } else { 5000 }).into_bytes()
}

#[tokio::test]
async fn blobs_nobody_refers_to_are_collected_at_start() {
    let (root, server, client) = fresh().await;
    put(&client, "key", bytes(10_000, 1)).await;
    server.shutdown().await;
    let live = blob_files(root.path());
    // What a crash between writing the bytes and committing the index leaves behind.
    let orphan = live[0].with_file_name("ff");
    std::fs::write(&orphan, b"orphan").unwrap();
    let server = start(config(root.path())).await.unwrap();
    assert_eq!(blob_files(root.path()), live);
    let client = self::client(&server);
    assert!(get(&client, "key").await == bytes(10_000, 1));
    server.shutdown().await;
}

#[tokio::test]
async fn strangers_and_wrong_keys_are_refused() {
    let (_root, server, client) = fresh().await;
    put(&client, "key", b"secret".to_vec()).await;
    let wrong = client_of(&server.endpoint(), ACCESS_KEY, "not the secret");
    let refused = refusal(wrong.get_object().bucket(BUCKET).key("key").send().await);
    assert_eq!(refused, (403, "SignatureDoesNotMatch".into()));
    let unknown = client_of(&server.endpoint(), "nobody", SECRET_KEY);
    let (status, _) = refusal(unknown.put_object().bucket(BUCKET).key("key").send().await);
    assert_eq!(status, 403);
    assert_eq!(get(&client, "key").await, b"secret");
    server.shutdown().await;
}

#[tokio::test]
async fn a_bucket_goes_only_when_it_is_empty() {
    let (_root, server, client) = fresh().await;
    put(&client, "key", b"x".to_vec()).await;
    let full = client.delete_bucket().bucket(BUCKET).send().await;
    assert_eq!(refusal(full), (409, "BucketNotEmpty".into()));
    client.delete_object().bucket(BUCKET).key("key").send().await.unwrap();
    client.delete_bucket().bucket(BUCKET).send().await.unwrap();
    let gone = client.list_objects_v2().bucket(BUCKET).send().await;
    assert_eq!(refusal(gone), (404, "NoSuchBucket".into()));
    server.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_an_error_at_start() {
    let (_root, server, _client) = fresh().await;
    let other = tempfile::tempdir().unwrap();
    let taken = EmbeddedConfig { bind: server.local_addr(), ..config(other.path()) };
    assert!(matches!(start(taken).await, Err(EmbeddedError::Bind { .. })));
    server.shutdown().await;
}

#[test]
fn the_configuration_shows_no_keys() {
    let shown = format!("{:?}", config(Path::new("folder")));
    assert!(shown.contains("folder") && !shown.contains(SECRET_KEY) && !shown.contains(ACCESS_KEY), "{shown}");
}
