//! Pairs found in results, and put into arguments.

use nfs4_protocol::nfs4::{
    Attrs, CbClient4, Close4Args, Getfh4Resok, Netaddr4, NfsClientId4, Putfh4Args, Readdir4Args, Readdir4Resok,
    Setclientid4Args,
};
use pretty_assertions::assert_eq;

use super::*;

fn handle(name: &'static str) -> NfsFh4 {
    NfsFh4(name.into())
}

fn stateid(seqid: u32, name: u8) -> Stateid4 {
    Stateid4 { seqid, other: [name; 12] }
}

fn close(stateid: Stateid4) -> NfsArgop4 {
    NfsArgop4::Close(Close4Args { seqid: 0, open_stateid: stateid })
}

fn closed(stateid: Stateid4) -> NfsResop4 {
    NfsResop4::Close(Ok(stateid))
}

fn to_now(pairs: &Pairs, mut op: NfsArgop4, directory: Option<&NfsFh4>) -> NfsArgop4 {
    pairs.to_now(&mut op, directory);
    op
}

/// A listing: names with their cookies and handles.
fn listing(verifier: u8, entries: &[(&'static str, u64, &'static str)]) -> NfsResop4 {
    let entry = |(name, cookie, file): &(&'static str, u64, &'static str)| Entry4 {
        cookie: *cookie,
        name: (*name).into(),
        attrs: Attrs { filehandle: Some(handle(file)), ..Attrs::default() }.to_fattr4(),
    };
    let reply = Dirlist4 { entries: entries.iter().map(entry).collect(), eof: false };
    NfsResop4::Readdir(Ok(Readdir4Resok { cookieverf: Verifier4([verifier; 8]), reply }))
}

fn readdir(cookie: u64, verifier: u8) -> NfsArgop4 {
    let (cookieverf, attr_request) = (Verifier4([verifier; 8]), [].into_iter().collect());
    NfsArgop4::Readdir(Box::new(Readdir4Args { cookie, cookieverf, dircount: 0, maxcount: 0, attr_request }))
}

#[test]
fn handles_go_both_ways() {
    let mut pairs = Pairs::new(1);
    let got = |name| NfsResop4::Getfh(Ok(Getfh4Resok { object: handle(name) }));
    let put = |name| NfsArgop4::Putfh(Putfh4Args { object: handle(name) });
    pairs.learn(&got("then"), &got("now"), None);
    assert_eq!(to_now(&pairs, put("then"), None), put("now"));
    assert_eq!(to_now(&pairs, put("unknown"), None), put("unknown"));
    let mut result = got("now");
    pairs.to_then(&mut result);
    assert_eq!(result, got("then"));
    // The last pair counts: a handle of then may stand for another file now.
    pairs.learn(&got("then"), &got("later"), None);
    assert_eq!(to_now(&pairs, put("then"), None), put("later"));
}

#[test]
fn stateids_keep_their_seqid_where_no_pair_says_another() {
    let mut pairs = Pairs::new(1);
    pairs.learn(&closed(stateid(1, 3)), &closed(stateid(5, 9)), None);
    assert_eq!(to_now(&pairs, close(stateid(1, 3)), None), close(stateid(5, 9)));
    assert_eq!(to_now(&pairs, close(stateid(0, 3)), None), close(stateid(0, 9)), "the most recent one");
    assert_eq!(to_now(&pairs, close(Stateid4::ANONYMOUS), None), close(Stateid4::ANONYMOUS));
    pairs.learn(&closed(Stateid4::ANONYMOUS), &closed(stateid(1, 1)), None);
    assert_eq!(
        to_now(&pairs, close(Stateid4::ANONYMOUS), None),
        close(Stateid4::ANONYMOUS),
        "special ones are no names"
    );
}

#[test]
fn entries_are_paired_by_their_names() {
    let mut pairs = Pairs::new(1);
    let then = listing(1, &[("a", 3, "a then"), ("b", 4, "b then")]);
    let now = listing(2, &[("b", 90, "b now"), ("c", 91, "c now"), ("a", 92, "a now")]);
    let directory = handle("directory");
    pairs.learn(&then, &now, Some(&directory));
    let put = |name| NfsArgop4::Putfh(Putfh4Args { object: handle(name) });
    assert_eq!(to_now(&pairs, put("b then"), None), put("b now"));
    assert_eq!(to_now(&pairs, readdir(4, 1), Some(&directory)), readdir(90, 2));
    assert_eq!(to_now(&pairs, readdir(0, 1), Some(&directory)), readdir(0, 1), "the start");
    // The cookies of another directory are others, though the numbers are the same.
    assert_eq!(to_now(&pairs, readdir(4, 1), Some(&handle("other"))), readdir(4, 1));
}

/// The server of now may put fewer entries into a reply, so that the last one of then was not listed yet.
#[test]
fn a_listing_goes_on_where_it_is() {
    let mut pairs = Pairs::new(1);
    let directory = handle("directory");
    let (then, now) = (listing(1, &[("a", 3, "a"), ("b", 4, "b")]), listing(2, &[("a", 90, "a")]));
    pairs.learn(&then, &now, Some(&directory));
    assert_eq!(to_now(&pairs, readdir(4, 1), Some(&directory)), readdir(90, 2));
}

#[test]
fn clients_of_two_runs_are_two_clients_and_nobody_is_called_back() {
    let setclientid = |verifier: [u8; 8], id: &Bytes, netid: &'static str, addr: &'static str| {
        NfsArgop4::Setclientid(Box::new(Setclientid4Args {
            client: NfsClientId4 { verifier: Verifier4(verifier), id: id.clone() },
            callback: CbClient4 { program: 1, location: Netaddr4 { netid: netid.into(), addr: addr.into() } },
            callback_ident: 1,
        }))
    };
    let recorded = setclientid([1; 8], &"client".into(), "tcp6", "::1.8.1");
    let now = to_now(&Pairs::new(0x0203), recorded.clone(), None);
    let expected = setclientid([1, 1, 1, 1, 1, 1, 3, 2], &"client 0000000000000203".into(), "tcp", "0.0.0.0.0.0");
    assert_eq!(now, expected);
    assert_ne!(to_now(&Pairs::new(9), recorded, None), now);
    let longest = Bytes::from(vec![b'x'; NFS4_OPAQUE_LIMIT]);
    let NfsArgop4::Setclientid(args) = to_now(&Pairs::new(1), setclientid([0; 8], &longest, "", ""), None) else {
        panic!("another operation");
    };
    assert_eq!(args.client.id.len(), NFS4_OPAQUE_LIMIT);
    assert!(args.client.id.ends_with(b" 0000000000000001"));
}
