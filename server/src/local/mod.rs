//! What the gateway must remember on this machine: a small journal of rows in redb, durable when a commit returns.
//!
//! One thread writes. It takes everything that is queued, writes it in one transaction with one sync of the disk, and wakes all
//! who wait: the more callers there are, the fewer syncs each costs. Rows are bytes; what they mean is known to the rooms that
//! write them. Once a write to the disk has failed nothing is accepted any more: what redb holds is then not what callers believe.

mod key;
mod queue;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

pub use key::{Key, KeyReader};
use queue::Shared;
pub use queue::{Commit, QUEUE_BYTES_MAX};

/// Version of the rows this program writes; a journal of a higher one is left alone.
const FORMAT: u64 = 1;
/// Row of [`Table::Settings`] that holds the format.
const FORMAT_KEY: &[u8] = b"format";
/// What redb may keep of the file in memory.
const DATABASE_CACHE_BYTES: usize = 16 << 20;
/// The file that is locked while a gateway uses the directory.
const LOCK_FILE: &str = "lock";
/// The file with the rows.
const JOURNAL_FILE: &str = "journal.redb";

/// A row as it is read: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The tables. Each is a map of bytes in byte order of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Files whose newest bytes are not in the bucket yet.
    Dirty,
    /// Which ranges of a staging file are valid.
    Extents,
    /// Objects that are still to be deleted.
    Deletes,
    /// Renames under way.
    Renames,
    /// Names of files whose identity is not the computed one.
    Names,
    /// Where a file with a given identity is.
    Ids,
    /// Attributes as they were last seen or set.
    Attributes,
    /// Clients that hold state, for reclaim after a restart.
    Clients,
    /// Where in a directory a cookie stands.
    Cookies,
    /// Facts about this deployment.
    Settings,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Dirty,
        Self::Extents,
        Self::Deletes,
        Self::Renames,
        Self::Names,
        Self::Ids,
        Self::Attributes,
        Self::Clients,
        Self::Cookies,
        Self::Settings,
    ];

    fn definition(self) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
        TableDefinition::new(match self {
            Self::Dirty => "dirty",
            Self::Extents => "extents",
            Self::Deletes => "deletes",
            Self::Renames => "renames",
            Self::Names => "names",
            Self::Ids => "ids",
            Self::Attributes => "attributes",
            Self::Clients => "clients",
            Self::Cookies => "cookies",
            Self::Settings => "settings",
        })
    }
}

/// One change of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Writes a row, in place of the one that was there.
    Put {
        /// Where.
        table: Table,
        /// Its key.
        key: Vec<u8>,
        /// Its new value.
        value: Vec<u8>,
    },
    /// Removes a row if it is there.
    Delete {
        /// Where.
        table: Table,
        /// Its key.
        key: Vec<u8>,
    },
}

impl Change {
    /// A [`Change::Put`].
    pub fn put(table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self::Put { table, key: key.into(), value: value.into() }
    }

    /// A [`Change::Delete`].
    pub fn delete(table: Table, key: impl Into<Vec<u8>>) -> Self {
        Self::Delete { table, key: key.into() }
    }
}

/// Why the local state cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalError {
    /// The directory cannot be made or written.
    #[error("the state directory {} cannot be used: {reason}", path.display())]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Another gateway runs on the same directory.
    #[error("the state directory {} is in use by another gateway", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A newer program wrote the journal.
    #[error("the journal in {} has format {found}, this program knows formats up to {known}", path.display())]
    Newer {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format that this program knows.
        known: u64,
    },
    /// The journal is damaged.
    #[error("the journal in {} is damaged: {reason}", path.display())]
    Corrupt {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The disk failed while reading or writing; after a failed write every later commit fails as well.
    #[error("the journal failed: {0}")]
    Failed(String),
}

/// The journal. Clones share it; the last one to go writes what is queued and ends the writer.
#[derive(Debug, Clone)]
pub struct Local {
    running: Arc<Running>,
}

/// Ends the writer when the last [`Local`] goes.
#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    /// Held for as long as the journal is in use.
    _lock: Option<File>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the journal's writer ended abnormally");
        }
    }
}

