//! Captures made by hand: every way in which a stream can come in pieces.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use etherparse::PacketBuilder;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::rpc::{
    AUTH_TLS, AcceptedBody, AcceptedReply, NFS_PROGRAM, NFS_V4, OpaqueAuth, ReplyBody, RpcBody, RpcMsg, STARTTLS,
};
use nfs4_protocol::xdr::{Encode, Encoder, to_bytes};
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::trace::{Side, What};

const LINK_ETHERNET: u32 = 1;

fn client() -> SocketAddr {
    "192.0.2.1:900".parse().unwrap()
}

fn server() -> SocketAddr {
    "192.0.2.2:20490".parse().unwrap()
}

/// A TCP segment in an IP packet.
fn segment(from: SocketAddr, to: SocketAddr, seq: u32, flags: &str, payload: &[u8]) -> Vec<u8> {
    let ip = match (from, to) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), 64),
        (SocketAddr::V6(from), SocketAddr::V6(to)) => PacketBuilder::ipv6(from.ip().octets(), to.ip().octets(), 64),
        _ => unreachable!("both ends are of one kind"),
    };
    let mut tcp = ip.tcp(from.port(), to.port(), seq, 1000);
    for flag in flags.chars() {
        tcp = match flag {
            'S' => tcp.syn(),
            'A' => tcp.ack(1),
            'F' => tcp.fin(),
            _ => tcp.rst(),
        };
    }
    let mut packet = Vec::new();
    tcp.write(&mut packet, payload).unwrap();
    packet
}

fn ethernet(kind: u16, ip: &[u8]) -> Vec<u8> {
    [&[0; 12], kind.to_be_bytes().as_slice(), ip].concat()
}

/// A pcap file with packets a millisecond apart.
fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    pcap_cut(link, packets, usize::MAX)
}

/// A pcap file of which each packet has at most `snaplen` bytes.
fn pcap_cut(link: u32, packets: &[Vec<u8>], snaplen: usize) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    [0, 0, u32::MAX, link].iter().for_each(|word| file.extend(word.to_le_bytes()));
    for (index, packet) in packets.iter().enumerate() {
        let kept = packet.len().min(snaplen);
        let words = [1_700_000_000, index as u32 * 1000, kept as u32, packet.len() as u32];
        words.iter().for_each(|word| file.extend(word.to_le_bytes()));
        file.extend(&packet[..kept]);
    }
    file
}

fn body(header: &RpcMsg, body: &impl Encode) -> Bytes {
    let mut e = Encoder::new();
    header.encode(&mut e);
    body.encode(&mut e);
    e.finish_contiguous()
}

fn call_of(xid: u32, argarray: Vec<NfsArgop4>) -> Bytes {
    let args = Compound4Args { tag: Bytes::new(), minorversion: 0, argarray };
    body(&RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, 1, OpaqueAuth::NONE), &args)
}

fn call(xid: u32) -> Bytes {
    call_of(xid, vec![NfsArgop4::Putrootfh, NfsArgop4::Getfh])
}

/// A call with data, long enough for several segments.
fn write(xid: u32, len: usize) -> Bytes {
    let data: Vec<u8> = (0..len).map(|index| (index % 251) as u8).collect();
    let stateid = Stateid4::ANONYMOUS;
    call_of(
        xid,
        vec![NfsArgop4::Write(Box::new(Write4Args {
            stateid,
            offset: 0,
            stable: StableHow4::Unstable,
            data: data.into(),
        }))],
    )
}

fn reply(xid: u32) -> Bytes {
    let res = Compound4Res { status: NfsStat4::Noent, tag: Bytes::new(), resarray: Vec::new() };
    body(&RpcMsg::accepted(xid, AcceptedBody::Success), &res)
}

fn record(message: &[u8]) -> Vec<u8> {
    [&(0x8000_0000 | message.len() as u32).to_be_bytes(), message].concat()
}

fn imported(file: &[u8]) -> Trace {
    import(file).unwrap().trace
}

/// The messages of a trace, in order.
fn messages(trace: &Trace) -> Vec<(Side, Bytes)> {
    trace.events.iter().filter_map(|event| event.message().map(|(side, bytes)| (side, bytes.clone()))).collect()
}

