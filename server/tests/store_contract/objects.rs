//! Single objects.

use bytes::Bytes;
use hafiz_nfs_gateway::store::{Condition, ObjectMeta, StoreError};
use rstest::rstest;

use super::{BUCKET, Bench, Kind, full_meta, other_tag, source};

/// Keys that are hard to carry in a URL or in XML.
const ODD_KEYS: [&str; 14] = [
    "plain",
    "dir/",
    "a b+c%20d%",
    "é/€/𝄞",
    "a//b",
    "./a/../b",
    "tab\tnewline\n",
    "control\u{1}\u{1f}\u{7f}",
    "<&>\"'",
    "?a=b&c#d",
    "back\\slash*",
    " leading and trailing ",
    "~tilde!$'()",
    "/leading",
];

#[rstest]
#[tokio::test]
async fn an_object_comes_back_as_it_went(#[values(Kind::Memory, Kind::Embedded, Kind::Probed)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let body = Bytes::from_static(b"0123456789");
    let written = bench.store.put(BUCKET, "k", body, &full_meta(), &Condition::Always).await.unwrap();
    let head = bench.store.head(BUCKET, "k").await.unwrap();
    assert_eq!((head.info.size, head.info.etag.clone()), (10, written.etag.clone()));
    assert_eq!(head.info.last_modified.nanos, 0);
    assert_eq!(head.meta, full_meta());
    for (range, wanted) in
        [(0..10, "0123456789"), (3..5, "34"), (9..10, "9"), (8..99, "89"), (10..12, ""), (50..60, ""), (4..4, "")]
    {
        let bytes = bench.store.get(BUCKET, "k", range.clone(), &written.etag).await.unwrap();
        assert_eq!(bytes, wanted.as_bytes(), "{range:?}");
    }
}

#[rstest]
#[tokio::test]
async fn large_and_empty_bodies_come_back(#[values(Kind::Memory, Kind::Embedded, Kind::Probed)] kind: Kind) {
    let bench = Bench::new(kind).await;
    bench.put("empty", b"").await;
    assert_eq!(bench.store.head(BUCKET, "empty").await.unwrap().info.size, 0);
    assert_eq!(bench.body("empty").await, Ok(Bytes::new()));
    let large: Bytes = (0..3_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let meta = ObjectMeta::default();
    let etag = bench.store.put(BUCKET, "large", large.clone(), &meta, &Condition::Always).await.unwrap().etag;
    assert_eq!(bench.body("large").await.unwrap(), large);
    assert_eq!(
        bench.store.get(BUCKET, "large", 1_000_000..2_000_001, &etag).await.unwrap(),
        large[1_000_000..2_000_001]
    );
}

#[rstest]
#[tokio::test]
async fn what_is_not_there_is_not_found(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    assert_eq!(bench.store.head(BUCKET, "absent").await, Err(StoreError::NotFound));
    assert_eq!(bench.store.get(BUCKET, "absent", 0..1, &other_tag()).await, Err(StoreError::NotFound));
    assert_eq!(bench.store.delete(BUCKET, "absent", &Condition::Always).await, Ok(()));
    let copied =
        bench.store.copy(&source("absent", &other_tag()), BUCKET, "to", &full_meta(), &Condition::Always).await;
    assert_eq!(copied, Err(StoreError::NotFound));
    let put = bench.store.put("no-bucket", "k", Bytes::new(), &full_meta(), &Condition::Always).await;
    assert_eq!(put, Err(StoreError::NoSuchBucket));
}

#[rstest]
#[tokio::test]
async fn a_read_never_mixes_versions(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let old = bench.put("k", b"old").await;
    let new = bench.put("k", b"new").await;
    assert_ne!(old, new);
    assert_eq!(bench.store.get(BUCKET, "k", 0..3, &old).await, Err(StoreError::PreconditionFailed));
    assert_eq!(bench.store.get(BUCKET, "k", 0..3, &new).await, Ok(Bytes::from_static(b"new")));
}

#[rstest]
#[tokio::test]
async fn every_key_can_be_used(#[values(Kind::Memory, Kind::Embedded, Kind::Probed)] kind: Kind) {
    let bench = Bench::new(kind).await;
    for key in ODD_KEYS {
        let etag = bench.put(key, b"odd").await;
        assert_eq!(bench.body(key).await, Ok(Bytes::from_static(b"odd")), "{key:?}");
        let to = format!("copy of {key}");
        let copied = bench.store.copy(&source(key, &etag), BUCKET, &to, &full_meta(), &Condition::Always).await;
        assert!(copied.is_ok(), "{key:?}: {copied:?}");
        assert_eq!(bench.body(&to).await, Ok(Bytes::from_static(b"odd")), "{key:?}");
        bench.store.delete(BUCKET, key, &Condition::Always).await.unwrap();
        assert_eq!(bench.store.head(BUCKET, key).await, Err(StoreError::NotFound), "{key:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_copy_takes_the_bytes_and_replaces_the_headers(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let etag = bench.put("from", b"bytes").await;
    let copied =
        bench.store.copy(&source("from", &etag), BUCKET, "to", &full_meta(), &Condition::Always).await.unwrap();
    let head = bench.store.head(BUCKET, "to").await.unwrap();
    assert_eq!((head.info.etag, head.meta), (copied.etag, full_meta()));
    assert_eq!(bench.body("to").await, Ok(Bytes::from_static(b"bytes")));
    // Onto itself: the way to change headers.
    let again =
        bench.store.copy(&source("from", &etag), BUCKET, "from", &full_meta(), &Condition::Always).await.unwrap();
    let head = bench.store.head(BUCKET, "from").await.unwrap();
    assert_eq!((head.info.etag, head.meta), (again.etag, full_meta()));
    let other = bench.store.copy(&source("from", &other_tag()), BUCKET, "to", &full_meta(), &Condition::Always).await;
    assert_eq!(other, Err(StoreError::PreconditionFailed));
}

#[rstest]
#[tokio::test]
async fn user_metadata_that_is_not_ascii_is_refused(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let meta = ObjectMeta { user: [("note".to_owned(), "grün".to_owned())].into(), ..ObjectMeta::default() };
    let put = bench.store.put(BUCKET, "k", Bytes::new(), &meta, &Condition::Always).await;
    assert!(matches!(put, Err(StoreError::Refused(_))), "{put:?}");
    assert!(matches!(bench.store.create_upload(BUCKET, "k", &meta).await, Err(StoreError::Refused(_))));
}
