//! Which operations are there: each is asked for something that changes nothing.
//!
//! Operations that work on a filehandle are mostly tried without one: NFS4ERR_NOFILEHANDLE tells that they are there.
//! Those that servers offer or not, file system by file system, get the directory's filehandle, and arguments that
//! cannot succeed: a stateid that was never given, a name that is not there.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;

use super::report::{Offer, Operation};
use super::rpc;
use super::scene::{Scene, status_of};
use crate::{Error, Result};

/// A stateid that no server gives out.
const NO_STATEID: Stateid4 = Stateid4 { seqid: 1, other: [0x5a; 12] };
/// A session that is not there.
const NO_SESSION: Sessionid4 = Sessionid4([0x5a; 16]);
/// A device that is not there.
const NO_DEVICE: Deviceid4 = Deviceid4([0x5a; 16]);
/// A name that nothing has.
const NO_NAME: &[u8] = b"nfs-client-sim.nothing-has-this-name";

/// How an operation is tried.
enum Trial {
    /// In the place where operations usually are, without a filehandle.
    Plain(NfsArgop4),
    /// At the directory.
    AtDirectory(NfsArgop4),
    /// At the directory, which is the saved filehandle as well.
    Saved(NfsArgop4),
    /// Alone, without SEQUENCE.
    Alone(NfsArgop4),
}

/// Tries all operations of the minor version.
pub(super) async fn look(scene: &mut Scene) -> Result<Vec<Operation>> {
    let mut operations = Vec::new();
    let minor = scene.minor;
    for op in OpNum::ALL.iter().filter(|op| op.defined_in(minor)) {
        let (offer, status) = match attempt(scene, *op).await {
            Ok(status) => (offer(status), status.rfc_name().to_owned()),
            Err(Error::Refused(reply)) => (Offer::Unclear, rpc::words(&reply)),
            Err(error) if error.status().is_some() || matches!(error, Error::Missing(_)) => {
                (Offer::Unclear, error.to_string())
            }
            Err(error) => {
                // ganesha 4.3 closes the connection at LAYOUTSTATS.
                scene.start_over().await?;
                (Offer::Unclear, error.to_string())
            }
        };
        operations.push(Operation { name: op.name(), offer, status });
    }
    Ok(operations)
}

const fn offer(status: NfsStat4) -> Offer {
    match status {
        NfsStat4::Notsupp => Offer::NotSupported,
        NfsStat4::OpIllegal => Offer::Illegal,
        NfsStat4::Badxdr => Offer::Unclear,
        _ => Offer::Offered,
    }
}

async fn attempt(scene: &mut Scene, op: OpNum) -> Result<NfsStat4> {
    let directory = scene.at_directory();
    let reply = match trial(scene, op) {
        None => return Ok(NfsStat4::OpIllegal),
        Some(Trial::Plain(args)) => scene.talk.call(vec![args]).await?,
        Some(Trial::AtDirectory(args)) => scene.talk.call(vec![directory, args]).await?,
        Some(Trial::Saved(args)) => scene.talk.call(vec![directory, NfsArgop4::Savefh, args]).await?,
        Some(Trial::Alone(args)) => scene.talk.bare(vec![args]).await?,
    };
    // SEQUENCE was answered, or the call would have failed.
    if op == OpNum::Sequence { Ok(reply.status()) } else { status_of(&reply, op) }
}

/// The request for an operation; `None` for OP_ILLEGAL.
fn trial(scene: &Scene, op: OpNum) -> Option<Trial> {
    basic(scene, op).or_else(|| session(scene, op)).or_else(|| layout(op)).or_else(|| extension(op))
}

fn name(name: &[u8]) -> Bytes {
    Bytes::copy_from_slice(name)
}

fn owner(scene: &Scene) -> StateOwner4 {
    StateOwner4 { clientid: scene.talk.clientid, owner: Bytes::from_static(b"probe") }
}

