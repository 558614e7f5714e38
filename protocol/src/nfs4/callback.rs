//! The callback program: what a server asks of its clients (RFC 8881 §20, RFC 7530 §16).
//!
//! The operations are in `ops`, the contents of notifications in `notify`; here is what holds them
//! together. The fields have the RFC's names without the prefix of their structure.

mod notify;
mod ops;

pub use notify::*;
pub use ops::*;

use bytes::Bytes;

use super::{NfsStat4, OpResult, OpStatus};
use crate::xdr::{Decode, Decoder, Encode, Encoder, XdrError, xdr_enum, xdr_struct};

/// The callback program's number in the RFC's XDR; a client names the one it really uses in
/// SETCLIENTID or CREATE_SESSION.
pub const NFS4_CALLBACK: u32 = 0x4000_0000;
/// The version of the callback program, in all minor versions.
pub const NFS_CB: u32 = 1;
/// The procedure that does nothing; it tests the path.
pub const CB_NULL: u32 = 0;
/// The procedure that runs a list of operations.
pub const CB_COMPOUND: u32 = 1;
/// The most operations in one CB_COMPOUND.
pub const CB_OPS_MAX: usize = 64;
/// The longest tag of a CB_COMPOUND, in bytes.
pub const CB_TAG_MAX: usize = 1024;

xdr_enum! {
    /// `nfs_cb_opnum4`: the callback operations of all minor versions.
    pub enum NfsCbOpnum4 {
        Getattr = 3 => OP_CB_GETATTR,
        Recall = 4 => OP_CB_RECALL,
        Layoutrecall = 5 => OP_CB_LAYOUTRECALL,
        Notify = 6 => OP_CB_NOTIFY,
        PushDeleg = 7 => OP_CB_PUSH_DELEG,
        RecallAny = 8 => OP_CB_RECALL_ANY,
        RecallableObjAvail = 9 => OP_CB_RECALLABLE_OBJ_AVAIL,
        RecallSlot = 10 => OP_CB_RECALL_SLOT,
        Sequence = 11 => OP_CB_SEQUENCE,
        WantsCancelled = 12 => OP_CB_WANTS_CANCELLED,
        NotifyLock = 13 => OP_CB_NOTIFY_LOCK,
        NotifyDeviceid = 14 => OP_CB_NOTIFY_DEVICEID,
        Offload = 15 => OP_CB_OFFLOAD,
        Illegal = 10044 => OP_CB_ILLEGAL,
    }
}

impl NfsCbOpnum4 {
    /// The lowest minor version that defines the operation.
    #[must_use]
    pub const fn since_minor(self) -> u32 {
        match self {
            Self::Getattr | Self::Recall | Self::Illegal => 0,
            Self::Offload => 2,
            _ => 1,
        }
    }
}

/// The table of callback operations: name, type of the arguments, type of the result.
macro_rules! cb_operations {
    ($( $op:ident($args:ty) -> $res:ty; )*) => {
        /// `nfs_cb_argop4`: one operation of a CB_COMPOUND.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum NfsCbArgop4 {
            $(
                #[doc = concat!("The arguments of `NfsCbOpnum4::", stringify!($op), "`.")]
                $op($args),
            )*
            /// A number that stands for no operation. Its result is [`NfsCbResop4::Illegal`].
            Illegal(u32),
        }

        /// `nfs_cb_resop4`: the result of one operation of a CB_COMPOUND.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum NfsCbResop4 {
            $(
                #[doc = concat!("The result of `NfsCbOpnum4::", stringify!($op), "`.")]
                $op($res),
            )*
            /// The answer to a number that stands for no operation.
            Illegal(CbIllegal4Res),
        }

        impl NfsCbArgop4 {
            /// Which operation it is.
            #[must_use]
            pub const fn opnum(&self) -> NfsCbOpnum4 {
                match self {
                    $( Self::$op(_) => NfsCbOpnum4::$op, )*
                    Self::Illegal(_) => NfsCbOpnum4::Illegal,
                }
            }
        }

        impl NfsCbResop4 {
            /// Which operation it belongs to.
            #[must_use]
            pub const fn opnum(&self) -> NfsCbOpnum4 {
                match self {
                    $( Self::$op(_) => NfsCbOpnum4::$op, )*
                    Self::Illegal(_) => NfsCbOpnum4::Illegal,
                }
            }

            /// The result of an operation that says no more than `status`.
            #[must_use]
            pub fn failed(opnum: NfsCbOpnum4, status: NfsStat4) -> Self {
                match opnum {
                    $( NfsCbOpnum4::$op => Self::$op(<$res>::failed(status)), )*
                    NfsCbOpnum4::Illegal => Self::Illegal(CbIllegal4Res::failed(status)),
                }
            }

            /// The status as it goes on the wire.
            #[must_use]
            pub fn status(&self) -> NfsStat4 {
                match self {
                    $( Self::$op(res) => res.status(), )*
                    Self::Illegal(res) => res.status(),
                }
            }
        }

        impl Encode for NfsCbArgop4 {
            fn encode(&self, e: &mut Encoder) {
                match self {
                    $( Self::$op(args) => {
                        NfsCbOpnum4::$op.encode(e);
                        args.encode(e);
                    } )*
                    Self::Illegal(number) => e.u32(*number),
                }
            }
        }

        impl Decode for NfsCbArgop4 {
            fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
                let number = d.u32()?;
                match NfsCbOpnum4::from_u32(number) {
                    $( Some(NfsCbOpnum4::$op) => <$args>::decode(d).map(Self::$op), )*
                    Some(NfsCbOpnum4::Illegal) | None => Ok(Self::Illegal(number)),
                }
            }
        }

        impl Encode for NfsCbResop4 {
            fn encode(&self, e: &mut Encoder) {
                self.opnum().encode(e);
                match self {
                    $( Self::$op(res) => res.encode(e), )*
                    Self::Illegal(res) => res.encode(e),
                }
            }
        }

        impl Decode for NfsCbResop4 {
            fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
                match NfsCbOpnum4::decode(d)? {
                    $( NfsCbOpnum4::$op => <$res>::decode(d).map(Self::$op), )*
                    NfsCbOpnum4::Illegal => CbIllegal4Res::decode(d).map(Self::Illegal),
                }
            }
        }
    };
}

