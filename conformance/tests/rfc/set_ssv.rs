//! Operations: SET_SSV

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::{NfsArgop4, NfsStat4, OpNum, SetSsv4Args};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{Newcomer, done};

fn set_ssv() -> NfsArgop4 {
    NfsArgop4::SetSsv(Box::new(SetSsv4Args { ssv: vec![1; 32].into(), digest: vec![2; 32].into() }))
}

/// RFC 8881 §18.47.3: not for a client that did not ask for SP4_SSV.
#[rstest]
fn a_client_without_ssv_is_refused(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.fails(CompoundBuilder::new().op(set_ssv()), NfsStat4::Inval).await;
    });
}

/// RFC 8881 §18.47.3: only behind SEQUENCE.
#[rstest]
fn it_needs_a_session(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let reply = Newcomer::new(scene).await.send(set_ssv()).await;
        assert_eq!(done(&reply), [(OpNum::SetSsv, NfsStat4::OpNotInSession)]);
    });
}
