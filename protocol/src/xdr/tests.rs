//! The reader, the writer and the macros, each by itself.

#![expect(unreachable_pub, reason = "the macros write public types")]

use bytes::Bytes;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

fn decoder(bytes: &[u8]) -> Decoder {
    Decoder::new(Bytes::copy_from_slice(bytes))
}

xdr_enum! {
    /// An enumeration with a gap.
    pub enum Colour { Red = 1 => RED, Blue = 7 => BLUE }
}

xdr_struct! {
    /// A structure with all kinds of fields.
    pub struct Mixed {
        number: u32,
        text: Bytes [5],
        list: Vec<u64> [2],
        optional: Option<i32>,
        fixed: [u8; 3],
    }
}

xdr_union! {
    /// A union over an enumeration.
    pub enum Paint switch Colour {
        case Colour::Red => Red,
        case Colour::Blue => Blue(u64),
    }

    /// A union over a number, with a default.
    pub enum Choice switch u32, default Other {
        case 4 => Four(Bytes [8]),
    }
}

#[test]
fn a_structure_has_the_bytes_of_rfc_4506() {
    let value = Mixed {
        number: 0x0102_0304,
        text: Bytes::from_static(b"sillyprog").slice(0..5),
        list: vec![1, u64::MAX],
        optional: Some(-1),
        fixed: [9, 8, 7],
    };
    let golden = [
        &[1, 2, 3, 4][..],
        &[0, 0, 0, 5, b's', b'i', b'l', b'l', b'y', 0, 0, 0],
        &[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255],
        &[0, 0, 0, 1, 255, 255, 255, 255],
        &[9, 8, 7, 0],
    ]
    .concat();
    assert_eq!(to_bytes(&value), golden);
    assert_eq!(from_bytes(golden.into()), Ok(value));
}

/// RFC 4506 §7: the file `sillyprog` of owner `john` with the text `(quit)`.
#[test]
fn the_example_of_rfc_4506_section_7_comes_out_byte_for_byte() {
    let mut e = Encoder::new();
    e.opaque_slice(b"sillyprog");
    e.u32(2);
    e.opaque_slice(b"lisp");
    e.opaque_slice(b"john");
    e.opaque_slice(b"(quit)");
    let golden = [
        0x0000_0009_u32,
        0x7369_6c6c,
        0x7970_726f,
        0x6700_0000,
        0x0000_0002,
        0x0000_0004,
        0x6c69_7370,
        0x0000_0004,
        0x6a6f_686e,
        0x0000_0006,
        0x2871_7569,
        0x7429_0000,
    ];
    assert_eq!(e.finish_contiguous(), golden.map(u32::to_be_bytes).concat());
}

#[test]
fn unions_choose_their_arm_and_refuse_what_they_do_not_have() {
    for value in [Paint::Red, Paint::Blue(3)] {
        assert_eq!(from_bytes(to_bytes(&value)), Ok(value));
    }
    for value in [Choice::Four(Bytes::from_static(b"abc")), Choice::Other(5)] {
        assert_eq!(from_bytes(to_bytes(&value)), Ok(value));
    }
    let unknown = from_bytes::<Paint>(Bytes::from_static(&[0, 0, 0, 2]));
    assert_eq!(unknown, Err(XdrError::BadEnum { type_name: "Colour", value: 2 }));
}

#[test]
fn enumerations_know_their_names() {
    assert_eq!(Colour::from_u32(7), Some(Colour::Blue));
    assert_eq!(Colour::from_u32(2), None);
    assert_eq!((Colour::Blue.as_u32(), Colour::Blue.to_string()), (7, "BLUE".to_owned()));
}

#[test]
fn booleans_are_zero_or_one() {
    assert_eq!(decoder(&[0, 0, 0, 1]).bool(), Ok(true));
    assert_eq!(decoder(&[0, 0, 0, 2]).bool(), Err(XdrError::BadBool(2)));
}

#[test]
fn opaque_data_of_the_limit_passes_and_one_byte_more_does_not() {
    let bytes = to_bytes(&Bytes::from_static(b"12345678"));
    assert_eq!(Decoder::new(bytes.clone()).opaque(8), Ok(Bytes::from_static(b"12345678")));
    assert_eq!(Decoder::new(bytes).opaque(7), Err(XdrError::TooLong { len: 8, max: 7 }));
}

#[test]
fn lists_of_the_limit_pass_and_one_element_more_does_not() {
    let counted = to_bytes(&vec![1_u32, 2, 3]);
    assert_eq!(Decoder::new(counted.clone()).list::<u32>(3), Ok(vec![1, 2, 3]));
    assert_eq!(Decoder::new(counted).list::<u32>(2), Err(XdrError::TooLong { len: 3, max: 2 }));

    let mut e = Encoder::new();
    e.linked_list(&[1_u32, 2, 3]);
    let linked = e.finish_contiguous();
    assert_eq!(Decoder::new(linked.clone()).linked_list::<u32>(3), Ok(vec![1, 2, 3]));
    assert_eq!(Decoder::new(linked).linked_list::<u32>(2), Err(XdrError::TooLong { len: 3, max: 2 }));
}

