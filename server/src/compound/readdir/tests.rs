//! Tests of READDIR.

use std::collections::BTreeSet;

use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::{Encode, Encoder};
use proptest::prelude::*;

use super::*;
use crate::compound::filehandle::fixture::{Fixture, OWNER, ROOT, STRANGER, status};
use crate::fs::filesystem::{Caller, Filesystem};

/// Linux's plain mask: rdattr_error, mounted_on_fileid.
const PLAIN: &[u32] = &[0x0000_0800, 0x0080_0000];
/// Linux's readdirplus mask.
const PLUS: &[u32] = &[0x0018_091a, 0x00b0_a23a];

fn args(cookie: u64, dircount: u32, maxcount: u32, mask: &[u32]) -> Readdir4Args {
    let attr_request = Bitmap4::from_words(mask);
    Readdir4Args { cookie, cookieverf: Verifier4::default(), dircount, maxcount, attr_request }
}

async fn list(fixture: &Fixture, caller: Caller, path: &str, args: Readdir4Args) -> Result<Readdir4Resok, NfsStat4> {
    let mut cx = fixture.at(1, OpNum::Readdir, caller, path).await;
    let outcome = readdir(&mut cx, args).await;
    outcome.map_err(|failure| cx.status(failure))
}

fn names(found: &Readdir4Resok) -> Vec<&str> {
    found.reply.entries.iter().map(|entry| std::str::from_utf8(&entry.name).unwrap()).collect()
}

fn encoded_len(found: &Readdir4Resok) -> usize {
    let mut encoder = Encoder::new();
    found.encode(&mut encoder);
    encoder.len()
}

async fn with_files(names: &[&str]) -> Fixture {
    let fixture = Fixture::new().await;
    fixture.mkdir("/demo", "dir", 0o755).await;
    for name in names {
        fixture.file("/demo/dir", name, 0o644, 1).await;
    }
    fixture
}

#[tokio::test]
async fn an_empty_directory_is_the_end_at_once() {
    let fixture = with_files(&[]).await;
    let found = list(&fixture, OWNER, "/demo/dir", args(0, 0, 16, PLAIN)).await.unwrap();
    assert_eq!((names(&found), found.reply.eof, encoded_len(&found)), (vec![], true, 16));
    assert_eq!(list(&fixture, OWNER, "/demo/dir", args(0, 0, 15, PLAIN)).await, Err(NfsStat4::Toosmall));
}

#[tokio::test]
async fn entries_carry_what_was_asked_for() {
    let fixture = with_files(&["a", "b"]).await;
    fixture.symlink("/demo/dir", "c", "a").await;
    let found = list(&fixture, OWNER, "/demo/dir", args(0, 0, 4096, PLUS)).await.unwrap();
    assert_eq!(names(&found), ["a", "b", "c"]);
    assert!(found.reply.eof);
    for entry in &found.reply.entries {
        let node = fixture.find(&format!("/demo/dir/{}", std::str::from_utf8(&entry.name).unwrap())).await;
        let attrs = entry.attrs.parse().unwrap();
        assert!(attrs.mask().same_bits(&Bitmap4::from_words(PLUS)));
        assert_eq!(attrs.filehandle, Some(NfsFh4(node.handle.as_bytes().clone())));
        assert_eq!(attrs.fileid, Some(node.key.fileid));
        assert_eq!(attrs.rdattr_error, Some(NfsStat4::Ok));
        assert!(entry.cookie >= 3);
    }
}

#[tokio::test]
async fn the_entry_of_a_bucket_has_the_attributes_of_its_root() {
    // RFC 7530 §5.8.2.19: mounted_on_fileid is the one underneath, whatever else is asked for.
    let fixture = Fixture::new().await;
    for mask in [PLAIN, PLUS, &[0x0010_0000, 0x0080_0000]] {
        let found = list(&fixture, STRANGER, "/", args(0, 0, 4096, mask)).await.unwrap();
        assert_eq!(names(&found), ["demo", "other"]);
        for entry in &found.reply.entries {
            let path = std::str::from_utf8(&entry.name).unwrap();
            let root = fixture.fs.getattr(&fixture.find(path).await.handle).await.unwrap();
            let attrs = entry.attrs.parse().unwrap();
            assert_eq!(attrs.mounted_on_fileid, Some(root.mounted_on_fileid));
            assert!(attrs.fileid.is_none_or(|fileid| fileid == root.key.fileid));
            assert!(attrs.fsid.is_none_or(|fsid| fsid.major == root.key.fsid));
        }
    }
}

#[tokio::test]
async fn the_room_of_each_file_system_is_told() {
    let fixture = Fixture::new().await;
    let found = list(&fixture, ROOT, "/", args(0, 0, 4096, &[0, 1 << (FATTR4_SPACE_TOTAL - 32)])).await.unwrap();
    for entry in &found.reply.entries {
        assert_eq!(entry.attrs.parse().unwrap().space_total, Some(1 << 40));
    }
}

#[tokio::test]
async fn reserved_cookies_are_refused_and_verifiers_never() {
    let fixture = with_files(&["a", "b"]).await;
    for cookie in [1, 2] {
        let outcome = list(&fixture, OWNER, "/demo/dir", args(cookie, 0, 4096, PLAIN)).await;
        assert_eq!(outcome, Err(NfsStat4::BadCookie));
    }
    let first = list(&fixture, OWNER, "/demo/dir", args(0, 0, 4096, PLAIN)).await.unwrap();
    let cookie = first.reply.entries[0].cookie;
    for cookieverf in [first.cookieverf, Verifier4::default(), Verifier4([0xab; 8])] {
        let rest = Readdir4Args { cookieverf, ..args(cookie, 0, 4096, PLAIN) };
        assert_eq!(names(&list(&fixture, OWNER, "/demo/dir", rest).await.unwrap()), ["b"]);
    }
}

