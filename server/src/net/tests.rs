//! The network side over loopback sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::*;
use nfs4_protocol::xdr::{Decode, Decoder, to_bytes};
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{NetLimits, RECORD_BYTES_MAX, bind, serve};
use crate::compound::test_fs::MemoryFs;
use crate::compound::{MonotonicClock, Service, Settings, StableClients};
use crate::state::{ClientRecord, Effect, StateConfig};

struct NoRecords;

#[async_trait::async_trait]
impl StableClients for NoRecords {
    async fn load(&self) -> std::io::Result<Vec<ClientRecord>> {
        Ok(Vec::new())
    }

    async fn persist(&self, _: &[Effect]) -> std::io::Result<()> {
        Ok(())
    }
}

struct Server {
    address: SocketAddr,
    fs: Arc<MemoryFs>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

async fn start(limits: NetLimits) -> Server {
    start_on("127.0.0.1:0", limits).await
}

async fn service(fs: Arc<MemoryFs>) -> Arc<Service> {
    let clock = Arc::new(MonotonicClock::start());
    let state = StateConfig::new(1, [0; 16]);
    Service::start(fs, Settings::new("d"), state, Arc::new(NoRecords), clock).await.unwrap()
}

async fn start_on(address: &str, limits: NetLimits) -> Server {
    let fs = MemoryFs::new();
    let service = service(fs.clone()).await;
    let listeners = bind(&[address.parse().unwrap()]).unwrap();
    let address = listeners[0].local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve(listeners, service, limits, shutdown.clone()));
    Server { address, fs, shutdown, serving }
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.unwrap()
}

fn auth_sys() -> OpaqueAuth {
    let machinename = Bytes::from_static(b"test");
    OpaqueAuth::from(&AuthSysParms { stamp: 0, machinename, uid: 0, gid: 0, gids: vec![] })
}

fn call(xid: u32) -> CallBody {
    let RpcBody::Call(body) = RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, NFSPROC4_NULL, auth_sys()).body else {
        panic!("not a call")
    };
    body
}

fn message(xid: u32, body: CallBody, args: &[u8]) -> Vec<u8> {
    let mut message = to_bytes(&RpcMsg { xid, body: RpcBody::Call(body) }).to_vec();
    message.extend_from_slice(args);
    message
}

fn framed(message: &[u8]) -> Vec<u8> {
    frame(vec![Bytes::copy_from_slice(message)]).concat()
}

fn compound(ops: Vec<NfsArgop4>) -> Bytes {
    to_bytes(&Compound4Args { tag: Bytes::new(), minorversion: 0, argarray: ops })
}

fn compound_call(xid: u32, ops: Vec<NfsArgop4>) -> Vec<u8> {
    framed(&message(xid, CallBody { procedure: NFSPROC4_COMPOUND, ..call(xid) }, &compound(ops)))
}

/// The next reply: its transaction and body, and the results.
async fn reply(stream: &mut TcpStream) -> (u32, ReplyBody, Bytes) {
    let header = stream.read_u32().await.unwrap();
    assert_ne!(header & (1 << 31), 0, "a reply is one fragment");
    let mut record = vec![0; (header & !(1 << 31)) as usize];
    stream.read_exact(&mut record).await.unwrap();
    let mut decoder = Decoder::new(record.into());
    let message = RpcMsg::decode(&mut decoder).unwrap();
    let RpcBody::Reply(body) = message.body else { panic!("a call") };
    (message.xid, body, decoder.take_rest())
}

fn accepted(reply: AcceptedBody) -> ReplyBody {
    ReplyBody::Accepted(AcceptedReply { verf: OpaqueAuth::NONE, reply })
}

async fn results(stream: &mut TcpStream) -> (u32, Compound4Res) {
    let (xid, body, results) = reply(stream).await;
    assert_eq!(body, accepted(AcceptedBody::Success));
    (xid, nfs4_protocol::xdr::from_bytes(results).unwrap())
}

/// Whether the server still answers on a new connection.
async fn answers(server: &Server) -> bool {
    let mut stream = connect(server).await;
    stream.write_all(&framed(&message(9, call(9), &[]))).await.unwrap();
    reply(&mut stream).await.1 == accepted(AcceptedBody::Success)
}

