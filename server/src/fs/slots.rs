//! Keys that the gateway has yet to bring in line: what is believed to be in the bucket, and what should be there.
//!
//! A slot exists from the moment a name changes until the store has it. Until then it is the truth that clients see:
//! lookups and listings are laid over with the slots.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::filesystem::NodeKey;
use super::inode::Inode;
use crate::store::{Condition, ETag};

/// A key of a bucket, the bucket by the fsid of its file system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SlotKey {
    /// The bucket.
    pub fsid: u64,
    /// The whole key; that of a directory marker ends with `/`.
    pub key: String,
}

/// What is believed to be in the bucket under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Remote {
    /// Nobody has looked.
    Unknown,
    /// Nothing.
    Absent,
    /// This version.
    Version(ETag),
}

impl Remote {
    /// The condition under which a write changes exactly what was believed to be there.
    pub(super) fn condition(&self) -> Condition {
        match self {
            Self::Unknown => Condition::Always,
            Self::Absent => Condition::IfAbsent,
            Self::Version(etag) => Condition::IfMatch(etag.clone()),
        }
    }
}

/// What should be in the bucket under a key.
#[derive(Debug, Clone)]
pub(super) enum Desired {
    /// This node: a file's or link's object, or a directory's marker.
    Node(Arc<Inode>),
    /// Nothing.
    Nothing,
}

/// One key on its way.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// What is there.
    pub remote: Remote,
    /// What should be.
    pub desired: Desired,
    /// When to work on it.
    pub due: Instant,
    /// Whether a task works on it now.
    pub running: bool,
    /// Whether that task works for what should have been there before.
    pub late: bool,
    /// Tries that failed since the last success.
    pub attempts: u32,
    /// Moves whenever `desired` is set anew, so that a task that ends late knows.
    pub epoch: u64,
}

impl Slot {
    /// What the row of a node says of its key. An upload for another node, which is under way or may begin, leaves
    /// nobody knows which version if the gateway crashes.
    pub(super) fn remote_for(&self, node: NodeKey) -> Remote {
        let other = !self.is_for(node) && (self.running || matches!(self.desired, Desired::Node(_)));
        if self.late || other { Remote::Unknown } else { self.remote.clone() }
    }

    /// Whether this node's object should be there.
    pub(super) fn is_for(&self, node: NodeKey) -> bool {
        matches!(&self.desired, Desired::Node(inode) if inode.key == node)
    }
}

/// What a slot says of a name.
#[derive(Debug, Clone)]
pub(super) enum Overlay {
    /// The node stands there, whatever the bucket says.
    Present(Arc<Inode>),
    /// Nothing stands there, whatever the bucket says.
    Absent,
}

/// All slots, in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: BTreeMap<SlotKey, Slot>,
    /// Those that no task works on, by the time when one should.
    waiting: BTreeSet<(Instant, SlotKey)>,
    epoch: u64,
}

impl Slots {
    /// Sets what should be under a key. `remote` counts only where no slot is yet: a slot knows better.
    pub(super) fn set(&mut self, key: SlotKey, remote: Remote, desired: Desired, due: Instant) {
        self.epoch += 1;
        let epoch = self.epoch;
        match self.slots.get_mut(&key) {
            Some(slot) => {
                let same = matches!(&desired, Desired::Node(node) if slot.is_for(node.key));
                slot.late = slot.running && (slot.late || !same);
                slot.desired = desired;
                slot.epoch = epoch;
                self.move_to(&key, due);
            }
            None => {
                self.waiting.insert((due, key.clone()));
                self.slots.insert(key, Slot { remote, desired, due, running: false, late: false, attempts: 0, epoch });
            }
        }
    }

