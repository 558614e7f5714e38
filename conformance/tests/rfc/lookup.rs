//! Operations: LOOKUP

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs4_protocol::nfs4::NfsStat4;
use rstest::rstest;

/// RFC 7530 §16.15, RFC 8881 §18.13: the name of something that is not there.
#[rstest]
fn a_missing_name_is_noent(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.fails(scene.here().lookup("missing"), NfsStat4::Noent).await;
    });
}
