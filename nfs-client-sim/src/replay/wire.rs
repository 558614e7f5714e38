//! Calls on their way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use nfs4_protocol::nfs4::Compound4Res;
use nfs4_protocol::rpc::{AcceptedBody, AcceptedReply, CallBody, OpaqueAuth, ReplyBody};
use nfs4_protocol::xdr::{Decoder, Encode, Encoder, from_bytes};
use tokio_util::task::AbortOnDropHandle;

use crate::trace::{Arguments, Reply, Results};
use crate::{Connection, Error, Result};

/// The connections of a replay, by their numbers in the recording.
#[derive(Debug)]
pub(super) struct Connections {
    server: SocketAddr,
    reply_wait: Duration,
    open: HashMap<u32, Connection>,
}

/// A call that was sent.
pub(super) enum Sent {
    /// Its outcome came at once.
    Over(Result<Reply>),
    /// It is waited for.
    Flying(AbortOnDropHandle<Result<Reply>>),
}

impl Connections {
    pub(super) fn new(server: SocketAddr, reply_wait: Duration) -> Self {
        Self { server, reply_wait, open: HashMap::new() }
    }

    /// Sends a call over the connection with this number, which is opened if need be. Calls go out in the order in
    /// which they are sent.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub(super) async fn send(&mut self, number: u32, header: &CallBody, arguments: Arguments) -> Result<Sent> {
        let connection = match self.open.get(&number) {
            Some(connection) => connection.clone(),
            None => {
                let connection = Connection::open(self.server, self.reply_wait).await?;
                self.open.insert(number, connection.clone());
                connection
            }
        };
        let mut call: BoxFuture<'static, _> = call(connection, header.clone(), arguments).boxed();
        // The first poll is what puts the message into the queue of the connection.
        Ok(match futures::poll!(&mut call) {
            std::task::Poll::Ready(outcome) => Sent::Over(outcome),
            std::task::Poll::Pending => Sent::Flying(AbortOnDropHandle::new(tokio::spawn(call))),
        })
    }

    pub(super) fn close(&mut self, number: u32) {
        self.open.remove(&number);
    }
}

impl Sent {
    pub(super) async fn outcome(self) -> Result<Reply> {
        match self {
            Self::Over(outcome) => outcome,
            Self::Flying(call) => call.await.unwrap_or_else(|error| Err(Error::Lost(error.to_string()))),
        }
    }
}

async fn call(connection: Connection, header: CallBody, arguments: Arguments) -> Result<Reply> {
    let is_compound = matches!(arguments, Arguments::Compound(_));
    let encode = |e: &mut Encoder| match &arguments {
        Arguments::Null => {}
        Arguments::Compound(args) => args.encode(e),
        Arguments::CbCompound(args) => args.encode(e),
        Arguments::Opaque(bytes, _) => e.opaque_fixed(bytes),
    };
    match connection.call(header.prog, header.vers, header.procedure, header.cred, encode).await {
        Ok(results) => Ok(Reply { xid: 0, header: success(), results: decode(results, is_compound) }),
        Err(Error::Refused(refusal)) => Ok(Reply { xid: 0, header: *refusal, results: Results::Null }),
        Err(error) => Err(error),
    }
}

fn decode(mut results: Decoder, is_compound: bool) -> Results {
    let body = results.take_rest();
    if body.is_empty() {
        return Results::Null;
    }
    match from_bytes::<Compound4Res>(body.clone()) {
        // What is no compound in the recording is no NFSv4, or not readable; its results are shown as they are.
        Ok(result) if is_compound => Results::Compound(result),
        Ok(_) => Results::Opaque(body, nfs4_protocol::xdr::XdrError::Trailing(0).into()),
        Err(error) => Results::Opaque(body, error.into()),
    }
}

const fn success() -> ReplyBody {
    ReplyBody::Accepted(AcceptedReply { verf: OpaqueAuth::NONE, reply: AcceptedBody::Success })
}
