//! Numbers, text, opaque data, bitmaps and identities.

use std::fmt::Write;

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::Payload;

use super::{Line, Show};

/// The longest text that is shown whole, in bytes.
const TEXT_MAX: usize = 128;
/// The bytes of data that are shown.
const DATA_SHOWN: usize = 16;
/// The bytes of names that are no text, such as those of owners, that are shown.
const NAME_SHOWN: usize = 64;

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl Show for $ty {
            fn show(&self, line: &mut Line<'_>) {
                line.push(&self.to_string());
            }
        }
    )*};
}

numbers!(u32, u64, i32, i64, bool);

impl Show for () {
    fn show(&self, _: &mut Line<'_>) {}
}

impl Show for Bytes {
    fn show(&self, line: &mut Line<'_>) {
        line.push(&quoted(self));
    }
}

impl Show for Payload {
    fn show(&self, line: &mut Line<'_>) {
        line.push(&bulk(self.len(), self.0.iter().flatten().copied(), DATA_SHOWN));
    }
}

impl<T: Show> Show for Box<T> {
    fn show(&self, line: &mut Line<'_>) {
        self.as_ref().show(line);
    }
}

impl<T: Show> Show for Vec<T> {
    fn show(&self, line: &mut Line<'_>) {
        line.between('[', ']', |line| {
            for item in self {
                line.space();
                item.show(line);
            }
        });
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self, line: &mut Line<'_>) {
        match self {
            Some(value) => value.show(line),
            None => line.push("none"),
        }
    }
}

/// Names and other text in quotes, anything else as opaque data.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control));
    match text {
        Some(text) if bytes.len() <= TEXT_MAX => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => bulk(bytes.len(), bytes.iter().copied(), NAME_SHOWN),
    }
}

/// `[length: first bytes]`.
fn bulk(len: usize, bytes: impl Iterator<Item = u8>, shown: usize) -> String {
    let mut text = format!("[{len}:");
    for (index, byte) in bytes.take(shown).enumerate() {
        let separator = if index % 4 == 0 { " " } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{byte:02x}");
    }
    text.push_str(if len > shown { " …]" } else { "]" });
    text
}

/// CRC-32 as in Ethernet and zip.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 })
    })
}

macro_rules! identities {
    ($($ty:ty: $method:ident;)*) => {$(
        impl Show for $ty {
            fn show(&self, line: &mut Line<'_>) {
                let text = line.names.$method(self);
                line.push(&text);
            }
        }
    )*};
}

identities! {
    NfsFh4: filehandle;
    Stateid4: stateid;
    Sessionid4: sessionid;
    Verifier4: verifier;
    Fsid4: fsid;
    Nfstime4: time;
}

pub(super) fn clientid(value: &u64, line: &mut Line<'_>) {
    let text = line.names.clientid(*value);
    line.push(&text);
}

pub(super) fn cookie(value: &u64, line: &mut Line<'_>) {
    let text = line.names.cookie(*value);
    line.push(&text);
}

pub(super) fn change(value: &u64, line: &mut Line<'_>) {
    let text = line.names.change(*value);
    line.push(&text);
}

pub(super) fn fileid(value: &u64, line: &mut Line<'_>) {
    let text = line.names.fileid(*value);
    line.push(&text);
}

pub(super) fn space(value: &u64, line: &mut Line<'_>) {
    let text = line.names.space(*value);
    line.push(&text);
}

pub(super) fn owner(value: &Bytes, line: &mut Line<'_>) {
    let text = line.names.owner(value);
    line.push(&text);
}

/// Data of a file: never as text.
pub(super) fn data(value: &Bytes, line: &mut Line<'_>) {
    line.push(&bulk(value.len(), value.iter().copied(), DATA_SHOWN));
}

/// A length, whose highest value means "to the end".
pub(super) fn length(value: &u64, line: &mut Line<'_>) {
    match *value {
        u64::MAX => line.push("end"),
        value => value.show(line),
    }
}

/// Permission bits.
pub(super) fn mode(value: &u32, line: &mut Line<'_>) {
    line.push(&format!("0{value:o}"));
}

/// Flags without names of their own here.
pub(super) fn flags(value: &u32, line: &mut Line<'_>) {
    line.push(&format!("0x{value:x}"));
}

/// The bits of ACCESS.
pub(super) fn access(value: &u32, line: &mut Line<'_>) {
    const BITS: [(u32, &str); 9] = [
        (ACCESS4_READ, "READ"),
        (ACCESS4_LOOKUP, "LOOKUP"),
        (ACCESS4_MODIFY, "MODIFY"),
        (ACCESS4_EXTEND, "EXTEND"),
        (ACCESS4_DELETE, "DELETE"),
        (ACCESS4_EXECUTE, "EXECUTE"),
        (ACCESS4_XAREAD, "XAREAD"),
        (ACCESS4_XAWRITE, "XAWRITE"),
        (ACCESS4_XALIST, "XALIST"),
    ];
    let set: Vec<&str> = BITS.iter().filter(|(bit, _)| value & bit != 0).map(|(_, name)| *name).collect();
    line.push(&format!("0x{value:x}({})", set.join("|")));
}

/// The access of an open, and its wish for a delegation.
pub(super) fn share_access(value: &u32, line: &mut Line<'_>) {
    const WISHES: [(u32, &str); 5] = [
        (OPEN4_SHARE_ACCESS_WANT_READ_DELEG, "WANT_READ_DELEG"),
        (OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG, "WANT_WRITE_DELEG"),
        (OPEN4_SHARE_ACCESS_WANT_ANY_DELEG, "WANT_ANY_DELEG"),
        (OPEN4_SHARE_ACCESS_WANT_NO_DELEG, "WANT_NO_DELEG"),
        (OPEN4_SHARE_ACCESS_WANT_CANCEL, "WANT_CANCEL"),
    ];
    let both = value & OPEN4_SHARE_ACCESS_BOTH;
    line.push(["NONE", "READ", "WRITE", "BOTH"].get(both as usize).copied().unwrap_or_default());
    let wish = value & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
    if let Some((_, name)) = WISHES.iter().find(|(bits, _)| *bits == wish) {
        line.push(&format!("|{name}"));
    }
    let named = if WISHES.iter().any(|(bits, _)| *bits == wish) { wish } else { 0 };
    match value & !both & !named {
        0 => {}
        rest => line.push(&format!("|0x{rest:x}")),
    }
}

/// What an open denies to others.
pub(super) fn share_deny(value: &u32, line: &mut Line<'_>) {
    match ["NONE", "READ", "WRITE", "BOTH"].get(*value as usize) {
        Some(name) => line.push(name),
        None => flags(value, line),
    }
}

/// A bitmap of anything but attributes: its words.
pub(super) fn words(value: &Bitmap4, line: &mut Line<'_>) {
    let words: Vec<String> = value.words().iter().map(|word| format!("{word:08x}")).collect();
    line.push(if words.is_empty() { "0" } else { "" });
    line.push(&words.join(":"));
}

impl Show for Bitmap4 {
    /// A bitmap of attributes: its words and the names.
    fn show(&self, line: &mut Line<'_>) {
        words(self, line);
        line.between('(', ')', |line| {
            for bit in self.iter() {
                line.space();
                match attribute(bit) {
                    Some(known) => line.push(&known.rfc_name.trim_start_matches("FATTR4_").to_lowercase()),
                    None => bit.show(line),
                }
            }
        });
    }
}
