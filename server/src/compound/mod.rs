//! COMPOUND: the loop over its operations, the table of rules for them, and one file per family of operations.
//!
//! A request comes in as bytes from [`crate::net`] and goes out as a chain of bytes ([`Service::compound`]). Between the two
//! each operation is looked up in `table` (does the minor version have it, does it need a filehandle, does its reply
//! still fit), run through `dispatch`, and written to the reply. The protocol state answers what a client may do, the file
//! system does it, and `errors` turns the file system's refusals into status codes.

mod attributes;
mod clientid;
mod context;
mod directory;
mod dispatch;
mod errors;
mod filehandle;
mod getattr;
mod identity;
mod io;
mod lock;
mod names;
mod open;
mod open_file;
mod owner_seqid;
mod permission;
mod readdir;
mod reply;
mod run;
mod secinfo;
mod sequence;
mod service;
mod session;
mod stable;
mod table;

#[cfg(test)]
pub(crate) mod test_fs;
#[cfg(test)]
mod tests;

use context::{CompoundContext, Outcome};

pub use run::{Answer, Call};
pub use service::{Clock, Credentials, DEPLOYMENT_ID_BYTES_MAX, MonotonicClock, Service, Settings};
pub use stable::StableClients;
