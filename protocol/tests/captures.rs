//! Golden bytes of real clients and servers: every NFS message in the packet captures beside the
//! checkout decodes, and encodes again to the same bytes.

#![cfg(test)]

mod messages;
mod pcap;

use std::path::{Path, PathBuf};

use messages::{Conversation, Tally};
use nfs4_protocol::rpc::RecordReader;

/// Longer than any record in the captures.
const RECORD_LEN_MAX: usize = 4 << 20;

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Whether a record marked as a single fragment with an RPC message could begin here.
fn looks_like_a_message(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 0..=0x3f, _, _, _, _, _, _, 0, 0, 0, 0 | 1, ..])
}

fn tally(capture: &[u8]) -> Tally {
    let mut conversation = Conversation::default();
    for (flow, runs) in pcap::streams(capture) {
        for run in runs {
            // A run that follows a gap begins in the middle of a message.
            let start = run.segment_starts.iter().find(|start| looks_like_a_message(&run.bytes[**start..]));
            let Some(start) = start else { continue };
            let mut reader = RecordReader::new(RECORD_LEN_MAX);
            reader.push(run.bytes[*start..].to_vec().into());
            while let Ok(Some(record)) = reader.next_record() {
                conversation.add(flow, record);
            }
        }
    }
    for (flow, message) in pcap::rdma_messages(capture) {
        conversation.add(flow, message.to_vec().into());
    }
    conversation.finish()
}

/// Calls and replies in each capture. The one with TLS has only the probe, a NULL call, before all is encrypted;
/// none has callbacks other than NULL.
const EXPECTED: [(&str, usize, usize); 9] = [
    ("freebsd-v4.2-getattr-readdir.pcap", 10, 9),
    ("linux-3.10-v4.1-pnfs-netapp.pcap", 31, 31),
    ("linux-3.17-v4.1-full-op-mix.pcap", 525, 525),
    ("linux-5.15-v4.1-partition-reconnect-lock.pcap", 38, 37),
    ("linux-6.12-v4.2-mount-and-ops.pcapng", 75, 75),
    ("linux-6.4-v4.2-krb5i.pcap", 37, 37),
    ("linux-rpc-with-tls-probe.pcap", 0, 0),
    ("linux-v4.0-referral.pcap", 55, 49),
    ("linux-v4.2-clone-copy.pcap", 28, 26),
];

#[test]
fn captured_messages_decode_and_encode_to_the_same_bytes() {
    let files = captures();
    if files.is_empty() {
        println!("skipped: no captures");
        return;
    }
    let mut total = Tally::default();
    for file in files {
        let name = file.file_name().unwrap().display().to_string();
        let tally = tally(&std::fs::read(&file).unwrap());
        println!("{name}: {tally}");
        if let Some((_, calls, replies)) = EXPECTED.iter().find(|(expected, ..)| *expected == name) {
            assert_eq!((tally.calls, tally.replies), (*calls, *replies), "{name}: {:#?}", tally.failures);
        }
        total += tally;
    }
    println!("total: {total}");
    assert!(total.failures.is_empty(), "{:#?}", total.failures);
}
