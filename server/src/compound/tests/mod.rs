//! COMPOUND from the outside: encoded requests in, decoded replies out, over the in-memory file system.

mod harness;
mod loop_rules;
mod mount;
mod open40;
mod open41;
mod open_permission;
mod recovery;
mod session_rules;
