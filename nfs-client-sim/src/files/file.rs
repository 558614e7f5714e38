//! An open file.

use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Attrs, NfsArgop4, NfsFh4, Open4Resok, OpenDowngrade4Args, Read4Resok, StableHow4, Stateid4, Verifier4, Write4Resok,
};
use parking_lot::Mutex;

use crate::{Client, CompoundBuilder, Locker, OpenHow, OpenOwner, Result};

/// An open file. It stays open at the server until [`OpenFile::close`], also when this value is dropped.
#[derive(Debug)]
pub struct OpenFile {
    client: Client,
    handle: NfsFh4,
    owner: Arc<OpenOwner>,
    how: OpenHow,
    opened: Open4Resok,
    stateid: Mutex<Stateid4>,
}

impl OpenFile {
    pub(crate) fn new(
        client: Client,
        handle: NfsFh4,
        owner: Arc<OpenOwner>,
        how: OpenHow,
        opened: Open4Resok,
        stateid: Stateid4,
    ) -> Self {
        Self { client, handle, owner, how, opened, stateid: Mutex::new(stateid) }
    }

    /// The client that opened the file.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The file's filehandle.
    #[must_use]
    pub const fn handle(&self) -> &NfsFh4 {
        &self.handle
    }

    /// Whom the open belongs to.
    #[must_use]
    pub const fn owner(&self) -> &Arc<OpenOwner> {
        &self.owner
    }

    /// What OPEN answered.
    #[must_use]
    pub const fn opened(&self) -> &Open4Resok {
        &self.opened
    }

    /// The present stateid of the open.
    #[must_use]
    pub fn stateid(&self) -> Stateid4 {
        *self.stateid.lock()
    }

    /// READ. Fewer bytes than asked for may come.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn read_at(&self, offset: u64, count: u32) -> Result<Read4Resok> {
        let compound = CompoundBuilder::new().putfh(&self.handle).read(self.stateid(), offset, count);
        self.client.run(compound).await?.read()
    }

    /// WRITE. Fewer bytes than asked for may be written.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn write_at(&self, offset: u64, data: impl Into<Bytes>, stable: StableHow4) -> Result<Write4Resok> {
        let compound = CompoundBuilder::new().putfh(&self.handle).write(self.stateid(), offset, stable, data.into());
        self.client.run(compound).await?.write()
    }

    /// COMMIT of the whole file. Returns the write verifier.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn commit(&self) -> Result<Verifier4> {
        let compound = CompoundBuilder::new().putfh(&self.handle).commit(0, 0);
        Ok(self.client.run(compound).await?.commit()?.writeverf)
    }

    /// SETATTR of the size under this open.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn set_size(&self, size: u64) -> Result<()> {
        let attrs = Attrs { size: Some(size), ..Attrs::default() };
        self.client.setattr(&self.handle, self.stateid(), &attrs).await
    }

    /// GETATTR.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn getattr(&self, attributes: &[u32]) -> Result<Attrs> {
        self.client.getattr(&self.handle, attributes).await
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
        let open_stateid = self.stateid();
        let downgrade =
            |seqid| NfsArgop4::OpenDowngrade(OpenDowngrade4Args { open_stateid, seqid, share_access, share_deny });
        let build = |seqid| CompoundBuilder::new().putfh(&self.handle).op(downgrade(seqid));
        let mut reply = self.client.run_in_turn(&self.owner, build).await?;
        *self.stateid.lock() = reply.open_downgrade()?.open_stateid;
        Ok(())
    }

    /// Reclaims the open after a restart of the server, when the client has recovered.
    ///
    /// # Errors
    /// Those of the calls and of OPEN.
    pub async fn reclaim(&self) -> Result<()> {
        let stateid = self.client.reclaim(&self.handle, &self.owner, &self.how).await?;
        *self.stateid.lock() = stateid;
        Ok(())
    }

    /// CLOSE.
    ///
    /// # Errors
    /// Those of the call and of the operation; the file may then still be open.
    pub async fn close(self) -> Result<()> {
        let stateid = self.stateid();
        let build = |seqid| CompoundBuilder::new().putfh(&self.handle).close(seqid, stateid);
        self.client.run_in_turn(&self.owner, build).await?.close().map(drop)
    }
}
