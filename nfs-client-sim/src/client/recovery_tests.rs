//! Restarted servers, expired leases, revoked state.

use std::sync::atomic::AtomicU8;

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;

use super::*;
use crate::scripted_server::{
    Act, Script, ScriptedServer, Seen, created_session, known_client, opened, sequence, stateid,
};
use crate::{Error, OpenFile, OpenHow};

/// A server of which clients and state do not outlive a restart.
#[derive(Clone, Default)]
struct Life {
    /// How often it restarted.
    restarts: Arc<AtomicU8>,
    /// Whether it takes reclaims.
    has_grace: bool,
    /// The flags of SEQUENCE.
    flags: Arc<AtomicU64>,
    /// Whether others took the locks.
    has_conflict: bool,
    /// Bad stateids of this life.
    revoked: Arc<Mutex<Vec<u8>>>,
}

impl Life {
    fn now(&self) -> u8 {
        self.restarts.load(Ordering::SeqCst)
    }

    fn restart(&self) {
        self.restarts.fetch_add(1, Ordering::SeqCst);
    }

    fn clientid(&self) -> u64 {
        100 + u64::from(self.now())
    }

    fn session(&self) -> Sessionid4 {
        Sessionid4([self.now(); 16])
    }

    /// The stateid that this life hands out for `kind`: 1 for an open, 2 for a lock.
    fn stateid(&self, kind: u8) -> Stateid4 {
        stateid(10 * self.now() + kind)
    }

    fn is_revoked(&self, stateid: &Stateid4) -> bool {
        self.revoked.lock().contains(&stateid.other[0])
    }

    fn check(&self, stateid: &Stateid4) -> NfsStat4 {
        match stateid.other[0] / 10 {
            _ if self.is_revoked(stateid) => NfsStat4::Expired,
            life if life == self.now() => NfsStat4::Ok,
            _ => NfsStat4::StaleStateid,
        }
    }

    fn answer(&self, op: &NfsArgop4) -> Option<NfsResop4> {
        let failed = |status| Some(NfsResop4::failed(op.opnum(), status));
        match op {
            NfsArgop4::Sequence(args) if args.sessionid != self.session() => failed(NfsStat4::Badsession),
            NfsArgop4::Sequence(args) => Some(sequence(args, self.flags.load(Ordering::SeqCst) as u32)),
            NfsArgop4::CreateSession(args) if args.clientid != self.clientid() => failed(NfsStat4::StaleClientid),
            NfsArgop4::CreateSession(args) => Some(created_session(args, self.session())),
            NfsArgop4::ExchangeId(_) => Some(known_client(self.clientid())),
            NfsArgop4::Setclientid(_) => {
                let known = Setclientid4Resok { clientid: self.clientid(), setclientid_confirm: Verifier4::default() };
                Some(NfsResop4::Setclientid(Box::new(Setclientid4Res::Ok(known))))
            }
            NfsArgop4::Renew(args) if args.clientid != self.clientid() => failed(NfsStat4::StaleClientid),
            NfsArgop4::Open(args) if args.owner.clientid != self.clientid() => failed(NfsStat4::StaleClientid),
            NfsArgop4::Open(args) => match args.claim {
                OpenClaim4::Previous(_) if !self.has_grace => failed(NfsStat4::NoGrace),
                _ => {
                    self.revoked.lock().clear();
                    Some(opened(self.stateid(1), OpenDelegation4::None))
                }
            },
            NfsArgop4::Lock(args) if args.reclaim && self.has_conflict => failed(NfsStat4::ReclaimConflict),
            NfsArgop4::Lock(_) => {
                let granted = Lock4Resok { lock_stateid: self.stateid(2) };
                Some(NfsResop4::Lock(Box::new(Lock4Res::Ok(granted))))
            }
            NfsArgop4::Read(args) => match self.check(&args.stateid) {
                NfsStat4::Ok => Some(NfsResop4::Read(Ok(Read4Resok { eof: true, data: Bytes::from("data").into() }))),
                status => failed(status),
            },
            NfsArgop4::TestStateid(args) => {
                let status_codes = args.stateids.iter().map(|stateid| self.check(stateid)).collect();
                Some(NfsResop4::TestStateid(Ok(TestStateid4Resok { status_codes })))
            }
            NfsArgop4::FreeStateid(_) => Some(NfsResop4::FreeStateid(Ok(()))),
            NfsArgop4::ReclaimComplete(_) => {
                self.flags.store(0, Ordering::SeqCst);
                None
            }
            _ => None,
        }
    }
}

