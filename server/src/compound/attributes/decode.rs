//! What SETATTR, CREATE and OPEN set.

use nfs4_protocol::nfs4::*;

use super::FILE_BYTES_MAX;
use super::supported::supported;
use crate::compound::{CompoundContext, identity, permission};
use crate::fs::filesystem::{SetAttributes, SetTime};
use crate::timestamp::Timestamp;

/// The bits that a mode can have (RFC 7530 §6.2.2, RFC 8881 §6.2.4).
pub(in crate::compound) const MODE_BITS: u32 = 0o7777;
/// The bits that a umask can have (RFC 8275 §5).
const UMASK_BITS: u32 = 0o777;

/// A mode to set on an existing node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compound) enum SettableMode {
    /// All bits.
    Whole(u32),
    /// Those in the mask only.
    Masked(ModeMasked4),
}

impl SettableMode {
    /// The mode of a node that had `before`.
    pub(in crate::compound) fn over(self, before: u32) -> u32 {
        match self {
            Self::Whole(mode) => mode,
            Self::Masked(masked) => (before & !masked.mask_bits) | (masked.value_to_set & masked.mask_bits),
        }
    }
}

/// The attributes of a node that is to be made, and their bits.
///
/// # Errors
/// NFS4ERR_ATTRNOTSUPP for an attribute that is not supported, NFS4ERR_INVAL for one that cannot be set (RFC 7530
/// §5.5), or not at creation, or has a senseless value, NFS4ERR_BADXDR, NFS4ERR_BADOWNER, and NFS4ERR_PERM for an owner
/// or group that the caller may not give (RFC 8881 §18.4.3).
pub(in crate::compound) fn decode(cx: &CompoundContext, fattr: &Fattr4) -> Result<(SetAttributes, Bitmap4), NfsStat4> {
    let attrs = parse(cx, fattr)?;
    let mut set = common(cx, &attrs)?;
    set.mode = match (attrs.mode, attrs.mode_umask, attrs.mode_set_masked) {
        (_, _, Some(_)) | (Some(_), Some(_), _) => return Err(NfsStat4::Inval), // RFC 8881 §6.2.5, RFC 8275 §5
        (Some(mode), None, None) => Some(checked_mode(mode)?),
        (None, Some(ModeUmask4 { mode, umask }), None) if umask & !UMASK_BITS == 0 => {
            Some(checked_mode(mode)? & !umask)
        }
        (None, Some(_), None) => return Err(NfsStat4::Inval),
        (None, None, None) => None,
    };
    let caller = cx.caller();
    let gives_away =
        set.uid.is_some_and(|uid| uid != caller.uid) || set.gid.is_some_and(|gid| !permission::is_member(caller, gid));
    if gives_away && !permission::is_root(caller) {
        return Err(NfsStat4::Perm);
    }
    Ok((set, set_bits(fattr)))
}

/// The attributes to change of a node that exists, the mode apart, and their bits; errors as [`decode`], without those
/// of permission.
pub(in crate::compound) fn decode_changes(
    cx: &CompoundContext,
    fattr: &Fattr4,
) -> Result<(SetAttributes, Option<SettableMode>, Bitmap4), NfsStat4> {
    let attrs = parse(cx, fattr)?;
    let set = common(cx, &attrs)?;
    let mode = match (attrs.mode, attrs.mode_set_masked, attrs.mode_umask) {
        (_, _, Some(_)) | (Some(_), Some(_), _) => return Err(NfsStat4::Inval), // RFC 8275 §5, RFC 8881 §6.2.5
        (Some(mode), None, None) => Some(SettableMode::Whole(checked_mode(mode)?)),
        (None, Some(masked), None) => {
            checked_mode(masked.value_to_set)?;
            checked_mode(masked.mask_bits)?;
            Some(SettableMode::Masked(masked))
        }
        (None, None, None) => None,
    };
    Ok((set, mode, set_bits(fattr)))
}

/// Reads the values, once it is clear that all of them may be set.
fn parse(cx: &CompoundContext, fattr: &Fattr4) -> Result<Attrs, NfsStat4> {
    let supported = supported(cx.minor());
    if !fattr.attrmask.and_not(&supported).is_empty() {
        return Err(NfsStat4::Attrnotsupp);
    }
    if fattr.attrmask.iter().filter_map(attribute).any(|info| !info.settable()) {
        return Err(NfsStat4::Inval);
    }
    fattr.parse().map_err(|error| error.status())
}

/// All that is the same for new nodes and old ones: everything but the mode.
fn common(cx: &CompoundContext, attrs: &Attrs) -> Result<SetAttributes, NfsStat4> {
    let domain = cx.settings().nfs4_domain.as_deref();
    let uid = attrs.owner.as_ref().map(|owner| identity::parse_owner(owner, domain)).transpose()?;
    let gid = attrs.owner_group.as_ref().map(|group| identity::parse_owner_group(group, domain)).transpose()?;
    if attrs.size.is_some_and(|size| size > FILE_BYTES_MAX) {
        return Err(NfsStat4::Fbig);
    }
    Ok(SetAttributes {
        size: attrs.size,
        mode: None,
        uid,
        gid,
        atime: attrs.time_access_set.as_ref().map(set_time).transpose()?,
        mtime: attrs.time_modify_set.as_ref().map(set_time).transpose()?,
    })
}

fn set_time(time: &Settime4) -> Result<SetTime, NfsStat4> {
    match time {
        Settime4::ServerTime => Ok(SetTime::Now),
        Settime4::ClientTime(time) => {
            Timestamp::new(time.seconds, time.nseconds).map(SetTime::To).ok_or(NfsStat4::Inval)
        }
    }
}

fn checked_mode(mode: u32) -> Result<u32, NfsStat4> {
    if mode & !MODE_BITS == 0 { Ok(mode) } else { Err(NfsStat4::Inval) }
}

/// The bits of what is set: the client's, without words of zeros at the end.
fn set_bits(fattr: &Fattr4) -> Bitmap4 {
    fattr.attrmask.iter().collect()
}
