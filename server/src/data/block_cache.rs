//! Clean bytes of objects in memory, as they came from the store.
//!
//! What one GET brought is one segment: one buffer, given out in slices, counted in full, and dropped as a whole; so the memory
//! that is counted is the memory that is held. Segments begin and end at block boundaries, never overlap, and are fetched once
//! however many wait for them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{BaseObject, PERMIT_BYTES, permits};
use crate::store::{ObjectStore, StoreError};

/// What is fetched begins and ends at multiples of this, or at the object's end.
pub(super) const BLOCK_BYTES: u64 = 64 << 10;
/// The most bytes that one GET asks for.
const FETCH_BYTES_MAX: u64 = 8 << 20;
/// What a segment costs besides its bytes.
const SEGMENT_OVERHEAD_BYTES: usize = 512;

/// How much memory the cache may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// Bytes of all segments.
    pub bytes_max: usize,
    /// Bytes of GETs under way.
    pub fetch_bytes_max: usize,
}

type Fetch = Shared<BoxFuture<'static, Result<Bytes, StoreError>>>;
/// An object's number and where in it the segment starts.
type Place = (u64, u64);

#[derive(Clone)]
enum Bits {
    Here(Bytes),
    Coming(Fetch),
}

struct Segment {
    len: u64,
    bits: Bits,
    /// Held from a fetch ahead until the first read.
    ahead: Option<OwnedSemaphorePermit>,
}

struct Held {
    /// Objects with segments: their number, and how many segments they have.
    objects: HashMap<Arc<BaseObject>, (u64, usize)>,
    owners: HashMap<u64, Arc<BaseObject>>,
    segments: BTreeMap<Place, Segment>,
    /// Segments that are here, by last use.
    used: LruCache<Place, ()>,
    bytes: usize,
    next_object: u64,
}

/// The cache. Shared by all files.
pub struct BlockCache {
    store: Arc<dyn ObjectStore>,
    limits: CacheLimits,
    held: Arc<Mutex<Held>>,
    fetching: Arc<Semaphore>,
    /// Bytes fetched ahead that nobody has read yet: half of the cache at most, in units of [`PERMIT_BYTES`].
    ahead: Arc<Semaphore>,
}

impl fmt::Debug for BlockCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockCache").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A slice of a segment that a read needs.
struct Slice {
    bits: Bits,
    range: Range<u64>,
}

impl BlockCache {
    /// An empty cache of what `store` has.
    pub fn new(store: Arc<dyn ObjectStore>, limits: CacheLimits) -> Self {
        Self {
            store,
            limits,
            held: Arc::new(Mutex::new(Held::new())),
            fetching: Arc::new(Semaphore::new(permits(limits.fetch_bytes_max) as usize)),
            ahead: Arc::new(Semaphore::new(permits(limits.bytes_max / 2) as usize)),
        }
    }

    /// Bytes held, those being fetched and the cost of keeping them included.
    pub fn held_bytes(&self) -> usize {
        self.held.lock().bytes
    }

