//! A connection: two streams, who is the client, and what happened.

use std::net::SocketAddr;

use bytes::Bytes;
use nfs4_protocol::rpc::{AUTH_TLS, NFS_PROGRAM, ReplyBody, STARTTLS};

use super::packet::Segment;
use super::record::{Found, Programs, Records};
use super::stream::{Next, Stream};
use super::{Budget, ImportError, Stamp};
use crate::trace::{Call, Event, Reply, Side, What};

/// One direction.
#[derive(Debug, Default)]
struct Direction {
    stream: Stream,
    records: Records,
}

/// What was seen, and from which end.
#[derive(Debug)]
enum Seen {
    Opened,
    Message(Bytes),
    Gap(u64),
    Closed,
}

/// How far a connection has gone towards TLS (RFC 9289 §4.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Tls {
    #[default]
    No,
    /// The client asked, with this xid.
    Asked(u32),
    /// The server agreed; all that follows is ciphertext.
    Yes,
}

/// A connection between two ends, 0 and 1.
#[derive(Debug)]
pub(super) struct Connection {
    ends: [SocketAddr; 2],
    /// The end that sent the SYN, and its initial sequence number.
    opener: Option<(usize, u32)>,
    directions: [Direction; 2],
    seen: Vec<(Stamp, usize, Seen)>,
    closed: bool,
    /// The end of the NFS client, once a call told.
    client: Option<usize>,
    tls: Tls,
    /// Bytes of the two streams behind the agreement on TLS.
    ciphertext: u64,
}

impl Connection {
    pub(super) fn new(one: SocketAddr, other: SocketAddr) -> Self {
        Self {
            ends: [one, other],
            opener: None,
            directions: <[Direction; 2]>::default(),
            seen: Vec::new(),
            closed: false,
            client: None,
            tls: Tls::No,
            ciphertext: 0,
        }
    }

    /// Whether a SYN of `from` with this sequence number is the one that opened the connection.
    pub(super) fn is_opened_by(&self, from: SocketAddr, seq: u32) -> bool {
        self.opener == Some((self.end(from), seq))
    }

    /// Whether a call of NFS or of its callbacks came over it.
    pub(super) const fn is_nfs(&self) -> bool {
        self.client.is_some()
    }

    /// The packet with which it appears.
    pub(super) fn first(&self) -> u64 {
        self.seen.iter().map(|(stamp, ..)| stamp.number).min().unwrap_or(u64::MAX)
    }

    fn end(&self, address: SocketAddr) -> usize {
        usize::from(address == self.ends[1])
    }

    /// Adds a segment.
    ///
    /// # Errors
    /// [`ImportError::TooLarge`].
    pub(super) fn segment(
        &mut self,
        segment: &Segment<'_>,
        stamp: Stamp,
        programs: &mut Programs,
        budget: &mut Budget,
    ) -> Result<(), ImportError> {
        let from = self.end(segment.from);
        if let Some(seq) = segment.opens().filter(|_| self.opener.is_none()) {
            self.opener = Some((from, seq));
            self.seen.push((stamp, from, Seen::Opened));
        }
        let Some(direction) = self.directions.get_mut(from) else { return Ok(()) };
        if segment.syn && direction.stream.is_new() {
            direction.records.begin();
        }
        let mut next = Vec::new();
        direction.stream.add(segment, stamp, budget, &mut next)?;
        self.records(from, next, programs, budget)?;
        if (segment.fin || segment.rst) && !self.closed {
            self.closed = true;
            self.seen.push((stamp, from, Seen::Closed));
        }
        Ok(())
    }

    /// Adds a message that came as a whole.
    ///
    /// # Errors
    /// [`ImportError::TooLarge`].
    pub(super) fn message(
        &mut self,
        from: SocketAddr,
        message: Bytes,
        stamp: Stamp,
        programs: &mut Programs,
        budget: &mut Budget,
    ) -> Result<(), ImportError> {
        budget.take(message.len())?;
        self.found(self.end(from), Found::Message(message, stamp), programs);
        Ok(())
    }

