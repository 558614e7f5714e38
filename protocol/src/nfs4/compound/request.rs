//! A compound as a server reads it.

use bytes::Bytes;

use super::{COMPOUND_OPS_MAX, NfsArgop4, TAG_MAX};
use crate::nfs4::{MINOR_VERSION_MAX, NfsStat4, OpNum};
use crate::xdr::{Decode, Decoder, XdrError};

/// A compound, decoded as far as possible.
///
/// Operations before a faulty one are executed before the fault is answered (RFC 8881 §16.2.3,
/// RFC 7530 §15.2.4), so a fault is part of the request and not an error of decoding it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompoundRequest {
    /// Means nothing; the result repeats it.
    pub tag: Bytes,
    /// The minor version; the operations of one this crate does not know are not decoded.
    pub minorversion: u32,
    /// The number of operations the client announced.
    pub numops: u32,
    /// The operations before the fault, or all.
    pub ops: Vec<NfsArgop4>,
    /// The first operation that cannot be executed.
    pub fault: Option<OpFault>,
}

/// The first operation of a compound that cannot be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpFault {
    /// Its number as it came.
    pub opnum: u32,
    /// What to answer: BADXDR, OP_ILLEGAL, or RESOURCE/TOO_MANY_OPS beyond [`COMPOUND_OPS_MAX`].
    pub status: NfsStat4,
}

impl OpFault {
    /// The operation that the result names: the one that came, or OP_ILLEGAL.
    #[must_use]
    pub fn result_op(&self) -> OpNum {
        match self.status {
            NfsStat4::OpIllegal => OpNum::Illegal,
            _ => OpNum::from_u32(self.opnum).unwrap_or(OpNum::Illegal),
        }
    }
}

impl Decode for CompoundRequest {
    /// # Errors
    /// Only for what comes before the operations; a server answers GARBAGE_ARGS.
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        let mut request =
            Self { tag: d.opaque(TAG_MAX)?, minorversion: d.u32()?, numops: d.u32()?, ops: Vec::new(), fault: None };
        if request.minorversion <= MINOR_VERSION_MAX {
            request.decode_ops(d);
        }
        Ok(request)
    }
}

impl CompoundRequest {
    fn decode_ops(&mut self, d: &mut Decoder) {
        for _ in 0..self.numops {
            match self.decode_op(d) {
                Ok(op) => self.ops.push(op),
                Err(fault) => {
                    self.fault = Some(fault);
                    return;
                }
            }
        }
    }

    fn decode_op(&self, d: &mut Decoder) -> Result<NfsArgop4, OpFault> {
        let opnum = d.u32().map_err(|_| OpFault { opnum: OpNum::Illegal.as_u32(), status: NfsStat4::Badxdr })?;
        let fault = |status| OpFault { opnum, status };
        if self.ops.len() >= COMPOUND_OPS_MAX {
            return Err(fault(match self.minorversion {
                0 => NfsStat4::Resource,
                _ => NfsStat4::TooManyOps,
            }));
        }
        let op =
            OpNum::from_u32(opnum).filter(|op| op.defined_in(self.minorversion)).ok_or(fault(NfsStat4::OpIllegal))?;
        NfsArgop4::decode_args(op, d).map_err(|_| fault(NfsStat4::Badxdr))
    }
}
