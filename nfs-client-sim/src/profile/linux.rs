//! Linux: sequences and masks of kernel 6.1, as its traces show them.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    ACCESS4_DELETE, ACCESS4_EXECUTE, ACCESS4_EXTEND, ACCESS4_LOOKUP, ACCESS4_MODIFY, ACCESS4_READ, Bitmap4,
    CREATE_SESSION4_FLAG_CONN_BACK_CHAN, CREATE_SESSION4_FLAG_PERSIST, ChannelAttrs4, Createtype4,
    EXCHGID4_FLAG_BIND_PRINC_STATEID, EXCHGID4_FLAG_SUPP_MOVED_MIGR, EXCHGID4_FLAG_SUPP_MOVED_REFER, Fattr4, Lock4Args,
    Lockt4Args, Locku4Args, NFS4_CALLBACK, NfsFh4, NfsImplId4, Nfstime4, Open4Args, SecinfoStyle4, Stateid4, Verifier4,
};

use super::compounds::{self, Compounds, at, masked};
use crate::{CompoundBuilder, Shape, Tag};

const FATTR: &[u32] = &[0x0010_011a, 0x00b0_a23a];
const CAPABILITIES: &[u32] = &[0x0003_2065, 0, 0x0040_0800];
const FSINFO: &[u32] = &[0xc800_0400, 0x4008_0000, 0x0004_0002];
const PATHCONF: &[u32] = &[0x3000_0000];
const STATFS: &[u32] = &[0x00e0_0000, 0x0000_1c00];
/// What keeps the caches right after ACCESS and CLOSE.
const CACHE: &[u32] = &[0x0000_0018, 0x0030_0000];
const WRITE: &[u32] = &[0x0000_0018, 0x0030_2000];
const RECLAIM: &[u32] = &[0x0010_0002];
const READDIRPLUS: &[u32] = &[0x0018_091a, 0x00b0_a23a];
const READDIR_BYTES: u32 = 256 << 10;
const ACCESS_BITS: u32 =
    ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE | ACCESS4_EXECUTE;

/// The compounds of Linux.
#[derive(Debug)]
pub(super) struct Linux {
    minor: u32,
    supported: Option<Bitmap4>,
}

/// Empty tags; the session that Linux asks for with 1 MiB of payload.
pub(super) fn shape() -> Shape {
    let fore = ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: 1_049_620,
        maxresponsesize: 1_049_480,
        maxresponsesize_cached: 7584,
        maxoperations: 8,
        maxrequests: 64,
        rdma_ird: None,
    };
    let back = ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: 4096,
        maxresponsesize: 4096,
        maxresponsesize_cached: 0,
        maxoperations: 2,
        maxrequests: 16,
        rdma_ird: None,
    };
    Shape {
        tag: Tag::Empty,
        exchange_id_flags: EXCHGID4_FLAG_SUPP_MOVED_REFER
            | EXCHGID4_FLAG_SUPP_MOVED_MIGR
            | EXCHGID4_FLAG_BIND_PRINC_STATEID,
        implementation: Some(NfsImplId4 {
            domain: Bytes::from_static(b"kernel.org"),
            name: Bytes::from_static(b"Linux 6.1 (nfs-client-sim)"),
            date: Nfstime4 { seconds: 0, nseconds: 0 },
        }),
        create_session_flags: CREATE_SESSION4_FLAG_PERSIST | CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
        fore_channel: Some(fore),
        back_channel: Some(back),
        cb_program: NFS4_CALLBACK,
        machine_name: Bytes::from_static(b"linux"),
        // The mount asks for them.
        asks_limits: false,
        ..Shape::default()
    }
}

impl Linux {
    /// Of this minor version, before it knows the server.
    pub(super) const fn new(minor: u32) -> Self {
        Self { minor, supported: None }
    }

    fn with(&self, compound: CompoundBuilder, mask: &[u32]) -> CompoundBuilder {
        compounds::getattr(compound, mask, self.supported.as_ref())
    }

    fn about(&self, object: &NfsFh4, mask: &[u32]) -> CompoundBuilder {
        self.with(at(object), mask)
    }

    fn opened(&self, compound: CompoundBuilder) -> CompoundBuilder {
        self.with(compound.access(ACCESS_BITS), FATTR)
    }
}

impl Compounds for Linux {
    fn learn(&mut self, supported: &Bitmap4) {
        self.supported = Some(supported.clone());
    }

