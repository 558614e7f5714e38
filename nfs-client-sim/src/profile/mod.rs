//! Client systems to look like: what Linux and macOS send for the same commands.
//!
//! A [`Profile`] gives a client its shape on the wire, and a [`Player`] carries out a [`Scenario`] (`cp`, `rm`, …) with
//! the compounds of that system. Where no such client is at hand, its side of a trace is made so. It is as true as the
//! notes it was written from: a trace of it says that it is synthesised.

mod compounds;
mod linux;
mod macos;
mod player;
mod scenario;

use crate::{ClientOptions, Recovery};
use compounds::Compounds;

pub use player::Player;
pub use scenario::{Restart, Scenario, Stage};

#[cfg(test)]
mod tests;

/// A client system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Linux 6.1.
    Linux,
    /// macOS 15 in 4.0, macOS 26 in 4.1.
    Macos,
}

impl Profile {
    /// Its name and version, for a trace's header.
    #[must_use]
    pub const fn title(self, minor: u32) -> &'static str {
        match (self, minor) {
            (Self::Linux, _) => "Linux 6.1",
            (Self::Macos, 0) => "macOS 15",
            (Self::Macos, _) => "macOS 26",
        }
    }

    /// Whether the system has this minor version.
    #[must_use]
    pub const fn has_minor(self, minor: u32) -> bool {
        match self {
            Self::Linux => minor <= 2,
            Self::Macos => minor <= 1,
        }
    }

    /// Options for a client of this system.
    #[must_use]
    pub fn options(self, minor: u32, options: ClientOptions) -> ClientOptions {
        let (shape, io_bytes) = match self {
            Self::Linux => (linux::shape(), options.io_bytes),
            Self::Macos => (macos::shape(minor), macos::io_bytes()),
        };
        // What goes out by the clock, or to mend something, would be another trace each time.
        ClientOptions { shape, io_bytes, renew: false, recovery: Recovery::Off, callbacks: None, ..options }
    }

    fn compounds(self, minor: u32) -> Box<dyn Compounds> {
        match self {
            Self::Linux => Box::new(linux::Linux::new(minor)),
            Self::Macos => Box::new(macos::Macos::new(minor)),
        }
    }

    /// Whether `> file` sets the size with OPEN, not by a SETATTR after it.
    const fn truncates_with_open(self) -> bool {
        matches!(self, Self::Linux)
    }

    /// The name of the file beside a copied one that holds its extended attributes.
    fn companion(self, name: &str) -> Option<String> {
        matches!(self, Self::Macos).then(|| format!("._{name}"))
    }
}
