//! The file of a recording.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nfs4_protocol::nfs4::{Compound4Args, NfsArgop4};
use tokio::sync::mpsc;

use super::{Summary, Waiting};
use crate::trace::{Arguments, Event, EventWriter, Header, Trace, What};

/// The note in a trace whose client wants callbacks that the proxy does not see.
const CALLBACK_NOTE: &str =
    "The client named an address for callbacks in SETCLIENTID. They come over connections that are not in this trace.";

/// A trace that grows.
pub(super) struct TraceFile {
    path: PathBuf,
    file: File,
    header: Header,
    writer: EventWriter,
    /// The minor versions seen.
    minors: BTreeSet<u32>,
    has_callback_address: bool,
    summary: Summary,
}

impl TraceFile {
    /// Begins a file with its header.
    pub(super) fn create(path: &Path, header: &Header) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(Trace { header: header.clone(), events: Vec::new() }.to_string().as_bytes())?;
        Ok(Self {
            path: path.to_owned(),
            file,
            header: header.clone(),
            writer: EventWriter::default(),
            minors: BTreeSet::new(),
            has_callback_address: false,
            summary: Summary::default(),
        })
    }

    /// Writes what comes until the senders are gone, then completes the file.
    pub(super) fn write_all(mut self, mut queue: mpsc::UnboundedReceiver<Waiting>) -> io::Result<Summary> {
        while let Some(Waiting { event, _room }) = queue.blocking_recv() {
            self.note(&event);
            // Each event in one call, so that a sudden end leaves whole events.
            self.file.write_all(self.writer.event(&event).as_bytes())?;
        }
        self.complete()?;
        Ok(self.summary)
    }

    fn note(&mut self, event: &Event) {
        match &event.what {
            What::Message { message, .. } => {
                self.summary.messages += 1;
                self.summary.bytes += message.len() as u64;
            }
            What::Restarted => self.summary.restarts += 1,
            What::Opened | What::Closed { .. } | What::Gap { .. } => {}
        }
        if let Some(Arguments::Compound(args)) = event.call().map(|call| call.arguments) {
            self.minors.insert(args.minorversion);
            self.has_callback_address |= asks_for_callbacks(&args);
        }
    }

    /// Writes the file once more, with the whole header.
    fn complete(&mut self) -> io::Result<()> {
        self.header.minor = self.minors.first().copied().filter(|_| self.minors.len() == 1);
        if self.has_callback_address {
            self.header.notes.push(CALLBACK_NOTE.to_owned());
        }
        let text = std::fs::read_to_string(&self.path)?;
        let mut trace = Trace::read(&text).map_err(io::Error::other)?;
        trace.header = self.header.clone();
        let beside = self.path.with_added_extension("new");
        std::fs::write(&beside, trace.to_string())?;
        std::fs::rename(beside, &self.path)
    }
}

/// A SETCLIENTID with an address. Linux names 0.0.0.0 where it wants none.
fn asks_for_callbacks(args: &Compound4Args) -> bool {
    args.argarray.iter().any(|op| match op {
        NfsArgop4::Setclientid(args) => {
            let addr = &args.callback.location.addr;
            !addr.is_empty() && !addr.starts_with(b"0.0.0.0.")
        }
        _ => false,
    })
}
