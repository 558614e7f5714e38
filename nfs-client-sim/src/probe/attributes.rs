//! What the directory's attributes tell: what is supported, limits, space, identity.

use nfs4_protocol::nfs4::*;

use super::features::Feature;
use super::report::{AttributeSet, Notes, name};
use super::scene::Scene;
use crate::Result;

/// Attributes that are small, and mean something of a directory.
const SMALL: &[u32] = &[
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
    FATTR4_SPACE_AVAIL,
    FATTR4_SPACE_FREE,
    FATTR4_SPACE_TOTAL,
    FATTR4_TIME_DELTA,
    FATTR4_TIME_METADATA,
    FATTR4_TIME_MODIFY,
    FATTR4_MOUNTED_ON_FILEID,
    FATTR4_CLONE_BLKSIZE,
    FATTR4_CHANGE_ATTR_TYPE,
    FATTR4_XATTR_SUPPORT,
];
/// Attributes that macOS sets where a server tells them.
const SETTABLE: &[u32] = &[FATTR4_ARCHIVE, FATTR4_HIDDEN, FATTR4_TIME_BACKUP, FATTR4_TIME_CREATE];
/// Attributes that only servers with new kinds of delegations may tell (RFC 9754).
const DELEGATION_ATTRIBUTES: &[u32] = &[FATTR4_TIME_DELEG_ACCESS, FATTR4_TIME_DELEG_MODIFY, FATTR4_OPEN_ARGUMENTS];
/// The minor version that brought CLONE and what came after it.
const MINOR_WITH_EXTENSIONS: u32 = 2;
/// The permission bits.
const MODE_BITS: u32 = 0o7777;

/// The attributes that can be asked for or set, and those that an exclusive creation sets.
pub(super) struct Sets {
    pub(super) supported: AttributeSet,
    pub(super) exclcreat: AttributeSet,
}

/// Looks at the directory's attributes.
pub(super) async fn look(scene: &mut Scene) -> Result<Sets> {
    let supported = scene.attributes(&[FATTR4_SUPPORTED_ATTRS]).await?.supported_attrs.unwrap_or_default();
    let exclcreat = if supported.contains(FATTR4_SUPPATTR_EXCLCREAT) {
        scene.attributes(&[FATTR4_SUPPATTR_EXCLCREAT]).await?.suppattr_exclcreat.unwrap_or_default()
    } else {
        Bitmap4::new()
    };
    let wanted: Vec<u32> = SMALL.iter().copied().filter(|number| supported.contains(*number)).collect();
    let attrs = scene.attributes(&wanted).await?;
    let (minor, notes) = (scene.minor, &mut scene.notes);
    facts(notes, &attrs);
    owners(notes, &attrs);
    handles(notes, &attrs, &scene.directory);
    judge(notes, &attrs, &supported, minor);
    still(scene, &attrs).await?;
    Ok(Sets { supported: AttributeSet(supported), exclcreat: AttributeSet(exclcreat) })
}

fn facts(notes: &mut Notes, attrs: &Attrs) {
    let mut fact = |theme, name, value: Option<String>| {
        notes.fact(theme, name, value.unwrap_or_else(|| "not told".into()));
    };
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let flag = |value: Option<bool>| value.map(|value| if value { "yes" } else { "no" }.to_owned());
    fact("limits", "lease, seconds", number(attrs.lease_time.map(Into::into)));
    fact("limits", "maxread, bytes", number(attrs.maxread));
    fact("limits", "maxwrite, bytes", number(attrs.maxwrite));
    fact("limits", "maxname, bytes", number(attrs.maxname.map(Into::into)));
    fact("limits", "maxfilesize, bytes", number(attrs.maxfilesize));
    fact("limits", "maxlink", number(attrs.maxlink.map(Into::into)));
    let delta = attrs.time_delta.map(|delta| format!("{}.{:09} s", delta.seconds, delta.nseconds));
    fact("limits", "time_delta", delta);
    for (name, value) in [
        ("space total, bytes", attrs.space_total),
        ("space free, bytes", attrs.space_free),
        ("space available, bytes", attrs.space_avail),
        ("files total", attrs.files_total),
        ("files free", attrs.files_free),
        ("files available", attrs.files_avail),
    ] {
        fact("statfs", name, number(value));
    }
    for (name, value) in [
        ("hard links", attrs.link_support),
        ("symbolic links", attrs.symlink_support),
        ("named attributes here", attrs.named_attr),
        ("unique handles", attrs.unique_handles),
        ("times can be set", attrs.cansettime),
        ("case insensitive", attrs.case_insensitive),
        ("case preserving", attrs.case_preserving),
        ("only root gives files away", attrs.chown_restricted),
        ("long names are refused", attrs.no_trunc),
        ("homogeneous", attrs.homogeneous),
        ("extended attributes", attrs.xattr_support),
    ] {
        fact("file system", name, flag(value));
    }
    fact("file system", "fsid", attrs.fsid.map(|fsid| format!("{:#x}:{:#x}", fsid.major, fsid.minor)));
    fact("file system", "clone_blksize, bytes", number(attrs.clone_blksize.map(Into::into)));
    fact("file system", "change_attr_type", attrs.change_attr_type.map(|kind| kind.rfc_name().to_owned()));
    fact("file system", "aclsupport", attrs.aclsupport.map(|bits| format!("{bits:#x}")));
}