async fn open(life: &Life, minor: u32, how: OpenHow) -> (ScriptedServer, OpenFile) {
    let script = life.clone();
    let mut server = ScriptedServer::start(move |op: &NfsArgop4| script.answer(op)).await;
    let options = ClientOptions { renew: false, recovery: Recovery::Full, ..ClientOptions::default() };
    let client = Client::connect(server.addr, minor, options).await.unwrap();
    let root = client.root().await.unwrap().handle;
    let file = client.open(&root, "file", how).await.unwrap();
    server.seen();
    (server, file)
}

fn story(seen: &[Seen]) -> Vec<Vec<OpNum>> {
    seen.iter().map(|seen| seen.opnums().into_iter().filter(|op| *op != OpNum::Sequence).collect()).collect()
}

fn claims(seen: &[Seen]) -> Vec<OpenClaim4> {
    let ops = seen.iter().flat_map(|seen| &seen.ops);
    ops.filter_map(|op| if let NfsArgop4::Open(args) = op { Some(args.claim.clone()) } else { None }).collect()
}

const PREVIOUS: OpenClaim4 = OpenClaim4::Previous(OpenDelegationType4::None);

/// RFC 8881 §8.4.2.1: identity, opens, locks, RECLAIM_COMPLETE, and only then what was interrupted.
#[tokio::test]
async fn after_a_restart_state_is_reclaimed_and_the_interrupted_request_goes_on() {
    let life = Life { has_grace: true, ..Life::default() };
    let (mut server, file) = open(&life, 1, OpenHow::both()).await;
    assert!(file.locker("me").lock(NfsLockType4::Write, 0, 10).await.unwrap().is_granted());
    server.seen();
    life.restart();
    assert_eq!(file.read_at(0, 10).await.unwrap().data.into_bytes(), "data");
    let seen = server.seen();
    use OpNum::*;
    let expected: [&[OpNum]; 8] = [
        &[],
        &[CreateSession],
        &[ExchangeId],
        &[CreateSession],
        &[Putfh, Open, Getfh],
        &[Putfh, Lock],
        &[ReclaimComplete],
        &[Putfh, Read],
    ];
    assert_eq!(story(&seen)[1..], expected[1..]);
    assert_eq!(claims(&seen), [PREVIOUS]);
    let reclaims = |op: &NfsArgop4| matches!(op, NfsArgop4::Lock(args) if args.reclaim && args.length == 10);
    assert!(seen.iter().flat_map(|seen| &seen.ops).any(reclaims));
}

/// RFC 7530 §9.6.2.
#[tokio::test]
async fn a_4_0_client_reclaims_too() {
    let life = Life { has_grace: true, ..Life::default() };
    let (mut server, file) = open(&life, 0, OpenHow::read()).await;
    life.restart();
    file.read_at(0, 10).await.unwrap();
    use OpNum::*;
    let expected: [&[OpNum]; 5] =
        [&[Putfh, Read], &[Setclientid], &[SetclientidConfirm], &[Putfh, Open, Getfh], &[Putfh, Read]];
    let seen = server.seen();
    assert_eq!(story(&seen), expected);
    assert_eq!(claims(&seen), [PREVIOUS]);
}

#[tokio::test]
async fn without_grace_a_file_is_opened_anew_by_its_handle() {
    let life = Life::default();
    let (mut server, file) = open(&life, 2, OpenHow::read()).await;
    life.restart();
    file.read_at(0, 10).await.unwrap();
    let seen = server.seen();
    assert_eq!(claims(&seen), [PREVIOUS, OpenClaim4::Fh]);
    // RFC 8881 §8.4.2.1: new opens come after RECLAIM_COMPLETE.
    let position = |op| seen.iter().rposition(|seen| seen.has(op)).unwrap();
    assert!(position(OpNum::ReclaimComplete) < position(OpNum::Open));
}

