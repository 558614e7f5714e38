//! Names and keys: `a/b/c` in a bucket is `c` in the directory `b` in the directory `a`, and every key has a name.
//!
//! A component that cannot be a name (empty, `.`, `..`, with NUL, longer than 255 bytes) is shown under a reversible
//! escape, as is the object `a` that lies beside the prefix `a/`. A component that itself looks like an escape is
//! escaped, so that no two keys ever share a name.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

use super::filesystem::{FsError, FsResult, NAME_BYTES_MAX};

/// The most bytes a key may have (S3's limit).
pub(super) const KEY_BYTES_MAX: usize = 1024;
/// What every escaped name begins with.
const ESCAPE: &str = ".s3~";
/// A component that cannot be a name, percent-encoded.
const ENCODED: &str = ".s3~x~";
/// The object that lies beside a directory of its name.
const OBJECT: &str = ".s3~object~";
/// A component of more than 255 bytes: a hash of it and its beginning.
const LONG: &str = ".s3~long~";
/// Bytes of a long component that its name shows.
const LONG_SHOWN: usize = 200;
/// What an escaped component may not show plainly.
const QUOTED: &AsciiSet = &CONTROLS.add(b'%').add(b'/');

/// What a name says about the key behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Component {
    /// The key's component, of an object or of a directory.
    Plain(String),
    /// The component of an object that has a directory of the same name beside it.
    ObjectBesideDirectory(String),
    /// A component too long to be a name; a listing must tell which begins with `prefix` and shows as this name.
    Long {
        /// The component's first bytes.
        prefix: String,
    },
}

/// Checks a client's name: `BadName`, `NameTooLong`.
pub(super) fn check(name: &str) -> FsResult<()> {
    if name.len() > NAME_BYTES_MAX {
        return Err(FsError::NameTooLong);
    }
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(FsError::BadName);
    }
    Ok(())
}

/// The name under which a key's component is shown.
pub(super) fn show(component: &str) -> String {
    if component.len() > NAME_BYTES_MAX {
        return show_long(component);
    }
    let unfit = component.is_empty() || component == "." || component == ".." || component.contains('\0');
    if !unfit && !component.starts_with(ESCAPE) {
        return component.to_owned();
    }
    let encoded = if component.chars().all(|c| c == '.') {
        "%2E".repeat(component.len())
    } else {
        utf8_percent_encode(component, QUOTED).to_string()
    };
    let name = format!("{ENCODED}{encoded}");
    if name.len() > NAME_BYTES_MAX { show_long(component) } else { name }
}

/// The name of an object whose plain name a directory has.
pub(super) fn show_object_beside(component: &str) -> String {
    let name = format!("{OBJECT}{}", show(component));
    if name.len() > NAME_BYTES_MAX { show_long(component) } else { name }
}

fn show_long(component: &str) -> String {
    let mut hasher = SipHasher13::new_with_keys(0, 0);
    hasher.write(component.as_bytes());
    let mut end = component.len().min(LONG_SHOWN);
    while !component.is_char_boundary(end) {
        end -= 1;
    }
    let shown = utf8_percent_encode(component.get(..end).unwrap_or_default(), QUOTED).to_string();
    let mut end = shown.len().min(LONG_SHOWN);
    while !shown.is_char_boundary(end) {
        end -= 1;
    }
    format!("{LONG}{:016x}~{}", hasher.finish(), shown.get(..end).unwrap_or_default())
}

/// What lies behind a checked name.
pub(super) fn read(name: &str) -> FsResult<Component> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| FsError::NotFound);
    if let Some(encoded) = name.strip_prefix(ENCODED) {
        let component = decode(encoded)?;
        return if show(&component) == name { Ok(Component::Plain(component)) } else { Err(FsError::NotFound) };
    }
    if let Some(object) = name.strip_prefix(OBJECT) {
        return match read(object)? {
            Component::Plain(component) => Ok(Component::ObjectBesideDirectory(component)),
            _ => Err(FsError::NotFound),
        };
    }
    if let Some(rest) = name.strip_prefix(LONG) {
        let shown = rest.get(17..).ok_or(FsError::NotFound)?;
        let whole = shown.rfind('%').filter(|at| shown.len() - at < 3).unwrap_or(shown.len());
        let prefix = decode(shown.get(..whole).unwrap_or_default())?;
        return Ok(Component::Long { prefix });
    }
    if name.starts_with(ESCAPE) {
        return Err(FsError::NotFound);
    }
    Ok(Component::Plain(name.to_owned()))
}

/// The component that a new node gets by a name: `BadName` for names that only the gateway gives.
pub(super) fn of_new(name: &str) -> FsResult<String> {
    check(name)?;
    match read(name) {
        Ok(Component::Plain(component)) => Ok(component),
        _ => Err(FsError::BadName),
    }
}

/// The key of an object `component` in the directory with the key prefix `prefix`: `NameTooLong`.
pub(super) fn join(prefix: &str, component: &str) -> FsResult<String> {
    if prefix.len() + component.len() > KEY_BYTES_MAX {
        return Err(FsError::NameTooLong);
    }
    Ok(format!("{prefix}{component}"))
}

/// The key prefix of a directory `component` in the directory with the key prefix `prefix`: `NameTooLong`.
pub(super) fn join_dir(prefix: &str, component: &str) -> FsResult<String> {
    if prefix.len() + component.len() + 1 > KEY_BYTES_MAX {
        return Err(FsError::NameTooLong);
    }
    Ok(format!("{prefix}{component}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_kept_byte_for_byte() {
        for name in ["a", "ключ", "e\u{301}.txt", "100%", "a\nb", "~x", "...", ".hidden", "x\u{1}"] {
            assert_eq!(show(name), name);
            assert_eq!(read(name), Ok(Component::Plain(name.to_owned())));
        }
    }

    #[test]
    fn components_that_cannot_be_names_are_shown_reversibly() {
        for component in ["", ".", "..", "a\0b", ".s3~x~", ".s3~long~", ".s3~object~a"] {
            let shown = show(component);
            assert_eq!(check(&shown), Ok(()), "{shown}");
            assert_eq!(read(&shown), Ok(Component::Plain(component.to_owned())), "{shown}");
        }
    }

    #[test]
    fn an_object_beside_its_directory_has_a_name_of_its_own() {
        assert_eq!(read(&show_object_beside("a")), Ok(Component::ObjectBesideDirectory("a".to_owned())));
        assert_ne!(show_object_beside("a"), show("a"));
    }

    #[test]
    fn long_components_have_distinct_names_that_tell_how_they_begin() {
        let (one, two) = ("ä".repeat(400) + "1", "ä".repeat(400) + "2");
        assert_ne!(show(&one), show(&two));
        assert_eq!(check(&show(&one)), Ok(()));
        let Ok(Component::Long { prefix }) = read(&show(&one)) else { panic!("not long") };
        assert!(one.starts_with(&prefix) && prefix.len() > 10);
    }

    #[test]
    fn names_that_clients_may_not_use_are_refused() {
        assert_eq!(check(&"x".repeat(256)), Err(FsError::NameTooLong));
        for name in ["", ".", "..", "a/b", "a\0"] {
            assert_eq!(check(name), Err(FsError::BadName));
        }
        assert_eq!(join("p/", &"k".repeat(1023)), Err(FsError::NameTooLong));
    }
}
