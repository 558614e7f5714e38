//! The honest client that comes after the attacks, and what the server's process holds.

use std::time::{Duration, Instant};

use nfs4_protocol::nfs4::FATTR4_CHANGE;

use super::Options;
use super::report::{Health, Vitals};
use crate::{Client, ClientOptions, Result};

/// Honest clients before the attacks.
const SAMPLES: usize = 5;
/// How much longer than before an honest client may take. The machine may be busy with other things, so this finds a
/// server that is stuck, not one that is slow.
const FACTOR: u32 = 20;
/// What it may take in any case.
const BOUND_MIN: Duration = Duration::from_secs(1);
/// What it may take at the most; then the server counts as stuck.
const BOUND_MAX: Duration = Duration::from_secs(10);

/// How long a server may take to notice that connections ended.
const SETTLE_WAIT: Duration = Duration::from_secs(3);
const SETTLE_PAUSE: Duration = Duration::from_millis(20);

/// How long honest clients take.
pub(super) struct Baseline {
    typical: Duration,
}

impl Baseline {
    /// Serves some honest clients, and takes the middle of their times.
    pub(super) async fn measure(options: &Options, minor: u32) -> Result<Self> {
        let mut times = Vec::new();
        for _ in 0..SAMPLES {
            times.push(visit(options, minor).await?);
        }
        times.sort_unstable();
        Ok(Self { typical: times.get(SAMPLES / 2).copied().unwrap_or_default() })
    }

    pub(super) fn typical_ms(&self) -> f64 {
        self.typical.as_secs_f64() * 1e3
    }

    pub(super) fn bound_ms(&self) -> f64 {
        self.bound().as_secs_f64() * 1e3
    }

    fn bound(&self) -> Duration {
        (self.typical * FACTOR).clamp(BOUND_MIN, BOUND_MAX)
    }

    /// Whether an honest client is served now.
    pub(super) async fn check(&self, options: &Options, minor: u32) -> Health {
        let (served, error) = match tokio::time::timeout(BOUND_MAX, visit(options, minor)).await {
            Ok(Ok(took)) => (Some(took), None),
            Ok(Err(error)) => (None, Some(error.to_string())),
            Err(_) => (None, Some(format!("not within {BOUND_MAX:?}"))),
        };
        Health {
            served_ms: served.map(|took| took.as_secs_f64() * 1e3),
            error,
            good: served.is_some_and(|took| took <= self.bound()),
            vitals: None,
        }
    }
}

/// What an honest client does: it connects, becomes known, looks at the directory and leaves.
async fn visit(options: &Options, minor: u32) -> Result<Duration> {
    let begun = Instant::now();
    let client =
        Client::connect(options.addr, minor, ClientOptions { renew: false, ..ClientOptions::default() }).await?;
    let directory = client.resolve(&options.directory).await?;
    client.getattr(&directory.handle, &[FATTR4_CHANGE]).await?;
    let took = begun.elapsed();
    client.leave().await?;
    Ok(took)
}

/// What the server's process holds once the attackers' connections are gone from it, or do not go.
pub(super) async fn settled(pid: Option<u32>, before: Option<Vitals>) -> Option<Vitals> {
    let until = Instant::now() + SETTLE_WAIT;
    loop {
        let now = pid.and_then(vitals)?;
        if before.is_none_or(|before| now.sockets <= before.sockets) || Instant::now() > until {
            return Some(now);
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
}

/// What a process of this machine holds; `None` when it cannot be seen.
#[must_use]
pub fn vitals(pid: u32) -> Option<Vitals> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = |name: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.trim().trim_end_matches(" kB").parse().ok()
    };
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let is_socket = |entry: &std::fs::DirEntry| {
        std::fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
    };
    let sockets = descriptors.flatten().filter(is_socket).count() as u64;
    Some(Vitals { resident_kib: line("VmRSS")?, sockets, threads: line("Threads")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_grows_with_the_baseline_within_limits() {
        let bound = |ms| Baseline { typical: Duration::from_millis(ms) }.bound();
        assert_eq!([bound(1), bound(100), bound(5_000)], [BOUND_MIN, Duration::from_secs(2), BOUND_MAX]);
    }

    #[test]
    fn this_process_has_vitals() {
        let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let seen = vitals(std::process::id()).unwrap();
        assert!(seen.resident_kib > 0 && seen.sockets > 0 && seen.threads > 0, "{seen:?}");
    }
}
