//! Every operation: what the visitor shows is what a reader sees.

use std::cell::RefCell;

use bytes::BufMut;
use nfs4_protocol::nfs4::{
    Attrs, CbCompound4Args, Getattr4Resok, NfsCbOpnum4, NfsResop4, OpNum, Putfh4Args, Readdir4Args,
};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, to_bytes};
use pretty_assertions::assert_eq;

use super::*;
use crate::trace::render::{self, Names};

/// How often each operation is made up, and how many tries that may take.
const SAMPLES: usize = 40;
const TRIES: usize = 40_000;

/// Notes what a reader sees of identities. Names of owners are no identities, and those of clients are not told apart
/// from them.
#[derive(Default)]
struct Seen(RefCell<Vec<String>>);

impl Seen {
    fn note(&self, what: String) -> String {
        self.0.borrow_mut().push(what);
        String::new()
    }
}

impl Names for Seen {
    fn filehandle(&self, fh: &NfsFh4) -> String {
        self.note(format!("{fh:?}"))
    }

    fn stateid(&self, stateid: &Stateid4) -> String {
        self.note(format!("{stateid:?}"))
    }

    fn clientid(&self, clientid: u64) -> String {
        self.note(format!("client {clientid}"))
    }

    fn sessionid(&self, sessionid: &Sessionid4) -> String {
        self.note(format!("{sessionid:?}"))
    }

    fn verifier(&self, verifier: &Verifier4) -> String {
        self.note(format!("{verifier:?}"))
    }

    fn cookie(&self, cookie: u64) -> String {
        self.note(format!("cookie {cookie}"))
    }

    fn change(&self, change: u64) -> String {
        self.note(format!("change {change}"))
    }

    fn fsid(&self, fsid: &Fsid4) -> String {
        self.note(format!("{fsid:?}"))
    }

    fn fileid(&self, fileid: u64) -> String {
        self.note(format!("file {fileid}"))
    }
}

fn shown(identity: &Identity<'_>) -> Option<String> {
    Some(match identity {
        Identity::Filehandle(handle) => format!("{handle:?}"),
        Identity::Stateid(stateid) => format!("{stateid:?}"),
        Identity::Clientid(clientid) => format!("client {clientid}"),
        Identity::Sessionid(sessionid) => format!("{sessionid:?}"),
        Identity::Verifier(_, verifier) => format!("{verifier:?}"),
        Identity::Cookie(cookie) => format!("cookie {cookie}"),
        Identity::Change(change) => format!("change {change}"),
        Identity::Fsid(fsid) => format!("{fsid:?}"),
        Identity::Fileid(fileid) => format!("file {fileid}"),
        // These have no names of their own for a reader.
        Identity::Deviceid(_) | Identity::ClientName(_) => return None,
    })
}

/// Made-up XDR behind `head`: small numbers, so that lengths, arms and enumerations are often good.
fn made_up(head: &[u32], random: &mut fastrand::Rng) -> Decoder {
    let mut bytes = Vec::new();
    head.iter().for_each(|word| bytes.put_u32(*word));
    (0..400).for_each(|_| bytes.put_u32(random.u32(0..4)));
    Decoder::new(bytes.into())
}

/// Makes up operations and compares what is shown with what is seen. `make` gives what was decoded, if it could be,
/// `visit` shows its identities, `see` renders it.
fn check<T: Encode + Clone>(
    what: &str,
    mut make: impl FnMut(&mut fastrand::Rng) -> Option<T>,
    visit: impl Fn(&mut T, See<'_>),
    see: impl Fn(&T, &Seen),
) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut samples = 0;
    for _ in 0..TRIES {
        let Some(mut op) = make(&mut random) else { continue };
        let before = to_bytes(&op);
        let seen = Seen::default();
        see(&op, &seen);
        let mut seen = seen.0.into_inner();
        // The start of a list is the same everywhere.
        if seen.iter().any(|one| one == "cookie 0") {
            continue;
        }
        let mut visited = Vec::new();
        visit(&mut op, &mut |identity| visited.extend(shown(&identity)));
        seen.sort();
        visited.sort();
        assert_eq!(visited, seen, "{what}");
        assert_eq!(to_bytes(&op), before, "{what}: looking changes nothing");
        samples += 1;
        if samples == SAMPLES {
            return;
        }
    }
    panic!("{what}: made up only {samples} times");
}

