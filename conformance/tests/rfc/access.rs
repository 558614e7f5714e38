//! Operations: ACCESS

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// All bits of 4.0 and 4.1.
const ALL: u32 = 0x3f;
/// What can be done with a file of mode `rwx`.
const FILE_BITS: [(u32, u32); 3] =
    [(0o4, ACCESS4_READ), (0o2, ACCESS4_MODIFY | ACCESS4_EXTEND), (0o1, ACCESS4_EXECUTE)];

/// RFC 7530 §16.1.4, RFC 8881 §18.1.3: nothing is answered that was not asked, and nothing is granted that is not
/// supported.
#[rstest]
fn only_what_was_asked_is_answered(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for handle in [scene.file("file", "x").await, scene.dir("dir").await, scene.link("link", "to").await] {
            for asked in 0..=ALL {
                let mut reply = scene.ok(CompoundBuilder::new().putfh(&handle).access(asked)).await;
                let Access4Resok { supported, access } = reply.access().unwrap();
                assert_eq!((supported & !asked, access & !supported), (0, 0), "{asked:#x}: {supported:#x} {access:#x}");
            }
        }
    });
}

/// RFC 7530 §16.1.4, RFC 8881 §18.1.3: root may do all with directories; to execute a file, somebody must be allowed
/// to.
#[rstest]
fn root_may_do_all(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (file, dir) = (scene.file("file", "x").await, scene.dir("dir").await);
        let of_dir = ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE;
        assert_eq!(scene.client.access(&dir, of_dir).await.unwrap(), of_dir);
        let of_file = ACCESS4_READ | ACCESS4_MODIFY | ACCESS4_EXTEND;
        assert_eq!(scene.client.access(&file, of_file | ACCESS4_EXECUTE).await.unwrap(), of_file);
    });
}

/// RFC 7530 §6.3.1.1 and §16.1.4, RFC 8881 §18.1.3: the bits of the first class that fits count, for each of the three.
#[rstest]
fn the_mode_decides(
    #[values(Embedded, Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
    #[values((1000, 5, 6), (1001, 1000, 3), (1001, 1001, 0))] who: (u32, u32, u32),
) {
    rfc(target, minor, async |scene| {
        let (uid, gid, shift) = who;
        let file = scene.file("file", "x").await;
        let owners = Attrs { owner: Some("1000".into()), owner_group: Some("1000".into()), ..Attrs::default() };
        scene.client.setattr(&file, Stateid4::ANONYMOUS, &owners).await.unwrap();
        let user = scene.user(uid, gid).await;
        for class in 0..8 {
            // The other classes have the opposite, so that a mistake shows.
            let mode = (0o777 & !(0o7 << shift) & if class & 1 == 0 { 0o777 } else { 0 }) | (class << shift);
            scene
                .client
                .setattr(&file, Stateid4::ANONYMOUS, &Attrs { mode: Some(mode), ..Attrs::default() })
                .await
                .unwrap();
            let wanted = FILE_BITS.iter().filter(|(bit, _)| class & bit != 0).fold(0, |all, (_, bits)| all | bits);
            let asked = ACCESS4_READ | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_EXECUTE;
            assert_eq!(user.access(&file, asked).await.unwrap(), wanted, "mode {mode:o}");
        }
    });
}

/// RFC 8881 §18.1.3, RFC 7530 §16.1.4: a directory is changed by who may write and search it.
#[rstest]
fn a_directory_is_changed_by_who_may_search_it(
    #[values(Embedded, Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
) {
    rfc(target, minor, async |scene| {
        let user = scene.user(1000, 1000).await;
        let change = ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE;
        let cases = [
            (0o704, ACCESS4_READ),
            (0o701, ACCESS4_LOOKUP),
            (0o703, ACCESS4_LOOKUP | change),
            (0o707, ACCESS4_READ | ACCESS4_LOOKUP | change),
            (0o770, 0),
        ];
        for (mode, wanted) in cases {
            let dir = scene.client.mkdir(&scene.root, format!("{mode:o}"), mode).await.unwrap();
            let granted = user.access(&dir, ACCESS4_READ | ACCESS4_LOOKUP | change).await.unwrap();
            assert_eq!(granted, wanted, "mode {mode:o}");
        }
    });
}

/// RFC 7530 §16.1.4, RFC 8881 §18.1.3: bits that the minor version does not define.
#[rstest]
fn undefined_bits_are_inval(#[values(Embedded, Remote)] target: Target, #[values(0, 1)] minor: u32) {
    rfc(target, minor, async |scene| {
        for bit in 6..32 {
            scene.fails(scene.here().access(1 << bit | ACCESS4_READ), NfsStat4::Inval).await;
        }
    });
}

/// RFC 8276 §8.5, RFC 8178 §4.2: 4.2 is extended by bits, and what a server does not know of them it does not support.
#[rstest]
fn bits_of_extensions_are_not_supported(#[values(Embedded)] target: Target, #[values(2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for bit in 6..32 {
            let mut reply = scene.ok(scene.here().access(1 << bit | ACCESS4_READ)).await;
            let Access4Resok { supported, access } = reply.access().unwrap();
            assert_eq!((supported, access), (ACCESS4_READ, ACCESS4_READ), "bit {bit}");
        }
    });
}
