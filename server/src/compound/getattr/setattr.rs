//! SETATTR (RFC 7530 §16.32, RFC 8881 §18.30).

use nfs4_protocol::nfs4::{Bitmap4, NfsStat4, Setattr4Args, Setattr4Res, Stateid4};

use crate::compound::attributes::{SettableMode, decode_changes};
use crate::compound::context::IoGrant;
use crate::compound::{CompoundContext, Outcome, permission};
use crate::fs::filesystem::{Attributes, Caller, FsError, NodeKind, SetAttributes, SetTime};
use crate::state::Want;

/// SETATTR. The file system sets all or nothing, so on an error no attribute was set.
pub(in crate::compound) async fn setattr(cx: &mut CompoundContext, args: Setattr4Args) -> Setattr4Res {
    match apply(cx, &args).await {
        Ok(attrsset) => Setattr4Res { status: NfsStat4::Ok, attrsset },
        Err(failure) => Setattr4Res { status: cx.status(failure), attrsset: Bitmap4::new() },
    }
}

async fn apply(cx: &mut CompoundContext, args: &Setattr4Args) -> Outcome<Bitmap4> {
    let node = cx.current()?;
    let (mut set, mode, bits) = decode_changes(cx, &args.obj_attributes)?;
    let attributes = cx.fs().getattr(&node.handle).await?;
    // Kept until the size is set: a CLOSE must not end the file meanwhile.
    let _open = match set.size {
        Some(_) => Some(permit_size(cx, &attributes, args.stateid)?),
        None => None,
    };
    permit_ownership(&attributes, cx.caller(), &set)?;
    permit_times(&attributes, cx.caller(), &set)?;
    set.mode = new_mode(&attributes, cx.caller(), &set, mode)?;
    if !bits.is_empty() {
        cx.fs().setattr(&node.handle, &set).await?;
    }
    Ok(bits)
}

/// A size is set as bytes are written: with an open that allows it, or with the permission to write.
fn permit_size(cx: &mut CompoundContext, attributes: &Attributes, stateid: Stateid4) -> Outcome<IoGrant> {
    match attributes.kind {
        NodeKind::Directory => return Err(FsError::IsDirectory.into()),
        NodeKind::Symlink => return Err(FsError::IsSymlink.into()),
        NodeKind::File => {}
    }
    let grant = cx.check_io(stateid, Want::Write)?;
    if grant.by_open || permission::may_write(attributes, cx.caller()) {
        Ok(grant)
    } else {
        Err(NfsStat4::Access.into())
    }
}

/// Root gives files away; an owner may pass his to another group that he belongs to, and "set" what is so already
/// (RFC 8881 §18.30.4).
fn permit_ownership(attributes: &Attributes, caller: &Caller, set: &SetAttributes) -> Result<(), NfsStat4> {
    if permission::is_root(caller) {
        return Ok(());
    }
    let keeps_owner = set.uid.is_none_or(|uid| uid == attributes.uid);
    let may_group = set.gid.is_none_or(|gid| gid == attributes.gid || permission::is_member(caller, gid));
    let touches = set.uid.is_some() || set.gid.is_some();
    if !touches || (keeps_owner && may_group && permission::owns(attributes, caller)) {
        Ok(())
    } else {
        Err(NfsStat4::Perm)
    }
}

/// The owner sets any time, whoever may write sets the present.
fn permit_times(attributes: &Attributes, caller: &Caller, set: &SetAttributes) -> Result<(), NfsStat4> {
    let times = [set.atime, set.mtime];
    if permission::owns(attributes, caller) || times == [None, None] {
        return Ok(());
    }
    if times.iter().any(|time| matches!(time, Some(SetTime::To(_)))) {
        return Err(NfsStat4::Perm);
    }
    if permission::check(attributes, caller, permission::WRITE) { Ok(()) } else { Err(NfsStat4::Access) }
}

/// The mode that results: the one that is set, by the owner only, or what a change of owner or group leaves of the old.
fn new_mode(
    attributes: &Attributes,
    caller: &Caller,
    set: &SetAttributes,
    mode: Option<SettableMode>,
) -> Result<Option<u32>, NfsStat4> {
    let gid = set.gid.unwrap_or(attributes.gid);
    match mode {
        Some(_) if !permission::owns(attributes, caller) => Err(NfsStat4::Perm),
        Some(mode) => Ok(Some(permission::mode_to_set(attributes, caller, gid, mode.over(attributes.mode)))),
        None if gid != attributes.gid => Ok(permission::mode_after_chown(attributes, caller)),
        None => Ok(None),
    }
}
