//! How the server answers questions about objects: bitmaps, names, listings, security.

use std::collections::BTreeSet;

use bytes::Bytes;
use nfs4_protocol::nfs4::*;

use super::features::Feature;
use super::report::Notes;
use super::scene::{Scene, lookup, result_of, status_of};
use crate::{Error, Reply, Result};

/// An attribute that nobody has defined.
const NO_ATTRIBUTE: u32 = 150;
/// How many entries of the directory are looked at.
const ENTRIES_MAX: usize = 500;
/// How large one page of the listing is, in bytes.
const PAGE_BYTES: u32 = 8192;
/// The rights to extended attributes.
const XATTR_RIGHTS: u32 = ACCESS4_XAREAD | ACCESS4_XAWRITE | ACCESS4_XALIST;

/// Asks about the directory.
pub(super) async fn look(scene: &mut Scene) -> Result<()> {
    root(scene).await?;
    bitmaps(scene).await?;
    rights(scene).await?;
    listing(scene).await?;
    security(scene).await?;
    claim_fh(scene).await
}

async fn root(scene: &mut Scene) -> Result<()> {
    let reply = scene.talk.call(vec![NfsArgop4::Putrootfh, NfsArgop4::Getfh]).await?;
    let status = reply.status();
    scene.notes.found(Feature::RootHandle, status == NfsStat4::Ok, status.rfc_name());
    let reply = scene.talk.call(vec![NfsArgop4::Putrootfh, NfsArgop4::Lookupp]).await?;
    let status = status_of(&reply, OpNum::Lookupp)?;
    scene.notes.found(Feature::ParentOfRoot, status == NfsStat4::Noent, status.rfc_name());
    Ok(())
}

async fn bitmaps(scene: &mut Scene) -> Result<()> {
    let getattr = |attr_request| NfsArgop4::Getattr(Getattr4Args { attr_request });
    // Four words more than needed, all zero.
    let padded = Bitmap4::from_words(&[1 << FATTR4_TYPE, 0, 0, 0, 0]);
    let reply = scene.ask([getattr(padded.clone())]).await?;
    answered(&mut scene.notes, Feature::LongBitmaps, &reply);
    let unknown = [FATTR4_TYPE, NO_ATTRIBUTE].into_iter().collect();
    let reply = scene.ask([getattr(unknown)]).await?;
    answered(&mut scene.notes, Feature::UnknownBitsIgnored, &reply);
    let directory = Bytes::copy_from_slice(&NfsFtype4::Dir.as_u32().to_be_bytes());
    let verify =
        |attrmask, attr_vals| NfsArgop4::Verify(Verify4Args { obj_attributes: Fattr4 { attrmask, attr_vals } });
    let reply = scene.ask([verify(padded, directory)]).await?;
    answered(&mut scene.notes, Feature::PaddedVerify, &reply);
    let reply = scene.ask([verify([NO_ATTRIBUTE].into_iter().collect(), Bytes::from_static(&[0; 4]))]).await?;
    let status = reply.status();
    scene.notes.found(Feature::UnknownBitsRefused, status == NfsStat4::Attrnotsupp, status.rfc_name());
    Ok(())
}

fn answered(notes: &mut Notes, feature: Feature, reply: &Reply) {
    let status = reply.status();
    notes.found(feature, status == NfsStat4::Ok, status.rfc_name());
}

async fn rights(scene: &mut Scene) -> Result<()> {
    let all = ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE | ACCESS4_EXECUTE;
    let asked = if scene.minor >= 2 { all | XATTR_RIGHTS } else { all };
    let reply = scene.ask([NfsArgop4::Access(Access4Args { access: asked })]).await?.access()?;
    let words = format!("asked {asked:#x}, supported {:#x}, granted {:#x}", reply.supported, reply.access);
    scene.notes.fact("file system", "access of root", words.clone());
    if scene.minor >= 2 {
        scene.notes.found(Feature::XattrAccess, reply.supported & XATTR_RIGHTS == XATTR_RIGHTS, words);
    }
    Ok(())
}

