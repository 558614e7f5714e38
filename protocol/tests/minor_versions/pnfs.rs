//! Devices and layouts.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;

use crate::check::{Wire, bits, limited, no_such, same, stateid, time, verifier};

const DEVICE: Deviceid4 = Deviceid4([0xd; 16]);

#[test]
fn getdeviceinfo() {
    let args = Getdeviceinfo4Args {
        device_id: DEVICE,
        layout_type: LAYOUT4_NFSV4_1_FILES,
        maxcount: 4096,
        notify_types: bits(&[1, 2]),
    };
    same(&args, Wire::new().fixed(&[0xd; 16]).u32(1).u32(4096).u32(1).u32(6));
    let resok = Getdeviceinfo4Resok {
        device_addr: DeviceAddr4 { layout_type: LAYOUT4_FLEX_FILES, addr_body: Bytes::from_static(b"addr!") },
        notification: bits(&[1]),
    };
    same(&Getdeviceinfo4Res::Ok(resok), Wire::new().u32(0).u32(4).opaque(b"addr!").u32(1).u32(2));
    same(&Getdeviceinfo4Res::Toosmall(512), Wire::new().u32(10005).u32(512));
    same(&Getdeviceinfo4Res::Error(NfsStat4::Noent), Wire::new().u32(2));
    limited::<DeviceAddr4>(&Wire::new().u32(1), DEVICE_ADDR_MAX);
}

#[test]
fn getdevicelist() {
    let args = Getdevicelist4Args { layout_type: 3, maxdevices: 10, cookie: 11, cookieverf: verifier(12) };
    same(&args, Wire::new().u32(3).u32(10).u64(11).fixed(&[12; 8]));
    let resok =
        Getdevicelist4Resok { cookie: 1, cookieverf: verifier(2), deviceid_list: vec![DEVICE, DEVICE], eof: true };
    let wire = Wire::new().u32(0).u64(1).fixed(&[2; 8]).u32(2).fixed(&[0xd; 32]).u32(1);
    same(&Getdevicelist4Res::Ok(resok), wire);
    limited::<Getdevicelist4Resok>(&Wire::new().u64(1).fixed(&[2; 8]), DEVICES_MAX);
}

#[test]
fn layoutcommit() {
    let args = Layoutcommit4Args {
        offset: 1,
        length: 2,
        reclaim: true,
        stateid: stateid(3),
        last_write_offset: Some(4),
        time_modify: Some(time(5)),
        layoutupdate: Layoutupdate4 { layout_type: 5, body: Bytes::from_static(b"up") },
    };
    let head = Wire::new().u64(1).u64(2).u32(1).stateid(3);
    let tail = Wire::new().u32(5).opaque(b"up");
    same(&args, head.clone().u32(1).u64(4).u32(1).time(5).then(tail.clone()));
    let unchanged = Layoutcommit4Args { last_write_offset: None, time_modify: None, ..args };
    same(&unchanged, head.u32(0).u32(0).then(tail));
    same(&Layoutcommit4Res::Ok(Layoutcommit4Resok { newsize: Some(6) }), Wire::new().u32(0).u32(1).u64(6));
    same(&Layoutcommit4Res::Ok(Layoutcommit4Resok { newsize: None }), Wire::new().u32(0).u32(0));
    limited::<Layoutupdate4>(&Wire::new().u32(1), LAYOUT_BODY_MAX);
}

#[test]
fn layoutget() {
    let args = Layoutget4Args {
        signal_layout_avail: false,
        layout_type: 1,
        iomode: Layoutiomode4::Rw,
        offset: 2,
        length: 3,
        minlength: 4,
        stateid: stateid(5),
        maxcount: 6,
    };
    same(&args, Wire::new().u32(0).u32(1).u32(2).u64(2).u64(3).u64(4).stateid(5).u32(6));
    let content = LayoutContent4 { layout_type: 1, body: Bytes::from_static(b"where") };
    let layout = Layout4 { offset: 7, length: 8, iomode: Layoutiomode4::Read, content };
    let resok = Layoutget4Resok { return_on_close: true, stateid: stateid(9), layout: vec![layout] };
    let wire = Wire::new().u32(0).u32(1).stateid(9).u32(1).u64(7).u64(8).u32(1).u32(1).opaque(b"where");
    same(&Layoutget4Res::Ok(resok), wire);
    same(&Layoutget4Res::Layouttrylater(true), Wire::new().u32(10058).u32(1));
    same(&Layoutget4Res::Error(NfsStat4::Layoutunavailable), Wire::new().u32(10059));
    limited::<Layoutget4Resok>(&Wire::new().u32(1).stateid(9), LAYOUTS_MAX);
    limited::<LayoutContent4>(&Wire::new().u32(1), LAYOUT_BODY_MAX);
    no_such::<Layoutiomode4>(0);
}

#[test]
fn layoutreturn() {
    let file = LayoutreturnFile4 { offset: 1, length: 2, stateid: stateid(3), body: Bytes::from_static(b"body") };
    let args =
        |layoutreturn| Layoutreturn4Args { reclaim: false, layout_type: 4, iomode: Layoutiomode4::Any, layoutreturn };
    let head = Wire::new().u32(0).u32(4).u32(3);
    same(&args(Layoutreturn4::File(file)), head.clone().u32(1).u64(1).u64(2).stateid(3).opaque(b"body"));
    same(&args(Layoutreturn4::Fsid), head.clone().u32(2));
    same(&args(Layoutreturn4::All), head.u32(3));
    same(&Layoutreturn4Res::Ok(Some(stateid(4))), Wire::new().u32(0).u32(1).stateid(4));
    same(&Layoutreturn4Res::Ok(None), Wire::new().u32(0).u32(0));
    limited::<LayoutreturnFile4>(&Wire::new().u64(1).u64(2).stateid(3), LAYOUT_BODY_MAX);
    no_such::<Layoutreturn4>(0);
}

#[test]
fn layouterror() {
    let error = DeviceError4 { deviceid: DEVICE, status: NfsStat4::Nxio, opnum: OpNum::Write };
    let args = Layouterror4Args { offset: 1, length: 2, stateid: stateid(3), errors: vec![error] };
    let head = Wire::new().u64(1).u64(2).stateid(3);
    same(&args, head.clone().u32(1).fixed(&[0xd; 16]).u32(6).u32(38));
    same(&Layouterror4Res::Err(NfsStat4::Notsupp), Wire::new().u32(10004));
    limited::<Layouterror4Args>(&head, LAYOUT_ERRORS_MAX);
}

#[test]
fn layoutstats() {
    let args = Layoutstats4Args {
        offset: 1,
        length: 2,
        stateid: stateid(3),
        read: IoInfo4 { count: 4, bytes: 5 },
        write: IoInfo4 { count: 6, bytes: 7 },
        deviceid: DEVICE,
        layoutupdate: Layoutupdate4 { layout_type: 4, body: Bytes::new() },
    };
    let wire = Wire::new().u64(1).u64(2).stateid(3).u64(4).u64(5).u64(6).u64(7);
    same(&args, wire.fixed(&[0xd; 16]).u32(4).u32(0));
    same(&Layoutstats4Res::Ok(()), Wire::new().u32(0));
}