    fn greet(&self) -> Vec<CompoundBuilder> {
        let mut compounds = Vec::new();
        if self.minor > 0 {
            compounds.push(CompoundBuilder::new().putrootfh().secinfo_no_name(SecinfoStyle4::CurrentFh));
        }
        compounds.push(self.root());
        compounds
    }

    fn root(&self) -> CompoundBuilder {
        self.with(CompoundBuilder::new().putrootfh().getfh(), FATTR)
    }

    fn component(&self, directory: Option<&NfsFh4>, name: &[u8]) -> CompoundBuilder {
        let start = directory.map_or_else(|| CompoundBuilder::new().putrootfh(), at);
        self.with(start.lookup(name).getfh(), FATTR)
    }

    fn arrive(&self, directory: &NfsFh4) -> Vec<CompoundBuilder> {
        [CAPABILITIES, FSINFO, CAPABILITIES, FSINFO, PATHCONF, CAPABILITIES, FATTR]
            .map(|mask| self.about(directory, mask))
            .into()
    }

    fn getattr(&self, object: &NfsFh4) -> CompoundBuilder {
        self.about(object, FATTR)
    }

    fn access(&self, object: &NfsFh4) -> CompoundBuilder {
        self.with(at(object).access(ACCESS_BITS), CACHE)
    }

    fn statfs(&self, object: &NfsFh4) -> CompoundBuilder {
        self.about(object, STATFS)
    }

    fn lookup(&self, directory: &NfsFh4, name: &[u8]) -> CompoundBuilder {
        self.component(Some(directory), name)
    }

    fn readdir(&self, directory: &NfsFh4, cookie: u64, cookieverf: Verifier4) -> CompoundBuilder {
        let mask = masked(READDIRPLUS, self.supported.as_ref());
        at(directory).readdir(compounds::readdir(cookie, cookieverf, READDIR_BYTES, mask))
    }

    fn readlink(&self, link: &NfsFh4) -> CompoundBuilder {
        at(link).readlink()
    }

    fn open(&self, directory: &NfsFh4, open: Open4Args) -> CompoundBuilder {
        self.opened(at(directory).open(open).getfh())
    }

    fn open_known(&self, _directory: &NfsFh4, file: &NfsFh4, open: Open4Args) -> CompoundBuilder {
        self.opened(at(file).open(open))
    }

    fn reclaim(&self, file: &NfsFh4, open: Open4Args) -> CompoundBuilder {
        self.with(at(file).open(open), RECLAIM)
    }

    fn open_confirm(&self, file: &NfsFh4, stateid: Stateid4, seqid: u32) -> CompoundBuilder {
        at(file).open_confirm(stateid, seqid)
    }

    fn close(&self, file: &NfsFh4, seqid: u32, stateid: Stateid4) -> CompoundBuilder {
        self.about(file, CACHE).close(seqid, stateid)
    }

    fn write(&self, file: &NfsFh4, stateid: Stateid4, offset: u64, data: Bytes) -> CompoundBuilder {
        self.with(compounds::write(file, stateid, offset, data), WRITE)
    }

    fn commit(&self, file: &NfsFh4) -> CompoundBuilder {
        at(file).commit(0, 0)
    }

    fn setattr(&self, object: &NfsFh4, stateid: Stateid4, attrs: Fattr4) -> CompoundBuilder {
        self.with(at(object).setattr(stateid, attrs), FATTR)
    }

    fn create(&self, directory: &NfsFh4, kind: Createtype4, name: &[u8], attrs: Fattr4) -> CompoundBuilder {
        self.with(at(directory).create(kind, name, attrs).getfh(), FATTR)
    }

    fn remove(&self, directory: &NfsFh4, name: &[u8]) -> CompoundBuilder {
        at(directory).remove(name)
    }

    fn rename(&self, from: &NfsFh4, old: &[u8], to: &NfsFh4, new: &[u8]) -> CompoundBuilder {
        at(from).savefh().putfh(to).rename(old, new)
    }

    fn lock(&self, file: &NfsFh4, lock: Lock4Args) -> CompoundBuilder {
        at(file).lock(lock)
    }

    fn lockt(&self, file: &NfsFh4, lock: Lockt4Args) -> CompoundBuilder {
        at(file).lockt(lock)
    }

    fn unlock(&self, file: &NfsFh4, lock: Locku4Args) -> CompoundBuilder {
        at(file).locku(lock)
    }
}
