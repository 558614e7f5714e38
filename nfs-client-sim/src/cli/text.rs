//! How names, times, modes and amounts are shown to people.

use std::fmt;

use nfs4_protocol::nfs4::{Attrs, Mode4, NfsFtype4, Nfstime4};

const SECONDS_PER_DAY: i64 = 86_400;

/// A name or a link's target: what a terminal would obey or cannot show is escaped.
pub(crate) struct Shown<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

/// A time as RFC 3339 has it, in UTC, to the second or to the nanosecond (`{:#}`). Years beyond 9999 are not cut.
pub(crate) struct Time(pub(crate) Nfstime4);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Nfstime4 { seconds, nseconds } = self.0;
        let (year, month, day) = date(seconds.div_euclid(SECONDS_PER_DAY));
        let second = seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if f.alternate() {
            write!(f, ".{nseconds:09}")?;
        }
        f.write_str("Z")
    }
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01.
const fn date(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the leap day is the last day of its year. 400 years have 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // March to January have 153 days in each five months.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// Type and permissions in ten characters: `drwxr-xr-x`. What the server did not tell is `?`.
pub(crate) struct Permissions<'a>(pub(crate) &'a Attrs);

impl fmt::Display for Permissions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.ftype.map_or('?', type_letter))?;
        let Some(mode) = self.0.mode else { return f.write_str("?????????") };
        triple(f, mode >> 6, (mode & 0o4000 != 0).then_some('s'))?;
        triple(f, mode >> 3, (mode & 0o2000 != 0).then_some('s'))?;
        triple(f, mode, (mode & 0o1000 != 0).then_some('t'))
    }
}

fn triple(f: &mut fmt::Formatter<'_>, bits: Mode4, special: Option<char>) -> fmt::Result {
    let letter = |bit, letter| if bits & bit != 0 { letter } else { '-' };
    let execute = match special {
        None => letter(1, 'x'),
        Some(special) if bits & 1 != 0 => special,
        Some(special) => special.to_ascii_uppercase(),
    };
    write!(f, "{}{}{execute}", letter(4, 'r'), letter(2, 'w'))
}

const fn type_letter(ftype: NfsFtype4) -> char {
    match ftype {
        NfsFtype4::Reg => '-',
        NfsFtype4::Dir => 'd',
        NfsFtype4::Blk => 'b',
        NfsFtype4::Chr => 'c',
        NfsFtype4::Lnk => 'l',
        NfsFtype4::Sock => 's',
        NfsFtype4::Fifo => 'p',
        NfsFtype4::Attrdir => 'D',
        NfsFtype4::Namedattr => 'n',
    }
}

/// The word for a type.
pub(crate) const fn type_word(ftype: NfsFtype4) -> &'static str {
    match ftype {
        NfsFtype4::Reg => "file",
        NfsFtype4::Dir => "directory",
        NfsFtype4::Blk => "block device",
        NfsFtype4::Chr => "character device",
        NfsFtype4::Lnk => "link",
        NfsFtype4::Sock => "socket",
        NfsFtype4::Fifo => "fifo",
        NfsFtype4::Attrdir => "attribute directory",
        NfsFtype4::Namedattr => "named attribute",
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn time(seconds: i64) -> String {
        Time(Nfstime4 { seconds, nseconds: 7 }).to_string()
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(-1), "1969-12-31T23:59:59Z");
        assert_eq!(time(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(time(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(time(951_868_800), "2000-03-01T00:00:00Z");
        assert_eq!(time(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(time(1_798_761_599), "2026-12-31T23:59:59Z");
        assert_eq!(time(i64::MIN + 1).get(..1), Some("-"));
        assert_eq!(format!("{:#}", Time(Nfstime4 { seconds: 0, nseconds: 7 })), "1970-01-01T00:00:00.000000007Z");
    }

    #[test]
    fn permissions_are_ten_letters() {
        let show = |ftype, mode| Permissions(&Attrs { ftype, mode, ..Attrs::default() }).to_string();
        assert_eq!(show(Some(NfsFtype4::Dir), Some(0o755)), "drwxr-xr-x");
        assert_eq!(show(Some(NfsFtype4::Reg), Some(0o640)), "-rw-r-----");
        assert_eq!(show(Some(NfsFtype4::Reg), Some(0o7777)), "-rwsrwsrwt");
        assert_eq!(show(Some(NfsFtype4::Reg), Some(0o7000)), "---S--S--T");
        assert_eq!(show(None, None), "??????????");
    }

    #[test]
    fn names_cannot_speak_to_the_terminal() {
        assert_eq!(Shown(b"a\x1b[2Jb\n\xffz \xc3\xa4").to_string(), "a\\u{1b}[2Jb\\n\\xffz ä");
    }
}
