//! The callback program: every operation inside a CB_COMPOUND.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::{XdrError, from_bytes, to_bytes};

use crate::check::{Wire, bits, fh, limited, no_such, same, sessionid, stateid, verifier};

/// An operation's arguments behind its number.
#[track_caller]
fn args(value: NfsCbArgop4, number: u32, body: Wire) {
    assert_eq!(value.opnum().as_u32(), number);
    same(&value, Wire::new().u32(number).then(body));
}

/// An operation's result behind its number.
#[track_caller]
fn result(value: NfsCbResop4, number: u32, body: Wire) {
    assert_eq!(value.opnum().as_u32(), number);
    same(&value, Wire::new().u32(number).then(body));
}

#[test]
fn operations_of_4_0() {
    let getattr = CbGetattr4Args { fh: fh(b"handle"), attr_request: bits(&[3, 4]) };
    args(NfsCbArgop4::Getattr(getattr), 3, Wire::new().opaque(b"handle").u32(1).u32(0x18));
    let obj_attributes = Fattr4 { attrmask: bits(&[3]), attr_vals: Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 7]) };
    let resok = CbGetattr4Resok { obj_attributes };
    result(NfsCbResop4::Getattr(Ok(resok)), 3, Wire::new().u32(0).u32(1).u32(8).u32(8).u64(7));
    let recall = CbRecall4Args { stateid: stateid(1), truncate: true, fh: fh(b"file") };
    args(NfsCbArgop4::Recall(recall), 4, Wire::new().stateid(1).u32(1).opaque(b"file"));
    result(NfsCbResop4::Recall(Err(NfsStat4::BadStateid)), 4, Wire::new().u32(10025));
    limited::<CbGetattr4Args>(&Wire::new(), NFS4_FHSIZE);
}

#[test]
fn layout_recall_in_every_form() {
    let recall = |recall| {
        let layout = CbLayoutrecall4Args { layout_type: 4, iomode: Layoutiomode4::Any, changed: true, recall };
        NfsCbArgop4::Layoutrecall(layout)
    };
    let head = Wire::new().u32(4).u32(3).u32(1);
    let file = LayoutrecallFile4 { fh: fh(b"f"), offset: 1, length: 2, stateid: stateid(3) };
    let wire = head.clone().u32(1).opaque(b"f").u64(1).u64(2).stateid(3);
    args(recall(Layoutrecall4::File(file)), 5, wire);
    let fsid = Fsid4 { major: 8, minor: 9 };
    args(recall(Layoutrecall4::Fsid(fsid)), 5, head.clone().u32(2).u64(8).u64(9));
    args(recall(Layoutrecall4::All), 5, head.u32(3));
    result(NfsCbResop4::Layoutrecall(Err(NfsStat4::NomatchingLayout)), 5, Wire::new().u32(10060));
    no_such::<Layoutrecall4>(4);
}

#[test]
fn notifications() {
    let change = Notify4 { mask: bits(&[1]), vals: Bytes::from_static(b"vals") };
    let change_wire = Wire::new().u32(1).u32(1).u32(2).opaque(b"vals");
    let notify = CbNotify4Args { stateid: stateid(1), fh: fh(b"dir"), changes: vec![change.clone()] };
    let head = Wire::new().stateid(1).opaque(b"dir");
    args(NfsCbArgop4::Notify(notify), 6, head.clone().then(change_wire.clone()));
    result(NfsCbResop4::Notify(Ok(())), 6, Wire::new().u32(0));
    let devices = CbNotifyDeviceid4Args { changes: vec![change] };
    args(NfsCbArgop4::NotifyDeviceid(devices), 14, change_wire);
    result(NfsCbResop4::NotifyDeviceid(Ok(())), 14, Wire::new().u32(0));
    limited::<CbNotify4Args>(&head, NOTIFICATIONS_MAX);
    limited::<CbNotifyDeviceid4Args>(&Wire::new(), NOTIFICATIONS_MAX);
}

