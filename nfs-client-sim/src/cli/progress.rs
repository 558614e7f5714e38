//! How far a copy is: on a terminal while it runs, and as its result.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::amount::Amount;

const KNOWN: &str = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const UNKNOWN: &str = "{spinner} {bytes} {bytes_per_sec} {msg}";

/// What was copied so far. The bar is shown on standard error, if that is a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    bytes: AtomicU64,
    files: AtomicU64,
    directories: AtomicU64,
    links: AtomicU64,
}

/// What was copied in the end.
#[derive(Debug, Serialize)]
pub(crate) struct Copied {
    bytes: u64,
    files: u64,
    directories: u64,
    links: u64,
    seconds: f64,
}

impl Progress {
    /// `total` bytes, where that is known beforehand.
    pub(crate) fn new(total: Option<u64>) -> Self {
        let (bar, style) = match total {
            Some(total) => (ProgressBar::new(total), KNOWN),
            None => (ProgressBar::no_length(), UNKNOWN),
        };
        // A template that does not parse would leave the default bar, which is as true.
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let zero = AtomicU64::default;
        Self {
            bar: bar.with_style(style),
            started: Instant::now(),
            bytes: zero(),
            files: zero(),
            directories: zero(),
            links: zero(),
        }
    }

    pub(crate) fn bytes(&self, count: u64) {
        self.bytes.fetch_add(count, Ordering::Relaxed);
        self.bar.inc(count);
    }

    pub(crate) fn file(&self) {
        let files = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar.set_message(format!("{files} files"));
    }

    pub(crate) fn directory(&self) {
        self.directories.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn link(&self) {
        self.links.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes the bar away and counts.
    pub(crate) fn finish(&self) -> Copied {
        self.bar.finish_and_clear();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Copied {
            bytes: count(&self.bytes),
            files: count(&self.files),
            directories: count(&self.directories),
            links: count(&self.links),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, files, directories, links, seconds } = self;
        let count = |count: &u64, word: &str| match count {
            0 => None,
            1 => Some(format!("1 {word}")),
            more => Some(format!("{more} {}s", word.replace("directory", "directorie"))),
        };
        let things = [count(files, "file"), count(directories, "directory"), count(links, "link")];
        let things: Vec<String> = things.into_iter().flatten().collect();
        let rate = Amount((*bytes as f64 / seconds.max(1e-9)) as u64);
        write!(f, "{}: {} in {seconds:.2} s ({rate}/s)", things.join(", "), Amount(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_said_in_one_line() {
        let copied = Copied { bytes: 2048, files: 2, directories: 1, links: 0, seconds: 2.0 };
        assert_eq!(copied.to_string(), "2 files, 1 directory: 2.0 KiB in 2.00 s (1.0 KiB/s)");
        let copied = Copied { bytes: 0, files: 0, directories: 2, links: 1, seconds: 0.5 };
        assert_eq!(copied.to_string(), "2 directories, 1 link: 0 B in 0.50 s (0 B/s)");
    }

    #[test]
    fn what_is_copied_is_counted() {
        let progress = Progress::new(None);
        progress.bytes(3);
        progress.bytes(4);
        progress.file();
        progress.link();
        let Copied { bytes, files, directories, links, .. } = progress.finish();
        assert_eq!((bytes, files, directories, links), (7, 1, 0, 1));
    }
}
