//! How bytes get into the bucket: which requests, under which conditions, and that nothing is left behind.

use std::sync::Arc;

use pretty_assertions::assert_eq;

use super::*;
use crate::data::UploadError;
use crate::data::testing::BUCKET;
use crate::store::faults::{Fault, Gate};
use crate::store::memory::Behaviour;
use crate::store::verb::Verb;
use crate::store::{Condition, ETag, ObjectMeta, StoreError};

const WRITES: [Verb; 5] = [Verb::Put, Verb::Copy, Verb::CreateUpload, Verb::UploadPart, Verb::UploadPartCopy];

async fn upload(rig: &Rig, content: &Content, key: &str, condition: Condition) -> Result<bool, UploadError> {
    let uploaded = content.upload(&rig.data, BUCKET, key, &ObjectMeta::default(), &condition).await?;
    Ok(rig.settle(content, uploaded, key).await)
}

/// Requests that an upload takes, in the order of [`WRITES`].
async fn cost(rig: &Rig, content: &Content, key: &str) -> [u64; 5] {
    let before = WRITES.map(|verb| rig.requests(verb));
    assert_eq!(upload(rig, content, key, Condition::Always).await, Ok(true));
    assert!(!content.is_dirty());
    let mut counts = WRITES.map(|verb| rig.requests(verb));
    counts.iter_mut().zip(before).for_each(|(count, before)| *count -= before);
    counts
}

#[tokio::test]
async fn each_upload_takes_the_fewest_requests() {
    let rig = Rig::new(small()).await;
    // New and small, or empty: one PUT.
    let content = Content::empty();
    assert_eq!(cost(&rig, &content, "empty").await, [1, 0, 0, 0, 0]);
    content.write(&rig.data, 0, pattern(1, 1000).into()).await.unwrap();
    assert_eq!(cost(&rig, &content, "a").await, [1, 0, 0, 0, 0]);
    // Unchanged: a copy.
    assert_eq!(cost(&rig, &content, "b").await, [0, 1, 0, 0, 0]);
    assert_eq!(content.base().unwrap().key, "b");
    // Grown large: parts of 64 KiB.
    content.write(&rig.data, 1000, pattern(2, 255 << 10).into()).await.unwrap();
    assert_eq!(cost(&rig, &content, "c").await, [0, 0, 1, 4, 0]);
    // Changed in the middle: three parts of four are copied.
    content.write(&rig.data, 100_000, Bytes::from_static(b"middle")).await.unwrap();
    assert_eq!(cost(&rig, &content, "c").await, [0, 0, 1, 1, 3]);
    // Appended to: the last part grows, one is new.
    content.write(&rig.data, content.size(), pattern(3, 64 << 10).into()).await.unwrap();
    assert_eq!(cost(&rig, &content, "d").await, [0, 0, 1, 2, 3]);
    let mut bytes = pattern(1, 1000);
    bytes.extend(pattern(2, 255 << 10));
    bytes[100_000..100_006].copy_from_slice(b"middle");
    bytes.extend(pattern(3, 64 << 10));
    assert!(rig.fetched("d").await == bytes);
}

#[tokio::test]
async fn a_store_that_does_not_copy_is_asked_once() {
    let behaviour = Behaviour { part_size_min: 0, upload_part_copy: false, ..Behaviour::default() };
    let rig = Rig::on(small(), behaviour).await;
    let bytes = pattern(1, 256 << 10);
    let content = Content::of(rig.object("a", &bytes).await);
    content.write(&rig.data, 0, bytes[..10].to_vec().into()).await.unwrap();
    upload(&rig, &content, "b", Condition::Always).await.unwrap();
    assert!(rig.fetched("b").await == bytes);
    let asked = rig.requests(Verb::UploadPartCopy);
    content.write(&rig.data, 0, bytes[..10].to_vec().into()).await.unwrap();
    upload(&rig, &content, "b", Condition::Always).await.unwrap();
    assert_eq!(rig.requests(Verb::UploadPartCopy), asked);
}

#[tokio::test]
async fn headers_go_with_the_bytes() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    let mut meta = ObjectMeta { content_type: Some("text/plain".to_owned()), ..ObjectMeta::default() };
    for size in [10, 10, 256 << 10] {
        meta.user.insert("mtime".to_owned(), size.to_string());
        if content.size() != size {
            content.write(&rig.data, 0, pattern(1, usize::try_from(size).unwrap()).into()).await.unwrap();
        }
        let uploaded = content.upload(&rig.data, BUCKET, "a", &meta, &Condition::Always).await.unwrap();
        rig.settle(&content, uploaded, "a").await;
        assert_eq!(rig.data.store().head(BUCKET, "a").await.unwrap().meta, meta);
    }
}

