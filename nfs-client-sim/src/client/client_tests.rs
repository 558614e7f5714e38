use std::collections::VecDeque;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Attrs, ChangeInfo4, Compound4Res, CompoundRequest, Getattr4Resok, Getfh4Resok, NfsFh4, NfsResop4, OpNum,
    Open4Resok, OpenDelegation4, Setclientid4Res, Setclientid4Resok, Stateid4, Verifier4,
};
use nfs4_protocol::rpc::{AcceptedBody, RecordReader, RpcMsg, frame};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};
use pretty_assertions::assert_eq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::OpenHow;

/// A 4.0 server that does what a client needs to get going, and answers OPEN with given statuses.
struct Server {
    opens: VecDeque<NfsStat4>,
    /// The sequence IDs of the OPENs that came.
    seqids: mpsc::UnboundedSender<u32>,
}

impl Server {
    fn answer(&mut self, op: &NfsArgop4) -> NfsResop4 {
        let handle = NfsFh4(Bytes::from_static(b"file"));
        match op {
            NfsArgop4::Setclientid(_) => NfsResop4::Setclientid(Box::new(Setclientid4Res::Ok(Setclientid4Resok {
                clientid: 9,
                setclientid_confirm: Verifier4::default(),
            }))),
            NfsArgop4::Getattr(_) => {
                let attrs = Attrs { lease_time: Some(60), maxread: Some(4096), ..Attrs::default() };
                NfsResop4::Getattr(Ok(Getattr4Resok { obj_attributes: attrs.to_fattr4() }))
            }
            NfsArgop4::Getfh => NfsResop4::Getfh(Ok(Getfh4Resok { object: handle })),
            NfsArgop4::Open(args) => {
                self.seqids.send(args.seqid).unwrap();
                let status = self.opens.pop_front().unwrap_or(NfsStat4::Ok);
                NfsResop4::Open(Box::new(if status == NfsStat4::Ok { Ok(opened()) } else { Err(status) }))
            }
            NfsArgop4::Putfh(_) => NfsResop4::Putfh(Ok(())),
            NfsArgop4::Putrootfh => NfsResop4::Putrootfh(Ok(())),
            NfsArgop4::SetclientidConfirm(_) => NfsResop4::SetclientidConfirm(Ok(())),
            other => NfsResop4::failed(other.opnum(), NfsStat4::Notsupp),
        }
    }

    async fn serve(mut self, listener: TcpListener) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut records = RecordReader::new(1 << 20);
        while stream.read_buf(records.buffer()).await.is_ok_and(|read| read > 0) {
            while let Some(record) = records.next_record().unwrap() {
                self.reply(&mut stream, record).await;
            }
        }
    }

    async fn reply(&mut self, stream: &mut TcpStream, record: Bytes) {
        let mut d = Decoder::new(record);
        let xid = RpcMsg::decode(&mut d).unwrap().xid;
        let request = CompoundRequest::decode(&mut d).unwrap();
        let mut resarray: Vec<NfsResop4> = Vec::new();
        for op in &request.ops {
            resarray.push(self.answer(op));
            if resarray.last().unwrap().status() != NfsStat4::Ok {
                break;
            }
        }
        let status = resarray.last().unwrap().status();
        let mut e = Encoder::new();
        RpcMsg::accepted(xid, AcceptedBody::Success).encode(&mut e);
        Compound4Res { status, tag: request.tag, resarray }.encode(&mut e);
        for piece in frame(e.finish()) {
            stream.write_all(&piece).await.unwrap();
        }
    }
}

fn opened() -> Open4Resok {
    Open4Resok {
        stateid: Stateid4 { seqid: 1, other: [1; 12] },
        cinfo: ChangeInfo4::default(),
        rflags: 0,
        attrset: std::iter::empty().collect(),
        delegation: OpenDelegation4::None,
    }
}

/// A client of a server that answers OPEN like this, and the sequence IDs that the server sees.
async fn client(opens: &[NfsStat4], patience: Duration) -> (Client, mpsc::UnboundedReceiver<u32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (seqids, seen) = mpsc::unbounded_channel();
    tokio::spawn(Server { opens: opens.iter().copied().collect(), seqids }.serve(listener));
    let options = ClientOptions { patience, renew: false, ..ClientOptions::default() };
    (Client::connect(addr, 0, options).await.unwrap(), seen)
}

/// RFC 7530 §9.1.7: an error moves the sequence ID on, but for those that say the server has no such owner.
#[tokio::test]
async fn the_sequence_id_of_an_owner_moves_as_the_server_moves_it() {
    let answers = [NfsStat4::Ok, NfsStat4::Noent, NfsStat4::BadSeqid, NfsStat4::StaleClientid, NfsStat4::Ok];
    let (client, mut seen) = client(&answers, Duration::ZERO).await;
    let owner = Arc::new(OpenOwner::new("me"));
    let root = client.root().await.unwrap().handle;
    for _ in answers {
        // The outcome is not the point.
        let _ = client.open(&root, "f", OpenHow::read().owner(&owner)).await;
    }
    let mut seqids = Vec::new();
    seen.recv_many(&mut seqids, answers.len()).await;
    assert_eq!(seqids, [0, 1, 2, 2, 2]);
}

#[tokio::test]
async fn what_shall_come_later_is_tried_again_with_the_next_sequence_id() {
    let (client, mut seen) = client(&[NfsStat4::Delay, NfsStat4::Grace], Duration::from_secs(60)).await;
    let root = client.root().await.unwrap().handle;
    client.open(&root, "f", OpenHow::read()).await.unwrap();
    let mut seqids = Vec::new();
    seen.recv_many(&mut seqids, 3).await;
    assert_eq!(seqids, [0, 1, 2]);
}

#[tokio::test]
async fn patience_ends() {
    let (client, _seen) = client(&[NfsStat4::Delay; 2], Duration::ZERO).await;
    let root = client.root().await.unwrap().handle;
    let error = client.open(&root, "f", OpenHow::read()).await.unwrap_err();
    assert!(matches!(error, Error::Status { op: OpNum::Open, status: NfsStat4::Delay }), "{error}");
}

#[tokio::test]
async fn the_limits_of_the_server_are_kept() {
    let (client, _seen) = client(&[], Duration::ZERO).await;
    assert_eq!((client.read_bytes_max(), client.write_bytes_max()), (4096, 1 << 20));
    assert_eq!((client.lease(), client.clientid()), (Duration::from_secs(60), 9));
}
