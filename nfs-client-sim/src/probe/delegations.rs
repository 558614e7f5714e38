//! Callbacks, and what they are for: delegations and their recall.

use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Close4Args, Delegreturn4Args, NfsArgop4, NfsCbOpnum4, NfsFh4, OPEN4_RESULT_CONFIRM, OPEN4_SHARE_ACCESS_READ,
    OPEN4_SHARE_ACCESS_WANT_ANY_DELEG, Open4Args, OpenClaim4, OpenConfirm4Args, OpenDelegation4, Openflag4,
    StateOwner4, Stateid4,
};

use super::features::Feature;
use super::scene::{Scene, at};
use super::writing::Folder;
use crate::{OpenHow, Result};

/// How long a server may take to call a new client back.
const FIRST_CALL_WAIT: Duration = Duration::from_millis(1500);
/// How long a server may take to recall a delegation.
const RECALL_WAIT: Duration = Duration::from_secs(5);
/// The file that is delegated.
const FILE: &str = "delegated";

/// Looks whether the server tries the way back by itself.
pub(super) async fn first_call(scene: &mut Scene) {
    let callbacks = scene.callbacks(FIRST_CALL_WAIT, |callbacks| callbacks.any()).await;
    let words = format!("{} times CB_NULL, {} operations", callbacks.nulls, callbacks.operations.len());
    scene.notes.fact("callbacks", "without an occasion", words.clone());
    if callbacks.any() {
        scene.notes.found(Feature::Callbacks, true, words);
    }
}

/// A file that is open, and its delegation.
struct Opened {
    handle: NfsFh4,
    stateid: Stateid4,
    seqid: u32,
    delegation: Option<Stateid4>,
}

/// Wishes for a delegation, and has another client want the file.
pub(super) async fn look(scene: &mut Scene, folder: &Folder) -> Result<()> {
    folder.file(FILE, b"content").await?.close().await?;
    let opened = open(scene, folder).await?;
    match opened.delegation {
        None => {
            scene.notes.found(Feature::Delegations, false, "none was given to the only reader of a file");
            scene.notes.unknown(Feature::Recalls, "no delegation was given");
        }
        Some(delegation) => {
            scene.notes.found(Feature::Delegations, true, "one was given to the only reader of a file");
            recall(scene, folder, &opened.handle, delegation).await?;
        }
    }
    if scene.notes.finding(Feature::Callbacks).is_none() {
        let why = "no callback came, and there was no need for one";
        scene.notes.unknown(Feature::Callbacks, why);
    }
    let close = NfsArgop4::Close(Close4Args { seqid: opened.seqid, open_stateid: opened.stateid });
    scene.talk.call(vec![at(&opened.handle), close]).await?.ok()
}

async fn open(scene: &mut Scene, folder: &Folder) -> Result<Opened> {
    let wish = if scene.minor == 0 { 0 } else { OPEN4_SHARE_ACCESS_WANT_ANY_DELEG };
    let args = Open4Args {
        seqid: 0,
        share_access: OPEN4_SHARE_ACCESS_READ | wish,
        share_deny: 0,
        owner: StateOwner4 { clientid: scene.talk.clientid, owner: Bytes::from_static(b"delegate") },
        openhow: Openflag4::Nocreate,
        claim: OpenClaim4::Null(Bytes::from_static(FILE.as_bytes())),
    };
    let ops = vec![at(&folder.handle), NfsArgop4::Open(Box::new(args)), NfsArgop4::Getfh];
    let mut reply = scene.talk.call(ops).await?;
    let (result, handle) = (reply.open()?, reply.getfh()?);
    let mut opened = Opened { handle, stateid: result.stateid, seqid: 1, delegation: None };
    opened.delegation = match result.delegation {
        OpenDelegation4::Read(given) | OpenDelegation4::ReadAttrsDeleg(given) => Some(given.stateid),
        OpenDelegation4::Write(given) | OpenDelegation4::WriteAttrsDeleg(given) => Some(given.stateid),
        OpenDelegation4::None | OpenDelegation4::NoneExt(_) => None,
    };
    if scene.minor == 0 && result.rflags & OPEN4_RESULT_CONFIRM != 0 {
        let confirm = NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid: opened.stateid, seqid: 1 });
        let mut reply = scene.talk.call(vec![at(&opened.handle), confirm]).await?;
        opened.stateid = reply.open_confirm()?.open_stateid;
        opened.seqid = 2;
    }
    Ok(opened)
}

/// Another client opens the file for writing, which must wait until the delegation is back.
async fn recall(scene: &mut Scene, folder: &Folder, handle: &NfsFh4, delegation: Stateid4) -> Result<()> {
    let writer = async {
        let file = folder.client.open(&folder.handle, FILE, OpenHow::write()).await?;
        file.close().await
    };
    let holder = async {
        let callbacks = scene.callbacks(RECALL_WAIT, |callbacks| !callbacks.recalled.is_empty()).await;
        let give_back = NfsArgop4::Delegreturn(Delegreturn4Args { deleg_stateid: delegation });
        let returned = scene.talk.call(vec![at(handle), give_back]).await.and_then(|reply| reply.ok());
        (callbacks, returned)
    };
    let (written, (callbacks, returned)) = tokio::join!(writer, holder);
    let recalled = callbacks.recalled.iter().any(|stateid| stateid.other == delegation.other);
    let names: Vec<&str> = callbacks.operations.iter().copied().map(NfsCbOpnum4::rfc_name).collect();
    let words = if recalled { names.join(", ") } else { format!("not within {RECALL_WAIT:?}") };
    let notes = &mut scene.notes;
    notes.found(Feature::Recalls, recalled, words.clone());
    if notes.finding(Feature::Callbacks).is_none() {
        notes.found(Feature::Callbacks, recalled, words);
    }
    returned.and(written)
}
