//! Byte-range locks between two clients.
//!
//! Operations: LOCK, LOCKT, LOCKU

use conformance::{Target, World, status};
use nfs_client_sim::{LockOutcome, Locker, OpenHow};
use nfs4_protocol::nfs4::{NfsLockType4, NfsStat4};
use pretty_assertions::assert_eq;
use rstest::rstest;

const READ: NfsLockType4 = NfsLockType4::Read;
const WRITE: NfsLockType4 = NfsLockType4::Write;

async fn granted(locker: &Locker<'_>, kind: NfsLockType4, offset: u64, length: u64) -> bool {
    locker.lock(kind, offset, length).await.unwrap().is_granted()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_excludes_the_other_client_until_it_is_given_back(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "0123456789").await;
    let other = world.other_client().await;
    let mine = world.client.open(&world.root, "file", OpenHow::both()).await.unwrap();
    let theirs = other.open(&world.root, "file", OpenHow::both()).await.unwrap();
    let (me, they) = (mine.locker("me"), theirs.locker("they"));

    assert!(granted(&me, WRITE, 2, 4).await);
    let LockOutcome::Denied(denied) = they.lock(WRITE, 5, 10).await.unwrap() else { panic!("granted") };
    assert_eq!((denied.offset, denied.length, denied.locktype), (2, 4, WRITE));
    assert_eq!(they.test(READ, 0, u64::MAX).await.unwrap(), LockOutcome::Denied(denied));
    assert!(they.test(WRITE, 6, u64::MAX).await.unwrap().is_granted());
    assert!(granted(&they, WRITE, 6, u64::MAX).await);
    // One's own lock is in nobody's way, and parts of it can be given back (RFC 8881 §18.12.3).
    assert!(me.test(WRITE, 2, 4).await.unwrap().is_granted());
    me.unlock(3, 1).await.unwrap();
    assert!(granted(&they, READ, 3, 1).await);
    assert!(!granted(&they, READ, 4, 1).await);
    me.unlock(0, u64::MAX).await.unwrap();
    assert!(granted(&they, WRITE, 0, u64::MAX).await);
    they.unlock(0, u64::MAX).await.unwrap();
    mine.close().await.unwrap();
    theirs.close().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_share_and_a_writer_waits_for_all_of_them(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "0123456789").await;
    let file = world.client.open(&world.root, "file", OpenHow::both()).await.unwrap();
    // Lock-owners of one client exclude each other as well: they are its processes.
    let (a, b, c) = (file.locker("a"), file.locker("b"), file.locker("c"));
    assert!(granted(&a, READ, 0, 10).await && granted(&b, READ, 5, 10).await);
    assert!(!granted(&c, WRITE, 0, 20).await);
    a.unlock(0, 10).await.unwrap();
    assert!(!granted(&c, WRITE, 0, 20).await);
    // A reader becomes a writer when it is alone.
    assert!(granted(&b, WRITE, 5, 10).await);
    assert!(!granted(&a, READ, 14, 1).await);
    b.unlock(0, u64::MAX).await.unwrap();
    assert!(granted(&c, WRITE, 0, 20).await);
    c.unlock(0, 20).await.unwrap();
    file.close().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_that_are_none_are_refused(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let file = world.client.open(&world.root, "file", OpenHow::both()).await.unwrap();
    let locker = file.locker("me");
    // RFC 8881 §18.10.4: no bytes, or bytes beyond the largest offset.
    assert_eq!(status(locker.lock(WRITE, 0, 0).await), NfsStat4::Inval);
    assert_eq!(status(locker.lock(WRITE, 2, u64::MAX - 1).await), NfsStat4::Inval);
    file.close().await.unwrap();
}

/// RFC 7530 §16.33.5, RFC 8881 §18.35.4: a client that restarted has nothing of its earlier life.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_locks_of_a_client_end_with_its_next_life(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "x").await;
    let other = world.other_client().await;
    let theirs = other.open(&world.root, "file", OpenHow::both()).await.unwrap();
    assert!(granted(&theirs.locker("they"), WRITE, 0, 1).await);
    let mine = world.client.open(&world.root, "file", OpenHow::both()).await.unwrap();
    let me = mine.locker("me");
    assert!(!granted(&me, WRITE, 0, 1).await);
    // The other machine crashed and comes back: same name, new verifier.
    let mut options = other.options().clone();
    options.verifier.0[0] ^= 0xff;
    nfs_client_sim::Client::connect(world.bed.addr(), minor, options).await.unwrap();
    assert!(granted(&me, WRITE, 0, 1).await);
    me.unlock(0, 1).await.unwrap();
    mine.close().await.unwrap();
}