fn gaps(trace: &Trace) -> Vec<u64> {
    let gap = |event: &Event| match event.what {
        What::Gap { bytes } => Some(bytes),
        _ => None,
    };
    trace.events.iter().filter_map(gap).collect()
}

/// The client's stream in segments: where they begin in it, and how long they are.
fn upstream(stream: &[u8], pieces: &[(usize, usize)]) -> Vec<Vec<u8>> {
    let mut packets = vec![ethernet(0x0800, &segment(client(), server(), 999, "S", &[]))];
    for (at, len) in pieces {
        let data = &stream[*at..(*at + *len).min(stream.len())];
        let seq = 1000_u32.wrapping_add(*at as u32);
        packets.push(ethernet(0x0800, &segment(client(), server(), seq, "A", data)));
    }
    packets
}

fn sent(file: &[u8]) -> Vec<Bytes> {
    messages(&imported(file)).into_iter().map(|(_, message)| message).collect()
}

#[test]
fn a_connection_is_opened_used_and_closed() {
    let (up, down) = (record(&call(1)), record(&reply(1)));
    let packets = [
        segment(client(), server(), 99, "S", &[]),
        segment(client(), server(), 99, "S", &[]),
        segment(server(), client(), 499, "SA", &[]),
        segment(client(), server(), 100, "A", &up),
        segment(server(), client(), 500, "A", &down),
        // A keep-alive probe repeats the last byte.
        segment(client(), server(), 99 + up.len() as u32, "A", &[0]),
        segment(server(), client(), 500 + down.len() as u32, "FA", &[]),
        segment(client(), server(), 100 + up.len() as u32, "FA", &[]),
    ];
    let imported = import(pcap(101, &packets).as_slice()).unwrap();
    assert_eq!(imported.started, Duration::from_secs(1_700_000_000));
    let event = |millis, what| Event { at: Duration::from_millis(millis), connection: 1, what };
    assert_eq!(
        imported.trace.events,
        [
            event(0, What::Opened),
            event(3, What::Message { from: Side::Client, message: call(1) }),
            event(4, What::Message { from: Side::Server, message: reply(1) }),
            event(6, What::Closed { by: Side::Server }),
        ]
    );
    assert_eq!((imported.trace.header.minor, imported.trace.header.origin), (Some(0), Origin::Imported));
}

#[test]
fn a_port_that_is_used_again_is_another_connection() {
    let up = record(&call(1));
    let packets = [
        segment(client(), server(), 99, "S", &[]),
        segment(client(), server(), 100, "A", &up),
        segment(client(), server(), 100, "R", &[]),
        segment(client(), server(), 7000, "S", &[]),
        segment(client(), server(), 7001, "A", &up),
    ];
    let trace = imported(&pcap(101, &packets));
    let events: Vec<_> = trace.events.iter().map(|event| (event.connection, event.what.words())).collect();
    let words = |words: &str| Some(words.to_owned());
    assert_eq!(
        events,
        [(1, words("opened")), (1, None), (1, words("closed by client")), (2, words("opened")), (2, None)]
    );
}

#[test]
fn every_link_layer_and_both_versions_of_ip_are_read() {
    let v4 = segment(client(), server(), 5, "A", &record(&call(1)));
    let v6: (SocketAddr, SocketAddr) = ("[2001:db8::1]:900".parse().unwrap(), "[2001:db8::2]:2049".parse().unwrap());
    let v6 = segment(v6.0, v6.1, 5, "A", &record(&call(1)));
    let vlan = [&[0, 5, 0x08, 0], v4.as_slice()].concat();
    let double = [&[0, 5, 0x81, 0, 0, 6, 0x08, 0], v4.as_slice()].concat();
    let cooked = |header: &[u8], ip: &[u8]| [header, ip].concat();
    let sll = [&[0; 14], [0x08, 0].as_slice()].concat();
    let sll2 = [&[0x86, 0xdd], [0; 18].as_slice()].concat();
    let cases = [
        (LINK_ETHERNET, ethernet(0x0800, &v4)),
        (LINK_ETHERNET, ethernet(0x86dd, &v6)),
        (LINK_ETHERNET, ethernet(0x8100, &vlan)),
        (LINK_ETHERNET, ethernet(0x88a8, &double)),
        (113, cooked(&sll, &v4)),
        (276, cooked(&sll2, &v6)),
        (0, cooked(&[2, 0, 0, 0], &v4)),
        (108, cooked(&[0, 0, 0, 30], &v6)),
        (101, v4.clone()),
        (12, v6.clone()),
        (228, v4),
        (229, v6),
    ];
    for (link, packet) in cases {
        assert_eq!(sent(&pcap(link, &[packet])), [call(1)], "link type {link}");
    }
}

