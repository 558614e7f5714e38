//! Operations: SETATTR

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{Client, CompoundBuilder, OpenHow};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

fn size(size: u64) -> Attrs {
    Attrs { size: Some(size), ..Attrs::default() }
}

fn mode(mode: u32) -> Attrs {
    Attrs { mode: Some(mode), ..Attrs::default() }
}

fn owner(uid: &str) -> Attrs {
    Attrs { owner: Some(uid.to_owned().into()), ..Attrs::default() }
}

fn group(gid: &str) -> Attrs {
    Attrs { owner_group: Some(gid.to_owned().into()), ..Attrs::default() }
}

fn time(seconds: i64, nseconds: u32) -> Settime4 {
    Settime4::ClientTime(Nfstime4 { seconds, nseconds })
}

fn mtime(time: Settime4) -> Attrs {
    Attrs { time_modify_set: Some(time), ..Attrs::default() }
}

/// SETATTR as a client, which must end with this status. Returns the attributes that were set.
async fn set(scene: &Scene, client: &Client, handle: &NfsFh4, attrs: &Fattr4, status: NfsStat4) -> Bitmap4 {
    let compound = CompoundBuilder::new().putfh(handle).setattr(Stateid4::ANONYMOUS, attrs.clone());
    scene.answers(client, compound, status).await.setattr().unwrap().attrsset
}

/// RFC 7530 §16.32.4, RFC 8881 §18.30.3: what was set is told, and shows.
#[rstest]
fn what_was_set_is_told_and_shows(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for handle in [scene.file("file", "content").await, scene.dir("dir").await] {
            let attrs = Attrs {
                mode: Some(0o640),
                owner: Some("1000".into()),
                owner_group: Some("1001".into()),
                time_access_set: Some(time(1_000_000_000, 5)),
                time_modify_set: Some(time(1_100_000_000, 7)),
                ..Attrs::default()
            };
            let done = set(scene, &scene.client, &handle, &attrs.to_fattr4(), NfsStat4::Ok).await;
            assert!(done.same_bits(&attrs.mask()), "{done:?}");
            let asked = [FATTR4_MODE, FATTR4_OWNER, FATTR4_OWNER_GROUP, FATTR4_TIME_ACCESS, FATTR4_TIME_MODIFY];
            let wanted = Attrs {
                mode: attrs.mode,
                owner: attrs.owner,
                owner_group: attrs.owner_group,
                time_access: Some(Nfstime4 { seconds: 1_000_000_000, nseconds: 5 }),
                time_modify: Some(Nfstime4 { seconds: 1_100_000_000, nseconds: 7 }),
                ..Attrs::default()
            };
            assert_eq!(scene.client.getattr(&handle, &asked).await.unwrap(), wanted);
        }
    });
}

/// RFC 7530 §16.32.4, RFC 8881 §18.30.3: a file grows with zeros and is cut where the size says.
#[rstest]
fn the_size_cuts_and_grows(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "0123456789").await;
        for (length, wanted) in [(4, &b"0123"[..]), (8, b"0123\0\0\0\0"), (0, b""), (3, b"\0\0\0"), (3, b"\0\0\0")] {
            set(scene, &scene.client, &handle, &size(length).to_fattr4(), NfsStat4::Ok).await;
            assert_eq!(scene.client.read_file(&scene.root, "file", 1).await.unwrap(), wanted);
            assert_eq!(scene.client.getattr(&handle, &[FATTR4_SIZE]).await.unwrap().size, Some(length));
        }
    });
}

/// RFC 7530 §16.32.5, RFC 8881 §18.30.4 and §15.2: only files have a size to set.
#[rstest]
fn only_files_have_a_size_to_set(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (dir, link) = (scene.dir("dir").await, scene.link("link", "to").await);
        let status = if minor == 0 { NfsStat4::Isdir } else { NfsStat4::Inval };
        set(scene, &scene.client, &dir, &size(0).to_fattr4(), status).await;
        set(scene, &scene.client, &link, &size(0).to_fattr4(), NfsStat4::Inval).await;
    });
}

