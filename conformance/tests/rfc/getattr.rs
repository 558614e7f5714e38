//! Operations: GETATTR

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// The attributes that every server has (RFC 7530 §5.6, RFC 8881 §5.6).
const REQUIRED: &[u32] = &[
    FATTR4_SUPPORTED_ATTRS,
    FATTR4_TYPE,
    FATTR4_FH_EXPIRE_TYPE,
    FATTR4_CHANGE,
    FATTR4_SIZE,
    FATTR4_LINK_SUPPORT,
    FATTR4_SYMLINK_SUPPORT,
    FATTR4_NAMED_ATTR,
    FATTR4_FSID,
    FATTR4_UNIQUE_HANDLES,
    FATTR4_LEASE_TIME,
    FATTR4_RDATTR_ERROR,
    FATTR4_FILEHANDLE,
];

async fn supported(scene: &Scene) -> Bitmap4 {
    let attrs = scene.client.getattr(&scene.root, &[FATTR4_SUPPORTED_ATTRS]).await.unwrap();
    attrs.supported_attrs.unwrap()
}

async fn objects(scene: &Scene) -> [NfsFh4; 3] {
    [scene.file("file", "content").await, scene.dir("dir").await, scene.link("link", "to").await]
}

/// RFC 7530 §5.6, RFC 8881 §5.6: the required attributes are there, and none of a later minor version.
#[rstest]
fn the_required_attributes_are_supported(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let supported = supported(scene).await;
        let suppattr_exclcreat = (minor > 0).then_some(FATTR4_SUPPATTR_EXCLCREAT);
        for number in REQUIRED.iter().copied().chain(suppattr_exclcreat) {
            assert!(supported.contains(number), "{number}");
        }
        for number in supported.iter() {
            let known = attribute(number).unwrap_or_else(|| panic!("{number} is no attribute"));
            assert!(known.since_minor <= minor, "{}", known.rfc_name);
        }
    });
}

/// RFC 7530 §16.7.4, RFC 8881 §18.7.3: each supported attribute that can be read is answered, alone and with all
/// others.
#[rstest]
fn what_is_supported_is_answered(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let readable: Vec<u32> =
            supported(scene).await.iter().filter(|number| attribute(*number).is_some_and(AttrInfo::readable)).collect();
        for handle in objects(scene).await {
            let all = scene.client.getattr(&handle, &readable).await.unwrap();
            assert!(all.mask().same_bits(&readable.iter().copied().collect()), "{:?}", all.mask());
            for number in &readable {
                let alone = scene.client.getattr(&handle, &[*number]).await.unwrap();
                assert!(alone.mask().same_bits(&[*number].into_iter().collect()), "{number}: {alone:?}");
            }
        }
    });
}

/// RFC 7530 §16.7.4, RFC 8881 §18.7.3: what is not supported, or not even known, is left out and no error.
#[rstest]
fn what_is_not_supported_is_left_out(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let supported = supported(scene).await;
        let asked: Vec<u32> = (0..160)
            .chain([300, 1000])
            .filter(|number| *number == FATTR4_TYPE || !supported.contains(*number))
            .filter(|number| attribute(*number).is_none_or(AttrInfo::readable))
            .collect();
        let attrs = scene.client.getattr(&scene.root, &asked).await.unwrap();
        assert!(attrs.mask().same_bits(&[FATTR4_TYPE].into_iter().collect()), "{attrs:?}");
    });
}

/// RFC 7530 §5.5, RFC 8881 §5.5: attributes that can only be set.
#[rstest]
fn what_can_only_be_set_is_inval(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for number in [FATTR4_TIME_ACCESS_SET, FATTR4_TIME_MODIFY_SET] {
            scene.fails(scene.here().getattr(&[FATTR4_TYPE, number]), NfsStat4::Inval).await;
        }
    });
}

