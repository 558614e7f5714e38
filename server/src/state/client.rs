//! The table of clients, common to all minor versions: confirmed ones, unconfirmed ones, and those that lost their state.

use std::collections::{BTreeSet, HashMap, VecDeque};

use nfs4_protocol::nfs4::{NfsStat4, Sessionid4, Verifier4};

use super::identity::{Callback40, ClientId, ClientKey, Effect, Family, OwnerNo, Principal};
use super::moment::Moment;
use super::session::CreationSlot;
use super::{ClientRecord, State};

/// How many clients are remembered after their state was taken from them, so that they are told EXPIRED.
const EVICTED_MAX: usize = 1_024;

/// How long a client without state stays in the stable records, so that a client that opens one file after the other
/// does not cost two durable writes per file.
const RECORD_LINGER_MS: u64 = 10_000;

/// A confirmed client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) key: ClientKey,
    pub(super) verifier: Verifier4,
    pub(super) principal: Principal,
    /// The last sign of life.
    pub(super) renewed: Moment,
    pub(super) kind: ClientKind,
    pub(super) owners: BTreeSet<OwnerNo>,
    pub(super) opens: usize,
    pub(super) lock_ranges: usize,
    /// The number of the last stateid.
    pub(super) last_state: u32,
    /// Whether stable storage knows the client.
    pub(super) recorded: bool,
    /// Since when the client has had no open; meaningful while `opens` is 0.
    pub(super) idle_since: Moment,
}

/// What only one family of clients has.
#[derive(Debug)]
pub(super) enum ClientKind {
    V40 { confirm: Verifier4, callback: Callback40 },
    V41 { sessions: Vec<Sessionid4>, creation: CreationSlot, reclaim_complete: bool },
}

impl Client {
    /// Whether taking the client away would take something from its user (RFC 8881 §18.35.4 case 3).
    pub(super) fn has_state(&self) -> bool {
        self.opens > 0
    }

    /// Whether the client has state or a session.
    pub(super) fn is_in_use(&self) -> bool {
        self.has_state() || matches!(&self.kind, ClientKind::V41 { sessions, .. } if !sessions.is_empty())
    }

    /// Whether a client of 4.1 has yet to say that its reclaims are over (RFC 8881 §18.51.3).
    pub(super) fn owes_reclaim_complete(&self) -> bool {
        matches!(self.kind, ClientKind::V41 { reclaim_complete: false, .. })
    }

    /// The answer when one of the client's limits is reached: 4.1 has no RESOURCE (RFC 8881 §15.1).
    pub(super) fn at_limit(&self) -> NfsStat4 {
        match self.kind {
            ClientKind::V40 { .. } => NfsStat4::Resource,
            ClientKind::V41 { .. } => NfsStat4::Delay,
        }
    }
}

/// A client ID that was handed out and awaits its confirmation.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) key: ClientKey,
    pub(super) verifier: Verifier4,
    pub(super) principal: Principal,
    pub(super) created: Moment,
    pub(super) kind: ClientKind,
}

/// The client IDs that one owner string stands for.
#[derive(Debug, Default)]
struct OwnerIds {
    confirmed: Option<ClientId>,
    unconfirmed: Option<ClientId>,
}

/// All clients.
#[derive(Debug)]
pub(super) struct Clients {
    boot_id: u32,
    last_number: u32,
    confirmed: HashMap<ClientId, Client>,
    unconfirmed: HashMap<ClientId, Unconfirmed>,
    by_key: HashMap<ClientKey, OwnerIds>,
    evicted: VecDeque<ClientId>,
}

