//! The file system interface: names, attributes, open files, locks, listings, data.

mod directory;
mod file;
mod lock;
mod namespace;
mod open;
mod transfer;

pub use directory::ListingSize;
pub use file::OpenFile;
pub use lock::{LockOutcome, Locker};
pub use namespace::{Node, USUAL_ATTRIBUTES};
pub use open::OpenHow;
