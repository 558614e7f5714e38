//! Opens: OPEN, OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE (RFC 7530 §9.10, §9.11; RFC 8881 §9.7 to §9.10).

use nfs4_protocol::nfs4::{NfsStat4, Stateid4};

use super::State;
use super::identity::{Caller, ClientId, FileKey, OwnerNo, StateKey};
use super::moment::Moment;
use super::owner::OwnerKind;
use super::seqid::next_seqid;
use super::share::Share;

/// Whether an OPEN or a LOCK asks for new state or for what was held before a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// CLAIM_NULL, CLAIM_FH, and a LOCK without `reclaim`.
    New,
    /// CLAIM_PREVIOUS, and a LOCK with `reclaim`.
    Reclaim,
}

/// What an OPEN asks of the state machine.
#[derive(Debug, Clone, Copy)]
pub struct OpenRequest<'a> {
    /// The client: of the open-owner in 4.0, of the session in 4.1.
    pub client: ClientId,
    /// The name in the open-owner.
    pub owner: &'a [u8],
    /// The file, which exists by now.
    pub file: FileKey,
    /// `OPEN4_SHARE_ACCESS_*` without any wishes for delegations: 1 to 3.
    pub access: u32,
    /// `OPEN4_SHARE_DENY_*`: 0 to 3.
    pub deny: u32,
    /// New or reclaimed.
    pub claim: Claim,
}

/// A granted OPEN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The open stateid.
    pub stateid: Stateid4,
    /// Whether the result carries OPEN4_RESULT_CONFIRM (4.0 only).
    pub needs_confirm: bool,
}

/// A CLOSE that was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed<P> {
    /// The stateid to answer with; not to be used any more.
    pub stateid: Stateid4,
    /// What the open was given. To be dropped, or flushed first, outside the mutex.
    pub payload: P,
}

/// An open: one owner, one file.
#[derive(Debug)]
pub(super) struct OpenState<P> {
    pub(super) client: ClientId,
    pub(super) owner: OwnerNo,
    pub(super) file: FileKey,
    pub(super) seqid: u32,
    pub(super) share: Share,
    /// Reservation and seqid before the last OPEN that widened it.
    before: Option<(Share, u32)>,
    /// The lock states that came from this open.
    pub(super) locks: Vec<StateKey>,
    pub(super) payload: P,
}

impl<P> State<P> {
    /// Whether an OPEN may go on, to be asked before the file system is touched. Renews the lease of a 4.0 client.
    ///
    /// Errors: STALE_CLIENTID, EXPIRED; GRACE for new state while others may reclaim, or in 4.1 before the client's own
    /// RECLAIM_COMPLETE; NO_GRACE and RECLAIM_BAD for reclaims that are too late or by a client that held nothing.
    pub fn may_open(&mut self, client: ClientId, claim: Claim, now: Moment) -> Result<(), NfsStat4> {
        self.clients.find(client)?.renewed = now;
        self.check_claim(client, claim, now)
    }

    /// Whether the client may get new state, or reclaim.
    pub(super) fn check_claim(&mut self, client: ClientId, claim: Claim, now: Moment) -> Result<(), NfsStat4> {
        match claim {
            Claim::New => self.may_grant(client, now),
            Claim::Reclaim => self.may_reclaim(client, now),
        }
    }

    /// OPEN, once the file is there and before it is truncated. A second OPEN by the same owner widens the first one, and
    /// its payload takes the place of the first one's. The payload of a refused OPEN goes to [`State::take_freed`].
    ///
    /// Errors: those of [`State::may_open`], INVAL, SHARE_DENIED (RECLAIM_CONFLICT for a reclaim), RESOURCE or DELAY at a
    /// limit.
    pub fn open(&mut self, args: OpenRequest<'_>, payload: P, now: Moment) -> Result<Opened, NfsStat4> {
        match self.grant_open(args, now) {
            Ok((owner, share, existing)) => self.enter_open(args, owner, share, existing, payload),
            Err(status) => {
                self.freed.push(payload);
                Err(status)
            }
        }
    }

