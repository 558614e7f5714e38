//! OPEN, and the reads and writes through it, of users whom the mode binds.

use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;

use super::harness::*;
use crate::compound::{Call, Credentials};
use crate::fs::filesystem::{Caller, CreateHow, Filesystem, Handle, SetAttributes};
use crate::state::ConnectionId;

const READ: u32 = OPEN4_SHARE_ACCESS_READ;
const WRITE: u32 = OPEN4_SHARE_ACCESS_WRITE;
const BOTH: u32 = OPEN4_SHARE_ACCESS_BOTH;
/// Two users; the files of [`with_file`] are root's.
const ALICE: u32 = 1000;
const BOB: u32 = 1001;

async fn demo(server: &Server) -> Handle {
    let root = server.fs.root().await.unwrap();
    server.fs.lookup(&root.handle, "demo").await.unwrap().handle
}

/// A server whose bucket is open to all, and a client.
async fn open_to_all() -> (Server, Client41) {
    let server = Server::start().await;
    let set = SetAttributes { mode: Some(0o777), ..SetAttributes::default() };
    server.fs.setattr(&demo(&server).await, &set).await.unwrap();
    let client = Client41::mount(&server, 1, "c").await;
    (server, client)
}

/// The same, with a file `f` of root that has eight bytes.
async fn with_file(mode: u32) -> (Server, Client41) {
    let (server, client) = open_to_all().await;
    let set = SetAttributes { mode: Some(mode), size: Some(8), ..SetAttributes::default() };
    server.fs.create(&demo(&server).await, "f", CreateHow::Guarded, &set, &Caller::default()).await.unwrap();
    (server, client)
}

async fn run_as(server: &Server, client: &mut Client41, uid: u32, ops: Vec<NfsArgop4>) -> Vec<NfsResop4> {
    let request = client.args(true, ops);
    decode(server.send_as(uid, request).await).resarray
}

/// What a user gets who opens `demo/f` and goes on with the open.
async fn open_and(
    server: &Server,
    client: &mut Client41,
    uid: u32,
    (share_access, how): (u32, Openflag4),
    then: impl IntoIterator<Item = NfsArgop4>,
) -> NfsStat4 {
    let mut ops = at(&["demo"], [open_op(Open4Args { share_access, ..open(0, "f", how) })]);
    ops.extend(then);
    ops.push(close(0, Stateid4::CURRENT));
    last(&run_as(server, client, uid, ops).await)
}

fn read_it() -> NfsArgop4 {
    read(Stateid4::CURRENT, 8)
}

fn write_it() -> NfsArgop4 {
    write(Stateid4::CURRENT, b"x")
}

fn mode(mode: u32) -> Fattr4 {
    Attrs { mode: Some(mode), ..Attrs::default() }.to_fattr4()
}

fn exclusive(attrs: Fattr4) -> Openflag4 {
    Openflag4::Create(Createhow4::Exclusive41(Creatverfattr { verf: Verifier4([1; 8]), attrs }))
}

#[tokio::test]
async fn a_user_opens_what_the_mode_allows() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked()))])).await;
    let cases = [
        (OPEN4_SHARE_ACCESS_READ, "f", Openflag4::Nocreate, NfsStat4::Ok),
        (OPEN4_SHARE_ACCESS_READ, "f", unchecked(), NfsStat4::Ok),
        (OPEN4_SHARE_ACCESS_WRITE, "f", Openflag4::Nocreate, NfsStat4::Access),
        (OPEN4_SHARE_ACCESS_BOTH, "f", unchecked(), NfsStat4::Access),
        // Cutting a file is writing it.
        (OPEN4_SHARE_ACCESS_READ, "f", truncating(), NfsStat4::Access),
        // The bucket belongs to root.
        (OPEN4_SHARE_ACCESS_READ, "new", unchecked(), NfsStat4::Access),
    ];
    for (share_access, name, how, expected) in cases {
        let args = Open4Args { share_access, ..open(0, name, how.clone()) };
        let request = client.args(true, at(&["demo"], [open_op(args)]));
        assert_eq!(decode(server.send_as(1000, request).await).status, expected, "{share_access} {name} {how:?}");
    }
    assert_eq!(server.fs.contents("demo/new"), None);
}

/// Clients read to write part of a page, so an open for writing may read; but it is no way around the mode.
#[tokio::test]
async fn who_may_only_write_does_not_come_to_read_through_an_open_for_writing() {
    let (server, mut client) = with_file(0o602).await;
    assert_eq!(open_and(&server, &mut client, ALICE, (WRITE, Openflag4::Nocreate), [write_it()]).await, NfsStat4::Ok);
    let reading = open_and(&server, &mut client, ALICE, (WRITE, Openflag4::Nocreate), [read_it()]).await;
    assert_eq!(reading, NfsStat4::Access);
    let (server, mut client) = with_file(0o606).await;
    let reading = open_and(&server, &mut client, ALICE, (WRITE, Openflag4::Nocreate), [read_it()]).await;
    assert_eq!(reading, NfsStat4::Ok);
}

