use std::collections::BTreeSet;

use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::{Decode, Decoder, from_bytes, to_bytes};
use pretty_assertions::assert_eq;

use super::*;

const STATEID: Stateid4 = Stateid4::ANONYMOUS;

/// Arguments that begin with these words and are zero from there on.
fn made_of<T: Decode>(words: &[u32]) -> T {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.resize(256, 0);
    T::decode(&mut Decoder::new(bytes.into())).unwrap()
}

fn minor_0() -> CompoundBuilder {
    let owner = || StateOwner4 { clientid: 1, owner: Bytes::new() };
    let fattr = Fattr4::default;
    let exclusive = Openflag4::Create(Createhow4::Exclusive(Verifier4::default()));
    let open = Open4Args {
        seqid: 0,
        share_access: 1,
        share_deny: 0,
        owner: owner(),
        openhow: exclusive,
        claim: OpenClaim4::Fh,
    };
    let locker = Locker4::LockOwner(ExistLockOwner4 { lock_stateid: STATEID, lock_seqid: 0 });
    let locktype = NfsLockType4::Read;
    let readdir = Readdir4Args {
        cookie: 0,
        cookieverf: Verifier4::default(),
        dircount: 1,
        maxcount: 1,
        attr_request: Bitmap4::new(),
    };
    let client = NfsClientId4 { verifier: Verifier4::default(), id: Bytes::new() };
    let location = Netaddr4 { netid: "tcp".into(), addr: "0.0.0.0.0.0".into() };
    let setclientid = Setclientid4Args { client, callback: CbClient4 { program: 1, location }, callback_ident: 0 };
    CompoundBuilder::new()
        .putrootfh()
        .putpubfh()
        .putfh(&NfsFh4::default())
        .getfh()
        .savefh()
        .restorefh()
        .lookup("a")
        .lookupp()
        .getattr(&[FATTR4_SIZE])
        .setattr(STATEID, fattr())
        .access(1)
        .read(STATEID, 0, 1)
        .write(STATEID, 0, StableHow4::Unstable, Bytes::new())
        .commit(0, 0)
        .open(open)
        .close(0, STATEID)
        .create(Createtype4::Dir, "a", fattr())
        .remove("a")
        .rename("a", "b")
        .readlink()
        .renew(1)
        .readdir(readdir)
        .link("a")
        .lock(Lock4Args { locktype, reclaim: false, offset: 0, length: 1, locker })
        .lockt(Lockt4Args { locktype, offset: 0, length: 1, owner: owner() })
        .locku(Locku4Args { locktype, seqid: 0, lock_stateid: STATEID, offset: 0, length: 1 })
        .verify(fattr())
        .nverify(fattr())
        .openattr(true)
        .open_confirm(STATEID, 0)
        .open_downgrade(OpenDowngrade4Args { open_stateid: STATEID, seqid: 0, share_access: 1, share_deny: 0 })
        .delegreturn(STATEID)
        .delegpurge(1)
        .secinfo("a")
        .setclientid(setclientid)
        .setclientid_confirm(1, Verifier4::default())
        .release_lockowner(owner())
}

fn minor_1(compound: CompoundBuilder) -> CompoundBuilder {
    let sessionid = Sessionid4::default();
    compound
        .sequence(Sequence4Args { sessionid, sequenceid: 1, slotid: 0, highest_slotid: 0, cachethis: false })
        .reclaim_complete()
        .backchannel_ctl(made_of(&[]))
        .bind_conn_to_session(sessionid, ChannelDirFromClient4::Fore)
        .exchange_id(made_of(&[]))
        .create_session(made_of(&[]))
        .destroy_session(sessionid)
        .destroy_clientid(1)
        .free_stateid(STATEID)
        .test_stateid(vec![STATEID])
        .get_dir_delegation(made_of(&[]))
        .want_delegation(WantDelegation4Args { want: 0, claim: DelegClaim4::Fh })
        .getdeviceinfo(made_of(&[]))
        .getdevicelist(made_of(&[]))
        .layoutget(made_of(&[0, 1, 1]))
        .layoutcommit(made_of(&[]))
        .layoutreturn(made_of(&[0, 1, 1, 3]))
        .secinfo_no_name(SecinfoStyle4::Parent)
        .set_ssv(made_of(&[]))
}

fn minor_2(compound: CompoundBuilder) -> CompoundBuilder {
    compound
        .allocate(STATEID, 0, 1)
        .deallocate(STATEID, 0, 1)
        .seek(STATEID, 0, DataContent4::Hole)
        .read_plus(STATEID, 0, 1)
        .write_same(made_of(&[]))
        .io_advise(made_of(&[]))
        .copy(made_of(&[]))
        .copy_notify(CopyNotify4Args { src_stateid: STATEID, destination_server: Netloc4::Name(Bytes::new()) })
        .offload_status(STATEID)
        .offload_cancel(STATEID)
        .clone_range(made_of(&[]))
        .layouterror(made_of(&[]))
        .layoutstats(made_of(&[]))
        .getxattr("a")
        .setxattr(SetxattrOption4::Either, "a", Bytes::new())
        .listxattrs(0, 1)
        .removexattr("a")
        .illegal()
}

/// Each operation of the protocol has a method, and what it makes goes over the wire as it is.
#[test]
fn every_operation_can_be_put_into_a_compound() {
    let args = minor_2(minor_1(minor_0())).build(2);
    let made: BTreeSet<u32> = args.argarray.iter().map(|op| op.opnum().as_u32()).collect();
    let all: BTreeSet<u32> = OpNum::ALL.iter().map(|op| op.as_u32()).collect();
    assert_eq!(made, all);
    assert_eq!(from_bytes::<Compound4Args>(to_bytes(&args)).unwrap(), args);
}