/// Lists the directory: cookies, fileids, and going on with a zero verifier as macOS may.
async fn listing(scene: &mut Scene) -> Result<()> {
    let (mut cookies, mut fileids, mut entries) = (BTreeSet::new(), BTreeSet::new(), 0);
    let (mut cookie, mut pages) = (0, 0);
    let mut zero_verifier = Ok(());
    loop {
        let page = readdir(scene, cookie).await;
        let page = match page {
            Err(error) if pages > 0 => {
                zero_verifier = Err(error);
                break;
            }
            page => page?,
        };
        pages += 1;
        for entry in &page.reply.entries {
            entries += 1;
            cookies.insert(entry.cookie);
            cookie = entry.cookie;
            fileids.insert(entry.attrs.parse()?.fileid.unwrap_or_default());
        }
        if page.reply.eof || page.reply.entries.is_empty() || entries >= ENTRIES_MAX {
            break;
        }
    }
    if entries > 0 && pages == 1 {
        zero_verifier = readdir(scene, cookie).await.map(drop);
    }
    let notes = &mut scene.notes;
    notes.fact("listing", "entries looked at", entries);
    if entries == 0 {
        for feature in [Feature::CookiesAboveTwo, Feature::Fileids, Feature::ZeroVerifier] {
            notes.unknown(feature, "the directory is empty");
        }
        return Ok(());
    }
    let low = cookies.range(..=2).next().is_some();
    notes.found(Feature::CookiesAboveTwo, !low && cookies.len() == entries, format!("{} cookies", cookies.len()));
    // Two names of one file have one fileid, so it is zero alone that is wrong beyond doubt.
    let words = format!("{} fileids of {entries} names", fileids.len());
    notes.found(Feature::Fileids, !fileids.contains(&0), words);
    notes.tried(Feature::ZeroVerifier, zero_verifier.map(|()| (true, format!("{pages} pages"))));
    Ok(())
}

async fn readdir(scene: &mut Scene, cookie: u64) -> Result<Readdir4Resok> {
    let args = Readdir4Args {
        cookie,
        cookieverf: Verifier4::default(),
        dircount: PAGE_BYTES,
        maxcount: PAGE_BYTES,
        attr_request: [FATTR4_FILEID, FATTR4_RDATTR_ERROR].into_iter().collect(),
    };
    scene.ask([NfsArgop4::Readdir(Box::new(args))]).await?.readdir()
}

/// SECINFO of the last name of the path, or SECINFO_NO_NAME of the root where the path is empty.
async fn security(scene: &mut Scene) -> Result<()> {
    let (op, reply) = match (scene.names.split_last(), scene.minor) {
        (Some((last, above)), _) => {
            let mut ops = vec![NfsArgop4::Putrootfh];
            ops.extend(above.iter().cloned().map(lookup));
            ops.push(NfsArgop4::Secinfo(Secinfo4Args { name: last.clone() }));
            (OpNum::Secinfo, scene.talk.call(ops).await?)
        }
        (None, 0) => {
            scene.notes.unknown(Feature::Secinfo, "the root has no name");
            scene.notes.unknown(Feature::SysAllowed, "the root has no name");
            return Ok(());
        }
        (None, _) => {
            let args = NfsArgop4::SecinfoNoName(SecinfoStyle4::CurrentFh);
            (OpNum::SecinfoNoName, scene.talk.call(vec![NfsArgop4::Putrootfh, args]).await?)
        }
    };
    let flavors = match result_of(&reply, op) {
        Some(NfsResop4::Secinfo(Ok(found)) | NfsResop4::SecinfoNoName(Ok(found))) => Ok(found.flavors.clone()),
        _ => Err(reply.ok().err().unwrap_or(Error::Missing(op))),
    };
    let notes = &mut scene.notes;
    match flavors {
        Err(error) => {
            notes.found(Feature::Secinfo, false, error.to_string());
            notes.unknown(Feature::SysAllowed, "SECINFO failed");
        }
        Ok(flavors) => {
            let names: Vec<String> = flavors.iter().map(flavor).collect();
            notes.fact("security", "flavours", names.join(", "));
            notes.found(Feature::Secinfo, !names.is_empty(), names.join(", "));
            notes.found(Feature::SysAllowed, names.iter().any(|name| name == "sys"), names.join(", "));
        }
    }
    Ok(())
}

fn flavor(flavor: &Secinfo4) -> String {
    match flavor {
        Secinfo4::RpcsecGss(info) => match info.service {
            RpcGssSvc::None => "krb5".into(),
            RpcGssSvc::Integrity => "krb5i".into(),
            RpcGssSvc::Privacy => "krb5p".into(),
        },
        Secinfo4::Flavor(nfs4_protocol::rpc::AUTH_SYS) => "sys".into(),
        Secinfo4::Flavor(nfs4_protocol::rpc::AUTH_NONE) => "none".into(),
        Secinfo4::Flavor(other) => other.to_string(),
    }
}

/// CLAIM_FH of the directory: a server that knows the claim says what is wrong with the object.
async fn claim_fh(scene: &mut Scene) -> Result<()> {
    if scene.minor == 0 {
        return Ok(());
    }
    let owner = StateOwner4 { clientid: scene.talk.clientid, owner: Bytes::from_static(b"probe") };
    let args = Open4Args {
        seqid: 0,
        share_access: OPEN4_SHARE_ACCESS_READ | OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
        share_deny: 0,
        owner,
        openhow: Openflag4::Nocreate,
        claim: OpenClaim4::Fh,
    };
    let reply = scene.ask([NfsArgop4::Open(Box::new(args))]).await?;
    let status = status_of(&reply, OpNum::Open)?;
    let knows = matches!(status, NfsStat4::Isdir | NfsStat4::WrongType);
    scene.notes.found(Feature::ClaimFh, knows, format!("of a directory: {status}"));
    Ok(())
}
