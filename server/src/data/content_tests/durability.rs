//! What is durable when, what it costs, and what happens when the disk fails or is full.

use std::sync::atomic::Ordering;

use pretty_assertions::assert_eq;

use super::*;
use crate::data::testing::BUCKET;
use crate::data::{DataConfig, StagingLimits, UploadError};
use crate::local::Table;
use crate::store::{Condition, ObjectMeta};

#[tokio::test]
async fn a_rewrite_in_place_costs_one_sync_and_no_record() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    content.write(&rig.data, 0, pattern(1, 8192).into()).await.unwrap();
    assert!(rig.commit(&content).await);
    for round in 2..5 {
        let before = rig.disk.switches().syncs.load(Ordering::SeqCst);
        content.write(&rig.data, 4096, pattern(round, 4096).into()).await.unwrap();
        assert!(!rig.commit(&content).await);
        assert_eq!(rig.disk.switches().syncs.load(Ordering::SeqCst), before + 1);
        // Nothing new, nothing to sync.
        assert!(!rig.commit(&content).await);
        assert_eq!(rig.disk.switches().syncs.load(Ordering::SeqCst), before + 1);
    }
}

#[tokio::test]
async fn the_journal_is_told_only_of_the_extents_that_changed() {
    let rig = Rig::new(small()).await;
    let content = Content::of(rig.object("a", &[1; 100_000]).await);
    for index in 0..100 {
        content.write(&rig.data, index * 1000, Bytes::from_static(b"x")).await.unwrap();
    }
    assert_eq!(content.sync(&rig.data).await.unwrap().changes.len(), 100);
    rig.commit(&content).await;
    content.write(&rig.data, 99, Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(content.sync(&rig.data).await.unwrap().changes.len(), 1);
    rig.commit(&content).await;
    // One write joins two extents: one row goes, one grows.
    content.write(&rig.data, 1, pattern(1, 999).into()).await.unwrap();
    assert_eq!(content.sync(&rig.data).await.unwrap().changes.len(), 3);
    rig.commit(&content).await;
    assert_eq!(rig.local().scan(Table::Extents, b"", None, 1000).unwrap().len(), 99);
}

#[tokio::test]
async fn syncs_that_come_together_share_one() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    content.write(&rig.data, 0, Bytes::from_static(b"x")).await.unwrap();
    let syncs = futures::future::join_all((0..20).map(|_| content.sync(&rig.data))).await;
    assert_eq!(rig.disk.switches().syncs.load(Ordering::SeqCst), 1);
    for synced in syncs {
        // Until the journal has it, everybody is told to write it there.
        let synced = synced.unwrap();
        assert!(synced.must_journal);
        assert_eq!(synced.changes.len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_a_later_sync_overtook_confirms_nothing() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    content.write(&rig.data, 0, Bytes::from_static(b"x")).await.unwrap();
    let first = content.sync(&rig.data).await.unwrap();
    content.write(&rig.data, 10, Bytes::from_static(b"y")).await.unwrap();
    let second = content.sync(&rig.data).await.unwrap();
    assert_eq!((first.changes.len(), second.changes.len()), (1, 2));
    content.mark_journaled(&rig.data, &first);
    assert!(content.sync(&rig.data).await.unwrap().must_journal);
    content.mark_journaled(&rig.data, &second);
    assert!(!content.sync(&rig.data).await.unwrap().must_journal);
}

#[tokio::test]
async fn a_failed_sync_is_never_forgotten() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    content.write(&rig.data, 0, Bytes::from_static(b"x")).await.unwrap();
    rig.disk.switches().failing_syncs.store(true, Ordering::SeqCst);
    assert!(matches!(content.sync(&rig.data).await, Err(DataError::Failed(_))));
    rig.disk.switches().failing_syncs.store(false, Ordering::SeqCst);
    // The disk works again, and what it lost is still lost.
    assert!(matches!(content.sync(&rig.data).await, Err(DataError::Failed(_))));
    let more = content.write(&rig.data, 0, Bytes::from_static(b"y")).await;
    assert!(matches!(more, Err(DataError::Failed(_))));
    let upload = content.upload(&rig.data, BUCKET, "a", &ObjectMeta::default(), &Condition::Always).await;
    assert!(matches!(upload.unwrap_err(), UploadError::Local(DataError::Failed(_))));
}

#[tokio::test]
async fn staging_is_bounded_and_what_was_written_stays() {
    let staging = StagingLimits { bytes_max: 10_000, disk_reserve_bytes: 1000 };
    let rig = Rig::new(DataConfig { staging, ..small() }).await;
    let content = Content::empty();
    content.write(&rig.data, 0, pattern(1, 9000).into()).await.unwrap();
    assert_eq!(content.write(&rig.data, 9000, pattern(1, 1001).into()).await, Err(DataError::NoSpace));
    // What is there may be rewritten, and the rest used.
    content.write(&rig.data, 0, pattern(2, 9000).into()).await.unwrap();
    content.write(&rig.data, 9000, pattern(1, 1000).into()).await.unwrap();
    assert_eq!(rig.data.staging().used_bytes(), 10_000);
    let uploaded = content.upload(&rig.data, BUCKET, "a", &ObjectMeta::default(), &Condition::IfAbsent).await.unwrap();
    assert!(rig.settle(&content, uploaded, "a").await);
    assert_eq!(rig.data.staging().used_bytes(), 0);
    rig.disk.free_bytes.store(1500, Ordering::SeqCst);
    assert_eq!(content.write(&rig.data, 0, pattern(1, 501).into()).await, Err(DataError::NoSpace));
    content.write(&rig.data, 0, pattern(1, 500).into()).await.unwrap();
    assert_eq!(rig.data.staging().used_bytes(), 500);
}

#[tokio::test]
async fn a_cut_gives_room_back_once_the_journal_knows() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    content.write(&rig.data, 0, pattern(1, 100_000).into()).await.unwrap();
    rig.commit(&content).await;
    content.truncate(&rig.data, 1000).await.unwrap();
    assert_eq!(rig.data.staging().used_bytes(), 100_000);
    rig.commit(&content).await;
    // The cut runs by itself; whatever needs the file alone comes after it.
    content.truncate(&rig.data, 1000).await.unwrap();
    assert_eq!(rig.data.staging().used_bytes(), 1000);
    assert_eq!(all(&content, &rig.data).await, pattern(1, 1000));
}

