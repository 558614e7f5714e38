//! The text format of traces, version 1; see docs/recording.md.
//!
//! The lines that begin with `|` hold the messages and are the truth. The readable lines between them are made from
//! the messages by the writer, and the reader skips them, so that nothing in a file can be true only on the surface:
//! [`check`] finds files whose readable lines are not those of their messages.

use std::fmt::{self, Write};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::exchange::Pairing;
use super::render::Plain;
use super::{Event, Header, MESSAGE_LEN_MAX, Origin, Side, TRACE_BYTES_MAX, Trace, What, render};

/// The first line of a file.
pub(crate) const MAGIC: &str = "nfs-trace 1";
/// Bytes of a message in one line.
const LINE_BYTES: usize = 32;
/// Bytes between spaces.
const GROUP_BYTES: usize = 4;
/// The most notes in a header.
const NOTES_MAX: usize = 1000;

/// What is wrong with a file, and in which line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct TraceError {
    /// The line.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The first line.
    #[error("not a trace: the first line must be `{MAGIC}`")]
    Magic,
    /// A line of the header.
    #[error("not a header line, `name: value`, or a name that is not known or came before: {0:?}")]
    Header(String),
    /// The value of a header line.
    #[error("not a value of {name}: {value:?}")]
    Value {
        /// The name of the header line.
        name: String,
        /// Its value.
        value: String,
    },
    /// The first line of an event.
    #[error("not an event, such as `1 0.000123 > ...` or `1 0.5 opened`: {0:?}")]
    Event(String),
    /// A line of a message.
    #[error("not up to 32 bytes in hexadecimal digits: {0:?}")]
    Hex(String),
    /// `|*n` without a full line before it.
    #[error("only a full line of 32 bytes can be repeated, a number of times above 0: {0:?}")]
    Repeat(String),
    /// Bytes where no message is, or text between the bytes of a message.
    #[error("does not belong here; the bytes of a message follow its readable lines without a gap: {0:?}")]
    Misplaced(String),
    /// The message is too long.
    #[error("the message exceeds the limit of {MESSAGE_LEN_MAX} bytes")]
    MessageTooLong,
    /// All messages together are too long.
    #[error("the messages together exceed the limit of {TRACE_BYTES_MAX} bytes")]
    TraceTooLong,
}

/// A file that is not what writing its trace gives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// The file cannot be read at all.
    #[error(transparent)]
    Unreadable(#[from] TraceError),
    /// The first line that differs.
    #[error("line {line} is {found:?} and should be {wanted:?}: read the file and write it again")]
    Differs {
        /// Which line, from 1.
        line: usize,
        /// What the file has.
        found: String,
        /// What the messages say.
        wanted: String,
    },
}

/// Whether a file is exactly what writing its trace gives, readable lines included.
///
/// # Errors
/// [`Stale`] with the first line that differs.
pub fn check(text: &str) -> Result<(), Stale> {
    let wanted = Trace::read(text)?.to_string();
    if wanted == text {
        return Ok(());
    }
    let (mut found, mut wanted) = (text.split('\n'), wanted.split('\n'));
    for line in 1.. {
        let (found, wanted) = (found.next(), wanted.next());
        if found != wanted || found.is_none() {
            let shown = |text: Option<&str>| text.unwrap_or("the end of the file").to_owned();
            return Err(Stale::Differs { line, found: shown(found), wanted: shown(wanted) });
        }
    }
    Ok(())
}

impl Trace {
    /// Reads a file.
    ///
    /// # Errors
    /// [`TraceError`] names the first line that is wrong.
    pub fn read(text: &str) -> Result<Self, TraceError> {
        let mut lines = Lines { inner: text.lines(), number: 0 };
        if lines.next() != Some(MAGIC) {
            return Err(TraceError { line: 1, problem: Problem::Magic });
        }
        let header = read_header(&mut lines)?;
        let mut events = Vec::new();
        let mut total = 0;
        while let Some(line) = lines.next() {
            if line.is_empty() {
                continue;
            }
            let event = read_event(line, &mut lines)?;
            total += event.message().map_or(0, |(_, message)| message.len());
            if total > TRACE_BYTES_MAX {
                return Err(lines.error(Problem::TraceTooLong));
            }
            events.push(event);
        }
        Ok(Self { header, events })
    }

