//! Counting operations and their latencies.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio_util::sync::CancellationToken;

use super::{BenchError, Length};

/// The longest latency that is told from longer ones, in microseconds: one hour.
const LATENCY_US_MAX: u64 = 3_600_000_000;
/// Latencies are exact to so many digits.
const DIGITS: u8 = 3;
/// What comes before the count is this part of it.
const WARM_UP_PART: u32 = 5;

/// What one task did in one round.
#[derive(Debug)]
pub(super) struct Meter {
    length: Length,
    stop: CancellationToken,
    /// When the first operation began, also if that was warming up.
    begun: Option<Instant>,
    /// Operations that were begun, those of the warm-up included.
    operations_begun: u64,
    counted: Counted,
}

/// What was counted.
#[derive(Debug, Clone)]
struct Counted {
    latencies: Histogram<u64>,
    operations: u64,
    bytes: u64,
    /// From the first operation that counts to the end of the last one.
    span: Option<(Instant, Instant)>,
}

/// What all tasks did in one round, on one side.
#[derive(Debug)]
pub(super) struct Round {
    /// In microseconds.
    pub(super) latencies: Histogram<u64>,
    pub(super) operations: u64,
    pub(super) bytes: u64,
    pub(super) elapsed: Duration,
}

pub(super) fn histogram() -> Result<Histogram<u64>, BenchError> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, DIGITS).map_err(|error| BenchError::Plan(error.to_string()))
}

impl Meter {
    pub(super) fn new(length: Length, stop: CancellationToken) -> Result<Self, BenchError> {
        let counted = Counted { latencies: histogram()?, operations: 0, bytes: 0, span: None };
        Ok(Self { length, stop, begun: None, operations_begun: 0, counted })
    }

    /// Whether the task is to end early.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// When the next operation begins; `None` when there shall be none.
    pub(super) fn next(&mut self) -> Option<Instant> {
        let now = Instant::now();
        (!self.is_stopped() && self.goes_on(now)).then_some(now)
    }

    fn goes_on(&mut self, now: Instant) -> bool {
        let begun = *self.begun.get_or_insert(now);
        let goes_on = match self.length {
            Length::Time(time) => now.saturating_duration_since(begun) < time + time / WARM_UP_PART,
            Length::Count(count) => self.operations_begun < count + warm_up(count),
        };
        self.operations_begun += u64::from(goes_on);
        goes_on
    }

    /// The operation that began at `began` is over and moved `bytes`.
    pub(super) fn done(&mut self, began: Instant, bytes: u64) {
        self.count(began, Instant::now(), bytes);
    }

    fn count(&mut self, began: Instant, ended: Instant, bytes: u64) {
        let counts = match (self.length, self.begun) {
            (Length::Time(time), Some(begun)) => began.saturating_duration_since(begun) >= time / WARM_UP_PART,
            (Length::Count(count), _) => self.operations_begun > warm_up(count),
            (Length::Time(_), None) => false,
        };
        if !counts {
            return;
        }
        let micros = ended.saturating_duration_since(began).as_micros();
        self.counted.latencies.saturating_record(u64::try_from(micros).unwrap_or(u64::MAX).max(1));
        self.counted.operations += 1;
        self.counted.bytes += bytes;
        let first = self.counted.span.map_or(began, |(first, _)| first);
        self.counted.span = Some((first, ended));
    }

    /// What the task had to do in the end took until now, such as the COMMIT of all its writes.
    pub(super) fn sealed(&mut self) {
        if let Some((_, end)) = &mut self.counted.span {
            *end = Instant::now();
        }
    }
}

const fn warm_up(count: u64) -> u64 {
    count / WARM_UP_PART as u64
}

impl Round {
    /// Puts together what the tasks did.
    pub(super) fn new(meters: Vec<Meter>) -> Result<Self, BenchError> {
        let mut round = Self { latencies: histogram()?, operations: 0, bytes: 0, elapsed: Duration::ZERO };
        let mut span: Option<(Instant, Instant)> = None;
        for Meter { counted, .. } in meters {
            // Both have the same bounds, which is all that could fail.
            let added = round.latencies.add(&counted.latencies);
            added.map_err(|error| BenchError::Plan(error.to_string()))?;
            round.operations += counted.operations;
            round.bytes += counted.bytes;
            span = match (span, counted.span) {
                (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
                (one, other) => one.or(other),
            };
        }
        if let Some((first, last)) = span {
            round.elapsed = last.saturating_duration_since(first);
        }
        Ok(round)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(length: Length) -> Meter {
        Meter::new(length, CancellationToken::new()).unwrap()
    }

    #[test]
    fn a_count_is_preceded_by_its_fifth() {
        let mut meter = meter(Length::Count(10));
        let start = Instant::now();
        let mut operations = 0;
        while meter.goes_on(start) {
            operations += 1;
            meter.count(start, start + Duration::from_millis(operations), 7);
        }
        assert_eq!((operations, meter.counted.operations, meter.counted.bytes), (12, 10, 70));
        assert_eq!(meter.counted.latencies.min(), 3000);
    }

    #[test]
    fn a_time_is_preceded_by_its_fifth() {
        let mut meter = meter(Length::Time(Duration::from_secs(10)));
        let start = Instant::now();
        let mut seconds = 0;
        while meter.goes_on(start + Duration::from_secs(seconds)) {
            meter.count(start + Duration::from_secs(seconds), start + Duration::from_secs(seconds + 1), 1);
            seconds += 1;
        }
        assert_eq!((seconds, meter.counted.operations), (12, 10));
        assert_eq!(Round::new(vec![meter]).unwrap().elapsed, Duration::from_secs(10));
    }

    #[test]
    fn a_round_lasts_from_the_first_task_to_the_last() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let task = |from, to| {
            let mut meter = meter(Length::Count(1));
            assert!(meter.goes_on(at(from)));
            meter.count(at(from), at(to), 5);
            meter
        };
        let round = Round::new(vec![task(10, 20), task(5, 12), meter(Length::Count(1))]).unwrap();
        assert_eq!((round.operations, round.bytes, round.elapsed), (2, 10, Duration::from_millis(15)));
        assert_eq!((round.latencies.min(), round.latencies.len()), (7000, 2));
    }

    #[test]
    fn stopping_ends_it() {
        let stop = CancellationToken::new();
        let mut meter = Meter::new(Length::Count(10), stop.clone()).unwrap();
        assert!(meter.next().is_some());
        stop.cancel();
        assert!(meter.next().is_none());
    }
}
