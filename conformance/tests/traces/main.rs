//! What real clients said to other servers, said to the gateway: every trace in testdata/traces.
//!
//! The statuses must be those of the recording, but for the differences that testdata/traces/differences.txt gives a
//! reason for. The whole replies, normalised, are held by snapshots in testdata/snapshots, which are the same for both
//! stores; `INSTA_UPDATE=always` writes them anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that tests share may fail as tests do")]

mod own;

use std::path::{Path, PathBuf};

use conformance::{Bed, BedOptions, Target, bucket_name, say};
use futures::future::{BoxFuture, FutureExt};
use nfs_client_sim::replay::{self, Expectations, Order, ReplayOptions, Report, Restart};
use nfs_client_sim::trace::{Trace, What};
use nfs_client_sim::{Client, ClientOptions};
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_clients_get_the_replies_that_they_know(
    #[files("../testdata/traces/**/*.trace")] path: PathBuf,
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
) {
    let Some(report) = replay_file(&path, target, Order::InTurn).await else { return };
    if target != Target::Remote {
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path("../../../testdata/snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let name = name_of(&path).replace('/', "__").replace(".trace", "");
        settings.bind(|| insta::assert_snapshot!(name, report.normalised()));
    }
    expect_the_recorded_statuses(&path, report);
}

/// Calls that were in flight together are again.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_clients_may_call_many_things_at_once(#[files("../testdata/traces/**/*.trace")] path: PathBuf) {
    let Some(report) = replay_file(&path, Target::Embedded, Order::Recorded).await else { return };
    expect_the_recorded_statuses(&path, report);
}

/// The name of a trace: `linux-6.1/4.1-cp.trace`.
fn name_of(path: &Path) -> String {
    let parts: Vec<_> = path.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

async fn replay_file(path: &Path, target: Target, order: Order) -> Option<Report> {
    let trace = Trace::read(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{error}"));
    let mut bed = Bed::set_up(target, &BedOptions::default()).await?;
    let report = replay(&trace, &mut bed, order).await;
    say(&format!("{}: {} calls, {} compared", name_of(path), report.exchanges.len(), report.compared()));
    Some(report)
}

/// Replays a trace onto a server, in an empty directory.
fn replay<'a>(trace: &'a Trace, bed: &'a mut Bed, order: Order) -> BoxFuture<'a, Report> {
    async move {
        let directory = empty_directory(bed).await;
        let options = ReplayOptions { order, ..ReplayOptions::default() };
        let (addr, inside) = (bed.addr(), bed.objects().is_some());
        let mut restarter = Restarter(bed);
        let restarter: Option<&mut dyn Restart> = if inside { Some(&mut restarter) } else { None };
        let report = replay::run(trace, addr, &directory, options, restarter).await.unwrap();
        let restarts = trace.events.iter().filter(|event| event.what == What::Restarted).count();
        assert_eq!(report.restarts, if inside { restarts } else { 0 });
        assert!(report.compared() > 0);
        report
    }
    .boxed()
}

/// The path of an empty directory: the root of a bucket, or a new directory where nothing is known of the server.
async fn empty_directory(bed: &Bed) -> String {
    if bed.objects().is_some() {
        return bed.directory().to_owned();
    }
    let client = Client::connect(bed.addr(), 1, ClientOptions::default()).await.unwrap();
    let (parent, name) = (client.resolve(bed.directory()).await.unwrap().handle, bucket_name());
    client.mkdir(&parent, &name, 0o777).await.unwrap();
    client.leave().await.unwrap();
    format!("{}/{name}", bed.directory().trim_end_matches('/'))
}

/// A gateway in this process.
struct Restarter<'a>(&'a mut Bed);

impl Restart for Restarter<'_> {
    fn restart(&mut self) -> BoxFuture<'_, Result<(), String>> {
        async {
            self.0.stop().await;
            self.0.start().await;
            Ok(())
        }
        .boxed()
    }
}

fn expect_the_recorded_statuses(path: &Path, mut report: Report) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/traces/differences.txt");
    let expectations = Expectations::read(&std::fs::read_to_string(file).unwrap()).unwrap();
    let name = name_of(path);
    report.explain(&name, &expectations);
    let unexplained: Vec<_> = report
        .unexplained(true)
        .map(|(exchange, difference)| format!("#{} {}\n{difference}", exchange.number, exchange.call))
        .collect();
    assert!(unexplained.is_empty(), "{name} differs from the recording:\n{}", unexplained.join("\n"));
}
