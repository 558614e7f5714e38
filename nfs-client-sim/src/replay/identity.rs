//! What names something to one server only, or to one life of a client: where it stands in arguments and results.
//!
//! The matches name every operation, so that a new one cannot be forgotten.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    ChangeInfo4, Clientid4, Copy4Res, Createhow4, Deviceid4, Entry4, Fattr4, Fsid4, GetDirDelegation4ResNonFatal,
    Layoutget4Res, Layoutrecall4, Layoutreturn4, Lock4Res, Locker4, Lockt4Res, NfsArgop4, NfsCbArgop4, NfsCbResop4,
    NfsCookie4, NfsFh4, NfsResop4, OffloadInfo4, OpenClaim4, OpenDelegation4, Openflag4, Sessionid4, Setclientid4Res,
    StateOwner4, Stateid4, Verifier4, WriteResponse4,
};

/// One identity, where it stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Identity<'a> {
    /// Of a file.
    Filehandle(&'a mut NfsFh4),
    /// Of an open, a lock, a delegation, a layout or a copy. The special ones (RFC 8881 §8.2.3) come as well.
    Stateid(&'a mut Stateid4),
    /// Of a client.
    Clientid(&'a mut Clientid4),
    /// Of a session.
    Sessionid(&'a mut Sessionid4),
    /// Of a pNFS device.
    Deviceid(&'a mut Deviceid4),
    /// What a client calls itself: `nfs_client_id4.id`, `co_ownerid`.
    ClientName(&'a mut Bytes),
    /// A verifier.
    Verifier(Verifies, &'a mut Verifier4),
    /// A place in a directory, a list of attributes or of devices. The start, 0, is the same everywhere and not shown.
    Cookie(&'a mut NfsCookie4),
    /// The value of the change attribute.
    Change(&'a mut u64),
    /// Of a file system.
    Fsid(&'a mut Fsid4),
    /// Of a file within its file system.
    Fileid(&'a mut u64),
}

/// What a verifier tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verifies {
    /// The lives of a client; chosen by the client.
    Client,
    /// Exclusive creations; chosen by the client.
    Creation,
    /// The attempts of SETCLIENTID.
    Confirmation,
    /// The lives of a server, for unstable data.
    Write,
    /// The states of a directory, for cookies.
    Cookie,
}

/// Takes each identity as it is met, in the order of the wire, and may put another in its place.
pub type See<'s> = &'s mut dyn FnMut(Identity<'_>);

/// Shows the identities in the arguments of an operation.
pub fn visit_args(op: &mut NfsArgop4, see: See<'_>) {
    match op {
        NfsArgop4::Close(args) => see(Identity::Stateid(&mut args.open_stateid)),
        NfsArgop4::Delegpurge(args) => see(Identity::Clientid(&mut args.clientid)),
        NfsArgop4::Delegreturn(args) => see(Identity::Stateid(&mut args.deleg_stateid)),
        NfsArgop4::Lock(args) => match &mut args.locker {
            Locker4::OpenOwner(locker) => {
                see(Identity::Stateid(&mut locker.open_stateid));
                state_owner(&mut locker.lock_owner, see);
            }
            Locker4::LockOwner(locker) => see(Identity::Stateid(&mut locker.lock_stateid)),
        },
        NfsArgop4::Lockt(args) => state_owner(&mut args.owner, see),
        NfsArgop4::Locku(args) => see(Identity::Stateid(&mut args.lock_stateid)),
        NfsArgop4::Nverify(args) | NfsArgop4::Verify(args) => attributes(&mut args.obj_attributes, see),
        NfsArgop4::Open(args) => {
            state_owner(&mut args.owner, see);
            open_how(&mut args.openhow, see);
            claim(&mut args.claim, see);
        }
        NfsArgop4::OpenConfirm(args) => see(Identity::Stateid(&mut args.open_stateid)),
        NfsArgop4::OpenDowngrade(args) => see(Identity::Stateid(&mut args.open_stateid)),
        NfsArgop4::Putfh(args) => see(Identity::Filehandle(&mut args.object)),
        NfsArgop4::Read(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Readdir(args) => place(&mut args.cookie, Some(&mut args.cookieverf), see),
        NfsArgop4::Renew(args) => see(Identity::Clientid(&mut args.clientid)),
        NfsArgop4::Setattr(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Setclientid(args) => {
            see(Identity::Verifier(Verifies::Client, &mut args.client.verifier));
            see(Identity::ClientName(&mut args.client.id));
        }
        NfsArgop4::SetclientidConfirm(args) => {
            see(Identity::Clientid(&mut args.clientid));
            see(Identity::Verifier(Verifies::Confirmation, &mut args.setclientid_confirm));
        }
        NfsArgop4::Write(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::ReleaseLockowner(args) => state_owner(&mut args.lock_owner, see),
        _ => visit_args_of_later_minors(op, see),
    }
}

/// The operations that have none, and those of 4.1 and 4.2.
fn visit_args_of_later_minors(op: &mut NfsArgop4, see: See<'_>) {
    match op {
        NfsArgop4::BindConnToSession(args) => see(Identity::Sessionid(&mut args.sessid)),
        NfsArgop4::ExchangeId(args) => {
            see(Identity::Verifier(Verifies::Client, &mut args.clientowner.verifier));
            see(Identity::ClientName(&mut args.clientowner.ownerid));
        }
        NfsArgop4::CreateSession(args) => see(Identity::Clientid(&mut args.clientid)),
        NfsArgop4::DestroySession(args) => see(Identity::Sessionid(&mut args.sessionid)),
        NfsArgop4::FreeStateid(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Getdeviceinfo(args) => see(Identity::Deviceid(&mut args.device_id)),
        NfsArgop4::Getdevicelist(args) => place(&mut args.cookie, Some(&mut args.cookieverf), see),
        NfsArgop4::Layoutcommit(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Layoutget(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Layoutreturn(args) => match &mut args.layoutreturn {
            Layoutreturn4::File(file) => see(Identity::Stateid(&mut file.stateid)),
            Layoutreturn4::Fsid | Layoutreturn4::All => {}
        },
        NfsArgop4::Sequence(args) => see(Identity::Sessionid(&mut args.sessionid)),
        NfsArgop4::TestStateid(args) => {
            args.stateids.iter_mut().for_each(|stateid| see(Identity::Stateid(stateid)));
        }
        NfsArgop4::DestroyClientid(args) => see(Identity::Clientid(&mut args.clientid)),
        NfsArgop4::Allocate(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Copy(args) => {
            see(Identity::Stateid(&mut args.src_stateid));
            see(Identity::Stateid(&mut args.dst_stateid));
        }
        NfsArgop4::CopyNotify(args) => see(Identity::Stateid(&mut args.src_stateid)),
        NfsArgop4::Deallocate(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::IoAdvise(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Layouterror(args) => {
            see(Identity::Stateid(&mut args.stateid));
            args.errors.iter_mut().for_each(|error| see(Identity::Deviceid(&mut error.deviceid)));
        }
        NfsArgop4::Layoutstats(args) => {
            see(Identity::Stateid(&mut args.stateid));
            see(Identity::Deviceid(&mut args.deviceid));
        }
        NfsArgop4::OffloadCancel(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::OffloadStatus(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::ReadPlus(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Seek(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::WriteSame(args) => see(Identity::Stateid(&mut args.stateid)),
        NfsArgop4::Clone(args) => {
            see(Identity::Stateid(&mut args.src_stateid));
            see(Identity::Stateid(&mut args.dst_stateid));
        }
        NfsArgop4::Listxattrs(args) => place(&mut args.cookie, None, see),
        // Shown by `visit_args`.
        NfsArgop4::Close(_)
        | NfsArgop4::Delegpurge(_)
        | NfsArgop4::Delegreturn(_)
        | NfsArgop4::Lock(_)
        | NfsArgop4::Lockt(_)
        | NfsArgop4::Locku(_)
        | NfsArgop4::Nverify(_)
        | NfsArgop4::Open(_)
        | NfsArgop4::OpenConfirm(_)
        | NfsArgop4::OpenDowngrade(_)
        | NfsArgop4::Putfh(_)
        | NfsArgop4::Read(_)
        | NfsArgop4::Readdir(_)
        | NfsArgop4::Renew(_)
        | NfsArgop4::Setattr(_)
        | NfsArgop4::Setclientid(_)
        | NfsArgop4::SetclientidConfirm(_)
        | NfsArgop4::Verify(_)
        | NfsArgop4::Write(_)
        | NfsArgop4::ReleaseLockowner(_) => {}
        // Without an identity: what attributes a client may set holds none.
        NfsArgop4::Access(_)
        | NfsArgop4::Commit(_)
        | NfsArgop4::Create(_)
        | NfsArgop4::Getattr(_)
        | NfsArgop4::Getfh
        | NfsArgop4::Link(_)
        | NfsArgop4::Lookup(_)
        | NfsArgop4::Lookupp
        | NfsArgop4::Openattr(_)
        | NfsArgop4::Putpubfh
        | NfsArgop4::Putrootfh
        | NfsArgop4::Readlink
        | NfsArgop4::Remove(_)
        | NfsArgop4::Rename(_)
        | NfsArgop4::Restorefh
        | NfsArgop4::Savefh
        | NfsArgop4::Secinfo(_)
        | NfsArgop4::BackchannelCtl(_)
        | NfsArgop4::GetDirDelegation(_)
        | NfsArgop4::SecinfoNoName(_)
        | NfsArgop4::SetSsv(_)
        | NfsArgop4::WantDelegation(_)
        | NfsArgop4::ReclaimComplete(_)
        | NfsArgop4::Getxattr(_)
        | NfsArgop4::Setxattr(_)
        | NfsArgop4::Removexattr(_)
        | NfsArgop4::Illegal => {}
    }
}

/// Shows the identities in the result of an operation.
pub fn visit_result(op: &mut NfsResop4, see: See<'_>) {
    match op {
        NfsResop4::Close(Ok(stateid)) | NfsResop4::Locku(Ok(stateid)) => see(Identity::Stateid(stateid)),
        NfsResop4::Commit(Ok(body)) => see(Identity::Verifier(Verifies::Write, &mut body.writeverf)),
        NfsResop4::Create(Ok(body)) => change_info(&mut body.cinfo, see),
        NfsResop4::Getattr(Ok(body)) => attributes(&mut body.obj_attributes, see),
        NfsResop4::Getfh(Ok(body)) => see(Identity::Filehandle(&mut body.object)),
        NfsResop4::Link(Ok(body)) => change_info(&mut body.cinfo, see),
        NfsResop4::Lock(result) => match result.as_mut() {
            Lock4Res::Ok(body) => see(Identity::Stateid(&mut body.lock_stateid)),
            Lock4Res::Denied(denied) => state_owner(&mut denied.owner, see),
            Lock4Res::Error(_) => {}
        },
        NfsResop4::Lockt(result) => match result.as_mut() {
            Lockt4Res::Denied(denied) => state_owner(&mut denied.owner, see),
            Lockt4Res::Ok | Lockt4Res::Error(_) => {}
        },
        NfsResop4::Open(result) => {
            if let Ok(body) = result.as_mut() {
                see(Identity::Stateid(&mut body.stateid));
                change_info(&mut body.cinfo, see);
                delegation(&mut body.delegation, see);
            }
        }
        NfsResop4::OpenConfirm(Ok(body)) => see(Identity::Stateid(&mut body.open_stateid)),
        NfsResop4::OpenDowngrade(Ok(body)) => see(Identity::Stateid(&mut body.open_stateid)),
        NfsResop4::Readdir(Ok(body)) => {
            see(Identity::Verifier(Verifies::Cookie, &mut body.cookieverf));
            body.reply.entries.iter_mut().for_each(|entry| visit_entry(entry, see));
        }
        NfsResop4::Remove(Ok(body)) => change_info(&mut body.cinfo, see),
        NfsResop4::Rename(Ok(body)) => {
            change_info(&mut body.source_cinfo, see);
            change_info(&mut body.target_cinfo, see);
        }
        NfsResop4::Setclientid(result) => {
            if let Setclientid4Res::Ok(body) = result.as_mut() {
                see(Identity::Clientid(&mut body.clientid));
                see(Identity::Verifier(Verifies::Confirmation, &mut body.setclientid_confirm));
            }
        }
        NfsResop4::Write(Ok(body)) => see(Identity::Verifier(Verifies::Write, &mut body.writeverf)),
        _ => visit_result_of_later_minors(op, see),
    }
}

/// The operations whose results have none, and those of 4.1 and 4.2.
fn visit_result_of_later_minors(op: &mut NfsResop4, see: See<'_>) {
    match op {
        NfsResop4::BindConnToSession(Ok(body)) => see(Identity::Sessionid(&mut body.sessid)),
        NfsResop4::ExchangeId(result) => {
            if let Ok(body) = result.as_mut() {
                see(Identity::Clientid(&mut body.clientid));
            }
        }
        NfsResop4::CreateSession(result) => {
            if let Ok(body) = result.as_mut() {
                see(Identity::Sessionid(&mut body.sessionid));
            }
        }
        NfsResop4::GetDirDelegation(result) => {
            if let Ok(GetDirDelegation4ResNonFatal::Ok(body)) = result.as_mut() {
                see(Identity::Verifier(Verifies::Cookie, &mut body.cookieverf));
                see(Identity::Stateid(&mut body.stateid));
            }
        }
        NfsResop4::Getdevicelist(result) => {
            if let Ok(body) = result.as_mut() {
                place(&mut body.cookie, Some(&mut body.cookieverf), see);
                body.deviceid_list.iter_mut().for_each(|device| see(Identity::Deviceid(device)));
            }
        }
        NfsResop4::Layoutget(result) => {
            if let Layoutget4Res::Ok(body) = result.as_mut() {
                see(Identity::Stateid(&mut body.stateid));
            }
        }
        NfsResop4::Layoutreturn(Ok(Some(stateid))) => see(Identity::Stateid(stateid)),
        NfsResop4::Sequence(Ok(body)) => see(Identity::Sessionid(&mut body.sessionid)),
        NfsResop4::WantDelegation(result) => {
            if let Ok(body) = result.as_mut() {
                delegation(body, see);
            }
        }
        NfsResop4::Copy(result) => {
            if let Copy4Res::Ok(body) = result.as_mut() {
                written(&mut body.response, see);
            }
        }
        NfsResop4::CopyNotify(result) => {
            if let Ok(body) = result.as_mut() {
                see(Identity::Stateid(&mut body.stateid));
            }
        }
        NfsResop4::WriteSame(Ok(body)) => written(body, see),
        NfsResop4::Setxattr(Ok(cinfo)) | NfsResop4::Removexattr(Ok(cinfo)) => change_info(cinfo, see),
        NfsResop4::Listxattrs(Ok(body)) => place(&mut body.cookie, None, see),
        // Shown above or by `visit_result`, or failed.
        NfsResop4::Close(_)
        | NfsResop4::Locku(_)
        | NfsResop4::Commit(_)
        | NfsResop4::Create(_)
        | NfsResop4::Getattr(_)
        | NfsResop4::Getfh(_)
        | NfsResop4::Link(_)
        | NfsResop4::Lock(_)
        | NfsResop4::Lockt(_)
        | NfsResop4::Open(_)
        | NfsResop4::OpenConfirm(_)
        | NfsResop4::OpenDowngrade(_)
        | NfsResop4::Readdir(_)
        | NfsResop4::Remove(_)
        | NfsResop4::Rename(_)
        | NfsResop4::Setclientid(_)
        | NfsResop4::Write(_)
        | NfsResop4::BindConnToSession(_)
        | NfsResop4::Layoutreturn(_)
        | NfsResop4::Sequence(_)
        | NfsResop4::WriteSame(_)
        | NfsResop4::Setxattr(_)
        | NfsResop4::Removexattr(_)
        | NfsResop4::Listxattrs(_) => {}
        // Without an identity.
        NfsResop4::Access(_)
        | NfsResop4::Delegpurge(_)
        | NfsResop4::Delegreturn(_)
        | NfsResop4::Lookup(_)
        | NfsResop4::Lookupp(_)
        | NfsResop4::Nverify(_)
        | NfsResop4::Openattr(_)
        | NfsResop4::Putfh(_)
        | NfsResop4::Putpubfh(_)
        | NfsResop4::Putrootfh(_)
        | NfsResop4::Read(_)
        | NfsResop4::Readlink(_)
        | NfsResop4::Renew(_)
        | NfsResop4::Restorefh(_)
        | NfsResop4::Savefh(_)
        | NfsResop4::Secinfo(_)
        | NfsResop4::Setattr(_)
        | NfsResop4::SetclientidConfirm(_)
        | NfsResop4::Verify(_)
        | NfsResop4::ReleaseLockowner(_)
        | NfsResop4::BackchannelCtl(_)
        | NfsResop4::DestroySession(_)
        | NfsResop4::FreeStateid(_)
        | NfsResop4::Getdeviceinfo(_)
        | NfsResop4::Layoutcommit(_)
        | NfsResop4::SecinfoNoName(_)
        | NfsResop4::SetSsv(_)
        | NfsResop4::TestStateid(_)
        | NfsResop4::DestroyClientid(_)
        | NfsResop4::ReclaimComplete(_)
        | NfsResop4::Allocate(_)
        | NfsResop4::Deallocate(_)
        | NfsResop4::IoAdvise(_)
        | NfsResop4::Layouterror(_)
        | NfsResop4::Layoutstats(_)
        | NfsResop4::OffloadCancel(_)
        | NfsResop4::OffloadStatus(_)
        | NfsResop4::ReadPlus(_)
        | NfsResop4::Seek(_)
        | NfsResop4::Clone(_)
        | NfsResop4::Getxattr(_)
        | NfsResop4::Illegal(_) => {}
    }
}

/// Shows the identities in the arguments of a callback.
pub fn visit_callback_args(op: &mut NfsCbArgop4, see: See<'_>) {
    match op {
        NfsCbArgop4::Getattr(args) => see(Identity::Filehandle(&mut args.fh)),
        NfsCbArgop4::Recall(args) => {
            see(Identity::Stateid(&mut args.stateid));
            see(Identity::Filehandle(&mut args.fh));
        }
        NfsCbArgop4::Layoutrecall(args) => match &mut args.recall {
            Layoutrecall4::File(file) => {
                see(Identity::Filehandle(&mut file.fh));
                see(Identity::Stateid(&mut file.stateid));
            }
            Layoutrecall4::Fsid(fsid) => see(Identity::Fsid(fsid)),
            Layoutrecall4::All => {}
        },
        NfsCbArgop4::Notify(args) => {
            see(Identity::Stateid(&mut args.stateid));
            see(Identity::Filehandle(&mut args.fh));
        }
        NfsCbArgop4::PushDeleg(args) => {
            see(Identity::Filehandle(&mut args.fh));
            delegation(&mut args.delegation, see);
        }
        NfsCbArgop4::Sequence(args) => {
            see(Identity::Sessionid(&mut args.sessionid));
            for list in &mut args.referring_call_lists {
                see(Identity::Sessionid(&mut list.sessionid));
            }
        }
        NfsCbArgop4::NotifyLock(args) => {
            see(Identity::Filehandle(&mut args.fh));
            state_owner(&mut args.lock_owner, see);
        }
        NfsCbArgop4::Offload(args) => {
            see(Identity::Filehandle(&mut args.fh));
            see(Identity::Stateid(&mut args.stateid));
            match &mut args.offload_info {
                OffloadInfo4::Ok(response) => written(response, see),
                OffloadInfo4::Failed { .. } => {}
            }
        }
        NfsCbArgop4::RecallAny(_)
        | NfsCbArgop4::RecallableObjAvail(_)
        | NfsCbArgop4::RecallSlot(_)
        | NfsCbArgop4::WantsCancelled(_)
        | NfsCbArgop4::NotifyDeviceid(_)
        | NfsCbArgop4::Illegal(_) => {}
    }
}

/// Shows the identities in the result of a callback.
pub fn visit_callback_result(op: &mut NfsCbResop4, see: See<'_>) {
    match op {
        NfsCbResop4::Getattr(Ok(body)) => attributes(&mut body.obj_attributes, see),
        NfsCbResop4::Sequence(Ok(body)) => see(Identity::Sessionid(&mut body.sessionid)),
        NfsCbResop4::Getattr(Err(_))
        | NfsCbResop4::Sequence(Err(_))
        | NfsCbResop4::Recall(_)
        | NfsCbResop4::Layoutrecall(_)
        | NfsCbResop4::Notify(_)
        | NfsCbResop4::PushDeleg(_)
        | NfsCbResop4::RecallAny(_)
        | NfsCbResop4::RecallableObjAvail(_)
        | NfsCbResop4::RecallSlot(_)
        | NfsCbResop4::WantsCancelled(_)
        | NfsCbResop4::NotifyLock(_)
        | NfsCbResop4::NotifyDeviceid(_)
        | NfsCbResop4::Offload(_)
        | NfsCbResop4::Illegal(_) => {}
    }
}

/// Shows the identities in one entry of READDIR.
pub fn visit_entry(entry: &mut Entry4, see: See<'_>) {
    place(&mut entry.cookie, None, see);
    attributes(&mut entry.attrs, see);
}

/// The special stateids mean the same to every server (RFC 8881 §8.2.3).
#[must_use]
pub fn is_special(stateid: &Stateid4) -> bool {
    [Stateid4::ANONYMOUS.other, Stateid4::READ_BYPASS.other].contains(&stateid.other)
}

fn attributes(fattr: &mut Fattr4, see: See<'_>) {
    // What cannot be read holds no identity that could be found.
    let Ok(mut attrs) = fattr.parse() else { return };
    if let Some(change) = &mut attrs.change {
        see(Identity::Change(change));
    }
    if let Some(fsid) = &mut attrs.fsid {
        see(Identity::Fsid(fsid));
    }
    if let Some(handle) = &mut attrs.filehandle {
        see(Identity::Filehandle(handle));
    }
    for fileid in [&mut attrs.fileid, &mut attrs.mounted_on_fileid].into_iter().flatten() {
        see(Identity::Fileid(fileid));
    }
    // The mask stays as it was sent, trailing zero words included.
    fattr.attr_vals = attrs.to_fattr4().attr_vals;
}

fn change_info(cinfo: &mut ChangeInfo4, see: See<'_>) {
    see(Identity::Change(&mut cinfo.before));
    see(Identity::Change(&mut cinfo.after));
}

fn state_owner(owner: &mut StateOwner4, see: See<'_>) {
    see(Identity::Clientid(&mut owner.clientid));
}

fn open_how(how: &mut Openflag4, see: See<'_>) {
    match how {
        Openflag4::Create(Createhow4::Exclusive(verifier)) => see(Identity::Verifier(Verifies::Creation, verifier)),
        Openflag4::Create(Createhow4::Exclusive41(how)) => {
            see(Identity::Verifier(Verifies::Creation, &mut how.verf));
        }
        Openflag4::Create(Createhow4::Unchecked(_) | Createhow4::Guarded(_)) | Openflag4::Nocreate => {}
    }
}

fn claim(claim: &mut OpenClaim4, see: See<'_>) {
    match claim {
        OpenClaim4::DelegateCur(claim) => see(Identity::Stateid(&mut claim.delegate_stateid)),
        OpenClaim4::DelegCurFh(stateid) => see(Identity::Stateid(stateid)),
        OpenClaim4::Null(_)
        | OpenClaim4::Previous(_)
        | OpenClaim4::DelegatePrev(_)
        | OpenClaim4::Fh
        | OpenClaim4::DelegPrevFh => {}
    }
}

fn delegation(delegation: &mut OpenDelegation4, see: See<'_>) {
    match delegation {
        OpenDelegation4::Read(granted) | OpenDelegation4::ReadAttrsDeleg(granted) => {
            see(Identity::Stateid(&mut granted.stateid));
        }
        OpenDelegation4::Write(granted) | OpenDelegation4::WriteAttrsDeleg(granted) => {
            see(Identity::Stateid(&mut granted.stateid));
        }
        OpenDelegation4::None | OpenDelegation4::NoneExt(_) => {}
    }
}

fn written(response: &mut WriteResponse4, see: See<'_>) {
    if let Some(stateid) = &mut response.callback_id {
        see(Identity::Stateid(stateid));
    }
    see(Identity::Verifier(Verifies::Write, &mut response.writeverf));
}

fn place(cookie: &mut NfsCookie4, verifier: Option<&mut Verifier4>, see: See<'_>) {
    if *cookie != 0 {
        see(Identity::Cookie(cookie));
        if let Some(verifier) = verifier {
            see(Identity::Verifier(Verifies::Cookie, verifier));
        }
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
