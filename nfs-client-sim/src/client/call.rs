//! How compounds are sent, and sent again.

use futures::future::{BoxFuture, FutureExt};
use nfs4_protocol::nfs4::{Compound4Args, NfsArgop4, NfsStat4, OpNum, Stateid4};
use tokio::sync::{MutexGuard, RwLockReadGuard};

use super::lanes::Lane;
use super::trouble::Trouble;
use super::{Link, Patience};
use crate::files::OpenState;
use crate::{Client, CompoundBuilder, Connection, OpenOwner, Recovery, Reply, Result};

/// How often one request is sent again after a recovery.
const RECOVERIES_MAX: u32 = 8;

/// A request that depends on state, which may be another one after a recovery: so it is made anew for each try.
pub(crate) struct Request<'a> {
    pub(crate) build: &'a (dyn Fn() -> CompoundBuilder + Send + Sync),
    /// Sees each reply, before the next try.
    pub(crate) note: &'a (dyn Fn(&Reply) + Send + Sync),
    /// The open files that it is about.
    pub(crate) files: &'a [&'a OpenState],
}

/// A reply. As long as this lives, no recovery changes the state that the reply tells of.
pub(crate) struct Settled<'a> {
    pub(crate) reply: Reply,
    _gate: RwLockReadGuard<'a, ()>,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Client {
    /// Sends a compound as it is, without a SEQUENCE of its own, once. An error status is part of the reply.
    ///
    /// # Errors
    /// Those of the connection and of RPC.
    pub async fn call_bare(&self, compound: CompoundBuilder) -> Result<Reply> {
        let args = self.shaped(compound);
        self.connection().compound(self.credential(), &args).await.map(Reply::new)
    }

    /// Sends a compound, in 4.1 and later in a slot of the session and with SEQUENCE in front, whose result is taken
    /// out of the reply unless it failed. An error status is part of the reply. With
    /// [`Recovery::Reconnect`] and above, the connection may be replaced meanwhile.
    ///
    /// # Errors
    /// Those of the connection and of RPC.
    pub fn call(&self, compound: CompoundBuilder) -> BoxFuture<'_, Result<Reply>> {
        // Boxed, as are the futures that all others are built on: else each crate that uses them compiles them again.
        async move { self.call_in(&self.present_link(), compound).await }.boxed()
    }

    pub(crate) async fn call_in(&self, link: &Link, compound: CompoundBuilder) -> Result<Reply> {
        let Some(session) = &link.session else {
            return self.send(link, compound).await;
        };
        let slot = session.slot().await?;
        let sequence = NfsArgop4::Sequence(slot.sequence(compound.is_kept()));
        let compound = compound.first(sequence);
        let mut reply = self.send(link, compound.clone()).await?;
        let mut patience = self.patience();
        let reconnects = self.options().recovery >= Recovery::Reconnect;
        // The first try may still be at work: only in its own slot is the next one known for the same request (RFC 8881
        // §2.10.6.2).
        while reconnects && reply.failure() == Some((OpNum::Sequence, NfsStat4::Delay)) && patience.wait().await {
            reply = self.send(link, compound.clone()).await?;
        }
        match reply.take_sequence() {
            Some(result) => {
                if session.note(&result) {
                    self.inner.attention.notify_one();
                }
                slot.done(true);
            }
            None => match reply.failure() {
                // The server's sequence ID is another one: the slot is of no use.
                Some((OpNum::Sequence, NfsStat4::SeqMisordered)) => drop(slot),
                Some((OpNum::Sequence, NfsStat4::Delay)) if reconnects => drop(slot),
                Some((OpNum::Sequence, NfsStat4::RetryUncachedRep | NfsStat4::SeqFalseRetry)) => slot.done(true),
                _ => slot.done(false),
            },
        }
        Ok(reply)
    }

    /// Sends a compound until there is a reply, as far as the options allow that: always the same message.
    async fn send(&self, link: &Link, compound: CompoundBuilder) -> Result<Reply> {
        let lanes = &self.inner.lanes;
        let lane = lanes.next();
        let call = lanes.how().compound(self.credential(), &self.shaped(compound));
        let mut patience: Option<Patience> = None;
        loop {
            let connection = lane.connection();
            let error = match connection.exchange_compound(&call).await {
                Ok(result) => return Ok(Reply::new(result)),
                Err(error) if error.is_unanswered() && self.options().recovery >= Recovery::Reconnect => error,
                Err(error) => return Err(error),
            };
            // A retry must not come over the same connection (RFC 8881 §2.9.2).
            connection.give_up("another connection takes over");
            if !patience.get_or_insert_with(|| self.patience()).wait().await {
                return Err(error);
            }
            match self.replace(link, lane, &connection).await {
                Err(error) if !error.is_lost() => return Err(error),
                // While the server cannot be reached, the lost connection stays, and fails at once.
                _ => {}
            }
        }
    }

    /// Makes a new connection in the place of a lost one, unless somebody else did.
    pub(crate) async fn replace(&self, link: &Link, lane: &Lane, lost: &Connection) -> Result<()> {
        let Some(replacing) = lane.replacing(lost).await else { return Ok(()) };
        let connection = Connection::dial(self.inner.lanes.how()).await?;
        if link.has_back_channel
            && let Some(session) = &link.session
        {
            // An error other than a lost connection will be that of the request as well.
            match self.greeting(connection.clone()).bind(session.id()).await {
                Err(error) if error.is_lost() => return Err(error),
                _ => {}
            }
        }
        replacing.put(connection);
        Ok(())
    }

    fn shaped(&self, compound: CompoundBuilder) -> Compound4Args {
        let mut args = compound.build(self.minor());
        self.options().shape.apply(&mut args);
        args
    }

    /// As [`Client::call`], and goes on while the server asks to come back later, and after recoveries.
    pub(crate) fn run(&self, compound: CompoundBuilder) -> BoxFuture<'_, Result<Reply>> {
        let run = async move {
            let request = Request { build: &|| compound.clone(), note: &|_| {}, files: &[] };
            Ok(self.settle(request).await?.reply)
        };
        run.boxed()
    }

    /// Sends a request until the server neither asks to come back later nor has forgotten the client, as far as the
    /// options allow that.
    pub(crate) async fn settle(&self, request: Request<'_>) -> Result<Settled<'_>> {
        let mut patience = self.patience();
        let mut recoveries = 0;
        loop {
            request.files.iter().try_for_each(|file| file.check())?;
            let gate = self.inner.gate.read().await;
            let link = self.present_link();
            let used: Vec<Used<'_>> = request.files.iter().map(|file| (*file, file.stateid())).collect();
            let compound = (request.build)();
            let is_kept = compound.is_kept();
            let result = self.call_in(&link, compound).await;
            if let Ok(reply) = &result {
                (request.note)(reply);
            }
            let trouble = self.trouble(&result, !used.is_empty(), is_kept);
            let is_early = result.as_ref().is_ok_and(Reply::asks_for_patience);
            if trouble.is_none() && !is_early || recoveries == RECOVERIES_MAX {
                return result.map(|reply| Settled { reply, _gate: gate, _turn: None });
            }
            drop(gate);
            if !patience.wait().await {
                return self.last_word(result).await;
            }
            if let Some(trouble) = trouble {
                recoveries += 1;
                if trouble != Trouble::Again {
                    self.mend(trouble, link.epoch, &used).await?;
                    patience = self.patience();
                }
            }
        }
    }

    /// As [`Client::settle`], for an operation that carries the sequence ID of an open-owner, which moves on. In 4.0 the
    /// owner's next operation waits until the result is dropped.
    pub(crate) fn settle_in_turn<'a>(
        &'a self,
        owner: &'a OpenOwner,
        files: &'a [&'a OpenState],
        build: &'a (dyn Fn(u32) -> CompoundBuilder + Send + Sync),
    ) -> BoxFuture<'a, Result<Settled<'a>>> {
        let settle = async move {
            let turn = if self.minor() == 0 { Some(owner.turn().await) } else { None };
            let build = || build(owner.seqid());
            let note = |reply: &Reply| owner.advance(self.minor(), reply);
            let settled = self.settle(Request { build: &build, note: &note, files }).await?;
            Ok(Settled { _turn: turn, ..settled })
        };
        settle.boxed()
    }

    async fn last_word(&self, result: Result<Reply>) -> Result<Settled<'_>> {
        let _gate = self.inner.gate.read().await;
        result.map(|reply| Settled { reply, _gate, _turn: None })
    }

    fn trouble(&self, result: &Result<Reply>, is_of_file: bool, is_kept: bool) -> Option<Trouble> {
        let trouble = match result {
            Ok(reply) => Trouble::of_reply(self.minor(), reply, is_kept),
            Err(error) => Trouble::of_error(self.minor(), error),
        };
        let mends = match self.options().recovery {
            Recovery::Off => return None,
            Recovery::Reconnect => false,
            Recovery::Full => true,
        };
        // A bad stateid that belongs to no open file of ours is the caller's.
        trouble.filter(|trouble| match trouble {
            Trouble::Again => true,
            Trouble::Stateid => mends && is_of_file,
            _ => mends,
        })
    }
}

/// An open file and the stateid that a request used.
pub(crate) type Used<'a> = (&'a OpenState, Stateid4);
