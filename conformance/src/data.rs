//! Made-up data, the same in each run.

/// A small generator of numbers that look random (splitmix64).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next_u64() % bound as u64) as usize
    }

    /// Brings a slice into another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// `len` bytes that do not compress, different for each seed.
#[must_use]
pub fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        out.extend_from_slice(&numbers.next_u64().to_le_bytes());
    }
    out.truncate(len);
    out
}

/// Panics unless both are equal; says where they differ, and does not print them.
#[track_caller]
pub fn assert_same(what: &str, got: &[u8], expected: &[u8]) {
    if let Some(difference) = difference(got, expected) {
        panic!("{what}: {difference}");
    }
}

/// Where two byte strings differ.
#[must_use]
pub fn difference(got: &[u8], expected: &[u8]) -> Option<String> {
    if got == expected {
        return None;
    }
    let at = got.iter().zip(expected).position(|(a, b)| a != b);
    let lengths = format!("{} bytes, expected {}", got.len(), expected.len());
    Some(match at {
        Some(at) => format!("{lengths}; the first wrong byte is at {at}"),
        None => lengths,
    })
}
