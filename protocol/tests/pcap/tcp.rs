//! TCP streams out of IP packets.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// One direction of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub(crate) from: (IpAddr, u16),
    pub(crate) to: (IpAddr, u16),
}

impl Flow {
    /// The other direction.
    pub(crate) fn reversed(self) -> Self {
        Self { from: self.to, to: self.from }
    }
}

/// Bytes of a stream without a gap.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) bytes: Vec<u8>,
    /// Where segments begin in `bytes`; a message may begin there.
    pub(crate) segment_starts: Vec<usize>,
}

/// What a packet adds to a stream.
pub(crate) struct Segment {
    flow: Flow,
    seq: u32,
    syn: bool,
    payload: Vec<u8>,
}

const PROTOCOL_TCP: u8 = 6;
const FLAG_SYN: u8 = 2;

impl Segment {
    /// Reads an IPv4 or IPv6 packet; `None` when it is not TCP.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let (from, to, tcp) = match packet.first()? >> 4 {
            4 => ipv4(packet)?,
            6 => ipv6(packet)?,
            _ => return None,
        };
        let port = |at: usize| Some(u16::from_be_bytes(*tcp.get(at..)?.first_chunk()?));
        let header_len = usize::from(*tcp.get(12)? >> 4) * 4;
        Some(Self {
            flow: Flow { from: (from, port(0)?), to: (to, port(2)?) },
            seq: u32::from_be_bytes(*tcp.get(4..)?.first_chunk()?),
            syn: tcp.get(13)? & FLAG_SYN != 0,
            payload: tcp.get(header_len..)?.to_vec(),
        })
    }
}

fn ipv4(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let address = |at: usize| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<4>()?));
    let header_len = usize::from(packet.first()? & 15) * 4;
    // Packets shorter than Ethernet's minimum are followed by padding.
    let total_len = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
    let payload = packet.get(header_len..total_len.min(packet.len()))?;
    (packet.get(9)? == &PROTOCOL_TCP).then_some((address(12)?, address(16)?, payload))
}

fn ipv6(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let address = |at: usize| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<16>()?));
    (packet.get(6)? == &PROTOCOL_TCP).then_some((address(8)?, address(24)?, packet.get(40..)?))
}

/// One connection's direction while its segments are collected.
#[derive(Default)]
struct Stream {
    base: u32,
    /// By distance from `base`.
    segments: BTreeMap<i32, Vec<u8>>,
}

/// Puts segments in order: for each connection the runs between gaps. A SYN begins a new connection.
pub(crate) fn runs(segments: impl Iterator<Item = Segment>) -> Vec<(Flow, Vec<Run>)> {
    let mut streams: Vec<(Flow, Stream)> = Vec::new();
    for segment in segments {
        let known = streams.iter().rposition(|(flow, _)| *flow == segment.flow);
        let base = if segment.syn { segment.seq.wrapping_add(1) } else { segment.seq };
        let index = match known {
            Some(index) if !segment.syn || streams[index].1.base == base => index,
            _ => {
                streams.push((segment.flow, Stream { base, ..Stream::default() }));
                streams.len() - 1
            }
        };
        let stream = &mut streams[index].1;
        let at = base.wrapping_sub(stream.base).cast_signed();
        let kept = stream.segments.entry(at).or_default();
        if kept.len() < segment.payload.len() {
            *kept = segment.payload;
        }
    }
    streams.into_iter().map(|(flow, stream)| (flow, stream.into_runs())).collect()
}

impl Stream {
    fn into_runs(self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut end = 0;
        for (at, payload) in self.segments.into_iter().filter(|(_, payload)| !payload.is_empty()) {
            let after = at + i32::try_from(payload.len()).unwrap();
            if after <= end && !runs.is_empty() {
                continue;
            }
            if at > end || runs.is_empty() {
                runs.push(Run::default());
                end = at;
            }
            let run = runs.last_mut().unwrap();
            let overlap = usize::try_from(end - at).unwrap();
            run.segment_starts.push(run.bytes.len());
            run.bytes.extend_from_slice(&payload[overlap..]);
            end = after;
        }
        runs
    }
}
