//! What a client does when the server lost its connection, its session, or all it knew (RFC 8881 §8.4, RFC 7530 §9.6).

use std::sync::Arc;

use nfs4_protocol::nfs4::{
    NfsStat4, SEQ4_STATUS_ADMIN_STATE_REVOKED, SEQ4_STATUS_BACKCHANNEL_FAULT, SEQ4_STATUS_CB_PATH_DOWN,
    SEQ4_STATUS_CB_PATH_DOWN_SESSION, SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED, SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED,
    SEQ4_STATUS_RECALLABLE_STATE_REVOKED, SEQ4_STATUS_RESTART_RECLAIM_NEEDED, Stateid4,
};

use super::Link;
use super::call::Used;
use super::trouble::Trouble;
use crate::files::OpenState;
use crate::{Client, CompoundBuilder, Connection, Error, Recovery, Reply, Result};

/// SEQUENCE: there may be stateids that mean nothing any more.
const REVOKED: u32 = SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED
    | SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED
    | SEQ4_STATUS_ADMIN_STATE_REVOKED
    | SEQ4_STATUS_RECALLABLE_STATE_REVOKED;
/// SEQUENCE: callbacks do not get through.
const NO_CALLBACKS: u32 = SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_CB_PATH_DOWN_SESSION;

/// What has to be done with the open files before other requests go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owed {
    /// Reclaim them.
    Reclaim,
    /// Open them again, as there is nothing to reclaim.
    Reopen,
}

