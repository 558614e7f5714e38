//! The recorded reply and the reply of now, side by side.

use nfs4_protocol::nfs4::{Compound4Res, NfsArgop4, NfsFh4, NfsResop4};

use super::handles::{Types, current_handles};
use super::normal::{Naming, blank};
use super::report::{Difference, DifferenceKind};
use crate::trace::{Reply, Results, render};

/// Compares replies, and remembers what was named so far.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    naming: Naming,
    types: Types,
}

/// What a comparison says: the reply of now in lines, and what differs.
pub(super) struct Compared {
    pub(super) results: Vec<String>,
    pub(super) differences: Vec<Difference>,
}

impl Comparison {
    /// The recorded operations in lines.
    pub(super) fn operations(&mut self, ops: &[NfsArgop4]) -> Vec<String> {
        ops.iter().for_each(|op| self.naming.add_args(op));
        ops.iter().map(|op| render::argument(op, &self.naming)).collect()
    }

    /// Compares two replies to recorded operations. The identities in `now` are those of the recording already, where
    /// they have one.
    pub(super) fn compare(&mut self, ops: &[NfsArgop4], recorded: Option<&Reply>, now: &Reply) -> Compared {
        let Some(recorded) = recorded else {
            return Compared { results: self.lines(ops, now), differences: Vec::new() };
        };
        if let (Results::Compound(recorded), Results::Compound(now)) = (&recorded.results, &now.results) {
            return self.compounds(ops, recorded, now);
        }
        let (recorded, results) = (self.lines(ops, recorded), self.lines(ops, now));
        let differs = recorded != results;
        let difference = || difference(DifferenceKind::Status, "RPC", recorded.join("; "), results.join("; "));
        Compared { differences: differs.then(difference).into_iter().collect(), results }
    }

    fn compounds(&mut self, ops: &[NfsArgop4], recorded: &Compound4Res, now: &Compound4Res) -> Compared {
        let (recorded_lines, lines) = (self.results(ops, &recorded.resarray), self.results(ops, &now.resarray));
        let mut differences = Vec::new();
        let then = recorded.resarray.iter().zip(&recorded_lines);
        for (then, now) in then.zip(now.resarray.iter().zip(&lines)) {
            differences.extend(difference_of(then, now));
        }
        // One of them may have no results at all, or end sooner without an error.
        if recorded.status != now.status && differences.iter().all(|one| one.kind != DifferenceKind::Status) {
            let (recorded, now) = (recorded.status.to_string(), now.status.to_string());
            differences.push(difference(DifferenceKind::Status, "COMPOUND", recorded, now));
        }
        let status = now.status.to_string();
        Compared { results: [vec![status], lines].concat(), differences }
    }

    fn lines(&mut self, ops: &[NfsArgop4], reply: &Reply) -> Vec<String> {
        let results = match &reply.results {
            Results::Compound(res) => self.results(ops, &res.resarray),
            _ => reply.operations(&self.naming),
        };
        [vec![reply.status()], results].concat()
    }

    fn results(&mut self, ops: &[NfsArgop4], results: &[NfsResop4]) -> Vec<String> {
        let handles = current_handles(ops, results);
        results
            .iter()
            .enumerate()
            .map(|(index, result)| self.line(result, handles.get(index).and_then(Option::as_ref)))
            .collect()
    }

    fn line(&mut self, result: &NfsResop4, handle: Option<&NfsFh4>) -> String {
        let mut result = result.clone();
        blank(&mut result, &mut self.types, handle);
        self.naming.add_result(&result);
        render::result(&result, &self.naming)
    }
}

/// Compares two results with their lines.
fn difference_of(
    (then, then_line): (&NfsResop4, &String),
    (now, now_line): (&NfsResop4, &String),
) -> Option<Difference> {
    if then.status() != now.status() {
        return Some(difference(DifferenceKind::Status, name(then_line), then_line.clone(), now_line.clone()));
    }
    if then_line != now_line {
        return Some(difference(DifferenceKind::Result, name(then_line), then_line.clone(), now_line.clone()));
    }
    // Lines hold the beginning of data only.
    let (then, now) = data(then).zip(data(now)).filter(|(then, now)| then != now)?;
    let at = then.iter().zip(&now).take_while(|(then, now)| then == now).count();
    let now_line = format!("{now_line}, the data differ from byte {at} on");
    Some(difference(DifferenceKind::Result, name(then_line), then_line.clone(), now_line))
}

fn data(result: &NfsResop4) -> Option<Vec<u8>> {
    match result {
        NfsResop4::Read(Ok(body)) => Some(body.data.0.concat()),
        NfsResop4::Getxattr(Ok(body)) => Some(body.value.0.concat()),
        _ => None,
    }
}

/// The operation that a line begins with.
fn name(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn difference(kind: DifferenceKind, operation: &str, recorded: String, now: String) -> Difference {
    Difference { kind, operation: operation.to_owned(), recorded, now, reason: None }
}
