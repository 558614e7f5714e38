//! The formats pcap and pcapng.

/// One captured packet.
pub(crate) struct Packet<'a> {
    /// The link layer, `LINKTYPE_*` of the tcpdump project.
    pub(crate) link: u32,
    pub(crate) data: &'a [u8],
}

/// Numbers in the byte order of the file.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let word: [u8; 4] = bytes[at..at + 4].try_into().unwrap();
        if self.big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }

    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let word: [u8; 2] = bytes[at..at + 2].try_into().unwrap();
        if self.big { u16::from_be_bytes(word) } else { u16::from_le_bytes(word) }
    }
}

/// All packets of a file in either format.
pub(crate) fn packets(file: &[u8]) -> Vec<Packet<'_>> {
    match file[..4] {
        [0x0a, 0x0d, 0x0d, 0x0a] => pcapng(file),
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => pcap(file, Order { big: false }),
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => pcap(file, Order { big: true }),
        ref magic => panic!("{magic:02x?} is no capture"),
    }
}

fn pcap(file: &[u8], order: Order) -> Vec<Packet<'_>> {
    let link = order.u32(file, 20);
    let mut packets = Vec::new();
    let mut rest = &file[24..];
    while rest.len() >= 16 {
        let len = order.u32(rest, 8) as usize;
        packets.push(Packet { link, data: &rest[16..16 + len] });
        rest = &rest[16 + len..];
    }
    packets
}

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

fn pcapng(file: &[u8]) -> Vec<Packet<'_>> {
    let mut packets = Vec::new();
    let mut order = Order { big: false };
    let mut links = Vec::new();
    let mut rest = file;
    while rest.len() >= 12 {
        if order.u32(rest, 0) == SECTION_HEADER {
            order = Order { big: rest[8..12] == [0x1a, 0x2b, 0x3c, 0x4d] };
            links.clear();
        }
        let len = order.u32(rest, 4) as usize;
        match order.u32(rest, 0) {
            INTERFACE => links.push(u32::from(order.u16(rest, 8))),
            ENHANCED_PACKET => {
                let link = links[order.u32(rest, 8) as usize];
                let captured = order.u32(rest, 20) as usize;
                packets.push(Packet { link, data: &rest[28..28 + captured] });
            }
            _ => {}
        }
        rest = &rest[len..];
    }
    packets
}
