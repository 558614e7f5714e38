//! Operations: READDIR

use std::collections::BTreeSet;

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

const START: Verifier4 = Verifier4([0; 8]);

fn readdir(handle: &NfsFh4, cookie: u64, cookieverf: Verifier4, sizes: (u32, u32), asked: &[u32]) -> CompoundBuilder {
    let attr_request = asked.iter().copied().collect();
    let args = Readdir4Args { cookie, cookieverf, dircount: sizes.0, maxcount: sizes.1, attr_request };
    CompoundBuilder::new().putfh(handle).op(NfsArgop4::Readdir(Box::new(args)))
}

/// Makes so many links in the test's directory. Returns their names.
async fn fill(scene: &Scene, number: usize) -> BTreeSet<String> {
    let names: BTreeSet<String> = (0..number).map(|number| format!("entry {number:03}")).collect();
    for name in &names {
        scene.link(name, "to").await;
    }
    names
}

/// RFC 7530 §16.24.4, RFC 8881 §18.23.3: an empty directory is empty: without `.` and `..`.
#[rstest]
fn an_empty_directory_is_empty(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let page = scene.ok(readdir(&scene.root, 0, START, (1000, 4000), &[])).await.readdir().unwrap();
        assert_eq!((page.reply.entries.len(), page.reply.eof), (0, true));
    });
}

/// RFC 7530 §16.24.4, RFC 8881 §18.23.3: page by page every name comes once, however small the pages are; cookies
/// differ and are none of the reserved ones.
#[rstest]
fn every_name_comes_once(
    #[values(Embedded, Remote)] target: Target,
    #[values(0, 1, 2)] minor: u32,
    #[values((0, 300), (100, 8000), (8000, 600), (0, 65_536))] sizes: (u32, u32),
) {
    rfc(target, minor, async |scene| {
        let names = fill(scene, 40).await;
        let (mut cookie, mut verifier) = (0, START);
        let (mut found, mut cookies) = (Vec::new(), BTreeSet::new());
        loop {
            let compound = readdir(&scene.root, cookie, verifier, sizes, &[FATTR4_FILEID]);
            let page = scene.ok(compound).await.readdir().unwrap();
            verifier = page.cookieverf;
            for entry in page.reply.entries {
                cookie = entry.cookie;
                assert!(cookie > 2 && cookies.insert(cookie), "cookie {cookie}");
                found.push(String::from_utf8(entry.name.to_vec()).unwrap());
            }
            if page.reply.eof {
                break;
            }
        }
        assert_eq!(found.len(), names.len());
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), names);
    });
}

/// RFC 7530 §16.24.4, RFC 8881 §18.23.3: no page is larger than `maxcount`.
#[rstest]
fn no_page_is_larger_than_asked(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        fill(scene, 20).await;
        for maxcount in (200..1500).step_by(61) {
            let asked = [FATTR4_TYPE, FATTR4_FILEHANDLE, FATTR4_OWNER];
            let page = scene.ok(readdir(&scene.root, 0, START, (maxcount, maxcount), &asked)).await.readdir().unwrap();
            // Verifier, the end of the list, eof.
            let bytes = 16 + page.reply.entries.iter().map(Entry4::wire_len).sum::<usize>();
            assert!(bytes <= maxcount as usize, "{bytes} of {maxcount}");
            assert!(!page.reply.entries.is_empty());
        }
    });
}

/// RFC 7530 §16.24.4, RFC 8881 §18.23.3: not even one entry fits.
#[rstest]
fn too_small_for_one_entry(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        fill(scene, 3).await;
        for maxcount in [0, 1, 8, 15, 16, 20, 40] {
            scene.fails(readdir(&scene.root, 0, START, (0, maxcount), &[]), NfsStat4::Toosmall).await;
        }
    });
}

