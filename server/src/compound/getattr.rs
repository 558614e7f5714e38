//! Attributes of the current filehandle: GETATTR, VERIFY, NVERIFY, ACCESS, and SETATTR in a file of its own.

mod setattr;

#[cfg(test)]
mod tests;

use nfs4_protocol::nfs4::*;

use super::attributes::{Facts, MODE_BITS, Query};
use super::{CompoundContext, Outcome, permission};
use crate::fs::filesystem::Located;

pub(super) use setattr::setattr;

/// The bits of ACCESS that 4.0 and 4.1 define.
const ACCESS_BITS: u32 =
    ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE | ACCESS4_EXECUTE;

/// GETATTR (RFC 7530 §16.7, RFC 8881 §18.7).
pub(super) async fn getattr(cx: &mut CompoundContext, args: Getattr4Args) -> Outcome<Getattr4Resok> {
    let node = cx.current()?;
    let query = Query::new(cx, &args.attr_request)?;
    Ok(Getattr4Resok { obj_attributes: answer(cx, &node, &query).await?.to_fattr4() })
}

async fn answer(cx: &CompoundContext, node: &Located, query: &Query) -> Outcome<Attrs> {
    let fs = cx.fs();
    // Attributes may have to be fetched, so only where the answer depends on them.
    let needed = query.wants_attributes() || query.wants_mounted_on_fileid();
    let attributes = if needed { Some(fs.getattr(&node.handle).await?) } else { None };
    let space = if query.wants_space() { Some(fs.space(&node.handle).await?) } else { None };
    Ok(query.attrs(Facts { node, attributes: attributes.as_ref(), space }))
}

/// VERIFY (RFC 7530 §16.35, RFC 8881 §18.31).
pub(super) async fn verify(cx: &mut CompoundContext, args: Verify4Args) -> Outcome<()> {
    if is_same(cx, &args.obj_attributes).await? { Ok(()) } else { Err(NfsStat4::NotSame.into()) }
}

/// NVERIFY (RFC 7530 §16.15, RFC 8881 §18.15).
pub(super) async fn nverify(cx: &mut CompoundContext, args: Nverify4Args) -> Outcome<()> {
    if is_same(cx, &args.obj_attributes).await? { Err(NfsStat4::Same.into()) } else { Ok(()) }
}

/// Whether all attributes are as the client has them. Bitmaps are equal when their bits are: ESXi appends words of
/// zeros.
async fn is_same(cx: &CompoundContext, theirs: &Fattr4) -> Outcome<bool> {
    let node = cx.current()?;
    if theirs.attrmask.contains(FATTR4_RDATTR_ERROR) {
        return Err(NfsStat4::Inval.into());
    }
    let query = Query::new(cx, &theirs.attrmask)?;
    if !query.is_complete(&theirs.attrmask) {
        return Err(NfsStat4::Attrnotsupp.into());
    }
    let mut theirs = theirs.parse().map_err(|error| error.status())?;
    if theirs.mode.is_some_and(|mode| mode & !MODE_BITS != 0) {
        return Err(NfsStat4::Inval.into()); // RFC 7530 §6.2.2, RFC 8881 §6.2.4
    }
    for bitmap in [&mut theirs.supported_attrs, &mut theirs.suppattr_exclcreat] {
        *bitmap = bitmap.take().map(|bitmap| bitmap.iter().collect());
    }
    Ok(answer(cx, &node, &query).await? == theirs)
}

/// ACCESS (RFC 7530 §16.1, RFC 8881 §18.1). Bits that are not defined are NFS4ERR_INVAL; 4.2 can be extended, and there
/// they are just not supported.
pub(super) async fn access(cx: &mut CompoundContext, args: Access4Args) -> Outcome<Access4Resok> {
    let node = cx.current()?;
    if cx.minor() < 2 && args.access & !ACCESS_BITS != 0 {
        return Err(NfsStat4::Inval.into());
    }
    let attributes = cx.fs().getattr(&node.handle).await?;
    Ok(Access4Resok {
        supported: args.access & permission::access_supported(attributes.kind),
        access: permission::access_granted(&attributes, cx.caller(), args.access),
    })
}
