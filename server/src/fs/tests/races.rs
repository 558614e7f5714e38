use pretty_assertions::assert_eq;

use super::*;

fn patient() -> FsConfig {
    let long = Duration::from_secs(3600);
    FsConfig { linger: long, dirty_age_max: long, ..impatient() }
}

impl World {
    /// Makes everything due, and waits until a request of `verb` on `key` stands at the gate.
    async fn hold(&self, verb: Verb, key: &str) -> Gate {
        let gate = Gate::default();
        self.faults.script_key(verb, key, 0, Fault::Hold(gate.clone()));
        self.fs.work.lock().slots.hasten_all(tokio::time::Instant::now());
        self.fs.wake.notify_one();
        gate.arrival().await;
        gate
    }
}

#[tokio::test]
async fn a_rename_during_the_upload_keeps_every_byte() {
    let world = World::with(patient()).await;
    world.foreign_put("old", "0123456789").await;
    let file = world.walk("old").await.unwrap();
    world.put(&file, 3, "abc").await;
    let gate = world.hold(Verb::Put, "old").await;
    world.rename("old", "new").await.unwrap();
    world.put(&file, 0, "X").await;
    gate.open();
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("new", "X12abc6789")]));
    assert_eq!(world.read(&file).await.unwrap(), "X12abc6789");
}

#[tokio::test]
async fn a_crash_after_a_rename_during_the_upload_keeps_every_byte() {
    let world = World::with(patient()).await;
    world.foreign_put("old", "0123456789").await;
    let file = world.walk("old").await.unwrap();
    world.put(&file, 3, "abc").await;
    let gate = world.hold(Verb::Put, "old").await;
    world.rename("old", "new").await.unwrap();
    gate.open();
    while world.store.get(BUCKET, "old", 0..10, &world.tag("old").await).await.unwrap() != "012abc6789" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("new", "012abc6789")]));
}

#[tokio::test]
async fn a_file_removed_during_its_upload_is_read_by_who_has_it_open() {
    let world = World::with(patient()).await;
    world.foreign_put("file", "0123456789").await;
    let file = world.walk("file").await.unwrap();
    let guard = world.fs.open(&file).await.unwrap();
    world.put(&file, 3, "abc").await;
    let gate = world.hold(Verb::Put, "file").await;
    world.remove("file").await.unwrap();
    gate.open();
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[]));
    assert_eq!(world.read(&file).await.unwrap(), "012abc6789");
    drop(guard);
}

#[tokio::test]
async fn a_file_removed_during_its_upload_stays_removed_after_a_crash() {
    let world = World::with(patient()).await;
    world.write("file", "bytes").await;
    let gate = world.hold(Verb::Put, "file").await;
    world.remove("file").await.unwrap();
    world.give_up.cancel();
    // The request is on its way though the gateway does not live to see the answer.
    world.foreign_put("file", "bytes").await;
    let world = world.restart().await;
    drop(gate);
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[]));
    assert_eq!(world.walk("file").await, Err(FsError::NotFound));
}

#[tokio::test]
async fn an_upload_that_the_journal_did_not_learn_of_is_no_conflict() {
    let world = World::with(patient()).await;
    world.foreign_put("file", "0123456789").await;
    let file = world.walk("file").await.unwrap();
    world.put(&file, 3, "abc").await;
    let fault = Fault::After(StoreError::Unavailable("the answer is lost".to_owned()));
    world.faults.script_key(Verb::Put, "file", 0, fault);
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("file", "012abc6789")]));
    assert_eq!(world.read(&file).await.unwrap(), "012abc6789");
    assert_eq!(world.list("", 10).await, ["file"]);
}

#[tokio::test]
async fn bytes_written_while_a_conflict_is_settled_are_saved_too() {
    let world = World::with(patient()).await;
    world.foreign_put("file", "first").await;
    let file = world.walk("file").await.unwrap();
    world.fs.setattr(&file, &SetAttributes { size: Some(0), ..ANYTHING }).await.unwrap();
    world.put(&file, 0, "ours").await;
    world.foreign_put("file", "theirs").await;
    let gate = Gate::default();
    // The first PUT meets the conflict, the second saves our version.
    world.faults.script(Verb::Put, 1, Fault::Hold(gate.clone()));
    world.fs.work.lock().slots.hasten_all(tokio::time::Instant::now());
    world.fs.wake.notify_one();
    gate.arrival().await;
    world.put(&file, 4, " and more").await;
    gate.open();
    world.settle().await;
    let objects = world.objects().await;
    assert_eq!(objects["file"], "theirs");
    assert!(objects.iter().any(|(_, bytes)| bytes == "ours and more"), "{objects:?}");
}

#[tokio::test]
async fn a_file_deleted_in_the_bucket_while_written_here_keeps_its_name() {
    let world = World::with(patient()).await;
    world.foreign_put("file", "first").await;
    let file = world.walk("file").await.unwrap();
    world.fs.setattr(&file, &SetAttributes { size: Some(0), ..ANYTHING }).await.unwrap();
    world.put(&file, 0, "ours").await;
    world.foreign_delete("file").await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("file", "ours")]));
}

#[tokio::test]
async fn a_renamed_file_whose_object_another_client_deleted_is_gone_and_not_zeros() {
    let world = World::with(patient()).await;
    world.foreign_put("old", "bytes").await;
    let file = world.walk("old").await.unwrap();
    world.rename("old", "new").await.unwrap();
    world.foreign_delete("old").await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[]));
    assert_eq!(world.read(&file).await, Err(FsError::Stale));
}

