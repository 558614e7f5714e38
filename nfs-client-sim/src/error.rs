//! What can go wrong.

use std::io;
use std::time::Duration;

use nfs4_protocol::nfs4::{AttrError, NfsStat4, OpNum};
use nfs4_protocol::rpc::ReplyBody;
use nfs4_protocol::xdr::XdrError;

/// Why a call has no good result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is no connection.
    #[error("cannot connect to {addr}: {reason}")]
    Connect {
        /// Where to.
        addr: String,
        /// What the system says.
        reason: String,
    },
    /// The connection ended before the reply. Whether the server carried the call out is unknown.
    #[error("the connection is lost: {0}")]
    Lost(String),
    /// No reply came in time. Whether the server carried the call out is unknown.
    #[error("no reply within {0:?}")]
    Timeout(Duration),
    /// The server does not take the call: the RPC header of its reply.
    #[error("the call was refused: {0:?}")]
    Refused(Box<ReplyBody>),
    /// The reply is not what XDR says.
    #[error("the reply cannot be decoded: {0}")]
    Decode(#[from] XdrError),
    /// Attributes in the reply cannot be read.
    #[error("attributes in the reply cannot be read: {0}")]
    Attributes(#[from] AttrError),
    /// An operation failed.
    #[error("{op}: {status}")]
    Status {
        /// The operation.
        op: OpNum,
        /// Its status.
        status: NfsStat4,
    },
    /// The compound failed and has no results.
    #[error("COMPOUND: {0}")]
    Compound(NfsStat4),
    /// The reply is shorter than the request, though nothing failed.
    #[error("the reply has no result of {0}")]
    Missing(OpNum),
    /// The minor version has no such thing.
    #[error("not in minor version {minor}: {what}")]
    NotInMinor {
        /// The client's minor version.
        minor: u32,
        /// What was asked for.
        what: &'static str,
    },
    /// An operation ended otherwise than it had to.
    #[error("the server should have answered {wanted}")]
    Unexpected {
        /// The status that was right.
        wanted: NfsStat4,
    },
    /// All slots of the session are retired, as requests in them got no answer. Reconnecting does not help; recovering
    /// makes a new session.
    #[error("no slot of the session is left")]
    NoSlot,
    /// The server lost the state of this open file, and it could not be had back without a gap in which others may have
    /// changed the file. Open the file again and look at it.
    #[error("the server lost the state of the open file: {0}")]
    StateLost(NfsStat4),
    /// Callbacks cannot be listened for.
    #[error("cannot listen for callbacks at {addr}: {reason}")]
    Listen {
        /// Where at.
        addr: String,
        /// What the system says.
        reason: String,
    },
    /// The server answers WRITE well but writes nothing.
    #[error("the server took none of the data of a WRITE, and said no error")]
    NothingWritten,
    /// The server lost unstable data again and again.
    #[error("the write verifier changed {0} times")]
    Unsteady(u32),
}

impl Error {
    /// The NFS status, where a server answered with one.
    #[must_use]
    pub const fn status(&self) -> Option<NfsStat4> {
        match self {
            Self::Status { status, .. } | Self::Compound(status) => Some(*status),
            _ => None,
        }
    }

    /// Whether the connection is of no use any more.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Connect { .. })
    }

    /// Whether the call may have been executed without its reply having come.
    pub(crate) const fn is_unanswered(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Timeout(_))
    }

    pub(crate) fn connect(addr: impl ToString, source: &io::Error) -> Self {
        Self::Connect { addr: addr.to_string(), reason: source.to_string() }
    }
}
