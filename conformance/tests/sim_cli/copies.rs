//! `put`, `get` and `cat`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use conformance::data;
use pretty_assertions::assert_eq;
use rstest::rstest;
use tempfile::TempDir;

use crate::sim::{Sim, arg};

/// More than two windows of an upload, and no multiple of anything.
const BIG: usize = (37 << 20) + 12_345;

/// What is below a directory: the content of files, the targets of links.
fn tree(top: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![top.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = arg(path.strip_prefix(top).unwrap()).to_owned();
            let ftype = path.symlink_metadata().unwrap().file_type();
            if ftype.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                found.insert(format!("{name} ->"), arg(&target).as_bytes().to_vec());
            } else if ftype.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                waiting.push(path);
            } else {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_big_file_goes_to_the_bucket_and_comes_back(#[values(0, 1, 2)] minor: u32) {
    let sim = Sim::new(minor).await;
    let folder = TempDir::new().unwrap();
    let (there, back) = (folder.path().join("there"), folder.path().join("back"));
    let content = data::bytes(BIG, minor.into());
    fs::write(&there, &content).unwrap();
    let copied = sim.json(&["put", arg(&there), &sim.url("big")]).await;
    assert_eq!((&copied[0]["bytes"], &copied[0]["files"]), (&BIG.into(), &1.into()));
    sim.world.objects().unwrap().expect("big", &content).await;
    fs::write(&back, "what was there before").unwrap();
    sim.good(&["get", &sim.url("big"), arg(&back)]).await;
    data::assert_same("get", &fs::read(&back).unwrap(), &content);
    data::assert_same("cat", &sim.good(&["cat", &sim.url("big")]).await, &content);
    assert_eq!(tree(folder.path()).len(), 2, "no temporary file is left");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_goes_there_and_comes_back(#[values(0, 1, 2)] minor: u32) {
    let sim = Sim::new(minor).await;
    let folder = TempDir::new().unwrap();
    let there = folder.path().join("there");
    fs::create_dir_all(there.join("a/b/c")).unwrap();
    fs::create_dir(there.join("empty")).unwrap();
    for number in 0..50 {
        fs::write(there.join(format!("a/b/{number}")), data::bytes(number * 100, number as u64)).unwrap();
    }
    fs::write(there.join("a/100% & more? #1"), "odd").unwrap();
    symlink("../a/b/7", there.join("a/link")).unwrap();
    let copied = sim.json(&["put", "-r", arg(&there), &sim.url("tree")]).await;
    assert_eq!(
        (&copied[0]["files"], &copied[0]["directories"], &copied[0]["links"]),
        (&51.into(), &5.into(), &1.into())
    );
    let back = folder.path().join("back");
    sim.good(&["get", "-r", &sim.url("tree"), arg(&back)]).await;
    assert_eq!(tree(&back), tree(&there));
    // Into directories that are there, and once more onto what is there.
    for _ in 0..2 {
        sim.good(&["put", "-r", arg(&there), &sim.url("")]).await;
        sim.good(&["get", "-r", &sim.url("there"), arg(&back)]).await;
    }
    assert_eq!(tree(&back.join("there")), tree(&there));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn put_takes_standard_input_and_replaces_what_was_there() {
    let sim = Sim::new(2).await;
    let folder = TempDir::new().unwrap();
    let input = folder.path().join("input");
    sim.world.write("file", vec![1; 100_000]).await;
    fs::write(&input, "short").unwrap();
    let mut command = sim.command(&["put", "-", &sim.url("file")]);
    let mut child = command.stdin(fs::File::open(&input).unwrap()).stdout(Stdio::null()).spawn().unwrap();
    assert!(tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap().success());
    assert_eq!(sim.world.read("file").await, b"short");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_copied_is_said_and_leaves_nothing() {
    let sim = Sim::new(2).await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("copy");
    sim.good(&["mkdir", &sim.url("d")]).await;
    let complaint = sim.bad(1, &["get", &sim.url("none"), arg(&path)]).await;
    assert_eq!(
        complaint,
        format!("nfs-client-sim: get {}: NFS4ERR_NOENT: no such file or directory\n", sim.url("none"))
    );
    let complaint = sim.bad(1, &["get", &sim.url("d"), arg(&path)]).await;
    assert_eq!(complaint, format!("nfs-client-sim: get {}: a directory; -r copies it\n", sim.url("d")));
    sim.bad(1, &["put", arg(folder.path()), &sim.url("copy")]).await;
    sim.bad(1, &["put", arg(&path), &sim.url("copy")]).await;
    assert!(tree(folder.path()).is_empty());
    assert_eq!(sim.world.names().await, ["d"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_goes_on_after_a_file_that_is_not_there() {
    let sim = Sim::new(2).await;
    sim.world.write("one", "1").await;
    sim.world.write("two", "2").await;
    let ended = sim.run(&["cat", &sim.url("one"), &sim.url("none"), &sim.url("two")]).await;
    assert_eq!((ended.status, ended.stdout), (1, b"12".to_vec()));
    assert!(ended.stderr.contains("/none: NFS4ERR_NOENT"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_goes_away_ends_cat_without_a_word() {
    let sim = Sim::new(2).await;
    sim.world.write("big", vec![7; 4 << 20]).await;
    let mut command = sim.command(&["cat", &sim.url("big")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let read_one = move || {
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        child.wait_with_output()
    };
    let output = tokio::task::spawn_blocking(read_one).await.unwrap().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(1), ""));
}
