use super::*;
use crate::store::faults::{Fault, FaultyStore};
use crate::store::memory::{Behaviour, MemoryStore};
use crate::store::traced::TracedStore;
use crate::timestamp::Timestamp;

struct Bench {
    store: RetryingStore,
    traced: Arc<TracedStore>,
    faults: Arc<FaultyStore>,
}

/// Retry around counting around faults around memory, with a bucket `b`.
async fn bench(policy: RetryPolicy) -> Bench {
    let memory = MemoryStore::new(Behaviour { part_size_min: 1, ..Behaviour::default() }, Arc::new(Timestamp::default));
    let faults = Arc::new(FaultyStore::new(Arc::new(memory)));
    let traced = Arc::new(TracedStore::new(Arc::clone(&faults) as Arc<dyn ObjectStore>));
    let store = RetryingStore::new(Arc::clone(&traced) as Arc<dyn ObjectStore>, policy);
    store.create_bucket("b").await.unwrap();
    Bench { store, traced, faults }
}

fn lost() -> StoreError {
    StoreError::Unavailable("scripted".to_owned())
}

fn meta(value: &str) -> ObjectMeta {
    ObjectMeta { user: [("note".to_owned(), value.to_owned())].into(), ..ObjectMeta::default() }
}

const BODY: Bytes = Bytes::from_static(b"body");

#[tokio::test(start_paused = true)]
async fn a_request_is_repeated_until_it_succeeds() {
    let bench = bench(RetryPolicy::default()).await;
    for _ in 0..4 {
        bench.faults.script(Verb::Put, 0, Fault::Before(lost()));
    }
    bench.store.put("b", "k", BODY, &meta("a"), &Condition::IfAbsent).await.unwrap();
    assert_eq!(bench.traced.counts().of(Verb::Put).requests, 5);
}

