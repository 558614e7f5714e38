//! Every operation of every minor version: round trips, cuts, limits and faults.

use std::collections::BTreeSet;
use std::fmt::Debug;

use bytes::Bytes;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::nfs4::*;
use crate::xdr::sample::{Sample, Source, callback_samples};
use crate::xdr::{Decode, Decoder, Encode, XdrError, from_bytes, to_bytes};

/// The value comes back, and no strict prefix of its bytes decodes.
fn check<T: Encode + Decode + Debug + PartialEq>(value: &T) {
    let wire = to_bytes(value);
    assert_eq!(&from_bytes::<T>(wire.clone()).unwrap(), value);
    // Cutting inside of large data teaches nothing new.
    for len in (0..wire.len()).filter(|len| wire.len() < 600 || len % 7 == 0) {
        let cut = from_bytes::<T>(wire.slice(..len));
        assert!(matches!(cut, Err(XdrError::Truncated { .. })), "{value:?} cut to {len}: {cut:?}");
    }
}

/// A wire form, and the function that decodes it and says no more than whether that worked.
type WireForm = (Bytes, fn(Bytes) -> Result<(), XdrError>);

/// Made-up wire forms of everything.
fn everything(source: &mut Source) -> Vec<WireForm> {
    fn drop_of<T: Decode>(wire: Bytes) -> Result<(), XdrError> {
        from_bytes::<T>(wire).map(drop)
    }
    let mut all: Vec<WireForm> = Vec::new();
    for (args, res) in operation_samples(source) {
        all.push((to_bytes(&args), drop_of::<NfsArgop4>));
        all.push((to_bytes(&res), drop_of::<NfsResop4>));
    }
    for (args, res) in callback_samples(source) {
        all.push((to_bytes(&args), drop_of::<NfsCbArgop4>));
        all.push((to_bytes(&res), drop_of::<NfsCbResop4>));
    }
    all.push((to_bytes(&Compound4Args::sample(source)), drop_of::<Compound4Args>));
    all.push((to_bytes(&Compound4Res::sample(source)), drop_of::<Compound4Res>));
    all.push((to_bytes(&CbCompound4Res::sample(source)), drop_of::<CbCompound4Res>));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_operation_comes_back_and_every_cut_is_noticed(seed: u64) {
        let mut source = Source::new(seed);
        for (args, res) in operation_samples(&mut source) {
            prop_assert_eq!(args.opnum(), res.opnum());
            check(&args);
            check(&res);
        }
    }

    #[test]
    fn every_callback_comes_back_and_every_cut_is_noticed(seed: u64) {
        for (args, res) in callback_samples(&mut Source::new(seed)) {
            check(&args);
            check(&res);
        }
    }

    #[test]
    fn compounds_come_back(seed: u64) {
        let mut source = Source::new(seed);
        check(&Compound4Args::sample(&mut source));
        check(&Compound4Res::sample(&mut source));
        check(&CbCompound4Res::sample(&mut source));
    }

    #[test]
    fn damaged_input_never_panics(seed: u64, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        for (wire, decode) in everything(&mut Source::new(seed)) {
            let mut wire = wire.to_vec();
            for (at, byte) in &damage {
                let at = at.index(wire.len());
                wire[at] = *byte;
            }
            let wire = Bytes::from(wire);
            let _ = decode(wire.clone());
            drop(CompoundRequest::decode(&mut Decoder::new(wire)));
        }
    }

    #[test]
    fn a_server_reads_the_same_operations_as_a_client_wrote(seed: u64) {
        let mut args = Compound4Args::sample(&mut Source::new(seed));
        args.minorversion = 2;
        let request = CompoundRequest::decode(&mut Decoder::new(to_bytes(&args))).unwrap();
        prop_assert_eq!(request.fault, None);
        prop_assert_eq!((request.tag, request.ops), (args.tag, args.argarray));
    }
}