#[tokio::test]
async fn without_grace_a_4_0_file_is_opened_anew_by_its_name() {
    let life = Life::default();
    let (mut server, file) = open(&life, 0, OpenHow::read()).await;
    life.restart();
    file.read_at(0, 10).await.unwrap();
    assert_eq!(claims(&server.seen()), [PREVIOUS, OpenClaim4::Null("file".into())]);
}

/// Others may have had the lock meanwhile.
#[tokio::test]
async fn without_grace_a_locked_file_is_lost() {
    let life = Life::default();
    let (_server, file) = open(&life, 1, OpenHow::both()).await;
    assert!(file.locker("me").lock(NfsLockType4::Write, 0, 10).await.unwrap().is_granted());
    life.restart();
    let lost = file.read_at(0, 10).await.unwrap_err();
    assert!(matches!(lost, Error::StateLost(NfsStat4::NoGrace)), "{lost}");
    assert!(matches!(file.close().await, Err(Error::StateLost(_))));
}

#[tokio::test]
async fn a_file_whose_lock_is_not_given_back_is_closed_and_lost() {
    let life = Life { has_grace: true, has_conflict: true, ..Life::default() };
    let (mut server, file) = open(&life, 1, OpenHow::both()).await;
    assert!(file.locker("me").lock(NfsLockType4::Write, 0, 10).await.unwrap().is_granted());
    life.restart();
    assert!(matches!(file.read_at(0, 10).await, Err(Error::StateLost(NfsStat4::ReclaimConflict))));
    let closed = server.wait_for(OpNum::Close).await;
    assert_eq!(closed.ops[2], NfsArgop4::Close(Close4Args { seqid: 0, open_stateid: life.stateid(1) }));
}

#[tokio::test]
async fn without_grace_a_share_reservation_is_lost() {
    let life = Life::default();
    let (_server, file) = open(&life, 1, OpenHow::read().deny(OPEN4_SHARE_DENY_WRITE)).await;
    life.restart();
    assert!(matches!(file.read_at(0, 10).await, Err(Error::StateLost(NfsStat4::NoGrace))));
}

/// Several requests run into the restart, and one of them recovers for all.
#[tokio::test]
async fn one_recovery_serves_all_who_wait() {
    let life = Life { has_grace: true, ..Life::default() };
    let (mut server, file) = open(&life, 1, OpenHow::read()).await;
    life.restart();
    let reads = futures::future::try_join_all((0..8).map(|_| file.read_at(0, 10)));
    reads.await.unwrap();
    let exchanged = server.seen().iter().filter(|seen| seen.has(OpNum::ExchangeId)).count();
    assert_eq!(exchanged, 1);
}

/// RFC 8881 §18.48: one stateid was revoked; everything else stands.
#[tokio::test]
async fn a_revoked_open_is_freed_and_opened_anew() {
    let life = Life::default();
    let (mut server, file) = open(&life, 1, OpenHow::read()).await;
    life.revoked.lock().push(1);
    file.read_at(0, 10).await.unwrap();
    use OpNum::*;
    let expected: [&[OpNum]; 5] =
        [&[Putfh, Read], &[TestStateid], &[FreeStateid], &[Putfh, Open, Getfh], &[Putfh, Read]];
    assert_eq!(story(&server.seen()), expected);
}

/// RFC 8881 §18.46.3: the server says in SEQUENCE that it restarted, although the session outlived that.
#[tokio::test]
async fn a_flag_of_sequence_asks_for_reclaims() {
    let life = Life { has_grace: true, ..Life::default() };
    let (mut server, file) = open(&life, 1, OpenHow::read()).await;
    life.flags.store(SEQ4_STATUS_RESTART_RECLAIM_NEEDED.into(), Ordering::SeqCst);
    file.client().root().await.unwrap();
    assert!(matches!(&server.wait_for(OpNum::Open).await.ops[2], NfsArgop4::Open(args) if args.claim == PREVIOUS));
    server.wait_for(OpNum::ReclaimComplete).await;
}

