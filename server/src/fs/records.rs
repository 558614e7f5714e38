//! Rows of the local state that stand for what is not in the bucket yet.

use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::filesystem::{FsError, FsResult, NodeKey, NodeKind};
use super::identity::Place;
use super::inode::Inode;
use super::object_fs::ObjectFs;
use super::posix::Posix;
use super::slots::{Remote, SlotKey};
use crate::data::ContentRecord;
use crate::local::{Change, Key, Table};
use crate::store::{ETag, ObjectMeta};
use crate::timestamp::Timestamp;

/// A node that the bucket lacks, or lacks something of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NodeRecord {
    /// The bucket's name.
    pub bucket: String,
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub kind: NodeKind,
    /// Mode, owner, times.
    pub posix: Posix,
    /// Last change of anything.
    pub ctime: Timestamp,
    /// The change attribute.
    pub change: u64,
    /// Headers of the object.
    pub meta: ObjectMeta,
    /// The version it was last equal to.
    pub version: Option<(ETag, Timestamp)>,
    /// Whether attributes wait to be stored.
    pub attributes_dirty: bool,
    /// What is believed to be under its key.
    pub remote: Remote,
    /// Its bytes.
    pub content: ContentRecord,
}

/// An object that has to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DeleteRecord {
    /// The bucket's name.
    pub bucket: String,
    /// The version that was seen.
    pub remote: Remote,
}

/// A directory on its way to another place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RenameRecord {
    /// The bucket's name.
    pub bucket: String,
    /// Its fileid.
    pub fileid: u64,
    /// Where it was.
    pub from: Place,
    /// The key prefix there.
    pub from_prefix: String,
    /// Where it goes.
    pub to: Place,
    /// The key prefix there.
    pub to_prefix: String,
}

/// Reads a row.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> FsResult<T> {
    postcard::from_bytes(bytes).map_err(|error| FsError::Io(format!("a damaged row in the local state: {error}")))
}

fn encode<T: Serialize>(record: &T) -> FsResult<Vec<u8>> {
    postcard::to_stdvec(record).map_err(|error| FsError::Io(error.to_string()))
}

fn node_key(key: NodeKey) -> Vec<u8> {
    Key::new().u64(key.fsid).u64(key.fileid).done()
}

fn delete_key(key: &SlotKey) -> Vec<u8> {
    Key::new().u64(key.fsid).text(&key.key).done()
}

/// The change that notes that an object has to go.
pub(super) fn put_delete(key: &SlotKey, record: &DeleteRecord) -> FsResult<Change> {
    Ok(Change::put(Table::Deletes, delete_key(key), encode(record)?))
}

/// The change that notes that the object is gone, or wanted again.
pub(super) fn drop_delete(key: &SlotKey) -> Change {
    Change::delete(Table::Deletes, delete_key(key))
}

/// The change that notes that the bucket has all of a node.
pub(super) fn drop_node(key: NodeKey) -> Change {
    Change::delete(Table::Dirty, node_key(key))
}

/// The change that notes a directory's move.
pub(super) fn put_rename(key: NodeKey, record: &RenameRecord) -> FsResult<Change> {
    Ok(Change::put(Table::Renames, node_key(key), encode(record)?))
}

/// The change that notes that the move is done.
pub(super) fn drop_rename(key: NodeKey) -> Change {
    Change::delete(Table::Renames, node_key(key))
}

impl ObjectFs {
    /// The change that writes a node's row, with the record of its bytes.
    pub(super) fn put_node(&self, inode: &Inode, remote: Remote, content: ContentRecord) -> FsResult<Change> {
        let record = {
            let state = inode.state();
            NodeRecord {
                bucket: inode.bucket.name.clone(),
                place: state.place(inode.kind),
                kind: inode.kind,
                posix: state.posix.clone(),
                ctime: state.ctime,
                change: state.change,
                meta: state.meta.clone(),
                version: state.version.as_ref().map(|version| (version.etag.clone(), version.modified)),
                attributes_dirty: state.is_attributes_dirty(),
                remote,
                content,
            }
        };
        Ok(Change::put(Table::Dirty, node_key(inode.key), encode(&record)?))
    }

    /// Makes a node's bytes and row durable, together with `changes`.
    pub(super) async fn journal(&self, inode: &Arc<Inode>, remote: Remote, changes: Vec<Change>) -> FsResult<()> {
        let _order = inode.journal_order.lock().await;
        self.journal_in_order(inode, remote, changes).await
    }

    /// [`Self::journal`] for who holds the node's `journal_order`.
    pub(super) async fn journal_in_order(
        &self,
        inode: &Inode,
        remote: Remote,
        mut changes: Vec<Change>,
    ) -> FsResult<()> {
        let content = inode.content();
        let synced = content.sync(&self.data).await?;
        changes.push(self.put_node(inode, remote, synced.record.clone())?);
        changes.extend(synced.changes.iter().cloned());
        inode.state().journaled = true;
        self.local.commit(changes).await?;
        content.mark_journaled(&self.data, &synced);
        Ok(())
    }
}
