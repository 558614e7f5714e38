//! Operations: PUTFH, PUTROOTFH, PUTPUBFH, GETFH, SAVEFH, RESTOREFH

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::Encoder;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::opened::Range;

/// Every operation of all minor versions that works on the current filehandle.
fn on_a_filehandle(scene: &Scene) -> Vec<NfsArgop4> {
    let (stateid, clientid) = (Stateid4::ANONYMOUS, scene.client.clientid());
    let fattr = Fattr4::default();
    let claim = OpenClaim4::Null(Bytes::from_static(b"file"));
    let open = scene.client.open_args(claim, &OpenOwner::new("nobody"), &OpenHow::read());
    let compound = CompoundBuilder::new()
        .access(ACCESS4_READ)
        .close(1, stateid)
        .commit(0, 0)
        .create(Createtype4::Dir, "dir", Fattr4::default())
        .getattr(&[FATTR4_TYPE])
        .getfh()
        .op(Range::read(0, 1).lock_more(1, stateid))
        .op(Range::read(0, 1).test(clientid, "nobody"))
        .op(Range::read(0, 1).unlock(1, stateid))
        .lookup("file")
        .lookupp()
        .op(NfsArgop4::Nverify(Verify4Args { obj_attributes: fattr.clone() }))
        .open(open)
        .op(NfsArgop4::OpenDowngrade(OpenDowngrade4Args {
            open_stateid: stateid,
            seqid: 1,
            share_access: OPEN4_SHARE_ACCESS_READ,
            share_deny: OPEN4_SHARE_DENY_NONE,
        }))
        .read(stateid, 0, 1)
        .op(NfsArgop4::Readdir(Box::new(Readdir4Args {
            cookie: 0,
            cookieverf: Verifier4::default(),
            dircount: 100,
            maxcount: 1000,
            attr_request: Bitmap4::new(),
        })))
        .readlink()
        .remove("file")
        .savefh()
        .op(NfsArgop4::Secinfo(Secinfo4Args { name: Bytes::from_static(b"file") }))
        .setattr(stateid, Fattr4::default())
        .op(NfsArgop4::Verify(Verify4Args { obj_attributes: fattr }))
        .write(stateid, 0, StableHow4::Unstable, Bytes::from_static(b"x"));
    let mut ops = compound.build(scene.minor).argarray;
    if scene.minor == 0 {
        ops.push(NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid: stateid, seqid: 1 }));
    }
    ops
}

/// RFC 7530 §13.1.2.5, RFC 8881 §15.1.2.5: what needs a current filehandle says that there is none, before all else.
///
/// Operations: ACCESS, CLOSE, COMMIT, CREATE, GETATTR, GETFH, LOCK, LOCKT, LOCKU, LOOKUP, LOOKUPP, NVERIFY, OPEN,
/// OPEN_CONFIRM, OPEN_DOWNGRADE, READ, READDIR, READLINK, REMOVE, SAVEFH, SECINFO, SETATTR, VERIFY, WRITE
#[rstest]
fn without_a_filehandle(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for op in on_a_filehandle(scene) {
            scene.fails(CompoundBuilder::new().op(op), NfsStat4::Nofilehandle).await;
        }
    });
}

/// RFC 7530 §16.22, RFC 8881 §18.21: the root is a directory and is at the top.
#[rstest]
fn the_root_is_a_directory(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let root = scene.client.root().await.unwrap();
        assert_eq!(root.attrs.ftype, Some(NfsFtype4::Dir));
        scene.fails(CompoundBuilder::new().putrootfh().lookupp(), NfsStat4::Noent).await;
    });
}

/// RFC 7530 §16.21, RFC 8881 §18.20: a server without a public filehandle of its own gives the root's.
#[rstest]
fn the_public_filehandle_is_the_roots(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let mut reply = scene.ok(CompoundBuilder::new().op(NfsArgop4::Putpubfh).getfh().putrootfh().getfh()).await;
        assert_eq!(reply.getfh().unwrap(), reply.getfh().unwrap());
    });
}

