//! The bytes of one file: a staging file with what was written here, over an object with the rest.
//!
//! Two locks. The state's is short and never held across I/O. `order` keeps what must not be torn apart: writes and reads of
//! staged bytes share it, a cut and a snapshot have it alone.

mod durability;
mod relocation;
mod state;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OwnedRwLockReadGuard, RwLock};

pub(super) use self::state::{Since, Source, State, Uploading};
use super::block_cache::BLOCK_BYTES;
use super::read_ahead::{Ahead, ReadAhead};
use super::staging::{Released, StagedFile};
use super::{BaseObject, Data, DataError, FILE_BYTES_MAX, Uploaded, blocking};
use crate::local::Change;

/// How often a read begins anew because the object under it was replaced by our own upload.
const READ_ATTEMPTS_MAX: u32 = 8;
/// Files up to this size are fetched whole when their start is read.
const WHOLE_FETCH_BYTES_MAX: u64 = 256 << 10;
/// Zeros, to be sliced.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// What the journal must keep of a content besides its extents, which are rows of their own in
/// [`Table::Extents`](crate::local::Table::Extents).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRecord {
    /// The object below.
    pub base: Option<BaseObject>,
    /// How many bytes of it still show.
    pub base_len: u64,
    /// Number of the staging file.
    pub staging: Option<u64>,
    /// The file's size.
    pub size: u64,
}

/// What a [`Content::sync`] made durable, and what the journal must be told for it to be found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The record.
    pub record: ContentRecord,
    /// Changes of extent rows, to be committed together with the record.
    pub changes: Vec<Change>,
    /// The bytes that are durable.
    pub generation: u64,
    /// Whether record or rows differ from what the journal has.
    pub must_journal: bool,
    sync: u64,
    moves: u64,
}

/// How a content stands after an upload was settled, or after it was discarded.
#[derive(Debug)]
#[must_use = "the journal must be told"]
pub struct Settled {
    /// Whether the object has all bytes. If not, a [`Content::sync`] has to tell the journal of the new base.
    pub clean: bool,
    /// Deletions of extent rows, to be committed together with that of the record; none while not clean.
    pub changes: Vec<Change>,
    /// The staging file, when it is not needed any more: to be removed after the journal was told.
    pub released: Option<Released>,
}

/// The bytes of one file.
#[derive(Debug)]
pub struct Content {
    pub(super) shared: Arc<Shared>,
}

/// What a content's background work shares with it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) order: Arc<RwLock<()>>,
    /// Held by the one sync under way.
    syncing: Arc<tokio::sync::Mutex<()>>,
    ahead: Mutex<ReadAhead>,
    /// Told when an upload is settled or given up.
    pub(super) upload_over: Notify,
}

impl Content {
    /// A new file without bytes. It is dirty: no object has it.
    pub fn empty() -> Self {
        Self::with(State::default())
    }

    /// What the object has.
    pub fn of(base: BaseObject) -> Self {
        Self::with(State::clean(base))
    }

