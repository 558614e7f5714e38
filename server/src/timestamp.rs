//! Points in time as files and objects carry them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Nanoseconds in a second.
const NANOS: u32 = 1_000_000_000;

/// A point in time: whole seconds since 1970 (negative before) and nanoseconds (0 to 999,999,999) after that second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Timestamp {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub seconds: i64,
    /// Nanoseconds after `seconds`; always below 1,000,000,000.
    pub nanos: u32,
}

impl Timestamp {
    /// Builds a point in time; `None` when `nanos` is not below 1,000,000,000.
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        (nanos < NANOS).then_some(Self { seconds, nanos })
    }

    /// The system's clock now.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// Milliseconds since 1970, saturating.
    pub fn as_millis(self) -> i64 {
        self.seconds.saturating_mul(1000).saturating_add(i64::from(self.nanos / 1_000_000))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => {
                Self { seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX), nanos: after.subsec_nanos() }
            }
            Err(before) => {
                let before: Duration = before.duration();
                let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                match before.subsec_nanos() {
                    0 => Self { seconds: -seconds, nanos: 0 },
                    nanos => Self { seconds: -seconds - 1, nanos: NANOS - nanos },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_keep_their_nanoseconds() {
        let time = Timestamp::from(UNIX_EPOCH - Duration::from_millis(1));
        assert_eq!(time, Timestamp { seconds: -1, nanos: 999_000_000 });
        assert_eq!(time.as_millis(), -1);
    }

    #[test]
    fn nanoseconds_are_bounded() {
        assert_eq!(Timestamp::new(1, NANOS), None);
        assert_eq!(Timestamp::new(1, NANOS - 1).map(Timestamp::as_millis), Some(1999));
    }
}
