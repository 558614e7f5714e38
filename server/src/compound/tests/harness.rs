//! A server with a clock that is set by hand, and clients that build compounds.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::{Decode, Decoder, Encode, to_bytes};
use parking_lot::Mutex;

use crate::compound::test_fs::MemoryFs;
use crate::compound::{Answer, Call, Clock, Credentials, Service, Settings, StableClients};
use crate::fs::filesystem::Caller;
use crate::state::{ClientRecord, ConnectionId, Effect, Family, Moment, Principal, StateConfig};

/// Lease and grace of the tests, in milliseconds.
pub(super) const LEASE_MS: u64 = 90_000;

/// A clock that stands still until it is moved.
#[derive(Default)]
pub(super) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(super) fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

/// Client records in memory; a broken disk keeps nothing.
#[derive(Default)]
pub(super) struct Records {
    pub(super) broken: Mutex<bool>,
    kept: Mutex<Vec<ClientRecord>>,
}

impl Records {
    pub(super) fn len(&self) -> usize {
        self.kept.lock().len()
    }

    fn forget(&self, of: Family, name: &[u8]) {
        self.kept.lock().retain(|record| record.family != of || record.owner != name);
    }
}

#[async_trait]
impl StableClients for Records {
    async fn load(&self) -> io::Result<Vec<ClientRecord>> {
        Ok(self.kept.lock().clone())
    }

    async fn persist(&self, effects: &[Effect]) -> io::Result<()> {
        if *self.broken.lock() {
            return Err(io::Error::other("broken"));
        }
        for effect in effects {
            match effect {
                Effect::Record(record) => {
                    self.forget(record.family, &record.owner);
                    self.kept.lock().push(record.clone());
                }
                Effect::Forget { family, owner } => self.forget(*family, owner),
            }
        }
        Ok(())
    }
}

/// A server under test.
pub(super) struct Server {
    pub(super) service: Arc<Service>,
    pub(super) fs: Arc<MemoryFs>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) records: Arc<Records>,
    boots: u32,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::boot(MemoryFs::new(), Arc::default(), 1).await
    }

    async fn boot(fs: Arc<MemoryFs>, records: Arc<Records>, boots: u32) -> Self {
        let clock = Arc::new(ManualClock::default());
        let config = StateConfig { lease_ms: LEASE_MS, grace_ms: LEASE_MS, ..StateConfig::new(boots, [9; 16]) };
        let service = Service::start(fs.clone(), Settings::new("deployment"), config, records.clone(), clock.clone());
        Self { service: service.await.unwrap(), fs, clock, records, boots }
    }

    /// The same files and client records, nothing else.
    pub(super) async fn restart(self) -> Self {
        Self::boot(self.fs, self.records, self.boots + 1).await
    }

    /// Sends the arguments of a COMPOUND as they are.
    pub(super) async fn send(&self, args: Bytes) -> Answer {
        self.send_as(0, args).await
    }

    /// Sends as a user who is in no group but the one with the same number.
    pub(super) async fn send_as(&self, uid: u32, args: Bytes) -> Answer {
        let caller = Caller { uid, gid: uid, groups: Vec::new() };
        let credentials = Credentials { caller, principal: Principal::new(1, uid.to_be_bytes()) };
        let request_bytes = args.len() + 40;
        self.service.compound(Call { connection: ConnectionId(1), credentials, args, request_bytes }).await
    }

    /// Sends a COMPOUND, and takes its reply apart.
    pub(super) async fn compound(&self, minor: u32, ops: Vec<NfsArgop4>) -> Compound4Res {
        decode(self.send(args(minor, ops)).await)
    }

    /// The results of a compound of 4.0.
    pub(super) async fn v40(&self, ops: Vec<NfsArgop4>) -> Vec<NfsResop4> {
        self.compound(0, ops).await.resarray
    }
}

/// COMPOUND4args.
pub(super) fn args(minor: u32, ops: Vec<NfsArgop4>) -> Bytes {
    to_bytes(&Compound4Args { tag: Bytes::from_static(b"test"), minorversion: minor, argarray: ops })
}

/// COMPOUND4args whose operations are raw bytes.
pub(super) fn raw_args(minor: u32, numops: u32, ops: &[&dyn Encode]) -> Bytes {
    let mut e = nfs4_protocol::xdr::Encoder::new();
    e.opaque_slice(b"test");
    e.u32(minor);
    e.u32(numops);
    for op in ops {
        op.encode(&mut e);
    }
    e.finish_contiguous()
}