/// RFC 7530 §5.8.2.13, RFC 8881 §5.8.2.17: beyond `maxfilesize` a file is too big.
#[rstest]
fn beyond_the_largest_size(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let largest = scene.client.getattr(&handle, &[FATTR4_MAXFILESIZE]).await.unwrap().maxfilesize.unwrap();
        for length in [largest + 1, u64::MAX] {
            set(scene, &scene.client, &handle, &size(length).to_fattr4(), NfsStat4::Fbig).await;
        }
        assert_eq!(scene.client.getattr(&handle, &[FATTR4_SIZE]).await.unwrap().size, Some(1));
    });
}

/// RFC 7530 §5.5 and §16.32.4, RFC 8881 §18.30.3: what cannot be set, or not so; nothing is set then.
#[rstest]
fn what_cannot_be_set(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let with_mode = |attrs: Attrs| Attrs { mode: Some(0o600), ..attrs }.to_fattr4();
        let mask = |numbers: &[u32]| numbers.iter().copied().collect::<Bitmap4>();
        let raw =
            |numbers: &[u32], words: usize| Fattr4 { attrmask: mask(numbers), attr_vals: vec![0; 4 * words].into() };
        let cases = [
            ("read-only", with_mode(Attrs { fileid: Some(7), ..Attrs::default() }), NfsStat4::Inval),
            ("read-only", with_mode(Attrs { change: Some(7), ..Attrs::default() }), NfsStat4::Inval),
            ("read-only", with_mode(Attrs { ftype: Some(NfsFtype4::Reg), ..Attrs::default() }), NfsStat4::Inval),
            (
                "read-only",
                with_mode(Attrs { time_modify: Some(Nfstime4::default()), ..Attrs::default() }),
                NfsStat4::Inval,
            ),
            ("not supported", with_mode(Attrs { quota_used: Some(7), ..Attrs::default() }), NfsStat4::Attrnotsupp),
            ("unknown", raw(&[FATTR4_MODE, 500], 2), NfsStat4::Attrnotsupp),
            ("no value", raw(&[FATTR4_MODE], 0), NfsStat4::Badxdr),
            ("values left over", raw(&[FATTR4_MODE], 3), NfsStat4::Badxdr),
            (
                "no way to set a time",
                Fattr4 { attrmask: mask(&[FATTR4_TIME_MODIFY_SET]), attr_vals: Bytes::from_static(&[0, 0, 0, 9]) },
                NfsStat4::Badxdr,
            ),
            ("no user", with_mode(owner("nobody such@nowhere.invalid")), NfsStat4::Badowner),
            ("no group", with_mode(group("no group such@nowhere.invalid")), NfsStat4::Badowner),
            ("no number", with_mode(owner("99999999999")), NfsStat4::Badowner),
            ("no mode", mode(0o10_644).to_fattr4(), NfsStat4::Inval),
            ("no time", with_mode(mtime(time(0, 1_000_000_000))), NfsStat4::Inval),
        ];
        for (what, fattr, status) in cases {
            let compound = CompoundBuilder::new().putfh(&handle).setattr(Stateid4::ANONYMOUS, fattr);
            let mut reply = scene.call(compound).await;
            assert_eq!(reply.status(), status, "{what}");
            assert!(reply.setattr().unwrap().attrsset.is_empty(), "{what}");
        }
        assert_eq!(scene.client.getattr(&handle, &[FATTR4_MODE]).await.unwrap().mode, Some(0o644));
    });
}

/// RFC 7530 §16.32.4, RFC 8881 §18.30.3: an empty set is no mistake, and words of zeros mean nothing.
#[rstest]
fn empty_and_long_masks(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        for words in [&[][..], &[0, 0, 0, 0]] {
            let fattr = Fattr4 { attrmask: Bitmap4::from_words(words), attr_vals: Bytes::new() };
            assert!(set(scene, &scene.client, &handle, &fattr, NfsStat4::Ok).await.is_empty());
        }
        let fattr = mode(0o600).to_fattr4();
        let words = [fattr.attrmask.words(), &[0, 0]].concat();
        let fattr = Fattr4 { attrmask: Bitmap4::from_words(&words), ..fattr };
        let done = set(scene, &scene.client, &handle, &fattr, NfsStat4::Ok).await;
        assert!(done.same_bits(&fattr.attrmask));
    });
}

