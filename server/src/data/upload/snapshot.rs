//! The bytes of one moment, in one piece of memory.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::{Moment, UploadError};
use crate::data::content::{Shared, Source, fetch, length};
use crate::data::staging::StagedFile;
use crate::data::{BaseObject, Data, DataError, blocking};

/// Pieces of a base object, fetched before the moment they are needed for.
struct Fetched {
    base: Option<Arc<BaseObject>>,
    pieces: Vec<(Range<u64>, Vec<Bytes>)>,
}

/// All bytes, and the moment of which they are; from then on the content notes what changes. `None` above `size_max`.
pub(super) async fn whole(
    shared: &Arc<Shared>,
    data: &Data,
    size_max: u64,
) -> Result<Option<(Bytes, Moment)>, DataError> {
    let fetched = fetch_base(shared, data, 0..size_max).await?;
    let alone = Arc::clone(&shared.order).write_owned().await;
    let shared = Arc::clone(shared);
    blocking(move || {
        let _alone = alone;
        let (file, sources, moment) = {
            let mut state = shared.state.lock();
            let moment = Moment { size: state.size, generation: state.generation };
            if moment.size > size_max {
                return Ok(None);
            }
            check_base(state.base.as_ref(), &fetched)?;
            state.reset_since();
            (state.staging.clone(), state.sources(0..moment.size), moment)
        };
        Ok(Some((assemble(file.as_ref(), &sources, &fetched)?, moment)))
    })
    .await
}

/// The bytes of `range`, as far as the file reaches.
pub(super) async fn part(shared: &Arc<Shared>, data: &Data, range: Range<u64>) -> Result<Bytes, UploadError> {
    let fetched = fetch_base(shared, data, range.clone()).await?;
    let alone = Arc::clone(&shared.order).write_owned().await;
    let shared = Arc::clone(shared);
    let bytes = blocking(move || {
        let _alone = alone;
        let (file, sources) = {
            let state = shared.state.lock();
            check_base(state.base.as_ref(), &fetched)?;
            let end = range.end.min(state.size);
            (state.staging.clone(), state.sources(range.start.min(end)..end))
        };
        assemble(file.as_ref(), &sources, &fetched)
    });
    Ok(bytes.await?)
}

/// Fetches what of `range` comes from the base, before anybody must stand still. What shows of a base only ever shrinks, so that
/// nothing will be missing later.
async fn fetch_base(shared: &Shared, data: &Data, range: Range<u64>) -> Result<Fetched, DataError> {
    let (base, sources) = {
        let state = shared.state.lock();
        let end = range.end.min(state.size);
        (state.base.clone(), state.sources(range.start.min(end)..end))
    };
    let mut pieces = Vec::new();
    for source in sources {
        if let Source::Base(range) = source {
            let chunks = fetch(data, base.as_ref(), range.clone()).await?;
            pieces.push((range, chunks));
        }
    }
    Ok(Fetched { base, pieces })
}

/// The base may have left since, but no other may have come.
fn check_base(base: Option<&Arc<BaseObject>>, fetched: &Fetched) -> Result<(), DataError> {
    if base.is_none() || base == fetched.base.as_ref() { Ok(()) } else { Err(DataError::BaseChanged) }
}

/// Puts the sources together. Blocks.
fn assemble(file: Option<&Arc<StagedFile>>, sources: &[Source], fetched: &Fetched) -> Result<Bytes, DataError> {
    let whole = match (sources.first(), sources.last()) {
        (Some(first), Some(last)) => first.range().start..last.range().end,
        _ => return Ok(Bytes::new()),
    };
    let mut body = vec![0; length(&whole)?];
    for source in sources {
        let range = source.range();
        let within = length(&(whole.start..range.start))?..length(&(whole.start..range.end))?;
        let into = body.get_mut(within).ok_or_else(short)?;
        match source {
            Source::Zeros(_) => {}
            Source::Staged(_) => file.ok_or_else(short)?.read_into(range.start, into)?,
            Source::Base(_) => fetched.copy(range, into)?,
        }
    }
    Ok(body.into())
}

impl Fetched {
    fn copy(&self, range: &Range<u64>, mut into: &mut [u8]) -> Result<(), DataError> {
        let holds = |(piece, _): &&(Range<u64>, Vec<Bytes>)| piece.start <= range.start && range.end <= piece.end;
        let (piece, chunks) = self.pieces.iter().find(holds).ok_or_else(short)?;
        let mut skip = length(&(piece.start..range.start))?;
        for chunk in chunks {
            let skipped = skip.min(chunk.len());
            skip -= skipped;
            let count = (chunk.len() - skipped).min(into.len());
            let (now, later) = into.split_at_mut(count);
            now.copy_from_slice(&chunk.slice(skipped..skipped + count));
            into = later;
        }
        if into.is_empty() { Ok(()) } else { Err(short()) }
    }
}

fn short() -> DataError {
    DataError::Io("bytes are missing".to_owned())
}
