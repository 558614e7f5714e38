//! What a content knows about its bytes, under one short lock.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::{ContentRecord, Synced};
use crate::data::extents::{ExtentMap, Piece};
use crate::data::staging::StagedFile;
use crate::data::{BaseObject, DataError};
use crate::local::{Change, Key, Table};

/// The most separate pieces that a file has staged.
const EXTENTS_MAX: usize = 1 << 18;

/// Where the bytes of a range are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::data) enum Source {
    /// In the staging file, at the same offset.
    Staged(Range<u64>),
    /// In the base object, at the same offset.
    Base(Range<u64>),
    /// Nowhere: zeros.
    Zeros(Range<u64>),
}

impl Source {
    pub(in crate::data) fn range(&self) -> &Range<u64> {
        match self {
            Self::Staged(range) | Self::Base(range) | Self::Zeros(range) => range,
        }
    }
}

/// What has changed since an upload took its snapshot.
#[derive(Debug, Default)]
pub(in crate::data) struct Since {
    /// Bytes that were written.
    pub(in crate::data) written: ExtentMap,
    /// The smallest size there was, where the file was cut.
    pub(in crate::data) cut: Option<u64>,
}

impl Since {
    /// Whether any byte of `range` may differ.
    pub(in crate::data) fn touches(&self, range: &Range<u64>) -> bool {
        self.cut.is_some_and(|cut| range.end > cut) || self.written.intersects(range)
    }
}

/// An upload between its start and its settlement.
#[derive(Debug)]
pub(in crate::data) struct Uploading {
    pub(in crate::data) id: u64,
    pub(in crate::data) since: Since,
}

#[derive(Debug, Default)]
pub(in crate::data) struct State {
    pub(in crate::data) base: Option<Arc<BaseObject>>,
    /// How many bytes of the base still show.
    pub(in crate::data) base_len: u64,
    pub(in crate::data) staging: Option<Arc<StagedFile>>,
    /// What is valid in the staging file.
    pub(in crate::data) extents: ExtentMap,
    pub(in crate::data) size: u64,
    /// Moves with every change of bytes.
    pub(in crate::data) generation: u64,
    /// Moves with everything that a sync must make durable.
    pub(in crate::data) moves: u64,
    /// [`Self::moves`] as the last sync found it.
    pub(in crate::data) synced_moves: u64,
    /// The last sync's answer.
    pub(in crate::data) last_sync: Option<Synced>,
    pub(in crate::data) syncs: u64,
    /// The record that the journal has.
    pub(in crate::data) journaled: Option<ContentRecord>,
    /// Extents that differ from their rows in the journal, by their start.
    pub(in crate::data) rows_changed: BTreeSet<u64>,
    /// Those that a sync has handed out and the journal has not confirmed.
    pub(in crate::data) rows_handed_out: BTreeSet<u64>,
    /// Whether the staging file has bytes that are not valid any more but still take up room.
    pub(in crate::data) stale: bool,
    pub(in crate::data) uploading: Option<Uploading>,
}

impl State {
    /// The whole base, and nothing else. Nothing of it needs a journal.
    pub(in crate::data) fn clean(base: BaseObject) -> Self {
        let mut state = Self { base_len: base.size, size: base.size, base: Some(Arc::new(base)), ..Self::default() };
        state.journaled = Some(state.record());
        state
    }

    pub(in crate::data) fn is_dirty(&self) -> bool {
        let Some(base) = &self.base else { return true };
        !self.extents.is_empty() || self.size != base.size || self.base_len != base.size
    }

    pub(in crate::data) fn record(&self) -> ContentRecord {
        ContentRecord {
            base: self.base.as_deref().cloned(),
            base_len: self.base_len,
            staging: self.staging.as_ref().map(|file| file.id()),
            size: self.size,
        }
    }

    /// Takes `range`, which must lie within the size, apart by where its bytes are.
    pub(in crate::data) fn sources(&self, range: Range<u64>) -> Vec<Source> {
        let mut sources = Vec::new();
        for piece in self.extents.pieces(range) {
            match piece {
                Piece::Local(piece) => sources.push(Source::Staged(piece)),
                Piece::Missing(piece) => {
                    let shown = self.base_len.clamp(piece.start, piece.end);
                    if piece.start < shown {
                        sources.push(Source::Base(piece.start..shown));
                    }
                    if shown < piece.end {
                        sources.push(Source::Zeros(shown..piece.end));
                    }
                }
            }
        }
        sources
    }

    /// Whether another separate piece may be staged.
    pub(in crate::data) fn check_fragments(&self, range: &Range<u64>) -> Result<(), DataError> {
        let joins = self.extents.intersects(&(range.start.saturating_sub(1)..range.end.saturating_add(1)));
        if self.extents.len() < EXTENTS_MAX || joins { Ok(()) } else { Err(DataError::Fragmented) }
    }

