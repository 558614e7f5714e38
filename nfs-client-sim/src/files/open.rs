//! OPEN in its forms.

use std::sync::Arc;

use nfs4_protocol::nfs4::{
    Attrs, Createhow4, Creatverfattr, Mode4, NfsArgop4, NfsFh4, OPEN4_RESULT_CONFIRM, OPEN4_SHARE_ACCESS_BOTH,
    OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_ACCESS_WANT_NO_DELEG, OPEN4_SHARE_ACCESS_WRITE, Open4Args, Open4Resok,
    OpenClaim4, OpenConfirm4Args, OpenDelegationType4, OpenOwner4, Openflag4, Stateid4, Verifier4,
};

use crate::{Client, CompoundBuilder, Error, OpenFile, OpenOwner, Result};

/// How to open a file.
#[derive(Debug, Clone)]
pub struct OpenHow {
    access: u32,
    deny: u32,
    create: Create,
    owner: Option<Arc<OpenOwner>>,
}

/// Whether and how to create the file.
#[derive(Debug, Clone)]
enum Create {
    No,
    Unchecked(Attrs),
    Guarded(Attrs),
    Exclusive(Verifier4, Attrs),
}

impl OpenHow {
    /// For reading.
    #[must_use]
    pub const fn read() -> Self {
        Self::with_access(OPEN4_SHARE_ACCESS_READ)
    }

    /// For writing.
    #[must_use]
    pub const fn write() -> Self {
        Self::with_access(OPEN4_SHARE_ACCESS_WRITE)
    }

    /// For reading and writing.
    #[must_use]
    pub const fn both() -> Self {
        Self::with_access(OPEN4_SHARE_ACCESS_BOTH)
    }

    /// For reading and writing; created with the mode 0644 when it is not there (UNCHECKED4).
    #[must_use]
    pub fn create() -> Self {
        Self::both().unchecked(mode(0o644))
    }

    const fn with_access(access: u32) -> Self {
        Self { access, deny: 0, create: Create::No, owner: None }
    }

    /// Creates the file unless it is there (UNCHECKED4). Of an existing file only a size in `attrs` is obeyed.
    #[must_use]
    pub fn unchecked(mut self, attrs: Attrs) -> Self {
        self.create = Create::Unchecked(attrs);
        self
    }

    /// Creates the file, which must not be there (GUARDED4).
    #[must_use]
    pub fn guarded(mut self, attrs: Attrs) -> Self {
        self.create = Create::Guarded(attrs);
        self
    }

    /// Creates the file, which must not be there unless it was created with the same verifier: EXCLUSIVE4_1, or
    /// EXCLUSIVE4 in 4.0, which does not set the mode.
    #[must_use]
    pub fn exclusive(mut self, verifier: Verifier4, mode: Mode4) -> Self {
        self.create = Create::Exclusive(verifier, self::mode(mode));
        self
    }

    /// What others may not do meanwhile (`OPEN4_SHARE_DENY_*`).
    #[must_use]
    pub const fn deny(mut self, deny: u32) -> Self {
        self.deny = deny;
        self
    }

    /// The owner of the open. Without it each open has an owner of its own.
    #[must_use]
    pub fn owner(mut self, owner: &Arc<OpenOwner>) -> Self {
        self.owner = Some(Arc::clone(owner));
        self
    }

    fn openhow(&self, minor: u32) -> Openflag4 {
        Openflag4::Create(match &self.create {
            Create::No => return Openflag4::Nocreate,
            Create::Unchecked(attrs) => Createhow4::Unchecked(attrs.to_fattr4()),
            Create::Guarded(attrs) => Createhow4::Guarded(attrs.to_fattr4()),
            Create::Exclusive(verifier, _) if minor == 0 => Createhow4::Exclusive(*verifier),
            Create::Exclusive(verf, attrs) => {
                Createhow4::Exclusive41(Creatverfattr { verf: *verf, attrs: attrs.to_fattr4() })
            }
        })
    }
}