/// RFC 7530 §16.24.4, RFC 8881 §18.23.3: what entries tell is what GETATTR tells of them.
#[rstest]
fn entries_tell_what_getattr_tells(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "content").await;
        scene.dir("dir").await;
        scene.link("link", "to").await;
        let asked = [
            FATTR4_TYPE,
            FATTR4_CHANGE,
            FATTR4_SIZE,
            FATTR4_FSID,
            FATTR4_RDATTR_ERROR,
            FATTR4_FILEHANDLE,
            FATTR4_FILEID,
            FATTR4_MODE,
            FATTR4_NUMLINKS,
            FATTR4_OWNER,
            FATTR4_TIME_MODIFY,
        ];
        let page = scene.ok(readdir(&scene.root, 0, START, (4000, 8000), &asked)).await.readdir().unwrap();
        assert_eq!(page.reply.entries.len(), 3);
        for entry in page.reply.entries {
            let told = entry.attrs.parse().unwrap();
            let handle = told.filehandle.clone().unwrap();
            assert_eq!(scene.client.getattr(&handle, &asked).await.unwrap(), told, "{:?}", entry.name);
            assert_eq!(scene.client.lookup(&scene.root, &entry.name).await.unwrap().handle, handle);
        }
    });
}

/// RFC 7530 §16.24.4 and §5.5, RFC 8881 §18.23.3: attributes that nobody has are left out, those that can only be set
/// are a mistake.
#[rstest]
fn attributes_that_cannot_be_told(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        fill(scene, 1).await;
        let page = scene.ok(readdir(&scene.root, 0, START, (0, 4000), &[FATTR4_TYPE, 150])).await.readdir().unwrap();
        assert_eq!(page.reply.entries[0].attrs.parse().unwrap().ftype, Some(NfsFtype4::Lnk));
        let compound = readdir(&scene.root, 0, START, (0, 4000), &[FATTR4_TIME_MODIFY_SET]);
        scene.fails(compound, NfsStat4::Inval).await;
    });
}

/// RFC 7530 §16.24.4, RFC 8881 §18.23.3: cookies that no server gives.
#[rstest]
fn reserved_cookies(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        fill(scene, 3).await;
        for cookie in [1, 2] {
            scene.fails(readdir(&scene.root, cookie, START, (1000, 4000), &[]), NfsStat4::BadCookie).await;
        }
    });
}

/// RFC 7530 §16.24.4, RFC 8881 §18.23.3: a listing goes on where an entry was that is gone by now.
#[rstest]
fn a_listing_goes_on_after_a_removal(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let mut names = fill(scene, 12).await;
        let page = scene.ok(readdir(&scene.root, 0, START, (0, 300), &[])).await.readdir().unwrap();
        let last = page.reply.entries.last().unwrap();
        for entry in &page.reply.entries {
            let name = String::from_utf8(entry.name.to_vec()).unwrap();
            scene.client.remove(&scene.root, &name).await.unwrap();
            names.remove(&name);
        }
        let compound = readdir(&scene.root, last.cookie, page.cookieverf, (0, 8000), &[]);
        let rest = scene.ok(compound).await.readdir().unwrap().reply;
        let found: BTreeSet<String> =
            rest.entries.iter().map(|entry| String::from_utf8(entry.name.to_vec()).unwrap()).collect();
        assert_eq!((found, rest.eof), (names, true));
    });
}

/// RFC 7530 §16.24.4, RFC 8881 §18.23.3: only directories are listed, and only for who may read them.
#[rstest]
fn what_cannot_be_listed(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for handle in [scene.file("file", "x").await, scene.link("link", ".").await] {
            scene.fails(readdir(&handle, 0, START, (1000, 4000), &[]), NfsStat4::Notdir).await;
        }
        let user = scene.user(1000, 1000).await;
        for (mode, status) in [(0o711, NfsStat4::Access), (0o744, NfsStat4::Ok)] {
            let dir = scene.client.mkdir(&scene.root, format!("{mode:o}"), mode).await.unwrap();
            scene.answers(&user, readdir(&dir, 0, START, (1000, 4000), &[]), status).await;
        }
    });
}
