//! What commands print: results on standard output, the rest on standard error.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

use super::CliError;

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
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
    pub(crate) fn note(&self, text: &dyn Display) {
        // Nobody is left to be told that standard error is gone.
        let _ = writeln!(std::io::stderr(), "nfs-client-sim: {text}");
    }
}

fn to_json<T: Serialize>(result: &T) -> Result<Vec<u8>, CliError> {
    let mut line = serde_json::to_vec(result).map_err(|error| CliError::Failed(format!("JSON: {error}")))?;
    line.push(b'\n');
    Ok(line)
}
