//! RFC 8881 §18.36: CREATE_SESSION; §18.46: SEQUENCE; §18.34: BIND_CONN_TO_SESSION; §18.37: DESTROY_SESSION.

use bytes::Bytes;
use nfs4_protocol::nfs4::{ChannelDirFromClient4, ChannelDirFromServer4, NfsStat4, Sessionid4};
use pretty_assertions::{assert_eq, assert_ne};

use super::*;

fn request(session: &CreateSessionOk, slotid: u32, sequenceid: u32) -> SequenceRequest {
    let (sessionid, connection) = (session.sessionid, CONNECTION);
    SequenceRequest { sessionid, sequenceid, slotid, highest_slotid: slotid, request_hash: 1, connection }
}

fn execute(world: &mut World, request: &SequenceRequest) -> (SlotToken, SequenceReply) {
    match world.state.sequence(request, world.now) {
        Ok(SequenceOutcome::Execute { token, reply }) => (token, reply),
        other => panic!("{other:?}"),
    }
}

fn refused(world: &mut World, request: &SequenceRequest) -> NfsStat4 {
    world.state.sequence(request, world.now).unwrap_err()
}

#[test]
fn a_retried_create_session_gets_the_first_answer() {
    let mut world = World::new();
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    let first = world.create_session(made.clientid, made.sequence, &principal("a")).unwrap();
    let again = world.create_session(made.clientid, made.sequence, &principal("a")).unwrap();
    assert_eq!(first, again);
    assert_eq!(world.state.counts().sessions, 1);
    let next = world.create_session(made.clientid, made.sequence + 1, &principal("a")).unwrap();
    assert_ne!(next.sessionid, first.sessionid);
    assert_eq!(next.sequence, made.sequence + 1);
}

#[test]
fn create_sessions_come_in_sequence() {
    let mut world = World::new();
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    for sequence in [made.sequence - 1, made.sequence + 1] {
        let result = world.create_session(made.clientid, sequence, &principal("a"));
        assert_eq!(result, Err(NfsStat4::SeqMisordered));
    }
    assert!(world.create_session(made.clientid, made.sequence, &principal("a")).is_ok());
}

#[test]
fn an_error_of_create_session_is_kept_as_well() {
    let mut world = World::new();
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    let owner = principal("a");
    let args = CreateSession { flags: 8, ..session_args(made.clientid, made.sequence, &owner) };
    assert_eq!(world.state.create_session(args, world.now), Err(NfsStat4::Inval));
    assert_eq!(world.create_session(made.clientid, made.sequence, &principal("a")), Err(NfsStat4::Inval));
    assert!(world.create_session(made.clientid, made.sequence + 1, &principal("a")).is_ok());
}

#[test]
fn only_the_principal_of_the_client_creates_sessions() {
    let mut world = World::new();
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    let result = world.create_session(made.clientid, made.sequence, &principal("b"));
    assert_eq!(result, Err(NfsStat4::ClidInuse));
    assert_eq!(world.state.counts().clients, 0);
}

#[test]
fn an_unknown_client_id_has_no_sessions() {
    let mut world = World::new();
    assert_eq!(world.create_session(ClientId(1), 1, &principal("a")), Err(NfsStat4::StaleClientid));
}

#[test]
fn the_fore_channel_is_never_more_than_asked_for_and_the_back_channel_is_as_offered() {
    let mut world = World::new();
    let session = world.session41("a");
    assert_eq!((&session.fore, &session.back), (&channel(), &channel()), "as Linux insists");
    assert_eq!(session.flags, 2, "CONN_BACK_CHAN is granted, PERSIST is not");
}

