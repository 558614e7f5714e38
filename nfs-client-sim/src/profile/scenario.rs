//! What a client does: the commands of the recorded traces, step by step.

use std::net::SocketAddr;

use bytes::Bytes;
use futures::future::BoxFuture;
use nfs4_protocol::nfs4::{Attrs, Createtype4, Mode4, NfsFh4, NfsStat4, Nfstime4, Settime4, Stateid4, Verifier4};

use super::Profile;
use super::player::{Opened, Player, Range};
use crate::files::mode;
use crate::{ClientOptions, Error, OpenHow, Result};

/// The text that files are filled with: a trace writes a repeated line once.
const LINE: &[u8] = b"fifteen letters\n";
const FILE_MODE: Mode4 = 0o644;
const DIRECTORY_MODE: Mode4 = 0o755;
/// The size of macOS's file of extended attributes beside another file.
const COMPANION_BYTES: usize = 4096;

/// Where a scenario is played, and by whom.
#[derive(Clone)]
pub struct Stage {
    /// The server.
    pub server: SocketAddr,
    /// The directory to mount, which must be empty.
    pub directory: String,
    /// The minor version.
    pub minor: u32,
    /// The client system.
    pub profile: Profile,
    /// The user, and how long to wait for the server.
    pub options: ClientOptions,
}

/// Restarts the server.
pub type Restart<'a> = &'a (dyn Fn() -> BoxFuture<'static, std::io::Result<()>> + Send + Sync);

/// What one or two clients do in an empty directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Mount and unmount.
    Mount,
    /// `ls -la; stat; df`
    List,
    /// `cat` of a small and of a large file.
    Cat,
    /// `echo > new; echo > existing`
    Echo,
    /// `cp` in and out.
    Cp,
    /// `dd bs=1M count=3`
    Dd,
    /// `rm`; `rm -r`; `rm` of an open file.
    Rm,
    /// `mv` of a file, onto a file, into a directory, of a directory.
    Mv,
    /// `mkdir -p`; `rmdir`; of what is not empty.
    Mkdir,
    /// `truncate` down, up, to nothing.
    Truncate,
    /// `chmod; chown; touch -d; touch`
    Attributes,
    /// An overwrite in the middle of an existing file.
    Overwrite,
    /// `open(O_CREAT|O_EXCL)`, twice.
    Exclusive,
    /// `echo >>`
    Append,
    /// `ln -s; readlink`
    Symlink,
    /// Locks of two clients.
    Locks,
    /// The server restarts under an open and locked file.
    Restart,
}

impl Scenario {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Mount,
        Self::List,
        Self::Cat,
        Self::Echo,
        Self::Cp,
        Self::Dd,
        Self::Rm,
        Self::Mv,
        Self::Mkdir,
        Self::Truncate,
        Self::Attributes,
        Self::Overwrite,
        Self::Exclusive,
        Self::Append,
        Self::Symlink,
        Self::Locks,
        Self::Restart,
    ];

    /// The name in file names and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mount => "mount",
            Self::List => "list",
            Self::Cat => "cat",
            Self::Echo => "echo",
            Self::Cp => "cp",
            Self::Dd => "dd",
            Self::Rm => "rm",
            Self::Mv => "mv",
            Self::Mkdir => "mkdir",
            Self::Truncate => "truncate",
            Self::Attributes => "attributes",
            Self::Overwrite => "overwrite",
            Self::Exclusive => "exclusive",
            Self::Append => "append",
            Self::Symlink => "symlink",
            Self::Locks => "locks",
            Self::Restart => "restart",
        }
    }

    /// Plays it. What it makes in the directory stays there. `restart` is called by [`Scenario::Restart`] only.
    ///
    /// # Errors
    /// Those of the connection and of the operations, where the server should have granted them; and
    /// [`Error::Lost`] when the server could not be restarted.
    pub async fn play(self, stage: &Stage, restart: Restart<'_>) -> Result<()> {
        let name = format!("{} of the {} profile", self.name(), stage.profile.title(stage.minor));
        let player = Player::mount(stage, &name).await?;
        match self {
            Self::Mount => {}
            Self::List => player.list_tree().await?,
            Self::Cat => player.cat().await?,
            Self::Echo => player.echo().await?,
            Self::Cp => player.cp().await?,
            Self::Dd => player.new_file("large", &zeros(3 << 20)).await?,
            Self::Rm => player.rm().await?,
            Self::Mv => player.mv().await?,
            Self::Mkdir => player.mkdirs().await?,
            Self::Truncate => player.truncate().await?,
            Self::Attributes => player.attributes().await?,
            Self::Overwrite => player.overwrite().await?,
            Self::Exclusive => player.exclusive().await?,
            Self::Append => player.append().await?,
            Self::Symlink => player.symlinks().await?,
            Self::Locks => {
                let peer = Player::mount(stage, &format!("{name}, the other")).await?;
                player.locks(&peer).await?;
                peer.unmount().await?;
            }
            Self::Restart => player.survive(restart).await?,
        }
        player.unmount().await
    }
}

