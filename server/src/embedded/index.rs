//! The index: one redb file that says which objects exist and where their bytes are.
//!
//! All changes go through one thread that gathers what waits into one transaction (group commit). So conditions are
//! decided one after the other, and many small writes share one `fsync`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::{mpsc, oneshot};

use super::blobs::BlobFolder;
use super::fault::Fault;
use super::record::BlobRow;
use super::tables::Tables;

/// Bucket → time of creation, milliseconds since 1970.
pub(super) const BUCKETS: TableDefinition<'_, &str, u64> = TableDefinition::new("buckets");
/// (bucket, key) → object, in the byte order of the keys.
pub(super) const OBJECTS: TableDefinition<'_, (&str, &[u8]), &[u8]> = TableDefinition::new("objects");
/// Blob → reference count, and bytes where they are few.
pub(super) const BLOBS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blobs");
/// (bucket, key, upload) → multipart upload.
pub(super) const UPLOADS: TableDefinition<'_, (&str, &[u8], u64), &[u8]> = TableDefinition::new("uploads");
/// (upload, part number) → part.
pub(super) const PARTS: TableDefinition<'_, (u64, u16), &[u8]> = TableDefinition::new("parts");
/// Name → number, for facts about the index itself.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// The version of the rows. An index of another version is refused, not guessed at.
const FORMAT: u64 = 1;
/// Memory redb may use for pages, bytes.
const CACHE_BYTES: usize = 32 << 20;
/// Changes that may wait for the writer; more wait outside.
const QUEUE_MAX: usize = 1024;
/// Changes in one transaction.
const BATCH_MAX: usize = 512;

/// Tells the waiting caller how its change ended, once the fate of the whole batch is known.
type Acknowledge = Box<dyn FnOnce(Option<Fault>) + Send>;
/// A change: applied to the tables, then acknowledged. The flag says that the tables are no longer to be trusted.
type Change = Box<dyn FnOnce(&mut Tables<'_>) -> (bool, Acknowledge) + Send>;

/// The open index.
pub(super) struct Index {
    database: Arc<Database>,
    changes: mpsc::Sender<Change>,
}

/// What opening an index gives.
pub(super) struct Opened {
    /// The index.
    pub(super) index: Index,
    /// The blob files that belong to it.
    pub(super) blobs: Arc<BlobFolder>,
    /// Ends (with an error: nothing is ever sent) when the index is closed and its file unlocked.
    pub(super) closed: oneshot::Receiver<()>,
}

/// Why an index does not open.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    /// Another process, or another server of this one, has it open.
    #[error("another server uses this folder")]
    InUse,
    /// The file was written by another version.
    #[error("the index has format {0}, this version reads format {FORMAT}")]
    Format(u64),
    /// The disk or the file is bad.
    #[error("{0}")]
    Failed(Fault),
}

impl<E: Into<Fault>> From<E> for OpenError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}

impl Index {
    /// Opens or makes the index under `root`, and starts its writer.
    pub(super) fn open(root: &Path) -> Result<Opened, OpenError> {
        std::fs::create_dir_all(root)?;
        let opened = Database::builder().set_cache_size(CACHE_BYTES).create(root.join("index.redb"));
        let database = match opened {
            Ok(database) => Arc::new(database),
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(OpenError::InUse),
            Err(error) => return Err(Fault::storage(error).into()),
        };
        make_tables(&database)?;
        let blobs = Arc::new(open_blobs(&database, root)?);
        let (changes, queue) = mpsc::channel(QUEUE_MAX);
        let (closing, closed) = oneshot::channel();
        let writer = Writer { database: Arc::clone(&database), blobs: Arc::clone(&blobs), _closing: closing };
        std::thread::Builder::new().name("embedded-index".into()).spawn(move || writer.run(queue))?;
        Ok(Opened { index: Self { database, changes }, blobs, closed })
    }

    /// A consistent view of the index as of the last commit.
    pub(super) fn snapshot(&self) -> Result<redb::ReadTransaction, Fault> {
        Ok(self.database.begin_read()?)
    }

