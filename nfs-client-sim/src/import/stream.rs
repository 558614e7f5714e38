//! One direction of a TCP connection: segments in any order, repeated and overlapping, become bytes in order.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};

use super::packet::Segment;
use super::{Budget, ImportError, Stamp};

/// The most bytes that wait behind a hole before it is given up, more than the window of any connection in practice.
const AHEAD_BYTES_MAX: usize = 16 << 20;
/// The most segments that wait behind a hole.
const AHEAD_SEGMENTS_MAX: usize = 16_384;

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Data(Bytes, Stamp),
    /// So many bytes are not in the capture; where that was noticed.
    Lost(u64, Stamp),
}

/// Some bytes, and how many behind them the capture cut off.
#[derive(Debug)]
struct Piece {
    data: Bytes,
    cut: usize,
    stamp: Stamp,
}

/// The state of one direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The position of the next byte to hand out; its low 32 bits are its sequence number.
    next: Option<u64>,
    /// What came early, by position.
    ahead: BTreeMap<u64, Piece>,
    ahead_bytes: usize,
}

impl Stream {
    /// Whether nothing came yet.
    pub(super) const fn is_new(&self) -> bool {
        self.next.is_none()
    }

    /// Adds a segment; what is in order goes to `out`.
    ///
    /// # Errors
    /// [`ImportError::TooLarge`].
    pub(super) fn add(
        &mut self,
        segment: &Segment<'_>,
        stamp: Stamp,
        budget: &mut Budget,
        out: &mut Vec<Next>,
    ) -> Result<(), ImportError> {
        let seq = if segment.syn { segment.seq.wrapping_add(1) } else { segment.seq };
        // Positions begin in the middle of their range, so that a segment from before the first one is before it.
        let next = *self.next.get_or_insert(1 << 62 | u64::from(seq));
        let piece = Piece { data: Bytes::copy_from_slice(segment.payload), cut: segment.cut, stamp };
        if piece.len() == 0 {
            return Ok(());
        }
        // The low 32 bits tell the distance, which is below 2 GiB either way.
        let distance = seq.wrapping_sub((next & u64::from(u32::MAX)) as u32).cast_signed();
        let at = next.saturating_add_signed(distance.into());
        if at <= next {
            self.deliver(at, piece, out);
            self.drain(budget, out);
            return Ok(());
        }
        self.hold(at, piece, budget)?;
        if self.ahead_bytes > AHEAD_BYTES_MAX || self.ahead.len() > AHEAD_SEGMENTS_MAX {
            self.give_up(budget, out);
        }
        Ok(())
    }

    /// Hands out all that still waits.
    pub(super) fn finish(&mut self, budget: &mut Budget, out: &mut Vec<Next>) {
        while !self.ahead.is_empty() {
            self.give_up(budget, out);
        }
    }

    /// Keeps the longer one of two pieces at the same position.
    fn hold(&mut self, at: u64, piece: Piece, budget: &mut Budget) -> Result<(), ImportError> {
        if self.ahead.get(&at).is_some_and(|kept| kept.data.len() >= piece.data.len()) {
            return Ok(());
        }
        budget.take(piece.data.len())?;
        self.ahead_bytes += piece.data.len();
        if let Some(old) = self.ahead.insert(at, piece) {
            self.ahead_bytes -= old.data.len();
            budget.give_back(old.data.len());
        }
        Ok(())
    }

    /// Hands out the part of a piece that is new.
    fn deliver(&mut self, at: u64, mut piece: Piece, out: &mut Vec<Next>) {
        let Some(next) = &mut self.next else { return };
        let Ok(known) = usize::try_from(next.saturating_sub(at)) else { return };
        if known >= piece.len() {
            return;
        }
        *next = at.saturating_add(piece.len() as u64);
        let skipped = known.min(piece.data.len());
        piece.data.advance(skipped);
        let lost = (piece.cut - (known - skipped)) as u64;
        if !piece.data.is_empty() {
            out.push(Next::Data(piece.data, piece.stamp));
        }
        if lost > 0 {
            out.push(Next::Lost(lost, piece.stamp));
        }
    }

    /// Hands out the pieces that waited for what just came.
    fn drain(&mut self, budget: &mut Budget, out: &mut Vec<Next>) {
        while let Some(entry) = self.ahead.first_entry().filter(|entry| Some(*entry.key()) <= self.next) {
            let (at, piece) = entry.remove_entry();
            self.ahead_bytes -= piece.data.len();
            budget.give_back(piece.data.len());
            self.deliver(at, piece, out);
        }
    }

    /// Goes on behind the first hole.
    fn give_up(&mut self, budget: &mut Budget, out: &mut Vec<Next>) {
        if let (Some((at, piece)), Some(next)) = (self.ahead.first_key_value(), &mut self.next) {
            out.push(Next::Lost(at.saturating_sub(*next), piece.stamp));
            *next = *at;
        }
        self.drain(budget, out);
    }
}

impl Piece {
    /// The bytes that were on the wire.
    const fn len(&self) -> usize {
        self.data.len().saturating_add(self.cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_given_up_when_too_much_waits_behind_it() {
        let (mut stream, mut budget, mut out) = (Stream::default(), Budget::default(), Vec::new());
        let end = |port| ([192, 0, 2, 1], port).into();
        let mut add = |stream: &mut Stream, budget: &mut Budget, seq: usize, payload: &[u8]| {
            let (seq, flags) = (seq as u32, false);
            let segment = Segment {
                from: end(1),
                to: end(2),
                seq,
                syn: flags,
                ack: flags,
                fin: flags,
                rst: flags,
                payload,
                cut: 0,
            };
            stream.add(&segment, Stamp::default(), budget, &mut out).unwrap();
            std::mem::take(&mut out)
        };
        assert_eq!(add(&mut stream, &mut budget, 0, &[1]).len(), 1);
        for index in 0..AHEAD_SEGMENTS_MAX {
            assert_eq!(add(&mut stream, &mut budget, 5 + index, &[2]), []);
        }
        assert_eq!(budget.used, AHEAD_SEGMENTS_MAX);
        let given_up = add(&mut stream, &mut budget, 5 + AHEAD_SEGMENTS_MAX, &[3]);
        assert_eq!((given_up.len(), &given_up[0]), (AHEAD_SEGMENTS_MAX + 2, &Next::Lost(4, Stamp::default())));
        assert_eq!((budget.used, stream.ahead_bytes), (0, 0));
    }
}