#[tokio::test]
async fn many_open_files_do_not_need_many_descriptors() {
    let rig = Rig::new(small()).await;
    let mut contents = Vec::new();
    for index in 0..300 {
        let content = Content::empty();
        content.write(&rig.data, 0, pattern(index, 10).into()).await.unwrap();
        contents.push(content);
    }
    // Closed to make room, and made durable before.
    assert_eq!(rig.disk.switches().syncs.load(Ordering::SeqCst), 300 - 256);
    for (index, content) in (0..).zip(&contents) {
        rig.commit(content).await;
        assert_eq!(all(content, &rig.data).await, pattern(index, 10));
    }
}

#[tokio::test]
async fn orphans_are_found_and_swept() {
    let mut rig = Rig::new(small()).await;
    let content = Content::empty();
    content.write(&rig.data, 0, Bytes::from_static(b"kept")).await.unwrap();
    rig.commit(&content).await;
    let lost = Content::empty();
    lost.write(&rig.data, 0, Bytes::from_static(b"lost")).await.unwrap();
    rig.restart();
    let content = rig.recover().unwrap();
    let orphans = rig.data.staging().orphans();
    assert!(!orphans.is_empty());
    assert_eq!(rig.data.staging().sweep(), orphans.len());
    assert!(rig.data.staging().orphans().is_empty());
    assert_eq!(all(&content, &rig.data).await, b"kept");
    // A number is not used twice.
    let new = Content::empty();
    new.write(&rig.data, 0, Bytes::from_static(b"new")).await.unwrap();
    let number = new.sync(&rig.data).await.unwrap().record.staging.unwrap();
    assert!(orphans.iter().all(|orphan| *orphan < number));
}

#[tokio::test]
async fn a_record_without_its_staging_file_is_an_error() {
    let rig = Rig::new(small()).await;
    let record = ContentRecord { base: None, base_len: 0, staging: Some(77), size: 5 };
    assert!(matches!(Content::recovered(record, &rig.data, rig.local()), Err(DataError::Io(_))));
    let record = ContentRecord { base: None, base_len: 1, staging: None, size: 5 };
    assert!(matches!(Content::recovered(record, &rig.data, rig.local()), Err(DataError::Io(_))));
}
