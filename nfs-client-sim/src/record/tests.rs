//! The proxy between a scripted client and a scripted server.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    CbClient4, Compound4Args, Compound4Res, Netaddr4, NfsArgop4, NfsClientId4, NfsResop4, NfsStat4, Setclientid4Args,
    Verifier4,
};
use nfs4_protocol::rpc::{AcceptedBody, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, OpaqueAuth, RpcMsg, frame};
use nfs4_protocol::xdr::{Encode, Encoder};
use pretty_assertions::assert_eq;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::trace::{Side, Trace, check};

fn framed(header: &RpcMsg, body: &dyn Encode) -> Vec<u8> {
    let mut e = Encoder::new();
    header.encode(&mut e);
    body.encode(&mut e);
    frame(e.finish()).concat()
}

fn call(xid: u32, minorversion: u32, op: NfsArgop4) -> Vec<u8> {
    let header = RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, OpaqueAuth::NONE);
    framed(&header, &Compound4Args { tag: Bytes::new(), minorversion, argarray: vec![op] })
}

fn reply(xid: u32) -> Vec<u8> {
    let resarray = vec![NfsResop4::Putrootfh(Ok(()))];
    let body = Compound4Res { status: NfsStat4::Ok, tag: Bytes::new(), resarray };
    framed(&RpcMsg::accepted(xid, AcceptedBody::Success), &body)
}

/// A proxy that records into `out.trace`.
struct Running {
    folder: TempDir,
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    run: JoinHandle<Result<Summary, RecordError>>,
}

async fn start(upstream: SocketAddr) -> Running {
    let folder = TempDir::new().unwrap();
    let recorder = Recorder::bind("127.0.0.1:0".parse().unwrap(), upstream.to_string()).await.unwrap();
    let addr = recorder.addr().unwrap();
    let path = folder.path().join("out.trace");
    let (stop, stopped) = oneshot::channel();
    let header = Header { client: "scripted".to_owned(), ..Header::default() };
    let run = tokio::spawn(async move { recorder.run(header, &path, async { drop(stopped.await) }).await });
    Running { folder, addr, stop, run }
}

impl Running {
    fn text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("out.trace")).unwrap()
    }

    /// The trace as far as it is written, once it has so many events.
    async fn events(&self, count: usize) -> Trace {
        loop {
            match Trace::read(&self.text()) {
                Ok(trace) if trace.events.len() >= count => return trace,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    async fn end(self) -> (Summary, Trace) {
        self.stop.send(()).unwrap();
        let summary = self.run.await.unwrap().unwrap();
        let text = std::fs::read_to_string(self.folder.path().join("out.trace")).unwrap();
        assert_eq!(check(&text), Ok(()));
        (summary, Trace::read(&text).unwrap())
    }
}

/// Sends, and reads so many bytes on the other side.
async fn pass(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    from.write_all(bytes).await.unwrap();
    let mut arrived = vec![0; bytes.len()];
    to.read_exact(&mut arrived).await.unwrap();
    arrived
}

async fn pair(running: &Running, upstream: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(running.addr).await.unwrap();
    (client, upstream.accept().await.unwrap().0)
}

fn what(trace: &Trace) -> Vec<(u32, &'static str)> {
    let name = |what: &What| match what {
        What::Opened => "opened",
        What::Message { from: Side::Client, .. } => ">",
        What::Message { from: Side::Server, .. } => "<",
        What::Closed { by: Side::Client } => "closed by client",
        What::Closed { by: Side::Server } => "closed by server",
        What::Gap { .. } => "gap",
        What::Restarted => "restarted",
    };
    trace.events.iter().map(|event| (event.connection, name(&event.what))).collect()
}

#[tokio::test]
async fn bytes_pass_unchanged_and_messages_are_written_down() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = start(upstream.local_addr().unwrap()).await;
    let (mut client, mut server) = pair(&running, &upstream).await;
    let asked = call(7, 1, NfsArgop4::Putrootfh);
    // In two pieces, which is one message all the same.
    let (front, back) = asked.split_at(11);
    assert_eq!(pass(&mut client, &mut server, front).await, front);
    assert_eq!(pass(&mut client, &mut server, back).await, back);
    assert_eq!(pass(&mut server, &mut client, &reply(7)).await, reply(7));
    let (mut other, mut server_of_other) = pair(&running, &upstream).await;
    pass(&mut other, &mut server_of_other, &call(9, 1, NfsArgop4::Getfh)).await;
    drop(client);
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    running.events(6).await;
    let (summary, trace) = running.end().await;
    let expected = [(1, "opened"), (1, ">"), (1, "<"), (2, "opened"), (2, ">"), (1, "closed by client")];
    assert_eq!(what(&trace), expected);
    assert_eq!((trace.header.client.as_str(), trace.header.minor, trace.header.notes.len()), ("scripted", Some(1), 0));
    let exchanges = trace.exchanges();
    assert_eq!(exchanges.iter().map(|one| one.reply.is_some()).collect::<Vec<_>>(), [true, false]);
    assert_eq!((summary.connections, summary.messages, summary.cut), (2, 3, 0));
}

#[tokio::test]
async fn the_file_is_good_while_it_grows() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = start(upstream.local_addr().unwrap()).await;
    let (mut client, mut server) = pair(&running, &upstream).await;
    for xid in 0..3 {
        pass(&mut client, &mut server, &call(xid, 0, NfsArgop4::Putrootfh)).await;
        let trace = running.events(2 + xid as usize).await;
        assert_eq!(trace.exchanges().len(), 1 + xid as usize);
        assert_eq!(check(&running.text()), Ok(()));
    }
}