    /// All checks of an OPEN. Returns its owner, its reservation, and the open that it widens.
    fn grant_open(
        &mut self,
        args: OpenRequest<'_>,
        now: Moment,
    ) -> Result<(OwnerNo, Share, Option<StateKey>), NfsStat4> {
        let share = Share::new(args.access, args.deny)?;
        self.may_open(args.client, args.claim, now)?;
        // RFC 7530 §9.9: an open of the same owner is no exception.
        if !self.clear_share_conflicts(args.file, args.access, args.deny, None, now) {
            return Err(match args.claim {
                Claim::New => NfsStat4::ShareDenied,
                Claim::Reclaim => NfsStat4::ReclaimConflict,
            });
        }
        let limits = &self.config.limits;
        let client = self.clients.get(args.client).ok_or(NfsStat4::StaleClientid)?;
        let is_full = client.opens >= limits.opens_per_client || self.opens.len() >= limits.opens;
        let at_limit = client.at_limit();
        let owner = self.find_or_make_owner(args.client, OwnerKind::Open, args.owner, now)?;
        let existing = self.open_of(owner, args.file);
        if existing.is_none() && is_full {
            self.drop_owner_if_unused(owner);
            return Err(at_limit);
        }
        Ok((owner, share, existing))
    }

    /// The open that the owner has of the file.
    fn open_of(&self, owner: OwnerNo, file: FileKey) -> Option<StateKey> {
        let opens = &self.files.get(&file)?.opens;
        opens.iter().copied().find(|key| self.opens.get(key).is_some_and(|open| open.owner == owner))
    }

    /// Writes a granted OPEN down.
    fn enter_open(
        &mut self,
        args: OpenRequest<'_>,
        owner: OwnerNo,
        share: Share,
        existing: Option<StateKey>,
        payload: P,
    ) -> Result<Opened, NfsStat4> {
        let (key, seqid) = match existing.and_then(|key| self.opens.get_mut(&key).map(|open| (key, open))) {
            Some((key, open)) => {
                open.before = Some((open.share, open.seqid));
                open.seqid = next_seqid(open.seqid);
                open.share = open.share.union(share);
                self.freed.push(std::mem::replace(&mut open.payload, payload));
                (key, open.seqid)
            }
            None => {
                let key = self.new_state_key(args.client)?;
                let client = args.client;
                let (file, before, locks) = (args.file, None, Vec::new());
                let open = OpenState { client, owner, file, seqid: 1, share, before, locks, payload };
                self.opens.insert(key, open);
                self.files.entry(args.file).or_default().opens.push(key);
                self.count_open(client);
                (key, 1)
            }
        };
        let mut needs_confirm = false;
        if let Some(owner) = self.owners.get_mut(owner) {
            owner.states.insert(key);
            // RFC 7530 §9.1.11: reclaims must not ask for a confirmation.
            owner.confirmed |= args.claim == Claim::Reclaim;
            needs_confirm = !owner.confirmed;
        }
        Ok(Opened { stateid: self.stateid(key, seqid), needs_confirm })
    }

    /// OPEN_CONFIRM of 4.0 (RFC 7530 §16.18). Errors: those of stateids; BAD_STATEID if the owner is confirmed already.
    pub fn open_confirm(&mut self, stateid: &Stateid4, file: FileKey, now: Moment) -> Result<Stateid4, NfsStat4> {
        let key = self.find_open(Caller::V40, stateid, file, now)?;
        let open = self.opens.get(&key).ok_or(NfsStat4::BadStateid)?;
        let owner = self.owners.get_mut(open.owner).ok_or(NfsStat4::BadStateid)?;
        if std::mem::replace(&mut owner.confirmed, true) {
            return Err(NfsStat4::BadStateid);
        }
        self.bump_open(key)
    }

