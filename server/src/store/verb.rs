//! The names of the verbs, for counters, spans and scripted faults.

use std::fmt;

/// One verb of [`ObjectStore`](super::ObjectStore).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// `list_buckets`
    ListBuckets,
    /// `head_bucket`
    HeadBucket,
    /// `create_bucket`
    CreateBucket,
    /// `delete_bucket`
    DeleteBucket,
    /// `list`
    List,
    /// `head`
    Head,
    /// `get`
    Get,
    /// `put`
    Put,
    /// `copy`
    Copy,
    /// `delete`
    Delete,
    /// `create_upload`
    CreateUpload,
    /// `upload_part`
    UploadPart,
    /// `upload_part_copy`
    UploadPartCopy,
    /// `complete_upload`
    CompleteUpload,
    /// `abort_upload`
    AbortUpload,
    /// `list_uploads`
    ListUploads,
}

impl Verb {
    /// How many verbs there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Every verb, in the order of the declaration.
    pub const ALL: [Self; 16] = [
        Self::ListBuckets,
        Self::HeadBucket,
        Self::CreateBucket,
        Self::DeleteBucket,
        Self::List,
        Self::Head,
        Self::Get,
        Self::Put,
        Self::Copy,
        Self::Delete,
        Self::CreateUpload,
        Self::UploadPart,
        Self::UploadPartCopy,
        Self::CompleteUpload,
        Self::AbortUpload,
        Self::ListUploads,
    ];

    /// The verb's name as metrics and logs show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListBuckets => "list_buckets",
            Self::HeadBucket => "head_bucket",
            Self::CreateBucket => "create_bucket",
            Self::DeleteBucket => "delete_bucket",
            Self::List => "list",
            Self::Head => "head",
            Self::Get => "get",
            Self::Put => "put",
            Self::Copy => "copy",
            Self::Delete => "delete",
            Self::CreateUpload => "create_upload",
            Self::UploadPart => "upload_part",
            Self::UploadPartCopy => "upload_part_copy",
            Self::CompleteUpload => "complete_upload",
            Self::AbortUpload => "abort_upload",
            Self::ListUploads => "list_uploads",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
