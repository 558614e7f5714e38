//! Packet captures, `pcap` and `pcapng`, as traces.
//!
//! [`capture`] takes the file apart, [`packet`] and [`rdma`] the packets, [`stream`] puts segments in order, [`record`]
//! cuts streams into messages and finds its way back after gaps, [`connection`] tells who is the client. A connection
//! belongs to the trace when a call of NFS or of a callback program came over it, whatever its ports are.

mod capture;
mod connection;
mod packet;
mod rdma;
mod record;
mod stream;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use nfs4_protocol::nfs4::{NfsArgop4, NfsImplId4, NfsResop4};

use crate::trace::{Arguments, Event, Header, Origin, Results, TRACE_BYTES_MAX, Trace, TraceError, text::MAGIC};
use capture::{Ending, Packet};
use connection::Connection;
use packet::Content;
use record::Programs;

/// The most connections of a capture, of NFS or not.
pub const CONNECTIONS_MAX: usize = 65_536;

/// The longest trace as text that is read, in bytes; that of [`TRACE_BYTES_MAX`] is shorter.
const TEXT_LEN_MAX: u64 = 4 << 30;

/// Why a capture gives no trace.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file does not begin as a capture.
    #[error("neither a pcap nor a pcapng file")]
    NotACapture,
    /// The system could not read it.
    #[error("the capture cannot be read")]
    Read,
    /// Messages, finished or not, exceed [`TRACE_BYTES_MAX`].
    #[error(
        "the messages exceed {TRACE_BYTES_MAX} bytes: cut the capture into parts, with `editcap -c`, and import each"
    )]
    TooLarge,
    /// There are more than [`CONNECTIONS_MAX`] connections.
    #[error("more than {CONNECTIONS_MAX} connections: leave others out, with `tshark -Y nfs -w`, and import that")]
    TooManyConnections,
    /// Nothing in it is NFS.
    #[error("no NFS in {packets} packets{}", joined(.notes))]
    NoNfs {
        /// The packets of the capture.
        packets: u64,
        /// What may explain it.
        notes: Vec<String>,
    },
}

fn joined(notes: &[String]) -> String {
    notes.iter().map(|note| format!("; {note}")).collect()
}

/// A trace out of a capture.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The trace. Its notes say what could not be read.
    pub trace: Trace,
    /// The time of the first packet, since 1970-01-01 UTC.
    pub started: Duration,
}

/// Reads a capture.
///
/// # Errors
/// [`ImportError`]. A capture that ends too early or is damaged gives the trace up to there, with a note.
pub fn import(source: impl Read + Send) -> Result<Imported, ImportError> {
    let mut importer = Importer::default();
    let ending = capture::each_packet(source, |packet| importer.packet(&packet))?;
    importer.finish(ending)
}

/// Why a file gives no trace.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The system could not read it.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A trace with a mistake.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The file begins neither as a trace nor as a capture.
    #[error("neither a trace, which begins with `{MAGIC}`, nor a pcap or pcapng file")]
    Neither,
    /// A capture without a trace in it.
    #[error(transparent)]
    Import(ImportError),
}

/// Reads a trace, or a capture, whichever the file begins as.
///
/// # Errors
/// [`LoadError`].
pub fn load(path: &Path) -> Result<Trace, LoadError> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start)?;
    let whole = start.as_slice().chain(file);
    if start != MAGIC.as_bytes() {
        return match import(whole) {
            Ok(imported) => Ok(imported.trace),
            Err(ImportError::NotACapture) => Err(LoadError::Neither),
            Err(error) => Err(LoadError::Import(error)),
        };
    }
    let mut text = String::new();
    if whole.take(TEXT_LEN_MAX).read_to_string(&mut text)? as u64 == TEXT_LEN_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than any trace").into());
    }
    Ok(Trace::read(&text)?)
}

/// When a packet was captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    /// Its number in the capture, from 1. Orders events, because clocks may jump.
    number: u64,
    /// Since 1970.
    at: Duration,
}

/// The bytes that the import holds.
#[derive(Debug, Default)]
struct Budget {
    used: usize,
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Result<(), ImportError> {
        self.used = self.used.saturating_add(bytes);
        if self.used > TRACE_BYTES_MAX { Err(ImportError::TooLarge) } else { Ok(()) }
    }

    const fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }
}

/// Everything that is known while packets go by.
#[derive(Debug, Default)]
struct Importer {
    stamp: Stamp,
    started: Option<Duration>,
    /// The latest connection of each pair of ends, an index into `connections`.
    current: HashMap<(SocketAddr, SocketAddr), usize>,
    connections: Vec<Connection>,
    memory: rdma::Memory,
    programs: Programs,
    budget: Budget,
    /// Packets that could not be used, by reason.
    left_out: BTreeMap<String, u64>,
}

