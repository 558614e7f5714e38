//! Operations on one object: its filehandle, attributes, access and data.

use bytes::Bytes;

use super::{
    Bitmap4, Count4, Fattr4, LINKTEXT_MAX, NfsFh4, NfsStat4, Offset4, OpResult, OpStatus, Stateid4, Verifier4,
};
use crate::xdr::{Payload, xdr_enum, xdr_struct};

/// The most bytes of one READ or WRITE that are decoded. Servers offer less (`maxread`, `maxwrite`).
pub const IO_DATA_MAX: usize = 64 << 20;

xdr_struct! {
    /// `ACCESS4args`.
    #[derive(Copy)]
    pub struct Access4Args {
        /// The bits the client asks about: `ACCESS4_*`.
        access: u32,
    }

    /// `ACCESS4resok`.
    #[derive(Copy)]
    pub struct Access4Resok {
        /// The asked bits that the server can tell about.
        supported: u32,
        /// The supported bits that are granted.
        access: u32,
    }

    /// `COMMIT4args`.
    #[derive(Copy)]
    pub struct Commit4Args {
        offset: Offset4,
        /// Bytes; 0 means "to the end".
        count: Count4,
    }

    /// `COMMIT4resok`.
    #[derive(Copy)]
    pub struct Commit4Resok {
        writeverf: Verifier4,
    }

    /// `GETATTR4args`.
    pub struct Getattr4Args {
        attr_request: Bitmap4,
    }

    /// `GETATTR4resok`.
    pub struct Getattr4Resok {
        obj_attributes: Fattr4,
    }

    /// `GETFH4resok`.
    pub struct Getfh4Resok {
        object: NfsFh4,
    }

    /// `PUTFH4args`.
    pub struct Putfh4Args {
        object: NfsFh4,
    }

    /// `READ4args`.
    #[derive(Copy)]
    pub struct Read4Args {
        stateid: Stateid4,
        offset: Offset4,
        count: Count4,
    }

    /// `READ4resok`.
    pub struct Read4Resok {
        /// Whether the data reaches the end of the file.
        eof: bool,
        data: Payload [IO_DATA_MAX],
    }

    /// `READLINK4resok`.
    pub struct Readlink4Resok {
        link: Bytes [LINKTEXT_MAX],
    }

    /// `SETATTR4args`.
    pub struct Setattr4Args {
        stateid: Stateid4,
        obj_attributes: Fattr4,
    }

    /// `SETATTR4res`: unlike the other results, it always has its body.
    pub struct Setattr4Res {
        status: NfsStat4,
        /// The attributes that were set, also on an error.
        attrsset: Bitmap4,
    }

    /// `VERIFY4args`.
    pub struct Verify4Args {
        obj_attributes: Fattr4,
    }

    /// `WRITE4args`.
    pub struct Write4Args {
        stateid: Stateid4,
        offset: Offset4,
        stable: StableHow4,
        data: Bytes [IO_DATA_MAX],
    }

    /// `WRITE4resok`.
    #[derive(Copy)]
    pub struct Write4Resok {
        /// The bytes written.
        count: Count4,
        committed: StableHow4,
        writeverf: Verifier4,
    }
}

xdr_enum! {
    /// `stable_how4`: how durable a WRITE is when it is answered.
    pub enum StableHow4 {
        Unstable = 0 => UNSTABLE4,
        DataSync = 1 => DATA_SYNC4,
        FileSync = 2 => FILE_SYNC4,
    }
}

impl OpStatus for Setattr4Res {
    fn status(&self) -> NfsStat4 {
        self.status
    }

    fn failed(status: NfsStat4) -> Self {
        Self { status, attrsset: Bitmap4::new() }
    }
}

/// `NVERIFY4args`.
pub type Nverify4Args = Verify4Args;

/// `ACCESS4res`.
pub type Access4Res = OpResult<Access4Resok>;
/// `COMMIT4res`.
pub type Commit4Res = OpResult<Commit4Resok>;
/// `GETATTR4res`.
pub type Getattr4Res = OpResult<Getattr4Resok>;
/// `GETFH4res`.
pub type Getfh4Res = OpResult<Getfh4Resok>;
/// `NVERIFY4res`.
pub type Nverify4Res = OpResult<()>;
/// `PUTFH4res`.
pub type Putfh4Res = OpResult<()>;
/// `PUTPUBFH4res`.
pub type Putpubfh4Res = OpResult<()>;
/// `PUTROOTFH4res`.
pub type Putrootfh4Res = OpResult<()>;
/// `READ4res`.
pub type Read4Res = OpResult<Read4Resok>;
/// `READLINK4res`.
pub type Readlink4Res = OpResult<Readlink4Resok>;
/// `RESTOREFH4res`.
pub type Restorefh4Res = OpResult<()>;
/// `SAVEFH4res`.
pub type Savefh4Res = OpResult<()>;
/// `VERIFY4res`.
pub type Verify4Res = OpResult<()>;
/// `WRITE4res`.
pub type Write4Res = OpResult<Write4Resok>;
