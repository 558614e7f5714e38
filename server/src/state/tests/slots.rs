//! RFC 8881 §2.10.6: a slot against a slow and obvious model, over random sequences of requests, completions and retries.

use bytes::Bytes;
use nfs4_protocol::nfs4::NfsStat4;
use proptest::prelude::*;

use crate::state::slots::{SlotOutcome, Slots};

const SLOTS: u32 = 3;

#[derive(Debug, Clone)]
enum Step {
    /// A request whose sequence ID is that of the last one plus this.
    Request {
        slot: u32,
        ahead: u32,
        hash: u64,
    },
    Complete {
        slot: u32,
        cache: bool,
    },
}

/// All requests that a slot ever took in, with what became of the last one.
#[derive(Default, Clone)]
struct Model {
    requests: Vec<u64>,
    running: bool,
    kept: Option<Bytes>,
}

impl Model {
    fn begin(&mut self, sequence: u32, hash: u64) -> Result<SlotOutcome, NfsStat4> {
        let last = self.requests.len() as u32;
        if sequence == last.wrapping_add(1) && !self.running {
            self.requests.push(hash);
            (self.running, self.kept) = (true, None);
            return Ok(SlotOutcome::Execute);
        }
        match self.requests.last() {
            Some(_) if sequence != last => Err(NfsStat4::SeqMisordered),
            None => Err(NfsStat4::SeqMisordered),
            Some(first) if *first != hash => Err(NfsStat4::SeqFalseRetry),
            Some(_) if self.running => Err(NfsStat4::Delay),
            Some(_) => Ok(self.kept.clone().map_or(SlotOutcome::Uncached, SlotOutcome::Replay)),
        }
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let ahead = prop_oneof![5 => Just(1), 3 => Just(0), 1 => Just(2), 1 => Just(u32::MAX)];
    prop_oneof![
        (0..SLOTS, ahead, 0..2_u64).prop_map(|(slot, ahead, hash)| Step::Request { slot, ahead, hash }),
        (0..SLOTS, any::<bool>()).prop_map(|(slot, cache)| Step::Complete { slot, cache }),
    ]
}

proptest! {
    #[test]
    fn every_request_runs_once(steps in prop::collection::vec(steps(), 0..60)) {
        let mut slots = Slots::new(SLOTS);
        let mut models = vec![Model::default(); SLOTS as usize];
        for step in steps {
            match step {
                Step::Request { slot, ahead, hash } => {
                    let model = &mut models[slot as usize];
                    let sequence = (model.requests.len() as u32).wrapping_add(ahead);
                    prop_assert_eq!(slots.begin(slot, slot, sequence, hash), model.begin(sequence, hash));
                }
                Step::Complete { slot, cache } => {
                    let model = &mut models[slot as usize];
                    let sequence = model.requests.len() as u32;
                    let reply = Bytes::from(format!("{slot}.{sequence}"));
                    slots.complete(slot, sequence, cache.then_some(std::slice::from_ref(&reply)));
                    if std::mem::take(&mut model.running) && cache {
                        model.kept = Some(reply);
                    }
                }
            }
        }
    }
}

#[test]
fn a_late_completion_does_not_touch_a_later_request() {
    let mut slots = Slots::new(1);
    assert_eq!(slots.begin(0, 0, 1, 1), Ok(SlotOutcome::Execute));
    slots.complete(0, 1, None);
    assert_eq!(slots.begin(0, 0, 2, 2), Ok(SlotOutcome::Execute));
    slots.complete(0, 1, Some(&[Bytes::from_static(b"old")]));
    assert_eq!(slots.begin(0, 0, 2, 2), Err(NfsStat4::Delay));
}
