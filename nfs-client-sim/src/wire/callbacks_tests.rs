use nfs4_protocol::nfs4::{CbRecall4Args, CbSequence4Args, NFS_CB, NFS4_CALLBACK, NfsFh4, Sessionid4};
use nfs4_protocol::rpc::OpaqueAuth;

use super::*;

const RECALLED: Stateid4 = Stateid4 { seqid: 1, other: [9; 12] };

/// Calls the program as a server does. Returns the reply without its header.
async fn call(wire: &mut Wire, procedure: u32, args: Option<&CbCompound4Args>) -> Decoder {
    let xid = wire.new_xid();
    let mut e = Encoder::new();
    RpcMsg::call(xid, NFS4_CALLBACK, NFS_CB, procedure, OpaqueAuth::NONE).encode(&mut e);
    if let Some(args) = args {
        args.encode(&mut e);
    }
    wire.send_message(e.finish()).await;
    let Incoming::Record(record) = wire.receive(Duration::from_secs(10)).await else { panic!("no reply") };
    let mut d = Decoder::new(record);
    let message = RpcMsg::decode(&mut d).unwrap();
    assert_eq!(message, RpcMsg::accepted(xid, AcceptedBody::Success));
    d
}

fn compound(argarray: Vec<NfsCbArgop4>) -> CbCompound4Args {
    CbCompound4Args { tag: Bytes::from_static(b"tag"), minorversion: 1, callback_ident: 0, argarray }
}

fn sequence() -> NfsCbArgop4 {
    NfsCbArgop4::Sequence(CbSequence4Args {
        sessionid: Sessionid4([3; 16]),
        sequenceid: 1,
        slotid: 0,
        highest_slotid: 0,
        cachethis: false,
        referring_call_lists: Vec::new(),
    })
}

#[tokio::test]
async fn a_recall_is_answered_and_noted() {
    let listener = Listener::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut server = Wire::open(listener.addr()).await.unwrap();
    assert!(!listener.seen().any());
    call(&mut server, CB_NULL, None).await.finish().unwrap();
    let recall = CbRecall4Args { stateid: RECALLED, truncate: false, fh: NfsFh4::default() };
    let args = compound(vec![sequence(), NfsCbArgop4::Recall(recall)]);
    let result = CbCompound4Res::decode(&mut call(&mut server, CB_COMPOUND, Some(&args)).await).unwrap();
    assert_eq!((result.status, result.tag.as_ref(), result.resarray.len()), (NfsStat4::Ok, b"tag".as_slice(), 2));
    let seen = listener.seen();
    assert_eq!((seen.nulls, seen.recalled), (1, vec![RECALLED]));
    assert_eq!(seen.operations, [NfsCbOpnum4::Sequence, NfsCbOpnum4::Recall]);
}

#[tokio::test]
async fn the_first_operation_that_is_not_there_ends_the_callback() {
    let listener = Listener::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut server = Wire::open(listener.addr()).await.unwrap();
    let args = compound(vec![sequence(), NfsCbArgop4::Illegal(4711)]);
    let result = CbCompound4Res::decode(&mut call(&mut server, CB_COMPOUND, Some(&args)).await).unwrap();
    assert_eq!((result.status, result.resarray.len()), (NfsStat4::OpIllegal, 2));
}
