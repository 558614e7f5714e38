//! A trace as a list for people: one entry per exchange, and one for everything else that happened.

use std::collections::BTreeMap;
use std::fmt;

use nfs4_protocol::nfs4::{NfsArgop4, OpenClaim4};
use serde::{Serialize, Serializer};

use super::render::{Names, Plain};
use super::{Arguments, Call, Event, Exchange, Orphan, Reply, Results, Side, Trace};

/// Which entries are shown. Everything is, where a field is empty.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Exchanges with one of these operations, by the RFC's names, in any case: `LOOKUP`, `CB_RECALL`.
    pub operations: Vec<String>,
    /// Exchanges in which an operation, or the call as a whole, has one of these statuses: `NFS4ERR_NOENT`, `noent`.
    pub statuses: Vec<String>,
    /// Only this connection.
    pub connection: Option<u32>,
    /// Exchanges that failed, or had no reply.
    pub errors: bool,
    /// The first exchange, by its number.
    pub from: Option<usize>,
    /// The last exchange, by its number.
    pub to: Option<usize>,
    /// The bytes of the messages as well.
    pub hex: bool,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Entry {
    /// A call and its reply.
    Exchange(Box<Shown>),
    /// A reply without its call.
    Orphan(Box<Shown>),
    /// Anything else.
    Event {
        /// Seconds since the first event.
        at: f64,
        /// The connection, 0 for none.
        connection: u32,
        /// What happened, as in a file: `opened`, `gap 1448`.
        what: String,
    },
}

/// A call and its reply, as far as they came.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// The number of the exchange, from 1 in the order of the calls; 0 for a reply without its call.
    pub number: usize,
    /// Seconds from the first event to the call.
    pub at: f64,
    /// The connection.
    pub connection: u32,
    /// Who called.
    pub caller: Side,
    /// The xid.
    #[serde(serialize_with = "as_hex")]
    pub xid: u32,
    /// What was called: `COMPOUND minor=1 sys(0,0)`.
    pub call: String,
    /// The operations, by name and, where they have one, the name in the directory.
    pub summary: String,
    /// What became of it.
    pub status: Option<String>,
    /// Seconds from the call to the reply.
    pub duration: Option<f64>,
    /// The operations with their arguments.
    pub arguments: Vec<String>,
    /// The results.
    pub results: Vec<String>,
    /// The call's bytes, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_bytes: Option<String>,
    /// The reply's bytes, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_bytes: Option<String>,
}

fn as_hex<S: Serializer>(xid: &u32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&format!("{xid:08x}"))
}

/// The entries of a trace that pass a filter, in their order.
#[must_use]
pub fn show(trace: &Trace, filter: &Filter) -> Vec<Entry> {
    let (exchanges, orphans) = trace.paired().into_parts();
    let mut entries: BTreeMap<usize, Entry> = BTreeMap::new();
    for (number, exchange) in (1..).zip(&exchanges) {
        let in_range = filter.from.is_none_or(|from| number >= from) && filter.to.is_none_or(|to| number <= to);
        let reply = exchange.reply.as_ref().map(|(_, reply)| reply);
        if in_range && filter.connection_passes(exchange.connection) && filter.passes(Some(&exchange.call), reply) {
            entries.insert(exchange.call_at, Entry::Exchange(Box::new(shown(number, exchange, trace, filter))));
        }
    }
    for orphan in orphans.iter().filter(|_| filter.from.is_none() && filter.to.is_none()) {
        let Some(event) = trace.events.get(orphan.at) else { continue };
        if filter.connection_passes(event.connection) && filter.passes(None, Some(&orphan.reply)) {
            entries.insert(orphan.at, Entry::Orphan(Box::new(shown_orphan(orphan, event, filter))));
        }
    }
    if !filter.is_about_exchanges() {
        let others = trace.events.iter().enumerate().filter(|(_, event)| filter.connection_passes(event.connection));
        entries.extend(others.filter_map(|(at, event)| Some((at, other(event)?))));
    }
    entries.into_values().collect()
}