    /// Applies a change atomically and durably, then returns what it returned.
    ///
    /// `change` shares its transaction with others, so it checks everything before its first write: after that it may
    /// fail only with [`Fault::Storage`], which gives up the whole batch.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Tables<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (done, outcome) = oneshot::channel();
        let change: Change = Box::new(move |tables| {
            let result = change(tables);
            let failed = matches!(result, Err(Fault::Storage(_)));
            let acknowledge: Acknowledge = Box::new(move |batch_fault| {
                // A caller that went away does not want to know.
                let _ = done.send(batch_fault.map_or(result, Err));
            });
            (failed, acknowledge)
        });
        let stopped = || Fault::storage("the index gave up this change");
        self.changes.send(change).await.map_err(|_| stopped())?;
        outcome.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn make_tables(database: &Database) -> Result<(), OpenError> {
    let transaction = database.begin_write().map_err(Fault::from)?;
    let format = {
        let mut about = transaction.open_table(ABOUT).map_err(Fault::from)?;
        let found = about.get("format").map_err(Fault::from)?.map(|format| format.value());
        if found.is_none() {
            about.insert("format", FORMAT).map_err(Fault::from)?;
        }
        drop(Tables::open(&transaction)?);
        found.unwrap_or(FORMAT)
    };
    if format != FORMAT {
        return Err(OpenError::Format(format));
    }
    Ok(transaction.commit().map_err(Fault::from)?)
}

/// Opens the blob folder and removes what no row refers to.
fn open_blobs(database: &Database, root: &Path) -> Result<BlobFolder, Fault> {
    let rows = database.begin_read()?.open_table(BLOBS)?;
    let highest = rows.last()?.map_or(0, |(id, _)| id.value());
    let (folder, orphans) = BlobFolder::open(&root.join("blobs"), highest, |id| {
        let row = rows.get(id).map_err(std::io::Error::other)?;
        let Some(row) = row else { return Ok(false) };
        let blob: BlobRow<'_> = postcard::from_bytes(row.value()).map_err(std::io::Error::other)?;
        Ok(blob.inline.is_none())
    })?;
    if orphans > 0 {
        tracing::info!(orphans, "embedded store: removed blob files of unfinished writes");
    }
    Ok(folder)
}

/// The one thread that changes the index.
struct Writer {
    database: Arc<Database>,
    blobs: Arc<BlobFolder>,
    /// Dropped after the database, which tells [`Opened::closed`].
    _closing: oneshot::Sender<()>,
}

impl Writer {
    fn run(self, mut queue: mpsc::Receiver<Change>) {
        while let Some(first) = queue.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(next) = queue.try_recv()
            {
                batch.push(next);
            }
            let mut acknowledgements = Vec::with_capacity(batch.len());
            match self.commit(batch, &mut acknowledgements) {
                Ok(freed) => {
                    acknowledgements.into_iter().for_each(|acknowledge| acknowledge(None));
                    self.blobs.discard(freed);
                }
                Err(fault) => {
                    tracing::error!(%fault, "embedded store: a batch of changes failed");
                    acknowledgements.into_iter().for_each(|acknowledge| acknowledge(Some(fault.clone())));
                }
            }
        }
    }

    /// Commits a batch; returns the blob files that nothing refers to any more.
    fn commit(&self, batch: Vec<Change>, acknowledgements: &mut Vec<Acknowledge>) -> Result<Vec<u64>, Fault> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        // A start after a crash must not walk the whole index.
        transaction.set_quick_repair(true);
        let mut tables = Tables::open(&transaction)?;
        let mut failed = false;
        for change in batch {
            let (gave_up, acknowledge) = change(&mut tables);
            acknowledgements.push(acknowledge);
            failed |= gave_up;
        }
        let effects = tables.into_effects();
        if failed {
            transaction.abort()?;
            return Err(Fault::storage("a change of the same batch failed"));
        }
        if !effects.changed {
            transaction.abort()?;
            return Ok(Vec::new());
        }
        self.blobs.sync_names(&effects.fresh)?;
        transaction.commit()?;
        Ok(effects.freed)
    }
}
