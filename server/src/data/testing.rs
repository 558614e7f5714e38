//! What the tests of this room stand on: a store in memory that counts and fails as told, and a disk that forgets.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{BaseObject, Content, ContentRecord, Data, DataConfig, Disk, DiskFile, StagingLimits};
use crate::local::{Change, Local, Table};
use crate::store::faults::FaultyStore;
use crate::store::memory::{Behaviour, MemoryStore};
use crate::store::traced::TracedStore;
use crate::store::verb::Verb;
use crate::store::{Condition, CopySource, ETag, ObjectMeta, ObjectStore};
use crate::timestamp::Timestamp;

pub(super) const BUCKET: &str = "bucket";
const ROW: &[u8] = b"file";

/// A disk in memory. What was not synced is gone after [`SimDisk::power_loss`].
#[derive(Debug)]
pub(super) struct SimDisk {
    files: Mutex<BTreeMap<PathBuf, Arc<SimFile>>>,
    durable_names: Mutex<BTreeSet<PathBuf>>,
    pub(super) free_bytes: AtomicU64,
    switches: Arc<Switches>,
}

#[derive(Debug, Default)]
pub(super) struct Switches {
    pub(super) failing_syncs: AtomicBool,
    pub(super) syncs: AtomicU64,
}

#[derive(Debug, Default)]
struct SimFile {
    now: Mutex<Vec<u8>>,
    durable: Mutex<Vec<u8>>,
    switches: Arc<Switches>,
}

impl SimDisk {
    fn new() -> Self {
        let free_bytes = AtomicU64::new(u64::MAX);
        Self { files: Mutex::default(), durable_names: Mutex::default(), free_bytes, switches: Arc::default() }
    }

    pub(super) fn switches(&self) -> &Switches {
        &self.switches
    }

    pub(super) fn power_loss(&self) {
        let durable = self.durable_names.lock();
        let mut files = self.files.lock();
        files.retain(|path, _| durable.contains(path));
        for file in files.values_mut() {
            let bytes = file.durable.lock().clone();
            let switches = Arc::clone(&file.switches);
            *file = Arc::new(SimFile { now: Mutex::new(bytes.clone()), durable: Mutex::new(bytes), switches });
        }
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let files = self.files.lock();
        let names = files.keys().filter(|path| path.parent() == Some(dir)).filter_map(|path| path.file_name());
        Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
    }
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        *self.durable_names.lock() = self.files.lock().keys().cloned().collect();
        Ok(())
    }
    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.free_bytes.load(Ordering::SeqCst))
    }
    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let mut files = self.files.lock();
        if create {
            let switches = Arc::clone(&self.switches);
            files.insert(path.to_owned(), Arc::new(SimFile { switches, ..SimFile::default() }));
        }
        let file = files.get(path).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimHandle(file)))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.lock().remove(path).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }
}

/// An open file.
#[derive(Debug)]
struct SimHandle(Arc<SimFile>);

impl DiskFile for SimHandle {
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let now = self.0.now.lock();
        let from = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(now.get(from..from + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut now = self.0.now.lock();
        let from = usize::try_from(offset).unwrap();
        let end = from + bytes.len();
        if now.len() < end {
            now.resize(end, 0);
        }
        now[from..end].copy_from_slice(bytes);
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.switches.syncs.fetch_add(1, Ordering::SeqCst);
        if self.0.switches.failing_syncs.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        *self.0.durable.lock() = self.0.now.lock().clone();
        Ok(())
    }
    fn set_len(&self, size: u64) -> io::Result<()> {
        self.0.now.lock().resize(usize::try_from(size).unwrap(), 0);
        Ok(())
    }
}

/// Everything a content needs.
pub(super) struct Rig {
    pub(super) faults: Arc<FaultyStore>,
    pub(super) traced: Arc<TracedStore>,
    pub(super) disk: Arc<SimDisk>,
    pub(super) data: Data,
    pub(super) local: Option<Local>,
    config: DataConfig,
    dir: tempfile::TempDir,
}

/// Sizes that make small files large.
pub(super) fn small() -> DataConfig {
    DataConfig {
        put_bytes_max: 128 << 10,
        part_bytes: 64 << 10,
        staging: StagingLimits { bytes_max: u64::MAX, disk_reserve_bytes: 0 },
        ..DataConfig::default()
    }
}

impl Rig {
    pub(super) async fn new(config: DataConfig) -> Self {
        Self::on(config, Behaviour { part_size_min: 0, ..Behaviour::default() }).await
    }

    pub(super) async fn on(config: DataConfig, behaviour: Behaviour) -> Self {
        let memory = MemoryStore::new(behaviour, Arc::new(Timestamp::now));
        memory.create_bucket(BUCKET).await.unwrap();
        let faults = Arc::new(FaultyStore::new(Arc::new(memory)));
        let traced = Arc::new(TracedStore::new(Arc::clone(&faults) as _));
        let disk = Arc::new(SimDisk::new());
        let dir = tempfile::tempdir().unwrap();
        let data = Data::open_on(Arc::clone(&disk) as _, Arc::clone(&traced) as _, dir.path(), config).unwrap();
        let local = Some(Local::open(dir.path()).unwrap());
        Self { faults, traced, disk, data, local, config, dir }
    }

