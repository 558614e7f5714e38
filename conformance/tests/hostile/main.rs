//! Attacks on the gateway: it must withstand them, and hold no more afterwards than before.
//!
//! The attacks are those of `nfs-client-sim hostile`. The gateway runs in this process, where a panic would show, and as
//! a program of its own, so that its memory and its connections can be told from those of the attackers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "everything here fails and reports as tests do"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use conformance::{Bed, BedOptions, EmbeddedStore, Program, Target};
use nfs_client_sim::hostile::{self, Options, Report, Vitals};

const BUCKET: &str = "hostile";
/// Connections at a time. With those of the other cases they stay below the usual limit of 1024 descriptors.
const CONNECTIONS: usize = 200;
/// What may be more in memory after a second round of attacks than after the first, in KiB: what a round that leaks
/// one buffer for each connection or request would be far above.
const GROWTH_KIB_MAX: u64 = 16 << 10;
/// Sockets that may be more: idle connections to the store are kept for the next request.
const SOCKETS_MORE_MAX: u64 = 16;
/// How long a panic of a task may take to be told.
const HOOK_WAIT: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_in_this_process_withstands_all_attacks_without_a_panic() {
    let panics = count_panics();
    let bed = Bed::set_up(Target::Embedded, &BedOptions::default()).await.unwrap();
    attack(bed.addr(), bed.directory(), None).await;
    tokio::time::sleep(HOOK_WAIT).await;
    assert_eq!(panics.load(Ordering::Relaxed), 0, "panics, told above");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_holds_no_more_after_the_second_round_of_attacks_than_after_the_first() {
    let folder = tempfile::TempDir::new().unwrap();
    let store = EmbeddedStore::start(folder.path()).await;
    store.access.objects(BUCKET).create_bucket().await;
    // This blocks the thread of the test, not those that serve S3.
    let program = Program::start(&mut Program::before(&store.access, &folder.path().join("state")));
    let directory = format!("/{BUCKET}");
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let report = attack(program.addr(), &directory, Some(program.pid())).await;
        let after = hostile::vitals(program.pid()).unwrap();
        let peak = program.status_kib("VmHWM");
        println!("before {:?}, after {after:?}, at most {peak} KiB", report.before);
        rounds.push((report.before.unwrap(), after));
    }
    let [(before, first), (_, second)]: [(Vitals, Vitals); 2] = rounds.try_into().unwrap();
    let grown = second.resident_kib.saturating_sub(first.resident_kib);
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more after the second round than after the first");
    assert!(second.sockets <= before.sockets + SOCKETS_MORE_MAX, "{before:?}, {second:?}");
}

/// Attacks, and shows what failed.
async fn attack(addr: SocketAddr, directory: &str, pid: Option<u32>) -> Report {
    let options = Options { addr, directory: directory.to_owned(), connections: CONNECTIONS, pid };
    let report = hostile::run(options).await.unwrap();
    assert!(report.passed(), "{report}");
    report
}

/// Counts the panics of this process from now on, those of tasks as well.
fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        counter.fetch_add(1, Ordering::Relaxed);
        tell(panic);
    }));
    count
}
