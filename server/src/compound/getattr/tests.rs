//! Tests of GETATTR, SETATTR, VERIFY, NVERIFY and ACCESS.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use rstest::rstest;

use super::*;
use crate::compound::filehandle::fixture::{Fixture, OWNER, ROOT, STRANGER, status};
use crate::fs::filesystem::{Attributes, Caller, Filesystem};

async fn with_file(mode: u32) -> Fixture {
    let fixture = Fixture::new().await;
    fixture.file("/demo", "file", mode, 7).await;
    fixture
}

async fn attributes(fixture: &Fixture, path: &str) -> Attributes {
    fixture.fs.getattr(&fixture.find(path).await.handle).await.unwrap()
}

async fn set(fixture: &Fixture, caller: Caller, path: &str, stateid: Stateid4, attrs: &Attrs) -> Setattr4Res {
    let mut cx = fixture.at(0, OpNum::Setattr, caller, path).await;
    setattr(&mut cx, Setattr4Args { stateid, obj_attributes: attrs.to_fattr4() }).await
}

async fn set_status(fixture: &Fixture, caller: Caller, attrs: &Attrs) -> NfsStat4 {
    let done = set(fixture, caller, "/demo/file", Stateid4::ANONYMOUS, attrs).await;
    let expected = if done.status == NfsStat4::Ok { attrs.mask() } else { Bitmap4::new() };
    assert_eq!(done.attrsset, expected);
    done.status
}

fn text(string: &'static str) -> Option<Bytes> {
    Some(Bytes::from_static(string.as_bytes()))
}

#[tokio::test]
async fn getattr_answers_for_any_mask() {
    let fixture = with_file(0o644).await;
    let mut cx = fixture.at(1, OpNum::Getattr, STRANGER, "/demo/file").await;
    let mut ask = async |words: &[u32]| {
        let outcome = getattr(&mut cx, Getattr4Args { attr_request: Bitmap4::from_words(words) }).await;
        outcome.map(|found| found.obj_attributes)
    };
    assert_eq!(ask(&[]).await.unwrap(), Fattr4::default());
    let found = ask(&[1 << FATTR4_SIZE, 0, 1 << 31, u32::MAX, 0]).await.unwrap();
    assert_eq!(found.attr_vals.as_ref(), [0, 0, 0, 0, 0, 0, 0, 7]);
    assert_eq!(found.attrmask.words(), [1 << FATTR4_SIZE]);
    let found = ask(&[0, 1 << (FATTR4_SPACE_FREE - 32)]).await.unwrap().parse().unwrap();
    assert_eq!(found.space_free, Some(1 << 39));
    assert_eq!(ask(&[0, 1 << (FATTR4_TIME_ACCESS_SET - 32)]).await, Err(NfsStat4::Inval.into()));
}

#[tokio::test]
async fn verify_and_nverify_are_opposites() {
    let fixture = with_file(0o644).await;
    let size = |size| Attrs { size: Some(size), ftype: Some(NfsFtype4::Reg), ..Attrs::default() }.to_fattr4();
    let (ok, inval, unsupported, broken) = (NfsStat4::Ok, NfsStat4::Inval, NfsStat4::Attrnotsupp, NfsStat4::Badxdr);
    let mut longer = size(7);
    longer.attrmask = Bitmap4::from_words(&[longer.attrmask.words()[0], 0, 0, 0]);
    let bits =
        |number: u32| Fattr4 { attrmask: [number].into_iter().collect(), attr_vals: Bytes::from_static(&[0; 4]) };
    let mode = |mode| Attrs { mode: Some(mode), ..Attrs::default() }.to_fattr4();
    let archive = Attrs { archive: Some(true), ..Attrs::default() }.to_fattr4();
    for (theirs, of_verify, of_nverify) in [
        (size(7), ok, NfsStat4::Same),
        (size(8), NfsStat4::NotSame, ok),
        (longer, ok, NfsStat4::Same),
        (mode(0o644), ok, NfsStat4::Same),
        (mode(0o645), NfsStat4::NotSame, ok),
        (mode(0o100_644), inval, inval),
        (Fattr4::default(), ok, NfsStat4::Same),
        // RFC 7530 §16.35.5.
        (bits(FATTR4_RDATTR_ERROR), inval, inval),
        (bits(FATTR4_TIME_MODIFY_SET), inval, inval),
        (archive, unsupported, unsupported),
        (bits(200), unsupported, unsupported),
        (bits(FATTR4_SIZE), broken, broken),
    ] {
        let mut cx = fixture.at(0, OpNum::Verify, OWNER, "/demo/file").await;
        let outcome = verify(&mut cx, Verify4Args { obj_attributes: theirs.clone() }).await;
        assert_eq!(status(&cx, outcome), of_verify, "VERIFY {theirs:?}");
        cx.start(OpNum::Nverify, 0);
        let outcome = nverify(&mut cx, Nverify4Args { obj_attributes: theirs.clone() }).await;
        assert_eq!(status(&cx, outcome), of_nverify, "NVERIFY {theirs:?}");
    }
}

