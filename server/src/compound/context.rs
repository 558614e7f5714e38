//! What one COMPOUND carries from operation to operation: current and saved filehandle and stateid, the caller, the
//! session and the room that is left in the reply.

use std::sync::Arc;

use nfs4_protocol::nfs4::{NfsStat4, OpNum, Sessionid4, Stateid4};

use super::errors;
use super::{Credentials, Service, Settings};
use crate::fs::filesystem::{Caller, Filesystem, FsError, Located, NodeKey, NodeKind, OpenGuard};
use crate::state::{self, ClientId, ConnectionId, FileKey, SequenceReply, Want};

/// Why an operation failed: a status of its own, or an error of the file system that `errors` turns into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The status to answer.
    Status(NfsStat4),
    /// The file system's reason.
    Fs(FsError),
}

impl From<NfsStat4> for Failure {
    fn from(status: NfsStat4) -> Self {
        Self::Status(status)
    }
}

impl From<FsError> for Failure {
    fn from(error: FsError) -> Self {
        Self::Fs(error)
    }
}

/// What an operation returns.
pub(super) type Outcome<T> = Result<T, Failure>;

/// A filehandle with the stateid that belongs to it (RFC 8881 §16.2.3.1.2). `stateid` is `None` where the RFC says
/// "(0, 0)": nothing that the special stateid (1, 0) could stand for.
#[derive(Debug, Clone, Default)]
struct Position {
    node: Option<Located>,
    stateid: Option<Stateid4>,
}

/// The longest result of an operation that failed, in bytes: that of SETATTR, with its empty bitmap.
const FAILURE_BYTES_MAX: usize = 12;

/// How much the reply may still hold, and the status that says that it does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplyBudget {
    /// Bytes of the whole COMPOUND4res.
    pub(super) bytes_max: usize,
    /// What an operation gets whose result does not fit.
    pub(super) status: NfsStat4,
}

/// Leave to read or write, from [`CompoundContext::check_io`]. It keeps the file open while it lives.
#[derive(Debug)]
pub(super) struct IoGrant {
    /// Whether an open with that access gave it, so that permission was checked at the OPEN. Else that is still to be
    /// done: with a special stateid, and for a READ through an open for writing only.
    pub(super) by_open: bool,
    /// Held for its drop: a CLOSE that runs meanwhile must not end the file under the I/O.
    _open: Option<Arc<OpenGuard>>,
}

/// The state of a running COMPOUND.
pub(super) struct CompoundContext {
    service: Arc<Service>,
    minor: u32,
    connection: ConnectionId,
    credentials: Credentials,
    op: OpNum,
    is_last: bool,
    current: Position,
    saved: Position,
    session: Option<SequenceReply>,
    budget: ReplyBudget,
    reply_bytes: usize,
}

impl CompoundContext {
    pub(super) fn new(
        service: Arc<Service>,
        minor: u32,
        connection: ConnectionId,
        credentials: Credentials,
        budget: ReplyBudget,
    ) -> Self {
        Self {
            service,
            minor,
            connection,
            credentials,
            op: OpNum::Illegal,
            is_last: false,
            current: Position::default(),
            saved: Position::default(),
            session: None,
            budget,
            reply_bytes: 0,
        }
    }

    /// The minor version of the request.
    pub(super) fn minor(&self) -> u32 {
        self.minor
    }

    /// Says which operation runs next, and how long the reply is before it.
    pub(super) fn start(&mut self, op: OpNum, reply_bytes: usize) {
        self.op = op;
        self.reply_bytes = reply_bytes;
    }

    /// Says that the operation that runs is the last of the request.
    pub(super) fn set_last(&mut self) {
        self.is_last = true;
    }

    /// Whether the operation that runs is the last of the request.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// The service that all connections share.
    pub(super) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// The file system.
    pub(super) fn fs(&self) -> Arc<dyn Filesystem> {
        Arc::clone(&self.service.fs)
    }

    /// The limits of the deployment.
    pub(super) fn settings(&self) -> &Settings {
        &self.service.settings
    }

    /// The lease time in seconds, as clients are told.
    pub(super) fn lease_seconds(&self) -> u32 {
        self.service.lease_seconds
    }

    /// Who asks.
    pub(super) fn caller(&self) -> &Caller {
        &self.credentials.caller
    }

    /// Who asks, as the state machine compares it.
    pub(super) fn principal(&self) -> &state::Principal {
        &self.credentials.principal
    }

    /// The connection that the request came over.
    pub(super) fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// The status for a failure of the operation that runs.
    pub(super) fn status(&self, failure: Failure) -> NfsStat4 {
        match failure {
            Failure::Status(status) => status,
            Failure::Fs(error) => errors::status(self.op, self.minor, &error),
        }
    }

    /// The current filehandle; NFS4ERR_NOFILEHANDLE when there is none.
    pub(super) fn current(&self) -> Result<Located, NfsStat4> {
        self.current.node.clone().ok_or(NfsStat4::Nofilehandle)
    }

    /// The current filehandle, which has to be a directory: else NFS4ERR_NOTDIR, or in LOOKUP for a link
    /// NFS4ERR_SYMLINK (RFC 7530 §16.13.5, RFC 8881 §18.13.4).
    pub(super) fn current_dir(&self) -> Result<Located, NfsStat4> {
        let node = self.current()?;
        match (node.kind, self.op) {
            (NodeKind::Directory, _) => Ok(node),
            (NodeKind::Symlink, OpNum::Lookup) => Err(NfsStat4::Symlink),
            _ => Err(NfsStat4::Notdir),
        }
    }

    /// The current filehandle, which has to be a file: what an operation on bytes says of a directory or a link is in
    /// `errors`.
    pub(super) fn current_regular(&self) -> Outcome<Located> {
        let node = self.current()?;
        regular(node)
    }