/// RFC 7530 §16.20 and §16.8, RFC 8881 §18.19 and §18.8: a handle leads back to its object, of any type, for any
/// client.
#[rstest]
fn a_handle_leads_back_to_its_object(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handles = [scene.file("file", "x").await, scene.dir("dir").await, scene.link("link", "to").await];
        let other = scene.other_client().await;
        for (handle, name) in handles.iter().zip(["file", "dir", "link"]) {
            let node = scene.client.lookup(&scene.root, name).await.unwrap();
            assert_eq!(&node.handle, handle, "{name}");
            for client in [&scene.client, &other] {
                let compound =
                    CompoundBuilder::new().putfh(handle).getfh().getattr(&[FATTR4_FILEID, FATTR4_FILEHANDLE]);
                let mut reply = scene.answers(client, compound, NfsStat4::Ok).await;
                assert_eq!(&reply.getfh().unwrap(), handle, "{name}");
                let attrs = reply.getattr().unwrap();
                assert_eq!((attrs.fileid, attrs.filehandle), (node.attrs.fileid, Some(handle.clone())), "{name}");
            }
        }
    });
}

/// RFC 7530 §13.1.2.1, RFC 8881 §15.1.2.1: what never was a handle of this server.
#[rstest]
fn what_is_no_handle_is_badhandle(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for bytes in [&b""[..], b"x", b"a handle of somebody else", &[0; 32], &[0xff; NFS4_FHSIZE]] {
            let handle = NfsFh4(Bytes::copy_from_slice(bytes));
            scene.fails(CompoundBuilder::new().putfh(&handle), NfsStat4::Badhandle).await;
        }
    });
}

/// RFC 7530 §2.1, RFC 5662: handles have 128 bytes at most.
#[rstest]
fn a_handle_that_is_too_long_is_badxdr(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let mut e = Encoder::new();
        e.u32(OpNum::Putfh.as_u32());
        e.opaque_slice(&[7; NFS4_FHSIZE + 1]);
        let reply = scene.call_encoded(&[e.finish_contiguous()]).await.unwrap();
        assert_eq!(reply.status(), NfsStat4::Badxdr);
    });
}

/// RFC 7530 §4.2, RFC 8881 §4.2: a handle in which something was changed leads to no other object.
#[rstest]
fn a_forged_handle_leads_nowhere_else(#[values(Embedded)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handle = scene.file("file", "x").await;
        let fileid = scene.client.getattr(&handle, &[FATTR4_FILEID]).await.unwrap().fileid;
        for bit in 0..handle.0.len() * 8 {
            let mut bytes = handle.0.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let compound = CompoundBuilder::new().putfh(&NfsFh4(bytes.into())).getattr(&[FATTR4_FILEID]);
            let mut reply = scene.call(compound).await;
            match reply.status() {
                NfsStat4::Badhandle | NfsStat4::Stale => {}
                NfsStat4::Ok => assert_eq!(reply.getattr().unwrap().fileid, fileid, "bit {bit}"),
                status => panic!("bit {bit}: {status}"),
            }
        }
        for length in 0..handle.0.len() {
            scene.fails(CompoundBuilder::new().putfh(&NfsFh4(handle.0.slice(..length))), NfsStat4::Badhandle).await;
        }
    });
}

/// RFC 7530 §4.2.4 and §13.1.2.7, RFC 8881 §15.1.2.7: the handle of what was removed is stale, and no later object of
/// the name has it.
#[rstest]
fn the_handle_of_what_was_removed_is_stale(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let handles = [scene.file("file", "x").await, scene.dir("dir").await, scene.link("link", "to").await];
        for name in ["file", "dir", "link"] {
            scene.client.remove(&scene.root, name).await.unwrap();
        }
        let later = [scene.file("file", "y").await, scene.dir("dir").await, scene.link("link", "to").await];
        for (handle, later) in handles.iter().zip(&later) {
            scene.fails(CompoundBuilder::new().putfh(handle), NfsStat4::Stale).await;
            scene.ok(CompoundBuilder::new().putfh(later).getattr(&[FATTR4_TYPE])).await;
        }
    });
}

