//! OPEN in its forms.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use nfs4_protocol::nfs4::{
    Attrs, Createhow4, Creatverfattr, FATTR4_CHANGE, FATTR4_SIZE, Mode4, NfsFh4, OPEN4_RESULT_CONFIRM,
    OPEN4_SHARE_ACCESS_BOTH, OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_ACCESS_WANT_NO_DELEG, OPEN4_SHARE_ACCESS_WRITE,
    Open4Args, Open4Resok, OpenClaim4, OpenOwner4, Openflag4, Stateid4, Verifier4,
};

use super::open_state::OpenState;
use crate::client::is_forgetting;
use crate::{Client, CompoundBuilder, OpenFile, OpenOwner, Recovery, Reply, Result};

/// How often a file is opened anew when the server forgets the open before it is confirmed.
const CONFIRMS_MAX: u32 = 4;

/// How to open a file.
#[derive(Debug, Clone)]
pub struct OpenHow {
    access: u32,
    deny: u32,
    wish: Option<u32>,
    create: Create,
    owner: Option<Arc<OpenOwner>>,
}

/// A file that was opened and need not be confirmed any more.
struct Opened {
    result: Open4Resok,
    handle: NfsFh4,
    stateid: Stateid4,
    /// The change attribute and the size.
    known: Option<(u64, u64)>,
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
        Self { access, deny: 0, wish: None, create: Create::No, owner: None }
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

    /// What delegation to ask for (`OPEN4_SHARE_ACCESS_WANT_*`, 4.1 and later). By default none; with callbacks, what the
    /// server likes.
    #[must_use]
    pub const fn want(mut self, wish: u32) -> Self {
        self.wish = Some(wish);
        self
    }

    /// The owner of the open. Without it each open has an owner of its own.
    #[must_use]
    pub fn owner(mut self, owner: &Arc<OpenOwner>) -> Self {
        self.owner = Some(Arc::clone(owner));
        self
    }

    pub(crate) const fn share(&self) -> (u32, u32) {
        (self.access, self.deny)
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
    /// [`Error::NotInMinor`](crate::Error::NotInMinor) in 4.0; those of the calls and of OPEN.
    pub async fn open_handle(&self, file: &NfsFh4, how: OpenHow) -> Result<OpenFile> {
        self.needs_minor(1, "CLAIM_FH")?;
        self.open_claim(file, OpenClaim4::Fh, how).await
    }

    async fn open_claim(&self, at: &NfsFh4, claim: OpenClaim4, how: OpenHow) -> Result<OpenFile> {
        let owner = how.owner.clone().unwrap_or_else(|| Arc::new(OpenOwner::new(self.owner_name())));
        let place = match &claim {
            OpenClaim4::Null(name) => Some((at.clone(), name.clone())),
            _ => None,
        };
        // A callback about the file may come before this is done.
        let _opening = self.opens().begin();
        let opened = self.open_and_confirm(at, &claim, &owner, &how).await?;
        let state = Arc::new(OpenState::new(opened.handle, place, owner, how.share(), opened.stateid));
        self.opens().add(&state);
        self.record_delegation(&state, &opened.result, opened.known);
        Ok(OpenFile::new(self.clone(), state, opened.result))
    }

    /// OPEN, and OPEN_CONFIRM where the result asks for it (RFC 7530 §16.18.5).
    fn open_and_confirm<'a>(
        &'a self,
        at: &'a NfsFh4,
        claim: &'a OpenClaim4,
        owner: &'a OpenOwner,
        how: &'a OpenHow,
    ) -> BoxFuture<'a, Result<Opened>> {
        let open = async move {
            for _ in 1..CONFIRMS_MAX {
                let opened = self.send_open(at, claim, owner, how).await?;
                match self.confirm(owner, opened).await {
                    Err(error) if self.options().recovery == Recovery::Full && is_forgetting(&error) => {}
                    result => return result,
                }
            }
            let opened = self.send_open(at, claim, owner, how).await?;
            self.confirm(owner, opened).await
        };
        open.boxed()
    }

    async fn send_open(&self, at: &NfsFh4, claim: &OpenClaim4, owner: &OpenOwner, how: &OpenHow) -> Result<Opened> {
        let expects_delegation = self.options().callbacks.is_some();
        let build = |seqid| {
            let args = Open4Args { seqid, ..self.open_args(claim.clone(), owner, how) };
            let compound = CompoundBuilder::new().putfh(at).open(args).getfh();
            if expects_delegation { compound.getattr(&[FATTR4_CHANGE, FATTR4_SIZE]) } else { compound }
        };
        let mut settled = self.settle_in_turn(owner, &[], &build).await?;
        let (result, handle) = (settled.reply.open()?, settled.reply.getfh()?);
        let stateid = result.stateid;
        // The file is open, also when its attributes cannot be had.
        let known = settled.reply.getattr().ok().and_then(|attrs| attrs.change.zip(attrs.size));
        Ok(Opened { result, handle, stateid, known })
    }

    /// The arguments of OPEN, for compounds put together by hand; `seqid` is 0.
    #[must_use]
    pub fn open_args(&self, claim: OpenClaim4, owner: &OpenOwner, how: &OpenHow) -> Open4Args {
        let wish = if self.minor() == 0 { 0 } else { how.wish.unwrap_or_else(|| self.delegation_wish()) };
        Open4Args {
            seqid: 0,
            share_access: how.access | wish,
            share_deny: how.deny,
            owner: OpenOwner4 { clientid: self.clientid(), owner: owner.name().clone() },
            openhow: how.openhow(self.minor()),
            claim,
        }
    }

    /// The bits of `share_access` that ask for no delegation when no callbacks are served.
    pub(crate) fn delegation_wish(&self) -> u32 {
        match &self.options().callbacks {
            None if self.minor() > 0 => OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
            _ => 0,
        }
    }

    async fn confirm(&self, owner: &OpenOwner, opened: Opened) -> Result<Opened> {
        let Some(open_stateid) = confirm_of(self.minor(), &opened.result) else { return Ok(opened) };
        let _turn = owner.turn().await;
        let build = || CompoundBuilder::new().putfh(&opened.handle).open_confirm(open_stateid, owner.seqid());
        let note = |reply: &Reply| owner.advance(self.minor(), reply);
        // Not mended, as only the OPEN before it can be repeated.
        let stateid = self.insist(&self.present_link(), &build, &note).await?.open_confirm()?.open_stateid;
        Ok(Opened { stateid, ..opened })
    }
}

/// The stateid to confirm, where the result of OPEN asks for that.
pub(crate) const fn confirm_of(minor: u32, opened: &Open4Resok) -> Option<Stateid4> {
    if minor == 0 && opened.rflags & OPEN4_RESULT_CONFIRM != 0 { Some(opened.stateid) } else { None }
}
