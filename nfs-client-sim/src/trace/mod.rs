//! What passed between a client and a server, as a file that people can read and programs can replay.
//!
//! A [`Trace`] is the sequence of RPC messages as they were seen, and nothing derived: what a message means is read
//! from its bytes when somebody asks ([`Event::call`], [`Event::reply`], [`Trace::exchanges`]). The text format is in
//! [`text`] and in docs/recording.md; [`render`] writes operations for people.

mod exchange;
mod growing;
mod message;
mod model;
pub mod render;
pub mod show;
pub mod text;

pub use exchange::{Exchange, Orphan};
pub use growing::EventWriter;
pub use message::{Arguments, Call, Reply, Results, Undecoded};
pub use model::{Event, Header, MESSAGE_LEN_MAX, Origin, Side, TRACE_BYTES_MAX, Trace, What};
pub use text::{Problem, Stale, TraceError, check};

#[cfg(test)]
mod tests;
