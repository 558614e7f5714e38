//! When to read ahead of a client, and how far.
//!
//! A file remembers a few streams. A read that continues one, more or less in order, makes the stream's window grow with what
//! was read; a read from nowhere begins a stream, and fetches nothing but itself.

use std::ops::Range;

/// The most streams a file remembers.
const STREAMS_MAX: usize = 4;
/// A read continues a stream when it lies within so many reads of its size from where the stream is: clients send reads in
/// parallel, and they arrive out of order.
const DISORDER_READS: u64 = 16;
/// The least and the most bytes of one GET made ahead.
const STEP_BYTES: Range<u64> = 256 << 10..4 << 20;

/// What to fetch ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ahead {
    /// Where.
    pub(super) range: Range<u64>,
    /// In GETs of so many bytes.
    pub(super) step: u64,
}

#[derive(Debug, Clone)]
struct Stream {
    /// The highest offset that was read.
    high: u64,
    /// Bytes read in this stream.
    read: u64,
    /// How many reads belonged to it.
    reads: u32,
    /// Up to where fetches were begun.
    fetched: u64,
    used: u64,
}

/// The streams of one file.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    streams: Vec<Stream>,
    clock: u64,
}

impl ReadAhead {
    /// Notes a read of `range` in a file of `size` bytes; what `fetch` shall begin to fetch ahead of it, which answers how far
    /// it went.
    pub(super) fn note(&mut self, range: Range<u64>, size: u64, window_bytes: u64, fetch: impl FnOnce(Ahead) -> u64) {
        self.clock += 1;
        let count = range.end - range.start;
        let slack = count.saturating_mul(DISORDER_READS);
        let near = |stream: &&mut Stream| {
            range.start <= stream.high.saturating_add(slack) && range.end.saturating_add(slack) >= stream.high
        };
        let Some(stream) = self.streams.iter_mut().filter(near).max_by_key(|stream| stream.used) else {
            return self.begin(&range);
        };
        stream.used = self.clock;
        stream.high = stream.high.max(range.end);
        stream.read = stream.read.saturating_add(count);
        stream.reads = stream.reads.saturating_add(1);
        if stream.reads < 3 {
            return;
        }
        let window = stream.read.saturating_mul(2).min(window_bytes);
        let target = stream.high.saturating_add(window).min(size);
        let from = stream.fetched.max(stream.high);
        // In good measure, not a little with every read.
        if from < target && (target - from >= window / 2 || target == size) {
            let step = (window / 4).next_power_of_two().clamp(STEP_BYTES.start, STEP_BYTES.end);
            stream.fetched = fetch(Ahead { range: from..target, step });
        }
    }

    fn begin(&mut self, range: &Range<u64>) {
        if self.streams.len() >= STREAMS_MAX
            && let Some((oldest, _)) = self.streams.iter().enumerate().min_by_key(|(_, stream)| stream.used)
        {
            self.streams.swap_remove(oldest);
        }
        // Who begins at the start will most likely go on.
        let reads = if range.start == 0 { 2 } else { 1 };
        let read = range.end - range.start;
        self.streams.push(Stream { high: range.end, read, reads, fetched: 0, used: self.clock });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 30;
    const WINDOW: u64 = 32 << 20;

    fn note(streams: &mut ReadAhead, range: Range<u64>) -> Option<Ahead> {
        let mut asked = None;
        streams.note(range, SIZE, WINDOW, |ahead| {
            let end = ahead.range.end;
            asked = Some(ahead);
            end
        });
        asked
    }

    #[test]
    fn a_stream_from_the_start_grows_to_the_whole_window() {
        let mut streams = ReadAhead::default();
        let read = 1 << 20;
        assert_eq!(note(&mut streams, 0..read), None);
        let first = note(&mut streams, read..2 * read).unwrap();
        assert_eq!(first, Ahead { range: 2 * read..6 * read, step: 1 << 20 });
        let mut fetched = first.range.end;
        for index in 2..40 {
            if let Some(ahead) = note(&mut streams, index * read..(index + 1) * read) {
                assert_eq!(ahead.range.start, fetched);
                fetched = ahead.range.end;
            }
            assert!(fetched >= (index + 1) * read && fetched <= (index + 1) * read + WINDOW);
        }
        assert!(fetched >= 40 * read + WINDOW / 2);
    }

    #[test]
    fn disorder_is_still_one_stream_and_nothing_is_fetched_twice() {
        let mut streams = ReadAhead::default();
        let mut fetched = 0;
        for base in (0..64).step_by(8) {
            for index in [3, 0, 1, 2, 7, 5, 4, 6] {
                let start = (base + index) << 20;
                if let Some(ahead) = note(&mut streams, start..start + (1 << 20)) {
                    assert!(ahead.range.start >= fetched);
                    fetched = ahead.range.end;
                }
            }
        }
        assert_eq!(streams.streams.len(), 1);
        assert!(fetched >= 80 << 20);
    }

    #[test]
    fn random_reads_fetch_nothing_ahead() {
        let mut streams = ReadAhead::default();
        let mut at = 1_u64;
        for _ in 0..500 {
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let start = (at >> 20) % (SIZE / 4096) * 4096;
            if start > 0 {
                assert_eq!(note(&mut streams, start..start + 4096), None);
            }
        }
        assert!(streams.streams.len() <= STREAMS_MAX);
    }

    #[test]
    fn two_readers_of_one_file_are_two_streams() {
        let mut streams = ReadAhead::default();
        let mut fetched = [false; 2];
        for index in 0..4_u64 {
            for (reader, base) in [0, SIZE / 2].into_iter().enumerate() {
                let start = base + index * 65_536;
                fetched[reader] |= note(&mut streams, start..start + 65_536).is_some();
            }
        }
        assert_eq!(fetched, [true; 2]);
    }

    #[test]
    fn a_fetch_that_was_cut_short_goes_on_later() {
        let mut streams = ReadAhead::default();
        let read = 1 << 20;
        streams.note(0..read, SIZE, WINDOW, |_| 0);
        streams.note(read..2 * read, SIZE, WINDOW, |ahead| ahead.range.start);
        let again = note(&mut streams, 2 * read..3 * read).unwrap();
        assert_eq!(again.range.start, 3 * read);
    }
}
