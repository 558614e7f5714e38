//! How a client presents itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nfs4_protocol::nfs4::Verifier4;
use nfs4_protocol::rpc::{AuthSysParms, OpaqueAuth};

use super::Shape;
use crate::CallbackOptions;

/// What a client does by itself about lost connections and restarted servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recovery {
    /// Nothing: everything that happens is seen by the caller.
    #[default]
    Off,
    /// A lost connection is replaced, and the same request is sent again over the new one: in 4.1 and later in the same
    /// slot with the same sequence ID, so that it is executed once; in 4.0 with the same xid.
    Reconnect,
    /// That, and state is established again and reclaimed after the server restarted or the lease ran out. The
    /// interrupted request is then sent once more; if the server had executed it just before it restarted, it is
    /// executed twice (RFC 8881 §2.10.6.5), unless the session is persistent.
    Full,
}

/// Who the client is and how it behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Identifies the client to the server, as `nfs_client_id4.id` or `client_owner4`. Two clients of the same name are
    /// the same client. The default differs for each call of `default`.
    pub name: String,
    /// Identifies this life of the client. A new one tells the server that the client restarted.
    pub verifier: Verifier4,
    /// The user of all calls.
    pub uid: u32,
    /// The user's group.
    pub gid: u32,
    /// The user's further groups, at most 16.
    pub gids: Vec<u32>,
    /// Slots to ask for (4.1 and later): the most calls in flight.
    pub slots: u32,
    /// The largest READ and WRITE, in bytes.
    pub io_bytes: u32,
    /// How long to wait for a reply.
    pub reply_wait: Duration,
    /// How long NFS4ERR_DELAY and NFS4ERR_GRACE are answered by trying again, in the file system interface.
    pub patience: Duration,
    /// Whether a background task keeps the lease.
    pub renew: bool,
    /// How many TCP connections calls are spread over, at least 1. In 4.1 and later they are bound to the session.
    pub connections: usize,
    /// What the client does by itself about lost connections and restarted servers.
    pub recovery: Recovery,
    /// Whether to serve callbacks, so that servers may grant delegations. Without it no delegation is asked for.
    pub callbacks: Option<CallbackOptions>,
    /// The shape of the client's messages.
    pub shape: Shape,
}

impl Default for ClientOptions {
    fn default() -> Self {
        static CLIENTS: AtomicU64 = AtomicU64::new(0);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
        Self {
            name: format!("nfs-client-sim {}.{nanos}.{number}", std::process::id()),
            verifier: Verifier4(nanos.to_be_bytes()),
            uid: 0,
            gid: 0,
            gids: Vec::new(),
            slots: 64,
            io_bytes: 1 << 20,
            reply_wait: Duration::from_secs(60),
            patience: Duration::from_secs(60),
            renew: true,
            connections: 1,
            recovery: Recovery::Off,
            callbacks: None,
            shape: Shape::default(),
        }
    }
}

impl ClientOptions {
    /// The defaults, for this user.
    #[must_use]
    pub fn for_user(uid: u32, gid: u32) -> Self {
        Self { uid, gid, ..Self::default() }
    }

    /// For programs that want files rather than to see what a server does: recovers by itself, with the patience that a
    /// restart and its grace period take, and serves callbacks.
    #[must_use]
    pub fn resilient() -> Self {
        Self {
            recovery: Recovery::Full,
            callbacks: Some(CallbackOptions::default()),
            patience: Duration::from_secs(180),
            ..Self::default()
        }
    }

    /// The AUTH_SYS credential of the user.
    #[must_use]
    pub fn credential(&self) -> OpaqueAuth {
        OpaqueAuth::from(&self.auth_sys())
    }

    pub(crate) fn auth_sys(&self) -> AuthSysParms {
        AuthSysParms {
            stamp: 0,
            machinename: self.shape.machine_name.clone(),
            uid: self.uid,
            gid: self.gid,
            gids: self.gids.clone(),
        }
    }
}
