//! A client of one system at work: single steps, in that system's compounds.

use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Attrs, Createtype4, Lock4Args, Lock4Res, Locker4, Lockt4Args, Locku4Args, NfsFh4, NfsLockType4, NfsStat4,
    OPEN4_RESULT_PRESERVE_UNLINKED, OpNum, Open4Args, OpenClaim4, OpenDelegationType4, OpenToLockOwner4, StateOwner4,
    Stateid4, Verifier4,
};

use super::compounds::{Compounds, attributes_in, handle_in};
use super::{Profile, Stage};
use crate::files::confirm_of;
use crate::{Client, ClientOptions, CompoundBuilder, Error, OpenHow, OpenOwner, Reply, Result};

/// A mount by a client of one system.
pub struct Player {
    client: Client,
    profile: Profile,
    compounds: Box<dyn Compounds>,
    /// macOS has one open-owner per user, and Linux one per user and process; here it is one.
    owner: Arc<OpenOwner>,
    directory: NfsFh4,
}

/// An open file.
pub(super) struct Opened {
    pub(super) file: NfsFh4,
    pub(super) stateid: Stateid4,
    /// Whether the file can be removed and still be used.
    pub(super) survives_removal: bool,
}

/// A held lock.
pub(super) struct Held {
    stateid: Stateid4,
    seqid: u32,
}

impl Player {
    /// Makes a client known and mounts a path.
    ///
    /// # Errors
    /// Those of the connection and of the operations.
    pub async fn mount(stage: &Stage, name: &str) -> Result<Self> {
        let Stage { server, minor, profile, .. } = *stage;
        let options = ClientOptions { name: name.to_owned(), ..stage.options.clone() };
        let uid = options.uid.to_be_bytes().to_vec();
        let client = Client::connect(server, minor, profile.options(minor, options)).await?;
        client.connection().null().await?;
        let mut player = Self {
            client,
            profile,
            compounds: profile.compounds(minor),
            owner: Arc::new(OpenOwner::new(uid)),
            directory: NfsFh4(Bytes::new()),
        };
        player.walk(&stage.directory).await?;
        Ok(player)
    }

    /// The mount's path, name by name, and what is asked about its end.
    async fn walk(&mut self, path: &str) -> Result<()> {
        for compound in self.compounds.greet() {
            self.good(compound).await?;
        }
        let mut at = None;
        let names = path.split('/').filter(|name| !name.is_empty());
        for name in names {
            let reply = self.good(self.compounds.component(at.as_ref(), name.as_bytes())).await?;
            at = Some(self.arrived(&reply)?);
        }
        self.directory = match at {
            Some(directory) => directory,
            None => {
                let reply = self.good(self.compounds.root()).await?;
                self.arrived(&reply)?
            }
        };
        for compound in self.compounds.arrive(&self.directory) {
            let reply = self.good(compound).await?;
            if let Some(supported) = attributes_in(&reply).and_then(|attrs| attrs.supported_attrs) {
                self.compounds.learn(&supported);
            }
        }
        Ok(())
    }

    fn arrived(&mut self, reply: &Reply) -> Result<NfsFh4> {
        if let Some(supported) = attributes_in(reply).and_then(|attrs| attrs.supported_attrs) {
            self.compounds.learn(&supported);
        }
        handle_in(reply).ok_or(Error::Missing(OpNum::Getfh))
    }

    /// Takes leave of the server.
    ///
    /// # Errors
    /// Those of the operations.
    pub async fn unmount(self) -> Result<()> {
        self.client.leave().await
    }

