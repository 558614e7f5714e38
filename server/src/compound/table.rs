//! The operations: one row each, with the minor versions that have it and the rules that the COMPOUND loop applies
//! before the operation's own code runs. What is a rule of the protocol stands here and not in an `if` elsewhere.

use nfs4_protocol::nfs4::{MINOR_VERSION_MAX, NFS4_FHSIZE, OpNum};

/// Rules for one operation; combined with [`Rules::and`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules(u8);

impl Rules {
    /// No rule.
    const NONE: Self = Self(0);
    /// It is not offered: NFS4ERR_NOTSUPP in every minor version that has it.
    const ABSENT: Self = Self(1);
    /// It works on the current filehandle: NFS4ERR_NOFILEHANDLE without one.
    const FILEHANDLE: Self = Self(1 << 1);
    /// It may stand without SEQUENCE, alone (RFC 8881 §2.10.6.4, §18.35 to §18.37, §18.50).
    const SESSIONLESS: Self = Self(1 << 2);
    /// It must be the only operation, even with SEQUENCE (RFC 8881 §18.34.3).
    const ALONE: Self = Self(1 << 3);
    /// It changes something, so that its reply has to fit before it runs (RFC 8881 §2.10.6.4).
    const CHANGES: Self = Self(1 << 4);

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// An operation.
#[derive(Debug)]
pub(super) struct Row {
    /// Which.
    pub(super) op: OpNum,
    /// The last minor version that has it; above, it answers NFS4ERR_NOTSUPP (RFC 8881 §15.2).
    minor_last: u32,
    rules: Rules,
    /// The most bytes of a result that says NFS4_OK, operation number and status included. Only for operations that
    /// change something; all others are measured after they ran.
    reply_bytes_max: usize,
}

impl Row {
    /// Whether minor version `minor` has the operation and the gateway offers it.
    pub(super) fn is_offered_in(&self, minor: u32) -> bool {
        minor <= self.minor_last && !self.rules.has(Rules::ABSENT)
    }

    /// Whether it works on the current filehandle.
    pub(super) fn needs_filehandle(&self) -> bool {
        self.rules.has(Rules::FILEHANDLE)
    }

    /// Whether it may stand without SEQUENCE.
    pub(super) fn is_sessionless(&self) -> bool {
        self.rules.has(Rules::SESSIONLESS)
    }

    /// Whether nothing may stand beside it.
    pub(super) fn is_alone(&self) -> bool {
        self.rules.has(Rules::ALONE)
    }

    /// The room its result needs before it may run; `None` when it changes nothing and can be measured afterwards. A
    /// GETFH that follows counts as well: what was made would have no filehandle without it (RFC 8881 §2.10.6.4).
    pub(super) fn reply_bytes_needed(&self, follower: Option<OpNum>) -> Option<usize> {
        let follower_bytes = if follower == Some(OpNum::Getfh) { GETFH } else { 0 };
        self.rules.has(Rules::CHANGES).then_some(self.reply_bytes_max + follower_bytes)
    }
}

/// The row of an operation that minor version `minor` has or had; `None` is NFS4ERR_OP_ILLEGAL.
pub(super) fn row(op: OpNum, minor: u32) -> Option<&'static Row> {
    if !op.defined_in(minor) {
        return None;
    }
    TABLE.iter().find(|row| row.op == op)
}

/// Operation number and status.
const STATUS: usize = 8;
const STATEID: usize = 16;
const CHANGE_INFO: usize = 20;
const VERIFIER: usize = 8;
/// The longest bitmap the gateway sends: its length and three words.
const BITMAP: usize = 16;
/// The longest filehandle and its length.
const GETFH: usize = STATUS + 4 + NFS4_FHSIZE;
/// Change, flags, attributes set, and the longest "no delegation" (its type, the reason, a flag).
const OPEN: usize = STATUS + STATEID + CHANGE_INFO + 4 + BITMAP + 12;

/// A row for all minor versions from the one that brought the operation.
const fn all(op: OpNum, rules: Rules) -> Row {
    Row { op, minor_last: MINOR_VERSION_MAX, rules, reply_bytes_max: 0 }
}

/// A row for an operation that changes something, with the size of its result.
const fn change(op: OpNum, rules: Rules, reply_bytes_max: usize) -> Row {
    Row { op, minor_last: MINOR_VERSION_MAX, rules: rules.and(Rules::CHANGES), reply_bytes_max }
}

/// A row for 4.0 only (RFC 8881 §15.2: the operations that must not be implemented).
const fn only_40(row: Row) -> Row {
    Row { minor_last: 0, ..row }
}

use Rules as R;

