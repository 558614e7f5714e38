//! Sparse files, copying and advice.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::{CHAIN_MIN, Encode, Encoder, Payload, from_bytes, to_bytes};

use crate::check::{Wire, bits, limited, no_such, same, stateid, time, verifier};

#[test]
fn allocate_and_deallocate() {
    let wire = Wire::new().stateid(1).u64(2).u64(3);
    same(&Allocate4Args { stateid: stateid(1), offset: 2, length: 3 }, wire.clone());
    same(&Deallocate4Args { stateid: stateid(1), offset: 2, length: 3 }, wire);
    same(&Allocate4Res::Ok(()), Wire::new().u32(0));
    same(&Deallocate4Res::Err(NfsStat4::Notsupp), Wire::new().u32(10004));
}

fn servers() -> Vec<Netloc4> {
    let addr = Netaddr4 { netid: Bytes::from_static(b"tcp"), addr: Bytes::from_static(b"192.0.2.1.8.1") };
    vec![
        Netloc4::Name(Bytes::from_static(b"name")),
        Netloc4::Url(Bytes::from_static(b"nfs://host")),
        Netloc4::Netaddr(addr),
    ]
}

fn servers_wire(wire: Wire) -> Wire {
    wire.u32(3).u32(1).opaque(b"name").u32(2).opaque(b"nfs://host").u32(3).opaque(b"tcp").opaque(b"192.0.2.1.8.1")
}

#[test]
fn copy_args() {
    let args = Copy4Args {
        src_stateid: stateid(1),
        dst_stateid: stateid(2),
        src_offset: 3,
        dst_offset: 4,
        count: 5,
        consecutive: true,
        synchronous: false,
        source_server: servers(),
    };
    let head = Wire::new().stateid(1).stateid(2).u64(3).u64(4).u64(5).u32(1).u32(0);
    same(&args, servers_wire(head.clone()));
    limited::<Copy4Args>(&head, NETLOCS_MAX);
    limited::<Netloc4>(&Wire::new().u32(1), NETLOC_MAX);
    limited::<Netloc4>(&Wire::new().u32(2), NETLOC_MAX);
    no_such::<Netloc4>(4);
}

#[test]
fn copy_results() {
    let response = WriteResponse4 {
        callback_id: Some(stateid(1)),
        count: 2,
        committed: StableHow4::FileSync,
        writeverf: verifier(3),
    };
    let requirements = CopyRequirements4 { consecutive: true, synchronous: false };
    let wire = Wire::new().u32(0).u32(1).stateid(1).u64(2).u32(2).fixed(&[3; 8]);
    same(&Copy4Res::Ok(Copy4Resok { response, requirements }), wire.u32(1).u32(0));
    let synchronous = WriteResponse4 { callback_id: None, ..response };
    let wire = Wire::new().u32(0).u32(0).u64(2).u32(2).fixed(&[3; 8]);
    same(&Copy4Res::Ok(Copy4Resok { response: synchronous, requirements }), wire.u32(1).u32(0));
    same(&Copy4Res::OffloadNoReqs(requirements), Wire::new().u32(10094).u32(1).u32(0));
    same(&Copy4Res::Error(NfsStat4::OffloadDenied), Wire::new().u32(10091));
}

#[test]
fn copy_notify() {
    let args = CopyNotify4Args { src_stateid: stateid(1), destination_server: Netloc4::Name(Bytes::from_static(b"d")) };
    same(&args, Wire::new().stateid(1).u32(1).opaque(b"d"));
    let resok = CopyNotify4Resok { lease_time: time(2), stateid: stateid(3), source_server: servers() };
    same(&CopyNotify4Res::Ok(resok), servers_wire(Wire::new().u32(0).time(2).stateid(3)));
    limited::<CopyNotify4Resok>(&Wire::new().time(2).stateid(3), NETLOCS_MAX);
}

#[test]
fn io_advise() {
    let hints = bits(&[IoAdviseType4::Willneed.as_u32(), IoAdviseType4::InitProximity.as_u32()]);
    let args = IoAdvise4Args { stateid: stateid(1), offset: 2, count: 3, hints: hints.clone() };
    same(&args, Wire::new().stateid(1).u64(2).u64(3).u32(1).u32(0x410));
    same(&IoAdvise4Res::Ok(IoAdvise4Resok { hints }), Wire::new().u32(0).u32(1).u32(0x410));
}

