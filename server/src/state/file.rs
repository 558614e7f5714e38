//! What is open and locked of one file.

use super::State;
use super::identity::{FileKey, StateKey};
use super::lock_ranges::LockRanges;
use super::lock_waiters::LockWaiters;

/// The state of a file that somebody has open.
#[derive(Debug, Default)]
pub(super) struct FileState {
    pub(super) opens: Vec<StateKey>,
    pub(super) ranges: LockRanges,
    pub(super) waiters: LockWaiters,
}

impl<P> State<P> {
    /// Takes an open off its file's list; a file that nobody has open is forgotten.
    pub(super) fn detach_open(&mut self, file: FileKey, key: StateKey) {
        let Some(state) = self.files.get_mut(&file) else { return };
        state.opens.retain(|open| *open != key);
        state.waiters.end_open(key);
        if state.opens.is_empty() {
            self.files.remove(&file);
        }
    }
}
