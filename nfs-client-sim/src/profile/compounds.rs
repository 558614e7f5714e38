//! What every client system has to say, and the parts that all of them say alike.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Attrs, Bitmap4, Createtype4, Fattr4, Getattr4Args, Lock4Args, Lockt4Args, Locku4Args, NfsArgop4, NfsFh4, NfsResop4,
    Open4Args, Readdir4Args, StableHow4, Stateid4, Verifier4,
};

use crate::{CompoundBuilder, Reply};

/// How a client system puts file operations into compounds. SEQUENCE and tags come from the client's
/// [`Shape`](crate::Shape).
pub(super) trait Compounds: Send + Sync {
    /// Takes note of what the server supports; later requests ask for nothing else.
    fn learn(&mut self, supported: &Bitmap4);

    /// What is sent about the root before the first name of a mount's path.
    fn greet(&self) -> Vec<CompoundBuilder>;
    /// One name of a mount's path; `at` is where it is looked up, `None` the root.
    fn component(&self, at: Option<&NfsFh4>, name: &[u8]) -> CompoundBuilder;
    /// The root itself, for a mount without a path.
    fn root(&self) -> CompoundBuilder;
    /// What is asked about the directory that was mounted.
    fn arrive(&self, at: &NfsFh4) -> Vec<CompoundBuilder>;

    fn getattr(&self, object: &NfsFh4) -> CompoundBuilder;
    fn access(&self, object: &NfsFh4) -> CompoundBuilder;
    fn statfs(&self, object: &NfsFh4) -> CompoundBuilder;
    fn lookup(&self, directory: &NfsFh4, name: &[u8]) -> CompoundBuilder;
    fn readdir(&self, directory: &NfsFh4, cookie: u64, cookieverf: Verifier4) -> CompoundBuilder;
    fn readlink(&self, link: &NfsFh4) -> CompoundBuilder;

    fn open(&self, directory: &NfsFh4, open: Open4Args) -> CompoundBuilder;
    /// The open of a file whose handle is known (CLAIM_FH, 4.1 and later).
    fn open_known(&self, directory: &NfsFh4, file: &NfsFh4, open: Open4Args) -> CompoundBuilder;
    fn reclaim(&self, file: &NfsFh4, open: Open4Args) -> CompoundBuilder;
    fn open_confirm(&self, file: &NfsFh4, stateid: Stateid4, seqid: u32) -> CompoundBuilder;
    fn close(&self, file: &NfsFh4, seqid: u32, stateid: Stateid4) -> CompoundBuilder;
    fn write(&self, file: &NfsFh4, stateid: Stateid4, offset: u64, data: Bytes) -> CompoundBuilder;
    fn commit(&self, file: &NfsFh4) -> CompoundBuilder;
    fn setattr(&self, object: &NfsFh4, stateid: Stateid4, attrs: Fattr4) -> CompoundBuilder;

    fn create(&self, directory: &NfsFh4, kind: Createtype4, name: &[u8], attrs: Fattr4) -> CompoundBuilder;
    fn remove(&self, directory: &NfsFh4, name: &[u8]) -> CompoundBuilder;
    fn rename(&self, from: &NfsFh4, old: &[u8], to: &NfsFh4, new: &[u8]) -> CompoundBuilder;

    fn lock(&self, file: &NfsFh4, lock: Lock4Args) -> CompoundBuilder;
    fn lockt(&self, file: &NfsFh4, lock: Lockt4Args) -> CompoundBuilder;
    fn unlock(&self, file: &NfsFh4, lock: Locku4Args) -> CompoundBuilder;

    fn read(&self, file: &NfsFh4, stateid: Stateid4, offset: u64, count: u32) -> CompoundBuilder {
        at(file).read(stateid, offset, count)
    }
}

/// A compound about an object.
pub(super) fn at(object: &NfsFh4) -> CompoundBuilder {
    CompoundBuilder::new().putfh(object)
}

/// GETATTR of the attributes of a mask that the server supports.
pub(super) fn getattr(compound: CompoundBuilder, mask: &[u32], supported: Option<&Bitmap4>) -> CompoundBuilder {
    compound.op(NfsArgop4::Getattr(Getattr4Args { attr_request: masked(mask, supported) }))
}

/// The attributes of a mask that the server supports.
pub(super) fn masked(mask: &[u32], supported: Option<&Bitmap4>) -> Bitmap4 {
    let mask = Bitmap4::from_words(mask);
    supported.map_or_else(|| mask.clone(), |supported| mask.and(supported))
}

/// READDIR of a mask, with room for `bytes` bytes of reply.
pub(super) fn readdir(cookie: u64, cookieverf: Verifier4, bytes: u32, attr_request: Bitmap4) -> Readdir4Args {
    Readdir4Args { cookie, cookieverf, dircount: bytes / 8, maxcount: bytes, attr_request }
}

/// UNSTABLE WRITE.
pub(super) fn write(file: &NfsFh4, stateid: Stateid4, offset: u64, data: Bytes) -> CompoundBuilder {
    at(file).write(stateid, offset, StableHow4::Unstable, data)
}

/// The filehandle in a reply: by GETFH, or as an attribute; the first of them.
pub(super) fn handle_in(reply: &Reply) -> Option<NfsFh4> {
    reply.results().iter().find_map(|result| match result {
        NfsResop4::Getfh(Ok(found)) => Some(found.object.clone()),
        NfsResop4::Getattr(Ok(found)) => found.obj_attributes.parse().ok()?.filehandle,
        _ => None,
    })
}

/// The attributes of the last GETATTR of a reply.
pub(super) fn attributes_in(reply: &Reply) -> Option<Attrs> {
    reply.results().iter().rev().find_map(|result| match result {
        NfsResop4::Getattr(Ok(found)) => found.obj_attributes.parse().ok(),
        _ => None,
    })
}
