//! `bench`: measures servers.

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use comfy_table::{CellAlignment, Table};
use indicatif::ProgressBar;
use nfs_client_sim::bench::{self, BenchError, Length, Measured, Plan, Report, Scratch, Side, Workload};
use nfs_client_sim::{Client, ClientOptions, Recovery};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::amount::Amount;
use super::place::{LastLink, resolve};
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output};

/// Rounds for each workload when two servers are compared.
const ROUNDS: u32 = 5;

/// Measures servers, in a scratch directory that is removed afterwards, also after Ctrl-C
///
/// With two places both are measured in turn, and the ratios of the second to the first are shown.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The directories to work in
    #[arg(required = true, value_name = "URL")]
    urls: Vec<NfsUrl>,
    /// Only these workloads, separated by commas: sequential-write, sequential-read, random-write, random-read, create,
    /// read-files, stat, list, rename, lock
    #[arg(long = "workload", value_delimiter = ',', value_name = "WORKLOAD")]
    workloads: Vec<Workload>,
    /// Tasks at the same time, each with one operation on its way
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: u16,
    /// TCP connections to each server
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Slots of the session to ask for, in 4.1 and later
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    slots: u32,
    /// The size of the file that each task reads and writes
    #[arg(long, default_value = "64M")]
    size: Amount,
    /// What one READ or WRITE moves
    #[arg(long, default_value = "64K")]
    block: Amount,
    /// Small files of each task, in a directory of its own
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    files: u32,
    /// The size of a small file
    #[arg(long, default_value = "4K")]
    file_size: Amount,
    /// Seconds that each workload runs on each server; a fifth comes before, uncounted
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS", value_parser = seconds)]
    duration: f64,
    /// Operations of each task instead of a duration
    #[arg(long, conflicts_with = "duration")]
    count: Option<u64>,
    /// Rounds that each workload is cut into; by default 1, and 5 for several servers
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// A COMMIT after each write; without it one at the end
    #[arg(long)]
    fsync: bool,
    /// Where the random numbers begin
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    client: ClientArgs,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.01..=86_400.0).contains(seconds));
    seconds.ok_or_else(|| "not a number of seconds from 0.01 to 86400".to_owned())
}

/// The report, and what it is a report of.
#[derive(Debug, Serialize)]
struct Shown {
    threads: u16,
    connections: u16,
    slots: u32,
    size: u64,
    block: u64,
    files: u32,
    file_size: u64,
    fsync: bool,
    minor: Vec<u32>,
    #[serde(flatten)]
    report: Report,
}

pub(crate) async fn run(args: BenchArgs, output: &Output) -> Result<ExitCode, CliError> {
    let plan = args.plan()?;
    let stop = CancellationToken::new();
    let interrupt = {
        let stop = stop.clone();
        async move {
            // Without signals the program ends the hard way, as it does at the second Ctrl-C.
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.cancel();
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    };
    tokio::select! {
        done = measure(&args, &plan, &stop, output) => done,
        () = interrupt => Err(CliError::Interrupted),
    }
}

async fn measure(
    args: &BenchArgs,
    plan: &Plan,
    stop: &CancellationToken,
    output: &Output,
) -> Result<ExitCode, CliError> {
    let mut sides = Vec::new();
    let made = make_sides(args, &mut sides).await;
    let result = match made {
        Ok(()) => carry_out(&sides, plan, stop).await,
        Err(error) => Err(error),
    };
    let minor = sides.iter().map(|side| side.client.minor()).collect();
    // First the directories, whatever came out.
    let removed = remove(sides).await;
    let shown = Shown::new(args, minor, result?);
    removed?;
    output.print(&shown)?;
    Ok(ExitCode::SUCCESS)
}

async fn make_sides(args: &BenchArgs, sides: &mut Vec<Side>) -> Result<(), CliError> {
    for url in &args.urls {
        let options = ClientOptions {
            slots: args.slots,
            connections: args.connections.into(),
            // A server that restarts is no server to measure.
            recovery: Recovery::Off,
            ..args.client.options()?
        };
        let client = args.client.connect_as(url, options).await?;
        let parent = resolve(&client, url, LastLink::Follow).await?.handle;
        let scratch = Scratch::make(&client, &parent).await.at(url)?;
        sides.push(Side { name: url.to_string(), client, scratch });
    }
    Ok(())
}

async fn carry_out(sides: &[Side], plan: &Plan, stop: &CancellationToken) -> Result<Report, CliError> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let begins = |workload: Workload, round: u32, side: &Side| {
        bar.set_message(format!("{workload} on {}, round {}", side.name, round + 1));
    };
    let result = bench::run(sides, plan, stop, &begins).await;
    bar.finish_and_clear();
    result.map_err(|error| match error {
        BenchError::Plan(complaint) => CliError::Usage(complaint),
        BenchError::Stopped => CliError::Interrupted,
        BenchError::Failed { workload, server, source } => {
            CliError::Nfs { subject: format!("{workload} on {server}"), source }
        }
    })
}

/// Removes the scratch directories and takes leave. The first failure is the result.
async fn remove(sides: Vec<Side>) -> Result<(), CliError> {
    let mut result = Ok(());
    for Side { name, client, scratch } in sides {
        let subject = format!("{name}: {} stays there", scratch.name());
        let removed = scratch.remove(&client).await;
        result = result.and(removed.map_err(|error| CliError::Nfs { subject, source: error.source }));
        leave(client).await;
    }
    result
}

