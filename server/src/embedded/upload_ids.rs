//! Numbers of multipart uploads: unique in a store, rising with time, written as sixteen hexadecimal digits.

use std::sync::atomic::{AtomicU64, Ordering};

use redb::ReadableTable as _;

use super::fault::Fault;
use super::index::{Index, UPLOADS};
use super::record::now_ms;

/// Gives out upload numbers.
#[derive(Debug)]
pub(super) struct UploadIds {
    last: AtomicU64,
}

impl UploadIds {
    /// Goes on above every upload in the index, also when the clock went back.
    pub(super) fn above_all_of(index: &Index) -> Result<Self, Fault> {
        let uploads = index.snapshot()?.open_table(UPLOADS)?;
        let mut last = 0;
        for row in uploads.iter()? {
            last = last.max(row?.0.value().2);
        }
        Ok(Self { last: AtomicU64::new(last) })
    }

    /// The next number: microseconds since 1970, or one more than the last number.
    pub(super) fn next(&self) -> u64 {
        let clock = now_ms().saturating_mul(1000);
        let rise = |last: u64| Some(last.saturating_add(1).max(clock));
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rise);
        rise(last.unwrap_or_default()).unwrap_or(clock)
    }
}

/// An upload number as clients see it.
pub(super) fn format_upload_id(id: u64) -> String {
    format!("{id:016x}")
}

/// The number of an upload id; `NoSuchUpload` for what is no such id.
pub(super) fn parse_upload_id(text: &str) -> Result<u64, Fault> {
    let id = u64::from_str_radix(text, 16).map_err(|_| Fault::no_such_upload())?;
    if format_upload_id(id) == text { Ok(id) } else { Err(Fault::no_such_upload()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_even_above_a_clock_that_went_back() {
        let ids = UploadIds { last: AtomicU64::new(u64::MAX / 2) };
        assert_eq!(ids.next(), u64::MAX / 2 + 1);
        assert_eq!(ids.next(), u64::MAX / 2 + 2);
        let ids = UploadIds { last: AtomicU64::new(0) };
        assert!(ids.next() < ids.next());
    }

    #[test]
    fn only_what_was_given_out_is_an_upload_id() {
        assert_eq!(parse_upload_id(&format_upload_id(0xabc)).unwrap(), 0xabc);
        for wrong in ["", "abc", "+000000000000abc", "0000000000000ABC", "00000000000000abc"] {
            assert!(parse_upload_id(wrong).is_err(), "{wrong}");
        }
    }
}
