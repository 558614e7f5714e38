//! The RFCs' rules, operation by operation: one file per operation or family, which its first line names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that tests share may fail as tests do")]

mod lookup;