fn zeros(len: usize) -> Bytes {
    vec![0; len].into()
}

fn lines(len: usize) -> Bytes {
    LINE.iter().copied().cycle().take(len).collect()
}

fn unchecked() -> OpenHow {
    OpenHow::write().unchecked(mode(FILE_MODE))
}

fn of_size(size: u64) -> Attrs {
    Attrs { size: Some(size), ..Attrs::default() }
}

/// An operation must fail with this status.
fn refused<T>(result: Result<T>, expected: NfsStat4) -> Result<()> {
    match result {
        Err(Error::Status { status, .. }) if status == expected => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Unexpected { wanted: expected }),
    }
}

impl Player {
    async fn new_file_in(&self, directory: &NfsFh4, name: &str, data: &Bytes) -> Result<()> {
        self.lookup(directory, name).await?;
        let opened = self.open(directory, name, &unchecked()).await?;
        self.write(&opened, 0, data).await?;
        self.close(opened).await
    }

    async fn new_file(&self, name: &str, data: &Bytes) -> Result<()> {
        self.new_file_in(self.directory(), name, data).await
    }

    /// `cat`.
    async fn read_file(&self, name: &str) -> Result<usize> {
        let file = self.find(self.directory(), name).await?;
        self.access(&file).await?;
        let opened = self.open_known(self.directory(), name, &file, &OpenHow::read()).await?;
        let len = self.read(&opened).await?.len();
        self.close(opened).await?;
        Ok(len)
    }

    async fn mkdir(&self, directory: &NfsFh4, name: &str) -> Result<NfsFh4> {
        self.lookup(directory, name).await?;
        self.create(directory, Createtype4::Dir, name, &mode(DIRECTORY_MODE)).await
    }

    async fn list_tree(&self) -> Result<()> {
        let d = self.mkdir(self.directory(), "d").await?;
        let e = self.mkdir(&d, "e").await?;
        self.new_file("a", &lines(16)).await?;
        self.new_file_in(&d, "b", &lines(32)).await?;
        for directory in [self.directory(), &d, &e] {
            self.access(directory).await?;
            self.list(directory).await?;
        }
        self.stat(&self.find(&d, "b").await?).await?;
        self.statfs().await
    }

    async fn cat(&self) -> Result<()> {
        self.new_file("a", &lines(16)).await?;
        self.new_file("zeros", &zeros(300_000)).await?;
        self.read_file("a").await?;
        self.read_file("zeros").await.map(drop)
    }

    async fn echo(&self) -> Result<()> {
        self.new_file("a", &lines(16)).await?;
        let file = self.find(self.directory(), "a").await?;
        let opened = if self.profile().truncates_with_open() {
            let how = OpenHow::write().unchecked(of_size(0));
            self.open(self.directory(), "a", &how).await?
        } else {
            let opened = self.open_known(self.directory(), "a", &file, &OpenHow::write()).await?;
            self.setattr(&file, opened.stateid, &of_size(0)).await?;
            opened
        };
        self.write(&opened, 0, &lines(10)).await?;
        self.close(opened).await
    }

