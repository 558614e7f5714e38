//! Protocol state: clients, sessions, opens, share reservations, byte-range locks, grace and reclaim.
//!
//! Everything here is synchronous and pure: time is an argument, random bytes come in through [`StateConfig`], and
//! what has to be durable goes out as [`Effect`]s. The caller holds a [`State`] in a mutex, never across an await,
//! and empties both outboxes after every call: [`State::take_effects`] (make durable, in order, before the reply
//! leaves) and [`State::take_freed`] (drop outside the mutex).
//!
//! What hangs on what: a client has owners; an open-owner has opens; an open has lock states, one for each
//! lock-owner that locked through it; a file has opens and locked ranges. Ending a client ends all of it.

mod client;
mod client40;
mod client41;
mod config;
mod connection;
mod file;
mod grace;
mod identity;
mod limits;
mod lock;
mod lock_ranges;
mod lock_waiters;
mod moment;
mod open;
mod owner;
mod seqid;
mod session;
mod share;
mod slots;
mod stateid;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use client40::{SetClientId, SetClientIdError, SetClientIdOk};
pub use client41::{ExchangeId, ExchangeIdOk};
pub use config::StateConfig;
pub use identity::{
    CachedReply, Callback40, Caller, ClientId, ClientRecord, ConnectionId, Effect, Family, FileKey, Principal,
};
pub use limits::Limits;
pub use lock::{Denied, LockKind, LockRefusal, LockRequest, LockTest, Locker};
pub use moment::Moment;
pub use open::{Claim, Closed, OpenRequest, Opened};
pub use seqid::{SeqidOutcome, SeqidOwner, SeqidToken};
pub use session::{CreateSession, CreateSessionOk, SequenceOutcome, SequenceReply, SequenceRequest, SlotToken};
pub use stateid::{IoState, Want};

use client::Clients;
use connection::Connections;
use file::FileState;
use grace::Grace;
use identity::StateKey;
use lock::LockState;
use nfs4_protocol::nfs4::Sessionid4;
use open::OpenState;
use owner::Owners;
use session::Session;

/// How long a client whose lease ran out keeps its state when nobody wants what it holds: a day (RFC 7530 §9.6.3.1).
const COURTESY_MS: u64 = 24 * 60 * 60 * 1000;

/// The protocol state of one server. `P` is kept with each open and let go when the open ends.
#[derive(Debug)]
pub struct State<P> {
    config: StateConfig,
    clients: Clients,
    sessions: HashMap<Sessionid4, Session>,
    sessions_made: u32,
    connections: Connections,
    owners: Owners,
    opens: HashMap<StateKey, OpenState<P>>,
    locks: HashMap<StateKey, LockState>,
    files: HashMap<FileKey, FileState>,
    grace: Grace,
    effects: Vec<Effect>,
    freed: Vec<P>,
}

/// How much the server remembers at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateCounts {
    /// Confirmed clients.
    pub clients: usize,
    /// Sessions of all clients.
    pub sessions: usize,
    /// Opens of all clients.
    pub opens: usize,
    /// Lock stateids of all clients.
    pub lock_states: usize,
    /// Locked byte ranges of all clients.
    pub lock_ranges: usize,
}

impl<P> State<P> {
    /// The state of a server that starts at `now`. `records` are the clients that held state before; if there are any,
    /// a grace period begins.
    pub fn new(config: StateConfig, records: Vec<ClientRecord>, now: Moment) -> Self {
        let grace = Grace::new(records, now.plus(config.grace_ms));
        Self {
            clients: Clients::new(config.boot_id),
            config,
            sessions: HashMap::new(),
            sessions_made: 0,
            connections: Connections::default(),
            owners: Owners::default(),
            opens: HashMap::new(),
            locks: HashMap::new(),
            files: HashMap::new(),
            grace,
            effects: Vec::new(),
            freed: Vec::new(),
        }
    }

    /// What must be durable before the replies of the calls up to now are sent. The order counts.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The payloads of opens that ended otherwise than by [`State::close`], or never came to be.
    pub fn take_freed(&mut self) -> Vec<P> {
        std::mem::take(&mut self.freed)
    }

    /// Housekeeping, to be called about once a second: ends grace, drops what nobody confirmed, clients without state
    /// whose lease ran out, clients past the courtesy period, and state-owners that are long unused.
    pub fn expire(&mut self, now: Moment) {
        self.settle_grace(now);
        self.clients.drop_unconfirmed(now, self.config.lease_ms);
        for id in self.clients.ids() {
            let Some(client) = self.clients.get(id) else { continue };
            let idle = now.since(client.renewed);
            if idle > self.config.lease_ms && (!client.has_state() || idle > COURTESY_MS) {
                self.evict_client(id);
            } else {
                self.expire_owners(id, now);
                self.forget_if_idle(id, now);
            }
        }
    }

    /// How much there is of everything.
    pub fn counts(&self) -> StateCounts {
        StateCounts {
            clients: self.clients.len(),
            sessions: self.sessions.len(),
            opens: self.opens.len(),
            lock_states: self.locks.len(),
            lock_ranges: self.files.values().map(|file| file.ranges.len()).sum(),
        }
    }
}
