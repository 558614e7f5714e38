//! Buffers for bodies, used again. A fresh buffer costs a page fault for each 4 KiB of it, which is more than all that is
//! done with the bytes afterwards.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// Smaller buffers are left to the allocator.
const BYTES_MIN: usize = 256 << 10;
/// Bytes of buffers that are kept while nobody uses them.
const IDLE_BYTES_MAX: usize = 16 << 20;
/// A buffer serves bodies that leave at most this part of it empty: what is cached is counted by the bodies.
const EMPTY_PART_MAX: usize = 8;

/// Buffers that wait for their next use.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    idle: Mutex<Vec<Vec<u8>>>,
}

/// A buffer in use. It returns when the last slice of its bytes is gone.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Vec<u8>,
    home: Arc<Bodies>,
}

impl Bodies {
    /// An empty buffer for a body of `len` bytes.
    pub(super) fn take(self: &Arc<Self>, len: usize) -> Body {
        let fits = |buffer: &Vec<u8>| (len..=len.saturating_add(len / EMPTY_PART_MAX)).contains(&buffer.capacity());
        let mut idle = self.idle.lock();
        let found = idle.iter().position(fits).map(|at| idle.swap_remove(at));
        drop(idle);
        Body { bytes: found.unwrap_or_else(|| Vec::with_capacity(len)), home: Arc::clone(self) }
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() < BYTES_MIN || buffer.capacity() > IDLE_BYTES_MAX {
            return;
        }
        buffer.clear();
        let mut idle = self.idle.lock();
        idle.push(buffer);
        // Sizes that nobody asks for any more make room first.
        let mut bytes: usize = idle.iter().map(Vec::capacity).sum();
        let gone = idle.iter().take_while(|buffer| {
            let too_much = bytes > IDLE_BYTES_MAX;
            bytes = bytes.saturating_sub(buffer.capacity());
            too_much
        });
        let gone = gone.count();
        let gone: Vec<_> = idle.drain(..gone).collect();
        drop(idle);
        // Giving memory back to the system takes a while.
        drop(gone);
    }
}

impl Body {
    /// Appends bytes.
    pub(super) fn extend(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes, to be shared.
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.home.give_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: usize = 4 << 20;

    fn body(bodies: &Arc<Bodies>, len: usize) -> Bytes {
        let mut body = bodies.take(len);
        body.extend(&vec![7; len]);
        body.freeze()
    }

    fn idle(bodies: &Bodies) -> usize {
        bodies.idle.lock().iter().map(Vec::capacity).sum()
    }

    #[test]
    fn a_buffer_is_used_again_when_the_last_slice_is_gone() {
        let bodies = Arc::default();
        let first = body(&bodies, LEN);
        let (at, slice) = (first.as_ptr(), first.slice(10..20));
        drop(first);
        assert_eq!(idle(&bodies), 0);
        drop(slice);
        assert_eq!(idle(&bodies), LEN);
        let next = body(&bodies, LEN - 1);
        assert_eq!((next.as_ptr(), next.len(), idle(&bodies)), (at, LEN - 1, 0));
    }

    #[test]
    fn a_buffer_is_not_used_for_much_less_than_it_holds() {
        let bodies = Arc::default();
        drop(body(&bodies, LEN));
        drop(body(&bodies, LEN / 2));
        assert_eq!(idle(&bodies), LEN + LEN / 2);
    }

    #[test]
    fn little_is_kept_and_the_newest() {
        let bodies = Arc::default();
        let in_use: Vec<Bytes> = (0..8).map(|extra| body(&bodies, LEN - extra)).collect();
        drop(body(&bodies, 1000));
        assert_eq!(idle(&bodies), 0);
        drop(in_use);
        assert!(idle(&bodies) <= IDLE_BYTES_MAX && idle(&bodies) > IDLE_BYTES_MAX - LEN);
        assert!(bodies.idle.lock().iter().any(|buffer| buffer.capacity() == LEN - 7));
    }
}
