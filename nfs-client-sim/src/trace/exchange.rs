//! Calls and their replies.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Call, Event, Reply, Side, Trace};

/// A call and, if it came, its reply.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The connection of both.
    pub connection: u32,
    /// Who called: the server, in callbacks.
    pub caller: Side,
    /// The index of the call among the events.
    pub call_at: usize,
    /// The call.
    pub call: Call,
    /// The reply, and its index among the events.
    pub reply: Option<(usize, Reply)>,
    /// The time from the call to the reply.
    pub duration: Option<Duration>,
}

/// A reply whose call was not seen, because it came before the capture began or in a gap of it.
#[derive(Debug, Clone)]
pub struct Orphan {
    /// The index of the reply among the events.
    pub at: usize,
    /// The reply.
    pub reply: Reply,
}

/// A call that waits for its reply: connection, caller, xid.
type Key = (u32, Side, u32);

/// Matches replies to calls while the events go by.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    exchanges: Vec<Exchange>,
    orphans: Vec<Orphan>,
    /// Indices into `exchanges`, the oldest first: a call that is sent again is a second call.
    waiting: HashMap<Key, VecDeque<usize>>,
}

impl Trace {
    /// All calls in their order, with their replies: those of the same connection with the same xid from the other
    /// side. A reply belongs to the oldest call that still waits.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.paired().exchanges
    }

    /// The replies that belong to no call of the trace.
    #[must_use]
    pub fn orphans(&self) -> Vec<Orphan> {
        self.paired().orphans
    }

    pub(super) fn paired(&self) -> Pairing {
        let mut pairing = Pairing::default();
        for (at, event) in self.events.iter().enumerate() {
            pairing.add(at, event, self);
        }
        pairing
    }
}

impl Pairing {
    /// All calls, and the replies without one.
    pub(super) fn into_parts(self) -> (Vec<Exchange>, Vec<Orphan>) {
        (self.exchanges, self.orphans)
    }

    fn add(&mut self, at: usize, event: &Event, trace: &Trace) {
        let Some((from, message)) = event.message() else { return };
        let connection = event.connection;
        if let Some(call) = Call::decode(from, message) {
            self.waiting.entry((connection, from, call.xid)).or_default().push_back(self.exchanges.len());
            self.exchanges.push(Exchange { connection, caller: from, call_at: at, call, reply: None, duration: None });
            return;
        }
        // The xid is the first word of every message.
        let Some(xid) = message.first_chunk().map(|word| u32::from_be_bytes(*word)) else { return };
        let key = (connection, from.other(), xid);
        let index = self.waiting.get(&key).and_then(|calls| calls.front().copied());
        let exchange = index.and_then(|index| self.exchanges.get_mut(index));
        let Some(reply) = Reply::decode(from, message, exchange.as_deref().map(|exchange| &exchange.call)) else {
            return;
        };
        if let Some(calls) = self.waiting.get_mut(&key) {
            calls.pop_front();
        }
        match exchange {
            Some(exchange) => {
                let called = trace.events.get(exchange.call_at).map_or(event.at, |call| call.at);
                exchange.duration = Some(event.at.saturating_sub(called));
                exchange.reply = Some((at, reply));
            }
            None => self.orphans.push(Orphan { at, reply }),
        }
    }
}
