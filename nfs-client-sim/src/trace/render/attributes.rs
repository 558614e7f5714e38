//! Attributes and their values.

use nfs4_protocol::nfs4::*;

use super::values::words;
use super::{Line, Show, values};

impl Show for Fattr4 {
    fn show(&self, line: &mut Line<'_>) {
        line.between('{', '}', |line| match self.parse() {
            Ok(attrs) => attrs.show(line),
            Err(error) => {
                line.field("attrmask", |line| self.attrmask.show(line));
                line.field("attr_vals", |line| self.attr_vals.show(line));
                line.push(&format!(" ({error})"));
            }
        });
    }
}

/// One row per attribute, with the function that writes it when its type does not say.
macro_rules! attributes {
    ($( $field:ident $(by $how:ident)?; )*) => {
        impl Show for Attrs {
            fn show(&self, line: &mut Line<'_>) {
                // All are named, so that no new one is forgotten.
                let Self { $($field),* } = self;
                $( if let Some(value) = $field {
                    line.field(name(stringify!($field)), |line| attributes!(value, line $(, $how)?));
                } )*
            }
        }
    };
    ($value:ident, $line:ident) => { $value.show($line) };
    ($value:ident, $line:ident, $how:ident) => { values::$how($value, $line) };
}

/// The RFC's name of a field whose name is a word of Rust.
fn name(field: &'static str) -> &'static str {
    if field == "ftype" { "type" } else { field }
}

attributes! {
    supported_attrs; ftype; fh_expire_type by flags; change by change; size; link_support; symlink_support; named_attr;
    fsid; unique_handles; lease_time; rdattr_error; acl; aclsupport by flags; archive; cansettime; case_insensitive;
    case_preserving; chown_restricted; filehandle; fileid by fileid; files_avail by space; files_free by space;
    files_total by space; fs_locations; hidden; homogeneous; maxfilesize; maxlink; maxname; maxread; maxwrite; mimetype;
    mode by mode; no_trunc; numlinks; owner; owner_group; quota_avail_hard by space; quota_avail_soft by space;
    quota_used by space; rawdev; space_avail by space; space_free by space; space_total by space; space_used by space;
    system; time_access; time_access_set; time_backup; time_create; time_delta; time_metadata; time_modify;
    time_modify_set; mounted_on_fileid by fileid; dir_notif_delay; dirent_notif_delay; dacl; sacl; change_policy;
    fs_status; fs_layout_types; layout_hint; layout_types; layout_blksize; layout_alignment; fs_locations_info;
    mdsthreshold; retention_get; retention_set; retentevt_get; retentevt_set; retention_hold; mode_set_masked;
    suppattr_exclcreat; fs_charset_cap by flags; clone_blksize; space_freed by space; change_attr_type; sec_label;
    mode_umask; xattr_support; offline; time_deleg_access; time_deleg_modify; open_arguments;
}

impl Show for OpenArguments4 {
    fn show(&self, line: &mut Line<'_>) {
        let Self { share_access, share_deny, share_access_want, open_claim, create_mode } = self;
        line.between('{', '}', |line| {
            line.field("share_access", |line| words(share_access, line));
            line.field("share_deny", |line| words(share_deny, line));
            line.field("share_access_want", |line| words(share_access_want, line));
            line.field("open_claim", |line| words(open_claim, line));
            line.field("create_mode", |line| words(create_mode, line));
        });
    }
}
