//! Clients of NFSv4.0: SETCLIENTID, SETCLIENTID_CONFIRM, RENEW (RFC 7530 §9.1.1, §16.28, §16.33, §16.34).

use nfs4_protocol::nfs4::{NfsStat4, Verifier4};

use super::State;
use super::client::{ClientKind, Unconfirmed};
use super::identity::{Callback40, ClientId, ClientKey, Family, Principal};
use super::moment::Moment;

/// What SETCLIENTID says.
#[derive(Debug, Clone)]
pub struct SetClientId<'a> {
    /// Changes when the client restarts.
    pub verifier: Verifier4,
    /// The client's own name for itself (`nfs_client_id4.id`).
    pub owner: &'a [u8],
    /// Where the client listens for callbacks.
    pub callback: Callback40,
    /// Who asks.
    pub principal: &'a Principal,
}

/// What SETCLIENTID answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetClientIdOk {
    /// The client's shorthand name.
    pub clientid: ClientId,
    /// What SETCLIENTID_CONFIRM must bring.
    pub confirm: Verifier4,
}

/// Why SETCLIENTID failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetClientIdError {
    /// CLID_INUSE, with the callback address of the client that uses the name (`client_using`).
    InUse {
        /// The transport.
        netid: String,
        /// The universal address.
        addr: String,
    },
    /// Any other status.
    Status(NfsStat4),
}

impl<P> State<P> {
    /// SETCLIENTID: the cases of RFC 7530 §16.33.5. Error: CLID_INUSE when another principal's client of this name has
    /// opens and its lease has not run out; without opens the name is free for anybody.
    pub fn setclientid(&mut self, args: SetClientId<'_>, now: Moment) -> Result<SetClientIdOk, SetClientIdError> {
        let key = ClientKey { family: Family::V40, owner: args.owner.to_vec() };
        let mut clientid = None;
        if let Some(id) = self.clients.confirmed_of(&key)
            && let Some(client) = self.clients.get(id)
        {
            if client.principal != *args.principal {
                if let ClientKind::V40 { callback, .. } = &client.kind
                    && client.is_in_use()
                    && !self.is_expired(id, now)
                {
                    let Callback40 { netid, addr, .. } = callback.clone();
                    return Err(SetClientIdError::InUse { netid, addr });
                }
                self.remove_client(id);
            } else if client.verifier == args.verifier {
                // The same instance of the client: an update of its callback, under the same client ID.
                clientid = Some(id);
            }
        }
        let clientid = clientid.unwrap_or_else(|| self.clients.new_id());
        let confirm = self.new_confirm_verifier(clientid);
        let record = Unconfirmed {
            key,
            verifier: args.verifier,
            principal: args.principal.clone(),
            created: now,
            kind: ClientKind::V40 { confirm, callback: args.callback },
        };
        self.clients.insert_unconfirmed(clientid, record, self.config.limits.unconfirmed_clients);
        Ok(SetClientIdOk { clientid, confirm })
    }

    /// A verifier that was never given out; a client number that nobody else gets makes it so.
    fn new_confirm_verifier(&mut self, clientid: ClientId) -> Verifier4 {
        Verifier4(self.config.keyed((clientid, self.clients.new_id())))
    }

    /// SETCLIENTID_CONFIRM: the cases of RFC 7530 §16.34.5. Errors: STALE_CLIENTID, CLID_INUSE, RESOURCE at the limit.
    pub fn setclientid_confirm(
        &mut self,
        clientid: ClientId,
        confirm: Verifier4,
        principal: &Principal,
        now: Moment,
    ) -> Result<(), NfsStat4> {
        let is_confirmed = self.clients.get(clientid).is_some();
        match self.clients.unconfirmed(clientid) {
            Some(record) if confirm_verifier(&record.kind) == Some(confirm) => {
                if record.principal != *principal {
                    return Err(NfsStat4::ClidInuse);
                }
                if is_confirmed {
                    self.update_callback(clientid);
                    Ok(())
                } else {
                    self.confirm_v40(clientid, now)
                }
            }
            // The same confirmation again.
            _ => {
                match self.clients.get(clientid) {
                    Some(client) if confirm_verifier(&client.kind) == Some(confirm) => {
                        if client.principal == *principal { Ok(()) } else { Err(NfsStat4::ClidInuse) }
                    }
                    _ => Err(NfsStat4::StaleClientid),
                }
            }
        }
    }

    /// A confirmed client takes over the callback of its unconfirmed record; its state stays.
    fn update_callback(&mut self, clientid: ClientId) {
        let record = self.clients.remove_unconfirmed(clientid);
        if let Some((record, client)) = record.zip(self.clients.get_mut(clientid)) {
            client.kind = record.kind;
        }
    }

    /// A new client ID is confirmed; the instance of the client before it loses its state.
    fn confirm_v40(&mut self, clientid: ClientId, now: Moment) -> Result<(), NfsStat4> {
        let Some(key) = self.clients.unconfirmed(clientid).map(|record| record.key.clone()) else {
            return Err(NfsStat4::StaleClientid);
        };
        match self.clients.confirmed_of(&key) {
            Some(before) => self.remove_client(before),
            None if self.make_room_for_client(now) => {}
            None => return Err(NfsStat4::Resource),
        }
        let recorded = self.grace_expects(&key);
        self.clients.confirm(clientid, recorded, now);
        Ok(())
    }

    /// RENEW (RFC 7530 §16.28). A client whose lease ran out, but whose state nobody wanted, has it back.
    /// Errors: STALE_CLIENTID; EXPIRED when its state is gone.
    pub fn renew(&mut self, clientid: ClientId, now: Moment) -> Result<(), NfsStat4> {
        self.client_of(Family::V40, clientid)?.renewed = now;
        Ok(())
    }
}

fn confirm_verifier(kind: &ClientKind) -> Option<Verifier4> {
    match kind {
        ClientKind::V40 { confirm, .. } => Some(*confirm),
        ClientKind::V41 { .. } => None,
    }
}