fn owners(notes: &mut Notes, attrs: &Attrs) {
    let text = |bytes: &Option<bytes::Bytes>| {
        bytes.as_ref().map_or("not told".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let (owner, group) = (text(&attrs.owner), text(&attrs.owner_group));
    let kind = |text: &str| match text {
        text if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => "number",
        text if text.contains('@') => "user@domain",
        _ => "name",
    };
    notes.fact("identity", "owner of the directory", format!("{owner} ({})", kind(&owner)));
    notes.fact("identity", "group of the directory", format!("{group} ({})", kind(&group)));
    let numeric = kind(&owner) == "number" && kind(&group) == "number";
    notes.found(Feature::NumericOwners, numeric, format!("{owner}, {group}"));
}

fn handles(notes: &mut Notes, attrs: &Attrs, directory: &NfsFh4) {
    let expire = match attrs.fh_expire_type {
        None => "not told".to_owned(),
        Some(FH4_PERSISTENT) => "FH4_PERSISTENT".to_owned(),
        Some(bits) => format!("volatile: {bits:#x}"),
    };
    notes.fact("handles", "fh_expire_type", expire);
    let length = directory.0.len();
    notes.fact("handles", "bytes", length);
    notes.found(Feature::HandlesShort, (1..=NFS4_FHSIZE).contains(&length), format!("{length} bytes"));
    let same = attrs.filehandle.as_ref() == Some(directory);
    notes.found(Feature::HandleAttribute, same, if same { "as GETFH does" } else { "not as GETFH does" });
}

fn judge(notes: &mut Notes, attrs: &Attrs, supported: &Bitmap4, minor: u32) {
    let (fileid, fsid) = (attrs.fileid, attrs.fsid);
    let said = match (fileid, fsid) {
        (Some(fileid), Some(fsid)) => format!("fileid {fileid}, fsid {:x}:{:x}", fsid.major, fsid.minor),
        _ => "one of them is missing".to_owned(),
    };
    notes.found(Feature::FsidAlways, fileid.is_some() && fsid.is_some(), said);
    let links = attrs.numlinks.unwrap_or_default();
    let mode = attrs.mode.unwrap_or(u32::MAX);
    let right = links > 0 && mode & !MODE_BITS == 0;
    notes.found(Feature::LinksAndMode, right, format!("{links} links, mode {mode:#o}"));
    let acls = attrs.aclsupport.unwrap_or_default();
    let has_acl = supported.contains(FATTR4_ACL) || supported.contains(FATTR4_DACL);
    let words = format!("aclsupport {acls:#x}, acl {}", if has_acl { "told" } else { "not told" });
    notes.found(Feature::AclsHonest, (acls != 0) == has_acl, words);
    let told = |numbers: &[u32]| -> Vec<String> {
        numbers.iter().copied().filter(|number| supported.contains(*number)).map(name).collect()
    };
    let settable = told(SETTABLE);
    if settable.is_empty() {
        notes.found(Feature::SettableOnly, true, "none of them is told");
    } else {
        notes.fact("file system", "macOS will set", settable.join(", "));
    }
    if minor < MINOR_WITH_EXTENSIONS {
        return;
    }
    let drafts = told(DELEGATION_ATTRIBUTES);
    if drafts.is_empty() {
        notes.found(Feature::NothingFromDrafts, true, "none of them is told");
    } else {
        let words = format!("{} told; whether they work is not tried", drafts.join(", "));
        notes.unknown(Feature::NothingFromDrafts, words);
    }
    if let Some(size) = attrs.clone_blksize {
        notes.found(Feature::CloneBlock, true, format!("{size} bytes"));
    } else {
        notes.found(Feature::CloneBlock, false, "not told");
    }
}

/// Asks again: what nothing happened to must look as before.
async fn still(scene: &mut Scene, before: &Attrs) -> Result<()> {
    let wanted = [FATTR4_CHANGE, FATTR4_SIZE, FATTR4_TIME_METADATA, FATTR4_TIME_MODIFY];
    let after = scene.attributes(&wanted).await?;
    let picture = |attrs: &Attrs| (attrs.change, attrs.size, attrs.time_metadata, attrs.time_modify);
    let same = picture(before) == picture(&after);
    let words = if same { "the same twice" } else { "they moved, unless somebody else changed the directory" };
    scene.notes.found(Feature::AttributesStill, same, words);
    scene.notes.fact("file system", "change of the directory", before.change.unwrap_or_default());
    Ok(())
}
