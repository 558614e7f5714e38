//! Making a client known to a server.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    CallbackSecParms4, CbClient4, ChannelAttrs4, ClientOwner4, CreateSession4Args, DestroyClientid4Args,
    DestroySession4Args, EXCHGID4_FLAG_USE_NON_PNFS, ExchangeId4Args, Netaddr4, NfsArgop4, NfsClientId4, NfsStat4,
    OpNum, Sessionid4, Setclientid4Args, Setclientid4Res, SetclientidConfirm4Args, StateProtect4A,
};
use nfs4_protocol::rpc::OpaqueAuth;

use crate::{ClientOptions, CompoundBuilder, Connection, Error, Reply, Result, Session};

/// The callback program, of the range for transient ones. Nothing answers for it.
const CALLBACK_PROGRAM: u32 = 0x4000_0000;
/// Room for everything in a request or reply but the data of READ or WRITE, in bytes.
const HEADERS: u32 = 4096;
/// The largest reply that a server shall keep, in bytes.
const CACHED_MAX: u32 = 4096;
/// Operations per compound to ask for.
const OPS: u32 = 32;

/// What the server knows the client by, and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) connection: Connection,
    pub(crate) clientid: u64,
    pub(crate) session: Option<Arc<Session>>,
    pub(crate) ops_max: usize,
    pub(crate) io_bytes_max: u32,
}

/// The calls before there is a session.
struct Greeting<'a> {
    connection: Connection,
    minor: u32,
    credential: &'a OpaqueAuth,
}

pub(crate) async fn establish(
    addr: SocketAddr,
    minor: u32,
    options: &ClientOptions,
    credential: &OpaqueAuth,
) -> Result<Link> {
    let connection = Connection::open(addr, options.reply_wait).await?;
    let greeting = Greeting { connection, minor, credential };
    if minor == 0 { greeting.set_clientid(options).await } else { greeting.open_session(options).await }
}

/// Ends the session and the client of 4.1 and later.
pub(crate) async fn destroy(minor: u32, link: &Link, sessionid: Sessionid4, credential: &OpaqueAuth) -> Result<()> {
    let greeting = Greeting { connection: link.connection.clone(), minor, credential };
    greeting.call(NfsArgop4::DestroySession(DestroySession4Args { sessionid })).await?.destroy_session()?;
    let clientid = link.clientid;
    greeting.call(NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid })).await?.destroy_clientid()
}

impl Greeting<'_> {
    async fn call(&self, op: NfsArgop4) -> Result<Reply> {
        let args = CompoundBuilder::new().op(op).build(self.minor);
        self.connection.compound(self.credential.clone(), &args).await.map(Reply::new)
    }

    /// SETCLIENTID and its confirmation (RFC 7530 §9.1.1).
    async fn set_clientid(self, options: &ClientOptions) -> Result<Link> {
        let text = Bytes::from_static;
        let location = Netaddr4 { netid: text(b"tcp"), addr: text(b"0.0.0.0.0.0") };
        let args = Setclientid4Args {
            client: NfsClientId4 { verifier: options.verifier, id: options.name.clone().into() },
            callback: CbClient4 { program: CALLBACK_PROGRAM, location },
            callback_ident: 1,
        };
        let known = match self.call(NfsArgop4::Setclientid(Box::new(args))).await?.setclientid()? {
            Setclientid4Res::Ok(known) => known,
            Setclientid4Res::ClidInuse(_) => return Err(failed(OpNum::Setclientid, NfsStat4::ClidInuse)),
            Setclientid4Res::Error(status) => return Err(failed(OpNum::Setclientid, status)),
        };
        let clientid = known.clientid;
        let confirm = SetclientidConfirm4Args { clientid, setclientid_confirm: known.setclientid_confirm };
        self.call(NfsArgop4::SetclientidConfirm(confirm)).await?.setclientid_confirm()?;
        let ops_max = OPS as usize;
        Ok(Link { connection: self.connection, clientid, session: None, ops_max, io_bytes_max: u32::MAX })
    }

    /// EXCHANGE_ID and CREATE_SESSION (RFC 8881 §18.35, §18.36).
    async fn open_session(self, options: &ClientOptions) -> Result<Link> {
        let args = ExchangeId4Args {
            clientowner: ClientOwner4 { verifier: options.verifier, ownerid: options.name.clone().into() },
            flags: EXCHGID4_FLAG_USE_NON_PNFS,
            state_protect: StateProtect4A::None,
            client_impl_id: None,
        };
        let known = self.call(NfsArgop4::ExchangeId(Box::new(args))).await?.exchange_id()?;
        let args = CreateSession4Args {
            clientid: known.clientid,
            sequence: known.sequenceid,
            flags: 0,
            fore_chan_attrs: fore_channel(options),
            back_chan_attrs: back_channel(),
            cb_program: CALLBACK_PROGRAM,
            sec_parms: vec![CallbackSecParms4::Sys(options.auth_sys())],
        };
        let made = self.call(NfsArgop4::CreateSession(Box::new(args))).await?.create_session()?;
        let granted = &made.fore_chan_attrs;
        Ok(Link {
            connection: self.connection,
            clientid: known.clientid,
            session: Some(Arc::new(Session::new(made.sessionid, granted.maxrequests))),
            ops_max: granted.maxoperations as usize,
            io_bytes_max: granted.maxrequestsize.min(granted.maxresponsesize).saturating_sub(HEADERS),
        })
    }
}

fn fore_channel(options: &ClientOptions) -> ChannelAttrs4 {
    let size = options.io_bytes.saturating_add(HEADERS);
    ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: size,
        maxresponsesize: size,
        maxresponsesize_cached: CACHED_MAX,
        maxoperations: OPS,
        maxrequests: options.slots,
        rdma_ird: None,
    }
}

fn back_channel() -> ChannelAttrs4 {
    ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: HEADERS,
        maxresponsesize: HEADERS,
        maxresponsesize_cached: 0,
        maxoperations: 2,
        maxrequests: 1,
        rdma_ird: None,
    }
}

fn failed(op: OpNum, status: NfsStat4) -> Error {
    Error::Status { op, status }
}
