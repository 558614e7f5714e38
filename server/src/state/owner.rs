//! State-owners: open-owners and lock-owners (RFC 7530 §9.1.5, §9.1.10).

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use nfs4_protocol::nfs4::NfsStat4;

use super::State;
use super::client::ClientKind;
use super::identity::{ClientId, Family, OwnerNo, StateKey};
use super::moment::Moment;
use super::seqid::SeqidState;

/// The two kinds of state-owner. Their names are separate name spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum OwnerKind {
    Open,
    Lock,
}

/// The name of a state-owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OwnerName {
    client: ClientId,
    kind: OwnerKind,
    name: Bytes,
}

/// A state-owner.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) client: ClientId,
    pub(super) kind: OwnerKind,
    pub(super) name: Bytes,
    /// The opens of an open-owner, the lock states of a lock-owner.
    pub(super) states: BTreeSet<StateKey>,
    /// The sequence of the owner's requests; 4.0 only.
    pub(super) seqid: SeqidState,
    /// Whether OPEN_CONFIRM was done, or is not needed (RFC 7530 §9.1.11). Always so in 4.1.
    pub(super) confirmed: bool,
    /// The open that the owner's last request closed, so that a retransmitted CLOSE finds its owner (RFC 7530 §9.10.1).
    pub(super) closed: Option<StateKey>,
    /// When the owner last did something.
    pub(super) used: Moment,
}

/// All state-owners.
#[derive(Debug, Default)]
pub(super) struct Owners {
    last: u64,
    table: HashMap<OwnerNo, Owner>,
    by_name: HashMap<OwnerName, OwnerNo>,
    by_closed: HashMap<StateKey, OwnerNo>,
}

impl Owners {
    pub(super) fn get(&self, owner: OwnerNo) -> Option<&Owner> {
        self.table.get(&owner)
    }

    pub(super) fn get_mut(&mut self, owner: OwnerNo) -> Option<&mut Owner> {
        self.table.get_mut(&owner)
    }

    pub(super) fn find(&self, client: ClientId, kind: OwnerKind, name: &[u8]) -> Option<OwnerNo> {
        self.by_name.get(&OwnerName { client, kind, name: Bytes::copy_from_slice(name) }).copied()
    }

    /// The open-owner whose last request closed this open.
    pub(super) fn of_closed(&self, key: StateKey) -> Option<OwnerNo> {
        self.by_closed.get(&key).copied()
    }

    /// Remembers, or with `None` forgets, the open that the owner closed last.
    pub(super) fn set_closed(&mut self, owner: OwnerNo, key: Option<StateKey>) {
        let Some(found) = self.table.get_mut(&owner) else { return };
        if let Some(before) = std::mem::replace(&mut found.closed, key) {
            self.by_closed.remove(&before);
        }
        if let Some(key) = key {
            self.by_closed.insert(key, owner);
        }
    }

    fn insert(&mut self, owner: Owner) -> OwnerNo {
        self.last += 1;
        let number = OwnerNo(self.last);
        self.by_name.insert(OwnerName { client: owner.client, kind: owner.kind, name: owner.name.clone() }, number);
        self.table.insert(number, owner);
        number
    }

    fn remove(&mut self, number: OwnerNo) -> Option<Owner> {
        self.set_closed(number, None);
        let owner = self.table.remove(&number)?;
        self.by_name.remove(&OwnerName { client: owner.client, kind: owner.kind, name: owner.name.clone() });
        Some(owner)
    }
}

impl<P> State<P> {
    /// The owner of that name, made if it is new. Errors: what [`Client::at_limit`](super::client::Client::at_limit) says.
    pub(super) fn find_or_make_owner(
        &mut self,
        client: ClientId,
        kind: OwnerKind,
        name: &[u8],
        now: Moment,
    ) -> Result<OwnerNo, NfsStat4> {
        if let Some(number) = self.owners.find(client, kind, name) {
            if let Some(owner) = self.owners.get_mut(number) {
                owner.used = now;
            }
            return Ok(number);
        }
        let limit = self.config.limits.owners_per_client;
        let found = self.clients.find(client)?;
        if found.owners.len() >= limit {
            return Err(found.at_limit());
        }
        let needs_confirm = matches!(found.kind, ClientKind::V40 { .. }) && kind == OwnerKind::Open;
        let number = self.owners.insert(Owner {
            client,
            kind,
            name: Bytes::copy_from_slice(name),
            states: BTreeSet::new(),
            seqid: SeqidState::default(),
            confirmed: !needs_confirm,
            closed: None,
            used: now,
        });
        found.owners.insert(number);
        Ok(number)
    }

    /// Takes an owner out with all its opens and locks.
    pub(super) fn end_owner(&mut self, number: OwnerNo) {
        let Some(owner) = self.owners.get(number) else { return };
        let (kind, states) = (owner.kind, owner.states.clone());
        for key in states {
            match kind {
                OwnerKind::Open => {
                    let payload = self.remove_open(key);
                    self.freed.extend(payload);
                }
                OwnerKind::Lock => self.remove_lock_state(key),
            }
        }
        self.drop_owner(number);
    }

    /// Takes an owner out that has no state.
    fn drop_owner(&mut self, number: OwnerNo) {
        if let Some(owner) = self.owners.remove(number)
            && let Some(client) = self.clients.get_mut(owner.client)
        {
            client.owners.remove(&number);
        }
    }

    /// Takes an owner out if nothing depends on it. An open-owner of 4.0 that has finished a request stays for a while, as
    /// its seqid and last reply serve retransmissions; a lock-owner does not, as Linux takes the names of those that it
    /// released for new ones, with seqids that start anew (RFC 7530 §9.1.10 leaves it to the server).
    pub(super) fn drop_owner_if_unused(&mut self, number: OwnerNo) {
        let Some(owner) = self.owners.get(number) else { return };
        let has_history = owner.kind == OwnerKind::Open && owner.seqid.last().is_some();
        if owner.states.is_empty() && !owner.seqid.is_busy() && !has_history {
            self.drop_owner(number);
        }
    }

    /// Takes out the owners of a 4.0 client that have been without state for two lease times, and the opens that nobody
    /// confirmed within one (RFC 7530 §16.18.5). Those of 4.1 end with their last state.
    pub(super) fn expire_owners(&mut self, client: ClientId, now: Moment) {
        let lease_ms = self.config.lease_ms;
        let Some(found) = self.clients.get(client).filter(|client| client.key.family == Family::V40) else { return };
        let old: Vec<OwnerNo> = found
            .owners
            .iter()
            .filter(|number| {
                self.owners.get(**number).is_some_and(|owner| {
                    let unused = now.since(owner.used);
                    let is_idle = owner.states.is_empty() && unused > lease_ms.saturating_mul(2);
                    !owner.seqid.is_busy() && (is_idle || (!owner.confirmed && unused > lease_ms))
                })
            })
            .copied()
            .collect();
        for number in old {
            self.end_owner(number);
        }
    }
}