/// All ones in the place of any length field is refused with the limit of that field. So the limits that
/// come up are the limits that are enforced.
#[test]
fn every_named_limit_is_enforced() {
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        for (wire, decode) in everything(&mut Source::new(seed)) {
            for at in (0..wire.len().saturating_sub(3)).step_by(4).take(150) {
                let mut damaged = wire.to_vec();
                damaged[at..at + 4].copy_from_slice(&[0xff; 4]);
                if let Err(XdrError::TooLong { max, .. }) = decode(damaged.into()) {
                    seen.insert(max);
                }
            }
        }
    }
    let limits = [
        ("TAG_MAX", TAG_MAX),
        ("COMPOUND_OPS_MAX", COMPOUND_OPS_MAX),
        ("NFS4_FHSIZE", NFS4_FHSIZE),
        ("NFS4_OPAQUE_LIMIT", NFS4_OPAQUE_LIMIT),
        ("COMPONENT_MAX", COMPONENT_MAX),
        ("LINKTEXT_MAX", LINKTEXT_MAX),
        ("PRINCIPAL_MAX", PRINCIPAL_MAX),
        ("NETADDR_MAX", NETADDR_MAX),
        ("BITMAP_WORDS_MAX", BITMAP_WORDS_MAX),
        ("ATTR_VALS_MAX", ATTR_VALS_MAX),
        ("IO_DATA_MAX", IO_DATA_MAX),
        ("SECINFO_MAX", SECINFO_MAX),
        ("SEC_OID_MAX", SEC_OID_MAX),
        ("CB_OPS_MAX", CB_OPS_MAX),
        ("LAYOUT_BODY_MAX", LAYOUT_BODY_MAX),
        ("DEVICES_MAX", DEVICES_MAX),
    ];
    for (name, limit) in limits {
        assert!(seen.contains(&limit), "{name} = {limit} is not among {seen:?}");
    }
}

#[test]
fn every_operation_of_the_rfcs_is_in_the_table() {
    let table: Vec<OpNum> = operation_samples(&mut Source::new(1)).iter().map(|(args, _)| args.opnum()).collect();
    assert_eq!(table.len(), 73);
    assert_eq!([&table[..], &[OpNum::Illegal]].concat(), OpNum::ALL);
    assert_eq!(
        (OpNum::Getattr.rfc_name(), OpNum::Getattr.name(), OpNum::Getattr.as_u32()),
        ("OP_GETATTR", "GETATTR", 9)
    );
}

#[test]
fn minor_versions_have_their_operations() {
    let counts = [0, 1, 2].map(|minor| OpNum::ALL.iter().filter(|op| op.defined_in(minor)).count());
    assert_eq!(counts, [37, 56, 73]);
}

#[test]
fn any_operation_can_fail_with_nothing_but_a_status() {
    for op in OpNum::ALL {
        let result = NfsResop4::failed(*op, NfsStat4::Badxdr);
        assert_eq!((result.opnum(), result.status()), (*op, NfsStat4::Badxdr));
        check(&result);
    }
}

#[test]
fn a_failure_that_says_ok_goes_out_as_serverfault() {
    for op in [OpNum::Access, OpNum::Lock, OpNum::Setclientid] {
        let result = NfsResop4::failed(op, NfsStat4::Ok);
        assert_eq!(result.status(), NfsStat4::Serverfault);
        let sent: NfsResop4 = from_bytes(to_bytes(&result)).unwrap();
        assert_eq!(sent, NfsResop4::failed(op, NfsStat4::Serverfault));
    }
}

fn request(words: &[u32]) -> CompoundRequest {
    let wire: Bytes = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    CompoundRequest::decode(&mut Decoder::new(wire)).unwrap()
}

#[test]
fn statuses_have_the_numbers_of_the_rfcs() {
    let numbers: Vec<u32> = NfsStat4::ALL.iter().map(|status| status.as_u32()).collect();
    assert!(numbers.is_sorted() && numbers.iter().all(|number| NfsStat4::from_u32(*number).is_some()));
    // RFC 7531 has 19 below 10000; from 10001 on there are gaps at 10002 and 10073.
    assert_eq!(numbers.len(), 19 + (10_001..10_097).len() - 2);
    assert_eq!((NfsStat4::from_u32(10_002), NfsStat4::from_u32(10_073)), (None, None));
    let named = [(NfsStat4::Stale, 70), (NfsStat4::Badhandle, 10_001), (NfsStat4::WrongType, 10_083)];
    assert!(named.iter().all(|(status, number)| status.as_u32() == *number));
    assert_eq!(NfsStat4::Xattr2big.rfc_name(), "NFS4ERR_XATTR2BIG");
}

