//! Locks, share reservations, reclaims.

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::nfs4::{
    NfsArgop4, NfsLockType4, NfsStat4, OPEN4_SHARE_DENY_BOTH, OpNum, OpenClaim4, OpenDelegation4, OpenDelegationType4,
    StableHow4,
};

use super::{Folder, Trial};
use crate::probe::features::Feature;
use crate::probe::scene::status_of;
use crate::{Client, ClientOptions, CompoundBuilder, OpenHow, OpenOwner, Result};

pub(super) const TRIALS: &[Trial] = &[
    Trial { feature: Feature::Locks, since: 0, run: |folder| locks(folder).boxed() },
    Trial { feature: Feature::BlockingLocks, since: 0, run: |folder| blocking_locks(folder).boxed() },
    Trial { feature: Feature::DenyBoth, since: 0, run: |folder| deny_both(folder).boxed() },
    Trial { feature: Feature::Reclaims, since: 0, run: |folder| reclaim(folder).boxed() },
    Trial { feature: Feature::NoneExtOnlyWhenWanted, since: 1, run: |folder| none_ext(folder).boxed() },
];

async fn locks(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("locks", b"0123456789").await?;
    let (one, other) = (file.locker("one"), file.locker("other"));
    let held = one.lock(NfsLockType4::Write, 0, 5).await?.is_granted();
    let conflict = other.lock(NfsLockType4::Read, 4, 1).await?.is_granted();
    let beside = other.lock(NfsLockType4::Write, 5, u64::MAX).await?.is_granted();
    let told = !other.test(NfsLockType4::Write, 0, 1).await?.is_granted();
    one.unlock(0, 5).await?;
    let free = other.test(NfsLockType4::Write, 0, 1).await?.is_granted();
    other.unlock(5, u64::MAX).await?;
    file.close().await?;
    let right = held && !conflict && beside && told && free;
    let words = format!("held {held}, conflict granted {conflict}, beside {beside}, told {told}, free again {free}");
    Ok((right, if right { "conflict denied, told by LOCKT, free after LOCKU".into() } else { words }))
}

async fn blocking_locks(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("blocking-locks", b"").await?;
    let (one, other) = (file.locker("one"), file.locker("other"));
    let first = one.lock(NfsLockType4::Writew, 0, 1).await?.is_granted();
    let second = other.lock(NfsLockType4::Readw, 0, 1).await?.is_granted();
    one.unlock(0, 1).await?;
    let third = other.lock(NfsLockType4::Readw, 0, 1).await?.is_granted();
    other.unlock(0, 1).await?;
    file.close().await?;
    Ok((first && !second && third, format!("free {first}, taken {second}, free again {third}")))
}

/// What ESXi does with virtual disks.
async fn deny_both(folder: &Folder) -> Result<(bool, String)> {
    folder.file("deny", b"content").await?.close().await?;
    let how = OpenHow::both().deny(OPEN4_SHARE_DENY_BOTH);
    let file = folder.client.open(&folder.handle, "deny", how).await?;
    file.set_size(4).await?;
    file.write_at(0, Bytes::from_static(b"more content"), StableHow4::Unstable).await?;
    let read = file.read_at(0, 64).await?.data.len();
    let other = Client::connect(folder.client.connection().peer(), folder.client.minor(), ClientOptions::default());
    let other = other.await?;
    let second = other.open(&folder.handle, "deny", OpenHow::read()).await;
    let denied = matches!(&second, Err(error) if error.status() == Some(NfsStat4::ShareDenied));
    if let Ok(second) = second {
        second.close().await?;
    }
    file.close().await?;
    let _ = other.leave().await;
    let words =
        format!("own SETATTR, WRITE and READ work; another client is {}", if denied { "denied" } else { "let in" });
    Ok((denied && read == 12, words))
}

async fn reclaim(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("reclaim", b"").await?;
    let handle = file.handle().clone();
    file.close().await?;
    let owner = OpenOwner::new("reclaimer");
    let claim = OpenClaim4::Previous(OpenDelegationType4::None);
    let open = folder.client.open_args(claim, &owner, &OpenHow::read());
    // Not through the file interface, which would wait for the end of a grace period.
    let compound = CompoundBuilder::new().putfh(&handle).op(NfsArgop4::Open(Box::new(open)));
    let status = status_of(&folder.client.call(compound).await?, OpNum::Open)?;
    Ok((status == NfsStat4::NoGrace, status.rfc_name().into()))
}

/// The file interface says that it wants no delegation, which in 4.1 is a wish too: so the flags are set by hand.
async fn none_ext(folder: &Folder) -> Result<(bool, String)> {
    folder.file("none-ext", b"").await?.close().await?;
    let owner = OpenOwner::new("without wishes");
    let claim = OpenClaim4::Null(Bytes::from_static(b"none-ext"));
    let mut open = folder.client.open_args(claim, &owner, &OpenHow::read());
    open.share_access &= nfs4_protocol::nfs4::OPEN4_SHARE_ACCESS_BOTH;
    let compound = CompoundBuilder::new().putfh(&folder.handle).open(open).getfh();
    let mut reply = folder.client.call(compound).await?;
    let (opened, handle) = (reply.open()?, reply.getfh()?);
    let close = CompoundBuilder::new().putfh(&handle).close(0, opened.stateid);
    folder.client.call(close).await?.ok()?;
    let kind = match opened.delegation {
        OpenDelegation4::NoneExt(_) => "OPEN_DELEGATE_NONE_EXT without a wish",
        OpenDelegation4::None => "OPEN_DELEGATE_NONE without a wish",
        _ => "a delegation without a wish",
    };
    Ok((!matches!(opened.delegation, OpenDelegation4::NoneExt(_)), kind.into()))
}
