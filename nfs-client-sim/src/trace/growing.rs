//! A trace written event by event.

use std::collections::{HashMap, VecDeque};

use super::render::{self, Plain};
use super::text::write_event;
use super::{Call, Event, Reply, Side, What};

/// Writes events one after the other, with the bytes that [`Trace::write`](super::Trace::write) has for them.
#[derive(Debug, Default)]
pub struct EventWriter {
    /// The calls that wait for their replies, by connection, caller and xid; the oldest first.
    waiting: HashMap<(u32, Side, u32), VecDeque<Call>>,
}

impl EventWriter {
    /// The text of the next event. It belongs behind the header and the events before it.
    pub fn event(&mut self, event: &Event) -> String {
        let lines = self.readable(event);
        if matches!(event.what, What::Closed { .. }) {
            self.waiting.retain(|(connection, ..), _| *connection != event.connection);
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write_event(event, lines.as_deref(), &mut text);
        text
    }

    fn readable(&mut self, event: &Event) -> Option<String> {
        let (from, message) = event.message()?;
        if let Some(call) = Call::decode(from, message) {
            let lines = render::call_lines(&call, &Plain);
            self.waiting.entry((event.connection, from, call.xid)).or_default().push_back(call);
            return Some(lines);
        }
        // The xid is the first word of every message.
        let xid = message.first_chunk().map(|word| u32::from_be_bytes(*word))?;
        let key = (event.connection, from.other(), xid);
        let call = self.waiting.get_mut(&key).and_then(VecDeque::pop_front);
        self.waiting.retain(|_, calls| !calls.is_empty());
        Reply::decode(from, message, call.as_ref()).map(|reply| render::reply_lines(&reply, &Plain))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use nfs4_protocol::nfs4::{Compound4Args, Compound4Res, NfsArgop4, NfsResop4, NfsStat4};
    use nfs4_protocol::rpc::{AcceptedBody, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, OpaqueAuth, RpcMsg};
    use nfs4_protocol::xdr::{Encode, Encoder};
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::trace::Trace;

    fn message(parts: [&dyn Encode; 2]) -> Bytes {
        let mut e = Encoder::new();
        parts.iter().for_each(|part| part.encode(&mut e));
        e.finish_contiguous()
    }

    fn call(xid: u32) -> What {
        let header = RpcMsg::call(xid, NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, OpaqueAuth::NONE);
        let args = Compound4Args { tag: Bytes::new(), minorversion: 0, argarray: vec![NfsArgop4::Putrootfh] };
        What::Message { from: Side::Client, message: message([&header, &args]) }
    }

    fn reply(xid: u32) -> What {
        let header = RpcMsg::accepted(xid, AcceptedBody::Success);
        let resarray = vec![NfsResop4::Putrootfh(Ok(()))];
        let res = Compound4Res { status: NfsStat4::Ok, tag: Bytes::new(), resarray };
        What::Message { from: Side::Server, message: message([&header, &res]) }
    }

    #[test]
    fn events_one_by_one_are_the_events_of_the_whole_trace() {
        let garbage = What::Message { from: Side::Client, message: Bytes::from_static(b"abc") };
        let by = Side::Server;
        let whats = [
            (1, What::Opened),
            (1, call(7)),
            (1, call(8)),
            (2, What::Opened),
            (2, reply(7)),
            (1, reply(8)),
            (1, reply(7)),
            (1, garbage),
            (1, call(9)),
            (1, What::Closed { by }),
            (1, reply(9)),
            (0, What::Restarted),
            (2, What::Gap { bytes: 3 }),
        ];
        let events = whats.into_iter().enumerate();
        let events =
            events.map(|(at, (connection, what))| Event { at: Duration::from_millis(at as u64), connection, what });
        let trace = Trace { events: events.collect(), ..Trace::default() };
        let mut writer = EventWriter::default();
        let mut text = Trace { events: Vec::new(), ..trace.clone() }.to_string();
        trace.events.iter().for_each(|event| text.push_str(&writer.event(event)));
        assert_eq!(text, trace.to_string());
    }
}
