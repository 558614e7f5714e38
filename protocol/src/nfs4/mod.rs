//! NFSv4.0, 4.1 and 4.2: the types of RFC 7531, RFC 5662, RFC 7863, RFC 8275 and RFC 8276.
//!
//! One set of types serves all minor versions: a later minor version only adds values and arms.
//! Names are the RFC's in Rust's spelling: `ACCESS4args` is [`Access4Args`]. Fields have the RFC's
//! names without the prefix of their structure: `cva_verf` of `creatverfattr` is
//! [`Creatverfattr::verf`].

mod attr;
mod basic;
mod bitmap;
mod callback;
mod clientid;
mod compound;
mod dir;
mod file;
mod flags;
mod lock;
mod open;
mod opnum;
mod pnfs;
mod session;
mod status;
mod v42;
mod xattr;

pub use attr::*;
pub use basic::*;
pub use bitmap::*;
pub use callback::*;
pub use clientid::*;
pub use compound::*;
pub use dir::*;
pub use file::*;
pub use flags::*;
pub use lock::*;
pub use open::*;
pub use opnum::*;
pub use pnfs::*;
pub use session::*;
pub use status::*;
pub use v42::*;
pub use xattr::*;
