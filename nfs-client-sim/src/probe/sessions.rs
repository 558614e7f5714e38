//! How a server takes a client in: identity, session, what it says with each request.

use nfs4_protocol::nfs4::{
    CREATE_SESSION4_FLAG_CONN_BACK_CHAN, CREATE_SESSION4_FLAG_PERSIST, ChannelAttrs4, ChannelDirFromServer4,
    CreateSession4Resok, EXCHGID4_FLAG_MASK_PNFS, EXCHGID4_FLAG_SUPP_MOVED_REFER, EXCHGID4_FLAG_USE_NON_PNFS,
    EXCHGID4_FLAG_USE_PNFS_DS, EXCHGID4_FLAG_USE_PNFS_MDS, ExchangeId4Resok, NfsArgop4, NfsResop4, NfsStat4, OpNum,
    ReclaimComplete4Args, SEQ4_STATUS_CB_PATH_DOWN, SEQ4_STATUS_CB_PATH_DOWN_SESSION, StateProtect4R, Stateid4,
    TestStateid4Args,
};

use super::features::Feature;
use super::operations;
use super::report::Notes;
use super::scene::{Scene, at, introduction, result_of, status_of, walk};
use crate::wire::Talk;
use crate::{Error, Result};

/// What Linux and macOS insist on (RFC 8881 §18.36.3 leaves it open).
const OPERATIONS_MIN: u32 = 8;
/// Below this ms-nfs41-client complains.
const OPERATIONS_WANTED: u32 = 64;

/// Makes the client known, and notes how that went.
pub(super) async fn introduce(scene: &mut Scene) -> Result<()> {
    if scene.minor == 0 {
        scene.talk.set_clientid().await?;
        scene.notes.fact("identity", "client ID", format!("{:#018x}", scene.talk.clientid));
        return Ok(());
    }
    let flags = EXCHGID4_FLAG_USE_NON_PNFS | EXCHGID4_FLAG_SUPP_MOVED_REFER;
    let known = scene.talk.exchange_id(flags).await?;
    identity(&mut scene.notes, &known);
    out_of_order(scene, known.sequenceid).await?;
    let mut args = scene.talk.create_session_args(known.sequenceid);
    args.flags |= CREATE_SESSION4_FLAG_PERSIST;
    let (asked, sequence) = (args.clone(), args.sequence);
    let made = scene.talk.create_session_with(args).await?;
    let notes = &mut scene.notes;
    let unasked = made.flags & !asked.flags;
    notes.found(Feature::SessionFlags, unasked == 0, format!("asked {:#x}, granted {:#x}", asked.flags, made.flags));
    notes.found(Feature::SessionSequence, made.sequence == sequence, format!("{sequence}, {}", made.sequence));
    channels(notes, &asked.fore_chan_attrs, &asked.back_chan_attrs, &made);
    scene.talk.reclaim_complete().await?;
    one_fs(scene).await;
    sequence_flags(scene).await?;
    stateids(scene).await;
    bind(scene).await;
    same_owner(scene, &known).await
}

fn identity(notes: &mut Notes, known: &ExchangeId4Resok) {
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let owner = &known.server_owner;
    notes.fact("identity", "server owner", format!("{} ({})", text(&owner.major_id), owner.minor_id));
    notes.fact("identity", "server scope", text(&known.server_scope));
    let implementation = known
        .server_impl_id
        .as_ref()
        .map_or("not told".into(), |id| format!("{} {}", text(&id.name), text(&id.domain)).trim_end().to_owned());
    notes.fact("identity", "implementation", implementation);
    let role = match known.flags & EXCHGID4_FLAG_MASK_PNFS {
        EXCHGID4_FLAG_USE_NON_PNFS => "none",
        EXCHGID4_FLAG_USE_PNFS_MDS => "metadata server",
        EXCHGID4_FLAG_USE_PNFS_DS => "data server",
        both if both == EXCHGID4_FLAG_USE_PNFS_MDS | EXCHGID4_FLAG_USE_PNFS_DS => "metadata and data server",
        both if both == EXCHGID4_FLAG_USE_NON_PNFS | EXCHGID4_FLAG_USE_PNFS_DS => "data server, and NFS without pNFS",
        _ => "illegal",
    };
    notes.found(Feature::PnfsRole, role != "illegal", format!("role: {role}; flags {:#x}", known.flags));
    let protection = match known.state_protect {
        StateProtect4R::None => "SP4_NONE",
        StateProtect4R::MachCred(_) => "SP4_MACH_CRED",
        StateProtect4R::Ssv(_) => "SP4_SSV",
    };
    notes.found(Feature::StateProtection, protection == "SP4_NONE", protection);
}

async fn out_of_order(scene: &mut Scene, sequence: u32) -> Result<()> {
    let args = scene.talk.create_session_args(sequence.wrapping_add(5));
    let reply = scene.talk.bare(vec![NfsArgop4::CreateSession(Box::new(args))]).await?;
    let status = reply.status();
    scene.notes.found(Feature::SessionOrder, status == NfsStat4::SeqMisordered, status.rfc_name());
    Ok(())
}

