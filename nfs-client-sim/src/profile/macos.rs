//! macOS: sequences, masks, tags and session of macOS 15 (4.0) and macOS 26 (4.1), from the client's published source.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    ACCESS4_DELETE, ACCESS4_EXECUTE, ACCESS4_EXTEND, ACCESS4_LOOKUP, ACCESS4_MODIFY, ACCESS4_READ, Bitmap4,
    CREATE_SESSION4_FLAG_CONN_BACK_CHAN, CREATE_SESSION4_FLAG_PERSIST, ChannelAttrs4, Createtype4,
    EXCHGID4_FLAG_USE_NON_PNFS, Fattr4, Lock4Args, Lockt4Args, Locku4Args, NfsArgop4, NfsFh4, NfsImplId4, Nfstime4,
    OpNum, Open4Args, OpenClaim4, SecinfoStyle4, Stateid4, Verifier4,
};

use super::compounds::{self, Compounds, at, masked};
use crate::{CompoundBuilder, Shape, Tag, TagOf};

/// What the mount asks for; without named attributes, unless the mount wants them.
const DEFAULT: &[u32] = &[0xfef7_677f, 0x00b6_be3e];
const SUPPATTR_EXCLCREAT: u32 = 0x0000_0800;
const GETATTR: &[u32] = &[0x1210_411a, 0x00b6_a23a];
/// With the filehandle: macOS creates without GETFH.
const GETATTR_HANDLE: &[u32] = &[0x1218_411a, 0x00b6_a23a];
const READDIR: &[u32] = &[0x0010_0802, 0x0080_0000];
const WRITE: &[u32] = &[0x0000_001a, 0x0030_0000];
const STATFS: &[u32] = &[0x12f0_411a, 0x00b6_be3a];
const READDIR_BYTES: u32 = 32 << 10;
const ACCESS_BITS: u32 =
    ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE | ACCESS4_EXECUTE;
/// "NFSC".
const CALLBACK_PROGRAM: u32 = 0x4e46_5343;
const TAG_BYTES: usize = 12;
/// The default rsize and wsize, and the room that is asked for around them.
const IO_BYTES: u32 = 32 << 10;
const AROUND_IO: u32 = 4096;

/// The compounds of macOS.
#[derive(Debug)]
pub(super) struct Macos {
    minor: u32,
    supported: Option<Bitmap4>,
}

/// The most bytes of a READ or WRITE.
pub(super) const fn io_bytes() -> u32 {
    IO_BYTES
}

/// Padded tags, bitmaps of one length, and the session that macOS asks for.
pub(super) fn shape(minor: u32) -> Shape {
    let fore = ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: IO_BYTES + AROUND_IO,
        maxresponsesize: IO_BYTES + AROUND_IO,
        maxresponsesize_cached: 8192,
        maxoperations: 20,
        maxrequests: 64,
        rdma_ird: None,
    };
    let back = ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: 10_000,
        maxresponsesize: 10_000,
        maxresponsesize_cached: 4096,
        maxoperations: 4,
        maxrequests: 8,
        rdma_ird: None,
    };
    Shape {
        tag: Tag::Of(TagOf(tag)),
        bitmap_words: if minor == 0 { 2 } else { 3 },
        exchange_id_flags: EXCHGID4_FLAG_USE_NON_PNFS,
        implementation: Some(NfsImplId4 {
            domain: Bytes::from_static(b"apple.com"),
            name: Bytes::from_static(b"Darwin Kernel Version 26 (nfs-client-sim)"),
            date: Nfstime4 { seconds: 0, nseconds: 0 },
        }),
        create_session_flags: CREATE_SESSION4_FLAG_PERSIST | CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
        fore_channel: Some(fore),
        back_channel: Some(back),
        cb_program: CALLBACK_PROGRAM,
        machine_name: Bytes::from_static(b"mac"),
        // The mount asks for them.
        asks_limits: false,
    }
}