#[test]
fn a_greedy_client_gets_what_the_limits_allow() {
    let mut world = World::new();
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    let huge = ChannelAttrs4 {
        headerpadsize: 512,
        maxrequestsize: u32::MAX,
        maxresponsesize: u32::MAX,
        maxresponsesize_cached: u32::MAX,
        maxoperations: 16_384,
        maxrequests: u32::MAX,
        rdma_ird: Some(1),
    };
    let owner = principal("a");
    let args = CreateSession { fore: huge, flags: 0, ..session_args(made.clientid, made.sequence, &owner) };
    let session = world.state.create_session(args, world.now).unwrap();
    let limits = Limits::default();
    let granted = ChannelAttrs4 {
        headerpadsize: 0,
        maxrequestsize: limits.request_bytes_max,
        maxresponsesize: limits.response_bytes_max,
        maxresponsesize_cached: limits.cached_bytes_max,
        maxoperations: limits.operations,
        maxrequests: limits.slots,
        rdma_ird: None,
    };
    assert_eq!(session.fore, granted);
    assert_eq!(session.flags, 0);
}

#[test]
fn no_reply_larger_than_a_reply_may_be_is_kept() {
    let mut world = World::new();
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    let owner = principal("a");
    let fore = ChannelAttrs4 { maxresponsesize: 4_096, ..channel() };
    let args = CreateSession { fore, ..session_args(made.clientid, made.sequence, &owner) };
    let granted = world.state.create_session(args, world.now).unwrap().fore;
    assert_eq!((granted.maxresponsesize, granted.maxresponsesize_cached), (4_096, 4_096));
}

#[test]
fn a_channel_too_small_for_a_sequence_is_refused() {
    let mut world = World::new();
    let made = world.exchange_id("a", 1, &principal("a")).unwrap();
    let owner = principal("a");
    let small = [ChannelAttrs4 { maxrequestsize: 20, ..channel() }, ChannelAttrs4 { maxresponsesize: 0, ..channel() }];
    for (sequence, fore) in (made.sequence..).zip(small) {
        let args = CreateSession { fore, ..session_args(made.clientid, sequence, &owner) };
        assert_eq!(world.state.create_session(args, world.now), Err(NfsStat4::Toosmall));
    }
    assert_eq!(world.state.counts().clients, 0, "a failed CREATE_SESSION confirms nothing");
}

