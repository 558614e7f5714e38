//! Reading and writing blocks of large files, and locking them.

use bytes::Bytes;
use nfs4_protocol::nfs4::{Attrs, FATTR4_SIZE, NfsLockType4, NfsStat4, OpNum, StableHow4};

use super::task::{Ended, Task};
use crate::{Error, LockOutcome, OpenFile, OpenHow};

/// The files are filled in pieces of this many bytes, each made stable.
const FILL: u64 = 4 << 20;
/// WRITEs on their way while a file is filled.
const FILL_IN_FLIGHT: usize = 4;

impl Task {
    /// WRITE of blocks.
    pub(super) async fn write(&mut self, random: bool) -> Result<(), Ended> {
        let file = if random { self.filled().await? } else { self.emptied().await? };
        self.ready().await;
        let written = self.write_blocks(&file, random).await;
        file.close().await?;
        written
    }

    async fn write_blocks(&mut self, file: &OpenFile, random: bool) -> Result<(), Ended> {
        let block = self.content.slice(..self.plan.block as usize);
        let mut verifier = None;
        let mut last = None;
        while let Some(began) = self.meter.next() {
            let offset = self.position(&mut last, random);
            let written = file.write_at(offset, block.clone(), StableHow4::Unstable).await?;
            let expected = *verifier.get_or_insert(written.writeverf);
            if self.plan.fsync {
                file.commit().await?;
            }
            if written.writeverf != expected {
                return Err(Error::Unsteady(1).into());
            }
            self.meter.done(began, written.count.into());
        }
        if verifier.is_some_and(|_| !self.plan.fsync) {
            if Some(file.commit().await?) != verifier {
                return Err(Error::Unsteady(1).into());
            }
            self.meter.sealed();
        }
        Ok(())
    }

    /// READ of blocks.
    pub(super) async fn read(&mut self, random: bool) -> Result<(), Ended> {
        let file = self.filled().await?;
        self.ready().await;
        let read = self.read_blocks(&file, random).await;
        file.close().await?;
        read
    }

    async fn read_blocks(&mut self, file: &OpenFile, random: bool) -> Result<(), Ended> {
        let mut last = None;
        while let Some(began) = self.meter.next() {
            let offset = self.position(&mut last, random);
            let read = file.read_at(offset, self.plan.block).await?;
            let bytes = read.data.len() as u64;
            if bytes == 0 {
                // The block is inside the file, which nobody else writes.
                return Err(Error::Missing(OpNum::Read).into());
            }
            self.meter.done(began, bytes);
        }
        Ok(())
    }

    /// The place of the next block, `last` being that of the one before.
    fn position(&mut self, last: &mut Option<u64>, random: bool) -> u64 {
        let blocks = (self.plan.size / u64::from(self.plan.block)).max(1);
        let next = if random { self.random.u64(..blocks) } else { last.map_or(0, |last| (last + 1) % blocks) };
        *last = Some(next);
        next * u64::from(self.plan.block)
    }

    fn name(&self) -> String {
        format!("data-{}", self.number)
    }

    /// The task's file, open for writing and empty.
    async fn emptied(&self) -> Result<OpenFile, Ended> {
        let attrs = Attrs { mode: Some(0o600), size: Some(0), ..Attrs::default() };
        Ok(self.client.open(&self.directory, self.name(), OpenHow::write().unchecked(attrs)).await?)
    }

    /// The task's file, open for reading and writing and full.
    async fn filled(&self) -> Result<OpenFile, Ended> {
        let file = self.client.open(&self.directory, self.name(), OpenHow::create()).await?;
        match self.fill(&file).await {
            Ok(()) => Ok(file),
            Err(ended) => {
                file.close().await?;
                Err(ended)
            }
        }
    }

    async fn fill(&self, file: &OpenFile) -> Result<(), Ended> {
        let mut at = file.getattr(&[FATTR4_SIZE]).await?.size.unwrap_or(0);
        if at >= self.plan.size {
            return Ok(());
        }
        let copies = FILL as usize / self.content.len().max(1) + 1;
        let piece = Bytes::from(self.content.repeat(copies));
        while at < self.plan.size {
            self.unless_stopped()?;
            let len = FILL.min(self.plan.size - at);
            file.write_stable(at, &piece.slice(..len as usize), FILL_IN_FLIGHT).await?;
            at += len;
        }
        Ok(())
    }

    /// LOCK and LOCKU of one byte.
    pub(super) async fn lock(&mut self) -> Result<(), Ended> {
        let file = self.client.open(&self.directory, format!("lock-{}", self.number), OpenHow::create()).await?;
        self.ready().await;
        let locked = self.lock_byte(&file).await;
        file.close().await?;
        locked
    }

    async fn lock_byte(&mut self, file: &OpenFile) -> Result<(), Ended> {
        // In 4.0 a lock-owner has one sequence for all its files, so each needs a name of its own, as opens have.
        let locker = file.locker(file.owner().name().clone());
        while let Some(began) = self.meter.next() {
            match locker.lock(NfsLockType4::Write, 0, 1).await? {
                LockOutcome::Granted => locker.unlock(0, 1).await?,
                // Nobody else has the file.
                LockOutcome::Denied(_) => {
                    return Err(Error::Status { op: OpNum::Lock, status: NfsStat4::Denied }.into());
                }
            }
            self.meter.done(began, 0);
        }
        Ok(())
    }
}
