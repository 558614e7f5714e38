//! Operations: COMPOUND, ILLEGAL

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::{CompoundBuilder, Error};
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::{
    AcceptedBody, AcceptedReply, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, NFSPROC4_NULL, ReplyBody,
};
use nfs4_protocol::xdr::{Encoder, to_bytes};
use pretty_assertions::assert_eq;
use rstest::rstest;

/// An operation's number and then these words.
fn op(number: u32, words: &[u32]) -> Bytes {
    let mut e = Encoder::new();
    e.u32(number);
    words.iter().for_each(|word| e.u32(*word));
    e.finish_contiguous()
}

fn putrootfh() -> Bytes {
    to_bytes(&NfsArgop4::Putrootfh)
}

/// RFC 7530 §15.2.4, RFC 8881 §16.2.3: no operations are no mistake.
#[rstest]
fn without_operations_is_ok(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let reply = scene.client.call_bare(CompoundBuilder::new()).await.unwrap();
        assert_eq!((reply.status(), reply.results().len()), (NfsStat4::Ok, 0));
    });
}

/// RFC 7530 §15.2.3, RFC 8881 §16.2.3: the tag comes back as it was.
#[rstest]
fn the_tag_comes_back(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        for tag in ["", "a", "tag of a client", &"é".repeat(300)] {
            let args = CompoundBuilder::new().tag(tag.to_owned()).build(minor);
            let reply = scene.client.connection().compound(scene.client.credential(), &args).await.unwrap();
            assert_eq!((reply.status, reply.tag), (NfsStat4::Ok, Bytes::from(tag.to_owned())));
        }
    });
}

/// RFC 7530 §15.2.4, RFC 8881 §16.2.3: a tag that is not UTF-8 is INVAL.
#[rstest]
fn a_tag_has_to_be_utf8(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let reply = scene.client.call_bare(CompoundBuilder::new().tag(&b"\xff\xfe"[..])).await.unwrap();
        assert_eq!((reply.status(), reply.results().len()), (NfsStat4::Inval, 0));
    });
}

/// RFC 7530 §15.2.4, RFC 8881 §16.2.3, RFC 8178 §7: a minor version that is not there, whatever the operations are.
#[rstest]
fn a_minor_version_that_is_not_there(
    #[values(Embedded, Remote)] target: Target,
    #[values(3, 50, 0xffff_ffff)] not_there: u32,
) {
    rfc(target, 0, async |scene| {
        for compound in [CompoundBuilder::new(), scene.here().getfh(), CompoundBuilder::new().op(NfsArgop4::Illegal)] {
            let args = compound.build(not_there);
            let reply = scene.client.connection().compound(scene.client.credential(), &args).await.unwrap();
            assert_eq!((reply.status, reply.resarray.len()), (NfsStat4::MinorVersMismatch, 0));
        }
    });
}

/// RFC 7530 §15.2.4, RFC 8881 §16.2.3: the first failure is the last result, and what came before it is done.
#[rstest]
fn nothing_runs_after_a_failure(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let mkdir = |compound: CompoundBuilder, name: &str| compound.create(Createtype4::Dir, name, Fattr4::default());
        let compound = mkdir(scene.here(), "before").lookup("missing");
        let reply = scene.call(mkdir(compound.putfh(&scene.root), "after")).await;
        let done: Vec<_> = reply.results().iter().map(NfsResop4::status).collect();
        assert_eq!(done, [NfsStat4::Ok, NfsStat4::Ok, NfsStat4::Noent]);
        assert_eq!(reply.status(), NfsStat4::Noent);
        assert_eq!(scene.client.names(&scene.root).await.unwrap(), ["before"]);
    });
}

/// RFC 7530 §15.2.4 and §16.38, RFC 8881 §18.52 and §16.2.3, RFC 8178 §8.1: numbers that are no operation of the minor
/// version.
#[rstest]
fn numbers_that_are_no_operation(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let first_of_later: u32 = match minor {
            0 => OpNum::BackchannelCtl.as_u32(),
            1 => OpNum::Allocate.as_u32(),
            _ => OpNum::Removexattr.as_u32() + 1,
        };
        for number in [0, 1, 2, first_of_later, first_of_later + 5, 200, 10_043, 10_044, 10_045, u32::MAX] {
            let reply = scene.call_encoded(&[putrootfh(), op(number, &[])]).await.unwrap();
            let done: Vec<_> = reply.results().iter().map(|result| (result.opnum(), result.status())).collect();
            let wanted = [(OpNum::Putrootfh, NfsStat4::Ok), (OpNum::Illegal, NfsStat4::OpIllegal)];
            assert_eq!(done, wanted, "number {number}");
            assert_eq!(reply.status(), NfsStat4::OpIllegal);
        }
    });
}

