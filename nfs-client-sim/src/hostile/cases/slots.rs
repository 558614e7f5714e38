//! SEQUENCE out of order, and replies that are asked for again (RFC 8881 §2.10.6, §18.46).

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::nfs4::{
    Compound4Args, Getattr4Args, NfsArgop4, NfsStat4, Read4Args, Sequence4Args, StableHow4, Stateid4, Write4Args,
};

use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::{Stage, ask_bare};
use crate::hostile::{About, Case, Cases};
use crate::wire::{Incoming, Talk, compound_call};
use crate::{Error, Result};

const MISORDERED: &[Allowed] = &[Allowed::Status(NfsStat4::SeqMisordered)];

pub(super) const CASES: Cases = Cases {
    name: "slots",
    cases: &[
        Case {
            name: "a sequence ID skipped",
            section: "RFC 8881 §2.10.6.1",
            requires: "SEQ_MISORDERED",
            about: About::Sessions,
            allowed: MISORDERED,
            play: |stage| sequence(stage, |args| args.sequenceid = args.sequenceid.wrapping_add(1)).boxed(),
        },
        Case {
            name: "a sequence ID two back",
            section: "RFC 8881 §2.10.6.1",
            requires: "SEQ_MISORDERED",
            about: About::Sessions,
            allowed: MISORDERED,
            play: |stage| sequence(stage, |args| args.sequenceid = args.sequenceid.wrapping_sub(2)).boxed(),
        },
        Case {
            name: "a slot that the session has not",
            section: "RFC 8881 §18.46.3",
            requires: "BADSLOT",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::Badslot)],
            play: |stage| sequence(stage, |args| (args.slotid, args.highest_slotid) = (1_000_000, 1_000_000)).boxed(),
        },
        Case {
            name: "a highest slot below the slot",
            section: "RFC 8881 §18.46.3",
            requires: "BAD_HIGH_SLOT, or it is ignored",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::BadHighSlot), Allowed::Status(NfsStat4::Inval), Allowed::Success],
            play: |stage| sequence(stage, |args| (args.slotid, args.sequenceid) = (1, 1)).boxed(),
        },
        Case {
            name: "a highest slot that the session has not",
            section: "RFC 8881 §18.46.3",
            requires: "BAD_HIGH_SLOT, or it is ignored",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::BadHighSlot), Allowed::Success],
            play: |stage| sequence(stage, |args| args.highest_slotid = u32::MAX).boxed(),
        },
        Case {
            name: "SEQUENCE twice in a compound",
            section: "RFC 8881 §18.46.3",
            requires: "SEQUENCE_POS",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::SequencePos)],
            play: |stage| twice(stage).boxed(),
        },
        Case {
            name: "a request again whose reply was to be kept",
            section: "RFC 8881 §2.10.6.1.3",
            requires: "the same reply, byte for byte",
            about: About::Sessions,
            allowed: &[Allowed::Found],
            play: |stage| retry(stage, true).boxed(),
        },
        Case {
            name: "a request again whose reply was not to be kept",
            section: "RFC 8881 §2.10.6.1.3",
            requires: "the same reply, or RETRY_UNCACHED_REP",
            about: About::Sessions,
            allowed: &[Allowed::Found],
            play: |stage| retry(stage, false).boxed(),
        },
        Case {
            name: "a request again a hundred times at once",
            section: "RFC 8881 §2.10.6.2",
            requires: "it runs once; each is answered the same, or DELAY",
            about: About::Sessions,
            allowed: &[Allowed::Found],
            play: |stage| many_retries(stage).boxed(),
        },
        Case {
            name: "another request in the place of a retry",
            section: "RFC 8881 §2.10.6.1.3.1",
            requires: "SEQ_FALSE_RETRY, or the reply of the first",
            about: About::Sessions,
            allowed: &[
                Allowed::Status(NfsStat4::SeqFalseRetry),
                Allowed::Status(NfsStat4::RetryUncachedRep),
                Allowed::Success,
            ],
            play: |stage| false_retry(stage).boxed(),
        },
        Case {
            name: "more operations than the session allows",
            section: "RFC 8881 §18.36.3",
            requires: "TOO_MANY_OPS",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::TooManyOps)],
            play: |stage| too_many_operations(stage).boxed(),
        },
        Case {
            name: "a request larger than the session allows",
            section: "RFC 8881 §18.36.3",
            requires: "REQ_TOO_BIG, or the connection is closed",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::ReqTooBig), Allowed::Closed],
            play: |stage| too_big_request(stage).boxed(),
        },
        Case {
            name: "a reply larger than the session allows",
            section: "RFC 8881 §18.36.3",
            requires: "REP_TOO_BIG, or a shorter READ",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::RepTooBig), Allowed::Success],
            play: |stage| too_big_reply(stage).boxed(),
        },
    ],
};

