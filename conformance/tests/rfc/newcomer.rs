//! What the tests of client IDs and sessions share: a client of 4.1 that makes itself known step by step, and a session
//! whose slots are counted by hand.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use conformance::{Scene, unlisted};
use nfs_client_sim::{ClientOptions, CompoundBuilder, Connection, Reply};
use nfs4_protocol::nfs4::{
    CallbackSecParms4, ChannelAttrs4, ClientOwner4, Compound4Res, CreateSession4Args, CreateSession4Resok,
    DestroyClientid4Args, DestroySession4Args, EXCHGID4_FLAG_USE_NON_PNFS, ExchangeId4Args, ExchangeId4Resok,
    NfsArgop4, NfsResop4, NfsStat4, OpNum, Sequence4Args, Sessionid4, StateProtect4A,
};
use nfs4_protocol::rpc::{NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, OpaqueAuth};
use nfs4_protocol::xdr::{Decode, Encoder};

/// How long a reply may take.
const REPLY_WAIT: Duration = Duration::from_secs(60);
/// A user who is not user 0.
pub(crate) const OTHER_USER: u32 = 1000;

/// A client with a name and a connection, of which the server knows nothing yet.
#[derive(Clone)]
pub(crate) struct Newcomer {
    pub(crate) minor: u32,
    pub(crate) owner: ClientOwner4,
    connection: Connection,
    credential: OpaqueAuth,
    addr: SocketAddr,
}

impl Newcomer {
    /// With a name and a connection of its own, as user 0.
    pub(crate) async fn new(scene: &Scene) -> Self {
        let options = ClientOptions::default();
        let addr = scene.addr();
        Self {
            minor: scene.minor,
            owner: ClientOwner4 { verifier: options.verifier, ownerid: options.name.clone().into() },
            connection: Connection::open(addr, REPLY_WAIT).await.unwrap(),
            credential: options.credential(),
            addr,
        }
    }

    /// The same client over a new connection.
    pub(crate) async fn over_another_connection(&self) -> Self {
        let connection = Connection::open(self.addr, REPLY_WAIT).await.unwrap();
        Self { connection, ..self.clone() }
    }

    /// The same client over the same connection, for another user.
    pub(crate) fn as_other_user(&self) -> Self {
        Self { credential: ClientOptions::for_user(OTHER_USER, OTHER_USER).credential(), ..self.clone() }
    }

    /// The same client after a restart.
    pub(crate) fn restarted(&self) -> Self {
        let mut newcomer = self.clone();
        newcomer.owner.verifier.0[7] ^= 0x5a;
        newcomer
    }

    /// Sends a compound as it is.
    pub(crate) async fn call(&self, compound: CompoundBuilder) -> Reply {
        let args = compound.build(self.minor);
        let reply = Reply::new(self.connection.compound(self.credential.clone(), &args).await.unwrap());
        assert_eq!(unlisted(self.minor, &reply), None);
        reply
    }

    /// Sends a compound of one operation.
    pub(crate) async fn send(&self, op: NfsArgop4) -> Reply {
        self.call(CompoundBuilder::new().op(op)).await
    }

    /// Sends a compound of one operation that is given as bytes, its number in front.
    pub(crate) async fn send_encoded(&self, op: &Bytes) -> Reply {
        let arguments = |e: &mut Encoder| {
            e.opaque_slice(b"");
            e.u32(self.minor);
            e.u32(1);
            e.chain(op);
        };
        let credential = self.credential.clone();
        let called = self.connection.call(NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, credential, arguments).await;
        Reply::new(Compound4Res::decode(&mut called.unwrap()).unwrap())
    }

    /// The usual arguments of EXCHANGE_ID, with these flags as well.
    pub(crate) fn introduction(&self, flags: u32) -> ExchangeId4Args {
        ExchangeId4Args {
            clientowner: self.owner.clone(),
            flags: EXCHGID4_FLAG_USE_NON_PNFS | flags,
            state_protect: StateProtect4A::None,
            client_impl_id: None,
        }
    }

    /// EXCHANGE_ID.
    pub(crate) async fn exchange_id(&self, args: ExchangeId4Args) -> Result<ExchangeId4Resok, NfsStat4> {
        let mut reply = self.send(NfsArgop4::ExchangeId(Box::new(args))).await;
        reply.exchange_id().map_err(|error| error.status().unwrap())
    }

    /// EXCHANGE_ID without flags, which must succeed.
    pub(crate) async fn introduce(&self) -> ExchangeId4Resok {
        self.exchange_id(self.introduction(0)).await.unwrap()
    }