#[tokio::test]
async fn what_is_not_rpc_passes_and_ends_the_recording_of_its_connection() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = start(upstream.local_addr().unwrap()).await;
    let (mut client, mut server) = pair(&running, &upstream).await;
    pass(&mut client, &mut server, &call(7, 0, NfsArgop4::Putrootfh)).await;
    let garbage = vec![0xff; 100];
    assert_eq!(pass(&mut client, &mut server, &garbage).await, garbage);
    assert_eq!(pass(&mut server, &mut client, &reply(7)).await, reply(7));
    drop(server);
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    drop(client);
    running.events(4).await;
    let (summary, trace) = running.end().await;
    assert_eq!(what(&trace), [(1, "opened"), (1, ">"), (1, "gap"), (1, "closed by server")]);
    assert_eq!(summary.cut, 1);
}

#[tokio::test]
async fn a_server_that_went_away_and_came_back_was_restarted() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = upstream.local_addr().unwrap();
    let running = start(addr).await;
    let (client, server) = pair(&running, &upstream).await;
    drop((server, upstream));
    // While it is away, clients are sent away.
    let mut refused = TcpStream::connect(running.addr).await.unwrap();
    assert!(matches!(refused.read(&mut [0]).await, Ok(0) | Err(_)));
    let upstream = TcpListener::bind(addr).await.unwrap();
    // Once the proxy has looked, it goes on as before.
    running.events(3).await;
    let mut again = TcpStream::connect(running.addr).await.unwrap();
    again.write_all(&call(1, 0, NfsArgop4::Putrootfh)).await.unwrap();
    let trace = running.events(5).await;
    let expected = [(1, "opened"), (1, "closed by server"), (0, "restarted"), (2, "opened"), (2, ">")];
    assert_eq!(what(&trace), expected);
    drop((client, upstream));
    assert_eq!(running.end().await.0.restarts, 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_not_restarted() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = upstream.local_addr().unwrap();
    drop(upstream);
    let running = start(addr).await;
    let mut refused = TcpStream::connect(running.addr).await.unwrap();
    assert!(matches!(refused.read(&mut [0]).await, Ok(0) | Err(_)));
    let upstream = TcpListener::bind(addr).await.unwrap();
    // The first connections only look.
    let mut client = TcpStream::connect(running.addr).await.unwrap();
    client.write_all(&call(1, 0, NfsArgop4::Putrootfh)).await.unwrap();
    assert_eq!(what(&running.events(2).await), [(1, "opened"), (1, ">")]);
    drop(upstream);
}

#[tokio::test]
async fn a_note_tells_of_callbacks_that_are_not_seen() {
    let setclientid = |addr: &'static str| {
        NfsArgop4::Setclientid(Box::new(Setclientid4Args {
            client: NfsClientId4 { verifier: Verifier4::default(), id: "client".into() },
            callback: CbClient4 { program: 1, location: Netaddr4 { netid: "tcp".into(), addr: addr.into() } },
            callback_ident: 1,
        }))
    };
    for (addr, notes) in [("127.0.0.1.3.4", 1), ("0.0.0.0.0.0", 0), ("", 0)] {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = start(upstream.local_addr().unwrap()).await;
        let (mut client, mut server) = pair(&running, &upstream).await;
        pass(&mut client, &mut server, &call(1, 0, setclientid(addr))).await;
        running.events(2).await;
        assert_eq!(running.end().await.1.header.notes.len(), notes, "{addr}");
    }
}

#[tokio::test]
async fn a_disk_that_is_too_slow_costs_the_recording_and_not_the_client() {
    let (events, mut queue) = mpsc::unbounded_channel();
    let shared = Shared::new(String::new(), events);
    let _all = Arc::clone(&shared.room).try_acquire_many_owned(WAITING_BYTES_MAX as u32).unwrap();
    let message = What::Message { from: Side::Client, message: Bytes::from_static(b"x") };
    assert!(!shared.note(1, message));
    assert!(shared.note(1, What::Gap { bytes: 1 }), "what says so has room");
    assert_eq!(queue.recv().await.unwrap().event.what, What::Gap { bytes: 1 });
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_named() {
    let recorder = Recorder::bind("127.0.0.1:0".parse().unwrap(), "127.0.0.1:1").await.unwrap();
    let path = Path::new("/nowhere/out.trace");
    let error = recorder.run(Header::default(), path, std::future::pending()).await.unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/out.trace: "), "{error}");
}
