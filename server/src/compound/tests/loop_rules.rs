//! What the loop itself answers: minor versions, tags, order of operations, what cannot be decoded.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;

use super::harness::*;
use crate::compound::Answer;

#[tokio::test]
async fn an_unknown_minor_version_runs_nothing() {
    let server = Server::start().await;
    let reply = server.compound(3, path(&["demo"])).await;
    assert_eq!((reply.status, reply.resarray.len()), (NfsStat4::MinorVersMismatch, 0));
}

#[tokio::test]
async fn a_compound_without_operations_is_fine() {
    let server = Server::start().await;
    for minor in 0..=2 {
        let reply = server.compound(minor, vec![]).await;
        assert_eq!((reply.status, reply.resarray.len()), (NfsStat4::Ok, 0));
    }
}

#[tokio::test]
async fn a_tag_that_is_no_text_is_refused() {
    let server = Server::start().await;
    let request = Compound4Args { tag: Bytes::from_static(b"\xff"), minorversion: 0, argarray: vec![] };
    let Answer::Reply(reply) = server.send(nfs4_protocol::xdr::to_bytes(&request)).await else { panic!("no reply") };
    assert_eq!(reply.concat()[..4], NfsStat4::Inval.as_u32().to_be_bytes());
}

#[tokio::test]
async fn what_is_no_compound_is_garbage() {
    let server = Server::start().await;
    assert_eq!(server.send(Bytes::from_static(&[0, 0, 0])).await, Answer::Garbage);
}

#[tokio::test]
async fn the_first_failure_ends_the_compound() {
    let server = Server::start().await;
    let results = server.v40(path(&["demo", "missing", "deeper"])).await;
    assert_eq!(statuses(&results), [NfsStat4::Ok, NfsStat4::Ok, NfsStat4::Noent]);
}

#[tokio::test]
async fn operations_before_one_that_cannot_be_decoded_run() {
    let server = Server::start().await;
    let lookup_without_name = OpNum::Lookup;
    let request = raw_args(0, 2, &[&NfsArgop4::Putrootfh, &lookup_without_name]);
    let reply = decode(server.send(request).await);
    assert_eq!(statuses(&reply.resarray), [NfsStat4::Ok, NfsStat4::Badxdr]);
    assert_eq!(reply.resarray[1].opnum(), OpNum::Lookup);
}

#[tokio::test]
async fn an_operation_whose_number_is_missing_cannot_be_decoded() {
    let server = Server::start().await;
    let reply = decode(server.send(raw_args(0, 2, &[&NfsArgop4::Putrootfh])).await);
    assert_eq!(statuses(&reply.resarray), [NfsStat4::Ok, NfsStat4::Badxdr]);
    assert_eq!(reply.resarray[1].opnum(), OpNum::Illegal);
}

#[tokio::test]
async fn an_operation_that_does_not_exist_is_illegal() {
    let server = Server::start().await;
    for number in [0_u32, 2, 200, OpNum::Illegal.as_u32(), OpNum::Sequence.as_u32()] {
        let reply = decode(server.send(raw_args(0, 2, &[&NfsArgop4::Putrootfh, &number])).await);
        assert_eq!(statuses(&reply.resarray), [NfsStat4::Ok, NfsStat4::OpIllegal], "{number}");
        assert_eq!(reply.resarray[1].opnum(), OpNum::Illegal);
    }
}

#[tokio::test]
async fn an_operation_without_its_filehandle_says_so() {
    let server = Server::start().await;
    for op in [lookup("demo"), NfsArgop4::Getfh, NfsArgop4::Savefh, NfsArgop4::Readlink, read(Stateid4::ANONYMOUS, 1)] {
        assert_eq!(last(&server.v40(vec![op]).await), NfsStat4::Nofilehandle);
    }
    assert_eq!(last(&server.v40(vec![NfsArgop4::Restorefh]).await), NfsStat4::Restorefh);
}

#[tokio::test]
async fn what_is_not_offered_is_not_supported() {
    let server = Server::start().await;
    let openattr = NfsArgop4::Openattr(Openattr4Args { createdir: false });
    assert_eq!(last(&server.v40(vec![NfsArgop4::Putrootfh, openattr]).await), NfsStat4::Notsupp);
    let purge = NfsArgop4::Delegpurge(Delegpurge4Args { clientid: 1 });
    assert_eq!(last(&server.v40(vec![purge]).await), NfsStat4::Notsupp);
}

#[tokio::test]
async fn too_many_operations_of_40_run_none_of_them() {
    let server = Server::start().await;
    let reply = server.compound(0, vec![NfsArgop4::Putrootfh; 300]).await;
    assert_eq!(statuses(&reply.resarray), [NfsStat4::Resource]);
}
