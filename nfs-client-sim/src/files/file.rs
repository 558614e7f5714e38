//! An open file.

use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Attrs, NfsFh4, NfsStat4, Open4Resok, OpenDowngrade4Args, Read4Resok, StableHow4, Stateid4, Verifier4, Write4Resok,
};

use super::open_state::{Delegation, OpenState};
use crate::client::Request;
use crate::{Client, CompoundBuilder, Error, Locker, OpenOwner, Reply, Result};

/// An open file. It stays open at the server until [`OpenFile::close`], also when this value is dropped.
#[derive(Debug)]
pub struct OpenFile {
    client: Client,
    state: Arc<OpenState>,
    opened: Open4Resok,
}

impl OpenFile {
    pub(crate) const fn new(client: Client, state: Arc<OpenState>, opened: Open4Resok) -> Self {
        Self { client, state, opened }
    }

    pub(crate) const fn state(&self) -> &Arc<OpenState> {
        &self.state
    }

    /// The client that opened the file.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The file's filehandle.
    #[must_use]
    pub fn handle(&self) -> &NfsFh4 {
        &self.state.handle
    }

    /// Whom the open belongs to.
    #[must_use]
    pub fn owner(&self) -> &Arc<OpenOwner> {
        &self.state.owner
    }

    /// What OPEN answered.
    #[must_use]
    pub const fn opened(&self) -> &Open4Resok {
        &self.opened
    }

    /// The present stateid of the open.
    #[must_use]
    pub fn stateid(&self) -> Stateid4 {
        self.state.stateid()
    }

    /// The delegation that came with the open, while it is not returned.
    #[must_use]
    pub fn delegation(&self) -> Option<Delegation> {
        self.state.delegation()
    }

    /// DELEGRETURN, if there is a delegation.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn return_delegation(&self) -> Result<()> {
        self.client.return_delegation(&self.state).await
    }

    /// Sends operations on this file, made anew with the stateid of the moment for each try. The filehandle is put
    /// already.
    pub(crate) async fn run(
        &self,
        build: impl Fn(CompoundBuilder, Stateid4) -> CompoundBuilder + Send + Sync,
    ) -> Result<Reply> {
        let build = || build(CompoundBuilder::new().putfh(self.handle()), self.stateid());
        let request = Request { build: &build, note: &|_| {}, files: &[&self.state] };
        Ok(self.client.settle(request).await?.reply)
    }

    /// READ. Fewer bytes than asked for may come.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn read_at(&self, offset: u64, count: u32) -> Result<Read4Resok> {
        self.run(|compound, stateid| compound.read(stateid, offset, count)).await?.read()
    }

    /// WRITE. Fewer bytes than asked for may be written.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn write_at(&self, offset: u64, data: impl Into<Bytes>, stable: StableHow4) -> Result<Write4Resok> {
        let data = data.into();
        let written =
            self.run(|compound, stateid| compound.write(stateid, offset, stable, data.clone())).await?.write()?;
        self.state.grow(offset.saturating_add(written.count.into()));
        Ok(written)
    }

    /// COMMIT of the whole file. Returns the write verifier.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn commit(&self) -> Result<Verifier4> {
        Ok(self.run(|compound, _| compound.commit(0, 0)).await?.commit()?.writeverf)
    }

    /// SETATTR of the size under this open.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn set_size(&self, size: u64) -> Result<()> {
        let attrs = Attrs { size: Some(size), ..Attrs::default() }.to_fattr4();
        let reply = self.run(|compound, stateid| compound.setattr(stateid, attrs.clone())).await?;
        reply.ok()?;
        self.state.resize(size);
        Ok(())
    }

    /// GETATTR.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn getattr(&self, attributes: &[u32]) -> Result<Attrs> {
        self.client.getattr(self.handle(), attributes).await
    }

    /// A lock-owner of this name for this file.
    #[must_use]
    pub fn locker(&self, name: impl Into<Bytes>) -> Locker<'_> {
        Locker::new(self, name.into())
    }

    /// OPEN_DOWNGRADE to these bits (`OPEN4_SHARE_*`).
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn downgrade(&self, share_access: u32, share_deny: u32) -> Result<()> {
        let build = |seqid| {
            let args = OpenDowngrade4Args { open_stateid: self.stateid(), seqid, share_access, share_deny };
            CompoundBuilder::new().putfh(self.handle()).open_downgrade(args)
        };
        let files = [&*self.state];
        let mut settled = self.client.settle_in_turn(self.owner(), &files, &build).await?;
        let stateid = settled.reply.open_downgrade()?.open_stateid;
        self.state.downgrade(stateid, share_access, share_deny);
        Ok(())
    }

    /// Reclaims the open after a restart of the server, when the client has recovered. With
    /// [`Recovery::Full`](crate::Recovery::Full) that is done already.
    ///
    /// # Errors
    /// Those of the calls and of OPEN.
    pub async fn reclaim(&self) -> Result<()> {
        self.client.reclaim_open(&self.client.present_link(), &self.state).await
    }

    /// Returns the delegation, if there is one, and CLOSE. Locks go with it.
    ///
    /// # Errors
    /// Those of the calls and of the operations; the file may then still be open. [`Error::StateLost`] when it is not
    /// open any more.
    pub async fn close(self) -> Result<()> {
        match self.return_delegation().await {
            // The server's answer does not matter: a delegation that it revoked is gone as well.
            Err(error) if error.status().is_none() => return Err(error),
            _ => {}
        }
        match self.send_close().await {
            // The server may leave it to the client to give locks back first (RFC 8881 §18.2.3).
            Err(Error::Status { status: NfsStat4::LocksHeld, .. }) => {
                for locker in self.state.lockers().iter().filter(|locker| locker.has_ranges()) {
                    self.locker(locker.name().clone()).unlock(0, u64::MAX).await?;
                }
                self.send_close().await
            }
            result => result,
        }
    }

    async fn send_close(&self) -> Result<()> {
        let build = |seqid| CompoundBuilder::new().putfh(self.handle()).close(seqid, self.stateid());
        let files = [&*self.state];
        let mut settled = self.client.settle_in_turn(self.owner(), &files, &build).await?;
        settled.reply.close().map(drop)
    }
}
