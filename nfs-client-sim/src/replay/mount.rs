//! The way to the directory that was mounted, which now is another one.
//!
//! The directories of the recorded path above the last all stand for the parent of the directory of now, and the last
//! name for its name. So the operations of the mount keep their meaning one for one, SECINFO of the name included.

use std::collections::HashMap;

use bytes::Bytes;
use nfs4_protocol::nfs4::{Lookup4Args, NfsArgop4, NfsFh4, NfsResop4, Putfh4Args, Secinfo4Args};

use super::handles::handle_of;

/// The recorded path, and what stands for it.
#[derive(Debug)]
pub(super) struct Mount {
    /// The names of the recorded path.
    names: Vec<Bytes>,
    now: Target,
    /// How deep on the way the recorded handles are: 0 is the root, `names.len()` the directory.
    depths: HashMap<NfsFh4, usize>,
}

/// The directory of now.
#[derive(Debug)]
pub(super) struct Target {
    /// Its handle.
    pub(super) directory: NfsFh4,
    /// The handle of the directory above, unless it is the root of the server, and its name there.
    pub(super) place: Option<(Option<NfsFh4>, Bytes)>,
}

/// The current and the saved filehandle of a recorded compound while it is walked through: where they are on the way.
#[derive(Debug, Default)]
struct Walk {
    current: Option<usize>,
    saved: Option<usize>,
}

/// The names of a path.
pub(super) fn names(path: &str) -> Vec<Bytes> {
    path.split('/').filter(|name| !name.is_empty()).map(|name| Bytes::copy_from_slice(name.as_bytes())).collect()
}

impl Mount {
    pub(super) fn new(recorded: &str, now: Target) -> Self {
        Self { names: names(recorded), now, depths: HashMap::new() }
    }

    /// Puts what stands for the recorded way into `sent`, the operations of now, and learns the handles on it.
    pub(super) fn redirect(&mut self, recorded: &[NfsArgop4], results: &[NfsResop4], sent: &mut [NfsArgop4]) {
        let mut walk = Walk::default();
        let results = results.iter().map(Some).chain(std::iter::repeat(None));
        for ((op, result), sent) in recorded.iter().zip(results).zip(sent) {
            if let Some(instead) = self.step(&mut walk, op) {
                *sent = instead;
            }
            if let (Some(depth), Some(handle)) = (walk.current, result.and_then(handle_of)) {
                self.depths.insert(handle, depth);
            }
        }
    }

    /// Follows one operation. Returns what is sent in its place.
    fn step(&self, walk: &mut Walk, op: &NfsArgop4) -> Option<NfsArgop4> {
        let last = self.names.len();
        match op {
            NfsArgop4::Putrootfh | NfsArgop4::Putpubfh => {
                walk.current = Some(0);
                self.stay(0)
            }
            NfsArgop4::Putfh(args) => {
                walk.current = self.depths.get(&args.object).copied();
                None
            }
            NfsArgop4::Lookup(args) => {
                let depth = walk.current.filter(|depth| self.names.get(*depth) == Some(&args.objname));
                walk.current = depth.map(|depth| depth + 1);
                match walk.current? {
                    depth if depth < last => Some(self.stay(depth).unwrap_or(NfsArgop4::Putrootfh)),
                    _ => Some(self.down()),
                }
            }
            NfsArgop4::Lookupp => {
                let depth = walk.current.take()?;
                walk.current = depth.checked_sub(1);
                // Above the directory everything is its parent.
                (depth < last && depth > 0).then(|| self.stay(depth).unwrap_or(NfsArgop4::Putrootfh))
            }
            NfsArgop4::Secinfo(args) => {
                let at_last = walk.current.take().is_some_and(|depth| depth + 1 == last);
                let (_, name) = self.now.place.as_ref().filter(|_| at_last && self.names.last() == Some(&args.name))?;
                Some(NfsArgop4::Secinfo(Secinfo4Args { name: name.clone() }))
            }
            NfsArgop4::Savefh => {
                walk.saved = walk.current;
                None
            }
            NfsArgop4::Restorefh => {
                walk.current = walk.saved;
                None
            }
            NfsArgop4::Open(_) | NfsArgop4::Create(_) | NfsArgop4::Openattr(_) => {
                walk.current = None;
                None
            }
            _ => None,
        }
    }

    /// How to come to what stands for a directory on the way, unless PUTROOTFH does.
    fn stay(&self, depth: usize) -> Option<NfsArgop4> {
        let handle = match &self.now.place {
            _ if depth == self.names.len() => Some(&self.now.directory),
            Some((parent, _)) => parent.as_ref(),
            None => None,
        };
        handle.map(|handle| NfsArgop4::Putfh(Putfh4Args { object: handle.clone() }))
    }

    /// How to come from the parent to the directory.
    fn down(&self) -> NfsArgop4 {
        match &self.now.place {
            Some((_, name)) => NfsArgop4::Lookup(Lookup4Args { objname: name.clone() }),
            None => NfsArgop4::Putrootfh,
        }
    }
}

/// The results of `sent`, as results of the operations that it stands for.
pub(super) fn as_asked(recorded: &[NfsArgop4], results: &mut [NfsResop4]) {
    for (op, result) in recorded.iter().zip(results) {
        // All of them have a status and nothing else.
        let status = match result {
            NfsResop4::Putfh(status) | NfsResop4::Putrootfh(status) | NfsResop4::Lookup(status) => *status,
            _ => continue,
        };
        match op {
            NfsArgop4::Lookup(_) => *result = NfsResop4::Lookup(status),
            NfsArgop4::Lookupp => *result = NfsResop4::Lookupp(status),
            NfsArgop4::Putrootfh => *result = NfsResop4::Putrootfh(status),
            NfsArgop4::Putpubfh => *result = NfsResop4::Putpubfh(status),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "mount_tests.rs"]
mod tests;