#[test]
fn packets_of_an_unknown_link_layer_are_counted() {
    let error = import(pcap(147, &[vec![0; 60], vec![0; 60]]).as_slice()).unwrap_err();
    assert_eq!(error.to_string(), "no NFS in 2 packets; left out: 2 packets of link type 147, which is not known here");
    assert!(matches!(import([7; 100].as_slice()), Err(ImportError::NotACapture)));
    assert!(matches!(import([].as_slice()), Err(ImportError::NotACapture)));
}

#[test]
fn segments_may_be_out_of_order_repeated_and_overlapping() {
    let stream = [record(&write(1, 3000)), record(&call(2))].concat();
    let len = stream.len();
    let tail = len - 2500;
    let orders: [&[(usize, usize)]; 5] = [
        &[(0, 1000), (1000, 1000), (2000, len)],
        &[(0, 1000), (2000, len), (1000, 1000)],
        &[(2500, tail), (1000, 1500), (0, 1000)],
        &[(0, 1000), (0, 1000), (500, 1000), (900, 2000), (2500, tail), (100, 300)],
        &[(1, len), (0, 2)],
    ];
    for order in orders {
        let trace = imported(&pcap(LINK_ETHERNET, &upstream(&stream, order)));
        let expected = vec![(Side::Client, write(1, 3000)), (Side::Client, call(2))];
        assert_eq!((messages(&trace), gaps(&trace)), (expected, vec![]), "{order:?}");
    }
}

#[test]
fn sequence_numbers_may_wrap() {
    let stream = record(&write(1, 3000));
    let first = 0xffff_fc00_u32;
    let mut packets = vec![segment(client(), server(), first.wrapping_sub(1), "S", &[])];
    for (index, piece) in stream.chunks(700).enumerate() {
        packets.push(segment(client(), server(), first.wrapping_add(index as u32 * 700), "A", piece));
    }
    packets.swap(2, 3);
    assert_eq!(sent(&pcap(101, &packets)), [write(1, 3000)]);
}

#[test]
fn records_share_segments_and_fragments_make_records() {
    let message = write(2, 500);
    let (head, rest) = message.split_at(30);
    let (middle, tail) = rest.split_at(200);
    let mark = |len: usize, last: u32| (last << 31 | len as u32).to_be_bytes();
    let fragments = [&mark(30, 0), head, &mark(200, 0), middle, &mark(0, 0), &mark(tail.len(), 1), tail].concat();
    let stream = [record(&call(1)), fragments, record(&call(3)), record(&call(4))].concat();
    let expected = [call(1), message, call(3), call(4)];
    assert_eq!(sent(&pcap(LINK_ETHERNET, &upstream(&stream, &[(0, stream.len())]))), expected);
    let bytes: Vec<(usize, usize)> = (0..stream.len()).map(|at| (at, 1)).collect();
    assert_eq!(sent(&pcap(LINK_ETHERNET, &upstream(&stream, &bytes))), expected);
}

#[test]
fn a_capture_that_begins_in_the_middle_finds_the_next_message() {
    let stream = [record(&write(1, 3000)), record(&call(2)), record(&call(3))].concat();
    for from in [1, 3, 500, 3000] {
        let mut packets = upstream(&stream, &[(from, stream.len())]);
        packets.remove(0);
        assert_eq!(sent(&pcap(LINK_ETHERNET, &packets)), [call(2), call(3)], "from {from}");
    }
}

