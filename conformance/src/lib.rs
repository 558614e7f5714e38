//! What the suites and the benchmark share: targets to test, the gateway as a process, S3 clients that look into the
//! bucket, and made-up data.
//!
//! A [`World`] is a server under test, a client of it and an empty directory. [`Target`] names the kinds of servers.
//! Where a kind cannot be had, the test says `skipped:` and why, also when the test harness captures its output; in CI
//! (`CI=true`) that is a failure.
//!
//! [`rfc()`] runs the tests of the RFCs' rules, which share one server. With `NFS_EXPECTED=FILE` those that the server
//! behind `NFS_TARGET` is known to fail pass when they fail, and fail when they pass. A line of the file is
//! `file::test [MINOR] REASON`; `#` begins a comment.
#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here fails as tests do")]

mod bed;
pub mod data;
mod differences;
mod folder;
mod minio;
mod objects;
mod program;
mod rfc;
mod statuses;
mod store;
mod target;
mod world;

pub use bed::{Bed, BedOptions, bucket_name};
pub use objects::Objects;
pub use program::{Ended, Program, program};
pub use rfc::{Scene, rfc};
pub use statuses::unlisted;
pub use store::{Access, EmbeddedStore, StoppedStore};
pub use target::{Target, say, skip, unavailable};
pub use world::{World, status};
