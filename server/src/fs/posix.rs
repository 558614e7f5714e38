//! POSIX attributes in an object's user metadata: written in the family of FSx and DataSync (`file-permissions`, …) plus
//! rclone's `mtime`, read back from there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filesystem::{NodeKind, SetAttributes, SetTime};
use crate::timestamp::Timestamp;

/// Mode in octal, with the type bits.
const PERMISSIONS: &str = "file-permissions";
/// Numeric owner.
const OWNER: &str = "file-owner";
/// Numeric group.
const GROUP: &str = "file-group";
/// Last access, nanoseconds since 1970 with the suffix `ns`.
const ATIME: &str = "file-atime";
/// Last change of data, nanoseconds since 1970 with the suffix `ns`.
const MTIME: &str = "file-mtime";
/// Last change of data as rclone keeps it: seconds with a fraction.
const RCLONE_MTIME: &str = "mtime";
/// The verifier of an exclusive create, so that a retry after a restart is known (RFC 7530 §16.16.5).
const VERIFIER: &str = "hafiz-create-verifier";

/// Which node was written, and its change attribute then, so that the gateway knows its own uploads.
const WRITE_TOKEN: &str = "hafiz-write";

/// Type bits of a mode (`S_IFMT`).
const TYPE_MASK: u32 = 0o170_000;
const TYPE_FILE: u32 = 0o100_000;
const TYPE_DIRECTORY: u32 = 0o040_000;
const TYPE_SYMLINK: u32 = 0o120_000;
/// Permission bits, with setuid, setgid and sticky.
pub(super) const MODE_MASK: u32 = 0o7777;

/// Owner and mode of what other S3 writers made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits of files.
    pub file_mode: u32,
    /// Permission bits of directories.
    pub dir_mode: u32,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { uid: 0, gid: 0, file_mode: 0o666, dir_mode: 0o777 }
    }
}

/// The attributes that live in user metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Posix {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last access.
    pub atime: Timestamp,
    /// Last change of data.
    pub mtime: Timestamp,
    /// The verifier of the exclusive create that made the file.
    pub verifier: Option<[u8; 8]>,
}

impl Posix {
    /// What a new node gets: `set` over the defaults of its kind.
    pub(super) fn new(kind: NodeKind, set: &SetAttributes, uid: u32, gid: u32, now: Timestamp) -> Self {
        let mode = match kind {
            NodeKind::Directory => 0o755,
            NodeKind::File => 0o644,
            NodeKind::Symlink => 0o777,
        };
        let mut posix = Self { mode, uid, gid, atime: now, mtime: now, verifier: None };
        posix.apply(set, now);
        posix
    }

    /// Sets what `set` names, but for the size; whether anything differs now.
    pub(super) fn apply(&mut self, set: &SetAttributes, now: Timestamp) -> bool {
        let before = self.clone();
        let time = |set: SetTime| match set {
            SetTime::Now => now,
            SetTime::To(time) => time,
        };
        self.mode = set.mode.map_or(self.mode, |mode| mode & MODE_MASK);
        self.uid = set.uid.unwrap_or(self.uid);
        self.gid = set.gid.unwrap_or(self.gid);
        self.atime = set.atime.map_or(self.atime, time);
        self.mtime = set.mtime.map_or(self.mtime, time);
        *self != before
    }

    /// Reads user metadata; what is missing or makes no sense comes from the defaults and the object's own time.
    /// The kind is `None` where the metadata does not say.
    pub(super) fn read(
        user: &BTreeMap<String, String>,
        directory: bool,
        modified: Timestamp,
        defaults: &Defaults,
    ) -> (Self, Option<NodeKind>) {
        let number = |name: &str| user.get(name).and_then(|text| text.trim().parse::<u32>().ok());
        let mode = user.get(PERMISSIONS).and_then(|text| u32::from_str_radix(text.trim(), 8).ok());
        let kind = mode.and_then(|mode| match mode & TYPE_MASK {
            TYPE_FILE => Some(NodeKind::File),
            TYPE_DIRECTORY => Some(NodeKind::Directory),
            TYPE_SYMLINK => Some(NodeKind::Symlink),
            _ => None,
        });
        let default_mode = if directory { defaults.dir_mode } else { defaults.file_mode };
        let mtime = user
            .get(MTIME)
            .and_then(|text| read_nanos(text))
            .or_else(|| user.get(RCLONE_MTIME).and_then(|text| read_seconds(text)))
            .unwrap_or(modified);
        let posix = Self {
            mode: mode.map_or(default_mode, |mode| mode & MODE_MASK),
            uid: number(OWNER).unwrap_or(defaults.uid),
            gid: number(GROUP).unwrap_or(defaults.gid),
            atime: user.get(ATIME).and_then(|text| read_nanos(text)).unwrap_or(mtime),
            mtime,
            verifier: user.get(VERIFIER).and_then(|text| u64::from_str_radix(text, 16).ok()).map(u64::to_be_bytes),
        };
        (posix, kind)
    }

