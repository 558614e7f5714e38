//! OPEN and its kin in 4.1: create modes, claims, delegation wishes, the current stateid.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;

use super::harness::*;
use super::open40::setclientid;

async fn client(server: &Server) -> Client41 {
    Client41::mount(server, 1, "c").await
}

#[tokio::test]
async fn the_current_stateid_goes_from_operation_to_operation() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let ops = [
        open_op(open(0, "f", unchecked())),
        write(Stateid4::CURRENT, b"hello"),
        NfsArgop4::Savefh,
        NfsArgop4::Putrootfh,
        NfsArgop4::Restorefh,
        read(Stateid4::CURRENT, 10),
        close(0, Stateid4::CURRENT),
    ];
    let results = client.run(&server, at(&["demo"], ops)).await;
    assert_eq!(last(&results), NfsStat4::Ok, "{results:?}");
    assert_eq!(server.fs.contents("demo/f").unwrap(), b"hello");
    assert_eq!(server.fs.opens(), 0);
}

#[tokio::test]
async fn there_is_no_current_stateid_after_a_new_filehandle() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let ops = [open_op(open(0, "f", unchecked())), NfsArgop4::Getfh];
    let object = filehandle(&client.run(&server, at(&["demo"], ops)).await);
    let results = client.run(&server, vec![putfh(&object), read(Stateid4::CURRENT, 1)]).await;
    assert_eq!(last(&results), NfsStat4::BadStateid);
}

#[tokio::test]
async fn flags_and_delegation_of_the_result() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let wishes = [
        (0, OpenDelegation4::None),
        (
            OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
            OpenDelegation4::NoneExt(OpenNoneDelegation4::Other(WhyNoDelegation4::NotWanted)),
        ),
        (OPEN4_SHARE_ACCESS_WANT_ANY_DELEG, OpenDelegation4::NoneExt(OpenNoneDelegation4::Resource(false))),
    ];
    for (want, delegation) in wishes {
        let args = Open4Args { share_access: OPEN4_SHARE_ACCESS_BOTH | want, ..open(0, "f", unchecked()) };
        let result = opened(&client.run(&server, at(&["demo"], [open_op(args)])).await);
        assert_eq!(result.delegation, delegation);
        assert_eq!(result.rflags, OPEN4_RESULT_LOCKTYPE_POSIX | OPEN4_RESULT_PRESERVE_UNLINKED);
    }
}

#[tokio::test]
async fn access_and_deny_bits_that_do_not_exist_are_invalid() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    for (share_access, share_deny) in [(0, 0), (4, 0), (1, 4), (0x10_0001, 0), (0x0601, 0)] {
        let args = Open4Args { share_access, share_deny, ..open(0, "f", unchecked()) };
        let results = client.run(&server, at(&["demo"], [open_op(args)])).await;
        assert_eq!(last(&results), NfsStat4::Inval, "{share_access:x} {share_deny:x}");
    }
}

#[tokio::test]
async fn guarded_creation_happens_once() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let create = || at(&["demo"], [open_op(open(0, "f", guarded()))]);
    let first = opened(&client.run(&server, create()).await);
    assert!(first.cinfo.atomic && first.cinfo.after > first.cinfo.before);
    assert_eq!(last(&client.run(&server, create()).await), NfsStat4::Exist);
}

#[tokio::test]
async fn exclusive_creation_knows_its_own_retry() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let create = |verifier: u8, minor_attrs: Bitmap4| {
        let attrs = Fattr4 { attrmask: minor_attrs, attr_vals: Bytes::new() };
        let how = Createhow4::Exclusive41(Creatverfattr { verf: Verifier4([verifier; 8]), attrs });
        at(&["demo"], [open_op(open(0, "f", Openflag4::Create(how)))])
    };
    assert_eq!(last(&client.run(&server, create(1, Bitmap4::new())).await), NfsStat4::Ok);
    assert_eq!(last(&client.run(&server, create(1, Bitmap4::new())).await), NfsStat4::Ok);
    assert_eq!(last(&client.run(&server, create(2, Bitmap4::new())).await), NfsStat4::Exist);
    // `fsid` cannot be set at all.
    assert_eq!(last(&client.run(&server, create(1, [8].into_iter().collect())).await), NfsStat4::Inval);
}

