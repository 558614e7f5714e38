//! The bounds of everything a client can make the server remember.

/// The named limits of the state machine. All of them count things but those named `…_bytes_max`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Confirmed clients. At the limit the client whose lease ran out first makes room; without one, a new client
    /// gets RESOURCE (4.0) or NOSPC.
    pub clients: usize,
    /// Client IDs that wait for their confirmation. At the limit the oldest one is dropped (RFC 7530 §16.34.5).
    pub unconfirmed_clients: usize,
    /// Sessions of one client; then CREATE_SESSION answers NOSPC.
    pub sessions_per_client: usize,
    /// Connections bound to one session. At the limit the oldest binding is dropped.
    pub connections_per_session: usize,
    /// Slots of a session's fore channel.
    pub slots: u32,
    /// Operations in one COMPOUND. Not below 8, which macOS and Linux insist on.
    pub operations: u32,
    /// The largest request, RPC header included.
    pub request_bytes_max: u32,
    /// The largest reply, RPC header included.
    pub response_bytes_max: u32,
    /// The largest reply that a slot keeps.
    pub cached_bytes_max: u32,
    /// Opens of all clients together; then OPEN answers RESOURCE (4.0) or DELAY.
    pub opens: usize,
    /// Opens of one client, answered like `opens`.
    pub opens_per_client: usize,
    /// Open-owners and lock-owners of one client, answered like `opens`.
    pub owners_per_client: usize,
    /// Lock stateids of one open, answered like `opens`.
    pub lock_states_per_open: usize,
    /// Locked byte ranges of one client; then LOCK answers RESOURCE (4.0) or DELAY. LOCKU may go above it by splitting.
    pub lock_ranges_per_client: usize,
    /// Requests that wait for a byte range of one file. At the limit further ones are denied without a place in the queue.
    pub waiters_per_file: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 16_384,
            unconfirmed_clients: 4_096,
            sessions_per_client: 64,
            connections_per_session: 256,
            slots: 128,
            operations: 256,
            request_bytes_max: 1_114_112,
            response_bytes_max: 1_114_112,
            cached_bytes_max: 8_192,
            opens: 1_000_000,
            opens_per_client: 100_000,
            owners_per_client: 100_000,
            lock_states_per_open: 10_000,
            lock_ranges_per_client: 65_536,
            waiters_per_file: 1_024,
        }
    }
}
