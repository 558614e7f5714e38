//! Bytes: READ, WRITE, COMMIT, IO_ADVISE.

use nfs4_protocol::nfs4::{
    Bitmap4, Commit4Args, Commit4Resok, IoAdvise4Args, IoAdvise4Resok, IoAdviseType4, NfsStat4, Read4Args, Read4Resok,
    StableHow4, Stateid4, Verifier4, Write4Args, Write4Resok,
};
use nfs4_protocol::xdr::Payload;

use super::attributes::FILE_BYTES_MAX;
use super::context::IoGrant;
use super::{CompoundContext, Outcome, permission};
use crate::fs::filesystem::{Located, Stability};
use crate::state::Want;

#[cfg(test)]
mod tests;

/// What a READ result takes besides its data: operation, status, eof, length, and up to three bytes of padding.
const READ_OVERHEAD_BYTES: usize = 4 * 4 + 3;

/// READ (RFC 7530 §16.23, RFC 8881 §18.22). More than `maxread` or than the reply can hold is a short read.
pub(super) async fn read(cx: &mut CompoundContext, args: Read4Args) -> Outcome<Read4Resok> {
    let file = cx.current_regular()?;
    let _open = permit(cx, &file, args.stateid, Want::Read).await?;
    let count = readable(cx, args.offset, args.count)?;
    let found = cx.fs().read(&file.handle, args.offset, count).await?;
    Ok(Read4Resok { eof: found.eof, data: Payload(found.chunks) })
}

/// How much of `count` can be read at once. No room at all is an error of the reply: no data and no end of file would
/// have the client ask for ever.
fn readable(cx: &CompoundContext, offset: u64, count: u32) -> Result<u32, NfsStat4> {
    let room = cx.reply_room().saturating_sub(READ_OVERHEAD_BYTES);
    let to_end_of_offsets = u32::try_from(u64::MAX - offset).unwrap_or(u32::MAX);
    let count = count.min(cx.settings().read_bytes_max).min(to_end_of_offsets);
    match u32::try_from(room).unwrap_or(u32::MAX).min(count) {
        0 if count > 0 => Err(cx.budget().status),
        clipped => Ok(clipped),
    }
}

/// WRITE (RFC 7530 §16.36, RFC 8881 §18.32). More than `maxwrite` is a short write.
pub(super) async fn write(cx: &mut CompoundContext, args: Write4Args) -> Outcome<Write4Resok> {
    let file = cx.current_regular()?;
    let _open = permit(cx, &file, args.stateid, Want::Write).await?;
    let bytes_max = usize::try_from(cx.settings().write_bytes_max).unwrap_or(usize::MAX);
    let data = args.data.slice(..args.data.len().min(bytes_max));
    let end = u64::try_from(data.len()).ok().and_then(|len| args.offset.checked_add(len));
    if end.is_none_or(|end| end > FILE_BYTES_MAX) {
        return Err(NfsStat4::Fbig.into());
    }
    if data.is_empty() {
        // Nothing changes, the times neither (RFC 8881 §18.32.4); the verifier comes from where there is one.
        let writeverf = Verifier4(cx.fs().commit(&file.handle).await?);
        return Ok(Write4Resok { count: 0, committed: StableHow4::FileSync, writeverf });
    }
    let stability = match args.stable {
        StableHow4::Unstable => Stability::Unstable,
        StableHow4::DataSync => Stability::DataSync,
        StableHow4::FileSync => Stability::FileSync,
    };
    let written = cx.fs().write(&file.handle, args.offset, data, stability).await?;
    let committed = match written.committed {
        Stability::Unstable => StableHow4::Unstable,
        Stability::DataSync => StableHow4::DataSync,
        Stability::FileSync => StableHow4::FileSync,
    };
    Ok(Write4Resok { count: written.count, committed, writeverf: Verifier4(written.verifier) })
}

/// COMMIT (RFC 7530 §16.3, RFC 8881 §18.3). The whole file is made durable, whatever the range.
pub(super) async fn commit(cx: &mut CompoundContext, args: Commit4Args) -> Outcome<Commit4Resok> {
    let file = cx.current_regular()?;
    if args.offset.checked_add(u64::from(args.count)).is_none() {
        return Err(NfsStat4::Inval.into());
    }
    Ok(Commit4Resok { writeverf: Verifier4(cx.fs().commit(&file.handle).await?) })
}

/// IO_ADVISE (RFC 7862 §15.5). The gateway goes by the reads it sees, so its hint is always the normal one.
pub(super) async fn io_advise(cx: &mut CompoundContext, args: IoAdvise4Args) -> Outcome<IoAdvise4Resok> {
    cx.current_regular()?;
    match cx.check_io(args.stateid, Want::Read) {
        // Advice reads nothing, so no share reservation is in its way; the RFC does not list NFS4ERR_LOCKED.
        Ok(_) | Err(NfsStat4::Locked) => {}
        Err(status) => return Err(status.into()),
    }
    Ok(IoAdvise4Resok { hints: Bitmap4::from_iter([IoAdviseType4::Normal.as_u32()]) })
}

/// Leave to read or write: by an open that has that access, else by the mode.
async fn permit(cx: &mut CompoundContext, file: &Located, stateid: Stateid4, want: Want) -> Outcome<IoGrant> {
    let grant = cx.check_io(stateid, want)?;
    if !grant.by_open {
        let may = match want {
            Want::Read => permission::may_read,
            Want::Write => permission::may_write,
        };
        permission::require(cx, &file.handle, may).await?;
    }
    Ok(grant)
}
