//! From the server to this machine, with several READs in flight.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use clap::Args;
use futures::stream::TryStreamExt;
use nfs_client_sim::{Client, OpenFile, OpenHow};
use nfs4_protocol::nfs4::{
    FATTR4_CHANGE, FATTR4_MODE, FATTR4_RDATTR_ERROR, FATTR4_SIZE, FATTR4_TYPE, NfsFh4, NfsFtype4,
};
use parking_lot::Mutex;
use tokio::fs;
use tokio::io::AsyncWriteExt;

use super::place::{Entry, entries, is};
use super::progress::Progress;
use super::{CliError, NfsContext, NfsUrl, Output};

/// The attributes that a file or directory on its way has to have.
const ATTRIBUTES: &[u32] = &[FATTR4_TYPE, FATTR4_CHANGE, FATTR4_SIZE, FATTR4_RDATTR_ERROR, FATTR4_MODE];
/// Files of one directory on their way at the same time.
pub(crate) const FILES_AT_ONCE: usize = 4;

/// How many requests are on their way at the same time.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct InFlight {
    /// READs or WRITEs of one file on their way at the same time
    #[arg(long, default_value_t = 8, value_name = "REQUESTS", value_parser = clap::value_parser!(u16).range(1..=256))]
    in_flight: u16,
}

impl InFlight {
    pub(crate) fn count(self) -> usize {
        self.in_flight.into()
    }
}

/// The first failure of two: what was done with an open file, and closing it.
pub(crate) fn closing<T>(done: Result<T, CliError>, closed: Result<(), CliError>) -> Result<T, CliError> {
    done.and_then(|done| closed.map(|()| done))
}

/// Copies files and directories to this machine.
pub(crate) struct Download<'a> {
    pub(crate) client: &'a Client,
    pub(crate) in_flight: usize,
    pub(crate) progress: &'a Progress,
    pub(crate) output: &'a Output,
}

/// A local file under a temporary name, which is removed unless the file gets its final name.
struct Temporary {
    path: PathBuf,
    file: fs::File,
    kept: bool,
}

impl Temporary {
    /// Beside `path`, so that it can be renamed.
    async fn beside(path: &Path) -> Result<Self, CliError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = path.with_file_name(format!(".nfs-client-sim.{}.{number}", std::process::id()));
        let file = fs::File::create_new(&path).await.at(path.display())?;
        Ok(Self { path, file, kept: false })
    }

    /// Makes the content durable and gives it its name.
    async fn keep(mut self, path: &Path) -> Result<(), CliError> {
        self.file.sync_all().await.at(self.path.display())?;
        fs::rename(&self.path, path).await.at(path.display())?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed was perhaps never there; the failure that led here is the one to report.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Download<'_> {
    /// Copies an open file to `path`, under a temporary name until all of it is there.
    ///
    /// # Errors
    /// [`CliError::Failed`] when the file changed meanwhile.
    pub(crate) async fn file(&self, file: &OpenFile, url: &NfsUrl, path: &Path) -> Result<(), CliError> {
        let before = file.getattr(ATTRIBUTES).await.at(url)?;
        let size = before.size.unwrap_or(0);
        let mut temporary = Temporary::beside(path).await?;
        let mut copied = 0;
        let mut pieces = std::pin::pin!(file.read_range(0..size, self.in_flight));
        while let Some(piece) = pieces.try_next().await.at(url)? {
            temporary.file.write_all(&piece).await.at(temporary.path.display())?;
            copied += piece.len() as u64;
            self.progress.bytes(piece.len() as u64);
        }
        let after = file.getattr(ATTRIBUTES).await.at(url)?;
        if copied != size || (after.size, after.change) != (before.size, before.change) {
            return Err(CliError::Failed(format!(
                "{url}: it changed while it was read: {copied} of {size} bytes came"
            )));
        }
        temporary.keep(path).await?;
        self.progress.file();
        Ok(())
    }

    /// Copies what is below a directory into a local directory, which is made unless it is there. Symbolic links are
    /// copied as such; what is neither file, directory nor link is left out, and that is said.
    ///
    /// # Errors
    /// The first failure ends it.
    pub(crate) async fn tree(&self, handle: NfsFh4, url: NfsUrl, path: PathBuf) -> Result<(), CliError> {
        let mut waiting = vec![(handle, url, path)];
        while let Some((handle, url, path)) = waiting.pop() {
            make_directory(&path).await?;
            self.progress.directory();
            let subdirectories = Mutex::new(Vec::new());
            let entries = entries(self.client, &url, &handle, ATTRIBUTES);
            let copy = entries.try_for_each_concurrent(FILES_AT_ONCE, async |entry| {
                let subdirectory = self.entry(&handle, &url, &path, entry).await?;
                subdirectories.lock().extend(subdirectory);
                Ok(())
            });
            copy.await?;
            waiting.append(&mut subdirectories.into_inner());
        }
        Ok(())
    }

    /// Copies one entry of a directory, or returns it if it is a directory itself.
    async fn entry(
        &self,
        directory: &NfsFh4,
        url: &NfsUrl,
        path: &Path,
        entry: Entry,
    ) -> Result<Option<(NfsFh4, NfsUrl, PathBuf)>, CliError> {
        let Entry { name, attrs } = entry;
        let (url, path) = (url.join(&name), path.join(local_name(&name)?));
        if is(&attrs, NfsFtype4::Reg) {
            let file = self.client.open(directory, &name, OpenHow::read()).await.at(&url)?;
            let copied = self.file(&file, &url, &path).await;
            closing(copied, file.close().await.at(&url))?;
            return Ok(None);
        }
        let node = self.client.lookup(directory, &name).await.at(&url)?;
        if is(&node.attrs, NfsFtype4::Dir) {
            return Ok(Some((node.handle, url, path)));
        }
        if is(&node.attrs, NfsFtype4::Lnk) {
            let target = self.client.readlink(&node.handle).await.at(&url)?;
            make_link(OsStr::from_bytes(&target), &path).await?;
            self.progress.link();
        } else {
            self.output.note(format!("{url}: left out, neither file, directory nor link"));
        }
        Ok(None)
    }
}

