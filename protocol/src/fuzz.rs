//! Entry points for fuzzing: pure functions of the bytes a peer could send.
//!
//! Each returns whether the input was treated well: it was refused, or what it decoded to encodes to
//! bytes that decode to the same again. `false` and a panic are findings.

use bytes::Bytes;

use crate::nfs4::{CbCompound4Args, CbCompound4Res, Compound4Args, Compound4Res, CompoundRequest, Fattr4};
use crate::rpc::{OpaqueAuth, RecordReader, RpcMsg};
use crate::xdr::{Decode, Decoder, Encode, from_bytes, to_bytes};

/// The longest record [`records`] accepts, in bytes.
const RECORD_LEN_MAX: usize = 1 << 16;

/// Whether `input` is refused or decodes to a `T` that survives a round trip.
fn is_stable<T: Encode + Decode + PartialEq>(input: &[u8]) -> bool {
    let Ok(value) = T::decode(&mut Decoder::new(Bytes::copy_from_slice(input))) else {
        return true;
    };
    from_bytes::<T>(to_bytes(&value)).is_ok_and(|again| again == value)
}

/// The header of an RPC message, and its credential.
#[must_use]
pub fn rpc_message(input: &[u8]) -> bool {
    if let Ok(auth) = OpaqueAuth::decode(&mut Decoder::new(Bytes::copy_from_slice(input))) {
        drop(auth.parse());
    }
    is_stable::<RpcMsg>(input)
}

/// A stream of records: all bytes of all records were in the input.
#[must_use]
pub fn records(input: &[u8]) -> bool {
    let mut reader = RecordReader::new(RECORD_LEN_MAX);
    reader.push(Bytes::copy_from_slice(input));
    let mut total = 0;
    while let Ok(Some(record)) = reader.next_record() {
        total += record.len();
    }
    total <= input.len()
}

/// The arguments of COMPOUND, as a server and as a client reads them.
#[must_use]
pub fn compound_args(input: &[u8]) -> bool {
    let request = CompoundRequest::decode(&mut Decoder::new(Bytes::copy_from_slice(input)));
    let counted = request.is_ok_and(|request| {
        let complete = u32::try_from(request.ops.len()).is_ok_and(|len| len == request.numops);
        request.minorversion > crate::nfs4::MINOR_VERSION_MAX || complete == request.fault.is_none()
    });
    let refused = Compound4Args::decode(&mut Decoder::new(Bytes::copy_from_slice(input))).is_err();
    (counted || refused) && is_stable::<Compound4Args>(input)
}

/// The results of COMPOUND.
#[must_use]
pub fn compound_results(input: &[u8]) -> bool {
    is_stable::<Compound4Res>(input)
}

/// The arguments and results of CB_COMPOUND.
#[must_use]
pub fn callback(input: &[u8]) -> bool {
    is_stable::<CbCompound4Args>(input) && is_stable::<CbCompound4Res>(input)
}

/// Attributes: a set that can be read is the same set after a round trip.
#[must_use]
pub fn attributes(input: &[u8]) -> bool {
    let parsed = Fattr4::decode(&mut Decoder::new(Bytes::copy_from_slice(input))).map(|fattr| fattr.parse());
    match parsed {
        Ok(Ok(attrs)) => attrs.to_fattr4().parse() == Ok(attrs),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::xdr::sample::{Sample, Source};

    fn all(input: &[u8]) -> bool {
        [rpc_message, records, compound_args, compound_results, callback, attributes].iter().all(|target| target(input))
    }

    proptest! {
        #[test]
        fn random_bytes_are_treated_well(input in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(all(&input));
        }

        #[test]
        fn small_numbers_are_treated_well(words in prop::collection::vec(0u32..90, 0..60)) {
            let input: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            prop_assert!(all(&input));
        }

        #[test]
        fn damaged_messages_are_treated_well(seed: u64, at: prop::sample::Index, byte: u8) {
            let mut source = Source::new(seed);
            for wire in [to_bytes(&Compound4Args::sample(&mut source)), to_bytes(&Compound4Res::sample(&mut source))] {
                let mut wire = wire.to_vec();
                let at = at.index(wire.len());
                wire[at] = byte;
                prop_assert!(all(&wire));
            }
        }
    }
}
