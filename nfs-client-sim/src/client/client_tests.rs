use std::collections::VecDeque;

use nfs4_protocol::nfs4::{NfsArgop4, NfsResop4, NfsStat4, OpNum};
use pretty_assertions::assert_eq;

use super::*;
use crate::scripted_server::ScriptedServer;
use crate::{Error, OpenHow};

/// A client of a 4.0 server that answers OPEN with these statuses, and then well.
async fn client(opens: &[NfsStat4], patience: Duration) -> (Client, ScriptedServer) {
    let mut opens: VecDeque<NfsStat4> = opens.iter().copied().collect();
    let server = ScriptedServer::start(move |op: &NfsArgop4| match op {
        NfsArgop4::Open(_) => {
            let status = opens.pop_front().filter(|status| *status != NfsStat4::Ok)?;
            Some(NfsResop4::failed(OpNum::Open, status))
        }
        _ => None,
    });
    let server = server.await;
    let options = ClientOptions { patience, renew: false, ..ClientOptions::default() };
    (Client::connect(server.addr, 0, options).await.unwrap(), server)
}

/// The sequence IDs of the OPENs that came.
fn seqids(server: &mut ScriptedServer) -> Vec<u32> {
    let ops = server.seen().into_iter().flat_map(|seen| seen.ops);
    ops.filter_map(|op| if let NfsArgop4::Open(args) = op { Some(args.seqid) } else { None }).collect()
}

/// RFC 7530 §9.1.7: an error moves the sequence ID on, but for those that say the server has no such owner.
#[tokio::test]
async fn the_sequence_id_of_an_owner_moves_as_the_server_moves_it() {
    let answers = [NfsStat4::Ok, NfsStat4::Noent, NfsStat4::BadSeqid, NfsStat4::StaleClientid, NfsStat4::Ok];
    let (client, mut server) = client(&answers, Duration::ZERO).await;
    let owner = Arc::new(OpenOwner::new("me"));
    let root = client.root().await.unwrap().handle;
    for _ in answers {
        // The outcome is not the point.
        let _ = client.open(&root, "f", OpenHow::read().owner(&owner)).await;
    }
    assert_eq!(seqids(&mut server), [0, 1, 2, 2, 2]);
}

#[tokio::test]
async fn what_shall_come_later_is_tried_again_with_the_next_sequence_id() {
    let (client, mut server) = client(&[NfsStat4::Delay, NfsStat4::Grace], Duration::from_secs(60)).await;
    let root = client.root().await.unwrap().handle;
    client.open(&root, "f", OpenHow::read()).await.unwrap();
    assert_eq!(seqids(&mut server), [0, 1, 2]);
}

#[tokio::test]
async fn patience_ends() {
    let (client, _server) = client(&[NfsStat4::Delay; 2], Duration::ZERO).await;
    let root = client.root().await.unwrap().handle;
    let error = client.open(&root, "f", OpenHow::read()).await.unwrap_err();
    assert!(matches!(error, Error::Status { op: OpNum::Open, status: NfsStat4::Delay }), "{error}");
}

#[tokio::test]
async fn the_limits_of_the_server_are_kept() {
    let (client, _server) = client(&[], Duration::ZERO).await;
    assert_eq!((client.read_bytes_max(), client.write_bytes_max()), (4096, 1 << 20));
    assert_eq!((client.lease(), client.clientid()), (Duration::from_secs(60), 9));
}
