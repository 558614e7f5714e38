//! The file interface against a scripted server.

use std::collections::VecDeque;

use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;

use crate::scripted_server::{ScriptedServer, Seen, stateid};
use crate::{Client, ClientOptions, Error, OpenFile, OpenHow};

const DATA: &str = "0123456789abcdef";

/// A server whose WRITEs and COMMITs come with these verifiers in turn; the last one stays. It takes 4 bytes at a time.
async fn server(verifiers: &[u8]) -> ScriptedServer {
    server_taking(4, verifiers).await
}

async fn server_taking(bytes: usize, verifiers: &[u8]) -> ScriptedServer {
    let mut verifiers: VecDeque<u8> = verifiers.iter().copied().collect();
    let mut next = move || {
        let verifier = if verifiers.len() > 1 { verifiers.pop_front() } else { verifiers.front().copied() };
        Verifier4([verifier.unwrap(); 8])
    };
    let script = move |op: &NfsArgop4| match op {
        NfsArgop4::Write(args) => {
            let count = args.data.len().min(bytes) as u32;
            Some(NfsResop4::Write(Ok(Write4Resok { count, committed: StableHow4::Unstable, writeverf: next() })))
        }
        NfsArgop4::Commit(_) => Some(NfsResop4::Commit(Ok(Commit4Resok { writeverf: next() }))),
        _ => None,
    };
    ScriptedServer::start(script).await
}

async fn file(server: &ScriptedServer, minor: u32) -> OpenFile {
    let options = ClientOptions { renew: false, ..ClientOptions::default() };
    let client = Client::connect(server.addr, minor, options).await.unwrap();
    let root = client.root().await.unwrap().handle;
    client.open(&root, "file", OpenHow::both()).await.unwrap()
}

async fn write(server: &ScriptedServer) -> Result<(), Error> {
    file(server, 1).await.write_stable(0, &DATA.into(), 1).await
}

/// The offsets of the WRITEs, and `None` for each COMMIT.
fn story(seen: &[Seen]) -> Vec<Option<u64>> {
    let ops = seen.iter().flat_map(|seen| &seen.ops);
    ops.filter_map(|op| match op {
        NfsArgop4::Write(args) => Some(Some(args.offset)),
        NfsArgop4::Commit(_) => Some(None),
        _ => None,
    })
    .collect()
}

const ALL: [Option<u64>; 5] = [Some(0), Some(4), Some(8), Some(12), None];

#[tokio::test]
async fn what_is_written_short_is_written_on() {
    let mut server = server(&[1]).await;
    write(&server).await.unwrap();
    assert_eq!(story(&server.seen()), ALL);
}

/// RFC 8881 §18.32.3: another verifier means that unstable data may be lost.
#[tokio::test]
async fn data_is_written_again_when_the_verifier_changed_before_commit() {
    let mut server = server(&[1, 1, 1, 1, 2]).await;
    write(&server).await.unwrap();
    assert_eq!(story(&server.seen()), [ALL, ALL].concat());
}

/// The last WRITEs and COMMIT agree, but the first WRITE's data is of a former life.
#[tokio::test]
async fn data_is_written_again_when_the_verifier_changed_between_writes() {
    let mut server = server(&[1, 2]).await;
    write(&server).await.unwrap();
    assert_eq!(story(&server.seen()), [ALL, ALL].concat());
}

/// It was once taken for written.
#[tokio::test]
async fn data_that_the_server_does_not_take_is_an_error() {
    assert!(matches!(write(&server_taking(0, &[1]).await).await, Err(Error::NothingWritten)));
}

#[tokio::test]
async fn a_verifier_that_never_stays_is_an_error() {
    let server = server(&(0..=200).collect::<Vec<u8>>()).await;
    assert!(matches!(write(&server).await, Err(Error::Unsteady(_))));
}

