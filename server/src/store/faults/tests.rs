use super::*;
use crate::store::memory::MemoryStore;

async fn faulty() -> Arc<FaultyStore> {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()));
    store.create_bucket("b").await.unwrap();
    Arc::new(store)
}

fn away() -> StoreError {
    StoreError::Unavailable("scripted".to_owned())
}

async fn put(store: &FaultyStore, key: &str) -> StoreResult<Written> {
    store.put("b", key, Bytes::from_static(b"body"), &ObjectMeta::default(), &Condition::Always).await
}

#[tokio::test]
async fn a_fault_comes_before_the_effect_or_after_it() {
    let store = faulty().await;
    store.script(Verb::Put, 0, Fault::Before(away()));
    assert_eq!(put(&store, "k").await, Err(away()));
    assert_eq!(store.head("b", "k").await, Err(StoreError::NotFound));
    store.script(Verb::Put, 0, Fault::After(away()));
    assert_eq!(put(&store, "k").await, Err(away()));
    assert!(store.head("b", "k").await.is_ok());
    assert_eq!(store.pending(), 0);
}

#[tokio::test]
async fn an_error_of_the_store_goes_before_a_scripted_one() {
    let store = faulty().await;
    store.script(Verb::Head, 0, Fault::After(away()));
    assert_eq!(store.head("b", "absent").await, Err(StoreError::NotFound));
}

#[tokio::test]
async fn faults_are_counted_by_verb_and_key() {
    let store = faulty().await;
    store.script_key(Verb::Put, "x", 1, Fault::Before(away()));
    for (key, fails) in [("x", false), ("y", false), ("y", false), ("x", true), ("x", false)] {
        assert_eq!(put(&store, key).await.is_err(), fails, "{key}");
    }
}

#[tokio::test]
async fn a_body_is_cut_short_without_a_word() {
    let store = faulty().await;
    let etag = put(&store, "k").await.unwrap().etag;
    store.script(Verb::Get, 1, Fault::Truncate(3));
    for wanted in ["body", "bod", "body"] {
        assert_eq!(store.get("b", "k", 0..4, &etag).await.unwrap(), wanted.as_bytes());
    }
}

#[tokio::test]
async fn a_gate_holds_a_request_until_it_opens() {
    let store = faulty().await;
    let gate = Gate::default();
    store.script(Verb::Put, 0, Fault::Hold(gate.clone()));
    let held = tokio::spawn({
        let store = Arc::clone(&store);
        async move { put(&store, "k").await }
    });
    gate.arrival().await;
    assert_eq!(store.head("b", "k").await, Err(StoreError::NotFound));
    gate.open();
    held.await.unwrap().unwrap();
    assert!(store.head("b", "k").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_delay_passes_before_the_request() {
    let store = faulty().await;
    store.script(Verb::Put, 0, Fault::Delay(Duration::from_secs(9)));
    let started = tokio::time::Instant::now();
    put(&store, "k").await.unwrap();
    assert_eq!(started.elapsed(), Duration::from_secs(9));
}
