//! Exclusive creation: EXCLUSIVE4 in 4.0, EXCLUSIVE4_1 later (RFC 7530 §16.16.5, RFC 8881 §18.16.3).
//!
//! Operations: OPEN

use conformance::{Target, World, status};
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::{NfsStat4, Verifier4};
use pretty_assertions::assert_eq;
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_creator_creates_again(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let (mine, other) = (Verifier4(*b"verifier"), Verifier4(*b"another."));
    let create = |verifier| world.client.open(&world.root, "file", OpenHow::both().exclusive(verifier, 0o600));
    let first = create(mine).await.unwrap();
    // The reply was lost, and the client asks again.
    let again = create(mine).await.unwrap();
    assert_eq!(first.handle(), again.handle());
    assert_eq!(status(create(other).await), NfsStat4::Exist);
    first.write_stable(0, &"x".into(), 1).await.unwrap();
    first.close().await.unwrap();
    again.close().await.unwrap();
    world.expect("file", "x").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_others_made_is_never_taken_over(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "theirs").await;
    let how = OpenHow::both().exclusive(Verifier4(*b"verifier"), 0o600);
    assert_eq!(status(world.client.open(&world.root, "file", how).await), NfsStat4::Exist);
    world.expect("file", "theirs").await;
}

/// Of clients that race for one name, exactly one wins.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_creators_wins(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let racers = (0..8_u64).map(|number| {
        let how = OpenHow::both().exclusive(Verifier4(number.to_be_bytes()), 0o600);
        world.client.open(&world.root, "lock file", how)
    });
    let results = futures::future::join_all(racers).await;
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|result| status(result) == NfsStat4::Exist));
}
