//! Open-owners, and the sequence IDs that order their operations in 4.0.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use nfs4_protocol::nfs4::{NfsStat4, OpNum};
use tokio::sync::{Mutex, MutexGuard};

use crate::Reply;

/// The operations that carry the sequence ID of an open-owner or a lock-owner.
const SEQUENCED: &[OpNum] =
    &[OpNum::Open, OpNum::OpenConfirm, OpNum::OpenDowngrade, OpNum::Close, OpNum::Lock, OpNum::Locku];

/// Whom opens belong to. Opens of one file by one owner are one open (RFC 8881 §9.10).
#[derive(Debug)]
pub struct OpenOwner {
    name: Bytes,
    /// In 4.0 the operations of an owner go one after the other: this is held for the whole exchange, as the next number
    /// depends on the reply. Only a recovery goes without, when nobody has a request on its way.
    turn: Mutex<()>,
    next: AtomicU32,
}

impl OpenOwner {
    /// An owner of this name.
    #[must_use]
    pub fn new(name: impl Into<Bytes>) -> Self {
        Self { name: name.into(), turn: Mutex::default(), next: AtomicU32::new(0) }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &Bytes {
        &self.name
    }

    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The sequence ID of the next operation; it means nothing after 4.0, and is 0 there.
    pub(crate) fn seqid(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    /// Moves the sequence ID on, if the server did (RFC 7530 §9.1.7).
    pub(crate) fn advance(&self, minor: u32, reply: &Reply) {
        let status = SEQUENCED.iter().find_map(|op| reply.status_of(*op));
        if minor == 0 && status.is_some_and(moves_seqid) {
            self.next.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether the sequence ID of an owner moves on with a request of this status.
pub(crate) const fn moves_seqid(status: NfsStat4) -> bool {
    !matches!(
        status,
        NfsStat4::StaleClientid
            | NfsStat4::StaleStateid
            | NfsStat4::BadStateid
            | NfsStat4::BadSeqid
            | NfsStat4::Badxdr
            | NfsStat4::Resource
            | NfsStat4::Nofilehandle
            | NfsStat4::Moved
    )
}
