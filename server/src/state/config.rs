//! What the state machine is told once, at its start.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::limits::Limits;

/// The lease time when the configuration says nothing: what Linux servers use, in milliseconds.
const LEASE_MS: u64 = 90_000;

/// The settings of a [`State`](super::State).
#[derive(Clone)]
pub struct StateConfig {
    /// How long a client's state is safe without a sign of life, in milliseconds.
    pub lease_ms: u64,
    /// The longest time for reclaims after a start, in milliseconds. Not below the lease time of the start before.
    pub grace_ms: u64,
    /// Differs at each start of the server. It is part of client IDs and stateids, so that old ones are recognised.
    pub boot_id: u32,
    /// Random bytes that make verifiers and session IDs hard to guess.
    pub secret: [u8; 16],
    /// The bounds of what clients can make the server remember.
    pub limits: Limits,
}

impl StateConfig {
    /// Lease and grace of 90 seconds, and the usual limits.
    pub fn new(boot_id: u32, secret: [u8; 16]) -> Self {
        Self { lease_ms: LEASE_MS, grace_ms: LEASE_MS, boot_id, secret, limits: Limits::default() }
    }

    /// Eight bytes that only this server can tell from `values`.
    pub(super) fn keyed(&self, values: impl Hash) -> [u8; 8] {
        let mut hasher = DefaultHasher::new();
        self.secret.hash(&mut hasher);
        self.boot_id.hash(&mut hasher);
        values.hash(&mut hasher);
        hasher.finish().to_be_bytes()
    }
}

impl fmt::Debug for StateConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateConfig")
            .field("lease_ms", &self.lease_ms)
            .field("grace_ms", &self.grace_ms)
            .field("boot_id", &self.boot_id)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
