//! The types of attribute values.

use bytes::Bytes;

use crate::nfs4::{Bitmap4, LAYOUT_BODY_MAX, Layouttype4, Mode4, Nfstime4, Pathname4};
use crate::xdr::{xdr_enum, xdr_newtype, xdr_struct};

/// The longest server name in a location, in bytes.
pub const SERVER_NAME_MAX: usize = 1024;
/// The most servers of one location.
pub const LOCATION_SERVERS_MAX: usize = 256;
/// The most locations of a file system.
pub const LOCATIONS_MAX: usize = 256;
/// The most layout types of a file system.
pub const LAYOUT_TYPES_MAX: usize = 64;
/// The longest description of a file system's source or version, in bytes.
pub const FS_STATUS_TEXT_MAX: usize = 4096;
/// The largest security label, in bytes.
pub const SEC_LABEL_MAX: usize = 4096;
/// The longest MIME type, in bytes.
pub const MIMETYPE_MAX: usize = 1024;

xdr_newtype! {
    /// The name or address of a server, as an element of a list.
    pub struct ServerName4(Bytes [SERVER_NAME_MAX]);
}

xdr_struct! {
    /// `fs_location4`: servers that have a file system under the same path.
    pub struct FsLocation4 {
        server: Vec<ServerName4> [LOCATION_SERVERS_MAX],
        rootpath: Pathname4,
    }

    /// `fs_locations4`: where else a file system is; a referral (RFC 8881 §11).
    pub struct FsLocations4 {
        /// Where the file system is on this server.
        fs_root: Pathname4,
        locations: Vec<FsLocation4> [LOCATIONS_MAX],
    }

    /// `fs_locations_server4`.
    pub struct FsLocationsServer4 {
        currency: i32,
        info: Bytes [SERVER_NAME_MAX],
        server: Bytes [SERVER_NAME_MAX],
    }

    /// `fs_locations_item4`.
    pub struct FsLocationsItem4 {
        entries: Vec<FsLocationsServer4> [LOCATION_SERVERS_MAX],
        rootpath: Pathname4,
    }

    /// `fs_locations_info4`.
    pub struct FsLocationsInfo4 {
        flags: u32,
        valid_for: i32,
        fs_root: Pathname4,
        items: Vec<FsLocationsItem4> [LOCATIONS_MAX],
    }

    /// `fs4_status`.
    pub struct Fs4Status {
        absent: bool,
        status_type: Fs4StatusType,
        source: Bytes [FS_STATUS_TEXT_MAX],
        current: Bytes [FS_STATUS_TEXT_MAX],
        age: i32,
        version: Nfstime4,
    }

    /// `change_policy4`.
    #[derive(Copy, Default)]
    pub struct ChangePolicy4 {
        major: u64,
        minor: u64,
    }

    /// `layouthint4`.
    pub struct Layouthint4 {
        layout_type: Layouttype4,
        body: Bytes [LAYOUT_BODY_MAX],
    }

    /// `threshold_item4`.
    pub struct ThresholdItem4 {
        layout_type: Layouttype4,
        hintset: Bitmap4,
        hintlist: Bytes [LAYOUT_BODY_MAX],
    }

    /// `mdsthreshold4`.
    pub struct Mdsthreshold4 {
        hints: Vec<ThresholdItem4> [LAYOUT_TYPES_MAX],
    }

    /// `retention_get4`.
    pub struct RetentionGet4 {
        duration: u64,
        /// None or one.
        begin_time: Vec<Nfstime4> [1],
    }

    /// `retention_set4`.
    pub struct RetentionSet4 {
        enable: bool,
        /// None or one.
        duration: Vec<u64> [1],
    }

    /// `mode_masked4`: sets some bits of the mode.
    #[derive(Copy, Default)]
    pub struct ModeMasked4 {
        value_to_set: Mode4,
        mask_bits: Mode4,
    }

    /// `mode_umask4`: the mode of a new object before its umask is applied (RFC 8275).
    #[derive(Copy, Default)]
    pub struct ModeUmask4 {
        mode: Mode4,
        umask: Mode4,
    }

    /// `labelformat_spec4`.
    #[derive(Copy, Default)]
    pub struct LabelformatSpec4 {
        lfs: u32,
        pi: u32,
    }

    /// `open_arguments4`: bitmaps of the values that OPEN understands (RFC 9754).
    pub struct OpenArguments4 {
        share_access: Bitmap4,
        share_deny: Bitmap4,
        share_access_want: Bitmap4,
        open_claim: Bitmap4,
        create_mode: Bitmap4,
    }

    /// `sec_label4`: a mandatory access control label.
    pub struct SecLabel4 {
        lfs: LabelformatSpec4,
        data: Bytes [SEC_LABEL_MAX],
    }
}

xdr_enum! {
    /// `fs4_status_type`.
    pub enum Fs4StatusType {
        Fixed = 1 => STATUS4_FIXED,
        Updated = 2 => STATUS4_UPDATED,
        Versioned = 3 => STATUS4_VERSIONED,
        Writable = 4 => STATUS4_WRITABLE,
        Referral = 5 => STATUS4_REFERRAL,
    }

    /// `change_attr_type4`: how the change attribute moves.
    pub enum ChangeAttrType4 {
        MonotonicIncr = 0 => NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR,
        VersionCounter = 1 => NFS4_CHANGE_TYPE_IS_VERSION_COUNTER,
        VersionCounterNopnfs = 2 => NFS4_CHANGE_TYPE_IS_VERSION_COUNTER_NOPNFS,
        TimeMetadata = 3 => NFS4_CHANGE_TYPE_IS_TIME_METADATA,
        Undefined = 4 => NFS4_CHANGE_TYPE_IS_UNDEFINED,
    }
}

/// `fs_charset_cap`: names may hold something else than UTF-8.
pub const FSCHARSET_CAP4_CONTAINS_NON_UTF8: u32 = 0x1;
/// `fs_charset_cap`: names are UTF-8 only.
pub const FSCHARSET_CAP4_ALLOWS_ONLY_UTF8: u32 = 0x2;
