//! Owners as strings: how users and groups go out, and what is understood of what comes in (RFC 7530 §5.9, RFC 8881
//! §5.9).
//!
//! Numbers are what AUTH_SYS knows, so decimal strings go both ways. Names have a translation only where they mean the
//! same everywhere.

use bytes::Bytes;
use nfs4_protocol::nfs4::NfsStat4;

/// The user and the group of those who have none.
pub(super) const NOBODY: u32 = 65_534;

/// Names of users that mean the same on every system. The first one of an id is how it goes out.
const USERS: &[(&str, u32)] = &[("root", 0), ("nobody", NOBODY), ("ANONYMOUS", NOBODY)];
/// Names of groups that mean the same where they exist: what is `root` on Linux is `wheel` elsewhere.
const GROUPS: &[(&str, u32)] =
    &[("root", 0), ("wheel", 0), ("nobody", NOBODY), ("nogroup", NOBODY), ("ANONYMOUS", NOBODY)];
/// The id that system calls take for "leave it alone", and that no file can have.
const NO_ID: u32 = u32::MAX;

/// The owner of a file: `user@domain` where there is a domain and the user has a name, else decimal, which says that
/// there is no translation.
pub(super) fn owner(uid: u32, domain: Option<&str>) -> Bytes {
    let name = USERS.iter().find(|(_, id)| *id == uid);
    match (name, domain) {
        (Some((name, _)), Some(domain)) => Bytes::from(format!("{name}@{domain}")),
        _ => decimal(uid),
    }
}

/// The group of a file: always decimal, for no group's name is the same on all systems.
pub(super) fn owner_group(gid: u32) -> Bytes {
    decimal(gid)
}

fn decimal(id: u32) -> Bytes {
    Bytes::from(id.to_string())
}

/// The user that a client means.
///
/// # Errors
/// NFS4ERR_BADOWNER when the string has no translation, NFS4ERR_INVAL when it is not UTF-8.
pub(super) fn parse_owner(string: &[u8], domain: Option<&str>) -> Result<u32, NfsStat4> {
    parse(string, domain, USERS)
}

/// The group that a client means; errors as [`parse_owner`].
pub(super) fn parse_owner_group(string: &[u8], domain: Option<&str>) -> Result<u32, NfsStat4> {
    parse(string, domain, GROUPS)
}

fn parse(string: &[u8], domain: Option<&str>, names: &[(&str, u32)]) -> Result<u32, NfsStat4> {
    let string = std::str::from_utf8(string).map_err(|_| NfsStat4::Inval)?;
    let name = match (string.split_once('@'), domain) {
        (None, _) => string,
        // `ANONYMOUS@` and the like (RFC 7530 §6.2.1.5) belong to no domain.
        (Some((name, "")), _) => name,
        (Some((name, given)), Some(ours)) if !given.eq_ignore_ascii_case(ours) => {
            tracing::debug!(name, given, "an owner of another domain");
            return Err(NfsStat4::Badowner);
        }
        (Some((name, _)), _) => name,
    };
    let named = names.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
    named.or_else(|| parse_decimal(name)).ok_or(NfsStat4::Badowner)
}

/// A decimal id without sign and leading zeros.
fn parse_decimal(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|id| plain && *id != NO_ID)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_out_and_come_back() {
        for id in [0, 1, 501, NOBODY, u32::MAX - 1] {
            assert_eq!(parse_owner(&owner(id, None), None), Ok(id));
            assert_eq!(parse_owner(&owner(id, Some("example.org")), Some("example.org")), Ok(id));
            assert_eq!(parse_owner_group(&owner_group(id), None), Ok(id));
        }
        assert_eq!(owner(0, None), "0");
        assert_eq!(owner(1000, Some("example.org")), "1000");
    }

    #[test]
    fn with_a_domain_well_known_users_have_names() {
        assert_eq!(owner(0, Some("example.org")), "root@example.org");
        assert_eq!(owner(NOBODY, Some("example.org")), "nobody@example.org");
        assert_eq!(owner_group(0), "0");
    }

    #[test]
    fn names_that_mean_the_same_everywhere_are_understood() {
        assert_eq!(parse_owner(b"root", None), Ok(0));
        assert_eq!(parse_owner(b"root@anywhere.example", None), Ok(0));
        assert_eq!(parse_owner(b"root@EXAMPLE.org", Some("example.org")), Ok(0));
        assert_eq!(parse_owner(b"1000@example.org", Some("example.org")), Ok(1000));
        assert_eq!(parse_owner(b"nobody", Some("example.org")), Ok(NOBODY));
        assert_eq!(parse_owner(b"ANONYMOUS@", None), Ok(NOBODY));
        assert_eq!(parse_owner_group(b"wheel", None), Ok(0));
        assert_eq!(parse_owner_group(b"nogroup@example.org", None), Ok(NOBODY));
    }

    #[test]
    fn what_has_no_translation_is_refused() {
        let strangers: [&[u8]; 9] =
            [b"", b"@", b"alice", b"alice@example.org", b"wheel", b"OWNER@", b"GROUP@", b"EVERYONE@", b"-2"];
        for stranger in strangers {
            assert_eq!(parse_owner(stranger, None), Err(NfsStat4::Badowner), "{stranger:?}");
        }
        assert_eq!(parse_owner(b"root@elsewhere.example", Some("example.org")), Err(NfsStat4::Badowner));
        assert_eq!(parse_owner(b"\xff", None), Err(NfsStat4::Inval));
    }

    #[test]
    fn numbers_have_one_form() {
        for odd in ["00", "01", "+1", " 1", "1 ", "4294967295", "4294967296", "99999999999999999999"] {
            assert_eq!(parse_owner(odd.as_bytes(), None), Err(NfsStat4::Badowner), "{odd}");
        }
    }
}
