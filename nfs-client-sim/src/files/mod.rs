//! The file system interface: names, attributes, open files, locks, listings, data.

mod attributes;
mod copying;
mod delegation;
mod directory;
mod file;
mod lock;
mod lock_state;
mod namespace;
mod open;
mod open_state;
mod opens;
mod reclaim;
mod sparse;
mod transfer;
mod tree;
mod xattr;

pub use attributes::Statfs;
pub use copying::Copied;
pub use directory::ListingSize;
pub use file::OpenFile;
pub use lock::{LockOutcome, Locker};
pub use namespace::{Node, USUAL_ATTRIBUTES};
pub use open::OpenHow;
pub(crate) use open::{confirm_of, mode};
pub use open_state::Delegation;
pub(crate) use open_state::OpenState;
pub(crate) use opens::Opens;
pub use tree::TreeError;

#[cfg(test)]
mod tests;
