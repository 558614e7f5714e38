//! Operations: ALLOCATE, DEALLOCATE, SEEK, READ_PLUS, WRITE_SAME

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{OpenFile, OpenHow};
use nfs4_protocol::nfs4::{
    Allocate4Args, AppDataBlock4, DataContent4, Deallocate4Args, FATTR4_SIZE, NfsArgop4, NfsFh4, NfsResop4, NfsStat4,
    ReadPlus4Args, ReadPlusContent, Seek4Args, Seek4Resok, StableHow4, Stateid4, WriteSame4Args,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::optional::offered;

const BODY: &[u8] = b"0123456789";

async fn open(scene: &Scene) -> OpenFile {
    scene.file("file", BODY).await;
    scene.client.open(&scene.root, "file", OpenHow::both()).await.unwrap()
}

async fn size(file: &OpenFile) -> u64 {
    file.getattr(&[FATTR4_SIZE]).await.unwrap().size.unwrap()
}

const fn allocate(stateid: Stateid4, offset: u64, length: u64) -> NfsArgop4 {
    NfsArgop4::Allocate(Allocate4Args { stateid, offset, length })
}

const fn deallocate(stateid: Stateid4, offset: u64, length: u64) -> NfsArgop4 {
    NfsArgop4::Deallocate(Deallocate4Args { stateid, offset, length })
}

const fn seek(stateid: Stateid4, offset: u64, what: u32) -> NfsArgop4 {
    NfsArgop4::Seek(Seek4Args { stateid, offset, what })
}

const fn read_plus(stateid: Stateid4, offset: u64, count: u32) -> NfsArgop4 {
    NfsArgop4::ReadPlus(ReadPlus4Args { stateid, offset, count })
}

/// Three blocks of four bytes, with the pattern `ab` in the middle of each.
fn write_same(stateid: Stateid4) -> NfsArgop4 {
    let adb = AppDataBlock4 {
        offset: 0,
        block_size: 4,
        block_count: 3,
        reloff_blocknum: u64::MAX,
        block_num: 0,
        reloff_pattern: 1,
        pattern: "ab".into(),
    };
    NfsArgop4::WriteSame(Box::new(WriteSame4Args { stateid, stable: StableHow4::FileSync, adb }))
}

/// RFC 7862 §15.1.3: the file grows to the end of the region, with zeros; within the file nothing is seen of it.
#[rstest]
fn allocate_grows_a_file(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = open(scene).await;
        for (offset, length, grown) in [(2, 4, 10), (0, 16, 16), (20, 10, 30)] {
            let Some(reply) = offered(scene, file.handle(), allocate(file.stateid(), offset, length)).await else {
                return;
            };
            assert_eq!((reply.status(), size(&file).await), (NfsStat4::Ok, grown));
        }
        let mut expected = BODY.to_vec();
        expected.resize(30, 0);
        assert_eq!(file.read_at(0, 100).await.unwrap().data.into_bytes(), expected);
        file.close().await.unwrap();
    });
}

/// RFC 7862 §15.4.3: what was in the region reads as zeros; the size stays.
#[rstest]
fn deallocate_leaves_zeros(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = open(scene).await;
        for (offset, length, left) in
            [(2, 4, &b"01\0\0\0\x006789"[..]), (8, 100, b"01\0\0\0\x0067\0\0"), (50, 1, b"01\0\0\0\x0067\0\0")]
        {
            let op = deallocate(file.stateid(), offset, length);
            let Some(reply) = offered(scene, file.handle(), op).await else { return };
            assert_eq!(reply.status(), NfsStat4::Ok);
            assert_eq!(file.read_at(0, 100).await.unwrap().data.into_bytes(), left);
        }
        assert_eq!(size(&file).await, 10);
        file.close().await.unwrap();
    });
}

/// RFC 7862 §15.11.3: data where data is, a hole at the end of every file at the latest, and nothing beyond the end.
#[rstest]
fn seek_finds_data_and_the_hole_at_the_end(#[values(Embedded, Remote)] target: Target) {
    let (data, hole) = (DataContent4::Data.as_u32(), DataContent4::Hole.as_u32());
    rfc(target, 2, async |scene| {
        let file = open(scene).await;
        let found = async |offset, what| {
            let reply = offered(scene, file.handle(), seek(file.stateid(), offset, what)).await?;
            match reply.results().back() {
                Some(NfsResop4::Seek(result)) => Some(*result),
                other => panic!("{other:?}"),
            }
        };
        let Some(first) = found(0, data).await else { return };
        assert_eq!(first, Ok(Seek4Resok { eof: false, offset: 0 }));
        assert_eq!(found(7, data).await.unwrap(), Ok(Seek4Resok { eof: false, offset: 7 }));
        assert_eq!(found(3, hole).await.unwrap().unwrap().offset, 10, "the virtual hole at the end");
        for what in [data, hole] {
            assert_eq!(found(11, what).await.unwrap(), Err(NfsStat4::Nxio));
        }
        assert_eq!(found(0, 2).await.unwrap(), Err(NfsStat4::UnionNotsupp), "RFC 7862 §11.1.1.1");
        file.close().await.unwrap();
    });
}

