//! Open-owners, and the sequence IDs that order their operations in 4.0.

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
    seqid: Seqids,
}

/// The sequence IDs of one owner. In 4.0 its operations go one after the other: the guard is held for the whole
/// exchange, as the next number depends on the reply.
#[derive(Debug, Default)]
pub(crate) struct Seqids {
    next: Mutex<u32>,
}

impl OpenOwner {
    /// An owner of this name.
    #[must_use]
    pub fn new(name: impl Into<Bytes>) -> Self {
        Self { name: name.into(), seqid: Seqids::default() }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &Bytes {
        &self.name
    }

    pub(crate) async fn turn(&self) -> MutexGuard<'_, u32> {
        self.seqid.turn().await
    }
}

impl Seqids {
    pub(crate) async fn turn(&self) -> MutexGuard<'_, u32> {
        self.next.lock().await
    }
}

/// Moves the sequence ID on, if the server did (RFC 7530 §9.1.7).
pub(crate) fn advance(next: &mut u32, reply: &Reply) {
    let status = SEQUENCED.iter().find_map(|op| reply.status_of(*op));
    if status.is_some_and(moves_seqid) {
        *next = next.wrapping_add(1);
    }
}

const fn moves_seqid(status: NfsStat4) -> bool {
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
