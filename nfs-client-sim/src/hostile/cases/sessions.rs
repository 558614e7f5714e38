//! Client IDs and sessions that are made up, or made in the wrong order (RFC 8881 §18.35 to §18.37, §18.50).

use futures::future::FutureExt;
use nfs4_protocol::nfs4::{
    BindConnToSession4Args, ChannelDirFromClient4, CreateSession4Args, DestroyClientid4Args, DestroySession4Args,
    EXCHGID4_FLAG_CONFIRMED_R, EXCHGID4_FLAG_UPD_CONFIRMED_REC_A, EXCHGID4_FLAG_USE_NON_PNFS, FreeStateid4Args,
    NfsArgop4, NfsStat4, ReclaimComplete4Args, Sequence4Args, Sessionid4, Stateid4,
};

use crate::Result;
use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::{Stage, ask, ask_bare};
use crate::hostile::{About, Case, Cases};
use crate::wire::Talk;

/// A session that is not there.
const NO_SESSION: Sessionid4 = Sessionid4([0x5a; 16]);
/// A client ID that is not given out.
const NO_CLIENTID: u64 = 0x5a5a_5a5a_5a5a_5a5a;

const BAD_SESSION: &[Allowed] = &[Allowed::Status(NfsStat4::Badsession)];
const STALE_CLIENT: &[Allowed] = &[Allowed::Status(NfsStat4::StaleClientid)];
const INVAL: &[Allowed] = &[Allowed::Status(NfsStat4::Inval)];

