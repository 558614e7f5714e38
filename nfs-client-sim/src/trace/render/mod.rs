//! Messages for people: one line per operation, with the RFC's names of operations, statuses and constants.
//!
//! Names and text stand in quotes; other opaque data is `[length: first bytes]`; bitmaps of attributes are their words
//! and the attributes' names. Filehandles, stateids and sessions are shown by the CRC-32 that Wireshark shows for them
//! too. [`Names`] says how values are written that differ from one server or run to the next: [`Plain`] writes them as
//! they are, a comparison of two runs can put names of its own in their place.

mod attributes;
mod fields;
mod operations;
mod values;

use std::fmt::Write;

use nfs4_protocol::nfs4::{Fsid4, NfsArgop4, NfsCbArgop4, NfsCbResop4, NfsFh4, NfsResop4, Nfstime4, Sessionid4};
use nfs4_protocol::nfs4::{Stateid4, Verifier4};
use nfs4_protocol::rpc::{AcceptedBody, Auth, OpaqueAuth, RejectedReply, ReplyBody};

use super::{Arguments, Call, Reply, Results};
use values::crc32;

/// How values are written that differ from one server or run to the next.
pub trait Names {
    /// A filehandle.
    fn filehandle(&self, fh: &NfsFh4) -> String {
        format!("fh:{:08x}", crc32(&fh.0))
    }

    /// A stateid.
    fn stateid(&self, stateid: &Stateid4) -> String {
        match *stateid {
            Stateid4::ANONYMOUS => "anonymous".to_owned(),
            Stateid4::READ_BYPASS => "bypass".to_owned(),
            Stateid4::CURRENT => "current".to_owned(),
            Stateid4::INVALID => "invalid".to_owned(),
            Stateid4 { seqid, other } => format!("{seqid}:{:08x}", crc32(&other)),
        }
    }

    /// A `clientid4`.
    fn clientid(&self, clientid: u64) -> String {
        format!("{clientid:016x}")
    }

    /// A session.
    fn sessionid(&self, sessionid: &Sessionid4) -> String {
        format!("{:08x}", crc32(&sessionid.0))
    }

    /// A verifier: of a client's start, of writes, of a directory's cookies, of a SETCLIENTID.
    fn verifier(&self, verifier: &Verifier4) -> String {
        format!("{:016x}", u64::from_be_bytes(verifier.0))
    }

    /// A position in a directory or in a list.
    fn cookie(&self, cookie: u64) -> String {
        cookie.to_string()
    }

    /// A value of the change attribute.
    fn change(&self, change: u64) -> String {
        change.to_string()
    }

    /// A file system.
    fn fsid(&self, fsid: &Fsid4) -> String {
        format!("{:x}:{:x}", fsid.major, fsid.minor)
    }

    /// The number of an object within its file system.
    fn fileid(&self, fileid: u64) -> String {
        fileid.to_string()
    }

    /// A time, in seconds since 1970.
    fn time(&self, time: &Nfstime4) -> String {
        format!("{}.{:09}", time.seconds, time.nseconds)
    }

    /// Bytes or objects used or free in a file system, or used by an object.
    fn space(&self, amount: u64) -> String {
        amount.to_string()
    }

    /// The name a client gives itself or an owner of opens and locks.
    fn owner(&self, owner: &[u8]) -> String {
        values::quoted(owner)
    }
}

/// Writes all values as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Names for Plain {}

/// A line that is being written.
struct Line<'a> {
    text: String,
    names: &'a dyn Names,
}

/// What can be written into a line.
trait Show {
    fn show(&self, line: &mut Line<'_>);
}

impl<'a> Line<'a> {
    const fn new(names: &'a dyn Names) -> Self {
        Self { text: String::new(), names }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Begins a word: a space, but not at the beginning of the line or behind a bracket.
    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(['(', '{', '[', ' ']) {
            self.text.push(' ');
        }
    }

    /// ` name=value`.
    fn field(&mut self, name: &str, value: impl FnOnce(&mut Self)) {
        self.space();
        self.push(name);
        self.text.push('=');
        value(self);
    }

    /// A structure or list between brackets.
    fn between(&mut self, open: char, close: char, content: impl FnOnce(&mut Self)) {
        self.text.push(open);
        content(self);
        self.text.push(close);
    }

