//! After a start: what the last run left undone is found in the local state and shown from the first request on.

use std::sync::Arc;

use tokio::time::Instant;

use super::bucket::Bucket;
use super::filesystem::{FsError, FsResult, NodeKey};
use super::inode::{Inode, InodeState, Version};
use super::object_fs::ObjectFs;
use super::records::{DeleteRecord, NodeRecord, RenameRecord, decode};
use super::slots::{Desired, Remote, SlotKey};
use crate::data::Content;
use crate::local::{KeyReader, Local, LocalError, Table};

/// Rows read at once.
const BATCH: usize = 1000;
/// READDIR cookies kept over a start; when there are more, none is.
const COOKIES_KEPT: u64 = 200_000;

impl ObjectFs {
    /// Finds what is on its way: objects that have to go, nodes the buckets lack, directories on the move.
    pub(super) async fn recover(&self) -> FsResult<()> {
        let deletes = rows(&self.local, Table::Deletes)?;
        let nodes = rows(&self.local, Table::Dirty)?;
        let renames = rows(&self.local, Table::Renames)?;
        for (key, value) in &deletes {
            self.recover_delete(key, &decode(value)?)?;
        }
        for (key, value) in &nodes {
            self.recover_node(key, decode(value)?).await?;
        }
        self.data.staging().sweep();
        for (key, value) in &renames {
            self.recover_rename(key, &decode(value)?).await?;
        }
        if deletes.len() + nodes.len() + renames.len() > 0 {
            tracing::info!(
                files = nodes.len(),
                deletions = deletes.len(),
                directory_renames = renames.len(),
                "found unfinished work of the last run"
            );
        }
        self.trim_cookies()
    }

    fn recover_delete(&self, key: &[u8], record: &DeleteRecord) -> FsResult<()> {
        let mut reader = KeyReader::new(key);
        let (fsid, key) = (reader.u64(), reader.text());
        let (Some(fsid), Some(key)) = (fsid, key) else { return Err(damaged("a deletion")) };
        let key = SlotKey { fsid, key };
        self.work.lock().slots.set(key, record.remote.clone(), Desired::Nothing, Instant::now());
        Ok(())
    }

    async fn recover_node(&self, key: &[u8], record: NodeRecord) -> FsResult<()> {
        let id = node_key(key)?;
        let bucket = match self.buckets.by_fsid(&*self.store, id.fsid).await {
            Ok(bucket) => bucket,
            Err(FsError::Stale) => {
                tracing::error!(bucket = record.bucket, name = record.place.name, "staged for a bucket that is gone");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let content = Content::recovered(record.content, &self.data, &self.local)?;
        let mut state = InodeState::new(record.place, record.posix, record.change, content);
        state.ctime = record.ctime;
        state.meta = record.meta;
        state.version = record.version.map(|(etag, modified)| Version { etag, modified });
        state.attributes_generation = u64::from(record.attributes_dirty);
        (state.queued, state.journaled) = (true, true);
        let inode = self.inodes.insert(Inode::new(id, record.kind, Arc::clone(&bucket), state));
        self.recover_slot(&bucket, &inode, record.remote)
    }

    fn recover_slot(&self, bucket: &Arc<Bucket>, inode: &Arc<Inode>, remote: Remote) -> FsResult<()> {
        let key = match self.key_of(inode) {
            Ok(key) => key,
            Err(FsError::Stale) => {
                tracing::error!(
                    bucket = bucket.name,
                    name = inode.state().name,
                    "its directory is gone: left in the local state"
                );
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mut work = self.work.lock();
        if let Some(base) = inode.content().base().filter(|base| base.key != key.key) {
            work.pins.pin(SlotKey { fsid: key.fsid, key: base.key }, inode);
        }
        work.slots.set(key, remote, Desired::Node(Arc::clone(inode)), Instant::now() + self.config.linger);
        Ok(())
    }

    async fn recover_rename(&self, key: &[u8], record: &RenameRecord) -> FsResult<()> {
        let id = node_key(key)?;
        tracing::info!(from = record.from_prefix, to = record.to_prefix, "going on with a directory rename");
        let bucket = self.buckets.by_fsid(&*self.store, id.fsid).await?;
        let _alone = bucket.moving.write().await;
        self.carry_out(&bucket, id, record).await
    }

    fn trim_cookies(&self) -> FsResult<()> {
        if self.local.count(Table::Cookies)? <= COOKIES_KEPT {
            return Ok(());
        }
        for (key, _) in rows(&self.local, Table::Cookies)? {
            self.local.commit_later(vec![crate::local::Change::delete(Table::Cookies, key)])?;
        }
        Ok(())
    }
}

/// A row: key and value.
type Row = (Vec<u8>, Vec<u8>);

/// All rows of a table.
fn rows(local: &Local, table: Table) -> Result<Vec<Row>, LocalError> {
    let mut all: Vec<Row> = Vec::new();
    loop {
        let after = all.last().map(|(key, _)| key.clone());
        let batch = local.scan(table, &[], after.as_deref(), BATCH)?;
        if batch.is_empty() {
            return Ok(all);
        }
        all.extend(batch);
    }
}

fn node_key(key: &[u8]) -> FsResult<NodeKey> {
    let mut reader = KeyReader::new(key);
    match (reader.u64(), reader.u64()) {
        (Some(fsid), Some(fileid)) => Ok(NodeKey { fsid, fileid }),
        _ => Err(damaged("a node")),
    }
}

fn damaged(what: &str) -> FsError {
    FsError::Io(format!("the local state is damaged: the row of {what}"))
}
