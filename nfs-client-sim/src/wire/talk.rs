//! A client by hand: one request at a time, and every reply in full.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    CREATE_SESSION4_FLAG_CONN_BACK_CHAN, CallbackSecParms4, CbClient4, ChannelAttrs4, ClientOwner4, Compound4Args,
    Compound4Res, CreateSession4Args, CreateSession4Resok, DestroyClientid4Args, DestroySession4Args,
    EXCHGID4_FLAG_USE_NON_PNFS, ExchangeId4Args, ExchangeId4Resok, NFS4_CALLBACK, Netaddr4, NfsArgop4, NfsClientId4,
    NfsStat4, OpNum, ReclaimComplete4Args, Sequence4Args, Sessionid4, Setclientid4Args, Setclientid4Res,
    SetclientidConfirm4Args, StateProtect4A,
};
use nfs4_protocol::rpc::{AcceptedBody, AcceptedReply, ReplyBody, RpcBody, RpcMsg};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};
use tokio::time::Instant;

use super::{Callbacks, Incoming, Sent, Wire, call, compound_call};
use crate::{ClientOptions, Error, Reply, Result};

/// How long to wait for a reply.
const REPLY_WAIT: Duration = Duration::from_secs(10);
/// The largest request and reply to ask for, in bytes.
const CHANNEL_BYTES: u32 = (1 << 20) + 4096;
/// The largest reply that the server shall keep, in bytes.
const CACHED_BYTES: u32 = 4096;
/// Operations per compound to ask for: what ms-nfs41-client does, so that it is seen what a server makes of it.
const OPERATIONS: u32 = 16_384;
/// Slots to ask for, as many as ms-nfs41-client.
const SLOTS: u32 = 128;

/// Who the client says it is.
#[derive(Debug, Clone)]
pub(crate) struct Introduction {
    /// Name, verifier and user.
    pub(crate) options: ClientOptions,
    /// The minor version.
    pub(crate) minor: u32,
    /// Where a server of 4.0 finds the callback program; nowhere without it.
    pub(crate) callback: Option<SocketAddr>,
}

/// A client on one connection. In a session it uses slot 0 alone.
#[derive(Debug)]
pub(crate) struct Talk {
    wire: Wire,
    introduction: Introduction,
    /// The client ID, once there is one.
    pub(crate) clientid: u64,
    session: Option<Slot0>,
    /// What EXCHANGE_ID said.
    pub(crate) exchanged: Option<ExchangeId4Resok>,
    /// What CREATE_SESSION said.
    pub(crate) created: Option<CreateSession4Resok>,
    /// What the server asked for over this connection.
    pub(crate) callbacks: Callbacks,
}

/// The session, and the last sequence ID used in its slot 0.
#[derive(Debug, Clone, Copy)]
struct Slot0 {
    sessionid: Sessionid4,
    sequenceid: u32,
}

impl Talk {
    /// Connects, and says nothing yet.
    pub(crate) async fn open(addr: SocketAddr, introduction: Introduction) -> Result<Self> {
        let wire = Wire::open(addr).await?;
        let (exchanged, created, callbacks) = (None, None, Callbacks::default());
        Ok(Self { wire, introduction, clientid: 0, session: None, exchanged, created, callbacks })
    }

    /// Connects and makes the client known, up to the point where it may open files.
    pub(crate) async fn establish(addr: SocketAddr, introduction: Introduction) -> Result<Self> {
        let mut talk = Self::open(addr, introduction).await?;
        if talk.minor() == 0 {
            talk.set_clientid().await?;
        } else {
            talk.exchange_id(EXCHGID4_FLAG_USE_NON_PNFS).await?;
            talk.create_session().await?;
            talk.reclaim_complete().await?;
        }
        Ok(talk)
    }

    /// The minor version.
    pub(crate) const fn minor(&self) -> u32 {
        self.introduction.minor
    }

    /// Who the client says it is.
    pub(crate) const fn introduction(&self) -> &Introduction {
        &self.introduction
    }

    /// From now on servers of 4.0 are told to call back there.
    pub(crate) fn call_back_at(&mut self, addr: SocketAddr) {
        self.introduction.callback = Some(addr);
    }

