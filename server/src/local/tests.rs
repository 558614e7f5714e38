//! The journal: order, durability, and what happens when the disk fails.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pretty_assertions::assert_eq;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;

fn put(key: &str, value: &str) -> Change {
    Change::put(Table::Dirty, key, value)
}

fn value(local: &Local, key: &str) -> Option<String> {
    let value = local.get(Table::Dirty, key.as_bytes()).unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}

fn keys(rows: Vec<Row>) -> Vec<String> {
    rows.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

/// A disk that counts its syncs and can be told to fail them, or to wait.
#[derive(Debug, Default)]
struct Disk {
    bytes: InMemoryBackend,
    control: Arc<Control>,
}

#[derive(Debug, Default)]
struct Control {
    syncs: AtomicU64,
    failing: AtomicBool,
    gate: parking_lot::Mutex<()>,
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.bytes.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.bytes.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        drop(self.control.gate.lock());
        self.control.syncs.fetch_add(1, Ordering::SeqCst);
        if self.control.failing.load(Ordering::SeqCst) {
            return Err(io::Error::other("sync fails"));
        }
        self.bytes.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.bytes.write(offset, data)
    }
}

fn on_disk() -> (Local, Arc<Control>) {
    let disk = Disk::default();
    let control = Arc::clone(&disk.control);
    let database = Database::builder().create_with_backend(disk).unwrap();
    (Local::start(database, Path::new("memory"), None).unwrap(), control)
}

#[tokio::test]
async fn rows_are_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let local = Local::open(dir.path()).unwrap();
    local.commit(vec![put("a", "1"), put("b", "2")]).await.unwrap();
    local.commit(vec![Change::delete(Table::Dirty, "a")]).await.unwrap();
    local.commit_later(vec![put("c", "3")]).unwrap();
    drop(local);
    let local = Local::open(dir.path()).unwrap();
    assert_eq!(
        (value(&local, "a"), value(&local, "b"), value(&local, "c")),
        (None, Some("2".into()), Some("3".into()))
    );
    assert_eq!(local.count(Table::Dirty).unwrap(), 2);
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_file_that_a_crash_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let crashed = tempfile::tempdir().unwrap();
    let local = Local::open(dir.path()).unwrap();
    for round in 0..20 {
        local.commit(vec![put("round", &round.to_string())]).await.unwrap();
        fs::copy(dir.path().join(JOURNAL_FILE), crashed.path().join(JOURNAL_FILE)).unwrap();
        let found = Local::open(crashed.path()).unwrap();
        assert_eq!(value(&found, "round"), Some(round.to_string()));
    }
}

