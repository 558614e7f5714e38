//! What the tests of stateids share: ten bytes that are locked by hand (4.1 and later).

use bytes::Bytes;
use nfs_client_sim::{CompoundBuilder, Reply};
use nfs4_protocol::nfs4::{Lock4Res, Locker4, NfsArgop4, NfsFh4, OpenToLockOwner4, StateOwner4, Stateid4};

use crate::opened::Range;

const TEN: Range = Range::write(0, 10);

/// LOCK by a lock-owner that has no lock of the file yet.
pub(crate) fn lock(open_stateid: Stateid4) -> NfsArgop4 {
    let lock_owner = StateOwner4 { clientid: 0, owner: Bytes::from_static(b"locker") };
    TEN.lock(Locker4::OpenOwner(OpenToLockOwner4 { open_seqid: 0, open_stateid, lock_seqid: 0, lock_owner }))
}

/// LOCKU.
pub(crate) const fn unlock(lock_stateid: Stateid4) -> NfsArgop4 {
    TEN.unlock(0, lock_stateid)
}

/// The stateid of a lock that was granted.
pub(crate) fn locked(mut reply: Reply) -> Stateid4 {
    match reply.lock().unwrap() {
        Lock4Res::Ok(granted) => granted.lock_stateid,
        other => panic!("{other:?}"),
    }
}

/// A compound of one operation on a file.
pub(crate) fn on(file: &NfsFh4, op: NfsArgop4) -> CompoundBuilder {
    CompoundBuilder::new().putfh(file).op(op)
}
