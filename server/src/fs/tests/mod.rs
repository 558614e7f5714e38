//! The file system over a store in memory, driven as the COMPOUND room drives it.

mod files;
mod foreign;
mod listings;
mod model;
mod races;
mod renames;
mod restarts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::filesystem::*;
use super::{FsConfig, IdentityKey, ObjectFs};
use crate::data::{Data, DataConfig};
use crate::local::Local;
use crate::store::dialect::Capabilities;
use crate::store::faults::{Fault, FaultyStore, Gate};
use crate::store::memory::MemoryStore;
use crate::store::traced::TracedStore;
use crate::store::verb::Verb;
use crate::store::{Condition, ETag, ListRequest, ObjectMeta, ObjectStore, StoreError};

const BUCKET: &str = "bucket";
const ANYTHING: SetAttributes =
    SetAttributes { size: None, mode: None, uid: None, gid: None, atime: None, mtime: None };

/// A file system that runs, over a store and a state directory that outlive it.
struct World {
    store: Arc<MemoryStore>,
    /// The way of the file system, and of nobody else, to the store.
    faults: Arc<FaultyStore>,
    /// Counts what the file system asks of the store.
    traced: Arc<TracedStore>,
    state: TempDir,
    config: FsConfig,
    fs: Arc<ObjectFs>,
    syncing: JoinHandle<usize>,
    stop: CancellationToken,
    give_up: CancellationToken,
}

/// What is asked of the bucket is asked anew every time, and uploads wait for nothing.
fn impatient() -> FsConfig {
    FsConfig { freshness: Duration::ZERO, linger: Duration::ZERO, ..FsConfig::default() }
}

fn all_capabilities() -> Capabilities {
    Capabilities {
        writable: true,
        conditional_create: true,
        conditional_overwrite: true,
        conditional_delete: true,
        conditional_copy: true,
        conditional_complete: true,
        copy: true,
        copy_source_condition: true,
        multipart: true,
        upload_part_copy: true,
        ..Capabilities::default()
    }
}

impl World {
    async fn new() -> Self {
        Self::with(impatient()).await
    }

    async fn with(config: FsConfig) -> Self {
        Self::with_capabilities(config, all_capabilities()).await
    }

    async fn with_capabilities(config: FsConfig, capabilities: Capabilities) -> Self {
        let store = Arc::new(MemoryStore::default());
        store.create_bucket(BUCKET).await.unwrap();
        let state = TempDir::new().unwrap();
        Self::start(store, state, config, capabilities).await
    }

    async fn start(store: Arc<MemoryStore>, state: TempDir, config: FsConfig, capabilities: Capabilities) -> Self {
        let local = Local::open(state.path()).unwrap();
        let faults = Arc::new(FaultyStore::new(Arc::clone(&store) as Arc<dyn ObjectStore>));
        let traced = Arc::new(TracedStore::new(Arc::clone(&faults) as Arc<dyn ObjectStore>));
        let shared = Arc::clone(&traced) as Arc<dyn ObjectStore>;
        let data = Data::open(Arc::clone(&shared), state.path(), DataConfig::default()).unwrap();
        let key = IdentityKey::new([7; 16]);
        let fs = ObjectFs::open(shared, capabilities, data, local, key, config.clone()).await.unwrap();
        let (stop, give_up) = (CancellationToken::new(), CancellationToken::new());
        let syncing = tokio::spawn(Arc::clone(&fs).run(stop.clone(), give_up.clone()));
        Self { store, faults, traced, state, config, fs, syncing, stop, give_up }
    }

    /// Stops without uploading anything, and starts again on the same state: a crash that loses no synced byte.
    async fn restart(self) -> Self {
        self.give_up.cancel();
        self.syncing.await.unwrap();
        self.fs.tasks.close();
        self.fs.tasks.wait().await;
        drop(self.fs);
        Self::start(self.store, self.state, self.config, all_capabilities()).await
    }

    /// Waits until the bucket has everything.
    async fn settle(&self) {
        while self.fs.pending() > 0 {
            self.fs.work.lock().slots.hasten_all(tokio::time::Instant::now());
            self.fs.wake.notify_one();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn root(&self) -> Handle {
        let root = self.fs.root().await.unwrap().handle;
        self.fs.lookup(&root, BUCKET).await.unwrap().handle
    }

    /// The node at a path below the bucket.
    async fn walk(&self, path: &str) -> FsResult<Handle> {
        let mut at = self.root().await;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = self.fs.lookup(&at, name).await?.handle;
        }
        Ok(at)
    }

    /// The directory of a path and the name in it.
    async fn parent<'a>(&self, path: &'a str) -> (Handle, &'a str) {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        (self.walk(dir).await.unwrap(), name)
    }

