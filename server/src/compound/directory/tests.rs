//! Tests of CREATE, REMOVE, RENAME, LINK and READLINK.

use nfs4_protocol::nfs4::*;

use super::*;
use crate::compound::filehandle::fixture::{Fixture, OWNER, ROOT, STRANGER, status};
use crate::fs::filesystem::{Caller, Filesystem};

fn args(objtype: Createtype4, name: &[u8], attrs: Attrs) -> Create4Args {
    Create4Args { objtype, objname: Bytes::copy_from_slice(name), createattrs: attrs.to_fattr4() }
}

fn link_to(target: &'static str) -> Createtype4 {
    Createtype4::Lnk(Bytes::from_static(target.as_bytes()))
}

async fn create_status(fixture: &Fixture, caller: Caller, dir: &str, args: Create4Args) -> NfsStat4 {
    let mut cx = fixture.at(1, OpNum::Create, caller, dir).await;
    let outcome = create(&mut cx, args).await;
    status(&cx, outcome)
}

async fn remove_status(fixture: &Fixture, caller: Caller, dir: &str, name: &'static str) -> NfsStat4 {
    let mut cx = fixture.at(0, OpNum::Remove, caller, dir).await;
    let outcome = remove(&mut cx, Remove4Args { target: Bytes::from_static(name.as_bytes()) }).await;
    status(&cx, outcome)
}

async fn rename_status(fixture: &Fixture, caller: Caller, from: (&str, &str), to: (&str, &str)) -> NfsStat4 {
    let mut cx = fixture.at(1, OpNum::Rename, caller, from.0).await;
    cx.save().unwrap();
    cx.set_current(fixture.find(to.0).await);
    let args = Rename4Args {
        oldname: Bytes::copy_from_slice(from.1.as_bytes()),
        newname: Bytes::copy_from_slice(to.1.as_bytes()),
    };
    let outcome = rename(&mut cx, args).await;
    status(&cx, outcome)
}

#[tokio::test]
async fn a_new_directory_becomes_the_current_filehandle() {
    let fixture = Fixture::new().await;
    let before = fixture.fs.getattr(&fixture.find("/demo").await.handle).await.unwrap().change;
    let mut cx = fixture.at(2, OpNum::Create, OWNER, "/demo").await;
    let attrs = Attrs { mode_umask: Some(ModeUmask4 { mode: 0o777, umask: 0o027 }), ..Attrs::default() };
    let made = create(&mut cx, args(Createtype4::Dir, b"dir", attrs.clone())).await.unwrap();

    assert_eq!(cx.current().unwrap(), fixture.find("/demo/dir").await);
    assert_eq!(made.attrset, attrs.mask());
    assert!(made.cinfo.atomic);
    assert_eq!((made.cinfo.before, made.cinfo.after), (before, before + 1));
    let found = fixture.fs.getattr(&cx.current().unwrap().handle).await.unwrap();
    assert_eq!((found.mode, found.uid, found.gid), (0o750, OWNER.uid, OWNER.gid));
}

#[tokio::test]
async fn a_new_link_is_read_back() {
    let fixture = Fixture::new().await;
    let mut cx = fixture.at(0, OpNum::Create, OWNER, "/demo").await;
    create(&mut cx, args(link_to("../else/where"), b"link", Attrs::default())).await.unwrap();
    cx.start(OpNum::Readlink, 0);
    assert_eq!(readlink(&mut cx).await.unwrap().link, "../else/where");
}

#[tokio::test]
async fn create_makes_directories_and_links_only() {
    // RFC 7530 §16.4.4: regular files come from OPEN; §13.1.4.1: types that the server does not have.
    let fixture = Fixture::new().await;
    let device = Specdata4 { specdata1: 8, specdata2: 1 };
    for objtype in [
        Createtype4::Other(NfsFtype4::Reg),
        Createtype4::Other(NfsFtype4::Attrdir),
        Createtype4::Blk(device),
        Createtype4::Chr(device),
        Createtype4::Sock,
        Createtype4::Fifo,
    ] {
        assert_eq!(
            create_status(&fixture, ROOT, "/demo", args(objtype.clone(), b"x", Attrs::default())).await,
            NfsStat4::Badtype,
            "{objtype:?}"
        );
    }
}

