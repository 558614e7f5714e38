//! The program `nfs-client-sim` at work on a gateway before the embedded store.
#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here fails as tests do")]

mod bench;
mod copies;
mod locks;
mod names;
mod sim;