impl Clients {
    pub(super) fn new(boot_id: u32) -> Self {
        Self {
            boot_id,
            last_number: 0,
            confirmed: HashMap::new(),
            unconfirmed: HashMap::new(),
            by_key: HashMap::new(),
            evicted: VecDeque::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.confirmed.len()
    }

    pub(super) fn ids(&self) -> Vec<ClientId> {
        self.confirmed.keys().copied().collect()
    }

    pub(super) fn get(&self, id: ClientId) -> Option<&Client> {
        self.confirmed.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.confirmed.get_mut(&id)
    }

    /// A confirmed client, or why there is none by that ID (RFC 7530 §9.1.1, §9.6.3).
    pub(super) fn find(&mut self, id: ClientId) -> Result<&mut Client, NfsStat4> {
        let missing = self.missing(id);
        self.confirmed.get_mut(&id).ok_or(missing)
    }

    /// What to answer for an ID that no confirmed client has.
    pub(super) fn missing(&self, id: ClientId) -> NfsStat4 {
        if self.was_evicted(id) { NfsStat4::Expired } else { NfsStat4::StaleClientid }
    }

    /// Whether the client lost its state because its lease had run out.
    pub(super) fn was_evicted(&self, id: ClientId) -> bool {
        self.evicted.contains(&id)
    }

    /// The confirmed client of an owner string.
    pub(super) fn confirmed_of(&self, key: &ClientKey) -> Option<ClientId> {
        self.by_key.get(key).and_then(|ids| ids.confirmed)
    }

    pub(super) fn unconfirmed(&self, id: ClientId) -> Option<&Unconfirmed> {
        self.unconfirmed.get(&id)
    }

    /// What the family of a client has, confirmed or not.
    pub(super) fn kind_mut(&mut self, id: ClientId) -> Option<&mut ClientKind> {
        let confirmed = self.confirmed.get_mut(&id).map(|client| &mut client.kind);
        confirmed.or_else(|| self.unconfirmed.get_mut(&id).map(|record| &mut record.kind))
    }

    /// A client ID that nobody has.
    pub(super) fn new_id(&mut self) -> ClientId {
        loop {
            self.last_number = self.last_number.wrapping_add(1);
            let id = ClientId::new(self.boot_id, self.last_number);
            if self.last_number != 0 && !self.confirmed.contains_key(&id) && !self.unconfirmed.contains_key(&id) {
                return id;
            }
        }
    }

    /// Takes in an unconfirmed record in place of any other of the same owner; the oldest one of all makes room.
    pub(super) fn insert_unconfirmed(&mut self, id: ClientId, record: Unconfirmed, limit: usize) {
        self.remove_unconfirmed_of(&record.key);
        if self.unconfirmed.len() >= limit {
            let oldest = self.unconfirmed.iter().min_by_key(|(id, record)| (record.created, **id)).map(|(id, _)| *id);
            oldest.map(|oldest| self.remove_unconfirmed(oldest));
        }
        self.by_key.entry(record.key.clone()).or_default().unconfirmed = Some(id);
        self.unconfirmed.insert(id, record);
    }

    /// Drops the unconfirmed record of an owner string, if there is one.
    pub(super) fn remove_unconfirmed_of(&mut self, key: &ClientKey) {
        if let Some(id) = self.by_key.get(key).and_then(|ids| ids.unconfirmed) {
            self.remove_unconfirmed(id);
        }
    }

    pub(super) fn remove_unconfirmed(&mut self, id: ClientId) -> Option<Unconfirmed> {
        let record = self.unconfirmed.remove(&id)?;
        if let Some(ids) = self.by_key.get_mut(&record.key) {
            ids.unconfirmed = None;
        }
        self.drop_unused_key(&record.key);
        Some(record)
    }

    /// Drops the unconfirmed records that nobody confirmed for a lease time (RFC 8881 §18.35.4).
    pub(super) fn drop_unconfirmed(&mut self, now: Moment, lease_ms: u64) {
        let old: Vec<ClientId> = self
            .unconfirmed
            .iter()
            .filter(|(_, record)| now.since(record.created) > lease_ms)
            .map(|(id, _)| *id)
            .collect();
        for id in old {
            self.remove_unconfirmed(id);
        }
    }

    /// Makes an unconfirmed record a client. The caller has removed the client that had the owner string before.
    pub(super) fn confirm(&mut self, id: ClientId, recorded: bool, now: Moment) {
        let Some(record) = self.remove_unconfirmed(id) else { return };
        self.by_key.entry(record.key.clone()).or_default().confirmed = Some(id);
        let client = Client {
            key: record.key,
            verifier: record.verifier,
            principal: record.principal,
            renewed: now,
            kind: record.kind,
            owners: BTreeSet::new(),
            opens: 0,
            lock_ranges: 0,
            last_state: 0,
            recorded,
            idle_since: now,
        };
        self.confirmed.insert(id, client);
    }

    fn remove(&mut self, id: ClientId) -> Option<Client> {
        let client = self.confirmed.remove(&id)?;
        if let Some(ids) = self.by_key.get_mut(&client.key) {
            ids.confirmed = None;
        }
        self.drop_unused_key(&client.key);
        Some(client)
    }

    fn remember_evicted(&mut self, id: ClientId) {
        if self.evicted.len() >= EVICTED_MAX {
            self.evicted.pop_front();
        }
        self.evicted.push_back(id);
    }

    fn drop_unused_key(&mut self, key: &ClientKey) {
        if self.by_key.get(key).is_some_and(|ids| ids.confirmed.is_none() && ids.unconfirmed.is_none()) {
            self.by_key.remove(key);
        }
    }
}

impl<P> State<P> {
    /// Whether the client has been silent for longer than the lease time.
    pub(super) fn is_expired(&self, id: ClientId, now: Moment) -> bool {
        self.clients.get(id).is_none_or(|client| now.since(client.renewed) > self.config.lease_ms)
    }

