//! The locked byte ranges of one file, with the semantics of POSIX: an owner's new range replaces what it held there,
//! neighbours of one kind are one range, and unlocking splits.

use std::collections::BTreeMap;

use nfs4_protocol::nfs4::NfsStat4;

use super::identity::OwnerNo;
use super::lock::LockKind;

/// A range of bytes, both ends within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteRange {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl ByteRange {
    /// The range of a LOCK, LOCKT or LOCKU; a length of all ones means to the end of any file.
    ///
    /// Error: INVAL for a length of 0 or an end past 2^64 - 1 (RFC 7530 §16.10.4, RFC 8881 §18.10.3).
    pub(super) fn new(offset: u64, length: u64) -> Result<Self, NfsStat4> {
        match length {
            0 => Err(NfsStat4::Inval),
            u64::MAX => Ok(Self { first: offset, last: u64::MAX }),
            _ => {
                let end = offset.checked_add(length).ok_or(NfsStat4::Inval)?;
                Ok(Self { first: offset, last: end - 1 })
            }
        }
    }

    /// The length as LOCK4denied gives it.
    pub(super) fn length(self) -> u64 {
        if self.last == u64::MAX { u64::MAX } else { self.last - self.first + 1 }
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// A range that an owner holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeldRange {
    pub(super) owner: OwnerNo,
    pub(super) range: ByteRange,
    pub(super) kind: LockKind,
}

/// One owner's ranges by their first byte: the last byte and the kind. They do not overlap.
type OwnRanges = BTreeMap<u64, (u64, LockKind)>;

/// All locked ranges of a file.
#[derive(Debug, Default)]
pub(super) struct LockRanges {
    owners: BTreeMap<OwnerNo, OwnRanges>,
}

impl LockRanges {
    /// How many ranges are locked.
    pub(super) fn len(&self) -> usize {
        self.owners.values().map(BTreeMap::len).sum()
    }

    /// Whether the owner holds any range.
    pub(super) fn holds_any(&self, owner: OwnerNo) -> bool {
        self.owners.contains_key(&owner)
    }

    /// A range of another owner that cannot stand beside a lock of this kind.
    pub(super) fn conflict(&self, owner: Option<OwnerNo>, range: ByteRange, kind: LockKind) -> Option<HeldRange> {
        let others = self.owners.iter().filter(|(holder, _)| Some(**holder) != owner);
        others
            .flat_map(|(holder, ranges)| overlapping(ranges, range).map(|(range, kind)| (*holder, range, kind)))
            .find(|(_, _, held)| kind == LockKind::Write || *held == LockKind::Write)
            .map(|(owner, range, kind)| HeldRange { owner, range, kind })
    }

    /// Locks a range for an owner, in place of what it held there. Returns by how much the number of its ranges changed.
    pub(super) fn lock(&mut self, owner: OwnerNo, range: ByteRange, kind: LockKind) -> isize {
        let ranges = self.owners.entry(owner).or_default();
        let before = ranges.len();
        cut(ranges, range);
        let joined = join(ranges, range, kind);
        ranges.insert(joined.first, (joined.last, kind));
        difference(before, ranges.len())
    }

    /// Unlocks a range of an owner. Returns by how much the number of its ranges changed.
    pub(super) fn unlock(&mut self, owner: OwnerNo, range: ByteRange) -> isize {
        let Some(ranges) = self.owners.get_mut(&owner) else { return 0 };
        let before = ranges.len();
        cut(ranges, range);
        let after = ranges.len();
        if after == 0 {
            self.owners.remove(&owner);
        }
        difference(before, after)
    }

    /// Unlocks all ranges of an owner. Returns by how much the number of its ranges changed.
    pub(super) fn unlock_all(&mut self, owner: OwnerNo) -> isize {
        self.owners.remove(&owner).map_or(0, |ranges| difference(ranges.len(), 0))
    }
}

/// The ranges that have a byte in common with `range`, the last one first.
fn overlapping(ranges: &OwnRanges, range: ByteRange) -> impl Iterator<Item = (ByteRange, LockKind)> + '_ {
    ranges
        .range(..=range.last)
        .rev()
        .map(|(first, (last, kind))| (ByteRange { first: *first, last: *last }, *kind))
        .take_while(move |(held, _)| held.overlaps(range))
}

/// Takes a range out; what sticks out of it on either side stays.
fn cut(ranges: &mut OwnRanges, range: ByteRange) {
    let hit: Vec<(ByteRange, LockKind)> = overlapping(ranges, range).collect();
    for (held, kind) in hit {
        ranges.remove(&held.first);
        if held.first < range.first {
            ranges.insert(held.first, (range.first - 1, kind));
        }
        if held.last > range.last {
            ranges.insert(range.last + 1, (held.last, kind));
        }
    }
}

/// The range together with its neighbours of the same kind, which are taken out.
fn join(ranges: &mut OwnRanges, range: ByteRange, kind: LockKind) -> ByteRange {
    let mut joined = range;
    let before = ranges.range(..range.first).next_back().map(|(first, held)| (*first, *held));
    if let Some((first, (last, held))) = before
        && held == kind
        && last.checked_add(1) == Some(range.first)
    {
        ranges.remove(&first);
        joined.first = first;
    }
    if let Some(next) = range.last.checked_add(1)
        && let Some((last, held)) = ranges.get(&next).copied()
        && held == kind
    {
        ranges.remove(&next);
        joined.last = last;
    }
    joined
}

fn difference(before: usize, after: usize) -> isize {
    after as isize - before as isize
}
