//! The gateway's memory, as the kernel counts it: a large file and a large directory must not show in it.
//!
//! The gateway is the program itself, in a process of its own. The client and the S3 server are in this one, so that
//! their memory does not count.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "everything here fails and reports as tests do"
)]

mod big_file;
mod listing;

use std::time::Instant;

use conformance::{EmbeddedStore, Program};
use nfs_client_sim::{Client, ClientOptions};

/// What the gateway's resident memory must stay below, in KiB as the kernel counts.
const RESIDENT_KIB_MAX: u64 = 300 << 10;
const BUCKET: &str = "memory";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_2_gib_file_and_50_000_names_fit_into_300_mib() {
    let folder = tempfile::TempDir::new().unwrap();
    let store = EmbeddedStore::start(folder.path()).await;
    let objects = store.access.objects(BUCKET);
    objects.create_bucket().await;
    // This blocks the thread of the test, not those that serve S3.
    let program = Program::start(&mut Program::before(&store.access, &folder.path().join("state")));
    let client = Client::connect(program.addr(), 1, ClientOptions::default()).await.unwrap();
    let root = client.resolve(&format!("/{BUCKET}")).await.unwrap().handle;
    let begun = Instant::now();
    let report = |phase: &str| {
        let (now, peak) = (program.status_kib("VmRSS"), program.status_kib("VmHWM"));
        println!(
            "{phase:<20} after {:>3} s: {:>3} MiB, at most {:>3} MiB",
            begun.elapsed().as_secs(),
            now >> 10,
            peak >> 10
        );
        assert!(peak < RESIDENT_KIB_MAX, "{phase}: {peak} KiB resident");
    };

    report("started");
    listing::fill(&objects).await;
    report("directory filled");
    // Before the file too: what a listing leaves in memory must not add up with what a file needs.
    listing::check(&client, &root, listing::LARGE_PAGE).await;
    report("directory listed");
    big_file::write(&client, &root).await;
    report("file written");
    big_file::wait_for_object(&objects).await;
    report("file in the bucket");
    big_file::check(&client, &root).await;
    report("file read");
    listing::check(&client, &root, listing::SMALL_PAGE).await;
    report("listed again");
}