    /// Takes a client out with all it has, and its record with it.
    pub(super) fn remove_client(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(id) else { return };
        for owner in &client.owners {
            self.end_owner(*owner);
        }
        if let ClientKind::V41 { sessions, .. } = &client.kind {
            for session in sessions {
                self.drop_session(session);
            }
        }
        if client.recorded {
            self.forget(&client.key);
        }
    }

    /// Takes out a client whose lease ran out; from now on it is told so.
    pub(super) fn evict_client(&mut self, id: ClientId) {
        self.remove_client(id);
        self.clients.remember_evicted(id);
    }

    /// Makes sure that one more client may be confirmed; the one that has been silent longest past its lease makes room.
    pub(super) fn make_room_for_client(&mut self, now: Moment) -> bool {
        if self.clients.len() < self.config.limits.clients {
            return true;
        }
        let longest = self
            .clients
            .confirmed
            .iter()
            .filter(|(_, client)| now.since(client.renewed) > self.config.lease_ms)
            .min_by_key(|(id, client)| (client.renewed, **id))
            .map(|(id, _)| *id);
        longest.map(|id| self.evict_client(id)).is_some()
    }

    /// The client got its first open, or one more: stable storage must know it before the open is granted.
    pub(super) fn count_open(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.opens += 1;
        if !client.recorded {
            client.recorded = true;
            self.effects.push(Effect::Record(ClientRecord {
                family: client.key.family,
                owner: client.key.owner.clone(),
                principal: client.principal.clone(),
            }));
        }
    }

    /// The client has one open less.
    pub(super) fn uncount_open(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id) {
            client.opens = client.opens.saturating_sub(1);
            client.idle_since = client.renewed;
        }
    }

    /// Strikes the client off the stable records; it can no longer reclaim.
    pub(super) fn forget(&mut self, key: &ClientKey) {
        self.grace.lose(key);
        self.effects.push(Effect::Forget { family: key.family, owner: key.owner.clone() });
    }

    /// Strikes a client off that has had no open for a while. One that may still reclaim stays.
    pub(super) fn forget_if_idle(&mut self, id: ClientId, now: Moment) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let idle = client.opens == 0 && now.since(client.idle_since) >= RECORD_LINGER_MS;
        if client.recorded && idle && !self.grace.may_return(&client.key) {
            client.recorded = false;
            let key = client.key.clone();
            self.forget(&key);
        }
    }

    /// For a graceful stop: strikes off every client that has no open, so that the next start waits for nobody in vain.
    pub fn forget_idle(&mut self) {
        for id in self.clients.ids() {
            self.forget_if_idle(id, Moment(u64::MAX));
        }
    }

    /// A client of one family, as for requests that carry a client ID.
    pub(super) fn client_of(&mut self, family: Family, id: ClientId) -> Result<&mut Client, NfsStat4> {
        let client = self.clients.find(id)?;
        if client.key.family == family { Ok(client) } else { Err(NfsStat4::StaleClientid) }
    }
}
