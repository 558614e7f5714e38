//! Stateids: made, taken apart and checked (RFC 7530 §9.1.4, RFC 8881 §8.2).
//!
//! `other` is the start of the server, the number of the client, and the number of the state, four bytes each.

use nfs4_protocol::nfs4::{NfsStat4, OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_ACCESS_WRITE, Stateid4};

use super::State;
use super::identity::{Caller, ClientId, Family, FileKey, StateKey};
use super::moment::Moment;
use super::open::OpenState;

/// What a request does with a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// READ and its like.
    Read,
    /// WRITE, SETATTR of the size, and their like.
    Write,
}

/// What stands behind the stateid of a request for a file's bytes.
#[derive(Debug)]
pub struct IoState<'a, P> {
    /// What the file's open was given; `None` for a special stateid.
    pub payload: Option<&'a P>,
    /// The client that has the open; `None` for a special stateid.
    pub client: Option<ClientId>,
    /// Whether the open has the access that is wanted, so that permission was checked when it was made. Without it, the
    /// caller has to check: with a special stateid, and for a READ through an open for writing only.
    pub by_open: bool,
}

impl<P> IoState<'_, P> {
    /// What stands behind a special stateid.
    const NO_OPEN: Self = Self { payload: None, client: None, by_open: false };
}

/// What a stateid names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Lock,
}

impl<P> State<P> {
    /// A stateid number that the client does not use.
    pub(super) fn new_state_key(&mut self, client: ClientId) -> Result<StateKey, NfsStat4> {
        loop {
            let found = self.clients.find(client)?;
            found.last_state = found.last_state.wrapping_add(1);
            let key = StateKey { client: client.number(), number: found.last_state };
            if key.number != 0 && !self.opens.contains_key(&key) && !self.locks.contains_key(&key) {
                return Ok(key);
            }
        }
    }

    /// The stateid as it goes over the wire.
    pub(super) fn stateid(&self, key: StateKey, seqid: u32) -> Stateid4 {
        let mut other = [0; 12];
        for (bytes, word) in other.chunks_exact_mut(4).zip([self.config.boot_id, key.client, key.number]) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Stateid4 { seqid, other }
    }

    /// Takes a stateid apart. Errors: BAD_STATEID for special ones and, in 4.1, for those of another start of the server;
    /// STALE_STATEID for those in 4.0.
    pub(super) fn parse_stateid(&self, caller: Caller, stateid: &Stateid4) -> Result<StateKey, NfsStat4> {
        if stateid.other == [0; 12] || stateid.other == [0xff; 12] {
            return Err(NfsStat4::BadStateid);
        }
        let [a, b, c, d, e, f, g, h, i, j, k, l] = stateid.other;
        let key = StateKey { client: u32::from_be_bytes([e, f, g, h]), number: u32::from_be_bytes([i, j, k, l]) };
        match caller {
            _ if u32::from_be_bytes([a, b, c, d]) == self.config.boot_id => Ok(key),
            Caller::V40 => Err(NfsStat4::StaleStateid),
            Caller::V41(_) => Err(NfsStat4::BadStateid),
        }
    }

    /// What to answer for a stateid that names nothing: a 4.0 client whose state was taken is told so, one of 4.1 has
    /// learnt it from its session.
    pub(super) fn missing_state(&self, caller: Caller, key: StateKey) -> NfsStat4 {
        let evicted = self.clients.was_evicted(ClientId::new(self.config.boot_id, key.client));
        if caller == Caller::V40 && evicted { NfsStat4::Expired } else { NfsStat4::BadStateid }
    }

    /// The open that a stateid names, checked in the order of RFC 7530 §9.1.4.4 and RFC 8881 §8.2.4; renews the lease.
    pub(super) fn find_open(
        &mut self,
        caller: Caller,
        stateid: &Stateid4,
        file: FileKey,
        now: Moment,
    ) -> Result<StateKey, NfsStat4> {
        self.find_state(caller, stateid, file, Some(Kind::Open), now).map(|(key, _)| key)
    }

    /// The lock state that a stateid names, checked like [`State::find_open`].
    pub(super) fn find_lock_state(
        &mut self,
        caller: Caller,
        stateid: &Stateid4,
        file: FileKey,
        now: Moment,
    ) -> Result<StateKey, NfsStat4> {
        self.find_state(caller, stateid, file, Some(Kind::Lock), now).map(|(key, _)| key)
    }

    fn find_state(
        &mut self,
        caller: Caller,
        stateid: &Stateid4,
        file: FileKey,
        wanted: Option<Kind>,
        now: Moment,
    ) -> Result<(StateKey, Kind), NfsStat4> {
        let key = self.parse_stateid(caller, stateid)?;
        let (kind, client, of_file, seqid) = self.look_up(key).ok_or_else(|| self.missing_state(caller, key))?;
        if of_file != file || !self.may_use(caller, client) || wanted.is_some_and(|wanted| wanted != kind) {
            return Err(NfsStat4::BadStateid);
        }
        check_seqid(caller, stateid.seqid, seqid)?;
        if let Some(client) = self.clients.get_mut(client) {
            client.renewed = now;
        }
        Ok((key, kind))
    }

    /// Kind, client, file and current seqid of a state.
    fn look_up(&self, key: StateKey) -> Option<(Kind, ClientId, FileKey, u32)> {
        let open = self.opens.get(&key).map(|open| (Kind::Open, open.client, open.file, open.seqid));
        open.or_else(|| self.locks.get(&key).map(|lock| (Kind::Lock, lock.client, lock.file, lock.seqid)))
    }