/// The operations of 4.0.
fn basic(scene: &Scene, op: OpNum) -> Option<Trial> {
    let nothing = Fattr4::default;
    let to_end = u64::MAX;
    Some(Trial::Plain(match op {
        OpNum::Access => NfsArgop4::Access(Access4Args { access: 0 }),
        OpNum::Close => NfsArgop4::Close(Close4Args { seqid: 0, open_stateid: NO_STATEID }),
        OpNum::Commit => NfsArgop4::Commit(Commit4Args { offset: 0, count: 0 }),
        OpNum::Create => {
            let args = Create4Args { objtype: Createtype4::Dir, objname: Bytes::new(), createattrs: nothing() };
            NfsArgop4::Create(Box::new(args))
        }
        OpNum::Delegpurge => NfsArgop4::Delegpurge(Delegpurge4Args { clientid: scene.talk.clientid }),
        OpNum::Delegreturn => {
            let args = Delegreturn4Args { deleg_stateid: NO_STATEID };
            return Some(Trial::AtDirectory(NfsArgop4::Delegreturn(args)));
        }
        OpNum::Getattr => NfsArgop4::Getattr(Getattr4Args { attr_request: Bitmap4::new() }),
        OpNum::Getfh => NfsArgop4::Getfh,
        // A directory gets no second name.
        OpNum::Link => {
            return Some(Trial::Saved(NfsArgop4::Link(Link4Args { newname: name(NO_NAME) })));
        }
        OpNum::Lock => {
            let locker = Locker4::LockOwner(ExistLockOwner4 { lock_stateid: NO_STATEID, lock_seqid: 0 });
            let locktype = NfsLockType4::Read;
            NfsArgop4::Lock(Box::new(Lock4Args { locktype, reclaim: false, offset: 0, length: 1, locker }))
        }
        OpNum::Lockt => {
            let args = Lockt4Args { locktype: NfsLockType4::Read, offset: 0, length: 1, owner: owner(scene) };
            NfsArgop4::Lockt(Box::new(args))
        }
        OpNum::Locku => {
            let locktype = NfsLockType4::Read;
            NfsArgop4::Locku(Locku4Args { locktype, seqid: 0, lock_stateid: NO_STATEID, offset: 0, length: to_end })
        }
        OpNum::Lookup => NfsArgop4::Lookup(Lookup4Args { objname: name(NO_NAME) }),
        OpNum::Lookupp => NfsArgop4::Lookupp,
        OpNum::Nverify => NfsArgop4::Nverify(Verify4Args { obj_attributes: nothing() }),
        OpNum::Verify => NfsArgop4::Verify(Verify4Args { obj_attributes: nothing() }),
        OpNum::Open => NfsArgop4::Open(Box::new(Open4Args {
            seqid: 0,
            share_access: OPEN4_SHARE_ACCESS_READ,
            share_deny: 0,
            owner: owner(scene),
            openhow: Openflag4::Nocreate,
            claim: OpenClaim4::Null(name(NO_NAME)),
        })),
        OpNum::Openattr => {
            return Some(Trial::AtDirectory(NfsArgop4::Openattr(Openattr4Args { createdir: false })));
        }
        OpNum::OpenConfirm => NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid: NO_STATEID, seqid: 0 }),
        OpNum::OpenDowngrade => {
            let share_access = OPEN4_SHARE_ACCESS_READ;
            let args = OpenDowngrade4Args { open_stateid: NO_STATEID, seqid: 0, share_access, share_deny: 0 };
            NfsArgop4::OpenDowngrade(args)
        }
        OpNum::Putfh => NfsArgop4::Putfh(Putfh4Args { object: NfsFh4(Bytes::from_static(&[0x5a; 8])) }),
        OpNum::Putpubfh => NfsArgop4::Putpubfh,
        OpNum::Putrootfh => NfsArgop4::Putrootfh,
        OpNum::Read => NfsArgop4::Read(Read4Args { stateid: NO_STATEID, offset: 0, count: 0 }),
        OpNum::Readdir => NfsArgop4::Readdir(Box::new(Readdir4Args {
            cookie: 0,
            cookieverf: Verifier4::default(),
            dircount: 0,
            maxcount: 0,
            attr_request: Bitmap4::new(),
        })),
        OpNum::Readlink => NfsArgop4::Readlink,
        OpNum::Remove => NfsArgop4::Remove(Remove4Args { target: name(NO_NAME) }),
        OpNum::Rename => NfsArgop4::Rename(Rename4Args { oldname: name(NO_NAME), newname: name(NO_NAME) }),
        OpNum::Renew => NfsArgop4::Renew(Renew4Args { clientid: scene.talk.clientid }),
        OpNum::Restorefh => NfsArgop4::Restorefh,
        OpNum::Savefh => NfsArgop4::Savefh,
        OpNum::Secinfo => NfsArgop4::Secinfo(Secinfo4Args { name: name(NO_NAME) }),
        OpNum::Setattr => NfsArgop4::Setattr(Box::new(Setattr4Args { stateid: NO_STATEID, obj_attributes: nothing() })),
        // The same client again: what it has stays, as nothing is confirmed.
        OpNum::Setclientid => NfsArgop4::Setclientid(Box::new(scene.talk.setclientid_args())),
        OpNum::SetclientidConfirm => NfsArgop4::SetclientidConfirm(SetclientidConfirm4Args {
            clientid: 0,
            setclientid_confirm: Verifier4([0x5a; 8]),
        }),
        OpNum::Write => NfsArgop4::Write(Box::new(Write4Args {
            stateid: NO_STATEID,
            offset: 0,
            stable: StableHow4::Unstable,
            data: Bytes::new(),
        })),
        OpNum::ReleaseLockowner => NfsArgop4::ReleaseLockowner(ReleaseLockowner4Args { lock_owner: owner(scene) }),
        _ => return None,
    }))
}

