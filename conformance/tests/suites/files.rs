//! Creating, reading, writing and resizing files.
//!
//! Operations: OPEN, CLOSE, READ, WRITE, COMMIT, SETATTR, GETATTR

use bytes::Bytes;
use conformance::{Target, World, data, status};
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::{
    Attrs, FATTR4_CHANGE, FATTR4_MODE, FATTR4_SIZE, FATTR4_TIME_MODIFY, NfsFtype4, NfsStat4, Nfstime4, Settime4,
    StableHow4, Stateid4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

const MIB: usize = 1 << 20;

fn mode(mode: u32) -> Attrs {
    Attrs { mode: Some(mode), ..Attrs::default() }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_is_an_object(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let file = world.client.open(&world.root, "hello.txt", OpenHow::create()).await.unwrap();
    let written = file.write_at(0, "Hello, world.\n", StableHow4::Unstable).await.unwrap();
    assert_eq!(written.count, 14);
    // What was written is there at once, long before it is in the bucket.
    assert_eq!(file.getattr(&[FATTR4_SIZE]).await.unwrap().size, Some(14));
    let read = file.read_at(0, 100).await.unwrap();
    assert_eq!((read.data.into_bytes(), read.eof), (Bytes::from_static(b"Hello, world.\n"), true));
    file.close().await.unwrap();
    world.expect("hello.txt", "Hello, world.\n").await;
    assert_eq!(world.names().await, ["hello.txt"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_all_sizes_are_what_was_written(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    for len in [0, 1, 4095, 4096, 4097, MIB - 1, MIB, MIB + 1, 20 * MIB + 3] {
        let name = format!("{len} bytes");
        let body = data::bytes(len, len as u64);
        world.write(&name, &body).await;
        world.expect(&name, &body).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overwrite_in_the_middle_leaves_the_rest(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let mut body = data::bytes(3 * MIB + 7, 1);
    world.put("object", &body).await;
    let patch = data::bytes(100_001, 2);
    let at = MIB + 5;
    body[at..at + patch.len()].copy_from_slice(&patch);

    let file = world.client.open(&world.root, "object", OpenHow::both()).await.unwrap();
    file.write_stable(at as u64, &patch.into(), 2).await.unwrap();
    data::assert_same("before close", &file.read_to_end(4).await.unwrap(), &body);
    file.close().await.unwrap();
    world.expect("object", &body).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_makes_a_file_longer(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let mut body = data::bytes(70_000, 3);
    world.put("log", &body).await;
    for seed in 4..7 {
        let more = data::bytes(5_000, seed);
        let file = world.client.open(&world.root, "log", OpenHow::write()).await.unwrap();
        let end = file.getattr(&[FATTR4_SIZE]).await.unwrap().size.unwrap();
        assert_eq!(end, body.len() as u64);
        file.write_stable(end, &more.clone().into(), 1).await.unwrap();
        file.close().await.unwrap();
        body.extend_from_slice(&more);
        world.expect("log", &body).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_cut_and_grown_again_has_zeros_at_the_end(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let mut body = data::bytes(2 * MIB, 7);
    world.put("file", &body).await;
    let file = world.client.open(&world.root, "file", OpenHow::both()).await.unwrap();
    for size in [MIB + 1, 2 * MIB + 99, 0, 10] {
        file.set_size(size as u64).await.unwrap();
        body.resize(size, 0);
        data::assert_same("while open", &file.read_to_end(4).await.unwrap(), &body);
    }
    file.write_at(3, "abc", StableHow4::Unstable).await.unwrap();
    body[3..6].copy_from_slice(b"abc");
    file.close().await.unwrap();
    world.expect("file", &body).await;
}

/// RFC 8881 §18.30.3: a size may be set without an open.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncate_works_without_an_open(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let mut body = data::bytes(MIB, 8);
    world.put("file", &body).await;
    let node = world.client.lookup(&world.root, "file").await.unwrap();
    for size in [1_000, 3_000] {
        let attrs = Attrs { size: Some(size), ..Attrs::default() };
        world.client.setattr(&node.handle, Stateid4::ANONYMOUS, &attrs).await.unwrap();
        body.resize(size as usize, 0);
        world.expect("file", &body).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_past_the_end_leaves_a_hole_of_zeros(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let at = 5 * MIB + 3;
    let file = world.client.open(&world.root, "sparse", OpenHow::create()).await.unwrap();
    file.write_stable(at as u64, &Bytes::from_static(b"end"), 1).await.unwrap();
    let mut body = vec![0; at];
    body.extend_from_slice(b"end");
    data::assert_same("while open", &file.read_to_end(4).await.unwrap(), &body);
    file.close().await.unwrap();
    world.expect("sparse", &body).await;
}

/// RFC 8881 §18.22.4: eof is set exactly when the read reaches the end.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_file_is_told_exactly(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "0123456789").await;
    let file = world.client.open(&world.root, "file", OpenHow::read()).await.unwrap();
    for (offset, count, expected, eof) in [
        (0, 9, "012345678", false),
        (0, 10, "0123456789", true),
        (8, 10, "89", true),
        (10, 1, "", true),
        (99, 5, "", true),
    ] {
        let read = file.read_at(offset, count).await.unwrap();
        assert_eq!((read.data.into_bytes(), read.eof), (Bytes::from(expected), eof), "{offset} {count}");
    }
    file.close().await.unwrap();
}

/// RFC 8881 §18.32: a write is at least as durable as asked for, and one verifier covers it and the COMMIT.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_say_how_durable_they_are(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let file = world.client.open(&world.root, "file", OpenHow::create()).await.unwrap();
    let mut verifiers = Vec::new();
    for (at, stable) in [(0, StableHow4::Unstable), (1, StableHow4::DataSync), (2, StableHow4::FileSync)] {
        let written = file.write_at(at, "x", stable).await.unwrap();
        assert!(written.committed >= stable, "{:?} for {stable:?}", written.committed);
        verifiers.push(written.writeverf);
    }
    verifiers.push(file.commit().await.unwrap());
    assert!(verifiers.iter().all(|verifier| *verifier == verifiers[0]), "{verifiers:?}");
    file.close().await.unwrap();
    world.expect("file", "xxx").await;
}

/// RFC 8881 §18.16.3: UNCHECKED4 opens what is there and obeys a size of 0; GUARDED4 does not open it.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create_modes_differ_when_the_file_exists(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "content").await;
    let open = |how| world.client.open(&world.root, "file", how);
    assert_eq!(status(open(OpenHow::both().guarded(mode(0o600))).await), NfsStat4::Exist);
    let kept = open(OpenHow::both().unchecked(mode(0o600))).await.unwrap();
    assert_eq!(kept.read_to_end(1).await.unwrap(), b"content");
    kept.close().await.unwrap();
    let empty = Attrs { size: Some(0), ..Attrs::default() };
    open(OpenHow::both().unchecked(empty)).await.unwrap().close().await.unwrap();
    world.expect("file", "").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_is_said_why(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.client.mkdir(&world.root, "directory", 0o755).await.unwrap();
    world.put("file", "x").await;
    let file = world.client.lookup(&world.root, "file").await.unwrap();
    assert_eq!(file.attrs.ftype, Some(NfsFtype4::Reg));
    let open = |name| world.client.open(&world.root, name, OpenHow::read());
    assert_eq!(status(open("nothing").await), NfsStat4::Noent);
    assert_eq!(status(open("directory").await), NfsStat4::Isdir);
    assert_eq!(status(world.client.open(&file.handle, "x", OpenHow::read()).await), NfsStat4::Notdir);
}

/// RFC 8881 §18.16.3: CLAIM_FH opens the current filehandle.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_opens_by_its_filehandle(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.put("file", "before").await;
    let node = world.client.lookup(&world.root, "file").await.unwrap();
    let file = world.client.open_handle(&node.handle, OpenHow::both()).await.unwrap();
    assert_eq!(file.handle(), &node.handle);
    file.write_stable(0, &Bytes::from_static(b"after!"), 1).await.unwrap();
    file.close().await.unwrap();
    world.expect("file", "after!").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mode_and_time_stay_as_they_were_set(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    world.write("file", "content").await;
    let handle = world.client.lookup(&world.root, "file").await.unwrap().handle;
    let time = Nfstime4 { seconds: 1_000_000_000, nseconds: 0 };
    let time_modify_set = Some(Settime4::ClientTime(time));
    let attrs = Attrs { mode: Some(0o640), time_modify_set, ..Attrs::default() };
    world.client.setattr(&handle, Stateid4::ANONYMOUS, &attrs).await.unwrap();
    world.expect("file", "content").await;
    let attrs = world.client.getattr(&handle, &[FATTR4_MODE, FATTR4_TIME_MODIFY]).await.unwrap();
    assert_eq!((attrs.mode, attrs.time_modify), (Some(0o640), Some(time)));
}

/// RFC 8881 §5.8.1.4: the change attribute moves with every change.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_moves_the_change_attribute(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let file = world.client.open(&world.root, "file", OpenHow::create()).await.unwrap();
    let change = || async { file.getattr(&[FATTR4_CHANGE]).await.unwrap().change.unwrap() };
    let mut seen = vec![change().await];
    file.write_at(0, "one", StableHow4::FileSync).await.unwrap();
    seen.push(change().await);
    file.write_at(0, "two", StableHow4::FileSync).await.unwrap();
    seen.push(change().await);
    file.set_size(1).await.unwrap();
    seen.push(change().await);
    world.client.setattr(file.handle(), Stateid4::ANONYMOUS, &mode(0o600)).await.unwrap();
    seen.push(change().await);
    let mut different = seen.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), seen.len(), "{seen:?}");
    assert_eq!(change().await, *seen.last().unwrap(), "it moved without a change");
    file.close().await.unwrap();
}