#[tokio::test]
async fn a_directory_rename_that_fails_is_undone() {
    let world = World::new().await;
    for key in ["old/a", "old/b", "old/c"] {
        world.foreign_put(key, key).await;
    }
    world.faults.script_key(Verb::Copy, "new/b", 0, Fault::Before(StoreError::Unavailable("no".to_owned())));
    assert!(world.rename("old", "new").await.is_err());
    assert_eq!(world.list("", 10).await, ["old"]);
    assert_eq!(world.list("old", 10).await, ["a", "b", "c"]);
    let world = world.restart().await;
    world.settle().await;
    let unchanged = [("old/a", "old/a"), ("old/b", "old/b"), ("old/c", "old/c")];
    assert_eq!(world.objects().await, expected(&unchanged));
    assert_eq!(world.list("", 10).await, ["old"]);
}

#[tokio::test]
async fn a_directory_rename_is_done_though_old_objects_cannot_be_deleted_yet() {
    let world = World::new().await;
    world.foreign_put("old/a", "a").await;
    world.foreign_put("old/deep/b", "b").await;
    for key in ["old/a", "old/deep/b"] {
        world.faults.script_key(Verb::Delete, key, 0, Fault::Before(StoreError::Unavailable("no".to_owned())));
    }
    world.rename("old", "new").await.unwrap();
    assert_eq!(world.list("", 10).await, ["new"]);
    let file = world.walk("new/a").await.unwrap();
    world.put(&file, 1, "+").await;
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("new/a", "a+"), ("new/deep/b", "b")]));
}

#[tokio::test]
async fn a_directory_rename_leaves_what_another_client_put_there_meanwhile() {
    let world = World::new().await;
    world.foreign_put("old/a", "before").await;
    let gate = Gate::default();
    world.faults.script_key(Verb::Delete, "old/a", 0, Fault::Hold(gate.clone()));
    let rename = async { world.rename("old", "new").await.unwrap() };
    let meanwhile = async {
        gate.arrival().await;
        world.foreign_put("old/a", "meanwhile").await;
        gate.open();
    };
    tokio::join!(rename, meanwhile);
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("new/a", "before"), ("old/a", "meanwhile")]));
}

#[tokio::test]
async fn bytes_synced_while_an_upload_is_told_to_the_journal_are_no_conflict_after_a_crash() {
    let world = World::with(patient()).await;
    world.foreign_put("file", "first").await;
    let file = world.walk("file").await.unwrap();
    world.put(&file, 0, "x").await;
    // A row that names the version before the last upload of our own.
    let node = world.fs.node(&file).await.unwrap();
    let before = super::super::slots::Remote::Version(world.tag("file").await);
    world.settle().await;
    world.put(&file, 1, "yz").await;
    world.fs.journal(&node, before, Vec::new()).await.unwrap();
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("file", "xyzst")]));
}

#[tokio::test]
async fn bytes_synced_after_an_upload_that_the_journal_did_not_learn_of_win() {
    let world = World::with(patient()).await;
    world.foreign_put("file", "0123456789").await;
    let file = world.walk("file").await.unwrap();
    world.put(&file, 3, "abc").await;
    let lost = Fault::After(StoreError::Unavailable("the answer is lost".to_owned()));
    world.faults.script_key(Verb::Put, "file", 0, lost);
    world.fs.work.lock().slots.hasten_all(tokio::time::Instant::now());
    world.fs.wake.notify_one();
    while world.objects().await["file"] != "012abc6789" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world.put(&file, 4, "X").await;
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("file", "012aXc6789")]));
}

#[tokio::test]
async fn a_file_whose_upload_the_journal_did_not_learn_of_is_read_a_little_later() {
    let world = World::with(patient()).await;
    world.foreign_put("file", "0123456789").await;
    let file = world.walk("file").await.unwrap();
    world.put(&file, 3, "abc").await;
    let lost = Fault::After(StoreError::Unavailable("the answer is lost".to_owned()));
    world.faults.script_key(Verb::Put, "file", 0, lost);
    world.fs.work.lock().slots.hasten_all(tokio::time::Instant::now());
    world.fs.wake.notify_one();
    while world.objects().await["file"] != "012abc6789" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let world = world.restart().await;
    assert!(matches!(world.read(&file).await, Err(FsError::Delay(_))));
    world.settle().await;
    assert_eq!(world.read(&file).await.unwrap(), "012abc6789");
}

#[tokio::test]
async fn a_late_upload_of_the_file_before_does_not_take_the_name_after_a_crash() {
    for replaced_by_rename in [false, true] {
        let world = World::with(patient()).await;
        world.write("file", "before").await;
        let _gate = world.hold(Verb::Put, "file").await;
        if replaced_by_rename {
            world.write("new", "after").await;
            world.rename("new", "file").await.unwrap();
        } else {
            world.remove("file").await.unwrap();
            world.write("file", "after").await;
        }
        world.give_up.cancel();
        // The request arrives though the gateway does not live to see the answer.
        world.foreign_put("file", "before").await;
        let world = world.restart().await;
        world.settle().await;
        assert_eq!(world.objects().await, expected(&[("file", "after")]));
    }
}
