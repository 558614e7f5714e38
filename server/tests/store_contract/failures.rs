//! What only a store behind a network can do: be away, not know the keys, ignore conditions.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use hafiz_nfs_gateway::store::aws::{AwsStore, ConnectError, S3Config, Timeouts};
use hafiz_nfs_gateway::store::dialect::{Capabilities, Payload};
use hafiz_nfs_gateway::store::probe::probe;
use hafiz_nfs_gateway::store::{ETag, ObjectStore, StoreError};

use super::{BUCKET, Bench, Kind, config, server};

#[tokio::test]
async fn a_wrong_secret_is_access_denied_and_never_shown() {
    let (server, _root) = server(true).await;
    let store = AwsStore::connect(config(&server.endpoint(), "WRONGSECRET")).await.unwrap();
    for answer in [store.list_buckets().await.map(drop), store.head_bucket(BUCKET).await] {
        let Err(StoreError::AccessDenied(message)) = answer else { panic!("{answer:?}") };
        assert!(!message.contains("WRONGSECRET"), "{message}");
    }
    let Err(StoreError::AccessDenied(message)) = store.list_buckets().await else { panic!("let in") };
    assert!(message.starts_with("the secret key does not belong to the access key"), "{message}");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_not_available() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = AwsStore::connect(config(&format!("http://{free}"), "secret")).await.unwrap();
    let answer = store.list_buckets().await;
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("refused")), "{answer:?}");
}

#[tokio::test]
async fn a_store_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let timeouts = Timeouts { request: Duration::from_millis(50), ..Timeouts::default() };
    let store = AwsStore::connect(S3Config { timeouts, ..config(&endpoint, "secret") }).await.unwrap();
    let answer = store.head(BUCKET, "k").await;
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("no answer")), "{answer:?}");
}

/// Answers one request with `answer`, as it stands, and hangs up.
fn serving(answer: &'static str) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (endpoint, served)
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_an_error() {
    let (endpoint, served) = serving(
        "HTTP/1.1 206 Partial Content\r\nETag: \"e\"\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n12345",
    );
    let store = AwsStore::connect(config(&endpoint, "secret")).await.unwrap();
    let answer = store.get(BUCKET, "k", 0..10, &ETag::new("e")).await;
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("cut off")), "{answer:?}");
    served.join().unwrap();
}

#[tokio::test]
async fn a_server_that_ignores_if_match_does_not_mix_versions() {
    let (endpoint, served) = serving("HTTP/1.1 200 OK\r\nETag: \"other\"\r\nContent-Length: 5\r\n\r\n12345");
    let store = AwsStore::connect(config(&endpoint, "secret")).await.unwrap();
    let answer = store.get(BUCKET, "k", 0..10, &ETag::new("e")).await;
    assert_eq!(answer, Err(StoreError::PreconditionFailed));
    served.join().unwrap();
}

#[tokio::test]
async fn a_web_server_is_not_a_store() {
    let (endpoint, served) = serving("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html><body>");
    let store = AwsStore::connect(config(&endpoint, "secret")).await.unwrap();
    let answer = store.list_buckets().await;
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("not S3's")), "{answer:?}");
    served.join().unwrap();
}

#[tokio::test]
async fn an_endpoint_that_is_no_address_is_refused_at_once() {
    let answer = AwsStore::connect(config("s3.example:9000", "secret")).await.map(drop);
    assert!(matches!(answer, Err(ConnectError::Endpoint(_))), "{answer:?}");
}

#[tokio::test]
async fn the_embedded_server_can_do_everything() {
    let found = Bench::new(Kind::Probed).await.found.unwrap();
    let everything = Capabilities {
        writable: true,
        conditional_create: true,
        conditional_overwrite: true,
        conditional_delete: true,
        conditional_copy: true,
        conditional_complete: true,
        copy: true,
        copy_source_condition: true,
        multipart: true,
        upload_part_copy: true,
        dialect: found.dialect,
    };
    assert_eq!(found, everything);
    assert_eq!((found.dialect.put, found.dialect.parts), (Payload::Crc32c, Payload::Crc32c));
    assert!(!found.dialect.unquoted_if_match && !found.dialect.literal_plus);
}

#[tokio::test]
async fn a_server_that_ignores_conditions_is_found_out() {
    let (server, _root) = server(false).await;
    let store = AwsStore::connect(config(&server.endpoint(), "secret")).await.unwrap();
    store.create_bucket(BUCKET).await.unwrap();
    let found = probe(&store, BUCKET).await.unwrap();
    assert!(!found.conditional_create && !found.conditional_overwrite && !found.conditional_complete, "{found:?}");
    assert!(found.writable && found.copy && found.upload_part_copy, "{found:?}");
}
