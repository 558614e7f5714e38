//! The callback program: what a server asks of its client (RFC 7530 §16, RFC 8881 §20).
//!
//! In 4.0 the server connects to a [`Listener`] of the client; in 4.1 and later it uses the session's connections.
//! Both end in one [`Service`].

mod listener;
mod rpc;
mod service;
mod slots;

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;

use nfs4_protocol::nfs4::{NfsCbArgop4, NfsCbResop4};

pub(crate) use listener::{Listener, universal_address};
pub(crate) use service::Service;

/// Whether and how callbacks are served.
#[derive(Debug, Clone, Default)]
pub struct CallbackOptions {
    /// Where the 4.0 listener listens. By default the local address of the first connection, at a free port.
    pub listen: Option<SocketAddr>,
    /// What the application does with callbacks.
    pub hook: Option<Arc<dyn CallbackHook>>,
}

/// Sees the operations of callbacks, but for CB_SEQUENCE, before the client answers them.
pub trait CallbackHook: Debug + Send + Sync {
    /// Answers an operation in place of the client, or leaves it to the client with `None`. The client answers
    /// CB_RECALL, and then returns the delegation; CB_GETATTR; CB_RECALL_ANY; CB_RECALL_SLOT; CB_NOTIFY_LOCK; and
    /// CB_LAYOUTRECALL with NFS4ERR_NOMATCHING_LAYOUT. To others it says NFS4ERR_NOTSUPP.
    ///
    /// Called by the task that reads the connection, so it must not block.
    fn answer(&self, op: &NfsCbArgop4) -> Option<NfsCbResop4>;
}

#[cfg(test)]
mod tests;
