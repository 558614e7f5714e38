//! OPEN, OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE (RFC 7530 §16.2, §16.16, §16.18, §16.19; RFC 8881 §18.2, §18.16, §18.18).

use std::sync::Arc;

use nfs4_protocol::nfs4::{
    ChangeInfo4, Close4Args, NfsStat4, OPEN4_RESULT_CONFIRM, OPEN4_RESULT_LOCKTYPE_POSIX,
    OPEN4_RESULT_PRESERVE_UNLINKED, OPEN4_SHARE_ACCESS_BOTH, OPEN4_SHARE_ACCESS_WANT_CANCEL,
    OPEN4_SHARE_ACCESS_WANT_DELEG_MASK, OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
    OPEN4_SHARE_ACCESS_WANT_PUSH_DELEG_WHEN_UNCONTENDED, OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL,
    OPEN4_SHARE_DENY_BOTH, Open4Args, Open4Resok, OpenClaim4, OpenConfirm4Args, OpenConfirm4Resok, OpenDelegation4,
    OpenDowngrade4Args, OpenDowngrade4Resok, OpenNoneDelegation4, Openflag4, Stateid4, WhyNoDelegation4,
};

use super::context::{CompoundContext, Outcome, file_key};
use super::open_file::{self, Found};
use crate::fs::filesystem::{Located, SetAttributes};
use crate::state::{Claim, OpenRequest, Opened};

/// What `share_access` and `share_deny` ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// `OPEN4_SHARE_ACCESS_*`, 1 to 3.
    pub(super) access: u32,
    /// `OPEN4_SHARE_DENY_*`, 0 to 3.
    deny: u32,
    /// The wish for a delegation (`OPEN4_SHARE_ACCESS_WANT_*`); 0 when there is none.
    want: u32,
}

impl Wish {
    /// Takes the two words apart; bits that the minor version does not have are NFS4ERR_INVAL (RFC 8881 §18.16.3).
    fn parse(minor: u32, share_access: u32, share_deny: u32) -> Result<Self, NfsStat4> {
        let hints = match minor {
            0 => 0,
            _ => {
                OPEN4_SHARE_ACCESS_WANT_DELEG_MASK
                    | OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL
                    | OPEN4_SHARE_ACCESS_WANT_PUSH_DELEG_WHEN_UNCONTENDED
            }
        };
        let access = share_access & !hints;
        let want = share_access & hints & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
        let is_known = (1..=OPEN4_SHARE_ACCESS_BOTH).contains(&access)
            && share_deny <= OPEN4_SHARE_DENY_BOTH
            && want <= OPEN4_SHARE_ACCESS_WANT_CANCEL;
        if is_known { Ok(Self { access, deny: share_deny, want }) } else { Err(NfsStat4::Inval) }
    }

    /// No delegation; with a reason only where the client asked about one: macOS takes OPEN_DELEGATE_NONE_EXT for a
    /// broken reply otherwise.
    fn no_delegation(self) -> OpenDelegation4 {
        match self.want {
            0 => OpenDelegation4::None,
            OPEN4_SHARE_ACCESS_WANT_NO_DELEG => none_ext(WhyNoDelegation4::NotWanted),
            OPEN4_SHARE_ACCESS_WANT_CANCEL => none_ext(WhyNoDelegation4::Cancelled),
            _ => OpenDelegation4::NoneExt(OpenNoneDelegation4::Resource(false)),
        }
    }
}

fn none_ext(why: WhyNoDelegation4) -> OpenDelegation4 {
    OpenDelegation4::NoneExt(OpenNoneDelegation4::Other(why))
}

/// OPEN.
pub(super) async fn open(cx: &mut CompoundContext, args: Open4Args) -> Outcome<Open4Resok> {
    let wish = Wish::parse(cx.minor(), args.share_access, args.share_deny)?;
    let claim = check_claim(cx, &args)?;
    let client = cx.owner_client(args.owner.clientid);
    cx.service().state(|state, now| state.may_open(client, claim, now))?;

    let found = open_file::find(cx, &args, wish).await?;
    let file = file_key(found.node.key);
    let guard = Arc::new(cx.fs().open(&found.node.handle).await?);
    let request = OpenRequest { client, owner: &args.owner.owner, file, access: wish.access, deny: wish.deny, claim };
    let opened = cx.service().state(|state, now| state.open(request, guard, now))?;
    if found.truncate {
        truncate(cx, &found.node, opened).await?;
    }
    Ok(answer(cx, found, opened, wish))
}