#[test]
fn a_process_that_dies_leaves_whole_batches() {
    const CHILD: &str = "HAFIZ_TEST_JOURNAL_CHILD";
    if let Ok(dir) = std::env::var(CHILD) {
        let local = Local::open(Path::new(&dir)).unwrap();
        for round in 0..50_u64 {
            let both = ["left", "right"].map(|key| put(key, &round.to_string()));
            let commit = local.commit(both.to_vec());
            if round > 30 {
                std::process::abort();
            }
            futures::executor::block_on(commit).unwrap();
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "local::tests::a_process_that_dies_leaves_whole_batches";
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(CHILD, dir.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    let local = Local::open(dir.path()).unwrap();
    let left = value(&local, "left").unwrap();
    assert_eq!(value(&local, "right"), Some(left.clone()));
    assert!(left.parse::<u64>().unwrap() >= 30);
}

#[tokio::test]
async fn those_who_wait_together_share_one_sync() {
    let (local, control) = on_disk();
    local.commit(vec![put("first", "0")]).await.unwrap();
    let per_commit = control.syncs.load(Ordering::SeqCst);
    local.commit(vec![put("first", "1")]).await.unwrap();
    let per_commit = control.syncs.load(Ordering::SeqCst) - per_commit;
    let before = control.syncs.load(Ordering::SeqCst);
    let gate = control.gate.lock();
    let commits: Vec<_> = (0..100).map(|n| local.commit(vec![put("n", &n.to_string())])).collect();
    drop(gate);
    for commit in commits {
        commit.await.unwrap();
    }
    assert_eq!(value(&local, "n"), Some("99".into()));
    // One batch with what came before the writer looked, one with the rest.
    assert!(control.syncs.load(Ordering::SeqCst) - before <= 2 * per_commit);
}

#[tokio::test]
async fn readers_see_what_is_queued_in_order() {
    let (local, control) = on_disk();
    local.commit(vec![put("p/1", "old"), put("p/2", "old"), put("q", "old")]).await.unwrap();
    let gate = control.gate.lock();
    local.commit_later(vec![put("p/0", "new"), put("p/1", "new"), Change::delete(Table::Dirty, "p/2")]).unwrap();
    local.commit_later(vec![put("p/3", "new"), put("p/1", "newest")]).unwrap();
    assert_eq!((value(&local, "p/1"), value(&local, "p/2")), (Some("newest".into()), None));
    assert_eq!(keys(local.scan(Table::Dirty, b"p/", None, 10).unwrap()), ["p/0", "p/1", "p/3"]);
    assert_eq!(keys(local.scan(Table::Dirty, b"p/", None, 2).unwrap()), ["p/0", "p/1"]);
    assert_eq!(keys(local.scan(Table::Dirty, b"p/", Some(b"p/1"), 2).unwrap()), ["p/3"]);
    assert_eq!(keys(local.scan(Table::Dirty, b"", Some(b"a"), 10).unwrap()), ["p/0", "p/1", "p/3", "q"]);
    assert_eq!(keys(local.scan(Table::Extents, b"", None, 10).unwrap()), [""; 0]);
    drop(gate);
    local.commit(Vec::new()).await.unwrap();
    assert_eq!(keys(local.scan(Table::Dirty, b"p/", None, 10).unwrap()), ["p/0", "p/1", "p/3"]);
    assert_eq!(local.count(Table::Dirty).unwrap(), 4);
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged() {
    let (local, control) = on_disk();
    local.commit(vec![put("a", "1")]).await.unwrap();
    control.failing.store(true, Ordering::SeqCst);
    let gate = control.gate.lock();
    let commits: Vec<_> = (0..3).map(|_| local.commit(vec![put("a", "2")])).collect();
    drop(gate);
    for commit in commits {
        assert!(matches!(commit.await, Err(LocalError::Failed(_))));
    }
    control.failing.store(false, Ordering::SeqCst);
    assert!(matches!(local.commit(vec![put("a", "3")]).await, Err(LocalError::Failed(_))));
    assert!(matches!(local.commit_later(vec![put("a", "3")]), Err(LocalError::Failed(_))));
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let (local, control) = on_disk();
    let gate = control.gate.lock();
    let row = || vec![Change::put(Table::Names, "k", vec![0; 1 << 20])];
    let finished = Arc::new(AtomicU64::new(0));
    let callers = std::thread::spawn({
        let (local, finished) = (local.clone(), Arc::clone(&finished));
        move || {
            for _ in 0..40 {
                local.commit_later(row()).unwrap();
                finished.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    while finished.load(Ordering::SeqCst) < 16 {
        std::thread::yield_now();
    }
    // What the writer took, what waits, and no more.
    assert!(finished.load(Ordering::SeqCst) <= 2 * (QUEUE_BYTES_MAX as u64 >> 20));
    drop(gate);
    callers.join().unwrap();
    assert_eq!(finished.load(Ordering::SeqCst), 40);
}

#[test]
fn two_gateways_never_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = Local::open(dir.path()).unwrap();
    assert_eq!(Local::open(dir.path()).unwrap_err(), LocalError::Locked { path: dir.path().to_owned() });
    drop(first);
    Local::open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_newer_journal_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let local = Local::open(dir.path()).unwrap();
    local.commit(vec![Change::put(Table::Settings, FORMAT_KEY, 9_u64.to_be_bytes())]).await.unwrap();
    drop(local);
    let error = Local::open(dir.path()).unwrap_err();
    assert_eq!(error, LocalError::Newer { path: dir.path().to_owned(), found: 9, known: FORMAT });
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = Local::open(&file.join("state")).unwrap_err();
    assert!(matches!(&error, LocalError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
fn a_damaged_journal_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(JOURNAL_FILE), vec![7; 8192]).unwrap();
    let error = Local::open(dir.path()).unwrap_err();
    assert!(matches!(error, LocalError::Corrupt { .. } | LocalError::Unwritable { .. }), "{error}");
}