#[test]
fn a_lost_segment_costs_the_records_it_touches_and_no_more() {
    let stream = [record(&call(1)), record(&write(2, 3000)), record(&call(3)), record(&call(4))].concat();
    let one = record(&call(1)).len();
    // Inside of a record: its end is known.
    let trace = imported(&pcap(LINK_ETHERNET, &upstream(&stream, &[(0, one + 1000), (one + 1500, stream.len())])));
    let sent: Vec<Bytes> = messages(&trace).into_iter().map(|(_, message)| message).collect();
    assert_eq!((sent, gaps(&trace)), (vec![call(1), call(3), call(4)], vec![500]));
    // Over the border of a record: the next one must be found.
    let border = one + record(&write(2, 3000)).len();
    let trace = imported(&pcap(LINK_ETHERNET, &upstream(&stream, &[(0, one + 1000), (border + 4, stream.len())])));
    let sent: Vec<Bytes> = messages(&trace).into_iter().map(|(_, message)| message).collect();
    assert_eq!((sent, gaps(&trace)), (vec![call(1), call(4)], vec![border as u64 + 4 - one as u64 - 1000]));
}

#[test]
fn packets_that_were_cut_off_are_gaps() {
    let stream = [record(&call(1)), record(&write(2, 3000)), record(&call(3))].concat();
    let one = record(&call(1)).len();
    let border = one + record(&write(2, 3000)).len();
    let pieces = [(0, one), (one, 1400), (one + 1400, 1400), (one + 2800, border - one - 2800), (border, 1000)];
    let trace = imported(&pcap_cut(LINK_ETHERNET, &upstream(&stream, &pieces), 54 + 200));
    let sent: Vec<Bytes> = messages(&trace).into_iter().map(|(_, message)| message).collect();
    let lost = (border - one - 3 * 200) as u64;
    assert_eq!((sent, gaps(&trace)), (vec![call(1), call(3)], vec![lost]));
}

#[test]
fn a_capture_that_ends_too_early_gives_what_there_is() {
    let file = pcap(101, &[segment(client(), server(), 5, "A", &record(&call(1))), vec![0x45; 60]]);
    let trace = imported(&file[..file.len() - 10]);
    assert_eq!(messages(&trace).len(), 1);
    assert_eq!(trace.header.notes, ["the capture ends inside of packet 2"]);
}

#[test]
fn callbacks_are_told_by_the_program_that_the_client_named() {
    let setclientid = |program| {
        let location = Netaddr4 { netid: Bytes::from_static(b"tcp"), addr: Bytes::from_static(b"192.0.2.1.3.132") };
        let client = NfsClientId4 { verifier: Verifier4::default(), id: Bytes::from_static(b"c") };
        let callback = CbClient4 { program, location };
        call_of(1, vec![NfsArgop4::Setclientid(Box::new(Setclientid4Args { client, callback, callback_ident: 1 }))])
    };
    let listener: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let caller: SocketAddr = "192.0.2.2:777".parse().unwrap();
    let recall = CbCompound4Args {
        tag: Bytes::new(),
        minorversion: 0,
        callback_ident: 1,
        argarray: vec![NfsCbArgop4::Recall(CbRecall4Args {
            stateid: Stateid4::CURRENT,
            truncate: false,
            fh: NfsFh4(Bytes::from_static(b"f")),
        })],
    };
    let recall = |program| body(&RpcMsg::call(7, program, NFS_CB, CB_COMPOUND, OpaqueAuth::NONE), &recall);
    let capture = |named: u32, used: u32| {
        let packets = [
            segment(client(), server(), 5, "A", &record(&setclientid(named))),
            segment(caller, listener, 1, "S", &[]),
            segment(caller, listener, 2, "A", &record(&recall(used))),
        ];
        imported(&pcap(101, &packets))
    };
    for (named, used) in [(0x4000_0000, 0x4000_0000), (300_000, 300_000)] {
        let trace = capture(named, used);
        let exchange = &trace.exchanges()[1];
        assert_eq!((exchange.connection, exchange.caller), (2, Side::Server));
        assert_eq!(
            exchange.call.operations(&crate::trace::render::Plain),
            ["CB_RECALL stateid=current truncate=false fh=fh:76d32be0"]
        );
    }
    assert_eq!(capture(300_000, 300_001).exchanges().len(), 1);
}

