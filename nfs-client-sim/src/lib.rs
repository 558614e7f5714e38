//! An NFSv4.0, 4.1 and 4.2 client in user space.
//!
//! Three floors, each of which can be used alone:
//! - [`Connection`] sends RPC calls over TCP, several at a time, and matches the replies.
//! - [`Client`] makes itself known to a server, keeps its lease, numbers slots, and sends what a [`CompoundBuilder`]
//!   holds: any operations in any order, also forbidden ones.
//! - The methods of [`Client`] and [`OpenFile`] named after operations are a file system interface.
//!
//! There is no callback service: servers see a client without a back channel and grant no delegations.

mod client;
mod compound;
mod connection;
mod directory;
mod error;
mod establish;
mod file;
mod lock;
mod namespace;
mod open;
mod options;
mod outgoing;
mod owner;
mod reply;
mod session;
mod transfer;

pub use client::Client;
pub use compound::CompoundBuilder;
pub use connection::Connection;
pub use directory::ListingSize;
pub use error::Error;
pub use file::OpenFile;
pub use lock::{LockOutcome, Locker};
pub use namespace::{Node, USUAL_ATTRIBUTES};
pub use open::OpenHow;
pub use options::ClientOptions;
pub use owner::OpenOwner;
pub use reply::Reply;
pub use session::{Session, Slot};

/// What most functions return.
pub type Result<T> = std::result::Result<T, Error>;
