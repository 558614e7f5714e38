//! The compounds by which Linux and macOS mount and use a file system, operation by operation.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use rstest::rstest;

use super::harness::*;
use super::open40::setclientid;

/// A request for the attributes in these words.
fn getattr(words: &[u32]) -> NfsArgop4 {
    NfsArgop4::Getattr(Getattr4Args { attr_request: Bitmap4::from_words(words) })
}

fn access(access: u32) -> NfsArgop4 {
    NfsArgop4::Access(Access4Args { access })
}

const LINUX_FATTR: [u32; 2] = [0x0010_011a, 0x00b0_a23a];
const LINUX_CAPS: [u32; 3] = [0x0003_2065, 0, 0x0040_0800];
const LINUX_FSINFO: [u32; 3] = [0xc800_0400, 0x4008_0000, 0x0004_0002];
const LINUX_PATHCONF: [u32; 1] = [0x3000_0000];
const MACOS_DEFAULT: [u32; 2] = [0xfef7_67ff & !(1 << 7), 0x00b6_be3e];
const MACOS_FH: [u32; 2] = [0x1218_411a, 0x00b6_a23a];

#[tokio::test]
async fn linux_mounts_with_40() {
    let server = Server::start().await;
    setclientid(&server, "Linux NFSv4.0").await;
    let clientid = setclientid(&server, "Linux NFSv4.0").await;
    let root = filehandle(&server.v40(vec![NfsArgop4::Putrootfh, NfsArgop4::Getfh, getattr(&LINUX_FATTR)]).await);
    for words in [&LINUX_CAPS[..1], &LINUX_FSINFO[..2], &LINUX_PATHCONF, &LINUX_FATTR] {
        assert_eq!(last(&server.v40(vec![putfh(&root), getattr(words)]).await), NfsStat4::Ok);
    }
    assert_eq!(last(&server.v40(vec![putfh(&root), access(0x1f), getattr(&[0x18, 0x30_0000])]).await), NfsStat4::Ok);
    let found = server.v40(vec![putfh(&root), lookup("demo"), NfsArgop4::Getfh, getattr(&LINUX_FATTR)]).await;
    assert_ne!(filehandle(&found), root);
    let name = Bytes::from_static(b"demo");
    let results = server.v40(vec![putfh(&root), NfsArgop4::Secinfo(Secinfo4Args { name })]).await;
    let Some(NfsResop4::Secinfo(Ok(secinfo))) = results.last() else { panic!("{results:?}") };
    assert_eq!(secinfo.flavors[0], Secinfo4::Flavor(1));
    assert_eq!(last(&server.v40(vec![NfsArgop4::Renew(Renew4Args { clientid })]).await), NfsStat4::Ok);
}

#[rstest]
#[case(1)]
#[case(2)]
#[tokio::test]
async fn linux_mounts_with_sessions(#[case] minor: u32) {
    let server = Server::start().await;
    let known = server.compound(minor, vec![exchange_id("Linux", 1)]).await;
    assert_eq!(server.compound(minor, vec![exchange_id("Linux", 1)]).await.status, known.status);
    let fore = ChannelAttrs4 {
        maxrequestsize: 1_049_620,
        maxresponsesize: 1_049_480,
        maxresponsesize_cached: 7_584,
        maxoperations: 8,
        maxrequests: 64,
        ..channel()
    };
    let mut client = Client41::connect(&server, minor, "Linux", 1, fore).await;
    assert_eq!(last(&client.run(&server, vec![reclaim_complete()]).await), NfsStat4::Ok);
    let secinfo = || NfsArgop4::SecinfoNoName(SecinfoStyle4::CurrentFh);
    assert_eq!(last(&client.run(&server, vec![NfsArgop4::Putrootfh, secinfo()]).await), NfsStat4::Ok);
    let consumed = client.run(&server, vec![NfsArgop4::Putrootfh, secinfo(), NfsArgop4::Getfh]).await;
    assert_eq!(last(&consumed), NfsStat4::Nofilehandle);
    let results = client.run(&server, vec![NfsArgop4::Putrootfh, NfsArgop4::Getfh, getattr(&LINUX_FATTR)]).await;
    let root = filehandle(&results);
    for words in [&LINUX_CAPS[..], &LINUX_FSINFO, &LINUX_PATHCONF, &LINUX_FATTR] {
        assert_eq!(last(&client.run(&server, vec![putfh(&root), getattr(words)]).await), NfsStat4::Ok);
    }
    let asked = access(if minor == 1 { 0x1f } else { 0x1df });
    assert_eq!(last(&client.run(&server, vec![putfh(&root), asked, getattr(&[0x18, 0x30_0000])]).await), NfsStat4::Ok);
    let results =
        client.run(&server, vec![putfh(&root), lookup("demo"), NfsArgop4::Getfh, getattr(&LINUX_FATTR)]).await;
    let bucket = filehandle(&results);

    let created = [open_op(open(0, "f", unchecked())), NfsArgop4::Getfh, access(0x2d), getattr(&LINUX_FATTR)];
    let results = client.run(&server, [vec![putfh(&bucket)], created.to_vec()].concat()).await;
    let (file, stateid) = (filehandle(&results), opened(&results).stateid);
    assert_eq!(last(&client.run(&server, vec![putfh(&file), write(stateid, b"linux")]).await), NfsStat4::Ok);
    let closing = vec![putfh(&file), getattr(&[0x18, 0x30_0000]), close(0, stateid)];
    assert_eq!(last(&client.run(&server, closing).await), NfsStat4::Ok);
    assert_eq!(server.fs.contents("demo/f").unwrap(), b"linux");
}