/// RFC 8881 §18.2.3: some servers refuse to close a file with locks.
#[tokio::test]
async fn locks_are_given_back_when_they_hinder_close() {
    let mut locks = 0;
    let mut server = ScriptedServer::start(move |op: &NfsArgop4| match op {
        NfsArgop4::Lock(_) => {
            locks += 1;
            None
        }
        NfsArgop4::Locku(args) => {
            assert_eq!((args.offset, args.length), (0, u64::MAX));
            locks -= 1;
            Some(NfsResop4::Locku(Ok(args.lock_stateid)))
        }
        NfsArgop4::Close(_) if locks > 0 => Some(NfsResop4::failed(OpNum::Close, NfsStat4::LocksHeld)),
        _ => None,
    })
    .await;
    let file = file(&server, 0).await;
    for owner in ["a", "b"] {
        assert!(file.locker(owner).lock(NfsLockType4::Read, 5, 10).await.unwrap().is_granted());
    }
    server.seen();
    file.close().await.unwrap();
    let ops: Vec<OpNum> = server.seen().iter().filter_map(|seen| seen.opnums().last().copied()).collect();
    assert_eq!(ops, [OpNum::Close, OpNum::Locku, OpNum::Locku, OpNum::Close]);
}

/// RFC 7862 §4.1.2: the server copies in the background, and is asked how far it is.
#[tokio::test]
async fn a_copy_in_the_background_is_waited_for() {
    let mut asked = 0;
    let mut server = ScriptedServer::start(move |op: &NfsArgop4| match op {
        NfsArgop4::Copy(_) => {
            let (committed, writeverf) = (StableHow4::Unstable, Verifier4([1; 8]));
            let response = WriteResponse4 { callback_id: Some(stateid(9)), count: 0, committed, writeverf };
            let requirements = CopyRequirements4 { consecutive: true, synchronous: false };
            Some(NfsResop4::Copy(Box::new(Copy4Res::Ok(Copy4Resok { response, requirements }))))
        }
        NfsArgop4::OffloadStatus(args) if args.stateid == stateid(9) => {
            asked += 1;
            let complete = (asked == 3).then_some(NfsStat4::Ok);
            Some(NfsResop4::OffloadStatus(Ok(OffloadStatus4Resok { count: 100 * asked, complete })))
        }
        NfsArgop4::Savefh => Some(NfsResop4::Savefh(Ok(()))),
        _ => None,
    })
    .await;
    let file = file(&server, 2).await;
    server.seen();
    assert_eq!(file.copy_to(0, &file, 1000, 300).await.unwrap().count, 300);
    let polls = server.seen().iter().filter(|seen| seen.has(OpNum::OffloadStatus)).count();
    assert_eq!(polls, 3);
}

#[tokio::test]
async fn names_of_extended_attributes_come_page_by_page() {
    let server = ScriptedServer::start(|op: &NfsArgop4| match op {
        NfsArgop4::Listxattrs(args) => {
            let names = vec![Name4(format!("name {}", args.cookie).into())];
            let page = Listxattrs4Resok { cookie: args.cookie + 1, names, eof: args.cookie == 2 };
            Some(NfsResop4::Listxattrs(Ok(page)))
        }
        _ => None,
    })
    .await;
    let file = file(&server, 2).await;
    let names = file.client().listxattrs(file.handle()).await.unwrap();
    assert_eq!(names, ["name 0", "name 1", "name 2"]);
}

#[tokio::test]
async fn what_a_minor_version_lacks_is_not_sent() {
    let mut server = server(&[1]).await;
    let file = file(&server, 1).await;
    server.seen();
    let refused = |error: Error| matches!(error, Error::NotInMinor { minor: 1, .. });
    assert!(refused(file.seek(0, DataContent4::Hole).await.unwrap_err()));
    assert!(refused(file.copy_to(0, &file, 0, 1).await.unwrap_err()));
    assert!(refused(file.client().getxattr(file.handle(), "name").await.unwrap_err()));
    assert!(server.seen().is_empty());
}
