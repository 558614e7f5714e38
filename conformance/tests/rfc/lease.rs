//! Operations: SEQUENCE, EXCHANGE_ID, CREATE_SESSION, RECLAIM_COMPLETE, OPEN

use std::time::Duration;

use conformance::{BedOptions, Target, World, status};
use nfs_client_sim::{Client, ClientOptions, CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{NfsStat4, OPEN4_SHARE_DENY_BOTH, OpenClaim4, OpenDelegationType4};
use pretty_assertions::{assert_eq, assert_ne};
use rstest::rstest;

/// A lease that a test can wait for.
const SHORT_LEASE: Duration = Duration::from_secs(2);

async fn world(minor: u32, lease: Duration) -> World {
    World::with(Target::Embedded, minor, &BedOptions { lease, ..BedOptions::default() }).await.unwrap()
}

/// A client that gives no sign of life of its own accord.
async fn silent(world: &World, minor: u32) -> Client {
    let options = ClientOptions { renew: false, ..ClientOptions::default() };
    Client::connect(world.bed.addr(), minor, options).await.unwrap()
}

/// RFC 8881 §8.4.3: who is silent for longer than the lease is in nobody's way, and is told so.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_client_loses_its_state_to_another(#[values(1, 2)] minor: u32) {
    let world = world(minor, SHORT_LEASE).await;
    world.write("file", "text").await;
    let silent = silent(&world, minor).await;
    let held = silent.open(&world.root, "file", OpenHow::read().deny(OPEN4_SHARE_DENY_BOTH)).await.unwrap();
    let wrong = async || match world.client.open(&world.root, "file", OpenHow::read()).await {
        Ok(file) => {
            file.close().await.unwrap();
            None
        }
        Err(error) => Some(error.to_string()),
    };
    world.eventually("the file is free", wrong).await;
    let told = status(held.read_at(0, 1).await);
    assert_eq!(told, NfsStat4::Badsession);
}

/// RFC 8881 §2.10.10.1.4, §8.4.2: sessions, client IDs and stateids do not outlive the server.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_ends_sessions_and_client_ids(#[values(1, 2)] minor: u32) {
    let mut world = world(minor, Duration::from_secs(20)).await;
    let idle = silent(&world, minor).await;
    let (session, clientid) = (idle.session().unwrap(), idle.clientid());
    world.bed.stop().await;
    world.bed.start().await;
    idle.reconnect().await.unwrap();
    let slot = session.slot().await.unwrap();
    let lost = idle.call_bare(CompoundBuilder::new().sequence(slot.sequence(false))).await.unwrap();
    assert_eq!(lost.status(), NfsStat4::Badsession);
    slot.done(false);
    idle.recover().await.unwrap();
    assert_ne!(idle.clientid(), clientid, "a client ID of before");
    idle.reclaim_complete().await.unwrap();
}

/// RFC 8881 §8.4.2.1, §18.51.3: after a restart only those who held something may reclaim, until they say that they are
/// done; only then there is something new for others.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_held_something_reclaims(#[values(1, 2)] minor: u32) {
    let mut world = world(minor, Duration::from_secs(20)).await;
    let idle = silent(&world, minor).await;
    let held = world.client.open(&world.root, "held", OpenHow::create()).await.unwrap();
    world.write("other", "").await;
    let other = world.client.lookup(&world.root, "other").await.unwrap().handle;
    world.bed.stop().await;
    world.bed.start().await;

    idle.recover().await.unwrap();
    let claim = OpenClaim4::Previous(OpenDelegationType4::None);
    let owner = OpenOwner::new("owner");
    let reclaim = |client: &Client| {
        let args = client.open_args(claim.clone(), &owner, &OpenHow::read());
        CompoundBuilder::new().putfh(&other).open(args)
    };
    assert_eq!(idle.call(reclaim(&idle)).await.unwrap().status(), NfsStat4::ReclaimBad, "it held nothing");
    idle.reclaim_complete().await.unwrap();
    let new = idle.open_args(OpenClaim4::Fh, &owner, &OpenHow::read());
    let open = CompoundBuilder::new().putfh(&other).open(new);
    assert_eq!(idle.call(open.clone()).await.unwrap().status(), NfsStat4::Grace, "others have yet to reclaim");

    world.client.recover().await.unwrap();
    held.reclaim().await.unwrap();
    world.client.reclaim_complete().await.unwrap();
    assert_eq!(idle.call(open).await.unwrap().status(), NfsStat4::Ok, "everybody is done");
    let late = world.client.call(reclaim(&world.client)).await.unwrap();
    assert_eq!(late.status(), NfsStat4::NoGrace);
    held.close().await.unwrap();
}
