//! The text format, the pairing of calls and replies, and what is shown of them.

use std::time::Duration;

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::{AcceptedBody, AuthSysParms, NFS_PROGRAM, NFS_V4, OpaqueAuth, RpcMsg};
use nfs4_protocol::xdr::{Encode, Encoder};
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::show::{Entry, Filter, show};
use super::text::Problem;
use super::*;

/// A message: a header and what follows it.
fn message(header: &RpcMsg, body: &impl Encode) -> Bytes {
    let mut e = Encoder::new();
    header.encode(&mut e);
    body.encode(&mut e);
    e.finish_contiguous()
}

fn call(xid: u32, argarray: Vec<NfsArgop4>) -> Bytes {
    let user = AuthSysParms { stamp: 0, machinename: Bytes::new(), uid: 7, gid: 8, gids: Vec::new() };
    let header = RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, 1, OpaqueAuth::from(&user));
    message(&header, &Compound4Args { tag: Bytes::new(), minorversion: 1, argarray })
}

fn reply(xid: u32, status: NfsStat4, resarray: Vec<NfsResop4>) -> Bytes {
    let header = RpcMsg::accepted(xid, AcceptedBody::Success);
    message(&header, &Compound4Res { status, tag: Bytes::new(), resarray })
}

fn event(millis: u64, connection: u32, what: What) -> Event {
    Event { at: Duration::from_millis(millis), connection, what }
}

fn from(side: Side, message: Bytes) -> What {
    What::Message { from: side, message }
}

fn lookup(name: &'static str) -> NfsArgop4 {
    NfsArgop4::Lookup(Lookup4Args { objname: Bytes::from_static(name.as_bytes()) })
}

/// A LOOKUP that fails, a WRITE of zeros without a reply, and everything that is no message.
fn sample() -> Trace {
    let write =
        Write4Args { stateid: Stateid4::ANONYMOUS, offset: 0, stable: StableHow4::FileSync, data: vec![0; 96].into() };
    let missing = vec![NfsResop4::Putrootfh(Ok(())), NfsResop4::Lookup(Err(NfsStat4::Noent))];
    Trace {
        header: Header {
            client: "a client".to_owned(),
            directory: "/export".to_owned(),
            minor: Some(1),
            notes: vec!["two\nlines \\ and".to_owned(), String::new()],
            ..Header::default()
        },
        events: vec![
            event(0, 1, What::Opened),
            event(1, 1, from(Side::Client, call(5, vec![NfsArgop4::Putrootfh, lookup("file")]))),
            event(3, 1, from(Side::Server, reply(5, NfsStat4::Noent, missing))),
            event(4, 1, from(Side::Client, call(6, vec![NfsArgop4::Write(Box::new(write))]))),
            event(4, 1, What::Gap { bytes: 1448 }),
            event(5, 0, What::Restarted),
            event(5, 1, What::Closed { by: Side::Server }),
        ],
    }
}

const SAMPLE: &str = r#"nfs-trace 1
origin: recorded
client: a client
server:
mount:
command:
date:
directory: /export
minor: 1
note: two\nlines \\ and
note:

1 0.000000 opened

1 0.001000 > call 00000005 COMPOUND minor=1 sys(7,8)
  PUTROOTFH
  LOOKUP objname="file"
| 00000005 00000000 00000002 000186a3 00000004 00000001 00000001 00000014
| 00000000 00000000 00000007 00000008 00000000 00000000 00000000 00000000
| 00000001 00000002 00000018 0000000f 00000004 66696c65

1 0.003000 < reply 00000005 NFS4ERR_NOENT
  PUTROOTFH NFS4_OK
  LOOKUP NFS4ERR_NOENT
| 00000005 00000001 00000000 00000000 00000000 00000000 00000002 00000000
| 00000002 00000018 00000000 0000000f 00000002

1 0.004000 > call 00000006 COMPOUND minor=1 sys(7,8)
  WRITE stateid=anonymous offset=0 stable=FILE_SYNC4 data=[96: 00000000 00000000 00000000 00000000 …]