    /// CREATE_SESSION.
    pub(crate) async fn create_session(&self, args: CreateSession4Args) -> Result<CreateSession4Resok, NfsStat4> {
        let mut reply = self.send(NfsArgop4::CreateSession(Box::new(args))).await;
        reply.create_session().map_err(|error| error.status().unwrap())
    }

    /// A session with the usual channels.
    pub(crate) async fn session(&self) -> HandSession {
        self.session_with(channel()).await
    }

    /// A session with this fore channel.
    pub(crate) async fn session_with(&self, fore: ChannelAttrs4) -> HandSession {
        let known = self.introduce().await;
        let wish = CreateSession4Args { fore_chan_attrs: fore, ..wish(&known) };
        let made = self.create_session(wish).await.unwrap();
        HandSession { client: self.clone(), clientid: known.clientid, made, next: AtomicU32::new(1) }
    }

    /// DESTROY_SESSION.
    pub(crate) async fn destroy_session(&self, sessionid: Sessionid4) -> NfsStat4 {
        self.send(NfsArgop4::DestroySession(DestroySession4Args { sessionid })).await.status()
    }

    /// DESTROY_CLIENTID.
    pub(crate) async fn destroy_clientid(&self, clientid: u64) -> NfsStat4 {
        self.send(NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid })).await.status()
    }
}

/// A session whose slots are counted by hand.
pub(crate) struct HandSession {
    pub(crate) client: Newcomer,
    pub(crate) clientid: u64,
    /// What CREATE_SESSION answered.
    pub(crate) made: CreateSession4Resok,
    /// The sequence ID of the next request in slot 0.
    next: AtomicU32,
}

impl HandSession {
    /// SEQUENCE of a request in this slot, whose reply shall be kept.
    pub(crate) fn sequence(&self, slotid: u32, sequenceid: u32) -> Sequence4Args {
        let sessionid = self.made.sessionid;
        Sequence4Args { sessionid, sequenceid, slotid, highest_slotid: slotid, cachethis: true }
    }

    /// SEQUENCE of the next request in slot 0.
    pub(crate) fn next(&self) -> Sequence4Args {
        self.sequence(0, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Sends a compound behind this SEQUENCE, whose result is part of the reply.
    pub(crate) async fn send(&self, sequence: Sequence4Args, compound: &CompoundBuilder) -> Reply {
        self.client.call(behind(sequence, compound)).await
    }

    /// Sends a compound as the next request in slot 0.
    pub(crate) async fn run(&self, compound: &CompoundBuilder) -> Reply {
        self.send(self.next(), compound).await
    }

    /// Sends an operation as the next request in slot 0.
    pub(crate) async fn run_op(&self, op: NfsArgop4) -> Reply {
        self.run(&CompoundBuilder::new().op(op)).await
    }

    /// RECLAIM_COMPLETE, after which files can be opened.
    pub(crate) async fn ready(self) -> Self {
        assert_eq!(self.run(&CompoundBuilder::new().reclaim_complete()).await.status(), NfsStat4::Ok);
        self
    }
}

/// A compound with SEQUENCE in front.
pub(crate) fn behind(sequence: Sequence4Args, compound: &CompoundBuilder) -> CompoundBuilder {
    CompoundBuilder::new().sequence(sequence).ops(compound.clone().build(1).argarray)
}

/// The usual limits of a channel.
pub(crate) fn channel() -> ChannelAttrs4 {
    ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: 65_536,
        maxresponsesize: 65_536,
        maxresponsesize_cached: 4_096,
        maxoperations: 16,
        maxrequests: 4,
        rdma_ird: None,
    }
}

/// The usual arguments of CREATE_SESSION, for a client that EXCHANGE_ID made known.
pub(crate) fn wish(known: &ExchangeId4Resok) -> CreateSession4Args {
    CreateSession4Args {
        clientid: known.clientid,
        sequence: known.sequenceid,
        flags: 0,
        fore_chan_attrs: channel(),
        back_chan_attrs: ChannelAttrs4 { maxoperations: 2, maxrequests: 1, ..channel() },
        cb_program: 0x4000_0000,
        sec_parms: vec![CallbackSecParms4::None],
    }
}

/// The operations that a reply tells of, with their statuses.
pub(crate) fn done(reply: &Reply) -> Vec<(OpNum, NfsStat4)> {
    reply.results().iter().map(|result: &NfsResop4| (result.opnum(), result.status())).collect()
}
