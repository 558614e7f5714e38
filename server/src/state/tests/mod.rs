//! The rules of the RFCs, each test named after what it shows, with the section that asks for it.

mod client40;
mod client41;
mod expiry;
mod grace;
mod limits;
mod lock;
mod lock_ranges;
mod open;
mod restart;
mod seqid;
mod session;
mod share;
mod slots;
mod stateid;

use bytes::Bytes;
use nfs4_protocol::nfs4::{ChannelAttrs4, NfsStat4, Stateid4, Verifier4};

use super::*;

/// A lease time that is easy to count with, in milliseconds.
const LEASE: u64 = 1_000;
const GRACE: u64 = 2_000;
const FILE: FileKey = FileKey { fsid: 1, fileid: 10 };
const OTHER_FILE: FileKey = FileKey { fsid: 1, fileid: 11 };
const READ: u32 = 1;
const WRITE: u32 = 2;
const BOTH: u32 = 3;
const NONE: u32 = 0;
const CONNECTION: ConnectionId = ConnectionId(1);

/// A server with a clock that only the test moves. The payload of an open is a word that the test chose.
struct World {
    state: State<&'static str>,
    now: Moment,
}

impl World {
    fn new() -> Self {
        Self::restarted(7, Vec::new())
    }

    fn restarted(boot_id: u32, records: Vec<ClientRecord>) -> Self {
        Self::with_config(config(boot_id), records)
    }

    fn with_config(config: StateConfig, records: Vec<ClientRecord>) -> Self {
        let now = Moment(5_000);
        Self { state: State::new(config, records, now), now }
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
    }

    /// A confirmed 4.0 client.
    fn client40(&mut self, name: &str) -> ClientId {
        let principal = principal(name);
        let made = self.setclientid(name, 1, &principal).unwrap();
        self.state.setclientid_confirm(made.clientid, made.confirm, &principal, self.now).unwrap();
        made.clientid
    }

    fn setclientid(
        &mut self,
        name: &str,
        verifier: u8,
        principal: &Principal,
    ) -> Result<SetClientIdOk, SetClientIdError> {
        let callback =
            Callback40 { program: 0x4000_0000, netid: "tcp".into(), addr: format!("10.0.0.{verifier}.0.1"), ident: 1 };
        let verifier = Verifier4([verifier; 8]);
        self.state.setclientid(SetClientId { verifier, owner: name.as_bytes(), callback, principal }, self.now)
    }

    fn exchange_id(&mut self, name: &str, verifier: u8, principal: &Principal) -> Result<ExchangeIdOk, NfsStat4> {
        let verifier = Verifier4([verifier; 8]);
        let args = ExchangeId { verifier, owner: name.as_bytes(), update: false, principal };
        self.state.exchange_id(args, self.now)
    }

    fn create_session(
        &mut self,
        clientid: ClientId,
        sequence: u32,
        principal: &Principal,
    ) -> Result<CreateSessionOk, NfsStat4> {
        self.state.create_session(session_args(clientid, sequence, principal), self.now)
    }

    /// A 4.1 client with a session that has not said RECLAIM_COMPLETE.
    fn session41(&mut self, name: &str) -> CreateSessionOk {
        let principal = principal(name);
        let made = self.exchange_id(name, 1, &principal).unwrap();
        self.create_session(made.clientid, made.sequence, &principal).unwrap()
    }

    /// A 4.1 client that is ready to open files.
    fn client41(&mut self, name: &str) -> ClientId {
        let session = self.session41(name);
        let client = self.client_of(&session);
        self.state.reclaim_complete(client, false, self.now).unwrap();
        client
    }

    fn client_of(&self, session: &CreateSessionOk) -> ClientId {
        self.state.sessions.get(&session.sessionid).unwrap().clientid
    }

    /// OPEN, without the seqids of 4.0.
    fn open(&mut self, client: ClientId, owner: &str, access: u32, deny: u32) -> Result<Opened, NfsStat4> {
        self.open_file(client, owner, FILE, access, deny)
    }

    fn open_file(
        &mut self,
        client: ClientId,
        owner: &str,
        file: FileKey,
        access: u32,
        deny: u32,
    ) -> Result<Opened, NfsStat4> {
        let args = OpenRequest { client, owner: owner.as_bytes(), file, access, deny, claim: Claim::New };
        self.state.open(args, "payload", self.now)
    }

