//! Large files: parts in flight side by side, bounded in memory, unchanged ones copied in the store.
//!
//! Parts are read at different moments while clients write. So after each round, with everything standing still, it is looked
//! which parts changed since they were read; these go up again. The upload is completed when none did: then all parts are of
//! that one moment.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Moment, Target, UploadError, refused, snapshot};
use crate::data::content::{Shared, Source};
use crate::data::{BaseObject, Data, DataError};
use crate::store::{StoreError, StoreResult, UploadedPart, Written};

/// How often parts that changed are uploaded again before the upload is given up.
const ROUNDS_MAX: u32 = 4;
/// Parts that are worked on at a time; memory is bounded apart from that.
const PARTS_IN_FLIGHT_MAX: usize = 16;
/// The most parts of an upload, as S3 has it.
const PARTS_MAX: u64 = 10_000;
/// The most parts an upload begins with: the file may grow while it runs.
const PARTS_AT_START_MAX: u64 = 8_000;
/// Above so many parts they are made larger, up to [`GROWTH_MAX`] times.
const PARTS_WANTED: u64 = 1_024;
/// How much larger parts become just to be fewer.
const GROWTH_MAX: u64 = 8;

/// A multipart upload under way. Dropped before its completion, it is aborted.
pub(super) struct Multipart {
    shared: Arc<Shared>,
    data: Data,
    target: Arc<Target>,
    part_bytes: u64,
    upload_id: String,
    parts: BTreeMap<u16, (Range<u64>, UploadedPart)>,
    over: bool,
}

impl Multipart {
    pub(super) async fn begin(shared: &Arc<Shared>, data: &Data, target: Target) -> Result<Self, UploadError> {
        let upload_id = data.store().create_upload(&target.bucket, &target.key, &target.meta).await;
        let (size, dirty) = {
            let state = shared.state.lock();
            (state.size, state.is_dirty())
        };
        Ok(Self {
            shared: Arc::clone(shared),
            data: data.clone(),
            target: Arc::new(target),
            part_bytes: part_bytes(size, data.config().part_bytes, dirty),
            upload_id: upload_id.map_err(UploadError::Store)?,
            parts: BTreeMap::new(),
            over: false,
        })
    }

    /// Uploads and completes. On any error the upload is aborted before this returns.
    pub(super) async fn run(mut self) -> Result<(Written, Moment), UploadError> {
        let result = self.finish().await;
        if result.is_err() {
            self.over = true;
            abort(&self.data, &self.target, &self.upload_id).await;
        }
        result
    }

    async fn finish(&mut self) -> Result<(Written, Moment), UploadError> {
        for _ in 0..ROUNDS_MAX {
            let (todo, moment) = self.outdated().await?;
            if !todo.is_empty() {
                self.round(todo).await?;
                continue;
            }
            let last = part_of(moment.size.saturating_sub(1), self.part_bytes);
            let parts: Vec<_> = self.parts.range(..=last).map(|(_, (_, part))| part.clone()).collect();
            let Target { bucket, key, condition, .. } = &*self.target;
            let completed = self.data.store().complete_upload(bucket, key, &self.upload_id, &parts, condition).await;
            let written = completed.map_err(|error| refused(error, condition))?;
            self.over = true;
            return Ok((written, moment));
        }
        Err(UploadError::Changed)
    }

    /// The parts that are missing or have changed since they were read, and the moment of which the others are.
    async fn outdated(&self) -> Result<(Vec<(u16, Range<u64>)>, Moment), UploadError> {
        let _alone = self.shared.order.write().await;
        let mut state = self.shared.state.lock();
        let moment = Moment { size: state.size, generation: state.generation };
        if moment.size == 0 || moment.size.div_ceil(self.part_bytes) > PARTS_MAX {
            return Err(UploadError::Changed);
        }
        let since = state.uploading.as_ref().map(|uploading| &uploading.since);
        let outdated = |(number, range): &(u16, Range<u64>)| {
            self.parts.get(number).is_none_or(|(had, _)| had != range)
                || since.is_some_and(|since| since.touches(range))
        };
        let todo = layout(moment.size, self.part_bytes).filter(outdated).collect();
        state.reset_since();
        Ok((todo, moment))
    }

    async fn round(&mut self, todo: Vec<(u16, Range<u64>)>) -> Result<(), UploadError> {
        let mut running = JoinSet::new();
        let mut result = Ok(());
        for (number, range) in todo {
            if running.len() >= PARTS_IN_FLIGHT_MAX {
                result = self.collect(running.join_next().await);
            }
            if result.is_err() {
                break;
            }
            let part = Part { number, range, upload_id: self.upload_id.clone(), target: Arc::clone(&self.target) };
            running.spawn(part.send(Arc::clone(&self.shared), self.data.clone()));
        }
        while result.is_ok() && !running.is_empty() {
            result = self.collect(running.join_next().await);
        }
        // Nothing of this upload may be under way when it is aborted.
        running.shutdown().await;
        result
    }