/// Makes a local directory unless it is there. A symbolic link is none: a server could have had it made just before, in
/// order to have files written somewhere else.
async fn make_directory(path: &Path) -> Result<(), CliError> {
    if fs::symlink_metadata(path).await.is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    fs::create_dir(path).await.at(path.display())
}

/// Makes a local symbolic link unless it is there and leads to the same place.
async fn make_link(target: &OsStr, path: &Path) -> Result<(), CliError> {
    match fs::symlink(target, path).await {
        Err(_) if fs::read_link(path).await.is_ok_and(|there| there == target) => Ok(()),
        made => made.at(path.display()),
    }
}

/// A name of the server's as a local one.
///
/// # Errors
/// [`CliError::Failed`] for names that would lead out of the directory.
fn local_name(name: &Bytes) -> Result<&OsStr, CliError> {
    let leads_out = matches!(name.as_ref(), b"" | b"." | b"..") || name.iter().any(|byte| matches!(byte, b'/' | 0));
    if leads_out {
        let shown = super::text::Shown(name).to_string();
        return Err(CliError::Failed(format!("the server lists the name {shown:?}, which no file can have")));
    }
    Ok(OsStr::from_bytes(name))
}

/// The last name of a place, for the local file; the root has none.
pub(crate) fn last_name(url: &NfsUrl) -> Result<&OsStr, CliError> {
    let name = url.names().last();
    name.map_or_else(|| Err(CliError::Usage(format!("{url} has no name; say what the copy is called"))), local_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_name_files_outside_the_directory() {
        let good = |name: &'static [u8]| local_name(&Bytes::from_static(name)).is_ok();
        assert!(good(b"a") && good(b"..a") && good(b"\xff"));
        assert!(!good(b"") && !good(b".") && !good(b"..") && !good(b"../a") && !good(b"/etc") && !good(b"a\0"));
    }

    #[tokio::test]
    async fn a_directory_is_not_made_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, link) = (folder.path().join("inside"), folder.path().join("link"));
        make_directory(&inside).await.unwrap();
        make_directory(&inside).await.unwrap();
        std::os::unix::fs::symlink(&inside, &link).unwrap();
        make_directory(&link).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_link_that_is_there_stays_and_another_one_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link");
        make_link(OsStr::new("a"), &path).await.unwrap();
        make_link(OsStr::new("a"), &path).await.unwrap();
        make_link(OsStr::new("b"), &path).await.unwrap_err();
        assert_eq!(std::fs::read_link(&path).unwrap(), Path::new("a"));
    }

    #[tokio::test]
    async fn an_unfinished_file_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        let temporary = Temporary::beside(&path).await.unwrap();
        assert_eq!(names(), 1);
        drop(temporary);
        assert_eq!(names(), 0);
        Temporary::beside(&path).await.unwrap().keep(&path).await.unwrap();
        assert!(path.is_file() && names() == 1);
    }
}