#[tokio::test]
async fn conditions_are_kept_by_every_plan() {
    let rig = Rig::new(small()).await;
    for size in [100_usize, 256 << 10] {
        let other = rig.object("taken", b"theirs").await;
        let content = Content::empty();
        content.write(&rig.data, 0, pattern(1, size).into()).await.unwrap();
        let stale = Condition::IfMatch(ETag::new("other"));
        for condition in [Condition::IfAbsent, stale.clone()] {
            assert_eq!(upload(&rig, &content, "taken", condition).await, Err(UploadError::Conflict));
        }
        assert_eq!(upload(&rig, &content, "absent", stale.clone()).await, Err(UploadError::Conflict));
        assert_eq!(rig.fetched("taken").await, b"theirs");
        assert_eq!(upload(&rig, &content, "taken", Condition::IfMatch(other.etag)).await, Ok(true));
        // And by a copy.
        rig.object("also taken", b"theirs").await;
        assert_eq!(upload(&rig, &content, "also taken", Condition::IfAbsent).await, Err(UploadError::Conflict));
        assert!(!content.is_dirty());
    }
    assert_eq!(rig.uploads_pending().await, 0);
}

#[tokio::test]
async fn a_base_that_was_replaced_is_told_from_a_conflict() {
    let rig = Rig::new(small()).await;
    let bytes = pattern(1, 256 << 10);
    let (clean, dirty) = (Content::of(rig.object("a", &bytes).await), Content::of(rig.object("b", &bytes).await));
    dirty.write(&rig.data, 0, Bytes::from_static(b"new")).await.unwrap();
    for round in 0..2 {
        if round == 0 {
            rig.object("a", b"theirs").await;
            rig.object("b", b"theirs").await;
        } else {
            rig.data.store().delete(BUCKET, "a", &Condition::Always).await.unwrap();
            rig.data.store().delete(BUCKET, "b", &Condition::Always).await.unwrap();
        }
        for content in [&clean, &dirty] {
            for condition in [Condition::Always, Condition::IfAbsent] {
                assert_eq!(upload(&rig, content, "to", condition).await, Err(UploadError::BaseChanged));
            }
        }
    }
    assert_eq!(rig.uploads_pending().await, 0);
}

#[tokio::test]
async fn every_failure_aborts_the_multipart_upload() {
    let down = || StoreError::Unavailable("down".to_owned());
    for (verb, skip) in
        [(Verb::CreateUpload, 0), (Verb::UploadPart, 0), (Verb::UploadPart, 3), (Verb::CompleteUpload, 0)]
    {
        let rig = Rig::new(small()).await;
        let content = Content::empty();
        content.write(&rig.data, 0, pattern(1, 256 << 10).into()).await.unwrap();
        rig.faults.script(verb, skip, Fault::Before(down()));
        assert_eq!(upload(&rig, &content, "a", Condition::Always).await, Err(UploadError::Store(down())));
        assert_eq!(rig.uploads_pending().await, 0);
        assert_eq!(upload(&rig, &content, "a", Condition::Always).await, Ok(true));
    }
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_aborted() {
    let rig = Rig::new(small()).await;
    let content = Arc::new(Content::empty());
    content.write(&rig.data, 0, pattern(1, 256 << 10).into()).await.unwrap();
    let (gate, aborting) = (Gate::default(), Gate::default());
    rig.faults.script(Verb::UploadPart, 0, Fault::Hold(gate.clone()));
    rig.faults.script(Verb::AbortUpload, 0, Fault::Hold(aborting.clone()));
    let task = tokio::spawn({
        let (content, data) = (Arc::clone(&content), rig.data.clone());
        async move { content.upload(&data, BUCKET, "a", &ObjectMeta::default(), &Condition::Always).await.is_ok() }
    });
    gate.arrival().await;
    task.abort();
    assert!(task.await.is_err());
    aborting.arrival().await;
    aborting.open();
    while rig.uploads_pending().await > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(upload(&rig, &content, "a", Condition::Always).await, Ok(true));
}

#[tokio::test]
async fn what_was_just_written_is_read_back_without_a_get() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    content.write(&rig.data, 0, pattern(1, 100_000).into()).await.unwrap();
    assert_eq!(upload(&rig, &content, "a", Condition::IfAbsent).await, Ok(true));
    let before = rig.requests(Verb::Get);
    assert_eq!(all(&content, &rig.data).await, pattern(1, 100_000));
    assert_eq!(rig.requests(Verb::Get), before);
}