    /// Writes the text format.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        out.write_all(self.to_string().as_bytes())
    }
}

/// The lines of a file, counted.
struct Lines<'a> {
    inner: std::str::Lines<'a>,
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.inner.next()
    }
}

impl Lines<'_> {
    /// An error in the line that came last.
    const fn error(&self, problem: Problem) -> TraceError {
        TraceError { line: self.number, problem }
    }
}

fn read_header(lines: &mut Lines<'_>) -> Result<Header, TraceError> {
    let mut header = Header::default();
    let mut seen: Vec<&str> = Vec::new();
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let unknown = || Problem::Header(line.to_owned());
        let (name, value) = line.split_once(':').ok_or_else(|| lines.error(unknown()))?;
        let value = value.strip_prefix(' ').unwrap_or(value);
        let limit = if name == "note" { NOTES_MAX } else { 1 };
        if seen.iter().filter(|seen| **seen == name).count() >= limit {
            return Err(lines.error(unknown()));
        }
        seen.push(name);
        let wrong = || lines.error(Problem::Value { name: name.to_owned(), value: value.to_owned() });
        let text = || unescape(value).ok_or_else(wrong);
        match name {
            "origin" => header.origin = origin(value).ok_or_else(wrong)?,
            "client" => header.client = text()?,
            "server" => header.server = text()?,
            "mount" => header.mount = text()?,
            "command" => header.command = text()?,
            "date" => header.date = text()?,
            "directory" => header.directory = text()?,
            "minor" => header.minor = Some(value.parse().map_err(|_| wrong())?),
            "note" => header.notes.push(text()?),
            _ => return Err(lines.error(unknown())),
        }
    }
    Ok(header)
}

fn origin(name: &str) -> Option<Origin> {
    Origin::NAMES.iter().find(|(_, known)| *known == name).map(|(origin, _)| *origin)
}

fn read_event(line: &str, lines: &mut Lines<'_>) -> Result<Event, TraceError> {
    let wrong = lines.error(Problem::Event(line.to_owned()));
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let connection = word().parse().map_err(|_| wrong.clone())?;
    let at = read_seconds(word()).ok_or_else(|| wrong.clone())?;
    let mut message = |from| read_message(lines).map(|message| What::Message { from, message });
    let what = match (word(), word(), word()) {
        ("opened", "", "") => What::Opened,
        ("restarted", "", "") => What::Restarted,
        ("closed", "by", "client") => What::Closed { by: Side::Client },
        ("closed", "by", "server") => What::Closed { by: Side::Server },
        ("gap", bytes, "") => What::Gap { bytes: bytes.parse().map_err(|_| wrong)? },
        (">", ..) => message(Side::Client)?,
        ("<", ..) => message(Side::Server)?,
        _ => return Err(wrong),
    };
    Ok(Event { at, connection, what })
}

/// Seconds with up to six digits behind the point.
fn read_seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let micros: u32 = format!("{fraction:0<6}").parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, micros * 1000))
}

/// Reads the lines of a message up to the empty line behind it.
fn read_message(lines: &mut Lines<'_>) -> Result<Bytes, TraceError> {
    let mut message = BytesMut::new();
    let mut begun = false;
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let problem = match line.strip_prefix('|') {
            Some(rest) => {
                begun = true;
                read_bytes(line, rest, &mut message).err()
            }
            None if !begun && line.starts_with("  ") => None,
            None => Some(Problem::Misplaced(line.to_owned())),
        };
        if let Some(problem) = problem {
            return Err(lines.error(problem));
        }
    }
    Ok(message.freeze())
}

/// Reads what stands behind a `|`.
fn read_bytes(line: &str, rest: &str, message: &mut BytesMut) -> Result<(), Problem> {
    if let Some(times) = rest.strip_prefix('*') {
        return repeat(line, times, message);
    }
    let wrong = || Problem::Hex(line.to_owned());
    if !message.len().is_multiple_of(LINE_BYTES) || !rest.starts_with(' ') {
        return Err(wrong());
    }
    let mut count = 0;
    for group in rest.split(' ').skip(1) {
        if count % GROUP_BYTES != 0 || group.is_empty() {
            return Err(wrong());
        }
        for pair in group.as_bytes().chunks(2) {
            let digits = std::str::from_utf8(pair).ok().filter(|digits| digits.len() == 2 && !digits.starts_with('+'));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(wrong)?;
            message.put_u8(byte);
            count += 1;
        }
    }
    match message.len() {
        _ if count > LINE_BYTES => Err(wrong()),
        ..=MESSAGE_LEN_MAX => Ok(()),
        _ => Err(Problem::MessageTooLong),
    }
}

