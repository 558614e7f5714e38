//! The RFCs' rules, operation by operation: one file per operation or family, which its first line names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that tests share may fail as tests do")]

mod access;
mod close;
mod commit;
mod compound;
mod create;
mod credentials;
mod filehandles;
mod getattr;
mod link;
mod lock;
mod lock_seqids;
mod lookup;
mod names;
mod open;
mod open_claims;
mod open_create;
mod open_downgrade;
mod open_seqids;
mod opened;
mod read;
mod readdir;
mod readlink;
mod remove;
mod rename;
mod renew;
mod secinfo;
mod setattr;
mod setclientid;
mod stateids;
mod verify;
mod write;
