//! The Linux profile says what a recorded Linux kernel said.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Bitmap4, Createtype4, Fattr4, Lock4Args, Locker4, Lockt4Args, Locku4Args, NfsArgop4, NfsFh4, NfsLockType4,
    NfsResop4, OpNum, Open4Args, OpenClaim4, OpenDelegationType4, OpenOwner4, OpenToLockOwner4, Openflag4, StateOwner4,
    Stateid4, Verifier4,
};

use super::Profile;
use super::compounds::Compounds;
use crate::CompoundBuilder;
use crate::trace::{Arguments, Results, Trace};

/// The operations of a compound, and what each GETATTR and READDIR asks for.
type Outline = Vec<(OpNum, Vec<u32>)>;

fn outline(ops: &[NfsArgop4]) -> Outline {
    let outlined = ops.iter().map(|op| {
        let mask = match op {
            NfsArgop4::Getattr(args) => args.attr_request.words().to_vec(),
            NfsArgop4::Readdir(args) => args.attr_request.words().to_vec(),
            _ => Vec::new(),
        };
        (op.opnum(), mask)
    });
    outlined.filter(|(op, _)| *op != OpNum::Sequence).collect()
}

/// The traces of the kernel that ran on this minor version.
fn traces(minor: u32) -> Vec<Trace> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/traces/linux-6.1");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with(&format!("4.{minor}-")));
    files.map(|file| Trace::read(&fs::read_to_string(file).unwrap()).unwrap()).collect()
}

/// What the kernel sent, and what it was told that the server supports.
fn recorded(minor: u32) -> (HashSet<Outline>, Bitmap4) {
    let (mut outlines, mut supported) = (HashSet::new(), None);
    for exchange in traces(minor).iter().flat_map(Trace::exchanges) {
        let Arguments::Compound(args) = &exchange.call.arguments else { continue };
        outlines.insert(outline(&args.argarray));
        let Some((_, reply)) = &exchange.reply else { continue };
        let Results::Compound(results) = &reply.results else { continue };
        supported = supported.or_else(|| results.resarray.iter().find_map(supported_attrs));
    }
    (outlines, supported.unwrap())
}

fn supported_attrs(result: &NfsResop4) -> Option<Bitmap4> {
    match result {
        NfsResop4::Getattr(Ok(found)) => found.obj_attributes.parse().ok()?.supported_attrs,
        _ => None,
    }
}

/// One of each compound that the scenarios send.
fn played(compounds: &dyn Compounds, minor: u32) -> Vec<CompoundBuilder> {
    let handle = NfsFh4(Bytes::from_static(b"handle"));
    let (h, stateid) = (&handle, Stateid4::ANONYMOUS);
    let owner = || StateOwner4 { clientid: 1, owner: Bytes::new() };
    let open = |claim| Open4Args {
        seqid: 0,
        share_access: 1,
        share_deny: 0,
        owner: OpenOwner4 { clientid: 1, owner: Bytes::new() },
        openhow: Openflag4::Nocreate,
        claim,
    };
    let named = || OpenClaim4::Null(Bytes::new());
    let (locktype, offset, length) = (NfsLockType4::Write, 0, 1);
    let locker = OpenToLockOwner4 { open_seqid: 0, open_stateid: stateid, lock_seqid: 0, lock_owner: owner() };
    let lock = Lock4Args { locktype, reclaim: false, offset, length, locker: Locker4::OpenOwner(locker) };
    let mut all = compounds.greet();
    all.extend(compounds.arrive(h));
    all.extend([
        compounds.component(Some(h), b"a"),
        compounds.getattr(h),
        compounds.access(h),
        compounds.statfs(h),
        compounds.lookup(h, b"a"),
        compounds.readdir(h, 0, Verifier4::default()),
        compounds.readlink(h),
        compounds.open(h, open(named())),
        compounds.reclaim(h, open(OpenClaim4::Previous(OpenDelegationType4::None))),
        compounds.close(h, 0, stateid),
        compounds.read(h, stateid, 0, 1),
        compounds.write(h, stateid, 0, Bytes::new()),
        compounds.commit(h),
        compounds.setattr(h, stateid, Fattr4::default()),
        compounds.create(h, Createtype4::Dir, b"a", Fattr4::default()),
        compounds.remove(h, b"a"),
        compounds.rename(h, b"a", h, b"b"),
        compounds.lock(h, lock),
        compounds.lockt(h, Lockt4Args { locktype, offset, length, owner: owner() }),
        compounds.unlock(h, Locku4Args { locktype, seqid: 0, lock_stateid: stateid, offset, length }),
    ]);
    match minor {
        0 => all.push(compounds.open_confirm(h, stateid, 0)),
        _ => all.push(compounds.open_known(h, h, open(OpenClaim4::Fh))),
    }
    all
}

#[test]
fn linux_says_what_the_kernel_said() {
    for minor in 0..=2 {
        let (outlines, supported) = recorded(minor);
        let mut compounds = Profile::Linux.compounds(minor);
        compounds.learn(&supported);
        let strange: Vec<_> = played(&*compounds, minor)
            .into_iter()
            .map(|compound| outline(&compound.build(minor).argarray))
            // No recorded program asked for F_GETLK.
            .filter(|outline| !outlines.contains(outline) && !outline.contains(&(OpNum::Lockt, Vec::new())))
            .collect();
        assert!(strange.is_empty(), "in 4.{minor} the kernel never sent {strange:#x?}");
    }
}

#[test]
fn tags_of_macos_are_twelve_bytes() {
    let handle = NfsFh4(Bytes::from_static(b"handle"));
    for minor in 0..=1 {
        let shape = Profile::Macos.options(minor, crate::ClientOptions::default()).shape;
        let mut compounds = Profile::Macos.compounds(minor);
        compounds.learn(&Bitmap4::from_words(&[u32::MAX, u32::MAX, u32::MAX]));
        for compound in played(&*compounds, minor) {
            let mut args = compound.build(minor);
            shape.apply(&mut args);
            assert_eq!(args.tag.len(), 12, "{args:?}");
        }
        let mut getattr = compounds.getattr(&handle).build(minor);
        shape.apply(&mut getattr);
        assert_eq!(getattr.tag, "getattr     ");
    }
}
