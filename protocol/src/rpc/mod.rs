//! ONC RPC (RFC 5531): message headers, credentials and record marking.

mod auth;
mod message;
mod record;

pub use auth::*;
pub use message::*;
pub use record::*;

#[cfg(test)]
mod tests;
