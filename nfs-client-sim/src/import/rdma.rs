//! RPC over RDMA (RFC 8166) on InfiniBand, in Endace records and in UDP (RoCE version 2).
//!
//! Messages stand in SEND packets. A reply that is too long for one is written into the client's memory beforehand,
//! with RDMA WRITE, and the SEND only names the place (the Reply chunk). Data that goes around the message (read and
//! write chunks) is not put back, nor are SENDs of several packets: such messages are left out.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use nfs4_protocol::xdr::{Decode, Decoder, XdrError};

use super::{Budget, ImportError};

/// The UDP port of RoCE version 2, which also stands for the port where there is none.
pub(super) const UDP_PORT_ROCE: u16 = 4791;

const ERF_HEADER_LEN: usize = 16;
const ERF_TYPE_INFINIBAND: u8 = 21;
/// The local route header of InfiniBand; packets with a global one do not occur within a fabric.
const LRH_LEN: usize = 8;
/// The base transport header.
const BTH_LEN: usize = 12;
/// The RDMA extended transport header: address, key, length.
const RETH_LEN: usize = 16;
/// The invariant checksum at the end.
const ICRC_LEN: usize = 4;
const IMMEDIATE_LEN: usize = 4;

const SEND_FIRST: u8 = 0;
const SEND_ONLY: u8 = 4;
const SEND_ONLY_IMMEDIATE: u8 = 5;
const SEND_ONLY_INVALIDATE: u8 = 23;
const WRITE_FIRST: u8 = 6;
const WRITE_MIDDLE: u8 = 7;
const WRITE_LAST_IMMEDIATE: u8 = 9;
const WRITE_ONLY: u8 = 10;
const WRITE_ONLY_IMMEDIATE: u8 = 11;

/// The message follows the header of RPC over RDMA.
const RDMA_MSG: u32 = 0;
/// The message is in the Reply chunk.
const RDMA_NOMSG: u32 = 1;
const CHUNKS_MAX: usize = 64;
const RPC_CALL: u32 = 0;
/// The most bytes written by RDMA that wait for the message that names them. Data of READ waits in vain.
const WRITTEN_MAX: usize = 8 << 20;
/// The most packets of such writes.
const WRITES_MAX: usize = 16_384;

/// A packet of the InfiniBand transport, from its base header to its checksum.
#[derive(Debug)]
pub(super) struct Datagram<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) packet: &'a [u8],
}

/// What a packet completes.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Message(Bytes),
    /// A message that does not stand in one packet or in the Reply chunk.
    Elsewhere,
}

/// A queue pair: who writes to whom, and the number of the receiving queue.
type Queue = (SocketAddr, SocketAddr, u32);

/// A piece of the receiver's memory that was written.
#[derive(Debug)]
struct Written {
    to: SocketAddr,
    key: u32,
    address: u64,
    data: Vec<u8>,
}

/// What RDMA WRITE put into memory, until a message names it.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The oldest first.
    written: VecDeque<Written>,
    bytes: usize,
    /// Where a write that takes several packets goes on.
    ongoing: HashMap<Queue, (u32, u64)>,
}

/// A part of memory: the key, the length in bytes and the address.
struct Segment {
    key: u32,
    len: u32,
    address: u64,
}

impl Decode for Segment {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        Ok(Self { key: d.u32()?, len: d.u32()?, address: d.u64()? })
    }
}

/// The InfiniBand packet in an Endace record.
pub(super) fn in_erf(record: &[u8]) -> Option<Datagram<'_>> {
    if record.get(8)? & 0x7f != ERF_TYPE_INFINIBAND {
        return None;
    }
    let packet = record.get(ERF_HEADER_LEN..)?;
    let half = |at: usize| Some(u16::from_be_bytes(*packet.get(at..)?.first_chunk()?));
    // A local identifier, in the form of the addresses of TCP.
    let lid = |lid: u16| SocketAddr::new(IpAddr::V4(Ipv4Addr::from(u32::from(lid))), UDP_PORT_ROCE);
    let len = usize::from(half(4)? & 0x7ff) * 4;
    Some(Datagram { from: lid(half(6)?), to: lid(half(2)?), packet: packet.get(LRH_LEN..len)? })
}

impl Memory {
    /// Takes in a packet.
    ///
    /// # Errors
    /// [`ImportError::TooLarge`].
    pub(super) fn add(&mut self, datagram: &Datagram<'_>, budget: &mut Budget) -> Result<Found, ImportError> {
        let Some((opcode, queue, payload)) = transport(datagram) else { return Ok(Found::Nothing) };
        match opcode {
            SEND_ONLY => Ok(self.message(datagram.to, payload, budget)),
            // Four bytes of another header come first.
            SEND_ONLY_IMMEDIATE | SEND_ONLY_INVALIDATE => {
                Ok(self.message(datagram.to, payload.get(4..).unwrap_or_default(), budget))
            }
            SEND_FIRST => Ok(Found::Elsewhere),
            WRITE_FIRST..=WRITE_ONLY_IMMEDIATE => {
                if let Some(written) = self.write(opcode, queue, payload).filter(|written| !written.data.is_empty()) {
                    budget.take(written.data.len())?;
                    self.keep(written, budget);
                }
                Ok(Found::Nothing)
            }
            _ => Ok(Found::Nothing),
        }
    }