#[tokio::test]
async fn reading_goes_on_where_entries_were_removed() {
    let fixture = with_files(&["a", "b", "c"]).await;
    let first = list(&fixture, OWNER, "/demo/dir", args(0, 0, 4096, PLAIN)).await.unwrap();
    let dir = fixture.find("/demo/dir").await;
    fixture.fs.remove(&dir.handle, "b").await.unwrap();
    let cookie = first.reply.entries[1].cookie;
    let rest = list(&fixture, OWNER, "/demo/dir", args(cookie, 0, 4096, PLAIN)).await.unwrap();
    assert_eq!((names(&rest), rest.reply.eof), (vec!["c"], true));
}

#[tokio::test]
async fn the_last_entry_that_fits_fits_to_the_byte() {
    let fixture = with_files(&["aaaa", "bbbb"]).await;
    let all = list(&fixture, OWNER, "/demo/dir", args(0, 0, 4096, PLAIN)).await.unwrap();
    let len = u32::try_from(encoded_len(&all)).unwrap();
    let exact = list(&fixture, OWNER, "/demo/dir", args(0, 0, len, PLAIN)).await.unwrap();
    assert_eq!((names(&exact), exact.reply.eof), (vec!["aaaa", "bbbb"], true));
    let less = list(&fixture, OWNER, "/demo/dir", args(0, 0, len - 1, PLAIN)).await.unwrap();
    assert_eq!((names(&less), less.reply.eof), (vec!["aaaa"], false));
    let one = u32::try_from(encoded_len(&less)).unwrap();
    assert_eq!(list(&fixture, OWNER, "/demo/dir", args(0, 0, one - 1, PLAIN)).await, Err(NfsStat4::Toosmall));
}

#[tokio::test]
async fn a_reply_without_room_is_told_apart_from_a_small_maxcount() {
    let fixture = with_files(&["aaaa"]).await;
    let mut cx = fixture.at_with_room(1, OpNum::Readdir, OWNER, "/demo/dir", 40).await;
    let outcome = readdir(&mut cx, args(0, 0, 4096, PLUS)).await;
    assert_eq!(status(&cx, outcome), NfsStat4::RepTooBig);
    let outcome = readdir(&mut cx, args(0, 0, 20, PLUS)).await;
    assert_eq!(status(&cx, outcome), NfsStat4::Toosmall);
}

#[tokio::test]
async fn only_directories_are_listed_and_only_by_who_may_read_them() {
    let fixture = with_files(&["file"]).await;
    fixture.mkdir("/demo", "closed", 0o711).await;
    let outcome = list(&fixture, OWNER, "/demo/dir/file", args(1, 0, 4096, PLAIN)).await;
    assert_eq!(outcome, Err(NfsStat4::Notdir));
    let outcome = list(&fixture, STRANGER, "/demo/closed", args(0, 0, 4096, PLAIN)).await;
    assert_eq!(outcome, Err(NfsStat4::Access));
    let write_only = [0, 1 << (FATTR4_TIME_ACCESS_SET - 32)];
    let outcome = list(&fixture, OWNER, "/demo/dir", args(0, 0, 4096, &write_only)).await;
    assert_eq!(outcome, Err(NfsStat4::Inval));
}

/// Reads a directory to its end; the names in order.
async fn read_all(fixture: &Fixture, dircount: u32, maxcount: u32, room: usize, mask: &[u32]) -> Vec<String> {
    let mut all = Vec::new();
    let mut cookie = 0;
    loop {
        let mut cx = fixture.at_with_room(1, OpNum::Readdir, OWNER, "/demo/dir", room).await;
        let found = readdir(&mut cx, args(cookie, dircount, maxcount, mask)).await.unwrap();
        assert!(encoded_len(&found) <= maxcount as usize);
        assert!(encoded_len(&found) + HEADER_BYTES <= room);
        let dir_bytes: usize = found.reply.entries.iter().map(|entry| 12 + entry.name.len().next_multiple_of(4)).sum();
        assert!(dircount == 0 || dir_bytes <= dircount as usize || found.reply.entries.len() == 1);
        all.extend(names(&found).into_iter().map(str::to_owned));
        match found.reply.entries.last() {
            Some(last) if !found.reply.eof => cookie = last.cookie,
            _ => return all,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every entry comes once, whatever the budgets, and no budget is overdrawn.
    #[test]
    fn budgets_are_kept_and_nothing_is_lost(
        lengths in proptest::collection::vec(1usize..=255, 0..60),
        dircount in prop_oneof![Just(0u32), 1u32..2000],
        maxcount in 520u32..4000,
        room in 520usize..4000,
        plus in any::<bool>(),
    ) {
        let wanted: BTreeSet<_> = lengths.iter().enumerate().map(|(i, len)| format!("{i:03}{}", "x".repeat(len.min(&252) - 1))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(async {
            let fixture = with_files(&wanted.iter().map(String::as_str).collect::<Vec<_>>()).await;
            read_all(&fixture, dircount, maxcount, room, if plus { PLUS } else { PLAIN }).await
        });
        prop_assert_eq!(found, wanted.into_iter().collect::<Vec<_>>());
    }
}
