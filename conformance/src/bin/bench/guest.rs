//! What a Linux kernel's client gets: a mount in the guest of `ci/kernel-guest`, timed there.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use crate::{LARGE, SMALL, SMALL_FILES, STREAMS};

/// Boots the guest and times everything in it.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ci/kernel-guest/throughput.py");
/// Its exit status where no guest can run.
const CANNOT_RUN: i32 = 77;

/// How long each thing took in the guest.
pub(crate) struct Times(HashMap<String, Duration>);

impl Times {
    /// How often per second something was done that was done `times` times.
    pub(crate) fn rate(&self, what: &str, times: f64) -> f64 {
        times / self.0[what].as_secs_f64()
    }
}

/// Times a round on a mount of the bucket behind `port`, or says why no guest can run here.
pub(crate) async fn times(port: u16, bucket: &str, round: u64) -> Result<Times, String> {
    let mut command = Command::new(PROGRAM);
    command.args([&port.to_string(), bucket]);
    command
        .args([round, LARGE as u64, SMALL_FILES as u64, SMALL as u64, STREAMS as u64].map(|number| number.to_string()));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.map_err(|error| format!("{PROGRAM}: {error}"))?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => Ok(Times(said.lines().map(parse).collect())),
        Some(CANNOT_RUN) => Err(errors.lines().last().unwrap_or("no guest can run here").to_owned()),
        status => panic!("the kernel guest failed ({status:?}): {said}{errors}"),
    }
}

fn parse(line: &str) -> (String, Duration) {
    let (what, seconds) = line.split_once(' ').unwrap();
    (what.to_owned(), Duration::from_secs_f64(seconds.parse().unwrap()))
}