impl Importer {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), ImportError> {
        self.started.get_or_insert(packet.at);
        self.stamp = Stamp { number: self.stamp.number + 1, at: packet.at };
        match packet::content(packet) {
            Content::Segment(segment) => {
                let index = self.connection(segment.from, segment.to, segment.opens())?;
                let Some(connection) = self.connections.get_mut(index) else { return Ok(()) };
                connection.segment(&segment, self.stamp, &mut self.programs, &mut self.budget)
            }
            Content::Rdma(datagram) => self.rdma(&datagram),
            Content::Other => Ok(()),
            Content::Unusable(why) => {
                *self.left_out.entry(why).or_default() += 1;
                Ok(())
            }
        }
    }

    fn rdma(&mut self, datagram: &rdma::Datagram<'_>) -> Result<(), ImportError> {
        match self.memory.add(datagram, &mut self.budget)? {
            rdma::Found::Nothing => Ok(()),
            rdma::Found::Elsewhere => {
                *self.left_out.entry("RDMA messages that do not stand in one packet".to_owned()).or_default() += 1;
                Ok(())
            }
            rdma::Found::Message(message) => {
                let index = self.connection(datagram.from, datagram.to, None)?;
                let Some(connection) = self.connections.get_mut(index) else { return Ok(()) };
                connection.message(datagram.from, message, self.stamp, &mut self.programs, &mut self.budget)
            }
        }
    }

    /// The connection of two ends; a new one when there is none, or when one end opens it with another sequence number.
    fn connection(&mut self, from: SocketAddr, to: SocketAddr, opens: Option<u32>) -> Result<usize, ImportError> {
        let key = (from.min(to), from.max(to));
        if let Some(index) = self.current.get(&key) {
            let again = |connection: &Connection| opens.is_none_or(|seq| connection.is_opened_by(from, seq));
            if self.connections.get(*index).is_some_and(again) {
                return Ok(*index);
            }
        }
        if self.connections.len() >= CONNECTIONS_MAX {
            return Err(ImportError::TooManyConnections);
        }
        let index = self.connections.len();
        self.connections.push(Connection::new(key.0, key.1));
        self.current.insert(key, index);
        Ok(index)
    }

    fn finish(mut self, ending: Ending) -> Result<Imported, ImportError> {
        for connection in &mut self.connections {
            connection.finish(&mut self.programs, &mut self.budget)?;
        }
        let mut notes = Vec::new();
        match ending {
            Ending::Whole => {}
            Ending::Cut => notes.push(format!("the capture ends inside of packet {}", self.stamp.number + 1)),
            Ending::Damaged => notes.push(format!("the capture is damaged behind packet {}", self.stamp.number)),
        }
        for (why, count) in &self.left_out {
            notes.push(format!("left out: {count} {why}"));
        }
        self.connections.retain(Connection::is_nfs);
        self.connections.sort_by_cached_key(Connection::first);
        let mut events = Vec::new();
        for (number, connection) in (1..).zip(self.connections) {
            notes.extend(connection.notes().map(|note| format!("connection {number}: {note}")));
            events.extend(connection.into_events(number));
        }
        if events.is_empty() {
            return Err(ImportError::NoNfs { packets: self.stamp.number, notes });
        }
        let events = in_order(events);
        let header = Header { origin: Origin::Imported, notes, ..Header::default() };
        let mut trace = Trace { header, events };
        describe(&mut trace);
        Ok(Imported { trace, started: self.started.unwrap_or_default() })
    }
}

/// Events of all connections in the order of the capture, with the time since the first; clocks that went back stand
/// still.
fn in_order(mut events: Vec<(Stamp, Event)>) -> Vec<Event> {
    events.sort_by_key(|(stamp, _)| stamp.number);
    let base = events.first().map_or(Duration::ZERO, |(stamp, _)| stamp.at);
    let mut latest = Duration::ZERO;
    let at = |(stamp, event): (Stamp, Event)| {
        latest = latest.max(stamp.at.saturating_sub(base));
        Event { at: latest, ..event }
    };
    events.into_iter().map(at).collect()
}

/// Fills in what the messages tell about client, server and minor version.
fn describe(trace: &mut Trace) {
    let mut minors = BTreeSet::new();
    let (mut client, mut server) = (None, None);
    for exchange in trace.exchanges() {
        let Arguments::Compound(args) = exchange.call.arguments else { continue };
        minors.insert(args.minorversion);
        for op in args.argarray {
            if let NfsArgop4::ExchangeId(args) = op {
                client = client.or(args.client_impl_id);
            }
        }
        if let Some(Results::Compound(res)) = exchange.reply.map(|(_, reply)| reply.results) {
            for res in res.resarray {
                if let NfsResop4::ExchangeId(res) = res {
                    server = server.or(res.ok().and_then(|res| res.server_impl_id));
                }
            }
        }
    }
    let text = |id: NfsImplId4| String::from_utf8_lossy(&id.name).trim_matches('\0').to_owned();
    let name = |id: Option<NfsImplId4>| id.map(text).unwrap_or_default();
    trace.header.client = name(client);
    trace.header.server = name(server);
    trace.header.minor = minors.first().copied().filter(|_| minors.len() == 1);
}

#[cfg(test)]
mod tests;
