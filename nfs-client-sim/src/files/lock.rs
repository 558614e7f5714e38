//! Byte-range locks.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    ExistLockOwner4, Lock4Args, Lock4Denied, Lock4Res, Locker4, Lockt4Args, Lockt4Res, Locku4Args, NfsArgop4,
    NfsLockType4, NfsStat4, OpNum, OpenToLockOwner4, StateOwner4, Stateid4,
};
use tokio::sync::Mutex;

use crate::{Client, CompoundBuilder, Error, OpenFile, Result};

/// What became of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockOutcome {
    /// It is held, or could be.
    Granted,
    /// This lock is in the way.
    Denied(Lock4Denied),
}

/// A lock-owner of an open file.
#[derive(Debug)]
pub struct Locker<'f> {
    file: &'f OpenFile,
    name: Bytes,
    /// In 4.0 the requests of a lock-owner go one after the other, so this is held for the whole exchange.
    held: Mutex<Held>,
}

/// What the server knows about the lock-owner.
#[derive(Debug, Default)]
struct Held {
    /// None until the first lock.
    stateid: Option<Stateid4>,
    seqid: u32,
}

/// A range and how to lock it.
#[derive(Debug, Clone, Copy)]
struct Range {
    locktype: NfsLockType4,
    offset: u64,
    length: u64,
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
        Self { file, name, held: Mutex::new(Held::default()) }
    }

    fn client(&self) -> &'f Client {
        self.file.client()
    }

    fn owner(&self) -> StateOwner4 {
        StateOwner4 { clientid: self.client().clientid(), owner: self.name.clone() }
    }

    /// LOCK of `length` bytes; `u64::MAX` means "to the end".
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn lock(&self, locktype: NfsLockType4, offset: u64, length: u64) -> Result<LockOutcome> {
        let range = Range { locktype, offset, length };
        let mut held = self.held.lock().await;
        let result = match held.stateid {
            None => self.lock_first(range).await?,
            Some(lock_stateid) => {
                let locker = |lock_seqid| Locker4::LockOwner(ExistLockOwner4 { lock_stateid, lock_seqid });
                let build = |seqid| self.compound(lock(range, locker(seqid)));
                self.client().run_sequenced(&mut held.seqid, build).await?.lock()?
            }
        };
        match result {
            Lock4Res::Ok(granted) => {
                if held.stateid.is_none() {
                    // The request that made the lock-owner known had the lock sequence ID 0.
                    held.seqid = 1;
                }
                held.stateid = Some(granted.lock_stateid);
                Ok(LockOutcome::Granted)
            }
            Lock4Res::Denied(denied) => Ok(LockOutcome::Denied(denied)),
            Lock4Res::Error(status) => Err(Error::Status { op: OpNum::Lock, status }),
        }
    }

    /// The lock that makes the lock-owner known; the open-owner's sequence ID orders it.
    async fn lock_first(&self, range: Range) -> Result<Lock4Res> {
        let open_stateid = self.file.stateid();
        let build = |open_seqid| {
            let owner = OpenToLockOwner4 { open_seqid, open_stateid, lock_seqid: 0, lock_owner: self.owner() };
            self.compound(lock(range, Locker4::OpenOwner(owner)))
        };
        self.client().run_in_turn(self.file.owner(), build).await?.lock()
    }

    /// LOCKU.
    ///
    /// # Errors
    /// [`Error::Status`] with NFS4ERR_BAD_STATEID before the first lock; those of the call and of the operation.
    pub async fn unlock(&self, offset: u64, length: u64) -> Result<()> {
        let mut held = self.held.lock().await;
        let Some(lock_stateid) = held.stateid else {
            return Err(Error::Status { op: OpNum::Locku, status: NfsStat4::BadStateid });
        };
        let locktype = NfsLockType4::Write;
        let unlock = |seqid| NfsArgop4::Locku(Locku4Args { locktype, seqid, lock_stateid, offset, length });
        let mut reply = self.client().run_sequenced(&mut held.seqid, |seqid| self.compound(unlock(seqid))).await?;
        held.stateid = Some(reply.locku()?);
        Ok(())
    }

    /// LOCKT: whether the lock would be granted.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn test(&self, locktype: NfsLockType4, offset: u64, length: u64) -> Result<LockOutcome> {
        let args = Lockt4Args { locktype, offset, length, owner: self.owner() };
        let compound = self.compound(NfsArgop4::Lockt(Box::new(args)));
        match self.client().run(compound).await?.lockt()? {
            Lockt4Res::Ok => Ok(LockOutcome::Granted),
            Lockt4Res::Denied(denied) => Ok(LockOutcome::Denied(denied)),
            Lockt4Res::Error(status) => Err(Error::Status { op: OpNum::Lockt, status }),
        }
    }

    fn compound(&self, op: NfsArgop4) -> CompoundBuilder {
        CompoundBuilder::new().putfh(self.file.handle()).op(op)
    }
}

fn lock(range: Range, locker: Locker4) -> NfsArgop4 {
    let Range { locktype, offset, length } = range;
    NfsArgop4::Lock(Box::new(Lock4Args { locktype, reclaim: false, offset, length, locker }))
}
