//! Byte-range locks.

use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    ExistLockOwner4, Lock4Args, Lock4Denied, Lock4Res, Locker4, Lockt4Args, Lockt4Res, Locku4Args, NfsLockType4,
    NfsStat4, OpNum, OpenToLockOwner4, StateOwner4, Stateid4,
};

use super::lock_state::{LockState, Range};
use super::open_state::OpenState;
use crate::client::Request;
use crate::{Client, CompoundBuilder, Error, OpenFile, Reply, Result};

/// What became of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockOutcome {
    /// It is held, or could be.
    Granted,
    /// This lock is in the way.
    Denied(Lock4Denied),
}

/// A lock-owner of an open file. Two of the same name are the same. Its locks last until they are given back or the file
/// is closed, also when this value is dropped.
#[derive(Debug)]
pub struct Locker<'f> {
    file: &'f OpenFile,
    state: Arc<LockState>,
}

/// A LOCK under way.
pub(crate) struct Locking<'a> {
    pub(crate) file: &'a OpenState,
    pub(crate) locker: &'a LockState,
    pub(crate) clientid: u64,
    /// Whether the lock was held before the server restarted.
    pub(crate) reclaim: bool,
}

impl LockOutcome {
    /// Whether the lock is held, or could be.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        matches!(self, Self::Granted)
    }
}

impl<'f> Locker<'f> {
    pub(crate) fn new(file: &'f OpenFile, name: Bytes) -> Self {
        Self { file, state: file.state().locker(name) }
    }

    fn client(&self) -> &'f Client {
        self.file.client()
    }

    fn locking(&self) -> Locking<'_> {
        Locking { file: self.file.state(), locker: &self.state, clientid: self.client().clientid(), reclaim: false }
    }

    /// LOCK of `length` bytes; `u64::MAX` means "to the end".
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn lock(&self, locktype: NfsLockType4, offset: u64, length: u64) -> Result<LockOutcome> {
        let range = Range { locktype, offset, length };
        let minor = self.client().minor();
        let _turn = self.state.turn().await;
        // The lock that makes the lock-owner known carries the open-owner's sequence ID, also when that happens again
        // after a recovery.
        let _owners_turn = if minor == 0 { Some(self.file.owner().turn().await) } else { None };
        let build = || self.compound().lock(lock_args(&self.locking(), range));
        let note = |reply: &Reply| self.locking().advance(minor, reply);
        let request = Request { build: &build, note: &note, files: &[self.file.state()] };
        let mut settled = self.client().settle(request).await?;
        self.locking().record(range, settled.reply.lock()?)
    }

    /// LOCKU.
    ///
    /// # Errors
    /// [`Error::Status`] with NFS4ERR_BAD_STATEID before the first lock; those of the call and of the operation.
    pub async fn unlock(&self, offset: u64, length: u64) -> Result<()> {
        let _turn = self.state.turn().await;
        if self.state.stateid().is_none() {
            return Err(Error::Status { op: OpNum::Locku, status: NfsStat4::BadStateid });
        }
        let range = Range { locktype: NfsLockType4::Write, offset, length };
        let build = || self.compound().locku(self.unlock_args(range));
        let note = |reply: &Reply| self.state.advance(reply);
        let request = Request { build: &build, note: &note, files: &[self.file.state()] };
        let mut settled = self.client().settle(request).await?;
        self.state.unlocked(range, settled.reply.locku()?);
        Ok(())
    }

    fn unlock_args(&self, range: Range) -> Locku4Args {
        let Range { locktype, offset, length } = range;
        let lock_stateid = self.state.stateid().unwrap_or(Stateid4::ANONYMOUS);
        Locku4Args { locktype, seqid: self.state.seqid(), lock_stateid, offset, length }
    }

    /// LOCKT: whether the lock would be granted.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn test(&self, locktype: NfsLockType4, offset: u64, length: u64) -> Result<LockOutcome> {
        let args = || Lockt4Args { locktype, offset, length, owner: self.locking().owner() };
        let build = || self.compound().lockt(args());
        let request = Request { build: &build, note: &|_| {}, files: &[self.file.state()] };
        match self.client().settle(request).await?.reply.lockt()? {
            Lockt4Res::Ok => Ok(LockOutcome::Granted),
            Lockt4Res::Denied(denied) => Ok(LockOutcome::Denied(denied)),
            Lockt4Res::Error(status) => Err(Error::Status { op: OpNum::Lockt, status }),
        }
    }

    fn compound(&self) -> CompoundBuilder {
        CompoundBuilder::new().putfh(self.file.handle())
    }
}

impl Locking<'_> {
    fn owner(&self) -> StateOwner4 {
        StateOwner4 { clientid: self.clientid, owner: self.locker.name().clone() }
    }

    /// Moves on the sequence ID that the LOCK carried.
    pub(crate) fn advance(&self, minor: u32, reply: &Reply) {
        match self.locker.stateid() {
            Some(_) => self.locker.advance(reply),
            None => self.file.owner.advance(minor, reply),
        }
    }

    pub(crate) fn record(&self, range: Range, result: Lock4Res) -> Result<LockOutcome> {
        match result {
            Lock4Res::Ok(granted) => {
                self.locker.granted(range, granted.lock_stateid);
                Ok(LockOutcome::Granted)
            }
            Lock4Res::Denied(denied) => Ok(LockOutcome::Denied(denied)),
            Lock4Res::Error(status) => Err(Error::Status { op: OpNum::Lock, status }),
        }
    }
}

pub(crate) fn lock_args(locking: &Locking<'_>, range: Range) -> Lock4Args {
    let Range { locktype, offset, length } = range;
    let locker = match locking.locker.stateid() {
        Some(lock_stateid) => Locker4::LockOwner(ExistLockOwner4 { lock_stateid, lock_seqid: locking.locker.seqid() }),
        None => Locker4::OpenOwner(OpenToLockOwner4 {
            open_seqid: locking.file.owner.seqid(),
            open_stateid: locking.file.stateid(),
            lock_seqid: 0,
            lock_owner: locking.owner(),
        }),
    };
    Lock4Args { locktype, reclaim: locking.reclaim, offset, length, locker }
}
