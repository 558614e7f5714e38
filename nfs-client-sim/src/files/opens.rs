//! The open files of a client: what callbacks ask for, and what a recovery reclaims.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use nfs4_protocol::nfs4::{NfsFh4, Stateid4};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::open_state::{Delegation, OpenState};

/// The open files of a client. A file that was dropped without being closed is not among them.
#[derive(Debug)]
pub(crate) struct Opens {
    files: Mutex<Vec<Weak<OpenState>>>,
    /// OPENs whose results are not recorded yet.
    opening: AtomicUsize,
    /// Files whose delegations have to be returned, each once: no more than there are open files.
    returns: mpsc::UnboundedSender<Arc<OpenState>>,
}

/// An OPEN whose result is not recorded yet.
pub(crate) struct Opening<'a>(&'a AtomicUsize);

impl Opens {
    pub(crate) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Arc<OpenState>>) {
        let (returns, queue) = mpsc::unbounded_channel();
        (Arc::new(Self { files: Mutex::default(), opening: AtomicUsize::new(0), returns }), queue)
    }

    pub(crate) fn add(&self, file: &Arc<OpenState>) {
        let mut files = self.files.lock();
        files.retain(|file| file.strong_count() > 0);
        files.push(Arc::downgrade(file));
    }

    pub(crate) fn all(&self) -> Vec<Arc<OpenState>> {
        self.files.lock().iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn begin(&self) -> Opening<'_> {
        self.opening.fetch_add(1, Ordering::AcqRel);
        Opening(&self.opening)
    }

    pub(crate) fn is_opening(&self) -> bool {
        self.opening.load(Ordering::Acquire) > 0
    }

    /// The files with a delegation.
    pub(crate) fn holders(&self) -> Vec<(Arc<OpenState>, Delegation)> {
        self.all().into_iter().filter_map(|file| file.delegation().map(|delegation| (file, delegation))).collect()
    }

    /// The file with the delegation of this stateid.
    pub(crate) fn holder_of(&self, stateid: &Stateid4) -> Option<Arc<OpenState>> {
        let mut holders = self.holders().into_iter();
        holders.find(|(_, delegation)| delegation.stateid.other == stateid.other).map(|(file, _)| file)
    }

    pub(crate) fn write_delegation_of(&self, handle: &NfsFh4) -> Option<Delegation> {
        let mut holders = self.holders().into_iter();
        holders.find(|(file, held)| file.handle == *handle && held.is_write()).map(|(_, held)| held)
    }

    /// Has the delegation of a file returned, soon.
    pub(crate) fn give_back(&self, file: Arc<OpenState>) {
        if file.begin_return() {
            // When nobody takes it, the client is being dropped.
            let _ = self.returns.send(file);
        }
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
