//! Changing attributes one by one, and the numbers of a file system.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Attrs, FATTR4_FILES_AVAIL, FATTR4_FILES_FREE, FATTR4_FILES_TOTAL, FATTR4_SPACE_AVAIL, FATTR4_SPACE_FREE,
    FATTR4_SPACE_TOTAL, Mode4, NfsFh4, Settime4, Stateid4,
};

use super::open::mode;
use crate::{Client, Result};

/// How full a file system is. What the server does not tell is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statfs {
    /// Bytes of the whole file system.
    pub space_total: Option<u64>,
    /// Bytes free.
    pub space_free: Option<u64>,
    /// Bytes that the user may still write.
    pub space_avail: Option<u64>,
    /// Files, free ones included.
    pub files_total: Option<u64>,
    /// Files that can still be created.
    pub files_free: Option<u64>,
    /// Files that the user may still create.
    pub files_avail: Option<u64>,
}

impl Client {
    /// Sets the permission bits.
    ///
    /// # Errors
    /// Those of the call and of SETATTR.
    pub async fn chmod(&self, handle: &NfsFh4, permissions: Mode4) -> Result<()> {
        self.setattr(handle, Stateid4::ANONYMOUS, &mode(permissions)).await
    }

    /// Sets owner and group, where given: `user@domain` or decimal digits (RFC 8881 §5.9).
    ///
    /// # Errors
    /// Those of the call and of SETATTR.
    pub async fn chown(&self, handle: &NfsFh4, owner: Option<&str>, group: Option<&str>) -> Result<()> {
        let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let attrs = Attrs { owner: owner.map(text), owner_group: group.map(text), ..Attrs::default() };
        self.setattr(handle, Stateid4::ANONYMOUS, &attrs).await
    }

    /// Sets the times of the last access and of the last change of data, where given.
    ///
    /// # Errors
    /// Those of the call and of SETATTR.
    pub async fn set_times(&self, handle: &NfsFh4, access: Option<Settime4>, modify: Option<Settime4>) -> Result<()> {
        let attrs = Attrs { time_access_set: access, time_modify_set: modify, ..Attrs::default() };
        self.setattr(handle, Stateid4::ANONYMOUS, &attrs).await
    }

    /// Sets the size of a file that need not be open.
    ///
    /// # Errors
    /// Those of the call and of SETATTR.
    pub async fn truncate(&self, handle: &NfsFh4, size: u64) -> Result<()> {
        let attrs = Attrs { size: Some(size), ..Attrs::default() };
        self.setattr(handle, Stateid4::ANONYMOUS, &attrs).await
    }

    /// How full the file system of an object is.
    ///
    /// # Errors
    /// Those of the call and of GETATTR.
    pub async fn statfs(&self, handle: &NfsFh4) -> Result<Statfs> {
        let asked = [
            FATTR4_SPACE_TOTAL,
            FATTR4_SPACE_FREE,
            FATTR4_SPACE_AVAIL,
            FATTR4_FILES_TOTAL,
            FATTR4_FILES_FREE,
            FATTR4_FILES_AVAIL,
        ];
        let attrs = self.getattr(handle, &asked).await?;
        Ok(Statfs {
            space_total: attrs.space_total,
            space_free: attrs.space_free,
            space_avail: attrs.space_avail,
            files_total: attrs.files_total,
            files_free: attrs.files_free,
            files_avail: attrs.files_avail,
        })
    }
}