/// An event that is no message.
fn other(event: &Event) -> Option<Entry> {
    let what = event.what.words()?;
    Some(Entry::Event { at: event.at.as_secs_f64(), connection: event.connection, what })
}

impl Filter {
    fn connection_passes(&self, connection: u32) -> bool {
        self.connection.is_none_or(|wanted| wanted == connection)
    }

    /// Whether only exchanges can pass.
    const fn is_about_exchanges(&self) -> bool {
        !self.operations.is_empty()
            || !self.statuses.is_empty()
            || self.errors
            || self.from.is_some()
            || self.to.is_some()
    }

    fn passes(&self, call: Option<&Call>, reply: Option<&Reply>) -> bool {
        let statuses = reply.map(statuses).unwrap_or_default();
        let operation = |wanted: &String| {
            let mut names = call.map(called).unwrap_or_default();
            names.extend(reply.map(answered).unwrap_or_default());
            names.iter().any(|name| name.eq_ignore_ascii_case(wanted))
        };
        let status = |wanted: &String| statuses.iter().any(|status| is_status(status, wanted));
        (self.operations.is_empty() || self.operations.iter().any(operation))
            && (self.statuses.is_empty() || self.statuses.iter().any(status))
            && (!self.errors || reply.is_none() || statuses.iter().any(|status| !is_good(status)))
    }
}

fn is_good(status: &str) -> bool {
    matches!(status, "NFS4_OK" | "accepted")
}

/// Whether a status is meant by a name: the RFC's, or that without its prefix, in any case.
fn is_status(status: &str, wanted: &str) -> bool {
    let bare = status.strip_prefix("NFS4ERR_").or_else(|| status.strip_prefix("NFS4_")).unwrap_or(status);
    status.eq_ignore_ascii_case(wanted) || bare.eq_ignore_ascii_case(wanted)
}

/// The status of the reply, and those of its operations.
fn statuses(reply: &Reply) -> Vec<String> {
    let mut all = vec![reply.status()];
    match &reply.results {
        Results::Compound(res) => all.extend(res.resarray.iter().map(|res| res.status().rfc_name().to_owned())),
        Results::CbCompound(res) => all.extend(res.resarray.iter().map(|res| res.status().rfc_name().to_owned())),
        Results::Null => {}
        Results::Opaque(_, why) => all.push(why.to_string()),
    }
    all
}

/// The names of the operations of a call.
fn called(call: &Call) -> Vec<&'static str> {
    match &call.arguments {
        Arguments::Compound(args) => args.argarray.iter().map(|op| op.opnum().name()).collect(),
        Arguments::CbCompound(args) => args.argarray.iter().map(|op| bare(op.opnum().rfc_name())).collect(),
        Arguments::Null => vec!["NULL"],
        Arguments::Opaque(..) => Vec::new(),
    }
}

/// The names of the operations of a reply.
fn answered(reply: &Reply) -> Vec<&'static str> {
    match &reply.results {
        Results::Compound(res) => res.resarray.iter().map(|res| res.opnum().name()).collect(),
        Results::CbCompound(res) => res.resarray.iter().map(|res| bare(res.opnum().rfc_name())).collect(),
        Results::Null | Results::Opaque(..) => Vec::new(),
    }
}