#[tokio::test]
async fn create_refuses_what_makes_no_sense() {
    let fixture = Fixture::new().await;
    fixture.file("/demo", "file", 0o644, 0).await;
    let dir = |name: &[u8], attrs| args(Createtype4::Dir, name, attrs);
    let size = Attrs { size: Some(1), ..Attrs::default() };
    let masked = Attrs { mode_set_masked: Some(ModeMasked4::default()), ..Attrs::default() };
    let broken_link = Createtype4::Lnk(Bytes::from_static(b"\xff"));
    for (at, args, expected) in [
        ("/demo/file", dir(b"x", Attrs::default()), NfsStat4::Notdir),
        ("/demo", dir(b"", Attrs::default()), NfsStat4::Inval),
        ("/demo", dir(b"a/b", Attrs::default()), NfsStat4::Badchar),
        ("/demo", dir(b"file", Attrs::default()), NfsStat4::Exist),
        ("/demo", dir(b"x", size), NfsStat4::Inval),
        ("/demo", dir(b"x", masked), NfsStat4::Inval),
        ("/demo", args(broken_link, b"x", Attrs::default()), NfsStat4::Inval),
    ] {
        assert_eq!(create_status(&fixture, ROOT, at, args.clone()).await, expected, "{args:?}");
    }
}

#[tokio::test]
async fn create_needs_leave_to_write_and_gives_nothing_away() {
    let fixture = Fixture::new().await;
    fixture.mkdir("/demo", "mine", 0o755).await;
    let plain = || args(Createtype4::Dir, b"x", Attrs::default());
    assert_eq!(create_status(&fixture, STRANGER, "/demo/mine", plain()).await, NfsStat4::Access);
    let owned = |uid: &'static str| {
        args(Createtype4::Dir, b"y", Attrs { owner: Some(Bytes::from_static(uid.as_bytes())), ..Attrs::default() })
    };
    assert_eq!(create_status(&fixture, OWNER, "/demo/mine", owned("777")).await, NfsStat4::Perm);
    assert_eq!(create_status(&fixture, OWNER, "/demo/mine", owned("501")).await, NfsStat4::Ok);
    assert_eq!(create_status(&fixture, OWNER, "/demo/mine", plain()).await, NfsStat4::Ok);
}

#[tokio::test]
async fn remove_takes_files_and_empty_directories() {
    let fixture = Fixture::new().await;
    fixture.mkdir("/demo", "dir", 0o755).await;
    fixture.file("/demo/dir", "file", 0o644, 0).await;
    assert_eq!(remove_status(&fixture, OWNER, "/demo", "dir").await, NfsStat4::Notempty);
    assert_eq!(remove_status(&fixture, STRANGER, "/demo/dir", "file").await, NfsStat4::Access);
    assert_eq!(remove_status(&fixture, OWNER, "/demo/dir", "file").await, NfsStat4::Ok);
    assert_eq!(remove_status(&fixture, OWNER, "/demo/dir", "file").await, NfsStat4::Noent);
    assert_eq!(remove_status(&fixture, OWNER, "/demo", "dir").await, NfsStat4::Ok);
    assert_eq!(remove_status(&fixture, OWNER, "/demo", "..").await, NfsStat4::Badname);
}