/// The reply that must have come.
pub(super) fn decode(answer: Answer) -> Compound4Res {
    let Answer::Reply(chain) = answer else { panic!("no reply: {answer:?}") };
    let mut decoder = Decoder::new(chain.concat().into());
    let reply = Compound4Res::decode(&mut decoder).unwrap();
    decoder.finish().unwrap();
    assert_eq!(reply.tag, "test");
    assert_eq!(reply.status, reply.resarray.last().map_or(reply.status, NfsResop4::status));
    reply
}

/// A client of 4.1 or 4.2 with one session.
pub(super) struct Client41 {
    pub(super) minor: u32,
    pub(super) clientid: Clientid4,
    pub(super) sessionid: Sessionid4,
    pub(super) sequenceid: u32,
}

/// What a session is asked for in most tests.
pub(super) fn channel() -> ChannelAttrs4 {
    ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: 1 << 20,
        maxresponsesize: 1 << 20,
        maxresponsesize_cached: 4096,
        maxoperations: 16,
        maxrequests: 8,
        rdma_ird: None,
    }
}

pub(super) fn exchange_id(owner: &'static str, verifier: u8) -> NfsArgop4 {
    NfsArgop4::ExchangeId(Box::new(ExchangeId4Args {
        clientowner: ClientOwner4 { verifier: Verifier4([verifier; 8]), ownerid: Bytes::from_static(owner.as_bytes()) },
        flags: EXCHGID4_FLAG_SUPP_MOVED_REFER,
        state_protect: StateProtect4A::None,
        client_impl_id: None,
    }))
}

pub(super) fn create_session(clientid: Clientid4, sequence: u32, fore: ChannelAttrs4) -> NfsArgop4 {
    NfsArgop4::CreateSession(Box::new(CreateSession4Args {
        clientid,
        sequence,
        flags: CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
        fore_chan_attrs: fore,
        back_chan_attrs: channel(),
        cb_program: 0x4000_0000,
        sec_parms: vec![CallbackSecParms4::None],
    }))
}

impl Client41 {
    /// A client that has said RECLAIM_COMPLETE.
    pub(super) async fn mount(server: &Server, minor: u32, owner: &'static str) -> Self {
        let mut client = Self::connect(server, minor, owner, 1, channel()).await;
        let done = client.run(server, vec![reclaim_complete()]).await;
        assert_eq!(done[0].status(), NfsStat4::Ok);
        client
    }

    pub(super) async fn connect(
        server: &Server,
        minor: u32,
        owner: &'static str,
        verifier: u8,
        fore: ChannelAttrs4,
    ) -> Self {
        let reply = server.compound(minor, vec![exchange_id(owner, verifier)]).await;
        let NfsResop4::ExchangeId(known) = &reply.resarray[0] else { panic!("{reply:?}") };
        let known = known.as_ref().clone().unwrap();
        let reply = server.compound(minor, vec![create_session(known.clientid, known.sequenceid, fore)]).await;
        let NfsResop4::CreateSession(made) = &reply.resarray[0] else { panic!("{reply:?}") };
        let made = made.as_ref().clone().unwrap();
        Self { minor, clientid: known.clientid, sessionid: made.sessionid, sequenceid: 0 }
    }

    /// The next SEQUENCE in slot 0.
    pub(super) fn sequence(&mut self, cachethis: bool) -> NfsArgop4 {
        self.sequenceid += 1;
        self.sequence_again(cachethis)
    }

    /// The last SEQUENCE in slot 0 once more.
    pub(super) fn sequence_again(&self, cachethis: bool) -> NfsArgop4 {
        NfsArgop4::Sequence(Sequence4Args {
            sessionid: self.sessionid,
            sequenceid: self.sequenceid,
            slotid: 0,
            highest_slotid: 0,
            cachethis,
        })
    }

    /// The arguments of the next compound of the session.
    pub(super) fn args(&mut self, cachethis: bool, ops: Vec<NfsArgop4>) -> Bytes {
        let mut all = vec![self.sequence(cachethis)];
        all.extend(ops);
        args(self.minor, all)
    }

