//! What failures of the rooms below mean to the file system.

use super::filesystem::FsError;
use crate::data::DataError;
use crate::local::LocalError;
use crate::store::StoreError;

impl From<StoreError> for FsError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::NoSuchBucket => Self::Stale,
            StoreError::BucketNotEmpty => Self::NotEmpty,
            StoreError::BucketExists => Self::Exists,
            StoreError::AccessDenied(_) => Self::AccessDenied,
            StoreError::NotSupported(_) => Self::NotSupported,
            StoreError::Unavailable(reason) => Self::Delay(reason),
            StoreError::PreconditionFailed | StoreError::NoSuchUpload | StoreError::Refused(_) => {
                Self::Io(error.to_string())
            }
        }
    }
}

impl From<LocalError> for FsError {
    fn from(error: LocalError) -> Self {
        Self::Io(error.to_string())
    }
}

impl From<DataError> for FsError {
    fn from(error: DataError) -> Self {
        match error {
            DataError::NoSpace => Self::NoSpace,
            DataError::TooLarge => Self::TooLarge,
            DataError::Store(error) => match Self::from(error) {
                Self::NotFound => Self::Stale,
                other => other,
            },
            DataError::BaseChanged
            | DataError::BaseGone
            | DataError::Fragmented
            | DataError::Failed(_)
            | DataError::Io(_) => Self::Io(error.to_string()),
        }
    }
}
