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
mod error;
mod files;
mod net;
mod reply;

pub use client::{Client, ClientOptions, OpenOwner, Session, Slot};
pub use compound::CompoundBuilder;
pub use error::Error;
pub use files::{ListingSize, LockOutcome, Locker, Node, OpenFile, OpenHow, USUAL_ATTRIBUTES};
pub use net::Connection;
pub use reply::Reply;

/// What most functions return.
pub type Result<T> = std::result::Result<T, Error>;
