//! The seqids of NFSv4.0: each state-owner's requests run one after the other, and the last answer is kept for a
//! retransmission (RFC 7530 §9.1.7 to §9.1.9).

use nfs4_protocol::nfs4::{NfsStat4, Stateid4};

use super::State;
use super::identity::{CachedReply, Caller, ClientId, Family, OwnerNo};
use super::moment::Moment;
use super::owner::OwnerKind;

/// Where the requests of one owner stand.
#[derive(Debug, Default)]
pub(super) struct SeqidState {
    last: Option<LastRequest>,
    busy: bool,
}

/// The owner's last request that counted.
#[derive(Debug)]
struct LastRequest {
    seqid: u32,
    /// The hash of the request and its answer. A lock-owner's first request has none: the answer is the open-owner's.
    answer: Option<(u64, CachedReply)>,
}

impl SeqidState {
    /// The seqid of the last request that counted.
    pub(super) fn last(&self) -> Option<u32> {
        self.last.as_ref().map(|last| last.seqid)
    }

    /// Whether a request is running.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Whether `seqid` is the one to come next; any is when there was none before.
    pub(super) fn is_next(&self, seqid: u32) -> bool {
        self.last().is_none_or(|last| next_seqid(last) == seqid)
    }

    /// Counts a request whose answer is kept with another owner.
    pub(super) fn advance(&mut self, seqid: u32) {
        self.last = Some(LastRequest { seqid, answer: None });
    }
}

/// The seqid after this one: 0 is skipped (RFC 7530 §9.1.3).
pub(super) const fn next_seqid(seqid: u32) -> u32 {
    match seqid.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}

/// Whether a request that ended so counts in its owner's sequence (RFC 7530 §9.1.7).
pub(super) const fn advances_seqid(status: NfsStat4) -> bool {
    !matches!(
        status,
        NfsStat4::StaleClientid
            | NfsStat4::StaleStateid
            | NfsStat4::BadStateid
            | NfsStat4::BadSeqid
            | NfsStat4::Badxdr
            | NfsStat4::Resource
            | NfsStat4::Nofilehandle
            | NfsStat4::Moved
    )
}

