//! Headers, credentials and records.

use bytes::{BufMut, Bytes};
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::xdr::sample::{Sample, Source};
use crate::xdr::{XdrError, from_bytes, to_bytes};

fn words(words: &[u32]) -> Bytes {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[test]
fn a_null_call_has_the_bytes_of_rfc_5531() {
    let call = RpcMsg::call(0xabcd, NFS_PROGRAM, NFS_V4, NFSPROC4_NULL, OpaqueAuth::NONE);
    let golden = words(&[0xabcd, 0, 2, 100_003, 4, 0, 0, 0, 0, 0]);
    assert_eq!(to_bytes(&call), golden);
    assert_eq!(from_bytes(golden), Ok(call));
}

#[test]
fn every_kind_of_reply_has_the_bytes_of_rfc_5531() {
    let range = MismatchInfo { low: 4, high: 4 };
    let cases: [(RpcMsg, &[u32]); 8] = [
        (RpcMsg::accepted(9, AcceptedBody::Success), &[9, 1, 0, 0, 0, 0]),
        (RpcMsg::accepted(9, AcceptedBody::ProgUnavail), &[9, 1, 0, 0, 0, 1]),
        (RpcMsg::accepted(9, AcceptedBody::ProgMismatch(range)), &[9, 1, 0, 0, 0, 2, 4, 4]),
        (RpcMsg::accepted(9, AcceptedBody::ProcUnavail), &[9, 1, 0, 0, 0, 3]),
        (RpcMsg::accepted(9, AcceptedBody::GarbageArgs), &[9, 1, 0, 0, 0, 4]),
        (RpcMsg::accepted(9, AcceptedBody::SystemErr), &[9, 1, 0, 0, 0, 5]),
        (RpcMsg::rejected(9, RejectedReply::RpcMismatch(MismatchInfo { low: 2, high: 2 })), &[9, 1, 1, 0, 2, 2]),
        (RpcMsg::rejected(9, RejectedReply::AuthError(AuthStat::Tooweak)), &[9, 1, 1, 1, 5]),
    ];
    for (message, golden) in cases {
        assert_eq!(to_bytes(&message), words(golden));
        assert_eq!(from_bytes(words(golden)), Ok(message));
    }
}

#[test]
fn a_call_of_another_rpc_version_is_readable_to_be_refused() {
    let message: RpcMsg = from_bytes(words(&[1, 0, 3, 100_003, 4, 1, 0, 0, 0, 0])).unwrap();
    assert!(matches!(message.body, RpcBody::Call(CallBody { rpcvers: 3, .. })));
}

#[test]
fn auth_sys_comes_back() {
    let parms = AuthSysParms {
        stamp: 7,
        machinename: Bytes::from_static(b"client"),
        uid: 1000,
        gid: 100,
        gids: (0..16).collect(),
    };
    let opaque = OpaqueAuth::from(&parms);
    assert_eq!(opaque.parse(), Ok(Auth::Sys(parms)));
}

#[test]
fn auth_sys_has_at_most_sixteen_groups_and_a_name_of_255_bytes() {
    let parms = |name: usize, gids: u32| AuthSysParms {
        stamp: 0,
        machinename: vec![b'x'; name].into(),
        uid: 0,
        gid: 0,
        gids: (0..gids).collect(),
    };
    assert!(OpaqueAuth::from(&parms(255, 16)).parse().is_ok());
    let too_many = OpaqueAuth::from(&parms(1, 17)).parse();
    assert_eq!(too_many, Err(XdrError::TooLong { len: 17, max: AUTH_SYS_GIDS_MAX }));
    let too_long = OpaqueAuth::from(&parms(256, 0)).parse();
    assert_eq!(too_long, Err(XdrError::TooLong { len: 256, max: MACHINE_NAME_MAX }));
}

#[test]
fn unknown_flavours_are_kept_and_bodies_are_bounded() {
    let gss = OpaqueAuth { flavor: 6, body: vec![1; AUTH_BODY_MAX].into() };
    let wire = to_bytes(&gss);
    assert_eq!(from_bytes(wire), Ok(gss.clone()));
    assert_eq!(gss.parse(), Ok(Auth::Other(gss)));
    let too_long = to_bytes(&OpaqueAuth { flavor: 6, body: vec![1; AUTH_BODY_MAX + 1].into() });
    assert_eq!(from_bytes::<OpaqueAuth>(too_long), Err(XdrError::TooLong { len: 401, max: AUTH_BODY_MAX }));
    let tls = OpaqueAuth { flavor: AUTH_TLS, body: Bytes::new() };
    assert_eq!((tls.parse(), OpaqueAuth::NONE.parse()), (Ok(Auth::Tls), Ok(Auth::None)));
}

fn fragments(record: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut rest = record;
    for cut in cuts {
        let (piece, more) = rest.split_at((*cut).min(rest.len()));
        wire.put_u32(piece.len() as u32);
        wire.put_slice(piece);
        rest = more;
    }
    wire.put_u32(rest.len() as u32 | 1 << 31);
    wire.put_slice(rest);
    wire
}

#[test]
fn a_record_of_one_fragment_is_not_copied() {
    let wire = Bytes::from(fragments(b"hello, record", &[]));
    let address = wire[4..].as_ptr();
    let mut reader = RecordReader::new(100);
    reader.push(wire);
    let record = reader.next_record().unwrap().unwrap();
    assert_eq!((&record[..], record.as_ptr()), (&b"hello, record"[..], address));
    assert!(reader.is_between_records());
}

#[test]
fn a_record_of_the_limit_passes_and_one_byte_more_does_not() {
    for cuts in [&[][..], &[4], &[2, 2]] {
        let mut reader = RecordReader::new(10);
        reader.push(fragments(&[1; 10], cuts).into());
        assert_eq!(reader.next_record(), Ok(Some(vec![1; 10].into())));
        reader.push(fragments(&[1; 11], cuts).into());
        assert!(matches!(reader.next_record(), Err(RecordError::TooLong { len: 11, max: 10 })));
        assert!(reader.next_record().is_err(), "the stream stays broken");
    }
}

#[test]
fn room_grows_with_what_arrived_and_not_with_what_is_announced() {
    let mut reader = RecordReader::new(1 << 30);
    reader.push(Bytes::from_static(&[0xbf, 0xff, 0xff, 0xff, 0, 0]));
    assert!(reader.buffer().capacity() < 64 << 10);
    assert_eq!(reader.next_record(), Ok(None));
    assert!(!reader.is_between_records());
}

#[test]
fn reading_into_the_buffer_gives_records_without_a_copy_of_the_rest() {
    let wire = [fragments(&[5; 100_000], &[]), fragments(b"next", &[1, 2])].concat();
    let mut reader = RecordReader::new(200_000);
    let mut records = Vec::new();
    let mut rest = &wire[..];
    while !rest.is_empty() {
        let buffer = reader.buffer();
        let len = rest.len().min(buffer.capacity() - buffer.len());
        buffer.put_slice(&rest[..len]);
        rest = &rest[len..];
        while let Some(record) = reader.next_record().unwrap() {
            records.push(record);
        }
    }
    assert_eq!(records, [Bytes::from(vec![5; 100_000]), Bytes::from_static(b"next")]);
}

#[test]
fn a_framed_message_is_one_last_fragment() {
    let framed = frame(vec![Bytes::from_static(b"abcd"), Bytes::from_static(b"efgh")]);
    assert_eq!(framed.concat(), b"\x80\x00\x00\x08abcdefgh");
}

proptest! {
    #[test]
    fn records_survive_any_fragments_and_any_reads(
        records in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(0usize..80, 0..4)), 1..5),
        read_size in 1usize..300,
    ) {
        let wire: Vec<u8> = records.iter().flat_map(|(record, cuts)| fragments(record, cuts)).collect();
        let mut reader = RecordReader::new(200);
        let mut got = Vec::new();
        for read in wire.chunks(read_size) {
            reader.push(Bytes::copy_from_slice(read));
            while let Some(record) = reader.next_record().unwrap() {
                got.push(record.to_vec());
            }
        }
        prop_assert!(reader.is_between_records());
        prop_assert_eq!(got, records.into_iter().map(|(record, _)| record).collect::<Vec<_>>());
    }

    #[test]
    fn messages_come_back_and_every_cut_is_noticed(seed: u64) {
        let message = RpcMsg::sample(&mut Source::new(seed));
        let wire = to_bytes(&message);
        for len in 0..wire.len() {
            let cut = from_bytes::<RpcMsg>(wire.slice(..len));
            prop_assert!(matches!(cut, Err(XdrError::Truncated { .. })), "{len}: {cut:?}");
        }
        prop_assert_eq!(from_bytes(wire), Ok(message));
    }
}
