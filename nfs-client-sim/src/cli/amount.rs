//! Amounts of bytes as people write them.

use std::fmt;
use std::str::FromStr;

const UNITS: &[char] = &['K', 'M', 'G', 'T', 'P'];

/// A number of bytes: `4096`, `4k`, `4KiB`. All units are powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(pub(crate) u64);

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| "not a number of bytes such as 4096, 64K or 1GiB".to_owned())?;
        let unit = unit.to_ascii_uppercase();
        let unit = unit.strip_suffix("IB").or_else(|| unit.strip_suffix('B')).unwrap_or(&unit);
        let power = match unit {
            "" => Some(0),
            unit => UNITS.iter().position(|letter| unit.len() == 1 && unit.starts_with(*letter)).map(|at| at + 1),
        };
        let power = power.ok_or_else(|| "the units are K, M, G, T and P, powers of 1024".to_owned())?;
        let bytes = (0..power).try_fold(number, |bytes, _| bytes.checked_mul(1024));
        bytes.map(Self).ok_or_else(|| "more than 64 bits hold".to_owned())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut scaled = self.0 as f64;
        let mut unit = None;
        // From here on the number would be shown as 1024.0.
        for letter in UNITS {
            if scaled < 1023.95 {
                break;
            }
            scaled /= 1024.0;
            unit = Some(letter);
        }
        match unit {
            None => f.pad(&format!("{} B", self.0)),
            Some(unit) => f.pad(&format!("{scaled:.1} {unit}iB")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read() {
        let read = |text: &str| text.parse::<Amount>().ok().map(|amount| amount.0);
        assert_eq!((read("0"), read("4096"), read("12B")), (Some(0), Some(4096), Some(12)));
        assert_eq!(
            (read("4k"), read("4K"), read("4KiB"), read("4kb")),
            (Some(4096), Some(4096), Some(4096), Some(4096))
        );
        assert_eq!((read("3M"), read("1P")), (Some(3 << 20), Some(1 << 50)));
        assert_eq!([read(""), read("K"), read("-1"), read("1X"), read("1KK"), read("1.5K"), read("99999P")], [None; 7]);
    }

    #[test]
    fn amounts_are_shown_with_one_digit() {
        let show = |bytes| Amount(bytes).to_string();
        assert_eq!((show(0), show(1023)), ("0 B".to_owned(), "1023 B".to_owned()));
        assert_eq!((show(1024), show(1536)), ("1.0 KiB".to_owned(), "1.5 KiB".to_owned()));
        assert_eq!((show((1 << 20) - 1), show(u64::MAX)), ("1.0 MiB".to_owned(), "16384.0 PiB".to_owned()));
    }
}