#[rstest]
#[case::null(call(1), accepted(AcceptedBody::Success))]
#[case::null_without_credentials(CallBody { cred: OpaqueAuth::NONE, ..call(1) }, accepted(AcceptedBody::Success))]
#[case::rpc_version(
    CallBody { rpcvers: 3, ..call(1) },
    ReplyBody::Denied(RejectedReply::RpcMismatch(MismatchInfo { low: 2, high: 2 }))
)]
#[case::program(CallBody { prog: 100_005, ..call(1) }, accepted(AcceptedBody::ProgUnavail))]
#[case::version(
    CallBody { vers: 3, ..call(1) },
    accepted(AcceptedBody::ProgMismatch(MismatchInfo { low: 4, high: 4 }))
)]
#[case::procedure(CallBody { procedure: 2, ..call(1) }, accepted(AcceptedBody::ProcUnavail))]
#[case::garbage(CallBody { procedure: NFSPROC4_COMPOUND, ..call(1) }, accepted(AcceptedBody::GarbageArgs))]
#[case::tls_probe(
    CallBody { cred: OpaqueAuth { flavor: AUTH_TLS, body: Bytes::new() }, ..call(1) },
    ReplyBody::Denied(RejectedReply::AuthError(AuthStat::Badcred))
)]
#[case::kerberos(
    CallBody { cred: OpaqueAuth { flavor: 6, body: Bytes::from_static(&[0; 20]) }, ..call(1) },
    ReplyBody::Denied(RejectedReply::AuthError(AuthStat::Badcred))
)]
#[case::broken_auth_sys(
    CallBody { cred: OpaqueAuth { flavor: AUTH_SYS, body: Bytes::from_static(&[0; 6]) }, ..call(1) },
    ReplyBody::Denied(RejectedReply::AuthError(AuthStat::Badcred))
)]
#[case::verifier(
    CallBody { verf: OpaqueAuth { flavor: AUTH_SYS, body: Bytes::new() }, ..call(1) },
    ReplyBody::Denied(RejectedReply::AuthError(AuthStat::Badverf))
)]
#[tokio::test]
async fn calls_get_what_rpc_says(#[case] body: CallBody, #[case] expected: ReplyBody) {
    let server = start(NetLimits::default()).await;
    let mut stream = connect(&server).await;
    // The connection goes on after each of them.
    for xid in [7, 8] {
        stream.write_all(&framed(&message(xid, body.clone(), &[]))).await.unwrap();
        let (answered, body, _) = reply(&mut stream).await;
        assert_eq!((answered, body), (xid, expected.clone()));
    }
}

#[tokio::test]
async fn a_compound_arrives_in_fragments_of_any_size() {
    let server = start(NetLimits::default()).await;
    let mut stream = connect(&server).await;
    let whole = message(
        3,
        CallBody { procedure: NFSPROC4_COMPOUND, ..call(3) },
        &compound(vec![NfsArgop4::Putrootfh, NfsArgop4::Getfh]),
    );
    let pieces: Vec<&[u8]> = whole.chunks(7).collect();
    for (index, piece) in pieces.iter().enumerate() {
        let last = if index + 1 == pieces.len() { 1 << 31 } else { 0 };
        stream.write_u32(u32::try_from(piece.len()).unwrap() | last).await.unwrap();
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
    }
    let (xid, compound) = results(&mut stream).await;
    assert_eq!((xid, compound.status, compound.resarray.len()), (3, NfsStat4::Ok, 2));
}

#[tokio::test]
async fn many_requests_in_one_segment_are_all_answered() {
    let server = start(NetLimits { requests_per_connection: 2, ..NetLimits::default() }).await;
    let mut stream = connect(&server).await;
    let calls: Vec<u8> = (0..50).flat_map(|xid| compound_call(xid, vec![NfsArgop4::Putrootfh])).collect();
    stream.write_all(&calls).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..50 {
        seen.push(results(&mut stream).await.0);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..50).collect::<Vec<_>>());
}

#[rstest]
#[case::too_long(vec![0xff, 0xff, 0xff, 0xff])]
#[case::too_long_in_pieces([&(u32::try_from(RECORD_BYTES_MAX).unwrap() - 4).to_be_bytes()[..], &vec![0; RECORD_BYTES_MAX - 4], &[0, 0, 0, 5]].concat())]
#[case::no_message(framed(b"hello world!"))]
#[case::empty(framed(b""))]
#[case::a_reply(framed(&to_bytes(&RpcMsg::accepted(1, AcceptedBody::Success))))]
#[tokio::test]
async fn a_connection_that_breaks_the_rules_is_closed_and_no_other(#[case] bytes: Vec<u8>) {
    let server = start(NetLimits::default()).await;
    let mut good = connect(&server).await;
    let mut bad = connect(&server).await;
    // The server may close before it has read all of it.
    let _ = bad.write_all(&bytes).await;
    let mut rest = Vec::new();
    let _ = bad.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    good.write_all(&compound_call(1, vec![NfsArgop4::Putrootfh])).await.unwrap();
    assert_eq!(results(&mut good).await.1.status, NfsStat4::Ok);
}

