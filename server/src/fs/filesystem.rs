//! The file system as the COMPOUND room sees it: handles in, facts out. Errors here are the file system's own; one table
//! in `compound` maps them to NFS status codes.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::timestamp::Timestamp;

/// The most bytes a handle may have (RFC 7530 §2.1, NFS4_FHSIZE).
pub const HANDLE_BYTES_MAX: usize = 128;
/// The most bytes a file may have.
pub use crate::data::FILE_BYTES_MAX;

/// The most bytes a name may have.
pub const NAME_BYTES_MAX: usize = 255;
/// The most bytes the target of a symbolic link may have.
pub const LINK_BYTES_MAX: usize = 4096;

/// A file handle: opaque to clients, stable over restarts and renames.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Handle(Bytes);

impl Handle {
    /// Takes a client's bytes; `None` when there are more than [`HANDLE_BYTES_MAX`].
    pub fn new(bytes: Bytes) -> Option<Self> {
        (bytes.len() <= HANDLE_BYTES_MAX).then_some(Self(bytes))
    }

    /// The bytes for the wire.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What identifies a file, directory or link as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeKey {
    /// The file system: one per bucket, and one for the root.
    pub fsid: u64,
    /// The file within it; never 0.
    pub fileid: u64,
}

/// The kinds of nodes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum NodeKind {
    /// A directory: the root, a bucket, or a prefix.
    Directory,
    /// A regular file: an object.
    File,
    /// A symbolic link: an object whose bytes are the target.
    Symlink,
}

/// A node that was found or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// How clients name it.
    pub handle: Handle,
    /// What identifies it.
    pub key: NodeKey,
    /// What it is.
    pub kind: NodeKind,
}

/// The attributes of a node, all of them current, also while data is only staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// What identifies it.
    pub key: NodeKey,
    /// What it is.
    pub kind: NodeKind,
    /// Bytes of a file or of a link's target.
    pub size: u64,
    /// Bytes that it takes up.
    pub space_used: u64,
    /// Moves on every change of data or attributes and never without one (RFC 7530 §5.8.1.4).
    pub change: u64,
    /// Permission bits, at most 0o7777.
    pub mode: u32,
    /// Number of links; at least 1, 0 only for a file that is removed but still open.
    pub nlink: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Last access as far as it is kept.
    pub atime: Timestamp,
    /// Last change of data.
    pub mtime: Timestamp,
    /// Last change of data or attributes.
    pub ctime: Timestamp,
    /// The fileid of the directory it is mounted on, at a bucket's root; else its own (RFC 7530 §5.8.2.19).
    pub mounted_on_fileid: u64,
}

/// Attributes to set; `None` leaves one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SetAttributes {
    /// New length: cut or extended with zeros.
    pub size: Option<u64>,
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Last access.
    pub atime: Option<SetTime>,
    /// Last change of data.
    pub mtime: Option<SetTime>,
}

/// A time to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetTime {
    /// The server's clock.
    Now,
    /// The client's value.
    To(Timestamp),
}

/// Who asks: the AUTH_SYS identity after squashing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// User; 0 may do all.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups, at most 16 on the wire.
    pub groups: Vec<u32>,
}

/// The change attribute of a directory around an operation (RFC 7530 §2.2.7, change_info4; always atomic here).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirChange {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// How OPEN creates a file (RFC 7530 §16.16.5, createhow4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateHow {
    /// An existing file is fine; it is left as it is (the caller truncates it after the share check).
    Unchecked,
    /// An existing file is an error.
    Guarded,
    /// An existing file is an error unless it was created with this very verifier, and is unchanged since.
    Exclusive([u8; 8]),
}

/// What a creation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The node.
    pub node: Located,
    /// Whether it is new.
    pub new: bool,
    /// The directory around it.
    pub change: DirChange,
}

/// How safe a write is to be when it is answered (RFC 7530 §16.36, stable_how4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stability {
    /// In memory will do.
    Unstable,
    /// Data on stable storage.
    DataSync,
    /// Data and attributes on stable storage.
    FileSync,
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOutcome {
    /// Bytes taken.
    pub count: u32,
    /// How safe they are now; at least what was asked for.
    pub committed: Stability,
    /// Changes exactly when uncommitted data may have been lost.
    pub verifier: [u8; 8],
}

/// What a read found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOutcome {
    /// The bytes, in order; fewer than asked for only at the end of the file.
    pub chunks: Vec<Bytes>,
    /// Whether the read reached the end of the file.
    pub eof: bool,
}

/// What READDIR wants with each name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DirWant {
    /// [`DirEntry::attributes`]; without it only `handle`, `key` and `kind` are known, which are cheaper.
    pub attributes: bool,
    /// Whether the handles go to the client, and so have to outlive a restart.
    pub handles: bool,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name.
    pub name: String,
    /// Where to go on after this entry; at least 3, good for ever (design §7).
    pub cookie: u64,
    /// The node. Its `kind` is certain only with attributes asked for: a listing alone cannot tell a link from a file.
    pub node: Located,
    /// Attributes, where asked for.
    pub attributes: Option<Attributes>,
}

/// A stretch of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirPage {
    /// Entries in the directory's order, without `.` and `..`.
    pub entries: Vec<DirEntry>,
    /// Whether nothing follows.
    pub eof: bool,
}

/// Room in a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes in all.
    pub bytes_total: u64,
    /// Bytes free.
    pub bytes_free: u64,
    /// Files in all.
    pub files_total: u64,
    /// Files that can still be made.
    pub files_free: u64,
}

