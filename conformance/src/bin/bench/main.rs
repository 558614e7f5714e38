//! How fast the gateway is, as ratios to the same bytes put and got directly in the same run.
//!
//! One process holds everything: the embedded S3 server, the gateway before it, the NFS client and the S3 client; only a
//! Linux kernel's client runs in a guest. Rounds of all ways alternate, and the table shows medians. Prints Markdown.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that fails has nothing to say")]

mod direct;
mod guest;
mod table;
mod through;

use std::time::Duration;

use bytes::Bytes;
use conformance::{Bed, BedOptions, Target, data};
use hafiz_nfs_gateway::fs::FsConfig;
use nfs_client_sim::{Client, ClientOptions};
use tokio::time::Instant;

use crate::direct::Direct;
use crate::table::{Row, Table};
use crate::through::Through;

/// Rounds; the median counts.
const ROUNDS: u64 = 3;
/// Bytes of the large file.
const LARGE: usize = 256 << 20;
/// The same in MiB.
const LARGE_MIB: f64 = (LARGE >> 20) as f64;
/// Small files.
const SMALL_FILES: usize = 200;
/// Bytes of a small file.
const SMALL: usize = 64 << 10;
/// Round trips per round.
const ROUND_TRIPS: u32 = 2_000;
/// Requests, or small files, in flight.
const STREAMS: usize = 8;

#[tokio::main]
async fn main() {
    // As the program has it.
    let options = BedOptions { lease: Duration::from_secs(90), freshness: FsConfig::default().freshness };
    let bed = Bed::set_up(Target::Embedded, &options).await.unwrap();
    let client = Client::connect(bed.addr(), 2, ClientOptions::default()).await.unwrap();
    let root = client.resolve(bed.directory()).await.unwrap().handle;
    let direct = Direct { objects: bed.objects().unwrap().clone() };
    direct.objects.put("file", "content").await;
    let file = client.lookup(&root, "file").await.unwrap().handle;
    let through = Through { client, root, file, objects: direct.objects.clone() };

    let mut table = Table::default();
    let mut guest = Ok(());
    for round in 0..ROUNDS {
        let large = Bytes::from(data::bytes(LARGE, round));
        let small: Vec<Bytes> = (0..SMALL_FILES).map(|file| data::bytes(SMALL, 1_000 + file as u64).into()).collect();
        let of_large = large_file(&mut table, &direct, &through, round, &large).await;
        let of_small = small_files(&mut table, &direct, &through, round, &small).await;
        round_trips(&mut table, &through).await;
        if guest.is_ok() {
            direct.put_large(&format!("guest got {round}"), &large).await;
            direct.put_small(&names("guest got", round), &small).await;
            let times = guest::times(bed.addr().port(), direct.objects.bucket(), round).await;
            guest = times.map(|times| kernel_client(&mut table, &times, of_large, of_small));
        }
        if guest.is_ok() {
            // Else the next round would share the machine with these uploads.
            through.in_bucket(&[format!("guest written {round}")], LARGE as u64).await;
            through.in_bucket(&names("guest written", round), SMALL as u64).await;
        }
    }
    table.print(guest.err().as_deref());
}

/// What the direct way did per second in a round.
#[derive(Debug, Clone, Copy)]
struct DirectRates {
    write: f64,
    read: f64,
}

/// The small files of a kind in a round.
fn names(kind: &str, round: u64) -> Vec<String> {
    (0..SMALL_FILES).map(|file| format!("{kind} {round} {file}")).collect()
}

/// Writes and reads one large file, both ways.
async fn large_file(table: &mut Table, direct: &Direct, through: &Through, round: u64, body: &Bytes) -> DirectRates {
    let (put, got, written) = (format!("put {round}"), format!("got {round}"), format!("written {round}"));

    let begin = Instant::now();
    direct.put_large(&put, body).await;
    let direct_write = LARGE_MIB / begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    through.write_large(&written, body).await;
    let closed = LARGE_MIB / begin.elapsed().as_secs_f64();
    through.in_bucket(std::slice::from_ref(&written), LARGE as u64).await;
    let in_bucket = LARGE_MIB / begin.elapsed().as_secs_f64();
    table.add(Row::SEQUENTIAL_WRITE, closed, Some(direct_write));
    table.add(Row::SEQUENTIAL_WRITE_IN_BUCKET, in_bucket, Some(direct_write));

    // What is read is not what was just written: nothing of it is in the gateway's cache.
    direct.put_large(&got, body).await;
    let begin = Instant::now();
    direct.get_large(&got, LARGE).await;
    let direct_read = LARGE_MIB / begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    through.read_large(&got, LARGE).await;
    table.add(Row::SEQUENTIAL_READ, LARGE_MIB / begin.elapsed().as_secs_f64(), Some(direct_read));

    for key in [put, got, written] {
        direct.objects.delete(&key).await;
    }
    DirectRates { write: direct_write, read: direct_read }
}

/// Writes and reads small files, both ways.
async fn small_files(
    table: &mut Table,
    direct: &Direct,
    through: &Through,
    round: u64,
    bodies: &[Bytes],
) -> DirectRates {
    let files = SMALL_FILES as f64;
    let (put, written, got) = (names("put", round), names("written", round), names("got", round));

    let begin = Instant::now();
    direct.put_small(&put, bodies).await;
    let direct_write = files / begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    through.write_small(&written, bodies).await;
    let closed = files / begin.elapsed().as_secs_f64();
    through.in_bucket(&written, SMALL as u64).await;
    let in_bucket = files / begin.elapsed().as_secs_f64();
    table.add(Row::SMALL_WRITE, closed, Some(direct_write));
    table.add(Row::SMALL_WRITE_IN_BUCKET, in_bucket, Some(direct_write));

    direct.put_small(&got, bodies).await;
    let begin = Instant::now();
    direct.get_small(&got).await;
    let direct_read = files / begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    through.read_small(&got).await;
    table.add(Row::SMALL_READ, files / begin.elapsed().as_secs_f64(), Some(direct_read));
    DirectRates { write: direct_write, read: direct_read }
}

/// What the guest's kernel did, beside what the direct way did out here in the same round.
fn kernel_client(table: &mut Table, times: &guest::Times, of_large: DirectRates, of_small: DirectRates) {
    let files = SMALL_FILES as f64;
    table.add(Row::GUEST_WRITE, times.rate("large-write", LARGE_MIB), Some(of_large.write));
    table.add(Row::GUEST_READ, times.rate("large-read", LARGE_MIB), Some(of_large.read));
    table.add(Row::GUEST_SMALL_WRITE, times.rate("small-write", files), Some(of_small.write));
    table.add(Row::GUEST_SMALL_READ, times.rate("small-read", files), Some(of_small.read));
}

/// One call after the other, and several at a time.
async fn round_trips(table: &mut Table, through: &Through) {
    for (row, in_flight) in [(Row::NULL, 1), (Row::NULL_MANY, STREAMS)] {
        let begin = Instant::now();
        through.nulls(ROUND_TRIPS, in_flight).await;
        table.add(row, f64::from(ROUND_TRIPS) / begin.elapsed().as_secs_f64(), None);
    }
    for (row, in_flight) in [(Row::GETATTR, 1), (Row::GETATTR_MANY, STREAMS)] {
        let begin = Instant::now();
        through.getattrs(ROUND_TRIPS, in_flight).await;
        table.add(row, f64::from(ROUND_TRIPS) / begin.elapsed().as_secs_f64(), None);
    }
}
