//! Differences that have a reason.

use super::report::Difference;

/// Differences that have a reason: lines of four words or more, `TRACE CALL OPERATION REASON...`.
///
/// TRACE is a part of the trace's name, CALL the number of the call, OPERATION the name of an operation; `*` is any.
/// Empty lines and lines that begin with `#` do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectations(Vec<Expectation>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Expectation {
    trace: String,
    call: Option<usize>,
    operation: Option<String>,
    reason: String,
}

/// A line that is no expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: not `TRACE CALL OPERATION REASON`, with a number or * for CALL")]
pub struct ExpectationError {
    /// The line, from 1.
    pub line: usize,
}

impl Expectations {
    /// Reads the lines of a file.
    ///
    /// # Errors
    /// [`ExpectationError`] for the first line that is none.
    pub fn read(text: &str) -> Result<Self, ExpectationError> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|(number, line)| expectation(line).ok_or(ExpectationError { line: number }))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The reason for a difference in a call of a trace, if there is one.
    #[must_use]
    pub fn reason(&self, trace: &str, call: usize, difference: &Difference) -> Option<&str> {
        let matches = |expected: &&Expectation| {
            trace.contains(&expected.trace)
                && expected.call.is_none_or(|number| number == call)
                && expected.operation.as_ref().is_none_or(|operation| *operation == difference.operation)
        };
        self.0.iter().find(matches).map(|expected| expected.reason.as_str())
    }
}

fn expectation(line: &str) -> Option<Expectation> {
    let mut words = line.split_whitespace();
    let (trace, call, operation) = (words.next()?, words.next()?, words.next()?);
    let reason: Vec<&str> = words.collect();
    let call = if call == "*" { None } else { Some(call.parse().ok()?) };
    let any = |word: &str| (word != "*").then(|| word.to_owned());
    let trace = any(trace).unwrap_or_default();
    (!reason.is_empty()).then(|| Expectation { trace, call, operation: any(operation), reason: reason.join(" ") })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::report::DifferenceKind;
    use super::*;

    #[test]
    fn a_line_explains_the_differences_that_it_names() {
        let text = "# comment\n\nlinux-6.1/ 7 OPEN delegations are not granted\n* * SECINFO only AUTH_SYS\n";
        let expectations = Expectations::read(text).unwrap();
        let reason = |trace, call, operation: &str| {
            let (recorded, now) = (String::new(), String::new());
            let kind = DifferenceKind::Status;
            let difference = Difference { kind, operation: operation.to_owned(), recorded, now, reason: None };
            expectations.reason(trace, call, &difference).map(str::to_owned)
        };
        assert_eq!(reason("a/linux-6.1/4.1-cp.trace", 7, "OPEN").as_deref(), Some("delegations are not granted"));
        assert_eq!(reason("a/linux-6.1/4.1-cp.trace", 8, "OPEN"), None);
        assert_eq!(reason("a/linux-7/4.1-cp.trace", 7, "OPEN"), None);
        assert_eq!(reason("any", 1, "SECINFO").as_deref(), Some("only AUTH_SYS"));
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        assert_eq!(Expectations::read("\n* * OPEN\n"), Err(ExpectationError { line: 2 }));
        assert_eq!(Expectations::read("* x OPEN why"), Err(ExpectationError { line: 1 }));
    }
}