/// RFC 7530 §15.2.4, RFC 8881 §16.2.3: what cannot be decoded is BADXDR of its operation, and those before it are done.
#[rstest]
fn arguments_that_cannot_be_decoded(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let all = u32::MAX;
        let stateid = [1, 2, 3, 4];
        let faulty = [
            (OpNum::Access, vec![]),
            (OpNum::Putfh, vec![200, 0]),
            (OpNum::Putfh, vec![all]),
            (OpNum::Putfh, vec![8, 0]),
            (OpNum::Lookup, vec![100, 0]),
            (OpNum::Lookup, vec![all]),
            (OpNum::Getattr, vec![all]),
            (OpNum::Getattr, vec![3, 0]),
            (OpNum::Remove, vec![]),
            (OpNum::Rename, vec![1, 0x6100_0000]),
            (OpNum::Read, vec![1, 2, 3, 4, 0, 0]),
            (OpNum::Readdir, vec![0, 0, 0, 0, 100]),
            // No lock type, no boolean, no share, no stability, no way to create.
            (OpNum::Lock, vec![9, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4, 1]),
            (OpNum::Lock, vec![1, 0, 0, 0, 0, 1, 5, 1, 1, 2, 3, 4, 1]),
            (OpNum::Write, [&stateid[..], &[0, 0, 9, 0]].concat()),
            (OpNum::Open, vec![0, 1, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0]),
            (OpNum::Open, vec![0, 1, 0, 0, 0, 0, 9, 0]),
            (OpNum::Open, vec![0, 1, 0, 0, 0, 0, 0, 99]),
        ];
        for (number, words) in faulty {
            let reply = scene.call_encoded(&[putrootfh(), op(number.as_u32(), &words)]).await.unwrap();
            let done: Vec<_> = reply.results().iter().map(|result| (result.opnum(), result.status())).collect();
            assert_eq!(done, [(OpNum::Putrootfh, NfsStat4::Ok), (number, NfsStat4::Badxdr)], "{words:?}");
        }
    });
}

/// RFC 5531 §9, RFC 7530 §15.2.4: when not even the head of a COMPOUND can be decoded, RPC says so.
#[rstest]
fn a_head_that_cannot_be_decoded_is_garbage(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 0, async |scene| {
        for words in [&[][..], &[0], &[0, 0], &[u32::MAX, 0, 0], &[5, 0, 0]] {
            let connection = scene.client.connection();
            let arguments = |e: &mut Encoder| words.iter().for_each(|word| e.u32(*word));
            let credential = scene.client.credential();
            let answer = connection.call(NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, credential, arguments).await;
            assert!(is_refused_so(&answer, |body| matches!(body, AcceptedBody::GarbageArgs)), "{words:?}: {answer:?}");
        }
    });
}

fn is_refused_so<T>(answer: &Result<T, Error>, how: impl Fn(&AcceptedBody) -> bool) -> bool {
    match answer {
        Err(Error::Refused(refusal)) => match &**refusal {
            ReplyBody::Accepted(AcceptedReply { reply, .. }) => how(reply),
            ReplyBody::Denied(_) => false,
        },
        _ => false,
    }
}

/// RFC 5531 §9, RFC 7530 §15.1: NULL does nothing; there are no more than two procedures, and other versions of the
/// program
/// are named as such.
#[rstest]
fn procedures_and_versions(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 0, async |scene| {
        let connection = scene.client.connection();
        connection.null().await.unwrap();
        let call = |program, version, procedure| {
            connection.call(program, version, procedure, scene.client.credential(), |_: &mut Encoder| {})
        };
        let answer = call(NFS_PROGRAM, NFS_V4, 2).await;
        assert!(is_refused_so(&answer, |body| matches!(body, AcceptedBody::ProcUnavail)), "{answer:?}");
        let answer = call(NFS_PROGRAM, 5, NFSPROC4_NULL).await;
        assert!(is_refused_so(&answer, |body| matches!(body, AcceptedBody::ProgMismatch { .. })), "{answer:?}");
        let answer = call(NFS_PROGRAM + 1_000_000, NFS_V4, NFSPROC4_NULL).await;
        assert!(is_refused_so(&answer, |body| matches!(body, AcceptedBody::ProgUnavail)), "{answer:?}");
    });
}

/// RFC 7530 §15.2.4, RFC 8881 §18.36.3: a server may bound the operations of a COMPOUND, but not at a few.
#[rstest]
fn many_operations_run(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let reply = scene.ok((0..30).fold(scene.here(), |compound, _| compound.getattr(&[FATTR4_TYPE]))).await;
        assert_eq!(reply.results().len(), 31);
    });
}

/// RFC 7530 §13.1.3.4: more operations than this server takes are RESOURCE, before any is run.
#[rstest]
fn too_many_operations_are_resource(#[values(Embedded)] target: Target, #[values(257, 600)] operations: usize) {
    rfc(target, 0, async |scene| {
        let ops = vec![putrootfh(); operations];
        let reply = scene.call_encoded(&ops).await.unwrap();
        let done: Vec<_> = reply.results().iter().map(NfsResop4::status).collect();
        assert_eq!((reply.status(), done), (NfsStat4::Resource, vec![NfsStat4::Resource]));
    });
}
