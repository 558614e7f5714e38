//! The locked ranges against a slow and obvious model: what each owner holds of each byte.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::state::identity::OwnerNo;
use crate::state::lock_ranges::{ByteRange, LockRanges};

const BYTES: u64 = 24;

#[derive(Debug, Clone)]
enum Step {
    Lock(u64, ByteRange, LockKind),
    Unlock(u64, ByteRange),
    UnlockAll(u64),
}

#[derive(Default)]
struct Model {
    held: BTreeMap<(u64, u64), LockKind>,
}

impl Model {
    fn set(&mut self, owner: u64, range: ByteRange, kind: Option<LockKind>) {
        for byte in range.first..=range.last {
            match kind {
                Some(kind) => self.held.insert((owner, byte), kind),
                None => self.held.remove(&(owner, byte)),
            };
        }
    }

    fn conflicts(&self, owner: u64, range: ByteRange, kind: LockKind) -> bool {
        self.held.iter().any(|((holder, byte), held)| {
            let excludes = kind == LockKind::Write || *held == LockKind::Write;
            *holder != owner && (range.first..=range.last).contains(byte) && excludes
        })
    }

    /// How many runs of bytes there are that one owner holds in one way.
    fn runs(&self) -> usize {
        self.held
            .iter()
            .filter(|((owner, byte), kind)| *byte == 0 || self.held.get(&(*owner, byte - 1)) != Some(*kind))
            .count()
    }
}

fn ranges() -> impl Strategy<Value = ByteRange> {
    (0..BYTES, 0..BYTES).prop_map(|(a, b)| ByteRange { first: a.min(b), last: a.max(b) })
}

fn kinds() -> impl Strategy<Value = LockKind> {
    prop_oneof![Just(LockKind::Read), Just(LockKind::Write)]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u64, ranges(), kinds()).prop_map(|(owner, range, kind)| Step::Lock(owner, range, kind)),
        4 => (0..3_u64, ranges()).prop_map(|(owner, range)| Step::Unlock(owner, range)),
        1 => (0..3_u64).prop_map(Step::UnlockAll),
    ]
}

proptest! {
    #[test]
    fn ranges_are_what_the_bytes_are(steps in prop::collection::vec(steps(), 0..40)) {
        let mut ranges = LockRanges::default();
        let mut model = Model::default();
        for step in steps {
            let before = ranges.len();
            let change = match step {
                Step::Lock(owner, range, kind) => {
                    let conflict = ranges.conflict(Some(OwnerNo(owner)), range, kind);
                    prop_assert_eq!(conflict.is_some(), model.conflicts(owner, range, kind));
                    if let Some(held) = conflict {
                        prop_assert!(held.range.overlaps(range) && held.owner != OwnerNo(owner));
                        continue;
                    }
                    model.set(owner, range, Some(kind));
                    ranges.lock(OwnerNo(owner), range, kind)
                }
                Step::Unlock(owner, range) => {
                    model.set(owner, range, None);
                    ranges.unlock(OwnerNo(owner), range)
                }
                Step::UnlockAll(owner) => {
                    model.set(owner, ByteRange { first: 0, last: BYTES }, None);
                    ranges.unlock_all(OwnerNo(owner))
                }
            };
            prop_assert_eq!(ranges.len(), model.runs());
            prop_assert_eq!(before.checked_add_signed(change), Some(ranges.len()));
            for owner in 0..3 {
                let holds_any = model.held.keys().any(|(holder, _)| *holder == owner);
                prop_assert_eq!(ranges.holds_any(OwnerNo(owner)), holds_any);
            }
        }
    }
}

#[test]
fn a_range_to_the_end_splits_and_joins_at_the_last_byte() {
    let mut ranges = LockRanges::default();
    let owner = OwnerNo(1);
    let all = ByteRange::new(0, u64::MAX).unwrap();
    let last = ByteRange::new(u64::MAX, u64::MAX).unwrap();
    assert_eq!(ranges.lock(owner, all, LockKind::Write), 1);
    assert_eq!(ranges.lock(owner, last, LockKind::Read), 1);
    assert_eq!(ranges.lock(owner, last, LockKind::Write), -1);
    assert_eq!(ranges.unlock(owner, last), 0);
    let held = ranges.conflict(None, all, LockKind::Read).unwrap().range;
    assert_eq!((held.first, held.length()), (0, u64::MAX));
    assert!(ranges.conflict(None, last, LockKind::Write).is_none());
}
