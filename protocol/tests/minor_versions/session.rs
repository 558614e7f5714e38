//! Sessions, client identities, stateids and delegations of 4.1.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::AuthSysParms;
use nfs4_protocol::xdr::{XdrError, from_bytes};

use crate::check::{Wire, bits, limited, no_such, same, sessionid, stateid, time, verifier};

fn impl_id() -> NfsImplId4 {
    NfsImplId4 { domain: Bytes::from_static(b"example.org"), name: Bytes::from_static(b"gateway 1"), date: time(9) }
}

fn impl_id_wire(wire: Wire) -> Wire {
    wire.opaque(b"example.org").opaque(b"gateway 1").time(9)
}

fn protect_ops() -> StateProtectOps4 {
    StateProtectOps4 { must_enforce: bits(&[1, 42]), must_allow: bits(&[4]) }
}

fn protect_ops_wire(wire: Wire) -> Wire {
    wire.u32(2).u32(1 << 1).u32(1 << 10).u32(1).u32(1 << 4)
}

fn exchange_id_args(state_protect: StateProtect4A, client_impl_id: Option<NfsImplId4>) -> ExchangeId4Args {
    let clientowner = ClientOwner4 { verifier: verifier(3), ownerid: Bytes::from_static(b"client") };
    let flags = EXCHGID4_FLAG_SUPP_MOVED_REFER | EXCHGID4_FLAG_BIND_PRINC_STATEID;
    ExchangeId4Args { clientowner, flags, state_protect, client_impl_id }
}

fn exchange_id_head() -> Wire {
    Wire::new().fixed(&[3; 8]).opaque(b"client").u32(0x101)
}

#[test]
fn exchange_id_args_in_every_form() {
    same(&exchange_id_args(StateProtect4A::None, None), exchange_id_head().u32(0).u32(0));
    same(
        &exchange_id_args(StateProtect4A::MachCred(protect_ops()), Some(impl_id())),
        impl_id_wire(protect_ops_wire(exchange_id_head().u32(1)).u32(1)),
    );
    let ssv = SsvSpParms4 {
        ops: protect_ops(),
        hash_algs: vec![SecOid4(Bytes::from_static(b"h1")), SecOid4(Bytes::from_static(b"h2"))],
        encr_algs: vec![SecOid4(Bytes::from_static(b"e"))],
        window: 5,
        num_gss_handles: 6,
    };
    let wire = protect_ops_wire(exchange_id_head().u32(2)).u32(2).opaque(b"h1").opaque(b"h2");
    same(&exchange_id_args(StateProtect4A::Ssv(ssv), None), wire.u32(1).opaque(b"e").u32(5).u32(6).u32(0));
}

#[test]
fn exchange_id_results() {
    let resok = ExchangeId4Resok {
        clientid: 0x0102,
        sequenceid: 7,
        flags: EXCHGID4_FLAG_CONFIRMED_R | EXCHGID4_FLAG_USE_NON_PNFS,
        state_protect: StateProtect4R::None,
        server_owner: ServerOwner4 { minor_id: 8, major_id: Bytes::from_static(b"major") },
        server_scope: Bytes::from_static(b"scope"),
        server_impl_id: Some(impl_id()),
    };
    let head = Wire::new().u32(0).u64(0x0102).u32(7).u32(0x8001_0000);
    let tail = impl_id_wire(Wire::new().u64(8).opaque(b"major").opaque(b"scope").u32(1));
    same(&ExchangeId4Res::Ok(resok.clone()), head.clone().u32(0).then(tail.clone()));

    let mach = ExchangeId4Resok { state_protect: StateProtect4R::MachCred(protect_ops()), ..resok.clone() };
    same(&ExchangeId4Res::Ok(mach), protect_ops_wire(head.clone().u32(1)).then(tail.clone()));

    let info = SsvProtInfo4 {
        ops: protect_ops(),
        hash_alg: 1,
        encr_alg: 2,
        ssv_len: 32,
        window: 3,
        handles: vec![GssHandle4(Bytes::from_static(b"handle"))],
    };
    let ssv = ExchangeId4Resok { state_protect: StateProtect4R::Ssv(info), ..resok };
    let wire = protect_ops_wire(head.u32(2)).u32(1).u32(2).u32(32).u32(3).u32(1).opaque(b"handle");
    same(&ExchangeId4Res::Ok(ssv), wire.then(tail));

    same(&ExchangeId4Res::Err(NfsStat4::ClidInuse), Wire::new().u32(10017));
}