#[tokio::test]
async fn a_request_that_never_comes_to_its_end_is_given_up() {
    let server = start(NetLimits { stall: Duration::from_millis(20), ..NetLimits::default() }).await;
    let mut idle = connect(&server).await;
    let mut half = connect(&server).await;
    half.write_all(&[0x80, 0, 0, 100, 1, 2, 3]).await.unwrap();
    assert_eq!(half.read(&mut [0; 1]).await.unwrap(), 0);
    // A connection that is merely idle is left alone.
    idle.write_all(&compound_call(1, vec![NfsArgop4::Putrootfh])).await.unwrap();
    assert_eq!(results(&mut idle).await.1.status, NfsStat4::Ok);
}

/// The arguments of a READ of a file of 1 MiB.
async fn large_read(server: &Server) -> Vec<NfsArgop4> {
    use crate::fs::filesystem::{Caller, CreateHow, Filesystem, SetAttributes};
    let root = server.fs.root().await.unwrap();
    let bucket = server.fs.lookup(&root.handle, "demo").await.unwrap();
    let set = SetAttributes { size: Some(1 << 20), ..SetAttributes::default() };
    server.fs.create(&bucket.handle, "big", CreateHow::Unchecked, &set, &Caller::default()).await.unwrap();
    let lookup = |name: &'static [u8]| NfsArgop4::Lookup(Lookup4Args { objname: Bytes::from_static(name) });
    let read = Read4Args { stateid: Stateid4::ANONYMOUS, offset: 0, count: 1 << 20 };
    vec![NfsArgop4::Putrootfh, lookup(b"demo"), lookup(b"big"), NfsArgop4::Read(read)]
}

