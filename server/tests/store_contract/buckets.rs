//! Whole buckets.

use hafiz_nfs_gateway::store::{Condition, StoreError};
use rstest::rstest;

use super::{BUCKET, Bench, Kind};

#[rstest]
#[tokio::test]
async fn buckets_come_and_go(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let store = &bench.store;
    assert_eq!(store.head_bucket("second").await, Err(StoreError::NoSuchBucket));
    store.create_bucket("second").await.unwrap();
    assert_eq!(store.head_bucket("second").await, Ok(()));
    assert_eq!(store.create_bucket("second").await, Err(StoreError::BucketExists));
    let names: Vec<_> = store.list_buckets().await.unwrap().into_iter().map(|bucket| bucket.name).collect();
    assert_eq!(names, [BUCKET, "second"]);
    assert_eq!(store.delete_bucket("second").await, Ok(()));
    assert_eq!(store.delete_bucket("second").await, Err(StoreError::NoSuchBucket));
}

#[rstest]
#[tokio::test]
async fn only_an_empty_bucket_goes(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    bench.put("k", b"x").await;
    assert_eq!(bench.store.delete_bucket(BUCKET).await, Err(StoreError::BucketNotEmpty));
    bench.store.delete(BUCKET, "k", &Condition::Always).await.unwrap();
    assert_eq!(bench.store.delete_bucket(BUCKET).await, Ok(()));
}
