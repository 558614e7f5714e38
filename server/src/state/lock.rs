//! Byte-range locks: LOCK, LOCKT, LOCKU, RELEASE_LOCKOWNER (RFC 7530 §9, §16.10 to §16.12; RFC 8881 §9, §18.10 to
//! §18.12). They are advisory: they bind other locks, not reads and writes.

use bytes::Bytes;
use nfs4_protocol::nfs4::{NfsStat4, OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_ACCESS_WRITE, Stateid4};

use super::State;
use super::identity::{Caller, ClientId, Family, FileKey, OwnerNo, StateKey};
use super::lock_ranges::{ByteRange, HeldRange};
use super::lock_waiters::Asker;
use super::moment::Moment;
use super::open::Claim;
use super::owner::OwnerKind;
use super::seqid::{advances_seqid, next_seqid};

/// Whether a lock is shared or exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// READ_LT, READW_LT.
    Read,
    /// WRITE_LT, WRITEW_LT.
    Write,
}

/// Who locks (`locker4`).
#[derive(Debug, Clone, Copy)]
pub enum Locker<'a> {
    /// A lock-owner that locks this file for the first time, through an open.
    New {
        /// The open.
        open_stateid: &'a Stateid4,
        /// The client ID in the lock-owner (4.0), or the client of the session (4.1).
        clientid: ClientId,
        /// The name in the lock-owner.
        owner: &'a [u8],
        /// The first seqid of the lock-owner (4.0; ignored in 4.1).
        lock_seqid: u32,
    },
    /// A lock-owner that has a stateid.
    Existing {
        /// The stateid.
        lock_stateid: &'a Stateid4,
    },
}

/// What a LOCK asks.
#[derive(Debug, Clone, Copy)]
pub struct LockRequest<'a> {
    /// The file.
    pub file: FileKey,
    /// The first byte.
    pub offset: u64,
    /// How many bytes; all ones for all that follow.
    pub length: u64,
    /// Shared or exclusive.
    pub kind: LockKind,
    /// READW_LT, WRITEW_LT: the client will poll.
    pub blocking: bool,
    /// The lock was held before the server's restart.
    pub reclaim: bool,
    /// Who locks.
    pub locker: Locker<'a>,
}

/// What a LOCKT asks.
#[derive(Debug, Clone, Copy)]
pub struct LockTest<'a> {
    /// The client ID in the lock-owner (4.0), or the client of the session (4.1).
    pub client: ClientId,
    /// The name in the lock-owner.
    pub owner: &'a [u8],
    /// The file.
    pub file: FileKey,
    /// The first byte.
    pub offset: u64,
    /// How many bytes; all ones for all that follow.
    pub length: u64,
    /// Shared or exclusive.
    pub kind: LockKind,
}

/// The lock that is in the way (`LOCK4denied`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Its first byte.
    pub offset: u64,
    /// Its length; all ones for all that follow.
    pub length: u64,
    /// Its kind.
    pub kind: LockKind,
    /// The client that holds it.
    pub clientid: ClientId,
    /// The name of the lock-owner that holds it.
    pub owner: Bytes,
}

/// Why a lock was not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockRefusal {
    /// DENIED: another lock-owner holds some of the bytes, or has waited for them longer.
    Denied(Denied),
    /// Any other status.
    Status(NfsStat4),
}

impl From<NfsStat4> for LockRefusal {
    fn from(status: NfsStat4) -> Self {
        Self::Status(status)
    }
}

impl LockRefusal {
    fn status(&self) -> NfsStat4 {
        match self {
            Self::Denied(_) => NfsStat4::Denied,
            Self::Status(status) => *status,
        }
    }
}

/// The locks of one lock-owner on one file.
#[derive(Debug)]
pub(super) struct LockState {
    pub(super) client: ClientId,
    pub(super) owner: OwnerNo,
    pub(super) file: FileKey,
    /// The open through which the owner locked first; the locks end with it.
    pub(super) open: StateKey,
    pub(super) seqid: u32,
}

/// A lock request whose stateid and owner were found good.
struct Found {
    asker: Asker,
    /// The lock-owner, if the server knows it.
    owner: Option<OwnerNo>,
    /// Its state on this file, if it has one.
    state: Option<StateKey>,
}

