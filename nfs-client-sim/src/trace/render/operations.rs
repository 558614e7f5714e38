//! Operations and results: which structure belongs to which.

use nfs4_protocol::nfs4::*;

use super::{Line, Show};

impl<T: Show> Show for OpResult<T> {
    fn show(&self, line: &mut Line<'_>) {
        line.push(self.status().rfc_name());
        if let Ok(body) = self {
            line.space();
            body.show(line);
        }
    }
}

macro_rules! dispatch {
    ($type:ident: $($op:ident)*; $($rest:tt)*) => {
        impl Show for $type {
            fn show(&self, line: &mut Line<'_>) {
                match self {
                    $( Self::$op(body) => body.show(line), )*
                    $($rest)*
                }
            }
        }
    };
}

dispatch! {
    NfsArgop4:
    Access Close Commit Create Delegpurge Delegreturn Getattr Link Lock Lockt Locku Lookup Nverify Open Openattr
    OpenConfirm OpenDowngrade Putfh Read Readdir Remove Rename Renew Secinfo Setattr Setclientid SetclientidConfirm
    Verify Write ReleaseLockowner BackchannelCtl BindConnToSession ExchangeId CreateSession DestroySession FreeStateid
    GetDirDelegation Getdeviceinfo Getdevicelist Layoutcommit Layoutget Layoutreturn SecinfoNoName Sequence SetSsv
    TestStateid WantDelegation DestroyClientid ReclaimComplete Allocate Copy CopyNotify Deallocate IoAdvise Layouterror
    Layoutstats OffloadCancel OffloadStatus ReadPlus Seek WriteSame Clone Getxattr Setxattr Listxattrs Removexattr;
    Self::Getfh | Self::Lookupp | Self::Putpubfh | Self::Putrootfh | Self::Readlink | Self::Restorefh | Self::Savefh
    | Self::Illegal => {}
}

dispatch! {
    NfsResop4:
    Access Close Commit Create Delegpurge Delegreturn Getattr Getfh Link Lock Lockt Locku Lookup Lookupp Nverify Open
    Openattr OpenConfirm OpenDowngrade Putfh Putpubfh Putrootfh Read Readdir Readlink Remove Rename Renew Restorefh
    Savefh Secinfo Setattr Setclientid SetclientidConfirm Verify Write ReleaseLockowner BackchannelCtl
    BindConnToSession ExchangeId CreateSession DestroySession FreeStateid GetDirDelegation Getdeviceinfo Getdevicelist
    Layoutcommit Layoutget Layoutreturn SecinfoNoName Sequence SetSsv TestStateid WantDelegation DestroyClientid
    ReclaimComplete Allocate Copy CopyNotify Deallocate IoAdvise Layouterror Layoutstats OffloadCancel OffloadStatus
    ReadPlus Seek WriteSame Clone Getxattr Setxattr Listxattrs Removexattr Illegal;
}

dispatch! {
    NfsCbArgop4:
    Getattr Recall Layoutrecall Notify PushDeleg RecallAny RecallableObjAvail RecallSlot Sequence WantsCancelled
    NotifyLock NotifyDeviceid Offload Illegal;
}

dispatch! {
    NfsCbResop4:
    Getattr Recall Layoutrecall Notify PushDeleg RecallAny RecallableObjAvail RecallSlot Sequence WantsCancelled
    NotifyLock NotifyDeviceid Offload Illegal;
}

/// Results with a body for more statuses than NFS4_OK.
macro_rules! results {
    ($( $name:ident { $($variant:ident $(($body:ident))?),* } )*) => {$(
        impl Show for $name {
            fn show(&self, line: &mut Line<'_>) {
                line.push(self.status().rfc_name());
                line.space();
                match self {
                    $( Self::$variant $(($body))? => { $( $body.show(line); )? } )*
                    Self::Error(_) => {}
                }
            }
        }
    )*};
}

results! {
    Lock4Res { Ok(body), Denied(body) }
    Lockt4Res { Ok, Denied(body) }
    Setclientid4Res { Ok(body), ClidInuse(body) }
    Getdeviceinfo4Res { Ok(body), Toosmall(body) }
    Layoutget4Res { Ok(body), Layouttrylater(body) }
    Copy4Res { Ok(body), OffloadNoReqs(body) }
}

impl Show for Setattr4Res {
    fn show(&self, line: &mut Line<'_>) {
        line.push(self.status.rfc_name());
        line.field("attrsset", |line| self.attrsset.show(line));
    }
}

impl Show for OffloadInfo4 {
    fn show(&self, line: &mut Line<'_>) {
        match self {
            Self::Ok(response) => Ok::<_, NfsStat4>(*response).show(line),
            Self::Failed { status, bytes_copied } => {
                line.push(status.rfc_name());
                line.field("bytes_copied", |line| bytes_copied.show(line));
            }
        }
    }
}