/// Whose sequence a request belongs to.
#[derive(Debug, Clone, Copy)]
pub enum SeqidOwner<'a> {
    /// OPEN: the open-owner as the client names it.
    OpenOwner {
        /// The client ID in the open-owner.
        clientid: ClientId,
        /// The name in the open-owner.
        owner: &'a [u8],
    },
    /// OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE, and LOCK by a new lock-owner: the open-owner of this open stateid.
    OfOpen(&'a Stateid4),
    /// LOCKU, and LOCK by a known lock-owner: the lock-owner of this lock stateid.
    OfLock(&'a Stateid4),
}

/// What to do with a request that carries a seqid.
#[derive(Debug)]
pub enum SeqidOutcome {
    /// It is the next one: run it, then call [`State::end_seqid`].
    Proceed(SeqidToken),
    /// It is the last one again: answer as before.
    Replay(CachedReply),
    /// The owner's last request is still running. Wait until it has ended and ask again. DELAY is no answer: the
    /// client would advance its seqid (RFC 7530 §9.1.7).
    Busy,
}

/// A running request of a state-owner. It blocks the owner until it is given to [`State::end_seqid`] or
/// [`State::abandon_seqid`].
#[must_use = "the owner stays blocked until the token is given back"]
#[derive(Debug)]
pub struct SeqidToken {
    owner: OwnerNo,
    seqid: u32,
    request_hash: u64,
}

impl<P> State<P> {
    /// Checks the seqid of a request of 4.0 before it is run. `request_hash` covers the operation's number and arguments:
    /// a request with the last seqid but another hash is no retransmission (RFC 7530 §9.1.9).
    ///
    /// Errors: BAD_SEQID, and those of the client ID or stateid that names the owner; nothing is to be ended then.
    pub fn begin_seqid(
        &mut self,
        owner: SeqidOwner<'_>,
        seqid: u32,
        request_hash: u64,
        now: Moment,
    ) -> Result<SeqidOutcome, NfsStat4> {
        let number = match owner {
            SeqidOwner::OpenOwner { clientid, owner } => self.begin_open(clientid, owner, seqid, request_hash, now)?,
            SeqidOwner::OfOpen(stateid) => self.open_owner_of(stateid)?,
            SeqidOwner::OfLock(stateid) => self.lock_owner_of(stateid)?,
        };
        let found = self.owners.get_mut(number).ok_or(NfsStat4::BadStateid)?;
        if found.seqid.busy {
            return Ok(SeqidOutcome::Busy);
        }
        let client = found.client;
        if let Some(reply) = replay(&found.seqid, seqid, request_hash)? {
            return Ok(SeqidOutcome::Replay(reply));
        }
        found.seqid.busy = true;
        found.used = now;
        // The next request in sequence: the answer to the CLOSE before has arrived.
        self.owners.set_closed(number, None);
        if let Some(client) = self.clients.get_mut(client) {
            client.renewed = now;
        }
        Ok(SeqidOutcome::Proceed(SeqidToken { owner: number, seqid, request_hash }))
    }

    /// The open-owner of an OPEN. An unconfirmed one whose request is no retransmission starts anew (RFC 7530 §16.18.5).
    fn begin_open(
        &mut self,
        client: ClientId,
        name: &[u8],
        seqid: u32,
        hash: u64,
        now: Moment,
    ) -> Result<OwnerNo, NfsStat4> {
        self.client_of(Family::V40, client)?;
        let number = self.find_or_make_owner(client, OwnerKind::Open, name, now)?;
        let Some(owner) = self.owners.get(number) else { return Ok(number) };
        let is_retransmission = matches!(replay(&owner.seqid, seqid, hash), Ok(Some(_)));
        if owner.confirmed || owner.seqid.busy || owner.seqid.last.is_none() || is_retransmission {
            return Ok(number);
        }
        self.end_owner(number);
        self.find_or_make_owner(client, OwnerKind::Open, name, now)
    }

    /// The owner of an open stateid whose own seqid is not looked at, also of one that was closed just now.
    fn open_owner_of(&self, stateid: &Stateid4) -> Result<OwnerNo, NfsStat4> {
        let key = self.parse_stateid(Caller::V40, stateid)?;
        self.opens
            .get(&key)
            .map(|open| open.owner)
            .or_else(|| self.owners.of_closed(key))
            .ok_or_else(|| self.missing_state(Caller::V40, key))
    }

    fn lock_owner_of(&self, stateid: &Stateid4) -> Result<OwnerNo, NfsStat4> {
        let key = self.parse_stateid(Caller::V40, stateid)?;
        self.locks.get(&key).map(|lock| lock.owner).ok_or_else(|| self.missing_state(Caller::V40, key))
    }

    /// Ends a request that [`State::begin_seqid`] let through and keeps its answer, if the status counts.
    pub fn end_seqid(&mut self, token: SeqidToken, status: NfsStat4, reply: CachedReply, now: Moment) {
        if let Some(owner) = self.owners.get_mut(token.owner) {
            owner.seqid.busy = false;
            owner.used = now;
            if advances_seqid(status) {
                let answer = Some((token.request_hash, reply));
                owner.seqid.last = Some(LastRequest { seqid: token.seqid, answer });
            }
        }
        self.drop_owner_if_unused(token.owner);
    }

    /// Gives up a request whose task was cancelled: the owner is free again, and the seqid does not count.
    pub fn abandon_seqid(&mut self, token: SeqidToken) {
        if let Some(owner) = self.owners.get_mut(token.owner) {
            owner.seqid.busy = false;
        }
        self.drop_owner_if_unused(token.owner);
    }
}

/// The kept answer if the request is a retransmission, `None` if it is the next request. Error: BAD_SEQID.
fn replay(state: &SeqidState, seqid: u32, hash: u64) -> Result<Option<CachedReply>, NfsStat4> {
    match &state.last {
        Some(last) if last.seqid == seqid => match &last.answer {
            Some((kept, reply)) if *kept == hash => Ok(Some(reply.clone())),
            _ => Err(NfsStat4::BadSeqid),
        },
        _ if state.is_next(seqid) => Ok(None),
        _ => Err(NfsStat4::BadSeqid),
    }
}
