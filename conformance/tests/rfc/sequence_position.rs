//! Operations: SEQUENCE, COMPOUND

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::{
    BackchannelCtl4Args, FreeStateid4Args, Lookup4Args, NfsArgop4, NfsFh4, NfsStat4, OpNum, Putfh4Args,
    ReclaimComplete4Args, Renew4Args, SecinfoStyle4, Stateid4, TestStateid4Args,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{Newcomer, behind, done};

/// RFC 8881 §18.46.3: SEQUENCE comes first or not at all.
#[rstest]
fn sequence_in_another_place_is_refused(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let second =
            behind(session.sequence(0, 1), &CompoundBuilder::new().sequence(session.sequence(1, 1)).putrootfh());
        let reply = session.client.call(second).await;
        assert_eq!(done(&reply), [(OpNum::Sequence, NfsStat4::Ok), (OpNum::Sequence, NfsStat4::SequencePos)]);
        let third = CompoundBuilder::new().putrootfh().sequence(session.sequence(1, 1));
        let reply = session.send(session.sequence(0, 2), &third).await;
        assert_eq!(done(&reply)[2], (OpNum::Sequence, NfsStat4::SequencePos));
        // The slot of the SEQUENCE that did not count is still new.
        let next = session.send(session.sequence(1, 1), &CompoundBuilder::new()).await;
        assert_eq!(next.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §18.46.3, §15.1.3.5: operations of a session do not go without SEQUENCE, alone or in company.
#[rstest]
fn operations_of_a_session_need_sequence(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let control = BackchannelCtl4Args { cb_program: 1, sec_parms: Vec::new() };
        for op in [
            NfsArgop4::Putrootfh,
            NfsArgop4::Putpubfh,
            NfsArgop4::Putfh(Putfh4Args { object: NfsFh4("x".into()) }),
            NfsArgop4::Getfh,
            NfsArgop4::Savefh,
            NfsArgop4::Restorefh,
            NfsArgop4::Lookupp,
            NfsArgop4::Readlink,
            NfsArgop4::Lookup(Lookup4Args { objname: "x".into() }),
            NfsArgop4::BackchannelCtl(Box::new(control)),
            NfsArgop4::FreeStateid(FreeStateid4Args { stateid: Stateid4::ANONYMOUS }),
            NfsArgop4::TestStateid(TestStateid4Args { stateids: Vec::new() }),
            NfsArgop4::SecinfoNoName(SecinfoStyle4::CurrentFh),
            NfsArgop4::ReclaimComplete(ReclaimComplete4Args { one_fs: false }),
        ] {
            let expected = [(op.opnum(), NfsStat4::OpNotInSession)];
            assert_eq!(done(&session.client.send(op.clone()).await), expected);
            let company = CompoundBuilder::new().op(op).sequence(session.sequence(0, 1));
            assert_eq!(done(&session.client.call(company).await), expected);
        }
    });
}

/// RFC 8881 §2.7, §15.1.3.5: an operation of 4.0 has two reasons to be refused without a session.
#[rstest]
fn operations_of_40_do_not_go_without_sequence_either(
    #[values(Embedded, Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let reply = Newcomer::new(scene).await.send(NfsArgop4::Renew(Renew4Args { clientid: 1 })).await;
        assert!([NfsStat4::OpNotInSession, NfsStat4::Notsupp].contains(&reply.status()), "{:?}", done(&reply));
    });
}
