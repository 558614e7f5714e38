//! The suites: one body per behaviour, run for each target and minor version.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that tests share may fail as tests do")]

mod directories;
mod exactly_once;
mod exclusive;
mod files;
mod foreign;
mod links;
mod locks;
mod names;
mod out_of_order;
mod remove;
mod rename;
mod restart;
mod shares;