    async fn cp(&self) -> Result<()> {
        self.new_file("lines", &lines(100_000)).await?;
        if let Some(companion) = self.profile().companion("lines") {
            self.new_file(&companion, &zeros(COMPANION_BYTES)).await?;
        }
        // The times come after the close.
        let file = self.find(self.directory(), "lines").await?;
        self.setattr(&file, Stateid4::ANONYMOUS, &times(1_580_702_706)).await?;
        self.read_file("lines").await.map(drop)
    }

    async fn rm(&self) -> Result<()> {
        let d = self.mkdir(self.directory(), "d").await?;
        self.new_file("a", &lines(1)).await?;
        self.new_file_in(&d, "b", &lines(2)).await?;
        self.new_file("open", &lines(16)).await?;
        self.remove(self.directory(), "a").await?;
        refused(self.remove(self.directory(), "d").await, NfsStat4::Notempty)?;
        self.list(&d).await?;
        self.remove(&d, "b").await?;
        self.remove(self.directory(), "d").await?;
        self.remove_open("open").await
    }

    /// Without the server's promise to keep an open file, it gets another name until it is closed.
    async fn remove_open(&self, name: &str) -> Result<()> {
        let opened = self.open(self.directory(), name, &OpenHow::read()).await?;
        let silly = ".nfs.00000001.0001";
        if opened.survives_removal {
            self.remove(self.directory(), name).await?;
        } else {
            self.lookup(self.directory(), silly).await?;
            self.rename(self.directory(), name, self.directory(), silly).await?;
        }
        let survives_removal = opened.survives_removal;
        self.read(&opened).await?;
        self.close(opened).await?;
        if survives_removal { Ok(()) } else { self.remove(self.directory(), silly).await }
    }

    async fn mv(&self) -> Result<()> {
        let top = self.directory();
        let d = self.mkdir(top, "d").await?;
        self.new_file("a", &lines(1)).await?;
        self.new_file("b", &lines(2)).await?;
        self.rename(top, "a", top, "c").await?;
        self.rename(top, "b", top, "c").await?;
        self.rename(top, "c", &d, "c").await?;
        self.rename(top, "d", top, "e").await?;
        let e = self.find(top, "e").await?;
        self.stat(&self.find(&e, "c").await?).await
    }

    async fn mkdirs(&self) -> Result<()> {
        let top = self.directory();
        let p = self.mkdir(top, "p").await?;
        self.mkdir(&p, "q").await?;
        refused(self.create(top, Createtype4::Dir, "p", &mode(DIRECTORY_MODE)).await, NfsStat4::Exist)?;
        refused(self.remove(top, "p").await, NfsStat4::Notempty)?;
        self.remove(&p, "q").await?;
        self.remove(top, "p").await
    }

    async fn truncate(&self) -> Result<()> {
        self.new_file("a", &zeros(10_000)).await?;
        for size in [5_000, 20_000, 0] {
            let opened = self.open(self.directory(), "a", &OpenHow::write()).await?;
            self.setattr(&opened.file, opened.stateid, &of_size(size)).await?;
            self.close(opened).await?;
        }
        Ok(())
    }

    async fn attributes(&self) -> Result<()> {
        self.new_file("a", &lines(1)).await?;
        let file = self.find(self.directory(), "a").await?;
        let owned = Attrs { owner: Some("1000".into()), owner_group: Some("1001".into()), ..Attrs::default() };
        for attrs in [mode(0o640), owned, times(1_580_702_706), now()] {
            self.setattr(&file, Stateid4::ANONYMOUS, &attrs).await?;
        }
        self.stat(&file).await
    }

    async fn overwrite(&self) -> Result<()> {
        self.new_file("a", &zeros(20_000)).await?;
        let file = self.find(self.directory(), "a").await?;
        let opened = self.open_known(self.directory(), "a", &file, &OpenHow::both()).await?;
        self.write(&opened, 10_000, &lines(16)).await?;
        self.close(opened).await?;
        self.stat(&file).await
    }

