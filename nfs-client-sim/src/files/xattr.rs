//! Extended attributes (RFC 8276), in 4.2. Names are without `user.`.

use bytes::Bytes;
use nfs4_protocol::nfs4::{NfsFh4, SetxattrOption4};

use crate::{Client, CompoundBuilder, Result};

/// The most bytes of one LISTXATTRS result to ask for.
const LIST_BYTES: u32 = 64 << 10;

impl Client {
    /// GETXATTR: the value.
    ///
    /// # Errors
    /// [`Error::NotInMinor`](crate::Error::NotInMinor); those of the call and of the operation.
    pub async fn getxattr(&self, handle: &NfsFh4, name: impl AsRef<[u8]>) -> Result<Bytes> {
        self.needs_minor(2, "GETXATTR")?;
        let compound = CompoundBuilder::new().putfh(handle).getxattr(name);
        Ok(self.run(compound).await?.getxattr()?.value.into_bytes())
    }

    /// SETXATTR.
    ///
    /// # Errors
    /// [`Error::NotInMinor`](crate::Error::NotInMinor); those of the call and of the operation.
    pub async fn setxattr(
        &self,
        handle: &NfsFh4,
        name: impl AsRef<[u8]>,
        value: impl Into<Bytes>,
        option: SetxattrOption4,
    ) -> Result<()> {
        self.needs_minor(2, "SETXATTR")?;
        let compound = CompoundBuilder::new().putfh(handle).setxattr(option, name, value.into());
        self.run(compound).await?.setxattr().map(drop)
    }

    /// LISTXATTRS, until all names are there.
    ///
    /// # Errors
    /// [`Error::NotInMinor`](crate::Error::NotInMinor); those of the calls and of the operation.
    pub async fn listxattrs(&self, handle: &NfsFh4) -> Result<Vec<Bytes>> {
        self.needs_minor(2, "LISTXATTRS")?;
        let (mut names, mut cookie) = (Vec::new(), 0);
        loop {
            let compound = CompoundBuilder::new().putfh(handle).listxattrs(cookie, LIST_BYTES);
            let page = self.run(compound).await?.listxattrs()?;
            // A page without names that is not the last one would make this go on for ever.
            let is_last = page.eof || page.names.is_empty();
            cookie = page.cookie;
            names.extend(page.names.into_iter().map(|name| name.0));
            if is_last {
                return Ok(names);
            }
        }
    }

    /// REMOVEXATTR.
    ///
    /// # Errors
    /// [`Error::NotInMinor`](crate::Error::NotInMinor); those of the call and of the operation.
    pub async fn removexattr(&self, handle: &NfsFh4, name: impl AsRef<[u8]>) -> Result<()> {
        self.needs_minor(2, "REMOVEXATTR")?;
        self.run(CompoundBuilder::new().putfh(handle).removexattr(name)).await?.removexattr().map(drop)
    }
}
