//! Tests of the operations on filehandles.

use bytes::Bytes;
use nfs4_protocol::nfs4::{Lookup4Args, NfsFh4, NfsStat4, OpNum, Putfh4Args};

use super::fixture::{Fixture, OWNER, ROOT, STRANGER, status};
use super::*;

async fn look_up(cx: &mut CompoundContext, name: &[u8]) -> NfsStat4 {
    let outcome = lookup(cx, Lookup4Args { objname: Bytes::copy_from_slice(name) }).await;
    status(cx, outcome)
}

#[tokio::test]
async fn a_filehandle_comes_back_as_it_was_given_out() {
    let fixture = Fixture::new().await;
    let mut cx = fixture.at(0, OpNum::Getfh, ROOT, "/demo").await;
    let given = getfh(&mut cx).await.unwrap().object;
    putrootfh(&mut cx).await.unwrap();
    assert_ne!(getfh(&mut cx).await.unwrap().object, given);
    putfh(&mut cx, Putfh4Args { object: given.clone() }).await.unwrap();
    assert_eq!(getfh(&mut cx).await.unwrap().object, given);
    assert_eq!(cx.current().unwrap(), fixture.find("/demo").await);
}

#[tokio::test]
async fn bad_and_stale_filehandles_are_told_apart_and_leave_the_current_one() {
    let fixture = Fixture::new().await;
    let mut cx = fixture.at(1, OpNum::Putfh, ROOT, "/demo").await;
    for (bytes, expected) in [
        (&b""[..], NfsStat4::Badhandle),
        (b"nonsense of some length", NfsStat4::Badhandle),
        (&[0xff; 129], NfsStat4::Badhandle),
        (&[0x7f; 8], NfsStat4::Stale),
    ] {
        let outcome = putfh(&mut cx, Putfh4Args { object: NfsFh4(Bytes::copy_from_slice(bytes)) }).await;
        assert_eq!(status(&cx, outcome), expected, "{bytes:?}");
    }
    assert_eq!(cx.current().unwrap(), fixture.find("/demo").await);
}

#[tokio::test]
async fn the_public_filehandle_is_the_root() {
    let fixture = Fixture::new().await;
    let mut cx = fixture.at(0, OpNum::Putpubfh, ROOT, "/demo").await;
    putpubfh(&mut cx).await.unwrap();
    assert_eq!(cx.current().unwrap(), fixture.find("/").await);
}

#[tokio::test]
async fn a_saved_filehandle_is_restored_and_none_has_its_own_status() {
    let fixture = Fixture::new().await;
    for (minor, expected) in [(0, NfsStat4::Restorefh), (1, NfsStat4::Nofilehandle)] {
        let mut cx = fixture.at(minor, OpNum::Restorefh, ROOT, "/demo").await;
        let outcome = restorefh(&mut cx).await;
        assert_eq!(status(&cx, outcome), expected);
        savefh(&mut cx).await.unwrap();
        putrootfh(&mut cx).await.unwrap();
        restorefh(&mut cx).await.unwrap();
        assert_eq!(cx.current().unwrap(), fixture.find("/demo").await);
    }
}

#[tokio::test]
async fn lookup_crosses_into_a_bucket_and_lookupp_comes_back() {
    let fixture = Fixture::new().await;
    fixture.mkdir("/demo", "dir", 0o755).await;
    let mut cx = fixture.at(2, OpNum::Lookup, STRANGER, "/").await;
    assert_eq!(look_up(&mut cx, b"demo").await, NfsStat4::Ok);
    assert_eq!(look_up(&mut cx, b"dir").await, NfsStat4::Ok);
    assert_eq!(cx.current().unwrap(), fixture.find("/demo/dir").await);

    cx.start(OpNum::Lookupp, 0);
    lookupp(&mut cx).await.unwrap();
    assert_eq!(cx.current().unwrap(), fixture.find("/demo").await);
    lookupp(&mut cx).await.unwrap();
    assert_eq!(cx.current().unwrap(), fixture.find("/").await);
    let outcome = lookupp(&mut cx).await;
    assert_eq!(status(&cx, outcome), NfsStat4::Noent); // RFC 7530 §16.14.4
}

#[tokio::test]
async fn lookup_wants_a_directory_first() {
    let fixture = Fixture::new().await;
    fixture.file("/demo", "file", 0o644, 0).await;
    fixture.symlink("/demo", "link", "file").await;
    let mut cx = fixture.at(0, OpNum::Lookup, ROOT, "/demo/file").await;
    assert_eq!(look_up(&mut cx, b"").await, NfsStat4::Notdir);
    let mut cx = fixture.at(0, OpNum::Lookup, ROOT, "/demo/link").await;
    assert_eq!(look_up(&mut cx, b"x").await, NfsStat4::Symlink);
    let mut cx = fixture.at(0, OpNum::Lookupp, ROOT, "/demo/file").await;
    let outcome = lookupp(&mut cx).await;
    assert_eq!(status(&cx, outcome), NfsStat4::Notdir);
}

#[tokio::test]
async fn lookup_asks_for_search_permission_before_it_looks_at_the_name() {
    let fixture = Fixture::new().await;
    fixture.mkdir("/demo", "closed", 0o766).await;
    let mut cx = fixture.at(0, OpNum::Lookup, STRANGER, "/demo/closed").await;
    assert_eq!(look_up(&mut cx, b"").await, NfsStat4::Access);
    assert_eq!(look_up(&mut cx, b"missing").await, NfsStat4::Access);
    for caller in [OWNER, ROOT] {
        let mut cx = fixture.at(0, OpNum::Lookup, caller, "/demo/closed").await;
        assert_eq!(look_up(&mut cx, b"").await, NfsStat4::Inval);
        assert_eq!(look_up(&mut cx, b"..").await, NfsStat4::Badname);
        assert_eq!(look_up(&mut cx, &[b'x'; 256]).await, NfsStat4::Nametoolong);
        assert_eq!(look_up(&mut cx, b"missing").await, NfsStat4::Noent);
        assert_eq!(cx.current().unwrap(), fixture.find("/demo/closed").await);
    }
}
