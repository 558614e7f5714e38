//! Entries of directories made and taken away: CREATE, REMOVE, RENAME; and READLINK.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Create4Args, Create4Resok, Createtype4, NfsStat4, Readlink4Resok, Remove4Args, Remove4Resok, Rename4Args,
    Rename4Resok,
};

use super::names::{change_info, name};
use super::{CompoundContext, Outcome, attributes, permission};
use crate::fs::filesystem::{FsError, Located, NodeKind};

#[cfg(test)]
mod tests;

/// What CREATE makes here.
enum Kind {
    Directory,
    /// With its target.
    Symlink(Bytes),
}

impl Kind {
    /// NFS4ERR_BADTYPE for what OPEN makes and for what the gateway does not have (RFC 7530 §13.1.4.1).
    fn of(objtype: Createtype4) -> Result<Self, NfsStat4> {
        match objtype {
            Createtype4::Dir => Ok(Self::Directory),
            Createtype4::Lnk(target) => Ok(Self::Symlink(target)),
            Createtype4::Blk(_)
            | Createtype4::Chr(_)
            | Createtype4::Sock
            | Createtype4::Fifo
            | Createtype4::Other(_) => Err(NfsStat4::Badtype),
        }
    }
}

/// CREATE (RFC 7530 §16.4, RFC 8881 §18.4).
pub(super) async fn create(cx: &mut CompoundContext, args: Create4Args) -> Outcome<Create4Resok> {
    let dir = cx.current_dir()?;
    let kind = Kind::of(args.objtype)?;
    let name = name(&args.objname)?;
    let (set, attrset) = attributes::decode(cx, &args.createattrs)?;
    if set.size.is_some() {
        return Err(NfsStat4::Inval.into()); // neither kind has a size that could be set
    }
    permission::require_in_directory(cx, &dir, permission::WRITE | permission::EXECUTE).await?;
    let fs = cx.fs();
    let created = match kind {
        Kind::Directory => fs.mkdir(&dir.handle, name, &set, cx.caller()).await?,
        Kind::Symlink(target) => {
            let target = std::str::from_utf8(&target).map_err(|_| NfsStat4::Inval)?;
            fs.symlink(&dir.handle, name, target, &set, cx.caller()).await?
        }
    };
    cx.set_current(created.node);
    Ok(Create4Resok { cinfo: change_info(created.change), attrset })
}

/// REMOVE (RFC 7530 §16.26, RFC 8881 §18.25).
pub(super) async fn remove(cx: &mut CompoundContext, args: Remove4Args) -> Outcome<Remove4Resok> {
    let dir = cx.current_dir()?;
    let name = name(&args.target)?;
    permission::require_removal(cx, &dir, name).await?;
    let change = cx.fs().remove(&dir.handle, name).await?;
    Ok(Remove4Resok { cinfo: change_info(change) })
}

/// RENAME (RFC 7530 §16.27, RFC 8881 §18.26), from the saved filehandle's directory into the current one's.
pub(super) async fn rename(cx: &mut CompoundContext, args: Rename4Args) -> Outcome<Rename4Resok> {
    let from_dir = directory(cx.saved()?)?;
    let to_dir = cx.current_dir()?;
    let (from, to) = (name(&args.oldname)?, name(&args.newname)?);
    if from_dir.key.fsid != to_dir.key.fsid {
        return Err(FsError::CrossDevice.into());
    }
    permission::require_removal(cx, &from_dir, from).await?;
    permission::require_removal(cx, &to_dir, to).await?;
    let (source, target) = cx.fs().rename(&from_dir.handle, from, &to_dir.handle, to).await?;
    Ok(Rename4Resok { source_cinfo: change_info(source), target_cinfo: change_info(target) })
}

fn directory(node: Located) -> Result<Located, NfsStat4> {
    if node.kind == NodeKind::Directory { Ok(node) } else { Err(NfsStat4::Notdir) }
}

/// READLINK. What is no link is NFS4ERR_INVAL in 4.0 (RFC 7530 §16.25.5) and NFS4ERR_WRONG_TYPE later (RFC 8881
/// §18.24.4).
pub(super) async fn readlink(cx: &mut CompoundContext) -> Outcome<Readlink4Resok> {
    let node = cx.current()?;
    if node.kind != NodeKind::Symlink {
        return Err(if cx.minor() == 0 { NfsStat4::Inval } else { NfsStat4::WrongType }.into());
    }
    Ok(Readlink4Resok { link: cx.fs().readlink(&node.handle).await? })
}
