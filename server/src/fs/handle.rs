//! File handles: what a client holds for a file, and how the gateway reads it after a restart.
//!
//! A handle names the file system, the fileid, the directory's fileid and, where it fits, the name. It never holds a
//! start time or an address. The fileid is a keyed hash of directory and name, so a made-up handle does not verify.

use bytes::{BufMut, Bytes, BytesMut};

use super::filesystem::{FsError, FsResult, HANDLE_BYTES_MAX, Handle, NodeKey, NodeKind};

/// The version of the format below.
const VERSION: u8 = 1;
/// Bytes before the name.
const FIXED: usize = 27;
/// The longest name that a handle carries; longer ones need a row in the local state.
pub(super) const NAME_IN_HANDLE_MAX: usize = HANDLE_BYTES_MAX - FIXED;

/// What a handle says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HandleParts {
    /// The node.
    pub key: NodeKey,
    /// Directory or not; a link says `File`, since its kind may not be known when the handle is made.
    pub kind: NodeKind,
    /// The fileid of the directory it was found in; 0 for the root and for buckets.
    pub parent: u64,
    /// Its name there, `None` where it did not fit.
    pub name: Option<String>,
}

impl HandleParts {
    /// The bytes that clients get.
    pub(super) fn encode(&self) -> Handle {
        let name = self.name.as_deref().filter(|name| name.len() <= NAME_IN_HANDLE_MAX).unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(FIXED + name.len());
        bytes.put_u8(VERSION);
        bytes.put_u8(u8::from(self.kind == NodeKind::Directory));
        bytes.put_u64(self.key.fsid);
        bytes.put_u64(self.key.fileid);
        bytes.put_u64(self.parent);
        bytes.put_u8(name.len() as u8);
        bytes.put_slice(name.as_bytes());
        Handle::new(bytes.freeze()).unwrap_or_else(|| unreachable!("a handle's length is bounded by its parts"))
    }

    /// Reads a client's bytes: `BadHandle`.
    pub(super) fn decode(handle: &Handle) -> FsResult<Self> {
        let bytes: &Bytes = handle.as_bytes();
        let (fixed, name) = bytes.split_at_checked(FIXED).ok_or(FsError::BadHandle)?;
        let (head, numbers) = fixed.split_at_checked(2).ok_or(FsError::BadHandle)?;
        let number = |at: usize| -> FsResult<u64> {
            let eight = numbers.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).ok_or(FsError::BadHandle)?;
            Ok(u64::from_be_bytes(eight))
        };
        let kind = match head {
            [VERSION, 0] => NodeKind::File,
            [VERSION, 1] => NodeKind::Directory,
            _ => return Err(FsError::BadHandle),
        };
        if fixed.last().copied().map(usize::from) != Some(name.len()) {
            return Err(FsError::BadHandle);
        }
        let name = std::str::from_utf8(name).map_err(|_| FsError::BadHandle)?;
        Ok(Self {
            key: NodeKey { fsid: number(0)?, fileid: number(8)? },
            kind,
            parent: number(16)?,
            name: (!name.is_empty()).then(|| name.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: Option<&str>) -> HandleParts {
        let name = name.map(str::to_owned);
        HandleParts { key: NodeKey { fsid: 7, fileid: u64::MAX >> 1 }, kind: NodeKind::File, parent: 9, name }
    }

    #[test]
    fn handles_come_back_as_they_went() {
        for name in [None, Some("a"), Some("ключ")] {
            assert_eq!(HandleParts::decode(&parts(name).encode()), Ok(parts(name)));
        }
        let longest = "n".repeat(NAME_IN_HANDLE_MAX);
        let handle = parts(Some(&longest)).encode();
        assert_eq!(handle.as_bytes().len(), HANDLE_BYTES_MAX);
        assert_eq!(HandleParts::decode(&handle), Ok(parts(Some(&longest))));
    }

    #[test]
    fn a_name_that_does_not_fit_is_left_out() {
        let handle = parts(Some(&"n".repeat(NAME_IN_HANDLE_MAX + 1))).encode();
        assert_eq!(HandleParts::decode(&handle), Ok(parts(None)));
    }

    #[test]
    fn foreign_bytes_are_bad_handles() {
        let good = parts(Some("abc")).encode();
        for cut in 0..good.as_bytes().len() {
            let handle = Handle::new(good.as_bytes().slice(..cut)).unwrap();
            assert_eq!(HandleParts::decode(&handle), Err(FsError::BadHandle), "cut at {cut}");
        }
        let mut wrong = good.as_bytes().to_vec();
        wrong[0] = 9;
        assert_eq!(HandleParts::decode(&Handle::new(wrong.into()).unwrap()), Err(FsError::BadHandle));
    }
}