/// RFC 7530 §15.2: PUTROOTFH, GETATTR of size and mode.
#[test]
fn a_compound_has_the_bytes_of_the_rfc() {
    let args = Compound4Args {
        tag: Bytes::from_static(b"hello"),
        minorversion: 0,
        argarray: vec![
            NfsArgop4::Putrootfh,
            NfsArgop4::Getattr(Getattr4Args { attr_request: [FATTR4_SIZE, FATTR4_MODE].into_iter().collect() }),
        ],
    };
    let golden = [5, 0x6865_6c6c, 0x6f00_0000, 0, 2, 24, 9, 2, 0x10, 2];
    assert_eq!(to_bytes(&args), golden.map(u32::to_be_bytes).concat());
    assert_eq!(request(&golden).ops, args.argarray);
}

#[test]
fn operations_before_an_unknown_one_are_still_there() {
    let request = request(&[0, 0, 3, 24, 9999, 10]);
    assert_eq!(request.ops, [NfsArgop4::Putrootfh]);
    assert_eq!(request.fault, Some(OpFault { opnum: 9999, status: NfsStat4::OpIllegal }));
    assert_eq!(request.fault.unwrap().result_op(), OpNum::Illegal);
}

#[test]
fn an_operation_of_a_later_minor_version_is_illegal_in_an_earlier_one() {
    for (minor, op) in [(0, OpNum::Sequence), (1, OpNum::Seek), (0, OpNum::Getxattr), (2, OpNum::Illegal)] {
        let request = request(&[0, minor, 1, op.as_u32()]);
        assert_eq!(request.fault, Some(OpFault { opnum: op.as_u32(), status: NfsStat4::OpIllegal }));
    }
}

#[test]
fn bad_arguments_are_the_fault_of_their_operation() {
    // PUTFH with a filehandle of 129 bytes.
    let request = request(&[0, 0, 2, 24, 22, 129]);
    assert_eq!(request.ops, [NfsArgop4::Putrootfh]);
    let fault = request.fault.unwrap();
    assert_eq!((fault.result_op(), fault.status), (OpNum::Putfh, NfsStat4::Badxdr));
}

#[test]
fn a_missing_operation_is_a_fault() {
    assert_eq!(request(&[0, 1, 1]).fault.map(|fault| fault.status), Some(NfsStat4::Badxdr));
}

#[test]
fn operations_of_an_unknown_minor_version_are_not_read() {
    let request = request(&[0, 3, 1, 24]);
    assert_eq!((request.minorversion, request.numops, request.ops.len(), request.fault), (3, 1, 0, None));
}

#[test]
fn too_many_operations_end_at_the_limit() {
    for (minor, status) in [(0, NfsStat4::Resource), (1, NfsStat4::TooManyOps)] {
        let many = [&[0, minor, u32::MAX][..], &[24; COMPOUND_OPS_MAX + 1]].concat();
        let request = request(&many);
        assert_eq!((request.ops.len(), request.numops), (COMPOUND_OPS_MAX, u32::MAX));
        assert_eq!(request.fault, Some(OpFault { opnum: 24, status }));
        let full = [&[0, minor, COMPOUND_OPS_MAX as u32][..], &[24; COMPOUND_OPS_MAX]].concat();
        assert_eq!(self::request(&full).fault, None);
    }
}

#[test]
fn a_tag_of_the_limit_passes_and_one_byte_more_does_not() {
    let decode = |len| {
        let args = Compound4Args { tag: vec![b't'; len].into(), minorversion: 0, argarray: vec![] };
        CompoundRequest::decode(&mut Decoder::new(to_bytes(&args)))
    };
    assert_eq!(decode(TAG_MAX).unwrap().tag.len(), TAG_MAX);
    assert_eq!(decode(TAG_MAX + 1), Err(XdrError::TooLong { len: 1025, max: TAG_MAX }));
}

#[test]
fn a_directory_entry_knows_its_size_on_the_wire() {
    for seed in 0..50 {
        let entry = Entry4::sample(&mut Source::new(seed));
        assert_eq!(entry.wire_len(), 4 + to_bytes(&entry).len());
    }
}

#[test]
fn read_data_goes_out_uncopied() {
    let data = Bytes::from(vec![7; 4096]);
    let result = NfsResop4::Read(Ok(Read4Resok { eof: true, data: data.clone().into() }));
    let mut e = crate::xdr::Encoder::new();
    result.encode(&mut e);
    assert!(e.finish().iter().any(|piece| piece.as_ptr() == data.as_ptr()));
}

#[test]
fn the_arguments_of_an_operation_stay_small() {
    assert!(size_of::<NfsArgop4>() <= 80, "{}", size_of::<NfsArgop4>());
    assert!(size_of::<NfsResop4>() <= 80, "{}", size_of::<NfsResop4>());
}
