//! The arguments and results of the callback operations.

use super::Notify4;
use crate::nfs4::{
    Bitmap4, Fattr4, Layoutiomode4, Layoutrecall4, Layouttype4, Length4, LockOwner4, NfsFh4, NfsStat4, OpResult,
    OpenDelegation4, Sequenceid4, Sessionid4, Slotid4, Stateid4, WriteResponse4,
};
use crate::xdr::{Decode, Decoder, Encode, Encoder, XdrError, xdr_struct};

/// The most notifications in one CB_NOTIFY or CB_NOTIFY_DEVICEID.
pub const NOTIFICATIONS_MAX: usize = 1024;
/// The most sessions that one CB_SEQUENCE refers to.
pub const REFERRING_CALL_LISTS_MAX: usize = 64;
/// The most requests of one session that one CB_SEQUENCE refers to.
pub const REFERRING_CALLS_MAX: usize = 1024;

/// CB_RECALL_ANY: bit for read delegations of files.
pub const RCA4_TYPE_MASK_RDATA_DLG: u32 = 0;
/// CB_RECALL_ANY: bit for write delegations of files.
pub const RCA4_TYPE_MASK_WDATA_DLG: u32 = 1;
/// CB_RECALL_ANY: bit for delegations of directories.
pub const RCA4_TYPE_MASK_DIR_DLG: u32 = 2;
/// CB_RECALL_ANY: bit for layouts of files.
pub const RCA4_TYPE_MASK_FILE_LAYOUT: u32 = 3;
/// CB_RECALL_ANY: bit for layouts of blocks.
pub const RCA4_TYPE_MASK_BLK_LAYOUT: u32 = 4;
/// CB_RECALL_ANY: first bit for layouts of object stores.
pub const RCA4_TYPE_MASK_OBJ_LAYOUT_MIN: u32 = 8;
/// CB_RECALL_ANY: last bit for layouts of object stores.
pub const RCA4_TYPE_MASK_OBJ_LAYOUT_MAX: u32 = 9;
/// CB_RECALL_ANY: first bit for other layouts.
pub const RCA4_TYPE_MASK_OTHER_LAYOUT_MIN: u32 = 12;
/// CB_RECALL_ANY: last bit for other layouts.
pub const RCA4_TYPE_MASK_OTHER_LAYOUT_MAX: u32 = 15;

xdr_struct! {
    /// CB_GETATTR: asks the holder of a write delegation for attributes (RFC 8881 §20.1).
    pub struct CbGetattr4Args {
        fh: NfsFh4,
        attr_request: Bitmap4,
    }

    /// The attributes as the client knows them.
    pub struct CbGetattr4Resok {
        obj_attributes: Fattr4,
    }

    /// CB_RECALL: wants a delegation back (RFC 8881 §20.2).
    pub struct CbRecall4Args {
        stateid: Stateid4,
        /// Whether the file is about to be truncated, so that cached data need not be written first.
        truncate: bool,
        fh: NfsFh4,
    }

    /// CB_LAYOUTRECALL: wants layouts back (RFC 8881 §20.3).
    pub struct CbLayoutrecall4Args {
        layout_type: Layouttype4,
        iomode: Layoutiomode4,
        /// Whether the storage has changed, so that nothing may be written through the layout.
        changed: bool,
        recall: Layoutrecall4,
    }

    /// CB_NOTIFY: tells of changes in a delegated directory (RFC 8881 §20.4).
    pub struct CbNotify4Args {
        stateid: Stateid4,
        fh: NfsFh4,
        changes: Vec<Notify4> [NOTIFICATIONS_MAX],
    }

    /// CB_PUSH_DELEG: gives a delegation that was wanted before (RFC 8881 §20.5).
    pub struct CbPushDeleg4Args {
        fh: NfsFh4,
        delegation: OpenDelegation4,
    }

    /// CB_RECALL_ANY: wants back whatever the client needs least (RFC 8881 §20.6).
    pub struct CbRecallAny4Args {
        /// How many objects of these types the client may keep.
        objects_to_keep: u32,
        /// A bitmap of `RCA4_TYPE_MASK_*`.
        type_mask: Bitmap4,
    }

    /// CB_RECALL_SLOT: wants fewer slots to be used (RFC 8881 §20.8).
    #[derive(Copy)]
    pub struct CbRecallSlot4Args {
        target_highest_slotid: Slotid4,
    }

    /// `referring_call4`: a request of the client.
    #[derive(Copy)]
    pub struct ReferringCall4 {
        sequenceid: Sequenceid4,
        slotid: Slotid4,
    }

    /// `referring_call_list4`: requests of the client in one session.
    pub struct ReferringCallList4 {
        sessionid: Sessionid4,
        referring_calls: Vec<ReferringCall4> [REFERRING_CALLS_MAX],
    }

    /// CB_SEQUENCE: the first operation of every CB_COMPOUND of a session (RFC 8881 §20.9).
    pub struct CbSequence4Args {
        sessionid: Sessionid4,
        sequenceid: Sequenceid4,
        slotid: Slotid4,
        highest_slotid: Slotid4,
        cachethis: bool,
        /// The requests whose replies the client needs in order to understand this callback.
        referring_call_lists: Vec<ReferringCallList4> [REFERRING_CALL_LISTS_MAX],
    }

    /// The state of the slot.
    #[derive(Copy)]
    pub struct CbSequence4Resok {
        sessionid: Sessionid4,
        sequenceid: Sequenceid4,
        slotid: Slotid4,
        highest_slotid: Slotid4,
        target_highest_slotid: Slotid4,
    }

    /// CB_WANTS_CANCELLED: delegations that were wanted will not come (RFC 8881 §20.10).
    #[derive(Copy)]
    pub struct CbWantsCancelled4Args {
        /// Those that wait for a conflict to end.
        contended_wants_cancelled: bool,
        /// Those that wait for resources.
        resourced_wants_cancelled: bool,
    }

    /// CB_NOTIFY_LOCK: a lock that was waited for may now be had (RFC 8881 §20.11).
    pub struct CbNotifyLock4Args {
        fh: NfsFh4,
        lock_owner: LockOwner4,
    }

    /// CB_NOTIFY_DEVICEID: tells of changes of pNFS devices (RFC 8881 §20.12).
    pub struct CbNotifyDeviceid4Args {
        changes: Vec<Notify4> [NOTIFICATIONS_MAX],
    }

    /// CB_OFFLOAD: a copy has ended (RFC 7862 §16.1).
    pub struct CbOffload4Args {
        fh: NfsFh4,
        stateid: Stateid4,
        offload_info: OffloadInfo4,
    }
}