    fn may_use(&self, caller: Caller, client: ClientId) -> bool {
        match caller {
            Caller::V40 => self.clients.get(client).is_some_and(|client| client.key.family == Family::V40),
            Caller::V41(session_client) => session_client == client,
        }
    }

    /// Whether a request may read or write the file with this stateid, special ones included. The current stateid of 4.1
    /// is the caller's to fill in. Renews the lease.
    ///
    /// Errors: BAD_STATEID, OLD_STATEID, STALE_STATEID, EXPIRED, OPENMODE, LOCKED, GRACE.
    pub fn check_io(
        &mut self,
        caller: Caller,
        stateid: &Stateid4,
        file: FileKey,
        want: Want,
        now: Moment,
    ) -> Result<IoState<'_, P>, NfsStat4> {
        if *stateid == Stateid4::READ_BYPASS && want == Want::Read {
            return Ok(IoState::NO_OPEN);
        }
        if *stateid == Stateid4::ANONYMOUS || *stateid == Stateid4::READ_BYPASS {
            self.check_anonymous(file, want, now)?;
            return Ok(IoState::NO_OPEN);
        }
        let (key, kind) = self.find_state(caller, stateid, file, None, now)?;
        let key = match kind {
            Kind::Open => key,
            Kind::Lock => self.locks.get(&key).ok_or(NfsStat4::BadStateid)?.open,
        };
        let by_open = self.check_open_mode(key, file, want, now)?;
        let open = self.opens.get(&key).ok_or(NfsStat4::BadStateid)?;
        Ok(IoState { payload: Some(&open.payload), client: Some(open.client), by_open })
    }

    /// A request without an open: reclaims come first, and share reservations of others bind it (RFC 7530 §9.1.6).
    fn check_anonymous(&mut self, file: FileKey, want: Want, now: Moment) -> Result<(), NfsStat4> {
        self.settle_grace(now);
        if self.is_in_grace(now) {
            return Err(NfsStat4::Grace);
        }
        self.check_not_denied(file, access_of(want), None, now)
    }

    /// Whether what is wanted may be done through the open, and whether the open itself has that access. One for writing
    /// may also read, for the sake of clients that must read to write part of a page, unless another open denies it (RFC
    /// 7530 §9.1.6, RFC 8881 §9.1.2); it does not have that access, as nobody checked whether its user may read.
    fn check_open_mode(&mut self, key: StateKey, file: FileKey, want: Want, now: Moment) -> Result<bool, NfsStat4> {
        let open = self.opens.get(&key).ok_or(NfsStat4::BadStateid)?;
        if !self.is_confirmed(open) {
            return Err(NfsStat4::BadStateid);
        }
        match want {
            _ if open.share.access() & access_of(want) != 0 => Ok(true),
            Want::Write => Err(NfsStat4::Openmode),
            Want::Read => self.check_not_denied(file, access_of(want), Some(key), now).map(|()| false),
        }
    }

    /// LOCKED if an open other than `own` denies the access.
    fn check_not_denied(
        &mut self,
        file: FileKey,
        access: u32,
        own: Option<StateKey>,
        now: Moment,
    ) -> Result<(), NfsStat4> {
        if self.clear_share_conflicts(file, access, 0, own, now) { Ok(()) } else { Err(NfsStat4::Locked) }
    }

    /// Whether the open's owner has confirmed itself (RFC 7530 §16.18.5).
    pub(super) fn is_confirmed(&self, open: &OpenState<P>) -> bool {
        self.owners.get(open.owner).is_some_and(|owner| owner.confirmed)
    }

    /// TEST_STATEID (RFC 8881 §18.48): the status that the stateid would get in use. Special ones are always bad.
    pub fn test_stateid(&self, client: ClientId, stateid: &Stateid4) -> NfsStat4 {
        let caller = Caller::V41(client);
        let state = self.parse_stateid(caller, stateid).ok().and_then(|key| self.look_up(key));
        match state {
            Some((_, holder, _, seqid)) if holder == client => {
                check_seqid(caller, stateid.seqid, seqid).err().unwrap_or(NfsStat4::Ok)
            }
            _ => NfsStat4::BadStateid,
        }
    }

    /// FREE_STATEID (RFC 8881 §18.38). Errors: LOCKS_HELD for opens and for lock states with locked ranges, BAD_STATEID,
    /// OLD_STATEID.
    pub fn free_stateid(&mut self, client: ClientId, stateid: &Stateid4) -> Result<(), NfsStat4> {
        let status = self.test_stateid(client, stateid);
        if status != NfsStat4::Ok {
            return Err(status);
        }
        let key = self.parse_stateid(Caller::V41(client), stateid)?;
        let lock = self.locks.get(&key).ok_or(NfsStat4::LocksHeld)?;
        if self.files.get(&lock.file).is_some_and(|file| file.ranges.holds_any(lock.owner)) {
            return Err(NfsStat4::LocksHeld);
        }
        self.remove_lock_state(key);
        Ok(())
    }
}

const fn access_of(want: Want) -> u32 {
    match want {
        Want::Read => OPEN4_SHARE_ACCESS_READ,
        Want::Write => OPEN4_SHARE_ACCESS_WRITE,
    }
}

/// Compares the seqid of a stateid with the current one; in 4.1 seqid 0 means the current one (RFC 8881 §8.2.2).
fn check_seqid(caller: Caller, given: u32, current: u32) -> Result<(), NfsStat4> {
    if given == current || (given == 0 && caller != Caller::V40) {
        return Ok(());
    }
    let is_earlier = current.wrapping_sub(given) < 1 << 31;
    Err(if is_earlier { NfsStat4::OldStateid } else { NfsStat4::BadStateid })
}
