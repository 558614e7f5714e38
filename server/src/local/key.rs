//! Keys whose byte order is the order of their fields.

/// Builds a key field by field.
///
/// A number is 8 bytes, big end first. A text ends with two NULs; a NUL within it is followed by a 1, so that a shorter text
/// sorts before every longer one that begins with it, and keys of several fields sort field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl Key {
    /// A key without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a number.
    #[must_use]
    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends a text.
    #[must_use]
    pub fn text(mut self, value: &str) -> Self {
        for &byte in value.as_bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(1);
            }
        }
        self.0.extend_from_slice(&[0, 0]);
        self
    }

    /// The bytes.
    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

impl From<Key> for Vec<u8> {
    fn from(key: Key) -> Self {
        key.0
    }
}

/// Takes a key apart, in the order in which it was built.
#[derive(Debug, Clone)]
pub struct KeyReader<'a>(&'a [u8]);

impl<'a> KeyReader<'a> {
    /// Begins with the first field.
    pub fn new(key: &'a [u8]) -> Self {
        Self(key)
    }

    /// Takes a number; `None` when there is none.
    pub fn u64(&mut self) -> Option<u64> {
        let (value, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*value))
    }

    /// Takes a text; `None` when there is none.
    pub fn text(&mut self) -> Option<String> {
        let mut text = Vec::new();
        let mut rest = self.0;
        loop {
            match rest {
                [0, 0, after @ ..] => {
                    self.0 = after;
                    return String::from_utf8(text).ok();
                }
                [0, 1, after @ ..] => {
                    text.push(0);
                    rest = after;
                }
                [0, ..] => return None,
                [byte, after @ ..] => {
                    text.push(*byte);
                    rest = after;
                }
                [] => return None,
            }
        }
    }

    /// Whether all fields are taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_sort_as_their_fields_and_come_apart_again(
            a in ("[\\x00-\\x02a]{0,4}", any::<u64>()), b in ("[\\x00-\\x02a]{0,4}", any::<u64>())
        ) {
            let key = |(text, number): &(String, u64)| Key::new().text(text).u64(*number).done();
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
            let bytes = key(&a);
            let mut reader = KeyReader::new(&bytes);
            prop_assert_eq!((reader.text(), reader.u64()), (Some(a.0), Some(a.1)));
            prop_assert!(reader.is_empty());
        }
    }

    #[test]
    fn a_number_after_a_text_is_never_taken_for_its_end() {
        for number in [0, 1 << 56, u64::MAX] {
            let bytes = Key::new().text("").u64(number).done();
            let mut reader = KeyReader::new(&bytes);
            assert_eq!((reader.text().as_deref(), reader.u64()), (Some(""), Some(number)));
        }
    }

    #[test]
    fn cut_keys_are_refused() {
        assert_eq!(KeyReader::new(&[1, 2, 3]).u64(), None);
        assert_eq!(KeyReader::new(b"open").text(), None);
        assert_eq!(KeyReader::new(b"open\0").text(), None);
    }
}