/// The operation's name, padded or cut to 12 bytes.
fn tag(ops: &[NfsArgop4]) -> Bytes {
    let name = ops.iter().rev().find_map(name_of).unwrap_or("getattr");
    let mut tag = name.as_bytes().to_vec();
    tag.resize(TAG_BYTES, b' ');
    tag.into()
}

/// The operation that a compound is named after is the last one that has a name here; GETATTR, which goes with all of
/// them, is the name of none but its own.
fn name_of(op: &NfsArgop4) -> Option<&'static str> {
    Some(match op {
        NfsArgop4::Open(args) => match args.claim {
            OpenClaim4::Previous(_) => "open_reclaim",
            _ => "open",
        },
        NfsArgop4::Create(args) => match args.objtype {
            Createtype4::Dir => "mkdir",
            Createtype4::Lnk(_) => "symlink",
            _ => "mknod",
        },
        other => match other.opnum() {
            OpNum::Setclientid => "setclid",
            OpNum::SetclientidConfirm => "setclid_conf",
            OpNum::ExchangeId => "exchangeid",
            OpNum::CreateSession => "createsessio",
            OpNum::ReclaimComplete => "reclaim_comp",
            OpNum::SecinfoNoName => "secinfo_no_n",
            OpNum::DestroySession => "destroy_sess",
            OpNum::DestroyClientid => "destroyclien",
            OpNum::FreeStateid => "free_stateid",
            OpNum::Secinfo => "secinfo",
            OpNum::Lookup => "lookup",
            OpNum::Access => "access",
            OpNum::Readlink => "readlink",
            OpNum::Read => "read",
            OpNum::Write => "write",
            OpNum::Commit => "commit",
            OpNum::OpenConfirm => "open_confirm",
            OpNum::Close => "close",
            OpNum::Lock => "lock",
            OpNum::Lockt => "locktest",
            OpNum::Locku => "unlock",
            OpNum::ReleaseLockowner => "release lock",
            OpNum::Remove => "remove",
            OpNum::Rename => "rename",
            OpNum::Setattr => "setattr",
            OpNum::Readdir => "readdir",
            OpNum::Renew => "renew",
            _ => return None,
        },
    })
}

impl Macos {
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

    /// What the mount asks for: not masked, as nothing is known of the server yet.
    fn default(&self, compound: CompoundBuilder) -> CompoundBuilder {
        let mut mask = DEFAULT.to_vec();
        if self.minor > 0 {
            mask.push(SUPPATTR_EXCLCREAT);
        }
        compounds::getattr(compound, &mask, None)
    }

    /// The end of what creates in a directory: the new object's handle, then the directory's attributes.
    fn created(&self, compound: CompoundBuilder) -> CompoundBuilder {
        self.with(self.with(compound, GETATTR_HANDLE).restorefh(), GETATTR)
    }
}

impl Compounds for Macos {
    fn learn(&mut self, supported: &Bitmap4) {
        self.supported = Some(supported.clone());
    }

    fn greet(&self) -> Vec<CompoundBuilder> {
        match self.minor {
            0 => Vec::new(),
            _ => vec![CompoundBuilder::new().putrootfh().secinfo_no_name(SecinfoStyle4::CurrentFh)],
        }
    }

    fn root(&self) -> CompoundBuilder {
        self.default(CompoundBuilder::new().putrootfh().getfh())
    }

    fn component(&self, directory: Option<&NfsFh4>, name: &[u8]) -> CompoundBuilder {
        let start = directory.map_or_else(|| CompoundBuilder::new().putrootfh(), at);
        self.default(start.lookup(name).getfh()).tag("mount       ")
    }

    fn arrive(&self, directory: &NfsFh4) -> Vec<CompoundBuilder> {
        vec![self.default(at(directory)).tag("mount       "), self.statfs(directory)]
    }

    fn getattr(&self, object: &NfsFh4) -> CompoundBuilder {
        self.about(object, GETATTR)
    }