/// RFC 8881 §6.3.1.1: a program runs on the client, which has to read it.
#[tokio::test]
async fn who_may_execute_a_file_opens_it_for_reading_and_not_for_writing() {
    let (server, mut client) = with_file(0o111).await;
    assert_eq!(open_and(&server, &mut client, ALICE, (READ, Openflag4::Nocreate), [read_it()]).await, NfsStat4::Ok);
    for access in [WRITE, BOTH] {
        let writing = open_and(&server, &mut client, ALICE, (access, Openflag4::Nocreate), []).await;
        assert_eq!(writing, NfsStat4::Access);
    }
    let (server, mut client) = with_file(0o113).await;
    let both = open_and(&server, &mut client, ALICE, (BOTH, Openflag4::Nocreate), [read_it(), write_it()]).await;
    assert_eq!(both, NfsStat4::Ok);
}

/// POSIX: `open(O_CREAT | O_RDWR, 0444)` and then write.
#[tokio::test]
async fn who_makes_a_file_writes_it_whatever_its_mode() {
    for bits in [0o444, 0o000] {
        let guarded = Openflag4::Create(Createhow4::Guarded(mode(bits)));
        let unchecked = Openflag4::Create(Createhow4::Unchecked(mode(bits)));
        for how in [guarded, unchecked, exclusive(mode(bits))] {
            let (server, mut client) = open_to_all().await;
            let made = open_and(&server, &mut client, ALICE, (BOTH, how.clone()), [write_it(), read_it()]).await;
            assert_eq!(made, NfsStat4::Ok, "{bits:o} {how:?}");
            assert_eq!(server.fs.contents("demo/f").unwrap(), b"x");
            let again = open_and(&server, &mut client, ALICE, (WRITE, Openflag4::Nocreate), []).await;
            assert_eq!(again, NfsStat4::Access, "once it is there, its mode binds the owner too");
        }
    }
}

/// The verifier is the only thing that tells a retry, and not a secret.
#[tokio::test]
async fn a_retry_of_an_exclusive_creation_is_for_the_owner_alone() {
    let (server, mut client) = open_to_all().await;
    let how = || (BOTH, exclusive(mode(0o400)));
    assert_eq!(open_and(&server, &mut client, ALICE, how(), [write_it()]).await, NfsStat4::Ok);
    assert_eq!(open_and(&server, &mut client, ALICE, how(), [write_it()]).await, NfsStat4::Ok);
    assert_eq!(open_and(&server, &mut client, BOB, how(), []).await, NfsStat4::Access);
}

#[tokio::test]
async fn without_leave_to_add_a_name_that_it_is_taken_comes_first() {
    let server = Server::start().await;
    let mut client = Client41::mount(&server, 1, "c").await;
    for how in [guarded(), exclusive(Fattr4::default())] {
        assert_eq!(open_and(&server, &mut client, ALICE, (READ, how), []).await, NfsStat4::Access);
    }
    client.run(&server, at(&["demo"], [open_op(open(0, "f", unchecked()))])).await;
    for how in [guarded(), exclusive(Fattr4::default())] {
        assert_eq!(open_and(&server, &mut client, ALICE, (READ, how), []).await, NfsStat4::Exist);
    }
}

/// The server remembers clients, not which files they had open.
#[tokio::test]
async fn a_reclaim_is_no_way_around_the_mode_but_the_owner_gets_back_what_he_had() {
    let (server, mut client) = open_to_all().await;
    let make = open(0, "f", Openflag4::Create(Createhow4::Guarded(mode(0o400))));
    let made = run_as(&server, &mut client, ALICE, at(&["demo"], [open_op(make), NfsArgop4::Getfh])).await;
    let object = filehandle(&made);

    let server = server.restart().await;
    let mut client = Client41::connect(&server, 1, "c", 1, channel()).await;
    let reclaim = || {
        let claim = OpenClaim4::Previous(OpenDelegationType4::None);
        vec![putfh(&object), open_op(Open4Args { claim, ..open(0, "", Openflag4::Nocreate) }), write_it()]
    };
    assert_eq!(last(&run_as(&server, &mut client, BOB, reclaim()).await), NfsStat4::Access);
    assert_eq!(last(&run_as(&server, &mut client, ALICE, reclaim()).await), NfsStat4::Ok);
}

/// AUTH_NONE is somebody, too: a user of whom nothing is known.
#[tokio::test]
async fn a_request_without_credentials_is_bound_by_the_mode() {
    let (server, mut client) = with_file(0o640).await;
    let args = client.args(true, at(&["demo", "f"], [read(Stateid4::ANONYMOUS, 8)]));
    let credentials = Credentials::anonymous();
    assert_ne!(credentials.caller.uid, 0);
    let call = Call { connection: ConnectionId(1), credentials, request_bytes: args.len(), args };
    assert_eq!(decode(server.service.compound(call).await).status, NfsStat4::Access);
}