#[test]
fn nothing_is_read_behind_the_agreement_on_tls() {
    let null = RpcMsg::call(1, NFS_PROGRAM, NFS_V4, 0, OpaqueAuth { flavor: AUTH_TLS, body: Bytes::new() });
    let verf = OpaqueAuth { flavor: 0, body: Bytes::from_static(STARTTLS) };
    let agreed = ReplyBody::Accepted(AcceptedReply { verf, reply: AcceptedBody::Success });
    let agreed = RpcMsg { xid: 1, body: RpcBody::Reply(agreed) };
    let (up, down) = (record(&to_bytes(&null)), record(&to_bytes(&agreed)));
    let hidden = [&[22, 3, 1, 0, 200], record(&call(2)).as_slice()].concat();
    let capture = |answer: &[u8]| {
        imported(&pcap(
            101,
            &[
                segment(client(), server(), 100, "A", &up),
                segment(server(), client(), 500, "A", answer),
                segment(client(), server(), 100 + up.len() as u32, "A", &hidden),
            ],
        ))
    };
    let trace = capture(&down);
    assert_eq!(messages(&trace).len(), 2);
    let bytes = hidden.len();
    assert_eq!(
        trace.header.notes,
        [format!("connection 1: {bytes} bytes of TLS follow the probe for it and cannot be read")]
    );
    // A server that does not know TLS is spoken to in clear text.
    assert_eq!(messages(&capture(&record(&reply(1)))).len(), 3);
}

#[test]
fn more_connections_than_the_limit_are_refused() {
    let syn = |index: usize| {
        let address = [10, (index >> 16) as u8, (index >> 8) as u8, index as u8];
        segment(SocketAddr::from((address, 700)), server(), 5, "S", &[])
    };
    let packets: Vec<Vec<u8>> = (0..=CONNECTIONS_MAX).map(syn).collect();
    assert!(matches!(import(pcap(101, &packets).as_slice()), Err(ImportError::TooManyConnections)));
    let error = import(pcap(101, &packets[1..]).as_slice()).unwrap_err();
    assert_eq!(error.to_string(), "no NFS in 65536 packets");
}

#[test]
fn messages_beyond_the_limit_are_refused() {
    let mut budget = Budget::default();
    assert!(budget.take(TRACE_BYTES_MAX).is_ok());
    assert!(matches!(budget.take(1), Err(ImportError::TooLarge)));
}

