//! Compounds, put together operation by operation.

mod minor1;
mod minor2;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Access4Args, Bitmap4, Close4Args, Commit4Args, Compound4Args, Create4Args, Createtype4, Delegpurge4Args,
    Delegreturn4Args, Fattr4, Getattr4Args, Link4Args, Lock4Args, Lockt4Args, Locku4Args, Lookup4Args, NfsArgop4,
    NfsFh4, OpNum, Open4Args, OpenConfirm4Args, OpenDowngrade4Args, Openattr4Args, Putfh4Args, Read4Args, Readdir4Args,
    ReleaseLockowner4Args, Remove4Args, Rename4Args, Renew4Args, Secinfo4Args, Setattr4Args, Setclientid4Args,
    SetclientidConfirm4Args, StableHow4, StateOwner4, Stateid4, Verifier4, Verify4Args, Write4Args,
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
    OpNum::Delegreturn,
    OpNum::FreeStateid,
    OpNum::Copy,
    OpNum::Setxattr,
    OpNum::Removexattr,
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

    /// PUTPUBFH.
    #[must_use]
    pub fn putpubfh(self) -> Self {
        self.op(NfsArgop4::Putpubfh)
    }

    /// READDIR.
    #[must_use]
    pub fn readdir(self, args: Readdir4Args) -> Self {
        self.op(NfsArgop4::Readdir(Box::new(args)))
    }

    /// LINK of the saved filehandle's object under a name in the current one's directory.
    #[must_use]
    pub fn link(self, name: impl AsRef<[u8]>) -> Self {
        self.op(NfsArgop4::Link(Link4Args { newname: copy(name) }))
    }

    /// LOCK.
    #[must_use]
    pub fn lock(self, args: Lock4Args) -> Self {
        self.op(NfsArgop4::Lock(Box::new(args)))
    }

    /// LOCKT.
    #[must_use]
    pub fn lockt(self, args: Lockt4Args) -> Self {
        self.op(NfsArgop4::Lockt(Box::new(args)))
    }

    /// LOCKU.
    #[must_use]
    pub fn locku(self, args: Locku4Args) -> Self {
        self.op(NfsArgop4::Locku(args))
    }

    /// VERIFY: goes on only if the attributes are these.
    #[must_use]
    pub fn verify(self, obj_attributes: Fattr4) -> Self {
        self.op(NfsArgop4::Verify(Verify4Args { obj_attributes }))
    }

    /// NVERIFY: goes on only if the attributes are others.
    #[must_use]
    pub fn nverify(self, obj_attributes: Fattr4) -> Self {
        self.op(NfsArgop4::Nverify(Verify4Args { obj_attributes }))
    }

    /// OPENATTR: the named attribute directory.
    #[must_use]
    pub fn openattr(self, createdir: bool) -> Self {
        self.op(NfsArgop4::Openattr(Openattr4Args { createdir }))
    }

    /// OPEN_CONFIRM (4.0).
    #[must_use]
    pub fn open_confirm(self, open_stateid: Stateid4, seqid: u32) -> Self {
        self.op(NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid, seqid }))
    }

    /// OPEN_DOWNGRADE; its `seqid` matters in 4.0 only.
    #[must_use]
    pub fn open_downgrade(self, args: OpenDowngrade4Args) -> Self {
        self.op(NfsArgop4::OpenDowngrade(args))
    }

    /// DELEGRETURN.
    #[must_use]
    pub fn delegreturn(self, deleg_stateid: Stateid4) -> Self {
        self.op(NfsArgop4::Delegreturn(Delegreturn4Args { deleg_stateid }))
    }

    /// DELEGPURGE.
    #[must_use]
    pub fn delegpurge(self, clientid: u64) -> Self {
        self.op(NfsArgop4::Delegpurge(Delegpurge4Args { clientid }))
    }

    /// SECINFO.
    #[must_use]
    pub fn secinfo(self, name: impl AsRef<[u8]>) -> Self {
        self.op(NfsArgop4::Secinfo(Secinfo4Args { name: copy(name) }))
    }

    /// SETCLIENTID (4.0).
    #[must_use]
    pub fn setclientid(self, args: Setclientid4Args) -> Self {
        self.op(NfsArgop4::Setclientid(Box::new(args)))
    }

    /// SETCLIENTID_CONFIRM (4.0).
    #[must_use]
    pub fn setclientid_confirm(self, clientid: u64, setclientid_confirm: Verifier4) -> Self {
        self.op(NfsArgop4::SetclientidConfirm(SetclientidConfirm4Args { clientid, setclientid_confirm }))
    }

    /// RELEASE_LOCKOWNER (4.0).
    #[must_use]
    pub fn release_lockowner(self, lock_owner: StateOwner4) -> Self {
        self.op(NfsArgop4::ReleaseLockowner(ReleaseLockowner4Args { lock_owner }))
    }

    /// An operation number that stands for no operation.
    #[must_use]
    pub fn illegal(self) -> Self {
        self.op(NfsArgop4::Illegal)
    }
}

fn copy(name: impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(name.as_ref())
}

#[cfg(test)]
#[path = "compound_tests.rs"]
mod tests;
