//! Operations: OPEN

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// OPEN of a name in the test's directory that creates so, by an owner that nobody knows.
fn create(scene: &Scene, name: &'static str, how: Createhow4) -> CompoundBuilder {
    let args = scene.client.open_args(OpenClaim4::Null(name.into()), &OpenOwner::new("maker"), &OpenHow::both());
    scene.here().open(Open4Args { openhow: Openflag4::Create(how), ..args })
}

fn mode(mode: u32) -> Attrs {
    Attrs { mode: Some(mode), ..Attrs::default() }
}

const ASKED: &[u32] = &[FATTR4_SIZE, FATTR4_MODE, FATTR4_OWNER];

/// RFC 7530 §16.16.5, RFC 8881 §18.16.3: the file gets the attributes, which are told, and the directory's change is.
#[rstest]
fn a_new_file_gets_its_attributes(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let attrs = Attrs { size: Some(5), owner: Some("1000".into()), ..mode(0o640) };
        let hows = [
            ("unchecked", Createhow4::Unchecked(attrs.to_fattr4())),
            ("guarded", Createhow4::Guarded(attrs.to_fattr4())),
        ];
        for (name, how) in hows {
            let compound = create(scene, name, how).getattr(ASKED).putfh(&scene.root).getattr(&[FATTR4_CHANGE]);
            let mut reply = scene.ok(compound).await;
            let opened = reply.open().unwrap();
            assert!(opened.attrset.same_bits(&attrs.mask()), "{:?}", opened.attrset);
            assert_eq!(reply.getattr().unwrap(), attrs);
            assert!(opened.cinfo.before != opened.cinfo.after);
            if opened.cinfo.atomic {
                assert_eq!(Some(opened.cinfo.after), reply.getattr().unwrap().change);
            }
        }
    });
}

/// RFC 7530 §16.16.5, RFC 8881 §18.16.3: of a file that is there, UNCHECKED4 changes nothing but the size, to zero.
#[rstest]
fn unchecked_cuts_what_is_there(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "content").await;
        let before = scene.client.getattr(&handle, ASKED).await.unwrap();
        let attrs = Attrs { owner: Some("1000".into()), ..mode(0o600) };
        let mut reply = scene.ok(create(scene, "file", Createhow4::Unchecked(attrs.to_fattr4())).getfh()).await;
        let opened = reply.open().unwrap();
        assert!(opened.attrset.is_empty(), "{:?}", opened.attrset);
        assert_eq!(reply.getfh().unwrap(), handle);
        assert_eq!(scene.client.getattr(&handle, ASKED).await.unwrap(), before);
        let other = scene.other_client().await;
        let cut = Attrs { size: Some(0), ..mode(0o600) };
        other.open(&scene.root, "file", OpenHow::both().unchecked(cut)).await.unwrap().close().await.unwrap();
        assert_eq!(scene.client.getattr(&handle, ASKED).await.unwrap(), Attrs { size: Some(0), ..before });
    });
}

/// RFC 7530 §16.16.5, RFC 8881 §18.16.3: a name that is taken, by whatever.
#[rstest]
fn guarded_takes_no_name_that_is_taken(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.dir("dir").await;
        scene.link("link", "missing").await;
        for name in ["file", "dir", "link"] {
            let how = Createhow4::Guarded(mode(0o600).to_fattr4());
            scene.fails(create(scene, name, how), NfsStat4::Exist).await;
        }
    });
}

/// RFC 7530 §16.16.5, RFC 8881 §18.16.3: the verifier tells the second try from somebody else's first.
#[rstest]
fn the_verifier_tells_a_second_try(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let exclusive = |verifier| OpenHow::both().exclusive(Verifier4([verifier; 8]), 0o600);
        let open = async |verifier| scene.client.open(&scene.root, "file", exclusive(verifier)).await;
        let first = open(1).await.unwrap();
        let second = open(1).await.unwrap();
        assert_eq!(first.handle(), second.handle());
        assert_eq!(open(2).await.unwrap_err().status(), Some(NfsStat4::Exist));
        scene.file("made otherwise", "x").await;
        let how = exclusive(1);
        let error = scene.client.open(&scene.root, "made otherwise", how).await.unwrap_err();
        assert_eq!(error.status(), Some(NfsStat4::Exist));
        for file in [first, second] {
            file.close().await.unwrap();
        }
    });
}