/// A client that asks for 64 MiB and does not read them.
async fn deaf(server: &Server) -> TcpStream {
    let read = large_read(server).await;
    let mut stream = connect(server).await;
    let calls: Vec<u8> = (0..64).flat_map(|xid| compound_call(xid, read.clone())).collect();
    stream.write_all(&calls).await.unwrap();
    stream
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let server = start(NetLimits { stall: Duration::from_secs(3_600), ..NetLimits::default() }).await;
    let _deaf = deaf(&server).await;
    assert!(answers(&server).await);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped() {
    // The other client is served only when this one's place is free again.
    let limits = NetLimits { stall: Duration::from_millis(50), connections: 1, ..NetLimits::default() };
    let server = start(limits).await;
    let _deaf = deaf(&server).await;
    assert!(answers(&server).await);
}

#[tokio::test]
async fn a_large_reply_comes_whole() {
    let server = start(NetLimits::default()).await;
    let read = large_read(&server).await;
    let mut stream = connect(&server).await;
    stream.write_all(&compound_call(1, read)).await.unwrap();
    let (_, compound) = results(&mut stream).await;
    let Some(NfsResop4::Read(Ok(read))) = compound.resarray.last() else { panic!("{:?}", compound.status) };
    assert_eq!((read.data.len(), read.eof), (1 << 20, true));
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_served_at_once() {
    // One permit waits with the accept of the next connection.
    let server = start(NetLimits { connections: 1, ..NetLimits::default() }).await;
    let mut first = connect(&server).await;
    first.write_all(&compound_call(1, vec![])).await.unwrap();
    results(&mut first).await;
    let mut second = connect(&server).await;
    second.write_all(&compound_call(2, vec![])).await.unwrap();
    first.write_all(&compound_call(3, vec![])).await.unwrap();
    results(&mut first).await;
    drop(first);
    assert_eq!(results(&mut second).await.0, 2);
}

/// A client ID of 4.0 that is confirmed.
async fn setclientid(stream: &mut TcpStream) -> u64 {
    let args = Setclientid4Args {
        client: NfsClientId4 { verifier: Verifier4::default(), id: Bytes::from_static(b"client") },
        callback: CbClient4 { program: 0, location: Netaddr4 { netid: Bytes::new(), addr: Bytes::new() } },
        callback_ident: 0,
    };
    stream.write_all(&compound_call(1, vec![NfsArgop4::Setclientid(Box::new(args))])).await.unwrap();
    let (_, made) = results(stream).await;
    let NfsResop4::Setclientid(known) = &made.resarray[0] else { panic!("{made:?}") };
    let Setclientid4Res::Ok(known) = known.as_ref() else { panic!("{known:?}") };
    let confirm = SetclientidConfirm4Args { clientid: known.clientid, setclientid_confirm: known.setclientid_confirm };
    stream.write_all(&compound_call(2, vec![NfsArgop4::SetclientidConfirm(confirm)])).await.unwrap();
    results(stream).await;
    known.clientid
}

/// An OPEN that creates `demo/f`.
fn creating_open(clientid: u64) -> Vec<NfsArgop4> {
    let open = Open4Args {
        seqid: 1,
        share_access: OPEN4_SHARE_ACCESS_BOTH,
        share_deny: 0,
        owner: StateOwner4 { clientid, owner: Bytes::from_static(b"o") },
        openhow: Openflag4::Create(Createhow4::Unchecked(Fattr4::default())),
        claim: OpenClaim4::Null(Bytes::from_static(b"f")),
    };
    let lookup = Lookup4Args { objname: Bytes::from_static(b"demo") };
    vec![NfsArgop4::Putrootfh, NfsArgop4::Lookup(lookup), NfsArgop4::Open(Box::new(open))]
}

#[tokio::test]
async fn a_graceful_stop_finishes_what_runs() {
    let server = start(NetLimits::default()).await;
    let mut stream = connect(&server).await;
    let clientid = setclientid(&mut stream).await;
    let stall = server.fs.stall_opens().await;
    stream.write_all(&compound_call(3, creating_open(clientid))).await.unwrap();
    server.fs.until_stalled(1).await;
    server.shutdown.cancel();
    tokio::task::yield_now().await;
    drop(stall);
    let (xid, compound) = results(&mut stream).await;
    assert_eq!((xid, compound.status), (3, NfsStat4::Ok));
    server.serving.await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_request_outlives_its_connection_and_its_reply_is_kept() {
    let server = start(NetLimits::default()).await;
    let mut stream = connect(&server).await;
    let clientid = setclientid(&mut stream).await;
    let stall = server.fs.stall_opens().await;
    stream.write_all(&compound_call(3, creating_open(clientid))).await.unwrap();
    server.fs.until_stalled(1).await;
    drop(stream);
    drop(stall);
    // The owner's last request again: it waits for the first one, and gets its answer.
    let mut stream = connect(&server).await;
    stream.write_all(&compound_call(4, creating_open(clientid))).await.unwrap();
    assert_eq!(results(&mut stream).await.1.status, NfsStat4::Ok);
    assert_eq!(server.fs.opens(), 1);
}

#[tokio::test]
async fn every_listener_has_room_for_a_connection() {
    let addresses = [SocketAddr::from(([127, 0, 0, 1], 0)); 3];
    let listeners = bind(&addresses).unwrap();
    let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let limits = NetLimits { connections: 0, ..NetLimits::default() };
    let serving = tokio::spawn(serve(listeners, service(MemoryFs::new()).await, limits, CancellationToken::new()));
    let mut streams = Vec::new();
    for address in addresses {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&compound_call(1, vec![NfsArgop4::Putrootfh])).await.unwrap();
        assert_eq!(results(&mut stream).await.1.status, NfsStat4::Ok);
        streams.push(stream);
    }
    serving.abort();
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let server = start(NetLimits::default()).await;
    let error = bind(&[server.address]).unwrap_err();
    assert!(error.to_string().contains(&server.address.to_string()), "{error}");
}

#[tokio::test]
async fn one_socket_serves_both_address_families() {
    let server = start_on("[::]:0", NetLimits::default()).await;
    for address in ["127.0.0.1", "::1"] {
        let mut stream = TcpStream::connect((address, server.address.port())).await.unwrap();
        stream.write_all(&compound_call(1, vec![NfsArgop4::Putrootfh])).await.unwrap();
        assert_eq!(results(&mut stream).await.1.status, NfsStat4::Ok);
    }
}

#[tokio::test]
async fn both_wildcards_may_be_listed() {
    let listeners = bind(&["0.0.0.0:0".parse().unwrap()]).unwrap();
    let port = listeners[0].local_addr().unwrap().port();
    drop(listeners);
    let both = [SocketAddr::from(([0; 4], port)), SocketAddr::from(([0_u16; 8], port))];
    assert_eq!(bind(&both).unwrap().len(), 2);
}