    /// Bytes of `range` that the staging file does not hold yet.
    pub(in crate::data) fn fresh_bytes(&self, range: &Range<u64>) -> u64 {
        (range.end - range.start).saturating_sub(self.extents.overlap_bytes(range))
    }

    /// A client's bytes are in the staging file.
    pub(in crate::data) fn written(&mut self, range: Range<u64>) {
        if let Some(uploading) = &mut self.uploading {
            uploading.since.written.insert(range.clone());
        }
        self.size = self.size.max(range.end);
        self.generation += 1;
        self.staged(range);
    }

    /// A write failed: of what was staged there nobody knows whether it is the old or the new.
    pub(in crate::data) fn torn(&mut self, range: Range<u64>) {
        self.generation += 1;
        self.moves += 1;
        if let Some(uploading) = &mut self.uploading {
            for piece in self.extents.pieces(range) {
                if let Piece::Local(piece) = piece {
                    uploading.since.written.insert(piece);
                }
            }
        }
    }

    /// Bytes of the base are in the staging file.
    pub(in crate::data) fn staged(&mut self, range: Range<u64>) {
        self.moves += 1;
        let rows = &mut self.rows_changed;
        self.extents.insert_noting(range, |start| {
            rows.insert(start);
        });
    }

    pub(in crate::data) fn truncate(&mut self, size: u64) {
        if size == self.size {
            return;
        }
        if size < self.size {
            let before = self.extents.bytes();
            let rows = &mut self.rows_changed;
            self.extents.truncate_noting(size, |start| {
                rows.insert(start);
            });
            self.stale |= before > self.extents.bytes();
            self.base_len = self.base_len.min(size);
            if let Some(uploading) = &mut self.uploading {
                uploading.since.written.truncate(size);
                uploading.since.cut = Some(uploading.since.cut.map_or(size, |cut| cut.min(size)));
            }
        }
        self.size = size;
        self.generation += 1;
        self.moves += 1;
    }

    /// This is the moment of an upload's snapshot.
    pub(in crate::data) fn reset_since(&mut self) {
        if let Some(uploading) = &mut self.uploading {
            uploading.since = Since::default();
        }
    }

    /// Everything that shows is staged: the base is not needed any more.
    pub(in crate::data) fn leave_base(&mut self) {
        self.base = None;
        self.base_len = 0;
        self.moves += 1;
    }

    /// What the journal must be told, as of now.
    pub(in crate::data) fn hand_out(&mut self) -> Synced {
        self.rows_handed_out.append(&mut self.rows_changed);
        self.syncs += 1;
        let record = self.record();
        let synced = Synced {
            must_journal: self.journaled.as_ref() != Some(&record) || !self.rows_handed_out.is_empty(),
            changes: self.row_changes(&self.rows_handed_out),
            record,
            generation: self.generation,
            sync: self.syncs,
            moves: self.moves,
        };
        self.last_sync = Some(synced.clone());
        synced
    }

    fn row_changes(&self, starts: &BTreeSet<u64>) -> Vec<Change> {
        let Some(file) = &self.staging else { return Vec::new() };
        let change = |&start: &u64| match self.extents.end_of(start) {
            Some(end) => Change::put(Table::Extents, row_key(file.id(), start), end.to_be_bytes()),
            None => Change::delete(Table::Extents, row_key(file.id(), start)),
        };
        starts.iter().map(change).collect()
    }

    /// Only `kept` is still needed of what is staged.
    pub(in crate::data) fn keep(&mut self, kept: ExtentMap) {
        self.rows_changed.extend(self.extents.iter().chain(kept.iter()).map(|extent| extent.start));
        self.extents = kept;
        self.stale = true;
        self.last_sync = None;
        self.moves += 1;
    }

    /// Nothing is staged any more: what that changes in the journal, and the staging file.
    pub(in crate::data) fn release(&mut self) -> (Vec<Change>, Option<Arc<StagedFile>>) {
        self.keep(ExtentMap::new());
        let mut starts = std::mem::take(&mut self.rows_handed_out);
        starts.append(&mut self.rows_changed);
        let changes = self.row_changes(&starts);
        let released = self.staging.take();
        self.stale = false;
        self.journaled = Some(self.record());
        (changes, released)
    }
}

/// The key of an extent's row.
pub(super) fn row_key(staging: u64, start: u64) -> Vec<u8> {
    Key::new().u64(staging).u64(start).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separate_pieces_are_bounded_and_joining_ones_are_not_refused() {
        let mut state = State::default();
        for index in 0..EXTENTS_MAX as u64 {
            assert_eq!(state.check_fragments(&(2 * index..2 * index + 1)), Ok(()));
            state.written(2 * index..2 * index + 1);
        }
        let beyond = 2 * EXTENTS_MAX as u64 + 1;
        assert_eq!(state.check_fragments(&(beyond..beyond + 1)), Err(DataError::Fragmented));
        assert_eq!(state.check_fragments(&(1..2)), Ok(()));
        assert_eq!(state.check_fragments(&(4..5)), Ok(()));
    }
}
