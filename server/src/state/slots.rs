//! The slot table of a session's fore channel: each request runs once, however often it arrives (RFC 8881 §2.10.6).

use bytes::{Bytes, BytesMut};
use nfs4_protocol::nfs4::NfsStat4;

/// One slot.
#[derive(Debug, Default)]
struct Slot {
    /// The sequence ID of the last request; 0 before the first one.
    sequence: u32,
    /// The hash of the last request.
    request_hash: u64,
    reply: Reply,
}

/// What became of the last request of a slot.
#[derive(Debug, Default)]
enum Reply {
    /// There was none.
    #[default]
    Never,
    Running,
    /// It was answered, and the answer was not kept.
    Uncached,
    Cached(Bytes),
}

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SlotOutcome {
    /// Run it; the slot is taken until it is completed.
    Execute,
    /// Send the kept answer.
    Replay(Bytes),
    /// It was run, but its answer was not kept.
    Uncached,
}

/// The slots of a session. Those that no request has used take no memory.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    count: u32,
}

impl Slots {
    pub(super) fn new(count: u32) -> Self {
        Self { slots: Vec::new(), count }
    }

    /// The highest slot ID that the server accepts.
    pub(super) fn highest(&self) -> u32 {
        self.count.saturating_sub(1)
    }

    /// Takes a request in. Errors: BADSLOT, BAD_HIGH_SLOT, SEQ_MISORDERED; SEQ_FALSE_RETRY for another request under the
    /// last sequence ID; DELAY for one that is still running (RFC 8881 §2.10.6.2).
    pub(super) fn begin(
        &mut self,
        slotid: u32,
        highest_slotid: u32,
        sequence: u32,
        request_hash: u64,
    ) -> Result<SlotOutcome, NfsStat4> {
        if slotid >= self.count {
            return Err(NfsStat4::Badslot);
        }
        if highest_slotid >= self.count {
            return Err(NfsStat4::BadHighSlot);
        }
        let index = slotid as usize;
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, Slot::default);
        }
        let slot = self.slots.get_mut(index).ok_or(NfsStat4::Badslot)?;
        if sequence == slot.sequence {
            return slot.retry(request_hash);
        }
        if sequence != slot.sequence.wrapping_add(1) || matches!(slot.reply, Reply::Running) {
            return Err(NfsStat4::SeqMisordered);
        }
        *slot = Slot { sequence, request_hash, reply: Reply::Running };
        Ok(SlotOutcome::Execute)
    }

    /// Ends the request that runs in a slot. The answer is kept in one piece, so that it holds on to nothing larger.
    pub(super) fn complete(&mut self, slotid: u32, sequence: u32, reply: Option<&[Bytes]>) {
        let slot = self.slots.get_mut(slotid as usize);
        let Some(slot) = slot.filter(|slot| slot.sequence == sequence && matches!(slot.reply, Reply::Running)) else {
            return;
        };
        slot.reply = match reply {
            Some(parts) => {
                let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
                parts.iter().for_each(|part| whole.extend_from_slice(part));
                Reply::Cached(whole.freeze())
            }
            None => Reply::Uncached,
        };
    }
}

impl Slot {
    fn retry(&self, request_hash: u64) -> Result<SlotOutcome, NfsStat4> {
        match &self.reply {
            // RFC 8881 §18.36.4: a new slot answers so to sequence ID 0.
            Reply::Never => Err(NfsStat4::SeqMisordered),
            _ if self.request_hash != request_hash => Err(NfsStat4::SeqFalseRetry),
            Reply::Running => Err(NfsStat4::Delay),
            Reply::Uncached => Ok(SlotOutcome::Uncached),
            Reply::Cached(reply) => Ok(SlotOutcome::Replay(reply.clone())),
        }
    }
}