static TABLE: &[Row] = &[
    all(OpNum::Access, R::FILEHANDLE),
    change(OpNum::Close, R::FILEHANDLE, STATUS + STATEID),
    change(OpNum::Commit, R::FILEHANDLE, STATUS + VERIFIER),
    change(OpNum::Create, R::FILEHANDLE, STATUS + CHANGE_INFO + BITMAP),
    all(OpNum::Delegpurge, R::ABSENT),
    all(OpNum::Delegreturn, R::ABSENT),
    all(OpNum::Getattr, R::FILEHANDLE),
    all(OpNum::Getfh, R::FILEHANDLE),
    all(OpNum::Link, R::ABSENT),
    change(OpNum::Lock, R::FILEHANDLE, STATUS + STATEID),
    all(OpNum::Lockt, R::FILEHANDLE),
    change(OpNum::Locku, R::FILEHANDLE, STATUS + STATEID),
    all(OpNum::Lookup, R::FILEHANDLE),
    all(OpNum::Lookupp, R::FILEHANDLE),
    all(OpNum::Nverify, R::FILEHANDLE),
    change(OpNum::Open, R::FILEHANDLE, OPEN),
    all(OpNum::Openattr, R::ABSENT),
    only_40(change(OpNum::OpenConfirm, R::FILEHANDLE, STATUS + STATEID)),
    change(OpNum::OpenDowngrade, R::FILEHANDLE, STATUS + STATEID),
    all(OpNum::Putfh, R::NONE),
    all(OpNum::Putpubfh, R::NONE),
    all(OpNum::Putrootfh, R::NONE),
    all(OpNum::Read, R::FILEHANDLE),
    all(OpNum::Readdir, R::FILEHANDLE),
    all(OpNum::Readlink, R::FILEHANDLE),
    change(OpNum::Remove, R::FILEHANDLE, STATUS + CHANGE_INFO),
    change(OpNum::Rename, R::FILEHANDLE, STATUS + 2 * CHANGE_INFO),
    only_40(all(OpNum::Renew, R::NONE)),
    all(OpNum::Restorefh, R::NONE),
    all(OpNum::Savefh, R::FILEHANDLE),
    all(OpNum::Secinfo, R::FILEHANDLE),
    change(OpNum::Setattr, R::FILEHANDLE, STATUS + BITMAP),
    only_40(change(OpNum::Setclientid, R::NONE, STATUS + 8 + VERIFIER)),
    only_40(change(OpNum::SetclientidConfirm, R::NONE, STATUS)),
    all(OpNum::Verify, R::FILEHANDLE),
    change(OpNum::Write, R::FILEHANDLE, STATUS + 8 + VERIFIER),
    only_40(change(OpNum::ReleaseLockowner, R::NONE, STATUS)),
    change(OpNum::BackchannelCtl, R::NONE, STATUS),
    change(OpNum::BindConnToSession, R::SESSIONLESS.and(R::ALONE), STATUS + 24),
    change(OpNum::ExchangeId, R::SESSIONLESS, STATUS + super::session::EXCHANGE_ID_REPLY_BYTES_MAX),
    change(OpNum::CreateSession, R::SESSIONLESS, STATUS + 24 + 2 * 32),
    change(OpNum::DestroySession, R::SESSIONLESS, STATUS),
    change(OpNum::FreeStateid, R::NONE, STATUS),
    all(OpNum::GetDirDelegation, R::ABSENT),
    all(OpNum::Getdeviceinfo, R::ABSENT),
    all(OpNum::Getdevicelist, R::ABSENT),
    all(OpNum::Layoutcommit, R::ABSENT),
    all(OpNum::Layoutget, R::ABSENT),
    all(OpNum::Layoutreturn, R::ABSENT),
    all(OpNum::SecinfoNoName, R::FILEHANDLE),
    all(OpNum::Sequence, R::NONE),
    all(OpNum::SetSsv, R::NONE),
    all(OpNum::TestStateid, R::NONE),
    all(OpNum::WantDelegation, R::ABSENT),
    change(OpNum::DestroyClientid, R::SESSIONLESS, STATUS),
    change(OpNum::ReclaimComplete, R::NONE, STATUS),
    all(OpNum::Allocate, R::ABSENT),
    all(OpNum::Copy, R::ABSENT),
    all(OpNum::CopyNotify, R::ABSENT),
    all(OpNum::Deallocate, R::ABSENT),
    all(OpNum::IoAdvise, R::FILEHANDLE),
    all(OpNum::Layouterror, R::ABSENT),
    all(OpNum::Layoutstats, R::ABSENT),
    all(OpNum::OffloadCancel, R::ABSENT),
    all(OpNum::OffloadStatus, R::ABSENT),
    all(OpNum::ReadPlus, R::ABSENT),
    all(OpNum::Seek, R::ABSENT),
    all(OpNum::WriteSame, R::ABSENT),
    all(OpNum::Clone, R::ABSENT),
    all(OpNum::Getxattr, R::ABSENT),
    all(OpNum::Setxattr, R::ABSENT),
    all(OpNum::Listxattrs, R::ABSENT),
    all(OpNum::Removexattr, R::ABSENT),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_one_row() {
        for op in OpNum::ALL.iter().filter(|op| **op != OpNum::Illegal) {
            assert_eq!(TABLE.iter().filter(|row| row.op == *op).count(), 1, "{op}");
        }
        assert_eq!(TABLE.len(), OpNum::ALL.len() - 1);
    }

    #[test]
    fn the_operations_of_40_alone_are_known_but_not_offered_later() {
        let gone =
            [OpNum::OpenConfirm, OpNum::ReleaseLockowner, OpNum::Renew, OpNum::Setclientid, OpNum::SetclientidConfirm];
        for op in gone {
            assert!(row(op, 0).is_some_and(|row| row.is_offered_in(0)), "{op}");
            assert!(row(op, 1).is_some_and(|row| !row.is_offered_in(1)), "{op}");
        }
    }

    #[test]
    fn an_operation_of_a_later_minor_version_is_illegal() {
        assert!(row(OpNum::Sequence, 0).is_none());
        assert!(row(OpNum::Allocate, 1).is_none());
        assert!(row(OpNum::Allocate, 2).is_some());
    }
}
