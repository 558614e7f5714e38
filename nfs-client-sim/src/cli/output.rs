//! What commands print: results on standard output, the rest on standard error.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

use super::CliError;

/// How results are printed.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    verb: String,
    json: bool,
}

impl Output {
    /// The output of the command of this name.
    pub(crate) fn new(verb: impl Into<String>, json: bool) -> Self {
        Self { verb: verb.into(), json }
    }

    /// Whether the user asked for JSON.
    pub(crate) const fn json(&self) -> bool {
        self.json
    }

    /// Prints one result and ends the line: as JSON if the user asked for that.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub(crate) fn print<T: Serialize + Display>(&self, result: &T) -> Result<(), CliError> {
        let line = if self.json { to_json(result)? } else { format!("{result}\n").into_bytes() };
        self.bytes(&line)
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(CliError::Output)
    }

    /// Tells the user something on standard error.
    pub(crate) fn note(&self, text: impl Display) {
        // Nobody is left to be told that standard error is gone.
        let _ = writeln!(std::io::stderr(), "nfs-client-sim: {} {text}", self.verb);
    }

    /// Says what went wrong, unless that is only that nobody reads any more. Returns the exit status.
    pub(crate) fn failure(&self, error: &CliError) -> u8 {
        if !error.is_silent() {
            self.note(error);
        }
        error.exit_status()
    }
}

fn to_json<T: Serialize>(result: &T) -> Result<Vec<u8>, CliError> {
    let mut line = serde_json::to_vec(result).map_err(|error| CliError::Failed(format!("JSON: {error}")))?;
    line.push(b'\n');
    Ok(line)
}
