//! Packet captures: the two file formats, the link layers that occur, and TCP streams.

mod file;
mod rdma;
mod tcp;

pub(crate) use tcp::{Flow, Run};

use file::Packet;
use tcp::runs;

/// All TCP streams of a capture.
pub(crate) fn streams(capture: &[u8]) -> Vec<(Flow, Vec<Run>)> {
    runs(file::packets(capture).iter().filter_map(tcp_segment))
}

/// All messages of a capture that came over RDMA and stand in one packet.
pub(crate) fn rdma_messages(capture: &[u8]) -> Vec<(Flow, &[u8])> {
    file::packets(capture).iter().filter_map(rdma_message).collect()
}

fn rdma_message<'a>(packet: &Packet<'a>) -> Option<(Flow, &'a [u8])> {
    match packet.link {
        LINK_ERF => rdma::in_erf(packet.data),
        _ => rdma::in_ipv4(ip_packet(packet)?),
    }
}

fn tcp_segment(packet: &Packet<'_>) -> Option<tcp::Segment> {
    tcp::Segment::parse(ip_packet(packet)?)
}

const LINK_ETHERNET: u32 = 1;
const LINK_LINUX_SLL: u32 = 113;
const LINK_ERF: u32 = 197;
const LINK_LINUX_SLL2: u32 = 276;

/// The IP packet in a captured packet.
fn ip_packet<'a>(packet: &Packet<'a>) -> Option<&'a [u8]> {
    match packet.link {
        LINK_ETHERNET => ethernet_payload(packet.data),
        LINK_LINUX_SLL => packet.data.get(16..),
        LINK_LINUX_SLL2 => packet.data.get(20..),
        LINK_ERF => None,
        other => panic!("link type {other} is not known here"),
    }
}

fn ethernet_payload(frame: &[u8]) -> Option<&[u8]> {
    match frame.get(12..14)? {
        [0x81, 0x00] => frame.get(18..),
        _ => frame.get(14..),
    }
}