    pub(super) const fn profile(&self) -> Profile {
        self.profile
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// The mounted directory.
    pub(super) const fn directory(&self) -> &NfsFh4 {
        &self.directory
    }

    async fn good(&self, compound: CompoundBuilder) -> Result<Reply> {
        let reply = self.client.run(compound).await?;
        reply.ok()?;
        Ok(reply)
    }

    /// Sends what carries the open-owner's sequence ID.
    async fn in_turn(&self, build: impl Fn(u32) -> CompoundBuilder + Send + Sync) -> Result<Reply> {
        let reply = self.client.settle_in_turn(&self.owner, &[], &build).await?.reply;
        reply.ok()?;
        Ok(reply)
    }

    /// LOOKUP; `None` when there is no such name.
    pub(super) async fn lookup(&self, directory: &NfsFh4, name: &str) -> Result<Option<NfsFh4>> {
        let reply = self.client.run(self.compounds.lookup(directory, name.as_bytes())).await?;
        match reply.ok() {
            Ok(()) => Ok(handle_in(&reply)),
            Err(Error::Status { status: NfsStat4::Noent, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// LOOKUP of what must be there.
    pub(super) async fn find(&self, directory: &NfsFh4, name: &str) -> Result<NfsFh4> {
        let missing = Error::Status { op: OpNum::Lookup, status: NfsStat4::Noent };
        self.lookup(directory, name).await?.ok_or(missing)
    }

    pub(super) async fn stat(&self, object: &NfsFh4) -> Result<()> {
        self.good(self.compounds.getattr(object)).await.map(drop)
    }

    pub(super) async fn access(&self, object: &NfsFh4) -> Result<()> {
        self.good(self.compounds.access(object)).await.map(drop)
    }

    pub(super) async fn statfs(&self) -> Result<()> {
        self.good(self.compounds.statfs(&self.directory)).await.map(drop)
    }

    pub(super) async fn readlink(&self, link: &NfsFh4) -> Result<()> {
        self.good(self.compounds.readlink(link)).await.map(drop)
    }

    /// READDIR to the end. Returns how many entries there are.
    pub(super) async fn list(&self, directory: &NfsFh4) -> Result<usize> {
        let (mut cookie, mut verifier, mut count) = (0, Verifier4::default(), 0);
        loop {
            let page = self.good(self.compounds.readdir(directory, cookie, verifier)).await?.readdir()?;
            count += page.reply.entries.len();
            verifier = page.cookieverf;
            match page.reply.entries.last() {
                Some(last) if !page.reply.eof => cookie = last.cookie,
                _ => return Ok(count),
            }
        }
    }

    /// OPEN by name, and OPEN_CONFIRM where it is asked for.
    pub(super) async fn open(&self, directory: &NfsFh4, name: &str, how: &OpenHow) -> Result<Opened> {
        let claim = OpenClaim4::Null(Bytes::copy_from_slice(name.as_bytes()));
        let args = self.client.open_args(claim, &self.owner, how);
        let build = |seqid| self.compounds.open(directory, with_seqid(&args, seqid));
        let reply = self.in_turn(build).await?;
        self.opened(reply, None).await
    }

    /// OPEN of a file that was looked up: by its handle where the minor version can.
    pub(super) async fn open_known(
        &self,
        directory: &NfsFh4,
        name: &str,
        file: &NfsFh4,
        how: &OpenHow,
    ) -> Result<Opened> {
        if self.client.minor() == 0 {
            return self.open(directory, name, how).await;
        }
        let args = self.client.open_args(OpenClaim4::Fh, &self.owner, how);
        let build = |seqid| self.compounds.open_known(directory, file, with_seqid(&args, seqid));
        let reply = self.in_turn(build).await?;
        self.opened(reply, Some(file)).await
    }

    /// OPEN with CLAIM_PREVIOUS, after the server restarted.
    pub(super) async fn reclaim(&self, before: &Opened, how: &OpenHow) -> Result<Opened> {
        let claim = OpenClaim4::Previous(OpenDelegationType4::None);
        let args = self.client.open_args(claim, &self.owner, how);
        let build = |seqid| self.compounds.reclaim(&before.file, with_seqid(&args, seqid));
        let reply = self.in_turn(build).await?;
        self.opened(reply, Some(&before.file)).await
    }

    async fn opened(&self, mut reply: Reply, known: Option<&NfsFh4>) -> Result<Opened> {
        let file = known.cloned().or_else(|| handle_in(&reply)).ok_or(Error::Missing(OpNum::Getfh))?;
        let opened = reply.open()?;
        let mut stateid = opened.stateid;
        if let Some(unconfirmed) = confirm_of(self.client.minor(), &opened) {
            let build = |seqid| self.compounds.open_confirm(&file, unconfirmed, seqid);
            stateid = self.in_turn(build).await?.open_confirm()?.open_stateid;
        }
        let survives_removal = opened.rflags & OPEN4_RESULT_PRESERVE_UNLINKED != 0;
        Ok(Opened { file, stateid, survives_removal })
    }

    pub(super) async fn close(&self, opened: Opened) -> Result<()> {
        let build = |seqid| self.compounds.close(&opened.file, seqid, opened.stateid);
        self.in_turn(build).await.map(drop)
    }

    /// UNSTABLE WRITEs and a COMMIT.
    pub(super) async fn write(&self, opened: &Opened, mut offset: u64, data: &Bytes) -> Result<()> {
        for chunk in chunks(data, self.client.write_bytes_max()) {
            let len = chunk.len() as u64;
            self.good(self.compounds.write(&opened.file, opened.stateid, offset, chunk)).await?;
            offset += len;
        }
        self.good(self.compounds.commit(&opened.file)).await.map(drop)
    }

    /// READs up to the end.
    pub(super) async fn read(&self, opened: &Opened) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let (offset, count) = (all.len() as u64, self.client.read_bytes_max());
            let part = self.good(self.compounds.read(&opened.file, opened.stateid, offset, count)).await?.read()?;
            let data = part.data.into_bytes();
            all.extend_from_slice(&data);
            if part.eof || data.is_empty() {
                return Ok(all);
            }
        }
    }

    pub(super) async fn setattr(&self, object: &NfsFh4, stateid: Stateid4, attrs: &Attrs) -> Result<()> {
        self.good(self.compounds.setattr(object, stateid, attrs.to_fattr4())).await.map(drop)
    }

    pub(super) async fn create(
        &self,
        directory: &NfsFh4,
        kind: Createtype4,
        name: &str,
        attrs: &Attrs,
    ) -> Result<NfsFh4> {
        let compound = self.compounds.create(directory, kind, name.as_bytes(), attrs.to_fattr4());
        handle_in(&self.good(compound).await?).ok_or(Error::Missing(OpNum::Getfh))
    }

    pub(super) async fn remove(&self, directory: &NfsFh4, name: &str) -> Result<()> {
        self.good(self.compounds.remove(directory, name.as_bytes())).await.map(drop)
    }

    pub(super) async fn rename(&self, from: &NfsFh4, old: &str, to: &NfsFh4, new: &str) -> Result<()> {
        self.good(self.compounds.rename(from, old.as_bytes(), to, new.as_bytes())).await.map(drop)
    }

    fn lock_owner(&self) -> StateOwner4 {
        StateOwner4 { clientid: self.client.clientid(), owner: Bytes::from_static(b"lock-owner of a file") }
    }

    /// The first LOCK of a lock-owner; `None` when another client's lock is in the way.
    pub(super) async fn lock(&self, opened: &Opened, range: Range, reclaim: bool) -> Result<Option<Held>> {
        let build = |open_seqid| {
            let owner = OpenToLockOwner4 {
                open_seqid,
                open_stateid: opened.stateid,
                lock_seqid: 0,
                lock_owner: self.lock_owner(),
            };
            self.compounds.lock(&opened.file, range.lock(reclaim, Locker4::OpenOwner(owner)))
        };
        match self.client.settle_in_turn(&self.owner, &[], &build).await?.reply.lock()? {
            Lock4Res::Ok(granted) => Ok(Some(Held { stateid: granted.lock_stateid, seqid: 1 })),
            Lock4Res::Denied(_) => Ok(None),
            Lock4Res::Error(status) => Err(Error::Status { op: OpNum::Lock, status }),
        }
    }

    /// LOCKT, whatever comes of it.
    pub(super) async fn test_lock(&self, opened: &Opened, range: Range) -> Result<()> {
        let compound = self.compounds.lockt(&opened.file, range.test(self.lock_owner()));
        self.client.run(compound).await?.lockt().map(drop)
    }

    pub(super) async fn unlock(&self, opened: &Opened, held: &Held, range: Range) -> Result<()> {
        let Range { offset, length } = range;
        let locktype = NfsLockType4::Write;
        let seqid = if self.client.minor() == 0 { held.seqid } else { 0 };
        let args = Locku4Args { locktype, seqid, lock_stateid: held.stateid, offset, length };
        self.good(self.compounds.unlock(&opened.file, args)).await.map(drop)
    }
}

/// A byte range, locked for writing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Range {
    fn lock(self, reclaim: bool, locker: Locker4) -> Lock4Args {
        let Self { offset, length } = self;
        Lock4Args { locktype: NfsLockType4::Write, reclaim, offset, length, locker }
    }

    fn test(self, owner: StateOwner4) -> Lockt4Args {
        let Self { offset, length } = self;
        Lockt4Args { locktype: NfsLockType4::Write, offset, length, owner }
    }
}

fn with_seqid(args: &Open4Args, seqid: u32) -> Open4Args {
    Open4Args { seqid, ..args.clone() }
}

/// The parts that a client writes one by one.
fn chunks(data: &Bytes, bytes_max: u32) -> impl Iterator<Item = Bytes> + '_ {
    let max = bytes_max.max(1) as usize;
    (0..data.len()).step_by(max).map(move |start| data.slice(start..data.len().min(start + max)))
}
