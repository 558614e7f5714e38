//! NFSv4.0, 4.1 and 4.2 on the wire: XDR, ONC RPC, COMPOUND, callbacks and attributes as types.
//!
//! The crate has no sockets, no clock and no runtime: bytes come in as [`bytes::Bytes`], types come
//! out, and the other way round. Everything a peer controls is bounded by a named limit before
//! memory is taken for it, and opaque data is sliced out of the received record without a copy.
//!
//! Normative texts: RFC 4506 (XDR), RFC 5531 (RPC), RFC 7531 (XDR of 4.0), RFC 5662 (XDR of 4.1),
//! RFC 7863 (XDR of 4.2), RFC 8275 (`mode_umask`), RFC 8276 (extended attributes), and RFC 9754
//! (delegations that report times) as far as Linux clients and servers send it.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod fuzz;
pub mod nfs4;
pub mod rpc;
pub mod xdr;