#[test]
fn offload() {
    same(&OffloadCancel4Args { stateid: stateid(1) }, Wire::new().stateid(1));
    same(&OffloadCancel4Res::Err(NfsStat4::CompleteAlready), Wire::new().u32(10054));
    same(&OffloadStatus4Args { stateid: stateid(2) }, Wire::new().stateid(2));
    let running = OffloadStatus4Resok { count: 3, complete: None };
    same(&OffloadStatus4Res::Ok(running), Wire::new().u32(0).u64(3).u32(0));
    let ended = OffloadStatus4Resok { count: 3, complete: Some(NfsStat4::Nospc) };
    same(&OffloadStatus4Res::Ok(ended), Wire::new().u32(0).u64(3).u32(1).u32(28));
}

#[test]
fn read_plus() {
    same(&ReadPlus4Args { stateid: stateid(1), offset: 2, count: 3 }, Wire::new().stateid(1).u64(2).u32(3));
    let contents = vec![
        ReadPlusContent::Data(Data4 { offset: 0, data: Bytes::from_static(b"data!").into() }),
        ReadPlusContent::Hole(DataInfo4 { offset: 5, length: 6 }),
    ];
    let wire = Wire::new().u32(0).u32(1).u32(2).u32(0).u64(0).opaque(b"data!").u32(1).u64(5).u64(6);
    same(&ReadPlus4Res::Ok(ReadPlus4Resok { eof: true, contents }), wire);
    limited::<ReadPlus4Resok>(&Wire::new().u32(1), READ_PLUS_CONTENTS_MAX);
    limited::<Data4>(&Wire::new().u64(0), IO_DATA_MAX);
    no_such::<ReadPlusContent>(2);
}

#[test]
fn read_plus_data_is_never_copied() {
    let block = Bytes::from(vec![7; CHAIN_MIN]);
    let value = Data4 { offset: 1, data: Payload(vec![block.clone(), block.clone()]) };
    let mut e = Encoder::new();
    value.encode(&mut e);
    let shared = e.finish().iter().filter(|piece| piece.as_ptr() == block.as_ptr()).count();
    assert_eq!(shared, 2);

    let wire = to_bytes(&value);
    let decoded: Data4 = from_bytes(wire.clone()).unwrap();
    assert_eq!(decoded.data.into_bytes().as_ptr(), wire.slice(12..).as_ptr());
}

#[test]
fn seek_lets_unknown_contents_through() {
    let args = Seek4Args { stateid: stateid(1), offset: 2, what: DataContent4::Hole.as_u32() };
    same(&args, Wire::new().stateid(1).u64(2).u32(1));
    same(&Seek4Args { what: 99, ..args }, Wire::new().stateid(1).u64(2).u32(99));
    same(&Seek4Res::Ok(Seek4Resok { eof: false, offset: 3 }), Wire::new().u32(0).u32(0).u64(3));
}

#[test]
fn write_same() {
    let adb = AppDataBlock4 {
        offset: 2,
        block_size: 3,
        block_count: 4,
        reloff_blocknum: u64::MAX,
        block_num: 5,
        reloff_pattern: 6,
        pattern: Bytes::from_static(b"pattern"),
    };
    let args = WriteSame4Args { stateid: stateid(1), stable: StableHow4::DataSync, adb };
    let head = Wire::new().stateid(1).u32(1).u64(2).u64(3).u64(4).u64(u64::MAX).u32(5).u64(6);
    same(&args, head.clone().opaque(b"pattern"));
    limited::<WriteSame4Args>(&head, ADB_PATTERN_MAX);
    let response =
        WriteResponse4 { callback_id: None, count: 7, committed: StableHow4::Unstable, writeverf: verifier(8) };
    same(&WriteSame4Res::Ok(response), Wire::new().u32(0).u32(0).u64(7).u32(0).fixed(&[8; 8]));
}

#[test]
fn clone_range() {
    let args = Clone4Args { src_stateid: stateid(1), dst_stateid: stateid(2), src_offset: 3, dst_offset: 4, count: 5 };
    same(&args, Wire::new().stateid(1).stateid(2).u64(3).u64(4).u64(5));
    same(&Clone4Res::Err(NfsStat4::Xdev), Wire::new().u32(18));
}
