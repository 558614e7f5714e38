//! What a replay found.

use std::fmt;

use serde::Serialize;

use super::expected::Expectations;

/// What a replay found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The calls of the client, in the order of the recording.
    pub exchanges: Vec<Exchange>,
    /// How often the server was restarted.
    pub restarts: usize,
    /// Recorded restarts that were passed over, as nobody said how to restart the server.
    pub restarts_passed_over: usize,
    /// Recorded callbacks. They are the server's to send, and are not looked at.
    pub callbacks: usize,
}

/// One call, then and now.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    /// Its number among the calls of the client, from 1.
    pub number: usize,
    /// The connection in the recording.
    pub connection: u32,
    /// What was called: `COMPOUND minor=1 sys(0,0)`.
    pub call: String,
    /// The operations as recorded, normalised.
    pub operations: Vec<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// How often it was sent; more than once when the server asked to come back later.
    pub tries: u32,
    /// What came now, normalised: the status and one line for each result.
    pub results: Vec<String>,
    /// What differs from the recording, in the order of the operations.
    pub differences: Vec<Difference>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was sent, and its reply was compared.
    Compared,
    /// It was sent; its recorded reply is missing from the trace.
    NotCompared,
    /// It was not sent.
    LeftOut(LeftOut),
}

/// Why a call was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// It was never answered; the client then sent it again or gave up.
    Unanswered,
    /// It was answered with NFS4ERR_DELAY or NFS4ERR_GRACE; the client then sent it again.
    ComeBackLater,
    /// An OPEN_CONFIRM that the server of now did not ask for.
    NoConfirmation,
    /// A probe for RPC-with-TLS, which a replay does not speak.
    Tls,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// The operation: `LOOKUP`; `RPC` for the call as a whole.
    pub operation: String,
    /// What was recorded.
    pub recorded: String,
    /// What came now.
    pub now: String,
    /// Why that is as it should be, where somebody said so.
    pub reason: Option<String>,
}

/// What kind of a difference it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The status.
    Status,
    /// The same status, and something else in the result.
    Result,
}

impl Report {
    /// Gives the differences their reasons. `trace` is the name of the trace.
    pub fn explain(&mut self, trace: &str, expectations: &Expectations) {
        for exchange in &mut self.exchanges {
            for difference in &mut exchange.differences {
                difference.reason = expectations.reason(trace, exchange.number, difference).map(str::to_owned);
            }
        }
    }

    /// The differences without a reason: those of status, or all.
    pub fn unexplained(&self, only_status: bool) -> impl Iterator<Item = (&Exchange, &Difference)> {
        self.different(only_status).filter(|(_, difference)| difference.reason.is_none())
    }

    /// The exchanges with a difference of status, or with any.
    pub fn different(&self, only_status: bool) -> impl Iterator<Item = (&Exchange, &Difference)> {
        let counts = move |difference: &&Difference| !only_status || difference.kind == DifferenceKind::Status;
        self.exchanges.iter().flat_map(move |exchange| {
            exchange.differences.iter().filter(counts).map(move |difference| (exchange, difference))
        })
    }

    /// Calls whose replies were compared.
    #[must_use]
    pub fn compared(&self) -> usize {
        self.exchanges.iter().filter(|exchange| exchange.outcome == Outcome::Compared).count()
    }

    /// What came now for each call, normalised: the same for each run against the same server.
    #[must_use]
    pub fn normalised(&self) -> String {
        let mut text = String::new();
        for exchange in &self.exchanges {
            text.push_str(&format!("#{} {}\n", exchange.number, exchange.call));
            match exchange.outcome {
                Outcome::LeftOut(why) => text.push_str(&format!("  not sent: {why}\n")),
                _ => exchange.results.iter().for_each(|line| text.push_str(&format!("  {line}\n"))),
            }
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for exchange in self.exchanges.iter().filter(|exchange| !exchange.differences.is_empty()) {
            let mark = if std::mem::take(&mut first) { " (the first difference)" } else { "" };
            writeln!(f, "#{} on connection {}: {}{mark}", exchange.number, exchange.connection, exchange.call)?;
            exchange.operations.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
            exchange.differences.iter().try_for_each(|difference| writeln!(f, "{difference}"))?;
        }
        let sent_again = self.exchanges.iter().filter(|exchange| exchange.tries > 1).count();
        let (all, compared) = (self.exchanges.len(), self.compared());
        write!(f, "{all} calls, {compared} compared, {sent_again} sent more than once")?;
        for why in [LeftOut::Unanswered, LeftOut::ComeBackLater, LeftOut::NoConfirmation, LeftOut::Tls] {
            let outcome = Outcome::LeftOut(why);
            match self.exchanges.iter().filter(|exchange| exchange.outcome == outcome).count() {
                0 => {}
                count => write!(f, "; {count} not sent: {why}")?,
            }
        }
        if self.restarts_passed_over > 0 {
            write!(f, "; {} restarts of the server passed over", self.restarts_passed_over)?;
        }
        let statuses = self.different(true).count();
        write!(f, "; {statuses} differences of status, {} of results", self.different(false).count() - statuses)
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unanswered => "never answered in the recording",
            Self::ComeBackLater => "answered with DELAY or GRACE in the recording",
            Self::NoConfirmation => "OPEN_CONFIRM that was not asked for",
            Self::Tls => "probe for TLS",
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  - {}\n  + {}", self.recorded, self.now)?;
        self.reason.iter().try_for_each(|reason| write!(f, "\n    {reason}"))
    }
}