/// The size of the channels in the cases about size, in bytes.
const SMALL_CHANNEL: u32 = 4096;
/// Operations that the session in the case about them may have.
const FEW_OPERATIONS: u32 = 8;
/// How often a request is sent again at once.
const RETRIES: usize = 100;

/// A lone SEQUENCE that `forge` changed, after one in order.
async fn sequence(stage: &Stage, forge: fn(&mut Sequence4Args)) -> Result<Answer> {
    let mut talk = stage.session().await?;
    talk.call(Vec::new()).await?.ok()?;
    let mut args = next(&mut talk, false)?;
    forge(&mut args);
    let answer = ask_bare(&mut talk, vec![NfsArgop4::Sequence(args)]).await;
    talk.leave().await;
    Ok(answer)
}

fn next(talk: &mut Talk, cachethis: bool) -> Result<Sequence4Args> {
    talk.next_sequence(cachethis).ok_or(Error::NotInMinor { minor: 0, what: "SEQUENCE" })
}

async fn twice(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let (first, second) = (next(&mut talk, false)?, next(&mut talk, false)?);
    let answer = ask_bare(&mut talk, vec![NfsArgop4::Sequence(first), NfsArgop4::Sequence(second)]).await;
    talk.leave().await;
    Ok(answer)
}

/// A request with all its bytes but the transaction ID.
struct Request {
    args: Compound4Args,
}

impl Request {
    /// SEQUENCE and operations.
    fn new(talk: &mut Talk, cachethis: bool, ops: Vec<NfsArgop4>) -> Result<Self> {
        let mut argarray = vec![NfsArgop4::Sequence(next(talk, cachethis)?)];
        argarray.extend(ops);
        Ok(Self { args: Compound4Args { tag: Bytes::new(), minorversion: talk.minor(), argarray } })
    }

    /// Sends it. Returns the reply without its transaction ID, and what it says.
    async fn send(&self, talk: &mut Talk) -> (Bytes, Answer) {
        let xid = talk.wire().new_xid();
        let credential = talk.introduction().options.credential();
        let incoming = talk.exchange(xid, compound_call(xid, credential, &self.args)).await;
        let body = match &incoming {
            Incoming::Record(record) => record.slice(4.min(record.len())..),
            Incoming::Closed | Incoming::Silence => Bytes::new(),
        };
        (body, Answer::of(incoming, xid))
    }
}

fn attributes() -> NfsArgop4 {
    NfsArgop4::Getattr(Getattr4Args { attr_request: [1, 3, 4].into_iter().collect() })
}

async fn retry(stage: &Stage, cachethis: bool) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let request = Request::new(&mut talk, cachethis, vec![stage.at_file(), attributes()])?;
    let (first, honest) = request.send(&mut talk).await;
    let (second, again) = request.send(&mut talk).await;
    talk.leave().await;
    if !Allowed::Success.is(&honest) {
        return Ok(honest);
    }
    let uncached = !cachethis && Allowed::Status(NfsStat4::RetryUncachedRep).is(&again);
    let right = first == second || uncached;
    Ok(Answer::Found(right, if first == second { "the same reply".into() } else { again.to_string() }))
}

async fn many_retries(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let request = Request::new(&mut talk, true, vec![stage.at_file(), attributes()])?;
    let credential = talk.introduction().options.credential();
    for _ in 0..RETRIES {
        let xid = talk.wire().new_xid();
        talk.wire().send_message(compound_call(xid, credential.clone(), &request.args)).await;
    }
    let (mut replies, mut delays) = (Vec::new(), 0);
    while replies.len() + delays < RETRIES {
        let incoming = talk.wire().receive(super::super::stage::ANSWER_WAIT).await;
        let Incoming::Record(record) = &incoming else { break };
        let xid = u32::from_be_bytes(record.first_chunk().copied().unwrap_or_default());
        let body = record.slice(4.min(record.len())..);
        match Answer::of(incoming, xid) {
            answer if Allowed::Status(NfsStat4::Delay).is(&answer) => delays += 1,
            _ => replies.push(body),
        }
    }
    talk.leave().await;
    let same = replies.windows(2).all(|pair| matches!(pair, [first, second] if first == second));
    let what = format!(
        "{} replies of {RETRIES}, {}; {delays} DELAY",
        replies.len(),
        if same { "all the same" } else { "different" }
    );
    Ok(Answer::Found(same && !replies.is_empty() && replies.len() + delays == RETRIES, what))
}

