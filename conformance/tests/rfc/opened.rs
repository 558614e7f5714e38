//! Opens made by hand: in 4.0 the seqids of their owner are the test's.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use conformance::Scene;
use nfs_client_sim::{Client, CompoundBuilder, OpenHow, OpenOwner, Reply};
use nfs4_protocol::nfs4::*;

/// An open of one owner.
pub(crate) struct Opened {
    client: Client,
    pub(crate) owner: OpenOwner,
    pub(crate) handle: NfsFh4,
    pub(crate) stateid: Stateid4,
    seqid: Cell<u32>,
}

impl Opened {
    /// Opens a name in the test's directory with the scene's client, and confirms the open where that is asked for.
    pub(crate) async fn new(scene: &Scene, name: &str, how: OpenHow) -> Self {
        Self::by(scene, &scene.client, name, how).await
    }

    /// As [`Opened::new`], with another client.
    pub(crate) async fn by(scene: &Scene, client: &Client, name: &str, how: OpenHow) -> Self {
        let owner = OpenOwner::new(owner_name());
        let handle = scene.root.clone();
        let mut new = Self { client: client.clone(), owner, handle, stateid: Stateid4::ANONYMOUS, seqid: Cell::new(7) };
        let opened = new.again(scene, name, &how).await;
        if opened.rflags & OPEN4_RESULT_CONFIRM != 0 {
            let args = |seqid| OpenConfirm4Args { open_stateid: new.stateid, seqid };
            let confirm = |seqid| new.at().op(NfsArgop4::OpenConfirm(args(seqid)));
            new.stateid = new.answers(scene, confirm, NfsStat4::Ok).await.open_confirm().unwrap().open_stateid;
        }
        new
    }

    /// An owner that has opened nothing yet, and its first seqid.
    pub(crate) fn nothing(scene: &Scene, client: &Client, seqid: u32) -> Self {
        let owner = OpenOwner::new(owner_name());
        let (client, handle) = (client.clone(), scene.root.clone());
        Self { client, owner, handle, stateid: Stateid4::ANONYMOUS, seqid: Cell::new(seqid) }
    }

    /// Another OPEN by the same owner, whose file and stateid become those of this one.
    pub(crate) async fn again(&mut self, scene: &Scene, name: &str, how: &OpenHow) -> Open4Resok {
        let open = |seqid| scene.here().open(self.args(name, how, seqid)).getfh();
        let mut reply = self.client.call(open(self.seqid.get())).await.unwrap();
        self.seqid.set(next_seqid(self.seqid.get()));
        let opened = reply.open().unwrap();
        self.stateid = opened.stateid;
        self.handle = reply.getfh().unwrap();
        opened
    }

    /// The arguments of an OPEN by this owner.
    pub(crate) fn args(&self, name: &str, how: &OpenHow, seqid: u32) -> Open4Args {
        let claim = OpenClaim4::Null(bytes::Bytes::copy_from_slice(name.as_bytes()));
        Open4Args { seqid, ..self.client.open_args(claim, &self.owner, how) }
    }

    /// A compound that begins at the file.
    pub(crate) fn at(&self) -> CompoundBuilder {
        CompoundBuilder::new().putfh(&self.handle)
    }

    /// The owner's next seqid.
    pub(crate) fn seqid(&self) -> u32 {
        self.seqid.get()
    }

    /// Sends a compound with the owner's next seqid, which must end with this status; the seqid then moves on if the
    /// status counts (RFC 7530 §9.1.7).
    pub(crate) async fn answers(
        &self,
        scene: &Scene,
        build: impl FnOnce(u32) -> CompoundBuilder,
        status: NfsStat4,
    ) -> Reply {
        let reply = scene.answers(&self.client, build(self.seqid.get()), status).await;
        let counts = !matches!(
            status,
            NfsStat4::StaleClientid
                | NfsStat4::StaleStateid
                | NfsStat4::BadStateid
                | NfsStat4::BadSeqid
                | NfsStat4::Badxdr
                | NfsStat4::Resource
                | NfsStat4::Nofilehandle
        );
        if counts {
            self.seqid.set(next_seqid(self.seqid.get()));
        }
        reply
    }

