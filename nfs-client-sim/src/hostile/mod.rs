//! What a server must withstand: requests that no honest client sends.
//!
//! Each case is a row: what is done, the rule and where it stands, and what the server may do about it. After each
//! group, while its connections are still open, an honest client must be served about as fast as before. Nothing is
//! touched but a folder that the run makes and removes.

mod answer;
mod cases;
mod health;
mod report;
mod stage;

pub use health::vitals;
pub use report::{CaseReport, Group, Health, Report, Verdict, Vitals};

use std::net::SocketAddr;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::TryStreamExt;
use nfs4_protocol::nfs4::{Entry4, MINOR_VERSION_MAX, NfsFh4};

use crate::{Client, ClientOptions, Error, ListingSize, Result};
use answer::{Allowed, Answer};
use health::Baseline;
use stage::{CONTENT, FILE, Stage};

/// What to attack, and how hard.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server.
    pub addr: SocketAddr,
    /// The directory to work in; the run makes a folder there and removes it.
    pub directory: String,
    /// How many connections at a time the case with very many of them opens.
    pub connections: usize,
    /// The server's process, if it runs on this machine and may be looked at.
    pub pid: Option<u32>,
}

/// Cases of one kind.
struct Cases {
    name: &'static str,
    cases: &'static [Case],
}

/// One attack.
struct Case {
    /// What is done.
    name: &'static str,
    /// Where the rule stands.
    section: &'static str,
    /// What the rule wants.
    requires: &'static str,
    /// Which minor versions it is about.
    about: About,
    /// What the server may do.
    allowed: &'static [Allowed],
    play: Play,
}

/// Does it, and says what the server did.
type Play = for<'a> fn(&'a mut Stage) -> BoxFuture<'a, Result<Answer>>;

/// The minor versions that a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// Any.
    All,
    /// 4.0.
    Minor0,
    /// Those with sessions.
    Sessions,
}

impl About {
    fn is_in(self, minors: &[u32]) -> bool {
        match self {
            Self::All => true,
            Self::Minor0 => minors.contains(&0),
            Self::Sessions => minors.iter().any(|minor| *minor > 0),
        }
    }
}

/// Runs all cases against a server.
///
/// # Errors
/// When the server cannot be reached, offers no minor version, or does not let the folder be made or removed.
pub fn run(options: Options) -> BoxFuture<'static, Result<Report>> {
    attack(options).boxed()
}

async fn attack(options: Options) -> Result<Report> {
    let minors = minors(options.addr).await?;
    let lowest = minors.first().copied().unwrap_or_default();
    let honest = Client::connect(options.addr, lowest, ClientOptions::default()).await?;
    let directory = honest.resolve(&options.directory).await?.handle;
    let folder_name = format!("{}.hostile", ClientOptions::default().name.replace(' ', "-"));
    let folder = honest.mkdir(&directory, &folder_name, 0o755).await?;
    honest.write_file(&folder, FILE, CONTENT, 1).await?;
    let file = honest.lookup(&folder, FILE).await?.handle;
    let mut stage = Stage::new(options.addr, minors.clone(), folder.clone(), file, options.connections.max(1));
    let report = play_all(&options, &mut stage).await;
    // Whatever came of it, the folder goes.
    let cleared = clear(&honest, &folder).await;
    let removed = honest.remove(&directory, &folder_name).await;
    let report = report?;
    cleared.and(removed)?;
    Ok(Report { minors, ..report })
}

async fn play_all(options: &Options, stage: &mut Stage) -> Result<Report> {
    let baseline = Baseline::measure(options, stage.lowest()).await?;
    let before = options.pid.and_then(vitals);
    let mut groups = Vec::new();
    for group in cases::ALL {
        tracing::info!(group = group.name, cases = group.cases.len(), "attacking");
        let mut cases = Vec::new();
        for case in group.cases {
            cases.push(play(case, stage).await);
        }
        let mut health = baseline.check(options, stage.lowest()).await;
        stage.held.clear();
        health.vitals = health::settled(options.pid, before).await;
        groups.push(Group { name: group.name, cases, health });
    }
    let server = options.addr.to_string();
    Ok(Report {
        server,
        minors: Vec::new(),
        baseline_ms: baseline.typical_ms(),
        bound_ms: baseline.bound_ms(),
        before,
        groups,
    })
}

async fn play(case: &Case, stage: &mut Stage) -> CaseReport {
    let report = |came: String, verdict| CaseReport {
        name: case.name,
        section: case.section,
        requires: case.requires,
        came,
        verdict,
    };
    if !case.about.is_in(&stage.minors) {
        return report("the server has no such minor version".into(), Verdict::Skipped);
    }
    match (case.play)(stage).await {
        Ok(answer) if case.allowed.iter().any(|allowed| allowed.is(&answer)) => {
            report(answer.to_string(), Verdict::Passed)
        }
        Ok(answer) => report(answer.to_string(), Verdict::Failed),
        Err(error) => report(format!("the case could not be played: {error}"), Verdict::Failed),
    }
}

/// The minor versions that a server offers, ascending.
async fn minors(addr: SocketAddr) -> Result<Vec<u32>> {
    let mut minors = Vec::new();
    let mut why = Error::NotInMinor { minor: 0, what: "the server" };
    for minor in 0..=MINOR_VERSION_MAX {
        match Client::connect(addr, minor, ClientOptions::default()).await {
            Ok(client) => {
                minors.push(minor);
                // It would end with its lease too.
                let _ = client.leave().await;
            }
            Err(error) if error.status().is_some() => why = error,
            Err(error) => return Err(error),
        }
    }
    if minors.is_empty() { Err(why) } else { Ok(minors) }
}

/// Removes all that the cases left in the folder.
async fn clear(client: &Client, folder: &NfsFh4) -> Result<()> {
    // Not all names that were made are UTF-8.
    let entries: Vec<Entry4> = client.readdir(folder, ListingSize::default(), &[]).try_collect().await?;
    for entry in entries {
        client.remove(folder, entry.name).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
