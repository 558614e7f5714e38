//! The results of a compound, taken out one by one.

use std::collections::VecDeque;

use nfs4_protocol::nfs4::{
    Access4Resok, Attrs, BindConnToSession4Resok, ChangeInfo4, Commit4Resok, Compound4Res, Copy4Res, CopyNotify4Resok,
    Create4Resok, CreateSession4Resok, ExchangeId4Resok, GetDirDelegation4ResNonFatal, Getdeviceinfo4Res,
    Getdevicelist4Resok, Getxattr4Resok, IoAdvise4Resok, Layoutcommit4Resok, Layoutget4Res, Link4Resok,
    Listxattrs4Resok, Lock4Res, Lockt4Res, NfsFh4, NfsResop4, NfsStat4, OffloadStatus4Resok, OpNum, Open4Resok,
    OpenConfirm4Resok, OpenDelegation4, OpenDowngrade4Resok, Read4Resok, ReadPlus4Resok, Readdir4Resok, Readlink4Resok,
    Remove4Resok, Rename4Resok, Secinfo4Resok, Seek4Resok, Sequence4Resok, SetSsv4Resok, Setattr4Res, Setclientid4Res,
    Stateid4, TestStateid4Resok, Write4Resok, WriteResponse4,
};

use crate::{Error, Result};

/// Operations that change nothing, so that a compound that failed after them can be sent again.
const HARMLESS: &[OpNum] = &[
    OpNum::Sequence,
    OpNum::Putrootfh,
    OpNum::Putpubfh,
    OpNum::Putfh,
    OpNum::Getfh,
    OpNum::Savefh,
    OpNum::Restorefh,
    OpNum::Lookup,
    OpNum::Lookupp,
    OpNum::Getattr,
    OpNum::Access,
];

/// The results of a compound.
///
/// Each method named after an operation takes the next result of that operation, and the results before it. When one of
/// them is a failure, that is the error. So a caller that takes the last result has seen all failures.
#[derive(Debug, Clone)]
pub struct Reply {
    status: NfsStat4,
    results: VecDeque<NfsResop4>,
}

