//! The table of operations: one variant each for arguments and results.

use crate::nfs4::*;
#[cfg(test)]
use crate::xdr::sample::{Sample, Source};
use crate::xdr::{Decode, Decoder, Encode, Encoder, XdrError};

/// One row per operation: `Name(arguments) -> results`. Large bodies are boxed, to keep the arrays of
/// a compound small.
macro_rules! operations {
    ($( $op:ident $(( $args:ty ))? -> $res:ty; )*) => {
        /// `nfs_argop4`: an operation with its arguments.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum NfsArgop4 {
            $(
                #[doc = concat!("The arguments of [`OpNum::", stringify!($op), "`].")]
                $op $(($args))?,
            )*
            /// An operation that does not exist.
            Illegal,
        }

        /// `nfs_resop4`: an operation with its results.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum NfsResop4 {
            $(
                #[doc = concat!("The results of [`OpNum::", stringify!($op), "`].")]
                $op($res),
            )*
            /// The answer to an operation that does not exist.
            Illegal(Illegal4Res),
        }

        impl NfsArgop4 {
            /// Which operation it is.
            #[must_use]
            pub const fn opnum(&self) -> OpNum {
                match self {
                    $( Self::$op { .. } => OpNum::$op, )*
                    Self::Illegal => OpNum::Illegal,
                }
            }

            /// Reads the arguments of `op`, whose number was read already.
            ///
            /// # Errors
            /// As the decoders of the arguments.
            pub fn decode_args(op: OpNum, d: &mut Decoder) -> Result<Self, XdrError> {
                Ok(match op {
                    $( OpNum::$op => Self::$op $((<$args as Decode>::decode(d)?))?, )*
                    OpNum::Illegal => Self::Illegal,
                })
            }
        }

        impl Encode for NfsArgop4 {
            fn encode(&self, e: &mut Encoder) {
                self.opnum().encode(e);
                match self {
                    $( args_pattern!(args, $op $(, $args)?) => { $( <$args as Encode>::encode(args, e); )? } )*
                    Self::Illegal => {}
                }
            }
        }

        impl NfsResop4 {
            /// Which operation it is.
            #[must_use]
            pub const fn opnum(&self) -> OpNum {
                match self {
                    $( Self::$op(_) => OpNum::$op, )*
                    Self::Illegal(_) => OpNum::Illegal,
                }
            }

            /// The result of `op` that says `status` and nothing more.
            #[must_use]
            pub fn failed(op: OpNum, status: NfsStat4) -> Self {
                match op {
                    $( OpNum::$op => Self::$op(OpStatus::failed(status)), )*
                    OpNum::Illegal => Self::Illegal(Err(status)),
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

        impl Encode for NfsResop4 {
            fn encode(&self, e: &mut Encoder) {
                self.opnum().encode(e);
                match self {
                    $( Self::$op(res) => res.encode(e), )*
                    Self::Illegal(res) => res.encode(e),
                }
            }
        }

        impl Decode for NfsResop4 {
            fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
                Ok(match OpNum::decode(d)? {
                    $( OpNum::$op => Self::$op(Decode::decode(d)?), )*
                    OpNum::Illegal => Self::Illegal(Decode::decode(d)?),
                })
            }
        }

        /// Made-up arguments and results of every operation, for tests.
        #[cfg(test)]
        pub(crate) fn operation_samples(source: &mut Source) -> Vec<(NfsArgop4, NfsResop4)> {
            vec![$(
                (NfsArgop4::$op $((<$args as Sample>::sample(source)))?, NfsResop4::$op(Sample::sample(source))),
            )*]
        }
    };
}

/// The pattern of a variant, with or without arguments.
macro_rules! args_pattern {
    ($args:ident, $op:ident) => {
        Self::$op
    };
    ($args:ident, $op:ident, $ty:ty) => {
        Self::$op($args)
    };
}