    /// The current filehandle as the state machine names files.
    pub(super) fn current_file(&self) -> Result<FileKey, NfsStat4> {
        self.current().map(|node| file_key(node.key))
    }

    /// The saved filehandle; NFS4ERR_NOFILEHANDLE when there is none.
    pub(super) fn saved(&self) -> Result<Located, NfsStat4> {
        self.saved.node.clone().ok_or(NfsStat4::Nofilehandle)
    }

    /// Makes `node` the current filehandle, which leaves no current stateid.
    pub(super) fn set_current(&mut self, node: Located) {
        self.current = Position { node: Some(node), stateid: None };
    }

    /// Whether there is a current filehandle.
    pub(super) fn has_current(&self) -> bool {
        self.current.node.is_some()
    }

    /// Leaves no current filehandle: after SECINFO in 4.1 (RFC 8881 §2.6.3.1.1.8), and where the file that should be it
    /// cannot be had.
    pub(super) fn consume_current(&mut self) {
        self.current = Position::default();
    }

    /// Saves filehandle and stateid together.
    pub(super) fn save(&mut self) -> Result<(), NfsStat4> {
        self.current()?;
        self.saved = self.current.clone();
        Ok(())
    }

    /// Restores filehandle and stateid together. Without a saved filehandle: NFS4ERR_RESTOREFH in 4.0 (RFC 7530
    /// §16.29.4), NFS4ERR_NOFILEHANDLE in 4.1 (RFC 8881 §18.27.3).
    pub(super) fn restore(&mut self) -> Result<(), NfsStat4> {
        if self.saved.node.is_none() {
            return Err(if self.minor == 0 { NfsStat4::Restorefh } else { NfsStat4::Nofilehandle });
        }
        self.current = self.saved.clone();
        Ok(())
    }

    /// Notes the stateid that an operation returned.
    pub(super) fn set_current_stateid(&mut self, stateid: Stateid4) {
        self.current.stateid = Some(stateid);
    }

    /// The stateid an argument stands for: in 4.1 and later (1, 0) is the current one, and NFS4ERR_BAD_STATEID where
    /// there is none (RFC 8881 §16.2.3.1.2, figure 6).
    pub(super) fn stateid(&self, given: Stateid4) -> Result<Stateid4, NfsStat4> {
        if self.minor == 0 || given != Stateid4::CURRENT {
            return Ok(given);
        }
        self.current.stateid.ok_or(NfsStat4::BadStateid)
    }

    /// Checks a stateid for READ, WRITE or a change of size of the current filehandle: share reservations, access mode
    /// of the open, and everything a stateid can be wrong in.
    pub(super) fn check_io(&mut self, stateid: Stateid4, want: Want) -> Result<IoGrant, NfsStat4> {
        let stateid = self.stateid(stateid)?;
        let file = self.current_file()?;
        let caller = self.state_caller();
        self.service.state(|state, now| {
            let io = state.check_io(caller, &stateid, file, want, now)?;
            Ok(IoGrant { by_open: io.by_open, _open: io.payload.cloned() })
        })
    }

    /// Who uses a stateid.
    pub(super) fn state_caller(&self) -> state::Caller {
        match &self.session {
            Some(session) => state::Caller::V41(session.clientid),
            None => state::Caller::V40,
        }
    }

    /// The client of the session; NFS4ERR_OP_NOT_IN_SESSION without one.
    pub(super) fn session_client(&self) -> Result<ClientId, NfsStat4> {
        self.session.as_ref().map(|session| session.clientid).ok_or(NfsStat4::OpNotInSession)
    }

    /// Whether the request runs in this session.
    pub(super) fn is_in_session(&self, sessionid: &Sessionid4) -> bool {
        self.session.as_ref().is_some_and(|session| session.sessionid == *sessionid)
    }

    /// The client an owner of 4.0 names, or the session's: in 4.1 the field has no meaning (RFC 8881 §18.16.3).
    pub(super) fn owner_client(&self, named: u64) -> ClientId {
        self.session.as_ref().map_or(ClientId(named), |session| session.clientid)
    }

    /// Enters a session.
    pub(super) fn enter_session(&mut self, session: SequenceReply, budget: ReplyBudget) {
        self.session = Some(session);
        self.budget = budget;
    }

    /// How much the reply may hold.
    pub(super) fn budget(&self) -> ReplyBudget {
        self.budget
    }

    /// Bytes of the reply that the operation that runs may still fill, its number and status included. If it is not the
    /// last one, the next one has to have room to say that it failed.
    pub(super) fn reply_room(&self) -> usize {
        let reserved = if self.is_last { 0 } else { FAILURE_BYTES_MAX };
        self.budget.bytes_max.saturating_sub(self.reply_bytes).saturating_sub(reserved)
    }
}

/// A node that has to be a regular file.
pub(super) fn regular(node: Located) -> Outcome<Located> {
    match node.kind {
        NodeKind::File => Ok(node),
        NodeKind::Directory => Err(FsError::IsDirectory.into()),
        NodeKind::Symlink => Err(FsError::IsSymlink.into()),
    }
}

/// A node as the state machine names it.
pub(super) fn file_key(key: NodeKey) -> FileKey {
    FileKey { fsid: key.fsid, fileid: key.fileid }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compound::reply::OpReply;

    #[test]
    fn no_failure_is_longer_than_what_is_reserved_for_one() {
        for op in OpNum::ALL {
            let failure = OpReply::failed(*op, NfsStat4::Notsupp);
            assert!(failure.encoded.len() <= FAILURE_BYTES_MAX, "{op}");
        }
    }
}
