use std::collections::BTreeSet;

use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn every_entry_of_a_large_directory_is_listed_once() {
    let world = World::with(FsConfig { freshness: Duration::from_secs(60), ..impatient() }).await;
    let names: BTreeSet<String> = (0..2_500).map(|number| format!("f{number:05}")).collect();
    for name in &names {
        world.foreign_put(&format!("many/{name}"), "").await;
    }
    for number in 0..10 {
        world.foreign_put(&format!("many/d{number}/x"), "").await;
    }
    for at_once in [7, 1000, 5000] {
        let listed = world.list("many", at_once).await;
        assert_eq!(listed.len(), 2_510, "{at_once} at once");
        assert!(names.is_subset(&listed.into_iter().collect()));
    }
}

#[tokio::test]
async fn a_listing_goes_on_while_what_it_showed_is_removed() {
    let world = World::new().await;
    for number in 0..50 {
        world.foreign_put(&format!("dir/f{number:02}"), "").await;
    }
    let dir = world.walk("dir").await.unwrap();
    let mut cookie = 0;
    let mut removed = 0;
    loop {
        let page = world.fs.readdir(&dir, cookie, 7, DirWant::default()).await.unwrap();
        for entry in &page.entries {
            world.fs.remove(&dir, &entry.name).await.unwrap();
            removed += 1;
        }
        match page.entries.last() {
            Some(last) if !page.eof => cookie = last.cookie,
            _ => break,
        }
    }
    assert_eq!(removed, 50);
    assert_eq!(world.list("", 10).await, ["dir"], "the directory stays though its last file went");
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[("dir/", "")]));
    world.remove("dir").await.unwrap();
    world.settle().await;
    assert_eq!(world.objects().await, expected(&[]));
}

#[tokio::test]
async fn a_cookie_is_good_after_a_restart_though_its_name_is_gone() {
    let world = World::new().await;
    for name in ["a", "b", "c", "d"] {
        world.foreign_put(name, "").await;
    }
    let root = world.root().await;
    let page = world.fs.readdir(&root, 0, 2, DirWant::default()).await.unwrap();
    let cookie = page.entries[1].cookie;
    world.foreign_delete("b").await;
    let world = world.restart().await;
    let rest = world.fs.readdir(&root, cookie, 10, DirWant::default()).await.unwrap();
    let names: Vec<_> = rest.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!((names, rest.eof), (vec!["c", "d"], true));
    assert_eq!(world.fs.readdir(&root, 12345, 10, DirWant::default()).await, Err(FsError::BadCookie));
}

#[tokio::test]
async fn no_key_vanishes_whatever_it_looks_like() {
    let world = World::new().await;
    let long = "x".repeat(300);
    let keys = ["/lead", "a//b", "p/./q", "p/../q", "plain", "both", "both/child", ".s3~x~odd", long.as_str()];
    for key in keys {
        world.foreign_put(key, key).await;
    }
    let mut found = BTreeSet::new();
    let mut directories = vec![String::new()];
    while let Some(directory) = directories.pop() {
        for name in world.list(&directory, 3).await {
            let path = format!("{directory}/{name}");
            let node = world.walk(&path).await.unwrap_or_else(|error| panic!("{path}: {error}"));
            match world.fs.getattr(&node).await.unwrap().kind {
                NodeKind::Directory => directories.push(path),
                _ => {
                    found.insert(world.read(&node).await.unwrap());
                }
            }
        }
    }
    assert_eq!(found, keys.into_iter().map(str::to_owned).collect());
    assert_eq!(world.walk("both/child").await.map(|_| ()), Ok(()));
    assert_eq!(world.create(".s3~object~new").await, Err(FsError::BadName));
}

#[tokio::test]
async fn directories_with_entries_are_not_removed() {
    let world = World::new().await;
    world.foreign_put("dir/deep/file", "").await;
    assert_eq!(world.remove("dir").await, Err(FsError::NotEmpty));
    world.mkdir("new").await;
    world.create("new/file").await.unwrap();
    assert_eq!(world.remove("new").await, Err(FsError::NotEmpty));
    world.remove("new/file").await.unwrap();
    world.remove("new").await.unwrap();
    assert_eq!(world.list("", 10).await, ["dir"]);
}

#[tokio::test]
async fn listed_handles_are_those_of_lookups() {
    let world = World::new().await;
    world.foreign_put("file", "").await;
    world.foreign_put("dir/file", "").await;
    let root = world.root().await;
    for want in [DirWant::default(), DirWant { attributes: true, handles: true }] {
        for entry in world.fs.readdir(&root, 0, 10, want).await.unwrap().entries {
            assert_eq!(entry.node, world.fs.lookup(&root, &entry.name).await.unwrap());
            assert!(entry.cookie >= 3);
        }
    }
}

#[tokio::test]
async fn a_directory_whose_last_entry_went_is_not_stale() {
    let world = World::with(FsConfig { freshness: Duration::from_secs(60), ..impatient() }).await;
    world.foreign_put("dir/file", "").await;
    let dir = world.walk("dir").await.unwrap();
    assert_eq!(world.list("dir", 10).await, ["file"]);
    world.remove("dir/file").await.unwrap();
    assert_eq!(world.list("dir", 10).await, [""; 0]);
    world.settle().await;
    assert_eq!(world.fs.getattr(&dir).await.map(|attributes| attributes.kind), Ok(NodeKind::Directory));
}

/// As when a client with many requests in flight asks for the attributes of a large directory.
#[tokio::test]
async fn a_directory_is_read_over_once_for_all_who_ask() {
    let world = World::new().await;
    world.foreign_put("dir/file", "x").await;
    let dir = world.walk("dir").await.unwrap();
    let lists = || world.traced.counts().of(Verb::List).requests;
    let before = lists();
    world.fs.getattr(&dir).await.unwrap();
    let of_one = lists() - before;
    let gate = Gate::default();
    world.faults.script(Verb::List, 0, Fault::Hold(gate.clone()));
    let asking = futures::future::join_all((0..8).map(|_| world.fs.getattr(&dir)));
    let opening = async {
        gate.arrival().await;
        gate.open();
    };
    let before = lists();
    let (answers, ()) = tokio::join!(asking, opening);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    // One reads it over, and another one for all who came since that began.
    assert_eq!(lists() - before, 2 * of_one);
}
