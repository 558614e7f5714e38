//! The clients of 4.0: SETCLIENTID, SETCLIENTID_CONFIRM, RENEW, RELEASE_LOCKOWNER.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Netaddr4, ReleaseLockowner4Args, ReleaseLockowner4Res, Renew4Args, Renew4Res, Setclientid4Args, Setclientid4Res,
    Setclientid4Resok, SetclientidConfirm4Args, SetclientidConfirm4Res,
};

use super::context::CompoundContext;
use crate::state::{Callback40, ClientId, SetClientId, SetClientIdError};

/// SETCLIENTID (RFC 7530 §16.33).
pub(super) fn setclientid(cx: &CompoundContext, args: Setclientid4Args) -> Setclientid4Res {
    let location = args.callback.location;
    let callback = Callback40 {
        program: args.callback.program,
        netid: text(&location.netid),
        addr: text(&location.addr),
        ident: args.callback_ident,
    };
    let request =
        SetClientId { verifier: args.client.verifier, owner: &args.client.id, callback, principal: cx.principal() };
    match cx.service().state(|state, now| state.setclientid(request, now)) {
        Ok(ok) => Setclientid4Res::Ok(Setclientid4Resok { clientid: ok.clientid.0, setclientid_confirm: ok.confirm }),
        Err(SetClientIdError::InUse { netid, addr }) => {
            Setclientid4Res::ClidInuse(Netaddr4 { netid: Bytes::from(netid), addr: Bytes::from(addr) })
        }
        Err(SetClientIdError::Status(status)) => Setclientid4Res::Error(status),
    }
}

/// An address that is no text cannot be called; the client just gets no callbacks.
fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// SETCLIENTID_CONFIRM (RFC 7530 §16.34).
pub(super) fn setclientid_confirm(cx: &CompoundContext, args: SetclientidConfirm4Args) -> SetclientidConfirm4Res {
    cx.service().state(|state, now| {
        state.setclientid_confirm(ClientId(args.clientid), args.setclientid_confirm, cx.principal(), now)
    })
}

/// RENEW (RFC 7530 §16.28).
pub(super) fn renew(cx: &CompoundContext, args: Renew4Args) -> Renew4Res {
    cx.service().state(|state, now| state.renew(ClientId(args.clientid), now))
}

/// RELEASE_LOCKOWNER (RFC 7530 §16.37).
pub(super) fn release_lockowner(cx: &CompoundContext, args: ReleaseLockowner4Args) -> ReleaseLockowner4Res {
    let owner = args.lock_owner;
    cx.service().state(|state, now| state.release_lockowner(ClientId(owner.clientid), &owner.owner, now))
}
