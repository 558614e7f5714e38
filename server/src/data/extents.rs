//! Which ranges of a file are held locally.

use std::collections::BTreeMap;
use std::ops::Range;

/// A piece of a range, as [`ExtentMap::pieces`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Covered by the map.
    Local(Range<u64>),
    /// Not covered.
    Missing(Range<u64>),
}

/// Sorted, disjoint, half-open ranges of bytes. Ranges that touch are one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ExtentMap {
    /// Start and end of each.
    extents: BTreeMap<u64, u64>,
    bytes: u64,
}

impl ExtentMap {
    /// A map without ranges.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Number of separate ranges.
    pub(super) fn len(&self) -> usize {
        self.extents.len()
    }

    /// Whether nothing is covered.
    pub(super) fn is_empty(&self) -> bool {
        self.extents.is_empty()
    }

    /// Bytes covered.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The ranges, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.extents.iter().map(|(&start, &end)| start..end)
    }

    /// End of the range that begins at `start`.
    pub(super) fn end_of(&self, start: u64) -> Option<u64> {
        self.extents.get(&start).copied()
    }

    /// Covers `range`.
    pub(super) fn insert(&mut self, range: Range<u64>) {
        self.insert_noting(range, |_| {});
    }

    /// Covers `range`; `changed` is told the start of every range that appears, grows or vanishes by it.
    pub(super) fn insert_noting(&mut self, range: Range<u64>, mut changed: impl FnMut(u64)) {
        if range.is_empty() {
            return;
        }
        let Range { mut start, mut end } = range;
        if let Some((&before, &before_end)) = self.extents.range(..=start).next_back()
            && before_end >= start
        {
            if before_end >= end {
                return;
            }
            start = before;
        }
        while let Some((&next, &next_end)) = self.extents.range(start..=end).next() {
            self.extents.remove(&next);
            self.bytes -= next_end - next;
            end = end.max(next_end);
            changed(next);
        }
        self.extents.insert(start, end);
        self.bytes += end - start;
        changed(start);
    }

    /// Drops everything from `size` on.
    pub(super) fn truncate(&mut self, size: u64) {
        self.truncate_noting(size, |_| {});
    }

    /// Drops everything from `size` on; `changed` is told the start of every range that shrinks or vanishes.
    pub(super) fn truncate_noting(&mut self, size: u64, mut changed: impl FnMut(u64)) {
        for (start, end) in self.extents.split_off(&size) {
            self.bytes -= end - start;
            changed(start);
        }
        if let Some(mut last) = self.extents.last_entry()
            && *last.get() > size
        {
            self.bytes -= *last.get() - size;
            changed(*last.key());
            *last.get_mut() = size;
        }
    }

    /// Takes `range` apart, in order, into what is covered and what is not.
    pub(super) fn pieces(&self, range: Range<u64>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut at = range.start;
        for covered in self.overlaps(&range) {
            if covered.start > at {
                pieces.push(Piece::Missing(at..covered.start));
            }
            at = covered.end;
            pieces.push(Piece::Local(covered));
        }
        if at < range.end {
            pieces.push(Piece::Missing(at..range.end));
        }
        pieces
    }

    /// How many bytes of `range` are covered.
    pub(super) fn overlap_bytes(&self, range: &Range<u64>) -> u64 {
        self.overlaps(range).map(|covered| covered.end - covered.start).sum()
    }

    /// Whether any byte of `range` is covered.
    pub(super) fn intersects(&self, range: &Range<u64>) -> bool {
        self.overlaps(range).next().is_some()
    }

    /// The covered parts of `range`, ascending.
    fn overlaps(&self, range: &Range<u64>) -> impl Iterator<Item = Range<u64>> + '_ {
        let Range { start, end } = *range;
        let before = self.extents.range(..start).next_back();
        let within = self.extents.range(start..end.max(start));
        before
            .into_iter()
            .chain(within)
            .map(move |(&from, &to)| from.max(start)..to.min(end))
            .filter(|covered| !covered.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u64, u64),
        Truncate(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..64_u64, 0..16_u64).prop_map(|(start, len)| Step::Insert(start, start + len)),
            1 => (0..80_u64).prop_map(Step::Truncate),
        ];
        prop::collection::vec(step, 0..30)
    }

    fn rows(map: &ExtentMap) -> BTreeMap<u64, u64> {
        map.iter().map(|range| (range.start, range.end)).collect()
    }

    proptest! {
        #[test]
        fn it_covers_what_a_map_of_bytes_covers(steps in steps(), from in 0..80_u64, len in 0..40_u64) {
            let mut map = ExtentMap::new();
            let mut model = BTreeSet::new();
            for step in steps {
                let before = rows(&map);
                let mut noted = BTreeSet::new();
                match step {
                    Step::Insert(start, end) => {
                        map.insert_noting(start..end, |start| { noted.insert(start); });
                        model.extend(start..end);
                    }
                    Step::Truncate(size) => {
                        map.truncate_noting(size, |start| { noted.insert(start); });
                        model.retain(|byte| *byte < size);
                    }
                }
                // Every row that differs was told, so that a journal of rows can follow.
                let after = rows(&map);
                for start in before.keys().chain(after.keys()) {
                    prop_assert!(before.get(start) == after.get(start) || noted.contains(start));
                }
            }
            prop_assert_eq!(map.iter().flatten().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(map.bytes(), model.len() as u64);
            let ranges: Vec<_> = map.iter().collect();
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));

            let range = from..from + len;
            let mut at = from;
            for piece in map.pieces(range.clone()) {
                let (local, piece) = match piece {
                    Piece::Local(piece) => (true, piece),
                    Piece::Missing(piece) => (false, piece),
                };
                prop_assert!(piece.start == at && !piece.is_empty());
                at = piece.end;
                prop_assert!(piece.clone().all(|byte| model.contains(&byte) == local));
            }
            prop_assert_eq!(at, range.end);
            let covered = range.clone().filter(|byte| model.contains(byte)).count() as u64;
            prop_assert_eq!(map.overlap_bytes(&range), covered);
            prop_assert_eq!(map.intersects(&range), covered > 0);
        }
    }
}