#[tokio::test]
async fn macos_mounts_and_creates_with_40() {
    let server = Server::start().await;
    let clientid = setclientid(&server, "macOS").await;
    let walk = [lookup("demo"), NfsArgop4::Getfh, getattr(&MACOS_DEFAULT)];
    let results = server.v40([vec![NfsArgop4::Putrootfh], walk.to_vec()].concat()).await;
    let bucket = filehandle(&results);
    assert_eq!(last(&server.v40(vec![putfh(&bucket), getattr(&MACOS_DEFAULT)]).await), NfsStat4::Ok);

    // No GETFH: macOS reads the handle from the attributes.
    let create = vec![
        putfh(&bucket),
        NfsArgop4::Savefh,
        open_op(Open4Args { seqid: 1, ..open(clientid, "f", unchecked()) }),
        getattr(&MACOS_FH),
        NfsArgop4::Restorefh,
        getattr(&MACOS_FH),
    ];
    let results = server.v40(create).await;
    assert_eq!(last(&results), NfsStat4::Ok, "{results:?}");
    assert_eq!(opened(&results).delegation, OpenDelegation4::None);
    let NfsResop4::Getattr(Ok(attributes)) = &results[3] else { panic!("{results:?}") };
    let file = attributes.obj_attributes.parse().unwrap().filehandle.unwrap();
    let open_stateid = opened(&results).stateid;
    let confirm = NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid, seqid: 2 });
    let results = server.v40(vec![putfh(&file), confirm, getattr(&MACOS_FH)]).await;
    let NfsResop4::OpenConfirm(Ok(confirmed)) = &results[1] else { panic!("{results:?}") };
    let closing = vec![putfh(&file), close(3, confirmed.open_stateid), getattr(&MACOS_FH)];
    assert_eq!(last(&server.v40(closing).await), NfsStat4::Ok);
}

#[tokio::test]
async fn macos_limits_of_a_session_are_met() {
    let server = Server::start().await;
    let reply = server.compound(1, vec![exchange_id("macOS", 1)]).await;
    let NfsResop4::ExchangeId(known) = &reply.resarray[0] else { panic!("{reply:?}") };
    let known = known.as_ref().as_ref().unwrap();
    assert_eq!(known.flags & EXCHGID4_FLAG_MASK_PNFS, EXCHGID4_FLAG_USE_NON_PNFS);
    let fore = ChannelAttrs4 { maxoperations: 20, maxrequests: 64, maxresponsesize_cached: 8192, ..channel() };
    let reply = server.compound(1, vec![create_session(known.clientid, known.sequenceid, fore)]).await;
    let NfsResop4::CreateSession(made) = &reply.resarray[0] else { panic!("{reply:?}") };
    let made = made.as_ref().as_ref().unwrap();
    assert_eq!(made.sequence, known.sequenceid);
    assert_eq!(made.flags & !CREATE_SESSION4_FLAG_CONN_BACK_CHAN, 0);
    assert!(made.fore_chan_attrs.maxoperations >= 8);
    assert!(made.back_chan_attrs.maxresponsesize >= channel().maxresponsesize);
}