/// RFC 7530 §16.32.4, RFC 8881 §18.30.3: the mode belongs to the owner, as does each time that is not now.
#[rstest]
fn what_belongs_to_the_owner(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let all = Attrs { mode: Some(0o666), ..owner("1000") };
        set(scene, &scene.client, &handle, &all.to_fattr4(), NfsStat4::Ok).await;
        let (of_owner, of_other) = (scene.user(1000, 1000).await, scene.user(1001, 1001).await);
        let now = mtime(Settime4::ServerTime);
        let cases = [
            (&of_owner, mode(0o660), NfsStat4::Ok),
            (&of_owner, mode(0o666), NfsStat4::Ok),
            (&of_owner, mtime(time(7, 0)), NfsStat4::Ok),
            (&of_owner, group("1000"), NfsStat4::Ok),
            (&of_owner, group("1001"), NfsStat4::Perm),
            (&of_owner, owner("1001"), NfsStat4::Perm),
            (&of_other, mode(0o600), NfsStat4::Perm),
            (&of_other, mtime(time(7, 0)), NfsStat4::Perm),
            (&of_other, now.clone(), NfsStat4::Ok),
            (&of_other, size(3), NfsStat4::Ok),
            (&of_owner, mode(0o600), NfsStat4::Ok),
            (&of_other, now, NfsStat4::Access),
            (&of_other, size(4), NfsStat4::Access),
        ];
        for (client, attrs, status) in cases {
            set(scene, client, &handle, &attrs.to_fattr4(), status).await;
        }
    });
}

/// RFC 7530 §16.32.5 and §9.1.6, RFC 8881 §18.30.3: a size takes an open for writing, and one that is denied takes
/// none.
#[rstest]
fn a_size_takes_an_open_for_writing(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "0123456789").await;
        let resize = |stateid| CompoundBuilder::new().putfh(&handle).setattr(stateid, size(5).to_fattr4());
        let reader = scene.client.open(&scene.root, "file", OpenHow::read()).await.unwrap();
        scene.fails(resize(reader.stateid()), NfsStat4::Openmode).await;
        // The mode needs no open, so its stateid is not looked at.
        let chmod = CompoundBuilder::new().putfh(&handle).setattr(reader.stateid(), mode(0o600).to_fattr4());
        scene.ok(chmod).await;
        let writer = scene.client.open(&scene.root, "file", OpenHow::write()).await.unwrap();
        scene.ok(resize(writer.stateid())).await;
        writer.close().await.unwrap();
        let denier =
            scene.client.open(&scene.root, "file", OpenHow::read().deny(OPEN4_SHARE_DENY_WRITE)).await.unwrap();
        let other = scene.other_client().await;
        scene.answers(&other, resize(Stateid4::ANONYMOUS), NfsStat4::Locked).await;
        denier.close().await.unwrap();
        reader.close().await.unwrap();
    });
}

/// RFC 8881 §6.2.4 and §6.2.5: `mode_set_masked` changes the bits of its mask, and goes with no other mode.
#[rstest]
fn some_bits_of_the_mode(#[values(Embedded)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let masked = |value_to_set, mask_bits| Attrs {
            mode_set_masked: Some(ModeMasked4 { value_to_set, mask_bits }),
            ..Attrs::default()
        };
        set(scene, &scene.client, &handle, &masked(0o111, 0o311).to_fattr4(), NfsStat4::Ok).await;
        assert_eq!(scene.client.getattr(&handle, &[FATTR4_MODE]).await.unwrap().mode, Some(0o555));
        let both = Attrs { mode: Some(0o600), ..masked(0, 0o7) };
        set(scene, &scene.client, &handle, &both.to_fattr4(), NfsStat4::Inval).await;
        set(scene, &scene.client, &handle, &masked(0, 0o10_000).to_fattr4(), NfsStat4::Inval).await;
    });
}
