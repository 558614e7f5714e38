//! Operations: BACKCHANNEL_CTL

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::{
    BackchannelCtl4Args, CallbackSecParms4, GssCbHandles4, NfsArgop4, NfsStat4, OpNum, RpcGssSvc,
};
use nfs4_protocol::rpc::AuthSysParms;
use nfs4_protocol::xdr::Encoder;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::done;

fn control(sec_parms: Vec<CallbackSecParms4>) -> CompoundBuilder {
    let args = BackchannelCtl4Args { cb_program: 0x4000_0001, sec_parms };
    CompoundBuilder::new().op(NfsArgop4::BackchannelCtl(Box::new(args)))
}

fn sys() -> CallbackSecParms4 {
    let machinename = "machine".into();
    CallbackSecParms4::Sys(AuthSysParms { stamp: 1, machinename, uid: 0, gid: 0, gids: Vec::new() })
}

/// RFC 8881 §18.33.3: a new program and new credentials.
#[rstest]
fn program_and_credentials_change(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for sec_parms in [vec![CallbackSecParms4::None], vec![sys()], vec![sys(), CallbackSecParms4::None]] {
            scene.ok(control(sec_parms)).await;
        }
    });
}

/// RFC 8881 §18.33.3: an RPCSEC_GSS handle that the server did not give out.
#[rstest]
fn an_unknown_rpcsec_gss_handle_is_noent(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let gss = CallbackSecParms4::Gss(GssCbHandles4 {
            service: RpcGssSvc::None,
            handle_from_server: "no such handle".into(),
            handle_from_client: "mine".into(),
        });
        scene.fails(control(vec![sys(), gss]), NfsStat4::Noent).await;
    });
}

/// RFC 8881 §15.1.1.1: a flavour that callbacks cannot have.
#[rstest]
fn an_unknown_flavour_is_badxdr(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let mut e = Encoder::new();
        [OpNum::BackchannelCtl.as_u32(), 0x4000_0001, 1, 99].into_iter().for_each(|word| e.u32(word));
        let reply = scene.call_encoded(&[e.finish_contiguous()]).await.unwrap();
        assert_eq!(done(&reply), [(OpNum::BackchannelCtl, NfsStat4::Badxdr)]);
    });
}
