//! Stops: SIGTERM uploads what is dirty, and says what it could not.

use std::net::TcpStream;

use conformance::{Access, Program, data};
use nfs_client_sim::{Client, ClientOptions, OpenHow};
use tempfile::TempDir;

use crate::impostor::Impostor;
use crate::{BUCKET, Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_uploads_what_is_dirty_and_leaves_with_status_0() {
    let place = Place::new().await;
    let program = Program::start(&mut Program::before(&place.store.access, &place.state_dir()));
    let addr = program.addr();
    let client = Client::connect(addr, 2, ClientOptions::default()).await.unwrap();
    let root = client.resolve(&format!("/{BUCKET}")).await.unwrap().handle;
    let body = data::bytes(3_000_000, 1);
    // It stays open, so nothing would upload it for a while.
    let file = client.open(&root, "open", OpenHow::create()).await.unwrap();
    file.write_stable(0, &body.clone().into(), 4).await.unwrap();
    let ended = tokio::task::spawn_blocking(|| program.terminate()).await.unwrap();
    assert_eq!(ended.status, Some(0));
    assert!(ended.log.last().is_some_and(|line| line.contains("everything is in the bucket")), "{:?}", ended.log);
    let uploaded = place.store.access.objects(BUCKET).get("open").await.unwrap();
    data::assert_same("the object", &uploaded, &body);
    assert!(TcpStream::connect(addr).is_err(), "it still listens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_uploaded_in_time_is_told_and_goes_on_at_the_next_start() {
    let place = Place::new().await;
    let (access, state_dir) = (place.store.access.clone(), place.state_dir());
    let program = Program::start(Program::before(&access, &state_dir).args(["--drain-seconds", "1"]));
    let client = Client::connect(program.addr(), 1, ClientOptions::default()).await.unwrap();
    let root = client.resolve(&format!("/{BUCKET}")).await.unwrap().handle;
    let file = client.open(&root, "open", OpenHow::create()).await.unwrap();
    file.write_stable(0, &"kept".into(), 1).await.unwrap();
    let store = place.store.stop().await;
    let ended = program.terminate();
    assert_eq!(ended.status, Some(1));
    let told = "hafiz-nfs-gateway: 1 objects are not in the bucket yet; the next start goes on with them";
    assert_eq!(ended.log.last().map(String::as_str), Some(told));

    let store = store.start().await;
    let _program = Program::start(&mut Program::before(&access, &state_dir));
    store.access.objects(BUCKET).expect("open", b"kept").await;
}

/// A service manager must not have to kill what hangs on a store that does not answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_a_start_that_hangs() {
    let folder = TempDir::new().unwrap();
    let mut mute = Impostor::mute().await;
    let access = Access { endpoint: mute.endpoint.clone(), access_key: "a", secret_key: "s" };
    let program = Program::spawn(&mut Program::before(&access, &folder.path().join("state")), |_| {});
    mute.visited.recv().await.unwrap();
    let ended = program.terminate();
    assert_eq!(ended.status, Some(0));
    assert!(ended.log.last().is_some_and(|line| line.contains("stopped before it served")), "{:?}", ended.log);
}
