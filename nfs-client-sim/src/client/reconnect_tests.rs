//! Lost connections.

use std::collections::BTreeSet;

use nfs4_protocol::nfs4::{NfsArgop4, NfsResop4, NfsStat4, OpNum};
use pretty_assertions::assert_eq;

use super::*;
use crate::scripted_server::{Act, Script, ScriptedServer, Seen};

/// Does not answer the first so many REMOVEs.
struct Mute {
    times: usize,
    how: fn() -> Act,
}

impl Script for Mute {
    fn act(&mut self, seen: &Seen) -> Act {
        if self.times == 0 || !seen.has(OpNum::Remove) {
            return Act::Run;
        }
        self.times -= 1;
        (self.how)()
    }

    fn answer(&mut self, _op: &NfsArgop4) -> Option<NfsResop4> {
        None
    }
}

fn options(recovery: Recovery) -> ClientOptions {
    ClientOptions { renew: false, recovery, ..ClientOptions::default() }
}

async fn removes(script: impl Script, minor: u32, options: ClientOptions) -> (Result<()>, Vec<Seen>) {
    let mut server = ScriptedServer::start(script).await;
    let client = Client::connect(server.addr, minor, options).await.unwrap();
    let root = client.root().await.unwrap().handle;
    let removed = client.remove(&root, "file").await;
    (removed, server.seen().into_iter().filter(|seen| seen.has(OpNum::Remove)).collect())
}

/// RFC 8881 §2.10.6: a retry is the same request in the same slot, so that it is executed once.
#[tokio::test]
async fn after_a_lost_connection_the_same_slot_and_sequence_id_are_used() {
    let script = Mute { times: 2, how: || Act::Close };
    let (removed, seen) = removes(script, 1, options(Recovery::Reconnect)).await;
    removed.unwrap();
    assert_eq!(seen.iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(seen.iter().all(|other| other.slot() == seen[0].slot() && other.ops == seen[0].ops));
}

/// RFC 8881 §2.10.6.2: the first try is still at work. In another slot the request would be executed twice.
#[tokio::test]
async fn while_the_first_try_is_at_work_its_slot_is_asked_again() {
    /// Closes the connection at the first REMOVE, and says NFS4ERR_DELAY to the second and third.
    struct Busy(usize);
    impl Script for Busy {
        fn act(&mut self, seen: &Seen) -> Act {
            self.0 += usize::from(seen.has(OpNum::Remove));
            if seen.has(OpNum::Remove) && self.0 == 1 { Act::Close } else { Act::Run }
        }

        fn answer(&mut self, op: &NfsArgop4) -> Option<NfsResop4> {
            let is_busy = matches!(op, NfsArgop4::Sequence(_)) && (2..4).contains(&self.0);
            is_busy.then(|| NfsResop4::failed(OpNum::Sequence, NfsStat4::Delay))
        }
    }
    let (removed, seen) = removes(Busy(0), 1, options(Recovery::Reconnect)).await;
    removed.unwrap();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|other| other.slot() == seen[0].slot() && other.ops == seen[0].ops));
}

/// RFC 7530 §9.1.1: servers of 4.0 know a retry by its xid.
#[tokio::test]
async fn after_a_lost_connection_the_same_xid_is_used() {
    let script = Mute { times: 1, how: || Act::Close };
    let (removed, seen) = removes(script, 0, options(Recovery::Reconnect)).await;
    removed.unwrap();
    let [first, second] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((first.xid, &first.ops), (second.xid, &second.ops));
    assert_ne!(first.connection, second.connection);
}

/// RFC 8881 §2.9.2: a client does not try again over a connection that still stands.
#[tokio::test]
async fn a_silent_connection_is_given_up_for_another_one() {
    let script = Mute { times: 1, how: || Act::Ignore };
    let options = ClientOptions { reply_wait: Duration::from_millis(200), ..options(Recovery::Reconnect) };
    let (removed, seen) = removes(script, 2, options).await;
    removed.unwrap();
    let [first, second] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((first.connection, second.connection), (0, 1));
    assert_eq!(first.slot(), second.slot());
}

#[tokio::test]
async fn without_recovery_a_lost_connection_is_seen() {
    let script = Mute { times: 1, how: || Act::Close };
    let (removed, seen) = removes(script, 1, options(Recovery::Off)).await;
    assert!(removed.unwrap_err().is_lost());
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn patience_with_a_server_that_closes_ends() {
    let script = Mute { times: usize::MAX, how: || Act::Close };
    let options = ClientOptions { patience: Duration::from_millis(50), ..options(Recovery::Reconnect) };
    let (removed, seen) = removes(script, 1, options).await;
    assert!(removed.unwrap_err().is_lost());
    assert!(seen.len() > 1);
}

#[tokio::test]
async fn calls_are_spread_over_connections_that_are_bound_to_the_session() {
    let mut server = ScriptedServer::start(|_: &NfsArgop4| None).await;
    let options = ClientOptions { connections: 3, ..options(Recovery::Off) };
    let client = Client::connect(server.addr, 1, options).await.unwrap();
    for _ in 0..3 {
        client.root().await.unwrap();
    }
    let seen = server.seen();
    let used = |op| seen.iter().filter(|seen| seen.has(op)).map(|seen| seen.connection).collect::<BTreeSet<_>>();
    assert_eq!(used(OpNum::BindConnToSession), [1, 2].into());
    assert_eq!(used(OpNum::Putrootfh), [0, 1, 2].into());
    assert_eq!(used(OpNum::CreateSession), [0].into());
}

/// RFC 8881 §2.10.6.1.3: what need not be kept is executed again, in a slot that goes on with the next sequence ID.
#[tokio::test]
async fn a_reply_that_was_not_kept_is_asked_for_anew() {
    for op in [OpNum::Sequence, OpNum::Putrootfh] {
        let mut is_refused = false;
        let mut sequenceid = 0;
        let script = move |seen: &NfsArgop4| {
            if let NfsArgop4::Sequence(args) = seen {
                sequenceid = args.sequenceid;
            }
            let is_due = sequenceid == 3 && seen.opnum() == op && !is_refused;
            is_refused |= is_due;
            is_due.then(|| NfsResop4::failed(op, NfsStat4::RetryUncachedRep))
        };
        let mut server = ScriptedServer::start(script).await;
        let client = Client::connect(server.addr, 1, options(Recovery::Reconnect)).await.unwrap();
        client.root().await.unwrap();
        let slots: Vec<_> = server.seen().iter().filter_map(Seen::slot).collect();
        assert_eq!(slots, [(0, 1), (0, 2), (0, 3), (0, 4)]);
    }
}
