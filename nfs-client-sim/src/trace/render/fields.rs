//! The tables of structures, unions and enumerations.

use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::AuthSysParms;

use super::{Line, Show, values};

/// The fields of a structure one after the other, each with the function that writes it when its type does not say.
/// All fields are named, so that no new one is forgotten. `inner` structures stand within others, between brackets.
macro_rules! fields {
    ($( $name:ident { $( $field:ident $(by $how:ident)? ),* } )*) => {$(
        impl Show for $name {
            fn show(&self, line: &mut Line<'_>) {
                let Self { $($field),* } = self;
                $( line.field(stringify!($field), |line| fields!(@ $field, line $(, $how)?)); )*
            }
        }
    )*};
    (@ $value:ident, $line:ident) => { $value.show($line) };
    (@ $value:ident, $line:ident, $how:ident) => { values::$how($value, $line) };
}

macro_rules! inner {
    ($( $name:ident { $( $field:ident $(by $how:ident)? ),* } )*) => {$(
        impl Show for $name {
            fn show(&self, line: &mut Line<'_>) {
                let Self { $($field),* } = self;
                line.between('{', '}', |line| {
                    $( line.field(stringify!($field), |line| fields!(@ $field, line $(, $how)?)); )*
                });
            }
        }
    )*};
}

/// A union: the RFC's name of the arm, and its body between brackets.
macro_rules! arms {
    ($( $name:ident { $( $variant:ident $(($body:ident $(by $how:ident)?))? = $text:literal ),* } )*) => {$(
        impl Show for $name {
            fn show(&self, line: &mut Line<'_>) {
                match self {
                    $( Self::$variant $(($body))? => {
                        line.push($text);
                        $( line.between('(', ')', |line| fields!(@ $body, line $(, $how)?)); )?
                    } )*
                }
            }
        }
    )*};
}

/// Enumerations: the RFC's names of their values.
macro_rules! names {
    ($($name:ident)*) => {$(
        impl Show for $name {
            fn show(&self, line: &mut Line<'_>) {
                line.push(self.rfc_name());
            }
        }
    )*};
}

/// Types around one value.
macro_rules! wrappers {
    ($($name:ident)*) => {$(
        impl Show for $name {
            fn show(&self, line: &mut Line<'_>) {
                self.0.show(line);
            }
        }
    )*};
}

names! {
    NfsStat4 OpNum NfsFtype4 NfsLockType4 StableHow4 ChangeAttrType4 Fs4StatusType OpenDelegationType4 SecinfoStyle4
    WhyNoDelegation4 RpcGssSvc ChannelDirFromClient4 ChannelDirFromServer4 Layoutiomode4 SetxattrOption4
}

wrappers! { Name4 Pathname4 ServerName4 SecOid4 GssHandle4 }

// Of all minor versions.
fields! {
    Access4Args { access by access }
    Access4Resok { supported by access, access by access }
    Close4Args { seqid, open_stateid }
    Commit4Args { offset, count }
    Commit4Resok { writeverf }
    Create4Args { objtype, objname, createattrs }
    Create4Resok { cinfo, attrset }
    Delegpurge4Args { clientid by clientid }
    Delegreturn4Args { deleg_stateid }
    Getattr4Args { attr_request }
    Getattr4Resok { obj_attributes }
    Getfh4Resok { object }
    Link4Args { newname }
    Link4Resok { cinfo }
    Lock4Args { locktype, reclaim, offset, length by length, locker }
    Lock4Resok { lock_stateid }
    Lock4Denied { offset, length by length, locktype, owner }
    Lockt4Args { locktype, offset, length by length, owner }
    Locku4Args { locktype, seqid, lock_stateid, offset, length by length }
    Lookup4Args { objname }
    Verify4Args { obj_attributes }
    Open4Args { seqid, share_access by share_access, share_deny by share_deny, owner, openhow, claim }
    Open4Resok { stateid, cinfo, rflags by flags, attrset, delegation }
    Openattr4Args { createdir }
    OpenConfirm4Args { open_stateid, seqid }
    OpenConfirm4Resok { open_stateid }
    OpenDowngrade4Args { open_stateid, seqid, share_access by share_access, share_deny by share_deny }
    OpenDowngrade4Resok { open_stateid }
    Putfh4Args { object }
    Read4Args { stateid, offset, count }
    Read4Resok { eof, data }
    Readdir4Args { cookie by cookie, cookieverf, dircount, maxcount, attr_request }
    Readdir4Resok { cookieverf, reply }
    Readlink4Resok { link }
    ReleaseLockowner4Args { lock_owner }
    Remove4Args { target }
    Remove4Resok { cinfo }
    Rename4Args { oldname, newname }
    Rename4Resok { source_cinfo, target_cinfo }
    Renew4Args { clientid by clientid }
    Secinfo4Args { name }
    Secinfo4Resok { flavors }
    Setattr4Args { stateid, obj_attributes }
    Setclientid4Args { client, callback, callback_ident }
    Setclientid4Resok { clientid by clientid, setclientid_confirm }
    SetclientidConfirm4Args { clientid by clientid, setclientid_confirm }
    Write4Args { stateid, offset, stable, data by data }
    Write4Resok { count, committed, writeverf }
}

