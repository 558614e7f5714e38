//! RPC over RDMA (RFC 8166) on InfiniBand, in Endace records and in UDP (RoCE version 2).

use std::net::{IpAddr, Ipv4Addr};

use nfs4_protocol::xdr::{Decoder, XdrError};

use super::Flow;

const ERF_HEADER_LEN: usize = 16;
const ERF_TYPE_INFINIBAND: u8 = 21;
/// The local route header; packets with a global one do not occur.
const LRH_LEN: usize = 8;
const BTH_LEN: usize = 12;
const OPCODE_SEND_ONLY: u8 = 4;
/// The invariant checksum at the end.
const ICRC_LEN: usize = 4;
const PROTOCOL_UDP: u8 = 17;
const UDP_PORT_ROCE: u16 = 4791;
const UDP_HEADER_LEN: usize = 8;

/// The message is in the packet, except for what its chunks hold.
const RDMA_MSG: u32 = 0;
/// Key, length and offset of a piece of memory.
const SEGMENT_LEN: usize = 16;
const SEGMENTS_MAX: usize = 64;
const RPC_CALL: u32 = 0;

/// The RPC message in an Endace record.
pub(crate) fn in_erf(record: &[u8]) -> Option<(Flow, &[u8])> {
    if record.get(8)? & 0x7f != ERF_TYPE_INFINIBAND {
        return None;
    }
    let packet = record.get(ERF_HEADER_LEN..)?;
    let flow = Flow { from: lid(half(packet, 6)?), to: lid(half(packet, 2)?) };
    let len = usize::from(half(packet, 4)? & 0x7ff) * 4;
    message(packet.get(LRH_LEN..len)?).map(|message| (flow, message))
}

/// The RPC message in an IPv4 packet.
pub(crate) fn in_ipv4(packet: &[u8]) -> Option<(Flow, &[u8])> {
    let header_len = usize::from(packet.first()? & 15) * 4;
    let datagram = packet.get(header_len..usize::from(half(packet, 2)?))?;
    if packet.get(9)? != &PROTOCOL_UDP || half(datagram, 2)? != UDP_PORT_ROCE {
        return None;
    }
    let address = |at: usize| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<4>()?));
    let flow = Flow { from: (address(12)?, UDP_PORT_ROCE), to: (address(16)?, UDP_PORT_ROCE) };
    message(datagram.get(UDP_HEADER_LEN..)?).map(|message| (flow, message))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A local identifier, in the form of the addresses of TCP.
fn lid(lid: u16) -> (IpAddr, u16) {
    (IpAddr::V4(Ipv4Addr::from(u32::from(lid))), UDP_PORT_ROCE)
}

/// The RPC message behind the base transport header; `None` when there is none, or some of it is elsewhere.
fn message(transport: &[u8]) -> Option<&[u8]> {
    if *transport.first()? != OPCODE_SEND_ONLY {
        return None;
    }
    let pad = usize::from(transport.get(1)? >> 4 & 3);
    let payload = transport.get(BTH_LEN..transport.len().checked_sub(ICRC_LEN + pad)?)?;
    let len = inline_len(payload).ok()??;
    payload.get(payload.len() - len..)
}

/// The length of the RPC message behind its header, when all of it is in the packet.
fn inline_len(payload: &[u8]) -> Result<Option<usize>, XdrError> {
    let mut d = Decoder::new(payload.to_vec().into());
    let (_xid, _version, _credits, kind) = (d.u32()?, d.u32()?, d.u32()?, d.u32()?);
    if kind != RDMA_MSG || d.bool()? {
        return Ok(None);
    }
    let mut written = false;
    while d.bool()? {
        written = true;
        d.list::<[u8; SEGMENT_LEN]>(SEGMENTS_MAX)?;
    }
    if d.bool()? {
        d.list::<[u8; SEGMENT_LEN]>(SEGMENTS_MAX)?;
    }
    let len = d.remaining();
    let _xid = d.u32()?;
    // In a call, chunks to write are room for the reply; in a reply they hold some of it.
    Ok((d.u32()? == RPC_CALL || !written).then_some(len))
}
