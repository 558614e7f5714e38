//! The operations that 4.2 added, but for pNFS: sparse files, copying, advice.
//!
//! The fields have the RFC's names without the prefix of their structure: `ca_src_offset` of
//! `COPY4args` is `src_offset` of [`Copy4Args`].

use bytes::Bytes;

use super::{
    Bitmap4, Count4, IO_DATA_MAX, Length4, Netaddr4, NfsStat4, Nfstime4, Offset4, OpResult, StableHow4, Stateid4,
    Verifier4,
};
use crate::xdr::{Payload, xdr_enum, xdr_result, xdr_struct, xdr_union};

/// The longest name or URL of a server, in bytes.
pub const NETLOC_MAX: usize = 4096;
/// The most addresses of a server in COPY and COPY_NOTIFY.
pub const NETLOCS_MAX: usize = 64;
/// The longest pattern of WRITE_SAME, in bytes.
pub const ADB_PATTERN_MAX: usize = 1 << 20;
/// The most segments in one result of READ_PLUS.
pub const READ_PLUS_CONTENTS_MAX: usize = 65_536;

xdr_enum! {
    /// `data_content4`: what a part of a file consists of.
    pub enum DataContent4 {
        Data = 0 => NFS4_CONTENT_DATA,
        Hole = 1 => NFS4_CONTENT_HOLE,
    }

    /// `IO_ADVISE_type4`: the bits of [`IoAdvise4Args::hints`].
    pub enum IoAdviseType4 {
        Normal = 0 => IO_ADVISE4_NORMAL,
        Sequential = 1 => IO_ADVISE4_SEQUENTIAL,
        SequentialBackwards = 2 => IO_ADVISE4_SEQUENTIAL_BACKWARDS,
        Random = 3 => IO_ADVISE4_RANDOM,
        Willneed = 4 => IO_ADVISE4_WILLNEED,
        WillneedOpportunistic = 5 => IO_ADVISE4_WILLNEED_OPPORTUNISTIC,
        Dontneed = 6 => IO_ADVISE4_DONTNEED,
        Noreuse = 7 => IO_ADVISE4_NOREUSE,
        Read = 8 => IO_ADVISE4_READ,
        Write = 9 => IO_ADVISE4_WRITE,
        InitProximity = 10 => IO_ADVISE4_INIT_PROXIMITY,
    }

    /// `netloc_type4`: the ways to name a server.
    pub enum NetlocType4 {
        Name = 1 => NL4_NAME,
        Url = 2 => NL4_URL,
        Netaddr = 3 => NL4_NETADDR,
    }
}

xdr_union! {
    /// `netloc4`: names a server.
    pub enum Netloc4 switch NetlocType4 {
        case NetlocType4::Name => Name(Bytes [NETLOC_MAX]),
        case NetlocType4::Url => Url(Bytes [NETLOC_MAX]),
        case NetlocType4::Netaddr => Netaddr(Netaddr4),
    }
}