    /// The data of a WRITE packet, and where it goes.
    fn write(&mut self, opcode: u8, queue: Queue, payload: &[u8]) -> Option<Written> {
        let begins = matches!(opcode, WRITE_FIRST | WRITE_ONLY | WRITE_ONLY_IMMEDIATE);
        let (key, address) = if begins {
            let address = u64::from_be_bytes(*payload.first_chunk()?);
            (u32::from_be_bytes(*payload.get(8..)?.first_chunk()?), address)
        } else {
            *self.ongoing.get(&queue)?
        };
        let mut header = if begins { RETH_LEN } else { 0 };
        if matches!(opcode, WRITE_LAST_IMMEDIATE | WRITE_ONLY_IMMEDIATE) {
            header += IMMEDIATE_LEN;
        }
        let data = payload.get(header..)?.to_vec();
        if matches!(opcode, WRITE_FIRST | WRITE_MIDDLE) {
            let next = address.wrapping_add(u64::try_from(data.len()).ok()?);
            if self.ongoing.len() < CHUNKS_MAX || self.ongoing.contains_key(&queue) {
                self.ongoing.insert(queue, (key, next));
            }
        } else {
            self.ongoing.remove(&queue);
        }
        Some(Written { to: queue.1, key, address, data })
    }

    fn keep(&mut self, written: Written, budget: &mut Budget) {
        self.bytes += written.data.len();
        self.written.push_back(written);
        while self.bytes > WRITTEN_MAX || self.written.len() > WRITES_MAX {
            let Some(old) = self.written.pop_front() else { return };
            self.bytes -= old.data.len();
            budget.give_back(old.data.len());
        }
    }

    /// The RPC message that a SEND packet holds or names.
    fn message(&mut self, to: SocketAddr, payload: &[u8], budget: &mut Budget) -> Found {
        let mut d = Decoder::new(Bytes::copy_from_slice(payload));
        let Ok(header) = Header::decode(&mut d) else { return Found::Nothing };
        match (header.kind, header.reply) {
            (RDMA_MSG, _) => {
                let message = d.take_rest();
                let is_call = message.get(4..).is_some_and(|rest| rest.starts_with(&RPC_CALL.to_be_bytes()));
                // In a call, chunks to write are room for the reply; in a reply they hold some of it.
                let whole = !header.reads && (is_call || !header.writes);
                if whole { Found::Message(message) } else { Found::Elsewhere }
            }
            (RDMA_NOMSG, Some(place)) if !header.reads && !header.writes => {
                self.collect(to, &place, budget).map_or(Found::Elsewhere, Found::Message)
            }
            (RDMA_NOMSG, _) => Found::Elsewhere,
            _ => Found::Nothing,
        }
    }

    /// What was written to a place, if all of it was. It is forgotten, whole or not.
    fn collect(&mut self, to: SocketAddr, place: &[Segment], budget: &mut Budget) -> Option<Bytes> {
        let belongs = |written: &Written| written.to == to && place.iter().any(|segment| segment.key == written.key);
        let (named, others) = self.written.drain(..).partition::<VecDeque<_>, _>(belongs);
        self.written = others;
        // Of two writes to one address the later one counts.
        let mut pieces = BTreeMap::new();
        for written in named {
            self.bytes -= written.data.len();
            budget.give_back(written.data.len());
            pieces.insert((written.key, written.address), written.data);
        }
        let mut message = Vec::new();
        for segment in place {
            let end = segment.address.checked_add(segment.len.into())?;
            let mut next = segment.address;
            while next < end {
                let piece = pieces.remove(&(segment.key, next))?;
                next = next.checked_add(u64::try_from(piece.len()).ok()?)?;
                message.extend_from_slice(&piece);
            }
        }
        Some(message.into())
    }
}

/// The opcode, the queue and what follows the base transport header.
fn transport<'a>(datagram: &Datagram<'a>) -> Option<(u8, Queue, &'a [u8])> {
    let packet = datagram.packet;
    let queue = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?) & 0x00ff_ffff;
    let pad = usize::from(packet.get(1)? >> 4 & 3);
    let payload = packet.get(BTH_LEN..packet.len().checked_sub(ICRC_LEN + pad)?)?;
    Some((*packet.first()?, (datagram.from, datagram.to, queue), payload))
}

/// The header of RPC over RDMA.
struct Header {
    kind: u32,
    /// Whether there are read chunks.
    reads: bool,
    /// Whether there are write chunks.
    writes: bool,
    reply: Option<Vec<Segment>>,
}

impl Decode for Header {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        let (_xid, _version, _credits, kind) = (d.u32()?, d.u32()?, d.u32()?, d.u32()?);
        let mut reads = false;
        while d.bool()? {
            reads = true;
            let _position = d.u32()?;
            Segment::decode(d)?;
        }
        let mut writes = false;
        while d.bool()? {
            writes = true;
            d.list::<Segment>(CHUNKS_MAX)?;
        }
        let reply = if d.bool()? { Some(d.list::<Segment>(CHUNKS_MAX)?) } else { None };
        Ok(Self { kind, reads, writes, reply })
    }
}

#[cfg(test)]
#[path = "rdma_tests.rs"]
mod tests;
