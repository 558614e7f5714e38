//! Tests of the pages of a listing, on an index without a server.

use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase as _};

use super::*;
use crate::embedded::record::{Detail, ObjectRecord};

fn database(keys: &[&str]) -> Database {
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut objects = transaction.open_table(OBJECTS).unwrap();
        for (bucket, key) in keys.iter().map(|key| ("b", *key)).chain([("a", "before"), ("c", "behind")]) {
            let summary = Summary { size: key.len() as u64, etag: String::new(), modified_ms: 0 };
            let row = ObjectRecord { summary, detail: Detail::default() }.encode().unwrap();
            objects.insert((bucket, key.as_bytes()), row.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
    database
}

fn query(prefix: &str, delimiter: &str) -> Query {
    Query { bucket: "b".into(), prefix: prefix.into(), delimiter: delimiter.into(), after: None, max: PAGE_MAX }
}

fn list(database: &Database, query: &Query) -> Page {
    page(&database.begin_read().unwrap().open_table(OBJECTS).unwrap(), query).unwrap()
}

fn names(page: &Page) -> (Vec<&str>, Vec<&str>) {
    (page.objects.iter().map(|(key, _)| key.as_str()).collect(), page.prefixes.iter().map(String::as_str).collect())
}

/// All entries of a listing in pages of `max`, in the order in which they came.
fn pages(database: &Database, mut query: Query, max: usize) -> Vec<String> {
    query.max = max;
    let mut all = Vec::new();
    loop {
        let page = list(database, &query);
        assert!(page.objects.len() + page.prefixes.len() <= max);
        let mut entries: Vec<String> = page.objects.into_iter().map(|(key, _)| key).chain(page.prefixes).collect();
        entries.sort();
        all.extend(entries);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return all,
        }
    }
}

const KEYS: [&str; 9] = ["a", "a-b", "a/", "a/b", "a/c/d", "a0", "é", "～", "😀"];

#[test]
fn keys_come_in_byte_order_within_their_bucket() {
    assert_eq!(names(&list(&database(&KEYS), &query("", ""))), (KEYS.to_vec(), vec![]));
}

#[test]
fn a_delimiter_folds_what_lies_below() {
    let database = database(&KEYS);
    let top = (vec!["a", "a-b", "a0", "é", "～", "😀"], vec!["a/"]);
    assert_eq!(names(&list(&database, &query("", "/"))), top);
    assert_eq!(names(&list(&database, &query("a/", "/"))), (vec!["a/", "a/b"], vec!["a/c/"]));
    assert_eq!(names(&list(&database, &query("a", "/"))), (vec!["a", "a-b", "a0"], vec!["a/"]));
}

#[test]
fn pages_of_every_size_add_up_to_the_listing() {
    let database = database(&KEYS);
    for delimiter in ["", "/", "/c"] {
        let whole = pages(&database, query("", delimiter), PAGE_MAX);
        for max in 1..=whole.len() {
            assert_eq!(pages(&database, query("", delimiter), max), whole, "{delimiter:?} by {max}");
        }
    }
}

#[test]
fn a_full_last_page_has_no_next() {
    let mut query = query("", "");
    query.max = KEYS.len();
    assert_eq!(list(&database(&KEYS), &query).next, None);
}

#[test]
fn a_page_of_none_is_empty_and_the_last() {
    let mut query = query("", "");
    query.max = 0;
    assert_eq!(list(&database(&KEYS), &query), Page::default());
}

#[test]
fn start_after_need_not_exist_and_may_lie_below_a_common_prefix() {
    let database = database(&KEYS);
    let after = |after: &str, delimiter| Query { after: Some(after.into()), ..query("a", delimiter) };
    assert_eq!(names(&list(&database, &after("a/bb", ""))), (vec!["a/c/d", "a0"], vec![]));
    assert_eq!(names(&list(&database, &after("a/b", "/"))), (vec!["a0"], vec!["a/"]));
    assert_eq!(names(&list(&database, &after("a/", "/"))), (vec!["a0"], vec![]));
    assert_eq!(names(&list(&database, &after("A", "/"))), names(&list(&database, &query("a", "/"))));
    assert_eq!(names(&list(&database, &after("b", "/"))), (vec![], vec![]));
}

#[test]
fn seeking_past_a_prefix_lands_behind_all_below_it() {
    let past = |prefix: &[u8]| match Seek::past(prefix) {
        Seek::From(bound) => Some(bound),
        Seek::Behind(_) | Seek::Done => None,
    };
    assert_eq!(past(b"a/"), Some(b"a0".to_vec()));
    assert_eq!(past(b"a\xff\xff"), Some(b"b".to_vec()));
    assert_eq!(past(b"\xff"), None);
}

#[test]
fn tokens_and_encoded_keys_survive_any_character() {
    for key in ["a\u{1}b", "", "é/ +%"] {
        assert_eq!(parse_token(&token(key)).unwrap(), key);
    }
    assert!(parse_token("*").is_err());
    assert_eq!(shown("a\u{1}/é +%.txt", true), "a%01/%C3%A9%20%2B%25.txt");
    assert_eq!(shown("a +", false), "a +");
}
