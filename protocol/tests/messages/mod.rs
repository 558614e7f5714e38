//! RPC messages of a capture: which they are, and whether they survive a round trip.

mod gss;

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    CbCompound4Args, CbCompound4Res, Compound4Args, Compound4Res, CompoundRequest, Createhow4, Fattr4, NfsArgop4,
    NfsResop4, Openflag4,
};
use nfs4_protocol::rpc::{AcceptedBody, AcceptedReply, CallBody, NFS_PROGRAM, ReplyBody, RpcBody, RpcMsg};
use nfs4_protocol::xdr::{Decode, Decoder, Encode, from_bytes, to_bytes};

use crate::pcap::Flow;
use gss::Wrapping;

/// What was found in a capture.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) calls: usize,
    pub(crate) replies: usize,
    pub(crate) cb_calls: usize,
    pub(crate) cb_replies: usize,
    pub(crate) operations: usize,
    pub(crate) attributes: usize,
    /// How many messages were not looked into, by reason.
    pub(crate) skipped: BTreeMap<String, usize>,
    pub(crate) failures: Vec<String>,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.replies += other.replies;
        self.cb_calls += other.cb_calls;
        self.cb_replies += other.cb_replies;
        self.operations += other.operations;
        self.attributes += other.attributes;
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls, {} replies, {} callbacks, {} callback replies, {} operations and results, {} attribute sets; skipped: {:?}",
            self.calls, self.replies, self.cb_calls, self.cb_replies, self.operations, self.attributes, self.skipped
        )
    }
}

/// Replies that their sender wrote wrongly: a READDIR and GETATTR reply of a FreeBSD server, where the
/// mask of the GETATTR result announces no words and then has two.
const MALFORMED_REPLIES: &[u32] = &[0x3c21_500b];

/// What must be known of a call to read its reply.
struct Call {
    procedure: Procedure,
    wrapping: Wrapping,
    replied: bool,
}

#[derive(Clone, Copy)]
enum Procedure {
    Compound,
    CbCompound,
    /// Not COMPOUND, for this reason.
    Other(&'static str),
}

/// Calls that wait for their reply, and replies that came before their call was seen.
#[derive(Default)]
pub(crate) struct Conversation {
    calls: BTreeMap<(Flow, u32), Call>,
    replies: Vec<(Flow, u32, AcceptedReply, Bytes)>,
    tally: Tally,
}

impl Conversation {
    /// Adds one record of a stream.
    pub(crate) fn add(&mut self, flow: Flow, record: Bytes) {
        let mut d = Decoder::new(record.clone());
        let message = match RpcMsg::decode(&mut d) {
            Ok(message) => message,
            Err(error) => return self.tally.failures.push(format!("RPC header: {error}")),
        };
        let body = d.take_rest();
        assert_eq!(to_bytes(&message), record[..record.len() - body.len()], "{message:?}");
        let xid = message.xid;
        match message.body {
            RpcBody::Call(call) => self.add_call((flow, xid), &call, body),
            RpcBody::Reply(ReplyBody::Accepted(reply)) => self.replies.push((flow, xid, reply, body)),
            RpcBody::Reply(ReplyBody::Denied(_)) => self.tally.skip("denied"),
        }
    }

    fn add_call(&mut self, key: (Flow, u32), call: &CallBody, body: Bytes) {
        let procedure = match (call.prog, call.vers, call.procedure) {
            (NFS_PROGRAM, 4, 1) => Procedure::Compound,
            // Clients choose the number of their callback program.
            (0x4000_0000..=0x5fff_ffff, 1, 1) => Procedure::CbCompound,
            (_, _, 0) => Procedure::Other("NULL"),
            _ => Procedure::Other("another program"),
        };
        let wrapping = Wrapping::of(&call.cred);
        self.calls.insert(key, Call { procedure, wrapping, replied: false });
        if let Some(args) = self.tally.unwrap(wrapping, body) {
            match procedure {
                Procedure::Compound => self.tally.compound_args(args),
                Procedure::CbCompound => self.tally.cb_args(&args),
                Procedure::Other(reason) => self.tally.skip(reason),
            }
        }
    }

