//! The clients and sessions of 4.1 and later, but for SEQUENCE: EXCHANGE_ID, CREATE_SESSION, BIND_CONN_TO_SESSION,
//! BACKCHANNEL_CTL, SET_SSV, DESTROY_SESSION, DESTROY_CLIENTID, RECLAIM_COMPLETE, TEST_STATEID, FREE_STATEID.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    BackchannelCtl4Args, BackchannelCtl4Res, BindConnToSession4Args, BindConnToSession4Res, BindConnToSession4Resok,
    CallbackSecParms4, CreateSession4Args, CreateSession4Res, CreateSession4Resok, DestroyClientid4Args,
    DestroyClientid4Res, DestroySession4Args, DestroySession4Res, EXCHGID4_FLAG_BIND_PRINC_STATEID,
    EXCHGID4_FLAG_CONFIRMED_R, EXCHGID4_FLAG_MASK_PNFS, EXCHGID4_FLAG_SUPP_FENCE_OPS, EXCHGID4_FLAG_SUPP_MOVED_MIGR,
    EXCHGID4_FLAG_SUPP_MOVED_REFER, EXCHGID4_FLAG_UPD_CONFIRMED_REC_A, EXCHGID4_FLAG_USE_NON_PNFS, ExchangeId4Args,
    ExchangeId4Res, ExchangeId4Resok, FreeStateid4Args, FreeStateid4Res, NfsImplId4, NfsStat4, Nfstime4,
    ReclaimComplete4Args, ReclaimComplete4Res, ServerOwner4, SetSsv4Res, StateProtect4A, StateProtect4R,
    TestStateid4Args, TestStateid4Res, TestStateid4Resok,
};

use super::context::CompoundContext;
use super::service::DEPLOYMENT_ID_BYTES_MAX;
use crate::state::{ClientId, CreateSession, ExchangeId};

/// The most bytes of the result of EXCHANGE_ID: owner and scope, and the rest with the implementation's name.
pub(super) const EXCHANGE_ID_REPLY_BYTES_MAX: usize = 2 * DEPLOYMENT_ID_BYTES_MAX + 256;

/// The flags a client may send (RFC 8881 §18.35.3, RFC 7862 §14.1).
const EXCHANGE_ID_FLAGS: u32 = EXCHGID4_FLAG_SUPP_MOVED_REFER
    | EXCHGID4_FLAG_SUPP_MOVED_MIGR
    | EXCHGID4_FLAG_SUPP_FENCE_OPS
    | EXCHGID4_FLAG_BIND_PRINC_STATEID
    | EXCHGID4_FLAG_MASK_PNFS
    | EXCHGID4_FLAG_UPD_CONFIRMED_REC_A;

/// What the server is, for the client's logs (RFC 8881 §3.3.21).
const IMPLEMENTATION_NAME: &str = concat!("hafiz-nfs-gateway ", env!("CARGO_PKG_VERSION"));

/// EXCHANGE_ID (RFC 8881 §18.35).
pub(super) fn exchange_id(cx: &CompoundContext, args: ExchangeId4Args) -> ExchangeId4Res {
    if args.flags & !EXCHANGE_ID_FLAGS != 0 {
        return Err(NfsStat4::Inval);
    }
    match &args.state_protect {
        // A machine credential is one of RPCSEC_GSS, which is not offered: clients take SP4_NONE for an answer.
        StateProtect4A::None | StateProtect4A::MachCred(_) => {}
        StateProtect4A::Ssv(parms) if parms.hash_algs.is_empty() || parms.encr_algs.is_empty() || parms.window == 0 => {
            return Err(NfsStat4::Inval);
        }
        StateProtect4A::Ssv(_) => return Err(NfsStat4::HashAlgUnsupp),
    }
    let request = ExchangeId {
        verifier: args.clientowner.verifier,
        owner: &args.clientowner.ownerid,
        update: args.flags & EXCHGID4_FLAG_UPD_CONFIRMED_REC_A != 0,
        principal: cx.principal(),
    };
    let known = cx.service().state(|state, now| state.exchange_id(request, now))?;
    let confirmed = if known.confirmed { EXCHGID4_FLAG_CONFIRMED_R } else { 0 };
    let deployment = Bytes::copy_from_slice(cx.settings().deployment_id.as_bytes());
    Ok(ExchangeId4Resok {
        clientid: known.clientid.0,
        sequenceid: known.sequence,
        flags: EXCHGID4_FLAG_USE_NON_PNFS | confirmed,
        state_protect: StateProtect4R::None,
        server_owner: ServerOwner4 { minor_id: 0, major_id: deployment.clone() },
        server_scope: deployment,
        server_impl_id: Some(NfsImplId4 {
            domain: Bytes::new(),
            name: Bytes::from_static(IMPLEMENTATION_NAME.as_bytes()),
            date: Nfstime4::default(),
        }),
    })
}

