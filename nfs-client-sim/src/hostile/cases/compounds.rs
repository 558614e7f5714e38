//! Compounds that are too long, of no known version, or of operations that do not exist.

use futures::future::FutureExt;
use nfs4_protocol::nfs4::{DestroyClientid4Args, Getattr4Args, NfsArgop4, NfsStat4, OpNum, TAG_MAX};
use nfs4_protocol::xdr::{Encode, Encoder};

use crate::Result;
use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::Stage;
use crate::hostile::{About, Case, Cases};

/// Operations of an oversized compound.
const MANY: u32 = 10_000;
/// Bytes of the tag in the case with a long one.
const LONG_TAG: usize = 64 << 10;

const ILLEGAL: &[Allowed] = &[Allowed::Status(NfsStat4::OpIllegal)];
const MISMATCH: &[Allowed] = &[Allowed::Status(NfsStat4::MinorVersMismatch)];
const TOO_MANY: &[Allowed] = &[
    Allowed::Status(NfsStat4::Resource),
    Allowed::Status(NfsStat4::TooManyOps),
    Allowed::Status(NfsStat4::ReqTooBig),
    Allowed::Status(NfsStat4::RepTooBig),
    Allowed::Status(NfsStat4::Badxdr),
    Allowed::GarbageArgs,
    Allowed::Success,
];

pub(super) const CASES: Cases = Cases {
    name: "compounds",
    cases: &[
        Case {
            name: "minor version 3",
            section: "RFC 8881 §16.2.3",
            requires: "MINOR_VERS_MISMATCH without results",
            about: About::All,
            allowed: MISMATCH,
            play: |stage| async { stage.compound(3, b"", vec![NfsArgop4::Putrootfh]).await }.boxed(),
        },
        Case {
            name: "minor version 2^32-1",
            section: "RFC 8881 §16.2.3",
            requires: "MINOR_VERS_MISMATCH without results",
            about: About::All,
            allowed: MISMATCH,
            play: |stage| async { stage.compound(u32::MAX, b"", vec![NfsArgop4::Putrootfh]).await }.boxed(),
        },
        Case {
            name: "an unknown operation of an unknown minor version",
            section: "RFC 8881 §16.2.3",
            requires: "MINOR_VERS_MISMATCH without results",
            about: About::All,
            allowed: MISMATCH,
            play: |stage| unknown_everything(stage).boxed(),
        },
        Case {
            name: "operation 0",
            section: "RFC 8881 §15.1.2.4",
            requires: "OP_ILLEGAL",
            about: About::All,
            allowed: ILLEGAL,
            play: |stage| async { stage.raw(1, |e| e.u32(0)).await }.boxed(),
        },
        Case {
            name: "operation 2",
            section: "RFC 8881 §15.1.2.4",
            requires: "OP_ILLEGAL",
            about: About::All,
            allowed: ILLEGAL,
            play: |stage| async { stage.raw(1, |e| e.u32(2)).await }.boxed(),
        },
        Case {
            name: "operation 9999",
            section: "RFC 8881 §15.1.2.4",
            requires: "OP_ILLEGAL",
            about: About::All,
            allowed: ILLEGAL,
            play: |stage| async { stage.raw(1, |e| e.u32(9999)).await }.boxed(),
        },
        Case {
            name: "operation 2^32-1",
            section: "RFC 8881 §15.1.2.4",
            requires: "OP_ILLEGAL",
            about: About::All,
            allowed: ILLEGAL,
            play: |stage| async { stage.raw(1, |e| e.u32(u32::MAX)).await }.boxed(),
        },
        Case {
            name: "an operation of 4.1 in 4.0",
            section: "RFC 7530 §15.2.4",
            requires: "OP_ILLEGAL",
            about: About::Minor0,
            allowed: ILLEGAL,
            play: |stage| {
                async { stage.ops(vec![NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid: 0 })]).await }
                    .boxed()
            },
        },
        Case {
            name: "an operation of 4.2 in 4.1",
            section: "RFC 8881 §15.1.2.4",
            requires: "OP_ILLEGAL; in 4.2 BADXDR, as its arguments are missing",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::OpIllegal), Allowed::Status(NfsStat4::Badxdr), Allowed::GarbageArgs],
            play: |stage| later_operation(stage).boxed(),
        },
        Case {
            name: "SETCLIENTID in a session",
            section: "RFC 8881 §15.2",
            requires: "NOTSUPP",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::Notsupp)],
            play: |stage| setclientid_in_session(stage).boxed(),
        },
        Case {
            name: "10,000 operations",
            section: "RFC 8881 §2.10.6.4",
            requires: "a bound, or all of them",
            about: About::All,
            allowed: TOO_MANY,
            play: |stage| many(stage, 1, |e| NfsArgop4::Putrootfh.encode(e)).boxed(),
        },
        Case {
            name: "5,000 times all attributes",
            section: "RFC 8881 §2.10.6.4",
            requires: "a bound on the reply, or all of it",
            about: About::All,
            allowed: TOO_MANY,
            play: |stage| many(stage, 2, attributes_of_root).boxed(),
        },
        Case {
            name: "a tag of 1 KiB",
            section: "RFC 8881 §16.2.3",
            requires: "it is repeated",
            about: About::Minor0,
            allowed: &[Allowed::Success],
            play: |stage| async { stage.compound(0, &[b't'; TAG_MAX], vec![NfsArgop4::Putrootfh]).await }.boxed(),
        },
        Case {
            name: "a tag of 64 KiB",
            section: "RFC 8881 §16.2.3",
            requires: "it is repeated, or refused",
            about: About::Minor0,
            allowed: &[
                Allowed::Success,
                Allowed::GarbageArgs,
                Allowed::Status(NfsStat4::Badxdr),
                Allowed::Status(NfsStat4::Resource),
                Allowed::Closed,
            ],
            play: |stage| long_tag(stage).boxed(),
        },
        Case {
            name: "a tag that is not UTF-8",
            section: "RFC 8881 §16.2.3",
            requires: "INVAL, or it is repeated",
            about: About::Minor0,
            allowed: &[Allowed::Status(NfsStat4::Inval), Allowed::Success],
            play: |stage| async { stage.compound(0, b"\xff\xfe\xc0", vec![NfsArgop4::Putrootfh]).await }.boxed(),
        },
    ],
};

