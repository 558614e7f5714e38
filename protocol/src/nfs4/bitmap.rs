//! Bitmaps of any length.

use crate::xdr::{Decode, Decoder, Encode, Encoder, XdrError};

/// The most words of a bitmap that are decoded; 2048 bits, an order of magnitude above what exists.
pub const BITMAP_WORDS_MAX: usize = 64;

/// `bitmap4`: bit `n` is bit `n % 32` of word `n / 32`.
///
/// The words stay as they were sent, trailing zero words included (macOS sends such), so that a
/// decoded bitmap encodes to the same bytes. Equality compares words; [`Bitmap4::same_bits`]
/// compares bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Bitmap4(Vec<u32>);

impl Bitmap4 {
    /// No bits.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The bitmap of these words, at most [`BITMAP_WORDS_MAX`]; the rest is dropped.
    #[must_use]
    pub fn from_words(words: &[u32]) -> Self {
        Self(words.iter().copied().take(BITMAP_WORDS_MAX).collect())
    }

    /// The words as they are on the wire.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.0
    }

    /// Sets a bit. Bits beyond [`BITMAP_WORDS_MAX`] words do not exist and are ignored.
    pub fn set(&mut self, bit: u32) {
        let Some(index) = word_index(bit).filter(|index| *index < BITMAP_WORDS_MAX) else {
            return;
        };
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        if let Some(word) = self.0.get_mut(index) {
            *word |= 1 << (bit % u32::BITS);
        }
    }

    /// Clears a bit; the number of words stays.
    pub fn clear(&mut self, bit: u32) {
        if let Some(word) = word_index(bit).and_then(|index| self.0.get_mut(index)) {
            *word &= !(1 << (bit % u32::BITS));
        }
    }

    /// Whether a bit is set.
    #[must_use]
    pub fn contains(&self, bit: u32) -> bool {
        word_index(bit).and_then(|index| self.0.get(index)).is_some_and(|word| word & (1 << (bit % u32::BITS)) != 0)
    }

    /// The set bits, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).step_by(32).zip(&self.0).flat_map(|(base, word)| {
            (0..u32::BITS).filter(move |bit| word & (1 << bit) != 0).map(move |bit| base + bit)
        })
    }

    /// The bits that are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect::<Vec<_>>()).trimmed()
    }

    /// The bits of this one that are not in `other`.
    #[must_use]
    pub fn and_not(&self, other: &Self) -> Self {
        self.iter().filter(|bit| !other.contains(*bit)).collect()
    }

    /// Whether no bit is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether the same bits are set, whatever the number of words.
    #[must_use]
    pub fn same_bits(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}

/// The word that holds a bit.
fn word_index(bit: u32) -> Option<usize> {
    usize::try_from(bit / u32::BITS).ok()
}

impl FromIterator<u32> for Bitmap4 {
    fn from_iter<I: IntoIterator<Item = u32>>(bits: I) -> Self {
        let mut bitmap = Self::new();
        for bit in bits {
            bitmap.set(bit);
        }
        bitmap
    }
}

impl Encode for Bitmap4 {
    fn encode(&self, e: &mut Encoder) {
        e.list(&self.0);
    }
}

impl Decode for Bitmap4 {
    fn decode(d: &mut Decoder) -> Result<Self, XdrError> {
        d.list(BITMAP_WORDS_MAX).map(Self)
    }
}
