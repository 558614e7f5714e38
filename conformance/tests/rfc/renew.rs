//! Operations: RENEW

use std::time::{Duration, Instant};

use conformance::Target::{Embedded, Remote};
use conformance::{BedOptions, Target, World, rfc};
use nfs_client_sim::{Client, ClientOptions, CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use rstest::rstest;

/// RFC 7530 §16.28: a client shows that it lives; one that nobody knows cannot.
#[rstest]
fn a_client_shows_that_it_lives(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let clientid = scene.client.clientid();
        scene.ok(CompoundBuilder::new().renew(clientid)).await;
        for unknown in [0, clientid ^ 0x5a5a_0000_0000_0000, u64::MAX] {
            scene.fails(CompoundBuilder::new().renew(unknown), NfsStat4::StaleClientid).await;
        }
    });
}

/// RFC 8881 §15.2: SEQUENCE renews.
#[rstest]
fn renew_is_gone(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.fails(CompoundBuilder::new().renew(scene.client.clientid()), NfsStat4::Notsupp).await;
    });
}

/// RFC 7530 §9.5 and §9.6.3: what a client denies whose lease ran out denies nothing any more, and it is told so.
///
/// Operations: RENEW, OPEN, READ, CLOSE
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_ran_out_denies_nothing(#[values(Embedded)] target: Target, #[values(0)] minor: u32) {
    let options = BedOptions { lease: Duration::from_secs(1), ..BedOptions::default() };
    let Some(world) = World::with(target, minor, &options).await else { return };
    world.put("file", "x").await;
    let silent = ClientOptions { renew: false, ..ClientOptions::default() };
    let silent = Client::connect(world.bed.addr(), minor, silent).await.unwrap();
    let file = silent.open(&world.root, "file", OpenHow::read().deny(OPEN4_SHARE_DENY_BOTH)).await.unwrap();
    let began = Instant::now();
    while let Err(error) = world.client.open(&world.root, "file", OpenHow::both()).await {
        assert_eq!(error.status(), Some(NfsStat4::ShareDenied));
        assert!(began.elapsed() < Duration::from_secs(60), "the lease does not run out");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let read = file.read_at(0, 1).await.unwrap_err();
    assert_eq!(read.status(), Some(NfsStat4::Expired));
    let renewed = silent.call(CompoundBuilder::new().renew(silent.clientid())).await.unwrap().status();
    assert!(matches!(renewed, NfsStat4::Expired | NfsStat4::StaleClientid), "{renewed}");
}
