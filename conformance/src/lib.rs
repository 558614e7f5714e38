//! What the suites and the benchmark share: targets to test, the gateway as a process, S3 clients that look into the
//! bucket, and made-up data.
//!
//! A [`World`] is a server under test, a client of it and an empty directory. [`Target`] names the kinds of servers.
//! Where a kind cannot be had, the test says `skipped:` and why, also when the test harness captures its output; in CI
//! (`CI=true`) that is a failure.
#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here fails as tests do")]

mod bed;
pub mod data;
mod minio;
mod objects;
mod program;
mod store;
mod target;
mod world;

pub use bed::{Bed, BedOptions};
pub use objects::Objects;
pub use program::{Ended, Program, program};
pub use store::{Access, EmbeddedStore, StoppedStore};
pub use target::{Target, skip, unavailable};
pub use world::{World, status};
