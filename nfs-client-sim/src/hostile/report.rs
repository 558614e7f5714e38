//! What came of the attacks.

use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// How wide the report is, in characters.
const WIDTH: u16 = 150;

/// All that was tried.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The server.
    pub server: String,
    /// The minor versions that it offers.
    pub minors: Vec<u32>,
    /// How long an honest client took before the attacks, in milliseconds; the middle of several.
    pub baseline_ms: f64,
    /// How long one may take after them.
    pub bound_ms: f64,
    /// What the server's process held before, where it could be seen.
    pub before: Option<Vitals>,
    /// The groups, in the order in which they were tried.
    pub groups: Vec<Group>,
}

/// Cases of one kind, and how the server was afterwards.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// What the cases have in common.
    pub name: &'static str,
    /// The cases.
    pub cases: Vec<CaseReport>,
    /// The honest client that came right after, while connections of the attacks were still open.
    pub health: Health,
}

/// One attack.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    /// What was done.
    pub name: &'static str,
    /// Where the rule stands.
    pub section: &'static str,
    /// What the rule wants.
    pub requires: &'static str,
    /// What the server did.
    pub came: String,
    /// Whether that is allowed.
    pub verdict: Verdict,
}

/// What is thought of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The server did what it may do.
    Passed,
    /// It did not.
    Failed,
    /// The server has not what the case is about.
    Skipped,
}

/// How the server was after a group.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// How long an honest client took to connect, to become known and to look at a directory, in milliseconds.
    pub served_ms: Option<f64>,
    /// Why it was not served.
    pub error: Option<String>,
    /// Whether it was served in time.
    pub good: bool,
    /// What the server's process held after the attackers had left, where it could be seen.
    pub vitals: Option<Vitals>,
}

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Vitals {
    /// Resident memory, in KiB as the kernel counts.
    pub resident_kib: u64,
    /// Open sockets, listening ones included.
    pub sockets: u64,
    /// Threads.
    pub threads: u64,
}

impl Report {
    /// Whether no case failed and every honest client was served in time.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures().next().is_none() && self.groups.iter().all(|group| group.health.good)
    }

    /// The cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CaseReport> {
        self.groups.iter().flat_map(|group| &group.cases).filter(|case| case.verdict == Verdict::Failed)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.groups.iter().flat_map(|group| &group.cases).filter(|case| case.verdict == verdict).count()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

impl fmt::Display for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident_kib, sockets, threads } = self;
        write!(f, "the server holds {} MiB, {sockets} sockets, {threads} threads", resident_kib >> 10)
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.served_ms, &self.error) {
            (Some(ms), None) => write!(f, "honest client afterwards: served in {ms:.1} ms")?,
            (_, Some(error)) => write!(f, "honest client afterwards: NOT SERVED: {error}")?,
            (None, None) => f.write_str("honest client afterwards: NOT SERVED")?,
        }
        if !self.good && self.error.is_none() {
            f.write_str(", TOO LATE")?;
        }
        self.vitals.map_or(Ok(()), |vitals| write!(f, "; {vitals}"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minors: Vec<String> = self.minors.iter().map(|minor| format!("4.{minor}")).collect();
        writeln!(f, "{}, NFS {}", self.server, minors.join(", "))?;
        writeln!(f, "an honest client takes {:.1} ms; allowed: {:.0} ms", self.baseline_ms, self.bound_ms)?;
        if let Some(before) = self.before {
            writeln!(f, "before: {before}")?;
        }
        for group in &self.groups {
            let mut table = Table::new();
            table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(WIDTH);
            table.set_header(vec![group.name, "rule", "wants", "came", "verdict"]);
            for case in &group.cases {
                let verdict = case.verdict.to_string();
                table.add_row(vec![case.name, case.section, case.requires, &case.came, &verdict]);
            }
            writeln!(f, "\n{table}\n{}", group.health)?;
        }
        let (passed, failed) = (self.count(Verdict::Passed), self.count(Verdict::Failed));
        let skipped = self.count(Verdict::Skipped);
        write!(f, "\n{passed} passed, {failed} failed, {skipped} skipped")
    }
}