    async fn exclusive(&self) -> Result<()> {
        let create = |verifier| OpenHow::write().exclusive(Verifier4(verifier), 0o640);
        let opened = self.open(self.directory(), "a", &create(*b"verifier")).await?;
        if self.client().minor() == 0 {
            // EXCLUSIVE4 sets no attributes: they come after it.
            self.setattr(&opened.file, opened.stateid, &Attrs { mode: Some(0o640), ..now() }).await?;
        }
        self.write(&opened, 0, &lines(5)).await?;
        self.close(opened).await?;
        refused(self.open(self.directory(), "a", &create(*b"another.")).await, NfsStat4::Exist)
    }

    async fn append(&self) -> Result<()> {
        self.new_file("a", &lines(16)).await?;
        for end in [16, 32] {
            let opened = self.open(self.directory(), "a", &OpenHow::write()).await?;
            self.stat(&opened.file).await?;
            self.write(&opened, end, &lines(16)).await?;
            self.close(opened).await?;
        }
        Ok(())
    }

    async fn symlinks(&self) -> Result<()> {
        self.new_file("a", &lines(1)).await?;
        let top = self.directory();
        for (name, target) in [("link", "a"), ("dangling", "nowhere")] {
            let kind = Createtype4::Lnk(Bytes::from_static(target.as_bytes()));
            let link = self.create(top, kind, name, &mode(0o777)).await?;
            self.readlink(&link).await?;
        }
        self.remove(top, "link").await?;
        self.remove(top, "dangling").await
    }

    async fn locks(&self, peer: &Self) -> Result<()> {
        self.new_file("a", &lines(40)).await?;
        let mine = self.open(self.directory(), "a", &OpenHow::both()).await?;
        let theirs = peer.open(peer.directory(), "a", &OpenHow::both()).await?;
        let range = Range { offset: 0, length: 10 };
        let held = self.lock(&mine, range, false).await?.ok_or(Error::Unexpected { wanted: NfsStat4::Ok })?;
        if peer.lock(&theirs, Range { offset: 5, length: 10 }, false).await?.is_some() {
            return Err(Error::Unexpected { wanted: NfsStat4::Denied });
        }
        peer.test_lock(&theirs, range).await?;
        peer.test_lock(&theirs, Range { offset: 20, length: 10 }).await?;
        self.unlock(&mine, &held, range).await?;
        let taken = peer.lock(&theirs, range, false).await?.ok_or(Error::Unexpected { wanted: NfsStat4::Ok })?;
        peer.unlock(&theirs, &taken, range).await?;
        peer.close(theirs).await?;
        self.close(mine).await
    }

    /// A restart of the server: the client finds out, makes itself known, and reclaims its open and its lock.
    async fn survive(&self, restart: Restart<'_>) -> Result<()> {
        self.new_file("a", &lines(16)).await?;
        let before = self.open(self.directory(), "a", &OpenHow::both()).await?;
        let range = Range { offset: 0, length: u64::MAX };
        self.lock(&before, range, false).await?;
        self.write(&before, 16, &lines(16)).await?;
        restart().await.map_err(|error| Error::Lost(error.to_string()))?;
        self.client().recover().await?;
        let opened = self.reclaim(&before, &OpenHow::both()).await?;
        let held = self.lock(&opened, range, true).await?.ok_or(Error::Unexpected { wanted: NfsStat4::Ok })?;
        self.client().reclaim_complete().await?;
        self.finish(opened, &held, range).await
    }

    async fn finish(&self, opened: Opened, held: &super::player::Held, range: Range) -> Result<()> {
        self.write(&opened, 32, &lines(16)).await?;
        self.unlock(&opened, held, range).await?;
        self.read(&opened).await?;
        self.close(opened).await
    }
}

fn times(seconds: i64) -> Attrs {
    let time = Settime4::ClientTime(Nfstime4 { seconds, nseconds: 789_000_000 });
    Attrs { time_access_set: Some(time), time_modify_set: Some(time), ..Attrs::default() }
}

fn now() -> Attrs {
    Attrs {
        time_access_set: Some(Settime4::ServerTime),
        time_modify_set: Some(Settime4::ServerTime),
        ..Attrs::default()
    }
}
