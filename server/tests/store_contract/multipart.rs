//! Multipart uploads.

use bytes::{BufMut, Bytes, BytesMut};
use hafiz_nfs_gateway::store::{Condition, ETag, StoreError, UploadedPart};
use rstest::rstest;

use super::{BUCKET, Bench, Kind, full_meta, other_tag, source};

/// The least that a part which is not the last may have.
const PART: usize = 5 * 1024 * 1024;

fn filled(byte: u8, length: usize) -> Bytes {
    let mut body = BytesMut::with_capacity(length);
    body.put_bytes(byte, length);
    body.freeze()
}

/// An upload of one short part.
async fn begun(bench: &Bench, key: &str, body: &'static [u8]) -> (String, Vec<UploadedPart>) {
    let upload = bench.store.create_upload(BUCKET, key, &full_meta()).await.unwrap();
    let part = bench.store.upload_part(BUCKET, key, &upload, 1, Bytes::from_static(body)).await.unwrap();
    (upload, vec![part])
}

#[rstest]
#[tokio::test]
async fn parts_become_one_object(#[values(Kind::Memory, Kind::Embedded, Kind::Probed)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let base =
        bench.store.put(BUCKET, "base", filled(b'b', PART + 10), &full_meta(), &Condition::Always).await.unwrap();
    let store = &bench.store;
    let upload = store.create_upload(BUCKET, "k", &full_meta()).await.unwrap();
    // Out of order, one of them twice; the range of another object in the middle.
    let last = store.upload_part(BUCKET, "k", &upload, 9, filled(b'z', 3)).await.unwrap();
    store.upload_part(BUCKET, "k", &upload, 2, filled(b'x', PART)).await.unwrap();
    let first = store.upload_part(BUCKET, "k", &upload, 2, filled(b'a', PART)).await.unwrap();
    let from = source("base", &base.etag);
    let middle = store.upload_part_copy(BUCKET, "k", &upload, 5, &from, 10..PART as u64 + 10).await.unwrap();
    assert_eq!(store.head(BUCKET, "k").await, Err(StoreError::NotFound));
    let parts = [first, middle, last];
    let written = store.complete_upload(BUCKET, "k", &upload, &parts, &Condition::IfAbsent).await.unwrap();
    let head = store.head(BUCKET, "k").await.unwrap();
    assert_eq!((head.info.size, head.info.etag.clone()), (2 * PART as u64 + 3, written.etag));
    assert_eq!(head.meta, full_meta());
    let size = PART as u64;
    for (range, wanted) in [(0..2, "aa"), (size - 1..size + 1, "ab"), (2 * size - 1..2 * size + 9, "bzzz")] {
        assert_eq!(store.get(BUCKET, "k", range, &head.info.etag).await.unwrap(), wanted.as_bytes());
    }
}

#[rstest]
#[tokio::test]
async fn a_completion_meets_its_version_or_fails(#[values(Kind::Memory, Kind::Embedded, Kind::Probed)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let there = bench.put("k", b"there").await;
    let (upload, parts) = begun(&bench, "k", b"new").await;
    let complete = async |condition| bench.store.complete_upload(BUCKET, "k", &upload, &parts, &condition).await;
    assert_eq!(complete(Condition::IfAbsent).await, Err(StoreError::PreconditionFailed));
    assert_eq!(complete(Condition::IfMatch(other_tag())).await, Err(StoreError::PreconditionFailed));
    assert_eq!(bench.body("k").await, Ok(Bytes::from_static(b"there")));
    complete(Condition::IfMatch(there)).await.unwrap();
    assert_eq!(bench.body("k").await, Ok(Bytes::from_static(b"new")));
}

#[rstest]
#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let (upload, parts) = begun(&bench, "d/a +b", b"new").await;
    let (other, _) = begun(&bench, "e", b"new").await;
    let pending = bench.store.list_uploads(BUCKET, "d/").await.unwrap();
    let seen: Vec<_> = pending.iter().map(|upload| (upload.key.as_str(), upload.upload_id.as_str())).collect();
    assert_eq!(seen, [("d/a +b", upload.as_str())]);
    assert_eq!(bench.store.list_uploads(BUCKET, "").await.unwrap().len(), 2);
    for _ in 0..2 {
        assert_eq!(bench.store.abort_upload(BUCKET, "d/a +b", &upload).await, Ok(()));
    }
    let complete = bench.store.complete_upload(BUCKET, "d/a +b", &upload, &parts, &Condition::Always).await;
    assert_eq!(complete, Err(StoreError::NoSuchUpload));
    let part = bench.store.upload_part(BUCKET, "d/a +b", &upload, 1, Bytes::new()).await;
    assert_eq!(part, Err(StoreError::NoSuchUpload));
    bench.store.abort_upload(BUCKET, "e", &other).await.unwrap();
    assert_eq!(bench.store.list_uploads(BUCKET, "").await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn parts_that_do_not_fit_are_refused(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let (upload, mut parts) = begun(&bench, "k", b"short").await;
    parts.push(bench.store.upload_part(BUCKET, "k", &upload, 2, Bytes::from_static(b"last")).await.unwrap());
    let complete = async |parts: &[UploadedPart]| {
        bench.store.complete_upload(BUCKET, "k", &upload, parts, &Condition::Always).await
    };
    let too_small = complete(&parts).await;
    assert!(matches!(too_small, Err(StoreError::Refused(_))), "{too_small:?}");
    let unknown = complete(&[UploadedPart { number: 3, ..parts[0].clone() }]).await;
    assert!(matches!(unknown, Err(StoreError::Refused(_))), "{unknown:?}");
    let there: ETag = bench.put("from", b"bytes").await;
    let stale = bench.store.upload_part_copy(BUCKET, "k", &upload, 1, &source("from", &other_tag()), 0..2).await;
    assert_eq!(stale, Err(StoreError::PreconditionFailed));
    let empty = bench.store.upload_part_copy(BUCKET, "k", &upload, 1, &source("from", &there), 2..2).await;
    assert!(matches!(empty, Err(StoreError::Refused(_))), "{empty:?}");
}