#[test]
fn wants_and_recallable_objects() {
    let push = CbPushDeleg4Args { fh: fh(b"f"), delegation: OpenDelegation4::None };
    args(NfsCbArgop4::PushDeleg(push), 7, Wire::new().opaque(b"f").u32(0));
    result(NfsCbResop4::PushDeleg(Err(NfsStat4::RejectDeleg)), 7, Wire::new().u32(10085));
    let any = CbRecallAny4Args { objects_to_keep: 5, type_mask: bits(&[RCA4_TYPE_MASK_DIR_DLG]) };
    let wire = Wire::new().u32(5).u32(1).u32(4);
    args(NfsCbArgop4::RecallAny(any.clone()), 8, wire.clone());
    result(NfsCbResop4::RecallAny(Ok(())), 8, Wire::new().u32(0));
    args(NfsCbArgop4::RecallableObjAvail(any), 9, wire);
    result(NfsCbResop4::RecallableObjAvail(Ok(())), 9, Wire::new().u32(0));
    let cancelled = CbWantsCancelled4Args { contended_wants_cancelled: true, resourced_wants_cancelled: false };
    args(NfsCbArgop4::WantsCancelled(cancelled), 12, Wire::new().u32(1).u32(0));
    result(NfsCbResop4::WantsCancelled(Err(NfsStat4::Notsupp)), 12, Wire::new().u32(10004));
    let lock_owner = LockOwner4 { clientid: 6, owner: Bytes::from_static(b"owner") };
    let lock = CbNotifyLock4Args { fh: fh(b"f"), lock_owner };
    args(NfsCbArgop4::NotifyLock(lock), 13, Wire::new().opaque(b"f").u64(6).opaque(b"owner"));
    result(NfsCbResop4::NotifyLock(Ok(())), 13, Wire::new().u32(0));
}

#[test]
fn slots_of_the_back_channel() {
    let slot = CbRecallSlot4Args { target_highest_slotid: 6 };
    args(NfsCbArgop4::RecallSlot(slot), 10, Wire::new().u32(6));
    result(NfsCbResop4::RecallSlot(Err(NfsStat4::BadHighSlot)), 10, Wire::new().u32(10077));
    let calls = vec![ReferringCall4 { sequenceid: 5, slotid: 6 }];
    let sequence = CbSequence4Args {
        sessionid: sessionid(1),
        sequenceid: 2,
        slotid: 3,
        highest_slotid: 4,
        cachethis: false,
        referring_call_lists: vec![ReferringCallList4 { sessionid: sessionid(7), referring_calls: calls }],
    };
    let head = Wire::new().fixed(&[1; 16]).u32(2).u32(3).u32(4).u32(0);
    let wire = head.clone().u32(1).fixed(&[7; 16]).u32(1).u32(5).u32(6);
    args(NfsCbArgop4::Sequence(sequence), 11, wire);
    let resok = CbSequence4Resok {
        sessionid: sessionid(1),
        sequenceid: 2,
        slotid: 3,
        highest_slotid: 4,
        target_highest_slotid: 5,
    };
    let wire = Wire::new().u32(0).fixed(&[1; 16]).u32(2).u32(3).u32(4).u32(5);
    result(NfsCbResop4::Sequence(Ok(resok)), 11, wire);
    limited::<CbSequence4Args>(&head, REFERRING_CALL_LISTS_MAX);
    limited::<ReferringCallList4>(&Wire::new().fixed(&[7; 16]), REFERRING_CALLS_MAX);
}