async fn unknown_everything(stage: &Stage) -> Result<Answer> {
    stage
        .arguments(|e| {
            e.opaque_slice(&[]);
            for word in [7, 1, 5000, 0xdead_beef] {
                e.u32(word);
            }
        })
        .await
}

async fn later_operation(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let (xid, incoming) = talk.raw(1, |e| OpNum::Seek.encode(e)).await;
    talk.leave().await;
    Ok(Answer::of(incoming, xid))
}

async fn setclientid_in_session(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let args = NfsArgop4::Setclientid(Box::new(talk.setclientid_args()));
    let (xid, incoming) = talk.raw(1, |e| args.encode(e)).await;
    talk.leave().await;
    Ok(Answer::of(incoming, xid))
}

/// [`MANY`] operations, of which `encode` writes so many at a time.
async fn many(stage: &Stage, at_a_time: u32, encode: fn(&mut Encoder)) -> Result<Answer> {
    stage.raw(MANY, |e| (0..MANY / at_a_time).for_each(|_| encode(e))).await
}

/// All attributes of the root that can be read, of the first two words.
fn attributes_of_root(e: &mut Encoder) {
    let attr_request = (0..56).filter(|bit| ![11, 24, 48, 54].contains(bit)).collect();
    NfsArgop4::Putrootfh.encode(e);
    NfsArgop4::Getattr(Getattr4Args { attr_request }).encode(e);
}

async fn long_tag(stage: &Stage) -> Result<Answer> {
    stage
        .arguments(|e| {
            e.opaque_slice(&[b't'; LONG_TAG]);
            e.u32(0);
            e.u32(1);
            NfsArgop4::Putrootfh.encode(e);
        })
        .await
}