    async fn create(&self, path: &str) -> FsResult<Handle> {
        let (dir, name) = self.parent(path).await;
        let made = self.fs.create(&dir, name, CreateHow::Guarded, &ANYTHING, &Caller::default()).await?;
        Ok(made.node.handle)
    }

    /// Makes a file with some bytes, and closes it.
    async fn write(&self, path: &str, bytes: &str) -> Handle {
        let (dir, name) = self.parent(path).await;
        let made = self.fs.create(&dir, name, CreateHow::Unchecked, &ANYTHING, &Caller::default()).await.unwrap();
        let guard = self.fs.open(&made.node.handle).await.unwrap();
        self.fs.setattr(&made.node.handle, &SetAttributes { size: Some(0), ..ANYTHING }).await.unwrap();
        self.put(&made.node.handle, 0, bytes).await;
        drop(guard);
        made.node.handle
    }

    async fn put(&self, file: &Handle, offset: u64, bytes: &str) {
        let data = Bytes::copy_from_slice(bytes.as_bytes());
        let wrote = self.fs.write(file, offset, data, Stability::FileSync).await.unwrap();
        assert_eq!(usize::try_from(wrote.count).unwrap(), bytes.len());
    }

    async fn read(&self, file: &Handle) -> FsResult<String> {
        let read = self.fs.read(file, 0, 1 << 20).await?;
        assert!(read.eof);
        Ok(String::from_utf8(read.chunks.concat()).unwrap())
    }

    async fn mkdir(&self, path: &str) -> Handle {
        let (dir, name) = self.parent(path).await;
        self.fs.mkdir(&dir, name, &ANYTHING, &Caller::default()).await.unwrap().node.handle
    }

    async fn remove(&self, path: &str) -> FsResult<()> {
        let (dir, name) = self.parent(path).await;
        self.fs.remove(&dir, name).await.map(|_| ())
    }

    async fn rename(&self, from: &str, to: &str) -> FsResult<()> {
        let (from_dir, from) = self.parent(from).await;
        let (to_dir, to) = self.parent(to).await;
        self.fs.rename(&from_dir, from, &to_dir, to).await.map(|_| ())
    }

    /// All names of a directory, asked for a few at a time.
    async fn list(&self, path: &str, at_once: usize) -> Vec<String> {
        let dir = self.walk(path).await.unwrap();
        let (mut names, mut cookie) = (Vec::new(), 0);
        let want = DirWant { attributes: true, handles: true };
        loop {
            let page = self.fs.readdir(&dir, cookie, at_once, want).await.unwrap();
            assert!(page.entries.len() <= at_once);
            names.extend(page.entries.iter().map(|entry| entry.name.clone()));
            match page.entries.last() {
                Some(last) if !page.eof => cookie = last.cookie,
                _ => return names,
            }
        }
    }

    /// The attributes at a path.
    async fn stat(&self, path: &str) -> FsResult<Attributes> {
        self.fs.getattr(&self.walk(path).await?).await
    }

    /// What another S3 client puts into the bucket.
    async fn foreign_put(&self, key: &str, bytes: &str) {
        let body = Bytes::copy_from_slice(bytes.as_bytes());
        self.store.put(BUCKET, key, body, &ObjectMeta::default(), &Condition::Always).await.unwrap();
    }

    /// The tag of the version that the bucket has.
    async fn tag(&self, key: &str) -> ETag {
        self.store.head(BUCKET, key).await.unwrap().info.etag
    }

    async fn foreign_delete(&self, key: &str) {
        self.store.delete(BUCKET, key, &Condition::Always).await.unwrap();
    }

    /// All objects of the bucket with their bytes.
    async fn objects(&self) -> BTreeMap<String, String> {
        let request = ListRequest { bucket: BUCKET.to_owned(), max_keys: 1000, ..ListRequest::default() };
        let page = self.store.list(&request).await.unwrap();
        assert_eq!(page.next, None);
        let mut objects = BTreeMap::new();
        for object in page.objects {
            let body = self.store.get(BUCKET, &object.key, 0..object.size, &object.etag).await.unwrap();
            objects.insert(object.key, String::from_utf8(body.to_vec()).unwrap());
        }
        objects
    }
}

/// The objects that a bucket should have.
fn expected(objects: &[(&str, &str)]) -> BTreeMap<String, String> {
    objects.iter().map(|(key, bytes)| ((*key).to_owned(), (*bytes).to_owned())).collect()
}
