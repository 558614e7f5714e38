//! The table of attributes, and the set built from it.

use bytes::Bytes;

use super::{
    ACL_ACES_MAX, AttrAccess, AttrError, AttrInfo, ChangeAttrType4, ChangePolicy4, Fattr4, Fs4Status, FsLocations4,
    FsLocationsInfo4, LAYOUT_TYPES_MAX, Layouthint4, MIMETYPE_MAX, Mdsthreshold4, ModeMasked4, ModeUmask4, Nfsace4,
    Nfsacl41, OpenArguments4, RetentionGet4, RetentionSet4, SecLabel4,
};
use crate::nfs4::{
    Bitmap4, Changeid4, Fsid4, Layouttype4, Mode4, NfsFh4, NfsFtype4, NfsStat4, Nfstime4, PRINCIPAL_MAX, Settime4,
    Specdata4,
};
#[cfg(test)]
use crate::xdr::sample::{Sample, Source, sample_field};
use crate::xdr::{Decoder, Encode, Encoder, XdrError, xdr_field};

macro_rules! access {
    (r) => {
        AttrAccess::Read
    };
    (w) => {
        AttrAccess::Write
    };
    (rw) => {
        AttrAccess::ReadWrite
    };
}

/// One row per attribute, ascending: number, constant, field and type, access, minor version.
macro_rules! attributes {
    ($(
        $(#[$meta:meta])*
        $number:literal $konst:ident $field:ident : $ty:ty $([$max:expr])?, $access:ident, $minor:literal;
    )*) => {
        $(
            $(#[$meta])*
            pub const $konst: u32 = $number;
        )*

        /// All attributes this crate can encode and decode, by ascending number.
        pub const ATTRIBUTES: &[AttrInfo] = &[$(
            AttrInfo {
                number: $number,
                rfc_name: stringify!($konst),
                access: access!($access),
                since_minor: $minor,
            },
        )*];

        /// A typed set of attributes: those that are `Some` are in the set.
        ///
        /// Times set by a client are in `time_access_set` and `time_modify_set`.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Attrs {
            $(
                $(#[$meta])*
                pub $field: Option<$ty>,
            )*
        }

        impl Attrs {
            /// The attributes in the set.
            #[must_use]
            pub fn mask(&self) -> Bitmap4 {
                let mut mask = Bitmap4::new();
                $( if self.$field.is_some() {
                    mask.set($number);
                } )*
                mask
            }

            /// Takes the attributes out of the set that `wanted` does not name.
            pub fn retain(&mut self, wanted: &Bitmap4) {
                $( if !wanted.contains($number) {
                    self.$field = None;
                } )*
            }

            /// Encodes the values in ascending order of their numbers.
            fn encode_values(&self, e: &mut Encoder) {
                $( if let Some(value) = &self.$field {
                    value.encode(e);
                } )*
            }

            /// Decodes the value of attribute `number`, which comes next in `d`.
            ///
            /// Returns whether the attribute is known.
            fn decode_value(&mut self, number: u32, d: &mut Decoder) -> Result<bool, XdrError> {
                match number {
                    $( $number => self.$field = Some(xdr_field!(d, $ty $(, $max)?)), )*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            /// A made-up set, for tests.
            #[cfg(test)]
            pub(super) fn sample(source: &mut Source) -> Self {
                Self { $(
                    $field: bool::sample(source).then(|| sample_field!(source, $ty $(, $max)?)),
                )* }
            }
        }
    };
}

attributes! {
    /// The attributes this object has.
    0 FATTR4_SUPPORTED_ATTRS supported_attrs: Bitmap4, r, 0;
    /// The type of the object.
    1 FATTR4_TYPE ftype: NfsFtype4, r, 0;
    /// Whether and when filehandles expire: `FH4_*`.
    2 FATTR4_FH_EXPIRE_TYPE fh_expire_type: u32, r, 0;
    /// Moves with every change of the object.
    3 FATTR4_CHANGE change: Changeid4, r, 0;
    /// The size in bytes.
    4 FATTR4_SIZE size: u64, rw, 0;
    /// Whether hard links are supported.
    5 FATTR4_LINK_SUPPORT link_support: bool, r, 0;
    /// Whether symbolic links are supported.
    6 FATTR4_SYMLINK_SUPPORT symlink_support: bool, r, 0;
    /// Whether the object has named attributes.
    7 FATTR4_NAMED_ATTR named_attr: bool, r, 0;
    /// The file system the object is in.
    8 FATTR4_FSID fsid: Fsid4, r, 0;
    /// Whether two filehandles always mean two objects.
    9 FATTR4_UNIQUE_HANDLES unique_handles: bool, r, 0;
    /// The lease, in seconds.
    10 FATTR4_LEASE_TIME lease_time: u32, r, 0;
    /// Why the other attributes of a READDIR entry are missing.
    11 FATTR4_RDATTR_ERROR rdattr_error: NfsStat4, r, 0;
    /// The access control list.
    12 FATTR4_ACL acl: Vec<Nfsace4> [ACL_ACES_MAX], rw, 0;
    /// The kinds of ACL entries: `ACL4_SUPPORT_*`.
    13 FATTR4_ACLSUPPORT aclsupport: u32, r, 0;
    /// Whether the file was archived since its last change.
    14 FATTR4_ARCHIVE archive: bool, rw, 0;
    /// Whether SETATTR can set times.
    15 FATTR4_CANSETTIME cansettime: bool, r, 0;
    /// Whether names are compared without regard to case.
    16 FATTR4_CASE_INSENSITIVE case_insensitive: bool, r, 0;
    /// Whether the case of names is kept.
    17 FATTR4_CASE_PRESERVING case_preserving: bool, r, 0;
    /// Whether only a privileged user can give a file away.
    18 FATTR4_CHOWN_RESTRICTED chown_restricted: bool, r, 0;
    /// The filehandle, for READDIR.
    19 FATTR4_FILEHANDLE filehandle: NfsFh4, r, 0;
    /// The number of the object within its file system.
    20 FATTR4_FILEID fileid: u64, r, 0;
    /// Files the user may still create.
    21 FATTR4_FILES_AVAIL files_avail: u64, r, 0;
    /// Files that can still be created.
    22 FATTR4_FILES_FREE files_free: u64, r, 0;
    /// All files of the file system, free ones included.
    23 FATTR4_FILES_TOTAL files_total: u64, r, 0;
    /// Where else the file system is.
    24 FATTR4_FS_LOCATIONS fs_locations: Box<FsLocations4>, r, 0;
    /// Whether the object is hidden from listings.
    25 FATTR4_HIDDEN hidden: bool, rw, 0;
    /// Whether all objects of the file system have the same attributes.
    26 FATTR4_HOMOGENEOUS homogeneous: bool, r, 0;
    /// The largest file, in bytes.
    27 FATTR4_MAXFILESIZE maxfilesize: u64, r, 0;
    /// The most hard links of an object.
    28 FATTR4_MAXLINK maxlink: u32, r, 0;
    /// The longest name, in bytes.
    29 FATTR4_MAXNAME maxname: u32, r, 0;
    /// The largest READ, in bytes.
    30 FATTR4_MAXREAD maxread: u64, r, 0;
    /// The largest WRITE, in bytes.
    31 FATTR4_MAXWRITE maxwrite: u64, r, 0;
    /// The MIME type.
    32 FATTR4_MIMETYPE mimetype: Bytes [MIMETYPE_MAX], rw, 0;
    /// The permission bits: `MODE4_*`.
    33 FATTR4_MODE mode: Mode4, rw, 0;
    /// Whether a name that is too long is an error, not cut.
    34 FATTR4_NO_TRUNC no_trunc: bool, r, 0;
    /// The number of hard links.
    35 FATTR4_NUMLINKS numlinks: u32, r, 0;
    /// The owner: `user@domain` or decimal digits.
    36 FATTR4_OWNER owner: Bytes [PRINCIPAL_MAX], rw, 0;
    /// The group: `group@domain` or decimal digits.
    37 FATTR4_OWNER_GROUP owner_group: Bytes [PRINCIPAL_MAX], rw, 0;
    /// Bytes until the hard quota.
    38 FATTR4_QUOTA_AVAIL_HARD quota_avail_hard: u64, r, 0;
    /// Bytes until the soft quota.
    39 FATTR4_QUOTA_AVAIL_SOFT quota_avail_soft: u64, r, 0;
    /// Bytes counted against the quota.
    40 FATTR4_QUOTA_USED quota_used: u64, r, 0;
    /// The numbers of a device special file.
    41 FATTR4_RAWDEV rawdev: Specdata4, r, 0;
    /// Bytes the user may still write.
    42 FATTR4_SPACE_AVAIL space_avail: u64, r, 0;
    /// Bytes free.
    43 FATTR4_SPACE_FREE space_free: u64, r, 0;
    /// Bytes of the whole file system.
    44 FATTR4_SPACE_TOTAL space_total: u64, r, 0;
    /// Bytes the object takes.
    45 FATTR4_SPACE_USED space_used: u64, r, 0;
    /// Whether the object belongs to the system.
    46 FATTR4_SYSTEM system: bool, rw, 0;
    /// The last access.
    47 FATTR4_TIME_ACCESS time_access: Nfstime4, r, 0;
    /// Sets the last access.
    48 FATTR4_TIME_ACCESS_SET time_access_set: Settime4, w, 0;
    /// The last backup.
    49 FATTR4_TIME_BACKUP time_backup: Nfstime4, rw, 0;
    /// The creation.
    50 FATTR4_TIME_CREATE time_create: Nfstime4, rw, 0;
    /// The resolution of times.
    51 FATTR4_TIME_DELTA time_delta: Nfstime4, r, 0;
    /// The last change of attributes.
    52 FATTR4_TIME_METADATA time_metadata: Nfstime4, r, 0;
    /// The last change of data.
    53 FATTR4_TIME_MODIFY time_modify: Nfstime4, r, 0;
    /// Sets the last change of data.
    54 FATTR4_TIME_MODIFY_SET time_modify_set: Settime4, w, 0;
    /// The `fileid` of the directory underneath, at the root of a file system.
    55 FATTR4_MOUNTED_ON_FILEID mounted_on_fileid: u64, r, 0;
    /// The delay of notifications about a directory.
    56 FATTR4_DIR_NOTIF_DELAY dir_notif_delay: Nfstime4, r, 1;
    /// The delay of notifications about its entries.
    57 FATTR4_DIRENT_NOTIF_DELAY dirent_notif_delay: Nfstime4, r, 1;
    /// The discretionary access control list.
    58 FATTR4_DACL dacl: Box<Nfsacl41>, rw, 1;
    /// The system access control list.
    59 FATTR4_SACL sacl: Box<Nfsacl41>, rw, 1;
    /// Moves when the policy for the file system changes.
    60 FATTR4_CHANGE_POLICY change_policy: ChangePolicy4, r, 1;
    /// The kind and the version of the file system.
    61 FATTR4_FS_STATUS fs_status: Box<Fs4Status>, r, 1;
    /// The layout types of the file system.
    62 FATTR4_FS_LAYOUT_TYPES fs_layout_types: Vec<Layouttype4> [LAYOUT_TYPES_MAX], r, 1;
    /// A wish for the layout of a new file.
    63 FATTR4_LAYOUT_HINT layout_hint: Box<Layouthint4>, w, 1;
    /// The layout types of the file.
    64 FATTR4_LAYOUT_TYPES layout_types: Vec<Layouttype4> [LAYOUT_TYPES_MAX], r, 1;
    /// The preferred block of layouts, in bytes.
    65 FATTR4_LAYOUT_BLKSIZE layout_blksize: u32, r, 1;
    /// The preferred alignment of layouts, in bytes.
    66 FATTR4_LAYOUT_ALIGNMENT layout_alignment: u32, r, 1;
    /// Where else the file system is, in detail.
    67 FATTR4_FS_LOCATIONS_INFO fs_locations_info: Box<FsLocationsInfo4>, r, 1;
    /// When to go to the metadata server rather than a layout.
    68 FATTR4_MDSTHRESHOLD mdsthreshold: Box<Mdsthreshold4>, r, 1;
    /// The retention.
    69 FATTR4_RETENTION_GET retention_get: Box<RetentionGet4>, r, 1;
    /// Sets the retention.
    70 FATTR4_RETENTION_SET retention_set: Box<RetentionSet4>, w, 1;
    /// The event-based retention.
    71 FATTR4_RETENTEVT_GET retentevt_get: Box<RetentionGet4>, r, 1;
    /// Sets the event-based retention.
    72 FATTR4_RETENTEVT_SET retentevt_set: Box<RetentionSet4>, w, 1;
    /// The administrative holds.
    73 FATTR4_RETENTION_HOLD retention_hold: u64, rw, 1;
    /// Sets some bits of the mode.
    74 FATTR4_MODE_SET_MASKED mode_set_masked: ModeMasked4, w, 1;
    /// What EXCLUSIVE4_1 can set.
    75 FATTR4_SUPPATTR_EXCLCREAT suppattr_exclcreat: Bitmap4, r, 1;
    /// The character set of names: `FSCHARSET_CAP4_*`.
    76 FATTR4_FS_CHARSET_CAP fs_charset_cap: u32, r, 1;
    /// The block of CLONE, in bytes.
    77 FATTR4_CLONE_BLKSIZE clone_blksize: u32, r, 2;
    /// Bytes that deleting the file would free.
    78 FATTR4_SPACE_FREED space_freed: u64, r, 2;
    /// How the change attribute moves.
    79 FATTR4_CHANGE_ATTR_TYPE change_attr_type: ChangeAttrType4, r, 2;
    /// The mandatory access control label.
    80 FATTR4_SEC_LABEL sec_label: Box<SecLabel4>, rw, 2;
    /// The mode and umask of a new object (RFC 8275).
    81 FATTR4_MODE_UMASK mode_umask: ModeUmask4, w, 2;
    /// Whether the object can have extended attributes (RFC 8276).
    82 FATTR4_XATTR_SUPPORT xattr_support: bool, r, 2;
    /// Whether reading the data takes long, as from tape (RFC 9754).
    83 FATTR4_OFFLINE offline: bool, r, 2;
    /// The last access as the holder of a delegation knows it (RFC 9754).
    84 FATTR4_TIME_DELEG_ACCESS time_deleg_access: Nfstime4, rw, 2;
    /// The last change of data as the holder of a delegation knows it (RFC 9754).
    85 FATTR4_TIME_DELEG_MODIFY time_deleg_modify: Nfstime4, rw, 2;
    /// The arguments of OPEN that the server understands (RFC 9754).
    86 FATTR4_OPEN_ARGUMENTS open_arguments: Box<OpenArguments4>, r, 2;
}

impl Attrs {
    /// The set as it goes on the wire.
    #[must_use]
    pub fn to_fattr4(&self) -> Fattr4 {
        let mut values = Encoder::new();
        self.encode_values(&mut values);
        Fattr4 { attrmask: self.mask(), attr_vals: values.finish_contiguous() }
    }

    /// Reads the set out of a `fattr4`.
    ///
    /// # Errors
    /// [`AttrError::Unknown`] at the first attribute this crate does not know,
    /// [`AttrError::Xdr`] when the values do not match the mask.
    pub fn from_fattr4(fattr: &Fattr4) -> Result<Self, AttrError> {
        let mut attrs = Self::default();
        let mut d = Decoder::new(fattr.attr_vals.clone());
        for number in fattr.attrmask.iter() {
            if !attrs.decode_value(number, &mut d)? {
                return Err(AttrError::Unknown(number));
            }
        }
        d.finish()?;
        Ok(attrs)
    }
}
