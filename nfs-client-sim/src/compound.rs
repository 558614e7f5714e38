//! Compounds, put together operation by operation.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Access4Args, Bitmap4, Close4Args, Commit4Args, Compound4Args, Create4Args, Createtype4, Fattr4, Getattr4Args,
    Lookup4Args, NfsArgop4, NfsFh4, OpNum, Open4Args, Putfh4Args, Read4Args, ReclaimComplete4Args, Remove4Args,
    Rename4Args, Renew4Args, Sequence4Args, Setattr4Args, StableHow4, Stateid4, Write4Args,
};

/// The operations whose reply a server shall keep for a retry, as repeating them does something else.
const KEPT: &[OpNum] = &[
    OpNum::Open,
    OpNum::OpenConfirm,
    OpNum::OpenDowngrade,
    OpNum::Close,
    OpNum::Create,
    OpNum::Remove,
    OpNum::Rename,
    OpNum::Link,
    OpNum::Setattr,
    OpNum::Lock,
    OpNum::Locku,
];

/// A compound under construction: each method appends one operation. Nothing is checked.
#[derive(Debug, Clone, Default)]
pub struct CompoundBuilder {
    tag: Bytes,
    ops: Vec<NfsArgop4>,
}

impl CompoundBuilder {
    /// An empty compound with an empty tag.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Bytes>) -> Self {
        self.tag = tag.into();
        self
    }

    /// Appends any operation.
    #[must_use]
    pub fn op(mut self, op: NfsArgop4) -> Self {
        self.ops.push(op);
        self
    }

    /// Appends several operations.
    #[must_use]
    pub fn ops(mut self, ops: impl IntoIterator<Item = NfsArgop4>) -> Self {
        self.ops.extend(ops);
        self
    }

    /// The arguments of COMPOUND.
    #[must_use]
    pub fn build(self, minorversion: u32) -> Compound4Args {
        Compound4Args { tag: self.tag, minorversion, argarray: self.ops }
    }

    /// Puts an operation in front of all others.
    pub(crate) fn first(mut self, op: NfsArgop4) -> Self {
        self.ops.insert(0, op);
        self
    }

    /// Whether the server shall keep the reply.
    pub(crate) fn is_kept(&self) -> bool {
        self.ops.iter().any(|op| KEPT.contains(&op.opnum()))
    }

    /// PUTROOTFH.
    #[must_use]
    pub fn putrootfh(self) -> Self {
        self.op(NfsArgop4::Putrootfh)
    }

    /// PUTFH.
    #[must_use]
    pub fn putfh(self, handle: &NfsFh4) -> Self {
        self.op(NfsArgop4::Putfh(Putfh4Args { object: handle.clone() }))
    }

    /// GETFH.
    #[must_use]
    pub fn getfh(self) -> Self {
        self.op(NfsArgop4::Getfh)
    }

    /// SAVEFH.
    #[must_use]
    pub fn savefh(self) -> Self {
        self.op(NfsArgop4::Savefh)
    }

    /// RESTOREFH.
    #[must_use]
    pub fn restorefh(self) -> Self {
        self.op(NfsArgop4::Restorefh)
    }

    /// LOOKUP.
    #[must_use]
    pub fn lookup(self, name: impl AsRef<[u8]>) -> Self {
        self.op(NfsArgop4::Lookup(Lookup4Args { objname: copy(name) }))
    }

    /// LOOKUPP.
    #[must_use]
    pub fn lookupp(self) -> Self {
        self.op(NfsArgop4::Lookupp)
    }

    /// GETATTR of these attributes (`FATTR4_*`).
    #[must_use]
    pub fn getattr(self, attributes: &[u32]) -> Self {
        let attr_request: Bitmap4 = attributes.iter().copied().collect();
        self.op(NfsArgop4::Getattr(Getattr4Args { attr_request }))
    }

    /// SETATTR.
    #[must_use]
    pub fn setattr(self, stateid: Stateid4, obj_attributes: Fattr4) -> Self {
        self.op(NfsArgop4::Setattr(Box::new(Setattr4Args { stateid, obj_attributes })))
    }

    /// ACCESS for these bits (`ACCESS4_*`).
    #[must_use]
    pub fn access(self, access: u32) -> Self {
        self.op(NfsArgop4::Access(Access4Args { access }))
    }

    /// READ.
    #[must_use]
    pub fn read(self, stateid: Stateid4, offset: u64, count: u32) -> Self {
        self.op(NfsArgop4::Read(Read4Args { stateid, offset, count }))
    }

    /// WRITE.
    #[must_use]
    pub fn write(self, stateid: Stateid4, offset: u64, stable: StableHow4, data: Bytes) -> Self {
        self.op(NfsArgop4::Write(Box::new(Write4Args { stateid, offset, stable, data })))
    }

    /// COMMIT.
    #[must_use]
    pub fn commit(self, offset: u64, count: u32) -> Self {
        self.op(NfsArgop4::Commit(Commit4Args { offset, count }))
    }

    /// OPEN.
    #[must_use]
    pub fn open(self, args: Open4Args) -> Self {
        self.op(NfsArgop4::Open(Box::new(args)))
    }

    /// CLOSE; `seqid` matters in 4.0 only.
    #[must_use]
    pub fn close(self, seqid: u32, open_stateid: Stateid4) -> Self {
        self.op(NfsArgop4::Close(Close4Args { seqid, open_stateid }))
    }

    /// CREATE.
    #[must_use]
    pub fn create(self, objtype: Createtype4, name: impl AsRef<[u8]>, createattrs: Fattr4) -> Self {
        self.op(NfsArgop4::Create(Box::new(Create4Args { objtype, objname: copy(name), createattrs })))
    }

    /// REMOVE.
    #[must_use]
    pub fn remove(self, name: impl AsRef<[u8]>) -> Self {
        self.op(NfsArgop4::Remove(Remove4Args { target: copy(name) }))
    }

    /// RENAME, from the saved filehandle's directory to the current one's.
    #[must_use]
    pub fn rename(self, old: impl AsRef<[u8]>, new: impl AsRef<[u8]>) -> Self {
        self.op(NfsArgop4::Rename(Rename4Args { oldname: copy(old), newname: copy(new) }))
    }

    /// READLINK.
    #[must_use]
    pub fn readlink(self) -> Self {
        self.op(NfsArgop4::Readlink)
    }

    /// RENEW (4.0).
    #[must_use]
    pub fn renew(self, clientid: u64) -> Self {
        self.op(NfsArgop4::Renew(Renew4Args { clientid }))
    }

    /// SEQUENCE (4.1 and later).
    #[must_use]
    pub fn sequence(self, args: Sequence4Args) -> Self {
        self.op(NfsArgop4::Sequence(args))
    }

    /// RECLAIM_COMPLETE for all file systems (4.1 and later).
    #[must_use]
    pub fn reclaim_complete(self) -> Self {
        self.op(NfsArgop4::ReclaimComplete(ReclaimComplete4Args { one_fs: false }))
    }
}

fn copy(name: impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(name.as_ref())
}