// Of 4.1.
fields! {
    BackchannelCtl4Args { cb_program by flags, sec_parms }
    BindConnToSession4Args { sessid, dir, use_conn_in_rdma_mode }
    BindConnToSession4Resok { sessid, dir, use_conn_in_rdma_mode }
    CreateSession4Args {
        clientid by clientid, sequence, flags by flags, fore_chan_attrs, back_chan_attrs, cb_program by flags, sec_parms
    }
    CreateSession4Resok { sessionid, sequence, flags by flags, fore_chan_attrs, back_chan_attrs }
    DestroyClientid4Args { clientid by clientid }
    DestroySession4Args { sessionid }
    ExchangeId4Args { clientowner, flags by flags, state_protect, client_impl_id }
    ExchangeId4Resok {
        clientid by clientid, sequenceid, flags by flags, state_protect, server_owner, server_scope by owner,
        server_impl_id
    }
    FreeStateid4Args { stateid }
    GetDirDelegation4Args {
        signal_deleg_avail, notification_types by words, child_attr_delay, dir_attr_delay, child_attributes,
        dir_attributes
    }
    GetDirDelegation4Resok { cookieverf, stateid, notification by words, child_attributes, dir_attributes }
    Getdeviceinfo4Args { device_id, layout_type, maxcount, notify_types by words }
    Getdeviceinfo4Resok { device_addr, notification by words }
    Getdevicelist4Args { layout_type, maxdevices, cookie by cookie, cookieverf }
    Getdevicelist4Resok { cookie by cookie, cookieverf, deviceid_list, eof }
    Layoutcommit4Args { offset, length by length, reclaim, stateid, last_write_offset, time_modify, layoutupdate }
    Layoutcommit4Resok { newsize }
    Layoutget4Args {
        signal_layout_avail, layout_type, iomode, offset, length by length, minlength by length, stateid, maxcount
    }
    Layoutget4Resok { return_on_close, stateid, layout }
    Layoutreturn4Args { reclaim, layout_type, iomode, layoutreturn }
    ReclaimComplete4Args { one_fs }
    Sequence4Args { sessionid, sequenceid, slotid, highest_slotid, cachethis }
    Sequence4Resok { sessionid, sequenceid, slotid, highest_slotid, target_highest_slotid, status_flags by flags }
    SetSsv4Args { ssv by data, digest by data }
    SetSsv4Resok { digest by data }
    TestStateid4Args { stateids }
    TestStateid4Resok { status_codes }
    WantDelegation4Args { want by share_access, claim }
}

// Of 4.2.
fields! {
    Allocate4Args { stateid, offset, length by length }
    Clone4Args { src_stateid, dst_stateid, src_offset, dst_offset, count }
    Copy4Args { src_stateid, dst_stateid, src_offset, dst_offset, count, consecutive, synchronous, source_server }
    Copy4Resok { response, requirements }
    CopyNotify4Args { src_stateid, destination_server }
    CopyNotify4Resok { lease_time, stateid, source_server }
    Deallocate4Args { stateid, offset, length by length }
    Getxattr4Args { name }
    Getxattr4Resok { value }
    IoAdvise4Args { stateid, offset, count, hints by words }
    IoAdvise4Resok { hints by words }
    Layouterror4Args { offset, length by length, stateid, errors }
    Layoutstats4Args { offset, length by length, stateid, read, write, deviceid, layoutupdate }
    Listxattrs4Args { cookie by cookie, maxcount }
    Listxattrs4Resok { cookie by cookie, names, eof }
    OffloadCancel4Args { stateid }
    OffloadStatus4Args { stateid }
    OffloadStatus4Resok { count, complete }
    ReadPlus4Args { stateid, offset, count }
    ReadPlus4Resok { eof, contents }
    Removexattr4Args { name }
    Seek4Args { stateid, offset, what }
    Seek4Resok { eof, offset }
    Setxattr4Args { option, key, value by data }
    WriteSame4Args { stateid, stable, adb }
}

