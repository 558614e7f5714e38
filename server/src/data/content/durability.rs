//! Making a content's bytes durable, finding them again after a crash, and making them independent of the store.

use std::ops::Range;
use std::sync::Arc;

use super::{Content, ContentRecord, Shared, Source, State, Synced, fetch};
use crate::data::extents::ExtentMap;
use crate::data::{BaseObject, Data, DataError, FILE_BYTES_MAX, blocking};
use crate::local::{Key, KeyReader, Local, Table};

/// Extent rows that are read at a time.
const ROWS_PER_SCAN: usize = 4096;
/// How much of a base is brought into staging at a time.
const MATERIALISE_BYTES: u64 = 4 << 20;

impl Content {
    /// Brings back what a record and its extent rows tell, and claims the staging file. Blocks; meant for the start.
    ///
    /// # Errors
    /// `Io` when the staging file is missing or the rows are not sound.
    pub fn recovered(record: ContentRecord, data: &Data, local: &Local) -> Result<Self, DataError> {
        let extents = match record.staging {
            Some(id) => extent_rows(local, id, record.size)?,
            None => ExtentMap::new(),
        };
        let staging = record.staging.map(|id| data.staging().claim(id, extents.bytes())).transpose()?;
        let base_size = record.base.as_ref().map_or(0, |base| base.size);
        if record.base_len > base_size || record.base_len > record.size || record.size > FILE_BYTES_MAX {
            return Err(DataError::Io("a recovered record is not sound".to_owned()));
        }
        let state = State {
            base: record.base.clone().map(Arc::new),
            base_len: record.base_len,
            staging,
            extents,
            size: record.size,
            journaled: Some(record),
            ..State::default()
        };
        Ok(Self::with(state))
    }

    /// Makes every write and cut that returned before this call durable on the disk, and tells what the journal must be told.
    ///
    /// Syncs of one file that come together share one sync of the disk. The caller keeps the order: until the changes of one
    /// answer are committed, no other sync or settlement of the file may hand out its own.
    ///
    /// # Errors
    /// `Failed` from the first sync on that the disk did not do; `Io`.
    pub async fn sync(&self, _data: &Data) -> Result<Synced, DataError> {
        let wanted = self.shared.state.lock().moves;
        let guard = Arc::clone(&self.shared.syncing).lock_owned().await;
        let (synced, file) = {
            let mut state = self.shared.state.lock();
            if let Some(last) = state.last_sync.clone()
                && state.synced_moves >= wanted
            {
                let confirmed = state.journaled.as_ref() == Some(&last.record) && state.rows_handed_out.is_empty();
                return Ok(Synced { must_journal: !confirmed, ..last });
            }
            (state.hand_out(), state.staging.clone())
        };
        let shared = Arc::clone(&self.shared);
        blocking(move || {
            let _one_at_a_time = guard;
            if let Some(file) = file {
                file.sync()?;
            }
            shared.state.lock().synced_moves = synced.moves;
            Ok(synced)
        })
        .await
    }

    /// Notes that the journal has what `synced` told. What was cut off the staging file is given back to the disk.
    pub fn mark_journaled(&self, _data: &Data, synced: &Synced) {
        let mut state = self.shared.state.lock();
        if state.last_sync.as_ref().is_none_or(|last| last.sync != synced.sync) {
            return;
        }
        state.journaled = Some(synced.record.clone());
        state.rows_handed_out.clear();
        let stale = state.stale && state.moves == synced.moves;
        drop(state);
        if stale {
            self.trim(synced.moves);
        }
    }

    /// Cuts the staging file where nothing valid follows. Only while the journal knows the extents as they are: those that a
    /// crash would bring back must keep their bytes.
    fn trim(&self, moves: u64) {
        let Ok(alone) = Arc::clone(&self.shared.order).try_write_owned() else { return };
        let shared = Arc::clone(&self.shared);
        // Left to itself: a file that is not cut takes up room until it is uploaded, no more.
        drop(tokio::task::spawn_blocking(move || {
            let _alone = alone;
            let (file, size) = {
                let mut state = shared.state.lock();
                if state.moves != moves {
                    return;
                }
                let size = state.extents.iter().last().map_or(0, |last| last.end);
                state.stale = false;
                (state.staging.clone(), size)
            };
            if let Some(file) = file
                && let Err(error) = file.trim(size)
            {
                tracing::warn!(%error, "a staging file could not be cut");
            }
        }));
    }