#[test]
fn exchange_id_takes_one_implementation_at_most() {
    let two = impl_id_wire(impl_id_wire(exchange_id_head().u32(0).u32(2)));
    assert_eq!(from_bytes::<ExchangeId4Args>(two.bytes()), Err(XdrError::BadBool(2)));
}

#[test]
fn exchange_id_limits() {
    limited::<ExchangeId4Args>(&Wire::new().fixed(&[0; 8]), NFS4_OPAQUE_LIMIT);
    limited::<ExchangeId4Args>(&exchange_id_head().u32(1), BITMAP_WORDS_MAX);
    limited::<ExchangeId4Args>(&exchange_id_head().u32(0).u32(1), IMPL_ID_MAX);
    limited::<ExchangeId4Args>(&exchange_id_head().u32(0).u32(1).opaque(b"d"), IMPL_ID_MAX);
    let ssv = protect_ops_wire(exchange_id_head().u32(2));
    limited::<ExchangeId4Args>(&ssv, SSV_ALGS_MAX);
    limited::<ExchangeId4Args>(&ssv.clone().u32(0), SSV_ALGS_MAX);
    limited::<SecOid4>(&Wire::new(), SEC_OID_MAX);
    let granted = protect_ops_wire(Wire::new()).u32(0).u32(0).u32(0).u32(0);
    limited::<SsvProtInfo4>(&granted, SSV_HANDLES_MAX);
    limited::<GssHandle4>(&Wire::new(), GSS_HANDLE_MAX);
    limited::<ServerOwner4>(&Wire::new().u64(0), NFS4_OPAQUE_LIMIT);
    let head = Wire::new().u64(0).u32(0).u32(0).u32(0).u64(0).opaque(b"");
    limited::<ExchangeId4Resok>(&head, NFS4_OPAQUE_LIMIT);
}

fn channel(first: u32, rdma_ird: Option<u32>) -> ChannelAttrs4 {
    ChannelAttrs4 {
        headerpadsize: first,
        maxrequestsize: first + 1,
        maxresponsesize: first + 2,
        maxresponsesize_cached: first + 3,
        maxoperations: first + 4,
        maxrequests: first + 5,
        rdma_ird,
    }
}

fn channel_wire(wire: Wire, first: u32) -> Wire {
    (first..first + 6).fold(wire, Wire::u32)
}

fn sec_parms() -> Vec<CallbackSecParms4> {
    let sys = AuthSysParms { stamp: 1, machinename: Bytes::from_static(b"host"), uid: 2, gid: 3, gids: vec![4, 5] };
    let gss = GssCbHandles4 {
        service: RpcGssSvc::Privacy,
        handle_from_server: Bytes::from_static(b"server"),
        handle_from_client: Bytes::from_static(b"client"),
    };
    vec![CallbackSecParms4::None, CallbackSecParms4::Sys(sys), CallbackSecParms4::Gss(gss)]
}

fn sec_parms_wire(wire: Wire) -> Wire {
    let sys = wire.u32(3).u32(0).u32(1).u32(1).opaque(b"host").u32(2).u32(3).u32(2).u32(4).u32(5);
    sys.u32(6).u32(3).opaque(b"server").opaque(b"client")
}