#[test]
fn offload_tells_how_a_copy_ended() {
    let offload =
        |offload_info| NfsCbArgop4::Offload(CbOffload4Args { fh: fh(b"f"), stateid: stateid(1), offload_info });
    let head = Wire::new().opaque(b"f").stateid(1);
    let response =
        WriteResponse4 { callback_id: None, count: 2, committed: StableHow4::FileSync, writeverf: verifier(3) };
    let wire = head.clone().u32(0).u32(0).u64(2).u32(2).fixed(&[3; 8]);
    args(offload(OffloadInfo4::Ok(response)), 15, wire);
    let failed = OffloadInfo4::Failed { status: NfsStat4::Nospc, bytes_copied: 4 };
    args(offload(failed), 15, head.u32(28).u64(4));
    result(NfsCbResop4::Offload(Ok(())), 15, Wire::new().u32(0));
}

#[test]
fn a_failed_copy_never_says_ok() {
    let contradiction = OffloadInfo4::Failed { status: NfsStat4::Ok, bytes_copied: 4 };
    assert_eq!(to_bytes(&contradiction), Wire::new().u32(10006).u64(4).bytes());
}

#[test]
fn failed_makes_the_result_of_every_operation() {
    for opnum in NfsCbOpnum4::ALL {
        let failed = NfsCbResop4::failed(*opnum, NfsStat4::Delay);
        assert_eq!((failed.opnum(), failed.status()), (*opnum, NfsStat4::Delay));
        same(&failed, Wire::new().u32(opnum.as_u32()).u32(10008));
    }
}

#[test]
fn minor_versions_of_the_operations() {
    let of = |minor| NfsCbOpnum4::ALL.iter().filter(|op| op.since_minor() == minor).count();
    assert_eq!((of(0), of(1), of(2)), (3, 10, 1));
}

fn recall_slot(slot: u32) -> NfsCbArgop4 {
    NfsCbArgop4::RecallSlot(CbRecallSlot4Args { target_highest_slotid: slot })
}

fn compound(argarray: Vec<NfsCbArgop4>) -> CbCompound4Args {
    CbCompound4Args { tag: Bytes::from_static(b"tag"), minorversion: 1, callback_ident: 2, argarray }
}

fn compound_head() -> Wire {
    Wire::new().opaque(b"tag").u32(1).u32(2)
}

#[test]
fn compound_args_and_results() {
    let wire = compound_head().u32(2).u32(10).u32(5).u32(10).u32(6);
    same(&compound(vec![recall_slot(5), recall_slot(6)]), wire);
    let resarray = vec![NfsCbResop4::RecallSlot(Ok(())), NfsCbResop4::Illegal(Err(NfsStat4::OpIllegal))];
    let res = CbCompound4Res { status: NfsStat4::OpIllegal, tag: Bytes::from_static(b"tag"), resarray };
    same(&res, Wire::new().u32(10044).opaque(b"tag").u32(2).u32(10).u32(0).u32(10044).u32(10044));
}

#[test]
fn compound_args_end_at_an_operation_that_does_not_exist() {
    for number in [0, 2, 16, 10044] {
        let wire = compound_head().u32(3).u32(10).u32(5).u32(number).u32(1234).u32(5678);
        let args: CbCompound4Args = from_bytes(wire.bytes()).unwrap();
        assert_eq!(args, compound(vec![recall_slot(5), NfsCbArgop4::Illegal(number)]));
        assert_eq!(args.argarray[1].opnum(), NfsCbOpnum4::Illegal);
    }
}

#[test]
fn compound_limits() {
    limited::<CbCompound4Args>(&Wire::new(), CB_TAG_MAX);
    limited::<CbCompound4Args>(&compound_head(), CB_OPS_MAX);
    limited::<CbCompound4Res>(&Wire::new().u32(0), CB_TAG_MAX);
    limited::<CbCompound4Res>(&Wire::new().u32(0).opaque(b""), CB_OPS_MAX);
    no_such::<NfsCbResop4>(16);
}

#[test]
fn wrong_boolean_in_an_operation_is_an_error() {
    let wire = compound_head().u32(1).u32(12).u32(1).u32(2);
    assert_eq!(from_bytes::<CbCompound4Args>(wire.bytes()), Err(XdrError::BadBool(2)));
}
