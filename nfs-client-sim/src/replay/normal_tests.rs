//! What is left of results.

use nfs4_protocol::nfs4::{Attrs, Dirlist4, Entry4, Getattr4Resok, NfsFtype4, Putfh4Args, Readdir4Resok, Write4Resok};
use pretty_assertions::assert_eq;

use super::*;
use crate::trace::render;

fn handle(name: &'static str) -> NfsFh4 {
    NfsFh4(name.into())
}

/// A result as it is written, of the file `of`.
fn line(naming: &mut Naming, types: &mut Types, mut result: NfsResop4, of: Option<&NfsFh4>) -> String {
    blank(&mut result, types, of);
    naming.add_result(&result);
    render::result(&result, naming)
}

fn getattr(attrs: &Attrs) -> NfsResop4 {
    NfsResop4::Getattr(Ok(Getattr4Resok { obj_attributes: attrs.to_fattr4() }))
}

#[test]
fn identities_have_names_by_their_order() {
    let mut naming = Naming::default();
    let put = |name| NfsArgop4::Putfh(Putfh4Args { object: handle(name) });
    [put("a"), put("b"), put("a")].iter().for_each(|op| naming.add_args(op));
    assert_eq!(render::argument(&put("b"), &naming), "PUTFH object=fh2");
    let closed = |seqid, name| NfsResop4::Close(Ok(Stateid4 { seqid, other: [name; 12] }));
    let mut types = Types::default();
    assert_eq!(line(&mut naming, &mut types, closed(3, 7), None), "CLOSE NFS4_OK stateid1:3");
    assert_eq!(line(&mut naming, &mut types, closed(4, 7), None), "CLOSE NFS4_OK stateid1:4");
    let anonymous = NfsResop4::Close(Ok(Stateid4::ANONYMOUS));
    assert_eq!(line(&mut naming, &mut types, anonymous, None), "CLOSE NFS4_OK anonymous");
    let written = |verifier| {
        let committed = nfs4_protocol::nfs4::StableHow4::FileSync;
        NfsResop4::Write(Ok(Write4Resok { count: 1, committed, writeverf: Verifier4([verifier; 8]) }))
    };
    let expected = "WRITE NFS4_OK count=1 committed=FILE_SYNC4 writeverf=";
    let mut write = |verifier| line(&mut naming, &mut types, written(verifier), None);
    assert_eq!(
        [write(5), write(6), write(5), write(0)],
        ["verifier1", "verifier2", "verifier1", "0"].map(|name| format!("{expected}{name}"))
    );
}

#[test]
fn values_of_the_server_are_blank_and_the_rest_stays() {
    let attrs = Attrs {
        ftype: Some(NfsFtype4::Reg),
        change: Some(7),
        size: Some(5),
        fsid: Some(Fsid4 { major: 8, minor: 9 }),
        fileid: Some(3),
        mode: Some(0o640),
        space_used: Some(4096),
        time_modify: Some(Nfstime4 { seconds: 1, nseconds: 2 }),
        ..Attrs::default()
    };
    let expected = "GETATTR NFS4_OK obj_attributes={type=NF4REG change=<change> size=5 fsid=fs1 fileid=<fileid> \
                    mode=0640 space_used=<space> time_modify=<time>}";
    assert_eq!(line(&mut Naming::default(), &mut Types::default(), getattr(&attrs), None), expected);
}

#[test]
fn the_size_of_a_directory_does_not_count_also_where_the_type_is_not_told() {
    let (mut naming, mut types) = (Naming::default(), Types::default());
    let directory = handle("directory");
    let told = Attrs { ftype: Some(NfsFtype4::Dir), size: Some(4096), numlinks: Some(7), ..Attrs::default() };
    let mut line = |attrs: &Attrs, of| line(&mut naming, &mut types, getattr(attrs), of);
    assert_eq!(line(&told, Some(&directory)), "GETATTR NFS4_OK obj_attributes={type=NF4DIR size=0 numlinks=0}");
    let size = Attrs { size: Some(4096), ..Attrs::default() };
    assert_eq!(line(&size, Some(&directory)), "GETATTR NFS4_OK obj_attributes={size=0}");
    assert_eq!(line(&size, Some(&handle("file"))), "GETATTR NFS4_OK obj_attributes={size=4096}");
}

#[test]
fn entries_are_sorted_and_cookies_blank() {
    let entry = |name: &'static str, cookie| Entry4 { cookie, name: name.into(), attrs: Attrs::default().to_fattr4() };
    let reply = Dirlist4 { entries: vec![entry("b", 3), entry("a", 4)], eof: true };
    let listed = NfsResop4::Readdir(Ok(Readdir4Resok { cookieverf: Verifier4::default(), reply }));
    let line = line(&mut Naming::default(), &mut Types::default(), listed, None);
    let (a, b) = (line.find("name=\"a\"").unwrap(), line.find("name=\"b\"").unwrap());
    assert!(a < b && line.contains("cookie=<cookie>") && line.contains("cookieverf=0"), "{line}");
}