fn repeat(line: &str, times: &str, message: &mut BytesMut) -> Result<(), Problem> {
    let wrong = || Problem::Repeat(line.to_owned());
    let times: usize = times.parse().ok().filter(|times| *times > 0).ok_or_else(wrong)?;
    let start = message.len().checked_sub(LINE_BYTES).filter(|start| start % LINE_BYTES == 0).ok_or_else(wrong)?;
    let before: [u8; LINE_BYTES] = message.get(start..).and_then(|last| last.try_into().ok()).ok_or_else(wrong)?;
    if times > (MESSAGE_LEN_MAX - message.len()) / LINE_BYTES {
        return Err(Problem::MessageTooLong);
    }
    message.put_slice(&before.repeat(times));
    Ok(())
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MAGIC}\n{}", self.header)?;
        let readable = readable_lines(self.paired());
        let mut readable = readable.into_iter().peekable();
        for (index, event) in self.events.iter().enumerate() {
            let lines = readable.next_if(|(at, _)| *at == index);
            write_event(event, lines.as_ref().map(|(_, lines)| lines.as_str()), f)?;
        }
        Ok(())
    }
}

/// Writes an event with the empty line before it. `lines` are the readable ones of a message that is RPC.
pub(super) fn write_event(event: &Event, lines: Option<&str>, f: &mut impl Write) -> fmt::Result {
    let (micros, seconds) = (event.at.subsec_micros(), event.at.as_secs());
    write!(f, "\n{} {seconds}.{micros:06} ", event.connection)?;
    match event.message() {
        None => writeln!(f, "{}", event.what.words().unwrap_or_default()),
        Some((from, message)) => {
            write!(f, "{} {}", from.arrow(), lines.unwrap_or("not an RPC message\n"))?;
            write_bytes(message, f)
        }
    }
}

impl fmt::Display for Header {
    /// The lines of the header in a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_field("origin", self.origin.name(), f)?;
        let texts = [
            ("client", &self.client),
            ("server", &self.server),
            ("mount", &self.mount),
            ("command", &self.command),
            ("date", &self.date),
            ("directory", &self.directory),
        ];
        for (name, value) in texts {
            write_field(name, value, f)?;
        }
        if let Some(minor) = self.minor {
            writeln!(f, "minor: {minor}")?;
        }
        self.notes.iter().try_for_each(|note| write_field("note", note, f))
    }
}

fn write_field(name: &str, value: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        "" => writeln!(f, "{name}:"),
        _ => writeln!(f, "{name}: {}", escape(value)),
    }
}

/// The text on one line.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        out.push(match char {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out)
}

/// The readable lines of each message, by the index of its event.
fn readable_lines(pairing: Pairing) -> Vec<(usize, String)> {
    let (exchanges, orphans) = pairing.into_parts();
    let mut all = Vec::new();
    for exchange in &exchanges {
        all.push((exchange.call_at, render::call_lines(&exchange.call, &Plain)));
        if let Some((at, reply)) = &exchange.reply {
            all.push((*at, render::reply_lines(reply, &Plain)));
        }
    }
    all.extend(orphans.iter().map(|orphan| (orphan.at, render::reply_lines(&orphan.reply, &Plain))));
    all.sort_by_key(|(at, _)| *at);
    all
}

fn write_bytes(message: &[u8], f: &mut impl Write) -> fmt::Result {
    let mut lines = message.chunks(LINE_BYTES).peekable();
    while let Some(line) = lines.next() {
        f.write_char('|')?;
        for group in line.chunks(GROUP_BYTES) {
            f.write_char(' ')?;
            group.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        f.write_char('\n')?;
        let mut times = 0;
        while line.len() == LINE_BYTES && lines.next_if_eq(&line).is_some() {
            times += 1;
        }
        if times > 0 {
            writeln!(f, "|*{times}")?;
        }
    }
    Ok(())
}
