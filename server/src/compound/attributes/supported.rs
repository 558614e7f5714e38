//! Which attributes the gateway has. What is listed here is true and, where the RFC lets it be set, can be set: clients
//! set whatever is offered, and some fail altogether when that is refused.

use nfs4_protocol::nfs4::*;

/// The attributes of all minor versions; each is offered from the minor version on that defines it.
const SUPPORTED: &[u32] = &[
    FATTR4_SUPPORTED_ATTRS,
    FATTR4_TYPE,
    FATTR4_FH_EXPIRE_TYPE,
    FATTR4_CHANGE,
    FATTR4_SIZE,
    FATTR4_LINK_SUPPORT,
    FATTR4_SYMLINK_SUPPORT,
    FATTR4_NAMED_ATTR,
    FATTR4_FSID,
    FATTR4_UNIQUE_HANDLES,
    FATTR4_LEASE_TIME,
    FATTR4_RDATTR_ERROR,
    FATTR4_ACLSUPPORT,
    FATTR4_CANSETTIME,
    FATTR4_CASE_INSENSITIVE,
    FATTR4_CASE_PRESERVING,
    FATTR4_CHOWN_RESTRICTED,
    FATTR4_FILEHANDLE,
    FATTR4_FILEID,
    FATTR4_FILES_AVAIL,
    FATTR4_FILES_FREE,
    FATTR4_FILES_TOTAL,
    FATTR4_HOMOGENEOUS,
    FATTR4_MAXFILESIZE,
    FATTR4_MAXLINK,
    FATTR4_MAXNAME,
    FATTR4_MAXREAD,
    FATTR4_MAXWRITE,
    FATTR4_MODE,
    FATTR4_NO_TRUNC,
    FATTR4_NUMLINKS,
    FATTR4_OWNER,
    FATTR4_OWNER_GROUP,
    FATTR4_RAWDEV,
    FATTR4_SPACE_AVAIL,
    FATTR4_SPACE_FREE,
    FATTR4_SPACE_TOTAL,
    FATTR4_SPACE_USED,
    FATTR4_TIME_ACCESS,
    FATTR4_TIME_ACCESS_SET,
    FATTR4_TIME_DELTA,
    FATTR4_TIME_METADATA,
    FATTR4_TIME_MODIFY,
    FATTR4_TIME_MODIFY_SET,
    FATTR4_MOUNTED_ON_FILEID,
    FATTR4_MODE_SET_MASKED,
    FATTR4_SUPPATTR_EXCLCREAT,
    FATTR4_MODE_UMASK,
];

/// The attributes that an exclusive creation can set: all that CREATE and OPEN can, because the verifier is kept apart
/// from them (RFC 8881 §5.8.1.14).
const WITH_EXCLUSIVE_CREATE: &[u32] = &[
    FATTR4_SIZE,
    FATTR4_MODE,
    FATTR4_OWNER,
    FATTR4_OWNER_GROUP,
    FATTR4_TIME_ACCESS_SET,
    FATTR4_TIME_MODIFY_SET,
    FATTR4_MODE_UMASK,
];

/// The attributes of a minor version: the value of `supported_attrs`.
pub(super) fn supported(minor: u32) -> Bitmap4 {
    of_minor(SUPPORTED, minor)
}

/// The attributes that EXCLUSIVE4_1 can set in a minor version.
pub(in crate::compound) fn suppattr_exclcreat(minor: u32) -> Bitmap4 {
    of_minor(WITH_EXCLUSIVE_CREATE, minor)
}

fn of_minor(numbers: &[u32], minor: u32) -> Bitmap4 {
    numbers.iter().copied().filter(|number| attribute(*number).is_some_and(|info| info.since_minor <= minor)).collect()
}