pub(super) const CASES: Cases = Cases {
    name: "sessions",
    cases: &[
        Case {
            name: "SEQUENCE of a forged session",
            section: "RFC 8881 §18.46.3",
            requires: "BADSESSION",
            about: About::Sessions,
            allowed: BAD_SESSION,
            play: |stage| forged_sequence(stage).boxed(),
        },
        Case {
            name: "DESTROY_SESSION of a forged session",
            section: "RFC 8881 §18.37.3",
            requires: "BADSESSION",
            about: About::Sessions,
            allowed: BAD_SESSION,
            play: |stage| {
                async { bare(stage, NfsArgop4::DestroySession(DestroySession4Args { sessionid: NO_SESSION })).await }
                    .boxed()
            },
        },
        Case {
            name: "BIND_CONN_TO_SESSION of a forged session",
            section: "RFC 8881 §18.34.3",
            requires: "BADSESSION",
            about: About::Sessions,
            allowed: BAD_SESSION,
            play: |stage| async { bare(stage, bind(NO_SESSION)).await }.boxed(),
        },
        Case {
            name: "CREATE_SESSION for a forged client ID",
            section: "RFC 8881 §18.36.4",
            requires: "STALE_CLIENTID",
            about: About::Sessions,
            allowed: STALE_CLIENT,
            play: |stage| create(stage, |args| args.clientid = NO_CLIENTID).boxed(),
        },
        Case {
            name: "CREATE_SESSION five sequence IDs ahead",
            section: "RFC 8881 §18.36.4",
            requires: "SEQ_MISORDERED",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::SeqMisordered)],
            play: |stage| create(stage, |args| args.sequence = args.sequence.wrapping_add(5)).boxed(),
        },
        Case {
            name: "CREATE_SESSION again",
            section: "RFC 8881 §18.36.4",
            requires: "the same session again",
            about: About::Sessions,
            allowed: &[Allowed::Found],
            play: |stage| create_again(stage).boxed(),
        },
        Case {
            name: "CREATE_SESSION with channels of 0 bytes",
            section: "RFC 8881 §18.36.3",
            requires: "TOOSMALL or INVAL",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::Toosmall), Allowed::Status(NfsStat4::Inval)],
            play: |stage| {
                create(stage, |args| {
                    args.fore_chan_attrs.maxrequestsize = 0;
                    args.fore_chan_attrs.maxresponsesize = 0;
                })
                .boxed()
            },
        },
        Case {
            name: "CREATE_SESSION that asks for everything",
            section: "RFC 8881 §18.36.3",
            requires: "the server grants what it can",
            about: About::Sessions,
            allowed: &[Allowed::Success],
            play: |stage| {
                create(stage, |args| {
                    let fore = &mut args.fore_chan_attrs;
                    (fore.maxrequestsize, fore.maxresponsesize) = (u32::MAX, u32::MAX);
                    fore.maxresponsesize_cached = u32::MAX;
                    (fore.maxoperations, fore.maxrequests) = (u32::MAX, u32::MAX);
                })
                .boxed()
            },
        },
        Case {
            name: "CREATE_SESSION with unknown flags",
            section: "RFC 8881 §18.36.3",
            requires: "INVAL",
            about: About::Sessions,
            allowed: INVAL,
            play: |stage| create(stage, |args| args.flags = 0x8000_0000).boxed(),
        },
        Case {
            name: "EXCHANGE_ID with a flag that only replies have",
            section: "RFC 8881 §18.35.3",
            requires: "INVAL",
            about: About::Sessions,
            allowed: INVAL,
            play: |stage| exchange(stage, EXCHGID4_FLAG_CONFIRMED_R).boxed(),
        },
        Case {
            name: "EXCHANGE_ID with unknown flags",
            section: "RFC 8881 §18.35.3",
            requires: "INVAL",
            about: About::Sessions,
            allowed: INVAL,
            play: |stage| exchange(stage, 0x0800_0000).boxed(),
        },
        Case {
            name: "EXCHANGE_ID that updates what was never there",
            section: "RFC 8881 §18.35.5",
            requires: "NOENT",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::Noent)],
            play: |stage| exchange(stage, EXCHGID4_FLAG_UPD_CONFIRMED_REC_A).boxed(),
        },
        Case {
            name: "EXCHANGE_ID that updates another life's record",
            section: "RFC 8881 §18.35.5",
            requires: "NOT_SAME",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::NotSame)],
            play: |stage| update_other_life(stage).boxed(),
        },
        Case {
            name: "DESTROY_CLIENTID of a forged client ID",
            section: "RFC 8881 §18.50.3",
            requires: "STALE_CLIENTID",
            about: About::Sessions,
            allowed: STALE_CLIENT,
            play: |stage| {
                async { bare(stage, NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid: NO_CLIENTID })).await }
                    .boxed()
            },
        },
        Case {
            name: "DESTROY_CLIENTID of a client with a session",
            section: "RFC 8881 §18.50.3",
            requires: "CLIENTID_BUSY",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::ClientidBusy)],
            play: |stage| destroy_busy(stage).boxed(),
        },
        Case {
            name: "FREE_STATEID of a stateid that was never given",
            section: "RFC 8881 §18.38.3",
            requires: "BAD_STATEID",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::BadStateid)],
            play: |stage| free(stage).boxed(),
        },
        Case {
            name: "RECLAIM_COMPLETE twice",
            section: "RFC 8881 §18.51.3",
            requires: "COMPLETE_ALREADY",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::CompleteAlready)],
            play: |stage| reclaim_complete(stage).boxed(),
        },
        Case {
            name: "an operation without SEQUENCE",
            section: "RFC 8881 §2.10.2.1",
            requires: "OP_NOT_IN_SESSION",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::OpNotInSession)],
            play: |stage| async { bare(stage, NfsArgop4::Putrootfh).await }.boxed(),
        },
        Case {
            name: "BIND_CONN_TO_SESSION beside another operation",
            section: "RFC 8881 §18.34.3",
            requires: "NOT_ONLY_OP",
            about: About::Sessions,
            allowed: &[Allowed::Status(NfsStat4::NotOnlyOp)],
            play: |stage| bind_beside_another(stage).boxed(),
        },
        Case {
            name: "the session of another connection's client",
            section: "RFC 8881 §2.10.4",
            requires: "the session takes the connection, or CONN_NOT_BOUND_TO_SESSION",
            about: About::Sessions,
            allowed: &[Allowed::Success, Allowed::Status(NfsStat4::ConnNotBoundToSession)],
            play: |stage| other_connection(stage).boxed(),
        },
    ],
};

