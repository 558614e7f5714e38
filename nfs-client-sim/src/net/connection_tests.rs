use nfs4_protocol::rpc::MismatchInfo;
use pretty_assertions::assert_eq;
use tokio::net::TcpListener;

use super::*;

const WAIT: Duration = Duration::from_secs(30);

/// The server's end of a connection.
struct Peer {
    stream: TcpStream,
    records: RecordReader,
}

impl Peer {
    async fn record(&mut self) -> Bytes {
        loop {
            if let Some(record) = self.records.next_record().unwrap() {
                return record;
            }
            assert_ne!(self.stream.read_buf(self.records.buffer()).await.unwrap(), 0, "closed");
        }
    }

    /// The xid of the next call.
    async fn call(&mut self) -> u32 {
        let message = RpcMsg::decode(&mut Decoder::new(self.record().await)).unwrap();
        assert!(matches!(message.body, RpcBody::Call(_)));
        message.xid
    }

    async fn send(&mut self, message: &RpcMsg, results: u32) {
        let mut e = Encoder::new();
        message.encode(&mut e);
        e.u32(results);
        for piece in frame(e.finish()) {
            self.stream.write_all(&piece).await.unwrap();
        }
    }
}

async fn pair(reply_wait: Duration) -> (Connection, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connection = Connection::open(listener.local_addr().unwrap(), reply_wait).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    (connection, Peer { stream, records: RecordReader::new(1 << 20) })
}

async fn call(connection: &Connection) -> Result<u32> {
    Ok(connection.call(1, 1, 1, OpaqueAuth::NONE, |e| e.u64(5)).await?.u32()?)
}

#[tokio::test]
async fn replies_reach_their_calls_in_any_order() {
    let (connection, mut peer) = pair(WAIT).await;
    let serve = async {
        let xids = [peer.call().await, peer.call().await, peer.call().await];
        for xid in xids.iter().rev() {
            peer.send(&RpcMsg::accepted(*xid, AcceptedBody::Success), *xid).await;
        }
        xids
    };
    let (a, b, c, xids) = tokio::join!(call(&connection), call(&connection), call(&connection), serve);
    assert_eq!([a.unwrap(), b.unwrap(), c.unwrap()], xids);
}

#[tokio::test]
async fn the_end_of_the_connection_ends_all_calls() {
    let (connection, mut peer) = pair(WAIT).await;
    let close = async {
        peer.call().await;
        peer.call().await;
        drop(peer);
    };
    let (a, b, ()) = tokio::join!(call(&connection), call(&connection), close);
    assert!(a.unwrap_err().is_lost() && b.unwrap_err().is_lost());
    assert!(call(&connection).await.unwrap_err().is_lost());
}

#[tokio::test]
async fn a_refusal_of_rpc_is_an_error_of_its_own() {
    let (connection, mut peer) = pair(WAIT).await;
    let versions = AcceptedBody::ProgMismatch(MismatchInfo { low: 3, high: 3 });
    let refuse = async {
        let xid = peer.call().await;
        peer.send(&RpcMsg::accepted(xid, versions), 0).await;
    };
    let (result, ()) = tokio::join!(call(&connection), refuse);
    let Err(Error::Refused(refusal)) = result else { panic!("{result:?}") };
    assert!(matches!(*refusal, ReplyBody::Accepted(AcceptedReply { reply, .. }) if reply == versions));
}

#[tokio::test]
async fn a_call_without_an_answer_ends() {
    let wait = Duration::from_millis(10);
    let (connection, _peer) = pair(wait).await;
    assert!(matches!(call(&connection).await, Err(Error::Timeout(after)) if after == wait));
}

#[tokio::test]
async fn the_answer_to_a_call_that_was_given_up_is_ignored() {
    let (connection, mut peer) = pair(WAIT).await;
    let abandoned = tokio::select! {
        xid = peer.call() => xid,
        result = call(&connection) => panic!("{result:?}"),
    };
    let serve = async {
        let xid = peer.call().await;
        for (xid, result) in [(abandoned, 1), (xid, 2)] {
            peer.send(&RpcMsg::accepted(xid, AcceptedBody::Success), result).await;
        }
    };
    let (result, ()) = tokio::join!(call(&connection), serve);
    assert_eq!(result.unwrap(), 2);
}

#[tokio::test]
async fn callbacks_are_answered() {
    let (connection, mut peer) = pair(WAIT).await;
    peer.send(&RpcMsg::call(77, 0x4000_0000, 1, 0, OpaqueAuth::NONE), 0).await;
    let reply = RpcMsg::decode(&mut Decoder::new(peer.record().await)).unwrap();
    assert_eq!(reply, RpcMsg::accepted(77, AcceptedBody::ProgUnavail));
    drop(connection);
}

#[tokio::test]
async fn nobody_listening_is_said_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let error = Connection::open(addr, WAIT).await.unwrap_err();
    assert!(matches!(&error, Error::Connect { addr: text, .. } if *text == addr.to_string()), "{error}");
}