#[test]
fn a_length_the_input_cannot_hold_takes_no_memory() {
    let huge = [0x3f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert!(matches!(decoder(&huge).list::<u32>(usize::MAX), Err(XdrError::Truncated { .. })));
    assert!(matches!(decoder(&huge).opaque(usize::MAX), Err(XdrError::Truncated { .. })));
    let list = decoder(&[0, 0, 0, 1, 0, 0, 0, 9]).list::<u32>(usize::MAX).unwrap();
    assert!(list.capacity() <= 4, "{}", list.capacity());
}

#[test]
fn opaque_data_is_a_slice_of_the_input() {
    let input = to_bytes(&Bytes::from(vec![7; 1000]));
    let data = Decoder::new(input.clone()).opaque(1000).unwrap();
    assert_eq!(data.as_ptr(), input[4..].as_ptr());
}

#[test]
fn padding_is_skipped_whatever_it_holds() {
    let mut d = decoder(&[0, 0, 0, 1, b'x', 1, 2, 3, 0, 0, 0, 9]);
    assert_eq!((d.opaque(1), d.u32()), (Ok(Bytes::from_static(b"x")), Ok(9)));
}

#[test]
fn bytes_left_over_are_an_error() {
    assert_eq!(from_bytes::<u32>(Bytes::from_static(&[0, 0, 0, 1, 0])), Err(XdrError::Trailing(1)));
}

#[test]
fn large_data_is_chained_and_small_data_is_copied() {
    let large = Bytes::from(vec![1; CHAIN_MIN + 1]);
    let small = Bytes::from(vec![2; CHAIN_MIN - 1]);
    let mut e = Encoder::new();
    e.opaque(&large);
    e.opaque(&small);
    let len = e.len();
    let chain = e.finish();
    assert_eq!(chain.len(), 3);
    assert_eq!(chain[1].as_ptr(), large.as_ptr());
    let whole = chain.concat();
    assert_eq!(whole.len(), len);
    let mut d = Decoder::new(whole.into());
    assert_eq!((d.opaque(1000), d.opaque(1000), d.finish()), (Ok(large), Ok(small), Ok(())));
}

#[test]
fn a_payload_of_many_pieces_is_one_opaque() {
    let pieces = Payload(vec![Bytes::from(vec![1; 300]), Bytes::from(vec![2; 3]), Bytes::from(vec![3; 500])]);
    let mut e = Encoder::new();
    pieces.encode(&mut e);
    let chain = e.finish();
    assert!(chain.iter().any(|piece| piece.as_ptr() == pieces.0[2].as_ptr()));
    let whole = Bytes::from(chain.concat());
    assert_eq!(whole.len(), 4 + 804 - 1 + 1);
    let decoded = Payload::decode(&mut Decoder::new(whole), 803).unwrap();
    assert_eq!(decoded, pieces);
    assert_eq!(decoded.into_bytes(), pieces.clone().into_bytes());
    assert_ne!(pieces, Payload::from(Bytes::from(vec![1; 803])));
}

#[test]
fn a_placeholder_is_filled_in_behind_chained_data() {
    let mut e = Encoder::new();
    let first = e.placeholder();
    e.opaque(&Bytes::from(vec![1; CHAIN_MIN]));
    let second = e.placeholder();
    e.patch(first, 11);
    e.patch(second, 22);
    let whole = e.finish_contiguous();
    assert_eq!((&whole[..4], &whole[whole.len() - 4..]), (&[0, 0, 0, 11][..], &[0, 0, 0, 22][..]));
}

#[test]
fn truncating_forgets_what_came_after_the_mark() {
    let mut e = Encoder::new();
    e.u32(1);
    let mark = e.mark();
    let forgotten = e.placeholder();
    e.opaque(&Bytes::from(vec![1; CHAIN_MIN]));
    e.truncate(mark);
    e.patch(forgotten, 5);
    assert_eq!(e.len(), 4);
    assert_eq!(e.finish(), vec![Bytes::from_static(&[0, 0, 0, 1])]);
}

proptest! {
    #[test]
    fn appending_is_the_same_as_writing_on(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..6), cut in 0usize..6) {
        let pieces: Vec<Bytes> = pieces.into_iter().map(Bytes::from).collect();
        let mut whole = Encoder::new();
        let mut left = Encoder::new();
        let mut right = Encoder::with_capacity(16);
        for (index, piece) in pieces.iter().enumerate() {
            whole.opaque(piece);
            if index < cut { left.opaque(piece) } else { right.opaque(piece) }
        }
        left.append(right);
        prop_assert_eq!(left.len(), whole.len());
        let chain = left.finish();
        prop_assert!(chain.iter().all(|piece| !piece.is_empty()));
        prop_assert_eq!(Bytes::from(chain.concat()), whole.finish_contiguous());
    }

    #[test]
    fn opaque_data_comes_back(data in prop::collection::vec(any::<u8>(), 0..1000)) {
        let data = Bytes::from(data);
        let wire = to_bytes(&data);
        prop_assert_eq!(wire.len() % 4, 0);
        prop_assert_eq!(Decoder::new(wire).opaque(1000), Ok(data));
    }
}
