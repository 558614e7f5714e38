//! Clients and owners of 4.0 that lie about who they are and where they stand (RFC 7530 §9).

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::nfs4::{
    Close4Args, Lock4Args, Locker4, NfsArgop4, NfsLockType4, NfsResop4, NfsStat4, OPEN4_RESULT_CONFIRM,
    OPEN4_SHARE_ACCESS_BOTH, Open4Args, OpenClaim4, OpenConfirm4Args, OpenOwner4, OpenToLockOwner4, Openflag4,
    Putfh4Args, Read4Args, Renew4Args, SetclientidConfirm4Args, StateOwner4, Stateid4, Verifier4,
};

use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::{FILE, Stage, ask};
use crate::hostile::{About, Case, Cases};
use crate::wire::Talk;
use crate::{Error, Result};

/// A client ID that is not given out.
const NO_CLIENTID: u64 = 0x5a5a_5a5a_5a5a_5a5a;
/// The first sequence ID of an owner.
const FIRST: u32 = 7;

const STALE_CLIENT: &[Allowed] = &[Allowed::Status(NfsStat4::StaleClientid), Allowed::Status(NfsStat4::Expired)];
const BAD_SEQID: &[Allowed] = &[Allowed::Status(NfsStat4::BadSeqid)];

pub(super) const CASES: Cases = Cases {
    name: "owners of 4.0",
    cases: &[
        Case {
            name: "RENEW of a client ID that was never given",
            section: "RFC 7530 §16.27.5",
            requires: "STALE_CLIENTID",
            about: About::Minor0,
            allowed: STALE_CLIENT,
            play: |stage| renew(stage).boxed(),
        },
        Case {
            name: "SETCLIENTID_CONFIRM with a forged verifier",
            section: "RFC 7530 §16.34.5",
            requires: "STALE_CLIENTID",
            about: About::Minor0,
            allowed: STALE_CLIENT,
            play: |stage| confirm(stage).boxed(),
        },
        Case {
            name: "OPEN by a client ID that was never given",
            section: "RFC 7530 §16.16.6",
            requires: "STALE_CLIENTID",
            about: About::Minor0,
            allowed: STALE_CLIENT,
            play: |stage| open_by_nobody(stage).boxed(),
        },
        Case {
            name: "OPEN again with the same sequence ID",
            section: "RFC 7530 §9.1.9",
            requires: "the same result again",
            about: About::Minor0,
            allowed: &[Allowed::Found],
            play: |stage| open_again(stage).boxed(),
        },
        Case {
            name: "OPEN two sequence IDs ahead",
            section: "RFC 7530 §9.1.7",
            requires: "BAD_SEQID",
            about: About::Minor0,
            allowed: BAD_SEQID,
            play: |stage| open_ahead(stage, 2).boxed(),
        },
        Case {
            name: "OPEN two sequence IDs back",
            section: "RFC 7530 §9.1.7",
            requires: "BAD_SEQID",
            about: About::Minor0,
            allowed: BAD_SEQID,
            play: |stage| open_ahead(stage, u32::MAX - 1).boxed(),
        },
        Case {
            name: "CLOSE with a sequence ID ahead",
            section: "RFC 7530 §9.1.7",
            requires: "BAD_SEQID",
            about: About::Minor0,
            allowed: BAD_SEQID,
            play: |stage| close(stage, 5, |stateid| stateid).boxed(),
        },
        Case {
            name: "CLOSE with a stateid of the future",
            section: "RFC 7530 §9.1.4.3",
            requires: "BAD_STATEID",
            about: About::Minor0,
            allowed: &[Allowed::Status(NfsStat4::BadStateid)],
            play: |stage| close(stage, 0, |stateid| Stateid4 { seqid: stateid.seqid + 100, ..stateid }).boxed(),
        },
        Case {
            name: "READ with a stateid of the past",
            section: "RFC 7530 §9.1.4.3",
            requires: "OLD_STATEID",
            about: About::Minor0,
            allowed: &[Allowed::Status(NfsStat4::OldStateid), Allowed::Status(NfsStat4::BadStateid)],
            play: |stage| read_with_old_stateid(stage).boxed(),
        },
        Case {
            name: "LOCK by an owner of another client ID",
            section: "RFC 7530 §16.10.5",
            requires: "INVAL, BAD_STATEID or STALE_CLIENTID",
            about: About::Minor0,
            allowed: &[
                Allowed::Status(NfsStat4::Inval),
                Allowed::Status(NfsStat4::BadStateid),
                Allowed::Status(NfsStat4::StaleClientid),
                Allowed::Status(NfsStat4::Expired),
            ],
            play: |stage| async { lock(stage, NO_CLIENTID, 0, 1).await }.boxed(),
        },
        Case {
            name: "LOCK of nothing",
            section: "RFC 7530 §16.10.4",
            requires: "INVAL",
            about: About::Minor0,
            allowed: &[Allowed::Status(NfsStat4::Inval)],
            play: |stage| lock_as_myself(stage, 5, 0).boxed(),
        },
        Case {
            name: "LOCK beyond the end of all offsets",
            section: "RFC 7530 §16.10.4",
            requires: "INVAL or BAD_RANGE",
            about: About::Minor0,
            allowed: &[Allowed::Status(NfsStat4::Inval), Allowed::Status(NfsStat4::BadRange)],
            play: |stage| lock_as_myself(stage, u64::MAX - 5, 100).boxed(),
        },
    ],
};

