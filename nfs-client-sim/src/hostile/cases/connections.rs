//! Connections that are slow, half open, or very many. They stay open while the honest client is served.

use std::time::Duration;

use futures::future::FutureExt;
use nfs4_protocol::nfs4::{Compound4Args, NfsArgop4, Read4Args, Stateid4};
use nfs4_protocol::rpc::frame;

use super::records::null_call;
use crate::Result;
use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::{ANSWER_WAIT, Stage};
use crate::hostile::{About, Case, Cases};
use crate::wire::{Incoming, Sent, Wire, compound_call};

/// The pause between the bytes of the slow call.
const BYTE_PAUSE: Duration = Duration::from_millis(5);
/// Calls whose replies nobody reads.
const UNREAD_CALLS: usize = 20_000;
/// Half-open connections at a time.
const HALF_OPEN: usize = 64;
/// Connections that come and go at once.
const SHORT_LIVED: usize = 500;
/// Calls at a time on one connection.
const BURST: usize = 1_000;

pub(super) const CASES: Cases = Cases {
    name: "connections",
    cases: &[
        Case {
            name: "a call sent byte by byte",
            section: "RFC 5531 §11",
            requires: "it is answered",
            about: About::All,
            allowed: &[Allowed::Success],
            play: |stage| byte_by_byte(stage).boxed(),
        },
        Case {
            name: "connections that say nothing",
            section: "RFC 8881 §2.9.1",
            requires: "others are served meanwhile",
            about: About::All,
            allowed: &[Allowed::Found],
            play: |stage| half_open(stage, &[]).boxed(),
        },
        Case {
            name: "connections that stop in the midst of a call",
            section: "RFC 8881 §2.9.1",
            requires: "others are served meanwhile",
            about: About::All,
            allowed: &[Allowed::Found],
            play: |stage| half_open(stage, &[0x80, 0, 0, 40, 0, 0, 0, 1, 0]).boxed(),
        },
        Case {
            name: "connections that announce 1 MiB and send 1 KiB",
            section: "RFC 5531 §11",
            requires: "others are served meanwhile",
            about: About::All,
            allowed: &[Allowed::Found],
            play: |stage| announced(stage).boxed(),
        },
        Case {
            name: "replies that nobody reads",
            section: "RFC 8881 §2.9.1",
            requires: "the server stops reading, or closes",
            about: About::Minor0,
            allowed: &[Allowed::Found],
            play: |stage| unread_replies(stage).boxed(),
        },
        Case {
            name: "a thousand calls at once",
            section: "RFC 8881 §2.9.1",
            requires: "each is answered",
            about: About::All,
            allowed: &[Allowed::Found],
            play: |stage| burst(stage).boxed(),
        },
        Case {
            name: "very many connections",
            section: "RFC 8881 §2.9.1",
            requires: "each is answered, or refused",
            about: About::All,
            allowed: &[Allowed::Found],
            play: |stage| very_many(stage).boxed(),
        },
        Case {
            name: "500 connections that come and go",
            section: "RFC 8881 §2.9.1",
            requires: "the next one is answered",
            about: About::All,
            allowed: &[Allowed::Success],
            play: |stage| short_lived(stage).boxed(),
        },
    ],
};

async fn byte_by_byte(stage: &Stage) -> Result<Answer> {
    let mut wire = stage.wire().await?;
    for byte in frame(null_call(1)).concat() {
        wire.send(&[byte]).await;
        tokio::time::sleep(BYTE_PAUSE).await;
    }
    Ok(Answer::of(wire.receive(ANSWER_WAIT).await, 1))
}

async fn half_open(stage: &mut Stage, beginning: &[u8]) -> Result<Answer> {
    for _ in 0..HALF_OPEN {
        let mut wire = stage.wire().await?;
        wire.send(beginning).await;
        stage.held.push(wire);
    }
    // The server may answer them or close them; what counts is the honest client afterwards.
    Ok(Answer::Found(true, format!("{HALF_OPEN} are held")))
}

async fn announced(stage: &mut Stage) -> Result<Answer> {
    let mut bytes = vec![0; 1 << 10];
    if let Some(mark) = bytes.first_chunk_mut() {
        *mark = 0x8010_0000_u32.to_be_bytes();
    }
    half_open(stage, &bytes).await
}

async fn unread_replies(stage: &mut Stage) -> Result<Answer> {
    let read = NfsArgop4::Read(Read4Args { stateid: Stateid4::ANONYMOUS, offset: 0, count: 8192 });
    let argarray = vec![stage.at_file(), read.clone(), read.clone(), read.clone(), read];
    let args = Compound4Args { tag: bytes::Bytes::new(), minorversion: 0, argarray };
    let credential = stage.introduction(0).options.credential();
    let mut wire = stage.wire().await?;
    let mut sent = 0;
    for _ in 0..UNREAD_CALLS {
        let xid = wire.new_xid();
        match wire.send_message(compound_call(xid, credential.clone(), &args)).await {
            Sent::All => sent += 1,
            Sent::Stuck => {
                stage.held.push(wire);
                return Ok(Answer::Found(true, format!("it stopped reading after some {sent} calls")));
            }
            Sent::Closed => return Ok(Answer::Found(true, format!("it closed after {sent} calls"))),
        }
    }
    stage.held.push(wire);
    // 640 MB of replies are more than the system's buffers hold.
    Ok(Answer::Found(false, format!("it took all {sent} calls and keeps their replies")))
}

async fn burst(stage: &Stage) -> Result<Answer> {
    let mut wire = stage.wire().await?;
    for xid in (0..).take(BURST) {
        wire.send_message(null_call(xid)).await;
    }
    let mut answered = 0;
    while answered < BURST && matches!(wire.receive(ANSWER_WAIT).await, Incoming::Record(_)) {
        answered += 1;
    }
    Ok(Answer::Found(answered == BURST, format!("{answered} of {BURST} answered")))
}

async fn very_many(stage: &mut Stage) -> Result<Answer> {
    let (mut answered, mut closed, mut silent) = (0, 0, 0);
    let mut wires: Vec<Wire> = Vec::new();
    for _ in 0..stage.connections {
        // At a limit the server may refuse, or let wait.
        let Ok(mut wire) = stage.wire().await else {
            closed += 1;
            continue;
        };
        wire.send_message(null_call(1)).await;
        wires.push(wire);
    }
    for wire in &mut wires {
        match wire.receive(ANSWER_WAIT).await {
            Incoming::Record(_) => answered += 1,
            Incoming::Closed => closed += 1,
            Incoming::Silence => silent += 1,
        }
        if silent > 2 {
            break;
        }
    }
    let found = format!("{answered} of {} answered, {closed} closed, {silent} left waiting", stage.connections);
    stage.held.append(&mut wires);
    Ok(Answer::Found(silent == 0 && answered > 0, found))
}

async fn short_lived(stage: &Stage) -> Result<Answer> {
    for _ in 0..SHORT_LIVED {
        drop(stage.wire().await?);
    }
    stage.message(1, null_call(1)).await
}
