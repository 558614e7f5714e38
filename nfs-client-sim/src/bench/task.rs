//! The tasks that carry a workload out, all at the same time.

use std::sync::Arc;

use bytes::Bytes;
use nfs4_protocol::nfs4::NfsFh4;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::meter::{Meter, Round};
use super::{BenchError, Length, Plan, Side, Workload};
use crate::{Client, Error};

/// One of the tasks.
pub(super) struct Task {
    pub(super) client: Client,
    /// The scratch directory.
    pub(super) directory: NfsFh4,
    /// From 0.
    pub(super) number: usize,
    pub(super) plan: Arc<Plan>,
    /// As long as the largest of a block and a file.
    pub(super) content: Bytes,
    pub(super) random: fastrand::Rng,
    pub(super) meter: Meter,
    /// Where all tasks wait until each is ready.
    start: Arc<Barrier>,
}

/// Why a task ended early.
pub(super) enum Ended {
    Stopped,
    Failed(Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Runs one round of a workload on one side.
pub(super) async fn round(
    side: &Side,
    plan: &Plan,
    workload: Workload,
    stop: &CancellationToken,
) -> Result<Round, BenchError> {
    let start = Arc::new(Barrier::new(plan.tasks));
    let shared = Arc::new(plan.clone());
    let mut tasks = JoinSet::new();
    for number in 0..plan.tasks {
        let mut random = fastrand::Rng::with_seed(plan.seed.wrapping_add(number as u64));
        let mut content = vec![0; plan.block.max(plan.file_size) as usize];
        random.fill(&mut content);
        let task = Task {
            client: side.client.clone(),
            directory: side.scratch.directory().clone(),
            number,
            plan: Arc::clone(&shared),
            content: content.into(),
            random,
            meter: Meter::new(part(plan), stop.clone())?,
            start: Arc::clone(&start),
        };
        tasks.spawn(task.run(workload));
    }
    let mut meters = Vec::new();
    // When one task fails, the others are dropped with the set.
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.map_err(|error| BenchError::Plan(error.to_string()))?;
        meters.push(ended.map_err(|ended| match ended {
            Ended::Stopped => BenchError::Stopped,
            Ended::Failed(source) => BenchError::Failed { workload, server: side.name.clone(), source },
        })?);
    }
    if stop.is_cancelled() {
        return Err(BenchError::Stopped);
    }
    Round::new(meters)
}

/// The length of one round.
fn part(plan: &Plan) -> Length {
    match plan.length {
        Length::Time(time) => Length::Time(time / plan.rounds.max(1)),
        Length::Count(count) => Length::Count(count.div_ceil(plan.rounds.max(1).into())),
    }
}

impl Task {
    async fn run(mut self, workload: Workload) -> Result<Meter, Ended> {
        match workload {
            Workload::SequentialWrite => self.write(false).await,
            Workload::SequentialRead => self.read(false).await,
            Workload::RandomWrite => self.write(true).await,
            Workload::RandomRead => self.read(true).await,
            Workload::Create => self.create().await,
            Workload::ReadFiles => self.read_files().await,
            Workload::Stat => self.stat().await,
            Workload::List => self.list().await,
            Workload::Rename => self.rename().await,
            Workload::Lock => self.lock().await,
        }?;
        Ok(self.meter)
    }

    /// Waits until all tasks are ready.
    pub(super) async fn ready(&self) {
        self.start.wait().await;
    }

    /// # Errors
    /// [`Ended::Stopped`] when the task is to end.
    pub(super) fn unless_stopped(&self) -> Result<(), Ended> {
        if self.meter.is_stopped() { Err(Ended::Stopped) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rounds_share_the_length() {
        let plan = |length, rounds| Plan {
            workloads: vec![],
            tasks: 1,
            size: 1,
            block: 1,
            files: 1,
            file_size: 1,
            length,
            rounds,
            fsync: false,
            seed: 0,
        };
        assert_eq!(part(&plan(Length::Count(10), 3)), Length::Count(4));
        assert_eq!(part(&plan(Length::Time(Duration::from_secs(9)), 3)), Length::Time(Duration::from_secs(3)));
    }
}
