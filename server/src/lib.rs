//! hafiz-nfs-gateway: NFSv4.0, 4.1 and 4.2 in front, plain objects in any S3-compatible store behind.
//!
//! The rooms, outermost first: [`net`] (connections, RPC), [`compound`] (operations), [`state`] (clients, sessions,
//! opens, locks), [`fs`] (names, handles, attributes, directories), [`data`] (bytes), [`store`] (S3), with [`local`]
//! (durable local state) and [`embedded`] (an S3 server of its own) beside them. Data flows one way; nothing below
//! `compound` knows NFS status codes.

pub mod compound;
pub mod data;
pub mod embedded;
pub mod fs;
pub mod gateway;
pub mod local;
pub mod net;
pub mod state;
pub mod store;
pub mod timestamp;

mod stable_clients;
