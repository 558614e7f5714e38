//! Sessions: CREATE_SESSION and SEQUENCE (RFC 8881 §2.10, §18.36, §18.46).

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    CREATE_SESSION4_FLAG_CONN_BACK_CHAN, CREATE_SESSION4_FLAG_CONN_RDMA, CREATE_SESSION4_FLAG_PERSIST, ChannelAttrs4,
    NfsStat4, Sessionid4,
};

use super::State;
use super::client::ClientKind;
use super::connection::Binding;
use super::identity::{ClientId, ConnectionId, Family, Principal};
use super::limits::Limits;
use super::moment::Moment;
use super::slots::{SlotOutcome, Slots};

/// The smallest request and reply that a channel must allow: a SEQUENCE alone, with the RPC header.
const CHANNEL_BYTES_MIN: u32 = 128;

/// What a slot keeps even where the session allows less: SEQUENCE behind the longest tag, and one refusal. Whatever
/// follows a SEQUENCE that succeeded has to be kept where the client asks for it (RFC 8881 §2.10.6.4).
const KEPT_BYTES_MIN: usize = 1_280;

/// The flags of CREATE_SESSION that there are.
const KNOWN_FLAGS: u32 =
    CREATE_SESSION4_FLAG_PERSIST | CREATE_SESSION4_FLAG_CONN_BACK_CHAN | CREATE_SESSION4_FLAG_CONN_RDMA;

/// `sr_status_flags`: nothing that RFC 8881 §18.46.3 has a flag for can happen here. State is never revoked but together
/// with the whole client, leases do not move, and nothing is called back.
const STATUS_FLAGS: u32 = 0;

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) clientid: ClientId,
    fore: ChannelAttrs4,
    slots: Slots,
    pub(super) bindings: Vec<Binding>,
}

/// The one slot in which a client's CREATE_SESSIONs run (RFC 8881 §18.36.4).
#[derive(Debug)]
pub(super) struct CreationSlot {
    sequence: u32,
    result: Result<CreateSessionOk, NfsStat4>,
}

impl Default for CreationSlot {
    fn default() -> Self {
        Self { sequence: 0, result: Err(NfsStat4::SeqMisordered) }
    }
}

impl CreationSlot {
    /// The sequence of the next CREATE_SESSION.
    pub(super) fn next(&self) -> u32 {
        self.sequence.wrapping_add(1)
    }
}

/// What CREATE_SESSION says, but for the callbacks' credentials.
#[derive(Debug, Clone)]
pub struct CreateSession<'a> {
    /// The client ID, which the first session confirms.
    pub clientid: ClientId,
    /// `csa_sequence`.
    pub sequence: u32,
    /// `CREATE_SESSION4_FLAG_*`.
    pub flags: u32,
    /// What the client would like of the fore channel.
    pub fore: ChannelAttrs4,
    /// What the client offers for the back channel.
    pub back: ChannelAttrs4,
    /// Whether callbacks shall use an RPCSEC_GSS context.
    pub gss_callbacks: bool,
    /// Who asks.
    pub principal: &'a Principal,
    /// The connection it came over.
    pub connection: ConnectionId,
}

/// What CREATE_SESSION answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSessionOk {
    /// The new session.
    pub sessionid: Sessionid4,
    /// `csr_sequence`: that of the request.
    pub sequence: u32,
    /// `CREATE_SESSION4_FLAG_*`, of those asked for.
    pub flags: u32,
    /// The fore channel as granted.
    pub fore: ChannelAttrs4,
    /// The back channel as granted.
    pub back: ChannelAttrs4,
}

/// What SEQUENCE says.
#[derive(Debug, Clone, Copy)]
pub struct SequenceRequest {
    /// The session.
    pub sessionid: Sessionid4,
    /// The number of the request in its slot.
    pub sequenceid: u32,
    /// The slot.
    pub slotid: u32,
    /// The highest slot that the client uses.
    pub highest_slotid: u32,
    /// A hash of the whole compound's arguments, to tell a retry from another request.
    pub request_hash: u64,
    /// The connection it came over.
    pub connection: ConnectionId,
}

/// What SEQUENCE answers, and what the compound needs to know of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceReply {
    /// The client of the session.
    pub clientid: ClientId,
    /// The session.
    pub sessionid: Sessionid4,
    /// As in the request.
    pub sequenceid: u32,
    /// As in the request.
    pub slotid: u32,
    /// The highest slot that the server accepts.
    pub highest_slotid: u32,
    /// The highest slot that the server would like to see used.
    pub target_highest_slotid: u32,
    /// `SEQ4_STATUS_*`.
    pub status_flags: u32,
    /// The limits of the fore channel.
    pub limits: ChannelAttrs4,
}