macro_rules! results {
    ($( $(#[$doc:meta])* $method:ident($op:ident) -> $ty:ty, $unpack:expr; )*) => {
        impl Reply {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// [`Error::Status`] of the first failure up to here; [`Error::Missing`].
            pub fn $method(&mut self) -> Result<$ty> {
                match self.next_of(OpNum::$op)? {
                    NfsResop4::$op(result) => {
                        $unpack(result).map_err(|status| Error::Status { op: OpNum::$op, status })
                    }
                    _ => Err(Error::Missing(OpNum::$op)),
                }
            }
        )*}
    };
}

/// A result that is a success also with another status than NFS4_OK.
fn whole<T>(result: T) -> std::result::Result<T, NfsStat4> {
    Ok(result)
}

results! {
    /// The bits that ACCESS grants.
    access(Access) -> Access4Resok, |result| result;
    /// The stateid after CLOSE, which means nothing any more.
    close(Close) -> Stateid4, |result| result;
    /// The write verifier.
    commit(Commit) -> Commit4Resok, |result| result;
    /// What CREATE did.
    create(Create) -> Create4Resok, |result| result;
    /// The session.
    create_session(CreateSession) -> CreateSession4Resok, |result: Box<_>| *result;
    /// Nothing but success.
    destroy_session(DestroySession) -> (), |result| result;
    /// Nothing but success.
    destroy_clientid(DestroyClientid) -> (), |result| result;
    /// The client ID.
    exchange_id(ExchangeId) -> ExchangeId4Resok, |result: Box<_>| *result;
    /// What LOCK did, also when the lock is denied.
    lock(Lock) -> Lock4Res, |result: Box<_>| whole(*result);
    /// What LOCKT found, also when the lock would be denied.
    lockt(Lockt) -> Lockt4Res, |result: Box<_>| whole(*result);
    /// The lock's stateid.
    locku(Locku) -> Stateid4, |result| result;
    /// The open.
    open(Open) -> Open4Resok, |result: Box<_>| *result;
    /// The open with fewer rights.
    open_downgrade(OpenDowngrade) -> OpenDowngrade4Resok, |result| result;
    /// The confirmed open.
    open_confirm(OpenConfirm) -> OpenConfirm4Resok, |result| result;
    /// The data.
    read(Read) -> Read4Resok, |result| result;
    /// The entries.
    readdir(Readdir) -> Readdir4Resok, |result| result;
    /// The target.
    readlink(Readlink) -> Readlink4Resok, |result| result;
    /// Nothing but success.
    reclaim_complete(ReclaimComplete) -> (), |result| result;
    /// What REMOVE did.
    remove(Remove) -> Remove4Resok, |result| result;
    /// What RENAME did.
    rename(Rename) -> Rename4Resok, |result| result;
    /// Nothing but success.
    renew(Renew) -> (), |result| result;
    /// What SETATTR did, also when it failed.
    setattr(Setattr) -> Setattr4Res, whole;
    /// The client ID, still to be confirmed; also when it is in use.
    setclientid(Setclientid) -> Setclientid4Res, |result: Box<_>| whole(*result);
    /// Nothing but success.
    setclientid_confirm(SetclientidConfirm) -> (), |result| result;
    /// Nothing but success.
    allocate(Allocate) -> (), |result| result;
    /// Nothing but success.
    backchannel_ctl(BackchannelCtl) -> (), |result| result;
    /// The channels that the connection is bound to.
    bind_conn_to_session(BindConnToSession) -> BindConnToSession4Resok, |result| result;
    /// Nothing but success.
    clone_range(Clone) -> (), |result| result;
    /// What COPY did, also when the server cannot copy in the way that was asked for.
    copy(Copy) -> Copy4Res, |result: Box<_>| whole(*result);
    /// What the other server needs.
    copy_notify(CopyNotify) -> CopyNotify4Resok, |result: Box<_>| *result;
    /// Nothing but success.
    deallocate(Deallocate) -> (), |result| result;
    /// Nothing but success.
    delegpurge(Delegpurge) -> (), |result| result;
    /// Nothing but success.
    delegreturn(Delegreturn) -> (), |result| result;
    /// Nothing but success.
    free_stateid(FreeStateid) -> (), |result| result;
    /// The delegation, or none for now.
    get_dir_delegation(GetDirDelegation) -> GetDirDelegation4ResNonFatal, |result: Box<_>| *result;
    /// The device, also when the reply was too small for it.
    getdeviceinfo(Getdeviceinfo) -> Getdeviceinfo4Res, |result: Box<_>| whole(*result);
    /// The devices.
    getdevicelist(Getdevicelist) -> Getdevicelist4Resok, |result: Box<_>| *result;
    /// The value of an extended attribute.
    getxattr(Getxattr) -> Getxattr4Resok, |result| result;
    /// The hints that the server follows.
    io_advise(IoAdvise) -> IoAdvise4Resok, |result| result;
    /// The size of the file, if it changed.
    layoutcommit(Layoutcommit) -> Layoutcommit4Resok, |result| result;
    /// Nothing but success.
    layouterror(Layouterror) -> (), |result| result;
    /// The layouts, also when they may be had later.
    layoutget(Layoutget) -> Layoutget4Res, |result: Box<_>| whole(*result);
    /// The layout stateid, if layouts are left.
    layoutreturn(Layoutreturn) -> Option<Stateid4>, |result| result;
    /// Nothing but success.
    layoutstats(Layoutstats) -> (), |result| result;
    /// What LINK did.
    link(Link) -> Link4Resok, |result| result;
    /// Names of extended attributes.
    listxattrs(Listxattrs) -> Listxattrs4Resok, |result| result;
    /// Nothing but success.
    lookup(Lookup) -> (), |result| result;
    /// Nothing but success.
    lookupp(Lookupp) -> (), |result| result;
    /// Nothing but success, which means that the attributes differ.
    nverify(Nverify) -> (), |result| result;
    /// Nothing but success.
    offload_cancel(OffloadCancel) -> (), |result| result;
    /// How far a copy is.
    offload_status(OffloadStatus) -> OffloadStatus4Resok, |result| result;
    /// Nothing but success.
    openattr(Openattr) -> (), |result| result;
    /// Nothing but success.
    putfh(Putfh) -> (), |result| result;
    /// Nothing but success.
    putpubfh(Putpubfh) -> (), |result| result;
    /// Nothing but success.
    putrootfh(Putrootfh) -> (), |result| result;
    /// Data and holes.
    read_plus(ReadPlus) -> ReadPlus4Resok, |result| result;
    /// Nothing but success.
    release_lockowner(ReleaseLockowner) -> (), |result| result;
    /// The directory around the change.
    removexattr(Removexattr) -> ChangeInfo4, |result| result;
    /// Nothing but success.
    restorefh(Restorefh) -> (), |result| result;
    /// Nothing but success.
    savefh(Savefh) -> (), |result| result;
    /// The security flavours.
    secinfo(Secinfo) -> Secinfo4Resok, |result| result;
    /// The security flavours.
    secinfo_no_name(SecinfoNoName) -> Secinfo4Resok, |result| result;
    /// Where the next data or hole is.
    seek(Seek) -> Seek4Resok, |result| result;
    /// The slot as the server sees it.
    sequence(Sequence) -> Sequence4Resok, |result| result;
    /// The digest of the reply.
    set_ssv(SetSsv) -> SetSsv4Resok, |result: Box<_>| *result;
    /// The object around the change.
    setxattr(Setxattr) -> ChangeInfo4, |result| result;
    /// A status for each stateid.
    test_stateid(TestStateid) -> TestStateid4Resok, |result| result;
    /// Nothing but success, which means that the attributes are the same.
    verify(Verify) -> (), |result| result;
    /// The delegation, or why there is none.
    want_delegation(WantDelegation) -> OpenDelegation4, |result: Box<_>| *result;
    /// How much was written and how durably.
    write_same(WriteSame) -> WriteResponse4, |result| result;
    /// How much was written and how durably.
    write(Write) -> Write4Resok, |result| result;
}

impl Reply {
    /// The results of a compound that was sent by hand.
    #[must_use]
    pub fn new(result: Compound4Res) -> Self {
        Self { status: result.status, results: result.resarray.into() }
    }

    /// The status of the compound.
    #[must_use]
    pub const fn status(&self) -> NfsStat4 {
        self.status
    }

    /// The results that were not taken yet.
    #[must_use]
    pub const fn results(&self) -> &VecDeque<NfsResop4> {
        &self.results
    }

    /// Nothing but success of everything that was not taken yet.
    ///
    /// # Errors
    /// [`Error::Status`] of the failure.
    pub fn ok(&self) -> Result<()> {
        match self.results.back() {
            Some(last) if last.status() != NfsStat4::Ok => {
                Err(Error::Status { op: last.opnum(), status: last.status() })
            }
            _ if self.status != NfsStat4::Ok => Err(Error::Compound(self.status)),
            _ => Ok(()),
        }
    }

    /// The filehandle.
    ///
    /// # Errors
    /// [`Error::Status`] of the first failure up to here; [`Error::Missing`].
    pub fn getfh(&mut self) -> Result<NfsFh4> {
        match self.next_of(OpNum::Getfh)? {
            NfsResop4::Getfh(Ok(body)) => Ok(body.object),
            other => Err(Error::Status { op: OpNum::Getfh, status: other.status() }),
        }
    }

    /// The attributes.
    ///
    /// # Errors
    /// [`Error::Status`] of the first failure up to here; [`Error::Missing`]; [`Error::Attributes`].
    pub fn getattr(&mut self) -> Result<Attrs> {
        match self.next_of(OpNum::Getattr)? {
            NfsResop4::Getattr(Ok(body)) => Ok(body.obj_attributes.parse()?),
            other => Err(Error::Status { op: OpNum::Getattr, status: other.status() }),
        }
    }

    /// Takes out the result of SEQUENCE that [`Client::call`](crate::Client::call) asked for, unless it is a failure.
    pub fn take_sequence(&mut self) -> Option<Sequence4Resok> {
        match self.results.front() {
            Some(NfsResop4::Sequence(Ok(sequence))) => {
                let sequence = *sequence;
                self.results.pop_front();
                Some(sequence)
            }
            _ => None,
        }
    }

    /// The operation that failed and its status.
    pub(crate) fn failure(&self) -> Option<(OpNum, NfsStat4)> {
        let last = self.results.back()?;
        (last.status() != NfsStat4::Ok).then(|| (last.opnum(), last.status()))
    }

    /// The status of the first result of an operation, if the compound got that far.
    pub(crate) fn status_of(&self, op: OpNum) -> Option<NfsStat4> {
        self.results.iter().find(|result| result.opnum() == op).map(NfsResop4::status)
    }

    /// Whether the server asks to try again later, and nothing was changed before it said so.
    pub(crate) fn asks_for_patience(&self) -> bool {
        let Some(last) = self.results.back() else { return false };
        let before = self.results.iter().take(self.results.len().saturating_sub(1));
        is_patience(last.status()) && before.into_iter().all(|result| HARMLESS.contains(&result.opnum()))
    }

    fn next_of(&mut self, op: OpNum) -> Result<NfsResop4> {
        while let Some(result) = self.results.pop_front() {
            if result.opnum() == op {
                return Ok(result);
            }
            let status = result.status();
            if status != NfsStat4::Ok {
                return Err(Error::Status { op: result.opnum(), status });
            }
        }
        match self.status {
            NfsStat4::Ok => Err(Error::Missing(op)),
            status => Err(Error::Compound(status)),
        }
    }
}

/// Whether a status means "later".
pub(crate) const fn is_patience(status: NfsStat4) -> bool {
    matches!(status, NfsStat4::Delay | NfsStat4::Grace)
}

#[cfg(test)]
mod tests {
    use nfs4_protocol::nfs4::{Getfh4Resok, OpStatus};
    use pretty_assertions::assert_eq;

    use super::*;

    fn reply(results: Vec<NfsResop4>) -> Reply {
        let status = results.last().map_or(NfsStat4::Ok, NfsResop4::status);
        Reply::new(Compound4Res { status, tag: bytes::Bytes::new(), resarray: results })
    }

    #[test]
    fn the_first_failure_is_the_error_of_what_comes_after_it() {
        let mut reply = reply(vec![NfsResop4::Putrootfh(Ok(())), NfsResop4::failed(OpNum::Lookup, NfsStat4::Noent)]);
        let error = reply.getfh().unwrap_err();
        assert!(matches!(error, Error::Status { op: OpNum::Lookup, status: NfsStat4::Noent }), "{error}");
    }

    #[test]
    fn results_come_out_in_order() {
        let handle = NfsFh4(bytes::Bytes::from_static(b"one"));
        let other = NfsFh4(bytes::Bytes::from_static(b"two"));
        let getfh = |object: &NfsFh4| NfsResop4::Getfh(Ok(Getfh4Resok { object: object.clone() }));
        let mut reply =
            reply(vec![NfsResop4::Putrootfh(Ok(())), getfh(&handle), NfsResop4::Lookup(Ok(())), getfh(&other)]);
        assert_eq!((reply.getfh().unwrap(), reply.getfh().unwrap()), (handle, other));
        assert!(matches!(reply.getfh(), Err(Error::Missing(OpNum::Getfh))));
    }

    #[test]
    fn a_compound_that_changed_something_is_not_sent_again() {
        let delayed = || NfsResop4::failed(OpNum::Getattr, NfsStat4::Delay);
        assert!(reply(vec![NfsResop4::Putrootfh(Ok(())), delayed()]).asks_for_patience());
        let removed = NfsResop4::Remove(OpStatus::failed(NfsStat4::Ok));
        assert!(!reply(vec![NfsResop4::Putrootfh(Ok(())), removed, delayed()]).asks_for_patience());
        assert!(!reply(vec![NfsResop4::failed(OpNum::Getattr, NfsStat4::Io)]).asks_for_patience());
    }

    #[test]
    fn a_compound_without_results_says_why() {
        let status = NfsStat4::MinorVersMismatch;
        let mut reply = Reply::new(Compound4Res { status, tag: bytes::Bytes::new(), resarray: vec![] });
        assert_eq!(reply.ok().unwrap_err().status(), Some(status));
        assert_eq!(reply.getfh().unwrap_err().status(), Some(status));
    }
}