    fn access(&self, object: &NfsFh4) -> CompoundBuilder {
        self.with(at(object).access(ACCESS_BITS), GETATTR)
    }

    fn statfs(&self, object: &NfsFh4) -> CompoundBuilder {
        self.about(object, STATFS).tag("statfs      ")
    }

    fn lookup(&self, directory: &NfsFh4, name: &[u8]) -> CompoundBuilder {
        self.with(self.about(directory, GETATTR).lookup(name).getfh(), GETATTR)
    }

    fn readdir(&self, directory: &NfsFh4, cookie: u64, cookieverf: Verifier4) -> CompoundBuilder {
        // Cookies up to 2 mean the start to macOS, which makes the first two entries itself.
        let cookieverf = if cookie == 0 { Verifier4::default() } else { cookieverf };
        let mask = masked(READDIR, self.supported.as_ref());
        self.about(directory, GETATTR).readdir(compounds::readdir(cookie, cookieverf, READDIR_BYTES, mask))
    }

    fn readlink(&self, link: &NfsFh4) -> CompoundBuilder {
        self.about(link, GETATTR).readlink()
    }

    fn open(&self, directory: &NfsFh4, open: Open4Args) -> CompoundBuilder {
        self.created(at(directory).savefh().open(open))
    }

    fn open_known(&self, directory: &NfsFh4, file: &NfsFh4, open: Open4Args) -> CompoundBuilder {
        self.with(self.with(at(directory).savefh().putfh(file).open(open), GETATTR).restorefh(), GETATTR)
    }

    fn reclaim(&self, file: &NfsFh4, open: Open4Args) -> CompoundBuilder {
        self.with(at(file).open(open), GETATTR)
    }

    fn open_confirm(&self, file: &NfsFh4, stateid: Stateid4, seqid: u32) -> CompoundBuilder {
        self.with(at(file).open_confirm(stateid, seqid), GETATTR)
    }

    fn close(&self, file: &NfsFh4, seqid: u32, stateid: Stateid4) -> CompoundBuilder {
        self.with(at(file).close(seqid, stateid), GETATTR)
    }

    fn write(&self, file: &NfsFh4, stateid: Stateid4, offset: u64, data: Bytes) -> CompoundBuilder {
        self.with(compounds::write(file, stateid, offset, data), WRITE)
    }

    fn commit(&self, file: &NfsFh4) -> CompoundBuilder {
        self.with(at(file).commit(0, 0), GETATTR)
    }

    fn setattr(&self, object: &NfsFh4, stateid: Stateid4, attrs: Fattr4) -> CompoundBuilder {
        self.with(at(object).setattr(stateid, attrs), GETATTR)
    }

    fn create(&self, directory: &NfsFh4, kind: Createtype4, name: &[u8], attrs: Fattr4) -> CompoundBuilder {
        self.created(at(directory).savefh().create(kind, name, attrs))
    }

    fn remove(&self, directory: &NfsFh4, name: &[u8]) -> CompoundBuilder {
        self.with(at(directory).remove(name), GETATTR)
    }

    fn rename(&self, from: &NfsFh4, old: &[u8], to: &NfsFh4, new: &[u8]) -> CompoundBuilder {
        let renamed = at(from).savefh().putfh(to).rename(old, new);
        self.with(self.with(renamed, GETATTR).restorefh(), GETATTR)
    }

    fn lock(&self, file: &NfsFh4, lock: Lock4Args) -> CompoundBuilder {
        self.about(file, GETATTR).lock(lock)
    }

    fn lockt(&self, file: &NfsFh4, lock: Lockt4Args) -> CompoundBuilder {
        self.about(file, GETATTR).lockt(lock)
    }

    fn unlock(&self, file: &NfsFh4, lock: Locku4Args) -> CompoundBuilder {
        self.about(file, GETATTR).locku(lock)
    }
}