    /// Bytes `range` of the object, in order; the caller keeps the range within its size.
    ///
    /// # Errors
    /// Those of a GET: `PreconditionFailed` or `NotFound` when the store has not this version any more.
    pub async fn read(&self, object: &Arc<BaseObject>, range: Range<u64>) -> Result<Vec<Bytes>, StoreError> {
        let slices = self.plan(object, range);
        let mut chunks = Vec::with_capacity(slices.len());
        for Slice { bits, range } in slices {
            let segment = match bits {
                Bits::Here(bytes) => bytes,
                Bits::Coming(fetch) => fetch.await?,
            };
            let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end)) else {
                return Err(StoreError::Unavailable("a segment is too long".to_owned()));
            };
            chunks.push(segment.slice(start.min(segment.len())..end.min(segment.len())));
        }
        Ok(chunks)
    }

    /// Begins to fetch what is missing of `range`, `step` bytes at a time, without waiting; how far it went: less than asked
    /// for where too much waits to be read already.
    pub(super) fn fetch_ahead(&self, object: &Arc<BaseObject>, range: Range<u64>, step: u64) -> u64 {
        let mut held = self.held.lock();
        let id = held.number(object);
        let mut at = range.start;
        'steps: while at < range.end {
            let to = (at / step + 1).saturating_mul(step).min(range.end);
            for gap in held.gaps(id, at..to, object.size) {
                let wanted = usize::try_from(gap.end - gap.start).map_or(u32::MAX, permits);
                let Ok(permit) = Arc::clone(&self.ahead).try_acquire_many_owned(wanted) else { break 'steps };
                self.begin(&mut held, object, id, gap, Some(permit));
            }
            at = to;
        }
        held.shrink(self.limits.bytes_max);
        held.forget_if_empty(id);
        at
    }

    /// Keeps a whole object that is in memory anyway.
    pub(super) fn insert_whole(&self, object: &Arc<BaseObject>, bytes: Bytes) {
        let len = bytes.len() as u64;
        if len == 0 || len != object.size {
            return;
        }
        let mut held = self.held.lock();
        let id = held.number(object);
        if held.over(id, &(0..len)).next().is_none() {
            held.insert((id, 0), Segment { len, bits: Bits::Here(bytes), ahead: None });
            held.touch((id, 0));
            held.shrink(self.limits.bytes_max);
        }
        held.forget_if_empty(id);
    }

    /// Finds the segments with the bytes of `range`, and begins to fetch those that are missing.
    fn plan(&self, object: &Arc<BaseObject>, range: Range<u64>) -> Vec<Slice> {
        if range.is_empty() {
            return Vec::new();
        }
        let mut held = self.held.lock();
        let id = held.number(object);
        for gap in held.gaps(id, range.clone(), object.size) {
            self.begin(&mut held, object, id, gap, None);
        }
        let mut slices = Vec::new();
        let mut found = Vec::new();
        for (&(_, start), segment) in held.over(id, &range) {
            let end = start + segment.len;
            let within = range.start.max(start) - start..range.end.min(end) - start;
            slices.push(Slice { bits: segment.bits.clone(), range: within });
            found.push((id, start));
        }
        for place in found {
            held.touch(place);
        }
        held.shrink(self.limits.bytes_max);
        held.forget_if_empty(id);
        slices
    }

    /// Puts a segment in place that is on its way.
    fn begin(
        &self,
        held: &mut Held,
        object: &Arc<BaseObject>,
        id: u64,
        gap: Range<u64>,
        ahead: Option<OwnedSemaphorePermit>,
    ) {
        let (place, len) = ((id, gap.start), gap.end - gap.start);
        let get = fetch(Arc::clone(&self.store), Arc::clone(&self.fetching), Arc::clone(object), gap);
        let cache = Arc::clone(&self.held);
        let bytes_max = self.limits.bytes_max;
        let fetch = async move {
            let result = get.await;
            cache.lock().arrived(place, result.clone().ok(), bytes_max);
            result
        };
        let fetch: Fetch = fetch.boxed().shared();
        held.insert(place, Segment { len, bits: Bits::Coming(fetch.clone()), ahead });
        // It goes on whoever stops waiting for it.
        drop(tokio::spawn(fetch));
    }
}

async fn fetch(
    store: Arc<dyn ObjectStore>,
    fetching: Arc<Semaphore>,
    object: Arc<BaseObject>,
    range: Range<u64>,
) -> Result<Bytes, StoreError> {
    let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let wanted = (permits(len) as usize).min(permits(FETCH_BYTES_MAX as usize) as usize);
    let _memory = fetching.acquire_many(u32::try_from(wanted).unwrap_or(1)).await;
    let bytes = store.get(&object.bucket, &object.key, range, &object.etag).await?;
    if bytes.len() == len {
        Ok(bytes)
    } else {
        Err(StoreError::Unavailable(format!("{} of {len} bytes came", bytes.len())))
    }
}

