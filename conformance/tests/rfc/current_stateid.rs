//! Operations: OPEN, READ, WRITE, SETATTR, LOCK, LOCKU, OPEN_DOWNGRADE, CLOSE, SAVEFH, RESTOREFH

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{
    Attrs, Lock4Res, NfsArgop4, NfsStat4, OPEN4_SHARE_ACCESS_READ, OpenClaim4, OpenDowngrade4Args, StableHow4, Stateid4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::held::{lock, locked, on, unlock};
use crate::opened::Range;

/// OPEN of a new file for reading and writing, in the test's directory.
fn open(scene: &Scene, name: &'static str) -> CompoundBuilder {
    let owner = OpenOwner::new("owner");
    scene.here().open(scene.client.open_args(OpenClaim4::Null(name.into()), &owner, &OpenHow::create()))
}

fn write(compound: CompoundBuilder) -> CompoundBuilder {
    compound.write(Stateid4::CURRENT, 0, StableHow4::FileSync, "text".into())
}

/// RFC 8881 §16.2.3.1.2, figure 4: a file is opened, used and closed in one compound.
#[rstest]
fn open_hands_its_stateid_on(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let compound = write(open(scene, "file")).read(Stateid4::CURRENT, 0, 10).close(0, Stateid4::CURRENT);
        let read = scene.ok(compound).await.read().unwrap();
        assert_eq!(read.data.clone().into_bytes(), "text");
    });
}

/// RFC 8881 §16.2.3.1.2, figure 5: LOCK and LOCKU hand theirs on, and SAVEFH and RESTOREFH keep it with the filehandle.
#[rstest]
fn a_stateid_is_saved_with_its_filehandle(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let other = scene.file("other", "text").await;
        let compound = write(open(scene, "file"))
            .op(lock(Stateid4::CURRENT))
            .read(Stateid4::CURRENT, 0, 4)
            .savefh()
            .op(unlock(Stateid4::CURRENT))
            .putfh(&other)
            .read(Stateid4::ANONYMOUS, 0, 4)
            .restorefh();
        // What was saved is the stateid from before LOCKU, which is old by now.
        scene.fails(compound.op(unlock(Stateid4::CURRENT)), NfsStat4::OldStateid).await;
        let compound = write(open(scene, "next")).op(lock(Stateid4::CURRENT)).op(unlock(Stateid4::CURRENT)).savefh();
        scene.ok(compound.putfh(&other).restorefh().read(Stateid4::CURRENT, 0, 4)).await;
    });
}

/// RFC 8881 §16.2.3.1.2, figure 6: there is no current stateid where only a filehandle was set.
#[rstest]
fn a_filehandle_brings_no_stateid(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.file("file", "text").await;
        let read = |compound: CompoundBuilder| compound.read(Stateid4::CURRENT, 0, 4);
        scene.fails(read(CompoundBuilder::new().putfh(&file)), NfsStat4::BadStateid).await;
        scene.fails(write(CompoundBuilder::new().putfh(&file)), NfsStat4::BadStateid).await;
        scene.fails(read(scene.here().lookup("file")), NfsStat4::BadStateid).await;
        scene.fails(read(CompoundBuilder::new().putfh(&file).savefh().restorefh()), NfsStat4::BadStateid).await;
        let size = Attrs { size: Some(1), ..Attrs::default() }.to_fattr4();
        let setattr = CompoundBuilder::new().putfh(&file).setattr(Stateid4::CURRENT, size);
        scene.fails(setattr, NfsStat4::BadStateid).await;
        scene.fails(CompoundBuilder::new().putfh(&file).close(0, Stateid4::CURRENT), NfsStat4::BadStateid).await;
        scene.fails(on(&file, unlock(Stateid4::CURRENT)), NfsStat4::BadStateid).await;
        scene.fails(on(&file, lock(Stateid4::CURRENT)), NfsStat4::BadStateid).await;
    });
}

/// RFC 8881 §16.2.3.1.2: an operation that sets the filehandle takes the stateid away, also where the file is the same.
#[rstest]
fn a_new_filehandle_takes_the_stateid_away(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.file("file", "text").await;
        let away = open(scene, "file").putfh(&scene.root).lookup("file").close(0, Stateid4::CURRENT);
        scene.fails(away, NfsStat4::BadStateid).await;
        let kept = open(scene, "file").savefh().putfh(&scene.root).restorefh().close(0, Stateid4::CURRENT);
        scene.ok(kept).await;
    });
}

/// RFC 8881 §16.2.3.1.2: operations that return no stateid leave it as it is.
#[rstest]
fn other_operations_leave_it(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let size = Attrs { size: Some(2), ..Attrs::default() }.to_fattr4();
        let compound = write(open(scene, "file"))
            .getfh()
            .access(1)
            .getattr(&[])
            .setattr(Stateid4::CURRENT, size)
            .commit(0, 0)
            .savefh()
            .read(Stateid4::CURRENT, 0, 10)
            .close(0, Stateid4::CURRENT);
        assert_eq!(scene.ok(compound).await.read().unwrap().data.len(), 2);
    });
}

/// RFC 8881 §18.18, §18.2.4: OPEN_DOWNGRADE hands its stateid on; after CLOSE there is none that is good.
#[rstest]
fn downgrade_and_close(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let open_args =
            |how: &OpenHow| scene.client.open_args(OpenClaim4::Null("file".into()), &OpenOwner::new("owner"), how);
        scene.file("file", "text").await;
        let downgrade = NfsArgop4::OpenDowngrade(OpenDowngrade4Args {
            open_stateid: Stateid4::CURRENT,
            seqid: 0,
            share_access: OPEN4_SHARE_ACCESS_READ,
            share_deny: 0,
        });
        let both = scene.here().open(open_args(&OpenHow::read())).putfh(&scene.root).open(open_args(&OpenHow::both()));
        let compound = both.op(downgrade).read(Stateid4::CURRENT, 0, 4).close(0, Stateid4::CURRENT);
        scene.ok(compound).await;
        let after = open(scene, "file").close(0, Stateid4::CURRENT).read(Stateid4::CURRENT, 0, 4);
        scene.fails(after, NfsStat4::BadStateid).await;
        let twice = open(scene, "file").close(0, Stateid4::CURRENT).close(0, Stateid4::CURRENT);
        scene.fails(twice, NfsStat4::BadStateid).await;
    });
}

/// RFC 8881 §18.10.3: the current stateid also stands for that of a lock-owner.
#[rstest]
fn lock_takes_the_stateid_of_a_lock(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.client.open(&scene.root, "file", OpenHow::create()).await.unwrap();
        let more = Range::write(100, 1).lock_more(0, Stateid4::CURRENT);
        let mut reply = scene.ok(on(file.handle(), lock(file.stateid())).op(more)).await;
        let first = reply.lock().unwrap();
        let second = locked(reply);
        let Lock4Res::Ok(first) = first else { panic!("{first:?}") };
        assert_eq!((second.other, second.seqid), (first.lock_stateid.other, first.lock_stateid.seqid + 1));
        scene.ok(on(file.handle(), Range::write(0, u64::MAX).unlock(0, second))).await;
        file.close().await.unwrap();
    });
}

/// RFC 8881 §16.2.3.1.2: a compound does not begin with the stateid of the one before.
#[rstest]
fn it_ends_with_the_compound(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let file = scene.ok(open(scene, "file").getfh()).await.getfh().unwrap();
        scene.fails(CompoundBuilder::new().putfh(&file).close(0, Stateid4::CURRENT), NfsStat4::BadStateid).await;
    });
}