/// RFC 7862 §15.10.3: segments that follow each other, with the bytes that READ gives, and the end of the file.
#[rstest]
fn read_plus_reads_what_read_reads(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = open(scene).await;
        file.set_size(40).await.unwrap();
        file.write_at(30, "tail", StableHow4::FileSync).await.unwrap();
        for (offset, count) in [(0, 100), (0, 10), (5, 20), (28, 4), (36, 4), (40, 1), (100, 1), (0, 0)] {
            let op = read_plus(file.stateid(), offset, count);
            let Some(reply) = offered(scene, file.handle(), op).await else { return };
            let Some(NfsResop4::ReadPlus(Ok(result))) = reply.results().back() else { panic!("{reply:?}") };
            let (mut bytes, mut at) = (Vec::new(), None);
            for segment in &result.contents {
                let (start, body) = match segment {
                    ReadPlusContent::Data(data) => (data.offset, data.data.clone().into_bytes().to_vec()),
                    ReadPlusContent::Hole(hole) => (hole.offset, vec![0; usize::try_from(hole.length).unwrap()]),
                };
                assert_eq!(at.unwrap_or(start), start, "a gap in {:?}", result.contents);
                // A hole may begin before what was asked for.
                let skipped = usize::try_from(offset.saturating_sub(start)).unwrap().min(body.len());
                bytes.extend_from_slice(&body[skipped..]);
                at = Some(start + body.len() as u64);
            }
            bytes.truncate(count as usize);
            let read = file.read_at(offset, count).await.unwrap();
            let expected = read.data.into_bytes();
            assert_eq!(bytes, expected[..bytes.len()], "{count} bytes at {offset}");
            assert!(!bytes.is_empty() || expected.is_empty(), "no progress at {offset}");
            if bytes.len() == expected.len() && count > 0 {
                assert_eq!(result.eof, read.eof, "{count} bytes at {offset}");
            }
        }
        file.close().await.unwrap();
    });
}

/// RFC 7862 §15.12.3: the block is there as often as it was asked for.
#[rstest]
fn write_same_repeats_a_block(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = open(scene).await;
        let Some(reply) = offered(scene, file.handle(), write_same(file.stateid())).await else { return };
        assert_eq!(reply.status(), NfsStat4::Ok);
        let written = file.read_at(0, 100).await.unwrap().data.into_bytes();
        assert_eq!(written.len(), 12);
        for block in written.chunks(4) {
            assert_eq!(&block[1..3], b"ab");
        }
        file.close().await.unwrap();
    });
}

/// RFC 7862 §11.2: they need a file, and a stateid that is good for what they do.
#[rstest]
fn what_is_no_file_and_what_is_no_stateid(#[values(Embedded, Remote)] target: Target) {
    type Make = fn(Stateid4) -> NfsArgop4;
    let operations: [(Make, bool); 5] = [
        (|stateid| allocate(stateid, 0, 1), true),
        (|stateid| deallocate(stateid, 0, 1), true),
        (|stateid| seek(stateid, 0, 0), false),
        (|stateid| read_plus(stateid, 0, 1), false),
        (write_same, true),
    ];
    rfc(target, 2, async |scene| {
        scene.file("file", BODY).await;
        let file = scene.client.open(&scene.root, "file", OpenHow::read()).await.unwrap();
        let link = scene.link("link", "target").await;
        let refused = async |at: &NfsFh4, op| offered(scene, at, op).await.map(|reply| reply.status());
        for (make, writes) in operations {
            let forged = Stateid4 { seqid: 1, other: [0x5a; 12] };
            let Some(status) = refused(file.handle(), make(forged)).await else { continue };
            assert_eq!(status, NfsStat4::BadStateid);
            if writes {
                assert_eq!(refused(file.handle(), make(file.stateid())).await, Some(NfsStat4::Openmode));
            }
            let directory = refused(&scene.root, make(Stateid4::ANONYMOUS)).await.unwrap();
            assert!([NfsStat4::Isdir, NfsStat4::WrongType].contains(&directory), "{directory}");
            let link = refused(&link, make(Stateid4::ANONYMOUS)).await.unwrap();
            assert!([NfsStat4::Symlink, NfsStat4::WrongType].contains(&link), "{link}");
        }
        file.close().await.unwrap();
    });
}
