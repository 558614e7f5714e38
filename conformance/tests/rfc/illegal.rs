//! Operations: ILLEGAL

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs4_protocol::nfs4::{NfsArgop4, NfsStat4, OpNum};
use nfs4_protocol::xdr::{Encoder, to_bytes};
use pretty_assertions::{assert_eq, assert_ne};
use rstest::rstest;

use crate::newcomer::done;

/// An operation that is nothing but its number.
fn number(op: u32) -> Bytes {
    let mut e = Encoder::new();
    e.u32(op);
    e.finish_contiguous()
}

/// RFC 8881 §2.7, RFC 7862 §13: the numbers that the minor version has are operations, offered or not.
#[rstest]
fn the_numbers_of_the_minor_version_are_operations(
    #[values(Embedded, Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let first_unknown = [40, 59, 76][minor as usize];
    rfc(target, minor, async |scene| {
        for op in 3..first_unknown {
            // No arguments at all: most of them are BADXDR, some are refused before that, some need none.
            let reply = scene.call_encoded(&[number(op)]).await.unwrap();
            let [(answered, status)] = done(&reply)[..] else { panic!("{op}: {:?}", done(&reply)) };
            assert_eq!(answered.as_u32(), op);
            assert_ne!(status, NfsStat4::OpIllegal, "{op}");
        }
    });
}

/// RFC 8881 §15.1.1.1: a compound that ends before its last operation.
#[rstest]
fn a_compound_that_is_cut_off_is_badxdr(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let cut = scene.call_encoded(&[to_bytes(&NfsArgop4::Putrootfh), Bytes::new()]).await.unwrap();
        assert_eq!(cut.status(), NfsStat4::Badxdr);
        assert_eq!(done(&cut)[0], (OpNum::Putrootfh, NfsStat4::Ok));
    });
}
