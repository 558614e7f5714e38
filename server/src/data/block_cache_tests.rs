//! How many requests reads cost, and how much memory.

use bytes::Bytes;
use pretty_assertions::assert_eq;

use super::*;
use crate::data::testing::{BUCKET, Rig, pattern, small};
use crate::data::{Content, Data, DataConfig};
use crate::store::ETag;
use crate::store::faults::{Fault, Gate};
use crate::store::verb::Verb;

const MIB: u64 = 1 << 20;

async fn bytes_of(data: &Data, object: &Arc<BaseObject>, range: Range<u64>) -> Vec<u8> {
    data.cache().read(object, range).await.unwrap().concat()
}

#[tokio::test]
async fn readers_of_one_range_share_one_get() {
    let rig = Rig::new(small()).await;
    let bytes = pattern(1, 1 << 20);
    let object = Arc::new(rig.object("a", &bytes).await);
    let gate = Gate::default();
    rig.faults.script(Verb::Get, 0, Fault::Hold(gate.clone()));
    let readers: Vec<_> = (0..10)
        .map(|index: u64| {
            let (data, object) = (rig.data.clone(), Arc::clone(&object));
            tokio::spawn(async move { bytes_of(&data, &object, index * 1000..200_000).await })
        })
        .collect();
    gate.arrival().await;
    gate.open();
    for (index, reader) in readers.into_iter().enumerate() {
        assert!(reader.await.unwrap() == bytes[index * 1000..200_000]);
    }
    assert_eq!(rig.requests(Verb::Get), 1);
    // What lies beside it is one more, however it is cut.
    assert!(bytes_of(&rig.data, &object, 100_000..500_000).await == bytes[100_000..500_000]);
    assert_eq!(rig.requests(Verb::Get), 2);
    assert_eq!(rig.traced.counts().of(Verb::Get).bytes, 512 << 10);
}

#[tokio::test]
async fn a_reader_that_goes_away_does_not_stop_the_others() {
    let rig = Rig::new(small()).await;
    let object = Arc::new(rig.object("a", &pattern(1, 1000)).await);
    let gate = Gate::default();
    rig.faults.script(Verb::Get, 0, Fault::Hold(gate.clone()));
    let first = tokio::spawn({
        let (data, object) = (rig.data.clone(), Arc::clone(&object));
        async move { bytes_of(&data, &object, 0..10).await }
    });
    gate.arrival().await;
    first.abort();
    assert!(first.await.is_err());
    gate.open();
    assert_eq!(bytes_of(&rig.data, &object, 0..10).await, pattern(1, 10));
    assert_eq!(rig.requests(Verb::Get), 1);
}

#[tokio::test]
async fn a_failed_fetch_is_told_to_all_and_tried_anew_by_the_next() {
    let rig = Rig::new(small()).await;
    let object = Arc::new(rig.object("a", &pattern(1, 1000)).await);
    let down = StoreError::Unavailable("down".to_owned());
    rig.faults.script(Verb::Get, 0, Fault::Before(down.clone()));
    assert_eq!(rig.data.cache().read(&object, 0..10).await, Err(down));
    assert_eq!(rig.data.cache().held_bytes(), 0);
    rig.faults.script(Verb::Get, 0, Fault::Truncate(5));
    assert!(matches!(rig.data.cache().read(&object, 0..10).await, Err(StoreError::Unavailable(_))));
    assert_eq!(bytes_of(&rig.data, &object, 0..10).await, pattern(1, 10));
}

#[tokio::test]
async fn memory_is_bounded_and_all_of_it_counted() {
    let config = DataConfig { cache_bytes: 4 << 20, ..small() };
    let rig = Rig::new(config).await;
    let bytes = pattern(1, 16 << 20);
    let object = Arc::new(rig.object("a", &bytes).await);
    for index in 0..16 {
        let range = index * MIB..(index + 1) * MIB;
        assert!(bytes_of(&rig.data, &object, range.clone()).await == bytes[range.start as usize..range.end as usize]);
        assert!(rig.data.cache().held_bytes() <= 4 << 20);
    }
    assert!(rig.data.cache().held_bytes() >= 3 << 20);
    // The newest is still there, the oldest is not.
    let before = rig.requests(Verb::Get);
    bytes_of(&rig.data, &object, 15 * MIB..16 * MIB).await;
    assert_eq!(rig.requests(Verb::Get), before);
    bytes_of(&rig.data, &object, 0..MIB).await;
    assert_eq!(rig.requests(Verb::Get), before + 1);
}

