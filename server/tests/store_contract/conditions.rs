//! Conditions on writes.

use bytes::Bytes;
use hafiz_nfs_gateway::store::{Condition, StoreError};
use rstest::rstest;

use super::{BUCKET, Bench, Kind, full_meta, other_tag, source};

#[rstest]
#[tokio::test]
async fn a_create_never_overwrites(#[values(Kind::Memory, Kind::Embedded, Kind::Probed)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let first = bench.put_if("k", b"first", Condition::IfAbsent).await.unwrap();
    assert_eq!(bench.put_if("k", b"second", Condition::IfAbsent).await, Err(StoreError::PreconditionFailed));
    assert_eq!(bench.store.head(BUCKET, "k").await.unwrap().info.etag, first);
}

#[rstest]
#[tokio::test]
async fn an_overwrite_meets_its_version_or_fails(#[values(Kind::Memory, Kind::Embedded, Kind::Probed)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let absent = bench.put_if("k", b"x", Condition::IfMatch(other_tag())).await;
    assert_eq!(absent, Err(StoreError::PreconditionFailed));
    let first = bench.put("k", b"first").await;
    let second = bench.put_if("k", b"second", Condition::IfMatch(first.clone())).await.unwrap();
    assert_eq!(bench.put_if("k", b"third", Condition::IfMatch(first)).await, Err(StoreError::PreconditionFailed));
    assert_eq!(bench.store.head(BUCKET, "k").await.unwrap().info.etag, second);
    assert_eq!(bench.body("k").await, Ok(Bytes::from_static(b"second")));
}

#[rstest]
#[tokio::test]
async fn a_delete_meets_its_version_or_fails(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let there = bench.put("k", b"there").await;
    let wrong = bench.store.delete(BUCKET, "k", &Condition::IfMatch(other_tag())).await;
    assert_eq!(wrong, Err(StoreError::PreconditionFailed));
    assert_eq!(bench.store.delete(BUCKET, "k", &Condition::IfMatch(there)).await, Ok(()));
    assert_eq!(bench.store.head(BUCKET, "k").await, Err(StoreError::NotFound));
    let senseless = bench.store.delete(BUCKET, "k", &Condition::IfAbsent).await;
    assert!(matches!(senseless, Err(StoreError::Refused(_))), "{senseless:?}");
}

#[rstest]
#[tokio::test]
async fn a_copy_meets_its_destination_or_fails(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let from = source("from", &bench.put("from", b"bytes").await);
    let copy = async |condition| bench.store.copy(&from, BUCKET, "to", &full_meta(), &condition).await;
    assert_eq!(copy(Condition::IfMatch(other_tag())).await, Err(StoreError::PreconditionFailed));
    let there = copy(Condition::IfAbsent).await.unwrap();
    assert_eq!(copy(Condition::IfAbsent).await, Err(StoreError::PreconditionFailed));
    assert_eq!(copy(Condition::IfMatch(other_tag())).await, Err(StoreError::PreconditionFailed));
    assert!(copy(Condition::IfMatch(there.etag)).await.is_ok());
}