/// RFC 7530 §16.7.4, RFC 4506 §4.13: an empty mask has an empty answer, and words of zeros mean nothing.
#[rstest]
fn empty_and_long_masks(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for words in [&[][..], &[0], &[0; 3], &[0; 10]] {
            let attr_request = Bitmap4::from_words(words);
            let op = NfsArgop4::Getattr(Getattr4Args { attr_request });
            let attrs = scene.ok(scene.here().op(op)).await.getattr().unwrap();
            assert_eq!(attrs, Attrs::default());
        }
        let attr_request = Bitmap4::from_words(&[1 << FATTR4_TYPE, 0, 0, 0, 0, 0]);
        let attrs =
            scene.ok(scene.here().op(NfsArgop4::Getattr(Getattr4Args { attr_request }))).await.getattr().unwrap();
        assert_eq!(attrs, Attrs { ftype: Some(NfsFtype4::Dir), ..Attrs::default() });
    });
}

/// RFC 7530 §5.8, RFC 8881 §5.8: what the attributes say is so.
#[rstest]
fn what_attributes_say_is_so(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let asked = [
            FATTR4_TYPE,
            FATTR4_SIZE,
            FATTR4_FSID,
            FATTR4_FILEHANDLE,
            FATTR4_FILEID,
            FATTR4_RDATTR_ERROR,
            FATTR4_LEASE_TIME,
            FATTR4_NUMLINKS,
            FATTR4_TIME_MODIFY,
        ];
        let here = scene.client.getattr(&scene.root, &[FATTR4_FSID]).await.unwrap();
        let types = [NfsFtype4::Reg, NfsFtype4::Dir, NfsFtype4::Lnk];
        let sizes = [Some(7), None, Some(2)];
        let mut ids = Vec::new();
        for ((handle, ftype), size) in objects(scene).await.into_iter().zip(types).zip(sizes) {
            let attrs = scene.client.getattr(&handle, &asked).await.unwrap();
            assert_eq!((attrs.ftype, attrs.fsid, &attrs.filehandle), (Some(ftype), here.fsid, &Some(handle)));
            assert_eq!(size.unwrap_or_default(), size.and(attrs.size).unwrap_or_default());
            assert_eq!(attrs.rdattr_error, Some(NfsStat4::Ok));
            assert!(attrs.lease_time.unwrap() > 0 && attrs.numlinks.unwrap() > 0);
            assert!(attrs.time_modify.unwrap().nseconds < 1_000_000_000);
            ids.push(attrs.fileid.unwrap());
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), types.len());
    });
}

/// RFC 7530 §5.8.1.4, RFC 8881 §5.8.1.4: `change` moves with content and attributes, and with nothing else.
#[rstest]
fn change_moves_with_every_change(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let change = async || scene.client.getattr(&handle, &[FATTR4_CHANGE]).await.unwrap().change.unwrap();
        let first = change().await;
        scene.client.read_file(&scene.root, "file", 1).await.unwrap();
        assert_eq!(change().await, first);
        scene
            .client
            .setattr(&handle, Stateid4::ANONYMOUS, &Attrs { mode: Some(0o600), ..Attrs::default() })
            .await
            .unwrap();
        let second = change().await;
        assert!(second != first);
        scene.client.setattr(&handle, Stateid4::ANONYMOUS, &Attrs { size: Some(5), ..Attrs::default() }).await.unwrap();
        let third = change().await;
        assert!(third != second);
        let write = CompoundBuilder::new().putfh(&handle);
        scene.ok(write.write(Stateid4::ANONYMOUS, 0, StableHow4::FileSync, "y".into())).await;
        assert!(change().await != third);
    });
}

/// RFC 7530 §5.8.1.10 and §4.2.2, RFC 8881 §5.8.1.10: one handle for one object.
#[rstest]
fn handles_are_unique(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let attrs = scene.client.getattr(&scene.root, &[FATTR4_UNIQUE_HANDLES, FATTR4_FH_EXPIRE_TYPE]).await.unwrap();
        assert_eq!((attrs.unique_handles, attrs.fh_expire_type), (Some(true), Some(FH4_PERSISTENT)));
    });
}
