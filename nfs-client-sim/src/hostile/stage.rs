//! Where the cases play: the server, a folder of their own, and the means to send what must not be sent.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::{Compound4Args, NfsArgop4, NfsFh4, Putfh4Args, Verifier4};
use nfs4_protocol::xdr::{Encode, Encoder};

use super::answer::Answer;
use crate::wire::{Introduction, Talk, Wire, call, compound_call};
use crate::{Client, ClientOptions, Result};

/// How long a server may take to answer, or to close a connection.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// The file that the cases look at.
pub(super) const FILE: &str = "file";
/// Its content.
pub(super) const CONTENT: &[u8] = &[0x5a; 8192];

/// Everything that a case may use.
pub(super) struct Stage {
    pub(super) addr: SocketAddr,
    /// The minor versions that the server offers, ascending.
    pub(super) minors: Vec<u32>,
    /// A folder that is removed in the end, with one file in it.
    pub(super) folder: NfsFh4,
    /// The file.
    pub(super) file: NfsFh4,
    /// How many connections the case with very many opens.
    pub(super) connections: usize,
    /// Connections that stay open until the honest client was served.
    pub(super) held: Vec<Wire>,
    options: ClientOptions,
}

impl Stage {
    pub(super) fn new(addr: SocketAddr, minors: Vec<u32>, folder: NfsFh4, file: NfsFh4, connections: usize) -> Self {
        Self { addr, minors, folder, file, connections, held: Vec::new(), options: ClientOptions::default() }
    }

    /// The lowest minor version: operations of 4.0 need no session.
    pub(super) fn lowest(&self) -> u32 {
        self.minors.first().copied().unwrap_or_default()
    }

    /// A connection.
    pub(super) async fn wire(&self) -> Result<Wire> {
        Wire::open(self.addr).await
    }

    /// Sends a message on a connection of its own.
    pub(super) async fn message(&self, xid: u32, message: Vec<Bytes>) -> Result<Answer> {
        let mut wire = self.wire().await?;
        wire.send_message(message).await;
        Ok(Answer::of(wire.receive(ANSWER_WAIT).await, xid))
    }

    /// Sends bytes on a connection of its own, and the end of the connection after them where `end` says so.
    pub(super) async fn bytes(&self, bytes: &[u8], end: bool) -> Result<Answer> {
        let mut wire = self.wire().await?;
        wire.send(bytes).await;
        if end {
            wire.end().await;
        }
        Ok(Answer::of(wire.receive(ANSWER_WAIT).await, 0))
    }

    /// Calls COMPOUND with arguments written by hand, outside of any session.
    pub(super) async fn arguments(&self, encode: impl FnOnce(&mut Encoder)) -> Result<Answer> {
        let mut e = call(1, self.options.credential());
        encode(&mut e);
        self.message(1, e.finish()).await
    }

    /// Calls COMPOUND with operations outside of any session.
    pub(super) async fn compound(&self, minorversion: u32, tag: &[u8], ops: Vec<NfsArgop4>) -> Result<Answer> {
        let args = Compound4Args { tag: Bytes::copy_from_slice(tag), minorversion, argarray: ops };
        self.message(1, compound_call(1, self.options.credential(), &args)).await
    }

    /// A client of the lowest minor version, known to the server.
    pub(super) async fn talk(&self) -> Result<Talk> {
        self.talk_in(self.lowest()).await
    }

    /// A client of this minor version, known to the server.
    pub(super) async fn talk_in(&self, minor: u32) -> Result<Talk> {
        Talk::establish(self.addr, self.introduction(minor)).await
    }

    /// A client of a session, which the lowest of the later minor versions has.
    pub(super) async fn session(&self) -> Result<Talk> {
        self.talk_in(self.session_minor()).await
    }

    /// The lowest minor version with sessions.
    pub(super) fn session_minor(&self) -> u32 {
        self.minors.iter().copied().find(|minor| *minor > 0).unwrap_or(1)
    }

    /// Who the cases say they are: a client of its own for each minor version.
    pub(super) fn introduction(&self, minor: u32) -> Introduction {
        let name = format!("{} hostile 4.{minor}", self.options.name);
        Introduction { options: ClientOptions { name, ..self.options.clone() }, minor, callback: None }
    }

    /// As [`Stage::introduction`], but a client that nobody else is.
    pub(super) fn stranger(&self, minor: u32) -> Introduction {
        Introduction { options: ClientOptions::default(), minor, callback: None }
    }

    /// A verifier of another life of the same client.
    pub(super) fn other_verifier(&self) -> Verifier4 {
        let Verifier4(mut bytes) = self.options.verifier;
        bytes.reverse();
        Verifier4(bytes)
    }

    /// Sends `count` operations written by hand, in a session where the lowest minor version wants one.
    pub(super) async fn raw(&self, count: u32, encode: impl FnOnce(&mut Encoder)) -> Result<Answer> {
        let mut talk = self.talk().await?;
        let (xid, incoming) = talk.raw(count, encode).await;
        talk.leave().await;
        Ok(Answer::of(incoming, xid))
    }

    /// Sends operations, in a session where the lowest minor version wants one.
    pub(super) async fn ops(&self, ops: Vec<NfsArgop4>) -> Result<Answer> {
        let count = u32::try_from(ops.len()).unwrap_or(u32::MAX);
        self.raw(count, |e| ops.iter().for_each(|op| op.encode(e))).await
    }

    /// PUTFH of the folder.
    pub(super) fn at_folder(&self) -> NfsArgop4 {
        NfsArgop4::Putfh(Putfh4Args { object: self.folder.clone() })
    }

    /// PUTFH of the file.
    pub(super) fn at_file(&self) -> NfsArgop4 {
        NfsArgop4::Putfh(Putfh4Args { object: self.file.clone() })
    }

    /// An honest client of the lowest minor version.
    pub(super) async fn client(&self) -> Result<Client> {
        Client::connect(self.addr, self.lowest(), ClientOptions::default()).await
    }
}

/// Operations that `talk` sends, in its session.
pub(super) async fn ask(talk: &mut Talk, ops: Vec<NfsArgop4>) -> Answer {
    let count = u32::try_from(ops.len()).unwrap_or(u32::MAX);
    let (xid, incoming) = talk.raw(count, |e| ops.iter().for_each(|op| op.encode(e))).await;
    Answer::of(incoming, xid)
}

/// Operations that `talk` sends without SEQUENCE.
pub(super) async fn ask_bare(talk: &mut Talk, ops: Vec<NfsArgop4>) -> Answer {
    let args = Compound4Args { tag: Bytes::new(), minorversion: talk.minor(), argarray: ops };
    let xid = talk.wire().new_xid();
    let message = compound_call(xid, talk.introduction().options.credential(), &args);
    let incoming = talk.exchange(xid, message).await;
    Answer::of(incoming, xid)
}
