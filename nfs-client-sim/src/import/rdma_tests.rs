//! Packets of RDMA made by hand.

use std::net::Ipv4Addr;

use nfs4_protocol::xdr::Encoder;
use pretty_assertions::assert_eq;

use super::*;

const KEY: u32 = 77;
const PLACE: u64 = 0x1_0000;

/// A packet: opcode, queue, what follows, and the checksum.
fn packet(opcode: u8, content: &[u8]) -> Vec<u8> {
    let pad = content.len().wrapping_neg() & 3;
    let header = [opcode, (pad as u8) << 4, 0xff, 0xff, 0, 0, 0, 18, 0, 0, 0, 0];
    [&header, content, &[0; 3][..pad], &[0xcc; ICRC_LEN]].concat()
}

/// The header of RPC over RDMA. Chunks are keys, lengths and addresses.
fn header(kind: u32, writes: bool, reply: Option<&[(u32, u32, u64)]>) -> Encoder {
    let mut e = Encoder::new();
    [9, 1, 32, kind].iter().for_each(|word| e.u32(*word));
    e.bool(false);
    e.bool(writes);
    if writes {
        e.length(0);
        e.bool(false);
    }
    e.bool(reply.is_some());
    if let Some(segments) = reply {
        e.length(segments.len());
        for (key, len, address) in segments {
            e.u32(*key);
            e.u32(*len);
            e.u64(*address);
        }
    }
    e
}

fn written(address: u64, data: &[u8]) -> Vec<u8> {
    [&address.to_be_bytes(), KEY.to_be_bytes().as_slice(), &[0; 4], data].concat()
}

#[derive(Default)]
struct Wire {
    memory: Memory,
    budget: Budget,
}

impl Wire {
    fn send(&mut self, opcode: u8, content: &[u8]) -> Found {
        let end = |last| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), UDP_PORT_ROCE);
        let packet = packet(opcode, content);
        self.memory.add(&Datagram { from: end(1), to: end(2), packet: &packet }, &mut self.budget).unwrap()
    }

    fn message(&mut self, opcode: u8, content: &[u8]) -> Option<Bytes> {
        match self.send(opcode, content) {
            Found::Message(message) => Some(message),
            Found::Nothing | Found::Elsewhere => None,
        }
    }
}

fn with(mut header: Encoder, message: &[u8]) -> Bytes {
    header.opaque_fixed(message);
    header.finish_contiguous()
}

const CALL: [u8; 8] = [0, 0, 0, 9, 0, 0, 0, 0];
const REPLY: [u8; 8] = [0, 0, 0, 9, 0, 0, 0, 1];

#[test]
fn a_message_in_one_send_is_found() {
    let mut wire = Wire::default();
    let content = with(header(RDMA_MSG, false, None), &CALL);
    assert_eq!(wire.message(SEND_ONLY, &content).unwrap(), CALL.as_slice());
    let invalidates = [&KEY.to_be_bytes(), content.as_ref()].concat();
    assert_eq!(wire.message(SEND_ONLY_INVALIDATE, &invalidates).unwrap(), CALL.as_slice());
    // Room for the reply's data is no part of a call.
    assert_eq!(wire.message(SEND_ONLY, &with(header(RDMA_MSG, true, None), &CALL)).unwrap(), CALL.as_slice());
    assert!(matches!(wire.send(SEND_ONLY, &with(header(RDMA_MSG, true, None), &REPLY)), Found::Elsewhere));
    assert!(matches!(wire.send(SEND_FIRST, &content), Found::Elsewhere));
    assert!(matches!(wire.send(SEND_ONLY, &[1, 2, 3]), Found::Nothing));
}

#[test]
fn a_reply_that_was_written_into_memory_is_put_together() {
    let mut wire = Wire::default();
    let names = |segments: &[(u32, u32, u64)]| header(RDMA_NOMSG, false, Some(segments)).finish_contiguous();
    wire.send(WRITE_FIRST, &written(PLACE, b"abcd"));
    wire.send(WRITE_MIDDLE, b"efgh");
    wire.send(8, b"ij");
    wire.send(WRITE_ONLY, &written(PLACE + 100, b"xx"));
    wire.send(WRITE_ONLY, &written(PLACE + 100, b"kl"));
    let place = [(KEY, 10, PLACE), (KEY, 2, PLACE + 100)];
    assert_eq!(wire.message(SEND_ONLY, &names(&place)).unwrap(), b"abcdefghijkl".as_slice());
    assert_eq!((wire.budget.used, wire.memory.bytes), (0, 0));
    // It was forgotten, and a hole makes a message incomplete.
    assert!(matches!(wire.send(SEND_ONLY, &names(&place)), Found::Elsewhere));
    wire.send(WRITE_ONLY, &written(PLACE + 4, b"efgh"));
    assert!(matches!(wire.send(SEND_ONLY, &names(&[(KEY, 8, PLACE)])), Found::Elsewhere));
}

#[test]
fn what_no_message_names_is_forgotten() {
    let mut wire = Wire::default();
    for index in 0..20 {
        wire.send(WRITE_ONLY, &written(index << 20, &vec![0; 1 << 20]));
    }
    assert_eq!((wire.memory.bytes, wire.budget.used), (WRITTEN_MAX, WRITTEN_MAX));
    for index in 0..WRITES_MAX as u64 + 5 {
        wire.send(WRITE_ONLY, &written(index, &[0]));
        wire.send(WRITE_ONLY, &written(index, &[]));
    }
    assert_eq!((wire.memory.written.len(), wire.budget.used), (WRITES_MAX, WRITES_MAX));
}
