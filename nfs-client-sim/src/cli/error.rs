//! What can go wrong with a command, in words and as an exit status.

use std::fmt::{self, Display};
use std::io;

use nfs_client_sim::Error;
use nfs4_protocol::nfs4::NfsStat4;

use super::NfsUrl;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line asks for something that does not make sense.
    #[error("{0}")]
    Usage(String),
    /// There is no connection, or the server does not take this client.
    #[error("{url}: {}", Plain(source))]
    Server { url: String, source: Error },
    /// An operation failed.
    #[error("{subject}: {}", Plain(source))]
    Nfs { subject: String, source: Error },
    /// Something on this machine failed.
    #[error("{subject}: {source}")]
    Local { subject: String, source: io::Error },
    /// The command was carried out, and the result is bad.
    #[error("{0}")]
    Failed(String),
    /// Standard output takes no more.
    #[error("standard output: {0}")]
    Output(io::Error),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl CliError {
    /// A failure of the local file or device `subject`.
    pub(crate) fn local(subject: impl Display, source: io::Error) -> Self {
        Self::Local { subject: subject.to_string(), source }
    }

    /// A failure of the server at `url` as a whole.
    pub(crate) fn server(url: &NfsUrl, source: Error) -> Self {
        Self::Server { url: url.to_string(), source }
    }

    /// 1 for what was not there, was refused or differs, 2 for wrong usage, 3 for no connection or a server that takes
    /// no calls, 130 after Ctrl-C.
    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Server { .. } => 3,
            Self::Nfs {
                source: Error::Lost(_) | Error::Connect { .. } | Error::Timeout(_) | Error::Refused(_) | Error::NoSlot,
                ..
            } => 3,
            Self::Nfs { .. } | Self::Local { .. } | Self::Failed(_) | Self::Output(_) => 1,
            Self::Interrupted => 130,
        }
    }

    /// The NFS status, where a server answered with one.
    pub(crate) const fn status(&self) -> Option<NfsStat4> {
        match self {
            Self::Nfs { source, .. } | Self::Server { source, .. } => source.status(),
            _ => None,
        }
    }

    /// Whether nothing is to be said: who reads standard output went away, which is how `head` ends.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Says what failed.
pub(crate) trait NfsContext<T> {
    /// Names the place or file that the operation was for.
    fn at(self, subject: impl Display) -> Result<T, CliError>;
}

impl<T> NfsContext<T> for Result<T, Error> {
    fn at(self, subject: impl Display) -> Result<T, CliError> {
        self.map_err(|source| CliError::Nfs { subject: subject.to_string(), source })
    }
}

impl<T> NfsContext<T> for io::Result<T> {
    fn at(self, subject: impl Display) -> Result<T, CliError> {
        self.map_err(|source| CliError::local(subject, source))
    }
}

/// An error as a user reads it: the status and what it means.
struct Plain<'a>(&'a Error);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.status().and_then(|status| Some((status, meaning(status)?))) {
            Some((status, meaning)) => write!(f, "{status}: {meaning}"),
            None => write!(f, "{}", self.0),
        }
    }
}

/// What a status that users meet means, in plain words.
const fn meaning(status: NfsStat4) -> Option<&'static str> {
    Some(match status {
        NfsStat4::Perm => "only the owner or the superuser may do this",
        NfsStat4::Noent => "no such file or directory",
        NfsStat4::Io => "the server could not read or write its storage",
        NfsStat4::Access => "permission denied",
        NfsStat4::Exist => "it exists",
        NfsStat4::Xdev => "it is on another file system",
        NfsStat4::Notdir => "not a directory",
        NfsStat4::Isdir => "it is a directory",
        NfsStat4::Inval => "the server calls an argument invalid",
        NfsStat4::Fbig => "larger than the server's largest file",
        NfsStat4::Nospc => "no space left",
        NfsStat4::Rofs => "the file system is read-only",
        NfsStat4::Mlink => "too many hard links",
        NfsStat4::Nametoolong => "the name is too long",
        NfsStat4::Notempty => "the directory is not empty",
        NfsStat4::Dquot => "over quota",
        NfsStat4::Stale | NfsStat4::Fhexpired => "it was removed meanwhile",
        NfsStat4::Notsupp => "the server does not support this",
        NfsStat4::Toosmall => "the server needs a larger reply than it may send",
        NfsStat4::Serverfault => "the server failed inside",
        NfsStat4::Badtype | NfsStat4::WrongType => "not for an object of this type",
        NfsStat4::Delay => "the server asked to come back later, until time was up",
        NfsStat4::Denied | NfsStat4::Locked => "another lock is in the way",
        NfsStat4::Grace => "the server waits for clients of before its restart, until time was up",
        NfsStat4::ShareDenied | NfsStat4::FileOpen => "another client has it open",
        NfsStat4::Wrongsec => "the server wants other security than AUTH_SYS",
        NfsStat4::Moved => "it is on another server",
        NfsStat4::MinorVersMismatch => "the server does not take this minor version",
        NfsStat4::Symlink => "it is a symbolic link",
        NfsStat4::Attrnotsupp => "the server does not have this attribute",
        NfsStat4::Badowner => "the server does not know this owner",
        NfsStat4::Badchar | NfsStat4::Badname => "the server does not take this name",
        NfsStat4::LockRange | NfsStat4::BadRange => "the server cannot lock this range",
        NfsStat4::Expired | NfsStat4::AdminRevoked => "the server took open files and locks away",
        NfsStat4::Noxattr => "no such extended attribute",
        NfsStat4::Xattr2big => "the extended attribute is too large",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use nfs4_protocol::nfs4::OpNum;

    use super::*;

    fn failure(status: NfsStat4) -> CliError {
        Err::<(), _>(Error::Status { op: OpNum::Lookup, status }).at("nfs://s/a").unwrap_err()
    }

    #[test]
    fn a_status_is_said_in_words_where_it_has_some() {
        assert_eq!(failure(NfsStat4::Noent).to_string(), "nfs://s/a: NFS4ERR_NOENT: no such file or directory");
        assert_eq!(failure(NfsStat4::BadSeqid).to_string(), "nfs://s/a: OP_LOOKUP: NFS4ERR_BAD_SEQID");
    }

    #[test]
    fn exit_statuses_tell_failures_from_servers_that_are_not_there() {
        let lost = Err::<(), _>(Error::Lost("end".into())).at("nfs://s/a").unwrap_err();
        assert_eq!([failure(NfsStat4::Noent).exit_status(), lost.exit_status()], [1, 3]);
        assert_eq!(CliError::Usage(String::new()).exit_status(), 2);
    }

    #[test]
    fn a_reader_that_went_away_is_no_reason_to_complain() {
        assert!(CliError::Output(io::ErrorKind::BrokenPipe.into()).is_silent());
        assert!(!CliError::Output(io::ErrorKind::StorageFull.into()).is_silent());
    }
}