    /// The connection.
    pub(crate) const fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }

    /// The session, in 4.1 and later.
    pub(crate) fn sessionid(&self) -> Option<Sessionid4> {
        self.session.map(|session| session.sessionid)
    }

    /// SETCLIENTID and its confirmation (RFC 7530 §9.1.1).
    pub(crate) async fn set_clientid(&mut self) -> Result<()> {
        let args = NfsArgop4::Setclientid(Box::new(self.setclientid_args()));
        let known = match self.bare(vec![args]).await?.setclientid()? {
            Setclientid4Res::Ok(known) => known,
            Setclientid4Res::ClidInuse(_) => return Err(failed(OpNum::Setclientid, NfsStat4::ClidInuse)),
            Setclientid4Res::Error(status) => return Err(failed(OpNum::Setclientid, status)),
        };
        self.clientid = known.clientid;
        let confirm =
            SetclientidConfirm4Args { clientid: known.clientid, setclientid_confirm: known.setclientid_confirm };
        self.bare(vec![NfsArgop4::SetclientidConfirm(confirm)]).await?.ok()
    }

    /// The arguments of SETCLIENTID.
    pub(crate) fn setclientid_args(&self) -> Setclientid4Args {
        let Introduction { options, callback, .. } = &self.introduction;
        let (netid, addr) = callback.map_or(("tcp", "0.0.0.0.0.0".to_owned()), |addr| universal_address(&addr));
        Setclientid4Args {
            client: NfsClientId4 { verifier: options.verifier, id: options.name.clone().into() },
            callback: CbClient4 {
                program: NFS4_CALLBACK,
                location: Netaddr4 { netid: netid.into(), addr: addr.into() },
            },
            callback_ident: 1,
        }
    }

    /// EXCHANGE_ID with these flags (RFC 8881 §18.35).
    pub(crate) async fn exchange_id(&mut self, flags: u32) -> Result<ExchangeId4Resok> {
        let args = NfsArgop4::ExchangeId(Box::new(self.exchange_id_args(flags)));
        let known = self.bare(vec![args]).await?.exchange_id()?;
        self.clientid = known.clientid;
        self.exchanged = Some(known.clone());
        Ok(known)
    }

    /// The arguments of EXCHANGE_ID.
    pub(crate) fn exchange_id_args(&self, flags: u32) -> ExchangeId4Args {
        let options = &self.introduction.options;
        ExchangeId4Args {
            clientowner: ClientOwner4 { verifier: options.verifier, ownerid: options.name.clone().into() },
            flags,
            state_protect: StateProtect4A::None,
            client_impl_id: None,
        }
    }

    /// CREATE_SESSION (RFC 8881 §18.36), after EXCHANGE_ID.
    pub(crate) async fn create_session(&mut self) -> Result<CreateSession4Resok> {
        let sequence = self.exchanged.as_ref().map_or(0, |known| known.sequenceid);
        self.create_session_with(self.create_session_args(sequence)).await
    }

    /// CREATE_SESSION with arguments of the caller; the session made is used from now on.
    pub(crate) async fn create_session_with(&mut self, args: CreateSession4Args) -> Result<CreateSession4Resok> {
        let created = self.bare(vec![NfsArgop4::CreateSession(Box::new(args))]).await?.create_session()?;
        self.session = Some(Slot0 { sessionid: created.sessionid, sequenceid: 0 });
        self.created = Some(created.clone());
        Ok(created)
    }

    /// The arguments of CREATE_SESSION.
    pub(crate) fn create_session_args(&self, sequence: u32) -> CreateSession4Args {
        let fore = ChannelAttrs4 {
            headerpadsize: 0,
            maxrequestsize: CHANNEL_BYTES,
            maxresponsesize: CHANNEL_BYTES,
            maxresponsesize_cached: CACHED_BYTES,
            maxoperations: OPERATIONS,
            maxrequests: SLOTS,
            rdma_ird: None,
        };
        // As Linux asks: 4 KiB, two operations.
        let back = ChannelAttrs4 {
            maxrequestsize: 4096,
            maxresponsesize: 4096,
            maxresponsesize_cached: 0,
            maxoperations: 2,
            maxrequests: 16,
            ..fore.clone()
        };
        CreateSession4Args {
            clientid: self.clientid,
            sequence,
            flags: CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
            fore_chan_attrs: fore,
            back_chan_attrs: back,
            cb_program: NFS4_CALLBACK,
            sec_parms: vec![CallbackSecParms4::Sys(self.introduction.options.auth_sys())],
        }
    }

    /// RECLAIM_COMPLETE for all file systems; that it was said already is no error.
    pub(crate) async fn reclaim_complete(&mut self) -> Result<()> {
        let args = NfsArgop4::ReclaimComplete(ReclaimComplete4Args { one_fs: false });
        match self.call(vec![args]).await?.ok() {
            Err(Error::Status { status: NfsStat4::CompleteAlready, .. }) => Ok(()),
            result => result,
        }
    }

    /// Ends session and client as far as the server lets it: what is left ends with the lease.
    pub(crate) async fn leave(mut self) {
        if let Some(sessionid) = self.sessionid() {
            let args = NfsArgop4::DestroySession(DestroySession4Args { sessionid });
            let clientid = self.clientid;
            if self.bare(vec![args]).await.is_ok() {
                let _ = self.bare(vec![NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid })]).await;
            }
        }
    }

    /// The arguments of SEQUENCE for the next request in slot 0.
    pub(crate) fn next_sequence(&mut self, cachethis: bool) -> Option<Sequence4Args> {
        let session = self.session.as_mut()?;
        session.sequenceid = session.sequenceid.wrapping_add(1);
        let Slot0 { sessionid, sequenceid } = *session;
        Some(Sequence4Args { sessionid, sequenceid, slotid: 0, highest_slotid: 0, cachethis })
    }

    /// Sends operations without SEQUENCE.
    pub(crate) async fn bare(&mut self, ops: Vec<NfsArgop4>) -> Result<Reply> {
        self.compound(ops).await.map(Reply::new)
    }

    /// Sends operations, in a session with SEQUENCE in front, whose result is taken out unless it failed.
    pub(crate) async fn call(&mut self, mut ops: Vec<NfsArgop4>) -> Result<Reply> {
        if let Some(sequence) = self.next_sequence(false) {
            ops.insert(0, NfsArgop4::Sequence(sequence));
        }
        let reply = self.compound(ops).await.map(Reply::new);
        let (reply, entered) = match reply {
            Ok(mut reply) => {
                let entered = self.session.is_none() || reply.take_sequence().is_some();
                (Ok(reply), entered)
            }
            // What was refused below NFS has not touched the slot; of what got no answer it is not known.
            Err(error) => {
                let refused = matches!(error, Error::Refused(_));
                (Err(error), !refused)
            }
        };
        if let Some(session) = self.session.as_mut().filter(|_| !entered) {
            session.sequenceid = session.sequenceid.wrapping_sub(1);
        }
        reply
    }

    /// Sends operations, and hands out the whole result.
    pub(crate) async fn compound(&mut self, ops: Vec<NfsArgop4>) -> Result<Compound4Res> {
        let args = Compound4Args { tag: Bytes::new(), minorversion: self.minor(), argarray: ops };
        let xid = self.wire.new_xid();
        let credential = self.introduction.options.credential();
        let record = self.exchange(xid, compound_call(xid, credential, &args)).await;
        let record = match record {
            Incoming::Record(record) => record,
            Incoming::Closed => return Err(Error::Lost("closed by the server".into())),
            Incoming::Silence => return Err(Error::Timeout(REPLY_WAIT)),
        };
        let mut d = Decoder::new(record);
        match RpcMsg::decode(&mut d)?.body {
            RpcBody::Reply(ReplyBody::Accepted(AcceptedReply { reply: AcceptedBody::Success, .. })) => {
                Ok(Compound4Res::decode(&mut d)?)
            }
            RpcBody::Reply(refusal) => Err(Error::Refused(Box::new(refusal))),
            RpcBody::Call(_) => Err(Error::Lost("a call came in the place of a reply".into())),
        }
    }

    /// Sends `count` operations that `encode` writes as it likes, in a session behind SEQUENCE. Returns the transaction
    /// ID and what came.
    pub(crate) async fn raw(&mut self, count: u32, encode: impl FnOnce(&mut Encoder)) -> (u32, Incoming) {
        let sequence = self.next_sequence(false);
        let xid = self.wire.new_xid();
        let mut e = call(xid, self.introduction.options.credential());
        e.opaque_slice(&[]);
        e.u32(self.minor());
        e.u32(count.saturating_add(u32::from(sequence.is_some())));
        if let Some(sequence) = sequence {
            NfsArgop4::Sequence(sequence).encode(&mut e);
        }
        encode(&mut e);
        (xid, self.exchange(xid, e.finish()).await)
    }

    /// Sends a message and waits for the reply to it; callbacks are answered meanwhile.
    pub(crate) async fn exchange(&mut self, xid: u32, message: Vec<Bytes>) -> Incoming {
        if self.wire.send_message(message).await != Sent::All {
            return Incoming::Closed;
        }
        self.attend(REPLY_WAIT, |_, reply_xid| reply_xid == Some(xid)).await
    }

    /// Answers callbacks until `done` says so of what came: the account of callbacks, and the transaction ID where it
    /// was a reply. Returns the last record.
    pub(crate) async fn attend(
        &mut self,
        wait: Duration,
        mut done: impl FnMut(&Callbacks, Option<u32>) -> bool,
    ) -> Incoming {
        let until = Instant::now() + wait;
        loop {
            let record = match self.wire.receive(until.saturating_duration_since(Instant::now())).await {
                Incoming::Record(record) => record,
                other => return other,
            };
            let mut d = Decoder::new(record.clone());
            let Ok(message) = RpcMsg::decode(&mut d) else { return Incoming::Record(record) };
            let reply_xid = match message.body {
                RpcBody::Reply(_) => Some(message.xid),
                RpcBody::Call(call) => {
                    let reply = self.callbacks.answer(message.xid, &call, d);
                    self.wire.send_message(reply).await;
                    None
                }
            };
            if done(&self.callbacks, reply_xid) {
                return Incoming::Record(record);
            }
        }
    }
}

/// The network ID and the universal address of a socket address (RFC 5665 §5.2.3).
fn universal_address(addr: &SocketAddr) -> (&'static str, String) {
    let netid = if addr.is_ipv4() { "tcp" } else { "tcp6" };
    let [high, low] = addr.port().to_be_bytes();
    (netid, format!("{}.{high}.{low}", addr.ip()))
}

fn failed(op: OpNum, status: NfsStat4) -> Error {
    Error::Status { op, status }
}
