//! The operations that 4.1, 4.2 and RFC 8276 added, and the callback program, on the wire.
//!
//! Every expected encoding is written down field by field from the RFC, beside the code that is tested.

mod callback;
mod check;
mod hostile;
mod notify;
mod pnfs;
mod session;
mod v42;
mod xattr;