    fn with(state: State) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::new(state), ..Shared::default() }) }
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.shared.state.lock().size
    }

    /// The object below, if there is one.
    pub fn base(&self) -> Option<BaseObject> {
        self.shared.state.lock().base.as_deref().cloned()
    }

    /// Moves on every change of the bytes.
    pub fn generation(&self) -> u64 {
        self.shared.state.lock().generation
    }

    /// Whether the bytes are not those of the object below, or there is none.
    pub fn is_dirty(&self) -> bool {
        self.shared.state.lock().is_dirty()
    }

    /// Bytes in the staging file.
    pub fn staged_bytes(&self) -> u64 {
        self.shared.state.lock().extents.bytes()
    }

    /// Takes another version of the object in place of the one below: the store's has changed. Only where nothing is dirty
    /// and no upload runs; otherwise nothing happens and the answer is false.
    pub fn rebase(&self, base: BaseObject) -> bool {
        let mut state = self.shared.state.lock();
        if state.is_dirty() || state.uploading.is_some() {
            return false;
        }
        if state.base.as_deref() != Some(&base) {
            let (generation, moves) = (state.generation + 1, state.moves + 1);
            *state = State { generation, moves, syncs: state.syncs, ..State::clean(base) };
            *self.shared.ahead.lock() = ReadAhead::default();
        }
        true
    }

    /// Up to `count` bytes from `offset` on, fewer only where the file ends, and whether it ends there.
    ///
    /// # Errors
    /// `BaseChanged` and `BaseGone` when the store has not the version any more that this file shows; `Store`, `Io`.
    pub async fn read(&self, data: &Data, offset: u64, count: u32) -> Result<(Vec<Bytes>, bool), DataError> {
        for _ in 0..READ_ATTEMPTS_MAX {
            let base = self.shared.state.lock().base.clone();
            match self.shared.try_read(data, offset, count).await {
                Err(DataError::BaseChanged | DataError::BaseGone)
                    if self.shared.base_moves_from(base.as_ref()).await => {}
                result => return result,
            }
        }
        Err(DataError::BaseChanged)
    }

    /// Writes all of `bytes` at `offset`, into the staging file. Nothing is durable before [`Self::sync`].
    ///
    /// # Errors
    /// `NoSpace`, `TooLarge`, `Fragmented`, `Failed`, `Io`.
    pub async fn write(&self, data: &Data, offset: u64, bytes: Bytes) -> Result<(), DataError> {
        let end = offset.checked_add(bytes.len() as u64).filter(|end| *end <= FILE_BYTES_MAX);
        let range = offset..end.ok_or(DataError::TooLarge)?;
        if range.is_empty() {
            return Ok(());
        }
        let (guard, file) = self.shared.staged_file(data).await?;
        let shared = Arc::clone(&self.shared);
        // Once begun it runs to its end, and the state follows, also when the caller goes away.
        blocking(move || {
            let _shared_order = guard;
            let fresh = {
                let state = shared.state.lock();
                state.check_fragments(&range)?;
                state.fresh_bytes(&range)
            };
            let result = file.check().and_then(|()| file.write(offset, &bytes, fresh));
            let mut state = shared.state.lock();
            match result {
                Ok(()) => state.written(range),
                Err(_) => state.torn(range),
            }
            result
        })
        .await
    }

    /// Cuts the file, or extends it with zeros.
    ///
    /// # Errors
    /// `TooLarge`.
    pub async fn truncate(&self, _data: &Data, size: u64) -> Result<(), DataError> {
        if size > FILE_BYTES_MAX {
            return Err(DataError::TooLarge);
        }
        let _alone = self.shared.order.write().await;
        self.shared.state.lock().truncate(size);
        Ok(())
    }

    /// The file is gone: forgets all bytes.
    pub async fn discard(&self) -> Settled {
        let _alone = self.shared.order.write().await;
        let mut state = self.shared.state.lock();
        state.truncate(0);
        state.leave_base();
        let (changes, released) = state.release();
        Settled { changes, clean: false, released: released.map(Released::new) }
    }

    /// Makes the uploaded object the one below. Bytes that did not change since the upload's snapshot leave the staging file.
    ///
    /// `bucket` and `key` are those of the upload, or where the object was moved since.
    pub async fn settle(&self, data: &Data, uploaded: Uploaded, bucket: &str, key: &str) -> Settled {
        let _alone = self.shared.order.write().await;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let base = Arc::new(BaseObject { bucket, key, etag: uploaded.written.etag.clone(), size: uploaded.size });
        let mut state = self.shared.state.lock();
        // Dropping `uploaded` ends the upload for good; its record of changes is taken before.
        let since = state.uploading.as_mut().map(|uploading| std::mem::take(&mut uploading.since)).unwrap_or_default();
        state.base_len = since.cut.map_or(base.size, |cut| cut.min(base.size));
        state.base = Some(Arc::clone(&base));
        state.keep(since.written);
        let clean = !state.is_dirty();
        let (changes, released) = if clean { state.release() } else { (Vec::new(), None) };
        drop(state);
        *self.shared.ahead.lock() = ReadAhead::default();
        if let Some(body) = uploaded.body.clone() {
            data.cache().insert_whole(&base, body);
        }
        drop(uploaded);
        Settled { changes, clean, released: released.map(Released::new) }
    }
}

impl Shared {
    /// The staging file, made where there is none yet, and the right to use it together with others.
    async fn staged_file(&self, data: &Data) -> Result<(OwnedRwLockReadGuard<()>, Arc<StagedFile>), DataError> {
        loop {
            let guard = Arc::clone(&self.order).read_owned().await;
            let file = self.state.lock().staging.clone();
            if let Some(file) = file {
                return Ok((guard, file));
            }
            drop(guard);
            let _alone = self.order.write().await;
            if self.state.lock().staging.is_some() {
                continue;
            }
            let staging = Arc::clone(data.staging());
            let file = blocking(move || staging.create()).await?;
            let mut state = self.state.lock();
            state.staging = Some(file);
            state.moves += 1;
        }
    }

    async fn try_read(self: &Arc<Self>, data: &Data, offset: u64, count: u32) -> Result<(Vec<Bytes>, bool), DataError> {
        let mut view = self.view(offset, count);
        let mut staged = Vec::new();
        if view.sources.iter().any(|source| matches!(source, Source::Staged(_))) {
            // Looked at again under the lock that keeps the staged bytes in place.
            let guard = Arc::clone(&self.order).read_owned().await;
            view = self.view(offset, count);
            let (file, sources) = (view.staging.clone(), view.sources.clone());
            staged = blocking(move || {
                let _shared_order = guard;
                read_staged(file.as_ref(), &sources)
            })
            .await?;
        }
        fetch_small(data, &view, offset);
        // The read itself is asked for first; what runs ahead of it comes behind.
        let ahead = async { self.read_ahead(data, &view, offset, count) };
        let (chunks, ()) = tokio::join!(gather(data, &view, staged), ahead);
        Ok((chunks?, view.eof))
    }

