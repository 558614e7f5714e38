//! Attributes as names and values.

use std::fmt::Debug;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    ATTRIBUTES, AttrInfo, Attrs, Bitmap4, FATTR4_RDATTR_ERROR, Fsid4, NfsFh4, NfsStat4, Nfsace4, Nfsacl41, Nfstime4,
    Specdata4, attribute,
};
use serde_json::{Map, Value};

use super::text::{Shown, Time, type_word};

/// The name without its prefix, as in prose: `size`.
fn name(number: u32) -> String {
    let plain = |info: &AttrInfo| info.rfc_name.trim_start_matches("FATTR4_").to_lowercase();
    attribute(number).map_or_else(|| number.to_string(), plain)
}

fn names(bitmap: &Bitmap4) -> Value {
    bitmap.iter().map(name).collect()
}

fn bytes(text: &Bytes) -> Value {
    Shown(text).to_string().into()
}

fn hex(handle: &NfsFh4) -> Value {
    handle.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn octal(mode: &u32) -> Value {
    format!("{mode:04o}").into()
}

fn time(time: &Nfstime4) -> Value {
    format!("{:#}", Time(*time)).into()
}

fn status(status: &NfsStat4) -> Value {
    status.rfc_name().into()
}

fn fsid(fsid: &Fsid4) -> Value {
    format!("{}:{}", fsid.major, fsid.minor).into()
}

fn device(device: &Specdata4) -> Value {
    format!("{}:{}", device.specdata1, device.specdata2).into()
}

fn nfs41_aces(acl: &Nfsacl41) -> Value {
    aces(&acl.aces)
}

/// `TYPE:FLAGS:WHO:MASK`, numbers in hexadecimal but for the type.
fn aces(aces: &[Nfsace4]) -> Value {
    let entry = |ace: &Nfsace4| format!("{}:{:x}:{}:{:x}", ace.acetype, ace.flag, Shown(&ace.who), ace.access_mask);
    aces.iter().map(entry).collect()
}

/// What has no shape that people would rather read.
fn debug(value: &impl Debug) -> Value {
    format!("{value:?}").into()
}

fn plain<T: Clone + Into<Value>>(value: &T) -> Value {
    value.clone().into()
}

/// Puts the attributes that are in the set into the map, each under the name of its field.
macro_rules! show {
    ($attrs:ident, $map:ident: $( $show:ident($($field:ident),* $(,)?); )*) => {
        $( $( if let Some(value) = &$attrs.$field {
            $map.insert(stringify!($field).to_owned(), $show(value));
        } )* )*
    };
}

/// The attributes that a set has, by name.
pub(crate) fn show(attrs: &Attrs) -> Map<String, Value> {
    let mut map = Map::new();
    if let Some(ftype) = attrs.ftype {
        map.insert("type".to_owned(), type_word(ftype).into());
    }
    show! { attrs, map:
        plain(size, fileid, mounted_on_fileid, change, numlinks);
        octal(mode);
        bytes(owner, owner_group, mimetype);
        time(time_modify, time_metadata, time_access, time_create, time_backup, time_delta);
        plain(space_used, space_freed, archive, hidden, system, offline, named_attr, xattr_support);
        hex(filehandle);
        status(rdattr_error);
        fsid(fsid);
        device(rawdev);
        aces(acl);
        nfs41_aces(dacl, sacl);
        plain(
            aclsupport, link_support, symlink_support, unique_handles, fh_expire_type, cansettime, case_insensitive,
            case_preserving, chown_restricted, homogeneous, no_trunc, fs_charset_cap, clone_blksize, lease_time,
            maxfilesize, maxlink, maxname, maxread, maxwrite, files_avail, files_free, files_total, space_avail,
            space_free, space_total, quota_avail_hard, quota_avail_soft, quota_used, layout_blksize, layout_alignment,
            retention_hold,
        );
        time(dir_notif_delay, dirent_notif_delay, time_deleg_access, time_deleg_modify);
        debug(
            change_policy, change_attr_type, fs_status, fs_layout_types, layout_types, fs_locations, fs_locations_info,
            mdsthreshold, retention_get, retentevt_get, sec_label, open_arguments,
        );
        names(supported_attrs, suppattr_exclcreat);
    }
    map
}

/// All attributes that GETATTR can ask for in this minor version, except those that only READDIR has.
pub(crate) fn readable(minor: u32) -> Bitmap4 {
    let mut readable: Bitmap4 =
        ATTRIBUTES.iter().filter(|info| info.readable() && info.since_minor <= minor).map(|info| info.number).collect();
    readable.clear(FATTR4_RDATTR_ERROR);
    readable
}

#[cfg(test)]
mod tests {
    use nfs4_protocol::nfs4::NfsFtype4;
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_are_shown_by_name() {
        let attrs = Attrs {
            ftype: Some(NfsFtype4::Reg),
            size: Some(7),
            mode: Some(0o644),
            owner: Some(Bytes::from_static(b"me")),
            fsid: Some(Fsid4 { major: 1, minor: 2 }),
            filehandle: Some(NfsFh4(Bytes::from_static(&[0xab, 1]))),
            supported_attrs: Some([FATTR4_RDATTR_ERROR, 99].into_iter().collect()),
            ..Attrs::default()
        };
        let expected = json!({
            "type": "file", "size": 7, "mode": "0644", "owner": "me", "fsid": "1:2", "filehandle": "ab01",
            "supported_attrs": ["rdattr_error", "99"],
        });
        assert_eq!(Value::from(show(&attrs)), expected);
    }

    #[test]
    fn what_a_minor_version_lacks_is_not_asked_for() {
        assert!(!readable(0).contains(FATTR4_RDATTR_ERROR));
        assert_eq!(readable(0).iter().last(), Some(55));
        assert!(readable(1).and_not(&readable(0)).iter().all(|number| number > 55));
    }
}
