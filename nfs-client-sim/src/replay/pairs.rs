//! What of the recording stands for what of the server now.
//!
//! Each result of the recording and the result that came now hold their identities at the same places, so they are
//! collected side by side. Arguments are then written with what the server of now calls these things, and its results
//! are read with what the server of then called them.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Clientid4, Deviceid4, Dirlist4, Entry4, Fsid4, NFS4_OPAQUE_LIMIT, NfsArgop4, NfsCookie4, NfsFh4, NfsResop4,
    Sessionid4, Stateid4, Verifier4,
};

use super::identity::{Identity, Verifies, is_special, visit_args, visit_entry, visit_result};

/// An identity by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Filehandle(NfsFh4),
    Stateid(Stateid4),
    Clientid(Clientid4),
    Sessionid(Sessionid4),
    Deviceid(Deviceid4),
    Verifier(Verifies, Verifier4),
    Cookie(NfsCookie4),
    Change(u64),
    Fsid(Fsid4),
    Fileid(u64),
}

/// A value where it means something: cookies and their verifiers only in one directory, the rest everywhere.
type Key = (Option<NfsFh4>, Value);

/// The pairs found so far.
#[derive(Debug)]
pub(super) struct Pairs {
    /// What stands for a value of the recording.
    now: HashMap<Key, Value>,
    /// The other way round.
    then: HashMap<Key, Value>,
    /// The same for stateids whatever their seqid: a client may send an older one, or 0.
    others_now: HashMap<[u8; 12], [u8; 12]>,
    others_then: HashMap<[u8; 12], [u8; 12]>,
    /// The cookie behind the last entry that a directory of the recording was listed to now. It stands for cookies
    /// that have no counterpart, as the server of now may put fewer entries into a reply.
    last_cookies: HashMap<NfsFh4, NfsCookie4>,
    /// What makes the names and verifiers of this run's clients differ from those of all others.
    run: [u8; 8],
}

/// The identities in a result, each kind in its order.
#[derive(Default)]
struct Collected(HashMap<Discriminant<Value>, Vec<Value>>);

impl Value {
    /// Takes an identity out. A name that a client chose has no counterpart: it is made new, not looked up.
    pub(super) fn of(identity: &Identity<'_>) -> Option<Self> {
        Some(match identity {
            Identity::Filehandle(handle) => Self::Filehandle((*handle).clone()),
            Identity::Stateid(stateid) => Self::Stateid(**stateid),
            Identity::Clientid(clientid) => Self::Clientid(**clientid),
            Identity::Sessionid(sessionid) => Self::Sessionid(**sessionid),
            Identity::Deviceid(device) => Self::Deviceid(**device),
            Identity::Verifier(verifies, verifier) => Self::Verifier(*verifies, **verifier),
            Identity::Cookie(cookie) => Self::Cookie(**cookie),
            Identity::Change(change) => Self::Change(**change),
            Identity::Fsid(fsid) => Self::Fsid(**fsid),
            Identity::Fileid(fileid) => Self::Fileid(**fileid),
            Identity::ClientName(_) => return None,
        })
    }

    /// Puts the value into the place of another of its kind.
    fn put(self, identity: Identity<'_>) {
        match (self, identity) {
            (Self::Filehandle(value), Identity::Filehandle(place)) => *place = value,
            (Self::Stateid(value), Identity::Stateid(place)) => *place = value,
            (Self::Clientid(value), Identity::Clientid(place)) => *place = value,
            (Self::Sessionid(value), Identity::Sessionid(place)) => *place = value,
            (Self::Deviceid(value), Identity::Deviceid(place)) => *place = value,
            (Self::Verifier(_, value), Identity::Verifier(_, place)) => *place = value,
            (Self::Cookie(value), Identity::Cookie(place))
            | (Self::Change(value), Identity::Change(place))
            | (Self::Fileid(value), Identity::Fileid(place)) => *place = value,
            (Self::Fsid(value), Identity::Fsid(place)) => *place = value,
            // Pairs are made of values of one kind.
            _ => {}
        }
    }

    fn key(self, directory: Option<&NfsFh4>) -> Key {
        let local = matches!(self, Self::Cookie(_) | Self::Verifier(Verifies::Cookie, _));
        (directory.filter(|_| local).cloned(), self)
    }
}

impl Pairs {
    /// No pairs; `run` is not zero and differs from run to run.
    pub(super) fn new(run: u64) -> Self {
        Self {
            now: HashMap::new(),
            then: HashMap::new(),
            others_now: HashMap::new(),
            others_then: HashMap::new(),
            last_cookies: HashMap::new(),
            run: run.to_be_bytes(),
        }
    }

    /// Learns from the two results of one operation. `directory` is the current filehandle in the recording.
    pub(super) fn learn(&mut self, recorded: &NfsResop4, actual: &NfsResop4, directory: Option<&NfsFh4>) {
        let (mut recorded, mut actual) = (recorded.clone(), actual.clone());
        if let (NfsResop4::Readdir(Ok(recorded)), NfsResop4::Readdir(Ok(actual))) = (&mut recorded, &mut actual) {
            self.learn_entries(&mut recorded.reply, &mut actual.reply, directory);
        }
        let mut then = Collected::default();
        visit_result(&mut recorded, &mut |identity| then.add(&identity));
        let mut now = Collected::default();
        visit_result(&mut actual, &mut |identity| now.add(&identity));
        self.pair_all(then, now, directory);
    }

