//! Byte-range locks.

use super::{Length4, LockOwner4, NfsLockType4, Offset4, OpResult, Seqid4, StateOwner4, Stateid4};
use crate::xdr::{xdr_result, xdr_struct, xdr_union};

xdr_struct! {
    /// `LOCK4args`.
    pub struct Lock4Args {
        locktype: NfsLockType4,
        /// Whether the lock was held before the server restarted.
        reclaim: bool,
        offset: Offset4,
        /// Bytes; all ones means "to the end".
        length: Length4,
        locker: Locker4,
    }

    /// `open_to_lock_owner4`: the first lock of a lock-owner on a file.
    pub struct OpenToLockOwner4 {
        open_seqid: Seqid4,
        open_stateid: Stateid4,
        lock_seqid: Seqid4,
        lock_owner: LockOwner4,
    }

    /// `exist_lock_owner4`: a further lock of a lock-owner on a file.
    #[derive(Copy)]
    pub struct ExistLockOwner4 {
        lock_stateid: Stateid4,
        lock_seqid: Seqid4,
    }

    /// `LOCK4denied`: the lock that is in the way.
    pub struct Lock4Denied {
        offset: Offset4,
        length: Length4,
        locktype: NfsLockType4,
        owner: StateOwner4,
    }

    /// `LOCK4resok`.
    #[derive(Copy)]
    pub struct Lock4Resok {
        lock_stateid: Stateid4,
    }

    /// `LOCKT4args`.
    pub struct Lockt4Args {
        locktype: NfsLockType4,
        offset: Offset4,
        length: Length4,
        owner: LockOwner4,
    }

    /// `LOCKU4args`.
    #[derive(Copy)]
    pub struct Locku4Args {
        locktype: NfsLockType4,
        seqid: Seqid4,
        lock_stateid: Stateid4,
        offset: Offset4,
        length: Length4,
    }

    /// `RELEASE_LOCKOWNER4args`.
    pub struct ReleaseLockowner4Args {
        lock_owner: LockOwner4,
    }
}

xdr_union! {
    /// `locker4`.
    pub enum Locker4 switch bool {
        case true => OpenOwner(OpenToLockOwner4),
        case false => LockOwner(ExistLockOwner4),
    }
}

xdr_result! {
    /// `LOCK4res`.
    pub enum Lock4Res {
        Ok => Ok(Lock4Resok),
        Denied => Denied(Lock4Denied),
    }

    /// `LOCKT4res`.
    pub enum Lockt4Res {
        Ok => Ok,
        Denied => Denied(Lock4Denied),
    }
}

/// `LOCKU4res`.
pub type Locku4Res = OpResult<Stateid4>;
/// `RELEASE_LOCKOWNER4res`.
pub type ReleaseLockowner4Res = OpResult<()>;