/// What to do with a compound.
#[derive(Debug)]
pub enum SequenceOutcome {
    /// Run it, then call [`State::complete`].
    Execute {
        /// The slot, taken.
        token: SlotToken,
        /// The answer to SEQUENCE.
        reply: SequenceReply,
    },
    /// It was run before: send these bytes, which were given to [`State::complete`].
    Replay(Vec<Bytes>),
    /// It was run before, and its answer was not kept: SEQUENCE succeeds, and the next operation answers
    /// RETRY_UNCACHED_REP (RFC 8881 §2.10.6.1.3).
    Uncached(SequenceReply),
}

/// A request that runs in a slot, which is taken until the token is given to [`State::complete`] or [`State::abandon`].
#[must_use = "the slot stays taken until the token is given back"]
#[derive(Debug)]
pub struct SlotToken {
    sessionid: Sessionid4,
    slotid: u32,
    sequenceid: u32,
}

impl<P> State<P> {
    /// CREATE_SESSION: the phases of RFC 8881 §18.36.4. A retry gets the answer of the first time, also if that was an
    /// error; nothing is done twice.
    ///
    /// Errors: STALE_CLIENTID, SEQ_MISORDERED, CLID_INUSE, INVAL, NOENT, TOOSMALL, NOSPC.
    pub fn create_session(&mut self, args: CreateSession<'_>, now: Moment) -> Result<CreateSessionOk, NfsStat4> {
        let slot = self.creation_slot(args.clientid)?;
        if args.sequence == slot.sequence {
            return slot.result.clone();
        }
        if args.sequence != slot.next() {
            return Err(NfsStat4::SeqMisordered);
        }
        let result = self.try_create_session(&args, now);
        if let Ok(slot) = self.creation_slot(args.clientid) {
            *slot = CreationSlot { sequence: args.sequence, result: result.clone() };
        }
        result
    }

    /// Phase 1: the client record, confirmed or not.
    fn creation_slot(&mut self, id: ClientId) -> Result<&mut CreationSlot, NfsStat4> {
        match self.clients.kind_mut(id) {
            Some(ClientKind::V41 { creation, .. }) => Ok(creation),
            _ => Err(NfsStat4::StaleClientid),
        }
    }

    /// Phases 3 and 4: who confirms, and what the session is like. Nothing changes unless all of it succeeds.
    fn try_create_session(&mut self, args: &CreateSession<'_>, now: Moment) -> Result<CreateSessionOk, NfsStat4> {
        let confirmed = self.clients.get(args.clientid);
        let principal = match confirmed {
            Some(client) => Some(&client.principal),
            None => self.clients.unconfirmed(args.clientid).map(|record| &record.principal),
        };
        if principal != Some(args.principal) {
            return Err(NfsStat4::ClidInuse);
        }
        if args.flags & !KNOWN_FLAGS != 0 {
            return Err(NfsStat4::Inval);
        }
        if args.gss_callbacks {
            // No RPCSEC_GSS context was ever made here, so none is known (RFC 8881 §18.36.3).
            return Err(NfsStat4::Noent);
        }
        let fore = grant_fore(&args.fore, &self.config.limits)?;
        let sessions = match confirmed.map(|client| &client.kind) {
            Some(ClientKind::V41 { sessions, .. }) => sessions.len(),
            _ => 0,
        };
        if sessions >= self.config.limits.sessions_per_client {
            return Err(NfsStat4::Nospc);
        }
        self.confirm_v41(args.clientid, now)?;
        Ok(self.enter_session(args, fore))
    }

    /// The first session confirms its client; the instance of the client before it loses its state.
    fn confirm_v41(&mut self, id: ClientId, now: Moment) -> Result<(), NfsStat4> {
        if let Some(client) = self.clients.get_mut(id) {
            client.renewed = now;
            return Ok(());
        }
        let Some(key) = self.clients.unconfirmed(id).map(|record| record.key.clone()) else {
            return Err(NfsStat4::StaleClientid);
        };
        match self.clients.confirmed_of(&key) {
            Some(before) => self.remove_client(before),
            None if self.make_room_for_client(now) => {}
            None => return Err(NfsStat4::Nospc),
        }
        let recorded = self.grace_expects(&key);
        self.clients.confirm(id, recorded, now);
        Ok(())
    }

