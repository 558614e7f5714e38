//! The contents of notifications.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;

use crate::check::{Wire, bits, limited, same, verifier};

fn entry(name: &'static [u8]) -> NotifyEntry4 {
    let attrs = Fattr4 { attrmask: bits(&[4]), attr_vals: Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 9]) };
    NotifyEntry4 { file: Bytes::from_static(name), attrs }
}

fn entry_wire(wire: Wire, name: &[u8]) -> Wire {
    wire.opaque(name).u32(1).u32(1 << 4).u32(8).u64(9)
}

fn removed(name: &'static [u8]) -> NotifyRemove4 {
    NotifyRemove4 { old_entry: entry(name), old_entry_cookie: 5 }
}

fn added(name: &'static [u8]) -> NotifyAdd4 {
    NotifyAdd4 { old_entry: None, new_entry: entry(name), new_entry_cookie: None, prev_entry: None, last_entry: false }
}

#[test]
fn changes_of_a_directory() {
    same(&NotifyAttr4 { changed_entry: entry(b"f") }, entry_wire(Wire::new(), b"f"));
    same(&removed(b"gone"), entry_wire(Wire::new(), b"gone").u64(5));
    same(&added(b"new"), entry_wire(Wire::new().u32(0), b"new").u32(0).u32(0).u32(0));
    let full = NotifyAdd4 {
        old_entry: Some(removed(b"replaced")),
        new_entry_cookie: Some(6),
        prev_entry: Some(PrevEntry4 { prev_entry: entry(b"before"), prev_entry_cookie: 7 }),
        last_entry: true,
        ..added(b"new")
    };
    let head = entry_wire(Wire::new().u32(1), b"replaced").u64(5);
    let wire = entry_wire(entry_wire(head, b"new").u32(1).u64(6).u32(1), b"before").u64(7).u32(1);
    same(&full, wire);
    let rename = NotifyRename4 { old_entry: removed(b"old"), new_entry: added(b"new") };
    let wire = entry_wire(entry_wire(Wire::new(), b"old").u64(5).u32(0), b"new").u32(0).u32(0).u32(0);
    same(&rename, wire);
    let verf = NotifyVerifier4 { old_cookieverf: verifier(1), new_cookieverf: verifier(2) };
    same(&verf, Wire::new().fixed(&[1; 8]).fixed(&[2; 8]));
    limited::<NotifyEntry4>(&Wire::new(), COMPONENT_MAX);
}

#[test]
fn changes_of_devices() {
    let deviceid = Deviceid4([3; 16]);
    same(&NotifyDeviceidDelete4 { layouttype: 1, deviceid }, Wire::new().u32(1).fixed(&[3; 16]));
    let change = NotifyDeviceidChange4 { layouttype: 1, deviceid, immediate: true };
    same(&change, Wire::new().u32(1).fixed(&[3; 16]).u32(1));
}

#[test]
fn notifications_hold_them_encoded() {
    let notify = Notify4 { mask: bits(&[5]), vals: Bytes::from_static(&[1; 16]) };
    same(&notify, Wire::new().u32(1).u32(1 << 5).u32(16).fixed(&[1; 16]));
    limited::<Notify4>(&Wire::new().u32(0), NOTIFY_VALS_MAX);
}
