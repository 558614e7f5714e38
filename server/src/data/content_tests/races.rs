//! What happens during an upload.

use std::sync::Arc;

use pretty_assertions::assert_eq;

use super::*;
use crate::data::UploadError;
use crate::data::testing::BUCKET;
use crate::store::faults::{Fault, Gate};
use crate::store::verb::Verb;
use crate::store::{Condition, ObjectMeta};

type Task = tokio::task::JoinHandle<Result<Uploaded, UploadError>>;

fn upload(rig: &Rig, content: &Arc<Content>) -> Task {
    let (content, data) = (Arc::clone(content), rig.data.clone());
    tokio::spawn(async move { content.upload(&data, BUCKET, "a", &ObjectMeta::default(), &Condition::Always).await })
}

#[tokio::test]
async fn only_parts_that_changed_meanwhile_go_up_again() {
    let rig = Rig::new(small()).await;
    let content = Arc::new(Content::empty());
    let mut bytes = pattern(1, 256 << 10);
    content.write(&rig.data, 0, bytes.clone().into()).await.unwrap();
    let gate = Gate::default();
    rig.faults.script(Verb::UploadPart, 3, Fault::Hold(gate.clone()));
    let task = upload(&rig, &content);
    gate.arrival().await;
    content.write(&rig.data, 70_000, Bytes::from_static(b"changed")).await.unwrap();
    bytes[70_000..70_007].copy_from_slice(b"changed");
    gate.open();
    let uploaded = task.await.unwrap().unwrap();
    assert_eq!(uploaded.generation, content.generation());
    assert!(rig.settle(&content, uploaded, "a").await);
    assert_eq!(rig.requests(Verb::UploadPart), 5);
    assert!(rig.fetched("a").await == bytes);
}

#[tokio::test]
async fn a_file_that_never_stands_still_is_not_uploaded_torn() {
    let rig = Rig::new(small()).await;
    let content = Arc::new(Content::empty());
    content.write(&rig.data, 0, pattern(1, 256 << 10).into()).await.unwrap();
    let gate = Gate::default();
    // One part of the first round, and the one of every later round.
    rig.faults.script(Verb::UploadPart, 3, Fault::Hold(gate.clone()));
    for round in 1..4 {
        rig.faults.script(Verb::UploadPart, 3 + round, Fault::Hold(gate.clone()));
    }
    let task = upload(&rig, &content);
    for round in 0..4 {
        gate.arrival().await;
        content.write(&rig.data, 0, pattern(round, 10).into()).await.unwrap();
        gate.open();
    }
    assert_eq!(task.await.unwrap().unwrap_err(), UploadError::Changed);
    assert_eq!(rig.uploads_pending().await, 0);
    assert!(rig.data.store().head(BUCKET, "a").await.is_err());
}

#[tokio::test]
async fn what_is_written_after_the_snapshot_stays_dirty() {
    let rig = Rig::new(small()).await;
    let content = Arc::new(Content::empty());
    content.write(&rig.data, 0, pattern(1, 1000).into()).await.unwrap();
    let gate = Gate::default();
    rig.faults.script(Verb::Put, 0, Fault::Hold(gate.clone()));
    let task = upload(&rig, &content);
    gate.arrival().await;
    content.truncate(&rig.data, 100).await.unwrap();
    content.truncate(&rig.data, 500).await.unwrap();
    content.write(&rig.data, 300, Bytes::from_static(b"late")).await.unwrap();
    gate.open();
    let uploaded = task.await.unwrap().unwrap();
    assert_eq!(uploaded.size, 1000);
    assert!(!rig.settle(&content, uploaded, "a").await);
    assert_eq!(rig.fetched("a").await, pattern(1, 1000));
    let mut expected = pattern(1, 100);
    expected.resize(500, 0);
    expected[300..304].copy_from_slice(b"late");
    assert_eq!(all(&content, &rig.data).await, expected);
    // Only what the object lacks is still staged.
    assert_eq!(content.staged_bytes(), 4);
}

#[tokio::test]
async fn a_read_waits_for_the_upload_that_replaces_what_it_reads() {
    let rig = Rig::new(small()).await;
    let bytes = pattern(1, 200 << 10);
    let content = Arc::new(Content::of(rig.object("a", &bytes).await));
    content.write(&rig.data, 0, Bytes::from_static(b"new")).await.unwrap();
    let uploaded = upload(&rig, &content).await.unwrap().unwrap();
    // The object is there, and the content does not know yet: what is below it is gone.
    let reading = tokio::spawn({
        let (content, data) = (Arc::clone(&content), rig.data.clone());
        async move { content.read(&data, 190 << 10, 100).await }
    });
    while rig.traced.counts().of(Verb::Get).failures == 0 {
        tokio::task::yield_now().await;
    }
    rig.settle(&content, uploaded, "a").await;
    let (chunks, _) = reading.await.unwrap().unwrap();
    assert_eq!(chunks.concat(), bytes[190 << 10..][..100]);
}

#[tokio::test]
async fn one_upload_at_a_time() {
    let rig = Rig::new(small()).await;
    let content = Arc::new(Content::empty());
    content.write(&rig.data, 0, Bytes::from_static(b"x")).await.unwrap();
    let uploaded = upload(&rig, &content).await.unwrap().unwrap();
    assert_eq!(upload(&rig, &content).await.unwrap().unwrap_err(), UploadError::Busy);
    drop(uploaded);
    let uploaded = upload(&rig, &content).await.unwrap().unwrap();
    assert!(rig.settle(&content, uploaded, "a").await);
}

#[tokio::test]
async fn shuffled_overlapping_writes_from_many_tasks_make_the_right_object() {
    let rig = Rig::new(small()).await;
    let content = Arc::new(Content::empty());
    let bytes = pattern(5, 1 << 20);
    let pieces = (0..64).map(|index| index * 37 % 64 * 16_384);
    let writes = pieces.map(|start: usize| {
        let (content, data) = (Arc::clone(&content), rig.data.clone());
        let piece = Bytes::copy_from_slice(&bytes[start..(start + 20_000).min(bytes.len())]);
        tokio::spawn(async move { content.write(&data, start as u64, piece).await })
    });
    for write in futures::future::join_all(writes).await {
        write.unwrap().unwrap();
    }
    let uploaded = upload(&rig, &content).await.unwrap().unwrap();
    assert!(rig.settle(&content, uploaded, "a").await);
    assert!(rig.fetched("a").await == bytes);
    assert_eq!(rig.data.staging().used_bytes(), 0);
}

#[tokio::test]
async fn what_is_written_while_a_file_is_materialised_wins() {
    let rig = Rig::new(small()).await;
    let mut bytes = pattern(1, 600 << 10);
    let content = Arc::new(Content::of(rig.object("a", &bytes).await));
    let gate = Gate::default();
    rig.faults.script(Verb::Get, 0, Fault::Hold(gate.clone()));
    let task = tokio::spawn({
        let (content, data) = (Arc::clone(&content), rig.data.clone());
        async move { content.materialise(&data).await }
    });
    gate.arrival().await;
    content.write(&rig.data, 100_000, Bytes::from_static(b"newer")).await.unwrap();
    content.truncate(&rig.data, 500 << 10).await.unwrap();
    bytes[100_000..100_005].copy_from_slice(b"newer");
    bytes.truncate(500 << 10);
    gate.open();
    task.await.unwrap().unwrap();
    rig.data.store().delete(BUCKET, "a", &Condition::Always).await.unwrap();
    assert!(all(&content, &rig.data).await == bytes);
}
