//! Folders for the servers of tests.
//!
//! A server that all tests of a process share is never dropped, and neither is its folder removed. So a folder is held
//! by a lock on a file in it, which ends with the process, and the next process removes what nobody holds.

use std::fs::File;
use std::path::Path;
use std::sync::Once;

use tempfile::TempDir;

const PREFIX: &str = "conformance-bed-";
const LOCK: &str = "held";

/// A folder, removed with this value or after this process.
pub(crate) struct Folder {
    folder: TempDir,
    _held: File,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static SWEPT: Once = Once::new();
        let parent = std::env::temp_dir();
        SWEPT.call_once(|| sweep(&parent));
        Self::within(&parent)
    }

    fn within(parent: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent).unwrap();
        // Locked before it has the name by which others look for it.
        let unnamed = folder.path().join("new");
        let held = File::create(&unnamed).unwrap();
        held.lock().unwrap();
        std::fs::rename(unnamed, folder.path().join(LOCK)).unwrap();
        Self { folder, _held: held }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders that no process holds. What cannot be removed is left to the next one.
fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let folders = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for folder in folders.map(|entry| entry.path()) {
        let is_left = File::open(folder.join(LOCK)).is_ok_and(|held| held.try_lock().is_ok());
        if is_left {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let parent = TempDir::new().unwrap();
        let held = Folder::within(parent.path());
        let Folder { folder, _held: lock } = Folder::within(parent.path());
        let left = folder.keep();
        drop(lock);
        sweep(parent.path());
        assert!(held.path().exists() && !left.exists());
    }
}