#[test]
fn create_session() {
    let args = CreateSession4Args {
        clientid: 77,
        sequence: 8,
        flags: CREATE_SESSION4_FLAG_PERSIST | CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
        fore_chan_attrs: channel(10, None),
        back_chan_attrs: channel(20, Some(99)),
        cb_program: 0x4000_0000,
        sec_parms: sec_parms(),
    };
    let channels = channel_wire(channel_wire(Wire::new(), 10).u32(0), 20).u32(1).u32(99);
    let head = Wire::new().u64(77).u32(8).u32(3).then(channels.clone());
    same(&args, sec_parms_wire(head.u32(0x4000_0000)));

    let resok = CreateSession4Resok {
        sessionid: sessionid(4),
        sequence: 8,
        flags: CREATE_SESSION4_FLAG_CONN_RDMA,
        fore_chan_attrs: channel(10, None),
        back_chan_attrs: channel(20, Some(99)),
    };
    same(&CreateSession4Res::Ok(resok), Wire::new().u32(0).fixed(&[4; 16]).u32(8).u32(4).then(channels));
    same(&CreateSession4Res::Err(NfsStat4::SeqMisordered), Wire::new().u32(10063));
}

#[test]
fn back_channel_control_and_its_limits() {
    let args = BackchannelCtl4Args { cb_program: 5, sec_parms: sec_parms() };
    same(&args, sec_parms_wire(Wire::new().u32(5)));
    same(&BackchannelCtl4Res::Ok(()), Wire::new().u32(0));
    limited::<BackchannelCtl4Args>(&Wire::new().u32(5), CALLBACK_SEC_PARMS_MAX);
    limited::<CallbackSecParms4>(&Wire::new().u32(6).u32(1), GSS_HANDLE_MAX);
    limited::<CallbackSecParms4>(&Wire::new().u32(6).u32(1).opaque(b""), GSS_HANDLE_MAX);
    no_such::<CallbackSecParms4>(2);
    let head = channel_wire(channel_wire(Wire::new().u64(1).u32(1).u32(0), 1).u32(0), 1).u32(0).u32(0);
    limited::<CreateSession4Args>(&head, CALLBACK_SEC_PARMS_MAX);
}

#[test]
fn bind_conn_to_session() {
    let args = BindConnToSession4Args {
        sessid: sessionid(6),
        dir: ChannelDirFromClient4::BackOrBoth,
        use_conn_in_rdma_mode: true,
    };
    same(&args, Wire::new().fixed(&[6; 16]).u32(7).u32(1));
    let resok = BindConnToSession4Resok {
        sessid: sessionid(6),
        dir: ChannelDirFromServer4::Both,
        use_conn_in_rdma_mode: false,
    };
    same(&BindConnToSession4Res::Ok(resok), Wire::new().u32(0).fixed(&[6; 16]).u32(3).u32(0));
    no_such::<ChannelDirFromClient4>(4);
    no_such::<ChannelDirFromServer4>(0);
}

#[test]
fn sequence() {
    let args = Sequence4Args { sessionid: sessionid(1), sequenceid: 2, slotid: 3, highest_slotid: 4, cachethis: true };
    same(&args, Wire::new().fixed(&[1; 16]).u32(2).u32(3).u32(4).u32(1));
    let resok = Sequence4Resok {
        sessionid: sessionid(1),
        sequenceid: 2,
        slotid: 3,
        highest_slotid: 4,
        target_highest_slotid: 5,
        status_flags: SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_DEVID_DELETED,
    };
    let wire = Wire::new().u32(0).fixed(&[1; 16]).u32(2).u32(3).u32(4).u32(5).u32(0x1001);
    same(&Sequence4Res::Ok(resok), wire);
    same(&Sequence4Res::Err(NfsStat4::Badsession), Wire::new().u32(10052));
}

#[test]
fn set_ssv() {
    let args = SetSsv4Args { ssv: Bytes::from_static(b"verifier"), digest: Bytes::from_static(b"digest") };
    same(&args, Wire::new().opaque(b"verifier").opaque(b"digest"));
    let resok = SetSsv4Resok { digest: Bytes::from_static(b"proof") };
    same(&SetSsv4Res::Ok(resok), Wire::new().u32(0).opaque(b"proof"));
    limited::<SetSsv4Args>(&Wire::new(), SSV_MAX);
    limited::<SetSsv4Args>(&Wire::new().opaque(b"x"), SSV_MAX);
    limited::<SetSsv4Resok>(&Wire::new(), SSV_MAX);
}

