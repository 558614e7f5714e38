//! Byte-range locks: LOCK, LOCKT, LOCKU (RFC 7530 §16.10 to §16.12, RFC 8881 §18.10 to §18.12).

use nfs4_protocol::nfs4::{
    Lock4Args, Lock4Denied, Lock4Res, Lock4Resok, Locker4, Lockt4Args, Lockt4Res, Locku4Args, NfsLockType4,
    StateOwner4, Stateid4,
};

use super::context::{CompoundContext, Outcome, file_key};
use crate::state::{Denied, FileKey, LockKind, LockRefusal, LockRequest, LockTest, Locker};

/// LOCK.
pub(super) fn lock(cx: &mut CompoundContext, args: Lock4Args) -> Lock4Res {
    let taken = prepare(cx).and_then(|file| take(cx, file, &args));
    match taken {
        Ok(lock_stateid) => {
            cx.set_current_stateid(lock_stateid);
            Lock4Res::Ok(Lock4Resok { lock_stateid })
        }
        Err(LockRefusal::Denied(denied)) => Lock4Res::Denied(denied_by(denied)),
        Err(LockRefusal::Status(status)) => Lock4Res::Error(status),
    }
}

fn take(cx: &CompoundContext, file: FileKey, args: &Lock4Args) -> Result<Stateid4, LockRefusal> {
    let given = match &args.locker {
        Locker4::OpenOwner(new) => new.open_stateid,
        Locker4::LockOwner(old) => old.lock_stateid,
    };
    let stateid = cx.stateid(given).map_err(LockRefusal::Status)?;
    let locker = match &args.locker {
        Locker4::OpenOwner(new) => Locker::New {
            open_stateid: &stateid,
            clientid: cx.owner_client(new.lock_owner.clientid),
            owner: &new.lock_owner.owner,
            lock_seqid: new.lock_seqid,
        },
        Locker4::LockOwner(_) => Locker::Existing { lock_stateid: &stateid },
    };
    let request = LockRequest {
        file,
        offset: args.offset,
        length: args.length,
        kind: kind(args.locktype),
        blocking: args.locktype.is_blocking(),
        reclaim: args.reclaim,
        locker,
    };
    let caller = cx.state_caller();
    cx.service().state(|state, now| state.lock(caller, request, now))
}

/// LOCKT.
pub(super) fn lockt(cx: &mut CompoundContext, args: Lockt4Args) -> Lockt4Res {
    let tested = prepare(cx).and_then(|file| {
        let test = LockTest {
            client: cx.owner_client(args.owner.clientid),
            owner: &args.owner.owner,
            file,
            offset: args.offset,
            length: args.length,
            kind: kind(args.locktype),
        };
        cx.service().state(|state, now| state.lockt(test, now))
    });
    match tested {
        Ok(()) => Lockt4Res::Ok,
        Err(LockRefusal::Denied(denied)) => Lockt4Res::Denied(denied_by(denied)),
        Err(LockRefusal::Status(status)) => Lockt4Res::Error(status),
    }
}

/// LOCKU.
pub(super) fn locku(cx: &mut CompoundContext, args: Locku4Args) -> Outcome<Stateid4> {
    let file = cx.current_file()?;
    let given = cx.stateid(args.lock_stateid)?;
    let caller = cx.state_caller();
    let stateid = cx.service().state(|state, now| state.locku(caller, &given, file, args.offset, args.length, now))?;
    cx.set_current_stateid(stateid);
    Ok(stateid)
}

/// The file that is to be locked.
fn prepare(cx: &CompoundContext) -> Result<FileKey, LockRefusal> {
    match cx.current_regular() {
        Ok(node) => Ok(file_key(node.key)),
        Err(failure) => Err(LockRefusal::Status(cx.status(failure))),
    }
}

fn kind(locktype: NfsLockType4) -> LockKind {
    if locktype.is_write() { LockKind::Write } else { LockKind::Read }
}

fn denied_by(denied: Denied) -> Lock4Denied {
    Lock4Denied {
        offset: denied.offset,
        length: denied.length,
        locktype: match denied.kind {
            LockKind::Read => NfsLockType4::Read,
            LockKind::Write => NfsLockType4::Write,
        },
        owner: StateOwner4 { clientid: denied.clientid.0, owner: denied.owner },
    }
}