cb_operations! {
    Getattr(CbGetattr4Args) -> CbGetattr4Res;
    Recall(CbRecall4Args) -> CbRecall4Res;
    Layoutrecall(CbLayoutrecall4Args) -> CbLayoutrecall4Res;
    Notify(CbNotify4Args) -> CbNotify4Res;
    PushDeleg(CbPushDeleg4Args) -> CbPushDeleg4Res;
    RecallAny(CbRecallAny4Args) -> CbRecallAny4Res;
    RecallableObjAvail(CbRecallableObjAvail4Args) -> CbRecallableObjAvail4Res;
    RecallSlot(CbRecallSlot4Args) -> CbRecallSlot4Res;
    Sequence(CbSequence4Args) -> CbSequence4Res;
    WantsCancelled(CbWantsCancelled4Args) -> CbWantsCancelled4Res;
    NotifyLock(CbNotifyLock4Args) -> CbNotifyLock4Res;
    NotifyDeviceid(CbNotifyDeviceid4Args) -> CbNotifyDeviceid4Res;
    Offload(CbOffload4Args) -> CbOffload4Res;
}

/// The result of an operation that does not exist: NFS4ERR_OP_ILLEGAL.
pub type CbIllegal4Res = OpResult<()>;

/// `CB_COMPOUND4args`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CbCompound4Args {
    /// Free text that the reply repeats; at most [`CB_TAG_MAX`] bytes.
    pub tag: Bytes,
    /// The minor version; that of the session in 4.1 and later.
    pub minorversion: u32,
    /// The `callback_ident` of SETCLIENTID in 4.0; without a meaning since.
    pub callback_ident: u32,
    /// The operations, at most [`CB_OPS_MAX`].
    pub argarray: Vec<NfsCbArgop4>,
}

impl Encode for CbCompound4Args {
    fn encode(&self, e: &mut Encoder) {
        self.tag.encode(e);
        self.minorversion.encode(e);
        self.callback_ident.encode(e);
        self.argarray.encode(e);
    }
}

impl Decode for CbCompound4Args {
    /// Ends at the first operation that does not exist: its length is unknown, so what follows it
    /// cannot be read, and no operation after it would run anyway.
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        let tag = d.opaque(CB_TAG_MAX)?;
        let minorversion = d.u32()?;
        let callback_ident = d.u32()?;
        let len = d.u32()?;
        let count = usize::try_from(len).unwrap_or(usize::MAX);
        if count > CB_OPS_MAX {
            return Err(XdrError::TooLong { len, max: CB_OPS_MAX });
        }
        let mut argarray = Vec::new();
        for _ in 0..count {
            argarray.push(NfsCbArgop4::decode(d)?);
            if let Some(NfsCbArgop4::Illegal(_)) = argarray.last() {
                drop(d.take_rest());
                break;
            }
        }
        Ok(Self { tag, minorversion, callback_ident, argarray })
    }
}

xdr_struct! {
    /// `CB_COMPOUND4res`.
    pub struct CbCompound4Res {
        /// The status of the last operation that ran.
        status: NfsStat4,
        /// The tag of the request.
        tag: Bytes [CB_TAG_MAX],
        /// One result for each operation that ran.
        resarray: Vec<NfsCbResop4> [CB_OPS_MAX],
    }
}
