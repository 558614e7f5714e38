//! Contents against a vector of bytes, and one by one the promises that the model cannot see.

mod durability;
mod model;
mod plans;
mod races;

use pretty_assertions::assert_eq;

use super::*;
use crate::data::testing::{Rig, all, pattern, small};

#[tokio::test]
async fn reads_end_exactly_where_the_file_does() {
    let rig = Rig::new(small()).await;
    let content = Content::of(rig.object("a", b"0123456789").await);
    let read = async |offset, count| {
        let (chunks, eof) = content.read(&rig.data, offset, count).await.unwrap();
        (String::from_utf8(chunks.concat()).unwrap(), eof)
    };
    assert_eq!(read(0, 10).await, ("0123456789".to_owned(), true));
    assert_eq!(read(0, 9).await, ("012345678".to_owned(), false));
    assert_eq!(read(8, 100).await, ("89".to_owned(), true));
    assert_eq!(read(10, 1).await, (String::new(), true));
    assert_eq!(read(u64::MAX, u32::MAX).await, (String::new(), true));
    assert_eq!(read(3, 0).await, (String::new(), false));
    assert_eq!(Content::empty().read(&rig.data, 0, 1).await, Ok((Vec::new(), true)));
}

#[tokio::test]
async fn what_was_cut_off_never_comes_back() {
    let rig = Rig::new(small()).await;
    let content = Content::of(rig.object("a", &[7; 100]).await);
    content.write(&rig.data, 20, Bytes::from_static(&[8; 60])).await.unwrap();
    content.truncate(&rig.data, 30).await.unwrap();
    content.truncate(&rig.data, 90).await.unwrap();
    content.write(&rig.data, 50, Bytes::from_static(b"x")).await.unwrap();
    let mut expected = vec![0; 90];
    expected[..20].fill(7);
    expected[20..30].fill(8);
    expected[50] = b'x';
    assert_eq!(all(&content, &rig.data).await, expected);
    assert_eq!(content.size(), 90);
}

#[tokio::test]
async fn files_are_bounded() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    let byte = Bytes::from_static(b"x");
    assert_eq!(content.write(&rig.data, FILE_BYTES_MAX, byte.clone()).await, Err(DataError::TooLarge));
    assert_eq!(content.write(&rig.data, u64::MAX, byte).await, Err(DataError::TooLarge));
    assert_eq!(content.truncate(&rig.data, FILE_BYTES_MAX + 1).await, Err(DataError::TooLarge));
    assert_eq!((content.size(), content.generation()), (0, 0));
}

#[tokio::test]
async fn a_read_never_mixes_two_versions() {
    let rig = Rig::new(small()).await;
    let old = rig.object("a", &pattern(1, 600 << 10)).await;
    let content = Content::of(old);
    content.read(&rig.data, 0, 10).await.unwrap();
    let new = rig.object("a", &pattern(2, 600 << 10)).await;
    assert_eq!(content.read(&rig.data, 500 << 10, 10).await, Err(DataError::BaseChanged));
    let generation = content.generation();
    assert!(content.rebase(new));
    assert!(content.generation() > generation);
    assert_eq!(all(&content, &rig.data).await, pattern(2, 600 << 10));
    rig.data.store().delete("bucket", "a", &crate::store::Condition::Always).await.unwrap();
    let gone = Content::of(BaseObject { etag: crate::store::ETag::new("none"), ..content.base().unwrap() });
    assert_eq!(gone.read(&rig.data, 0, 10).await, Err(DataError::BaseGone));
}

#[tokio::test]
async fn a_dirty_file_keeps_its_base() {
    let rig = Rig::new(small()).await;
    let old = rig.object("a", b"old").await;
    let content = Content::of(old.clone());
    content.write(&rig.data, 0, Bytes::from_static(b"X")).await.unwrap();
    assert!(!content.rebase(BaseObject { size: 9, ..old.clone() }));
    assert_eq!(content.base(), Some(old));
    assert_eq!(all(&content, &rig.data).await, b"Xld");
}

#[tokio::test]
async fn a_materialised_file_outlives_its_object() {
    let rig = Rig::new(small()).await;
    let mut bytes = pattern(1, 10 << 20);
    let content = Content::of(rig.object("a", &bytes).await);
    content.write(&rig.data, 5 << 20, Bytes::from_static(b"new")).await.unwrap();
    content.truncate(&rig.data, 9 << 20).await.unwrap();
    bytes[5 << 20..(5 << 20) + 3].copy_from_slice(b"new");
    bytes.truncate(9 << 20);
    let generation = content.generation();
    content.materialise(&rig.data).await.unwrap();
    assert_eq!((content.base(), content.is_dirty(), content.generation()), (None, true, generation));
    rig.data.store().delete("bucket", "a", &crate::store::Condition::Always).await.unwrap();
    assert!(all(&content, &rig.data).await == bytes);
    // And nothing of it needs the store, or is lost by a crash.
    assert!(rig.commit(&content).await);
}

#[tokio::test]
async fn a_discarded_file_gives_its_room_back() {
    let rig = Rig::new(small()).await;
    let content = Content::empty();
    content.write(&rig.data, 0, pattern(1, 1000).into()).await.unwrap();
    rig.commit(&content).await;
    assert_eq!(rig.data.staging().used_bytes(), 1000);
    let settled = content.discard().await;
    assert_eq!(settled.changes.len(), 1);
    settled.released.unwrap().remove();
    assert_eq!((content.size(), rig.data.staging().used_bytes()), (0, 0));
}