// Of callbacks.
fields! {
    CbGetattr4Args { fh, attr_request }
    CbGetattr4Resok { obj_attributes }
    CbLayoutrecall4Args { layout_type, iomode, changed, recall }
    CbNotify4Args { stateid, fh, changes }
    CbNotifyDeviceid4Args { changes }
    CbNotifyLock4Args { fh, lock_owner }
    CbOffload4Args { fh, stateid, offload_info }
    CbPushDeleg4Args { fh, delegation }
    CbRecall4Args { stateid, truncate, fh }
    CbRecallAny4Args { objects_to_keep, type_mask by words }
    CbRecallSlot4Args { target_highest_slotid }
    CbSequence4Args { sessionid, sequenceid, slotid, highest_slotid, cachethis, referring_call_lists }
    CbSequence4Resok { sessionid, sequenceid, slotid, highest_slotid, target_highest_slotid }
    CbWantsCancelled4Args { contended_wants_cancelled, resourced_wants_cancelled }
}

inner! {
    AppDataBlock4 { offset, block_size, block_count, reloff_blocknum, block_num, reloff_pattern, pattern by data }
    AuthSysParms { stamp, machinename by owner, uid, gid, gids }
    CbClient4 { program by flags, location }
    ChangeInfo4 { atomic, before by change, after by change }
    ChangePolicy4 { major, minor }
    ChannelAttrs4 {
        headerpadsize, maxrequestsize, maxresponsesize, maxresponsesize_cached, maxoperations, maxrequests, rdma_ird
    }
    ClientOwner4 { verifier, ownerid by owner }
    Creatverfattr { verf, attrs }
    Data4 { offset, data }
    DataInfo4 { offset, length }
    CopyRequirements4 { consecutive, synchronous }
    DeviceAddr4 { layout_type, addr_body by data }
    DeviceError4 { deviceid, status, opnum }
    Dirlist4 { entries, eof }
    Entry4 { cookie by cookie, name, attrs }
    ExistLockOwner4 { lock_stateid, lock_seqid }
    FsLocation4 { server, rootpath }
    FsLocations4 { fs_root, locations }
    FsLocationsInfo4 { flags by flags, valid_for, fs_root, items }
    FsLocationsItem4 { entries, rootpath }
    FsLocationsServer4 { currency, info by data, server }
    Fs4Status { absent, status_type, source, current, age, version }
    GssCbHandles4 { service, handle_from_server by data, handle_from_client by data }
    IoInfo4 { count, bytes }
    LabelformatSpec4 { lfs, pi }
    Layout4 { offset, length by length, iomode, content }
    LayoutContent4 { layout_type, body by data }
    Layouthint4 { layout_type, body by data }
    LayoutrecallFile4 { fh, offset, length by length, stateid }
    LayoutreturnFile4 { offset, length by length, stateid, body by data }
    Layoutupdate4 { layout_type, body by data }
    Mdsthreshold4 { hints }
    ModeMasked4 { value_to_set by mode, mask_bits by mode }
    ModeUmask4 { mode by mode, umask by mode }
    Netaddr4 { netid, addr }
    NfsClientId4 { verifier, id by owner }
    NfsImplId4 { domain, name, date }
    NfsModifiedLimit4 { num_blocks, bytes_per_block }
    Nfsace4 { acetype, flag by flags, access_mask by flags, who }
    Nfsacl41 { flag by flags, aces }
    Notify4 { mask by words, vals by data }
    OpenClaimDelegateCur4 { delegate_stateid, file }
    OpenReadDelegation4 { stateid, recall, permissions }
    OpenToLockOwner4 { open_seqid, open_stateid, lock_seqid, lock_owner }
    OpenWriteDelegation4 { stateid, recall, space_limit, permissions }
    ReferringCall4 { sequenceid, slotid }
    ReferringCallList4 { sessionid, referring_calls }
    RetentionGet4 { duration, begin_time }
    RetentionSet4 { enable, duration }
    RpcsecGssInfo { oid by data, qop, service }
    SecLabel4 { lfs, data }
    ServerOwner4 { minor_id, major_id by owner }
    Specdata4 { specdata1, specdata2 }
    SsvProtInfo4 { ops, hash_alg, encr_alg, ssv_len, window, handles }
    SsvSpParms4 { ops, hash_algs, encr_algs, window, num_gss_handles }
    StateOwner4 { clientid by clientid, owner by owner }
    StateProtectOps4 { must_enforce by words, must_allow by words }
    ThresholdItem4 { layout_type, hintset by words, hintlist by data }
    WriteResponse4 { callback_id, count, committed, writeverf }
}