#[tokio::test]
async fn what_getattr_tells_verify_confirms_also_with_padded_bitmaps() {
    let fixture = with_file(0o644).await;
    for minor in 0..=2 {
        let mut cx = fixture.at(minor, OpNum::Getattr, OWNER, "/demo/file").await;
        let asked = ATTRIBUTES.iter().filter(|info| info.readable() && info.number != FATTR4_RDATTR_ERROR);
        let attr_request = asked.map(|info| info.number).collect();
        let mut found = getattr(&mut cx, Getattr4Args { attr_request }).await.unwrap().obj_attributes.parse().unwrap();
        for bitmap in [&mut found.supported_attrs, &mut found.suppattr_exclcreat].into_iter().flatten() {
            *bitmap = Bitmap4::from_words(&[bitmap.words(), &[0, 0, 0]].concat());
        }
        cx.start(OpNum::Verify, 0);
        assert_eq!(verify(&mut cx, Verify4Args { obj_attributes: found.to_fattr4() }).await, Ok(()));
    }
}

#[tokio::test]
async fn access_tells_of_the_asked_bits_only() {
    let fixture = with_file(0o640).await;
    for (caller, path, asked, expected) in [
        (OWNER, "/demo/file", 0x3f, (0x2d, 0x0d)),
        (STRANGER, "/demo/file", 0x3f, (0x2d, 0)),
        (ROOT, "/demo/file", 0x21, (0x21, 0x01)),
        (STRANGER, "/demo", 0x3f, (0x1f, 0x1f)),
        (STRANGER, "/", 0x3f, (0x1f, 0x03)),
    ] {
        let mut cx = fixture.at(0, OpNum::Access, caller, path).await;
        let found = access(&mut cx, Access4Args { access: asked }).await.unwrap();
        assert_eq!((found.supported, found.access), expected, "{path} {asked:#x}");
    }
}

#[tokio::test]
async fn access_bits_of_extended_attributes_are_known_in_42_and_not_granted() {
    let fixture = with_file(0o777).await;
    let asked = Access4Args { access: ACCESS4_READ | ACCESS4_XAREAD | ACCESS4_XAWRITE | ACCESS4_XALIST };
    for minor in [0, 1] {
        let mut cx = fixture.at(minor, OpNum::Access, OWNER, "/demo/file").await;
        assert_eq!(access(&mut cx, asked).await, Err(NfsStat4::Inval.into()));
    }
    let mut cx = fixture.at(2, OpNum::Access, OWNER, "/demo/file").await;
    let found = access(&mut cx, asked).await.unwrap();
    assert_eq!((found.supported, found.access), (ACCESS4_READ, ACCESS4_READ));
}