    /// ` name` and the fields of what belongs to it.
    fn operation(mut self, name: &str, content: &impl Show) -> String {
        self.push(name);
        self.space();
        content.show(&mut self);
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

/// An operation of a COMPOUND: `LOOKUP objname="file"`.
#[must_use]
pub fn argument(op: &NfsArgop4, names: &dyn Names) -> String {
    Line::new(names).operation(op.opnum().name(), op)
}

/// The result of an operation: `LOOKUP NFS4ERR_NOENT`.
#[must_use]
pub fn result(res: &NfsResop4, names: &dyn Names) -> String {
    Line::new(names).operation(res.opnum().name(), res)
}

/// An operation of a CB_COMPOUND: `CB_RECALL stateid=1:4f2a9be0 truncate=false fh=fh:9a0be11c`.
#[must_use]
pub fn callback_argument(op: &NfsCbArgop4, names: &dyn Names) -> String {
    Line::new(names).operation(op.opnum().rfc_name().trim_start_matches("OP_"), op)
}

/// The result of a callback operation.
#[must_use]
pub fn callback_result(res: &NfsCbResop4, names: &dyn Names) -> String {
    Line::new(names).operation(res.opnum().rfc_name().trim_start_matches("OP_"), res)
}

impl Call {
    /// What it calls, in one line: `COMPOUND minor=1 sys(0,0)`.
    #[must_use]
    pub fn title(&self) -> String {
        let tagged = |tag: &[u8]| if tag.is_empty() { String::new() } else { format!(" tag={}", values::quoted(tag)) };
        let mut title = match &self.arguments {
            Arguments::Null => "NULL".to_owned(),
            Arguments::Compound(args) => format!("COMPOUND minor={}{}", args.minorversion, tagged(&args.tag)),
            Arguments::CbCompound(args) => {
                format!("CB_COMPOUND minor={} ident={}{}", args.minorversion, args.callback_ident, tagged(&args.tag))
            }
            Arguments::Opaque(..) => format!("procedure {} of program {}", self.header.procedure, self.header.prog),
        };
        title.push(' ');
        title.push_str(&credential(&self.header.cred));
        title
    }

    /// One line for each operation; one that says why when there are none to be read.
    #[must_use]
    pub fn operations(&self, names: &dyn Names) -> Vec<String> {
        match &self.arguments {
            Arguments::Null => Vec::new(),
            Arguments::Compound(args) => args.argarray.iter().map(|op| argument(op, names)).collect(),
            Arguments::CbCompound(args) => args.argarray.iter().map(|op| callback_argument(op, names)).collect(),
            Arguments::Opaque(bytes, why) => vec![format!("({} bytes: {why})", bytes.len())],
        }
    }
}

impl Reply {
    /// What became of the call, in one or two words: `NFS4_OK`, `NFS4ERR_NOENT`, `accepted`, `GARBAGE_ARGS`.
    #[must_use]
    pub fn status(&self) -> String {
        match (&self.header, &self.results) {
            (_, Results::Compound(res)) => res.status.rfc_name().to_owned(),
            (_, Results::CbCompound(res)) => res.status.rfc_name().to_owned(),
            (ReplyBody::Accepted(reply), _) => accepted(reply.reply),
            (ReplyBody::Denied(RejectedReply::RpcMismatch(versions)), _) => {
                format!("RPC_MISMATCH low={} high={}", versions.low, versions.high)
            }
            (ReplyBody::Denied(RejectedReply::AuthError(why)), _) => format!("AUTH_ERROR {why}"),
        }
    }

    /// One line for each result; one that says why when there are none to be read.
    #[must_use]
    pub fn operations(&self, names: &dyn Names) -> Vec<String> {
        match &self.results {
            Results::Null => Vec::new(),
            Results::Compound(res) => res.resarray.iter().map(|res| result(res, names)).collect(),
            Results::CbCompound(res) => res.resarray.iter().map(|res| callback_result(res, names)).collect(),
            Results::Opaque(bytes, why) => vec![format!("({} bytes: {why})", bytes.len())],
        }
    }
}

fn accepted(body: AcceptedBody) -> String {
    match body {
        AcceptedBody::Success => "accepted".to_owned(),
        AcceptedBody::ProgUnavail => "PROG_UNAVAIL".to_owned(),
        AcceptedBody::ProgMismatch(versions) => format!("PROG_MISMATCH low={} high={}", versions.low, versions.high),
        AcceptedBody::ProcUnavail => "PROC_UNAVAIL".to_owned(),
        AcceptedBody::GarbageArgs => "GARBAGE_ARGS".to_owned(),
        AcceptedBody::SystemErr => "SYSTEM_ERR".to_owned(),
    }
}

/// A credential: `sys(uid,gid)`.
fn credential(cred: &OpaqueAuth) -> String {
    match cred.parse() {
        Ok(Auth::None) => "none".to_owned(),
        Ok(Auth::Sys(sys)) => format!("sys({},{})", sys.uid, sys.gid),
        Ok(Auth::Tls) => "tls".to_owned(),
        Ok(Auth::Other(_)) | Err(_) => format!("auth({})", cred.flavor),
    }
}

/// The readable lines of a call in a file, the first one without its indentation.
pub(super) fn call_lines(call: &Call, names: &dyn Names) -> String {
    lines(&format!("call {:08x} {}", call.xid, call.title()), call.operations(names))
}

/// The readable lines of a reply in a file, the first one without its indentation.
pub(super) fn reply_lines(reply: &Reply, names: &dyn Names) -> String {
    lines(&format!("reply {:08x} {}", reply.xid, reply.status()), reply.operations(names))
}

fn lines(title: &str, operations: Vec<String>) -> String {
    let mut text = format!("{title}\n");
    for operation in operations {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {operation}");
    }
    text
}
