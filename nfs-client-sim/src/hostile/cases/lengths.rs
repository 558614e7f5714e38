//! Lengths and counts that say more than there is.

use futures::future::FutureExt;
use nfs4_protocol::nfs4::{NfsArgop4, NfsStat4, OpNum, Stateid4};
use nfs4_protocol::rpc::{AUTH_SYS, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, RPC_VERSION};
use nfs4_protocol::xdr::{Encode, Encoder};

use crate::Result;
use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::Stage;
use crate::hostile::{About, Case, Cases};

/// A length that no record has.
const HUGE: u32 = 0xffff_fff0;

const GARBAGE: &[Allowed] =
    &[Allowed::GarbageArgs, Allowed::Closed, Allowed::Silence, Allowed::Status(NfsStat4::Badxdr)];
/// ganesha and Linux answer some of these for the whole call.
const BADXDR: &[Allowed] = &[Allowed::Status(NfsStat4::Badxdr), Allowed::GarbageArgs];
const SECTION: &str = "RFC 8881 §15.1.1.1";

pub(super) const CASES: Cases = Cases {
    name: "lengths",
    cases: &[
        Case {
            name: "a credential longer than the record",
            section: "RFC 5531 §8.2",
            requires: "AUTH_ERROR or no reply",
            about: About::All,
            allowed: &[Allowed::AuthError, Allowed::GarbageArgs, Allowed::Closed, Allowed::Silence],
            play: |stage| credential(stage, HUGE).boxed(),
        },
        Case {
            name: "a credential of 404 bytes, 4 too many",
            section: "RFC 5531 §8.2",
            requires: "AUTH_ERROR or no reply",
            about: About::All,
            allowed: &[Allowed::AuthError, Allowed::GarbageArgs, Allowed::Closed, Allowed::Silence],
            play: |stage| credential(stage, 404).boxed(),
        },
        Case {
            name: "a tag longer than the record",
            section: "RFC 8881 §15.1.1.1",
            requires: "GARBAGE_ARGS or BADXDR",
            about: About::All,
            allowed: GARBAGE,
            play: |stage| async { stage.arguments(|e| e.u32(HUGE)).await }.boxed(),
        },
        Case {
            name: "4 billion operations, none there",
            section: SECTION,
            requires: "BADXDR, or that they are too many",
            about: About::All,
            allowed: &[
                Allowed::Status(NfsStat4::Badxdr),
                Allowed::GarbageArgs,
                Allowed::Status(NfsStat4::Resource),
                Allowed::Status(NfsStat4::TooManyOps),
                Allowed::Status(NfsStat4::OpNotInSession),
                Allowed::Closed,
            ],
            play: |stage| operations(stage, u32::MAX).boxed(),
        },
        Case {
            name: "one operation more than there is",
            section: SECTION,
            requires: "the first runs, the second is BADXDR",
            about: About::All,
            allowed: BADXDR,
            play: |stage| async { stage.raw(2, |e| NfsArgop4::Putrootfh.encode(e)).await }.boxed(),
        },
        Case {
            name: "no operation at all, and none announced",
            section: "RFC 8881 §16.2.3",
            requires: "NFS4_OK without results",
            about: About::Minor0,
            allowed: &[Allowed::Success],
            play: |stage| operations(stage, 0).boxed(),
        },
        Case {
            name: "PUTFH of a filehandle longer than the record",
            section: SECTION,
            requires: "BADXDR",
            about: About::All,
            allowed: BADXDR,
            play: |stage| async { stage.raw(1, |e| op(e, OpNum::Putfh, &[HUGE])).await }.boxed(),
        },
        Case {
            name: "PUTFH of 132 bytes, 4 too many",
            section: "RFC 8881 §3.2",
            requires: "BADXDR or BADHANDLE",
            about: About::All,
            allowed: &[Allowed::Status(NfsStat4::Badxdr), Allowed::Status(NfsStat4::Badhandle), Allowed::GarbageArgs],
            play: |stage| long_handle(stage).boxed(),
        },
        Case {
            name: "GETATTR of a bitmap of 2^30 words",
            section: SECTION,
            requires: "BADXDR",
            about: About::All,
            allowed: BADXDR,
            play: |stage| async { stage.raw(1, |e| op(e, OpNum::Getattr, &[1 << 30])).await }.boxed(),
        },
        Case {
            name: "LOOKUP of a name longer than the record",
            section: SECTION,
            requires: "BADXDR",
            about: About::All,
            allowed: BADXDR,
            play: |stage| after_root(stage, OpNum::Lookup, &[HUGE]).boxed(),
        },
        Case {
            name: "WRITE of data longer than the record",
            section: SECTION,
            requires: "BADXDR, and nothing is written",
            about: About::All,
            allowed: BADXDR,
            play: |stage| long_write(stage).boxed(),
        },
        Case {
            name: "SETATTR whose values do not fill the mask",
            section: SECTION,
            requires: "BADXDR",
            about: About::All,
            allowed: BADXDR,
            play: |stage| values_cut_short(stage).boxed(),
        },
        Case {
            name: "VERIFY whose values are longer than the mask says",
            section: SECTION,
            requires: "BADXDR",
            about: About::All,
            allowed: &[Allowed::Status(NfsStat4::Badxdr), Allowed::GarbageArgs, Allowed::Status(NfsStat4::Inval)],
            play: |stage| values_too_long(stage).boxed(),
        },
        Case {
            name: "TEST_STATEID of 2^28 stateids, none there",
            section: SECTION,
            requires: "BADXDR",
            about: About::Sessions,
            allowed: BADXDR,
            play: |stage| test_stateids(stage).boxed(),
        },
        Case {
            name: "OPEN with an enumeration that has no such value",
            section: SECTION,
            requires: "BADXDR or INVAL",
            about: About::All,
            allowed: &[Allowed::Status(NfsStat4::Badxdr), Allowed::GarbageArgs, Allowed::Status(NfsStat4::Inval)],
            play: |stage| bad_open(stage).boxed(),
        },
    ],
};