xdr_struct! {
    /// `data4`: a part of a file that has data.
    pub struct Data4 {
        offset: Offset4,
        /// Chained, not copied.
        data: Payload [IO_DATA_MAX],
    }

    /// `data_info4`: a part of a file that is a hole.
    #[derive(Copy)]
    pub struct DataInfo4 {
        offset: Offset4,
        length: Length4,
    }

    /// `app_data_block4`: a block, and how often to write it (RFC 7862 §8.1.1).
    pub struct AppDataBlock4 {
        /// Where the first block goes.
        offset: Offset4,
        /// The size of a block, in bytes.
        block_size: Length4,
        block_count: Length4,
        /// Where in a block its number goes; all ones for nowhere.
        reloff_blocknum: Length4,
        /// The number of the first block.
        block_num: Count4,
        /// Where in a block the pattern goes; all ones for nowhere.
        reloff_pattern: Length4,
        pattern: Bytes [ADB_PATTERN_MAX],
    }

    /// `write_response4`: what was written, and whether it is durable.
    #[derive(Copy)]
    pub struct WriteResponse4 {
        /// The stateid of an operation that goes on after the reply; an array of at most one element,
        /// which is the same on the wire.
        callback_id: Option<Stateid4>,
        /// Bytes written so far.
        count: Length4,
        committed: StableHow4,
        writeverf: Verifier4,
    }

    /// `copy_requirements4`: how a copy is made.
    #[derive(Copy)]
    pub struct CopyRequirements4 {
        /// From the front to the back.
        consecutive: bool,
        /// Before the reply.
        synchronous: bool,
    }

    /// ALLOCATE: reserves space (RFC 7862 §15.1).
    #[derive(Copy)]
    pub struct Allocate4Args {
        stateid: Stateid4,
        offset: Offset4,
        length: Length4,
    }

    /// COPY: from the saved to the current filehandle (RFC 7862 §15.2).
    pub struct Copy4Args {
        src_stateid: Stateid4,
        dst_stateid: Stateid4,
        src_offset: Offset4,
        dst_offset: Offset4,
        /// Bytes to copy; 0 for all up to the end.
        count: Length4,
        consecutive: bool,
        synchronous: bool,
        /// Where the source is when it is not on this server.
        source_server: Vec<Netloc4> [NETLOCS_MAX],
    }

    /// What was copied, and how.
    #[derive(Copy)]
    pub struct Copy4Resok {
        response: WriteResponse4,
        requirements: CopyRequirements4,
    }

    /// COPY_NOTIFY: announces a copy to another server (RFC 7862 §15.3).
    pub struct CopyNotify4Args {
        src_stateid: Stateid4,
        destination_server: Netloc4,
    }

    /// What the other server needs to read the source.
    pub struct CopyNotify4Resok {
        /// How long the copy may wait before it begins.
        lease_time: Nfstime4,
        stateid: Stateid4,
        source_server: Vec<Netloc4> [NETLOCS_MAX],
    }

    /// DEALLOCATE: makes a hole (RFC 7862 §15.4).
    #[derive(Copy)]
    pub struct Deallocate4Args {
        stateid: Stateid4,
        offset: Offset4,
        length: Length4,
    }

    /// IO_ADVISE: tells how a file will be used (RFC 7862 §15.5).
    pub struct IoAdvise4Args {
        stateid: Stateid4,
        offset: Offset4,
        count: Length4,
        /// A bitmap of [`IoAdviseType4`].
        hints: Bitmap4,
    }

    /// The hints the server will follow.
    pub struct IoAdvise4Resok {
        hints: Bitmap4,
    }

    /// OFFLOAD_CANCEL: ends a copy that goes on (RFC 7862 §15.8).
    #[derive(Copy)]
    pub struct OffloadCancel4Args {
        stateid: Stateid4,
    }

    /// OFFLOAD_STATUS: asks how far a copy is (RFC 7862 §15.9).
    #[derive(Copy)]
    pub struct OffloadStatus4Args {
        stateid: Stateid4,
    }

    /// How far the copy is.
    #[derive(Copy)]
    pub struct OffloadStatus4Resok {
        /// Bytes copied so far.
        count: Length4,
        /// How it ended, once it has; an array of at most one element, which is the same on the wire.
        complete: Option<NfsStat4>,
    }

    /// READ_PLUS: reads data and tells of holes (RFC 7862 §15.10).
    #[derive(Copy)]
    pub struct ReadPlus4Args {
        stateid: Stateid4,
        offset: Offset4,
        count: Count4,
    }

    /// `read_plus_res4`: the segments read, in the order of the file.
    pub struct ReadPlus4Resok {
        eof: bool,
        contents: Vec<ReadPlusContent> [READ_PLUS_CONTENTS_MAX],
    }

    /// SEEK: finds the next data or the next hole (RFC 7862 §15.11).
    #[derive(Copy)]
    pub struct Seek4Args {
        stateid: Stateid4,
        offset: Offset4,
        /// The number of a [`DataContent4`]. Others come through, for the server answers them with
        /// NFS4ERR_UNION_NOTSUPP (RFC 7862 §11.1.1.1), not with NFS4ERR_BADXDR.
        what: u32,
    }

    /// `seek_res4`: where it is.
    #[derive(Copy)]
    pub struct Seek4Resok {
        eof: bool,
        offset: Offset4,
    }

    /// WRITE_SAME: writes one block many times (RFC 7862 §15.12).
    pub struct WriteSame4Args {
        stateid: Stateid4,
        stable: StableHow4,
        adb: AppDataBlock4,
    }

    /// CLONE: shares a range of the saved with the current filehandle (RFC 7862 §15.13).
    #[derive(Copy)]
    pub struct Clone4Args {
        src_stateid: Stateid4,
        dst_stateid: Stateid4,
        src_offset: Offset4,
        dst_offset: Offset4,
        /// Bytes to clone; 0 for all up to the end.
        count: Length4,
    }
}

xdr_union! {
    /// `read_plus_content`: one segment of a READ_PLUS result.
    pub enum ReadPlusContent switch DataContent4 {
        case DataContent4::Data => Data(Data4),
        case DataContent4::Hole => Hole(DataInfo4),
    }
}

xdr_result! {
    /// The result of COPY.
    pub enum Copy4Res {
        Ok => Ok(Copy4Resok),
        /// How the server could copy.
        OffloadNoReqs => OffloadNoReqs(CopyRequirements4),
    }
}

/// The result of ALLOCATE.
pub type Allocate4Res = OpResult<()>;
/// The result of COPY_NOTIFY.
pub type CopyNotify4Res = OpResult<CopyNotify4Resok>;
/// The result of DEALLOCATE.
pub type Deallocate4Res = OpResult<()>;
/// The result of IO_ADVISE.
pub type IoAdvise4Res = OpResult<IoAdvise4Resok>;
/// The result of OFFLOAD_CANCEL.
pub type OffloadCancel4Res = OpResult<()>;
/// The result of OFFLOAD_STATUS.
pub type OffloadStatus4Res = OpResult<OffloadStatus4Resok>;
/// The result of READ_PLUS.
pub type ReadPlus4Res = OpResult<ReadPlus4Resok>;
/// The result of SEEK.
pub type Seek4Res = OpResult<Seek4Resok>;
/// The result of WRITE_SAME.
pub type WriteSame4Res = OpResult<WriteResponse4>;
/// The result of CLONE.
pub type Clone4Res = OpResult<()>;