    /// Brings everything that still comes from the object below into the staging file. Afterwards there is no base, the file
    /// is dirty, and the object may vanish.
    ///
    /// # Errors
    /// `BaseChanged` and `BaseGone` when the object has vanished already; `NoSpace`, `Failed`, `Io`, `Store`.
    pub async fn materialise(&self, data: &Data) -> Result<(), DataError> {
        let mut at = 0;
        loop {
            let (base, next) = {
                let mut state = self.shared.state.lock();
                let Some(base) = state.base.clone() else { return Ok(()) };
                let shown = state.base_len;
                let from_base = |source: &Source| matches!(source, Source::Base(_));
                match state.sources(at.min(shown)..shown).into_iter().find(from_base) {
                    Some(source) => (base, source.range().clone()),
                    // A cut or an upload may have changed the base meanwhile: look once more from the start.
                    None if at > 0 => {
                        at = 0;
                        continue;
                    }
                    None => {
                        state.leave_base();
                        return Ok(());
                    }
                }
            };
            let piece = next.start..next.end.min(next.start + MATERIALISE_BYTES);
            self.bring(data, &base, piece.clone()).await?;
            at = piece.end;
        }
    }

    /// Copies one piece of the base into staging, save what clients have written there meanwhile.
    async fn bring(&self, data: &Data, base: &Arc<BaseObject>, piece: Range<u64>) -> Result<(), DataError> {
        let chunks = match fetch(data, Some(base), piece.clone()).await {
            Err(DataError::BaseChanged | DataError::BaseGone) if self.shared.base_moves_from(Some(base)).await => {
                return Ok(());
            }
            chunks => chunks?,
        };
        let bytes = bytes::Bytes::from(chunks.concat());
        drop(self.shared.staged_file(data).await?);
        let alone = Arc::clone(&self.shared.order).write_owned().await;
        let shared = Arc::clone(&self.shared);
        let base = Arc::clone(base);
        blocking(move || {
            let _alone = alone;
            stage(&shared, &base, &piece, &bytes)
        })
        .await
    }
}

/// Writes those of the base's `bytes` into staging that still show. Alone, so that no write comes between.
fn stage(shared: &Shared, base: &Arc<BaseObject>, piece: &Range<u64>, bytes: &[u8]) -> Result<(), DataError> {
    let (file, sources) = {
        let state = shared.state.lock();
        let shown = piece.start..piece.end.min(state.base_len);
        if state.base.as_ref() != Some(base) || shown.is_empty() {
            return Ok(());
        }
        (state.staging.clone(), state.sources(shown))
    };
    let Some(file) = file else { return Ok(()) };
    for source in sources {
        let Source::Base(range) = source else { continue };
        let within = super::length(&(piece.start..range.start))?..super::length(&(piece.start..range.end))?;
        let missing =
            bytes.get(within).ok_or_else(|| DataError::Io("the object is shorter than it said".to_owned()))?;
        file.write(range.start, missing, range.end - range.start)?;
        shared.state.lock().staged(range);
    }
    Ok(())
}

/// The extents of a staging file, as the journal has them.
fn extent_rows(local: &Local, staging: u64, size: u64) -> Result<ExtentMap, DataError> {
    let broken = || DataError::Io(format!("the extents of staging file {staging} are not sound"));
    let prefix = Key::new().u64(staging).done();
    let mut extents = ExtentMap::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = local
            .scan(Table::Extents, &prefix, after.as_deref(), ROWS_PER_SCAN)
            .map_err(|error| DataError::Io(error.to_string()))?;
        let Some((last, _)) = rows.last() else { return Ok(extents) };
        after = Some(last.clone());
        for (key, value) in &rows {
            let mut key = KeyReader::new(key);
            let start = key.u64().and_then(|_| key.u64()).ok_or_else(broken)?;
            let end = KeyReader::new(value).u64().filter(|end| start < *end && *end <= size).ok_or_else(broken)?;
            extents.insert(start..end);
        }
    }
}