#[tokio::test]
async fn a_flag_of_sequence_asks_which_state_is_revoked() {
    let life = Life::default();
    let (mut server, file) = open(&life, 1, OpenHow::read()).await;
    life.revoked.lock().push(1);
    life.flags.store(SEQ4_STATUS_ADMIN_STATE_REVOKED.into(), Ordering::SeqCst);
    file.client().root().await.unwrap();
    let freed = server.wait_for(OpNum::FreeStateid).await;
    assert_eq!(freed.ops[1], NfsArgop4::FreeStateid(FreeStateid4Args { stateid: stateid(1) }));
    let anew = server.wait_for(OpNum::Open).await;
    assert_eq!(claims(&[anew]), [OpenClaim4::Fh]);
}

/// RFC 7530 §9.6.3: after the lease ran out there is nothing to reclaim.
#[tokio::test]
async fn after_an_expired_lease_a_4_0_file_is_opened_anew() {
    let life = Life { has_grace: true, ..Life::default() };
    let (mut server, file) = open(&life, 0, OpenHow::read()).await;
    life.revoked.lock().push(1);
    file.read_at(0, 10).await.unwrap();
    use OpNum::*;
    let expected: [&[OpNum]; 5] =
        [&[Putfh, Read], &[Setclientid], &[SetclientidConfirm], &[Putfh, Open, Getfh], &[Putfh, Read]];
    let seen = server.seen();
    assert_eq!(story(&seen), expected);
    assert_eq!(claims(&seen), [OpenClaim4::Null("file".into())]);
}

/// Calls that nobody waited for retire their slots. When none is left, the client keeps its state and gets a session.
#[tokio::test]
async fn a_session_without_slots_is_replaced() {
    struct Silent;
    impl Script for Silent {
        fn act(&mut self, seen: &Seen) -> Act {
            if seen.has(OpNum::Readlink) { Act::Ignore } else { Act::Run }
        }

        fn answer(&mut self, _op: &NfsArgop4) -> Option<NfsResop4> {
            None
        }
    }
    let mut server = ScriptedServer::start(Silent).await;
    let options = ClientOptions { renew: false, slots: 1, recovery: Recovery::Full, ..ClientOptions::default() };
    let client = Client::connect(server.addr, 1, options).await.unwrap();
    let root = client.root().await.unwrap().handle;
    tokio::select! {
        _ = server.wait_for(OpNum::Readlink) => {}
        link = client.readlink(&root) => panic!("{link:?}"),
    }
    client.root().await.unwrap();
    let seen = server.seen();
    use OpNum::*;
    let expected: [&[OpNum]; 3] = [&[CreateSession], &[DestroySession], &[Putrootfh, Getfh, Getattr]];
    assert_eq!(story(&seen), expected);
}

/// RFC 7530 §16.28.4: the lease is renewed, but the server cannot reach the client.
#[tokio::test]
async fn a_4_0_server_that_cannot_call_back_is_told_again_where_to() {
    let script = |op: &NfsArgop4| match op {
        NfsArgop4::Renew(_) => Some(NfsResop4::failed(OpNum::Renew, NfsStat4::CbPathDown)),
        _ => None,
    };
    let mut server = ScriptedServer::start(script).await;
    let callbacks = Some(crate::CallbackOptions::default());
    let client = Client::connect(server.addr, 0, ClientOptions { callbacks, ..ClientOptions::default() });
    let client = client.await.unwrap();
    let before = server.seen();
    client.keep_lease().await;
    let after = server.seen();
    let told = |seen: &[Seen]| {
        let ops = seen.iter().flat_map(|seen| seen.ops.clone());
        ops.filter(|op| matches!(op, NfsArgop4::Setclientid(_))).collect::<Vec<_>>()
    };
    assert_eq!(told(&after), told(&before));
    assert!(after[0].has(OpNum::Renew) && after[1].has(OpNum::Setclientid) && after[2].has(OpNum::SetclientidConfirm));
}

#[tokio::test]
async fn without_recovery_the_failure_is_seen() {
    let life = Life { has_grace: true, ..Life::default() };
    let script = life.clone();
    let mut server = ScriptedServer::start(move |op: &NfsArgop4| script.answer(op)).await;
    let client = Client::connect(server.addr, 1, ClientOptions { renew: false, ..ClientOptions::default() });
    let client = client.await.unwrap();
    server.seen();
    life.restart();
    assert_eq!(client.root().await.unwrap_err().status(), Some(NfsStat4::Badsession));
    assert_eq!(server.seen().len(), 1);
}
