//! Links, named attributes, extended attributes, and what 4.2 brought.

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::nfs4::{
    Allocate4Args, Attrs, Clone4Args, Copy4Args, Copy4Res, DataContent4, Deallocate4Args, FATTR4_ARCHIVE,
    FATTR4_HIDDEN, FATTR4_TIME_BACKUP, FATTR4_TIME_CREATE, FATTR4_TYPE, Getxattr4Args, Link4Args, Listxattrs4Args,
    NfsArgop4, NfsFtype4, NfsResop4, Nfstime4, OpNum, Openattr4Args, Removexattr4Args, Seek4Args, Setxattr4Args,
    SetxattrOption4, Stateid4,
};

use super::{Folder, Trial, result};
use crate::probe::features::Feature;
use crate::probe::scene::{at, getattr};
use crate::{Error, OpenFile, OpenHow, Result};

pub(super) const TRIALS: &[Trial] = &[
    Trial { feature: Feature::HardLinks, since: 0, run: |folder| hard_links(folder).boxed() },
    Trial { feature: Feature::SymbolicLinks, since: 0, run: |folder| symbolic_links(folder).boxed() },
    Trial { feature: Feature::SettableOnly, since: 0, run: |folder| settable(folder).boxed() },
    Trial { feature: Feature::NamedAttributes, since: 0, run: |folder| named_attributes(folder).boxed() },
    Trial { feature: Feature::Xattrs, since: 2, run: |folder| xattrs(folder).boxed() },
    Trial { feature: Feature::Seek, since: 2, run: |folder| seek(folder).boxed() },
    Trial { feature: Feature::Allocate, since: 2, run: |folder| allocate(folder).boxed() },
    Trial { feature: Feature::Deallocate, since: 2, run: |folder| deallocate(folder).boxed() },
    Trial { feature: Feature::Copy, since: 2, run: |folder| copy(folder).boxed() },
    Trial { feature: Feature::Clone, since: 2, run: |folder| clone(folder).boxed() },
];

const CONTENT: &[u8] = b"0123456789";
/// Where the second piece of the sparse file begins, in bytes.
const FAR: u64 = 1 << 20;

async fn hard_links(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("linked", CONTENT).await?;
    let link = NfsArgop4::Link(Link4Args { newname: Bytes::from_static(b"second-name") });
    let linked = folder.ask(file.handle(), [NfsArgop4::Savefh, at(&folder.handle), link]).await;
    file.close().await?;
    linked?;
    let links = folder.client.lookup(&folder.handle, "second-name").await?.attrs.numlinks;
    Ok((links == Some(2), format!("numlinks {links:?}")))
}

async fn symbolic_links(folder: &Folder) -> Result<(bool, String)> {
    let link = folder.client.symlink(&folder.handle, "symlink", "some/where").await?;
    let target = folder.client.readlink(&link).await?;
    Ok((target == "some/where", String::from_utf8_lossy(&target).into_owned()))
}

/// Sets what the server tells of the attributes that macOS sets.
async fn settable(folder: &Folder) -> Result<(bool, String)> {
    let has = |number| folder.supported.contains(number);
    let time = Nfstime4 { seconds: 1_000_000_000, nseconds: 0 };
    let attrs = Attrs {
        archive: has(FATTR4_ARCHIVE).then_some(true),
        hidden: has(FATTR4_HIDDEN).then_some(true),
        time_backup: has(FATTR4_TIME_BACKUP).then_some(time),
        time_create: has(FATTR4_TIME_CREATE).then_some(time),
        ..Attrs::default()
    };
    if attrs.mask().is_empty() {
        return Ok((true, "none of them is told".into()));
    }
    let file = folder.file("settable", b"").await?;
    let set = folder.client.setattr(file.handle(), Stateid4::ANONYMOUS, &attrs).await;
    let numbers: Vec<u32> = attrs.mask().iter().collect();
    let seen = folder.client.getattr(file.handle(), &numbers).await?;
    file.close().await?;
    set?;
    Ok((seen == attrs, if seen == attrs { "they stay as set".into() } else { format!("{attrs:?} set, {seen:?} seen") }))
}

async fn named_attributes(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("named-attributes", b"").await?;
    let openattr = NfsArgop4::Openattr(Openattr4Args { createdir: true });
    let reply = folder.ask(file.handle(), [openattr, NfsArgop4::Getfh, getattr(&[FATTR4_TYPE])]).await;
    file.close().await?;
    let mut reply = reply?;
    let (directory, ftype) = (reply.getfh()?, reply.getattr()?.ftype);
    folder.client.write_file(&directory, "attribute", CONTENT, 1).await?;
    let content = folder.client.read_file(&directory, "attribute", 1).await?;
    folder.client.remove(&directory, "attribute").await?;
    Ok((ftype == Some(NfsFtype4::Attrdir) && content == CONTENT, format!("type {ftype:?}")))
}