    /// CLOSE with this stateid, which must end with this status.
    pub(crate) async fn close(&self, scene: &Scene, stateid: Stateid4, status: NfsStat4) -> Reply {
        self.answers(scene, |seqid| self.at().close(seqid, stateid), status).await
    }

    /// LOCK by a lock-owner that is new to the file.
    pub(crate) fn first_lock(&self, seqid: u32, name: &str, range: Range) -> NfsArgop4 {
        let lock_owner = StateOwner4 { clientid: self.client.clientid(), owner: name.to_owned().into() };
        let (open_seqid, open_stateid) = (seqid, self.stateid);
        range.lock(Locker4::OpenOwner(OpenToLockOwner4 { open_seqid, open_stateid, lock_seqid: 0, lock_owner }))
    }

    /// Locks for a lock-owner that is new to the file. Returns the lock stateid.
    pub(crate) async fn locked(&self, scene: &Scene, name: &str, range: Range) -> Stateid4 {
        let build = |seqid| self.at().op(self.first_lock(seqid, name, range));
        match self.answers(scene, build, NfsStat4::Ok).await.lock().unwrap() {
            Lock4Res::Ok(granted) => granted.lock_stateid,
            other => panic!("{other:?}"),
        }
    }
}

/// Bytes and how they are locked.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) locktype: NfsLockType4,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl Range {
    pub(crate) const fn read(offset: u64, length: u64) -> Self {
        Self { locktype: NfsLockType4::Read, offset, length }
    }

    pub(crate) const fn write(offset: u64, length: u64) -> Self {
        Self { locktype: NfsLockType4::Write, offset, length }
    }

    /// LOCK.
    pub(crate) fn lock(self, locker: Locker4) -> NfsArgop4 {
        let Self { locktype, offset, length } = self;
        NfsArgop4::Lock(Box::new(Lock4Args { locktype, reclaim: false, offset, length, locker }))
    }

    /// LOCK by a lock-owner that has a stateid.
    pub(crate) fn lock_more(self, lock_seqid: u32, lock_stateid: Stateid4) -> NfsArgop4 {
        self.lock(Locker4::LockOwner(ExistLockOwner4 { lock_stateid, lock_seqid }))
    }

    /// LOCKU.
    pub(crate) const fn unlock(self, seqid: u32, lock_stateid: Stateid4) -> NfsArgop4 {
        let Self { locktype, offset, length } = self;
        NfsArgop4::Locku(Locku4Args { locktype, seqid, lock_stateid, offset, length })
    }

    /// LOCKT.
    pub(crate) fn test(self, clientid: u64, name: &str) -> NfsArgop4 {
        let Self { locktype, offset, length } = self;
        let owner = StateOwner4 { clientid, owner: name.to_owned().into() };
        NfsArgop4::Lockt(Box::new(Lockt4Args { locktype, offset, length, owner }))
    }
}

/// A stateid with other bits in its identity: it names nothing.
pub(crate) fn forged(mut stateid: Stateid4) -> Stateid4 {
    stateid.other[11] ^= 0x40;
    stateid
}

/// A stateid of the same state at another time.
pub(crate) const fn at_seqid(stateid: Stateid4, seqid: u32) -> Stateid4 {
    Stateid4 { seqid, ..stateid }
}

/// The seqid after this one (RFC 7530 §9.1.3).
pub(crate) const fn next_seqid(seqid: u32) -> u32 {
    match seqid.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}

fn owner_name() -> String {
    static OWNERS: AtomicU64 = AtomicU64::new(0);
    format!("by hand {}", OWNERS.fetch_add(1, Ordering::Relaxed))
}