/// A file that is open, and the sequence ID that comes next.
struct Opened {
    talk: Talk,
    stateid: Stateid4,
    next: u32,
}

impl Opened {
    async fn new(stage: &Stage) -> Result<Self> {
        let mut talk = Talk::establish(stage.addr, stage.stranger(0)).await?;
        let open = open(&talk, FIRST);
        let opened = talk.call(vec![stage.at_folder(), open, NfsArgop4::Getfh]).await?.open()?;
        let mut next = FIRST + 1;
        let mut stateid = opened.stateid;
        if opened.rflags & OPEN4_RESULT_CONFIRM != 0 {
            let args = OpenConfirm4Args { open_stateid: stateid, seqid: next };
            let confirm = NfsArgop4::OpenConfirm(args);
            stateid = talk.call(vec![stage.at_file(), confirm]).await?.open_confirm()?.open_stateid;
            next += 1;
        }
        Ok(Self { talk, stateid, next })
    }

    /// Closes the file, so that its removal leaves nothing behind.
    async fn close(mut self, stage: &Stage) -> Result<()> {
        let close = NfsArgop4::Close(Close4Args { seqid: self.next, open_stateid: self.stateid });
        self.talk.call(vec![stage.at_file(), close]).await?.ok()
    }
}

fn open(talk: &Talk, seqid: u32) -> NfsArgop4 {
    NfsArgop4::Open(Box::new(Open4Args {
        seqid,
        share_access: OPEN4_SHARE_ACCESS_BOTH,
        share_deny: 0,
        owner: OpenOwner4 { clientid: talk.clientid, owner: Bytes::from_static(b"hostile") },
        openhow: Openflag4::Nocreate,
        claim: OpenClaim4::Null(Bytes::from_static(FILE.as_bytes())),
    }))
}

async fn renew(stage: &Stage) -> Result<Answer> {
    stage.compound(0, b"", vec![NfsArgop4::Renew(Renew4Args { clientid: NO_CLIENTID })]).await
}

async fn confirm(stage: &Stage) -> Result<Answer> {
    let mut talk = Talk::open(stage.addr, stage.stranger(0)).await?;
    let args = NfsArgop4::Setclientid(Box::new(talk.setclientid_args()));
    let mut reply = talk.bare(vec![args]).await?;
    let nfs4_protocol::nfs4::Setclientid4Res::Ok(known) = reply.setclientid()? else {
        return Ok(Answer::Found(false, "SETCLIENTID of a new client failed".into()));
    };
    let forged = Verifier4([0x5a; 8]);
    let args = SetclientidConfirm4Args { clientid: known.clientid, setclientid_confirm: forged };
    Ok(ask(&mut talk, vec![NfsArgop4::SetclientidConfirm(args)]).await)
}

async fn open_by_nobody(stage: &Stage) -> Result<Answer> {
    let mut talk = stage.talk_in(0).await?;
    talk.clientid = NO_CLIENTID;
    let open = open(&talk, FIRST);
    Ok(ask(&mut talk, vec![stage.at_folder(), open]).await)
}

