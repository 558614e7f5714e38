//! The operations that move the current filehandle: PUTFH, PUTROOTFH, PUTPUBFH, GETFH, SAVEFH, RESTOREFH, LOOKUP, LOOKUPP.

use nfs4_protocol::nfs4::{Getfh4Resok, Lookup4Args, NfsFh4, NfsStat4, Putfh4Args};

use super::names::name;
use super::{CompoundContext, Outcome, permission};
use crate::fs::filesystem::Handle;

#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;

/// PUTFH (RFC 7530 §16.20, RFC 8881 §18.19).
pub(super) async fn putfh(cx: &mut CompoundContext, args: Putfh4Args) -> Outcome<()> {
    let handle = Handle::new(args.object.0).ok_or(NfsStat4::Badhandle)?;
    let node = cx.fs().resolve(&handle).await?;
    cx.set_current(node);
    Ok(())
}

/// PUTROOTFH (RFC 7530 §16.22, RFC 8881 §18.21).
pub(super) async fn putrootfh(cx: &mut CompoundContext) -> Outcome<()> {
    let root = cx.fs().root().await?;
    cx.set_current(root);
    Ok(())
}

/// PUTPUBFH (RFC 7530 §16.21, RFC 8881 §18.20): the public filehandle is the root's.
pub(super) async fn putpubfh(cx: &mut CompoundContext) -> Outcome<()> {
    putrootfh(cx).await
}

/// GETFH (RFC 7530 §16.8, RFC 8881 §18.8).
pub(super) async fn getfh(cx: &mut CompoundContext) -> Outcome<Getfh4Resok> {
    let node = cx.current()?;
    Ok(Getfh4Resok { object: NfsFh4(node.handle.as_bytes().clone()) })
}

/// SAVEFH (RFC 7530 §16.30, RFC 8881 §18.28).
pub(super) async fn savefh(cx: &mut CompoundContext) -> Outcome<()> {
    Ok(cx.save()?)
}

/// RESTOREFH (RFC 7530 §16.29, RFC 8881 §18.27).
pub(super) async fn restorefh(cx: &mut CompoundContext) -> Outcome<()> {
    Ok(cx.restore()?)
}

/// LOOKUP (RFC 7530 §16.13, RFC 8881 §18.13). It crosses from the root into a bucket like from any directory into
/// another; the client sees that by the fsid.
pub(super) async fn lookup(cx: &mut CompoundContext, args: Lookup4Args) -> Outcome<()> {
    let dir = cx.current_dir()?;
    permission::require_in_directory(cx, &dir, permission::EXECUTE).await?;
    let node = cx.fs().lookup(&dir.handle, name(&args.objname)?).await?;
    cx.set_current(node);
    Ok(())
}

/// LOOKUPP (RFC 7530 §16.14, RFC 8881 §18.14): NFS4ERR_NOENT at the root.
pub(super) async fn lookupp(cx: &mut CompoundContext) -> Outcome<()> {
    let dir = cx.current_dir()?;
    permission::require_in_directory(cx, &dir, permission::EXECUTE).await?;
    let parent = cx.fs().parent(&dir.handle).await?;
    cx.set_current(parent);
    Ok(())
}
