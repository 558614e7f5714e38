//! An NFSv4.0, 4.1 and 4.2 client in user space.
//!
//! Three floors, each of which can be used alone:
//! - [`Connection`] sends RPC calls over TCP, several at a time, and matches the replies.
//! - [`Client`] makes itself known to a server, keeps its lease, numbers slots, and sends what a [`CompoundBuilder`]
//!   holds: any operations in any order, also forbidden ones.
//! - The methods of [`Client`] and [`OpenFile`] named after operations are a file system interface.
//!
//! By default a client does nothing by itself about lost connections and restarted servers, and servers see it without a
//! callback service, so that everything that happens is seen by the caller. [`ClientOptions::resilient`] is for programs
//! that want files: it reconnects, recovers, and takes delegations.
//!
//! ```no_run
//! # async fn copy() -> nfs_client_sim::Result<()> {
//! use nfs_client_sim::{Client, ClientOptions, OpenHow};
//!
//! let server = ([192, 0, 2, 1], 2049).into();
//! let client = Client::connect(server, 1, ClientOptions::resilient()).await?;
//! let directory = client.resolve("/export").await?.handle;
//! client.write_file(&directory, "hello", "Hello!", 4).await?;
//! let file = client.open(&directory, "hello", OpenHow::read()).await?;
//! assert_eq!(file.read_to_end(4).await?, b"Hello!");
//! file.close().await?;
//! client.leave().await
//! # }
//! ```

pub mod bench;
mod callback;
mod client;
mod compound;
mod error;
mod files;
pub mod hostile;
pub mod import;
mod net;
pub mod probe;
pub mod profile;
pub mod record;
pub mod replay;
mod reply;
#[cfg(test)]
mod scripted_server;
pub mod trace;
mod wire;

pub use callback::{CallbackHook, CallbackOptions};
pub use client::{Client, ClientOptions, OpenOwner, Recovery, Session, Shape, Slot, Tag, TagOf};
pub use compound::CompoundBuilder;
pub use error::Error;
pub use files::{
    Copied, Delegation, ListingSize, LockOutcome, Locker, Node, OpenFile, OpenHow, Statfs, TreeError, USUAL_ATTRIBUTES,
};
pub use net::Connection;
pub use reply::Reply;

/// What most functions return.
pub type Result<T> = std::result::Result<T, Error>;