impl Held {
    fn new() -> Self {
        Self {
            objects: HashMap::new(),
            owners: HashMap::new(),
            segments: BTreeMap::new(),
            used: LruCache::unbounded(),
            bytes: 0,
            next_object: 0,
        }
    }

    /// The object's number; a new one until [`Self::forget_if_empty`].
    fn number(&mut self, object: &Arc<BaseObject>) -> u64 {
        if let Some((id, _)) = self.objects.get(object) {
            return *id;
        }
        let id = self.next_object;
        self.next_object += 1;
        self.objects.insert(Arc::clone(object), (id, 0));
        self.owners.insert(id, Arc::clone(object));
        id
    }

    fn forget_if_empty(&mut self, id: u64) {
        if let Some(owner) = self.owners.get(&id)
            && self.objects.get(owner).is_some_and(|(_, segments)| *segments == 0)
        {
            self.objects.remove(owner);
            self.owners.remove(&id);
        }
    }

    /// Segments of the object that overlap `range`, ascending.
    fn over(&self, id: u64, range: &Range<u64>) -> impl Iterator<Item = (&Place, &Segment)> {
        let (start, end) = (range.start, range.end);
        let before = self.segments.range((id, 0)..(id, start)).next_back();
        let before = before.filter(move |((_, from), segment)| from + segment.len > start);
        before.into_iter().chain(self.segments.range((id, start)..(id, end)))
    }

    /// What of `range` no segment has, widened to blocks, cut into what one GET brings.
    fn gaps(&self, id: u64, range: Range<u64>, size: u64) -> Vec<Range<u64>> {
        let wide = range.start / BLOCK_BYTES * BLOCK_BYTES
            ..range.end.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES).min(size);
        let mut gaps = Vec::new();
        let mut at = wide.start;
        let mut add = |mut from: u64, to: u64| {
            while from < to {
                let end = to.min(from + FETCH_BYTES_MAX);
                gaps.push(from..end);
                from = end;
            }
        };
        for (&(_, start), segment) in self.over(id, &wide) {
            add(at, start);
            at = at.max(start + segment.len);
        }
        add(at, wide.end);
        gaps
    }

    fn insert(&mut self, place: Place, segment: Segment) {
        self.bytes += cost(segment.len);
        if let Some(owner) = self.owners.get(&place.0)
            && let Some((_, segments)) = self.objects.get_mut(owner)
        {
            *segments += 1;
        }
        self.segments.insert(place, segment);
    }

    fn remove(&mut self, place: Place) {
        let Some(segment) = self.segments.remove(&place) else { return };
        self.bytes -= cost(segment.len);
        if let Some(owner) = self.owners.get(&place.0)
            && let Some((_, segments)) = self.objects.get_mut(owner)
        {
            *segments -= 1;
        }
        self.forget_if_empty(place.0);
    }

    /// Notes that somebody reads the segment.
    fn touch(&mut self, place: Place) {
        if let Some(segment) = self.segments.get_mut(&place) {
            segment.ahead = None;
            if matches!(segment.bits, Bits::Here(_)) {
                self.used.put(place, ());
            }
        }
    }

    /// Puts fetched bytes in the place that waits for them; takes the place away when none came.
    fn arrived(&mut self, place: Place, bytes: Option<Bytes>, bytes_max: usize) {
        let Some(bytes) = bytes else { return self.remove(place) };
        if let Some(segment) = self.segments.get_mut(&place) {
            segment.bits = Bits::Here(bytes);
            self.used.put(place, ());
        }
        self.shrink(bytes_max);
    }

    /// Drops what was not used for longest until the rest fits. What is being fetched stays.
    fn shrink(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max {
            let Some((place, ())) = self.used.pop_lru() else { return };
            self.remove(place);
        }
    }
}

fn cost(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX / 2) + SEGMENT_OVERHEAD_BYTES
}

const _: () = assert!(BLOCK_BYTES == PERMIT_BYTES as u64);

#[cfg(test)]
#[path = "block_cache_tests.rs"]
mod tests;