    /// Runs operations after a SEQUENCE; their results without that of SEQUENCE, unless it failed.
    pub(super) async fn run(&mut self, server: &Server, ops: Vec<NfsArgop4>) -> Vec<NfsResop4> {
        let args = self.args(true, ops);
        let mut results = decode(server.send(args).await).resarray;
        if results[0].status() == NfsStat4::Ok {
            results.remove(0);
        }
        results
    }
}

pub(super) fn reclaim_complete() -> NfsArgop4 {
    NfsArgop4::ReclaimComplete(ReclaimComplete4Args { one_fs: false })
}

pub(super) fn lookup(name: &'static str) -> NfsArgop4 {
    NfsArgop4::Lookup(Lookup4Args { objname: Bytes::from_static(name.as_bytes()) })
}

/// PUTROOTFH, LOOKUP of each component.
pub(super) fn path(components: &[&'static str]) -> Vec<NfsArgop4> {
    let mut ops = vec![NfsArgop4::Putrootfh];
    ops.extend(components.iter().map(|name| lookup(name)));
    ops
}

/// Operations on the object at a path.
pub(super) fn at(components: &[&'static str], ops: impl IntoIterator<Item = NfsArgop4>) -> Vec<NfsArgop4> {
    let mut all = path(components);
    all.extend(ops);
    all
}

/// An OPEN for reading and writing of the client's owner `o`.
pub(super) fn open(clientid: Clientid4, name: &'static str, openhow: Openflag4) -> Open4Args {
    Open4Args {
        seqid: 0,
        share_access: OPEN4_SHARE_ACCESS_BOTH,
        share_deny: 0,
        owner: StateOwner4 { clientid, owner: Bytes::from_static(b"o") },
        openhow,
        claim: OpenClaim4::Null(Bytes::from_static(name.as_bytes())),
    }
}

pub(super) fn open_op(args: Open4Args) -> NfsArgop4 {
    NfsArgop4::Open(Box::new(args))
}

pub(super) fn unchecked() -> Openflag4 {
    Openflag4::Create(Createhow4::Unchecked(Fattr4::default()))
}

/// UNCHECKED4 with a size of 0.
pub(super) fn truncating() -> Openflag4 {
    let attrs = Fattr4 { attrmask: [4].into_iter().collect(), attr_vals: Bytes::from_static(&[0; 8]) };
    Openflag4::Create(Createhow4::Unchecked(attrs))
}

pub(super) fn guarded() -> Openflag4 {
    Openflag4::Create(Createhow4::Guarded(Fattr4::default()))
}

pub(super) fn write(stateid: Stateid4, data: &'static [u8]) -> NfsArgop4 {
    let data = Bytes::from_static(data);
    NfsArgop4::Write(Box::new(Write4Args { stateid, offset: 0, stable: StableHow4::FileSync, data }))
}

pub(super) fn read(stateid: Stateid4, count: u32) -> NfsArgop4 {
    NfsArgop4::Read(Read4Args { stateid, offset: 0, count })
}

pub(super) fn close(seqid: u32, open_stateid: Stateid4) -> NfsArgop4 {
    NfsArgop4::Close(Close4Args { seqid, open_stateid })
}

pub(super) fn remove(name: &'static str) -> NfsArgop4 {
    NfsArgop4::Remove(Remove4Args { target: Bytes::from_static(name.as_bytes()) })
}

/// The statuses of all results.
pub(super) fn statuses(results: &[NfsResop4]) -> Vec<NfsStat4> {
    results.iter().map(NfsResop4::status).collect()
}

/// The last status.
pub(super) fn last(results: &[NfsResop4]) -> NfsStat4 {
    results.last().map_or(NfsStat4::Ok, NfsResop4::status)
}

/// The OPEN among the results, which must have succeeded.
pub(super) fn opened(results: &[NfsResop4]) -> Open4Resok {
    let found = results.iter().find_map(|result| match result {
        NfsResop4::Open(open) => open.as_ref().as_ref().ok().cloned(),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no OPEN succeeded: {results:?}"))
}

/// The filehandle of the GETFH among the results.
pub(super) fn filehandle(results: &[NfsResop4]) -> NfsFh4 {
    let found = results.iter().find_map(|result| match result {
        NfsResop4::Getfh(Ok(fh)) => Some(fh.object.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no GETFH succeeded: {results:?}"))
}

pub(super) fn putfh(object: &NfsFh4) -> NfsArgop4 {
    NfsArgop4::Putfh(Putfh4Args { object: object.clone() })
}
