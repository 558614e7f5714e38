//! The names by which the state machine knows clients, users, connections and files.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The shorthand name of a client (`clientid4`), of 4.0 and of the later minor versions.
///
/// The upper 32 bits are those of this start of the server, so that one from an earlier start is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

impl ClientId {
    /// Puts the start of the server and the client's number together.
    pub(super) const fn new(boot_id: u32, number: u32) -> Self {
        Self(((boot_id as u64) << 32) | number as u64)
    }

    /// The number of the client within this start of the server.
    pub(super) const fn number(self) -> u32 {
        self.0 as u32
    }
}

/// A transport connection. The room `net` gives each one a number of its own and never uses a number again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// A regular file, by what makes it unique on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey {
    /// The file system.
    pub fsid: u64,
    /// The file in it.
    pub fileid: u64,
}

/// Who sent a request, as far as the RPC layer can tell. The state machine only compares principals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Principal {
    flavor: u32,
    identity: Vec<u8>,
}

impl Principal {
    /// A principal of an RPC security flavour; `identity` is whatever tells its users apart.
    pub fn new(flavor: u32, identity: impl Into<Vec<u8>>) -> Self {
        Self { flavor, identity: identity.into() }
    }
}

/// The two protocols for naming a client. Their owner strings are separate name spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// SETCLIENTID of NFSv4.0.
    V40,
    /// EXCHANGE_ID of NFSv4.1 and later.
    V41,
}

/// Who uses a stateid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A request of NFSv4.0: the stateid itself tells the client.
    V40,
    /// A request of NFSv4.1 or later: the client of its session.
    V41(ClientId),
}

/// A client as it names itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClientKey {
    pub(super) family: Family,
    pub(super) owner: Vec<u8>,
}

/// A client that may hold state, as stable storage keeps it: after a restart only these may reclaim.
/// Family and owner together are the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    /// The protocol by which the client made itself known.
    pub family: Family,
    /// Its owner string (`nfs_client_id4.id` or `co_ownerid`).
    pub owner: Vec<u8>,
    /// Who made it known.
    pub principal: Principal,
}

/// A change of the stable records. It must be durable before the reply of the call that caused it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The client holds state from now on.
    Record(ClientRecord),
    /// The client holds no state any more, or has lost its right to reclaim it.
    Forget {
        /// The protocol of the record.
        family: Family,
        /// The owner string of the record.
        owner: Vec<u8>,
    },
}

/// A state-owner: an open-owner or a lock-owner, by a number that is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct OwnerNo(pub(super) u64);

/// What a stateid's `other` names, without the start of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct StateKey {
    /// The number of the client that holds the state.
    pub(super) client: u32,
    /// The number of the state among those of the client.
    pub(super) number: u32,
}

/// Where the client listens for callbacks of NFSv4.0 (`cb_client4` and `callback_ident`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback40 {
    /// The RPC program to call.
    pub program: u32,
    /// The transport (`r_netid`).
    pub netid: String,
    /// The universal address (`r_addr`).
    pub addr: String,
    /// What the client wants to be told in each callback.
    pub ident: u32,
}

/// The answer to an operation of 4.0 that a seqid guards, kept for a retransmission.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CachedReply {
    /// The encoded result of the operation.
    pub reply: Bytes,
    /// The current filehandle after the operation, where the operation sets it.
    pub filehandle: Option<Bytes>,
}

impl fmt::Debug for CachedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CachedReply({} bytes)", self.reply.len())
    }
}
