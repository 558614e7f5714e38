//! Writes that arrive in any order.
//!
//! Operations: WRITE, COMMIT

use bytes::Bytes;
use conformance::data::Numbers;
use conformance::{Target, World, data};
use futures::stream::{self, StreamExt, TryStreamExt};
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::StableHow4;
use rstest::rstest;

const KIB: usize = 1 << 10;
/// The size of a WRITE before it overlaps its neighbours.
const WRITE: usize = 64 * KIB;
/// How far a WRITE reaches into the next one.
const OVERLAP: usize = 3 * KIB + 1;
const IN_FLIGHT: usize = 16;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shuffled_and_overlapping_writes_make_the_right_object(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    let body = Bytes::from(data::bytes(32 << 20, 11));
    let mut offsets: Vec<usize> = (0..body.len()).step_by(WRITE).collect();
    Numbers::new(u64::from(minor)).shuffle(&mut offsets);

    let file = world.client.open(&world.root, "shuffled", OpenHow::create()).await.unwrap();
    let write = |(number, offset): (usize, usize)| {
        let data = body.slice(offset..body.len().min(offset + WRITE + OVERLAP));
        let file = &file;
        async move {
            file.write_range(offset as u64, &data, 1).await?;
            if number % 50 == 7 {
                file.commit().await?;
            }
            Ok::<_, nfs_client_sim::Error>(())
        }
    };
    let writes = stream::iter(offsets.into_iter().enumerate()).map(write).buffer_unordered(IN_FLIGHT);
    writes.try_collect::<()>().await.unwrap();
    data::assert_same("before close", &file.read_to_end(IN_FLIGHT).await.unwrap(), &body);
    file.commit().await.unwrap();
    file.close().await.unwrap();
    world.expect("shuffled", &body).await;
}

/// Writes, truncations and commits in a random order, compared with the same on an array.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_edits_of_an_existing_object_do_what_they_do_to_an_array(
    #[values(Target::Embedded, Target::Minio, Target::Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    let Some(world) = World::new(target, minor).await else { return };
    for seed in 0..3 {
        let mut numbers = Numbers::new(100 + seed);
        let name = format!("edited {seed}");
        let mut body = data::bytes(numbers.below(12 << 20), seed);
        world.put(&name, &body).await;
        let file = world.client.open(&world.root, &name, OpenHow::both()).await.unwrap();
        for edit in 0..60 {
            match numbers.below(10) {
                0 => {
                    let size = numbers.below(14 << 20);
                    file.set_size(size as u64).await.unwrap();
                    body.resize(size, 0);
                }
                1 => drop(file.commit().await.unwrap()),
                2 => {
                    let at = numbers.below(body.len() + 1);
                    let read = file.read_at(at as u64, 50_000).await.unwrap().data.into_bytes();
                    data::assert_same(&format!("seed {seed}, edit {edit}"), &read, &body[at..][..read.len()]);
                }
                _ => {
                    let (at, len) = (numbers.below(body.len() + 9_000), 1 + numbers.below(200_000));
                    let patch = data::bytes(len, numbers.next_u64());
                    let written = file.write_at(at as u64, patch.clone(), StableHow4::Unstable).await.unwrap();
                    assert_eq!(written.count as usize, len);
                    body.resize(body.len().max(at + len), 0);
                    body[at..at + len].copy_from_slice(&patch);
                }
            }
        }
        data::assert_same(&format!("seed {seed}, before close"), &file.read_to_end(4).await.unwrap(), &body);
        file.close().await.unwrap();
        world.expect(&name, &body).await;
    }
}
