//! Making a client known to a server.

use std::sync::Arc;

use nfs4_protocol::nfs4::{
    CREATE_SESSION4_FLAG_CONN_BACK_CHAN, CallbackSecParms4, CbClient4, ChannelAttrs4, ChannelDirFromClient4,
    ClientOwner4, CreateSession4Args, CreateSession4Resok, EXCHGID4_FLAG_CONFIRMED_R, ExchangeId4Args, Netaddr4,
    NfsClientId4, NfsStat4, OpNum, Sessionid4, Setclientid4Args, Setclientid4Res, StateProtect4A,
};
use nfs4_protocol::rpc::OpaqueAuth;

use crate::callback::Service;
use crate::{ClientOptions, CompoundBuilder, Connection, Error, Reply, Result, Session};

/// The address that says that nothing listens for callbacks.
const NO_CALLBACKS: &str = "0.0.0.0.0.0";
/// Room for everything in a request or reply but the data of READ or WRITE, in bytes.
const HEADERS: u32 = 4096;
/// The largest reply that a server shall keep, in bytes.
const CACHED_MAX: u32 = 4096;
/// Operations per compound to ask for.
const OPS: u32 = 32;
/// Operations per callback to offer, and slots for callbacks, when they are served.
const CALLBACK_OPS: u32 = 16;
const CALLBACK_SLOTS: u32 = 16;

/// What the server knows the client by.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// Moves on whenever the client becomes known anew.
    pub(crate) epoch: u64,
    pub(crate) clientid: u64,
    pub(crate) session: Option<Arc<Session>>,
    /// The sequence of the next CREATE_SESSION.
    pub(crate) sequence: u32,
    /// Whether the session has a back channel.
    pub(crate) has_back_channel: bool,
    pub(crate) ops_max: usize,
    pub(crate) io_bytes_max: u32,
}

/// The calls before there is a session.
pub(crate) struct Greeting<'a> {
    pub(crate) connection: Connection,
    pub(crate) minor: u32,
    pub(crate) options: &'a ClientOptions,
    pub(crate) credential: &'a OpaqueAuth,
    pub(crate) service: Option<&'a Service>,
    /// Where callbacks of 4.0 are listened for.
    pub(crate) location: Option<Netaddr4>,
}

