//! A message of several buffers, written with few system calls.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Buffers that are written one after the other. None of them is empty.
#[derive(Debug, Default)]
pub(crate) struct Outgoing(VecDeque<Bytes>);

impl Outgoing {
    pub(crate) fn new(pieces: Vec<Bytes>) -> Self {
        Self(pieces.into_iter().filter(|piece| !piece.is_empty()).collect())
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.0) {
            *slice = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(mut piece) = self.0.pop_front() {
            if written < piece.len() {
                piece.advance(written);
                self.0.push_front(piece);
                return;
            }
            written -= piece.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_leaves_the_rest_in_order() {
        let pieces = || vec![Bytes::from_static(b"head"), Bytes::new(), Bytes::from_static(b"data"), "x".into()];
        for written in 0..=9 {
            let mut outgoing = Outgoing::new(pieces());
            outgoing.advance(written);
            assert_eq!(outgoing.remaining(), 9 - written);
            assert_eq!(outgoing.copy_to_bytes(9 - written), b"headdatax"[written..]);
        }
    }

    #[test]
    fn all_buffers_go_out_together() {
        let outgoing = Outgoing::new(vec!["a".into(), "b".into(), "c".into()]);
        let mut slices = [IoSlice::new(&[]); 2];
        assert_eq!(outgoing.chunks_vectored(&mut slices), 2);
        assert_eq!(&*slices[1], b"b");
    }
}
