//! Names as they come in, and the change of a directory as it goes out.

use nfs4_protocol::nfs4::{ChangeInfo4, NfsStat4};

use crate::fs::filesystem::{DirChange, NAME_BYTES_MAX};

/// Checks one component (RFC 7530 §12.7, RFC 8881 §14.5): not empty and UTF-8 (NFS4ERR_INVAL), at most
/// [`NAME_BYTES_MAX`] bytes (NFS4ERR_NAMETOOLONG), without `/` and NUL (NFS4ERR_BADCHAR), neither `.` nor `..`
/// (NFS4ERR_BADNAME: the protocol gives these two no meaning).
pub(super) fn name(component: &[u8]) -> Result<&str, NfsStat4> {
    if component.is_empty() {
        return Err(NfsStat4::Inval);
    }
    if component.len() > NAME_BYTES_MAX {
        return Err(NfsStat4::Nametoolong);
    }
    let name = std::str::from_utf8(component).map_err(|_| NfsStat4::Inval)?;
    match name {
        "." | ".." => Err(NfsStat4::Badname),
        _ if name.contains(['/', '\0']) => Err(NfsStat4::Badchar),
        _ => Ok(name),
    }
}

/// The change of a directory for the wire. It is always atomic: the file system reports both values of one change.
pub(super) fn change_info(change: DirChange) -> ChangeInfo4 {
    ChangeInfo4 { atomic: true, before: change.before, after: change.after }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bad_name_has_its_own_status() {
        assert_eq!(name(b""), Err(NfsStat4::Inval));
        assert_eq!(name(b"."), Err(NfsStat4::Badname));
        assert_eq!(name(b".."), Err(NfsStat4::Badname));
        assert_eq!(name(b"a/b"), Err(NfsStat4::Badchar));
        assert_eq!(name(b"a\0b"), Err(NfsStat4::Badchar));
        assert_eq!(name(b"\xff\xfe"), Err(NfsStat4::Inval));
        assert_eq!(name(&[b'x'; NAME_BYTES_MAX + 1]), Err(NfsStat4::Nametoolong));
    }

    #[test]
    fn good_names_come_through() {
        assert_eq!(name(b"..."), Ok("..."));
        assert_eq!(name("häfiz".as_bytes()), Ok("häfiz"));
        assert!(name(&[b'x'; NAME_BYTES_MAX]).is_ok());
    }
}