fn channels(notes: &mut Notes, fore: &ChannelAttrs4, back: &ChannelAttrs4, made: &CreateSession4Resok) {
    let granted = &made.fore_chan_attrs;
    let mut limit = |name, granted: u32, asked: u32| {
        notes.fact("session", name, format!("{granted} (asked for {asked})"));
    };
    limit("request bytes", granted.maxrequestsize, fore.maxrequestsize);
    limit("reply bytes", granted.maxresponsesize, fore.maxresponsesize);
    limit("kept reply bytes", granted.maxresponsesize_cached, fore.maxresponsesize_cached);
    limit("operations", granted.maxoperations, fore.maxoperations);
    limit("slots", granted.maxrequests, fore.maxrequests);
    let persistent = made.flags & CREATE_SESSION4_FLAG_PERSIST != 0;
    notes.fact("session", "survives a restart of the server", if persistent { "yes" } else { "no" });
    let operations = granted.maxoperations;
    notes.found(Feature::EightOperations, operations >= OPERATIONS_MIN, format!("{operations} granted"));
    let clamped = (OPERATIONS_WANTED..=fore.maxoperations).contains(&operations);
    notes.found(Feature::SixtyFourOperations, clamped, format!("{operations} granted"));
    let room = made.back_chan_attrs.maxresponsesize;
    let asked = back.maxresponsesize;
    notes.found(Feature::BackChannelRoom, room >= asked, format!("{room} bytes of {asked}"));
    let has_back_channel = made.flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN != 0;
    notes.found(Feature::BackChannel, has_back_channel, format!("flags granted: {:#x}", made.flags));
}

/// ESXi sends RECLAIM_COMPLETE with `one_fs` after the one for all; RFC 8881 §18.51.3 allows that after a migration.
async fn one_fs(scene: &mut Scene) {
    let args = NfsArgop4::ReclaimComplete(ReclaimComplete4Args { one_fs: true });
    let reply = scene.talk.call(vec![NfsArgop4::Putrootfh, args]).await;
    let status = reply.and_then(|reply| status_of(&reply, OpNum::ReclaimComplete));
    let result = status.map(|status| (status == NfsStat4::Ok, status.rfc_name().to_owned()));
    scene.notes.tried(Feature::ReclaimOneFs, result);
}

async fn sequence_flags(scene: &mut Scene) -> Result<()> {
    let Some(args) = scene.talk.next_sequence(false) else { return Ok(()) };
    let reply = scene.talk.bare(vec![NfsArgop4::Sequence(args)]).await?;
    let Some(NfsResop4::Sequence(Ok(result))) = result_of(&reply, OpNum::Sequence) else {
        return Err(reply.ok().err().unwrap_or(Error::Missing(OpNum::Sequence)));
    };
    let flags = result.status_flags;
    // The path for callbacks may be down for a reason, as long as there is no back channel.
    let has_back_channel =
        scene.notes.finding(Feature::BackChannel).is_some_and(|found| found.seen == super::Seen::Yes);
    let down = SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_CB_PATH_DOWN_SESSION;
    let needless = if has_back_channel { flags } else { flags & !down };
    scene.notes.found(Feature::NoAlarm, needless == 0, format!("flags {flags:#x}"));
    let target = format!("{}, {} would do", result.highest_slotid, result.target_highest_slotid);
    scene.notes.fact("session", "highest slot", target);
    Ok(())
}

async fn stateids(scene: &mut Scene) {
    let stateids = vec![Stateid4 { seqid: 1, other: [0x5a; 12] }];
    let reply = scene.talk.call(vec![NfsArgop4::TestStateid(TestStateid4Args { stateids })]).await;
    let result = reply.and_then(|reply| match result_of(&reply, OpNum::TestStateid) {
        Some(NfsResop4::TestStateid(Ok(result))) => {
            let codes: Vec<_> = result.status_codes.iter().map(|code| code.rfc_name()).collect();
            let refused = matches!(result.status_codes[..], [code] if code != NfsStat4::Ok);
            Ok((refused, format!("a made-up stateid: {}", codes.join(", "))))
        }
        _ => Err(reply.ok().err().unwrap_or(Error::Missing(OpNum::TestStateid))),
    });
    scene.notes.tried(Feature::TestStateid, result);
}

async fn bind(scene: &mut Scene) {
    let Some(sessionid) = scene.talk.sessionid() else { return };
    let reply = scene.talk.bare(vec![operations::bind(sessionid)]).await;
    let result = reply.and_then(|reply| match result_of(&reply, OpNum::BindConnToSession) {
        Some(NfsResop4::BindConnToSession(Ok(bound))) => {
            Ok((bound.dir == ChannelDirFromServer4::Both, bound.dir.rfc_name().to_owned()))
        }
        _ => Err(reply.ok().err().unwrap_or(Error::Missing(OpNum::BindConnToSession))),
    });
    scene.notes.tried(Feature::BindConnection, result);
}

/// Whether another connection leads to the same server, and finds the same filehandles.
async fn same_owner(scene: &mut Scene, known: &ExchangeId4Resok) -> Result<()> {
    let mut other = Talk::open(scene.addr, introduction(scene.minor)).await?;
    let again = other.exchange_id(EXCHGID4_FLAG_USE_NON_PNFS).await?;
    let same = again.server_owner == known.server_owner && again.server_scope == known.server_scope;
    let words = if same { "the same on two connections" } else { "another one on another connection" };
    scene.notes.found(Feature::SameOwner, same, words);
    Ok(())
}

/// Whether another client on another connection gets the same filehandles.
pub(super) async fn same_handles(scene: &mut Scene) -> Result<()> {
    let mut other = Talk::establish(scene.addr, introduction(scene.minor)).await?;
    let handle = walk(&mut other, &scene.names).await?;
    let same = handle == scene.directory;
    let resolves = other.call(vec![at(&scene.directory), NfsArgop4::Getfh]).await?.getfh();
    let does = same && resolves.is_ok();
    let words = if does { "byte for byte" } else { "another one on another connection" };
    scene.notes.found(Feature::HandlesStable, does, words);
    other.leave().await;
    Ok(())
}
