//! Copies that the server makes (RFC 7862 §4), in 4.2.

use nfs4_protocol::nfs4::{
    Clone4Args, Copy4Args, Copy4Res, NfsStat4, OpNum, StableHow4, Stateid4, Verifier4, WriteResponse4,
};

use crate::client::Request;
use crate::{CompoundBuilder, Error, OpenFile, Reply, Result};

/// What COPY did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Bytes. May be fewer than asked for.
    pub count: u64,
    /// How durable they are.
    pub committed: StableHow4,
    /// The write verifier, to be compared with that of COMMIT.
    pub writeverf: Verifier4,
}

impl OpenFile {
    /// COPY of `count` bytes (0: all up to the end) into another open file of the same server. Waits for the end of a
    /// copy that the server makes in the background.
    ///
    /// # Errors
    /// [`Error::NotInMinor`]; those of the calls and of the operations.
    pub async fn copy_to(&self, from: u64, target: &Self, to: u64, count: u64) -> Result<Copied> {
        self.client().needs_minor(2, "COPY")?;
        let args = |src_stateid, dst_stateid| Copy4Args {
            src_stateid,
            dst_stateid,
            src_offset: from,
            dst_offset: to,
            count,
            consecutive: true,
            synchronous: true,
            source_server: Vec::new(),
        };
        let mut reply = self.run_with(target, |compound, own, other| compound.copy(args(own, other))).await?;
        let response = match reply.copy()? {
            Copy4Res::Ok(result) => result.response,
            Copy4Res::OffloadNoReqs(_) => return Err(failed(NfsStat4::OffloadNoReqs)),
            Copy4Res::Error(status) => return Err(failed(status)),
        };
        let copied = self.wait_for(target, response).await?;
        target.state().grow(to.saturating_add(copied.count));
        Ok(copied)
    }

    /// Asks how far a copy is until it has ended.
    async fn wait_for(&self, target: &Self, response: WriteResponse4) -> Result<Copied> {
        let WriteResponse4 { callback_id, count, committed, writeverf } = response;
        let Some(stateid) = callback_id else { return Ok(Copied { count, committed, writeverf }) };
        let mut patience = self.client().patience();
        loop {
            let compound = CompoundBuilder::new().putfh(target.handle()).offload_status(stateid);
            let status = self.client().run(compound).await?.offload_status()?;
            match status.complete {
                Some(NfsStat4::Ok) => return Ok(Copied { count: status.count, committed, writeverf }),
                Some(error) => return Err(failed(error)),
                None if patience.wait().await => {}
                None => return Err(failed(NfsStat4::Delay)),
            }
        }
    }

    /// CLONE of `count` bytes (0: all up to the end) into another open file of the same server.
    ///
    /// # Errors
    /// [`Error::NotInMinor`]; those of the call and of the operation.
    pub async fn clone_to(&self, from: u64, target: &Self, to: u64, count: u64) -> Result<()> {
        self.client().needs_minor(2, "CLONE")?;
        let args =
            |src_stateid, dst_stateid| Clone4Args { src_stateid, dst_stateid, src_offset: from, dst_offset: to, count };
        let mut reply = self.run_with(target, |compound, own, other| compound.clone_range(args(own, other))).await?;
        reply.clone_range()
    }

    /// Sends operations with this file as the saved filehandle and another as the current one.
    async fn run_with(
        &self,
        target: &Self,
        build: impl Fn(CompoundBuilder, Stateid4, Stateid4) -> CompoundBuilder + Send + Sync,
    ) -> Result<Reply> {
        let build = || {
            let compound = CompoundBuilder::new().putfh(self.handle()).savefh().putfh(target.handle());
            build(compound, self.stateid(), target.stateid())
        };
        let request = Request { build: &build, note: &|_| {}, files: &[self.state(), target.state()] };
        Ok(self.client().settle(request).await?.reply)
    }
}

const fn failed(status: NfsStat4) -> Error {
    Error::Status { op: OpNum::Copy, status }
}
