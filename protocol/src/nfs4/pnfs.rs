//! The operations of parallel NFS: devices and layouts.
//!
//! Layout types and the bodies that belong to them are left as numbers and opaque data: a peer
//! may use types that this crate does not know. The fields have the RFC's names without the prefix of
//! their structure.

use bytes::Bytes;

use super::{
    Bitmap4, Count4, Fsid4, Length4, NfsCookie4, NfsFh4, NfsStat4, Nfstime4, Offset4, OpNum, OpResult, Stateid4,
    Verifier4,
};
use crate::xdr::{xdr_enum, xdr_newtype, xdr_result, xdr_struct, xdr_union};

/// The longest body of a layout, a layout update or a returned layout, in bytes.
pub const LAYOUT_BODY_MAX: usize = 1 << 20;
/// The longest address of a device, in bytes.
pub const DEVICE_ADDR_MAX: usize = 1 << 20;
/// The most layouts in one LAYOUTGET result.
pub const LAYOUTS_MAX: usize = 1024;
/// The most device IDs in one GETDEVICELIST result.
pub const DEVICES_MAX: usize = 4096;
/// The most errors in one LAYOUTERROR.
pub const LAYOUT_ERRORS_MAX: usize = 1024;

/// `layouttype4`: see `LAYOUT4_*`; other numbers exist (RFC 8881 §22.4).
pub type Layouttype4 = u32;

/// Layout type: stripes in files of other NFSv4.1 servers (RFC 8881 §13).
pub const LAYOUT4_NFSV4_1_FILES: Layouttype4 = 1;
/// Layout type: object storage devices (RFC 5664).
pub const LAYOUT4_OSD2_OBJECTS: Layouttype4 = 2;
/// Layout type: blocks of shared volumes (RFC 5663).
pub const LAYOUT4_BLOCK_VOLUME: Layouttype4 = 3;
/// Layout type: flexible files (RFC 8435).
pub const LAYOUT4_FLEX_FILES: Layouttype4 = 4;
/// Layout type: SCSI devices (RFC 8154).
pub const LAYOUT4_SCSI: Layouttype4 = 5;

xdr_enum! {
    /// `layoutiomode4`: what a layout may be used for.
    pub enum Layoutiomode4 {
        Read = 1 => LAYOUTIOMODE4_READ,
        Rw = 2 => LAYOUTIOMODE4_RW,
        /// Both; only to return or recall layouts.
        Any = 3 => LAYOUTIOMODE4_ANY,
    }

    /// `layoutreturn_type4`: how much LAYOUTRETURN gives back.
    pub enum LayoutreturnType4 {
        File = 1 => LAYOUTRETURN4_FILE,
        Fsid = 2 => LAYOUTRETURN4_FSID,
        All = 3 => LAYOUTRETURN4_ALL,
    }

    /// `layoutrecall_type4`: how much CB_LAYOUTRECALL wants back.
    pub enum LayoutrecallType4 {
        File = 1 => LAYOUTRECALL4_FILE,
        Fsid = 2 => LAYOUTRECALL4_FSID,
        All = 3 => LAYOUTRECALL4_ALL,
    }
}

xdr_newtype! {
    /// `deviceid4`: names a storage device for all layouts of one type.
    #[derive(Copy, Default, PartialOrd, Ord)]
    pub struct Deviceid4([u8; 16]);
}

xdr_struct! {
    /// `layout_content4`.
    pub struct LayoutContent4 {
        layout_type: Layouttype4,
        body: Bytes [LAYOUT_BODY_MAX],
    }

    /// `layout4`: where a range of a file is stored.
    pub struct Layout4 {
        offset: Offset4,
        length: Length4,
        iomode: Layoutiomode4,
        content: LayoutContent4,
    }

    /// `layoutupdate4`: what a client tells about its use of a layout.
    pub struct Layoutupdate4 {
        layout_type: Layouttype4,
        body: Bytes [LAYOUT_BODY_MAX],
    }

    /// `device_addr4`: how to reach a device.
    pub struct DeviceAddr4 {
        layout_type: Layouttype4,
        addr_body: Bytes [DEVICE_ADDR_MAX],
    }

    /// `layoutreturn_file4`: the part of one file whose layout is returned.
    pub struct LayoutreturnFile4 {
        offset: Offset4,
        length: Length4,
        stateid: Stateid4,
        body: Bytes [LAYOUT_BODY_MAX],
    }

    /// `layoutrecall_file4`: the part of one file whose layout is recalled.
    pub struct LayoutrecallFile4 {
        fh: NfsFh4,
        offset: Offset4,
        length: Length4,
        stateid: Stateid4,
    }
}

xdr_union! {
    /// `layoutreturn4`: what LAYOUTRETURN gives back.
    pub enum Layoutreturn4 switch LayoutreturnType4 {
        case LayoutreturnType4::File => File(LayoutreturnFile4),
        /// All layouts of the file system of the current filehandle.
        case LayoutreturnType4::Fsid => Fsid,
        case LayoutreturnType4::All => All,
    }

    /// `layoutrecall4`: what CB_LAYOUTRECALL wants back.
    pub enum Layoutrecall4 switch LayoutrecallType4 {
        case LayoutrecallType4::File => File(LayoutrecallFile4),
        case LayoutrecallType4::Fsid => Fsid(Fsid4),
        case LayoutrecallType4::All => All,
    }
}

