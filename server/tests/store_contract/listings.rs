//! Listings.

use std::collections::BTreeSet;

use hafiz_nfs_gateway::store::{ListPage, ListRequest, StoreError};
use rstest::rstest;

use super::{BUCKET, Bench, Kind};

fn request(prefix: &str, delimited: bool, max_keys: u16) -> ListRequest {
    let (bucket, prefix) = (BUCKET.to_owned(), prefix.to_owned());
    ListRequest { bucket, prefix, delimited, max_keys, ..ListRequest::default() }
}

/// All pages of a listing: keys and prefixes as they came.
async fn all(bench: &Bench, mut request: ListRequest) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
    loop {
        let ListPage { objects, prefixes: rolled, next } = bench.store.list(&request).await.unwrap();
        assert!(objects.len() + rolled.len() <= usize::from(request.max_keys));
        keys.extend(objects.into_iter().map(|object| object.key));
        prefixes.extend(rolled);
        match next {
            Some(next) => request.continuation = Some(next),
            None => return (keys, prefixes),
        }
    }
}

#[rstest]
#[tokio::test]
async fn every_key_is_listed_once_in_byte_order(#[values(Kind::Memory, Kind::Embedded, Kind::Probed)] kind: Kind) {
    let bench = Bench::new(kind).await;
    let keys = BTreeSet::from(
        ["a", "a b", "a+b", "a%2Bb", "a/b", "a/", "a//", "b\u{1}", "b\u{7f}", "é", "€", "𝄞", "\u{ffff}", "<&>", "a\nb"]
            .map(str::to_owned),
    );
    for key in &keys {
        bench.put(key, b"x").await;
    }
    let wanted: Vec<_> = keys.into_iter().collect();
    for max_keys in [1, 2, 7, 1000] {
        assert_eq!(all(&bench, request("", false, max_keys)).await, (wanted.clone(), vec![]), "{max_keys}");
    }
}

#[rstest]
#[tokio::test]
async fn a_delimiter_rolls_up_what_is_below(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    for key in ["d/a", "d/b/1", "d/b/2", "d/b+ c/1", "d/b0", "d/é/1", "d/", "d/z", "e", "d"] {
        bench.put(key, b"x").await;
    }
    for max_keys in [1, 2, 3, 1000] {
        let (keys, prefixes) = all(&bench, request("d/", true, max_keys)).await;
        assert_eq!(keys, ["d/", "d/a", "d/b0", "d/z"], "{max_keys}");
        assert_eq!(prefixes, ["d/b+ c/", "d/b/", "d/é/"], "{max_keys}");
    }
    let (keys, prefixes) = all(&bench, request("", true, 1000)).await;
    assert_eq!((keys, prefixes), (vec!["d".to_owned(), "e".to_owned()], vec!["d/".to_owned()]));
    assert_eq!(all(&bench, request("d/b", true, 1000)).await.1, ["d/b+ c/", "d/b/"]);
    assert_eq!(all(&bench, request("nothing", true, 1000)).await, (vec![], vec![]));
}

#[rstest]
#[tokio::test]
async fn a_listing_goes_on_after_any_name(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    for key in ["d/a", "d/b", "d/c/1", "d/e"] {
        bench.put(key, b"x").await;
    }
    for (start_after, wanted) in [
        ("d/", vec!["d/a", "d/b", "d/e"]),
        ("d/a", vec!["d/b", "d/e"]),
        ("d/aa", vec!["d/b", "d/e"]),
        ("a", vec!["d/a", "d/b", "d/e"]),
        ("d/e", vec![]),
        ("x", vec![]),
    ] {
        let mut request = request("d/", true, 1000);
        request.start_after = Some(start_after.to_owned());
        assert_eq!(all(&bench, request).await.0, wanted, "{start_after}");
    }
}

#[rstest]
#[tokio::test]
async fn a_listing_tells_what_a_head_tells(#[values(Kind::Memory, Kind::Embedded)] kind: Kind) {
    let bench = Bench::new(kind).await;
    bench.put("k", b"12345").await;
    let page = bench.store.list(&request("", false, 1000)).await.unwrap();
    assert_eq!(page.objects, [bench.store.head(BUCKET, "k").await.unwrap().info]);
    let absent = ListRequest { bucket: "no-bucket".into(), max_keys: 1, ..ListRequest::default() };
    assert_eq!(bench.store.list(&absent).await, Err(StoreError::NoSuchBucket));
}
