//! The RFCs' rules, operation by operation: one file per operation or family, which its first line names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that tests share may fail as tests do")]

mod access;
mod compound;
mod create;
mod filehandles;
mod getattr;
mod lookup;
mod names;
mod opened;
mod readlink;
mod remove;
mod rename;