impl Greeting<'_> {
    async fn call(&self, compound: CompoundBuilder) -> Result<Reply> {
        let mut args = compound.build(self.minor);
        self.options.shape.apply(&mut args);
        self.connection.compound(self.credential.clone(), &args).await.map(Reply::new)
    }

    /// Makes the client known as a new one, or again.
    pub(crate) async fn establish(&self, epoch: u64) -> Result<Link> {
        if self.minor == 0 { self.set_clientid(epoch).await } else { Ok(self.open_session(epoch, None).await?.0) }
    }

    /// SETCLIENTID and its confirmation (RFC 7530 §9.1.1).
    async fn set_clientid(&self, epoch: u64) -> Result<Link> {
        let nowhere = || Netaddr4 { netid: "tcp".into(), addr: NO_CALLBACKS.into() };
        let location = self.location.clone().unwrap_or_else(nowhere);
        let args = Setclientid4Args {
            client: NfsClientId4 { verifier: self.options.verifier, id: self.options.name.clone().into() },
            callback: CbClient4 { program: self.options.shape.cb_program, location },
            callback_ident: 1,
        };
        let known = match self.call(CompoundBuilder::new().setclientid(args)).await?.setclientid()? {
            Setclientid4Res::Ok(known) => known,
            Setclientid4Res::ClidInuse(_) => return Err(failed(OpNum::Setclientid, NfsStat4::ClidInuse)),
            Setclientid4Res::Error(status) => return Err(failed(OpNum::Setclientid, status)),
        };
        let clientid = known.clientid;
        let confirm = CompoundBuilder::new().setclientid_confirm(clientid, known.setclientid_confirm);
        self.call(confirm).await?.setclientid_confirm()?;
        Ok(Link {
            epoch,
            clientid,
            session: None,
            sequence: 0,
            has_back_channel: false,
            ops_max: OPS as usize,
            io_bytes_max: u32::MAX,
        })
    }

    /// A session (RFC 8881 §18.35, §18.36): for the client ID of `before` if the server still knows it, else for a new
    /// one. Returns whether the client ID, and so the state, is the one of before.
    pub(crate) async fn open_session(&self, epoch: u64, before: Option<&Link>) -> Result<(Link, bool)> {
        if let Some(before) = before {
            match self.create_session(epoch, before.clientid, before.sequence).await {
                Ok(link) => return Ok((link, true)),
                Err(Error::Status { status: NfsStat4::StaleClientid | NfsStat4::SeqMisordered, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let args = ExchangeId4Args {
            clientowner: ClientOwner4 { verifier: self.options.verifier, ownerid: self.options.name.clone().into() },
            flags: self.options.shape.exchange_id_flags,
            state_protect: StateProtect4A::None,
            client_impl_id: self.options.shape.implementation.clone(),
        };
        let known = self.call(CompoundBuilder::new().exchange_id(args)).await?.exchange_id()?;
        let is_confirmed = known.flags & EXCHGID4_FLAG_CONFIRMED_R != 0;
        let is_kept = is_confirmed && before.is_some_and(|before| before.clientid == known.clientid);
        Ok((self.create_session(epoch, known.clientid, known.sequenceid).await?, is_kept))
    }

    async fn create_session(&self, epoch: u64, clientid: u64, sequence: u32) -> Result<Link> {
        let shape = &self.options.shape;
        let wish = if self.service.is_some() { CREATE_SESSION4_FLAG_CONN_BACK_CHAN } else { 0 };
        let args = CreateSession4Args {
            clientid,
            sequence,
            flags: shape.create_session_flags | wish,
            fore_chan_attrs: shape.fore_channel.clone().unwrap_or_else(|| fore_channel(self.options)),
            back_chan_attrs: shape.back_channel.clone().unwrap_or_else(|| back_channel(self.service.is_some())),
            cb_program: shape.cb_program,
            sec_parms: vec![CallbackSecParms4::Sys(self.options.auth_sys())],
        };
        if let Some(service) = self.service {
            service.expect_session();
        }
        let made = self.call(CompoundBuilder::new().create_session(args)).await?.create_session()?;
        Ok(self.link(epoch, clientid, &made))
    }

    fn link(&self, epoch: u64, clientid: u64, made: &CreateSession4Resok) -> Link {
        let granted = &made.fore_chan_attrs;
        let session = Arc::new(Session::new(made.sessionid, granted.maxrequests));
        let has_back_channel = made.flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN != 0;
        if let Some(service) = self.service {
            service.open_channel(&session, made.back_chan_attrs.maxrequests, made.back_chan_attrs.maxoperations);
        }
        Link {
            epoch,
            clientid,
            session: Some(session),
            sequence: made.sequence.wrapping_add(1),
            has_back_channel,
            ops_max: granted.maxoperations as usize,
            io_bytes_max: granted.maxrequestsize.min(granted.maxresponsesize).saturating_sub(HEADERS),
        }
    }

    /// Binds the connection to a session (RFC 8881 §18.34), with callbacks also for the back channel.
    pub(crate) async fn bind(&self, session: Sessionid4) -> Result<()> {
        let dir = match self.service {
            Some(_) => ChannelDirFromClient4::ForeOrBoth,
            None => ChannelDirFromClient4::Fore,
        };
        let bind = CompoundBuilder::new().bind_conn_to_session(session, dir);
        self.call(bind).await?.bind_conn_to_session().map(drop)
    }

    pub(crate) async fn destroy_session(&self, session: Sessionid4) -> Result<()> {
        self.call(CompoundBuilder::new().destroy_session(session)).await?.destroy_session()
    }

    pub(crate) async fn destroy_clientid(&self, clientid: u64) -> Result<()> {
        self.call(CompoundBuilder::new().destroy_clientid(clientid)).await?.destroy_clientid()
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

fn back_channel(is_served: bool) -> ChannelAttrs4 {
    let (maxoperations, maxrequests) = if is_served { (CALLBACK_OPS, CALLBACK_SLOTS) } else { (2, 1) };
    ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: HEADERS,
        maxresponsesize: HEADERS,
        maxresponsesize_cached: 0,
        maxoperations,
        maxrequests,
        rdma_ird: None,
    }
}

fn failed(op: OpNum, status: NfsStat4) -> Error {
    Error::Status { op, status }
}
