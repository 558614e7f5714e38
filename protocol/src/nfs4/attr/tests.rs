//! The typed set of attributes.

use bytes::Bytes;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::nfs4::{BITMAP_WORDS_MAX, NfsFtype4, NfsStat4};
use crate::xdr::sample::Source;
use crate::xdr::{XdrError, from_bytes, to_bytes};

#[test]
fn the_table_has_every_attribute_once_and_in_order() {
    for (index, info) in ATTRIBUTES.iter().enumerate() {
        assert_eq!(info.number as usize, index, "{}", info.rfc_name);
        assert_eq!(attribute(info.number), Some(info));
    }
    assert_eq!(ATTRIBUTES.len(), 87);
    assert_eq!(attribute(87), None);
}

/// RFC 8881 §5.8, RFC 7862 §12.2, RFC 8275 §5, RFC 9754: what can be set, what can be read.
#[test]
fn access_is_as_in_the_rfcs() {
    let numbers = |wanted: fn(&AttrInfo) -> bool| -> Vec<u32> {
        ATTRIBUTES.iter().filter(|info| wanted(info)).map(|info| info.number).collect()
    };
    assert_eq!(numbers(|info| !info.readable()), [48, 54, 63, 70, 72, 74, 81]);
    assert_eq!(
        numbers(|info| info.settable()),
        [4, 12, 14, 25, 32, 33, 36, 37, 46, 48, 49, 50, 54, 58, 59, 63, 70, 72, 73, 74, 80, 81, 84, 85]
    );
    assert_eq!(ATTRIBUTES.iter().filter(|info| info.since_minor == 0).count(), 56);
    assert_eq!(ATTRIBUTES.iter().filter(|info| info.since_minor <= 1).count(), 77);
}

#[test]
fn values_stand_in_ascending_order() {
    let attrs = Attrs {
        mode: Some(0o644),
        size: Some(5),
        ftype: Some(NfsFtype4::Reg),
        owner: Some(Bytes::from_static(b"1000")),
        ..Attrs::default()
    };
    let fattr = attrs.to_fattr4();
    let golden = [2, 0x12, 0x12, 24, 1, 0, 5, 0o644, 4, 0x3130_3030];
    assert_eq!(to_bytes(&fattr), golden.map(u32::to_be_bytes).concat());
    assert_eq!(fattr.parse(), Ok(attrs));
}

#[test]
fn an_unknown_attribute_and_broken_values_are_two_errors() {
    let unknown = Fattr4 { attrmask: [FATTR4_SIZE, 87].into_iter().collect(), attr_vals: vec![0; 20].into() };
    assert_eq!(unknown.parse(), Err(AttrError::Unknown(87)));
    assert_eq!(AttrError::Unknown(87).status(), NfsStat4::Attrnotsupp);

    let short = Fattr4 { attrmask: [FATTR4_SIZE].into_iter().collect(), attr_vals: vec![0; 4].into() };
    let long = Fattr4 { attrmask: [FATTR4_SIZE].into_iter().collect(), attr_vals: vec![0; 12].into() };
    assert_eq!(short.parse(), Err(AttrError::Xdr(XdrError::Truncated { missing: 4 })));
    assert_eq!(long.parse(), Err(AttrError::Xdr(XdrError::Trailing(4))));
    assert_eq!(short.parse().map_err(|error| error.status()), Err(NfsStat4::Badxdr));
}

#[test]
fn retaining_takes_the_rest_out() {
    let mut attrs = Attrs { mode: Some(1), size: Some(2), ..Attrs::default() };
    attrs.retain(&[FATTR4_SIZE, FATTR4_OWNER].into_iter().collect());
    assert_eq!(attrs, Attrs { size: Some(2), ..Attrs::default() });
}

#[test]
fn a_bitmap_keeps_its_words_as_sent() {
    let sent = Bitmap4::from_words(&[0x10, 0, 0]);
    let wire = to_bytes(&sent);
    assert_eq!(wire.len(), 16);
    let got: Bitmap4 = from_bytes(wire.clone()).unwrap();
    assert_eq!(to_bytes(&got), wire);
    let short: Bitmap4 = [FATTR4_SIZE].into_iter().collect();
    assert!(got.same_bits(&short) && got != short);
}

#[test]
fn a_bitmap_of_the_limit_passes_and_one_word_more_does_not() {
    let words = |count: usize| to_bytes(&vec![0_u32; count]);
    assert!(from_bytes::<Bitmap4>(words(BITMAP_WORDS_MAX)).is_ok());
    let error = from_bytes::<Bitmap4>(words(BITMAP_WORDS_MAX + 1));
    assert_eq!(error, Err(XdrError::TooLong { len: 65, max: BITMAP_WORDS_MAX }));
    let mut bitmap = Bitmap4::new();
    bitmap.set(u32::MAX);
    assert!(bitmap.is_empty());
}

proptest! {
    #[test]
    fn sets_of_attributes_come_back(seed: u64) {
        let attrs = Attrs::sample(&mut Source::new(seed));
        let fattr = attrs.to_fattr4();
        prop_assert_eq!(&fattr.attrmask, &attrs.mask());
        prop_assert_eq!(fattr.parse(), Ok(attrs));
        prop_assert_eq!(from_bytes(to_bytes(&fattr)), Ok(fattr));
    }

    #[test]
    fn no_set_of_attributes_survives_a_cut(seed: u64) {
        let fattr = Attrs::sample(&mut Source::new(seed)).to_fattr4();
        for len in (0..fattr.attr_vals.len()).step_by(3) {
            let cut = Fattr4 { attr_vals: fattr.attr_vals.slice(..len), ..fattr.clone() };
            let truncated = matches!(cut.parse(), Err(AttrError::Xdr(XdrError::Truncated { .. })));
            prop_assert!(truncated, "cut to {}", len);
        }
    }

    #[test]
    fn bits_behave_as_a_set(a in prop::collection::btree_set(0u32..200, 0..20), b in prop::collection::btree_set(0u32..200, 0..20)) {
        let left: Bitmap4 = a.iter().copied().collect();
        let right: Bitmap4 = b.iter().copied().collect();
        prop_assert!(left.iter().eq(a.iter().copied()));
        prop_assert!(left.and(&right).iter().eq(a.intersection(&b).copied()));
        prop_assert!(left.and_not(&right).iter().eq(a.difference(&b).copied()));
        prop_assert!((0..200).all(|bit| left.contains(bit) == a.contains(&bit)));
        let mut cleared = left.clone();
        b.iter().for_each(|bit| cleared.clear(*bit));
        prop_assert!(cleared.same_bits(&left.and_not(&right)));
    }
}
