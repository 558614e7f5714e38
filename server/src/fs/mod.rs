//! The file system over a bucket: names, handles, attributes, directories, and the way of every change to the bucket.
//!
//! What clients see is the bucket, laid over with what the bucket has yet to get. A change is journaled in the local
//! state, shown from then on, and carried out by [`sync`] in the background, key by key.

mod attributes;
mod bucket;
mod conflict;
mod create;
mod errors;
pub mod filesystem;
mod handle;
mod identity;
mod inode;
mod io;
mod listing;
mod lookup;
mod names;
mod object_fs;
mod posix;
mod readdir;
mod records;
mod recovery;
mod remove;
mod rename;
mod rename_directory;
mod slots;
mod sync;

pub use identity::IdentityKey;
pub use object_fs::{FsConfig, ObjectFs};
pub use posix::Defaults;

#[cfg(test)]
mod tests;