#[test]
fn a_retry_is_answered_from_the_slot_and_not_run() {
    let mut world = World::new();
    let session = world.session41("a");
    let (token, reply) = execute(&mut world, &request(&session, 3, 1));
    assert_eq!((reply.slotid, reply.sequenceid, reply.sessionid), (3, 1, session.sessionid));
    assert_eq!((reply.highest_slotid, reply.target_highest_slotid, reply.status_flags), (63, 63, 0));
    world.state.complete(token, vec![Bytes::from_static(b"he"), Bytes::from_static(b"llo")], true);
    match world.state.sequence(&request(&session, 3, 1), world.now) {
        Ok(SequenceOutcome::Replay(bytes)) => assert_eq!(bytes.concat(), b"hello"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_retry_of_an_answer_that_was_not_kept_is_told_so() {
    let mut world = World::new();
    let session = world.session41("a");
    let (first, _) = execute(&mut world, &request(&session, 0, 1));
    world.state.complete(first, vec![Bytes::from_static(b"x")], false);
    let (second, _) = execute(&mut world, &request(&session, 1, 1));
    world.state.complete(second, vec![Bytes::from(vec![0; 7_585])], true);
    let (third, _) = execute(&mut world, &request(&session, 2, 1));
    world.state.abandon(third);
    for slotid in 0..3 {
        let outcome = world.state.sequence(&request(&session, slotid, 1), world.now);
        assert!(matches!(outcome, Ok(SequenceOutcome::Uncached(_))), "slot {slotid}: {outcome:?}");
    }
}

#[test]
fn a_running_request_is_not_run_again() {
    let mut world = World::new();
    let session = world.session41("a");
    let (token, _) = execute(&mut world, &request(&session, 0, 1));
    assert_eq!(refused(&mut world, &request(&session, 0, 1)), NfsStat4::Delay);
    assert_eq!(refused(&mut world, &request(&session, 0, 2)), NfsStat4::SeqMisordered);
    world.state.complete(token, Vec::new(), true);
    let (token, _) = execute(&mut world, &request(&session, 0, 2));
    world.state.complete(token, Vec::new(), true);
}

#[test]
fn the_errors_of_sequence() {
    let mut world = World::new();
    let session = world.session41("a");
    let unknown = SequenceRequest { sessionid: Sessionid4([9; 16]), ..request(&session, 0, 1) };
    assert_eq!(refused(&mut world, &unknown), NfsStat4::Badsession);
    assert_eq!(refused(&mut world, &request(&session, 64, 1)), NfsStat4::Badslot);
    let high = SequenceRequest { highest_slotid: 64, ..request(&session, 0, 1) };
    assert_eq!(refused(&mut world, &high), NfsStat4::BadHighSlot);
    for sequenceid in [0, 2, u32::MAX] {
        assert_eq!(refused(&mut world, &request(&session, 0, sequenceid)), NfsStat4::SeqMisordered);
    }
    let (token, _) = execute(&mut world, &request(&session, 0, 1));
    world.state.complete(token, Vec::new(), true);
    let other = SequenceRequest { request_hash: 2, ..request(&session, 0, 1) };
    assert_eq!(refused(&mut world, &other), NfsStat4::SeqFalseRetry);
}

#[test]
fn a_destroyed_session_is_gone_and_its_running_requests_end_quietly() {
    let mut world = World::new();
    let session = world.session41("a");
    let (token, _) = execute(&mut world, &request(&session, 0, 1));
    assert_eq!(world.state.destroy_session(&session.sessionid, CONNECTION), Ok(()));
    world.state.complete(token, Vec::new(), true);
    assert_eq!(refused(&mut world, &request(&session, 0, 1)), NfsStat4::Badsession);
    assert_eq!(world.state.destroy_session(&session.sessionid, CONNECTION), Err(NfsStat4::Badsession));
    assert_eq!(world.state.counts().sessions, 0);
}

#[test]
fn a_session_is_destroyed_over_a_connection_of_its_own() {
    let mut world = World::new();
    let session = world.session41("a");
    let elsewhere = world.state.destroy_session(&session.sessionid, ConnectionId(2));
    assert_eq!(elsewhere, Err(NfsStat4::ConnNotBoundToSession));
    let over_second = SequenceRequest { connection: ConnectionId(2), ..request(&session, 0, 1) };
    let (token, _) = execute(&mut world, &over_second);
    world.state.complete(token, Vec::new(), true);
    assert_eq!(world.state.destroy_session(&session.sessionid, ConnectionId(2)), Ok(()));
}

#[test]
fn binding_a_connection_tells_its_channels() {
    use ChannelDirFromClient4 as Ask;
    use ChannelDirFromServer4 as Got;
    let mut world = World::new();
    let session = world.session41("a");
    let cases =
        [(Ask::Fore, Got::Fore), (Ask::Back, Got::Back), (Ask::ForeOrBoth, Got::Both), (Ask::BackOrBoth, Got::Both)];
    for (number, (ask, got)) in (10..).zip(cases) {
        let mut bind = |ask| world.state.bind_conn_to_session(&session.sessionid, ask, ConnectionId(number));
        assert_eq!(bind(ask), Ok(got));
        assert_eq!(bind(ask), Ok(got), "bound already");
    }
    let mut bind =
        |connection, ask| world.state.bind_conn_to_session(&session.sessionid, ask, ConnectionId(connection));
    assert_eq!(bind(10, Ask::Back), Err(NfsStat4::Inval));
    assert_eq!(bind(11, Ask::Fore), Err(NfsStat4::Inval));
    assert_eq!(bind(10, Ask::ForeOrBoth), Ok(Got::Both), "as Linux does it");
    let unknown = world.state.bind_conn_to_session(&Sessionid4([9; 16]), Ask::Fore, CONNECTION);
    assert_eq!(unknown, Err(NfsStat4::Badsession));
}

#[test]
fn a_session_outlives_its_connections() {
    let mut world = World::new();
    let session = world.session41("a");
    world.state.connection_lost(CONNECTION);
    assert!(!world.state.is_bound(&session.sessionid, CONNECTION));
    let again = SequenceRequest { connection: ConnectionId(2), ..request(&session, 0, 1) };
    let (token, _) = execute(&mut world, &again);
    world.state.complete(token, Vec::new(), true);
    assert!(world.state.is_bound(&session.sessionid, ConnectionId(2)));
}