/// RFC 7530 §13.1.2.7, RFC 8881 §15.1.2.7: an object that goes while it is the current one.
///
/// Operations: ACCESS, COMMIT, CREATE, GETATTR, LOOKUP, LOOKUPP, OPEN, READ, READDIR, REMOVE, SECINFO, SETATTR, VERIFY,
/// WRITE
#[rstest]
fn an_object_that_goes_meanwhile_is_stale(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        use OpNum::{
            Access, Commit, Create, Getattr, Lookup, Lookupp, Open, Read, Readdir, Readlink, Remove, Secinfo, Write,
        };
        let touching =
            [Access, Commit, Create, Getattr, Lookup, Lookupp, Open, Read, Readdir, Readlink, Remove, Secinfo, Write];
        for op in on_a_filehandle(scene).into_iter().filter(|op| touching.contains(&op.opnum())) {
            let handle = match op.opnum() {
                Readlink => scene.link("it", "to").await,
                Read | Write | Commit => scene.file("it", "x").await,
                _ => scene.dir("it").await,
            };
            let compound = CompoundBuilder::new().putfh(&handle).savefh().putfh(&scene.root).remove("it").restorefh();
            scene.fails(compound.op(op), NfsStat4::Stale).await;
        }
        // These have to have something to look at.
        let size = Attrs { size: Some(1), ..Attrs::default() }.to_fattr4();
        let mode = Attrs { mode: Some(0o600), ..Attrs::default() }.to_fattr4();
        let ops = CompoundBuilder::new()
            .setattr(Stateid4::ANONYMOUS, size.clone())
            .setattr(Stateid4::ANONYMOUS, mode)
            .op(NfsArgop4::Verify(Verify4Args { obj_attributes: size.clone() }))
            .op(NfsArgop4::Nverify(Verify4Args { obj_attributes: size }));
        for op in ops.build(minor).argarray {
            let at = scene.file("it", "x").await;
            let compound = CompoundBuilder::new().putfh(&at).savefh().putfh(&scene.root).remove("it").restorefh();
            scene.fails(compound.op(op), NfsStat4::Stale).await;
        }
    });
}

/// RFC 7530 §16.29 and §16.30, RFC 8881 §18.27 and §18.28: what was saved comes back as often as one likes.
#[rstest]
fn what_was_saved_comes_back(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let (file, dir) = (scene.file("file", "x").await, scene.dir("dir").await);
        let compound = scene.here().lookup("file").savefh().putfh(&dir).getfh().restorefh().getfh();
        let compound =
            compound.putfh(&scene.root).restorefh().getfh().putfh(&dir).savefh().putrootfh().restorefh().getfh();
        let mut reply = scene.ok(compound).await;
        let mut next = || reply.getfh().unwrap();
        assert_eq!([next(), next(), next(), next()], [dir.clone(), file.clone(), file, dir]);
    });
}

/// RFC 7530 §16.29.4 and RFC 8881 §18.27.3: nothing was saved.
#[rstest]
fn nothing_saved_cannot_come_back(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let status = if minor == 0 { NfsStat4::Restorefh } else { NfsStat4::Nofilehandle };
        scene.fails(CompoundBuilder::new().restorefh(), status).await;
        scene.fails(scene.here().restorefh(), status).await;
    });
}

/// RFC 7530 §15.2.1, RFC 8881 §16.2.3.1: filehandles end with their COMPOUND.
#[rstest]
fn a_compound_begins_without_filehandles(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        scene.ok(scene.here().savefh().getfh()).await;
        scene.fails(CompoundBuilder::new().getfh(), NfsStat4::Nofilehandle).await;
        let status = if minor == 0 { NfsStat4::Restorefh } else { NfsStat4::Nofilehandle };
        scene.fails(CompoundBuilder::new().restorefh(), status).await;
    });
}
