//! The kinds of servers under test.

use std::io::Write;

/// A kind of server under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A gateway in this process, before the embedded S3 server in this process.
    Embedded,
    /// A gateway in this process, before MinIO in a container.
    Minio,
    /// Any server: `NFS_TARGET=nfs://host[:port][/directory]`. Nothing is known of what is behind it.
    Remote,
}

/// Says on the terminal, whatever the test harness captures, that a test cannot run here.
pub fn skip(why: &str) {
    say(&format!("skipped: {why}"));
}

/// Says something about the test on the terminal, whatever the test harness captures.
pub fn say(what: &str) {
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    // A terminal that is gone is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{test}: {what}");
}

/// As [`skip`], but a failure in CI (`CI=true`), where nothing may be missing.
///
/// # Panics
/// In CI.
pub fn unavailable(why: &str) {
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{why}");
    skip(why);
}