arms! {
    CallbackSecParms4 { None = "AUTH_NONE", Sys(parms) = "AUTH_SYS", Gss(handles) = "RPCSEC_GSS" }
    Createhow4 {
        Unchecked(attrs) = "UNCHECKED4", Guarded(attrs) = "GUARDED4", Exclusive(verf) = "EXCLUSIVE4",
        Exclusive41(both) = "EXCLUSIVE4_1"
    }
    Createtype4 {
        Lnk(link) = "NF4LNK", Blk(device) = "NF4BLK", Chr(device) = "NF4CHR", Sock = "NF4SOCK", Fifo = "NF4FIFO",
        Dir = "NF4DIR", Other(kind) = "other"
    }
    DelegClaim4 { Fh = "CLAIM_FH", DelegPrevFh = "CLAIM_DELEG_PREV_FH", Previous(kind) = "CLAIM_PREVIOUS" }
    GetDirDelegation4ResNonFatal { Ok(body) = "GDD4_OK", Unavail(signal) = "GDD4_UNAVAIL" }
    Layoutrecall4 { File(part) = "LAYOUTRECALL4_FILE", Fsid(fsid) = "LAYOUTRECALL4_FSID", All = "LAYOUTRECALL4_ALL" }
    Layoutreturn4 { File(part) = "LAYOUTRETURN4_FILE", Fsid = "LAYOUTRETURN4_FSID", All = "LAYOUTRETURN4_ALL" }
    Locker4 { OpenOwner(owner) = "open_owner", LockOwner(owner) = "lock_owner" }
    Netloc4 { Name(name) = "NL4_NAME", Url(url) = "NL4_URL", Netaddr(addr) = "NL4_NETADDR" }
    NfsSpaceLimit4 { Size(bytes) = "NFS_LIMIT_SIZE", Blocks(blocks) = "NFS_LIMIT_BLOCKS" }
    OpenClaim4 {
        Null(file) = "CLAIM_NULL", Previous(kind) = "CLAIM_PREVIOUS", DelegateCur(claim) = "CLAIM_DELEGATE_CUR",
        DelegatePrev(file) = "CLAIM_DELEGATE_PREV", Fh = "CLAIM_FH", DelegCurFh(stateid) = "CLAIM_DELEG_CUR_FH",
        DelegPrevFh = "CLAIM_DELEG_PREV_FH"
    }
    OpenDelegation4 {
        None = "OPEN_DELEGATE_NONE", Read(body) = "OPEN_DELEGATE_READ", Write(body) = "OPEN_DELEGATE_WRITE",
        NoneExt(why) = "OPEN_DELEGATE_NONE_EXT", ReadAttrsDeleg(body) = "OPEN_DELEGATE_READ_ATTRS_DELEG",
        WriteAttrsDeleg(body) = "OPEN_DELEGATE_WRITE_ATTRS_DELEG"
    }
    OpenNoneDelegation4 {
        Contention(push) = "WND4_CONTENTION", Resource(signal) = "WND4_RESOURCE", Other(why) = "why"
    }
    Openflag4 { Nocreate = "OPEN4_NOCREATE", Create(how) = "OPEN4_CREATE" }
    ReadPlusContent { Data(data) = "NFS4_CONTENT_DATA", Hole(hole) = "NFS4_CONTENT_HOLE" }
    Secinfo4 { RpcsecGss(info) = "RPCSEC_GSS", Flavor(number) = "flavor" }
    Settime4 { ServerTime = "SET_TO_SERVER_TIME4", ClientTime(time) = "SET_TO_CLIENT_TIME4" }
    StateProtect4A { None = "SP4_NONE", MachCred(ops) = "SP4_MACH_CRED", Ssv(parms) = "SP4_SSV" }
    StateProtect4R { None = "SP4_NONE", MachCred(ops) = "SP4_MACH_CRED", Ssv(info) = "SP4_SSV" }
}

impl Show for Deviceid4 {
    fn show(&self, line: &mut Line<'_>) {
        self.0.iter().for_each(|byte| line.push(&format!("{byte:02x}")));
    }
}
