//! Packets: link layers, IP, and what is in it.

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpNumber, LaxIpSlice, TcpSlice, UdpSlice};

use super::capture::Packet;
use super::rdma;

/// What a packet holds.
pub(super) enum Content<'a> {
    /// A segment of a TCP connection.
    Segment(Segment<'a>),
    /// A packet of RDMA.
    Rdma(rdma::Datagram<'a>),
    /// Nothing that could be NFS.
    Other,
    /// Something that could be NFS but cannot be read, for this reason.
    Unusable(String),
}

/// A TCP segment.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// The sequence number of the first byte.
    pub(super) seq: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) payload: &'a [u8],
    /// The bytes behind `payload` that the capture cut off.
    pub(super) cut: usize,
}

impl Segment<'_> {
    /// The initial sequence number, if the segment opens a connection.
    pub(super) const fn opens(&self) -> Option<u32> {
        if self.syn && !self.ack { Some(self.seq) } else { None }
    }
}

const LINK_NULL: i32 = 0;
const LINK_ETHERNET: i32 = 1;
const LINK_LOOP: i32 = 108;
const LINK_LINUX_SLL: i32 = 113;
const LINK_ERF: i32 = 197;
const LINK_LINUX_SLL2: i32 = 276;
/// `LINKTYPE_RAW`, what some systems write in its place, `LINKTYPE_IPV4` and `LINKTYPE_IPV6`.
const LINKS_RAW: [i32; 5] = [101, 12, 14, 228, 229];

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// VLAN tags: 802.1Q, 802.1ad and what came before that.
const ETHERTYPES_VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// The most VLAN tags of a packet.
const VLAN_TAGS_MAX: usize = 4;

/// Takes a packet apart.
pub(super) fn content<'a>(packet: &Packet<'a>) -> Content<'a> {
    let data = packet.data;
    let ip = match packet.link {
        LINK_ETHERNET => half(data, 12).and_then(|kind| tagged(kind, data.get(14..)?)),
        LINK_LINUX_SLL => half(data, 14).and_then(|kind| tagged(kind, data.get(16..)?)),
        LINK_LINUX_SLL2 => half(data, 0).and_then(|kind| tagged(kind, data.get(20..)?)),
        // The number of the address family differs between systems; the first byte of IP tells as well.
        LINK_NULL | LINK_LOOP => data.get(4..),
        LINK_ERF => return rdma::in_erf(data).map_or(Content::Other, Content::Rdma),
        raw if LINKS_RAW.contains(&raw) => Some(data),
        other => return Content::Unusable(format!("packets of link type {other}, which is not known here")),
    };
    ip.map_or(Content::Other, in_ip)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The IP packet behind an Ethernet type, and behind VLAN tags.
fn tagged(mut kind: u16, mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..VLAN_TAGS_MAX {
        if !ETHERTYPES_VLAN.contains(&kind) {
            break;
        }
        kind = half(rest, 2)?;
        rest = rest.get(4..)?;
    }
    matches!(kind, ETHERTYPE_IPV4 | ETHERTYPE_IPV6).then_some(rest)
}

fn in_ip(bytes: &[u8]) -> Content<'_> {
    let Ok((ip, _)) = LaxIpSlice::from_slice(bytes) else { return Content::Other };
    let payload = ip.payload().clone();
    let ends = (ip.source_addr(), ip.destination_addr());
    match payload.ip_number {
        IpNumber::TCP if payload.fragmented => Content::Unusable("IP fragments of TCP segments".to_owned()),
        IpNumber::TCP => segment(ends, payload.payload, whole_len(&ip).saturating_sub(bytes.len())),
        IpNumber::UDP if !payload.fragmented => datagram(ends, payload.payload),
        _ => Content::Other,
    }
}

/// The length of the packet as its header says; 0 when segmentation offload left that open.
fn whole_len(ip: &LaxIpSlice<'_>) -> usize {
    match ip {
        LaxIpSlice::Ipv4(ip) => ip.header().total_len().into(),
        LaxIpSlice::Ipv6(ip) => match ip.header().payload_length() {
            0 => 0,
            len => usize::from(len) + etherparse::Ipv6Header::LEN,
        },
    }
}

fn segment(ends: (IpAddr, IpAddr), bytes: &[u8], cut: usize) -> Content<'_> {
    let Ok(tcp) = TcpSlice::from_slice(bytes) else { return Content::Other };
    Content::Segment(Segment {
        from: SocketAddr::new(ends.0, tcp.source_port()),
        to: SocketAddr::new(ends.1, tcp.destination_port()),
        seq: tcp.sequence_number(),
        syn: tcp.syn(),
        ack: tcp.ack(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        payload: bytes.get(tcp.header_slice().len()..).unwrap_or_default(),
        cut,
    })
}

fn datagram(ends: (IpAddr, IpAddr), bytes: &[u8]) -> Content<'_> {
    match UdpSlice::from_slice_lax(bytes) {
        Ok(udp) if udp.destination_port() == rdma::UDP_PORT_ROCE => {
            // Any port may be the source of a packet, so it does not tell connections apart.
            let end = |address| SocketAddr::new(address, rdma::UDP_PORT_ROCE);
            let packet = bytes.get(etherparse::UdpHeader::LEN..).unwrap_or_default();
            Content::Rdma(rdma::Datagram { from: end(ends.0), to: end(ends.1), packet })
        }
        _ => Content::Other,
    }
}
