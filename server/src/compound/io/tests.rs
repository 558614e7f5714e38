//! Tests of READ, WRITE, COMMIT and IO_ADVISE.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;

use super::*;
use crate::compound::Settings;
use crate::compound::filehandle::fixture::{Fixture, OWNER, ROOT, STRANGER, status};
use crate::fs::filesystem::Filesystem;

const ANONYMOUS: Stateid4 = Stateid4::ANONYMOUS;

fn reading(offset: u64, count: u32) -> Read4Args {
    Read4Args { stateid: ANONYMOUS, offset, count }
}

fn writing(offset: u64, data: &'static [u8]) -> Write4Args {
    Write4Args { stateid: ANONYMOUS, offset, stable: StableHow4::Unstable, data: Bytes::from_static(data) }
}

/// Small limits, and a file of ten bytes.
async fn with_file(mode: u32) -> Fixture {
    let fixture = Fixture::with(Settings { read_bytes_max: 8, write_bytes_max: 8, ..Settings::new("test") }).await;
    fixture.file("/demo", "file", mode, 10).await;
    fixture
}

#[tokio::test]
async fn eof_is_exact() {
    // RFC 8881 §18.22.3.
    let fixture = with_file(0o644).await;
    fixture.file("/demo", "empty", 0o644, 0).await;
    for (path, offset, count, expected) in [
        ("/demo/file", 0, 8, (8, false)),
        ("/demo/file", 0, 1000, (8, false)),
        ("/demo/file", 5, 4, (4, false)),
        ("/demo/file", 5, 5, (5, true)),
        ("/demo/file", 5, 8, (5, true)),
        ("/demo/file", 9, 0, (0, false)),
        ("/demo/file", 10, 0, (0, true)),
        ("/demo/file", 10, 8, (0, true)),
        ("/demo/file", u64::MAX, u32::MAX, (0, true)),
        ("/demo/empty", 0, 0, (0, true)),
        ("/demo/empty", 0, 1, (0, true)),
    ] {
        let mut cx = fixture.at(1, OpNum::Read, OWNER, path).await;
        let found = read(&mut cx, reading(offset, count)).await.unwrap();
        assert_eq!((found.data.len(), found.eof), expected, "{path} {offset} {count}");
    }
}

#[tokio::test]
async fn a_read_is_cut_to_the_room_in_the_reply() {
    let fixture = Fixture::new().await;
    fixture.file("/demo", "file", 0o644, 100).await;
    for (room, expected) in [(READ_OVERHEAD_BYTES + 1, 1), (READ_OVERHEAD_BYTES + 99, 99), (1000, 100)] {
        let mut cx = fixture.at_with_room(1, OpNum::Read, OWNER, "/demo/file", room).await;
        let found = read(&mut cx, reading(0, 100)).await.unwrap();
        assert_eq!((found.data.len(), found.eof), (expected, expected == 100));
        let mut encoded = nfs4_protocol::xdr::Encoder::new();
        nfs4_protocol::xdr::Encode::encode(&NfsResop4::Read(Ok(found)), &mut encoded);
        assert!(encoded.len() <= room, "{} bytes in {room}", encoded.len());
    }
    let mut cx = fixture.at_with_room(1, OpNum::Read, OWNER, "/demo/file", READ_OVERHEAD_BYTES).await;
    let outcome = read(&mut cx, reading(0, 100)).await;
    assert_eq!(status(&cx, outcome), NfsStat4::RepTooBig);
}

#[tokio::test]
async fn only_files_have_bytes() {
    let fixture = with_file(0o644).await;
    fixture.symlink("/demo", "link", "file").await;
    for (path, minor, expected) in [
        ("/demo", 0, NfsStat4::Isdir),
        ("/demo", 1, NfsStat4::Isdir),
        ("/demo/link", 0, NfsStat4::Inval),
        ("/demo/link", 1, NfsStat4::Symlink),
    ] {
        let mut cx = fixture.at(minor, OpNum::Read, ROOT, path).await;
        let outcome = read(&mut cx, reading(0, 1)).await;
        assert_eq!(status(&cx, outcome), expected, "READ {path}");
        let mut cx = fixture.at(minor, OpNum::Write, ROOT, path).await;
        let outcome = write(&mut cx, writing(0, b"x")).await;
        assert_eq!(status(&cx, outcome), expected, "WRITE {path}");
        let mut cx = fixture.at(minor, OpNum::Commit, ROOT, path).await;
        let outcome = commit(&mut cx, Commit4Args { offset: 0, count: 0 }).await;
        assert_eq!(status(&cx, outcome), expected, "COMMIT {path}");
    }
}

#[tokio::test]
async fn with_a_special_stateid_the_mode_decides() {
    let fixture = with_file(0o640).await;
    for (caller, expected) in [(STRANGER, NfsStat4::Access), (OWNER, NfsStat4::Ok), (ROOT, NfsStat4::Ok)] {
        for stateid in [Stateid4::ANONYMOUS, Stateid4::READ_BYPASS] {
            let mut cx = fixture.at(0, OpNum::Read, caller.clone(), "/demo/file").await;
            let outcome = read(&mut cx, Read4Args { stateid, offset: 0, count: 0 }).await;
            assert_eq!(status(&cx, outcome), expected);
        }
        let mut cx = fixture.at(0, OpNum::Write, caller.clone(), "/demo/file").await;
        let outcome = write(&mut cx, writing(0, b"")).await;
        assert_eq!(status(&cx, outcome), expected);
    }
}

