//! Opens and locks that a server forgot (RFC 8881 §8.4.2.1, §18.16).

use std::sync::Arc;

use nfs4_protocol::nfs4::{
    NfsFh4, NfsStat4, OpNum, Open4Args, Open4Resok, OpenClaim4, OpenDelegationType4, OpenOwner4, Openflag4,
};

use super::lock::{Locking, lock_args};
use super::lock_state::{LockState, Range};
use super::open::confirm_of;
use super::open_state::{Delegation, OpenState};
use crate::client::Link;
use crate::{Client, CompoundBuilder, Error, Reply, Result};

impl Client {
    /// Reclaims an open, and the delegation that came with it (CLAIM_PREVIOUS).
    pub(crate) async fn reclaim_open(&self, link: &Link, file: &Arc<OpenState>) -> Result<()> {
        let held = file.delegation();
        let kind = held.map_or(OpenDelegationType4::None, |delegation| delegation.kind);
        let (opened, _) = self.claim(link, file, &file.handle, OpenClaim4::Previous(kind)).await?;
        self.record_delegation(file, &opened, held.map(|held| (held.change, held.size)));
        Ok(())
    }

    /// Opens a file once more without a reclaim: by its filehandle, or in 4.0 by its name, if that still is the file.
    pub(crate) async fn reopen(&self, link: &Link, file: &OpenState) -> Result<()> {
        file.set_delegation(None);
        if self.minor() > 0 {
            return self.claim(link, file, &file.handle, OpenClaim4::Fh).await.map(drop);
        }
        let Some((directory, name)) = &file.place else {
            return Err(Error::Status { op: OpNum::Open, status: NfsStat4::NoGrace });
        };
        let (_, handle) = self.claim(link, file, directory, OpenClaim4::Null(name.clone())).await?;
        if handle == file.handle {
            return Ok(());
        }
        self.abandon(link, file, &handle).await?;
        Err(Error::Status { op: OpNum::Open, status: NfsStat4::Stale })
    }

    /// CLOSE of an open that was got back, but is of no use.
    pub(crate) async fn abandon(&self, link: &Link, file: &OpenState, handle: &NfsFh4) -> Result<()> {
        let build = || CompoundBuilder::new().putfh(handle).close(file.owner.seqid(), file.stateid());
        let note = |reply: &Reply| file.owner.advance(self.minor(), reply);
        self.insist(link, &build, &note).await?.close().map(drop)
    }

    /// OPEN of a file that is open here, and its confirmation where the server asks for that.
    async fn claim(
        &self,
        link: &Link,
        file: &OpenState,
        at: &NfsFh4,
        claim: OpenClaim4,
    ) -> Result<(Open4Resok, NfsFh4)> {
        let note = |reply: &Reply| file.owner.advance(self.minor(), reply);
        let (access, deny) = file.share();
        let args = || Open4Args {
            seqid: file.owner.seqid(),
            share_access: access | self.delegation_wish(),
            share_deny: deny,
            owner: OpenOwner4 { clientid: link.clientid, owner: file.owner.name().clone() },
            openhow: Openflag4::Nocreate,
            claim: claim.clone(),
        };
        let build = || CompoundBuilder::new().putfh(at).open(args()).getfh();
        let mut reply = self.insist(link, &build, &note).await?;
        let (opened, handle) = (reply.open()?, reply.getfh()?);
        file.set_stateid(opened.stateid);
        if let Some(stateid) = confirm_of(self.minor(), &opened) {
            let build = || CompoundBuilder::new().putfh(&handle).open_confirm(stateid, file.owner.seqid());
            let confirmed = self.insist(link, &build, &note).await?.open_confirm()?;
            file.set_stateid(confirmed.open_stateid);
        }
        Ok((opened, handle))
    }

    /// Keeps the delegation that an OPEN granted. Returns it if the server wants it back already, or if CB_GETATTR could
    /// not be answered, as the change attribute and the size are not known.
    pub(crate) fn record_delegation(&self, file: &Arc<OpenState>, opened: &Open4Resok, known: Option<(u64, u64)>) {
        let (change, size) = known.unwrap_or_default();
        let granted = Delegation::granted(&opened.delegation, change, size);
        file.set_delegation(granted.map(|(delegation, _)| delegation));
        if granted.is_some_and(|(_, is_recalled)| is_recalled || known.is_none()) {
            self.opens().give_back(Arc::clone(file));
        }
    }

    /// Reclaims the locks of a file that was reclaimed.
    pub(crate) async fn reclaim_locks(&self, link: &Link, file: &OpenState) -> Result<()> {
        for locker in file.lockers() {
            for range in locker.start_over() {
                self.reclaim_lock(link, file, &locker, range).await?;
            }
        }
        Ok(())
    }

    async fn reclaim_lock(&self, link: &Link, file: &OpenState, locker: &LockState, range: Range) -> Result<()> {
        let locking = Locking { file, locker, clientid: link.clientid, reclaim: true };
        let build = || CompoundBuilder::new().putfh(&file.handle).lock(lock_args(&locking, range));
        let note = |reply: &Reply| locking.advance(self.minor(), reply);
        let result = self.insist(link, &build, &note).await?.lock()?;
        locking.record(range, result).and_then(|outcome| match outcome.is_granted() {
            true => Ok(()),
            false => Err(Error::Status { op: OpNum::Lock, status: NfsStat4::ReclaimConflict }),
        })
    }
}
