//! TCP connections: record marking, and replies that find their calls.

mod connection;
mod outgoing;

pub use connection::Connection;