/// Whether the claim can be served, and what it is to the state machine.
fn check_claim(cx: &CompoundContext, args: &Open4Args) -> Result<Claim, NfsStat4> {
    let creates = matches!(args.openhow, Openflag4::Create(_));
    let claim = match &args.claim {
        OpenClaim4::Null(_) => return Ok(Claim::New),
        OpenClaim4::Previous(_) => Claim::Reclaim,
        OpenClaim4::Fh if cx.minor() > 0 => Claim::New,
        // No delegation was ever given, so no stateid can be one.
        OpenClaim4::DelegateCur(_) => return Err(NfsStat4::BadStateid),
        OpenClaim4::DelegCurFh(_) if cx.minor() > 0 => return Err(NfsStat4::BadStateid),
        // RFC 8881 §18.16.3: what a server that keeps no delegations over a restart of the client answers.
        OpenClaim4::DelegatePrev(_) => return Err(NfsStat4::Notsupp),
        OpenClaim4::DelegPrevFh if cx.minor() > 0 => return Err(NfsStat4::Notsupp),
        // The union of 4.0 has no such arm.
        OpenClaim4::Fh | OpenClaim4::DelegCurFh(_) | OpenClaim4::DelegPrevFh => return Err(NfsStat4::Badxdr),
    };
    if creates { Err(NfsStat4::Inval) } else { Ok(claim) }
}

/// Cuts an existing file to nothing, now that no share reservation is in the way. Where that fails, so does the OPEN.
async fn truncate(cx: &CompoundContext, node: &Located, opened: Opened) -> Outcome<()> {
    let empty = SetAttributes { size: Some(0), ..SetAttributes::default() };
    let Err(error) = cx.fs().setattr(&node.handle, &empty).await else { return Ok(()) };
    cx.service().state(|state, _| state.cancel_open(opened));
    Err(error.into())
}

/// The result; file and stateid become the current ones.
fn answer(cx: &mut CompoundContext, found: Found, opened: Opened, wish: Wish) -> Open4Resok {
    let mut rflags = OPEN4_RESULT_LOCKTYPE_POSIX;
    if opened.needs_confirm {
        rflags |= OPEN4_RESULT_CONFIRM;
    }
    if cx.minor() > 0 {
        rflags |= OPEN4_RESULT_PRESERVE_UNLINKED;
    }
    cx.set_current(found.node);
    cx.set_current_stateid(opened.stateid);
    Open4Resok {
        stateid: opened.stateid,
        cinfo: found.change.unwrap_or(ChangeInfo4 { atomic: false, before: 0, after: 0 }),
        rflags,
        attrset: found.attrset.unwrap_or_default(),
        delegation: wish.no_delegation(),
    }
}

/// OPEN_CONFIRM (4.0).
pub(super) fn open_confirm(cx: &mut CompoundContext, args: OpenConfirm4Args) -> Outcome<OpenConfirm4Resok> {
    let file = cx.current_file()?;
    let open_stateid = cx.service().state(|state, now| state.open_confirm(&args.open_stateid, file, now))?;
    Ok(OpenConfirm4Resok { open_stateid })
}

/// OPEN_DOWNGRADE.
pub(super) fn open_downgrade(cx: &mut CompoundContext, args: OpenDowngrade4Args) -> Outcome<OpenDowngrade4Resok> {
    let wish = Wish::parse(cx.minor(), args.share_access, args.share_deny)?;
    let file = cx.current_file()?;
    let given = cx.stateid(args.open_stateid)?;
    let caller = cx.state_caller();
    let open_stateid =
        cx.service().state(|state, now| state.open_downgrade(caller, &given, file, wish.access, wish.deny, now))?;
    cx.set_current_stateid(open_stateid);
    Ok(OpenDowngrade4Resok { open_stateid })
}

/// CLOSE.
pub(super) fn close(cx: &mut CompoundContext, args: Close4Args) -> Outcome<Stateid4> {
    let file = cx.current_file()?;
    let given = cx.stateid(args.open_stateid)?;
    let caller = cx.state_caller();
    // The open file is let go here, outside the lock of the state.
    let closed = cx.service().state(|state, now| state.close(caller, &given, file, now))?;
    cx.set_current_stateid(closed.stateid);
    Ok(closed.stateid)
}