#[test]
fn other_connections_are_left_out() {
    let web: SocketAddr = "192.0.2.9:80".parse().unwrap();
    let packets = [
        segment(client(), web, 1, "S", &[]),
        segment(client(), web, 2, "A", b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"),
        segment(client(), server(), 5, "A", &record(&call(1))),
    ];
    let trace = imported(&pcap(101, &packets));
    assert_eq!(trace.events.len(), 1);
    assert_eq!((trace.events[0].connection, trace.events[0].at), (1, Duration::ZERO));
}

/// A pcapng block.
fn block(kind: u32, content: &[u8]) -> Vec<u8> {
    let padded = [content, &[0; 3][..content.len().wrapping_neg() & 3]].concat();
    let len = (padded.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes(), len.as_slice(), &padded, &len].concat()
}

#[test]
fn pcapng_has_sections_interfaces_and_clocks_of_its_own() {
    let section = block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    // An interface that counts nanoseconds: option 9 is 9.
    let interface = |link: u8| block(1, &[link, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    let packet = |interface: u32, nanos: u64, data: &[u8]| {
        let words = [interface, (nanos >> 32) as u32, nanos as u32, data.len() as u32, data.len() as u32];
        let header: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        block(6, &[header.as_slice(), data].concat())
    };
    let (up, down) = (record(&call(1)), record(&reply(1)));
    let up = segment(client(), server(), 100, "A", &up);
    let down = ethernet(0x0800, &segment(server(), client(), 500, "A", &down));
    let unknown = block(0x0bad, &[1, 2, 3, 4]);
    let file = [
        section.clone(),
        interface(101),
        interface(1),
        packet(0, 5_000_000_000, &up),
        unknown,
        packet(1, 5_000_250_000, &down),
        section,
        interface(1),
        packet(1, 6_000_000_000, &down),
    ]
    .concat();
    let imported = import(file.as_slice()).unwrap();
    assert_eq!(imported.started, Duration::from_secs(5));
    let times: Vec<_> = imported.trace.events.iter().map(|event| event.at).collect();
    assert_eq!(times, [Duration::ZERO, Duration::from_micros(250)]);
}

/// A source that gives one byte at a time, as a slow pipe does.
struct Dripping<'a>(&'a [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let len = room.len().min(1);
        self.0.read(&mut room[..len])
    }
}

#[test]
fn captures_are_read_from_pipes_that_give_little_at_a_time() {
    let file = pcap(101, &[segment(client(), server(), 5, "A", &record(&call(1)))]);
    let trace = import(Dripping(&file)).unwrap().trace;
    assert_eq!(trace, imported(&file));
}

#[test]
fn load_tells_traces_from_captures() {
    let folder = tempfile::tempdir().unwrap();
    let (capture, text) = (folder.path().join("a.pcap"), folder.path().join("a.trace"));
    std::fs::write(&capture, pcap(101, &[segment(client(), server(), 5, "A", &record(&call(1)))])).unwrap();
    let trace = load(&capture).unwrap();
    std::fs::write(&text, trace.to_string()).unwrap();
    assert_eq!(load(&text).unwrap(), trace);
    std::fs::write(&text, "nfs-trace 1\ncolour: red\n").unwrap();
    assert!(matches!(load(&text), Err(LoadError::Trace(_))));
    assert!(matches!(load(folder.path()), Err(LoadError::Read(_))));
    std::fs::write(&text, "nfs").unwrap();
    assert!(matches!(load(&text), Err(LoadError::Neither)));
}

proptest! {
    #[test]
    fn any_way_to_cut_a_stream_gives_the_same_messages(
        cuts in prop::collection::vec((0usize..4000, 1usize..900), 0..40),
        order in any::<prop::sample::Selector>(),
    ) {
        let stream = [record(&write(1, 3000)), record(&call(2)), record(&write(3, 200))].concat();
        let mut pieces: Vec<(usize, usize)> = (0..stream.len()).step_by(700).map(|at| (at, 700)).collect();
        pieces.extend(cuts.into_iter().filter(|(at, _)| *at < stream.len()));
        let shuffled: Vec<(usize, usize)> = {
            let mut left = pieces;
            let mut out = Vec::new();
            while !left.is_empty() {
                let chosen = *order.select(&left);
                left.retain(|piece| *piece != chosen);
                out.push(chosen);
            }
            out
        };
        let trace = imported(&pcap(LINK_ETHERNET, &upstream(&stream, &shuffled)));
        let sent: Vec<Bytes> = messages(&trace).into_iter().map(|(_, message)| message).collect();
        prop_assert_eq!(sent, [write(1, 3000), call(2), write(3, 200)]);
        prop_assert_eq!(gaps(&trace), Vec::<u64>::new());
    }

    #[test]
    fn no_bytes_break_the_import(bytes in prop::collection::vec(any::<u8>(), 0..400), link in 0u32..300, head in 0..3) {
        let file = match head {
            0 => bytes,
            1 => pcap(link, &[bytes]),
            _ => [block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0]), bytes].concat(),
        };
        let _ = import(file.as_slice());
    }

    #[test]
    fn no_change_of_a_capture_breaks_the_import(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let stream = [record(&call(1)), record(&write(2, 3000)), record(&call(3))].concat();
        let mut file = pcap(LINK_ETHERNET, &upstream(&stream, &[(0, 1400), (1400, 1400), (2800, 1400)]));
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len()) + 1);
        if let Ok(imported) = import(file.as_slice()) {
            let text = imported.trace.to_string();
            prop_assert_eq!(crate::trace::check(&text), Ok(()));
        }
    }
}
