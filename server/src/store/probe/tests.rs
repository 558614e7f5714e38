use super::*;
use crate::store::memory::{Behaviour, MemoryStore};
use crate::timestamp::Timestamp;

async fn played(behaviour: Behaviour) -> MemoryStore {
    let store = MemoryStore::new(behaviour, Arc::new(Timestamp::default));
    store.create_bucket("b").await.unwrap();
    store
}

async fn probed(behaviour: Behaviour) -> Capabilities {
    let store = played(behaviour).await;
    let found = probe(&store, "b").await.unwrap();
    assert_left_clean(&store).await;
    found
}

async fn assert_left_clean(store: &dyn ObjectStore) {
    let everything = ListRequest { bucket: "b".to_owned(), max_keys: 1000, ..ListRequest::default() };
    assert_eq!(store.list(&everything).await.unwrap().objects, []);
    assert_eq!(store.list_uploads("b", "").await.unwrap(), []);
}

/// What is found of a server that does everything.
fn everything() -> Capabilities {
    Capabilities {
        writable: true,
        conditional_create: true,
        conditional_overwrite: true,
        conditional_delete: true,
        conditional_copy: true,
        conditional_complete: true,
        copy: true,
        copy_source_condition: true,
        multipart: true,
        upload_part_copy: true,
        dialect: Dialect {
            put: Payload::Crc32c,
            parts: Payload::Crc32c,
            declare_part_checksums: true,
            unquoted_if_match: false,
            literal_plus: false,
        },
    }
}

#[tokio::test]
async fn a_server_that_does_everything_is_trusted_with_everything() {
    assert_eq!(probed(Behaviour::default()).await, everything());
}

#[tokio::test]
async fn conditions_that_are_ignored_are_not_relied_on() {
    let all = everything();
    let does = Behaviour::default();
    let rows = [
        (
            Behaviour { conditional_put: false, ..does },
            Capabilities { conditional_create: false, conditional_overwrite: false, ..all },
        ),
        (Behaviour { conditional_delete: false, ..does }, Capabilities { conditional_delete: false, ..all }),
        (Behaviour { conditional_copy: false, ..does }, Capabilities { conditional_copy: false, ..all }),
        (Behaviour { conditional_complete: false, ..does }, Capabilities { conditional_complete: false, ..all }),
        (Behaviour { copy_source_condition: false, ..does }, Capabilities { copy_source_condition: false, ..all }),
        (Behaviour { upload_part_copy: false, ..does }, Capabilities { upload_part_copy: false, ..all }),
    ];
    for (behaviour, wanted) in rows {
        assert_eq!(probed(behaviour).await, wanted, "{behaviour:?}");
    }
}

#[tokio::test]
async fn checksums_that_nobody_verifies_leave_payloads_signed() {
    let found = probed(Behaviour { checksums_verified: false, ..Behaviour::default() }).await;
    assert!(!found.unsigned_payload_checksum());
    assert_eq!((found.dialect.put, found.dialect.parts), (Payload::Signed, Payload::Signed));
    assert!(found.multipart && found.upload_part_copy);
}

#[tokio::test]
async fn parts_are_sent_so_that_they_can_be_copied_too() {
    let found = probed(Behaviour { copy_into_declared_upload: false, ..Behaviour::default() }).await;
    assert_eq!((found.dialect.parts, found.dialect.declare_part_checksums), (Payload::Crc32c, false));
    assert!(found.upload_part_copy);
    let strict = Behaviour { copy_into_declared_upload: false, undeclared_checksums: false, ..Behaviour::default() };
    let found = probed(strict).await;
    assert_eq!(found.dialect.parts, Payload::Signed);
    assert!(found.upload_part_copy);
}

#[tokio::test]
async fn tags_lose_their_quotes_where_only_that_is_understood() {
    let found = probed(Behaviour { only_unquoted_if_match: true, ..Behaviour::default() }).await;
    let dialect = Dialect { unquoted_if_match: true, ..everything().dialect };
    assert_eq!(found, Capabilities { dialect, ..everything() });
}

#[tokio::test]
async fn plus_signs_are_read_as_the_server_writes_them() {
    let store = played(Behaviour { literal_plus: true, ..Behaviour::default() }).await;
    let found = probe(&store, "b").await.unwrap();
    assert!(found.dialect.literal_plus);
    assert_left_clean(store.speaking(found.dialect).as_ref()).await;
}

#[tokio::test]
async fn a_bucket_that_may_not_be_written_is_no_error() {
    let store = MemoryStore::new(Behaviour { writable: false, ..Behaviour::default() }, Arc::new(Timestamp::default));
    assert_eq!(probe(&store, "b").await, Ok(Capabilities::default()));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_an_error() {
    assert_eq!(probe(&MemoryStore::default(), "absent").await, Err(StoreError::NoSuchBucket));
}