async fn xattrs(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("xattrs", b"").await?;
    let name = || Bytes::from_static(b"probe");
    let option = SetxattrOption4::Create;
    let set = NfsArgop4::Setxattr(Box::new(Setxattr4Args { option, key: name(), value: Bytes::from_static(CONTENT) }));
    let get = NfsArgop4::Getxattr(Getxattr4Args { name: name() });
    let list = NfsArgop4::Listxattrs(Listxattrs4Args { cookie: 0, maxcount: 4096 });
    let remove = NfsArgop4::Removexattr(Removexattr4Args { name: name() });
    let reply = folder.ask(file.handle(), [set, get, list, remove]).await;
    file.close().await?;
    let reply = reply?;
    let value = match result(&reply, OpNum::Getxattr)? {
        NfsResop4::Getxattr(Ok(found)) => found.value.clone().into_bytes(),
        other => return Err(Error::Status { op: OpNum::Getxattr, status: other.status() }),
    };
    let listed = match result(&reply, OpNum::Listxattrs)? {
        NfsResop4::Listxattrs(Ok(found)) => found.names.iter().any(|listed| listed.0 == name()),
        _ => false,
    };
    Ok((
        value == CONTENT && listed,
        format!(
            "value {}, {}",
            if value == CONTENT { "as set" } else { "another" },
            if listed { "listed" } else { "not listed" }
        ),
    ))
}

/// A file with data at its beginning and far behind.
async fn sparse(folder: &Folder, name: &str) -> Result<OpenFile> {
    let file = folder.file(name, CONTENT).await?;
    file.write_stable(FAR, &Bytes::from_static(CONTENT), 1).await?;
    Ok(file)
}

async fn seek(folder: &Folder) -> Result<(bool, String)> {
    let file = sparse(folder, "seek").await?;
    let seek = |what: DataContent4, offset| {
        NfsArgop4::Seek(Seek4Args { stateid: file.stateid(), offset, what: what.as_u32() })
    };
    let mut seen = Vec::new();
    for (what, offset) in [(DataContent4::Data, 0), (DataContent4::Hole, 0), (DataContent4::Data, FAR / 2)] {
        let reply = folder.ask(file.handle(), [seek(what, offset)]).await?;
        match result(&reply, OpNum::Seek)? {
            NfsResop4::Seek(Ok(found)) => seen.push((found.offset, found.eof)),
            other => return Err(Error::Status { op: OpNum::Seek, status: other.status() }),
        }
    }
    file.close().await?;
    let right =
        matches!(seen[..], [(0, false), (hole, _), (data, false)] if hole >= CONTENT.len() as u64 && data <= FAR);
    Ok((
        right,
        format!("data at {}, hole at {}, data at {}", at_offset(&seen, 0), at_offset(&seen, 1), at_offset(&seen, 2)),
    ))
}

fn at_offset(seen: &[(u64, bool)], index: usize) -> u64 {
    seen.get(index).map_or(0, |(offset, _)| *offset)
}

async fn allocate(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("allocate", CONTENT).await?;
    let args = Allocate4Args { stateid: file.stateid(), offset: 0, length: 8192 };
    let allocated = folder.ask(file.handle(), [NfsArgop4::Allocate(args)]).await;
    let whole = file.read_to_end(1).await?;
    file.close().await?;
    allocated?;
    let right = whole.len() == 8192 && whole.starts_with(CONTENT);
    Ok((right, format!("the file has {} bytes", whole.len())))
}

async fn deallocate(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("deallocate", CONTENT).await?;
    let args = Deallocate4Args { stateid: file.stateid(), offset: 2, length: 3 };
    let made = folder.ask(file.handle(), [NfsArgop4::Deallocate(args)]).await;
    let whole = file.read_to_end(1).await?;
    file.close().await?;
    made?;
    Ok((whole == [b"01".as_slice(), &[0; 3], b"56789"].concat(), "zeros where the hole is".into()))
}

/// Copies a file to another one by `op`, and compares.
async fn transfer(
    folder: &Folder,
    names: [&str; 2],
    op: impl FnOnce(Stateid4, Stateid4) -> NfsArgop4,
) -> Result<(bool, crate::Reply)> {
    let [from, to] = names;
    let source = folder.file(from, CONTENT).await?;
    let target = folder.file(to, b"").await?;
    let op = op(source.stateid(), target.stateid());
    let reply = folder.ask(source.handle(), [NfsArgop4::Savefh, at(target.handle()), op]).await;
    source.close().await?;
    target.close().await?;
    let reply = reply?;
    let file = folder.client.open(&folder.handle, to, OpenHow::read()).await?;
    let whole = file.read_to_end(1).await?;
    file.close().await?;
    Ok((whole == CONTENT, reply))
}

async fn copy(folder: &Folder) -> Result<(bool, String)> {
    let args = |src_stateid, dst_stateid| {
        NfsArgop4::Copy(Box::new(Copy4Args {
            src_stateid,
            dst_stateid,
            src_offset: 0,
            dst_offset: 0,
            count: CONTENT.len() as u64,
            consecutive: true,
            synchronous: true,
            source_server: Vec::new(),
        }))
    };
    let (same, reply) = transfer(folder, ["copy-from", "copy-to"], args).await?;
    let synchronous = match result(&reply, OpNum::Copy)? {
        NfsResop4::Copy(copied) => matches!(&**copied, Copy4Res::Ok(done) if done.response.callback_id.is_none()),
        _ => false,
    };
    Ok((same && synchronous, format!("same bytes: {same}; done before the reply: {synchronous}")))
}

async fn clone(folder: &Folder) -> Result<(bool, String)> {
    let args = |src_stateid, dst_stateid| {
        NfsArgop4::Clone(Clone4Args { src_stateid, dst_stateid, src_offset: 0, dst_offset: 0, count: 0 })
    };
    let (same, _) = transfer(folder, ["clone-from", "clone-to"], args).await?;
    Ok((same, format!("same bytes: {same}")))
}
