//! The file interface against a scripted server.

use std::collections::VecDeque;

use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;

use crate::scripted_server::{ScriptedServer, Seen};
use crate::{Client, ClientOptions, Error, OpenHow};

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

async fn write(server: &ScriptedServer) -> Result<(), Error> {
    let options = ClientOptions { renew: false, ..ClientOptions::default() };
    let client = Client::connect(server.addr, 1, options).await.unwrap();
    let root = client.root().await.unwrap().handle;
    let file = client.open(&root, "file", OpenHow::write()).await.unwrap();
    file.write_stable(0, &DATA.into(), 1).await
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

#[tokio::test]
async fn what_a_minor_version_lacks_is_not_sent() {
    let mut server = server(&[1]).await;
    let options = ClientOptions { renew: false, ..ClientOptions::default() };
    let client = Client::connect(server.addr, 1, options).await.unwrap();
    let root = client.root().await.unwrap().handle;
    let file = client.open(&root, "file", OpenHow::read()).await.unwrap();
    server.seen();
    let refused = |error: Error| matches!(error, Error::NotInMinor { minor: 1, .. });
    assert!(refused(file.seek(0, DataContent4::Hole).await.unwrap_err()));
    assert!(refused(file.copy_to(0, &file, 0, 1).await.unwrap_err()));
    assert!(refused(client.getxattr(&root, "name").await.unwrap_err()));
    assert!(server.seen().is_empty());
}
