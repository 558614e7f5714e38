//! The packet captures of real clients and servers beside the checkout become traces that hold every NFS message that
//! Wireshark's `tshark` finds, and that survive being written and read.

#![cfg(test)]

use std::path::{Path, PathBuf};

use nfs_client_sim::import::import;
use nfs_client_sim::trace::{Arguments, Exchange, Results, Side, Trace, Undecoded, check};
use pretty_assertions::assert_eq;

/// What a capture holds, or a trace of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    /// Calls of COMPOUND.
    calls: usize,
    /// Replies to them.
    replies: usize,
    /// Calls of NULL to the server, with setting up an RPCSEC_GSS context among them, and the replies.
    nulls: (usize, usize),
    /// Calls of callbacks and replies to them.
    callbacks: (usize, usize),
    /// Bodies that are left as they came, those that set up RPCSEC_GSS contexts aside.
    undecoded: usize,
}

const fn counts(calls: usize, replies: usize, nulls: usize, callbacks: usize) -> Counts {
    Counts { calls, replies, nulls: (nulls, nulls), callbacks: (callbacks, callbacks), undecoded: 0 }
}

/// As counted with `tshark -r FILE -Y rpc -T fields -e rpc.msgtyp -e rpc.program -e rpc.procedure`. The server of the
/// first one wrote a bitmap wrongly, so that one reply cannot be decoded. In the last one
/// `tshark` counts 26 replies: it leaves out two that came through RDMA writes. None has callbacks other than NULL.
const EXPECTED: [(&str, Counts); 9] = [
    ("freebsd-v4.2-getattr-readdir.pcap", Counts { undecoded: 1, ..counts(10, 10, 0, 0) }),
    ("linux-3.10-v4.1-pnfs-netapp.pcap", counts(31, 31, 1, 1)),
    ("linux-3.17-v4.1-full-op-mix.pcap", counts(525, 525, 1, 1)),
    ("linux-5.15-v4.1-partition-reconnect-lock.pcap", counts(38, 37, 1, 0)),
    ("linux-6.12-v4.2-mount-and-ops.pcapng", counts(75, 75, 1, 0)),
    ("linux-6.4-v4.2-krb5i.pcap", counts(37, 37, 7, 0)),
    ("linux-rpc-with-tls-probe.pcap", counts(0, 0, 1, 0)),
    ("linux-v4.0-referral.pcap", counts(55, 55, 2, 2)),
    ("linux-v4.2-clone-copy.pcap", counts(28, 28, 0, 0)),
];

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn count(trace: &Trace) -> Counts {
    let mut counts = Counts::default();
    for exchange in trace.exchanges() {
        let replied = usize::from(exchange.reply.is_some());
        let (calls, replies) = match (exchange.caller, exchange.call.is_null()) {
            (Side::Server, _) => (&mut counts.callbacks.0, &mut counts.callbacks.1),
            (Side::Client, true) => (&mut counts.nulls.0, &mut counts.nulls.1),
            (Side::Client, false) => (&mut counts.calls, &mut counts.replies),
        };
        *calls += 1;
        *replies += replied;
        counts.undecoded += undecoded(&exchange);
    }
    assert_eq!(trace.orphans().len(), 0);
    counts
}

fn undecoded(exchange: &Exchange) -> usize {
    let counts = |why: &Undecoded| usize::from(*why != Undecoded::GssContext);
    let call = match &exchange.call.arguments {
        Arguments::Opaque(_, why) => counts(why),
        _ => 0,
    };
    match exchange.reply.as_ref().map(|(_, reply)| &reply.results) {
        Some(Results::Opaque(_, why)) => call + counts(why),
        _ => call,
    }
}

#[test]
fn captures_become_traces_with_every_message_that_tshark_finds() {
    let files = captures();
    if files.is_empty() {
        println!("skipped: no captures beside the checkout");
        return;
    }
    for file in files {
        let name = file.file_name().unwrap().display().to_string();
        let trace = import(std::fs::File::open(&file).unwrap()).unwrap().trace;
        let counts = count(&trace);
        println!("{name}: {counts:?} {:?}", trace.header);
        if let Some((_, expected)) = EXPECTED.iter().find(|(expected, _)| *expected == name) {
            assert_eq!(counts, *expected, "{name}");
        }
        let text = trace.to_string();
        assert_eq!(check(&text), Ok(()), "{name}");
        let again = Trace::read(&text).unwrap();
        assert_eq!(again.header, trace.header, "{name}");
        assert_eq!(again.events.len(), trace.events.len(), "{name}");
        for (again, event) in again.events.iter().zip(&trace.events) {
            assert_eq!((again.connection, &again.what), (event.connection, &event.what), "{name}");
        }
    }
}