/// CREATE_SESSION (RFC 8881 §18.36).
pub(super) fn create_session(cx: &CompoundContext, args: CreateSession4Args) -> CreateSession4Res {
    let request = CreateSession {
        clientid: ClientId(args.clientid),
        sequence: args.sequence,
        flags: args.flags,
        fore: args.fore_chan_attrs,
        back: args.back_chan_attrs,
        gss_callbacks: names_gss(&args.sec_parms),
        principal: cx.principal(),
        connection: cx.connection(),
    };
    let created = cx.service().state(|state, now| state.create_session(request, now))?;
    Ok(CreateSession4Resok {
        sessionid: created.sessionid,
        sequence: created.sequence,
        flags: created.flags,
        fore_chan_attrs: created.fore,
        back_chan_attrs: created.back,
    })
}

/// BIND_CONN_TO_SESSION (RFC 8881 §18.34).
pub(super) fn bind_conn_to_session(cx: &CompoundContext, args: BindConnToSession4Args) -> BindConnToSession4Res {
    let dir = cx.service().state(|state, _| state.bind_conn_to_session(&args.sessid, args.dir, cx.connection()))?;
    Ok(BindConnToSession4Resok { sessid: args.sessid, dir, use_conn_in_rdma_mode: false })
}

/// BACKCHANNEL_CTL (RFC 8881 §18.33). Nothing is recalled so far, so there is nobody to call back; what would make the
/// call fail is told all the same.
pub(super) fn backchannel_ctl(cx: &CompoundContext, args: BackchannelCtl4Args) -> BackchannelCtl4Res {
    cx.session_client()?;
    // RPCSEC_GSS is not offered: no handle is known.
    if names_gss(&args.sec_parms) { Err(NfsStat4::Noent) } else { Ok(()) }
}

/// Whether a credential for callbacks is an RPCSEC_GSS context.
fn names_gss(credentials: &[CallbackSecParms4]) -> bool {
    credentials.iter().any(|parms| matches!(parms, CallbackSecParms4::Gss(_)))
}

/// SET_SSV (RFC 8881 §18.47.3): only for clients with SP4_SSV, which EXCHANGE_ID grants to nobody.
pub(super) fn set_ssv(cx: &CompoundContext) -> SetSsv4Res {
    cx.session_client()?;
    Err(NfsStat4::Inval)
}

/// DESTROY_SESSION (RFC 8881 §18.37). The session of the request itself can only end with it.
pub(super) fn destroy_session(cx: &CompoundContext, args: DestroySession4Args) -> DestroySession4Res {
    if cx.is_in_session(&args.sessionid) && !cx.is_last() {
        return Err(NfsStat4::NotOnlyOp);
    }
    cx.service().state(|state, _| state.destroy_session(&args.sessionid, cx.connection()))
}

/// DESTROY_CLIENTID (RFC 8881 §18.50).
pub(super) fn destroy_clientid(cx: &CompoundContext, args: DestroyClientid4Args) -> DestroyClientid4Res {
    let client = ClientId(args.clientid);
    if cx.session_client() == Ok(client) {
        return Err(NfsStat4::ClientidBusy);
    }
    cx.service().state(|state, now| state.destroy_clientid(client, now))
}

/// RECLAIM_COMPLETE (RFC 8881 §18.51).
pub(super) fn reclaim_complete(cx: &CompoundContext, args: ReclaimComplete4Args) -> ReclaimComplete4Res {
    if args.one_fs && !cx.has_current() {
        return Err(NfsStat4::Nofilehandle);
    }
    let client = cx.session_client()?;
    cx.service().state(|state, now| state.reclaim_complete(client, args.one_fs, now))
}

/// TEST_STATEID (RFC 8881 §18.48).
pub(super) fn test_stateid(cx: &CompoundContext, args: &TestStateid4Args) -> TestStateid4Res {
    let client = cx.session_client()?;
    let status_codes = cx
        .service()
        .state(|state, _| args.stateids.iter().map(|stateid| state.test_stateid(client, stateid)).collect());
    Ok(TestStateid4Resok { status_codes })
}

/// FREE_STATEID (RFC 8881 §18.38).
pub(super) fn free_stateid(cx: &CompoundContext, args: FreeStateid4Args) -> FreeStateid4Res {
    let client = cx.session_client()?;
    let stateid = cx.stateid(args.stateid)?;
    cx.service().state(|state, _| state.free_stateid(client, &stateid))
}
