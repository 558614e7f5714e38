//! Working with many small files.

use bytes::Bytes;
use futures::stream::TryStreamExt;
use nfs4_protocol::nfs4::{Attrs, FATTR4_SIZE, FATTR4_TYPE, NfsFh4, NfsStat4, OpNum, StableHow4};

use super::task::{Ended, Task};
use crate::{Client, Error, ListingSize, OpenHow};

/// The permissions of a directory.
const DIRECTORY_MODE: u32 = 0o700;

/// A small file's name in the directory of a task.
fn name(number: usize) -> String {
    format!("file-{number:06}")
}

impl Task {
    /// OPEN of new files, WRITE and CLOSE.
    pub(super) async fn create(&mut self) -> Result<(), Ended> {
        let directory_name = format!("new-{}", self.number);
        let directory = self.client.mkdir(&self.directory, &directory_name, DIRECTORY_MODE).await?;
        self.ready().await;
        let mut number = 0;
        while let Some(began) = self.meter.next() {
            let bytes = self.create_file(&directory, &name(number)).await?;
            number += 1;
            self.meter.done(began, bytes);
        }
        // Not measured: the next round begins with an empty directory again.
        let removed = self.client.remove_tree(&self.directory, &directory_name).await;
        removed.map(drop).map_err(|error| error.source.into())
    }

    /// Returns the bytes in it.
    async fn create_file(&self, directory: &NfsFh4, name: &str) -> Result<u64, Error> {
        let content = self.content.slice(..self.plan.file_size as usize);
        create_file(&self.client, directory, name, content, self.plan.fsync).await
    }

    /// OPEN, READ and CLOSE of random files.
    pub(super) async fn read_files(&mut self) -> Result<(), Ended> {
        let directory = self.many().await?;
        self.ready().await;
        while let Some(began) = self.meter.next() {
            let name = self.any_name();
            let file = self.client.open(&directory, name, OpenHow::read()).await?;
            let read = file.read_at(0, self.plan.file_size.max(1)).await;
            file.close().await?;
            self.meter.done(began, read?.data.len() as u64);
        }
        Ok(())
    }

    /// LOOKUP and GETATTR of random files.
    pub(super) async fn stat(&mut self) -> Result<(), Ended> {
        let directory = self.many().await?;
        self.ready().await;
        while let Some(began) = self.meter.next() {
            let name = self.any_name();
            self.client.lookup(&directory, name).await?;
            self.meter.done(began, 0);
        }
        Ok(())
    }

    /// READDIRs of the whole directory.
    pub(super) async fn list(&mut self) -> Result<(), Ended> {
        let directory = self.many().await?;
        self.ready().await;
        let client = self.client.clone();
        while let Some(began) = self.meter.next() {
            let entries = client.readdir(&directory, ListingSize::default(), &[FATTR4_TYPE, FATTR4_SIZE]);
            let count = entries.try_fold(0, async |count, _| Ok(count + 1)).await?;
            if count < self.plan.files {
                return Err(Error::Missing(OpNum::Readdir).into());
            }
            self.meter.done(began, 0);
        }
        Ok(())
    }

    /// RENAME of one file to and fro.
    pub(super) async fn rename(&mut self) -> Result<(), Ended> {
        let (mut from, mut to) = (format!("rename-{}", self.number), format!("renamed-{}", self.number));
        // In an odd number of renames of the round before it got the other name.
        match self.client.lookup(&self.directory, &to).await {
            Ok(_) => std::mem::swap(&mut from, &mut to),
            Err(error) if error.status() == Some(NfsStat4::Noent) => {
                create_file(&self.client, &self.directory, &from, Bytes::new(), false).await?;
            }
            Err(error) => return Err(error.into()),
        }
        self.ready().await;
        while let Some(began) = self.meter.next() {
            self.client.rename(&self.directory, &from, &self.directory, &to).await?;
            std::mem::swap(&mut from, &mut to);
            self.meter.done(began, 0);
        }
        Ok(())
    }

    fn any_name(&mut self) -> String {
        name(self.random.usize(..self.plan.files.max(1)))
    }

    /// The task's directory, with its files.
    async fn many(&self) -> Result<NfsFh4, Ended> {
        let directory_name = format!("many-{}", self.number);
        let directory = match self.client.mkdir(&self.directory, &directory_name, DIRECTORY_MODE).await {
            // Left by a workload before.
            Err(error) if error.status() == Some(NfsStat4::Exist) => {
                return Ok(self.client.lookup(&self.directory, &directory_name).await?.handle);
            }
            made => made?,
        };
        for number in 0..self.plan.files {
            self.unless_stopped()?;
            self.create_file(&directory, &name(number)).await?;
        }
        Ok(directory)
    }
}

/// Returns the bytes in it.
async fn create_file(
    client: &Client,
    directory: &NfsFh4,
    name: &str,
    content: Bytes,
    fsync: bool,
) -> Result<u64, Error> {
    let attrs = Attrs { mode: Some(0o600), size: Some(0), ..Attrs::default() };
    let file = client.open(directory, name, OpenHow::write().unchecked(attrs)).await?;
    let write = async {
        let mut written = 0;
        if !content.is_empty() {
            written = file.write_at(0, content, StableHow4::Unstable).await?.count.into();
        }
        if fsync {
            file.commit().await?;
        }
        Ok(written)
    };
    let written = write.await;
    file.close().await?;
    written
}
