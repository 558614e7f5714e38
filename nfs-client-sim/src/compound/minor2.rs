//! The operations that 4.2 added (RFC 7862, RFC 8276).

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Allocate4Args, Clone4Args, Copy4Args, CopyNotify4Args, DataContent4, Deallocate4Args, Getxattr4Args, IoAdvise4Args,
    Layouterror4Args, Layoutstats4Args, Listxattrs4Args, NfsArgop4, OffloadCancel4Args, OffloadStatus4Args,
    ReadPlus4Args, Removexattr4Args, Seek4Args, Setxattr4Args, SetxattrOption4, Stateid4, WriteSame4Args,
};

use super::{CompoundBuilder, copy};

impl CompoundBuilder {
    /// ALLOCATE.
    #[must_use]
    pub fn allocate(self, stateid: Stateid4, offset: u64, length: u64) -> Self {
        self.op(NfsArgop4::Allocate(Allocate4Args { stateid, offset, length }))
    }

    /// DEALLOCATE.
    #[must_use]
    pub fn deallocate(self, stateid: Stateid4, offset: u64, length: u64) -> Self {
        self.op(NfsArgop4::Deallocate(Deallocate4Args { stateid, offset, length }))
    }

    /// SEEK.
    #[must_use]
    pub fn seek(self, stateid: Stateid4, offset: u64, what: DataContent4) -> Self {
        self.op(NfsArgop4::Seek(Seek4Args { stateid, offset, what: what.as_u32() }))
    }

    /// READ_PLUS.
    #[must_use]
    pub fn read_plus(self, stateid: Stateid4, offset: u64, count: u32) -> Self {
        self.op(NfsArgop4::ReadPlus(ReadPlus4Args { stateid, offset, count }))
    }

    /// WRITE_SAME.
    #[must_use]
    pub fn write_same(self, args: WriteSame4Args) -> Self {
        self.op(NfsArgop4::WriteSame(Box::new(args)))
    }

    /// IO_ADVISE.
    #[must_use]
    pub fn io_advise(self, args: IoAdvise4Args) -> Self {
        self.op(NfsArgop4::IoAdvise(args))
    }

    /// COPY, from the saved to the current filehandle.
    #[must_use]
    pub fn copy(self, args: Copy4Args) -> Self {
        self.op(NfsArgop4::Copy(Box::new(args)))
    }

    /// COPY_NOTIFY.
    #[must_use]
    pub fn copy_notify(self, args: CopyNotify4Args) -> Self {
        self.op(NfsArgop4::CopyNotify(Box::new(args)))
    }

    /// OFFLOAD_STATUS.
    #[must_use]
    pub fn offload_status(self, stateid: Stateid4) -> Self {
        self.op(NfsArgop4::OffloadStatus(OffloadStatus4Args { stateid }))
    }

    /// OFFLOAD_CANCEL.
    #[must_use]
    pub fn offload_cancel(self, stateid: Stateid4) -> Self {
        self.op(NfsArgop4::OffloadCancel(OffloadCancel4Args { stateid }))
    }

    /// CLONE, from the saved to the current filehandle.
    #[must_use]
    pub fn clone_range(self, args: Clone4Args) -> Self {
        self.op(NfsArgop4::Clone(args))
    }

    /// LAYOUTERROR.
    #[must_use]
    pub fn layouterror(self, args: Layouterror4Args) -> Self {
        self.op(NfsArgop4::Layouterror(Box::new(args)))
    }

    /// LAYOUTSTATS.
    #[must_use]
    pub fn layoutstats(self, args: Layoutstats4Args) -> Self {
        self.op(NfsArgop4::Layoutstats(Box::new(args)))
    }

    /// GETXATTR; names are without `user.`.
    #[must_use]
    pub fn getxattr(self, name: impl AsRef<[u8]>) -> Self {
        self.op(NfsArgop4::Getxattr(Getxattr4Args { name: copy(name) }))
    }

    /// SETXATTR; names are without `user.`.
    #[must_use]
    pub fn setxattr(self, option: SetxattrOption4, name: impl AsRef<[u8]>, value: Bytes) -> Self {
        self.op(NfsArgop4::Setxattr(Box::new(Setxattr4Args { option, key: copy(name), value })))
    }

    /// LISTXATTRS.
    #[must_use]
    pub fn listxattrs(self, cookie: u64, maxcount: u32) -> Self {
        self.op(NfsArgop4::Listxattrs(Listxattrs4Args { cookie, maxcount }))
    }

    /// REMOVEXATTR; names are without `user.`.
    #[must_use]
    pub fn removexattr(self, name: impl AsRef<[u8]>) -> Self {
        self.op(NfsArgop4::Removexattr(Removexattr4Args { name: copy(name) }))
    }
}
