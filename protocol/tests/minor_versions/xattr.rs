//! Extended attributes.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::{from_bytes, to_bytes};

use crate::check::{Wire, limited, no_such, same};

const CHANGE: ChangeInfo4 = ChangeInfo4 { atomic: true, before: 1, after: 2 };

fn change_wire() -> Wire {
    Wire::new().u32(0).u32(1).u64(1).u64(2)
}

#[test]
fn getxattr() {
    same(&Getxattr4Args { name: Bytes::from_static(b"user") }, Wire::new().opaque(b"user"));
    let resok = Getxattr4Resok { value: Bytes::from_static(b"value").into() };
    same(&Getxattr4Res::Ok(resok), Wire::new().u32(0).opaque(b"value"));
    same(&Getxattr4Res::Err(NfsStat4::Noxattr), Wire::new().u32(10095));
    limited::<Getxattr4Args>(&Wire::new(), COMPONENT_MAX);
    limited::<Getxattr4Resok>(&Wire::new(), XATTR_VALUE_MAX);
}

#[test]
fn setxattr() {
    let args = Setxattr4Args {
        option: SetxattrOption4::Replace,
        key: Bytes::from_static(b"key"),
        value: Bytes::from_static(b"value"),
    };
    same(&args, Wire::new().u32(2).opaque(b"key").opaque(b"value"));
    same(&Setxattr4Res::Ok(CHANGE), change_wire());
    same(&Setxattr4Res::Err(NfsStat4::Xattr2big), Wire::new().u32(10096));
    limited::<Setxattr4Args>(&Wire::new().u32(0), COMPONENT_MAX);
    limited::<Setxattr4Args>(&Wire::new().u32(0).opaque(b"key"), XATTR_VALUE_MAX);
    no_such::<Setxattr4Args>(3);
}

#[test]
fn values_are_slices_of_the_record() {
    let value = Bytes::from(vec![9; 1000]);
    let wire = to_bytes(&Setxattr4Args { option: SetxattrOption4::Either, key: Bytes::new(), value });
    let args: Setxattr4Args = from_bytes(wire.clone()).unwrap();
    assert_eq!(args.value.as_ptr(), wire.slice(12..).as_ptr());
}

#[test]
fn listxattrs() {
    same(&Listxattrs4Args { cookie: 3, maxcount: 4 }, Wire::new().u64(3).u32(4));
    let names = vec![Name4(Bytes::from_static(b"a")), Name4(Bytes::from_static(b"bc"))];
    let resok = Listxattrs4Resok { cookie: 5, names, eof: true };
    same(&Listxattrs4Res::Ok(resok), Wire::new().u32(0).u64(5).u32(2).opaque(b"a").opaque(b"bc").u32(1));
    limited::<Listxattrs4Resok>(&Wire::new().u64(5), XATTR_NAMES_MAX);
    limited::<Listxattrs4Resok>(&Wire::new().u64(5).u32(1), COMPONENT_MAX);
}

#[test]
fn removexattr() {
    same(&Removexattr4Args { name: Bytes::from_static(b"gone") }, Wire::new().opaque(b"gone"));
    same(&Removexattr4Res::Ok(CHANGE), change_wire());
    limited::<Removexattr4Args>(&Wire::new(), COMPONENT_MAX);
}