    fn collect(&mut self, joined: Option<Result<SentPart, tokio::task::JoinError>>) -> Result<(), UploadError> {
        if let Some(joined) = joined {
            let sent = joined.map_err(|error| UploadError::Local(DataError::Io(error.to_string())))?;
            let (range, part) = sent?;
            self.parts.insert(part.number, (range, part));
        }
        Ok(())
    }
}

impl Drop for Multipart {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let (data, target, upload_id) = (self.data.clone(), Arc::clone(&self.target), self.upload_id.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(async move { abort(&data, &target, &upload_id).await }));
        }
    }
}

async fn abort(data: &Data, target: &Target, upload_id: &str) {
    if let Err(error) = data.store().abort_upload(&target.bucket, &target.key, upload_id).await {
        tracing::warn!(bucket = target.bucket, key = target.key, upload_id, %error, "a multipart upload was not aborted");
    }
}

type SentPart = Result<(Range<u64>, UploadedPart), UploadError>;

/// One part on its way.
struct Part {
    number: u16,
    range: Range<u64>,
    upload_id: String,
    target: Arc<Target>,
}

impl Part {
    async fn send(self, shared: Arc<Shared>, data: Data) -> SentPart {
        if data.may_copy()
            && let Some(base) = base_of(&shared, &self.range)
            && let Some(part) = self.copy(&data, &base).await?
        {
            return Ok((self.range, part));
        }
        let _memory = data.upload_memory(self.range.end - self.range.start).await?;
        let body = snapshot::part(&shared, &data, self.range.clone()).await?;
        let Target { bucket, key, .. } = &*self.target;
        let sent = data.store().upload_part(bucket, key, &self.upload_id, self.number, body).await;
        Ok((self.range, sent.map_err(UploadError::Store)?))
    }

    /// Takes the part from the base; `None` when the store does not do that.
    async fn copy(&self, data: &Data, base: &BaseObject) -> Result<Option<UploadedPart>, UploadError> {
        let Target { bucket, key, .. } = &*self.target;
        let (source, range) = (base.source(), self.range.clone());
        let copied: StoreResult<_> =
            data.store().upload_part_copy(bucket, key, &self.upload_id, self.number, &source, range).await;
        match copied {
            Ok(part) => Ok(Some(part)),
            Err(StoreError::NotSupported(_)) => {
                data.note_copy_refused();
                Ok(None)
            }
            Err(StoreError::PreconditionFailed | StoreError::NotFound) => Err(UploadError::BaseChanged),
            Err(error) => Err(UploadError::Store(error)),
        }
    }
}

/// The base, if all of `range` comes from it.
fn base_of(shared: &Shared, range: &Range<u64>) -> Option<Arc<BaseObject>> {
    let state = shared.state.lock();
    let whole = range.end <= state.size && state.sources(range.clone()) == [Source::Base(range.clone())];
    state.base.clone().filter(|_| whole)
}

/// The size of parts for a file of `size`: the least while they are few, so that little memory is used; all copied ones as
/// large as parts become, so that they are fewest.
fn part_bytes(size: u64, least: u64, dirty: bool) -> u64 {
    let mut part = if dirty { least } else { least * GROWTH_MAX };
    while size.div_ceil(part) > PARTS_WANTED && part < least * GROWTH_MAX {
        part *= 2;
    }
    while size.div_ceil(part) > PARTS_AT_START_MAX {
        part *= 2;
    }
    part
}

/// Number of the part that holds the byte at `offset`, saturating.
fn part_of(offset: u64, part_bytes: u64) -> u16 {
    u16::try_from(offset / part_bytes + 1).unwrap_or(u16::MAX)
}

/// The parts of a file of `size`.
fn layout(size: u64, part_bytes: u64) -> impl Iterator<Item = (u16, Range<u64>)> {
    let starts = std::iter::successors(Some(0), move |start: &u64| start.checked_add(part_bytes));
    let within = starts.take_while(move |start| *start < size);
    within.map(move |start| (part_of(start, part_bytes), start..size.min(start.saturating_add(part_bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_file_and_are_never_too_many() {
        const MIB: u64 = 1 << 20;
        assert_eq!(layout(20, 8).collect::<Vec<_>>(), [(1, 0..8), (2, 8..16), (3, 16..20)]);
        assert_eq!(layout(16, 8).count(), 2);
        for (size, part) in [(17 * MIB, 8), (8 << 30, 8), (9 << 30, 16), (100 << 30, 64), (5 << 40, 1024)] {
            assert_eq!(part_bytes(size, 8 * MIB, true), part * MIB, "{size}");
            assert!(size.div_ceil(part * MIB) <= PARTS_AT_START_MAX);
        }
        assert_eq!(part_bytes(6 << 30, 8 * MIB, false), 64 * MIB);
    }
}
