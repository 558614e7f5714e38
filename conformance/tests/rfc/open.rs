//! Operations: OPEN

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::opened::Opened;

/// OPEN of a name in the test's directory by an owner that nobody knows.
fn open(scene: &Scene, name: &'static str, how: &OpenHow) -> CompoundBuilder {
    scene.here().open(args(scene, name, how))
}

fn args(scene: &Scene, name: &'static str, how: &OpenHow) -> Open4Args {
    scene.client.open_args(OpenClaim4::Null(name.into()), &OpenOwner::new("a new owner"), how)
}

/// RFC 7530 §16.16.5, RFC 8881 §18.16.3: the file is the current one, nothing is changed, and no delegation was wanted.
#[rstest]
fn the_file_is_the_current_one(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "content").await;
        let compound = scene.here().getattr(&[FATTR4_CHANGE]).open(args(scene, "file", &OpenHow::read())).getfh();
        let mut reply = scene.ok(compound).await;
        let change = reply.getattr().unwrap().change.unwrap();
        let opened = reply.open().unwrap();
        assert_eq!(reply.getfh().unwrap(), handle);
        assert!(opened.attrset.is_empty());
        assert_eq!((opened.cinfo.before, opened.cinfo.after), (change, change));
        let is_refused = matches!(opened.delegation, OpenDelegation4::None | OpenDelegation4::NoneExt(_));
        assert!(is_refused, "{:?}", opened.delegation);
        assert_eq!(opened.rflags & OPEN4_RESULT_CONFIRM != 0, minor == 0);
    });
}

/// RFC 7530 §16.16.6, RFC 8881 §18.16.4: what cannot be opened.
#[rstest]
fn what_cannot_be_opened(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.dir("dir").await;
        scene.link("link", "file").await;
        let file = scene.file("file", "x").await;
        for how in [OpenHow::read(), OpenHow::create()] {
            scene.fails(open(scene, "dir", &how), NfsStat4::Isdir).await;
            scene.fails(open(scene, "link", &how), NfsStat4::Symlink).await;
            let in_file = CompoundBuilder::new().putfh(&file).open(args(scene, "inner", &how));
            scene.fails(in_file, NfsStat4::Notdir).await;
        }
        scene.fails(open(scene, "missing", &OpenHow::read()), NfsStat4::Noent).await;
    });
}

/// RFC 7530 §16.16.5, RFC 8881 §18.16.3: to read, to write or both, and to deny some of that; nothing else.
#[rstest]
fn rights_that_do_not_exist(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let good = args(scene, "file", &OpenHow::read());
        for (share_access, share_deny) in [(0, 0), (4, 0), (8, 0), (1, 4), (1, 0x100), (0x8000_0001, 0)] {
            let compound = scene.here().open(Open4Args { share_access, share_deny, ..good.clone() });
            let reply = scene.call(compound).await;
            assert_eq!(reply.status(), NfsStat4::Inval, "{share_access:#x} {share_deny:#x}");
        }
    });
}

/// RFC 7530 §16.16.5: 4.0 knows no wishes for delegations.
#[rstest]
fn wishes_for_delegations_came_later(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let good = args(scene, "file", &OpenHow::read());
        let share_access = good.share_access | OPEN4_SHARE_ACCESS_WANT_NO_DELEG;
        scene.fails(scene.here().open(Open4Args { share_access, ..good }), NfsStat4::Inval).await;
    });
}

/// RFC 7530 §16.16.6, RFC 8881 §18.16.4: the mode decides who may open a file how; who may execute it may read it.
#[rstest]
fn the_mode_decides(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let user = scene.user(1000, 1000).await;
        for class in 0..8 {
            let attrs = Attrs { mode: Some(0o770 | class), ..Attrs::default() };
            scene.client.setattr(&handle, Stateid4::ANONYMOUS, &attrs).await.unwrap();
            let (reads, writes) = (class & 0o5 != 0, class & 0o2 != 0);
            for (how, may) in [(OpenHow::read(), reads), (OpenHow::write(), writes), (OpenHow::both(), reads && writes)]
            {
                match user.open(&scene.root, "file", how).await {
                    Ok(file) if may => file.close().await.unwrap(),
                    Err(error) if !may => assert_eq!(error.status(), Some(NfsStat4::Access), "mode {class:o}"),
                    result => panic!("mode {class:o}: {result:?}"),
                }
            }
        }
    });
}

