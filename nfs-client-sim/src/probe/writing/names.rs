//! Names, and files without one; creation; owners.

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::nfs4::{
    Attrs, FATTR4_CHANGE, FATTR4_MODE, FATTR4_OWNER, FATTR4_SIZE, NfsStat4, OPEN4_RESULT_PRESERVE_UNLINKED, Stateid4,
    Verifier4,
};

use super::{Folder, Trial};
use crate::probe::features::Feature;
use crate::{Error, OpenFile, OpenHow, Result};

pub(super) const TRIALS: &[Trial] = &[
    Trial { feature: Feature::ChangeWithNames, since: 0, run: |folder| change_with_names(folder).boxed() },
    Trial { feature: Feature::UnlinkedOpen, since: 0, run: |folder| unlinked(folder).boxed() },
    Trial { feature: Feature::ReplacedOpen, since: 0, run: |folder| replaced(folder).boxed() },
    Trial { feature: Feature::PreserveUnlinked, since: 1, run: |folder| preserve_unlinked(folder).boxed() },
    Trial { feature: Feature::AppleNames, since: 0, run: |folder| apple_names(folder).boxed() },
    Trial { feature: Feature::CreateGuarded, since: 0, run: |folder| guarded(folder).boxed() },
    Trial { feature: Feature::CreateExclusive, since: 0, run: |folder| exclusive(folder).boxed() },
    Trial { feature: Feature::CreateExclusiveAttributes, since: 1, run: |folder| exclusive_mode(folder).boxed() },
    Trial { feature: Feature::RootIsRoot, since: 0, run: |folder| root(folder).boxed() },
    Trial { feature: Feature::NumericOwnersSet, since: 0, run: |folder| numeric_owner(folder).boxed() },
];

const CONTENT: &[u8] = b"still here";

async fn change_with_names(folder: &Folder) -> Result<(bool, String)> {
    let change = async || folder.client.getattr(&folder.handle, &[FATTR4_CHANGE]).await;
    let mut changes = vec![change().await?.change];
    folder.file("coming", b"").await?.close().await?;
    changes.push(change().await?.change);
    folder.client.rename(&folder.handle, "coming", &folder.handle, "going").await?;
    changes.push(change().await?.change);
    folder.client.remove(&folder.handle, "going").await?;
    changes.push(change().await?.change);
    let rises = changes.windows(2).all(|pair| pair.first() < pair.last());
    Ok((rises, if rises { "with create, rename and remove".into() } else { format!("{changes:?}") }))
}

async fn unlinked(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("unlinked", CONTENT).await?;
    folder.client.remove(&folder.handle, "unlinked").await?;
    outlives(&file).await.map(|()| (true, "read and written after REMOVE".into()))
}

async fn replaced(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("replaced", CONTENT).await?;
    folder.file("replacement", b"other").await?.close().await?;
    folder.client.rename(&folder.handle, "replacement", &folder.handle, "replaced").await?;
    outlives(&file).await.map(|()| (true, "read and written after RENAME over it".into()))
}

/// Reads, writes and asks an open file that has no name any more.
async fn outlives(file: &OpenFile) -> Result<()> {
    if file.read_at(0, 64).await?.data.into_bytes() != CONTENT {
        return Err(Error::Status { op: nfs4_protocol::nfs4::OpNum::Read, status: NfsStat4::Stale });
    }
    file.write_at(0, Bytes::from_static(b"and"), nfs4_protocol::nfs4::StableHow4::FileSync).await?;
    file.getattr(&[FATTR4_SIZE]).await.map(drop)
}

async fn preserve_unlinked(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("preserve", b"").await?;
    let flags = file.opened().rflags;
    file.close().await?;
    Ok((flags & OPEN4_RESULT_PRESERVE_UNLINKED != 0, format!("flags of OPEN: {flags:#x}")))
}

async fn apple_names(folder: &Folder) -> Result<(bool, String)> {
    for name in ["._name", ".DS_Store"] {
        folder.file(name, b"apple").await?.close().await?;
        folder.client.remove(&folder.handle, name).await?;
    }
    Ok((true, "made and removed".into()))
}

/// Whether a creation is refused because the name is taken.
fn taken(result: Result<OpenFile>) -> Result<bool> {
    match result {
        Err(error) if error.status() == Some(NfsStat4::Exist) => Ok(true),
        result => result.map(|_| false),
    }
}

async fn guarded(folder: &Folder) -> Result<(bool, String)> {
    let create = || folder.client.open(&folder.handle, "guarded", OpenHow::both().guarded(Attrs::default()));
    let file = create().await?;
    let refused = taken(create().await)?;
    file.close().await?;
    Ok((refused, if refused { "NFS4ERR_EXIST" } else { "the file was opened" }.into()))
}

async fn exclusive(folder: &Folder) -> Result<(bool, String)> {
    let create = |verifier| {
        let how = OpenHow::both().exclusive(Verifier4([verifier; 8]), 0o640);
        folder.client.open(&folder.handle, "exclusive", how)
    };
    let file = create(1).await?;
    let again = create(1).await?;
    let same = file.handle() == again.handle();
    let refused = taken(create(2).await)?;
    file.close().await?;
    again.close().await?;
    Ok((
        same && refused,
        format!(
            "same verifier: {}; another: {}",
            if same { "same file" } else { "another file" },
            if refused { "refused" } else { "not refused" }
        ),
    ))
}

async fn exclusive_mode(folder: &Folder) -> Result<(bool, String)> {
    let how = OpenHow::both().exclusive(Verifier4([3; 8]), 0o640);
    let file = folder.client.open(&folder.handle, "exclusive-mode", how).await?;
    let mode = file.getattr(&[FATTR4_MODE]).await?.mode;
    file.close().await?;
    Ok((mode == Some(0o640), mode.map_or("not told".into(), |mode| format!("mode {mode:#o} of 0o640"))))
}

async fn owner(folder: &Folder, name: &str) -> Result<String> {
    let handle = folder.client.lookup(&folder.handle, name).await?.handle;
    let owner = folder.client.getattr(&handle, &[FATTR4_OWNER]).await?.owner.unwrap_or_default();
    Ok(String::from_utf8_lossy(&owner).into_owned())
}

async fn root(folder: &Folder) -> Result<(bool, String)> {
    folder.file("root", b"").await?.close().await?;
    let owner = owner(folder, "root").await?;
    let is_root = owner == "0" || owner == "root" || owner.starts_with("root@");
    Ok((is_root, format!("a file that root made is {owner}'s")))
}

async fn numeric_owner(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("owned", b"").await?;
    let attrs = Attrs { owner: Some(Bytes::from_static(b"1234")), ..Attrs::default() };
    folder.client.setattr(file.handle(), Stateid4::ANONYMOUS, &attrs).await?;
    file.close().await?;
    let owner = owner(folder, "owned").await?;
    Ok((owner == "1234", format!("1234 set, {owner} seen")))
}