async fn false_retry(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let request = Request::new(&mut talk, true, vec![stage.at_file(), attributes()])?;
    let (first, honest) = request.send(&mut talk).await;
    if !Allowed::Success.is(&honest) {
        return Ok(honest);
    }
    let mut other = request;
    other.args.argarray.truncate(1);
    other.args.argarray.extend([stage.at_folder(), NfsArgop4::Getfh]);
    let (second, answer) = other.send(&mut talk).await;
    talk.leave().await;
    // Success is right only if it is the first reply: the second request must not have run.
    let ran = Allowed::Success.is(&answer) && first != second;
    Ok(if ran { Answer::Found(false, format!("the second request ran: {answer}")) } else { answer })
}

/// A client whose session has small channels.
async fn small_session(stage: &Stage, operations: u32) -> Result<Talk> {
    let mut talk = Talk::open(stage.addr, stage.stranger(stage.session_minor())).await?;
    let known = talk.exchange_id(nfs4_protocol::nfs4::EXCHGID4_FLAG_USE_NON_PNFS).await?;
    let mut args = talk.create_session_args(known.sequenceid);
    let fore = &mut args.fore_chan_attrs;
    (fore.maxrequestsize, fore.maxresponsesize, fore.maxoperations) = (SMALL_CHANNEL, SMALL_CHANNEL, operations);
    talk.create_session_with(args).await?;
    talk.reclaim_complete().await?;
    Ok(talk)
}

async fn too_many_operations(stage: &Stage) -> Result<Answer> {
    let mut talk = small_session(stage, FEW_OPERATIONS).await?;
    let granted = talk.created.as_ref().map_or(FEW_OPERATIONS, |made| made.fore_chan_attrs.maxoperations);
    let ops = vec![NfsArgop4::Putrootfh; granted as usize];
    let answer = crate::hostile::stage::ask(&mut talk, ops).await;
    talk.leave().await;
    Ok(answer)
}

async fn too_big_request(stage: &Stage) -> Result<Answer> {
    let mut talk = small_session(stage, FEW_OPERATIONS).await?;
    let granted = talk.created.as_ref().map_or(SMALL_CHANNEL, |made| made.fore_chan_attrs.maxrequestsize);
    // The same bytes as are there.
    let data = Bytes::from(vec![0x5a; (granted as usize).min(crate::hostile::CONTENT.len())]);
    let args = Write4Args { stateid: Stateid4::ANONYMOUS, offset: 0, stable: StableHow4::Unstable, data };
    let answer = crate::hostile::stage::ask(&mut talk, vec![stage.at_file(), NfsArgop4::Write(Box::new(args))]).await;
    talk.leave().await;
    Ok(answer)
}

async fn too_big_reply(stage: &Stage) -> Result<Answer> {
    let mut talk = small_session(stage, FEW_OPERATIONS).await?;
    let granted = talk.created.as_ref().map_or(SMALL_CHANNEL, |made| made.fore_chan_attrs.maxresponsesize);
    let args = Read4Args { stateid: Stateid4::ANONYMOUS, offset: 0, count: granted };
    let sequence = next(&mut talk, false)?;
    let ops = vec![NfsArgop4::Sequence(sequence), stage.at_file(), NfsArgop4::Read(args)];
    let args = Compound4Args { tag: Bytes::new(), minorversion: talk.minor(), argarray: ops };
    let xid = talk.wire().new_xid();
    let credential = talk.introduction().options.credential();
    let incoming = talk.exchange(xid, compound_call(xid, credential, &args)).await;
    let bytes = if let Incoming::Record(record) = &incoming { record.len() } else { 0 };
    talk.leave().await;
    let answer = Answer::of(incoming, xid);
    if bytes > granted as usize {
        return Ok(Answer::Found(false, format!("{answer}, in {bytes} bytes of {granted}")));
    }
    Ok(answer)
}