    /// Power fails and comes back. Contents of before are of no use any more.
    pub(super) fn restart(&mut self) {
        self.local = None;
        self.disk.power_loss();
        let (disk, store) = (Arc::clone(&self.disk), Arc::clone(&self.traced));
        self.data = Data::open_on(disk, store, self.dir.path(), self.config).unwrap();
        self.local = Some(Local::open(self.dir.path()).unwrap());
    }

    pub(super) fn local(&self) -> &Local {
        self.local.as_ref().unwrap()
    }

    /// What COMMIT does; whether the journal was written.
    pub(super) async fn commit(&self, content: &Content) -> bool {
        let synced = content.sync(&self.data).await.unwrap();
        if !synced.must_journal {
            return false;
        }
        let mut changes = synced.changes.clone();
        changes.push(Change::put(Table::Dirty, ROW, postcard::to_stdvec(&synced.record).unwrap()));
        self.local().commit(changes).await.unwrap();
        content.mark_journaled(&self.data, &synced);
        true
    }

    /// What happens after an upload.
    pub(super) async fn settle(&self, content: &Content, uploaded: super::Uploaded, key: &str) -> bool {
        let settled = content.settle(&self.data, uploaded, BUCKET, key).await;
        if settled.clean {
            let mut changes = settled.changes;
            changes.push(Change::delete(Table::Dirty, ROW));
            self.local().commit(changes).await.unwrap();
            if let Some(released) = settled.released {
                released.remove();
            }
            assert_eq!(self.local().scan(Table::Extents, b"", None, 10).unwrap(), []);
        } else {
            self.commit(content).await;
        }
        settled.clean
    }

    /// The content that the journal tells of, if it does.
    pub(super) fn recover(&self) -> Option<Content> {
        let row = self.local().get(Table::Dirty, ROW).unwrap()?;
        let record: ContentRecord = postcard::from_bytes(&row).unwrap();
        Some(Content::recovered(record, &self.data, self.local()).unwrap())
    }

    /// Puts an object there.
    pub(super) async fn object(&self, key: &str, bytes: &[u8]) -> BaseObject {
        let body = Bytes::copy_from_slice(bytes);
        let written =
            self.data.store().put(BUCKET, key, body, &ObjectMeta::default(), &Condition::Always).await.unwrap();
        BaseObject { bucket: BUCKET.to_owned(), key: key.to_owned(), etag: written.etag, size: bytes.len() as u64 }
    }

    /// The bytes of an object.
    pub(super) async fn fetched(&self, key: &str) -> Vec<u8> {
        let info = self.data.store().head(BUCKET, key).await.unwrap().info;
        let bytes = self.data.store().get(BUCKET, key, 0..info.size, &info.etag).await.unwrap();
        bytes.to_vec()
    }

    pub(super) async fn uploads_pending(&self) -> usize {
        self.data.store().list_uploads(BUCKET, "").await.unwrap().len()
    }

    /// Lets requests of `verb` that change nothing meet the faults that are still scripted for it.
    pub(super) async fn use_up_faults(&self, verb: Verb) {
        let (meta, always) = (ObjectMeta::default(), Condition::Always);
        let nothing = CopySource { bucket: BUCKET.to_owned(), key: "none".to_owned(), etag: ETag::new("none") };
        while self.faults.pending() > 0 {
            let failed = match verb {
                Verb::Put => self.faults.put("none", "", Bytes::new(), &meta, &always).await.is_err(),
                Verb::Copy => self.faults.copy(&nothing, BUCKET, "none", &meta, &always).await.is_err(),
                Verb::UploadPart => self.faults.upload_part(BUCKET, "none", "", 1, Bytes::new()).await.is_err(),
                Verb::UploadPartCopy => {
                    self.faults.upload_part_copy(BUCKET, "none", "", 1, &nothing, 0..1).await.is_err()
                }
                _ => self.faults.complete_upload(BUCKET, "none", "", &[], &always).await.is_err(),
            };
            assert!(failed);
        }
    }

    pub(super) fn requests(&self, verb: Verb) -> u64 {
        self.traced.counts().of(verb).requests
    }
}

/// All bytes of a content.
pub(super) async fn all(content: &Content, data: &Data) -> Vec<u8> {
    let (chunks, eof) = content.read(data, 0, u32::MAX).await.unwrap();
    assert!(eof);
    chunks.concat()
}

/// Bytes that differ from place to place and from seed to seed.
pub(super) fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3] | 1
    };
    std::iter::repeat_with(next).take(len).collect()
}
