//! Records that are none (RFC 5531 §11).

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::rpc::{AcceptedBody, NFS_PROGRAM, NFS_V4, NFSPROC4_NULL, OpaqueAuth, RpcMsg, frame};
use nfs4_protocol::xdr::{Encode, Encoder};

use crate::Result;
use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::{ANSWER_WAIT, Stage};
use crate::hostile::{About, Case, Cases};
use crate::wire::Sent;

/// The bit that ends a record.
const LAST: u32 = 1 << 31;
/// How many bytes of one endless record are sent; far more than any server takes.
const ENDLESS_BYTES: usize = 16 << 20;
/// The size of one of its fragments, in bytes.
const FRAGMENT_BYTES: usize = 64 << 10;
/// How many empty fragments are sent.
const EMPTY_FRAGMENTS: usize = 1 << 20;
/// The garbage is the same in each run.
const SEED: u64 = 7;

const ALLOWED: &[Allowed] = &[Allowed::Closed, Allowed::Silence];
const SECTION: &str = "RFC 5531 §11";

pub(super) const CASES: Cases = Cases {
    name: "records",
    cases: &[
        Case {
            name: "an empty record, then a call",
            section: SECTION,
            requires: "the call is answered, or the connection closed",
            about: About::All,
            allowed: &[Allowed::Success, Allowed::Closed],
            play: |stage| empty_record(stage).boxed(),
        },
        Case {
            name: "a mark of 2 GiB and nothing behind it",
            section: SECTION,
            requires: "no memory is taken for it",
            about: About::All,
            allowed: ALLOWED,
            play: |stage| async { stage.bytes(&(LAST | 0x7fff_ffff).to_be_bytes(), false).await }.boxed(),
        },
        Case {
            name: "a record of fragments without end",
            section: SECTION,
            requires: "no more is kept than a request may have",
            about: About::All,
            allowed: ALLOWED,
            play: |stage| endless_fragments(stage).boxed(),
        },
        Case {
            name: "a million empty fragments",
            section: SECTION,
            requires: "others are served meanwhile",
            about: About::All,
            allowed: ALLOWED,
            play: |stage| empty_fragments(stage).boxed(),
        },
        Case {
            name: "a call in fragments of one byte",
            section: SECTION,
            requires: "the call is answered",
            about: About::All,
            allowed: &[Allowed::Success],
            play: |stage| fragments_of_one_byte(stage).boxed(),
        },
        Case {
            name: "64 KiB of garbage",
            section: SECTION,
            requires: "nothing is answered that was not asked",
            about: About::All,
            allowed: ALLOWED,
            play: |stage| garbage(stage).boxed(),
        },
        Case {
            name: "a record of garbage",
            section: "RFC 5531 §9",
            requires: "a message without a header has no reply",
            about: About::All,
            allowed: ALLOWED,
            play: |stage| garbage_record(stage).boxed(),
        },
        Case {
            name: "half a record, then the end",
            section: SECTION,
            requires: "nothing is answered",
            about: About::All,
            allowed: ALLOWED,
            play: |stage| truncated(stage).boxed(),
        },
        Case {
            name: "a call header cut short",
            section: "RFC 5531 §9",
            requires: "no reply, or GARBAGE_ARGS",
            about: About::All,
            allowed: &[Allowed::Closed, Allowed::Silence, Allowed::GarbageArgs],
            play: |stage| header_cut_short(stage).boxed(),
        },
        Case {
            name: "a reply in the place of a call",
            section: "RFC 5531 §9",
            requires: "a reply to nothing is not answered",
            about: About::All,
            allowed: ALLOWED,
            play: |stage| reply_for_a_call(stage).boxed(),
        },
        Case {
            name: "a message that is neither call nor reply",
            section: "RFC 5531 §9",
            requires: "no reply",
            about: About::All,
            allowed: ALLOWED,
            play: |stage| async { stage.message(1, vec![Bytes::from_static(&[0, 0, 0, 1, 0, 0, 0, 9])]).await }.boxed(),
        },
    ],
};

/// The call of the procedure that does nothing.
pub(super) fn null_call(xid: u32) -> Vec<Bytes> {
    let mut e = Encoder::new();
    RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, NFSPROC4_NULL, OpaqueAuth::NONE).encode(&mut e);
    e.finish()
}

async fn empty_record(stage: &Stage) -> Result<Answer> {
    let mut wire = stage.wire().await?;
    wire.send(&LAST.to_be_bytes()).await;
    wire.send_message(null_call(1)).await;
    Ok(Answer::of(wire.receive(ANSWER_WAIT).await, 1))
}

async fn endless_fragments(stage: &Stage) -> Result<Answer> {
    let mut fragment = vec![0; 4 + FRAGMENT_BYTES];
    let mark = u32::try_from(FRAGMENT_BYTES).unwrap_or(u32::MAX);
    if let Some(head) = fragment.first_chunk_mut() {
        *head = mark.to_be_bytes();
    }
    flood(stage, &fragment, ENDLESS_BYTES / FRAGMENT_BYTES).await
}

async fn empty_fragments(stage: &Stage) -> Result<Answer> {
    let some = vec![0; 64 << 10];
    flood(stage, &some, EMPTY_FRAGMENTS * 4 / some.len()).await
}

/// Sends bytes many times, until the server has enough of it.
async fn flood(stage: &Stage, bytes: &[u8], times: usize) -> Result<Answer> {
    let mut wire = stage.wire().await?;
    for _ in 0..times {
        match wire.send(bytes).await {
            Sent::All => {}
            Sent::Closed => return Ok(Answer::Closed),
            Sent::Stuck => break,
        }
    }
    Ok(Answer::of(wire.receive(ANSWER_WAIT).await, 0))
}

async fn fragments_of_one_byte(stage: &Stage) -> Result<Answer> {
    let call = null_call(1).concat();
    let mut bytes = Vec::new();
    for (index, byte) in call.iter().enumerate() {
        let last = if index + 1 == call.len() { LAST } else { 0 };
        bytes.extend_from_slice(&(last | 1).to_be_bytes());
        bytes.push(*byte);
    }
    let mut wire = stage.wire().await?;
    wire.send(&bytes).await;
    Ok(Answer::of(wire.receive(ANSWER_WAIT).await, 1))
}

async fn garbage(stage: &Stage) -> Result<Answer> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(64 << 10).collect();
    stage.bytes(&bytes, true).await
}

async fn garbage_record(stage: &Stage) -> Result<Answer> {
    let mut random = fastrand::Rng::with_seed(SEED + 1);
    let bytes: Bytes = std::iter::repeat_with(|| random.u8(..)).take(4096).collect();
    stage.message(1, vec![bytes]).await
}

async fn truncated(stage: &Stage) -> Result<Answer> {
    let whole = frame(null_call(1)).concat();
    let (half, _) = whole.split_at(whole.len() / 2);
    stage.bytes(half, true).await
}

async fn header_cut_short(stage: &Stage) -> Result<Answer> {
    let whole = null_call(1).concat();
    let (half, _) = whole.split_at(whole.len() - 8);
    stage.message(1, vec![Bytes::copy_from_slice(half)]).await
}

async fn reply_for_a_call(stage: &Stage) -> Result<Answer> {
    let mut e = Encoder::new();
    RpcMsg::accepted(1, AcceptedBody::Success).encode(&mut e);
    stage.message(1, e.finish()).await
}
