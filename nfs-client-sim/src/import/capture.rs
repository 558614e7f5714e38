//! The two file formats.

use std::io::{self, Read};
use std::time::Duration;

use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

use super::ImportError;

/// The buffer at the beginning, in bytes; most packets and all usual blocks fit.
const BUFFER_LEN: usize = 1 << 20;
/// The largest buffer, and so the longest block of a capture, in bytes.
const BUFFER_LEN_MAX: usize = 64 << 20;
/// The most interfaces in a section of a pcapng file.
const INTERFACES_MAX: usize = 4096;
const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// A captured packet.
pub(super) struct Packet<'a> {
    /// Since 1970.
    pub(super) at: Duration,
    /// The link layer, `LINKTYPE_*` of the tcpdump project.
    pub(super) link: i32,
    /// What was captured of it.
    pub(super) data: &'a [u8],
}

/// How a capture ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Behind a packet.
    Whole,
    /// Inside of a packet.
    Cut,
    /// With something that is no packet.
    Damaged,
}

/// What to do next with the buffer.
enum Step {
    Consume(usize),
    Refill,
    Grow,
    End(Ending),
}

/// What the file said about its packets so far.
#[derive(Default)]
struct Context {
    /// Of a pcap file: the link layer, and whether times have nanoseconds.
    file: Option<(Linktype, bool)>,
    /// Of the present section of a pcapng file.
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy)]
struct Interface {
    link: Linktype,
    snaplen: u32,
    /// Ticks of its clock in a second.
    resolution: u64,
    /// Seconds to add to its clock.
    offset: i64,
}

/// Shows all packets to `visit`, one after the other.
///
/// # Errors
/// [`ImportError::NotACapture`], [`ImportError::Read`], and those of `visit`.
pub(super) fn each_packet(
    source: impl Read + Send,
    mut visit: impl FnMut(Packet<'_>) -> Result<(), ImportError>,
) -> Result<Ending, ImportError> {
    let mut reader = create_reader(BUFFER_LEN, Filling(source)).map_err(|error| match error {
        PcapError::ReadError => ImportError::Read,
        _ => ImportError::NotACapture,
    })?;
    let mut context = Context::default();
    let mut capacity = BUFFER_LEN;
    loop {
        let step = match reader.next() {
            Ok((len, block)) => {
                match context.packet(&block) {
                    Some(packet) => visit(packet)?,
                    None => context.learn(&block),
                }
                Step::Consume(len)
            }
            Err(PcapError::Eof) => Step::End(Ending::Whole),
            Err(PcapError::Incomplete(_)) => Step::Refill,
            Err(PcapError::BufferTooSmall) => Step::Grow,
            Err(PcapError::UnexpectedEof) => Step::End(Ending::Cut),
            Err(PcapError::ReadError) => return Err(ImportError::Read),
            Err(_) => Step::End(Ending::Damaged),
        };
        match step {
            Step::Consume(len) => reader.consume(len),
            Step::End(ending) => return Ok(ending),
            Step::Refill if reader.reader_exhausted() => return Ok(Ending::Cut),
            Step::Refill => {
                let before = reader.data().len();
                reader.refill().map_err(|_| ImportError::Read)?;
                // A full buffer takes no more, and the reader does not always say so.
                if reader.data().len() == before && !reader.reader_exhausted() && !grow(&mut *reader, &mut capacity) {
                    return Ok(Ending::Damaged);
                }
            }
            Step::Grow if grow(&mut *reader, &mut capacity) => reader.refill().map_err(|_| ImportError::Read)?,
            Step::Grow => return Ok(Ending::Damaged),
        }
    }
}

/// Reads as much as there is room for: the parser wants the first block in one read, which pipes do not give.
struct Filling<R>(R);

impl<R: Read> Read for Filling<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read(rest) {
                Ok(0) => break,
                Ok(len) => filled += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

fn grow(reader: &mut dyn PcapReaderIterator, capacity: &mut usize) -> bool {
    *capacity = capacity.saturating_mul(2);
    *capacity <= BUFFER_LEN_MAX && reader.grow(*capacity)
}

impl Context {
    /// The packet in a block, if there is one.
    fn packet<'a>(&self, block: &'a PcapBlockOwned<'a>) -> Option<Packet<'a>> {
        match block {
            PcapBlockOwned::Legacy(block) => {
                let (link, nanoseconds) = self.file?;
                let fraction = if nanoseconds { block.ts_usec } else { block.ts_usec.saturating_mul(1000) };
                let at = Duration::from_secs(block.ts_sec.into()) + Duration::from_nanos(fraction.into());
                Some(Packet { at, link: link.0, data: block.data })
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                let interface = self.interfaces.get(usize::try_from(block.if_id).ok()?)?;
                let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
                Some(Packet { at: interface.time(ticks), link: interface.link.0, data: block.packet_data() })
            }
            PcapBlockOwned::NG(Block::SimplePacket(block)) => {
                let interface = self.interfaces.first()?;
                let captured =
                    if interface.snaplen == 0 { block.origlen } else { block.origlen.min(interface.snaplen) };
                let len = usize::try_from(captured).unwrap_or(usize::MAX).min(block.data.len());
                Some(Packet { at: Duration::ZERO, link: interface.link.0, data: block.data.get(..len)? })
            }
            _ => None,
        }
    }

    /// Takes notice of a block that is no packet.
    fn learn(&mut self, block: &PcapBlockOwned<'_>) {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.file = Some((header.network, header.is_nanosecond_precision()));
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => self.interfaces.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(block)) if self.interfaces.len() < INTERFACES_MAX => {
                self.interfaces.push(Interface {
                    link: block.linktype,
                    snaplen: block.snaplen,
                    resolution: block.ts_resolution().filter(|ticks| *ticks > 0).unwrap_or(1_000_000),
                    offset: block.ts_offset(),
                });
            }
            _ => {}
        }
    }
}

impl Interface {
    fn time(&self, ticks: u64) -> Duration {
        let seconds = (ticks / self.resolution).saturating_add_signed(self.offset);
        let nanos = u128::from(ticks % self.resolution) * NANOS_PER_SECOND / u128::from(self.resolution);
        Duration::new(seconds, 0).saturating_add(Duration::from_nanos(u64::try_from(nanos).unwrap_or_default()))
    }
}