impl Client {
    /// Mends what a request of this epoch ran into, unless another request did. All others wait meanwhile.
    pub(crate) async fn mend(&self, trouble: Trouble, epoch: u64, used: &[Used<'_>]) -> Result<()> {
        let _alone = self.inner.gate.write().await;
        let link = self.present_link();
        if link.epoch != epoch {
            return Ok(());
        }
        tracing::debug!(?trouble, epoch, "recovering");
        match trouble {
            Trouble::Again => {}
            Trouble::Unbound => self.bind_all(&link).await?,
            Trouble::Session => self.start_over().await?,
            Trouble::Forgotten => self.start_over_owing(Owed::Reclaim).await?,
            Trouble::Expired => self.start_over_owing(Owed::Reopen).await?,
            Trouble::Stateid => {
                for (file, stateid) in used {
                    self.mend_file(file, *stateid).await?;
                }
            }
        }
        Ok(())
    }

    pub(crate) async fn start_over_owing(&self, owed: Owed) -> Result<()> {
        *self.inner.owed.lock() = Some(owed);
        self.start_over().await
    }

    /// Makes the client known again, and gets its state back if that is owed. Goes on while the server comes and goes.
    async fn start_over(&self) -> Result<()> {
        let mut patience = self.patience();
        loop {
            let error = match self.start_over_once().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let is_passing = error.is_lost() || error.is_unanswered() || self.is_trouble_of_all(&error);
            if !is_passing || !patience.wait().await {
                return Err(error);
            }
        }
    }

    async fn start_over_once(&self) -> Result<()> {
        let before = self.present_link();
        let connection = self.usable_connection(&before).await?;
        let greeting = self.greeting(connection);
        let link = match &before.session {
            None => greeting.establish(before.epoch + 1).await?,
            Some(session) => {
                let (link, is_kept) = greeting.open_session(before.epoch + 1, Some(&before)).await?;
                if is_kept {
                    // The old session is of no use; when it is gone already, that is as good.
                    drop(greeting.destroy_session(session.id()).await);
                } else {
                    self.inner.owed.lock().get_or_insert(Owed::Reclaim);
                }
                link
            }
        };
        let link = self.set_link(link);
        self.bind_others(&link).await?;
        self.pay(&link).await
    }

    /// The first connection, or a new one in its place.
    async fn usable_connection(&self, link: &Link) -> Result<Connection> {
        let lane = self.inner.lanes.first();
        let connection = lane.connection();
        if connection.is_lost() {
            let unbound = Link { session: None, ..link.clone() };
            self.replace(&unbound, lane, &connection).await?;
        }
        Ok(lane.connection())
    }

    /// Does what is owed.
    async fn pay(&self, link: &Link) -> Result<()> {
        let owed = *self.inner.owed.lock();
        let Some(owed) = owed else { return Ok(()) };
        let files: Vec<_> = self.inner.opens.all().into_iter().filter(|file| !file.is_lost()).collect();
        let mut late = Vec::new();
        for file in &files {
            match self.reclaim_or_defer(link, file, owed).await? {
                Reclaimed::Done => {}
                Reclaimed::NoGrace => late.push(file),
            }
        }
        self.complete_reclaim(link).await?;
        for file in late {
            self.reopen_or_lose(link, file).await?;
        }
        if let Some(session) = &link.session {
            session.clear_status_flags();
        }
        *self.inner.owed.lock() = None;
        Ok(())
    }

    async fn reclaim_or_defer(&self, link: &Link, file: &Arc<OpenState>, owed: Owed) -> Result<Reclaimed> {
        if owed == Owed::Reopen {
            return Ok(Reclaimed::NoGrace);
        }
        let error = match self.reclaim_open(link, file).await {
            Ok(()) => match self.reclaim_locks(link, file).await {
                Ok(()) => return Ok(Reclaimed::Done),
                Err(error) => {
                    // Without its locks the open would only be in the way of others.
                    if error.status().is_some() && !self.is_trouble_of_all(&error) {
                        self.abandon(link, file, &file.handle).await?;
                    }
                    error
                }
            },
            Err(Error::Status { status: NfsStat4::NoGrace, .. }) => return Ok(Reclaimed::NoGrace),
            Err(error) => error,
        };
        self.lose_or_fail(file, error).map(|()| Reclaimed::Done)
    }

    /// Opens a file anew, where nothing can have happened in between that the open was to keep others from.
    async fn reopen_or_lose(&self, link: &Link, file: &OpenState) -> Result<()> {
        let (_, deny) = file.share();
        if deny != 0 || file.has_locks() {
            file.lose(NfsStat4::NoGrace);
            return Ok(());
        }
        match self.reopen(link, file).await {
            Ok(()) => Ok(()),
            Err(error) => self.lose_or_fail(file, error),
        }
    }

    /// An answer about the file means that it is lost; anything else ends this try.
    fn lose_or_fail(&self, file: &OpenState, error: Error) -> Result<()> {
        match error.status() {
            Some(status) if !self.is_trouble_of_all(&error) => {
                file.lose(status);
                Ok(())
            }
            _ => Err(error),
        }
    }

    fn is_trouble_of_all(&self, error: &Error) -> bool {
        Trouble::of_error(self.minor(), error).is_some_and(Trouble::is_of_all)
    }

    /// One file's stateid is not good any more, though the client may be.
    async fn mend_file(&self, file: &OpenState, used: Stateid4) -> Result<()> {
        if file.stateid() != used {
            return Ok(());
        }
        let is_owing = self.inner.owed.lock().is_some();
        if is_owing {
            return self.start_over().await;
        }
        let link = self.present_link();
        if self.minor() > 0 {
            return self.check_file(&link, file).await;
        }
        let renewed = self.insist(&link, &|| CompoundBuilder::new().renew(link.clientid), &|_| {}).await?;
        match renewed.failure().map(|(_, status)| status) {
            Some(NfsStat4::StaleClientid) => self.start_over_owing(Owed::Reclaim).await,
            Some(NfsStat4::Expired) => self.start_over_owing(Owed::Reopen).await,
            _ => self.reopen_or_lose(&link, file).await,
        }
    }

    /// Asks about the stateids of a file, and gives up those that are not good (RFC 8881 §8.3, §18.48).
    async fn check_file(&self, link: &Link, file: &OpenState) -> Result<()> {
        let locks: Vec<Stateid4> = file.lockers().iter().filter_map(|locker| locker.stateid()).collect();
        let open = file.stateid();
        if self.free_if_bad(link, &locks).await? {
            self.free_if_bad(link, &[open]).await?;
            file.lose(NfsStat4::BadStateid);
            return Ok(());
        }
        if let Some(delegation) = file.delegation()
            && self.free_if_bad(link, &[delegation.stateid]).await?
        {
            file.set_delegation(None);
        }
        if self.free_if_bad(link, &[open]).await? { self.reopen_or_lose(link, file).await } else { Ok(()) }
    }

    /// TEST_STATEID, and FREE_STATEID of those that are not good. Returns whether there were any.
    async fn free_if_bad(&self, link: &Link, stateids: &[Stateid4]) -> Result<bool> {
        if stateids.is_empty() {
            return Ok(false);
        }
        let test = || CompoundBuilder::new().test_stateid(stateids.to_vec());
        let statuses = self.insist(link, &test, &|_| {}).await?.test_stateid()?.status_codes;
        let is_bad = |status: NfsStat4| !matches!(status, NfsStat4::Ok | NfsStat4::OldStateid);
        let bad: Vec<Stateid4> =
            stateids.iter().zip(statuses).filter(|(_, status)| is_bad(*status)).map(|(stateid, _)| *stateid).collect();
        for stateid in &bad {
            // One that the server does not know at all cannot be freed, and need not be.
            self.insist(link, &|| CompoundBuilder::new().free_stateid(*stateid), &|_| {}).await?;
        }
        Ok(!bad.is_empty())
    }

    /// Sees to what the flags of SEQUENCE ask for (RFC 8881 §18.46.3).
    pub(crate) async fn heed(&self, flags: u32) -> Result<()> {
        let _alone = self.inner.gate.write().await;
        let link = self.present_link();
        if self.inner.callbacks.is_some() && flags & SEQ4_STATUS_BACKCHANNEL_FAULT != 0 {
            return self.start_over().await;
        }
        if self.inner.callbacks.is_some() && flags & NO_CALLBACKS != 0 {
            self.bind_all(&link).await?;
        }
        if self.options().recovery < Recovery::Full {
            return Ok(());
        }
        if flags & SEQ4_STATUS_RESTART_RECLAIM_NEEDED != 0 {
            *self.inner.owed.lock() = Some(Owed::Reclaim);
            return self.pay(&link).await;
        }
        if flags & REVOKED != 0 {
            for file in self.inner.opens.all() {
                self.check_file(&link, &file).await?;
            }
        }
        Ok(())
    }

    /// Tells a 4.0 server once more where callbacks are listened for, as it could not reach the client.
    pub(crate) async fn announce_callbacks(&self) -> Result<()> {
        let _alone = self.inner.gate.write().await;
        let before = self.present_link();
        let connection = self.usable_connection(&before).await?;
        let link = self.greeting(connection).establish(before.epoch).await?;
        self.set_link(link);
        Ok(())
    }

    async fn bind_all(&self, link: &Link) -> Result<()> {
        let Some(session) = &link.session else { return Ok(()) };
        self.greeting(self.connection()).bind(session.id()).await?;
        self.bind_others(link).await
    }

    /// Binds all connections but the first to the session that was made over the first.
    pub(crate) async fn bind_others(&self, link: &Link) -> Result<()> {
        let Some(session) = &link.session else { return Ok(()) };
        for lane in self.inner.lanes.others() {
            // A lost connection is bound when it is replaced; and a server that refuses to bind may still take requests,
            // which bind by themselves (RFC 8881 §2.10.3.1).
            if let Err(error) = self.greeting(lane.connection()).bind(session.id()).await {
                tracing::debug!(%error, "a connection was not bound");
            }
        }
        Ok(())
    }

    /// Sends a request in the midst of a recovery, while the server asks to come back later.
    pub(crate) async fn insist(
        &self,
        link: &Link,
        build: &(dyn Fn() -> CompoundBuilder + Send + Sync),
        note: &(dyn Fn(&Reply) + Send + Sync),
    ) -> Result<Reply> {
        let mut patience = self.patience();
        loop {
            let reply = self.call_in(link, build()).await?;
            note(&reply);
            if !(reply.asks_for_patience() && patience.wait().await) {
                return Ok(reply);
            }
        }
    }

    /// RECLAIM_COMPLETE, once; nothing in 4.0.
    pub(crate) async fn complete_reclaim(&self, link: &Link) -> Result<()> {
        if self.minor() == 0 {
            return Ok(());
        }
        let mut reply = self.insist(link, &|| CompoundBuilder::new().reclaim_complete(), &|_| {}).await?;
        match reply.reclaim_complete() {
            Err(Error::Status { status: NfsStat4::CompleteAlready, .. }) => Ok(()),
            result => result,
        }
    }
}

/// What became of a reclaim that the server answered.
enum Reclaimed {
    /// The file is reclaimed, or lost for good.
    Done,
    /// The server takes no reclaims.
    NoGrace,
}
