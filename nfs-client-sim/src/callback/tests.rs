//! Callbacks over the wire.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::{AcceptedBody, OpaqueAuth, RecordReader, RpcMsg, frame};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, Encoder};
use parking_lot::Mutex;
use pretty_assertions::assert_eq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::scripted_server::{SESSION, ScriptedServer, handle, opened, sequence, stateid};
use crate::{Client, ClientOptions, OpenFile, OpenHow, Recovery};

fn write_delegation() -> OpenDelegation4 {
    OpenDelegation4::Write(OpenWriteDelegation4 {
        stateid: stateid(7),
        recall: false,
        space_limit: NfsSpaceLimit4::Size(u64::MAX),
        permissions: Nfsace4 { acetype: 0, flag: 0, access_mask: 0, who: Bytes::from_static(b"EVERYONE@") },
    })
}

fn known_attrs() -> NfsResop4 {
    let attrs = Attrs { lease_time: Some(60), change: Some(33), size: Some(44), ..Attrs::default() };
    NfsResop4::Getattr(Ok(Getattr4Resok { obj_attributes: attrs.to_fattr4() }))
}

fn options(hook: Option<Arc<dyn CallbackHook>>) -> ClientOptions {
    let callbacks = Some(CallbackOptions { listen: None, hook });
    ClientOptions { renew: false, callbacks, ..ClientOptions::default() }
}

/// A client with an open file under a write delegation.
async fn delegated(minor: u32, hook: Option<Arc<dyn CallbackHook>>) -> (ScriptedServer, OpenFile) {
    let server = ScriptedServer::start(|op: &NfsArgop4| match op {
        NfsArgop4::Open(_) => Some(opened(stateid(1), write_delegation())),
        NfsArgop4::Getattr(_) => Some(known_attrs()),
        _ => None,
    });
    let mut server = server.await;
    let client = Client::connect(server.addr, minor, options(hook)).await.unwrap();
    let root = client.root().await.unwrap().handle;
    let file = client.open(&root, "file", OpenHow::both()).await.unwrap();
    assert_eq!(file.delegation().map(|delegation| delegation.stateid), Some(stateid(7)));
    server.seen();
    (server, file)
}

fn cb_sequence(sequenceid: u32) -> NfsCbArgop4 {
    NfsCbArgop4::Sequence(CbSequence4Args {
        sessionid: SESSION,
        sequenceid,
        slotid: 0,
        highest_slotid: 0,
        cachethis: false,
        referring_call_lists: vec![],
    })
}

fn recall() -> NfsCbArgop4 {
    NfsCbArgop4::Recall(CbRecall4Args { stateid: stateid(7), truncate: false, fh: handle() })
}

fn compound(minorversion: u32, argarray: Vec<NfsCbArgop4>) -> CbCompound4Args {
    CbCompound4Args { tag: Bytes::from_static(b"tag"), minorversion, callback_ident: 1, argarray }
}

fn statuses(reply: &CbCompound4Res) -> Vec<(NfsCbOpnum4, NfsStat4)> {
    reply.resarray.iter().map(|result| (result.opnum(), result.status())).collect()
}

#[tokio::test]
async fn a_recalled_delegation_is_returned() {
    let (mut server, file) = delegated(1, None).await;
    let reply = server.call_back(0, &compound(1, vec![cb_sequence(1), recall()])).await;
    assert_eq!((reply.status, reply.tag.as_ref()), (NfsStat4::Ok, b"tag".as_slice()));
    let returned = server.wait_for(OpNum::Delegreturn).await;
    assert!(returned.ops.contains(&NfsArgop4::Delegreturn(Delegreturn4Args { deleg_stateid: stateid(7) })));
    // It is not returned twice.
    file.close().await.unwrap();
    assert!(!server.seen().iter().any(|seen| seen.has(OpNum::Delegreturn)));
}

#[tokio::test]
async fn a_delegation_about_which_nothing_is_known_is_returned_at_once() {
    let script = |op: &NfsArgop4| match op {
        NfsArgop4::Open(_) => Some(opened(stateid(1), write_delegation())),
        _ => None,
    };
    let mut server = ScriptedServer::start(script).await;
    let client = Client::connect(server.addr, 1, options(None)).await.unwrap();
    let root = client.root().await.unwrap().handle;
    let _file = client.open(&root, "file", OpenHow::both()).await.unwrap();
    server.wait_for(OpNum::Delegreturn).await;
}

#[tokio::test]
async fn closing_returns_the_delegation_first() {
    let (mut server, file) = delegated(2, None).await;
    file.close().await.unwrap();
    let ops: Vec<OpNum> = server.seen().iter().filter_map(|seen| seen.opnums().last().copied()).collect();
    assert_eq!(ops, [OpNum::Delegreturn, OpNum::Close]);
}