async fn open_again(stage: &Stage) -> Result<Answer> {
    let mut talk = Talk::establish(stage.addr, stage.stranger(0)).await?;
    let mut results = Vec::new();
    for _ in 0..2 {
        let open = open(&talk, FIRST);
        let result = talk.compound(vec![stage.at_folder(), open]).await?;
        results.push(result.resarray.last().cloned().ok_or(Error::Compound(result.status))?);
    }
    let stateids: Vec<Stateid4> = results
        .iter()
        .filter_map(|result| match result {
            NfsResop4::Open(opened) => opened.as_ref().as_ref().ok().map(|opened| opened.stateid),
            _ => None,
        })
        .collect();
    let same = results.windows(2).all(|pair| matches!(pair, [first, second] if first == second));
    Ok(Answer::Found(same && stateids.len() == 2, format!("{stateids:?}")))
}

async fn open_ahead(stage: &Stage, by: u32) -> Result<Answer> {
    let mut opened = Opened::new(stage).await?;
    let open = open(&opened.talk, opened.next.wrapping_sub(1).wrapping_add(by));
    let answer = ask(&mut opened.talk, vec![stage.at_folder(), open]).await;
    opened.close(stage).await?;
    Ok(answer)
}

async fn close(stage: &Stage, ahead: u32, forge: fn(Stateid4) -> Stateid4) -> Result<Answer> {
    let mut opened = Opened::new(stage).await?;
    let args = Close4Args { seqid: opened.next + ahead, open_stateid: forge(opened.stateid) };
    let answer = ask(&mut opened.talk, vec![stage.at_file(), NfsArgop4::Close(args)]).await;
    // A refusal of the stateid does not move the sequence ID (RFC 7530 §9.1.7).
    opened.close(stage).await?;
    Ok(answer)
}

async fn read_with_old_stateid(stage: &Stage) -> Result<Answer> {
    let mut opened = Opened::new(stage).await?;
    // A second open by the same owner moves the stateid.
    let again = open(&opened.talk, opened.next);
    let again = opened.talk.call(vec![stage.at_folder(), again]).await?.open()?;
    opened.next += 1;
    let old = std::mem::replace(&mut opened.stateid, again.stateid);
    let read = NfsArgop4::Read(Read4Args { stateid: old, offset: 0, count: 1 });
    let answer = ask(&mut opened.talk, vec![stage.at_file(), read]).await;
    opened.close(stage).await?;
    Ok(answer)
}

async fn lock_as_myself(stage: &Stage, offset: u64, length: u64) -> Result<Answer> {
    lock(stage, 0, offset, length).await
}

/// LOCK by an owner of `clientid`, or of the client's own where that is 0.
async fn lock(stage: &Stage, clientid: u64, offset: u64, length: u64) -> Result<Answer> {
    let mut opened = Opened::new(stage).await?;
    let clientid = if clientid == 0 { opened.talk.clientid } else { clientid };
    let lock_owner = StateOwner4 { clientid, owner: Bytes::from_static(b"locker") };
    let owner = OpenToLockOwner4 { open_seqid: opened.next, open_stateid: opened.stateid, lock_seqid: 0, lock_owner };
    let args =
        Lock4Args { locktype: NfsLockType4::Write, reclaim: false, offset, length, locker: Locker4::OpenOwner(owner) };
    let put = NfsArgop4::Putfh(Putfh4Args { object: stage.file.clone() });
    let answer = ask(&mut opened.talk, vec![put, NfsArgop4::Lock(Box::new(args))]).await;
    // Whether a refused LOCK moves the sequence ID depends on the refusal; the wrong one of the two is refused.
    let first = Opened { talk: opened.talk, stateid: opened.stateid, next: opened.next + 1 };
    close_either(first, stage).await?;
    Ok(answer)
}

/// Closes with the sequence ID that is due, or with the one before it.
async fn close_either(mut opened: Opened, stage: &Stage) -> Result<()> {
    for seqid in [opened.next, opened.next - 1] {
        let close = NfsArgop4::Close(Close4Args { seqid, open_stateid: opened.stateid });
        if opened.talk.call(vec![stage.at_file(), close]).await?.ok().is_ok() {
            return Ok(());
        }
    }
    Err(Error::Status { op: nfs4_protocol::nfs4::OpNum::Close, status: NfsStat4::BadSeqid })
}