| 00000006 00000000 00000002 000186a3 00000004 00000001 00000001 00000014
| 00000000 00000000 00000007 00000008 00000000 00000000 00000000 00000000
| 00000001 00000001 00000026 00000000 00000000 00000000 00000000 00000000
| 00000000 00000002 00000060 00000000 00000000 00000000 00000000 00000000
| 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
|*1
| 00000000 00000000 00000000

1 0.004000 gap 1448

0 0.005000 restarted

1 0.005000 closed by server
"#;

#[test]
fn a_trace_is_written_as_documented_and_read_back() {
    assert_eq!(sample().to_string(), SAMPLE);
    assert_eq!(Trace::read(SAMPLE), Ok(sample()));
    assert_eq!(check(SAMPLE), Ok(()));
}

#[test]
fn a_line_that_the_messages_do_not_say_is_stale() {
    let stale = check(&SAMPLE.replace("LOOKUP NFS4ERR_NOENT", "LOOKUP NFS4_OK")).unwrap_err();
    assert_eq!(
        stale,
        Stale::Differs { line: 24, found: "  LOOKUP NFS4_OK".to_owned(), wanted: "  LOOKUP NFS4ERR_NOENT".to_owned() }
    );
    let longer = format!("{SAMPLE}\n");
    assert!(matches!(check(&longer), Err(Stale::Differs { found, .. }) if found.is_empty()));
    assert!(matches!(check("nfs-trace 2"), Err(Stale::Unreadable(_))));
}

#[test]
fn mistakes_are_named_with_their_line() {
    let problem = |from: &str, to: &str| {
        assert!(SAMPLE.contains(from), "{from}");
        let error = Trace::read(&SAMPLE.replacen(from, to, 1)).unwrap_err();
        (error.line, error.problem)
    };
    let text = str::to_owned;
    assert_eq!(problem("nfs-trace 1", "nfs-trace 2"), (1, Problem::Magic));
    assert_eq!(problem("client: a", "colour: a"), (3, Problem::Header(text("colour: a client"))));
    assert_eq!(problem("server:", "client:"), (4, Problem::Header(text("client:"))));
    let value = |name: &str, value: &str| Problem::Value { name: text(name), value: text(value) };
    assert_eq!(problem("recorded", "found"), (2, value("origin", "found")));
    assert_eq!(problem("minor: 1", "minor: one"), (9, value("minor", "one")));
    assert_eq!(problem("a client", "a \\client"), (3, value("client", "a \\client")));
    let event = |line: &str| Problem::Event(text(line));
    assert_eq!(problem("1 0.000000 opened", "1 0.0000000 opened"), (13, event("1 0.0000000 opened")));
    assert_eq!(problem("opened", "opened twice"), (13, event("1 0.000000 opened twice")));
    assert_eq!(problem("gap 1448", "gap -1"), (38, event("1 0.004000 gap -1")));
    assert_eq!(problem("closed by server", "closed"), (42, event("1 0.005000 closed")));
    assert_eq!(problem("  PUTROOTFH\n", "PUTROOTFH\n"), (16, Problem::Misplaced(text("PUTROOTFH"))));
    assert_eq!(problem("|*1\n", "|*0\n"), (35, Problem::Repeat(text("|*0"))));
    assert_eq!(problem("|*1\n", "|*524288\n"), (35, Problem::MessageTooLong));
    let hex = |from: &str, to: &str| assert!(matches!(problem(from, to), (_, Problem::Hex(_))), "{to}");
    hex("66696c65\n", "66696c6\n");
    hex("66696c65\n", "66696c+5\n");
    hex("66696c65\n", "66696c65\n| 00\n");
    hex("00000005 00000000", "000005 00000000");
    hex("00000005 00000000", "00000005  00000000");
    hex("00000005 00000000", "00000005 00000000 00000000");
    hex("66696c65\n", "66696cé\n");
}

#[test]
fn repetitions_cannot_exceed_what_a_trace_may_hold() {
    let line = "| ".to_owned() + &"00".repeat(32);
    let message = format!("\n1 0.0 > x\n{line}\n|*{}\n", MESSAGE_LEN_MAX / 32 - 1);
    let text = |count: usize| format!("nfs-trace 1\n\n{}", message.repeat(count));
    let fits = TRACE_BYTES_MAX / MESSAGE_LEN_MAX;
    assert_eq!(Trace::read(&text(1)).map(|trace| trace.events[0].message().unwrap().1.len()), Ok(MESSAGE_LEN_MAX));
    let problem = Trace::read(&text(fits + 1)).map_err(|error| error.problem);
    assert_eq!(problem, Err(Problem::TraceTooLong));
}