#[tokio::test]
async fn setattr_sets_all_it_says() {
    let fixture = with_file(0o644).await;
    let attrs = Attrs {
        size: Some(3),
        mode: Some(0o600),
        owner: text("501"),
        owner_group: text("20"),
        time_access_set: Some(Settime4::ClientTime(Nfstime4 { seconds: -5, nseconds: 6 })),
        time_modify_set: Some(Settime4::ServerTime),
        ..Attrs::default()
    };
    assert_eq!(set_status(&fixture, OWNER, &attrs).await, NfsStat4::Ok);
    let found = attributes(&fixture, "/demo/file").await;
    assert_eq!((found.size, found.mode, found.uid, found.gid), (3, 0o600, 501, 20));
    assert_eq!((found.atime.seconds, found.atime.nanos), (-5, 6));
}

#[tokio::test]
async fn setattr_of_nothing_changes_nothing() {
    let fixture = with_file(0o644).await;
    let before = attributes(&fixture, "/demo/file").await;
    assert_eq!(set_status(&fixture, STRANGER, &Attrs::default()).await, NfsStat4::Ok);
    assert_eq!(attributes(&fixture, "/demo/file").await, before);
}

#[rstest]
#[case::mode_by_owner(OWNER, Attrs { mode: Some(0), ..Attrs::default() }, NfsStat4::Ok)]
#[case::mode_by_root(ROOT, Attrs { mode: Some(0), ..Attrs::default() }, NfsStat4::Ok)]
#[case::mode_by_stranger(STRANGER, Attrs { mode: Some(0), ..Attrs::default() }, NfsStat4::Perm)]
#[case::gift(OWNER, Attrs { owner: text("777"), ..Attrs::default() }, NfsStat4::Perm)]
#[case::theft(STRANGER, Attrs { owner: text("777"), ..Attrs::default() }, NfsStat4::Perm)]
#[case::gift_by_root(ROOT, Attrs { owner: text("777"), ..Attrs::default() }, NfsStat4::Ok)]
#[case::own_name(OWNER, Attrs { owner: text("501"), ..Attrs::default() }, NfsStat4::Ok)]
#[case::own_group(OWNER, Attrs { owner_group: text("20"), ..Attrs::default() }, NfsStat4::Ok)]
#[case::foreign_group(OWNER, Attrs { owner_group: text("30"), ..Attrs::default() }, NfsStat4::Perm)]
#[case::group_by_stranger(STRANGER, Attrs { owner_group: text("777"), ..Attrs::default() }, NfsStat4::Perm)]
#[case::now_by_writer(STRANGER, Attrs { time_modify_set: Some(Settime4::ServerTime), ..Attrs::default() }, NfsStat4::Ok)]
#[case::then_by_writer(STRANGER, Attrs { time_modify_set: Some(Settime4::ClientTime(Nfstime4::default())), ..Attrs::default() }, NfsStat4::Perm)]
#[case::then_by_owner(OWNER, Attrs { time_modify_set: Some(Settime4::ClientTime(Nfstime4::default())), ..Attrs::default() }, NfsStat4::Ok)]
#[case::size_by_writer(STRANGER, Attrs { size: Some(0), ..Attrs::default() }, NfsStat4::Ok)]
#[case::unsupported(ROOT, Attrs { hidden: Some(true), ..Attrs::default() }, NfsStat4::Attrnotsupp)]
#[case::only_read(ROOT, Attrs { fileid: Some(1), ..Attrs::default() }, NfsStat4::Inval)]
#[case::no_owner(ROOT, Attrs { owner: text("alice"), ..Attrs::default() }, NfsStat4::Badowner)]
#[tokio::test]
async fn who_may_set_what(#[case] caller: Caller, #[case] attrs: Attrs, #[case] expected: NfsStat4) {
    let fixture = with_file(0o646).await;
    assert_eq!(set_status(&fixture, caller, &attrs).await, expected);
}