    /// OPEN and, for 4.0, OPEN_CONFIRM.
    fn opened(&mut self, client: ClientId, owner: &str, access: u32, deny: u32) -> Stateid4 {
        let opened = self.open(client, owner, access, deny).unwrap();
        if opened.needs_confirm {
            self.state.open_confirm(&opened.stateid, FILE, self.now).unwrap()
        } else {
            opened.stateid
        }
    }

    fn reclaim_open(&mut self, client: ClientId, owner: &str, access: u32) -> Result<Opened, NfsStat4> {
        let owner = owner.as_bytes();
        let args = OpenRequest { client, owner, file: FILE, access, deny: NONE, claim: Claim::Reclaim };
        self.state.open(args, "reclaimed", self.now)
    }

    /// LOCK by a lock-owner that is new to the file.
    fn lock_new(
        &mut self,
        client: ClientId,
        open: &Stateid4,
        owner: &str,
        range: (u64, u64),
        kind: LockKind,
    ) -> Result<Stateid4, LockRefusal> {
        let caller = self.caller(client);
        let locker = Locker::New { open_stateid: open, clientid: client, owner: owner.as_bytes(), lock_seqid: 1 };
        self.state.lock(caller, lock_request(range, kind, locker), self.now)
    }

    fn lock_again(
        &mut self,
        client: ClientId,
        lock: &Stateid4,
        range: (u64, u64),
        kind: LockKind,
    ) -> Result<Stateid4, LockRefusal> {
        let caller = self.caller(client);
        self.state.lock(caller, lock_request(range, kind, Locker::Existing { lock_stateid: lock }), self.now)
    }

    fn unlock(&mut self, client: ClientId, lock: &Stateid4, range: (u64, u64)) -> Result<Stateid4, NfsStat4> {
        let caller = self.caller(client);
        self.state.locku(caller, lock, FILE, range.0, range.1, self.now)
    }

    fn close(&mut self, client: ClientId, open: &Stateid4) -> Result<Closed<&'static str>, NfsStat4> {
        let caller = self.caller(client);
        self.state.close(caller, open, FILE, self.now)
    }

    fn check_io(&mut self, client: ClientId, stateid: &Stateid4, want: Want) -> Result<(), NfsStat4> {
        let caller = self.caller(client);
        self.state.check_io(caller, stateid, FILE, want, self.now).map(|_| ())
    }

    fn caller(&self, client: ClientId) -> Caller {
        match self.state.clients.get(client).map(|client| client.key.family) {
            Some(Family::V41) => Caller::V41(client),
            _ => Caller::V40,
        }
    }

    /// What stable storage holds after all effects up to now, given what it held before.
    fn stored(&mut self, mut records: Vec<ClientRecord>) -> Vec<ClientRecord> {
        for effect in self.state.take_effects() {
            match effect {
                Effect::Record(record) => records.push(record),
                Effect::Forget { family, owner } => {
                    records.retain(|record| record.family != family || record.owner != owner);
                }
            }
        }
        records
    }
}

fn config(boot_id: u32) -> StateConfig {
    StateConfig { lease_ms: LEASE, grace_ms: GRACE, ..StateConfig::new(boot_id, [3; 16]) }
}

fn principal(name: &str) -> Principal {
    Principal::new(1, name.as_bytes())
}

fn lock_request(range: (u64, u64), kind: LockKind, locker: Locker<'_>) -> LockRequest<'_> {
    LockRequest { file: FILE, offset: range.0, length: range.1, kind, blocking: false, reclaim: false, locker }
}

/// What Linux asks of a session.
fn channel() -> ChannelAttrs4 {
    ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: 1_049_620,
        maxresponsesize: 1_049_480,
        maxresponsesize_cached: 7_584,
        maxoperations: 8,
        maxrequests: 64,
        rdma_ird: None,
    }
}

fn session_args(clientid: ClientId, sequence: u32, principal: &Principal) -> CreateSession<'_> {
    CreateSession {
        clientid,
        sequence,
        flags: 3,
        fore: channel(),
        back: channel(),
        gss_callbacks: false,
        principal,
        connection: CONNECTION,
    }
}

fn reply(text: &'static str) -> CachedReply {
    CachedReply { reply: Bytes::from_static(text.as_bytes()), filehandle: None }
}