    /// OPEN_DOWNGRADE (RFC 7530 §16.19, RFC 8881 §18.18). Errors: those of stateids; INVAL unless access and deny are the
    /// union of those of some of the OPENs.
    pub fn open_downgrade(
        &mut self,
        caller: Caller,
        stateid: &Stateid4,
        file: FileKey,
        access: u32,
        deny: u32,
        now: Moment,
    ) -> Result<Stateid4, NfsStat4> {
        let key = self.find_confirmed_open(caller, stateid, file, now)?;
        let target = Share::new(access, deny)?;
        let open = self.opens.get_mut(&key).ok_or(NfsStat4::BadStateid)?;
        open.share = open.share.downgrade(target)?;
        self.bump_open(key)
    }

    /// CLOSE (RFC 7530 §16.2, RFC 8881 §18.2). Byte ranges that are still locked through this open are unlocked, as
    /// Linux's server does: a client that failed to unlock before has no other way to get rid of them.
    ///
    /// Errors: those of stateids.
    pub fn close(
        &mut self,
        caller: Caller,
        stateid: &Stateid4,
        file: FileKey,
        now: Moment,
    ) -> Result<Closed<P>, NfsStat4> {
        let key = self.find_confirmed_open(caller, stateid, file, now)?;
        let open = self.opens.get(&key).ok_or(NfsStat4::BadStateid)?;
        let (owner, seqid) = (open.owner, next_seqid(open.seqid));
        let payload = self.remove_open(key).ok_or(NfsStat4::BadStateid)?;
        let stateid = match caller {
            Caller::V40 => {
                self.owners.set_closed(owner, Some(key));
                self.stateid(key, seqid)
            }
            // RFC 8881 §18.2.4 advises it, so that nobody takes the stateid for a good one.
            Caller::V41(_) => Stateid4::INVALID,
        };
        Ok(Closed { stateid, payload })
    }

    /// Takes back an OPEN that could not be finished: its truncation failed. An open that it widened is again what it was,
    /// so that the stateid its client knows is the current one; a new one ends, and its payload goes to
    /// [`State::take_freed`]. Where more was done to the open since, that stands.
    pub fn cancel_open(&mut self, opened: Opened) {
        let Ok(key) = self.parse_stateid(Caller::V40, &opened.stateid) else { return };
        let Some(open) = self.opens.get_mut(&key).filter(|open| open.seqid == opened.stateid.seqid) else { return };
        match open.before.take() {
            Some((share, seqid)) => (open.share, open.seqid) = (share, seqid),
            None => {
                let payload = self.remove_open(key);
                self.freed.extend(payload);
            }
        }
    }

    /// The open of a stateid whose owner is confirmed (RFC 7530 §16.18.5).
    pub(super) fn find_confirmed_open(
        &mut self,
        caller: Caller,
        stateid: &Stateid4,
        file: FileKey,
        now: Moment,
    ) -> Result<StateKey, NfsStat4> {
        let key = self.find_open(caller, stateid, file, now)?;
        let open = self.opens.get(&key).ok_or(NfsStat4::BadStateid)?;
        if self.is_confirmed(open) { Ok(key) } else { Err(NfsStat4::BadStateid) }
    }

    fn bump_open(&mut self, key: StateKey) -> Result<Stateid4, NfsStat4> {
        let open = self.opens.get_mut(&key).ok_or(NfsStat4::BadStateid)?;
        open.seqid = next_seqid(open.seqid);
        let seqid = open.seqid;
        Ok(self.stateid(key, seqid))
    }

    /// Takes an open out, with the locks that came from it.
    pub(super) fn remove_open(&mut self, key: StateKey) -> Option<P> {
        let open = self.opens.remove(&key)?;
        for lock in open.locks {
            self.remove_lock_state(lock);
        }
        self.detach_open(open.file, key);
        if let Some(owner) = self.owners.get_mut(open.owner) {
            owner.states.remove(&key);
        }
        self.drop_owner_if_unused(open.owner);
        self.uncount_open(open.client);
        Some(open.payload)
    }
}
