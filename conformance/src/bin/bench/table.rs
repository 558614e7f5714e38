//! The table that the benchmark prints.

use std::collections::BTreeMap;
use std::io::Write;

/// What was measured, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    order: u8,
    what: &'static str,
    unit: &'static str,
}

impl Row {
    pub(crate) const SEQUENTIAL_WRITE: Self = Self::new(0, "sequential write of 256 MiB, to COMMIT and CLOSE", "MiB/s");
    pub(crate) const SEQUENTIAL_WRITE_IN_BUCKET: Self =
        Self::new(1, "sequential write of 256 MiB, to the object in the bucket", "MiB/s");
    pub(crate) const SEQUENTIAL_READ: Self = Self::new(2, "sequential read of 256 MiB, not cached", "MiB/s");
    pub(crate) const SMALL_WRITE: Self = Self::new(3, "200 files of 64 KiB written, to COMMIT and CLOSE", "files/s");
    pub(crate) const SMALL_WRITE_IN_BUCKET: Self =
        Self::new(4, "200 files of 64 KiB written, to the objects in the bucket", "files/s");
    pub(crate) const SMALL_READ: Self = Self::new(5, "200 files of 64 KiB read, not cached", "files/s");
    pub(crate) const NULL: Self = Self::new(6, "NULL, one after the other", "calls/s");
    pub(crate) const NULL_MANY: Self = Self::new(7, "NULL, 8 in flight", "calls/s");
    pub(crate) const GETATTR: Self = Self::new(8, "GETATTR, one after the other", "calls/s");
    pub(crate) const GETATTR_MANY: Self = Self::new(9, "GETATTR, 8 in flight", "calls/s");

    pub(crate) const GUEST_WRITE: Self = Self::new(10, "kernel guest: sequential write of 256 MiB, to fsync", "MiB/s");
    pub(crate) const GUEST_READ: Self = Self::new(11, "kernel guest: sequential read of 256 MiB, not cached", "MiB/s");
    pub(crate) const GUEST_SMALL_WRITE: Self =
        Self::new(12, "kernel guest: 200 files of 64 KiB written, to close", "files/s");
    pub(crate) const GUEST_SMALL_READ: Self =
        Self::new(13, "kernel guest: 200 files of 64 KiB read, not cached", "files/s");

    const fn new(order: u8, what: &'static str, unit: &'static str) -> Self {
        Self { order, what, unit }
    }
}

/// The rounds of each row.
#[derive(Debug, Default)]
pub(crate) struct Table(BTreeMap<Row, Vec<Round>>);

#[derive(Debug, Clone, Copy)]
struct Round {
    gateway: f64,
    direct: Option<f64>,
}

impl Table {
    /// Adds a round: what the gateway did per second, and what the direct way did.
    pub(crate) fn add(&mut self, row: Row, gateway: f64, direct: Option<f64>) {
        self.0.entry(row).or_default().push(Round { gateway, direct });
    }

    /// Prints the medians, and the median of the rounds' ratios; then what was skipped, and why.
    pub(crate) fn print(&self, skipped: Option<&str>) {
        let mut out = std::io::stdout().lock();
        let mut line = |text: String| writeln!(out, "{text}").unwrap();
        line("| what | unit | gateway | direct, 8 streams | ratio |".to_owned());
        line("|---|---|--:|--:|--:|".to_owned());
        for (row, rounds) in &self.0 {
            let gateway = median(rounds.iter().map(|round| round.gateway).collect());
            let direct = median(rounds.iter().filter_map(|round| round.direct).collect());
            let ratio = median(rounds.iter().filter_map(|round| Some(round.gateway / round.direct?)).collect());
            let cell = |value: Option<f64>, digits| value.map_or(String::new(), |value| format!("{value:.digits$}"));
            let (gateway, direct, ratio) = (cell(gateway, 0), cell(direct, 0), cell(ratio, 2));
            line(format!("| {} | {} | {gateway} | {direct} | {ratio} |", row.what, row.unit));
        }
        if let Some(why) = skipped {
            line(format!("\nkernel guest: skipped: {why}"));
        }
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