    /// Looks at the replies, now that all calls are known.
    pub(crate) fn finish(mut self) -> Tally {
        for (flow, xid, reply, body) in std::mem::take(&mut self.replies) {
            let Some(call) = self.calls.get_mut(&(flow.reversed(), xid)) else {
                self.tally.skip("reply without its call");
                continue;
            };
            call.replied = true;
            if MALFORMED_REPLIES.contains(&xid) {
                assert!(from_bytes::<Compound4Res>(body).is_err());
                self.tally.skip("malformed by its sender");
            } else if reply.reply != AcceptedBody::Success {
                self.tally.skip("not a success");
            } else if let Some(results) = self.tally.unwrap(call.wrapping, body) {
                match call.procedure {
                    Procedure::Compound => self.tally.compound_results(&results),
                    Procedure::CbCompound => self.tally.cb_results(&results),
                    Procedure::Other(reason) => self.tally.skip(reason),
                }
            }
        }
        for _ in self.calls.values().filter(|call| !call.replied) {
            self.tally.skip("reply not in the capture, or partly in RDMA chunks");
        }
        self.tally
    }
}

impl Tally {
    fn skip(&mut self, reason: &str) {
        *self.skipped.entry(reason.to_owned()).or_default() += 1;
    }

    fn unwrap(&mut self, wrapping: Wrapping, body: Bytes) -> Option<Bytes> {
        let unwrapped = wrapping.unwrap(body);
        unwrapped.map_err(|reason| self.skip(reason)).ok()
    }

    /// Decodes and encodes again; a difference is a failure.
    fn round_trip<T: Decode + Encode>(&mut self, wire: &Bytes) -> Option<T> {
        let name = std::any::type_name::<T>();
        match from_bytes::<T>(wire.clone()) {
            Ok(value) if to_bytes(&value) == wire => Some(value),
            Ok(value) => {
                self.failures.push(format!("{name}: {:?} is not {wire:?}", to_bytes(&value)));
                None
            }
            Err(error) => {
                self.failures.push(format!("{name}: {error} in {wire:?}"));
                None
            }
        }
    }

    fn compound_args(&mut self, wire: Bytes) {
        let Some(args) = self.round_trip::<Compound4Args>(&wire) else { return };
        self.calls += 1;
        self.operations += args.argarray.len();
        args.argarray.iter().filter_map(set_attributes).for_each(|fattr| self.attribute_set(fattr));
        let request = CompoundRequest::decode(&mut Decoder::new(wire)).unwrap();
        if request.fault.is_some() || request.ops != args.argarray {
            self.failures.push(format!("a server reads {request:?}"));
        }
    }

    fn compound_results(&mut self, wire: &Bytes) {
        let Some(results) = self.round_trip::<Compound4Res>(wire) else { return };
        self.replies += 1;
        self.operations += results.resarray.len();
        for result in &results.resarray {
            match result {
                NfsResop4::Getattr(Ok(res)) => self.attribute_set(&res.obj_attributes),
                NfsResop4::Readdir(Ok(res)) => {
                    res.reply.entries.iter().for_each(|entry| self.attribute_set(&entry.attrs));
                }
                _ => {}
            }
        }
    }

    fn cb_args(&mut self, wire: &Bytes) {
        if let Some(args) = self.round_trip::<CbCompound4Args>(wire) {
            self.cb_calls += 1;
            self.operations += args.argarray.len();
        }
    }

    fn cb_results(&mut self, wire: &Bytes) {
        if let Some(results) = self.round_trip::<CbCompound4Res>(wire) {
            self.cb_replies += 1;
            self.operations += results.resarray.len();
        }
    }

    /// The typed set has the same bits and the same values.
    fn attribute_set(&mut self, fattr: &Fattr4) {
        self.attributes += 1;
        let again = fattr.parse().map(|attrs| attrs.to_fattr4());
        let same = again
            .as_ref()
            .is_ok_and(|again| again.attrmask.same_bits(&fattr.attrmask) && again.attr_vals == fattr.attr_vals);
        if !same {
            self.failures.push(format!("attributes: {again:?} is not {fattr:?}"));
        }
    }
}

/// The attributes an operation sets.
fn set_attributes(op: &NfsArgop4) -> Option<&Fattr4> {
    match op {
        NfsArgop4::Setattr(args) => Some(&args.obj_attributes),
        NfsArgop4::Create(args) => Some(&args.createattrs),
        NfsArgop4::Open(args) => match &args.openhow {
            Openflag4::Create(Createhow4::Unchecked(attrs) | Createhow4::Guarded(attrs)) => Some(attrs),
            Openflag4::Create(Createhow4::Exclusive41(both)) => Some(&both.attrs),
            _ => None,
        },
        _ => None,
    }
}
