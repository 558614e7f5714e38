//! SECINFO and SECINFO_NO_NAME (RFC 7530 §16.31; RFC 8881 §18.29, §18.45): every object can be reached the same ways.

use nfs4_protocol::nfs4::{NfsStat4, Secinfo4, Secinfo4Args, Secinfo4Resok, SecinfoStyle4};
use nfs4_protocol::rpc::{AUTH_NONE, AUTH_SYS};

use super::context::{CompoundContext, Failure, Outcome};
use super::names::name;
use super::permission;
use crate::fs::filesystem::NodeKind;

/// SECINFO.
pub(super) async fn secinfo(cx: &mut CompoundContext, args: Secinfo4Args) -> Outcome<Secinfo4Resok> {
    let dir = cx.current_dir()?;
    let name = name(&args.name)?;
    // As for LOOKUP and LOOKUPP (RFC 8881 §18.29.3, §18.45.3).
    permission::require_in_directory(cx, &dir, permission::EXECUTE).await?;
    cx.fs().lookup(&dir.handle, name).await?;
    Ok(flavors(cx))
}

/// SECINFO_NO_NAME.
pub(super) async fn secinfo_no_name(cx: &mut CompoundContext, style: SecinfoStyle4) -> Outcome<Secinfo4Resok> {
    if style == SecinfoStyle4::Parent {
        let node = cx.current()?;
        if node.kind != NodeKind::Directory {
            return Err(Failure::Status(NfsStat4::Notdir));
        }
        permission::require_in_directory(cx, &node, permission::EXECUTE).await?;
        cx.fs().parent(&node.handle).await?;
    }
    Ok(flavors(cx))
}

/// The flavours in the order of preference; macOS takes the first one. In 4.1 the current filehandle is used up.
fn flavors(cx: &mut CompoundContext) -> Secinfo4Resok {
    if cx.minor() > 0 {
        cx.consume_current();
    }
    Secinfo4Resok { flavors: vec![Secinfo4::Flavor(AUTH_SYS), Secinfo4::Flavor(AUTH_NONE)] }
}