/// RFC 8881 §2.10.6, §20.9.
#[tokio::test]
async fn a_retry_of_a_callback_gets_the_first_reply() {
    let (mut server, _file) = delegated(1, None).await;
    let first = server.call_back(0, &compound(1, vec![cb_sequence(1), recall()])).await;
    server.wait_for(OpNum::Delegreturn).await;
    // Executed again, it would find no delegation.
    assert_eq!(server.call_back(0, &compound(1, vec![cb_sequence(1), recall()])).await, first);
    let next = server.call_back(0, &compound(1, vec![cb_sequence(2), recall()])).await;
    assert_eq!(next.status, NfsStat4::BadStateid);
    let skipped = server.call_back(0, &compound(1, vec![cb_sequence(4), recall()])).await;
    assert_eq!(statuses(&skipped), [(NfsCbOpnum4::Sequence, NfsStat4::SeqMisordered)]);
}

#[tokio::test]
async fn each_operation_has_its_answer() {
    let (server, _file) = delegated(2, None).await;
    let attr_request = [FATTR4_CHANGE, FATTR4_SIZE].into_iter().collect();
    let getattr = NfsCbArgop4::Getattr(CbGetattr4Args { fh: handle(), attr_request });
    let elsewhere = NfsFh4(Bytes::from_static(b"elsewhere"));
    let unknown = NfsCbArgop4::Getattr(CbGetattr4Args { fh: elsewhere, attr_request: Bitmap4::new() });
    let layouts = NfsCbArgop4::Layoutrecall(CbLayoutrecall4Args {
        layout_type: 1,
        iomode: Layoutiomode4::Any,
        changed: false,
        recall: Layoutrecall4::All,
    });
    let cancelled = CbWantsCancelled4Args { contended_wants_cancelled: true, resourced_wants_cancelled: false };
    let slots = NfsCbArgop4::RecallSlot(CbRecallSlot4Args { target_highest_slotid: 3 });
    let mut next = 0;
    for (op, status) in [
        (getattr, NfsStat4::Ok),
        (unknown, NfsStat4::Badhandle),
        (layouts, NfsStat4::NomatchingLayout),
        (NfsCbArgop4::WantsCancelled(cancelled), NfsStat4::Notsupp),
        (slots, NfsStat4::Ok),
        (NfsCbArgop4::Illegal(99), NfsStat4::OpIllegal),
        (cb_sequence(1), NfsStat4::SequencePos),
    ] {
        next += 1;
        let reply = server.call_back(0, &compound(2, vec![cb_sequence(next), op])).await;
        assert_eq!(reply.status, status, "{reply:?}");
        if let Some(NfsCbResop4::Getattr(Ok(result))) = reply.resarray.last() {
            let attrs = result.obj_attributes.parse().unwrap();
            assert_eq!((attrs.change, attrs.size), (Some(33), Some(44)));
        }
    }
    let bare = server.call_back(0, &compound(2, vec![recall()])).await;
    assert_eq!(bare.status, NfsStat4::OpNotInSession);
    let other = server.call_back(0, &compound(1, vec![cb_sequence(8)])).await;
    assert_eq!((other.status, other.resarray.len()), (NfsStat4::MinorVersMismatch, 0));
}

/// RFC 8881 §2.10.6.3: a callback about a reply that has not come waits for it.
#[tokio::test]
async fn a_callback_that_is_ahead_of_the_reply_is_put_off() {
    let (server, file) = delegated(1, None).await;
    let slot = file.client().session().unwrap().slot().await.unwrap();
    let args = slot.sequence(false);
    let call = ReferringCall4 { sequenceid: args.sequenceid, slotid: args.slotid };
    let lists = vec![ReferringCallList4 { sessionid: SESSION, referring_calls: vec![call] }];
    let NfsCbArgop4::Sequence(plain) = cb_sequence(1) else { panic!("no sequence") };
    let ahead = NfsCbArgop4::Sequence(CbSequence4Args { referring_call_lists: lists, ..plain });
    let early = server.call_back(0, &compound(1, vec![ahead.clone(), recall()])).await;
    assert_eq!(statuses(&early), [(NfsCbOpnum4::Sequence, NfsStat4::Delay)]);
    slot.done(true);
    assert_eq!(server.call_back(0, &compound(1, vec![ahead, recall()])).await.status, NfsStat4::Ok);
}

#[derive(Debug, Default)]
struct Refuses(Mutex<Vec<NfsCbOpnum4>>);

