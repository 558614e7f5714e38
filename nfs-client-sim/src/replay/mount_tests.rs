//! The way to the directory.

use nfs4_protocol::nfs4::{Getfh4Resok, NfsStat4};
use pretty_assertions::assert_eq;

use super::*;

fn handle(name: &'static str) -> NfsFh4 {
    NfsFh4(name.into())
}

fn lookup(name: &'static str) -> NfsArgop4 {
    NfsArgop4::Lookup(Lookup4Args { objname: name.into() })
}

fn putfh(name: &'static str) -> NfsArgop4 {
    NfsArgop4::Putfh(Putfh4Args { object: handle(name) })
}

fn got(name: &'static str) -> NfsResop4 {
    NfsResop4::Getfh(Ok(Getfh4Resok { object: handle(name) }))
}

/// A mount whose target is `place`: its name, and the handle above unless that is the root.
fn mount(recorded: &str, place: Option<(Option<&'static str>, &'static str)>) -> Mount {
    let place = place.map(|(parent, name)| (parent.map(handle), Bytes::from_static(name.as_bytes())));
    Mount::new(recorded, Target { directory: handle("target"), place })
}

fn sent(mount: &mut Mount, ops: &[NfsArgop4], results: &[NfsResop4]) -> Vec<NfsArgop4> {
    let mut sent = ops.to_vec();
    mount.redirect(ops, results, &mut sent);
    sent
}

#[test]
fn the_last_name_becomes_the_name_of_now() {
    let mut mount = mount("/export", Some((None, "bucket")));
    let ops = [NfsArgop4::Putrootfh, lookup("export"), NfsArgop4::Getfh, lookup("export")];
    let expected = [NfsArgop4::Putrootfh, lookup("bucket"), NfsArgop4::Getfh, lookup("export")];
    assert_eq!(sent(&mut mount, &ops, &[]), expected);
}

/// Linux asks for the root's handle first and looks the names up in compounds of their own.
#[test]
fn handles_on_the_way_are_known_again() {
    let mut mount = mount("/a/b", Some((None, "bucket")));
    let ops = [NfsArgop4::Putrootfh, NfsArgop4::Getfh];
    sent(&mut mount, &ops, &[NfsResop4::Putrootfh(Ok(())), got("root")]);
    let ops = [putfh("root"), lookup("a"), NfsArgop4::Getfh];
    let results = [NfsResop4::Putfh(Ok(())), NfsResop4::Lookup(Ok(())), got("a")];
    assert_eq!(sent(&mut mount, &ops, &results), [putfh("root"), NfsArgop4::Putrootfh, NfsArgop4::Getfh]);
    let secinfo = |name: &'static str| NfsArgop4::Secinfo(Secinfo4Args { name: name.into() });
    assert_eq!(sent(&mut mount, &[putfh("a"), secinfo("b")], &[]), [putfh("a"), secinfo("bucket")]);
    assert_eq!(sent(&mut mount, &[putfh("a"), lookup("b")], &[]), [putfh("a"), lookup("bucket")]);
    assert_eq!(sent(&mut mount, &[putfh("x"), lookup("b")], &[]), [putfh("x"), lookup("b")]);
}

#[test]
fn a_deeper_directory_of_now_is_reached_through_its_parent() {
    let mut mount = mount("/export", Some((Some("parent"), "directory")));
    let ops = [NfsArgop4::Putrootfh, NfsArgop4::Savefh, lookup("export"), NfsArgop4::Restorefh, lookup("export")];
    let expected = [putfh("parent"), NfsArgop4::Savefh, lookup("directory"), NfsArgop4::Restorefh, lookup("directory")];
    assert_eq!(sent(&mut mount, &ops, &[]), expected);
}

#[test]
fn the_root_may_stand_for_a_directory_and_a_directory_for_the_root() {
    let mut to_root = mount("/export", None);
    assert_eq!(
        sent(&mut to_root, &[NfsArgop4::Putrootfh, lookup("export")], &[]),
        [NfsArgop4::Putrootfh, NfsArgop4::Putrootfh]
    );
    let mut from_root = mount("/", Some((None, "bucket")));
    assert_eq!(sent(&mut from_root, &[NfsArgop4::Putrootfh, lookup("x")], &[]), [putfh("target"), lookup("x")]);
}

#[test]
fn the_way_up_stays_on_the_way() {
    let mut mount = mount("/a/b", Some((Some("parent"), "directory")));
    let ops = [NfsArgop4::Putrootfh, lookup("a"), lookup("b"), NfsArgop4::Lookupp, NfsArgop4::Lookupp, lookup("a")];
    let expected =
        [putfh("parent"), putfh("parent"), lookup("directory"), NfsArgop4::Lookupp, putfh("parent"), putfh("parent")];
    assert_eq!(sent(&mut mount, &ops, &[]), expected);
}

#[test]
fn results_are_those_of_what_was_asked() {
    let asked = [NfsArgop4::Putrootfh, lookup("a"), NfsArgop4::Lookupp, putfh("x"), NfsArgop4::Getfh];
    let stale = Err(NfsStat4::Stale);
    let mut results = [
        NfsResop4::Putfh(Ok(())),
        NfsResop4::Putrootfh(Ok(())),
        NfsResop4::Putfh(stale),
        NfsResop4::Putfh(Ok(())),
        got("h"),
    ];
    as_asked(&asked, &mut results);
    let expected = [
        NfsResop4::Putrootfh(Ok(())),
        NfsResop4::Lookup(Ok(())),
        NfsResop4::Lookupp(stale),
        NfsResop4::Putfh(Ok(())),
        got("h"),
    ];
    assert_eq!(results, expected);
}
