//! Input that nobody means well with: no type panics, and what decodes survives a round trip.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::{Decode, Decoder, Encode, from_bytes, to_bytes};
use proptest::prelude::*;

/// Decodes `input` and, when that succeeds, encodes and decodes it again.
fn survives<T: Decode + Encode + PartialEq + std::fmt::Debug>(input: &Bytes) {
    if let Ok(value) = T::decode(&mut Decoder::new(input.clone())) {
        assert_eq!(from_bytes::<T>(to_bytes(&value)), Ok(value));
    }
}

macro_rules! survive {
    ($input:expr; $($ty:ty),* $(,)?) => {$( survives::<$ty>($input); )*};
}

/// Words that are often small, so that they pass for lengths, booleans and discriminants.
fn record() -> impl Strategy<Value = Bytes> {
    let word = prop_oneof![4 => 0..4u32, 2 => 0..40u32, 1 => 10_000..10_100u32, 1 => any::<u32>()];
    (prop::collection::vec(word, 0..80), 0..4usize).prop_map(|(words, extra)| {
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u32::to_be_bytes).collect();
        bytes.extend(vec![1; extra]);
        bytes.into()
    })
}

proptest! {
    #[test]
    fn operations_of_4_1(input in record()) {
        survive!(&input;
            BackchannelCtl4Args, BackchannelCtl4Res, BindConnToSession4Args, BindConnToSession4Res,
            ExchangeId4Args, ExchangeId4Res, CreateSession4Args, CreateSession4Res, DestroySession4Args,
            DestroySession4Res, FreeStateid4Args, FreeStateid4Res, GetDirDelegation4Args, GetDirDelegation4Res,
            Getdeviceinfo4Args, Getdeviceinfo4Res, Getdevicelist4Args, Getdevicelist4Res, Layoutcommit4Args,
            Layoutcommit4Res, Layoutget4Args, Layoutget4Res, Layoutreturn4Args, Layoutreturn4Res,
            SecinfoNoName4Args, SecinfoNoName4Res, Sequence4Args, Sequence4Res, SetSsv4Args, SetSsv4Res,
            TestStateid4Args, TestStateid4Res, WantDelegation4Args, WantDelegation4Res, DestroyClientid4Args,
            DestroyClientid4Res, ReclaimComplete4Args, ReclaimComplete4Res,
        );
    }

    #[test]
    fn operations_of_4_2(input in record()) {
        survive!(&input;
            Allocate4Args, Allocate4Res, Copy4Args, Copy4Res, CopyNotify4Args, CopyNotify4Res, Deallocate4Args,
            Deallocate4Res, IoAdvise4Args, IoAdvise4Res, Layouterror4Args, Layouterror4Res, Layoutstats4Args,
            Layoutstats4Res, OffloadCancel4Args, OffloadCancel4Res, OffloadStatus4Args, OffloadStatus4Res,
            ReadPlus4Args, ReadPlus4Res, Seek4Args, Seek4Res, WriteSame4Args, WriteSame4Res, Clone4Args, Clone4Res,
            Getxattr4Args, Getxattr4Res, Setxattr4Args, Setxattr4Res, Listxattrs4Args, Listxattrs4Res,
            Removexattr4Args, Removexattr4Res,
        );
    }

    #[test]
    fn callbacks(input in record(), opnum in prop::sample::select(NfsCbOpnum4::ALL)) {
        survive!(&input; CbCompound4Args, CbCompound4Res, NotifyAdd4, NotifyRename4, NotifyVerifier4);
        let operation = Bytes::from([&opnum.as_u32().to_be_bytes(), &*input].concat());
        survive!(&operation; NfsCbArgop4, NfsCbResop4);
    }
}
