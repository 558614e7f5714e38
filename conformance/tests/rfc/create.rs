//! Operations: CREATE

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

fn link() -> Createtype4 {
    Createtype4::Lnk(Bytes::from_static(b"to"))
}

fn mode(mode: u32) -> Fattr4 {
    Attrs { mode: Some(mode), ..Attrs::default() }.to_fattr4()
}

/// RFC 7530 §16.4, RFC 8881 §18.4: the new object is the current one, and the directory's change is told.
#[rstest]
fn what_is_made_is_the_current_object(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for (objtype, name, ftype) in [(Createtype4::Dir, "dir", NfsFtype4::Dir), (link(), "link", NfsFtype4::Lnk)] {
            let wanted = [FATTR4_TYPE, FATTR4_MODE];
            let compound =
                scene.here().getattr(&[FATTR4_CHANGE]).create(objtype, name, mode(0o750)).getfh().getattr(&wanted);
            let mut reply = scene.ok(compound.putfh(&scene.root).getattr(&[FATTR4_CHANGE]).lookup(name).getfh()).await;
            let before = reply.getattr().unwrap().change;
            let made = reply.create().unwrap();
            let handle = reply.getfh().unwrap();
            let attrs = reply.getattr().unwrap();
            let after = reply.getattr().unwrap().change;
            assert_eq!(attrs.ftype, Some(ftype));
            if ftype == NfsFtype4::Dir {
                assert_eq!(attrs.mode, Some(0o750));
                assert!(made.attrset.contains(FATTR4_MODE), "{made:?}");
            }
            assert_eq!(reply.getfh().unwrap(), handle);
            assert!(before != after, "the directory did not change");
            if made.cinfo.atomic {
                assert_eq!((Some(made.cinfo.before), Some(made.cinfo.after)), (before, after));
            }
        }
    });
}

/// RFC 7530 §16.4.4, RFC 8881 §18.4.3: files are made by OPEN, and named attributes by neither.
#[rstest]
fn files_are_made_by_open(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for ftype in [NfsFtype4::Reg, NfsFtype4::Attrdir, NfsFtype4::Namedattr] {
            let compound = scene.here().create(Createtype4::Other(ftype), "new", Fattr4::default());
            scene.fails(compound, NfsStat4::Badtype).await;
        }
        assert_eq!(scene.client.names(&scene.root).await.unwrap(), Vec::<String>::new());
    });
}

/// RFC 7530 §16.4.4, RFC 8881 §18.4.3: types that the server does not have.
#[rstest]
fn there_are_no_special_files(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let numbers = Specdata4 { specdata1: 1, specdata2: 2 };
        for objtype in [Createtype4::Blk(numbers), Createtype4::Chr(numbers), Createtype4::Sock, Createtype4::Fifo] {
            scene.fails(scene.here().create(objtype, "new", Fattr4::default()), NfsStat4::Badtype).await;
        }
    });
}

/// RFC 7530 §16.4.4, RFC 8881 §18.4.3: a name that is taken, by whatever.
#[rstest]
fn a_taken_name_is_exist(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        scene.dir("dir").await;
        scene.link("link", "to").await;
        for name in ["file", "dir", "link"] {
            for objtype in [Createtype4::Dir, link()] {
                scene.fails(scene.here().create(objtype, name, Fattr4::default()), NfsStat4::Exist).await;
            }
        }
    });
}

/// RFC 7530 §13.1.2.6, RFC 8881 §15.1.2.6: only directories have entries.
#[rstest]
fn only_in_directories(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for handle in [scene.file("file", "x").await, scene.link("link", ".").await] {
            let compound = CompoundBuilder::new().putfh(&handle).create(Createtype4::Dir, "new", Fattr4::default());
            scene.fails(compound, NfsStat4::Notdir).await;
        }
    });
}

/// RFC 7530 §13.1.6.1, RFC 8881 §15.1.6.1: who may not write a directory makes nothing in it.
#[rstest]
fn the_directory_must_be_writable(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let user = scene.user(1000, 1000).await;
        for mode in [0o755, 0o756, 0o750] {
            let dir = scene.client.mkdir(&scene.root, format!("{mode:o}"), mode).await.unwrap();
            let compound = CompoundBuilder::new().putfh(&dir).create(Createtype4::Dir, "new", Fattr4::default());
            scene.answers(&user, compound, NfsStat4::Access).await;
        }
        let dir = user.mkdir(&scene.root, "mine", 0o755).await.unwrap();
        let attrs = user.getattr(&dir, &[FATTR4_OWNER, FATTR4_OWNER_GROUP]).await.unwrap();
        assert_eq!((attrs.owner, attrs.owner_group), (Some("1000".into()), Some("1000".into())));
    });
}

/// RFC 7530 §5.5 and §16.4.4, RFC 8881 §18.4.3: attributes that cannot be set, or not so.
#[rstest]
fn attributes_that_cannot_be_set(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let attrs = |attrs: Attrs| attrs.to_fattr4();
        let owner =
            |owner: &'static str| Attrs { owner: Some(Bytes::from_static(owner.as_bytes())), ..Attrs::default() };
        let cut = Fattr4 { attrmask: [FATTR4_MODE].into_iter().collect(), attr_vals: Bytes::new() };
        let surplus = Fattr4 { attr_vals: Bytes::from_static(&[0; 8]), ..cut.clone() };
        let unknown = Fattr4 { attrmask: [FATTR4_MODE, 500].into_iter().collect(), ..surplus.clone() };
        let cases = [
            ("read-only", attrs(Attrs { fileid: Some(7), ..Attrs::default() }), NfsStat4::Inval),
            ("read-only", attrs(Attrs { ftype: Some(NfsFtype4::Dir), ..Attrs::default() }), NfsStat4::Inval),
            ("not supported", attrs(Attrs { quota_used: Some(7), ..Attrs::default() }), NfsStat4::Attrnotsupp),
            ("no user", attrs(owner("nobody such@nowhere.invalid")), NfsStat4::Badowner),
            ("no mode", mode(0o20_000), NfsStat4::Inval),
            ("no value", cut, NfsStat4::Badxdr),
            ("values left over", surplus, NfsStat4::Badxdr),
            ("unknown", unknown, NfsStat4::Attrnotsupp),
        ];
        for (what, fattr, status) in cases {
            let reply = scene.call(scene.here().create(Createtype4::Dir, "new", fattr)).await;
            assert_eq!(reply.status(), status, "{what}");
        }
        assert_eq!(scene.client.names(&scene.root).await.unwrap(), Vec::<String>::new());
    });
}

/// RFC 7530 §16.4.4, RFC 8881 §18.4.3: a mask with words of zeros is the same mask.
#[rstest]
fn words_of_zeros_mean_nothing(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let fattr = mode(0o700);
        let words = [fattr.attrmask.words(), &[0, 0, 0]].concat();
        let fattr = Fattr4 { attrmask: Bitmap4::from_words(&words), ..fattr };
        let mut reply = scene.ok(scene.here().create(Createtype4::Dir, "dir", fattr).getattr(&[FATTR4_MODE])).await;
        assert_eq!(reply.getattr().unwrap().mode, Some(0o700));
    });
}

/// RFC 7530 §16.4.4, RFC 8881 §18.4.3: a link to nothing is none.
#[rstest]
fn a_link_needs_a_target(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let compound = scene.here().create(Createtype4::Lnk(Bytes::new()), "link", Fattr4::default());
        scene.fails(compound, NfsStat4::Inval).await;
        scene.fails(scene.here().lookup("link"), NfsStat4::Noent).await;
    });
}