#[tokio::test(start_paused = true)]
async fn tries_and_time_are_bounded() {
    let few = bench(RetryPolicy { attempts_max: 3, ..RetryPolicy::default() }).await;
    for _ in 0..9 {
        few.faults.script(Verb::Head, 0, Fault::Before(lost()));
    }
    assert_eq!(few.store.head("b", "k").await, Err(lost()));
    assert_eq!(few.faults.pending(), 6);

    let second = Duration::from_secs(1);
    let policy = RetryPolicy { attempts_max: u32::MAX, total_max: second, delay_first: second / 4, delay_max: second };
    let brief = bench(policy).await;
    for _ in 0..99 {
        brief.faults.script(Verb::Head, 0, Fault::Before(lost()));
    }
    let started = Instant::now();
    assert_eq!(brief.store.head("b", "k").await, Err(lost()));
    assert!(started.elapsed() <= second && brief.faults.pending() < 99);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_repeated() {
    let bench = bench(RetryPolicy::default()).await;
    bench.faults.script(Verb::Put, 0, Fault::Before(StoreError::AccessDenied("scripted".into())));
    let answer = bench.store.put("b", "k", BODY, &meta("a"), &Condition::Always).await;
    assert_eq!(answer, Err(StoreError::AccessDenied("scripted".into())));
    assert_eq!(bench.traced.counts().of(Verb::Put).requests, 1);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_known_by_its_bytes() {
    let bench = bench(RetryPolicy::default()).await;
    bench.faults.script(Verb::Put, 0, Fault::After(lost()));
    let written = bench.store.put("b", "k", BODY, &meta("a"), &Condition::IfAbsent).await.unwrap();
    assert_eq!(bench.store.head("b", "k").await.unwrap().info.etag, written.etag);
}

#[tokio::test(start_paused = true)]
async fn an_overwrite_whose_answer_was_lost_is_known_by_its_bytes() {
    let bench = bench(RetryPolicy::default()).await;
    let base = bench.store.put("b", "k", Bytes::from_static(b"base"), &meta("a"), &Condition::Always).await.unwrap();
    bench.faults.script(Verb::Put, 0, Fault::After(lost()));
    let written = bench.store.put("b", "k", BODY, &meta("a"), &Condition::IfMatch(base.etag.clone())).await.unwrap();
    assert_ne!(written, base);
}

#[tokio::test(start_paused = true)]
async fn another_writers_object_is_not_taken_for_ours() {
    for (theirs, note) in [(Bytes::from_static(b"ours"), "b"), (Bytes::from_static(b"their"), "a"), (BODY, "b")] {
        let bench = bench(RetryPolicy::default()).await;
        bench.store.put("b", "k", theirs, &meta(note), &Condition::Always).await.unwrap();
        bench.faults.script(Verb::Put, 0, Fault::Before(lost()));
        let answer = bench.store.put("b", "k", BODY, &meta("a"), &Condition::IfAbsent).await;
        assert_eq!(answer, Err(StoreError::PreconditionFailed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_condition_is_believed_at_once_when_no_answer_was_lost() {
    let bench = bench(RetryPolicy::default()).await;
    bench.store.put("b", "k", BODY, &meta("a"), &Condition::Always).await.unwrap();
    let answer = bench.store.put("b", "k", BODY, &meta("a"), &Condition::IfAbsent).await;
    assert_eq!(answer, Err(StoreError::PreconditionFailed));
    assert_eq!(bench.traced.counts().of(Verb::Head).requests, 0);
}

#[tokio::test(start_paused = true)]
async fn a_copy_whose_answer_was_lost_is_known_by_its_tag() {
    let bench = bench(RetryPolicy::default()).await;
    let etag = bench.store.put("b", "from", BODY, &meta("a"), &Condition::Always).await.unwrap().etag;
    let source = CopySource { bucket: "b".into(), key: "from".into(), etag: etag.clone() };
    bench.faults.script(Verb::Copy, 0, Fault::After(lost()));
    let copied = bench.store.copy(&source, "b", "to", &meta("c"), &Condition::IfAbsent).await;
    assert_eq!(copied, Ok(Written { etag }));
    bench.faults.script(Verb::Copy, 0, Fault::Before(lost()));
    let answer = bench.store.copy(&source, "b", "to", &meta("other"), &Condition::IfAbsent).await;
    assert_eq!(answer, Err(StoreError::PreconditionFailed));
}

#[tokio::test(start_paused = true)]
async fn a_delete_whose_answer_was_lost_has_happened_when_nothing_is_there() {
    let bench = bench(RetryPolicy::default()).await;
    let etag = bench.store.put("b", "k", BODY, &meta("a"), &Condition::Always).await.unwrap().etag;
    bench.faults.script(Verb::Delete, 0, Fault::After(lost()));
    bench.faults.script(Verb::Delete, 1, Fault::Before(StoreError::NotFound));
    assert_eq!(bench.store.delete("b", "k", &Condition::IfMatch(etag)).await, Ok(()));
    assert_eq!(bench.faults.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_completion_whose_answer_was_lost_is_known_by_its_tag() {
    let bench = bench(RetryPolicy::default()).await;
    for condition in [Condition::IfAbsent, Condition::Always] {
        let upload = bench.store.create_upload("b", "k", &meta("a")).await.unwrap();
        let mut parts = Vec::new();
        for number in 1..=2 {
            parts.push(bench.store.upload_part("b", "k", &upload, number, BODY).await.unwrap());
        }
        bench.faults.script(Verb::CompleteUpload, 0, Fault::After(lost()));
        let written = bench.store.complete_upload("b", "k", &upload, &parts, &condition).await.unwrap();
        assert_eq!(Some(written.etag), doubt::assembled_etag(&parts));
    }
    let answer = bench.store.complete_upload("b", "k", "gone", &[], &Condition::Always).await;
    assert_eq!(answer, Err(StoreError::NoSuchUpload));
}

#[tokio::test(start_paused = true)]
async fn buckets_made_and_dropped_behind_a_lost_answer_are_no_errors() {
    let bench = bench(RetryPolicy::default()).await;
    bench.faults.script(Verb::CreateBucket, 0, Fault::After(lost()));
    assert_eq!(bench.store.create_bucket("c").await, Ok(()));
    assert_eq!(bench.store.create_bucket("c").await, Err(StoreError::BucketExists));
    bench.faults.script(Verb::DeleteBucket, 0, Fault::After(lost()));
    assert_eq!(bench.store.delete_bucket("c").await, Ok(()));
    assert_eq!(bench.store.delete_bucket("c").await, Err(StoreError::NoSuchBucket));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_cut_off_is_asked_for_again() {
    let bench = bench(RetryPolicy::default()).await;
    let etag = bench.store.put("b", "k", BODY, &meta("a"), &Condition::Always).await.unwrap().etag;
    bench.faults.script(Verb::Get, 0, Fault::After(StoreError::Unavailable("the body was cut off".into())));
    assert_eq!(bench.store.get("b", "k", 0..4, &etag).await, Ok(BODY));
}

#[test]
fn pauses_double_up_to_their_limit() {
    let policy = RetryPolicy {
        delay_first: Duration::from_millis(100),
        delay_max: Duration::from_secs(1),
        ..RetryPolicy::default()
    };
    let millis: Vec<_> = [1, 2, 3, 4, 5, 40, u32::MAX].map(|tries| policy.delay(tries).as_millis()).into();
    assert_eq!(millis, [100, 200, 400, 800, 1000, 1000, 1000]);
    for _ in 0..100 {
        let delay = with_jitter(Duration::from_millis(100));
        assert!(delay >= Duration::from_millis(50) && delay <= Duration::from_millis(100));
    }
}

#[test]
fn tags_of_assembled_objects_are_those_of_s3() {
    // The MD5 of the empty string, and the MD5 of its 16 bytes.
    let part = UploadedPart { number: 1, etag: ETag::new("d41d8cd98f00b204e9800998ecf8427e"), checksum: None };
    let etag = doubt::assembled_etag(std::slice::from_ref(&part));
    assert_eq!(etag, Some(ETag::new("59adb24ef3cdbe0297f05b395827453f-1")));
    let odd = UploadedPart { etag: ETag::new("not an md5"), ..part };
    assert_eq!(doubt::assembled_etag(&[odd]), None);
}