/// The place in a lock-owner's sequence that a LOCK by a new lock-owner of 4.0 takes.
struct LockSequence<'a> {
    clientid: ClientId,
    owner: &'a [u8],
    seqid: u32,
}

impl<P> State<P> {
    /// LOCK. Errors besides DENIED: those of stateids and of reclaims, BAD_SEQID, INVAL, OPENMODE, GRACE, RESOURCE or
    /// DELAY at a limit.
    pub fn lock(&mut self, caller: Caller, args: LockRequest<'_>, now: Moment) -> Result<Stateid4, LockRefusal> {
        let sequence = self.check_lock_seqid(caller, &args.locker)?;
        let result = self.try_lock(caller, &args, now);
        let status = result.as_ref().map_or_else(LockRefusal::status, |_| NfsStat4::Ok);
        if let Some(LockSequence { clientid, owner, seqid }) = sequence
            && advances_seqid(status)
            && let Some(number) = self.owners.find(clientid, OwnerKind::Lock, owner)
            && let Some(owner) = self.owners.get_mut(number)
        {
            owner.seqid.advance(seqid);
        }
        result
    }

    /// The lock-owner and seqid that a LOCK by a new lock-owner of 4.0 brings. A lock-owner that is known already, from
    /// another file, must be in sequence: BAD_SEQID (RFC 7530 §16.10.5).
    fn check_lock_seqid<'a>(&self, caller: Caller, locker: &Locker<'a>) -> Result<Option<LockSequence<'a>>, NfsStat4> {
        let Locker::New { clientid, owner, lock_seqid, .. } = *locker else { return Ok(None) };
        if caller != Caller::V40 {
            return Ok(None);
        }
        let known = self.owners.find(clientid, OwnerKind::Lock, owner).and_then(|number| self.owners.get(number));
        match known {
            Some(known) if known.seqid.is_busy() || !known.seqid.is_next(lock_seqid) => Err(NfsStat4::BadSeqid),
            _ => Ok(Some(LockSequence { clientid, owner, seqid: lock_seqid })),
        }
    }

    fn try_lock(&mut self, caller: Caller, args: &LockRequest<'_>, now: Moment) -> Result<Stateid4, LockRefusal> {
        let range = ByteRange::new(args.offset, args.length)?;
        let found = self.find_locker(caller, args, now)?;
        let claim = if args.reclaim { Claim::Reclaim } else { Claim::New };
        self.check_claim(found.asker.client, claim, now)?;
        self.check_lock_mode(found.asker.open, args.kind)?;
        if let Some(denied) = self.lock_conflict(args.file, found.owner, range, args.kind, now) {
            if args.reclaim {
                return Err(NfsStat4::ReclaimConflict.into());
            }
            self.queue_or_leave(args, found.asker, range, now);
            return Err(LockRefusal::Denied(denied));
        }
        if args.blocking
            && let Some(denied) = self.earlier_waiter(args, &found.asker, range, now)
        {
            self.queue_or_leave(args, found.asker, range, now);
            return Err(LockRefusal::Denied(denied));
        }
        Ok(self.grant_lock(args, &found, range, now)?)
    }

    /// Finds the open, the lock-owner and its state that a LOCK is about.
    fn find_locker(&mut self, caller: Caller, args: &LockRequest<'_>, now: Moment) -> Result<Found, NfsStat4> {
        match args.locker {
            Locker::Existing { lock_stateid } => {
                let key = self.find_lock_state(caller, lock_stateid, args.file, now)?;
                let lock = self.locks.get(&key).ok_or(NfsStat4::BadStateid)?;
                let owner = self.owners.get(lock.owner).ok_or(NfsStat4::BadStateid)?.name.clone();
                let asker = Asker { client: lock.client, owner, open: lock.open };
                Ok(Found { asker, owner: Some(lock.owner), state: Some(key) })
            }
            Locker::New { open_stateid, clientid, owner, .. } => {
                let open = self.find_confirmed_open(caller, open_stateid, args.file, now)?;
                self.clients.find(clientid)?;
                if self.opens.get(&open).is_none_or(|open| open.client != clientid) {
                    return Err(NfsStat4::BadStateid);
                }
                let number = self.owners.find(clientid, OwnerKind::Lock, owner);
                let state = number.and_then(|number| self.lock_state_of(number, args.file));
                // RFC 7530 §16.10.5; RFC 8881 §18.10.3 allows it to a client that lost the stateid.
                if state.is_some() && caller == Caller::V40 {
                    return Err(NfsStat4::BadSeqid);
                }
                let asker = Asker { client: clientid, owner: Bytes::copy_from_slice(owner), open };
                Ok(Found { asker, owner: number, state })
            }
        }
    }

    fn lock_state_of(&self, owner: OwnerNo, file: FileKey) -> Option<StateKey> {
        let states = &self.owners.get(owner)?.states;
        states.iter().copied().find(|key| self.locks.get(key).is_some_and(|lock| lock.file == file))
    }

    /// OPENMODE unless the file is open for what the lock guards.
    fn check_lock_mode(&self, open: StateKey, kind: LockKind) -> Result<(), NfsStat4> {
        let needed = match kind {
            LockKind::Read => OPEN4_SHARE_ACCESS_READ,
            LockKind::Write => OPEN4_SHARE_ACCESS_WRITE,
        };
        let open = self.opens.get(&open).ok_or(NfsStat4::BadStateid)?;
        if open.share.access() & needed != 0 { Ok(()) } else { Err(NfsStat4::Openmode) }
    }

    /// The lock of another owner that is in the way. Clients whose lease ran out lose their state to the conflict.
    fn lock_conflict(
        &mut self,
        file: FileKey,
        owner: Option<OwnerNo>,
        range: ByteRange,
        kind: LockKind,
        now: Moment,
    ) -> Option<Denied> {
        loop {
            let HeldRange { owner: holder, range, kind } =
                self.files.get(&file)?.ranges.conflict(owner, range, kind)?;
            let holder = self.owners.get(holder)?;
            if !self.is_expired(holder.client, now) {
                let owner = holder.name.clone();
                return Some(Denied {
                    offset: range.first,
                    length: range.length(),
                    kind,
                    clientid: holder.client,
                    owner,
                });
            }
            let client = holder.client;
            self.evict_client(client);
        }
    }

    /// An earlier blocking request for the same bytes, as if it held them already.
    fn earlier_waiter(
        &mut self,
        args: &LockRequest<'_>,
        asker: &Asker,
        range: ByteRange,
        now: Moment,
    ) -> Option<Denied> {
        let waiter = self.files.get_mut(&args.file)?.waiters.ahead_of(asker, range, args.kind, now)?;
        Some(Denied {
            offset: waiter.range.first,
            length: waiter.range.length(),
            kind: waiter.kind,
            clientid: waiter.asker.client,
            owner: waiter.asker.owner.clone(),
        })
    }

    /// A denied request that will be polled joins the queue; one that does not block ends an earlier wait (RFC 7530 §9.4).
    fn queue_or_leave(&mut self, args: &LockRequest<'_>, asker: Asker, range: ByteRange, now: Moment) {
        let limit = self.config.limits.waiters_per_file;
        let Some(file) = self.files.get_mut(&args.file) else { return };
        if args.blocking {
            file.waiters.enter(asker, range, args.kind, now, limit);
        } else {
            file.waiters.leave(&asker, range);
        }
    }

    /// Writes a lock down that nothing is in the way of.
    fn grant_lock(
        &mut self,
        args: &LockRequest<'_>,
        found: &Found,
        range: ByteRange,
        now: Moment,
    ) -> Result<Stateid4, NfsStat4> {
        let limits = &self.config.limits;
        let client = self.clients.get(found.asker.client).ok_or(NfsStat4::StaleClientid)?;
        let states = self.opens.get(&found.asker.open).ok_or(NfsStat4::BadStateid)?.locks.len();
        let is_full = client.lock_ranges >= limits.lock_ranges_per_client
            || (found.state.is_none() && states >= limits.lock_states_per_open);
        if is_full {
            return Err(client.at_limit());
        }
        let key = match found.state {
            Some(key) => key,
            None => self.new_lock_state(args.file, found, now)?,
        };
        let lock = self.locks.get_mut(&key).ok_or(NfsStat4::BadStateid)?;
        lock.seqid = next_seqid(lock.seqid);
        let (owner, seqid) = (lock.owner, lock.seqid);
        let file = self.files.entry(args.file).or_default();
        file.waiters.leave(&found.asker, range);
        let change = file.ranges.lock(owner, range, args.kind);
        self.count_ranges(found.asker.client, change);
        Ok(self.stateid(key, seqid))
    }

    fn new_lock_state(&mut self, file: FileKey, found: &Found, now: Moment) -> Result<StateKey, NfsStat4> {
        let client = found.asker.client;
        let owner = self.find_or_make_owner(client, OwnerKind::Lock, &found.asker.owner, now)?;
        let key = self.new_state_key(client)?;
        self.locks.insert(key, LockState { client, owner, file, open: found.asker.open, seqid: 0 });
        if let Some(owner) = self.owners.get_mut(owner) {
            owner.states.insert(key);
        }
        if let Some(open) = self.opens.get_mut(&found.asker.open) {
            open.locks.push(key);
        }
        Ok(key)
    }

    /// LOCKT. Errors besides DENIED: STALE_CLIENTID, EXPIRED, INVAL, GRACE.
    pub fn lockt(&mut self, args: LockTest<'_>, now: Moment) -> Result<(), LockRefusal> {
        let range = ByteRange::new(args.offset, args.length)?;
        self.clients.find(args.client)?.renewed = now;
        self.settle_grace(now);
        if self.is_in_grace(now) {
            return Err(NfsStat4::Grace.into());
        }
        let owner = self.owners.find(args.client, OwnerKind::Lock, args.owner);
        match self.lock_conflict(args.file, owner, range, args.kind, now) {
            Some(denied) => Err(LockRefusal::Denied(denied)),
            None => Ok(()),
        }
    }

    /// LOCKU. Unlocking what is not locked is no error. Errors: those of stateids, INVAL.
    pub fn locku(
        &mut self,
        caller: Caller,
        lock_stateid: &Stateid4,
        file: FileKey,
        offset: u64,
        length: u64,
        now: Moment,
    ) -> Result<Stateid4, NfsStat4> {
        let range = ByteRange::new(offset, length)?;
        let key = self.find_lock_state(caller, lock_stateid, file, now)?;
        let lock = self.locks.get_mut(&key).ok_or(NfsStat4::BadStateid)?;
        lock.seqid = next_seqid(lock.seqid);
        let (client, owner, open, seqid) = (lock.client, lock.owner, lock.open, lock.seqid);
        let name = self.owners.get(owner).ok_or(NfsStat4::BadStateid)?.name.clone();
        if let Some(state) = self.files.get_mut(&file) {
            state.waiters.leave(&Asker { client, owner: name, open }, range);
            let change = state.ranges.unlock(owner, range);
            self.count_ranges(client, change);
        }
        Ok(self.stateid(key, seqid))
    }

    /// RELEASE_LOCKOWNER of 4.0 (RFC 7530 §16.37). An unknown lock-owner is released already. Errors: STALE_CLIENTID,
    /// EXPIRED; LOCKS_HELD while the owner holds any range.
    pub fn release_lockowner(&mut self, clientid: ClientId, owner: &[u8], now: Moment) -> Result<(), NfsStat4> {
        self.client_of(Family::V40, clientid)?.renewed = now;
        let Some(number) = self.owners.find(clientid, OwnerKind::Lock, owner) else { return Ok(()) };
        let holds_any = self.owners.get(number).is_some_and(|owner| {
            owner
                .states
                .iter()
                .filter_map(|key| self.locks.get(key))
                .any(|lock| self.files.get(&lock.file).is_some_and(|file| file.ranges.holds_any(number)))
        });
        if holds_any {
            return Err(NfsStat4::LocksHeld);
        }
        self.end_owner(number);
        Ok(())
    }

    /// Takes a lock state out, with its ranges.
    pub(super) fn remove_lock_state(&mut self, key: StateKey) {
        let Some(lock) = self.locks.remove(&key) else { return };
        if let Some(file) = self.files.get_mut(&lock.file) {
            let change = file.ranges.unlock_all(lock.owner);
            self.count_ranges(lock.client, change);
        }
        if let Some(open) = self.opens.get_mut(&lock.open) {
            open.locks.retain(|lock| *lock != key);
        }
        if let Some(owner) = self.owners.get_mut(lock.owner) {
            owner.states.remove(&key);
        }
        self.drop_owner_if_unused(lock.owner);
    }

    fn count_ranges(&mut self, client: ClientId, change: isize) {
        if let Some(client) = self.clients.get_mut(client) {
            client.lock_ranges = client.lock_ranges.saturating_add_signed(change);
        }
    }
}