#[tokio::test]
async fn a_share_reservation_saves_a_file_from_being_cut() {
    let server = Server::start().await;
    let mut holder = client(&server).await;
    let args = Open4Args { share_deny: OPEN4_SHARE_DENY_WRITE, ..open(0, "f", unchecked()) };
    let ops = [open_op(args), write(Stateid4::CURRENT, b"precious")];
    assert_eq!(last(&holder.run(&server, at(&["demo"], ops)).await), NfsStat4::Ok);

    let mut other = Client41::mount(&server, 1, "other").await;
    let results = other.run(&server, at(&["demo"], [open_op(open(0, "f", truncating()))])).await;
    assert_eq!(last(&results), NfsStat4::ShareDenied);
    assert_eq!(server.fs.contents("demo/f").unwrap(), b"precious");
    assert_eq!(server.fs.opens(), 1);
}

#[tokio::test]
async fn unchecked_creation_with_size_0_cuts_an_existing_file() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let ops = [open_op(open(0, "f", unchecked())), write(Stateid4::CURRENT, b"old")];
    client.run(&server, at(&["demo"], ops)).await;
    let kept = opened(&client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked()))])).await);
    assert!(kept.attrset.is_empty());
    assert_eq!(server.fs.contents("demo/f").unwrap(), b"old");
    let cut = opened(&client.run(&server, at(&["demo"], [open_op(open(0, "f", truncating()))])).await);
    assert_eq!(cut.attrset.iter().collect::<Vec<_>>(), [4]);
    assert_eq!(server.fs.contents("demo/f").unwrap(), b"");
}

#[tokio::test]
async fn an_open_whose_truncation_fails_is_none() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let clientid = setclientid(&server, "old").await;
    client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked())), close(0, Stateid4::CURRENT)])).await;
    server.fs.break_down();
    let results = client.run(&server, at(&["demo"], [open_op(open(0, "f", truncating()))])).await;
    assert_eq!(last(&results), NfsStat4::Io);
    // In 4.0 an owner that is new has no confirmed open to close.
    let denying = Open4Args { seqid: 1, share_deny: OPEN4_SHARE_DENY_BOTH, ..open(clientid, "f", truncating()) };
    assert_eq!(last(&server.v40(at(&["demo"], [open_op(denying)])).await), NfsStat4::Io);
    assert_eq!(server.fs.opens(), 0);
    let results = client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked()))])).await;
    assert_eq!(last(&results), NfsStat4::Ok, "nothing is denied any more");
}

#[tokio::test]
async fn an_open_file_outlives_its_name() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let ops = [open_op(open(0, "f", unchecked())), write(Stateid4::CURRENT, b"data"), NfsArgop4::Getfh];
    let results = client.run(&server, at(&["demo"], ops)).await;
    let (object, stateid) = (filehandle(&results), opened(&results).stateid);
    assert_eq!(last(&client.run(&server, at(&["demo"], [remove("f")])).await), NfsStat4::Ok);
    assert_eq!(last(&client.run(&server, vec![putfh(&object), read(stateid, 4)]).await), NfsStat4::Ok);
    assert_eq!(last(&client.run(&server, vec![putfh(&object), close(0, stateid)]).await), NfsStat4::Ok);
    assert_eq!(last(&client.run(&server, vec![putfh(&object)]).await), NfsStat4::Stale);
}

