//! Operations: VERIFY, NVERIFY

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

fn verify(handle: &NfsFh4, obj_attributes: Fattr4) -> CompoundBuilder {
    CompoundBuilder::new().putfh(handle).op(NfsArgop4::Verify(Verify4Args { obj_attributes }))
}

fn nverify(handle: &NfsFh4, obj_attributes: Fattr4) -> CompoundBuilder {
    CompoundBuilder::new().putfh(handle).op(NfsArgop4::Nverify(Verify4Args { obj_attributes }))
}

/// RFC 7530 §16.35 and §16.15, RFC 8881 §18.31 and §18.15: what GETATTR tells is the same, for each attribute alone
/// and all.
#[rstest]
fn what_getattr_tells_is_the_same(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        // Those of the file system's room may change at any time.
        let asked = [
            FATTR4_SUPPORTED_ATTRS,
            FATTR4_TYPE,
            FATTR4_FH_EXPIRE_TYPE,
            FATTR4_CHANGE,
            FATTR4_SIZE,
            FATTR4_FSID,
            FATTR4_LEASE_TIME,
            FATTR4_FILEHANDLE,
            FATTR4_FILEID,
            FATTR4_MAXNAME,
            FATTR4_MODE,
            FATTR4_NUMLINKS,
            FATTR4_OWNER,
            FATTR4_OWNER_GROUP,
            FATTR4_TIME_ACCESS,
            FATTR4_TIME_METADATA,
            FATTR4_TIME_MODIFY,
        ];
        for handle in [scene.file("file", "x").await, scene.dir("dir").await, scene.link("link", "to").await] {
            let all = scene.client.getattr(&handle, &asked).await.unwrap();
            let alone = asked.iter().map(|number| {
                let mut one = all.clone();
                one.retain(&[*number].into_iter().collect());
                one
            });
            for attrs in alone.chain([all.clone()]) {
                scene.ok(verify(&handle, attrs.to_fattr4())).await;
                scene.fails(nverify(&handle, attrs.to_fattr4()), NfsStat4::Same).await;
            }
        }
    });
}

/// RFC 7530 §16.35 and §16.15, RFC 8881 §18.31 and §18.15: one attribute that differs is enough.
#[rstest]
fn one_difference_is_enough(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let is = scene.client.getattr(&handle, &[FATTR4_TYPE, FATTR4_SIZE, FATTR4_FILEID]).await.unwrap();
        let others = [
            Attrs { size: Some(2), ..is.clone() },
            Attrs { ftype: Some(NfsFtype4::Dir), ..is.clone() },
            Attrs { fileid: Some(1), ..is.clone() },
        ];
        for attrs in others {
            scene.fails(verify(&handle, attrs.to_fattr4()), NfsStat4::NotSame).await;
            scene.ok(nverify(&handle, attrs.to_fattr4())).await;
        }
    });
}

/// RFC 7530 §16.35.4, RFC 8881 §18.31.3: what they are for: the rest of a COMPOUND runs or not.
#[rstest]
fn they_guard_the_rest_of_a_compound(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let is = scene.client.getattr(&handle, &[FATTR4_SIZE]).await.unwrap().to_fattr4();
        let then = |compound: CompoundBuilder| compound.getattr(&[FATTR4_TYPE]);
        assert_eq!(scene.ok(then(verify(&handle, is.clone()))).await.results().len(), 3);
        assert_eq!(scene.call(then(nverify(&handle, is))).await.results().len(), 2);
    });
}

/// RFC 7530 §16.35.4, RFC 8881 §18.31.3: attributes that cannot be compared.
#[rstest]
fn what_cannot_be_compared(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let set = Attrs { time_modify_set: Some(Settime4::ServerTime), ..Attrs::default() };
        let error = Attrs { rdattr_error: Some(NfsStat4::Ok), ..Attrs::default() };
        let quota = Attrs { quota_used: Some(7), ..Attrs::default() };
        let cut = Fattr4 { attrmask: [FATTR4_SIZE].into_iter().collect(), attr_vals: Bytes::from_static(&[0; 4]) };
        let cases = [
            ("can only be set", set.to_fattr4(), NfsStat4::Inval),
            ("tells of errors", error.to_fattr4(), NfsStat4::Inval),
            ("not supported", quota.to_fattr4(), NfsStat4::Attrnotsupp),
            ("cut", cut, NfsStat4::Badxdr),
        ];
        for (what, fattr, status) in cases {
            for compound in [verify(&handle, fattr.clone()), nverify(&handle, fattr)] {
                assert_eq!(scene.call(compound).await.status(), status, "{what}");
            }
        }
    });
}

/// RFC 7530 §16.35.4, RFC 8881 §18.31.3: masks are compared by their bits; an empty one finds no difference.
#[rstest]
fn empty_and_long_masks(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let fattr = scene.client.getattr(&handle, &[FATTR4_SIZE]).await.unwrap().to_fattr4();
        let words = [fattr.attrmask.words(), &[0, 0, 0]].concat();
        let long = Fattr4 { attrmask: Bitmap4::from_words(&words), ..fattr };
        for fattr in [long, Fattr4::default()] {
            scene.ok(verify(&handle, fattr.clone())).await;
            scene.fails(nverify(&handle, fattr), NfsStat4::Same).await;
        }
    });
}