    fn enter_session(&mut self, args: &CreateSession<'_>, fore: ChannelAttrs4) -> CreateSessionOk {
        let sessionid = self.new_sessionid();
        let flags = args.flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
        let slots = Slots::new(fore.maxrequests);
        let session = Session { clientid: args.clientid, fore: fore.clone(), slots, bindings: Vec::new() };
        self.sessions.insert(sessionid, session);
        self.bind(&sessionid, Binding { connection: args.connection, fore: true, back: flags != 0 });
        if let Some(client) = self.clients.get_mut(args.clientid)
            && let ClientKind::V41 { sessions, .. } = &mut client.kind
        {
            sessions.push(sessionid);
        }
        let back = ChannelAttrs4 { headerpadsize: 0, rdma_ird: None, ..args.back.clone() };
        CreateSessionOk { sessionid, sequence: args.sequence, flags, fore, back }
    }

    /// A session ID that was never given out and is hard to guess.
    fn new_sessionid(&mut self) -> Sessionid4 {
        loop {
            self.sessions_made = self.sessions_made.wrapping_add(1);
            let mut id = [0; 16];
            let number = self.sessions_made.to_be_bytes();
            let parts = self.config.boot_id.to_be_bytes().into_iter().chain(number);
            let parts = parts.chain(self.config.keyed(("session", self.sessions_made)));
            id.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
            let id = Sessionid4(id);
            if !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// SEQUENCE. Renews the lease and binds the connection to the fore channel.
    ///
    /// Errors: BADSESSION, BADSLOT, BAD_HIGH_SLOT, SEQ_MISORDERED, SEQ_FALSE_RETRY; DELAY while the same request runs.
    pub fn sequence(&mut self, args: &SequenceRequest, now: Moment) -> Result<SequenceOutcome, NfsStat4> {
        let session = self.sessions.get_mut(&args.sessionid).ok_or(NfsStat4::Badsession)?;
        let clientid = session.clientid;
        let outcome = session.slots.begin(args.slotid, args.highest_slotid, args.sequenceid, args.request_hash);
        let reply = SequenceReply {
            clientid,
            sessionid: args.sessionid,
            sequenceid: args.sequenceid,
            slotid: args.slotid,
            highest_slotid: session.slots.highest(),
            target_highest_slotid: session.slots.highest(),
            status_flags: STATUS_FLAGS,
            limits: session.fore.clone(),
        };
        let outcome = outcome?;
        self.client_of(Family::V41, clientid)?.renewed = now;
        self.bind_fore(&args.sessionid, args.connection);
        Ok(match outcome {
            SlotOutcome::Execute => {
                let SequenceRequest { sessionid, slotid, sequenceid, .. } = *args;
                SequenceOutcome::Execute { token: SlotToken { sessionid, slotid, sequenceid }, reply }
            }
            SlotOutcome::Replay(bytes) => SequenceOutcome::Replay(vec![bytes]),
            SlotOutcome::Uncached => SequenceOutcome::Uncached(reply),
        })
    }

    /// Ends a compound that [`State::sequence`] let through. The reply is kept for a retry if `cache` is set and it is no
    /// larger than the session's `ca_maxresponsesize_cached`, or small enough for any slot. A session that was destroyed
    /// meanwhile keeps nothing.
    pub fn complete(&mut self, token: SlotToken, reply: Vec<Bytes>, cache: bool) {
        let Some(session) = self.sessions.get_mut(&token.sessionid) else { return };
        let size: usize = reply.iter().map(Bytes::len).sum();
        let keep = cache && size <= KEPT_BYTES_MIN.max(session.fore.maxresponsesize_cached as usize);
        session.slots.complete(token.slotid, token.sequenceid, keep.then_some(reply.as_slice()));
    }

    /// Gives up a compound whose task was cancelled. The slot is free again; a retry is not run, as some of the compound
    /// may have been done, but gets [`SequenceOutcome::Uncached`].
    pub fn abandon(&mut self, token: SlotToken) {
        self.complete(token, Vec::new(), false);
    }
}

/// The fore channel as granted: never more than asked for, but at least one slot and one operation, as none is no
/// channel. Error: TOOSMALL when not even a SEQUENCE would fit (RFC 8881 §18.36.3).
fn grant_fore(asked: &ChannelAttrs4, limits: &Limits) -> Result<ChannelAttrs4, NfsStat4> {
    if asked.maxrequestsize < CHANNEL_BYTES_MIN || asked.maxresponsesize < CHANNEL_BYTES_MIN {
        return Err(NfsStat4::Toosmall);
    }
    let maxresponsesize = asked.maxresponsesize.min(limits.response_bytes_max);
    Ok(ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: asked.maxrequestsize.min(limits.request_bytes_max),
        maxresponsesize,
        maxresponsesize_cached: asked.maxresponsesize_cached.min(limits.cached_bytes_max).min(maxresponsesize),
        maxoperations: asked.maxoperations.clamp(1, limits.operations.max(1)),
        maxrequests: asked.maxrequests.clamp(1, limits.slots.max(1)),
        rdma_ird: None,
    })
}
