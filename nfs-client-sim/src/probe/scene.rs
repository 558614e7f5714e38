//! What all themes look at: a server, one of its minor versions, a directory.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Attrs, Bitmap4, Getattr4Args, Lookup4Args, NfsArgop4, NfsFh4, NfsResop4, NfsStat4, OpNum, Putfh4Args,
};

use tokio::time::Instant;

use super::report::Notes;
use crate::wire::{Callbacks, Introduction, Listener, Talk};
use crate::{ClientOptions, Error, Reply, Result};

/// How often it is looked whether a callback came.
const CALLBACK_PAUSE: Duration = Duration::from_millis(20);

/// A minor version of a server, seen by a client of its own.
pub(super) struct Scene {
    pub(super) addr: SocketAddr,
    pub(super) minor: u32,
    /// The names from the root to the directory.
    pub(super) names: Vec<Bytes>,
    /// The directory's filehandle; empty until the path was walked.
    pub(super) directory: NfsFh4,
    pub(super) talk: Talk,
    /// Where a server of 4.0 calls back.
    listener: Option<Listener>,
    pub(super) notes: Notes,
}

impl Scene {
    /// A client that says nothing yet.
    pub(super) async fn open(addr: SocketAddr, minor: u32, names: Vec<Bytes>) -> Result<Self> {
        let mut talk = Talk::open(addr, introduction(minor)).await?;
        let mut listener = None;
        if minor == 0 {
            let started = Listener::start(talk.wire().local_addr()?).await?;
            talk.call_back_at(started.addr());
            listener = Some(started);
        }
        Ok(Self { addr, minor, names, directory: NfsFh4::default(), talk, listener, notes: Notes::default() })
    }

    /// The same client on another connection, after the server ended or forgot the first one.
    pub(super) async fn start_over(&mut self) -> Result<()> {
        self.talk = Talk::establish(self.addr, self.talk.introduction().clone()).await?;
        Ok(())
    }

    /// Waits until `done` says so of the callbacks that came, no longer than `wait`. Returns all that came.
    pub(super) async fn callbacks(&mut self, wait: Duration, done: fn(&Callbacks) -> bool) -> Callbacks {
        if done(&self.talk.callbacks) {
            return self.talk.callbacks.clone();
        }
        let Some(listener) = &self.listener else {
            self.talk.attend(wait, |callbacks, _| done(callbacks)).await;
            return self.talk.callbacks.clone();
        };
        let until = Instant::now() + wait;
        while !done(&listener.seen()) && Instant::now() < until {
            tokio::time::sleep(CALLBACK_PAUSE).await;
        }
        listener.seen()
    }

    /// PUTFH of the directory.
    pub(super) fn at_directory(&self) -> NfsArgop4 {
        at(&self.directory)
    }

    /// Operations at the directory.
    pub(super) async fn ask(&mut self, ops: impl IntoIterator<Item = NfsArgop4>) -> Result<Reply> {
        let mut all = vec![self.at_directory()];
        all.extend(ops);
        self.talk.call(all).await
    }

    /// GETATTR of the directory.
    pub(super) async fn attributes(&mut self, attributes: &[u32]) -> Result<Attrs> {
        self.ask([getattr(attributes)]).await?.getattr()
    }
}

/// Who a probe says it is: nobody that was there before.
pub(super) fn introduction(minor: u32) -> Introduction {
    Introduction { options: ClientOptions::default(), minor, callback: None }
}

/// PUTFH.
pub(super) fn at(handle: &NfsFh4) -> NfsArgop4 {
    NfsArgop4::Putfh(Putfh4Args { object: handle.clone() })
}

/// GETATTR.
pub(super) fn getattr(attributes: &[u32]) -> NfsArgop4 {
    let attr_request: Bitmap4 = attributes.iter().copied().collect();
    NfsArgop4::Getattr(Getattr4Args { attr_request })
}

/// LOOKUP.
pub(super) fn lookup(name: impl Into<Bytes>) -> NfsArgop4 {
    NfsArgop4::Lookup(Lookup4Args { objname: name.into() })
}

/// The filehandle at the end of a path from the root.
pub(super) async fn walk(talk: &mut Talk, names: &[Bytes]) -> Result<NfsFh4> {
    let mut handle = talk.call(vec![NfsArgop4::Putrootfh, NfsArgop4::Getfh]).await?.getfh()?;
    for name in names {
        handle = talk.call(vec![at(&handle), lookup(name.clone()), NfsArgop4::Getfh]).await?.getfh()?;
    }
    Ok(handle)
}

/// The last result of an operation in a reply.
pub(super) fn result_of(reply: &Reply, op: OpNum) -> Option<&NfsResop4> {
    reply.results().iter().rev().find(|result| result.opnum() == op)
}

/// The status of an operation in a reply. A server that does not know it answers for OP_ILLEGAL in its place.
///
/// # Errors
/// When the reply did not get that far.
pub(super) fn status_of(reply: &Reply, op: OpNum) -> Result<NfsStat4> {
    match result_of(reply, op).or_else(|| result_of(reply, OpNum::Illegal)) {
        Some(result) => Ok(result.status()),
        None => Err(reply.ok().err().unwrap_or(Error::Missing(op))),
    }
}