    fn move_to(&mut self, key: &SlotKey, due: Instant) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if !slot.running {
            self.waiting.remove(&(slot.due, key.clone()));
            self.waiting.insert((due, key.clone()));
        }
        slot.due = due;
    }

    /// Moves a slot's time to `due` if it was set for later.
    pub(super) fn hasten(&mut self, key: &SlotKey, due: Instant) {
        if self.slots.get(key).is_some_and(|slot| slot.due > due) {
            self.move_to(key, due);
        }
    }

    /// The slot of a key.
    pub(super) fn get(&self, key: &SlotKey) -> Option<&Slot> {
        self.slots.get(key)
    }

    /// The slot of a key, to change.
    pub(super) fn get_mut(&mut self, key: &SlotKey) -> Option<&mut Slot> {
        self.slots.get_mut(key)
    }

    /// Takes a slot away: the store has caught up.
    pub(super) fn remove(&mut self, key: &SlotKey) -> Option<Slot> {
        let slot = self.slots.remove(key)?;
        self.waiting.remove(&(slot.due, key.clone()));
        Some(slot)
    }

    /// What the slot of a key says of its name.
    pub(super) fn overlay(&self, key: &SlotKey) -> Option<Overlay> {
        self.slots.get(key).map(|slot| match &slot.desired {
            Desired::Node(inode) => Overlay::Present(Arc::clone(inode)),
            Desired::Nothing => Overlay::Absent,
        })
    }

    /// Takes up to `limit` slots that are due, longest due first, marking them as running.
    pub(super) fn take_due(&mut self, now: Instant, limit: usize) -> Vec<SlotKey> {
        let mut taken = Vec::new();
        while taken.len() < limit
            && self.waiting.first().is_some_and(|(due, _)| *due <= now)
            && let Some((_, key)) = self.waiting.pop_first()
        {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.running = true;
                taken.push(key);
            }
        }
        taken
    }

    /// How long until the next slot is due; `None` when none waits.
    pub(super) fn next_due(&self, now: Instant) -> Option<Duration> {
        self.waiting.first().map(|(due, _)| due.saturating_duration_since(now))
    }

    /// Ends work on a slot; it is tried again at `due`.
    pub(super) fn requeue(&mut self, key: &SlotKey, due: Instant, failed: bool) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.running = false;
            slot.late = false;
            slot.attempts = if failed { slot.attempts.saturating_add(1) } else { slot.attempts };
            self.move_to(key, due);
        }
    }

    /// The names directly in the directory with the key prefix `prefix`, from `after` (a whole key or prefix) on, in
    /// byte order: each a key, or a prefix with its closing `/`, and what the slots say of it. Keys deeper down say
    /// nothing: their directories have slots of their own, or are in the bucket.
    pub(super) fn entries<'a>(
        &'a self,
        fsid: u64,
        prefix: &'a str,
        after: &str,
    ) -> impl Iterator<Item = (&'a str, Overlay)> + use<'a> {
        let from = SlotKey { fsid, key: after.max(prefix).to_owned() };
        let range = self.slots.range((Bound::Excluded(from), Bound::Unbounded));
        range
            .take_while(move |(at, _)| at.fsid == fsid && at.key.starts_with(prefix))
            .filter(move |(at, _)| {
                let name = at.key.get(prefix.len()..).unwrap_or_default();
                name.find('/').is_none_or(|slash| slash + 1 == name.len())
            })
            .map(|(at, slot)| match &slot.desired {
                Desired::Node(inode) => (at.key.as_str(), Overlay::Present(Arc::clone(inode))),
                Desired::Nothing => (at.key.as_str(), Overlay::Absent),
            })
    }

    /// Whether any slot lies strictly below the prefix.
    pub(super) fn any_below(&self, fsid: u64, prefix: &str) -> bool {
        let from = SlotKey { fsid, key: prefix.to_owned() };
        let mut range = self.slots.range((Bound::Excluded(from), Bound::Unbounded));
        range.next().is_some_and(|(at, _)| at.fsid == fsid && at.key.starts_with(prefix))
    }

    /// The keys of all slots at or below a prefix.
    pub(super) fn below(&self, fsid: u64, prefix: &str) -> Vec<SlotKey> {
        let from = SlotKey { fsid, key: prefix.to_owned() };
        let range = self.slots.range((Bound::Included(from), Bound::Unbounded));
        range.take_while(|(at, _)| at.fsid == fsid && at.key.starts_with(prefix)).map(|(at, _)| at.clone()).collect()
    }

    /// How many keys are on their way.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Makes everything due now, for a stop or a flush.
    pub(super) fn hasten_all(&mut self, now: Instant) {
        let soon = self.waiting.split_off(&(now, SlotKey { fsid: 0, key: String::new() }));
        for (due, key) in soon {
            let due = due.min(now);
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.due = due;
            }
            self.waiting.insert((due, key));
        }
    }
}

/// Nodes whose bytes still come from an object under a key that is not, or no longer, theirs.
#[derive(Debug, Default)]
pub(super) struct Pins {
    by_key: BTreeMap<SlotKey, Vec<Arc<Inode>>>,
}

impl Pins {
    /// `inode` needs the object under `key` as it is.
    pub(super) fn pin(&mut self, key: SlotKey, inode: &Arc<Inode>) {
        let pinned = self.by_key.entry(key).or_default();
        if !pinned.iter().any(|other| other.key == inode.key) {
            pinned.push(Arc::clone(inode));
        }
    }

    /// `inode` needs none any more.
    pub(super) fn unpin(&mut self, inode: NodeKey) {
        self.by_key.retain(|_, pinned| {
            pinned.retain(|other| other.key != inode);
            !pinned.is_empty()
        });
    }

    /// Those that need the object under `key`, save for the one that should stand there.
    pub(super) fn holders(&self, key: &SlotKey, but: Option<NodeKey>) -> Vec<Arc<Inode>> {
        let pinned = self.by_key.get(key).into_iter().flatten();
        pinned.filter(|inode| Some(inode.key) != but).cloned().collect()
    }
}