impl CallbackHook for Refuses {
    fn answer(&self, op: &NfsCbArgop4) -> Option<NfsCbResop4> {
        self.0.lock().push(op.opnum());
        Some(NfsCbResop4::failed(op.opnum(), NfsStat4::Resource))
    }
}

#[tokio::test]
async fn the_application_may_answer() {
    let hook = Arc::new(Refuses::default());
    let (server, file) = delegated(1, Some(hook.clone())).await;
    let reply = server.call_back(0, &compound(1, vec![cb_sequence(1), recall()])).await;
    assert_eq!(reply.status, NfsStat4::Resource);
    assert_eq!(*hook.0.lock(), [NfsCbOpnum4::Recall]);
    assert!(file.delegation().is_some());
}

/// RFC 8881 §18.46.3: a lost back channel is bound again, over the connections that are there.
#[tokio::test]
async fn a_back_channel_that_is_down_is_bound_again() {
    let script = |op: &NfsArgop4| match op {
        NfsArgop4::Sequence(args) => Some(sequence(args, SEQ4_STATUS_CB_PATH_DOWN)),
        _ => None,
    };
    let mut server = ScriptedServer::start(script).await;
    let options = ClientOptions { recovery: Recovery::Reconnect, ..options(None) };
    let _client = Client::connect(server.addr, 1, options).await.unwrap();
    let bind = server.wait_for(OpNum::BindConnToSession).await;
    let NfsArgop4::BindConnToSession(args) = &bind.ops[0] else { panic!("{bind:?}") };
    assert_eq!((args.sessid, args.dir), (SESSION, ChannelDirFromClient4::ForeOrBoth));
}

/// The server's end of a 4.0 callback connection.
async fn call_listener(location: &Netaddr4, procedure: u32, args: Option<&CbCompound4Args>) -> Decoder {
    let text = std::str::from_utf8(&location.addr).unwrap();
    let numbers: Vec<u16> = text.split('.').map(|number| number.parse().unwrap()).collect();
    let mut stream = TcpStream::connect(("127.0.0.1", numbers[4] << 8 | numbers[5])).await.unwrap();
    let mut e = Encoder::new();
    RpcMsg::call(5, NFS4_CALLBACK, NFS_CB, procedure, OpaqueAuth::NONE).encode(&mut e);
    args.into_iter().for_each(|args| args.encode(&mut e));
    for piece in frame(e.finish()) {
        stream.write_all(&piece).await.unwrap();
    }
    let mut records = RecordReader::new(1 << 16);
    loop {
        if let Some(record) = records.next_record().unwrap() {
            let mut d = Decoder::new(record);
            assert_eq!(RpcMsg::decode(&mut d).unwrap(), RpcMsg::accepted(5, AcceptedBody::Success));
            return d;
        }
        assert_ne!(stream.read_buf(records.buffer()).await.unwrap(), 0, "closed");
    }
}

/// RFC 7530 §16.33: the server finds the listener by what SETCLIENTID said.
#[tokio::test]
async fn a_4_0_client_listens_for_callbacks() {
    let location = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&location);
    let server = ScriptedServer::start(move |op: &NfsArgop4| match op {
        NfsArgop4::Setclientid(args) => {
            *seen.lock() = Some(args.callback.location.clone());
            None
        }
        NfsArgop4::Open(_) => Some(opened(stateid(1), write_delegation())),
        NfsArgop4::Getattr(_) => Some(known_attrs()),
        _ => None,
    });
    let mut server = server.await;
    let client = Client::connect(server.addr, 0, options(None)).await.unwrap();
    let root = client.root().await.unwrap().handle;
    let _file = client.open(&root, "file", OpenHow::both()).await.unwrap();
    let location = location.lock().clone().unwrap();
    assert_eq!(location.netid, "tcp");
    call_listener(&location, CB_NULL, None).await.finish().unwrap();
    let mut reply = call_listener(&location, CB_COMPOUND, Some(&compound(0, vec![recall()]))).await;
    assert_eq!(CbCompound4Res::decode(&mut reply).unwrap().status, NfsStat4::Ok);
    server.wait_for(OpNum::Delegreturn).await;
    // What came with 4.1 does not exist in 4.0.
    let args = compound(0, vec![NfsCbArgop4::RecallSlot(CbRecallSlot4Args { target_highest_slotid: 1 })]);
    let mut reply = call_listener(&location, CB_COMPOUND, Some(&args)).await;
    let reply = CbCompound4Res::decode(&mut reply).unwrap();
    assert_eq!(statuses(&reply), [(NfsCbOpnum4::Illegal, NfsStat4::OpIllegal)]);
}