/// RFC 7530 §13.1.6.1, RFC 8881 §15.1.6.1: a directory that may not be searched hides its files.
#[rstest]
fn the_directory_must_be_searchable(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let dir = scene.client.mkdir(&scene.root, "dir", 0o744).await.unwrap();
        scene.client.open(&dir, "file", OpenHow::create()).await.unwrap().close().await.unwrap();
        let user = scene.user(1000, 1000).await;
        for name in ["file", "missing"] {
            let error = user.open(&dir, name, OpenHow::read()).await.unwrap_err();
            assert_eq!(error.status(), Some(NfsStat4::Access), "{name}");
        }
    });
}

/// RFC 7530 §9.10 and §9.1.4.2, RFC 8881 §9.10: opens of one file by one owner are one, which widens; its seqid counts
/// them.
#[rstest]
fn opens_of_one_owner_are_one(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let mut opened = Opened::new(scene, "file", OpenHow::read()).await;
        let first = opened.stateid;
        let write = |stateid| opened.at().write(stateid, 0, StableHow4::Unstable, "y".into());
        scene.fails(write(first), NfsStat4::Openmode).await;
        opened.again(scene, "file", &OpenHow::write()).await;
        assert_eq!(opened.stateid, Stateid4 { seqid: first.seqid + 1, ..first });
        let both = opened.at().read(opened.stateid, 0, 1);
        scene.ok(both.write(opened.stateid, 0, StableHow4::Unstable, "y".into())).await;
        let other = Opened::new(scene, "file", OpenHow::read()).await;
        assert!(other.stateid.other != first.other);
        for open in [opened, other] {
            open.close(scene, open.stateid, NfsStat4::Ok).await;
        }
    });
}

/// RFC 7530 §9.9, RFC 8881 §9.7: the table of all reservations: what one has and the other denies, either way.
#[rstest]
fn every_pair_of_reservations(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let other = scene.other_client().await;
        let hows = || {
            let accesses = [(1, OpenHow::read()), (2, OpenHow::write()), (3, OpenHow::both())];
            accesses
                .into_iter()
                .flat_map(|(access, how)| (0..4).map(move |deny| (access, deny, how.clone().deny(deny))))
        };
        for (access, deny, how) in hows() {
            let holder = scene.client.open(&scene.root, "file", how).await.unwrap();
            for (wanted_access, wanted_deny, how) in hows() {
                let collides = access & wanted_deny != 0 || wanted_access & deny != 0;
                match other.open(&scene.root, "file", how).await {
                    Ok(file) if !collides => file.close().await.unwrap(),
                    Err(error) if collides => assert_eq!(error.status(), Some(NfsStat4::ShareDenied)),
                    result => panic!("{access} {deny}, {wanted_access} {wanted_deny}: {result:?}"),
                }
            }
            holder.close().await.unwrap();
        }
    });
}

/// RFC 7530 §9.1.1 and §13.1.10.2: a client ID that the server did not give.
#[rstest]
fn a_client_that_nobody_knows(#[values(Embedded, Remote)] target: Target, #[values(0)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let mut stranger = args(scene, "file", &OpenHow::read());
        stranger.owner.clientid ^= 0x5a5a_0000_0000_0000;
        scene.fails(scene.here().open(stranger), NfsStat4::StaleClientid).await;
    });
}

/// RFC 8881 §18.16.3: the client of the owner is that of the session, whatever the field says.
#[rstest]
fn the_session_names_the_client(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "x").await;
        let mut stranger = args(scene, "file", &OpenHow::read());
        stranger.owner.clientid = 7;
        scene.ok(scene.here().open(stranger)).await;
    });
}
