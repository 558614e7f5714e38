//! The one mapping from what the file system says to what NFS says: a general status for each error, and the
//! exceptions where the list of errors of an operation (RFC 7530 §13.2, RFC 8881 §15.2, RFC 7862 §11.2) has another.

use nfs4_protocol::nfs4::{NfsStat4, OpNum};

use crate::fs::filesystem::FsError;

/// A status that some operations must not return, and the one they return instead.
struct Exception {
    from: NfsStat4,
    ops: &'static [OpNum],
    /// First and last minor version.
    minors: (u32, u32),
    to: NfsStat4,
}

/// Operations on the bytes of a file.
const BYTES: &[OpNum] = &[OpNum::Read, OpNum::Write, OpNum::Commit, OpNum::Lock, OpNum::Lockt];
/// Operations whose argument is the name of what is to be there.
const NAMES: &[OpNum] = &[
    OpNum::Lookup,
    OpNum::Lookupp,
    OpNum::Open,
    OpNum::Openattr,
    OpNum::Remove,
    OpNum::Rename,
    OpNum::Secinfo,
    OpNum::SecinfoNoName,
];

/// The exceptions, each with the section that demands it.
const EXCEPTIONS: &[Exception] = &[
    // RFC 7530 §16.27.4, RFC 8881 §18.26.3: a target that cannot be replaced exists, whatever it is.
    Exception { from: NfsStat4::Notempty, ops: &[OpNum::Rename], minors: (0, 2), to: NfsStat4::Exist },
    Exception { from: NfsStat4::Isdir, ops: &[OpNum::Rename], minors: (0, 2), to: NfsStat4::Exist },
    Exception { from: NfsStat4::Notdir, ops: &[OpNum::Rename], minors: (0, 2), to: NfsStat4::Exist },
    // RFC 7530 §16.23.5, §16.36.5, §16.3.5: INVAL for what is neither a file nor a directory.
    Exception { from: NfsStat4::Symlink, ops: BYTES, minors: (0, 0), to: NfsStat4::Inval },
    // RFC 7530 §16.32.5 lists ISDIR and INVAL for a size on what has none; RFC 8881 §15.2 only INVAL.
    Exception { from: NfsStat4::Isdir, ops: &[OpNum::Setattr], minors: (1, 2), to: NfsStat4::Inval },
    Exception { from: NfsStat4::Symlink, ops: &[OpNum::Setattr], minors: (0, 2), to: NfsStat4::Inval },
    // RFC 7530 §13.2, RFC 8881 §15.2: PERM is not in the lists of these, ACCESS is.
    Exception {
        from: NfsStat4::Perm,
        ops: &[OpNum::Remove, OpNum::Rename, OpNum::Write, OpNum::Read, OpNum::Lookup],
        minors: (0, 2),
        to: NfsStat4::Access,
    },
    // RFC 7530 §13.2, RFC 8881 §15.2: PUTROOTFH and PUTPUBFH can fail for no reason that a client could mend.
    Exception {
        from: NfsStat4::Io,
        ops: &[OpNum::Putfh, OpNum::Putrootfh, OpNum::Putpubfh],
        minors: (0, 2),
        to: NfsStat4::Serverfault,
    },
];

/// The status that operation `op` of minor version `minor` answers for `error`.
pub(super) fn status(op: OpNum, minor: u32, error: &FsError) -> NfsStat4 {
    if let FsError::Io(reason) = error {
        tracing::debug!(op = op.name(), %reason, "input/output error");
    }
    let general = general(error);
    if general == NfsStat4::Noent && !NAMES.contains(&op) {
        // Without a name among the arguments it is the node itself that went (RFC 7530 §13.1.2.7).
        return NfsStat4::Stale;
    }
    EXCEPTIONS
        .iter()
        .find(|row| row.from == general && row.ops.contains(&op) && (row.minors.0..=row.minors.1).contains(&minor))
        .map_or(general, |row| row.to)
}

/// The status for an error where the operation's list does not demand another. Sections are RFC 7530's; RFC 8881
/// §15.1 defines the same codes.
fn general(error: &FsError) -> NfsStat4 {
    match error {
        FsError::NotFound => NfsStat4::Noent,          // §13.1.4.8
        FsError::Exists => NfsStat4::Exist,            // §13.1.4.3
        FsError::NotDirectory => NfsStat4::Notdir,     // §13.1.2.6
        FsError::IsDirectory => NfsStat4::Isdir,       // §13.1.2.3
        FsError::IsSymlink => NfsStat4::Symlink,       // §13.1.2.8
        FsError::NotEmpty => NfsStat4::Notempty,       // §13.1.4.10
        FsError::Stale => NfsStat4::Stale,             // §13.1.2.7
        FsError::BadHandle => NfsStat4::Badhandle,     // §13.1.2.1
        FsError::NotPermitted => NfsStat4::Perm,       // §13.1.6.2
        FsError::AccessDenied => NfsStat4::Access,     // §13.1.6.1
        FsError::NameTooLong => NfsStat4::Nametoolong, // §13.1.7.3
        FsError::BadName => NfsStat4::Badname,         // §13.1.7.2
        FsError::Invalid => NfsStat4::Inval,           // §13.1.1.4
        FsError::TooLarge => NfsStat4::Fbig,           // §13.1.4.5
        FsError::NoSpace => NfsStat4::Nospc,           // §13.1.4.9
        FsError::ReadOnly => NfsStat4::Rofs,           // §13.1.4.11
        FsError::CrossDevice => NfsStat4::Xdev,        // §13.1.4.12
        FsError::NotSupported => NfsStat4::Notsupp,    // §13.1.1.5
        FsError::BadCookie => NfsStat4::BadCookie,     // §13.1.1.2
        FsError::Delay(_) => NfsStat4::Delay,          // §13.1.1.3
        FsError::Io(_) => NfsStat4::Io,                // §13.1.4.6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_missing_and_a_node_that_went_are_told_apart() {
        assert_eq!(status(OpNum::Lookup, 0, &FsError::NotFound), NfsStat4::Noent);
        assert_eq!(status(OpNum::Getattr, 1, &FsError::NotFound), NfsStat4::Stale);
    }

    #[test]
    fn a_link_has_no_bytes_and_each_minor_version_says_so_in_its_own_words() {
        assert_eq!(status(OpNum::Read, 0, &FsError::IsSymlink), NfsStat4::Inval);
        assert_eq!(status(OpNum::Read, 1, &FsError::IsSymlink), NfsStat4::Symlink);
        assert_eq!(status(OpNum::Open, 0, &FsError::IsSymlink), NfsStat4::Symlink);
    }

    #[test]
    fn what_rename_cannot_replace_exists() {
        for error in [FsError::NotEmpty, FsError::IsDirectory, FsError::NotDirectory] {
            assert_eq!(status(OpNum::Rename, 2, &error), NfsStat4::Exist);
        }
        assert_eq!(status(OpNum::Remove, 2, &FsError::NotEmpty), NfsStat4::Notempty);
    }

    #[test]
    fn removing_is_denied_rather_than_not_permitted() {
        assert_eq!(status(OpNum::Remove, 0, &FsError::NotPermitted), NfsStat4::Access);
        assert_eq!(status(OpNum::Setattr, 0, &FsError::NotPermitted), NfsStat4::Perm);
    }
}
