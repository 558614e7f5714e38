//! A request that comes twice is executed once.
//!
//! Operations: SEQUENCE

use std::sync::Arc;

use conformance::{Target, World, status};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{
    Attrs, Createtype4, Fattr4, NfsArgop4, NfsStat4, OPEN4_RESULT_CONFIRM, Open4Args, OpenClaim4, OpenConfirm4Args,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

/// RFC 8881 §2.10.6: a retry in a slot gets the reply of the first time.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_in_a_slot_gets_the_first_reply(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let slot = world.client.session().unwrap().slot().await.unwrap();
    let sequence = slot.sequence(true);
    let compound = CompoundBuilder::new().sequence(sequence).putfh(&world.root);
    let create = compound.clone().create(Createtype4::Dir, "once", Fattr4::default()).getfh();
    let mut first = world.client.call_bare(create.clone()).await.unwrap();
    let again = world.client.call_bare(create).await.unwrap();
    assert_eq!(first.results(), again.results());
    first.create().unwrap();
    slot.done(true);

    // The slot has moved on: the next request is a new one, and finds the directory there.
    let slot = world.client.session().unwrap().slot().await.unwrap();
    let next = slot.sequence(true);
    assert_eq!((next.slotid, next.sequenceid), (sequence.slotid, sequence.sequenceid + 1));
    let compound = CompoundBuilder::new().sequence(next).putfh(&world.root);
    let create = compound.create(Createtype4::Dir, "once", Fattr4::default());
    assert_eq!(world.client.call_bare(create).await.unwrap().status(), NfsStat4::Exist);
    slot.done(true);
}

/// RFC 8881 §2.10.6.1, §18.46.3: sequence IDs and slots that are not due.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_out_of_sequence_is_refused(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let slot = world.client.session().unwrap().slot().await.unwrap();
    let good = slot.sequence(false);
    let mut skipped = good;
    skipped.sequenceid += 1;
    let mut no_slot = good;
    (no_slot.slotid, no_slot.highest_slotid) = (100_000, 100_000);
    let mut no_session = good;
    no_session.sessionid.0[3] ^= 0x55;
    for (sequence, expected) in [
        (skipped, NfsStat4::SeqMisordered),
        (no_slot, NfsStat4::Badslot),
        (no_session, NfsStat4::Badsession),
        (good, NfsStat4::Ok),
    ] {
        let reply = world.client.call_bare(CompoundBuilder::new().sequence(sequence).putrootfh()).await.unwrap();
        assert_eq!(reply.status(), expected);
    }
    slot.done(true);
    // RFC 8881 §2.10.6.4: what needs a session does not go without SEQUENCE.
    let bare = world.client.call_bare(CompoundBuilder::new().putrootfh()).await.unwrap();
    assert_eq!(bare.status(), NfsStat4::OpNotInSession);
}

/// RFC 7530 §9.1.9: an open-owner's last request is answered again from memory; others are out of sequence.
///
/// Operations: OPEN
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_open_of_an_owner_is_answered_again(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let owner = Arc::new(OpenOwner::new("repeats"));
    let how = OpenHow::both().guarded(Attrs { mode: Some(0o644), ..Attrs::default() });
    let args = world.client.open_args(OpenClaim4::Null("file".into()), &owner, &how);
    let open = |seqid| CompoundBuilder::new().putfh(&world.root).open(Open4Args { seqid, ..args.clone() }).getfh();
    let mut first = world.client.call_bare(open(7)).await.unwrap();
    let mut again = world.client.call_bare(open(7)).await.unwrap();
    // GUARDED4 would say NFS4ERR_EXIST, were it executed again.
    assert_eq!(first.results(), again.results());
    let opened = first.open().unwrap();
    assert_eq!((opened.stateid, first.getfh().unwrap()), (again.open().unwrap().stateid, again.getfh().unwrap()));

    // Only a confirmed owner is held to its sequence (RFC 7530 §16.18.5).
    let handle = world.client.lookup(&world.root, "file").await.unwrap().handle;
    let mut next = 8;
    if opened.rflags & OPEN4_RESULT_CONFIRM != 0 {
        let confirm = OpenConfirm4Args { open_stateid: opened.stateid, seqid: next };
        let confirm = CompoundBuilder::new().putfh(&handle).op(NfsArgop4::OpenConfirm(confirm));
        let first = world.client.call_bare(confirm.clone()).await.unwrap();
        assert_eq!(first.status(), NfsStat4::Ok);
        assert_eq!(first.results(), world.client.call_bare(confirm).await.unwrap().results());
        next += 1;
    }
    assert_eq!(status(world.client.call_bare(open(next + 1)).await.unwrap().open()), NfsStat4::BadSeqid);
    assert_eq!(status(world.client.call_bare(open(next)).await.unwrap().open()), NfsStat4::Exist);
}