#[tokio::test]
async fn a_read_larger_than_the_cache_is_whole() {
    let config = DataConfig { cache_bytes: 1 << 20, ..small() };
    let rig = Rig::new(config).await;
    let bytes = pattern(1, 20 << 20);
    let object = Arc::new(rig.object("a", &bytes).await);
    bytes_of(&rig.data, &object, 0..10).await;
    assert!(bytes_of(&rig.data, &object, 0..20 * MIB).await == bytes);
    bytes_of(&rig.data, &object, 0..10).await;
    assert!(rig.data.cache().held_bytes() <= 1 << 20);
}

#[tokio::test]
async fn versions_are_kept_apart() {
    let rig = Rig::new(small()).await;
    let old = Arc::new(rig.object("a", b"old").await);
    assert_eq!(bytes_of(&rig.data, &old, 0..3).await, b"old");
    let new = Arc::new(rig.object("a", b"new").await);
    assert_eq!(bytes_of(&rig.data, &new, 0..3).await, b"new");
    assert_eq!(bytes_of(&rig.data, &old, 0..3).await, b"old");
    let other = Arc::new(BaseObject { etag: ETag::new("other"), ..BaseObject::clone(&old) });
    assert_eq!(rig.data.cache().read(&other, 0..3).await, Err(StoreError::PreconditionFailed));
}

#[tokio::test]
async fn small_random_reads_fetch_small_pieces() {
    let rig = Rig::new(small()).await;
    let bytes = pattern(1, 32 << 20);
    let content = Content::of(rig.object("a", &bytes).await);
    let mut at = 1_u64;
    for _ in 0..100 {
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let start = (at >> 33) % (32 << 20) / 4096 * 4096;
        let (chunks, _) = content.read(&rig.data, start, 4096).await.unwrap();
        assert!(chunks.concat() == bytes[start as usize..start as usize + 4096]);
    }
    let gets = rig.traced.counts().of(Verb::Get);
    assert!(gets.requests <= 110, "{gets:?}");
    assert!(gets.bytes <= 110 * 64 * 1024, "{gets:?}");
}

#[tokio::test]
async fn sequential_reads_are_few_large_gets_made_ahead() {
    let rig = Rig::new(small()).await;
    let bytes: Bytes = pattern(1, 64 << 20).into();
    let content = Content::of(rig.object("a", &bytes).await);
    // A client with 8 reads of 1 MiB in flight, slightly out of order.
    for base in (0..64).step_by(8) {
        let reads = [1, 0, 3, 2, 4, 7, 5, 6].map(|index| {
            let start = (base + index) * MIB;
            let (content, data, bytes) = (&content, &rig.data, &bytes);
            async move {
                let (chunks, eof) = content.read(data, start, 1 << 20).await.unwrap();
                assert!(chunks.concat() == bytes[start as usize..(start + MIB) as usize]);
                assert_eq!(eof, start + MIB == 64 * MIB);
            }
        });
        futures::future::join_all(reads).await;
    }
    let gets = rig.traced.counts().of(Verb::Get);
    // Nothing is fetched twice, and most of it in pieces of 4 MiB.
    assert_eq!(gets.bytes, 64 * MIB);
    assert!(gets.requests <= 32, "{gets:?}");
    assert!(rig.data.cache().held_bytes() <= 96 << 20);
}

#[tokio::test]
async fn abandoned_streams_do_not_fill_the_cache() {
    let config = DataConfig { cache_bytes: 8 << 20, ..small() };
    let rig = Rig::new(config).await;
    let object = rig.object("a", &pattern(1, 32 << 20)).await;
    for _ in 0..8 {
        let content = Content::of(object.clone());
        for index in 0..4 {
            content.read(&rig.data, index * MIB, 1 << 20).await.unwrap();
        }
    }
    // Ahead of the readers at most half of the cache.
    assert!(rig.data.cache().held_bytes() <= 8 << 20);
    assert_eq!(object.bucket, BUCKET);
}

#[tokio::test]
async fn a_small_file_is_fetched_whole_at_once() {
    let rig = Rig::new(small()).await;
    let content = Content::of(rig.object("a", &pattern(1, 200_000)).await);
    for start in [0, 65_536, 131_072] {
        content.read(&rig.data, start, 65_536).await.unwrap();
    }
    assert_eq!(rig.requests(Verb::Get), 1);
}