#[tokio::test]
async fn open_by_filehandle() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let made = at(&["demo"], [open_op(open(0, "f", unchecked())), close(0, Stateid4::CURRENT), NfsArgop4::Getfh]);
    let object = filehandle(&client.run(&server, made).await);
    let by_fh = || Open4Args { claim: OpenClaim4::Fh, ..open(0, "", Openflag4::Nocreate) };
    let ops = vec![putfh(&object), open_op(by_fh()), write(Stateid4::CURRENT, b"x"), close(0, Stateid4::CURRENT)];
    assert_eq!(last(&client.run(&server, ops).await), NfsStat4::Ok);
    let creating = Open4Args { openhow: unchecked(), ..by_fh() };
    assert_eq!(last(&client.run(&server, vec![putfh(&object), open_op(creating)]).await), NfsStat4::Inval);
}

#[tokio::test]
async fn only_files_can_be_opened() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let link = Create4Args {
        objtype: Createtype4::Lnk(Bytes::from_static(b"target")),
        objname: Bytes::from_static(b"link"),
        createattrs: Fattr4::default(),
    };
    client.run(&server, at(&["demo"], [NfsArgop4::Create(Box::new(link))])).await;
    for how in [Openflag4::Nocreate, unchecked()] {
        let results = client.run(&server, at(&["demo"], [open_op(open(0, "link", how.clone()))])).await;
        assert_eq!(last(&results), NfsStat4::Symlink);
        let results = client.run(&server, at(&[], [open_op(open(0, "demo", how))])).await;
        assert_eq!(last(&results), NfsStat4::Isdir);
    }
    let results = client.run(&server, at(&["demo"], [open_op(open(0, "missing", Openflag4::Nocreate))])).await;
    assert_eq!(last(&results), NfsStat4::Noent);
}

#[tokio::test]
async fn downgrade_and_locks_follow_the_open() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let owner = StateOwner4 { clientid: 0, owner: Bytes::from_static(b"l") };
    let lock = NfsArgop4::Lock(Box::new(Lock4Args {
        locktype: NfsLockType4::Write,
        reclaim: false,
        offset: 0,
        length: 10,
        locker: Locker4::OpenOwner(OpenToLockOwner4 {
            open_seqid: 0,
            open_stateid: Stateid4::CURRENT,
            lock_seqid: 0,
            lock_owner: owner,
        }),
    }));
    let results = client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked())), lock])).await;
    assert_eq!(last(&results), NfsStat4::Ok, "{results:?}");
    let open_stateid = opened(&results).stateid;

    let mut other = Client41::mount(&server, 1, "other").await;
    let test = NfsArgop4::Lockt(Box::new(Lockt4Args {
        locktype: NfsLockType4::Readw,
        offset: 5,
        length: 1,
        owner: StateOwner4 { clientid: 0, owner: Bytes::from_static(b"l") },
    }));
    let results = other.run(&server, at(&["demo", "f"], [test])).await;
    let Some(NfsResop4::Lockt(denied)) = results.last() else { panic!("{results:?}") };
    let Lockt4Res::Denied(denied) = denied.as_ref() else { panic!("{denied:?}") };
    assert_eq!((denied.offset, denied.length, denied.locktype), (0, 10, NfsLockType4::Write));
    assert_eq!((denied.owner.clientid, denied.owner.owner.as_ref()), (client.clientid, &b"l"[..]));

    let downgrade = NfsArgop4::OpenDowngrade(OpenDowngrade4Args {
        open_stateid,
        seqid: 0,
        share_access: OPEN4_SHARE_ACCESS_READ,
        share_deny: 0,
    });
    // The owner opened for both at once, so there is no reading open to go back to: RFC 8881 §18.18.3 lets it be refused
    // or not; what matters is that the stateid that is left cannot write.
    let results = client.run(&server, at(&["demo", "f"], [downgrade])).await;
    if let Some(NfsResop4::OpenDowngrade(Ok(left))) = results.last() {
        let results = client.run(&server, at(&["demo", "f"], [write(left.open_stateid, b"x")])).await;
        assert_eq!(last(&results), NfsStat4::Openmode);
    }
}
