//! Why the back end refuses a request, and how that looks to an S3 client.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use s3s::{S3Error, S3ErrorCode};

/// The reason a request of the back end did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Fault {
    /// The request is at odds with the state of the store or with the rules of S3; nothing was changed.
    #[error("{message}")]
    Refused {
        /// The S3 error code, which also decides the HTTP status.
        code: S3ErrorCode,
        /// What a person should read.
        message: Cow<'static, str>,
    },
    /// The disk or the index failed. A batch of changes that meets this is given up as a whole.
    #[error("the local disk of the embedded store failed: {0}")]
    Storage(Arc<str>),
}

impl Fault {
    /// A refusal with `code` and a plain sentence.
    pub(super) fn refused(code: S3ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused { code, message: message.into() }
    }

    /// A failure of disk or index, described by `detail`.
    pub(super) fn storage(detail: impl std::fmt::Display) -> Self {
        Self::Storage(detail.to_string().into())
    }

    /// The bucket does not exist.
    pub(super) fn no_such_bucket() -> Self {
        Self::refused(S3ErrorCode::NoSuchBucket, "the bucket does not exist")
    }

    /// The object does not exist.
    pub(super) fn no_such_key() -> Self {
        Self::refused(S3ErrorCode::NoSuchKey, "the object does not exist")
    }

    /// The multipart upload does not exist, was completed or was aborted.
    pub(super) fn no_such_upload() -> Self {
        Self::refused(S3ErrorCode::NoSuchUpload, "the multipart upload does not exist")
    }

    /// A condition of the request does not hold.
    pub(super) fn precondition() -> Self {
        Self::refused(S3ErrorCode::PreconditionFailed, "a condition of the request does not hold")
    }
}

impl From<Fault> for S3Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused { code, message } => Self::with_message(code, message),
            Fault::Storage(detail) => {
                tracing::error!(%detail, "embedded store: disk or index failed");
                Self::with_message(S3ErrorCode::InternalError, "the local disk of the embedded store failed")
            }
        }
    }
}

macro_rules! storage_fault_from {
    ($($source:ty),+ $(,)?) => {
        $(impl From<$source> for Fault {
            fn from(source: $source) -> Self {
                Self::storage(source)
            }
        })+
    };
}

storage_fault_from!(
    io::Error,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::SetDurabilityError,
    postcard::Error,
    tokio::task::JoinError,
);