#[test]
fn a_reply_belongs_to_the_oldest_call_of_its_connection_that_waits() {
    let args = || call(9, vec![NfsArgop4::Putrootfh]);
    let res = || reply(9, NfsStat4::Ok, vec![NfsResop4::Putrootfh(Ok(()))]);
    let events = vec![
        event(0, 1, from(Side::Client, args())),
        event(1, 2, from(Side::Client, args())),
        event(2, 2, from(Side::Client, args())),
        event(3, 2, from(Side::Server, res())),
        event(5, 1, from(Side::Server, res())),
        event(6, 1, from(Side::Server, res())),
        event(7, 2, from(Side::Client, res())),
    ];
    let trace = Trace { events, ..Trace::default() };
    let replies: Vec<_> = trace.exchanges().iter().map(|exchange| exchange.reply.as_ref().map(|(at, _)| *at)).collect();
    assert_eq!(replies, [Some(4), Some(3), None]);
    assert_eq!(trace.exchanges()[1].duration, Some(Duration::from_millis(2)));
    assert_eq!(trace.orphans().iter().map(|orphan| orphan.at).collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn a_body_that_is_not_what_xdr_says_is_kept_and_explained() {
    let broken = call(1, vec![NfsArgop4::Putrootfh]);
    let broken = event(0, 1, from(Side::Client, broken.slice(..broken.len() - 2)));
    let call = broken.call().unwrap();
    assert!(matches!(&call.arguments, Arguments::Opaque(bytes, Undecoded::Malformed(_)) if bytes.len() == 14));
    assert_eq!(call.operations(&render::Plain), ["(14 bytes: not decodable: input ends at least 2 bytes early)"]);
    assert_eq!(event(0, 1, from(Side::Client, Bytes::from_static(&[1, 2, 3]))).call(), None);
}

fn gss(procedure: u32, service: u32) -> OpaqueAuth {
    let mut e = Encoder::new();
    [1, procedure, 3, service].iter().for_each(|word| e.u32(*word));
    OpaqueAuth { flavor: RPCSEC_GSS, body: e.finish_contiguous() }
}

/// RFC 2203 §5.3.
#[test]
fn bodies_under_rpcsec_gss_are_read_where_they_are_not_encrypted() {
    let args = Compound4Args { tag: Bytes::new(), minorversion: 1, argarray: vec![NfsArgop4::Putrootfh] };
    let plain = nfs4_protocol::xdr::to_bytes(&args);
    let sealed = [&[0, 0, 0, 3], plain.as_ref()].concat();
    let decode = |cred: OpaqueAuth, body: &[u8]| {
        let header = nfs4_protocol::xdr::to_bytes(&RpcMsg::call(1, NFS_PROGRAM, NFS_V4, 1, cred));
        Call::decode(Side::Client, &[header.as_ref(), body].concat().into()).unwrap().arguments
    };
    let with_checksum = [&[0, 0, 0, 20], sealed.as_slice(), &[0, 0, 0, 2, 9, 9, 0, 0]].concat();
    assert_eq!(decode(gss(0, 1), &plain), Arguments::Compound(args.clone()));
    assert_eq!(decode(gss(0, 2), &with_checksum), Arguments::Compound(args));
    assert!(matches!(decode(gss(0, 3), &with_checksum), Arguments::Opaque(_, Undecoded::Encrypted)));
    assert!(matches!(decode(gss(1, 1), &with_checksum), Arguments::Opaque(_, Undecoded::GssContext)));
    assert!(matches!(decode(gss(0, 2), &[0, 0, 0, 2, 9, 9, 0, 0]), Arguments::Opaque(_, Undecoded::Malformed(_))));
}

#[test]
fn every_result_without_a_body_is_its_name_and_status() {
    for op in OpNum::ALL {
        let line = render::result(&NfsResop4::failed(*op, NfsStat4::Delay), &render::Plain);
        let set = if *op == OpNum::Setattr { " attrsset=0()" } else { "" };
        assert_eq!(line, format!("{} NFS4ERR_DELAY{set}", op.name()));
    }
    for op in NfsCbOpnum4::ALL {
        let line = render::callback_result(&NfsCbResop4::failed(*op, NfsStat4::Delay), &render::Plain);
        assert_eq!(line, format!("{} NFS4ERR_DELAY", &op.rfc_name()[3..]));
    }
}

#[test]
fn values_are_named_where_names_help() {
    let fh = NfsFh4(Bytes::from_static(b"123456789"));
    let putfh = NfsArgop4::Putfh(Putfh4Args { object: fh.clone() });
    // The check value of CRC-32.
    assert_eq!(render::argument(&putfh, &render::Plain), "PUTFH object=fh:cbf43926");
    let open = Open4Args {
        seqid: 0,
        share_access: OPEN4_SHARE_ACCESS_BOTH | OPEN4_SHARE_ACCESS_WANT_NO_DELEG | 0x1_0000,
        share_deny: 0,
        owner: StateOwner4 { clientid: 0xab, owner: Bytes::from_static(&[0xff; 3]) },
        openhow: Openflag4::Create(Createhow4::Guarded(Fattr4::from(&Attrs { mode: Some(0o644), ..Attrs::default() }))),
        claim: OpenClaim4::Null(Bytes::from_static(b"a \"b\"")),
    };
    assert_eq!(
        render::argument(&NfsArgop4::Open(Box::new(open)), &render::Plain),
        "OPEN seqid=0 share_access=BOTH|WANT_NO_DELEG|0x10000 share_deny=NONE \
         owner={clientid=00000000000000ab owner=[3: ffffff]} openhow=OPEN4_CREATE(GUARDED4({mode=0644})) \
         claim=CLAIM_NULL(\"a \\\"b\\\"\")"
    );
    let getattr = NfsArgop4::Getattr(Getattr4Args { attr_request: Bitmap4::from_words(&[0x12, 0, 0, 1]) });
    assert_eq!(
        render::argument(&getattr, &render::Plain),
        "GETATTR attr_request=00000012:00000000:00000000:00000001(type size 96)"
    );
}

#[test]
fn identities_can_be_given_names() {
    struct Numbered;
    impl render::Names for Numbered {
        fn filehandle(&self, _: &NfsFh4) -> String {
            "fh1".to_owned()
        }
        fn change(&self, _: u64) -> String {
            "<change>".to_owned()
        }
    }
    let attrs = Attrs { change: Some(4), filehandle: Some(NfsFh4::default()), size: Some(5), ..Attrs::default() };
    let res = NfsResop4::Getattr(Ok(Getattr4Resok { obj_attributes: Fattr4::from(&attrs) }));
    assert_eq!(
        render::result(&res, &Numbered),
        "GETATTR NFS4_OK obj_attributes={change=<change> size=5 filehandle=fh1}"
    );
}

#[test]
fn a_list_has_a_line_for_each_exchange_and_event() {
    let lines: Vec<String> = show(&sample(), &Filter::default()).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "          0.000000   1   opened",
            "     1    0.001000   1 > PUTROOTFH LOOKUP \"file\" -> NFS4ERR_NOENT 2.000 ms",
            "     2    0.004000   1 > WRITE -> no reply",
            "          0.004000   1   gap 1448",
            "          0.005000   0   restarted",
            "          0.005000   1   closed by server",
        ]
    );
    let first = format!("{:#}", show(&sample(), &Filter { to: Some(1), ..Filter::default() })[0]);
    assert_eq!(
        first,
        "     1    0.001000   1 > COMPOUND minor=1 sys(7,8) -> NFS4ERR_NOENT 2.000 ms\n      \
         > PUTROOTFH\n      > LOOKUP objname=\"file\"\n      < PUTROOTFH NFS4_OK\n      < LOOKUP NFS4ERR_NOENT"
    );
}

