//! Benchmarks of servers.
//!
//! A [`Plan`] names workloads and how long each runs; [`run`] carries it out on one [`Side`] or several. With several,
//! each workload runs on one after the other in short rounds, so that what disturbs the machine disturbs all of them,
//! and the [`Report`] has the ratios. Everything happens in a scratch directory ([`Scratch`]), which the caller removes.

mod data;
mod meter;
mod names;
mod report;
mod scratch;
mod task;
mod workload;

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio_util::sync::CancellationToken;

use crate::{Client, Error};

pub use report::{Latency, Measured, Ratio, Report, WorkloadReport};
pub use scratch::Scratch;
pub use workload::Workload;

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The workloads, in this order.
    pub workloads: Vec<Workload>,
    /// Tasks at the same time, each with one operation on its way; at least 1.
    pub tasks: usize,
    /// The size of the file of each task that the data workloads read and write, in bytes; at least `block`.
    pub size: u64,
    /// What one READ or WRITE of the data workloads moves, in bytes; at least 1, at most what the server allows.
    pub block: u32,
    /// Files in the directory of each task, for the workloads over names; at least 1.
    pub files: usize,
    /// The size of such a file, in bytes.
    pub file_size: u32,
    /// How long each workload runs, on each side and in all rounds together. A fifth of that comes before, uncounted.
    pub length: Length,
    /// Parts that a workload is cut into; at least 1.
    pub rounds: u32,
    /// Whether each write is followed by a COMMIT that counts as a part of it. Otherwise one COMMIT ends each round.
    pub fsync: bool,
    /// Decides the random positions and the content.
    pub seed: u64,
}

/// How long something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// For so long.
    Time(Duration),
    /// For so many operations of each task.
    Count(u64),
}

/// A server under test.
#[derive(Debug)]
pub struct Side {
    /// What the report calls it.
    pub name: String,
    /// The client.
    pub client: Client,
    /// Where the files go.
    pub scratch: Scratch,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The plan cannot be carried out.
    #[error("{0}")]
    Plan(String),
    /// An operation failed.
    #[error("{workload} on {server}: {source}")]
    Failed {
        /// Meanwhile.
        workload: Workload,
        /// Where.
        server: String,
        /// Why.
        source: Error,
    },
    /// The caller stopped it.
    #[error("stopped")]
    Stopped,
}

impl Plan {
    /// # Errors
    /// [`BenchError::Plan`] when a number is out of its range.
    pub fn check(&self) -> Result<(), BenchError> {
        let complaint = if self.tasks == 0 || self.files == 0 || self.rounds == 0 || self.block == 0 {
            "tasks, files, rounds and the block are at least 1"
        } else if self.size < u64::from(self.block) {
            "the size is less than a block"
        } else {
            return Ok(());
        };
        Err(BenchError::Plan(complaint.to_owned()))
    }

    fn check_with(&self, side: &Side) -> Result<(), BenchError> {
        let max = side.client.read_bytes_max().min(side.client.write_bytes_max());
        let largest = self.block.max(self.file_size);
        if largest <= max {
            return Ok(());
        }
        let server = &side.name;
        Err(BenchError::Plan(format!("{server} takes at most {max} bytes in one READ or WRITE, not {largest}")))
    }
}

/// Carries the plan out. `begins` is told of each workload, round (from 0) and side that begins. After `stop` the tasks
/// end with the operation that they are at.
///
/// # Errors
/// [`BenchError`]; the scratch directories are then still to be removed as well.
pub fn run<'a>(
    sides: &'a [Side],
    plan: &'a Plan,
    stop: &'a CancellationToken,
    begins: &'a (dyn Fn(Workload, u32, &Side) + Sync),
) -> BoxFuture<'a, Result<Report, BenchError>> {
    carry_out(sides, plan, stop, begins).boxed()
}

async fn carry_out(
    sides: &[Side],
    plan: &Plan,
    stop: &CancellationToken,
    begins: &(dyn Fn(Workload, u32, &Side) + Sync),
) -> Result<Report, BenchError> {
    plan.check()?;
    sides.iter().try_for_each(|side| plan.check_with(side))?;
    let mut workloads = Vec::new();
    for workload in &plan.workloads {
        let mut rounds: Vec<Vec<meter::Round>> = sides.iter().map(|_| Vec::new()).collect();
        for number in 0..plan.rounds {
            let mut turns: Vec<_> = sides.iter().zip(&mut rounds).collect();
            if number % 2 == 1 {
                // Who was last goes first, so that a trend favours nobody.
                turns.reverse();
            }
            for (side, rounds) in turns {
                begins(*workload, number, side);
                rounds.push(task::round(side, plan, *workload, stop).await?);
            }
        }
        workloads.push(WorkloadReport::new(*workload, &rounds));
    }
    Ok(Report { servers: sides.iter().map(|side| side.name.clone()).collect(), workloads })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_something_to_do() {
        let plan = Plan {
            workloads: Workload::ALL.to_vec(),
            tasks: 1,
            size: 4096,
            block: 4096,
            files: 1,
            file_size: 0,
            length: Length::Count(1),
            rounds: 1,
            fsync: false,
            seed: 0,
        };
        plan.check().unwrap();
        Plan { size: 4095, ..plan.clone() }.check().unwrap_err();
        Plan { tasks: 0, ..plan.clone() }.check().unwrap_err();
        Plan { files: 0, ..plan.clone() }.check().unwrap_err();
        Plan { rounds: 0, ..plan.clone() }.check().unwrap_err();
        Plan { block: 0, ..plan }.check().unwrap_err();
    }
}
