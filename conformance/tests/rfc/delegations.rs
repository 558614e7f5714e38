//! Operations: WANT_DELEGATION, GET_DIR_DELEGATION

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs4_protocol::nfs4::{
    Bitmap4, DelegClaim4, GetDirDelegation4Args, GetDirDelegation4ResNonFatal, NfsArgop4, NfsResop4, NfsStat4,
    Nfstime4, OPEN4_SHARE_ACCESS_WANT_ANY_DELEG, OpenDelegation4, WantDelegation4Args,
};
use rstest::rstest;

use crate::optional::offered;

fn want(want: u32) -> NfsArgop4 {
    NfsArgop4::WantDelegation(Box::new(WantDelegation4Args { want, claim: DelegClaim4::Fh }))
}

/// RFC 8881 §18.49.3: a server without it says so; another gives a delegation or tells why not, and wants to hear a wish.
#[rstest]
fn a_wanted_delegation_or_a_reason(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "").await;
        let Some(reply) = offered(scene, &file, want(OPEN4_SHARE_ACCESS_WANT_ANY_DELEG)).await else { return };
        let Some(NfsResop4::WantDelegation(result)) = reply.results().back() else { panic!("{reply:?}") };
        assert!(!matches!(**result, Ok(OpenDelegation4::None)), "{result:?}");
        assert_eq!(offered(scene, &file, want(0)).await.unwrap().status(), NfsStat4::Inval);
    });
}

/// RFC 8881 §18.39: a server without it says so; another may have no delegation for now.
#[rstest]
fn a_delegation_of_a_directory_or_none_for_now(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    let get = || {
        NfsArgop4::GetDirDelegation(Box::new(GetDirDelegation4Args {
            signal_deleg_avail: false,
            notification_types: Bitmap4::new(),
            child_attr_delay: Nfstime4::default(),
            dir_attr_delay: Nfstime4::default(),
            child_attributes: Bitmap4::new(),
            dir_attributes: Bitmap4::new(),
        }))
    };
    rfc(target, minor, async |scene| {
        let Some(reply) = offered(scene, &scene.root, get()).await else { return };
        let Some(NfsResop4::GetDirDelegation(result)) = reply.results().back() else { panic!("{reply:?}") };
        let fits =
            matches!(**result, Ok(GetDirDelegation4ResNonFatal::Unavail(false) | GetDirDelegation4ResNonFatal::Ok(_)));
        assert!(fits, "{result:?}");
        let file = scene.file("file", "").await;
        assert_eq!(offered(scene, &file, get()).await.unwrap().status(), NfsStat4::Notdir);
    });
}
