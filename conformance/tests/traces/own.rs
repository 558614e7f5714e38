//! The recorder and the replay against each other: the library's client before one gateway, then its trace onto another.

use std::future::Future;
use std::sync::Arc;

use conformance::{Bed, BedOptions, Target, data};
use nfs_client_sim::record::Recorder;
use nfs_client_sim::replay::{self, Order, ReplayOptions, Report};
use nfs_client_sim::trace::{Header, Trace, check};
use nfs_client_sim::{Client, ClientOptions, LockOutcome, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{NfsFh4, NfsLockType4, OPEN4_SHARE_ACCESS_READ, StableHow4, Verifier4};
use pretty_assertions::assert_eq;
use rstest::rstest;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// Runs a program on a client before a gateway, and returns what passed between them.
async fn recorded<F: Future<Output = ()>>(minor: u32, program: impl FnOnce(Client, NfsFh4) -> F) -> Trace {
    let bed = Bed::set_up(Target::Embedded, &BedOptions::default()).await.unwrap();
    let recorder = Recorder::bind("127.0.0.1:0".parse().unwrap(), bed.addr().to_string()).await.unwrap();
    let addr = recorder.addr().unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("own.trace");
    let header = Header { directory: bed.directory().to_owned(), ..Header::default() };
    let (stop, stopped) = oneshot::channel::<()>();
    let recording = {
        let path = path.clone();
        tokio::spawn(async move { recorder.run(header, &path, async { drop(stopped.await) }).await })
    };
    let client = Client::connect(addr, minor, ClientOptions::default()).await.unwrap();
    let root = client.resolve(bed.directory()).await.unwrap().handle;
    program(client, root).await;
    stop.send(()).unwrap();
    let summary = recording.await.unwrap().unwrap();
    assert_eq!(summary.cut, 0);
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(check(&text), Ok(()));
    let trace = Trace::read(&text).unwrap();
    assert_eq!(trace.header.minor, Some(minor));
    trace
}

/// Replays a trace onto another gateway with another bucket.
async fn replayed(trace: &Trace, order: Order) -> Report {
    let mut bed = Bed::set_up(Target::Embedded, &BedOptions::default()).await.unwrap();
    super::replay(trace, &mut bed, order).await
}

fn expect_no_difference(trace: &Trace, report: &Report) {
    assert_eq!(report.different(false).count(), 0, "{report}");
    let calls = trace.exchanges().len();
    assert_eq!((report.exchanges.len(), report.compared()), (calls, calls));
}

/// Files, directories, names, locks and refusals.
async fn work(client: Client, root: NfsFh4) {
    let directory = client.mkdir(&root, "directory", 0o750).await.unwrap();
    let body = data::bytes(300_000, 5);
    client.write_file(&directory, "file", body, 4).await.unwrap();
    let file = client.open(&directory, "file", OpenHow::both()).await.unwrap();
    assert_eq!(file.read_at(100, 1000).await.unwrap().data.len(), 1000);
    let owner = Arc::new(OpenOwner::new("owner"));
    client.open(&directory, "file", OpenHow::read().owner(&owner)).await.unwrap();
    let again = client.open(&directory, "file", OpenHow::both().owner(&owner)).await.unwrap();
    again.write_at(7, "written", StableHow4::FileSync).await.unwrap();
    again.downgrade(OPEN4_SHARE_ACCESS_READ, 0).await.unwrap();
    again.close().await.unwrap();
    let locker = file.locker("locker");
    assert!(matches!(locker.lock(NfsLockType4::Write, 0, 10).await.unwrap(), LockOutcome::Granted));
    locker.unlock(0, 10).await.unwrap();
    file.set_size(1234).await.unwrap();
    file.close().await.unwrap();
    let exclusive = OpenHow::write().exclusive(Verifier4(*b"creation"), 0o600);
    client.open(&directory, "exclusive", exclusive).await.unwrap().close().await.unwrap();
    for number in 0..30 {
        client.symlink(&directory, format!("link {number}"), "file").await.unwrap();
    }
    client.rename(&directory, "file", &root, "renamed").await.unwrap();
    assert!(client.lookup(&directory, "file").await.is_err());
    assert_eq!(client.names(&directory).await.unwrap().len(), 31);
    client.remove(&root, "renamed").await.unwrap();
    client.renew().await.unwrap();
    client.leave().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recorded_here_is_the_same_elsewhere(
    #[values(0, 1, 2)] minor: u32,
    #[values(Order::Recorded, Order::InTurn)] order: Order,
) {
    let trace = recorded(minor, work).await;
    let report = replayed(&trace, order).await;
    expect_no_difference(&trace, &report);
}

/// A replay is no recording of its own: what it reports depends on the trace and the server only.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replays_report_the_same(#[values(0, 1, 2)] minor: u32) {
    let trace = recorded(minor, work).await;
    let (one, other) = (replayed(&trace, Order::InTurn).await, replayed(&trace, Order::InTurn).await);
    assert_eq!(one.normalised(), other.normalised());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_same_is_found() {
    let trace = recorded(1, async |client: Client, root: NfsFh4| {
        client.write_file(&root, "file", "content", 1).await.unwrap();
        client.read_file(&root, "file", 1).await.unwrap();
    })
    .await;
    let bed = Bed::set_up(Target::Embedded, &BedOptions::default()).await.unwrap();
    // The directory of this replay is not empty.
    let client = Client::connect(bed.addr(), 1, ClientOptions::default()).await.unwrap();
    let root = client.resolve(bed.directory()).await.unwrap().handle;
    client.mkdir(&root, "file", 0o755).await.unwrap();
    let options = ReplayOptions::default();
    let report = replay::run(&trace, bed.addr(), bed.directory(), options, None).await.unwrap();
    let (exchange, difference) = report.different(true).next().unwrap();
    assert_eq!(difference.operation, "OPEN");
    assert_eq!(difference.now, "OPEN NFS4ERR_ISDIR");
    assert!(report.to_string().contains(&format!("#{} on connection 1", exchange.number)));
}