    /// Pairs the entries by their names, and takes them away.
    fn learn_entries(&mut self, recorded: &mut Dirlist4, actual: &mut Dirlist4, directory: Option<&NfsFh4>) {
        if let (Some(directory), Some(last)) = (directory, actual.entries.last()) {
            self.last_cookies.insert(directory.clone(), last.cookie);
        }
        let mut by_name: HashMap<Bytes, Entry4> =
            actual.entries.drain(..).map(|entry| (entry.name.clone(), entry)).collect();
        for mut entry in recorded.entries.drain(..) {
            let Some(mut found) = by_name.remove(&entry.name) else { continue };
            let mut then = Collected::default();
            visit_entry(&mut entry, &mut |identity| then.add(&identity));
            let mut now = Collected::default();
            visit_entry(&mut found, &mut |identity| now.add(&identity));
            self.pair_all(then, now, directory);
        }
    }

    fn pair_all(&mut self, then: Collected, mut now: Collected, directory: Option<&NfsFh4>) {
        for (kind, values) in then.0 {
            let counterparts = now.0.remove(&kind).unwrap_or_default();
            for (then, now) in values.into_iter().zip(counterparts) {
                self.pair(then, now, directory);
            }
        }
    }

    /// From now on `now` stands for `then`.
    pub(super) fn pair(&mut self, then: Value, now: Value, directory: Option<&NfsFh4>) {
        if let (Value::Stateid(then), Value::Stateid(now)) = (&then, &now) {
            if is_special(then) || is_special(now) {
                return;
            }
            self.others_now.insert(then.other, now.other);
            self.others_then.insert(now.other, then.other);
        }
        self.then.insert(now.clone().key(None), then.clone());
        self.now.insert(then.key(directory), now);
    }

    /// Writes arguments of the recording as they must be now. `directory` is the current filehandle in the recording.
    pub(super) fn to_now(&self, op: &mut NfsArgop4, directory: Option<&NfsFh4>) {
        visit_args(op, &mut |identity| match identity {
            Identity::ClientName(name) => *name = self.renamed(name),
            Identity::Verifier(Verifies::Client | Verifies::Creation, verifier) => *verifier = self.renewed(*verifier),
            identity => {
                if let Some(now) = Value::of(&identity).and_then(|then| self.now_for(then, directory)) {
                    now.put(identity);
                }
            }
        });
        if let NfsArgop4::Setclientid(args) = op {
            // Nobody listens for this run at the recorded client's address, and its owner must not be called.
            args.callback.location.netid = Bytes::from_static(b"tcp");
            args.callback.location.addr = Bytes::from_static(b"0.0.0.0.0.0");
        }
    }

    /// Writes a result of now as the server of the recording would have.
    pub(super) fn to_then(&self, result: &mut NfsResop4) {
        visit_result(result, &mut |identity| {
            if let Some(then) = Value::of(&identity).and_then(|now| self.then_for(now)) {
                then.put(identity);
            }
        });
    }

    /// What the recording's value is now.
    pub(super) fn now_for(&self, then: Value, directory: Option<&NfsFh4>) -> Option<Value> {
        let found = self.now.get(&then.clone().key(directory)).cloned();
        found.or_else(|| match then {
            Value::Stateid(Stateid4 { seqid, other }) => {
                self.others_now.get(&other).map(|other| Value::Stateid(Stateid4 { seqid, other: *other }))
            }
            Value::Cookie(_) => self.last_cookies.get(directory?).map(|cookie| Value::Cookie(*cookie)),
            _ => None,
        })
    }

    fn then_for(&self, now: Value) -> Option<Value> {
        self.then.get(&now.clone().key(None)).cloned().or_else(|| match now {
            Value::Stateid(Stateid4 { seqid, other }) => {
                self.others_then.get(&other).map(|other| Value::Stateid(Stateid4 { seqid, other: *other }))
            }
            _ => None,
        })
    }

    /// A name that only this run has.
    fn renamed(&self, name: &Bytes) -> Bytes {
        let mark = format!(" {:016x}", u64::from_be_bytes(self.run));
        let kept = name.get(..NFS4_OPAQUE_LIMIT - mark.len()).unwrap_or(name);
        [kept, mark.as_bytes()].concat().into()
    }

    /// A verifier that only this run has. Different ones stay different.
    fn renewed(&self, verifier: Verifier4) -> Verifier4 {
        let mut bytes = verifier.0;
        bytes.iter_mut().zip(self.run).for_each(|(byte, run)| *byte ^= run);
        Verifier4(bytes)
    }
}

impl Collected {
    fn add(&mut self, identity: &Identity<'_>) {
        if let Some(value) = Value::of(identity) {
            self.0.entry(discriminant(&value)).or_default().push(value);
        }
    }
}

#[cfg(test)]
#[path = "pairs_tests.rs"]
mod tests;