/// The operations of 4.1, but for layouts.
fn session(scene: &Scene, op: OpNum) -> Option<Trial> {
    let own = scene.talk.sessionid().unwrap_or(NO_SESSION);
    Some(match op {
        OpNum::BackchannelCtl => {
            let sec_parms = vec![CallbackSecParms4::None];
            Trial::Plain(NfsArgop4::BackchannelCtl(Box::new(BackchannelCtl4Args {
                cb_program: NFS4_CALLBACK,
                sec_parms,
            })))
        }
        OpNum::BindConnToSession => Trial::Alone(bind(own)),
        OpNum::ExchangeId => {
            Trial::Alone(NfsArgop4::ExchangeId(Box::new(scene.talk.exchange_id_args(EXCHGID4_FLAG_USE_NON_PNFS))))
        }
        OpNum::CreateSession => {
            let args = CreateSession4Args { clientid: 0, ..scene.talk.create_session_args(0) };
            Trial::Alone(NfsArgop4::CreateSession(Box::new(args)))
        }
        OpNum::DestroySession => Trial::Alone(NfsArgop4::DestroySession(DestroySession4Args { sessionid: NO_SESSION })),
        OpNum::DestroyClientid => Trial::Alone(NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid: 0 })),
        OpNum::FreeStateid => Trial::Plain(NfsArgop4::FreeStateid(FreeStateid4Args { stateid: NO_STATEID })),
        OpNum::GetDirDelegation => Trial::AtDirectory(NfsArgop4::GetDirDelegation(Box::new(GetDirDelegation4Args {
            signal_deleg_avail: false,
            notification_types: Bitmap4::new(),
            child_attr_delay: Nfstime4::default(),
            dir_attr_delay: Nfstime4::default(),
            child_attributes: Bitmap4::new(),
            dir_attributes: Bitmap4::new(),
        }))),
        OpNum::SecinfoNoName => Trial::AtDirectory(NfsArgop4::SecinfoNoName(SecinfoStyle4::CurrentFh)),
        // The one that every call begins with.
        OpNum::Sequence => Trial::Plain(NfsArgop4::Putrootfh),
        OpNum::SetSsv => {
            let args = SetSsv4Args { ssv: Bytes::from_static(&[0; 4]), digest: Bytes::new() };
            Trial::Plain(NfsArgop4::SetSsv(Box::new(args)))
        }
        OpNum::TestStateid => Trial::Plain(NfsArgop4::TestStateid(TestStateid4Args { stateids: Vec::new() })),
        OpNum::WantDelegation => Trial::AtDirectory(NfsArgop4::WantDelegation(Box::new(WantDelegation4Args {
            want: OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
            claim: DelegClaim4::Fh,
        }))),
        OpNum::ReclaimComplete => Trial::Plain(NfsArgop4::ReclaimComplete(ReclaimComplete4Args { one_fs: false })),
        _ => return None,
    })
}

/// BIND_CONN_TO_SESSION of the connection it comes over.
pub(super) fn bind(sessid: Sessionid4) -> NfsArgop4 {
    NfsArgop4::BindConnToSession(Box::new(BindConnToSession4Args {
        sessid,
        dir: ChannelDirFromClient4::ForeOrBoth,
        use_conn_in_rdma_mode: false,
    }))
}

