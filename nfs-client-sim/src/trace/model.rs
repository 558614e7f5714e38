//! Headers and events.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

/// The longest RPC message in a trace, in bytes. Servers offer reads and writes of 1 MiB, some of 4 MiB.
pub const MESSAGE_LEN_MAX: usize = 16 << 20;
/// The most bytes of all messages of one trace together, so that a small hostile file cannot fill the memory.
pub const TRACE_BYTES_MAX: usize = 512 << 20;

/// The RPC messages between a client and a server, in the order in which they were seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Where it comes from.
    pub header: Header,
    /// What happened.
    pub events: Vec<Event>,
}

/// Where a trace comes from, and what a replay must know. Fields that are not known are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Header {
    /// How the trace came to be.
    pub origin: Origin,
    /// The client: `Linux 6.1.0`.
    pub client: String,
    /// The server: `nfs-ganesha 4.3`.
    pub server: String,
    /// The options of the mount: `vers=4.1,nconnect=2`.
    pub mount: String,
    /// What ran on the client: `cp -r`.
    pub command: String,
    /// When it was recorded: `2025-11-21`.
    pub date: String,
    /// The server's path that was mounted: `/export`. A replay puts another in its place.
    pub directory: String,
    /// The minor version, when there is only one.
    pub minor: Option<u32>,
    /// Anything else a reader should know.
    pub notes: Vec<String>,
}

/// How a trace came to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// By the recording proxy.
    #[default]
    Recorded,
    /// Out of a packet capture.
    Imported,
    /// Written by a program, after descriptions of a client.
    Synthesised,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The time since the first event. The text format keeps microseconds.
    pub at: Duration,
    /// Which connection, from 1 in the order of appearance; 0 for none.
    pub connection: u32,
    /// What it was.
    pub what: What,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The connection was opened: by the client, or by the server when it is for callbacks of 4.0.
    Opened,
    /// A whole RPC message, its header included, without the record mark.
    Message {
        /// Who sent it.
        from: Side,
        /// The bytes.
        message: Bytes,
    },
    /// The connection ended.
    Closed {
        /// Who closed it.
        by: Side,
    },
    /// The capture lacks so many bytes of the connection here, as far as that is known.
    Gap {
        /// How many.
        bytes: u64,
    },
    /// The server was restarted here.
    Restarted,
}

/// An end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The NFS client, whoever opened the connection.
    Client,
    /// The NFS server.
    Server,
}

impl Origin {
    /// All, with the names they have in a file.
    pub(crate) const NAMES: [(Self, &'static str); 3] =
        [(Self::Recorded, "recorded"), (Self::Imported, "imported"), (Self::Synthesised, "synthesised")];

    /// The name in a file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Imported => "imported",
            Self::Synthesised => "synthesised",
        }
    }
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// `client` or `server`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The direction in which this end sends: `>` from the client to the server, `<` back.
    #[must_use]
    pub const fn arrow(self) -> char {
        match self {
            Self::Client => '>',
            Self::Server => '<',
        }
    }
}

impl What {
    /// How a file says it: `opened`, `closed by client`, `gap 1448`, `restarted`. A message has more lines.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Opened => Some("opened".to_owned()),
            Self::Closed { by } => Some(format!("closed by {}", by.name())),
            Self::Gap { bytes } => Some(format!("gap {bytes}")),
            Self::Restarted => Some("restarted".to_owned()),
            Self::Message { .. } => None,
        }
    }
}

impl Event {
    /// The message and who sent it, if the event is one.
    #[must_use]
    pub const fn message(&self) -> Option<(Side, &Bytes)> {
        match &self.what {
            What::Message { from, message } => Some((*from, message)),
            _ => None,
        }
    }
}