xdr_struct! {
    /// GETDEVICEINFO: asks for the address of a device (RFC 8881 §18.40).
    pub struct Getdeviceinfo4Args {
        device_id: Deviceid4,
        layout_type: Layouttype4,
        /// The largest result the client takes, in bytes; 0 asks for none.
        maxcount: Count4,
        /// The notifications wanted, a bitmap of
        /// [`NotifyDeviceidType4`](crate::nfs4::NotifyDeviceidType4).
        notify_types: Bitmap4,
    }

    /// The address, and which of the notifications will come.
    pub struct Getdeviceinfo4Resok {
        device_addr: DeviceAddr4,
        notification: Bitmap4,
    }

    /// GETDEVICELIST: lists the devices of a file system (RFC 8881 §18.41).
    #[derive(Copy)]
    pub struct Getdevicelist4Args {
        layout_type: Layouttype4,
        /// The most device IDs the client takes.
        maxdevices: Count4,
        cookie: NfsCookie4,
        cookieverf: Verifier4,
    }

    /// A part of the list.
    pub struct Getdevicelist4Resok {
        cookie: NfsCookie4,
        cookieverf: Verifier4,
        deviceid_list: Vec<Deviceid4> [DEVICES_MAX],
        eof: bool,
    }

    /// LAYOUTCOMMIT: makes what was written through a layout part of the file (RFC 8881 §18.42).
    pub struct Layoutcommit4Args {
        offset: Offset4,
        length: Length4,
        reclaim: bool,
        stateid: Stateid4,
        /// `newoffset4`: the last byte written, if any was.
        last_write_offset: Option<Offset4>,
        /// `newtime4`: the modification time, if it changed.
        time_modify: Option<Nfstime4>,
        layoutupdate: Layoutupdate4,
    }

    /// The file after LAYOUTCOMMIT.
    #[derive(Copy)]
    pub struct Layoutcommit4Resok {
        /// `newsize4`: the new size in bytes, if it changed.
        newsize: Option<Length4>,
    }

    /// LAYOUTGET: asks for a layout (RFC 8881 §18.43).
    #[derive(Copy)]
    pub struct Layoutget4Args {
        /// Whether the client wants to be told when a layout can be had.
        signal_layout_avail: bool,
        layout_type: Layouttype4,
        iomode: Layoutiomode4,
        offset: Offset4,
        length: Length4,
        /// The least length that is of use.
        minlength: Length4,
        stateid: Stateid4,
        /// The largest result the client takes, in bytes.
        maxcount: Count4,
    }

    /// The layouts.
    pub struct Layoutget4Resok {
        return_on_close: bool,
        stateid: Stateid4,
        layout: Vec<Layout4> [LAYOUTS_MAX],
    }

    /// LAYOUTRETURN (RFC 8881 §18.44).
    pub struct Layoutreturn4Args {
        reclaim: bool,
        layout_type: Layouttype4,
        iomode: Layoutiomode4,
        layoutreturn: Layoutreturn4,
    }

    /// `device_error4`: what went wrong on a device.
    #[derive(Copy)]
    pub struct DeviceError4 {
        deviceid: Deviceid4,
        status: NfsStat4,
        opnum: OpNum,
    }

    /// LAYOUTERROR: tells about errors of devices (RFC 7862 §15.6).
    pub struct Layouterror4Args {
        offset: Offset4,
        length: Length4,
        stateid: Stateid4,
        errors: Vec<DeviceError4> [LAYOUT_ERRORS_MAX],
    }

    /// `io_info4`: how much a device was used.
    #[derive(Copy)]
    pub struct IoInfo4 {
        /// Operations.
        count: u64,
        bytes: u64,
    }

    /// LAYOUTSTATS: tells how a layout was used (RFC 7862 §15.7).
    pub struct Layoutstats4Args {
        offset: Offset4,
        length: Length4,
        stateid: Stateid4,
        read: IoInfo4,
        write: IoInfo4,
        deviceid: Deviceid4,
        layoutupdate: Layoutupdate4,
    }
}

xdr_result! {
    /// The result of GETDEVICEINFO.
    pub enum Getdeviceinfo4Res {
        Ok => Ok(Getdeviceinfo4Resok),
        /// The `gdia_maxcount` that would have been enough, in bytes.
        Toosmall => Toosmall(Count4),
    }

    /// The result of LAYOUTGET.
    pub enum Layoutget4Res {
        Ok => Ok(Layoutget4Resok),
        /// Whether the client will be told when a layout can be had.
        Layouttrylater => Layouttrylater(bool),
    }
}

/// The result of GETDEVICELIST.
pub type Getdevicelist4Res = OpResult<Getdevicelist4Resok>;
/// The result of LAYOUTCOMMIT.
pub type Layoutcommit4Res = OpResult<Layoutcommit4Resok>;
/// The result of LAYOUTRETURN: the stateid, while layouts of the file are left
/// (`layoutreturn_stateid`).
pub type Layoutreturn4Res = OpResult<Option<Stateid4>>;
/// The result of LAYOUTERROR.
pub type Layouterror4Res = OpResult<()>;
/// The result of LAYOUTSTATS.
pub type Layoutstats4Res = OpResult<()>;