/// Writes an operation: its number and words.
fn op(e: &mut Encoder, op: OpNum, words: &[u32]) {
    op.encode(e);
    words.iter().for_each(|word| e.u32(*word));
}

async fn credential(stage: &Stage, announced: u32) -> Result<Answer> {
    let mut e = Encoder::new();
    for word in [1, 0, RPC_VERSION, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, AUTH_SYS, announced] {
        e.u32(word);
    }
    // Enough that only the limit of 400 bytes can be what is wrong with 404.
    e.opaque_fixed(&[0; 512]);
    stage.message(1, e.finish()).await
}

async fn operations(stage: &Stage, announced: u32) -> Result<Answer> {
    let minor = stage.lowest();
    stage
        .arguments(|e| {
            e.opaque_slice(&[]);
            e.u32(minor);
            e.u32(announced);
        })
        .await
}

async fn after_root(stage: &Stage, number: OpNum, words: &[u32]) -> Result<Answer> {
    stage
        .raw(2, |e| {
            NfsArgop4::Putrootfh.encode(e);
            op(e, number, words);
        })
        .await
}

async fn long_handle(stage: &Stage) -> Result<Answer> {
    stage
        .raw(1, |e| {
            op(e, OpNum::Putfh, &[]);
            e.opaque_slice(&[0x5a; 132]);
        })
        .await
}

async fn long_write(stage: &Stage) -> Result<Answer> {
    let at_file = stage.at_file();
    let answer = stage
        .raw(2, |e| {
            at_file.encode(e);
            op(e, OpNum::Write, &[]);
            Stateid4::ANONYMOUS.encode(e);
            e.u64(0);
            e.u32(2);
            e.u32(HUGE);
            e.opaque_fixed(&[0xff; 64]);
        })
        .await?;
    let content = stage.client().await?.read_file(&stage.folder, crate::hostile::FILE, 1).await?;
    if content == crate::hostile::CONTENT {
        return Ok(answer);
    }
    Ok(Answer::Found(false, format!("{answer}, and the file is not what it was")))
}

async fn values_cut_short(stage: &Stage) -> Result<Answer> {
    let at_file = stage.at_file();
    stage
        .raw(2, |e| {
            at_file.encode(e);
            op(e, OpNum::Setattr, &[]);
            Stateid4::ANONYMOUS.encode(e);
            // Mode and owner, but only the mode's value.
            for word in [2, 0, 1 << 1 | 1 << 4, 4, 0o644] {
                e.u32(word);
            }
        })
        .await
}

async fn values_too_long(stage: &Stage) -> Result<Answer> {
    let at_file = stage.at_file();
    stage
        .raw(2, |e| {
            at_file.encode(e);
            // The type, and four bytes more.
            op(e, OpNum::Verify, &[1, 1 << 1, 8, 1, 0]);
        })
        .await
}

async fn test_stateids(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let (xid, incoming) = talk.raw(1, |e| op(e, OpNum::TestStateid, &[1 << 28])).await;
    talk.leave().await;
    Ok(Answer::of(incoming, xid))
}

async fn bad_open(stage: &Stage) -> Result<Answer> {
    let at_folder = stage.at_folder();
    stage
        .raw(2, |e| {
            at_folder.encode(e);
            // seqid, access, deny, clientid, owner "", OPEN4_CREATE with mode 99
            op(e, OpNum::Open, &[0, 1, 0, 0, 0, 0, 1, 99]);
        })
        .await
}
