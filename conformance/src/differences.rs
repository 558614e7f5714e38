//! What a foreign server is known to do otherwise than the tests demand.

use std::fmt::Write as _;
use std::io::Write as _;
use std::thread::Result as Outcome;

/// The lines of the file that `NFS_EXPECTED` names: `file::test [MINOR] REASON`, and comments from `#` on.
///
/// A test is named as the harness prints it, without the cases. Without a minor version the line stands for all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences(Vec<Difference>);

#[derive(Debug, PartialEq, Eq)]
struct Difference {
    test: String,
    minor: Option<u32>,
    reason: String,
}

impl Differences {
    /// The file's lines; none without `NFS_EXPECTED`.
    pub(crate) fn load() -> Self {
        let Some(path) = std::env::var_os("NFS_EXPECTED") else { return Self::default() };
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        lines.filter(|line| !line.is_empty()).map(parse_line).collect::<Result<_, _>>().map(Self)
    }

    fn reason(&self, test: &str, minor: u32) -> Option<&str> {
        let found = self.0.iter().find(|known| known.test == test && known.minor.is_none_or(|only| only == minor));
        found.map(|known| known.reason.as_str())
    }

    /// Passes what was expected, and fails otherwise: a failure that is not in the file, or a success that is.
    pub(crate) fn judge(&self, test: &str, minor: u32, outcome: Outcome<()>) {
        match (outcome, self.reason(test, minor)) {
            (Ok(()), None) => {}
            (Ok(()), Some(reason)) => panic!("{test} {minor} no longer differs; strike it off NFS_EXPECTED: {reason}"),
            (Err(panic), None) => std::panic::resume_unwind(panic),
            (Err(_), Some(reason)) => {
                let mut line = String::new();
                let _ = writeln!(line, "{test} {minor}: expected: {reason}");
                // In one piece, and past the harness, which shows nothing of a test that passes.
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        }
    }
}

fn parse_line(line: &str) -> Result<Difference, String> {
    let (test, rest) = line.split_once(char::is_whitespace).ok_or_else(|| format!("no reason: {line}"))?;
    let rest = rest.trim_start();
    let first = rest.split_whitespace().next().unwrap_or_default();
    let minor = first.parse().ok();
    let reason = if minor.is_some() { rest[first.len()..].trim_start() } else { rest };
    if reason.is_empty() {
        return Err(format!("no reason: {line}"));
    }
    Ok(Difference { test: test.to_owned(), minor, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use pretty_assertions::assert_eq;

    use super::*;

    const FILE: &str = "# of a server\nlookup::of_nothing  says INVAL # always\n\nopen::of_all 1  is slow\n";

    #[test]
    fn a_line_stands_for_one_minor_version_or_all() {
        let known = Differences::parse(FILE).unwrap();
        assert_eq!(known.reason("lookup::of_nothing", 2), Some("says INVAL"));
        assert_eq!(known.reason("open::of_all", 1), Some("is slow"));
        assert_eq!(known.reason("open::of_all", 0), None);
        assert_eq!(known.reason("of_all", 1), None);
    }

    #[test]
    fn a_difference_needs_a_reason() {
        assert!(Differences::parse("lookup::of_nothing").is_err());
        assert!(Differences::parse("lookup::of_nothing 1 # later").is_err());
    }

    #[test]
    fn only_what_was_expected_passes() {
        let judge = |test: &'static str, fails: bool| {
            catch_unwind(move || {
                let outcome = if fails { Err(Box::new("wrong") as _) } else { Ok(()) };
                Differences::parse(FILE).unwrap().judge(test, 1, outcome);
            })
        };
        assert!(judge("open::of_all", true).is_ok());
        assert!(judge("open::of_all", false).is_err());
        assert!(judge("open::other", true).is_err());
        assert!(judge("open::other", false).is_ok());
    }
}