/// A set of attributes that holds the mode alone.
pub(crate) fn mode(mode: Mode4) -> Attrs {
    Attrs { mode: Some(mode), ..Attrs::default() }
}

impl Client {
    /// Opens the file `name` of a directory (CLAIM_NULL), and confirms the open where the server asks for it.
    ///
    /// # Errors
    /// Those of the calls and of OPEN.
    pub async fn open(&self, directory: &NfsFh4, name: impl AsRef<[u8]>, how: OpenHow) -> Result<OpenFile> {
        let name = bytes::Bytes::copy_from_slice(name.as_ref());
        self.open_claim(directory, OpenClaim4::Null(name), how).await
    }

    /// Opens a file by its filehandle (CLAIM_FH, 4.1 and later).
    ///
    /// # Errors
    /// [`Error::NotInMinor`] in 4.0; those of the calls and of OPEN.
    pub async fn open_handle(&self, file: &NfsFh4, how: OpenHow) -> Result<OpenFile> {
        if self.minor() == 0 {
            return Err(Error::NotInMinor { minor: 0, what: "CLAIM_FH" });
        }
        self.open_claim(file, OpenClaim4::Fh, how).await
    }

    async fn open_claim(&self, at: &NfsFh4, claim: OpenClaim4, how: OpenHow) -> Result<OpenFile> {
        let owner = how.owner.clone().unwrap_or_else(|| Arc::new(OpenOwner::new(self.owner_name())));
        let (opened, handle) = self.send_open(at, claim, &owner, &how).await?;
        let stateid = self.confirm(&handle, &owner, &opened).await?;
        Ok(OpenFile::new(self.clone(), handle, owner, how, opened, stateid))
    }

    async fn send_open(
        &self,
        at: &NfsFh4,
        claim: OpenClaim4,
        owner: &OpenOwner,
        how: &OpenHow,
    ) -> Result<(Open4Resok, NfsFh4)> {
        let open = self.open_args(claim, owner, how);
        let build = |seqid| CompoundBuilder::new().putfh(at).open(Open4Args { seqid, ..open.clone() }).getfh();
        let mut reply = self.run_in_turn(owner, build).await?;
        Ok((reply.open()?, reply.getfh()?))
    }

    /// The arguments of OPEN, for compounds put together by hand; `seqid` is 0.
    #[must_use]
    pub fn open_args(&self, claim: OpenClaim4, owner: &OpenOwner, how: &OpenHow) -> Open4Args {
        let wish = if self.minor() == 0 { 0 } else { OPEN4_SHARE_ACCESS_WANT_NO_DELEG };
        Open4Args {
            seqid: 0,
            share_access: how.access | wish,
            share_deny: how.deny,
            owner: OpenOwner4 { clientid: self.clientid(), owner: owner.name().clone() },
            openhow: how.openhow(self.minor()),
            claim,
        }
    }

    /// OPEN_CONFIRM where the result of OPEN asks for it (RFC 7530 §16.18.5).
    async fn confirm(&self, handle: &NfsFh4, owner: &OpenOwner, opened: &Open4Resok) -> Result<Stateid4> {
        let open_stateid = opened.stateid;
        if self.minor() > 0 || opened.rflags & OPEN4_RESULT_CONFIRM == 0 {
            return Ok(open_stateid);
        }
        let confirm = |seqid| NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid, seqid });
        let build = |seqid| CompoundBuilder::new().putfh(handle).op(confirm(seqid));
        Ok(self.run_in_turn(owner, build).await?.open_confirm()?.open_stateid)
    }

    /// Reclaims an open after a restart of the server (CLAIM_PREVIOUS).
    pub(crate) async fn reclaim(&self, handle: &NfsFh4, owner: &OpenOwner, how: &OpenHow) -> Result<Stateid4> {
        let how = OpenHow { create: Create::No, ..how.clone() };
        let claim = OpenClaim4::Previous(OpenDelegationType4::None);
        let (opened, handle) = self.send_open(handle, claim, owner, &how).await?;
        self.confirm(&handle, owner, &opened).await
    }
}
