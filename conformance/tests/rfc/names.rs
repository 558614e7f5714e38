//! Operations: LOOKUP, OPEN, CREATE, REMOVE, RENAME, SECINFO

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// Names that no object can have, and what is said of them.
fn bad_names() -> Vec<(Vec<u8>, NfsStat4)> {
    let not_utf8 = [&b"\xff"[..], b"a\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"a\x80b"];
    let mut names: Vec<_> = not_utf8.into_iter().map(|name| (name.to_vec(), NfsStat4::Inval)).collect();
    names.push((vec![], NfsStat4::Inval));
    names.extend([&b"."[..], b".."].map(|name| (name.to_vec(), NfsStat4::Badname)));
    names.extend([&b"/"[..], b"a/b", b"a/", b"../a", b"a\0", b"\0"].map(|name| (name.to_vec(), NfsStat4::Badchar)));
    names.extend([256, 1000, 4000].map(|length| (vec![b'x'; length], NfsStat4::Nametoolong)));
    names
}

fn open(scene: &Scene, name: &[u8], how: &OpenHow) -> CompoundBuilder {
    let claim = OpenClaim4::Null(Bytes::copy_from_slice(name));
    scene.here().open(scene.client.open_args(claim, &OpenOwner::new("of bad names"), how))
}

/// RFC 7530 §12.7, §13.1.7, §13.1.1.4; RFC 8881 §14.5, §15.1.7: names that no object can have.
#[rstest]
fn bad_names_are_refused(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "").await;
        for (name, status) in bad_names() {
            let shown = String::from_utf8_lossy(&name).chars().take(10).collect::<String>();
            let here = || scene.here();
            let secinfo = NfsArgop4::Secinfo(Secinfo4Args { name: Bytes::copy_from_slice(&name) });
            let compounds = [
                ("LOOKUP", here().lookup(&name)),
                ("OPEN", open(scene, &name, &OpenHow::read())),
                ("OPEN and create", open(scene, &name, &OpenHow::create())),
                ("CREATE", here().create(Createtype4::Dir, &name, Fattr4::default())),
                (
                    "CREATE of a link",
                    here().create(Createtype4::Lnk(Bytes::from_static(b"to")), &name, Fattr4::default()),
                ),
                ("REMOVE", here().remove(&name)),
                ("RENAME from", here().savefh().rename(&name, "new")),
                ("RENAME to", here().savefh().rename("file", &name)),
                ("SECINFO", here().op(secinfo)),
            ];
            for (what, compound) in compounds {
                assert_eq!(scene.call(compound).await.status(), status, "{what} {shown:?}");
            }
        }
        assert_eq!(scene.client.names(&scene.root).await.unwrap(), ["file"]);
    });
}

/// RFC 7530 §12.7, RFC 8881 §14.5: names at the limits are like others, and come back byte for byte.
#[rstest]
fn names_at_the_limits(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let long = "x".repeat(255);
        let wide = "€".repeat(85);
        let odd = [
            &long,
            &wide,
            "x",
            " ",
            "...",
            ".hidden",
            "a\\b",
            "a:b*?",
            "\u{1}\u{7f}",
            "é",
            "e\u{301}",
            "-",
            "%2e",
            "日本",
            "😀",
        ];
        for name in odd {
            scene.file(name, "x").await;
            scene.client.lookup(&scene.root, name).await.unwrap_or_else(|error| panic!("{name:?}: {error}"));
        }
        let mut found = scene.client.names(&scene.root).await.unwrap();
        let mut wanted = odd.map(str::to_owned).to_vec();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted);
        for name in odd {
            scene.client.rename(&scene.root, name, &scene.root, "renamed").await.unwrap();
            scene.client.rename(&scene.root, "renamed", &scene.root, name).await.unwrap();
            scene.client.remove(&scene.root, name).await.unwrap_or_else(|error| panic!("{name:?}: {error}"));
        }
        assert_eq!(scene.client.names(&scene.root).await.unwrap(), Vec::<String>::new());
    });
}

/// RFC 7530 §5.8.2.15 and §5.8.2.20, RFC 8881 §5.8.2.19 and §5.8.2.24: `maxname` and `no_trunc` say what happens.
///
/// Operations: GETATTR, LOOKUP
#[rstest]
fn the_longest_name_is_as_announced(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let attrs = scene.client.getattr(&scene.root, &[FATTR4_MAXNAME, FATTR4_NO_TRUNC]).await.unwrap();
        assert_eq!(attrs.no_trunc, Some(true));
        let longest = attrs.maxname.unwrap() as usize;
        scene.fails(scene.here().lookup("n".repeat(longest)), NfsStat4::Noent).await;
        scene.fails(scene.here().lookup("n".repeat(longest + 1)), NfsStat4::Nametoolong).await;
    });
}