    /// Ends both streams.
    ///
    /// # Errors
    /// [`ImportError::TooLarge`].
    pub(super) fn finish(&mut self, programs: &mut Programs, budget: &mut Budget) -> Result<(), ImportError> {
        for from in 0..self.directions.len() {
            let mut next = Vec::new();
            if let Some(direction) = self.directions.get_mut(from) {
                direction.stream.finish(budget, &mut next);
            }
            self.records(from, next, programs, budget)?;
        }
        Ok(())
    }

    fn records(
        &mut self,
        from: usize,
        next: Vec<Next>,
        programs: &mut Programs,
        budget: &mut Budget,
    ) -> Result<(), ImportError> {
        for next in next {
            if self.tls == Tls::Yes {
                self.ciphertext += match next {
                    Next::Data(data, _) => data.len() as u64,
                    Next::Lost(bytes, _) => bytes,
                };
                continue;
            }
            let Some(direction) = self.directions.get_mut(from) else { return Ok(()) };
            let mut found = Vec::new();
            direction.records.add(next, programs, budget, &mut found)?;
            for found in found {
                self.found(from, found, programs);
            }
        }
        Ok(())
    }

    fn found(&mut self, from: usize, found: Found, programs: &mut Programs) {
        match found {
            Found::Gap(bytes, stamp) => match self.seen.last_mut() {
                // Captures that cut off packets have many gaps in a row.
                Some((_, end, Seen::Gap(before))) if *end == from => *before = before.saturating_add(bytes),
                _ => self.seen.push((stamp, from, Seen::Gap(bytes))),
            },
            Found::Message(message, stamp) => {
                // Which side the sender is does not matter for what is read here.
                if let Some(call) = Call::decode(Side::Client, &message) {
                    self.called(from, &call, programs);
                } else if let (Tls::Asked(xid), Some(reply)) = (self.tls, Reply::decode(Side::Server, &message, None)) {
                    self.tls = agreement(xid, &reply);
                }
                self.seen.push((stamp, from, Seen::Message(message)));
            }
        }
    }

    /// Learns from a call who is the client.
    fn called(&mut self, from: usize, call: &Call, programs: &mut Programs) {
        if programs.know(&call.header) {
            let client = if call.header.prog == NFS_PROGRAM { from } else { 1 - from };
            self.client.get_or_insert(client);
            programs.learn(call);
        }
        if call.is_null() && call.header.cred.flavor == AUTH_TLS {
            self.tls = Tls::Asked(call.xid);
        }
    }

    /// What could not be read of it.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> + use<> {
        let tls = (self.tls == Tls::Yes)
            .then(|| format!("{} bytes of TLS follow the probe for it and cannot be read", self.ciphertext));
        tls.into_iter()
    }

    /// All that was seen, as events of the connection with this number.
    pub(super) fn into_events(self, number: u32) -> impl Iterator<Item = (Stamp, Event)> {
        let client = self.client.unwrap_or_default();
        self.seen.into_iter().map(move |(stamp, end, seen)| {
            let side = if end == client { Side::Client } else { Side::Server };
            let what = match seen {
                Seen::Opened => What::Opened,
                Seen::Message(message) => What::Message { from: side, message },
                Seen::Gap(bytes) => What::Gap { bytes },
                Seen::Closed => What::Closed { by: side },
            };
            (stamp, Event { at: std::time::Duration::ZERO, connection: number, what })
        })
    }
}

/// Whether the server agrees to TLS.
fn agreement(xid: u32, reply: &Reply) -> Tls {
    match &reply.header {
        _ if reply.xid != xid => Tls::Asked(xid),
        ReplyBody::Accepted(accepted) if accepted.verf.body == STARTTLS => Tls::Yes,
        _ => Tls::No,
    }
}