#[tokio::test]
async fn who_may_not_write_sets_neither_time_nor_size() {
    let fixture = with_file(0o644).await;
    let now = Attrs { time_access_set: Some(Settime4::ServerTime), ..Attrs::default() };
    assert_eq!(set_status(&fixture, STRANGER, &now).await, NfsStat4::Access);
    let size = Attrs { size: Some(0), ..Attrs::default() };
    assert_eq!(set_status(&fixture, STRANGER, &size).await, NfsStat4::Access);
}

#[tokio::test]
async fn a_failed_setattr_sets_nothing_at_all() {
    let fixture = with_file(0o646).await;
    let before = attributes(&fixture, "/demo/file").await;
    let attrs = Attrs { size: Some(0), mode: Some(0o777), ..Attrs::default() };
    assert_eq!(set_status(&fixture, STRANGER, &attrs).await, NfsStat4::Perm);
    assert_eq!(attributes(&fixture, "/demo/file").await, before);
}

#[tokio::test]
async fn a_size_needs_an_open_that_writes() {
    let fixture = with_file(0o000).await;
    let size = Attrs { size: Some(1), ..Attrs::default() };
    let read = fixture.open("/demo/file", OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_DENY_NONE).await;
    let done = set(&fixture, STRANGER, "/demo/file", read, &size).await;
    assert_eq!((done.status, done.attrsset), (NfsStat4::Openmode, Bitmap4::new()));
    let fixture = with_file(0o000).await;
    let write = fixture.open("/demo/file", OPEN4_SHARE_ACCESS_BOTH, OPEN4_SHARE_DENY_BOTH).await;
    // ESXi's own DENY_BOTH must not be in its way.
    assert_eq!(set(&fixture, STRANGER, "/demo/file", write, &size).await.status, NfsStat4::Ok);
    assert_eq!(set(&fixture, ROOT, "/demo/file", Stateid4::ANONYMOUS, &size).await.status, NfsStat4::Locked);
    // Without a size the stateid says nothing.
    let mode = Attrs { mode: Some(0o600), ..Attrs::default() };
    let nonsense = Stateid4 { seqid: 9, other: [9; 12] };
    assert_eq!(set(&fixture, ROOT, "/demo/file", nonsense, &mode).await.status, NfsStat4::Ok);
}

#[tokio::test]
async fn only_files_have_a_size_to_set() {
    let fixture = with_file(0o644).await;
    fixture.symlink("/demo", "link", "file").await;
    let size = Attrs { size: Some(0), ..Attrs::default() };
    assert_eq!(set(&fixture, ROOT, "/demo", Stateid4::ANONYMOUS, &size).await.status, NfsStat4::Isdir);
    assert_eq!(set(&fixture, ROOT, "/demo/link", Stateid4::ANONYMOUS, &size).await.status, NfsStat4::Inval);
}

#[tokio::test]
async fn mode_set_masked_leaves_the_other_bits() {
    let fixture = with_file(0o644).await;
    let mut cx = fixture.at(1, OpNum::Setattr, OWNER, "/demo/file").await;
    let masked = ModeMasked4 { value_to_set: 0o7111, mask_bits: 0o1700 };
    let attrs = Attrs { mode_set_masked: Some(masked), ..Attrs::default() };
    let args = Setattr4Args { stateid: Stateid4::ANONYMOUS, obj_attributes: attrs.to_fattr4() };
    let done = setattr(&mut cx, args).await;
    assert_eq!((done.status, done.attrsset), (NfsStat4::Ok, attrs.mask()));
    assert_eq!(attributes(&fixture, "/demo/file").await.mode, 0o1144);
}

#[tokio::test]
async fn a_new_group_takes_set_uid_away() {
    let fixture = with_file(0o6755).await;
    let member = Caller { groups: vec![30], ..OWNER };
    let attrs = Attrs { owner_group: text("30"), ..Attrs::default() };
    assert_eq!(set_status(&fixture, member, &attrs).await, NfsStat4::Ok);
    let found = attributes(&fixture, "/demo/file").await;
    assert_eq!((found.gid, found.mode), (30, 0o755));
}
