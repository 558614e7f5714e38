//! What is known of one open.

use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{NfsFh4, NfsStat4, OpenDelegation4, OpenDelegationType4, Stateid4};
use parking_lot::Mutex;

use super::lock_state::LockState;
use crate::{Error, OpenOwner, Result};

/// A delegation that came with an open (RFC 8881 §10.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delegation {
    /// Its stateid.
    pub stateid: Stateid4,
    /// For reading or for writing.
    pub kind: OpenDelegationType4,
    /// The change attribute when it was granted.
    pub change: u64,
    /// The size of the file in bytes, as this client knows it.
    pub size: u64,
}

/// An open as the server knows it. It outlives its stateid: a recovery puts a new one in the place.
#[derive(Debug)]
pub(crate) struct OpenState {
    pub(crate) handle: NfsFh4,
    /// Where it was opened by name: the directory and the name.
    pub(crate) place: Option<(NfsFh4, Bytes)>,
    pub(crate) owner: Arc<OpenOwner>,
    present: Mutex<Present>,
    lockers: Mutex<Vec<Arc<LockState>>>,
}

#[derive(Debug)]
struct Present {
    stateid: Stateid4,
    access: u32,
    deny: u32,
    delegation: Option<Delegation>,
    /// Whether somebody was asked to return the delegation.
    is_returning: bool,
    /// Why the server does not know the open any more.
    lost: Option<NfsStat4>,
}

impl Delegation {
    /// The delegation in the result of OPEN, and whether it is recalled already.
    pub(crate) fn granted(result: &OpenDelegation4, change: u64, size: u64) -> Option<(Self, bool)> {
        let (stateid, kind, recalled) = match result {
            OpenDelegation4::Read(read) => (read.stateid, OpenDelegationType4::Read, read.recall),
            OpenDelegation4::ReadAttrsDeleg(read) => (read.stateid, OpenDelegationType4::ReadAttrsDeleg, read.recall),
            OpenDelegation4::Write(write) => (write.stateid, OpenDelegationType4::Write, write.recall),
            OpenDelegation4::WriteAttrsDeleg(write) => {
                (write.stateid, OpenDelegationType4::WriteAttrsDeleg, write.recall)
            }
            OpenDelegation4::None | OpenDelegation4::NoneExt(_) => return None,
        };
        Some((Self { stateid, kind, change, size }, recalled))
    }

    /// Whether it is for writing.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        matches!(self.kind, OpenDelegationType4::Write | OpenDelegationType4::WriteAttrsDeleg)
    }
}

impl OpenState {
    pub(crate) fn new(
        handle: NfsFh4,
        place: Option<(NfsFh4, Bytes)>,
        owner: Arc<OpenOwner>,
        share: (u32, u32),
        stateid: Stateid4,
    ) -> Self {
        let (access, deny) = share;
        let present = Mutex::new(Present { stateid, access, deny, delegation: None, is_returning: false, lost: None });
        Self { handle, place, owner, present, lockers: Mutex::default() }
    }

    pub(crate) fn stateid(&self) -> Stateid4 {
        self.present.lock().stateid
    }

    pub(crate) fn set_stateid(&self, stateid: Stateid4) {
        self.present.lock().stateid = stateid;
    }

    /// `OPEN4_SHARE_ACCESS_*` and `OPEN4_SHARE_DENY_*`.
    pub(crate) fn share(&self) -> (u32, u32) {
        let present = self.present.lock();
        (present.access, present.deny)
    }

    pub(crate) fn downgrade(&self, stateid: Stateid4, access: u32, deny: u32) {
        let mut present = self.present.lock();
        (present.stateid, present.access, present.deny) = (stateid, access, deny);
    }

    pub(crate) fn delegation(&self) -> Option<Delegation> {
        self.present.lock().delegation
    }

    pub(crate) fn set_delegation(&self, delegation: Option<Delegation>) {
        let mut present = self.present.lock();
        (present.delegation, present.is_returning) = (delegation, false);
    }

    pub(crate) fn take_delegation(&self) -> Option<Delegation> {
        let mut present = self.present.lock();
        present.is_returning = false;
        present.delegation.take()
    }

    /// Whether there is a delegation that nobody was asked to return yet.
    pub(crate) fn begin_return(&self) -> bool {
        let mut present = self.present.lock();
        present.delegation.is_some() && !std::mem::replace(&mut present.is_returning, true)
    }

    /// Bytes up to here were written.
    pub(crate) fn grow(&self, end: u64) {
        if let Some(delegation) = &mut self.present.lock().delegation {
            delegation.size = delegation.size.max(end);
        }
    }

    pub(crate) fn resize(&self, size: u64) {
        if let Some(delegation) = &mut self.present.lock().delegation {
            delegation.size = size;
        }
    }

    /// Marks the open as lost for good.
    pub(crate) fn lose(&self, why: NfsStat4) {
        let mut present = self.present.lock();
        present.lost.get_or_insert(why);
        present.delegation = None;
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.present.lock().lost.is_some()
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.present.lock().lost.map_or(Ok(()), |why| Err(Error::StateLost(why)))
    }

    /// The lock-owner of this name. It lives as long as the open, as its locks do.
    pub(crate) fn locker(&self, name: Bytes) -> Arc<LockState> {
        let mut lockers = self.lockers.lock();
        if let Some(known) = lockers.iter().find(|locker| *locker.name() == name) {
            return Arc::clone(known);
        }
        let locker = Arc::new(LockState::new(name));
        lockers.push(Arc::clone(&locker));
        locker
    }

    pub(crate) fn lockers(&self) -> Vec<Arc<LockState>> {
        self.lockers.lock().clone()
    }

    pub(crate) fn has_locks(&self) -> bool {
        self.lockers.lock().iter().any(|locker| locker.has_ranges())
    }
}