/// `offload_info4`: how a copy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffloadInfo4 {
    /// All was copied.
    Ok(WriteResponse4),
    /// It failed.
    Failed {
        /// Why. NFS4_OK would be a contradiction and goes out as NFS4ERR_SERVERFAULT.
        status: NfsStat4,
        /// How many bytes were copied before.
        bytes_copied: Length4,
    },
}

impl Encode for OffloadInfo4 {
    fn encode(&self, e: &mut Encoder) {
        match self {
            Self::Ok(response) => {
                NfsStat4::Ok.encode(e);
                response.encode(e);
            }
            Self::Failed { status, bytes_copied } => {
                if *status == NfsStat4::Ok { NfsStat4::Serverfault } else { *status }.encode(e);
                bytes_copied.encode(e);
            }
        }
    }
}

impl Decode for OffloadInfo4 {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        match NfsStat4::decode(d)? {
            NfsStat4::Ok => WriteResponse4::decode(d).map(Self::Ok),
            status => Ok(Self::Failed { status, bytes_copied: d.u64()? }),
        }
    }
}

/// The arguments of CB_RECALLABLE_OBJ_AVAIL: that more of these may be had again (RFC 8881 §20.7).
pub type CbRecallableObjAvail4Args = CbRecallAny4Args;

/// The result of CB_GETATTR.
pub type CbGetattr4Res = OpResult<CbGetattr4Resok>;
/// The result of CB_RECALL.
pub type CbRecall4Res = OpResult<()>;
/// The result of CB_LAYOUTRECALL.
pub type CbLayoutrecall4Res = OpResult<()>;
/// The result of CB_NOTIFY.
pub type CbNotify4Res = OpResult<()>;
/// The result of CB_PUSH_DELEG.
pub type CbPushDeleg4Res = OpResult<()>;
/// The result of CB_RECALL_ANY.
pub type CbRecallAny4Res = OpResult<()>;
/// The result of CB_RECALLABLE_OBJ_AVAIL.
pub type CbRecallableObjAvail4Res = OpResult<()>;
/// The result of CB_RECALL_SLOT.
pub type CbRecallSlot4Res = OpResult<()>;
/// The result of CB_SEQUENCE.
pub type CbSequence4Res = OpResult<CbSequence4Resok>;
/// The result of CB_WANTS_CANCELLED.
pub type CbWantsCancelled4Res = OpResult<()>;
/// The result of CB_NOTIFY_LOCK.
pub type CbNotifyLock4Res = OpResult<()>;
/// The result of CB_NOTIFY_DEVICEID.
pub type CbNotifyDeviceid4Res = OpResult<()>;
/// The result of CB_OFFLOAD.
pub type CbOffload4Res = OpResult<()>;