impl Local {
    /// Opens the journal in `state_dir`, which is created where it is missing, and locks the directory. Blocks on the disk.
    ///
    /// # Errors
    /// `Unwritable`, `Locked`, `Newer`, `Corrupt`.
    pub fn open(state_dir: &Path) -> Result<Self, LocalError> {
        let unwritable =
            |error: std::io::Error| LocalError::Unwritable { path: state_dir.to_owned(), reason: reason(&error) };
        let locked = || LocalError::Locked { path: state_dir.to_owned() };
        fs::create_dir_all(state_dir).map_err(unwritable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(state_dir.join(LOCK_FILE))
            .map_err(unwritable)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => locked(),
            TryLockError::Error(error) => unwritable(error),
        })?;
        let database = Database::builder()
            .set_cache_size(DATABASE_CACHE_BYTES)
            .create(state_dir.join(JOURNAL_FILE))
            .map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => locked(),
                DatabaseError::Storage(redb::StorageError::Io(error)) => unwritable(error),
                other => LocalError::Corrupt { path: state_dir.to_owned(), reason: other.to_string() },
            })?;
        File::open(state_dir).and_then(|dir| dir.sync_all()).map_err(unwritable)?;
        Self::start(database, state_dir, Some(lock))
    }

    /// Brings the tables into being, checks the format and starts the writer.
    fn start(database: Database, state_dir: &Path, lock: Option<File>) -> Result<Self, LocalError> {
        match prepare(&database) {
            Ok(found) if found <= FORMAT => {}
            Ok(found) => return Err(LocalError::Newer { path: state_dir.to_owned(), found, known: FORMAT }),
            Err(error) => return Err(LocalError::Corrupt { path: state_dir.to_owned(), reason: error.to_string() }),
        }
        let shared = Arc::new(Shared::new(database));
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || writer::run(&shared)
            })
            .map_err(failed)?;
        Ok(Self { running: Arc::new(Running { shared, writer: Some(writer), _lock: lock }) })
    }

    /// Queues the changes at once, in order with every other call, and tells when they are on the disk, all of them or none.
    ///
    /// Dropping the future does not take them back. Without changes it waits for what was queued before. Memory is bounded by
    /// the callers, each of which waits for its own.
    pub fn commit(&self, changes: Vec<Change>) -> Commit {
        self.running.shared.commit(changes)
    }

    /// Queues changes nobody waits for: they are written with the next batch, in order with every other call. Blocks the
    /// thread while [`QUEUE_BYTES_MAX`] bytes wait for the disk.
    ///
    /// # Errors
    /// `Failed` when an earlier write failed.
    pub fn commit_later(&self, changes: Vec<Change>) -> Result<(), LocalError> {
        self.running.shared.commit_later(changes)
    }

    /// The row's value; sees what was queued before, durable or not.
    ///
    /// # Errors
    /// `Failed` when the disk does.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, LocalError> {
        let shared = &self.running.shared;
        if let Some(queued) = shared.queued(table, key) {
            return Ok(queued);
        }
        let read = shared.database.begin_read().map_err(failed)?;
        let rows = read.open_table(table.definition()).map_err(failed)?;
        let value = rows.get(key).map_err(failed)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// The first `limit` rows whose keys begin with `prefix` and lie after `after`, in byte order; sees what was queued before.
    ///
    /// # Errors
    /// `Failed` when the disk does.
    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, LocalError> {
        let shared = &self.running.shared;
        let queued = shared.queued_below(table, prefix, after);
        let read = shared.database.begin_read().map_err(failed)?;
        let rows = read.open_table(table.definition()).map_err(failed)?;
        let from = after.map_or(prefix, |after| after.max(prefix));
        let mut found = BTreeMap::new();
        for row in rows.range(from..).map_err(failed)? {
            let (key, value) = row.map_err(failed)?;
            let key = key.value();
            if found.len() >= limit || !key.starts_with(prefix) {
                break;
            }
            if after.is_none_or(|after| key > after) && !queued.contains_key(key) {
                found.insert(key.to_vec(), value.value().to_vec());
            }
        }
        found.extend(queued.into_iter().filter_map(|(key, value)| Some((key, value?))));
        Ok(found.into_iter().take(limit).collect())
    }

    /// How many rows of the table are on the disk.
    ///
    /// # Errors
    /// `Failed` when the disk does.
    pub fn count(&self, table: Table) -> Result<u64, LocalError> {
        let read = self.running.shared.database.begin_read().map_err(failed)?;
        let rows = read.open_table(table.definition()).map_err(failed)?;
        rows.len().map_err(failed)
    }
}

/// Makes sure that every table exists; the journal's format.
fn prepare(database: &Database) -> Result<u64, redb::Error> {
    let write = database.begin_write()?;
    for table in Table::ALL {
        write.open_table(table.definition())?;
    }
    let found = {
        let mut settings = write.open_table(Table::Settings.definition())?;
        let stored = settings.get(FORMAT_KEY)?.map(|value| KeyReader::new(value.value()).u64().unwrap_or(u64::MAX));
        if stored.is_none() {
            settings.insert(FORMAT_KEY, FORMAT.to_be_bytes().as_slice())?;
        }
        stored.unwrap_or(FORMAT)
    };
    // A newer program's journal must not be touched, not even by an empty table.
    if found > FORMAT {
        write.abort()?;
    } else {
        write.commit()?;
    }
    Ok(found)
}

/// Why a directory cannot be used.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => "a file is in its place".to_owned(),
        _ => error.to_string(),
    }
}

fn failed(error: impl std::fmt::Display) -> LocalError {
    LocalError::Failed(error.to_string())
}