/// RFC 8881 §18.16.3 and §5.8.1.14: EXCLUSIVE4_1 sets what `suppattr_exclcreat` has, and nothing else.
#[rstest]
fn exclusive_with_attributes(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let how = |verf, attrs: Fattr4| Createhow4::Exclusive41(Creatverfattr { verf: Verifier4([verf; 8]), attrs });
        let mut reply = scene.ok(create(scene, "file", how(1, mode(0o640).to_fattr4())).getattr(&[FATTR4_MODE])).await;
        assert!(reply.open().unwrap().attrset.contains(FATTR4_MODE));
        assert_eq!(reply.getattr().unwrap().mode, Some(0o640));
        let allowed = scene.client.getattr(&scene.root, &[FATTR4_SUPPATTR_EXCLCREAT]).await.unwrap();
        let allowed = allowed.suppattr_exclcreat.unwrap();
        assert!(!allowed.contains(FATTR4_TYPE));
        let ftype = Attrs { ftype: Some(NfsFtype4::Reg), ..Attrs::default() };
        scene.fails(create(scene, "other", how(2, ftype.to_fattr4())), NfsStat4::Inval).await;
    });
}

/// RFC 7530 §16.16.2: EXCLUSIVE4_1 is no way to create in 4.0.
#[rstest]
fn exclusive_with_attributes_came_later(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        let args = Creatverfattr { verf: Verifier4([1; 8]), attrs: Fattr4::default() };
        scene.fails(create(scene, "file", Createhow4::Exclusive41(args)), NfsStat4::Badxdr).await;
        scene.fails(scene.here().lookup("file"), NfsStat4::Noent).await;
    });
}

/// RFC 7530 §5.5 and §16.16.6, RFC 8881 §18.16.4: attributes that cannot be set; no file is left behind.
#[rstest]
fn attributes_that_cannot_be_set(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let owner = Attrs { owner: Some("nobody such@nowhere.invalid".into()), ..mode(0o600) };
        let cut = Fattr4 { attrmask: [FATTR4_MODE].into_iter().collect(), attr_vals: Bytes::new() };
        let cases = [
            ("read-only", Attrs { fileid: Some(7), ..mode(0o600) }.to_fattr4(), NfsStat4::Inval),
            ("not supported", Attrs { quota_used: Some(7), ..mode(0o600) }.to_fattr4(), NfsStat4::Attrnotsupp),
            ("no user", owner.to_fattr4(), NfsStat4::Badowner),
            ("no mode", mode(0o10_600).to_fattr4(), NfsStat4::Inval),
            ("too big", Attrs { size: Some(u64::MAX), ..Attrs::default() }.to_fattr4(), NfsStat4::Fbig),
            ("no value", cut, NfsStat4::Badxdr),
        ];
        for (what, fattr, status) in cases {
            for how in [Createhow4::Unchecked(fattr.clone()), Createhow4::Guarded(fattr)] {
                assert_eq!(scene.call(create(scene, "file", how)).await.status(), status, "{what}");
            }
        }
        assert_eq!(scene.client.names(&scene.root).await.unwrap(), Vec::<String>::new());
    });
}

/// RFC 7530 §16.16.6, RFC 8881 §18.16.4: who may not write the directory makes no file; a new one is its maker's.
#[rstest]
fn who_may_make_files(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let user = scene.user(1000, 1001).await;
        for mode in [0o755, 0o756, 0o750] {
            let dir = scene.client.mkdir(&scene.root, format!("{mode:o}"), mode).await.unwrap();
            let error = user.open(&dir, "file", OpenHow::create()).await.unwrap_err();
            assert_eq!(error.status(), Some(NfsStat4::Access), "{mode:o}");
        }
        // A mode that forbids its own maker binds those who come later.
        let file = user.open(&scene.root, "file", OpenHow::both().guarded(mode(0))).await.unwrap();
        file.write_at(0, "x", StableHow4::Unstable).await.unwrap();
        let attrs = file.getattr(&[FATTR4_OWNER, FATTR4_OWNER_GROUP]).await.unwrap();
        assert_eq!((attrs.owner, attrs.owner_group), (Some("1000".into()), Some("1001".into())));
        let error = user.open(&scene.root, "file", OpenHow::both()).await.unwrap_err();
        assert_eq!(error.status(), Some(NfsStat4::Access));
        file.close().await.unwrap();
    });
}

/// RFC 7530 §16.16.5, RFC 8881 §18.16.3: to cut a file is to write it, and nobody cuts what another denies.
#[rstest]
fn cutting_takes_the_right_to_write(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "content").await;
        let user = scene.user(1000, 1000).await;
        let cut = || OpenHow::read().unchecked(Attrs { size: Some(0), ..Attrs::default() });
        let error = user.open(&scene.root, "file", cut()).await.unwrap_err();
        assert_eq!(error.status(), Some(NfsStat4::Access));
        let denier = scene.client.open(&scene.root, "file", OpenHow::read().deny(OPEN4_SHARE_DENY_BOTH)).await.unwrap();
        let other = scene.other_client().await;
        let error = other.open(&scene.root, "file", cut()).await.unwrap_err();
        assert_eq!(error.status(), Some(NfsStat4::ShareDenied));
        assert_eq!(scene.client.getattr(&handle, &[FATTR4_SIZE]).await.unwrap().size, Some(7));
        denier.close().await.unwrap();
    });
}