/// pNFS.
fn layout(op: OpNum) -> Option<Trial> {
    let layout_type = LAYOUT4_NFSV4_1_FILES;
    let layoutupdate = || Layoutupdate4 { layout_type, body: Bytes::new() };
    Some(Trial::AtDirectory(match op {
        OpNum::Getdeviceinfo => {
            let notify_types = Bitmap4::new();
            let args = Getdeviceinfo4Args { device_id: NO_DEVICE, layout_type, maxcount: 0, notify_types };
            return Some(Trial::Plain(NfsArgop4::Getdeviceinfo(args)));
        }
        OpNum::Getdevicelist => {
            let cookieverf = Verifier4::default();
            NfsArgop4::Getdevicelist(Getdevicelist4Args { layout_type, maxdevices: 1, cookie: 0, cookieverf })
        }
        OpNum::Layoutcommit => NfsArgop4::Layoutcommit(Box::new(Layoutcommit4Args {
            offset: 0,
            length: 0,
            reclaim: false,
            stateid: NO_STATEID,
            last_write_offset: None,
            time_modify: None,
            layoutupdate: layoutupdate(),
        })),
        OpNum::Layoutget => NfsArgop4::Layoutget(Box::new(Layoutget4Args {
            signal_layout_avail: false,
            layout_type,
            iomode: Layoutiomode4::Read,
            offset: 0,
            length: u64::MAX,
            minlength: 0,
            stateid: NO_STATEID,
            maxcount: 4096,
        })),
        OpNum::Layoutreturn => NfsArgop4::Layoutreturn(Box::new(Layoutreturn4Args {
            reclaim: false,
            layout_type,
            iomode: Layoutiomode4::Any,
            layoutreturn: Layoutreturn4::File(LayoutreturnFile4 {
                offset: 0,
                length: u64::MAX,
                stateid: NO_STATEID,
                body: Bytes::new(),
            }),
        })),
        OpNum::Layouterror => NfsArgop4::Layouterror(Box::new(Layouterror4Args {
            offset: 0,
            length: 0,
            stateid: NO_STATEID,
            errors: Vec::new(),
        })),
        OpNum::Layoutstats => NfsArgop4::Layoutstats(Box::new(Layoutstats4Args {
            offset: 0,
            length: 0,
            stateid: NO_STATEID,
            read: IoInfo4 { count: 0, bytes: 0 },
            write: IoInfo4 { count: 0, bytes: 0 },
            deviceid: NO_DEVICE,
            layoutupdate: layoutupdate(),
        })),
        _ => return None,
    }))
}

/// The operations of 4.2.
fn extension(op: OpNum) -> Option<Trial> {
    let stateid = NO_STATEID;
    let (src_stateid, dst_stateid) = (NO_STATEID, NO_STATEID);
    Some(Trial::AtDirectory(match op {
        OpNum::Allocate => NfsArgop4::Allocate(Allocate4Args { stateid, offset: 0, length: 0 }),
        OpNum::Deallocate => NfsArgop4::Deallocate(Deallocate4Args { stateid, offset: 0, length: 0 }),
        OpNum::Copy => {
            return Some(Trial::Saved(NfsArgop4::Copy(Box::new(Copy4Args {
                src_stateid,
                dst_stateid,
                src_offset: 0,
                dst_offset: 0,
                count: 0,
                consecutive: true,
                synchronous: true,
                source_server: Vec::new(),
            }))));
        }
        OpNum::CopyNotify => {
            let destination_server = Netloc4::Name(Bytes::from_static(b"nowhere.invalid"));
            NfsArgop4::CopyNotify(Box::new(CopyNotify4Args { src_stateid, destination_server }))
        }
        OpNum::IoAdvise => {
            let hints = Bitmap4::new();
            NfsArgop4::IoAdvise(IoAdvise4Args { stateid, offset: 0, count: 0, hints })
        }
        OpNum::OffloadCancel => NfsArgop4::OffloadCancel(OffloadCancel4Args { stateid }),
        OpNum::OffloadStatus => NfsArgop4::OffloadStatus(OffloadStatus4Args { stateid }),
        OpNum::ReadPlus => NfsArgop4::ReadPlus(ReadPlus4Args { stateid, offset: 0, count: 0 }),
        OpNum::Seek => NfsArgop4::Seek(Seek4Args { stateid, offset: 0, what: DataContent4::Data.as_u32() }),
        OpNum::WriteSame => NfsArgop4::WriteSame(Box::new(WriteSame4Args {
            stateid,
            stable: StableHow4::Unstable,
            adb: AppDataBlock4 {
                offset: 0,
                block_size: 0,
                block_count: 0,
                reloff_blocknum: u64::MAX,
                block_num: 0,
                reloff_pattern: u64::MAX,
                pattern: Bytes::new(),
            },
        })),
        OpNum::Clone => {
            let args = Clone4Args { src_stateid, dst_stateid, src_offset: 0, dst_offset: 0, count: 0 };
            return Some(Trial::Saved(NfsArgop4::Clone(args)));
        }
        OpNum::Getxattr => NfsArgop4::Getxattr(Getxattr4Args { name: name(NO_NAME) }),
        // REPLACE makes nothing.
        OpNum::Setxattr => NfsArgop4::Setxattr(Box::new(Setxattr4Args {
            option: SetxattrOption4::Replace,
            key: name(NO_NAME),
            value: Bytes::new(),
        })),
        OpNum::Listxattrs => NfsArgop4::Listxattrs(Listxattrs4Args { cookie: 0, maxcount: 4096 }),
        OpNum::Removexattr => NfsArgop4::Removexattr(Removexattr4Args { name: name(NO_NAME) }),
        _ => return None,
    }))
}
