//! Clients of NFSv4.1 and later: EXCHANGE_ID, DESTROY_CLIENTID (RFC 8881 §18.35, §18.50).

use nfs4_protocol::nfs4::{NfsStat4, Verifier4};

use super::State;
use super::client::{Client, ClientKind, Unconfirmed};
use super::identity::{ClientId, ClientKey, Family, Principal};
use super::moment::Moment;
use super::session::CreationSlot;

/// What EXCHANGE_ID says, as far as clients are concerned.
#[derive(Debug, Clone, Copy)]
pub struct ExchangeId<'a> {
    /// Changes when the client restarts.
    pub verifier: Verifier4,
    /// The client's own name for itself (`co_ownerid`).
    pub owner: &'a [u8],
    /// Whether EXCHGID4_FLAG_UPD_CONFIRMED_REC_A is set.
    pub update: bool,
    /// Who asks.
    pub principal: &'a Principal,
}

/// What EXCHANGE_ID answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeIdOk {
    /// The client's shorthand name.
    pub clientid: ClientId,
    /// The sequence of the next CREATE_SESSION.
    pub sequence: u32,
    /// Whether EXCHGID4_FLAG_CONFIRMED_R is set in the answer.
    pub confirmed: bool,
}

impl<P> State<P> {
    /// EXCHANGE_ID: the nine cases of RFC 8881 §18.35.4, named by their numbers. Errors: CLID_INUSE, NOENT, NOT_SAME, PERM.
    pub fn exchange_id(&mut self, args: ExchangeId<'_>, now: Moment) -> Result<ExchangeIdOk, NfsStat4> {
        let key = ClientKey { family: Family::V41, owner: args.owner.to_vec() };
        let confirmed = self.clients.confirmed_of(&key).and_then(|id| self.clients.get(id).map(|client| (id, client)));
        let Some((id, client)) = confirmed else {
            // Cases 7, 1 and 4.
            return if args.update { Err(NfsStat4::Noent) } else { Ok(self.new_client41(key, args, now)) };
        };
        let same_verifier = client.verifier == args.verifier;
        let same_principal = client.principal == *args.principal;
        let sequence = next_creation(client);
        let unchanged = Ok(ExchangeIdOk { clientid: id, sequence, confirmed: true });
        match (args.update, same_verifier, same_principal) {
            // Case 8.
            (true, false, _) => Err(NfsStat4::NotSame),
            // Case 9.
            (true, true, false) => Err(NfsStat4::Perm),
            // Case 6.
            (true, true, true) => unchanged,
            // Case 2; a restart that was announced in between did not happen.
            (false, true, true) => {
                self.clients.remove_unconfirmed_of(&key);
                unchanged
            }
            // Case 5: the old state stays until CREATE_SESSION confirms the new client ID.
            (false, false, true) => Ok(self.new_client41(key, args, now)),
            // Case 3.
            (false, _, false) if client.is_in_use() && !self.is_expired(id, now) => Err(NfsStat4::ClidInuse),
            (false, _, false) => {
                self.remove_client(id);
                Ok(self.new_client41(key, args, now))
            }
        }
    }

    /// A new unconfirmed record, in place of another one of the same owner.
    fn new_client41(&mut self, key: ClientKey, args: ExchangeId<'_>, now: Moment) -> ExchangeIdOk {
        let clientid = self.clients.new_id();
        let creation = CreationSlot::default();
        let sequence = creation.next();
        let kind = ClientKind::V41 { sessions: Vec::new(), creation, reclaim_complete: false };
        let record =
            Unconfirmed { key, verifier: args.verifier, principal: args.principal.clone(), created: now, kind };
        self.clients.insert_unconfirmed(clientid, record, self.config.limits.unconfirmed_clients);
        ExchangeIdOk { clientid, sequence, confirmed: false }
    }

    /// DESTROY_CLIENTID. Errors: CLIENTID_BUSY while the client has sessions or opens and its lease has not run out,
    /// STALE_CLIENTID.
    pub fn destroy_clientid(&mut self, clientid: ClientId, now: Moment) -> Result<(), NfsStat4> {
        let is_unconfirmed = self.clients.unconfirmed(clientid).is_some_and(|record| record.key.family == Family::V41);
        if is_unconfirmed {
            self.clients.remove_unconfirmed(clientid);
            return Ok(());
        }
        let client = self.clients.get(clientid).filter(|client| client.key.family == Family::V41);
        let client = client.ok_or(NfsStat4::StaleClientid)?;
        if client.is_in_use() && !self.is_expired(clientid, now) {
            return Err(NfsStat4::ClientidBusy);
        }
        self.remove_client(clientid);
        Ok(())
    }
}

/// The sequence that the client's next CREATE_SESSION must have.
fn next_creation(client: &Client) -> u32 {
    match &client.kind {
        ClientKind::V41 { creation, .. } => creation.next(),
        ClientKind::V40 { .. } => 0,
    }
}
