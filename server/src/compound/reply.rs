//! Writing COMPOUND4res: results are appended as they come, status and number are filled in at the end.

use bytes::Bytes;
use nfs4_protocol::nfs4::{NfsResop4, NfsStat4, OpNum};
use nfs4_protocol::xdr::{Encode, Encoder, Placeholder};

/// The result of one operation, encoded.
pub(super) struct OpReply {
    pub(super) status: NfsStat4,
    pub(super) encoded: Encoder,
}

impl From<NfsResop4> for OpReply {
    fn from(result: NfsResop4) -> Self {
        let mut encoded = Encoder::new();
        result.encode(&mut encoded);
        Self { status: result.status(), encoded }
    }
}

impl OpReply {
    /// A result that says `status` and nothing more.
    pub(super) fn failed(op: OpNum, status: NfsStat4) -> Self {
        NfsResop4::failed(op, status).into()
    }
}

/// A reply in the making.
pub(super) struct ReplyWriter {
    encoder: Encoder,
    status_at: Placeholder,
    count_at: Placeholder,
    status: NfsStat4,
    count: u32,
}

impl ReplyWriter {
    /// A reply without results, which repeats the tag of its request.
    pub(super) fn new(tag: &Bytes) -> Self {
        let mut encoder = Encoder::new();
        let status_at = encoder.placeholder();
        encoder.opaque(tag);
        let count_at = encoder.placeholder();
        Self { encoder, status_at, count_at, status: NfsStat4::Ok, count: 0 }
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.encoder.len()
    }

    /// Appends a result; its status becomes the status of the whole (RFC 7530 §15.2.4).
    pub(super) fn push(&mut self, reply: OpReply) {
        self.encoder.append(reply.encoded);
        self.status = reply.status;
        self.count += 1;
    }

    /// The reply.
    pub(super) fn finish(mut self) -> Vec<Bytes> {
        self.encoder.patch(self.status_at, self.status.as_u32());
        self.encoder.patch(self.count_at, self.count);
        self.encoder.finish()
    }
}

/// A reply without any result, for a request that is refused as a whole.
pub(super) fn refused(tag: &Bytes, status: NfsStat4) -> Vec<Bytes> {
    let mut reply = ReplyWriter::new(tag);
    reply.status = status;
    reply.finish()
}