fn bind(sessid: Sessionid4) -> NfsArgop4 {
    NfsArgop4::BindConnToSession(Box::new(BindConnToSession4Args {
        sessid,
        dir: ChannelDirFromClient4::ForeOrBoth,
        use_conn_in_rdma_mode: false,
    }))
}

async fn bare(stage: &Stage, op: NfsArgop4) -> Result<Answer> {
    stage.compound(stage.session_minor(), b"", vec![op]).await
}

async fn forged_sequence(stage: &Stage) -> Result<Answer> {
    let args = Sequence4Args { sessionid: NO_SESSION, sequenceid: 1, slotid: 0, highest_slotid: 0, cachethis: false };
    bare(stage, NfsArgop4::Sequence(args)).await
}

/// CREATE_SESSION of a new client, with arguments that `forge` changed.
async fn create(stage: &Stage, forge: fn(&mut CreateSession4Args)) -> Result<Answer> {
    let mut talk = Talk::open(stage.addr, stage.stranger(stage.session_minor())).await?;
    let known = talk.exchange_id(EXCHGID4_FLAG_USE_NON_PNFS).await?;
    let mut args = talk.create_session_args(known.sequenceid);
    forge(&mut args);
    Ok(ask_bare(&mut talk, vec![NfsArgop4::CreateSession(Box::new(args))]).await)
}

async fn create_again(stage: &Stage) -> Result<Answer> {
    let mut talk = Talk::open(stage.addr, stage.stranger(stage.session_minor())).await?;
    talk.exchange_id(EXCHGID4_FLAG_USE_NON_PNFS).await?;
    let first = talk.create_session().await?;
    let second = talk.create_session().await?;
    let same = first == second;
    talk.leave().await;
    Ok(Answer::Found(same, if same { "the same session".into() } else { format!("{first:?}, then {second:?}") }))
}

async fn exchange(stage: &Stage, flags: u32) -> Result<Answer> {
    let mut talk = Talk::open(stage.addr, stage.stranger(stage.session_minor())).await?;
    let args = talk.exchange_id_args(flags);
    Ok(ask_bare(&mut talk, vec![NfsArgop4::ExchangeId(Box::new(args))]).await)
}

async fn update_other_life(stage: &Stage) -> Result<Answer> {
    let mut talk = Talk::establish(stage.addr, stage.stranger(stage.session_minor())).await?;
    let mut args = talk.exchange_id_args(EXCHGID4_FLAG_UPD_CONFIRMED_REC_A);
    args.clientowner.verifier = stage.other_verifier();
    let answer = ask_bare(&mut talk, vec![NfsArgop4::ExchangeId(Box::new(args))]).await;
    talk.leave().await;
    Ok(answer)
}

async fn destroy_busy(stage: &Stage) -> Result<Answer> {
    let mut talk = Talk::establish(stage.addr, stage.stranger(stage.session_minor())).await?;
    let clientid = talk.clientid;
    let answer = ask_bare(&mut talk, vec![NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid })]).await;
    talk.leave().await;
    Ok(answer)
}

async fn free(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let stateid = Stateid4 { seqid: 1, other: [0x5a; 12] };
    let answer = ask(&mut talk, vec![NfsArgop4::FreeStateid(FreeStateid4Args { stateid })]).await;
    talk.leave().await;
    Ok(answer)
}

async fn reclaim_complete(stage: &Stage) -> Result<Answer> {
    // The session's client has said it once.
    let mut talk = stage.session().await?;
    let args = ReclaimComplete4Args { one_fs: false };
    let answer = ask(&mut talk, vec![NfsArgop4::ReclaimComplete(args)]).await;
    talk.leave().await;
    Ok(answer)
}

async fn bind_beside_another(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let sessid = talk.sessionid().unwrap_or(NO_SESSION);
    let answer = ask_bare(&mut talk, vec![bind(sessid), NfsArgop4::Putrootfh]).await;
    talk.leave().await;
    Ok(answer)
}

async fn other_connection(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.session().await?;
    let Some(sequence) = talk.next_sequence(false) else {
        return Ok(Answer::Found(false, "no session".into()));
    };
    let answer = bare(stage, NfsArgop4::Sequence(sequence)).await;
    talk.leave().await;
    answer
}
