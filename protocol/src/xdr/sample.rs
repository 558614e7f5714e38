//! Made-up values of every wire type, for round-trip tests.

use bytes::Bytes;

use super::Payload;
use crate::nfs4::{
    Bitmap4, Dirlist4, NfsArgop4, NfsCbArgop4, NfsCbResop4, NfsResop4, NfsStat4, OffloadInfo4, operation_samples,
};

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Source(u64);

impl Source {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (SplitMix64).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not zero.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A type whose values can be made up.
pub(crate) trait Sample {
    fn sample(source: &mut Source) -> Self;
}

/// A type of variable length whose values can be made up.
pub(crate) trait SampleBounded {
    fn sample_bounded(source: &mut Source, max: usize) -> Self;
}

/// One field, with or without a limit.
macro_rules! sample_field {
    ($source:ident, $ty:ty) => {
        <$ty as $crate::xdr::sample::Sample>::sample($source)
    };
    ($source:ident, $ty:ty, $max:expr) => {
        <$ty as $crate::xdr::sample::SampleBounded>::sample_bounded($source, $max)
    };
}
pub(crate) use sample_field;

macro_rules! number {
    ($($ty:ty),*) => {$(
        impl Sample for $ty {
            fn sample(source: &mut Source) -> Self {
                source.next() as Self
            }
        }
    )*};
}

number!(u8, u32, u64, i32, i64);

impl Sample for () {
    fn sample(_: &mut Source) {}
}

impl Sample for bool {
    fn sample(source: &mut Source) -> Self {
        source.below(2) == 1
    }
}

impl<const N: usize> Sample for [u8; N] {
    fn sample(source: &mut Source) -> Self {
        std::array::from_fn(|_| u8::sample(source))
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(source: &mut Source) -> Self {
        bool::sample(source).then(|| T::sample(source))
    }
}

impl<T: Sample> Sample for Box<T> {
    fn sample(source: &mut Source) -> Self {
        Self::new(T::sample(source))
    }
}

impl<T: Sample> Sample for Result<T, NfsStat4> {
    fn sample(source: &mut Source) -> Self {
        match source.below(4) {
            0 => Err(NfsStat4::Delay),
            _ => Ok(T::sample(source)),
        }
    }
}

impl SampleBounded for Bytes {
    fn sample_bounded(source: &mut Source, max: usize) -> Self {
        // Short ones with every kind of padding, and some that are chained.
        let len = match source.below(8) {
            0 => 256 + source.below(4),
            _ => source.below(9),
        };
        (0..len.min(max)).map(|_| u8::sample(source)).collect()
    }
}

impl SampleBounded for Payload {
    fn sample_bounded(source: &mut Source, max: usize) -> Self {
        Self(vec![Bytes::sample_bounded(source, max / 2), Bytes::sample_bounded(source, max / 2)])
    }
}

impl<T: Sample> SampleBounded for Vec<T> {
    fn sample_bounded(source: &mut Source, max: usize) -> Self {
        let len = source.below(4).min(max);
        (0..len).map(|_| T::sample(source)).collect()
    }
}

impl Sample for Bitmap4 {
    fn sample(source: &mut Source) -> Self {
        let words: Vec<u32> = SampleBounded::sample_bounded(source, 4);
        Self::from_words(&words)
    }
}

impl Sample for Dirlist4 {
    fn sample(source: &mut Source) -> Self {
        Self { entries: SampleBounded::sample_bounded(source, 4), eof: bool::sample(source) }
    }
}

/// One of several made-up values.
fn pick<T>(source: &mut Source, mut values: Vec<T>) -> T {
    let index = source.below(values.len());
    values.swap_remove(index)
}

impl Sample for NfsArgop4 {
    fn sample(source: &mut Source) -> Self {
        let values = operation_samples(source);
        pick(source, values).0
    }
}

impl Sample for NfsResop4 {
    fn sample(source: &mut Source) -> Self {
        let values = operation_samples(source);
        pick(source, values).1
    }
}

impl Sample for OffloadInfo4 {
    fn sample(source: &mut Source) -> Self {
        match bool::sample(source) {
            true => Self::Ok(Sample::sample(source)),
            false => Self::Failed { status: NfsStat4::Nospc, bytes_copied: u64::sample(source) },
        }
    }
}

/// Made-up arguments and results of every callback operation, for one row each.
macro_rules! callbacks {
    ($source:ident: $($op:ident),*) => {
        vec![$( (NfsCbArgop4::$op(Sample::sample($source)), NfsCbResop4::$op(Sample::sample($source))) ),*]
    };
}

/// Made-up arguments and results of every callback operation.
pub(crate) fn callback_samples(source: &mut Source) -> Vec<(NfsCbArgop4, NfsCbResop4)> {
    callbacks!(source:
        Getattr, Recall, Layoutrecall, Notify, PushDeleg, RecallAny, RecallableObjAvail, RecallSlot, Sequence,
        WantsCancelled, NotifyLock, NotifyDeviceid, Offload
    )
}

impl Sample for NfsCbArgop4 {
    fn sample(source: &mut Source) -> Self {
        let values = callback_samples(source);
        pick(source, values).0
    }
}

impl Sample for NfsCbResop4 {
    fn sample(source: &mut Source) -> Self {
        let values = callback_samples(source);
        pick(source, values).1
    }
}