#[tokio::test]
async fn with_an_open_the_open_decides() {
    // A file may be opened and then lose its permissions, or be made read-only from the start.
    let fixture = with_file(0o000).await;
    let stateid = fixture.open("/demo/file", OPEN4_SHARE_ACCESS_WRITE, OPEN4_SHARE_DENY_NONE).await;
    let mut cx = fixture.at(0, OpNum::Write, STRANGER, "/demo/file").await;
    assert_eq!(write(&mut cx, Write4Args { stateid, ..writing(0, b"x") }).await.unwrap().count, 1);
    let upgraded = fixture.open("/demo/file", OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_DENY_NONE).await;
    cx.start(OpNum::Read, 0);
    assert!(read(&mut cx, Read4Args { stateid: upgraded, offset: 0, count: 1 }).await.is_ok());
}

#[tokio::test]
async fn an_open_for_writing_only_lets_the_mode_decide_who_reads() {
    let fixture = with_file(0o602).await;
    let stateid = fixture.open("/demo/file", OPEN4_SHARE_ACCESS_WRITE, OPEN4_SHARE_DENY_NONE).await;
    // The owner keeps what he had at the OPEN, and his client may have to read in order to write part of a page.
    for (caller, expected) in [(STRANGER, NfsStat4::Access), (OWNER, NfsStat4::Ok), (ROOT, NfsStat4::Ok)] {
        let mut cx = fixture.at(0, OpNum::Read, caller, "/demo/file").await;
        let outcome = read(&mut cx, Read4Args { stateid, offset: 0, count: 1 }).await;
        assert_eq!(status(&cx, outcome), expected);
        cx.start(OpNum::Write, 0);
        assert!(write(&mut cx, Write4Args { stateid, ..writing(0, b"x") }).await.is_ok());
    }
}

#[tokio::test]
async fn a_stateid_of_nothing_is_refused() {
    let fixture = with_file(0o644).await;
    let stateid = Stateid4 { seqid: 1, other: [0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 9] };
    let mut cx = fixture.at(0, OpNum::Read, ROOT, "/demo/file").await;
    let outcome = read(&mut cx, Read4Args { stateid, offset: 0, count: 1 }).await;
    assert_eq!(status(&cx, outcome), NfsStat4::BadStateid);
    let mut cx = fixture.at(0, OpNum::Write, ROOT, "/demo/file").await;
    let outcome = write(&mut cx, Write4Args { stateid, ..writing(0, b"x") }).await;
    assert_eq!(status(&cx, outcome), NfsStat4::BadStateid);
}

#[tokio::test]
async fn a_write_is_at_least_as_stable_as_asked_and_no_longer_than_maxwrite() {
    let fixture = with_file(0o644).await;
    for stable in [StableHow4::Unstable, StableHow4::DataSync, StableHow4::FileSync] {
        let mut cx = fixture.at(1, OpNum::Write, OWNER, "/demo/file").await;
        let done = write(&mut cx, Write4Args { stable, ..writing(4, b"0123456789") }).await.unwrap();
        assert_eq!(done.count, 8);
        assert!(done.committed.as_u32() >= stable.as_u32());
        cx.start(OpNum::Commit, 0);
        let committed = commit(&mut cx, Commit4Args { offset: 0, count: 0 }).await.unwrap();
        assert_eq!(committed.writeverf, done.writeverf);
    }
    assert_eq!(fixture.fs.contents("/demo/file").unwrap(), b"\0\0\0\x0001234567");
}

#[tokio::test]
async fn a_write_of_nothing_changes_nothing() {
    // RFC 8881 §18.32.4.
    let fixture = with_file(0o644).await;
    let file = fixture.find("/demo/file").await;
    let before = fixture.fs.getattr(&file.handle).await.unwrap();
    let mut cx = fixture.at(1, OpNum::Write, OWNER, "/demo/file").await;
    let done = write(&mut cx, writing(1 << 40, b"")).await.unwrap();
    assert_eq!((done.count, done.writeverf), (0, Verifier4([7; 8])));
    assert_eq!(fixture.fs.getattr(&file.handle).await.unwrap(), before);
}

#[tokio::test]
async fn ranges_beyond_all_files_are_refused() {
    let fixture = with_file(0o644).await;
    let mut cx = fixture.at(1, OpNum::Write, OWNER, "/demo/file").await;
    for offset in [u64::MAX, u64::MAX - 1, FILE_BYTES_MAX] {
        let outcome = write(&mut cx, writing(offset, b"ab")).await;
        assert_eq!(status(&cx, outcome), NfsStat4::Fbig, "{offset}");
    }
    cx.start(OpNum::Commit, 0);
    let outcome = commit(&mut cx, Commit4Args { offset: u64::MAX, count: 1 }).await;
    assert_eq!(status(&cx, outcome), NfsStat4::Inval);
    assert!(commit(&mut cx, Commit4Args { offset: u64::MAX, count: 0 }).await.is_ok());
}

#[tokio::test]
async fn advice_is_taken_whatever_it_says() {
    // RFC 7862 §15.5.3: contradictory and unknown hints are no error.
    let fixture = with_file(0o644).await;
    let mut cx = fixture.at(2, OpNum::IoAdvise, OWNER, "/demo/file").await;
    let hints = Bitmap4::from_iter([1, 3, 60]);
    let args = IoAdvise4Args { stateid: ANONYMOUS, offset: 0, count: u64::MAX, hints };
    let answer = io_advise(&mut cx, args.clone()).await.unwrap();
    assert_eq!(answer.hints, Bitmap4::from_iter([0]));
    fixture.open("/demo/file", OPEN4_SHARE_ACCESS_BOTH, OPEN4_SHARE_DENY_BOTH).await;
    assert!(io_advise(&mut cx, args).await.is_ok());
}