async fn leave(client: Client) {
    if let Err(error) = client.leave().await {
        tracing::debug!(%error, "the server keeps this client until its lease ends");
    }
}

impl BenchArgs {
    fn plan(&self) -> Result<Plan, CliError> {
        let small = |amount: Amount, what| {
            u32::try_from(amount.0).map_err(|_| CliError::Usage(format!("{what} is less than 4 GiB")))
        };
        let length = match self.count {
            Some(count) => Length::Count(count),
            None => Length::Time(Duration::from_secs_f64(self.duration)),
        };
        let plan = Plan {
            workloads: if self.workloads.is_empty() { Workload::ALL.to_vec() } else { self.workloads.clone() },
            tasks: self.threads.into(),
            size: self.size.0,
            block: small(self.block, "--block")?,
            files: self.files as usize,
            file_size: small(self.file_size, "--file-size")?,
            length,
            rounds: self.rounds.unwrap_or(if self.urls.len() > 1 { ROUNDS } else { 1 }),
            fsync: self.fsync,
            seed: self.seed,
        };
        plan.check().map_err(|error| CliError::Usage(error.to_string()))?;
        Ok(plan)
    }
}

impl Shown {
    fn new(args: &BenchArgs, minor: Vec<u32>, report: Report) -> Self {
        let BenchArgs { threads, connections, slots, files, fsync, .. } = *args;
        let (size, block, file_size) = (args.size.0, args.block.0, args.file_size.0);
        Self { threads, connections, slots, size, block, files, file_size, fsync, minor, report }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = self.report.servers.len() > 1;
        let letters: Vec<String> = ('a'..='z').map(String::from).take(self.report.servers.len()).collect();
        for ((letter, server), minor) in letters.iter().zip(&self.report.servers).zip(&self.minor) {
            writeln!(f, "{letter}: {server} (4.{minor})")?;
        }
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["workload", "", "operations/s", "data/s", "p50", "p90", "p99", "max"]);
        for workload in &self.report.workloads {
            for (letter, measured) in letters.iter().zip(&workload.measured) {
                table.add_row(row(workload.workload.name(), letter, measured));
            }
            if let Some(ratio) = workload.ratio.filter(|_| several) {
                let cells = [String::new(), "b/a".to_owned(), format!("{:.2}", ratio.throughput), String::new()];
                table.add_row(cells.into_iter().chain([format!("{:.2}", ratio.latency)]));
            }
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        write!(f, "{}", table.trim_fmt())
    }
}

fn row(workload: &str, letter: &str, measured: &Measured) -> [String; 8] {
    let data = match measured.bytes {
        0 => "-".to_owned(),
        _ => Amount(measured.bytes_per_second as u64).to_string(),
    };
    let latency = measured.latency_us;
    let [p50, p90, p99, max] = [latency.p50, latency.p90, latency.p99, latency.max].map(time);
    let operations = format!("{:.1}", measured.operations_per_second);
    [workload.to_owned(), letter.to_owned(), operations, data, p50, p90, p99, max]
}

/// Microseconds for people.
fn time(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} us"),
        1000..1_000_000 => format!("{:.2} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use nfs_client_sim::bench::{Latency, Ratio, WorkloadReport};
    use pretty_assertions::assert_eq;

    use super::*;

    fn report() -> Report {
        let measured = |operations_per_second, bytes| Measured {
            operations: 10,
            bytes,
            seconds: 1.0,
            operations_per_second,
            bytes_per_second: bytes as f64,
            latency_us: Latency { p50: 999, p90: 1500, p99: 2_000_000, max: 3_000_000 },
        };
        let ratio = Some(Ratio { throughput: 2.0, latency: 0.5 });
        let measured = vec![measured(10.0, 2048), measured(20.0, 0)];
        let workload = WorkloadReport { workload: Workload::Stat, measured, ratio };
        Report { servers: vec!["nfs://one/".to_owned(), "nfs://two/".to_owned()], workloads: vec![workload] }
    }

    fn shown() -> Shown {
        Shown {
            threads: 1,
            connections: 1,
            slots: 1,
            size: 1,
            block: 1,
            files: 1,
            file_size: 1,
            fsync: false,
            minor: vec![2, 0],
            report: report(),
        }
    }

    #[test]
    fn the_table_has_a_line_for_each_server_and_the_ratios() {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = shown().to_string().lines().map(words).collect();
        let expected = [
            "a: nfs://one/ (4.2)",
            "b: nfs://two/ (4.0)",
            "workload operations/s data/s p50 p90 p99 max",
            "stat a 10.0 2.0 KiB 999 us 1.50 ms 2.00 s 3.00 s",
            "stat b 20.0 - 999 us 1.50 ms 2.00 s 3.00 s",
            "b/a 2.00 0.50",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_json_has_what_was_measured_and_how() {
        let json = serde_json::to_value(shown()).unwrap();
        assert_eq!(json["servers"][1], "nfs://two/");
        assert_eq!(json["workloads"][0]["workload"], "stat");
        assert_eq!(json["workloads"][0]["measured"][0]["latency_us"]["p99"], 2_000_000);
        assert_eq!((&json["threads"], &json["minor"][0]), (&1.into(), &2.into()));
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!((seconds("0.5"), seconds("60")), (Ok(0.5), Ok(60.0)));
        assert!(seconds("0").is_err() && seconds("nan").is_err() && seconds("x").is_err());
    }
}