    /// Writes into user metadata; all other entries stay.
    pub(super) fn write(&self, kind: NodeKind, user: &mut BTreeMap<String, String>) {
        let type_bits = match kind {
            NodeKind::Directory => TYPE_DIRECTORY,
            NodeKind::File => TYPE_FILE,
            NodeKind::Symlink => TYPE_SYMLINK,
        };
        user.insert(PERMISSIONS.to_owned(), format!("{:07o}", type_bits | self.mode));
        user.insert(OWNER.to_owned(), self.uid.to_string());
        user.insert(GROUP.to_owned(), self.gid.to_string());
        user.insert(ATIME.to_owned(), write_nanos(self.atime));
        user.insert(MTIME.to_owned(), write_nanos(self.mtime));
        user.insert(RCLONE_MTIME.to_owned(), write_seconds(self.mtime));
        match self.verifier {
            Some(verifier) => user.insert(VERIFIER.to_owned(), format!("{:016x}", u64::from_be_bytes(verifier))),
            None => user.remove(VERIFIER),
        };
    }
}

/// Notes in user metadata which node is written, and its change attribute.
pub(super) fn put_write_token(user: &mut BTreeMap<String, String>, fileid: u64, change: u64) {
    user.insert(WRITE_TOKEN.to_owned(), format!("{fileid:016x}-{change:016x}"));
}

/// The node whose upload this is, and its change attribute then.
pub(super) fn read_write_token(user: &BTreeMap<String, String>) -> Option<(u64, u64)> {
    let (fileid, change) = user.get(WRITE_TOKEN)?.split_once('-')?;
    Some((u64::from_str_radix(fileid, 16).ok()?, u64::from_str_radix(change, 16).ok()?))
}

/// `…ns` is nanoseconds; a bare number is milliseconds, as DataSync reads it.
fn read_nanos(text: &str) -> Option<Timestamp> {
    let (number, per_second) = match text.trim().strip_suffix("ns") {
        Some(nanos) => (nanos.parse::<i128>().ok()?, 1_000_000_000),
        None => (text.trim().parse::<i128>().ok()?, 1000),
    };
    let nanos = number.rem_euclid(per_second) * (1_000_000_000 / per_second);
    Timestamp::new(i64::try_from(number.div_euclid(per_second)).ok()?, u32::try_from(nanos).ok()?)
}

fn write_nanos(time: Timestamp) -> String {
    format!("{}ns", i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos))
}

fn read_seconds(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos = i128::from(whole.parse::<u64>().ok()?) * 1_000_000_000 + i128::from(fraction.parse::<u32>().ok()?);
    read_nanos(&format!("{}ns", if negative { -nanos } else { nanos }))
}

fn write_seconds(time: Timestamp) -> String {
    let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    let (sign, nanos) = if nanos < 0 { ("-", -nanos) } else { ("", nanos) };
    format!("{sign}{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn attributes_come_back_as_they_were_written() {
        for seconds in [-1, 0, 1_700_000_000] {
            let time = Timestamp { seconds, nanos: 123_456_789 };
            let mtime = Timestamp { seconds, nanos: 5 };
            let posix = Posix { mode: 0o4755, uid: 1000, gid: 5000, atime: time, mtime, verifier: Some(*b"verifier") };
            let mut user = BTreeMap::from([("custom".to_owned(), "kept".to_owned())]);
            posix.write(NodeKind::Symlink, &mut user);
            let read = Posix::read(&user, false, Timestamp::default(), &Defaults::default());
            assert_eq!(read, (posix.clone(), Some(NodeKind::Symlink)));
            assert_eq!(user["custom"], "kept");
            user.remove(MTIME);
            assert_eq!(Posix::read(&user, false, time, &Defaults::default()).0.mtime, mtime, "rclone's mtime alone");
        }
    }

    #[test]
    fn the_written_form_is_that_of_datasync() {
        let mut user = BTreeMap::new();
        let now = Timestamp { seconds: 1_700_000_000, nanos: 1 };
        Posix::new(NodeKind::File, &SetAttributes::default(), 1, 2, now).write(NodeKind::File, &mut user);
        assert_eq!(user["file-permissions"], "0100644");
        assert_eq!(user["file-owner"], "1");
        assert_eq!(user["file-mtime"], "1700000000000000001ns");
        assert_eq!(user["mtime"], "1700000000.000000001");
    }

    #[test]
    fn nonsense_falls_back_to_the_defaults() {
        let user =
            [(PERMISSIONS, "rwx"), (OWNER, "root"), (MTIME, "yesterday"), (RCLONE_MTIME, "1.2.3"), (ATIME, "ns")];
        let user = user.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let modified = Timestamp { seconds: 5, nanos: 0 };
        let (posix, kind) = Posix::read(&user, true, modified, &Defaults::default());
        assert_eq!((posix.mode, posix.uid, posix.mtime, posix.atime, kind), (0o777, 0, modified, modified, None));
    }

    #[test]
    fn a_bare_number_is_milliseconds() {
        assert_eq!(read_nanos("1500"), Timestamp::new(1, 500_000_000));
        assert_eq!(read_nanos("99999999999999999999999999999999999999ns"), None);
    }
}
