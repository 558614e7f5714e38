//! The grace period: after a restart, those who held state may reclaim it before anybody else gets any
//! (RFC 7530 §9.6.2, RFC 8881 §8.4.2).

use std::collections::HashMap;

use nfs4_protocol::nfs4::NfsStat4;

use super::State;
use super::client::{Client, ClientKind};
use super::identity::{ClientId, ClientKey, ClientRecord, Effect, Family, Principal};
use super::moment::Moment;

/// Who may still reclaim, and until when.
#[derive(Debug)]
pub(super) struct Grace {
    until: Moment,
    /// The clients that held state before the restart and have not said that they are done.
    waiting: HashMap<ClientKey, Principal>,
}

impl Grace {
    pub(super) fn new(records: Vec<ClientRecord>, until: Moment) -> Self {
        let waiting = records
            .into_iter()
            .map(|record| (ClientKey { family: record.family, owner: record.owner }, record.principal))
            .collect();
        Self { until, waiting }
    }

    fn is_active(&self, now: Moment) -> bool {
        now < self.until && !self.waiting.is_empty()
    }

    /// Whether the client held state before the restart and was recorded by the same principal.
    fn expects(&self, client: &Client) -> bool {
        self.waiting.get(&client.key) == Some(&client.principal)
    }

    /// Whether a client of that name may still reclaim.
    pub(super) fn may_return(&self, key: &ClientKey) -> bool {
        self.waiting.contains_key(key)
    }

    /// The client has nothing to reclaim any more.
    pub(super) fn lose(&mut self, key: &ClientKey) {
        self.waiting.remove(key);
    }
}

impl<P> State<P> {
    /// Whether clients may reclaim and nobody may get new state.
    pub fn is_in_grace(&self, now: Moment) -> bool {
        self.grace.is_active(now)
    }

    /// Ends the grace period when its time is over: who did not come back loses the right to reclaim, also after
    /// another restart (RFC 7530 §9.6.3.4.2).
    pub(super) fn settle_grace(&mut self, now: Moment) {
        if self.grace.is_active(now) {
            return;
        }
        for (key, _) in std::mem::take(&mut self.grace.waiting) {
            let client = self.clients.confirmed_of(&key).and_then(|id| self.clients.get_mut(id));
            match client {
                Some(client) if client.opens > 0 => {}
                other => {
                    other.into_iter().for_each(|client| client.recorded = false);
                    self.effects.push(Effect::Forget { family: key.family, owner: key.owner });
                }
            }
        }
    }

    /// Whether new state may be granted now (RFC 7530 §9.6.2; RFC 8881 §18.51.3).
    pub(super) fn may_grant(&mut self, id: ClientId, now: Moment) -> Result<(), NfsStat4> {
        self.settle_grace(now);
        if self.grace.is_active(now) || self.clients.get(id).is_some_and(Client::owes_reclaim_complete) {
            return Err(NfsStat4::Grace);
        }
        Ok(())
    }

    /// Whether the client may reclaim state now (RFC 8881 §8.4.2.1, §15.1.9).
    pub(super) fn may_reclaim(&mut self, id: ClientId, now: Moment) -> Result<(), NfsStat4> {
        self.settle_grace(now);
        let client = self.clients.find(id)?;
        let is_over = client.key.family == Family::V41 && !client.owes_reclaim_complete();
        if !self.grace.is_active(now) || is_over {
            return Err(NfsStat4::NoGrace);
        }
        if self.grace.expects(client) { Ok(()) } else { Err(NfsStat4::ReclaimBad) }
    }

    /// RECLAIM_COMPLETE (RFC 8881 §18.51). `one_fs` is about migrated file systems, of which there are none: it is
    /// ignored, as §18.51.3 asks and VMware ESXi needs. Errors: COMPLETE_ALREADY, STALE_CLIENTID.
    pub fn reclaim_complete(&mut self, client: ClientId, one_fs: bool, now: Moment) -> Result<(), NfsStat4> {
        if one_fs {
            return Ok(());
        }
        let found = self.client_of(Family::V41, client)?;
        let ClientKind::V41 { reclaim_complete, .. } = &mut found.kind else { return Err(NfsStat4::StaleClientid) };
        if std::mem::replace(reclaim_complete, true) {
            return Err(NfsStat4::CompleteAlready);
        }
        let key = found.key.clone();
        let is_done = found.opens == 0 && std::mem::take(&mut found.recorded);
        if is_done {
            // What was not reclaimed by now is lost for good, also after another restart.
            self.forget(&key);
        }
        self.grace.lose(&key);
        self.settle_grace(now);
        Ok(())
    }

    /// Whether stable storage knows a client of this name from before the restart, so that it is no news to it.
    pub(super) fn grace_expects(&self, key: &ClientKey) -> bool {
        self.grace.may_return(key)
    }
}