#[test]
fn the_arguments_of_every_operation_show_all_that_a_reader_sees() {
    for op in OpNum::ALL {
        let make = |random: &mut fastrand::Rng| NfsArgop4::decode_args(*op, &mut made_up(&[], random)).ok();
        check(op.name(), make, visit_args, |op, seen| drop(render::argument(op, seen)));
    }
}

#[test]
fn the_results_of_every_operation_show_all_that_a_reader_sees() {
    for op in OpNum::ALL {
        let make = |random: &mut fastrand::Rng| NfsResop4::decode(&mut made_up(&[op.as_u32(), 0], random)).ok();
        check(op.name(), make, visit_result, |op, seen| drop(render::result(op, seen)));
    }
}

#[test]
fn callbacks_show_all_that_a_reader_sees() {
    for op in NfsCbOpnum4::ALL {
        let make = |random: &mut fastrand::Rng| {
            // One operation, without a tag.
            let head = [0, 1, 0, 1, op.as_u32()];
            CbCompound4Args::decode(&mut made_up(&head, random)).ok()?.argarray.pop()
        };
        check(op.rfc_name(), make, visit_callback_args, |op, seen| drop(render::callback_argument(op, seen)));
        let make = |random: &mut fastrand::Rng| NfsCbResop4::decode(&mut made_up(&[op.as_u32(), 0], random)).ok();
        check(op.rfc_name(), make, visit_callback_result, |op, seen| drop(render::callback_result(op, seen)));
    }
}

#[test]
fn what_is_put_in_the_place_of_an_identity_is_in_the_operation() {
    let mut op = NfsArgop4::Putfh(Putfh4Args { object: NfsFh4("then".into()) });
    visit_args(&mut op, &mut |identity| {
        if let Identity::Filehandle(handle) = identity {
            handle.0 = "now".into();
        }
    });
    assert_eq!(op, NfsArgop4::Putfh(Putfh4Args { object: NfsFh4("now".into()) }));
}

#[test]
fn attributes_keep_their_mask_and_their_other_values() {
    let attrs = |handle: &'static str, change| Attrs {
        change: Some(change),
        size: Some(5),
        fsid: Some(Fsid4 { major: 1, minor: 2 }),
        filehandle: Some(NfsFh4(handle.into())),
        fileid: Some(3),
        mounted_on_fileid: Some(4),
        ..Attrs::default()
    };
    // macOS sends zero words behind.
    let fattr = |attrs: Attrs| {
        let mut fattr = attrs.to_fattr4();
        let words = [fattr.attrmask.words(), &[0]].concat();
        fattr.attrmask = nfs4_protocol::nfs4::Bitmap4::from_words(&words);
        NfsResop4::Getattr(Ok(Getattr4Resok { obj_attributes: fattr }))
    };
    let mut result = fattr(attrs("then", 7));
    let mut kinds = Vec::new();
    visit_result(&mut result, &mut |identity| {
        kinds.extend(shown(&identity));
        match identity {
            Identity::Filehandle(handle) => handle.0 = "a longer one".into(),
            Identity::Change(change) => *change = 8,
            _ => {}
        }
    });
    assert_eq!(kinds.len(), 5);
    assert_eq!(result, fattr(attrs("a longer one", 8)));
}

#[test]
fn the_start_of_a_directory_is_no_identity() {
    let readdir = |cookie| {
        let attr_request = [].into_iter().collect();
        let args = Readdir4Args { cookie, cookieverf: Verifier4([9; 8]), dircount: 1, maxcount: 1, attr_request };
        NfsArgop4::Readdir(Box::new(args))
    };
    for (cookie, count) in [(0, 0), (5, 2)] {
        let mut seen = 0;
        visit_args(&mut readdir(cookie), &mut |_| seen += 1);
        assert_eq!(seen, count);
    }
}