    /// Where the bytes of a read are, now.
    fn view(&self, offset: u64, count: u32) -> View {
        let state = self.state.lock();
        let end = offset.saturating_add(u64::from(count)).min(state.size);
        View {
            sources: if offset < end { state.sources(offset..end) } else { Vec::new() },
            eof: end >= state.size,
            base: state.base.clone(),
            base_len: state.base_len,
            staging: state.staging.clone(),
        }
    }

    /// Lets the cache run ahead of the client where it reads what only the store has.
    fn read_ahead(&self, data: &Data, view: &View, offset: u64, count: u32) {
        let Some(base) = &view.base else { return };
        if !view.sources.iter().any(|source| matches!(source, Source::Base(_))) {
            return;
        }
        let range = offset..offset.saturating_add(u64::from(count)).min(view.base_len);
        if range.start < range.end {
            let window = data.config().window_bytes;
            let fetch = |ahead: Ahead| data.cache().fetch_ahead(base, ahead.range, ahead.step);
            self.ahead.lock().note(range, view.base_len, window, fetch);
        }
    }

    /// Whether the base is not `base` any more, once an upload that may be replacing it is over.
    async fn base_moves_from(&self, base: Option<&Arc<BaseObject>>) -> bool {
        loop {
            let over = self.upload_over.notified();
            {
                let state = self.state.lock();
                if state.base.as_ref() != base {
                    return true;
                }
                if state.uploading.is_none() {
                    return false;
                }
            }
            over.await;
        }
    }
}

/// Where the bytes of one read are.
struct View {
    sources: Vec<Source>,
    eof: bool,
    base: Option<Arc<BaseObject>>,
    base_len: u64,
    staging: Option<Arc<StagedFile>>,
}

/// The staged ones of `sources`, each in one piece. Blocks.
fn read_staged(file: Option<&Arc<StagedFile>>, sources: &[Source]) -> Result<Vec<Bytes>, DataError> {
    let mut staged = Vec::new();
    for source in sources {
        if let Source::Staged(range) = source {
            let file = file.ok_or_else(|| DataError::Io("no staging file".to_owned()))?;
            staged.push(file.read(range.start, length(range)?)?);
        }
    }
    Ok(staged)
}

/// Puts the bytes of a read together.
async fn gather(data: &Data, view: &View, staged: Vec<Bytes>) -> Result<Vec<Bytes>, DataError> {
    let mut chunks = Vec::new();
    let mut staged = staged.into_iter();
    for source in &view.sources {
        match source {
            Source::Staged(_) => chunks.extend(staged.next()),
            Source::Base(range) => chunks.extend(fetch(data, view.base.as_ref(), range.clone()).await?),
            Source::Zeros(range) => chunks.extend(zeros(range)),
        }
    }
    Ok(chunks)
}

/// Begins to fetch a small object as a whole when its start is read.
fn fetch_small(data: &Data, view: &View, offset: u64) {
    if let (Some(base), 0, Some(Source::Base(_))) = (&view.base, offset, view.sources.first())
        && base.size <= WHOLE_FETCH_BYTES_MAX
    {
        data.cache().fetch_ahead(base, 0..view.base_len, WHOLE_FETCH_BYTES_MAX);
    }
}

/// Bytes of the base object.
pub(super) async fn fetch(
    data: &Data,
    base: Option<&Arc<BaseObject>>,
    range: Range<u64>,
) -> Result<Vec<Bytes>, DataError> {
    let base = base.ok_or(DataError::BaseGone)?;
    Ok(data.cache().read(base, range).await?)
}

/// So many zeros, none of which take up memory.
fn zeros(range: &Range<u64>) -> impl Iterator<Item = Bytes> {
    let mut left = range.end - range.start;
    std::iter::from_fn(move || {
        let len = left.min(BLOCK_BYTES);
        left -= len;
        let slice = usize::try_from(len).ok().and_then(|len| ZEROS.get(..len));
        slice.filter(|slice| !slice.is_empty()).map(Bytes::from_static)
    })
}

/// The length of a range that is held in memory.
pub(super) fn length(range: &Range<u64>) -> Result<usize, DataError> {
    usize::try_from(range.end - range.start).map_err(|_| DataError::TooLarge)
}

#[cfg(test)]
#[path = "content_tests/mod.rs"]
mod tests;
