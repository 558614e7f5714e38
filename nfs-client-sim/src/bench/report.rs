//! What a benchmark found.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::Workload;
use super::meter::Round;

/// The result of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The names of the sides.
    pub servers: Vec<String>,
    /// The workloads, in the order of the plan.
    pub workloads: Vec<WorkloadReport>,
}

/// The result of one workload.
#[derive(Debug, Clone, Serialize)]
pub struct WorkloadReport {
    /// Which one.
    pub workload: Workload,
    /// One for each side, in the order of [`Report::servers`].
    pub measured: Vec<Measured>,
    /// The second side to the first, when there are two.
    pub ratio: Option<Ratio>,
}

/// What one side did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Operations that were counted.
    pub operations: u64,
    /// Bytes that they moved.
    pub bytes: u64,
    /// How long the rounds were together.
    pub seconds: f64,
    /// Operations per second.
    pub operations_per_second: f64,
    /// Bytes per second.
    pub bytes_per_second: f64,
    /// How long one operation took.
    pub latency_us: Latency,
}

/// Latencies, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// The median.
    pub p50: u64,
    /// One of ten took longer.
    pub p90: u64,
    /// One of a hundred took longer.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

/// The second side divided by the first: the medians of the ratios of the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// Of operations per second: above 1 the second side is faster.
    pub throughput: f64,
    /// Of the median latencies: above 1 the second side takes longer.
    pub latency: f64,
}

impl WorkloadReport {
    /// `rounds` has those of each side.
    pub(super) fn new(workload: Workload, rounds: &[Vec<Round>]) -> Self {
        let ratio = match rounds {
            [first, second] => Ratio::new(first, second),
            _ => None,
        };
        Self { workload, measured: rounds.iter().map(|rounds| Measured::new(rounds)).collect(), ratio }
    }
}

impl Measured {
    fn new(rounds: &[Round]) -> Self {
        let seconds = rounds.iter().map(|round| round.elapsed).sum::<Duration>().as_secs_f64();
        let operations = rounds.iter().map(|round| round.operations).sum();
        let bytes = rounds.iter().map(|round| round.bytes).sum();
        Self {
            operations,
            bytes,
            seconds,
            operations_per_second: rate(operations, seconds),
            bytes_per_second: rate(bytes, seconds),
            latency_us: Latency::new(rounds),
        }
    }
}

impl Latency {
    fn new(rounds: &[Round]) -> Self {
        let mut all: Option<Histogram<u64>> = None;
        for round in rounds {
            // All have the same bounds, so that nothing is lost.
            match &mut all {
                None => all = Some(round.latencies.clone()),
                Some(all) => all.add(&round.latencies).unwrap_or_default(),
            }
        }
        let quantile = |quantile| all.as_ref().map_or(0, |all| all.value_at_quantile(quantile));
        Self {
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max: all.as_ref().map_or(0, Histogram::max),
        }
    }
}

impl Ratio {
    /// `None` when a round on either side did nothing.
    fn new(first: &[Round], second: &[Round]) -> Option<Self> {
        let of_rounds = |value: fn(&Round) -> f64| {
            let ratios = first.iter().zip(second).map(|(first, second)| value(second) / value(first));
            median(ratios.filter(|ratio| ratio.is_finite() && *ratio > 0.0).collect())
        };
        let throughput = of_rounds(|round| rate(round.operations, round.elapsed.as_secs_f64()))?;
        let latency = of_rounds(|round| round.latencies.value_at_quantile(0.5) as f64)?;
        Some(Self { throughput, latency })
    }
}

fn rate(amount: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { amount as f64 / seconds } else { 0.0 }
}

/// The value in the middle; of an even number the mean of the two there.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

#[cfg(test)]
mod tests {
    use super::super::meter::histogram;
    use super::*;

    fn round(operations: u64, seconds: u64, latency_us: u64) -> Round {
        let mut latencies = histogram().unwrap();
        latencies.record_n(latency_us, operations).unwrap();
        Round { latencies, operations, bytes: operations * 10, elapsed: Duration::from_secs(seconds) }
    }

    #[test]
    fn rounds_are_summed() {
        let measured = Measured::new(&[round(90, 1, 100), round(10, 3, 500)]);
        assert_eq!((measured.operations, measured.bytes), (100, 1000));
        assert_eq!((measured.operations_per_second, measured.bytes_per_second), (25.0, 250.0));
        assert_eq!(measured.latency_us, Latency { p50: 100, p90: 100, p99: 500, max: 500 });
    }

    #[test]
    fn a_ratio_is_the_median_of_those_of_the_rounds() {
        let first = [round(10, 1, 100), round(10, 1, 100), round(10, 1, 100)];
        let second = [round(20, 1, 50), round(5, 1, 200), round(1000, 1, 1)];
        assert_eq!(Ratio::new(&first, &second), Some(Ratio { throughput: 2.0, latency: 0.5 }));
    }

    #[test]
    fn nothing_has_no_ratio() {
        assert_eq!(Ratio::new(&[round(0, 0, 1)], &[round(10, 1, 1)]), None);
        assert_eq!(median(vec![]), None);
        assert_eq!((median(vec![3.0]), median(vec![4.0, 2.0])), (Some(3.0), Some(3.0)));
    }
}
