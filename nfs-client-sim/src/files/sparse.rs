//! Holes and space (RFC 7862 §6, §9), in 4.2.

use nfs4_protocol::nfs4::{DataContent4, ReadPlus4Resok, Seek4Resok};

use crate::{OpenFile, Result};

impl OpenFile {
    /// SEEK: where data or a hole begins, from `offset` on.
    ///
    /// # Errors
    /// [`Error::NotInMinor`](crate::Error::NotInMinor); those of the call and of the operation, NFS4ERR_NXIO among them
    /// when there is no such thing.
    pub async fn seek(&self, offset: u64, what: DataContent4) -> Result<Seek4Resok> {
        self.client().needs_minor(2, "SEEK")?;
        self.run(|compound, stateid| compound.seek(stateid, offset, what)).await?.seek()
    }

    /// ALLOCATE: makes sure that there is room for a range.
    ///
    /// # Errors
    /// [`Error::NotInMinor`](crate::Error::NotInMinor); those of the call and of the operation.
    pub async fn allocate(&self, offset: u64, length: u64) -> Result<()> {
        self.client().needs_minor(2, "ALLOCATE")?;
        self.run(|compound, stateid| compound.allocate(stateid, offset, length)).await?.allocate()?;
        self.state().grow(offset.saturating_add(length));
        Ok(())
    }

    /// DEALLOCATE: makes a hole.
    ///
    /// # Errors
    /// [`Error::NotInMinor`](crate::Error::NotInMinor); those of the call and of the operation.
    pub async fn deallocate(&self, offset: u64, length: u64) -> Result<()> {
        self.client().needs_minor(2, "DEALLOCATE")?;
        self.run(|compound, stateid| compound.deallocate(stateid, offset, length)).await?.deallocate()
    }

    /// READ_PLUS: data and holes. Less than asked for may come.
    ///
    /// # Errors
    /// [`Error::NotInMinor`](crate::Error::NotInMinor); those of the call and of the operation.
    pub async fn read_plus_at(&self, offset: u64, count: u32) -> Result<ReadPlus4Resok> {
        self.client().needs_minor(2, "READ_PLUS")?;
        self.run(|compound, stateid| compound.read_plus(stateid, offset, count)).await?.read_plus()
    }
}