operations! {
    Access(Access4Args) -> Access4Res;
    Close(Close4Args) -> Close4Res;
    Commit(Commit4Args) -> Commit4Res;
    Create(Box<Create4Args>) -> Create4Res;
    Delegpurge(Delegpurge4Args) -> Delegpurge4Res;
    Delegreturn(Delegreturn4Args) -> Delegreturn4Res;
    Getattr(Getattr4Args) -> Getattr4Res;
    Getfh -> Getfh4Res;
    Link(Link4Args) -> Link4Res;
    Lock(Box<Lock4Args>) -> Box<Lock4Res>;
    Lockt(Box<Lockt4Args>) -> Box<Lockt4Res>;
    Locku(Locku4Args) -> Locku4Res;
    Lookup(Lookup4Args) -> Lookup4Res;
    Lookupp -> Lookupp4Res;
    Nverify(Nverify4Args) -> Nverify4Res;
    Open(Box<Open4Args>) -> Box<Open4Res>;
    Openattr(Openattr4Args) -> Openattr4Res;
    OpenConfirm(OpenConfirm4Args) -> OpenConfirm4Res;
    OpenDowngrade(OpenDowngrade4Args) -> OpenDowngrade4Res;
    Putfh(Putfh4Args) -> Putfh4Res;
    Putpubfh -> Putpubfh4Res;
    Putrootfh -> Putrootfh4Res;
    Read(Read4Args) -> Read4Res;
    Readdir(Box<Readdir4Args>) -> Readdir4Res;
    Readlink -> Readlink4Res;
    Remove(Remove4Args) -> Remove4Res;
    Rename(Rename4Args) -> Rename4Res;
    Renew(Renew4Args) -> Renew4Res;
    Restorefh -> Restorefh4Res;
    Savefh -> Savefh4Res;
    Secinfo(Secinfo4Args) -> Secinfo4Res;
    Setattr(Box<Setattr4Args>) -> Setattr4Res;
    Setclientid(Box<Setclientid4Args>) -> Box<Setclientid4Res>;
    SetclientidConfirm(SetclientidConfirm4Args) -> SetclientidConfirm4Res;
    Verify(Verify4Args) -> Verify4Res;
    Write(Box<Write4Args>) -> Write4Res;
    ReleaseLockowner(ReleaseLockowner4Args) -> ReleaseLockowner4Res;
    BackchannelCtl(Box<BackchannelCtl4Args>) -> BackchannelCtl4Res;
    BindConnToSession(Box<BindConnToSession4Args>) -> BindConnToSession4Res;
    ExchangeId(Box<ExchangeId4Args>) -> Box<ExchangeId4Res>;
    CreateSession(Box<CreateSession4Args>) -> Box<CreateSession4Res>;
    DestroySession(DestroySession4Args) -> DestroySession4Res;
    FreeStateid(FreeStateid4Args) -> FreeStateid4Res;
    GetDirDelegation(Box<GetDirDelegation4Args>) -> Box<GetDirDelegation4Res>;
    Getdeviceinfo(Getdeviceinfo4Args) -> Box<Getdeviceinfo4Res>;
    Getdevicelist(Getdevicelist4Args) -> Box<Getdevicelist4Res>;
    Layoutcommit(Box<Layoutcommit4Args>) -> Layoutcommit4Res;
    Layoutget(Box<Layoutget4Args>) -> Box<Layoutget4Res>;
    Layoutreturn(Box<Layoutreturn4Args>) -> Layoutreturn4Res;
    SecinfoNoName(SecinfoNoName4Args) -> SecinfoNoName4Res;
    Sequence(Sequence4Args) -> Sequence4Res;
    SetSsv(Box<SetSsv4Args>) -> Box<SetSsv4Res>;
    TestStateid(TestStateid4Args) -> TestStateid4Res;
    WantDelegation(Box<WantDelegation4Args>) -> Box<WantDelegation4Res>;
    DestroyClientid(DestroyClientid4Args) -> DestroyClientid4Res;
    ReclaimComplete(ReclaimComplete4Args) -> ReclaimComplete4Res;
    Allocate(Allocate4Args) -> Allocate4Res;
    Copy(Box<Copy4Args>) -> Box<Copy4Res>;
    CopyNotify(Box<CopyNotify4Args>) -> Box<CopyNotify4Res>;
    Deallocate(Deallocate4Args) -> Deallocate4Res;
    IoAdvise(IoAdvise4Args) -> IoAdvise4Res;
    Layouterror(Box<Layouterror4Args>) -> Layouterror4Res;
    Layoutstats(Box<Layoutstats4Args>) -> Layoutstats4Res;
    OffloadCancel(OffloadCancel4Args) -> OffloadCancel4Res;
    OffloadStatus(OffloadStatus4Args) -> OffloadStatus4Res;
    ReadPlus(ReadPlus4Args) -> ReadPlus4Res;
    Seek(Seek4Args) -> Seek4Res;
    WriteSame(Box<WriteSame4Args>) -> WriteSame4Res;
    Clone(Clone4Args) -> Clone4Res;
    Getxattr(Getxattr4Args) -> Getxattr4Res;
    Setxattr(Box<Setxattr4Args>) -> Setxattr4Res;
    Listxattrs(Listxattrs4Args) -> Listxattrs4Res;
    Removexattr(Removexattr4Args) -> Removexattr4Res;
}

impl Decode for NfsArgop4 {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        let op = OpNum::decode(d)?;
        Self::decode_args(op, d)
    }
}

/// `ILLEGAL4res`.
pub type Illegal4Res = OpResult<()>;