#[tokio::test]
async fn in_a_sticky_directory_only_owners_take_away() {
    let fixture = Fixture::new().await;
    fixture.set("/demo", crate::fs::filesystem::SetAttributes { mode: Some(0o1777), ..Default::default() }).await;
    fixture.file("/demo", "file", 0o666, 0).await;
    assert_eq!(remove_status(&fixture, STRANGER, "/demo", "missing").await, NfsStat4::Noent);
    assert_eq!(remove_status(&fixture, STRANGER, "/demo", "file").await, NfsStat4::Access);
    assert_eq!(rename_status(&fixture, STRANGER, ("/demo", "file"), ("/demo", "other")).await, NfsStat4::Access);
    assert_eq!(rename_status(&fixture, OWNER, ("/demo", "file"), ("/demo", "other")).await, NfsStat4::Ok);
    assert_eq!(remove_status(&fixture, OWNER, "/demo", "other").await, NfsStat4::Ok);
}

#[tokio::test]
async fn rename_reports_both_directories() {
    let fixture = Fixture::new().await;
    fixture.mkdir("/demo", "from", 0o755).await;
    fixture.mkdir("/demo", "to", 0o755).await;
    fixture.file("/demo/from", "a", 0o644, 5).await;
    let mut cx = fixture.at(0, OpNum::Rename, OWNER, "/demo/from").await;
    let source = fixture.fs.getattr(&cx.current().unwrap().handle).await.unwrap().change;
    cx.save().unwrap();
    cx.set_current(fixture.find("/demo/to").await);
    let target = fixture.fs.getattr(&cx.current().unwrap().handle).await.unwrap().change;
    let args = Rename4Args { oldname: Bytes::from_static(b"a"), newname: Bytes::from_static(b"b") };
    let done = rename(&mut cx, args).await.unwrap();
    assert_eq!(done.source_cinfo, ChangeInfo4 { atomic: true, before: source, after: source + 1 });
    assert_eq!(done.target_cinfo, ChangeInfo4 { atomic: true, before: target, after: target + 1 });
    assert_eq!(fixture.fs.contents("/demo/to/b").unwrap().len(), 5);
    assert!(fixture.fs.contents("/demo/from/a").is_none());
}

#[tokio::test]
async fn rename_stays_in_its_bucket_and_among_directories() {
    let fixture = Fixture::new().await;
    fixture.file("/demo", "file", 0o644, 0).await;
    fixture.mkdir("/demo", "full", 0o755).await;
    fixture.mkdir("/demo", "dir", 0o755).await;
    fixture.file("/demo/full", "x", 0o644, 0).await;
    for (from, to, expected) in [
        (("/demo", "file"), ("/other", "file"), NfsStat4::Xdev),
        (("/demo/file", "a"), ("/demo", "b"), NfsStat4::Notdir),
        (("/demo", "a"), ("/demo/file", "b"), NfsStat4::Notdir),
        (("/demo", ""), ("/demo", "b"), NfsStat4::Inval),
        (("/demo", "missing"), ("/demo", "b"), NfsStat4::Noent),
        (("/demo", "dir"), ("/demo", "full"), NfsStat4::Exist),
        (("/demo", "file"), ("/demo", "dir"), NfsStat4::Exist),
        (("/demo", "dir"), ("/demo", "file"), NfsStat4::Exist),
    ] {
        assert_eq!(rename_status(&fixture, ROOT, from, to).await, expected, "{from:?} {to:?}");
    }
    assert_eq!(rename_status(&fixture, STRANGER, ("/demo", "file"), ("/demo/full", "y")).await, NfsStat4::Access);
    assert_eq!(rename_status(&fixture, STRANGER, ("/demo/full", "x"), ("/demo", "y")).await, NfsStat4::Access);
}

#[tokio::test]
async fn readlink_of_what_is_no_link_has_a_status_per_minor_version() {
    let fixture = Fixture::new().await;
    fixture.file("/demo", "file", 0o644, 0).await;
    for path in ["/demo", "/demo/file"] {
        for (minor, expected) in [(0, NfsStat4::Inval), (1, NfsStat4::WrongType), (2, NfsStat4::WrongType)] {
            let mut cx = fixture.at(minor, OpNum::Readlink, ROOT, path).await;
            let outcome = readlink(&mut cx).await;
            assert_eq!(status(&cx, outcome), expected);
        }
    }
}
