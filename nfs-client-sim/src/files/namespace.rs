//! Names, attributes and what changes them.

use nfs4_protocol::nfs4::{
    Attrs, Createtype4, FATTR4_CHANGE, FATTR4_FILEID, FATTR4_FSID, FATTR4_MODE, FATTR4_NUMLINKS, FATTR4_OWNER,
    FATTR4_OWNER_GROUP, FATTR4_SIZE, FATTR4_SPACE_USED, FATTR4_TIME_ACCESS, FATTR4_TIME_METADATA, FATTR4_TIME_MODIFY,
    FATTR4_TYPE, Fattr4, Mode4, NfsFh4, NfsStat4, OpNum, Stateid4,
};

use super::open::mode;
use crate::{Client, CompoundBuilder, Error, Result};

/// The attributes that `stat` shows.
pub const USUAL_ATTRIBUTES: &[u32] = &[
    FATTR4_TYPE,
    FATTR4_CHANGE,
    FATTR4_SIZE,
    FATTR4_FSID,
    FATTR4_FILEID,
    FATTR4_MODE,
    FATTR4_NUMLINKS,
    FATTR4_OWNER,
    FATTR4_OWNER_GROUP,
    FATTR4_SPACE_USED,
    FATTR4_TIME_ACCESS,
    FATTR4_TIME_METADATA,
    FATTR4_TIME_MODIFY,
];

/// Operations of a compound besides the LOOKUPs: SEQUENCE, PUTFH, GETFH, GETATTR.
const OPS_AROUND_LOOKUPS: usize = 4;

/// An object that was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its filehandle.
    pub handle: NfsFh4,
    /// Its [`USUAL_ATTRIBUTES`].
    pub attrs: Attrs,
}

impl Client {
    /// The root of the server.
    ///
    /// # Errors
    /// Those of the call and of the operations.
    pub async fn root(&self) -> Result<Node> {
        self.node(CompoundBuilder::new().putrootfh()).await
    }

    /// LOOKUP of a name.
    ///
    /// # Errors
    /// Those of the call and of the operations.
    pub async fn lookup(&self, directory: &NfsFh4, name: impl AsRef<[u8]>) -> Result<Node> {
        self.node(CompoundBuilder::new().putfh(directory).lookup(name)).await
    }

    /// The object at a path from the root, with `/` between the names. Symbolic links are not followed.
    ///
    /// # Errors
    /// Those of the calls and of the operations.
    pub async fn resolve(&self, path: &str) -> Result<Node> {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let mut at = self.root().await?;
        for some in names.chunks(self.ops_max().saturating_sub(OPS_AROUND_LOOKUPS).max(1)) {
            let start = CompoundBuilder::new().putfh(&at.handle);
            at = self.node(some.iter().fold(start, |compound, name| compound.lookup(name))).await?;
        }
        Ok(at)
    }

    /// Takes filehandle and attributes where `compound` ends.
    async fn node(&self, compound: CompoundBuilder) -> Result<Node> {
        let mut reply = self.run(compound.getfh().getattr(USUAL_ATTRIBUTES)).await?;
        Ok(Node { handle: reply.getfh()?, attrs: reply.getattr()? })
    }

    /// GETATTR of these attributes (`FATTR4_*`).
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn getattr(&self, handle: &NfsFh4, attributes: &[u32]) -> Result<Attrs> {
        self.run(CompoundBuilder::new().putfh(handle).getattr(attributes)).await?.getattr()
    }

    /// SETATTR. A size needs the stateid of an open for writing, or [`Stateid4::ANONYMOUS`].
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn setattr(&self, handle: &NfsFh4, stateid: Stateid4, attrs: &Attrs) -> Result<()> {
        let compound = CompoundBuilder::new().putfh(handle).setattr(stateid, attrs.to_fattr4());
        let result = self.run(compound).await?.setattr()?;
        match result.status {
            NfsStat4::Ok => Ok(()),
            status => Err(Error::Status { op: OpNum::Setattr, status }),
        }
    }

    /// ACCESS: which of these bits (`ACCESS4_*`) are granted.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn access(&self, handle: &NfsFh4, bits: u32) -> Result<u32> {
        Ok(self.run(CompoundBuilder::new().putfh(handle).access(bits)).await?.access()?.access)
    }

    /// CREATE of a directory. Returns its filehandle.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn mkdir(&self, directory: &NfsFh4, name: impl AsRef<[u8]>, permissions: Mode4) -> Result<NfsFh4> {
        self.create(directory, Createtype4::Dir, name, mode(permissions).to_fattr4()).await
    }

    /// CREATE of a symbolic link. Returns its filehandle.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn symlink(
        &self,
        directory: &NfsFh4,
        name: impl AsRef<[u8]>,
        target: impl AsRef<[u8]>,
    ) -> Result<NfsFh4> {
        let target = bytes::Bytes::copy_from_slice(target.as_ref());
        self.create(directory, Createtype4::Lnk(target), name, Fattr4::default()).await
    }

    /// LINK of an object under another name.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn link(&self, object: &NfsFh4, directory: &NfsFh4, name: impl AsRef<[u8]>) -> Result<()> {
        let compound = CompoundBuilder::new().putfh(object).savefh().putfh(directory).link(name);
        self.run(compound).await?.link().map(drop)
    }

    /// CREATE of an object of any type but a file: `mknod` for sockets, pipes and devices. Returns its filehandle.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn mknod(
        &self,
        directory: &NfsFh4,
        objtype: Createtype4,
        name: impl AsRef<[u8]>,
        permissions: Mode4,
    ) -> Result<NfsFh4> {
        self.create(directory, objtype, name, mode(permissions).to_fattr4()).await
    }

    async fn create(
        &self,
        directory: &NfsFh4,
        objtype: Createtype4,
        name: impl AsRef<[u8]>,
        attrs: Fattr4,
    ) -> Result<NfsFh4> {
        let mut reply = self.run(CompoundBuilder::new().putfh(directory).create(objtype, name, attrs).getfh()).await?;
        reply.create()?;
        reply.getfh()
    }

    /// READLINK.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn readlink(&self, link: &NfsFh4) -> Result<bytes::Bytes> {
        Ok(self.run(CompoundBuilder::new().putfh(link).readlink()).await?.readlink()?.link)
    }

    /// REMOVE of a file, a link or an empty directory.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn remove(&self, directory: &NfsFh4, name: impl AsRef<[u8]>) -> Result<()> {
        self.run(CompoundBuilder::new().putfh(directory).remove(name)).await?.remove().map(drop)
    }

    /// RENAME.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn rename(&self, from: &NfsFh4, old: impl AsRef<[u8]>, to: &NfsFh4, new: impl AsRef<[u8]>) -> Result<()> {
        let compound = CompoundBuilder::new().putfh(from).savefh().putfh(to).rename(old, new);
        self.run(compound).await?.rename().map(drop)
    }
}