/// Keeps a file open: while it lives, the file's bytes outlive its name. Dropping it is the close.
pub struct OpenGuard(#[allow(dead_code, reason = "held for its Drop")] Box<dyn Send + Sync>);

impl OpenGuard {
    /// Wraps whatever the file system wants dropped at the close.
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for OpenGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenGuard")
    }
}

/// Why the file system did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FsError {
    /// No such name.
    #[error("no such file or directory")]
    NotFound,
    /// The name is taken.
    #[error("the name exists")]
    Exists,
    /// A directory was needed.
    #[error("not a directory")]
    NotDirectory,
    /// A directory where a file was needed.
    #[error("is a directory")]
    IsDirectory,
    /// A link where a file was needed.
    #[error("is a symbolic link")]
    IsSymlink,
    /// The directory has entries.
    #[error("the directory is not empty")]
    NotEmpty,
    /// The handle's node is gone.
    #[error("the handle is stale")]
    Stale,
    /// The bytes are no handle of ours.
    #[error("not a handle")]
    BadHandle,
    /// The operation is not allowed to anybody, here.
    #[error("operation not permitted")]
    NotPermitted,
    /// The store's credentials do not allow it.
    #[error("access denied")]
    AccessDenied,
    /// The name is too long, or the key it would make.
    #[error("the name is too long")]
    NameTooLong,
    /// The name cannot be one (empty, `.`, `..`, with `/` or NUL).
    #[error("not a name")]
    BadName,
    /// A READDIR cookie that never was given out here.
    #[error("not a cookie")]
    BadCookie,
    /// An argument has no sense.
    #[error("invalid argument")]
    Invalid,
    /// Beyond the largest size.
    #[error("the file would be too large")]
    TooLarge,
    /// No room left for staging.
    #[error("no space left")]
    NoSpace,
    /// The bucket or the gateway is read-only.
    #[error("read-only file system")]
    ReadOnly,
    /// Source and target lie in different buckets.
    #[error("crosses buckets")]
    CrossDevice,
    /// Not offered.
    #[error("not supported")]
    NotSupported,
    /// Cannot be answered now: the client asks again.
    #[error("try again later: {0}")]
    Delay(String),
    /// The disk or the store failed.
    #[error("input/output error: {0}")]
    Io(String),
}

/// Result of every call.
pub type FsResult<T> = Result<T, FsError>;

/// The file system. One instance serves all clients; every call may run at the same time as any other.
#[async_trait]
pub trait Filesystem: Send + Sync + 'static {
    /// The root, whose entries are the buckets.
    async fn root(&self) -> FsResult<Located>;
    /// What a client's handle stands for: `BadHandle`, `Stale`.
    async fn resolve(&self, handle: &Handle) -> FsResult<Located>;
    /// The entry `name`: `NotFound`, `NotDirectory`, `BadName`, `NameTooLong`.
    async fn lookup(&self, dir: &Handle, name: &str) -> FsResult<Located>;
    /// The directory above; of the root `NotFound`.
    async fn parent(&self, dir: &Handle) -> FsResult<Located>;
    /// Attributes.
    async fn getattr(&self, node: &Handle) -> FsResult<Attributes>;
    /// Sets attributes, all or none.
    async fn setattr(&self, node: &Handle, set: &SetAttributes) -> FsResult<()>;
    /// Entries after `cookie` (0: from the start), at most `limit` of them and at least one unless at the end.
    async fn readdir(&self, dir: &Handle, cookie: u64, limit: usize, want: DirWant) -> FsResult<DirPage>;
    /// Creates a regular file owned by `caller` unless `set` says otherwise.
    async fn create(
        &self,
        dir: &Handle,
        name: &str,
        how: CreateHow,
        set: &SetAttributes,
        caller: &Caller,
    ) -> FsResult<Created>;
    /// Creates a directory.
    async fn mkdir(&self, dir: &Handle, name: &str, set: &SetAttributes, caller: &Caller) -> FsResult<Created>;
    /// Creates a symbolic link.
    async fn symlink(
        &self,
        dir: &Handle,
        name: &str,
        target: &str,
        set: &SetAttributes,
        caller: &Caller,
    ) -> FsResult<Created>;
    /// The target of a link; `Invalid` for another kind.
    async fn readlink(&self, link: &Handle) -> FsResult<Bytes>;
    /// Removes a file, link or empty directory.
    async fn remove(&self, dir: &Handle, name: &str) -> FsResult<DirChange>;
    /// Renames, replacing a file by a file and an empty directory by a directory; changes of both directories.
    async fn rename(
        &self,
        from_dir: &Handle,
        from: &str,
        to_dir: &Handle,
        to: &str,
    ) -> FsResult<(DirChange, DirChange)>;
    /// Opens a regular file: `IsDirectory`, `IsSymlink`, `Stale`. Revalidates it against the store.
    async fn open(&self, file: &Handle) -> FsResult<OpenGuard>;
    /// Reads up to `count` bytes.
    async fn read(&self, file: &Handle, offset: u64, count: u32) -> FsResult<ReadOutcome>;
    /// Writes all of `data`.
    async fn write(&self, file: &Handle, offset: u64, data: Bytes, stability: Stability) -> FsResult<WriteOutcome>;
    /// Makes what was written durable; the write verifier.
    async fn commit(&self, file: &Handle) -> FsResult<[u8; 8]>;
    /// Room in the node's file system.
    async fn space(&self, node: &Handle) -> FsResult<Space>;
}