#[test]
fn operations_that_end_something() {
    same(&DestroySession4Args { sessionid: sessionid(2) }, Wire::new().fixed(&[2; 16]));
    same(&DestroySession4Res::Ok(()), Wire::new().u32(0));
    same(&DestroyClientid4Args { clientid: 9 }, Wire::new().u64(9));
    same(&DestroyClientid4Res::Err(NfsStat4::ClientidBusy), Wire::new().u32(10074));
    same(&ReclaimComplete4Args { one_fs: true }, Wire::new().u32(1));
    same(&ReclaimComplete4Res::Err(NfsStat4::CompleteAlready), Wire::new().u32(10054));
    same(&FreeStateid4Args { stateid: stateid(3) }, Wire::new().stateid(3));
    same(&FreeStateid4Res::Err(NfsStat4::LocksHeld), Wire::new().u32(10037));
}

#[test]
fn test_stateid() {
    let args = TestStateid4Args { stateids: vec![stateid(1), stateid(2)] };
    same(&args, Wire::new().u32(2).stateid(1).stateid(2));
    let resok = TestStateid4Resok { status_codes: vec![NfsStat4::Ok, NfsStat4::BadStateid] };
    same(&TestStateid4Res::Ok(resok), Wire::new().u32(0).u32(2).u32(0).u32(10025));
    limited::<TestStateid4Args>(&Wire::new(), TEST_STATEIDS_MAX);
    limited::<TestStateid4Resok>(&Wire::new(), TEST_STATEIDS_MAX);
}

#[test]
fn secinfo_no_name() {
    same::<SecinfoNoName4Args>(&SecinfoStyle4::Parent, Wire::new().u32(1));
    no_such::<SecinfoNoName4Args>(2);
    let resok = Secinfo4Resok { flavors: vec![Secinfo4::Flavor(1)] };
    same(&SecinfoNoName4Res::Ok(resok), Wire::new().u32(0).u32(1).u32(1));
}

#[test]
fn get_dir_delegation() {
    let args = GetDirDelegation4Args {
        signal_deleg_avail: true,
        notification_types: bits(&[NotifyType4::AddEntry.as_u32()]),
        child_attr_delay: time(1),
        dir_attr_delay: time(2),
        child_attributes: bits(&[1]),
        dir_attributes: bits(&[33]),
    };
    let wire = Wire::new().u32(1).u32(1).u32(8).time(1).time(2).u32(1).u32(2).u32(2).u32(0).u32(2);
    same(&args, wire);
    let resok = GetDirDelegation4Resok {
        cookieverf: verifier(5),
        stateid: stateid(6),
        notification: bits(&[0]),
        child_attributes: bits(&[1]),
        dir_attributes: bits(&[2]),
    };
    let wire = Wire::new().u32(0).u32(0).fixed(&[5; 8]).stateid(6).u32(1).u32(1).u32(1).u32(2).u32(1).u32(4);
    same(&GetDirDelegation4Res::Ok(GetDirDelegation4ResNonFatal::Ok(resok)), wire);
    let unavail = GetDirDelegation4ResNonFatal::Unavail(true);
    same(&GetDirDelegation4Res::Ok(unavail), Wire::new().u32(0).u32(1).u32(1));
}

#[test]
fn want_delegation() {
    let args = |claim| WantDelegation4Args { want: OPEN4_SHARE_ACCESS_WANT_READ_DELEG, claim };
    same(&args(DelegClaim4::Fh), Wire::new().u32(0x100).u32(4));
    same(&args(DelegClaim4::DelegPrevFh), Wire::new().u32(0x100).u32(6));
    let previous = DelegClaim4::Previous(OpenDelegationType4::Write);
    same(&args(previous), Wire::new().u32(0x100).u32(1).u32(2));
    no_such::<DelegClaim4>(0);
    let contention = OpenDelegation4::NoneExt(OpenNoneDelegation4::Contention(false));
    same(&WantDelegation4Res::Ok(contention), Wire::new().u32(0).u32(3).u32(1).u32(0));
}