fn bare(name: &'static str) -> &'static str {
    name.trim_start_matches("OP_")
}

fn shown(number: usize, exchange: &Exchange, trace: &Trace, filter: &Filter) -> Shown {
    let reply = exchange.reply.as_ref();
    let bytes = |at: usize| {
        let message = trace.events.get(at).and_then(Event::message).filter(|_| filter.hex);
        message.map(|(_, message)| message.iter().map(|byte| format!("{byte:02x}")).collect())
    };
    Shown {
        number,
        at: trace.events.get(exchange.call_at).map_or(0.0, |event| event.at.as_secs_f64()),
        connection: exchange.connection,
        caller: exchange.caller,
        xid: exchange.call.xid,
        call: exchange.call.title(),
        summary: summary(&exchange.call),
        status: reply.map(|(_, reply)| reply.status()),
        duration: exchange.duration.map(|duration| duration.as_secs_f64()),
        arguments: exchange.call.operations(&Plain),
        results: reply.map(|(_, reply)| reply.operations(&Plain)).unwrap_or_default(),
        call_bytes: bytes(exchange.call_at),
        reply_bytes: reply.and_then(|(at, _)| bytes(*at)),
    }
}

fn shown_orphan(orphan: &Orphan, event: &Event, filter: &Filter) -> Shown {
    let message = event.message().filter(|_| filter.hex);
    Shown {
        number: 0,
        at: event.at.as_secs_f64(),
        connection: event.connection,
        caller: event.message().map_or(Side::Client, |(from, _)| from.other()),
        xid: orphan.reply.xid,
        call: "reply without its call".to_owned(),
        summary: answered(&orphan.reply).join(" "),
        status: Some(orphan.reply.status()),
        duration: None,
        arguments: Vec::new(),
        results: orphan.reply.operations(&Plain),
        call_bytes: None,
        reply_bytes: message.map(|(_, message)| message.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

/// The operations of a call in few words: `SEQUENCE PUTFH LOOKUP "file"`.
fn summary(call: &Call) -> String {
    let Arguments::Compound(args) = &call.arguments else { return called(call).join(" ") };
    let mut words = Vec::new();
    for op in &args.argarray {
        words.push(op.opnum().name().to_owned());
        words.extend(subject(op).map(|name| Plain.owner(name)));
    }
    words.join(" ")
}

/// The name in a directory that an operation is about.
fn subject(op: &NfsArgop4) -> Option<&[u8]> {
    match op {
        NfsArgop4::Create(args) => Some(&args.objname),
        NfsArgop4::Link(args) => Some(&args.newname),
        NfsArgop4::Lookup(args) => Some(&args.objname),
        NfsArgop4::Open(args) => match &args.claim {
            OpenClaim4::Null(name) | OpenClaim4::DelegatePrev(name) => Some(name),
            OpenClaim4::DelegateCur(claim) => Some(&claim.file),
            _ => None,
        },
        NfsArgop4::Remove(args) => Some(&args.target),
        NfsArgop4::Rename(args) => Some(&args.newname),
        NfsArgop4::Getxattr(args) => Some(&args.name),
        NfsArgop4::Setxattr(args) => Some(&args.key),
        NfsArgop4::Removexattr(args) => Some(&args.name),
        _ => None,
    }
}

impl fmt::Display for Entry {
    /// One line; in the alternate form one more for each operation, and one for each message whose bytes were asked
    /// for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchange(shown) | Self::Orphan(shown) => shown.fmt(f),
            Self::Event { at, connection, what } => write!(f, "{:>6} {at:>11.6} {connection:>3}   {what}", ""),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = if self.number == 0 { String::new() } else { self.number.to_string() };
        let arrow = self.caller.arrow();
        write!(f, "{number:>6} {:>11.6} {:>3} {arrow} ", self.at, self.connection)?;
        f.write_str(if f.alternate() || self.summary.is_empty() { &self.call } else { &self.summary })?;
        match (&self.status, self.duration) {
            (Some(status), Some(duration)) => write!(f, " -> {status} {:.3} ms", duration * 1000.0)?,
            (Some(status), None) => write!(f, " -> {status}")?,
            (None, _) => write!(f, " -> no reply")?,
        }
        if f.alternate() {
            self.arguments.iter().try_for_each(|line| write!(f, "\n      > {line}"))?;
            self.results.iter().try_for_each(|line| write!(f, "\n      < {line}"))?;
        }
        self.call_bytes.iter().try_for_each(|bytes| write!(f, "\n      > {bytes}"))?;
        self.reply_bytes.iter().try_for_each(|bytes| write!(f, "\n      < {bytes}"))
    }
}
