//! Clients that others wrote, before a gateway on the embedded store: what they read and write is what is in the bucket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod libnfs;
mod nfs_rs;
