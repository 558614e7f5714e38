//! Results without what differs from server to server and from run to run.
//!
//! Filehandles, stateids, clients, sessions, file systems and verifiers get names, `fh1` or `client2`, by the order in
//! which they came up. Times, values of the change attribute, fileids, amounts of space and cookies are `<time>`,
//! `<change>` and so on; which attributes there are, types, and everything else stay. The size and the links of a
//! directory mean something else to each server and are written as 0. Entries of READDIR are sorted.

use std::collections::HashMap;

use bytes::Bytes;
use nfs4_protocol::nfs4::{Fattr4, Fsid4, NfsArgop4, NfsFh4, NfsResop4, Nfstime4, Sessionid4, Stateid4, Verifier4};

use super::handles::Types;
use super::identity::{is_special, visit_args, visit_result};
use super::pairs::Value;
use crate::trace::render::{Names, Plain};

/// Names for identities, numbered in the order in which they came up.
#[derive(Debug, Default)]
pub(super) struct Naming {
    filehandles: Numbered<NfsFh4>,
    stateids: Numbered<[u8; 12]>,
    clientids: Numbered<u64>,
    sessionids: Numbered<Sessionid4>,
    verifiers: Numbered<Verifier4>,
    fsids: Numbered<Fsid4>,
}

#[derive(Debug)]
struct Numbered<T>(HashMap<T, usize>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: std::hash::Hash + Eq> Numbered<T> {
    fn add(&mut self, value: T) {
        let next = self.0.len() + 1;
        self.0.entry(value).or_insert(next);
    }

    fn name(&self, kind: &str, value: &T) -> String {
        match self.0.get(value) {
            Some(number) => format!("{kind}{number}"),
            None => format!("{kind}?"),
        }
    }
}

impl Naming {
    /// Gives names to what is new in the arguments of an operation.
    pub(super) fn add_args(&mut self, op: &NfsArgop4) {
        visit_args(&mut op.clone(), &mut |identity| self.add(Value::of(&identity)));
    }

    /// Gives names to what is new in a result.
    pub(super) fn add_result(&mut self, result: &NfsResop4) {
        visit_result(&mut result.clone(), &mut |identity| self.add(Value::of(&identity)));
    }

    fn add(&mut self, value: Option<Value>) {
        match value {
            Some(Value::Filehandle(handle)) => self.filehandles.add(handle),
            Some(Value::Stateid(stateid)) if !is_special(&stateid) => self.stateids.add(stateid.other),
            Some(Value::Clientid(clientid)) if clientid != 0 => self.clientids.add(clientid),
            Some(Value::Sessionid(sessionid)) => self.sessionids.add(sessionid),
            Some(Value::Verifier(_, verifier)) if verifier != Verifier4::default() => self.verifiers.add(verifier),
            Some(Value::Fsid(fsid)) => self.fsids.add(fsid),
            // Blanked, or the same everywhere.
            _ => {}
        }
    }
}

impl Names for Naming {
    fn filehandle(&self, fh: &NfsFh4) -> String {
        self.filehandles.name("fh", fh)
    }

    fn stateid(&self, stateid: &Stateid4) -> String {
        if is_special(stateid) {
            return Plain.stateid(stateid);
        }
        format!("{}:{}", self.stateids.name("stateid", &stateid.other), stateid.seqid)
    }

    fn clientid(&self, clientid: u64) -> String {
        if clientid == 0 { "0".to_owned() } else { self.clientids.name("client", &clientid) }
    }

    fn sessionid(&self, sessionid: &Sessionid4) -> String {
        self.sessionids.name("session", sessionid)
    }

    fn verifier(&self, verifier: &Verifier4) -> String {
        if *verifier == Verifier4::default() { "0".to_owned() } else { self.verifiers.name("verifier", verifier) }
    }

    fn cookie(&self, cookie: u64) -> String {
        if cookie == 0 { "0".to_owned() } else { "<cookie>".to_owned() }
    }

    fn change(&self, _: u64) -> String {
        "<change>".to_owned()
    }

    fn fsid(&self, fsid: &Fsid4) -> String {
        self.fsids.name("fs", fsid)
    }

    fn fileid(&self, _: u64) -> String {
        "<fileid>".to_owned()
    }

    fn time(&self, _: &Nfstime4) -> String {
        "<time>".to_owned()
    }

    fn space(&self, _: u64) -> String {
        "<space>".to_owned()
    }
}

/// Takes out of a result what names cannot hide. `handle` is the file it is about.
pub(super) fn blank(result: &mut NfsResop4, types: &mut Types, handle: Option<&NfsFh4>) {
    match result {
        NfsResop4::Getattr(Ok(body)) => attributes(&mut body.obj_attributes, types, handle),
        NfsResop4::Readdir(Ok(body)) => {
            for entry in &mut body.reply.entries {
                attributes(&mut entry.attrs, types, None);
            }
            body.reply.entries.sort_by(|a, b| a.name.cmp(&b.name));
        }
        NfsResop4::ExchangeId(result) => {
            if let Ok(body) = result.as_mut() {
                body.server_owner.major_id = Bytes::from_static(b"<server>");
                body.server_owner.minor_id = 0;
                body.server_scope = Bytes::from_static(b"<scope>");
                body.server_impl_id = None;
            }
        }
        _ => {}
    }
}

fn attributes(fattr: &mut Fattr4, types: &mut Types, handle: Option<&NfsFh4>) {
    let Ok(mut attrs) = fattr.parse() else { return };
    let handle = attrs.filehandle.clone().or(handle.cloned());
    types.learn(&attrs, handle.as_ref());
    if types.is_directory(&attrs, handle.as_ref()) {
        attrs.size = attrs.size.map(|_| 0);
        attrs.numlinks = attrs.numlinks.map(|_| 0);
        fattr.attr_vals = attrs.to_fattr4().attr_vals;
    }
}

#[cfg(test)]
#[path = "normal_tests.rs"]
mod tests;