#[test]
fn filters_leave_out_the_rest() {
    let numbers = |filter: Filter| -> Vec<usize> {
        let number = |entry: &Entry| match entry {
            Entry::Exchange(shown) => Some(shown.number),
            _ => None,
        };
        let entries = show(&sample(), &filter);
        assert!(filter.connection.is_some() || entries.iter().all(|entry| number(entry).is_some()));
        entries.iter().filter_map(number).collect()
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(numbers(Filter { operations: names(&["lookup"]), ..Filter::default() }), [1]);
    assert_eq!(numbers(Filter { operations: names(&["READ", "WRITE"]), ..Filter::default() }), [2]);
    assert_eq!(numbers(Filter { statuses: names(&["noent"]), ..Filter::default() }), [1]);
    assert_eq!(numbers(Filter { statuses: names(&["NFS4ERR_STALE"]), ..Filter::default() }), [0; 0]);
    assert_eq!(numbers(Filter { errors: true, ..Filter::default() }), [1, 2]);
    assert_eq!(numbers(Filter { from: Some(2), ..Filter::default() }), [2]);
    assert_eq!(numbers(Filter { connection: Some(2), ..Filter::default() }), [0; 0]);
    let hex = show(&sample(), &Filter { hex: true, to: Some(1), ..Filter::default() });
    let json = serde_json::to_value(&hex[0]).unwrap();
    assert_eq!((&json["kind"], &json["xid"]), (&"exchange".into(), &"00000005".into()));
    assert!(json["reply_bytes"].as_str().unwrap().starts_with("0000000500000001"));
}

fn arbitrary_event() -> impl Strategy<Value = Event> {
    let side = || any::<bool>().prop_map(|client| if client { Side::Client } else { Side::Server });
    // Patterns that repeat, as data of files does.
    let bytes = prop::collection::vec((prop::collection::vec(0u8..3, 0..40), 1usize..9), 0..4)
        .prop_map(|parts| Bytes::from(parts.iter().flat_map(|(part, times)| part.repeat(*times)).collect::<Vec<u8>>()));
    let what = prop_oneof![
        Just(What::Opened),
        Just(What::Restarted),
        side().prop_map(|by| What::Closed { by }),
        any::<u64>().prop_map(|bytes| What::Gap { bytes }),
        (side(), bytes).prop_map(|(from, message)| What::Message { from, message }),
    ];
    let at = any::<u32>().prop_map(|micros| Duration::from_micros(micros.into()));
    (at, any::<u32>(), what).prop_map(|(at, connection, what)| Event { at, connection, what })
}

fn arbitrary_trace() -> impl Strategy<Value = Trace> {
    let text = "[ -~\\\\\nä\r:]{0,12}";
    let header =
        ([text, text, text, text, text, text], prop::option::of(any::<u32>()), prop::collection::vec(text, 0..3))
            .prop_map(|([client, server, mount, command, date, directory], minor, notes)| {
                let origin = Origin::Imported;
                Header { origin, client, server, mount, command, date, directory, minor, notes }
            });
    (header, prop::collection::vec(arbitrary_event(), 0..8)).prop_map(|(header, events)| Trace { header, events })
}

/// A text with some bytes changed, out or in.
fn mangled(text: &str, changes: &[(u16, u8, u8)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (at, how, byte) in changes {
        let at = usize::from(*at) % bytes.len().max(1);
        match how % 3 {
            0 if at < bytes.len() => bytes[at] = *byte,
            1 if at < bytes.len() => drop(bytes.remove(at)),
            _ => bytes.insert(at, *byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(trace in arbitrary_trace()) {
        let text = trace.to_string();
        prop_assert_eq!(Trace::read(&text), Ok(trace));
        prop_assert_eq!(check(&text), Ok(()));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[ -~\n|*]{0,200}") {
        let _ = Trace::read(&text);
        let _ = Trace::read(&format!("nfs-trace 1\n\n{text}"));
    }

    #[test]
    fn no_change_of_a_text_breaks_reader_writer_and_list(
        changes in prop::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 1..20)
    ) {
        if let Ok(trace) = Trace::read(&mangled(SAMPLE, &changes)) {
            let text = trace.to_string();
            prop_assert_eq!(Trace::read(&text), Ok(trace.clone()));
            let shown = show(&trace, &Filter { hex: true, ..Filter::default() });
            prop_assert!(shown.len() <= trace.events.len());
        }
    }
}
